"""Availability after acceptance (DZ-2): how much of the agreed service time a line was up, against the objective. Pure.

The model is Zabbix's (SLI = up / (up + down) within the service schedule, planned maintenance cut out), with one difference: time
that nobody measured is counted for neither side, and the verdict holds whatever that time was, or is not proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Transition
from app.core.duties import AvailabilityDuty
from app.core.source import OURS, Source
from app.core.stretches import Spans, both, length, merged, without
from app.core.workdays import ONE_DAY, WorkCalendar, days_between

MICROSECOND = timedelta(microseconds=1)
FOUR_DECIMALS = Decimal("0.0001")
#: The duty counts every day; else working days alone.
EVERY_DAY = "every"


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
    `window`: how far back from the end is judged, None from the acceptance on. `least_coverage`: the share of the service time
    0..1 that has to be measured before anything passes, None where nothing more is asked than a verdict that holds.
    """

    slo_percent: Decimal = Decimal("99.9000")
    hours: tuple[tuple[int, int], ...] = ((0, 1440),)
    days: str = EVERY_DAY
    maintenance: tuple[Maintenance, ...] = ()
    source: Source = OURS
    window: timedelta | None = None
    least_coverage: Decimal | None = None

    def under(self, duty: AvailabilityDuty) -> ServicePolicy:
        """Return the policy with the objective, window and coverage of the order's own duty."""
        slo = (Decimal(str(duty.share)) * 100).quantize(FOUR_DECIMALS)
        coverage = Decimal(str(duty.coverage))
        return replace(self, slo_percent=slo, window=duty.window, least_coverage=coverage, source=duty.source)


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
    least_coverage: Decimal | None = None

    @property
    def sli_percent(self) -> Decimal | None:
        """Up as a share of up and down, to four decimals, cut and not rounded: what misses the objective never reads as met."""
        return _percent(self.up, self.up + self.down)

    @property
    def coverage_percent(self) -> Decimal | None:
        """How much of the counted time was measured, to four decimals, cut and not rounded."""
        return _percent(self.up + self.down, self._whole)

    @property
    def verdict(self) -> str:
        """Pass where even all unmeasured time as down would do, fail where even all of it as up would not, else not proven.

        A duty that names a coverage asks for more, never for less: with less of the time measured nothing passes, and where so
        much was measured, a measured share below the objective has failed.
        """
        if not self._whole:
            return NOT_PROVEN
        if not self._reaches(self.up + self.unmeasured, self._whole):
            return FAIL
        measured = self.up + self.down
        if self.least_coverage is not None:
            if Decimal(measured // MICROSECOND) < self.least_coverage * Decimal(self._whole // MICROSECOND):
                return NOT_PROVEN
            if not self._reaches(self.up, measured):
                return FAIL
        return PASS if self._reaches(self.up, self._whole) else NOT_PROVEN

    @property
    def budget_left(self) -> timedelta:
        """How much longer the line may be down in this stretch, its unmeasured time as up; negative once it has failed."""
        whole = self._whole // MICROSECOND
        allowed = int(whole * (100 - self.slo_percent) / 100)
        return allowed * MICROSECOND - self.down

    @property
    def _whole(self) -> timedelta:
        return self.up + self.down + self.unmeasured

    def _reaches(self, up: timedelta, whole: timedelta) -> bool:
        return Decimal(up // MICROSECOND) * 100 >= self.slo_percent * Decimal(whole // MICROSECOND)


def _percent(part: timedelta, whole: timedelta) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(part // MICROSECOND) * 100 / Decimal(whole // MICROSECOND)).quantize(FOUR_DECIMALS, ROUND_DOWN)


def judged_from(policy: ServicePolicy, accepted_at: datetime, until: datetime) -> datetime:
    """Return where the judged stretch begins: at the acceptance, or one window before its end where that is later."""
    return accepted_at if policy.window is None else max(accepted_at, until - policy.window)


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

    `transitions`: of this line, those of one moment as they were written; `looked`: when the poller was at work (`spans_looked_at`).
    """
    service = service_spans(policy, calendar, since, until, zone)
    planned = merged((each.starts_at, each.ends_at) for each in policy.maintenance if each.concerns(line_id))
    counted = without(service, planned)
    seen = both(counted, looked)
    states = state_spans([change for change in transitions if change.line_id == line_id], since, until)
    up, down = (length(both(seen, states.get(state, []))) for state in ("up", "down"))
    whole = length(counted)
    times = (up, down, whole - up - down, length(service) - whole)
    return ServiceLevel(line_id, since, until, policy.slo_percent, *times, policy.least_coverage)


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
