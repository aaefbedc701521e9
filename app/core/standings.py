"""How far counties, classes and carriers are, who is over the day and by how many days: counted from one summary. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from zoneinfo import ZoneInfo

from app.core.acceptance import FAIL
from app.core.line_view import LineView
from app.core.progress import Summary
from app.core.terms import last_day_in_time
from app.core.workdays import WorkCalendar, count_working_days


@dataclass(frozen=True, slots=True)
class Standing:
    """The primary lines of one county, class or carrier. `done` are accepted, `done_late` of them after their day.

    `late` are over their day and not accepted; `not_proven` too, but nothing known says that they were not ready. `failed` failed
    their last judgement, whatever their day. `days_early`: median civil days from acceptance to the last day in time, negative for
    late; None while nothing with a deadline is accepted.
    """

    key: str
    name: str
    name_en: str
    total: int
    done: int
    done_late: int
    late: int
    not_proven: int
    at_risk: int
    failed: int
    days_early: float | None

    @property
    def share(self) -> float:
        """Return the done share, 0..1."""
        return self.done / self.total


@dataclass(frozen=True, slots=True)
class Overdue:
    """A line over its day: civil and working days since its last day in time."""

    line: LineView
    last_day: date
    days: int
    working_days: int


def primary_lines(summary: Summary) -> tuple[LineView, ...]:
    """Return the lines that milestones count."""
    return tuple(line for line in summary.lines if line.role == "primary")


def by_region(lines: Iterable[LineView], zone: ZoneInfo) -> tuple[Standing, ...]:
    return _standings(lines, zone, lambda line: (line.region, line.region_name, line.region_name_en))


def by_class(lines: Iterable[LineView], zone: ZoneInfo) -> tuple[Standing, ...]:
    return _standings(lines, zone, lambda line: (line.class_id, line.class_words, line.class_words_en))


def by_carrier(lines: Iterable[LineView], zone: ZoneInfo) -> tuple[Standing, ...]:
    return _standings(lines, zone, lambda line: (line.carrier, line.carrier_name, line.carrier_name_en))


def whole(lines: Sequence[LineView], zone: ZoneInfo) -> Standing | None:
    """Return all lines together, None where there are none."""
    return next(iter(_standings(lines, zone, lambda line: ("", "", ""))), None)


def _standings(lines: Iterable[LineView], zone: ZoneInfo, group: Callable[[LineView], tuple[str, str, str]]) -> tuple[Standing, ...]:
    """Count per group, in the order in which the groups first come."""
    groups: dict[tuple[str, str, str], list[LineView]] = {}
    for line in lines:
        groups.setdefault(group(line), []).append(line)
    return tuple(_standing(*key, members, zone) for key, members in groups.items())


def _standing(key: str, name: str, name_en: str, lines: Sequence[LineView], zone: ZoneInfo) -> Standing:
    early = [days for line in lines if (days := days_early(line, zone)) is not None]
    return Standing(
        key=key,
        name=name,
        name_en=name_en,
        total=len(lines),
        done=sum(line.done_at is not None for line in lines),
        done_late=sum(line.due == "accepted_late" for line in lines),
        late=sum(line.due == "late" for line in lines),
        not_proven=sum(line.due == "not_proven" for line in lines),
        at_risk=sum(line.due == "at_risk" for line in lines),
        failed=sum(is_off_standard(line) for line in lines),
        days_early=float(median(early)) if early else None,
    )


def is_off_standard(line: LineView) -> bool:
    """Tell whether the line failed its last judgement."""
    return line.verdict == FAIL


def days_early(line: LineView, zone: ZoneInfo) -> int | None:
    """Return civil days from a line's acceptance to its last day in time, negative for late; None without either."""
    if line.done_at is None or line.due_at is None:
        return None
    return (last_day_in_time(line.due_at, zone) - line.done_at.astimezone(zone).date()).days


def overdue(summary: Summary, calendar: WorkCalendar, zone: ZoneInfo) -> tuple[Overdue, ...]:
    """Return the lines over their day, the longest first."""
    today = summary.as_of.astimezone(zone).date()
    found = []
    for line in primary_lines(summary):
        if line.due == "late" and line.due_at is not None:
            last = last_day_in_time(line.due_at, zone)
            found.append(Overdue(line, last, (today - last).days, count_working_days(calendar, last, today)))
    return tuple(sorted(found, key=lambda each: (-each.days, each.line.line_id)))
