"""Working days of the Chinese calendar: weekends, holidays of the State Council's yearly notice, make-up days (调休上班). Pure.

A year whose notice is not in the calendar is counted by its weekends alone, and every answer that rests on such a year names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.core.source import OURS, Source

ONE_DAY = timedelta(days=1)
SATURDAY = 5
#: No window of an office is longer; a search that goes on is a calendar without working days.
LONGEST_SEARCH = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class YearNotice:
    """One year's notice: its days off by their holiday's name, the weekend days that are worked, and where both come from.

    A notice may reach a few days into the year before (2007-12-29 was worked for 元旦 of 2008).
    """

    year: int
    holidays: Mapping[date, str]
    make_up: frozenset[date]
    source: Source


@dataclass(frozen=True, slots=True)
class ConfirmationWindows:
    """How many working days unit and carrier have from the acceptance, and the centre from the later of those two."""

    parties_days: int = 3
    centre_days: int = 2
    source: Source = OURS


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When units work on a working day: spans in minutes of the civil day. Lines are not loaded then unless somebody says so."""

    hours: tuple[tuple[int, int], ...] = ((8 * 60 + 30, 12 * 60), (14 * 60 + 30, 18 * 60))
    source: Source = OURS

    def __str__(self) -> str:
        return ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in self.hours)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The years whose notices are known."""

    years: Mapping[int, YearNotice] = field(default_factory=dict)
    windows: ConfirmationWindows = field(default_factory=ConfirmationWindows)
    office: OfficeHours = field(default_factory=OfficeHours)

    def office_ends_at(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the office span that `at` lies in ends, None outside office hours; a span holds its first moment, not its last."""
        civil = at.astimezone(zone)
        minute = civil.hour * 60 + civil.minute
        end = next((last for first, last in self.office.hours if first <= minute < last), None)
        if end is None or not self.is_working(civil.date()):
            return None
        return datetime.combine(civil.date(), time.min, tzinfo=zone) + timedelta(minutes=end)

    def holiday(self, day: date) -> str | None:
        """Return the name of the holiday that makes this a day off, None on other days."""
        return next((name for notice in self._notices(day) if (name := notice.holidays.get(day)) is not None), None)

    def is_made_up(self, day: date) -> bool:
        """Tell whether this weekend day is worked in exchange for a day off."""
        return any(day in notice.make_up for notice in self._notices(day))

    def is_working(self, day: date) -> bool:
        if self.is_made_up(day):
            return True
        return day.weekday() < SATURDAY and self.holiday(day) is None

    def is_known(self, day: date) -> bool:
        return day.year in self.years

    def _notices(self, day: date) -> Iterator[YearNotice]:
        """Yield the notices that may speak of the day: its own year's, and the next one's around the turn of the year."""
        for year in (day.year, day.year + 1):
            if (notice := self.years.get(year)) is not None:
                yield notice


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@dataclass(frozen=True, slots=True)
class Window:
    """A span of whole working days: its last day, the first moment that is too late, the years counted by weekends alone."""

    last_day: date
    due_at: datetime
    assumed_years: tuple[int, ...]


def build_notice(year: int, spans: Iterable[tuple[str, date, date]], make_up: Iterable[date], source: Source) -> YearNotice:
    """Return a year's notice from spans (name, first day, last day), both inclusive."""
    holidays = {day: name for name, first, last in spans for day in days_between(first, last)}
    return YearNotice(year, holidays, frozenset(make_up), source)


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from `first` to `last`, both inclusive."""
    for number in range((last - first).days + 1):
        yield first + number * ONE_DAY


def working_days_after(calendar: WorkCalendar, since: datetime, days: int, zone: ZoneInfo) -> Window:
    """Return the window of `days` working days that begins with the first working day after the civil day of `since`.

    The day of the event itself does not count; the window ends with the civil midnight after its last day, in `zone`.

    Raises:
        ValueError: fewer than one day is asked, or the calendar has no such day within three years.
    """
    if days < 1:
        raise ValueError(f"a window of {days} working days")
    first = day = since.astimezone(zone).date()
    left, passed = days, set[int]()
    while left:
        day += ONE_DAY
        if day - first > LONGEST_SEARCH:
            raise ValueError(f"the calendar has no {days} working days after {first}")
        if not calendar.is_known(day):
            passed.add(day.year)
        left -= calendar.is_working(day)
    return Window(day, datetime.combine(day + ONE_DAY, time.min, tzinfo=zone), tuple(sorted(passed)))


def count_working_days(calendar: WorkCalendar, after: date, until: date) -> int:
    """Return the working days later than `after` and up to `until`, negative where `until` comes first."""
    if until < after:
        return -count_working_days(calendar, until, after)
    return sum(calendar.is_working(day) for day in days_between(after + ONE_DAY, until))


def find_notice_faults(notice: YearNotice, spans: Iterable[tuple[str, date, date]]) -> Iterator[tuple[str, str, str]]:
    """Yield (what, expected, found) for everything in a notice that no notice can say."""
    within = f"days of {notice.year}, or the last days of the year before"
    for name, first, last in spans:
        if last < first:
            yield f"holiday {name} ends before it begins", f"a last day from {first} on", str(last)
        elif (last - first).days > 15:
            yield f"holiday {name} is longer than any", "at most 16 days", f"{first} to {last}"
        elif not all(_belongs(day, notice.year) for day in (first, last)):
            yield f"holiday {name} lies outside {notice.year}", within, f"{first} to {last}"
    for day in sorted(notice.make_up):
        if day.weekday() < SATURDAY:
            yield f"make-up day {day} is no weekend day", "a Saturday or Sunday", f"{day:%A}"
        if day in notice.holidays:
            yield f"{day} is a day off and a make-up day", "one of them", f"{notice.holidays[day]} and make_up"
        if not _belongs(day, notice.year):
            yield f"make-up day {day} lies outside {notice.year}", within, str(day)


def _belongs(day: date, year: int) -> bool:
    return day.year == year or (day.year == year - 1 and day.month == 12)
