"""How fast a rollout may go and when it has to stop: which devices go first, how many at once, what ends it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, zip_longest

#: How often another device of a kind is taken for a first one that proved nothing: it was out of reach, or needed no change.
CANARY_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """What an operator allows a run. Zero and None mean: no such limit.

    `canary`: so many of every kind (role and family) are changed first; a kind whose first ones fail is not gone on with.
    `stop_after`: once so many devices went wrong, no other is begun. `changes`: at most so many devices are changed in one run.
    `until`: from then on no device is begun. `at_most`: fact of a host (`parent`, `carrier`, `region` …) → how many with the same value
    are worked on at the same time.
    """

    canary: int = 0
    stop_after: int = 0
    changes: int = 0
    until: datetime | None = None
    at_most: Mapping[str, int] = field(default_factory=dict)


NO_LIMITS = Pace()


def spread(names: Iterable[str], group_of: Callable[[str], object]) -> list[str]:
    """Return the names with those of one group as far apart as they can be: a limit of a group then holds up nobody else."""
    groups: dict[object, list[str]] = {}
    for name in names:
        groups.setdefault(group_of(name), []).append(name)
    return [name for name in chain.from_iterable(zip_longest(*groups.values())) if name is not None]


def first_of_each(names: Sequence[str], kind_of: Callable[[str], object], number: int) -> Iterator[str]:
    """Yield the first so many names of every kind."""
    seen: dict[object, int] = {}
    for name in names:
        kind = kind_of(name)
        if seen.get(kind, 0) < number:
            seen[kind] = seen.get(kind, 0) + 1
            yield name
