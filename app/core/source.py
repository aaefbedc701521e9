"""Where a value of the order comes from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: a clause of the order, a ruling, or a default of ours (exactly one holds).

    `where` is the `file:line` of the block that carries the value.
    """

    clause: str | None = None
    ruling: str | None = None
    default: bool = False
    where: str = field(default="", compare=False)


#: A default of ours, to be seen as such wherever it is shown.
OURS = Source(default=True)
