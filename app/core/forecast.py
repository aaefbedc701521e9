"""When the lines of a milestone will be accepted at the rate that was demonstrated, and whether its deadline holds. Pure.

Method: acceptances of the last working days are a Poisson count of unknown rate; the count ahead is negative binomial (`chances`).
Where they came in batches (their daily counts vary more than Poisson's do), they are counted in batches of that index of dispersion, which
widens the interval. Days without work count for neither side; today belongs to what is ahead.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from statistics import fmean, variance
from zoneinfo import ZoneInfo

from app.core.chances import chance_of_at_least
from app.core.order import ForecastRule
from app.core.terms import last_day_in_time
from app.core.workdays import ONE_DAY, WorkCalendar, count_working_days

#: What a forecast says: all is done; the deadline holds, may hold, does not hold, is over; too little was seen to say.
OUTLOOKS = ("done", "holds", "in_doubt", "breaks", "over", "not_enough_seen")
METHOD = (
    "Acceptances of the last working days before today are a Poisson count of unknown rate (Jeffreys' prior); the count ahead is negative "
    "binomial. Where acceptances came in batches, batches are counted. The interval is equal-tailed."
)
#: Nobody foretells further than so many working days (about four years).
HORIZON = 1000


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the demonstrated rate says of one group of lines.

    `seen` lines were accepted in `seen_days` working days; `wanted` more are needed within `days_left` working days, which is
    `needed_per_day` (None when no day is left). `chance` 0..1 that the deadline holds. The completion lies between `earliest_on` and
    `latest_on` with the rule's probability, `expected_on` being its median; None: not to be said, or beyond the horizon.
    """

    outlook: str
    wanted: int
    days_left: int
    needed_per_day: float | None
    seen: int
    seen_days: int
    per_day: float | None
    chance: float | None
    earliest_on: date | None
    expected_on: date | None
    latest_on: date | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What every forecast of one summary shares: the moment, the zone, the calendar, the rule. `begun_on`: the first day of the work."""

    now: datetime
    zone: ZoneInfo
    calendar: WorkCalendar
    rule: ForecastRule
    begun_on: date

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def window(self) -> list[date]:
        """Return the last working days before today, oldest first, none before the work began."""
        days: list[date] = []
        day = self.today - ONE_DAY
        while len(days) < self.rule.working_days and day >= self.begun_on:
            if self.calendar.is_working(day):
                days.append(day)
            day -= ONE_DAY
        return days[::-1]

    def ahead(self) -> list[date]:
        """Return the working days from today on, up to the horizon; fewer where the calendar has none."""
        days: list[date] = []
        day = self.today
        end = day + timedelta(days=3 * HORIZON)
        while len(days) < HORIZON and day < end:
            if self.calendar.is_working(day):
                days.append(day)
            day += ONE_DAY
        return days


@dataclass(frozen=True, slots=True)
class Foreteller:
    """An outlook with its working days looked up once for all groups."""

    outlook: Outlook
    window: Sequence[date]
    ahead: Sequence[date]

    def foretell(self, done_on: Iterable[date], wanted: int, due_at: datetime) -> Forecast:
        """Return the forecast of a group whose lines were accepted on the days `done_on` and that needs `wanted` more before `due_at`."""
        rule, zone, today = self.outlook.rule, self.outlook.zone, self.outlook.today
        left = max(0, count_working_days(self.outlook.calendar, today - ONE_DAY, last_day_in_time(due_at, zone)))
        counts = count_by_day(done_on, self.window, today)
        seen, days = sum(counts), len(counts)
        needed = wanted / left if left else None
        rate = seen / days if days else None
        over = self.outlook.now >= due_at
        if wanted <= 0:
            return Forecast("done", 0, left, None, seen, days, rate, 1.0, None, None, None)
        if seen < rule.least_accepted or days == 0:
            outlook = "over" if over else "not_enough_seen"
            return Forecast(outlook, wanted, left, needed, seen, days, rate, 0.0 if over else None, None, None, None)
        batch = dispersion(counts)
        batches, exposure = seen / batch, float(days)

        def chance(ahead: int) -> float:
            return chance_of_at_least(ceil(wanted / batch), seen=batches, exposure=exposure, ahead=ahead)

        tail = (1 - rule.level) / 2
        earliest, expected, latest = (self.day_of(first_reaching(chance, share)) for share in (tail, 0.5, 1 - tail))
        reached = 0.0 if over else chance(left)
        verdict = "over" if over else "holds" if reached >= 1 - tail else "breaks" if reached < tail else "in_doubt"
        return Forecast(verdict, wanted, left, needed, seen, days, rate, reached, earliest, expected, latest)

    def day_of(self, working_days: int | None) -> date | None:
        """Return the civil day on which so many working days, today being the first, are over."""
        if working_days is None or working_days > len(self.ahead):
            return None
        return self.ahead[working_days - 1]


def build_foreteller(outlook: Outlook) -> Foreteller:
    return Foreteller(outlook, outlook.window(), outlook.ahead())


def count_by_day(done_on: Iterable[date], window: Sequence[date], today: date) -> list[int]:
    """Return how many were done on each day of the window; what was done on a day off counts for the working day before it."""
    counts = [0] * len(window)
    for day in done_on:
        if window and window[0] <= day < today:
            counts[bisect_right(window, day) - 1] += 1
    return counts


def dispersion(counts: Sequence[int]) -> float:
    """Return the variance of daily counts over their mean, 1 or more: what one acceptance brings with it where they come in batches."""
    mean = fmean(counts)
    return max(1.0, variance(counts) / mean) if mean and len(counts) > 1 else 1.0


def first_reaching(chance: Callable[[int], float], share: float) -> int | None:
    """Return the fewest working days, one or more, whose chance is `share` or more; None beyond the horizon. `chance` never falls."""
    if chance(HORIZON) < share:
        return None
    low, high = 1, HORIZON
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= share else (middle + 1, high)
    return low
