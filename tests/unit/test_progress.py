"""Totals by milestone, county and class; what is late, at risk, met."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Network
from zoneinfo import ZoneInfo

import pytest

from app.core.acceptance import FAIL, PASS, Acceptance
from app.core.cohorts import Member, reaches, wanted_of
from app.core.inventory import Inventory, Line, Region, Unit
from app.core.ipplan import Management, OspfProfile, Plan, Provenance
from app.core.line_deadline import days_left, lateness
from app.core.milestone import Milestone
from app.core.order import Order
from app.core.progress import Summary, summarise
from app.core.scope import Scope
from app.core.service_class import ServiceClass
from app.core.source import Source
from app.core.workspace import Workspace

SHANGHAI = ZoneInfo("Asia/Shanghai")
DUE_AT = datetime(2008, 6, 30, 16, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def milestone(name: str, *, share: float = 1.0, per: str = "whole", soft: bool = False, evidence: str = "accepted_line") -> Milestone:
    return Milestone(
        name, name, name, date(2008, 6, 30), True, soft, Scope(levels=("township",)), share, per, evidence, None, Source(clause="一(二)1")
    )


def workspace(*milestones: Milestone) -> Workspace:
    adsl = ServiceClass("adsl_1m", "1兆ADSL", "1M ADSL", "adsl", 1000, 512, 1024, 512, ("township",))
    classes = {"adsl_1m": adsl}
    order = Order("巴府办发[2008]13号", "通知", "Notice", "市政府办", date(2008, 3, 26), SHANGHAI, classes, milestones, (), {}, (), {})
    regions = {code: Region(code, code, code, "county", None, "0.0.0.1") for code in ("511921", "511922")}
    units, lines = {}, {}
    for code in regions:
        for number in range(4):
            key = f"{code}-{number}"
            units[key] = Unit(key, f"乡{number}", f"T{number}", code, "township", "township_government", False, "A", "文书")
            lines[key] = Line(key, key, "adsl_1m", "adsl", "bridged_pvc", "telecom", None, "agg", f"e{number}", key, "eth0")
    plan = Plan(
        IPv4Network("198.18.0.0/15"), (), Provenance("", "", None), False, OspfProfile(), Management("noc", (), (), "netops", "poller")
    )
    return Workspace(order, Inventory(regions, units, {}, lines, {}), plan, (), {})


def accepted(line_id: str, at: datetime, verdict: str = PASS) -> Acceptance:
    return Acceptance(line_id, at, verdict, (), "lines", DUE_AT, at < DUE_AT)


def at(now: datetime, *milestones: Milestone, done: dict[str, datetime] | None = None) -> Summary:
    decisions = {line_id: accepted(line_id, moment) for line_id, moment in (done or {}).items()}
    return summarise(workspace(*milestones), {}, decisions, None, now)


ALL = [f"{code}-{number}" for code in ("511921", "511922") for number in range(4)]
EARLY = DUE_AT - timedelta(days=20)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(timedelta(days=-8), "open"), (-WEEK, "at_risk"), (timedelta(seconds=-1), "at_risk"), (timedelta(0), "late")],
)
@pytest.mark.requirement("BZ-5")
def test_a_line_is_late_from_the_first_moment_after_its_last_day(offset: timedelta, expected: str) -> None:
    assert lateness(None, DUE_AT, DUE_AT + offset, WEEK) == expected


@pytest.mark.parametrize(("offset", "expected"), [(-1, "accepted"), (0, "accepted_late")])
def test_an_accepted_line_keeps_whether_it_was_in_time(offset: int, expected: str) -> None:
    decision = accepted("x", DUE_AT + timedelta(seconds=offset))
    assert lateness(decision, DUE_AT, DUE_AT + WEEK, WEEK) == expected


def test_a_failed_decision_does_not_count_as_done() -> None:
    decisions = {"511921-0": accepted("511921-0", EARLY, FAIL)}
    summary = summarise(workspace(milestone("lines")), {}, decisions, None, EARLY)
    assert (summary.milestones[0].done, summary.lines[0].due, summary.lines[0].verdict) == (0, "open", FAIL)


def test_cells_count_each_county_and_class_apart() -> None:
    summary = at(EARLY, milestone("lines"), done={"511921-0": EARLY, "511922-1": EARLY, "511922-2": EARLY})
    cells = [(cell.region, cell.class_id, cell.done, cell.total) for cell in summary.milestones[0].cells]
    assert cells == [("511921", "adsl_1m", 1, 4), ("511922", "adsl_1m", 2, 4)]


@pytest.mark.parametrize(
    ("now", "done", "expected"),
    [
        (EARLY, {}, "open"),
        (DUE_AT - WEEK, {}, "at_risk"),
        (DUE_AT, {}, "late"),
        (DUE_AT + WEEK, dict.fromkeys(ALL, EARLY), "met"),
        (DUE_AT + WEEK, {**dict.fromkeys(ALL, EARLY), ALL[0]: DUE_AT}, "met_late"),
    ],
)
def test_a_milestone_is_met_by_lines_accepted_in_time_only(now: datetime, done: dict[str, datetime], expected: str) -> None:
    assert at(now, milestone("lines"), done=done).milestones[0].state == expected


def test_a_share_per_county_wants_every_county() -> None:
    lopsided = dict.fromkeys(ALL[:4], EARLY)
    whole, counties = at(EARLY, milestone("a", share=0.5), milestone("b", share=0.5, per="county"), done=lopsided).milestones
    assert (whole.state, counties.state) == ("met", "open")


def test_a_soft_date_is_never_late() -> None:
    assert at(DUE_AT + WEEK, milestone("soft", soft=True)).milestones[0].state == "open"


def test_what_lines_do_not_show_is_not_measured() -> None:
    summary = at(EARLY, milestone("fees", evidence="unit_event"))
    assert (summary.milestones[0].state, summary.milestones[0].total, summary.lines[0].due) == ("not_measured", 0, "no_deadline")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2008, 6, 29, 15, 59, tzinfo=UTC), 1),
        (datetime(2008, 6, 29, 16, 0, tzinfo=UTC), 0),
        (datetime(2008, 6, 30, 16, 0, tzinfo=UTC), -1),
    ],
)
def test_days_are_civil_days_of_the_orders_zone(now: datetime, expected: int) -> None:
    assert days_left(DUE_AT, now, SHANGHAI) == expected


@pytest.mark.requirement("DZ-1")
@pytest.mark.parametrize(
    ("total", "share", "wanted"), [(3, 0.5, 2), (4, 0.5, 2), (7, 0.5, 4), (20, 0.55, 11), (100, 0.07, 7), (1, 0.01, 1), (9, 1.0, 9)]
)
def test_a_share_is_reached_by_whole_ones_rounded_up_and_not_by_rounding_errors(total: int, share: float, wanted: int) -> None:
    assert wanted_of(total, share) == wanted
    lines = [Member(str(number), "r", "c", EARLY if number < wanted else None) for number in range(total)]
    asked = milestone("lines", share=share)
    assert reaches(lines, asked)
    assert not reaches([replace(lines[0], done_at=None), *lines[1:]], asked)


def test_a_line_is_bound_by_the_earliest_hard_deadline_that_wants_every_line() -> None:
    later, first = milestone("later"), replace(milestone("first"), due_on=date(2008, 5, 31))
    share, soft = (replace(each, due_on=date(2008, 4, 30)) for each in (milestone("share", share=0.5), milestone("soft", soft=True)))
    order = workspace(later, share, first, soft).order
    assert order.line_milestone("adsl_1m", "township", "township_government") == first
    assert order.line_milestone("adsl_1m", "county", "department") is None


def test_only_hard_deadlines_of_lines_are_foretold() -> None:
    summary = at(EARLY, milestone("hard"), milestone("soft", soft=True), milestone("units", evidence="unit_event"))
    assert {each.milestone_id for each in summary.jeopardy} == {"hard"}
