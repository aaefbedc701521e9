"""A running configuration as numbered lines in their blocks, for judges that must name the line. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.echo import MARGINED, without_margin

_MARKS = ("#", "!")
_ENDS = ("return", "end", "exit", "quit")


@dataclass(frozen=True, slots=True)
class ConfigLine:
    """One line, stripped, with its number in the text (from 1) and the heads of the blocks that it stands in, outermost first."""

    number: int
    text: str
    blocks: tuple[str, ...] = ()

    @property
    def block(self) -> str:
        """The outermost block's head, empty for a line of the top."""
        return self.blocks[0] if self.blocks else ""


@dataclass(frozen=True, slots=True)
class ConfigBlock:
    """A top-level line with the lines below it, at any depth."""

    head: ConfigLine
    body: tuple[ConfigLine, ...]


def read_lines(family: str, text: str) -> tuple[ConfigLine, ...]:
    """Return the configured lines: no separators, no ends of blocks."""
    raw = [line.rstrip() for line in text.replace("\r", "").split("\n")]
    levelled = list(without_margin(raw)) if family in MARGINED else raw
    lines: list[ConfigLine] = []
    open_blocks: list[tuple[int, str]] = []
    for number, line in enumerate(levelled, 1):
        stripped = line.strip()
        if not stripped or stripped.startswith(_MARKS) or stripped in _ENDS:
            continue
        depth = len(line) - len(line.lstrip())
        open_blocks = [(level, head) for level, head in open_blocks if level < depth]
        lines.append(ConfigLine(number, stripped, tuple(head for _, head in open_blocks)))
        open_blocks.append((depth, stripped))
    return tuple(lines)


def read_blocks(lines: tuple[ConfigLine, ...]) -> Iterator[ConfigBlock]:
    """Yield every top-level line with what stands below it, in order."""
    head: ConfigLine | None = None
    body: list[ConfigLine] = []
    for line in lines:
        if line.blocks:
            body.append(line)
            continue
        if head is not None:
            yield ConfigBlock(head, tuple(body))
        head, body = line, []
    if head is not None:
        yield ConfigBlock(head, tuple(body))
