"""One second before, at and after a deadline in Asia/Shanghai; leap days; a poller that was blind over the deadline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from ipaddress import IPv4Network
from zoneinfo import ZoneInfo

import pytest

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Acceptance, CriterionResult, LineSample, PortSample
from app.core.clock import LineFact
from app.core.inventory import Inventory, Line, Region, Unit
from app.core.ipplan import Management, OspfProfile, Plan, Provenance
from app.core.judging import Observations, decide, judge
from app.core.life import decision_events, project_life
from app.core.milestone import Milestone
from app.core.order import Order
from app.core.progress import summarise
from app.core.scope import Scope
from app.core.service_class import Criterion, ServiceClass
from app.core.source import Source
from app.core.workspace import Workspace

SHANGHAI = ZoneInfo("Asia/Shanghai")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
GAP = 3 * MINUTE
CLAUSE = Source(clause="一(二)1")
MILESTONE = Milestone("lines", "线路", "Lines", date(2008, 6, 30), True, False, Scope(), 1.0, "whole", "accepted_line", None, CLAUSE)
DUE_AT = MILESTONE.due_at(SHANGHAI)
TRIAL = Criterion("trial", True, 0.99, window=24 * HOUR, restart_after=5 * MINUTE)
ADSL = ServiceClass("adsl_1m", "1兆", "1M", "adsl", 1000, 512, 1024, 512, ("township",), criteria=(Criterion("ports_up", True), TRIAL))
PASSED = (CriterionResult("ports_up", True, PASS, "", ""),)


def samples(since: datetime, until: datetime, *, state: str = "up") -> list[LineSample]:
    count = (until - since) // MINUTE
    up = state == "up"
    moments = [since + number * MINUTE for number in range(count + 1)]
    ports = [PortSample("agg", "e1", at, up, True, None, None, 0, 0, 64, 0, 0) for at in moments]
    return [LineSample("L-1", port.at, state, state, None, port, port) for port in ports]


def verdict(seen: list[LineSample], now: datetime) -> str:
    return decide("L-1", judge(ADSL, Observations(seen, {}, GAP, HOUR), now), MILESTONE, DUE_AT, now).verdict


def test_the_last_day_ends_with_midnight_in_beijing() -> None:
    assert datetime(2008, 6, 30, 16, 0, tzinfo=UTC) == DUE_AT


@pytest.mark.parametrize(
    ("offset", "on_time"), [(-SECOND, True), (timedelta(microseconds=-1), True), (timedelta(0), False), (SECOND, False)]
)
@pytest.mark.parametrize("zone", [UTC, SHANGHAI, timezone(-7 * HOUR)])
def test_a_line_is_in_time_strictly_before_the_deadline_on_every_clock(offset: timedelta, on_time: bool, zone: timezone) -> None:
    now = (DUE_AT + offset).astimezone(zone)
    assert decide("L-1", PASSED, MILESTONE, DUE_AT, now).on_time is on_time


@pytest.mark.parametrize(
    ("due_on", "inclusive", "first_too_late"),
    [
        (date(2008, 2, 29), True, "2008-02-29T16:00+00:00"),
        (date(2008, 2, 28), True, "2008-02-28T16:00+00:00"),
        (date(2009, 2, 28), True, "2009-02-28T16:00+00:00"),
        (date(2008, 3, 1), False, "2008-02-29T16:00+00:00"),
        (date(2008, 8, 1), False, "2008-07-31T16:00+00:00"),
        (date(2012, 12, 31), True, "2012-12-31T16:00+00:00"),
    ],
)
def test_leap_days_and_ends_of_years_are_civil_days(due_on: date, inclusive: bool, first_too_late: str) -> None:
    milestone = replace(MILESTONE, due_on=due_on, inclusive=inclusive)
    assert milestone.due_at(SHANGHAI) == datetime.fromisoformat(first_too_late)


@pytest.mark.parametrize("offset", [-SECOND, timedelta(0), SECOND])
def test_a_poller_outage_over_the_deadline_is_not_proven_and_not_late_and_failed(offset: timedelta) -> None:
    seen = samples(DUE_AT - 30 * HOUR, DUE_AT - 4 * HOUR)
    now = DUE_AT + offset
    results = judge(ADSL, Observations(seen, {}, GAP, HOUR), now)
    decision = decide("L-1", results, MILESTONE, DUE_AT, now)
    assert (decision.verdict, decision.on_time) == (NOT_PROVEN, None)
    assert FAIL not in {result.verdict for result in results}
    life = project_life("L-1", decision_events([decision]))
    assert life.state == "trial"


def test_after_an_outage_the_same_line_is_proven_by_a_new_window_and_not_by_the_old_one() -> None:
    before, back = samples(DUE_AT - 30 * HOUR, DUE_AT - 4 * HOUR), DUE_AT + 2 * HOUR
    assert verdict(before + samples(back, back + HOUR), back + HOUR) == NOT_PROVEN
    assert verdict(before + samples(back, back + 24 * HOUR), back + 24 * HOUR) == PASS


def test_a_line_seen_down_over_the_deadline_fails_where_the_poller_was_at_work() -> None:
    seen = samples(DUE_AT - 30 * HOUR, DUE_AT - 4 * HOUR) + samples(DUE_AT - 4 * HOUR + MINUTE, DUE_AT, state="down")
    assert verdict(seen, DUE_AT) == FAIL


@pytest.mark.parametrize(("outage", "expected"), [(5 * MINUTE, PASS), (5 * MINUTE + MINUTE, NOT_PROVEN)])
def test_an_outage_starts_the_trial_anew_only_where_it_is_longer_than_allowed(outage: timedelta, expected: str) -> None:
    down_at = DUE_AT - 2 * HOUR
    before, after = samples(DUE_AT - 30 * HOUR, down_at - MINUTE), samples(down_at + outage, DUE_AT)
    assert verdict(before + samples(down_at, down_at + outage - MINUTE, state="down") + after, DUE_AT) == expected


# What everybody is shown around the deadline: the line and its milestone, from the summary


COUNTED = replace(MILESTONE, scope=Scope(classes=("adsl_1m",)))


def shown(
    now: datetime, *told: tuple[datetime, str], milestone: Milestone = COUNTED, decisions: tuple[Acceptance, ...] = ()
) -> tuple[str, ...]:
    """Return the line's standing, its milestone's state and who holds its clock."""
    summary = summarise(
        one_line(milestone), {}, {each.line_id: each for each in decisions}, None, now, facts={"L-1": [LineFact(*fact) for fact in told]}
    )
    [line], [view] = summary.lines, summary.milestones
    return line.due, view.state, line.clock_holder or ""


def one_line(milestone: Milestone) -> Workspace:
    order = Order("1", "通知", "Notice", "市政府办", date(2008, 3, 26), SHANGHAI, {"adsl_1m": ADSL}, (milestone,), (), {}, (), {})
    unit = Unit("U-1", "乡", "T", "511921", "township", "township_government", False, "A", "文书")
    line = Line("L-1", "U-1", "adsl_1m", "adsl", "bridged_pvc", "telecom", None, "agg", "e1", "r1", "eth0")
    region = Region("511921", "县", "County", "county", None, "0.0.0.1")
    management = Management("noc", (), (), "netops", "poller")
    plan = Plan(IPv4Network("198.18.0.0/15"), (), Provenance("", "", None), False, OspfProfile(), management)
    return Workspace(order, Inventory({"511921": region}, {"U-1": unit}, {}, {"L-1": line}, {}), plan, (), {})


@pytest.mark.parametrize(
    ("due_on", "inclusive"),
    [
        (date(2008, 6, 30), True),
        (date(2008, 2, 29), True),
        (date(2008, 3, 1), False),
        (date(2009, 2, 28), True),
        (date(2008, 4, 30), True),
        (date(2008, 5, 31), True),
        (date(2008, 12, 31), True),
    ],
)
@pytest.mark.parametrize(("offset", "standing"), [(-SECOND, "at_risk"), (timedelta(0), "late"), (SECOND, "late")])
def test_a_line_that_is_not_there_is_late_from_the_first_second_on(
    due_on: date, inclusive: bool, offset: timedelta, standing: str
) -> None:
    milestone = replace(COUNTED, due_on=due_on, inclusive=inclusive)
    now = milestone.due_at(SHANGHAI) + offset
    assert shown(now, (now - 9 * HOUR, "down"), milestone=milestone) == (standing, standing, "carrier")


@pytest.mark.parametrize(
    ("offset", "standing", "state"),
    [(-SECOND, "accepted", "met"), (timedelta(0), "accepted_late", "met_late"), (SECOND, "accepted_late", "met_late")],
)
@pytest.mark.parametrize("due_on", [date(2008, 6, 30), date(2008, 2, 29), date(2009, 2, 28)])
def test_a_line_accepted_in_the_last_second_is_in_time_and_a_second_later_it_is_not(
    due_on: date, offset: timedelta, standing: str, state: str
) -> None:
    milestone = replace(COUNTED, due_on=due_on)
    at = milestone.due_at(SHANGHAI) + offset
    accepted = Acceptance("L-1", at, PASS, (), "lines", milestone.due_at(SHANGHAI), offset < timedelta(0))
    assert shown(at + 9 * HOUR, (at - 48 * HOUR, "up"), (at, PASS), milestone=milestone, decisions=(accepted,)) == (standing, state, "")


@pytest.mark.parametrize(("offset", "standing"), [(-SECOND, "at_risk"), (timedelta(0), "not_proven"), (SECOND, "not_proven")])
@pytest.mark.parametrize("word", ["up", "self_tested"])
def test_a_line_that_was_there_and_could_not_be_measured_is_not_proven_and_the_centres(
    word: str, offset: timedelta, standing: str
) -> None:
    assert shown(DUE_AT + offset, (DUE_AT - 48 * HOUR, word), (DUE_AT - 4 * HOUR, NOT_PROVEN)) == (standing, standing, "centre")


def test_what_a_poller_that_is_back_finds_decides() -> None:
    there, later = (DUE_AT - 48 * HOUR, "up"), DUE_AT + 30 * HOUR
    assert shown(later, there, (DUE_AT + 2 * HOUR, NOT_PROVEN)) == ("not_proven", "not_proven", "centre")
    assert shown(later, there, (DUE_AT + 2 * HOUR, FAIL)) == ("late", "late", "carrier")
    assert shown(later, there, (DUE_AT - HOUR, "down")) == ("late", "late", "carrier")
    passed = Acceptance("L-1", DUE_AT + 26 * HOUR, PASS, (), "lines", DUE_AT, False)
    assert shown(later, there, (passed.decided_at, PASS), decisions=(passed,)) == ("accepted_late", "met_late", "")


@pytest.mark.parametrize(("hours", "standing"), [(24 + 1 / 3600, "not_proven"), (24, "late"), (23, "late")])
def test_a_line_that_came_too_late_for_its_trial_is_late(hours: float, standing: str) -> None:
    assert shown(DUE_AT, (DUE_AT - hours * HOUR, "up")) == (standing, standing, "centre")
