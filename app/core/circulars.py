"""Circulars and inspections that come back, and the units that a circular has to name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from app.core.acceptance import FAIL
from app.core.duties import Rhythm
from app.core.line_view import LineView
from app.core.progress import Summary

MONTHS = 12


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A unit that a circular names: why (late, or off standard by a failed judgement), whose delay it is, how many days."""

    unit_id: str
    name: str
    name_en: str
    region: str
    line_id: str
    cause: str
    clock_holder: str | None
    days_late: int


def due_days(rhythm: Rhythm, issued_on: date, until: date) -> Iterator[date]:
    """Yield the last days of the rhythm's periods after the order was issued, up to `until`; nothing for an irregular one.

    Periods are whole calendar months of the year (every three: the quarters), the one of the issue being the first.
    """
    if rhythm.every_months is None:
        return
    months = issued_on.year * MONTHS + issued_on.month - 1
    end = (months // rhythm.every_months + 1) * rhythm.every_months
    while (day := date(end // MONTHS, end % MONTHS + 1, 1) - timedelta(days=1)) <= until:
        yield day
        end += rhythm.every_months


def next_due(rhythm: Rhythm, issued_on: date, today: date) -> date | None:
    """Return the first day of the rhythm from today on, None for an irregular one."""
    if rhythm.every_months is None:
        return None
    horizon = max(today, issued_on) + timedelta(days=31 * rhythm.every_months + 31)
    return next((day for day in due_days(rhythm, issued_on, horizon) if day >= today), None)


def units_to_name(summary: Summary) -> tuple[NamedUnit, ...]:
    """Return the units whose line is late, or failed its judgement, the longest overdue first (BL-5: 不按期、不按标准)."""
    named = [_named(line) for line in summary.lines if line.role == "primary" and (line.due == "late" or line.verdict == FAIL)]
    return tuple(sorted(named, key=lambda each: (-each.days_late, each.line_id)))


def _named(line: LineView) -> NamedUnit:
    late = line.due == "late"
    days = -line.days_left if late and line.days_left is not None else 0
    cause = "late" if late else "off_standard"
    return NamedUnit(
        line.unit_id, line.unit_name, line.unit_name_en, line.region_name, line.line_id, cause, line.clock_holder, max(days, 0)
    )
