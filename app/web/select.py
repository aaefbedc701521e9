"""Choose, order and count lines of a summary: the same selection for the API and the page's lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from app.core.line_deadline import LINE_DUES
from app.core.line_view import SHOWN_STATES, LineView

SORT_KEYS = tuple(field.name for field in fields(LineView) if not field.name.startswith("open_"))


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Lines that match every given part; an empty part matches all. `text` is looked for in ids, names, circuits and devices."""

    regions: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    dues: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    text: str = ""

    def holds(self, line: LineView) -> bool:
        """Tell whether this line is chosen."""
        return (
            _is_in(line.region, self.regions)
            and _is_in(line.class_id, self.classes)
            and _is_in(line.state, self.states)
            and _is_in(line.due, self.dues)
            and _is_in(line.carrier, self.carriers)
            and _contains(line, self.text)
        )


def choose(lines: Iterable[LineView], wanted: LineFilter) -> list[LineView]:
    """Return the lines that the filter holds, in their own order."""
    return [line for line in lines if wanted.holds(line)]


def order_by(lines: Sequence[LineView], key: str, *, descending: bool) -> list[LineView]:
    """Return lines by one of `SORT_KEYS`, ties by line id; what is not known comes last either way."""
    known = [line for line in lines if getattr(line, key) is not None]
    unknown = [line for line in lines if getattr(line, key) is None]
    known.sort(key=lambda line: line.line_id)
    known.sort(key=lambda line: getattr(line, key), reverse=descending)
    return known + sorted(unknown, key=lambda line: line.line_id)


def count_dues(lines: Iterable[LineView]) -> dict[str, int]:
    """Return the number of lines for each of `LINE_DUES`, zeros included."""
    counts = Counter(line.due for line in lines)
    return {due: counts[due] for due in LINE_DUES}


def count_states(lines: Iterable[LineView]) -> dict[str, int]:
    """Return the number of lines for each of `SHOWN_STATES`, zeros included."""
    counts = Counter(line.state for line in lines)
    return {state: counts[state] for state in SHOWN_STATES}


def _is_in(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value in wanted


def _contains(line: LineView, text: str) -> bool:
    words = text.casefold().split()
    if not words:
        return True
    haystack = "\n".join(
        (
            line.line_id,
            line.unit_id,
            line.unit_name,
            line.unit_name_en,
            line.region_name,
            line.region_name_en,
            line.circuit_id or "",
            line.a_device,
            line.z_device,
        )
    ).casefold()
    return all(word in haystack for word in words)
