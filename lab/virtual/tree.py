"""A device's configuration as a tree of lines: frozen, edited by functions that return a new tree. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a configuration and the lines in its section.

    `rule` is the place of its rule in the view, by which a device orders its lines; `values` are its parameters;
    `shown` is what the device writes, which differs from what was typed where it adds defaults or hides secrets.
    """

    rule: int
    shown: str
    values: tuple[tuple[str, str], ...] = ()
    children: tuple[Entry, ...] = ()
    natural: bool = False
    negative: bool = False

    def value(self, name: str) -> str | None:
        """Return a parameter, None where the line has none of that name."""
        return next((value for key, value in self.values if key == name), None)

    @property
    def rank(self) -> tuple[object, ...]:
        """Return the key by which lines stand in order; interfaces of one rule go by number, not by spelling."""
        return (self.rule, natural(self.shown) if self.natural else ())


ROOT = Entry(-1, "")
#: A way down the tree: the shown text of each section.
Path = tuple[str, ...]


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Return a sort key in which 10 follows 9."""
    return tuple((1, int(part)) if part.isdigit() else (0, part) for part in _DIGITS.split(text) if part)


def find(tree: Entry, path: Path) -> Entry | None:
    """Return the section at the path, None where there is none."""
    for shown in path:
        child = next((entry for entry in tree.children if entry.shown == shown), None)
        if child is None:
            return None
        tree = child
    return tree


def edit(tree: Entry, path: Path, change: Callable[[Entry], Entry]) -> Entry:
    """Return the tree with the section at the path changed; the tree itself where the path does not exist."""
    if not path:
        return change(tree)
    return replace(
        tree,
        children=tuple(edit(entry, path[1:], change) if entry.shown == path[0] else entry for entry in tree.children),
    )


def put(section: Entry, new: Entry, replaces: Callable[[Entry], bool]) -> Entry:
    """Put a line into a section: in the place of those it replaces, whose children it keeps, else in its order."""
    old = [entry for entry in section.children if replaces(entry)]
    kept = tuple(entry for entry in section.children if not replaces(entry))
    if old:
        new = replace(new, children=old[0].children)
    later = (place for place, entry in enumerate(kept) if entry.rule > new.rule or (entry.rule == new.rule and _follows(entry, new)))
    at = next(later, len(kept))
    return replace(section, children=(*kept[:at], new, *kept[at:]))


def _follows(entry: Entry, new: Entry) -> bool:
    return new.natural and entry.rank > new.rank


def drop(section: Entry, goes: Callable[[Entry], bool]) -> Entry:
    """Return the section without the lines that go."""
    return replace(section, children=tuple(entry for entry in section.children if not goes(entry)))


def holds(entry: Entry, rule: int, values: Mapping[str, str]) -> bool:
    """Tell whether the line is of this rule and agrees in every value given."""
    return entry.rule == rule and all(entry.value(name) == value for name, value in values.items())


def walk(tree: Entry, depth: int = 0) -> Iterator[tuple[int, Entry]]:
    """Yield every line with its depth, in order."""
    for entry in tree.children:
        yield depth, entry
        yield from walk(entry, depth + 1)


def lines_of(tree: Entry) -> tuple[str, ...]:
    """Return the tree as indented lines, one blank a level."""
    return tuple(" " * depth + entry.shown for depth, entry in walk(tree))
