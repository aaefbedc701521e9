"""Availability after acceptance: how much of the agreed service time a line was up, against the objective. Pure.

The model is Zabbix's (SLI = up / (up + down) within the service schedule, planned maintenance cut out), with one difference: time
that nobody measured is counted for neither side, and the verdict holds whatever that time was, or is not proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Transition
from app.core.order import Source
from app.core.workdays import ONE_DAY, WorkCalendar, days_between

#: Half-open stretches of time, ascending, none touching another.
Spans = list[tuple[datetime, datetime]]
MICROSECOND = timedelta(microseconds=1)
FOUR_DECIMALS = Decimal("0.0001")
EVERY_DAY, WORKING_DAYS = "every", "working"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A planned stretch that counts for nothing, on lines whose ids match one of `lines` (globs), announced by `document`."""

    starts_at: datetime
    ends_at: datetime
    lines: tuple[str, ...]
    document: str

    def concerns(self, line_id: str) -> bool:
        return any(fnmatchcase(line_id, pattern) for pattern in self.lines)


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """What is agreed: the objective in percent to four decimals, and when it counts.

    `hours` are minutes from civil midnight (0 to 1440), half-open, ascending; `days` is `every` or `working`.
    """

    slo_percent: Decimal = Decimal("99.9000")
    hours: tuple[tuple[int, int], ...] = ((0, 1440),)
    days: str = EVERY_DAY
    maintenance: tuple[Maintenance, ...] = ()
    source: Source = field(default_factory=lambda: Source(default=True))


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What a line gave between two moments. `excluded` is maintenance within the service time; the others add up to the rest."""

    line_id: str
    since: datetime
    until: datetime
    slo_percent: Decimal
    up: timedelta
    down: timedelta
    unmeasured: timedelta
    excluded: timedelta

    @property
    def sli_percent(self) -> Decimal | None:
        """Up as a share of up and down, to four decimals, cut and not rounded: what misses the objective never reads as met."""
        measured = self.up + self.down
        if not measured:
            return None
        return (Decimal(self.up // MICROSECOND) * 100 / Decimal(measured // MICROSECOND)).quantize(FOUR_DECIMALS, ROUND_DOWN)

    @property
    def verdict(self) -> str:
        """Pass where even all unmeasured time as down would do, fail where even all of it as up would not, else not proven."""
        whole = self.up + self.down + self.unmeasured
        if not whole:
            return NOT_PROVEN
        if self._reaches(self.up, whole):
            return PASS
        return NOT_PROVEN if self._reaches(self.up + self.unmeasured, whole) else FAIL

    @property
    def budget_left(self) -> timedelta:
        """How much longer the line may be down in this stretch, its unmeasured time as up; negative once it has failed."""
        whole = (self.up + self.down + self.unmeasured) // MICROSECOND
        allowed = int(whole * (100 - self.slo_percent) / 100)
        return allowed * MICROSECOND - self.down

    def _reaches(self, up: timedelta, whole: timedelta) -> bool:
        return Decimal(up // MICROSECOND) * 100 >= self.slo_percent * Decimal(whole // MICROSECOND)


def observe_service(
    line_id: str,
    policy: ServicePolicy,
    calendar: WorkCalendar,
    transitions: Iterable[Transition],
    looked: Spans,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
) -> ServiceLevel:
    """Return the service level of a line from `since` to `until`.

    `transitions`: of this line, those before `since` too, those of one moment as they were written;
    `looked`: when the poller was at work (`spans_looked_at`).
    """
    service = service_spans(policy, calendar, since, until, zone)
    planned = merged((each.starts_at, each.ends_at) for each in policy.maintenance if each.concerns(line_id))
    counted = without(service, planned)
    seen = both(counted, looked)
    states = state_spans([change for change in transitions if change.line_id == line_id], since, until)
    up, down = (length(both(seen, states.get(state, []))) for state in ("up", "down"))
    whole = length(counted)
    return ServiceLevel(line_id, since, until, policy.slo_percent, up, down, whole - up - down, length(service) - whole)


def service_spans(policy: ServicePolicy, calendar: WorkCalendar, since: datetime, until: datetime, zone: ZoneInfo) -> Spans:
    """Return the service time between two moments, in the civil time of `zone`."""
    spans = [
        (_moment(day, start, zone), _moment(day, end, zone))
        for day in days_between(since.astimezone(zone).date(), until.astimezone(zone).date())
        if policy.days == EVERY_DAY or calendar.is_working(day)
        for start, end in policy.hours
    ]
    return both(merged(spans), [(since, until)])


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    if minute == 1440:
        return datetime.combine(day + ONE_DAY, time.min, tzinfo=zone)
    return datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)


def state_spans(transitions: Sequence[Transition], since: datetime, until: datetime) -> dict[str, Spans]:
    """Return when one line was in which state; before its first transition nothing is known."""
    changes = sorted(transitions, key=lambda change: change.observed_at)
    spans: dict[str, Spans] = {}
    ends = [*(later.observed_at for later in changes[1:]), until][: len(changes)]
    for change, end in zip(changes, ends, strict=True):
        start, end = max(change.observed_at, since), min(end, until)
        if start < end:
            spans.setdefault(change.after, []).append((start, end))
    return {state: merged(found) for state, found in spans.items()}


def spans_looked_at(finished: Iterable[datetime], longest_gap: timedelta) -> Spans:
    """Return when the poller was at work: each cycle speaks for at most `longest_gap` after its end."""
    return merged((at, at + longest_gap) for at in finished)


# Arithmetic on stretches of time


def merged(spans: Iterable[tuple[datetime, datetime]]) -> Spans:
    """Return the stretches ascending, those that touch made one, empty ones dropped."""
    result: Spans = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def both(one: Spans, other: Spans) -> Spans:
    """Return what lies in both."""
    result, left, right = [], 0, 0
    while left < len(one) and right < len(other):
        start, end = max(one[left][0], other[right][0]), min(one[left][1], other[right][1])
        if start < end:
            result.append((start, end))
        if one[left][1] <= other[right][1]:
            left += 1
        else:
            right += 1
    return result


def without(one: Spans, other: Spans) -> Spans:
    """Return what lies in the first and not in the second."""
    result: Spans = []
    for start, end in one:
        cursor = start
        for gone_start, gone_end in other:
            if gone_end <= cursor or gone_start >= end:
                continue
            if gone_start > cursor:
                result.append((cursor, gone_start))
            cursor = gone_end
        if cursor < end:
            result.append((cursor, end))
    return result


def length(spans: Spans) -> timedelta:
    return sum((end - start for start, end in spans), timedelta(0))
