"""Whose clock ran, and when nothing known says that a line was not ready."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.acceptance import FAIL, NOT_PROVEN, PASS
from app.core.clock import BUILDING, FACT_KINDS, SEEN_DOWN, SEEN_UP, TESTED, LineFact, account, can_have_been_ready
from app.core.duties import Gate
from app.core.readiness import GateState
from app.core.scope import Scope
from app.core.service_class import Criterion
from app.core.source import Source

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2008, 6, 1, tzinfo=UTC)
NOW = START + 20 * DAY
DUE_AT = START + 15 * DAY
TRIAL = Criterion("trial", True, 0.9, window=72 * HOUR, restart_after=2 * HOUR)
SWITCH = Gate("switch", "BL-1", "", "", Scope(), "unit", "unit", "connection", True, "switch_ready", Source(default=True))
COMPUTER = Gate("computer", "BZ-7", "", "", Scope(), "unit", "unit", "acceptance", False, "computer_ready", Source(default=True))


def facts(*told: tuple[float, str]) -> list[LineFact]:
    """Return facts from (day, kind)."""
    return [LineFact(START + day * DAY, kind) for day, kind in told]


def held(told: list[LineFact], *gates: GateState, now: datetime = NOW) -> dict[str, float]:
    return {holder: spent / DAY for holder, spent in account(told, gates, TRIAL, START, now).held.items()}


def ready(told: list[LineFact], *gates: GateState, now: datetime = NOW) -> bool:
    return can_have_been_ready(told, gates, TRIAL, DUE_AT, now)


# Whose clock


def test_each_holds_the_clock_in_turn() -> None:
    told = facts((0.1, SEEN_DOWN), (5, SEEN_UP), (9, FAIL), (11, TESTED), (14, PASS))
    gates = GateState(SWITCH, START + 2 * DAY, True), GateState(COMPUTER, START + 6 * DAY, True)
    # unit until its switch, carrier until the line, unit until its computer, centre, carrier again, centre until the verdict
    assert held(told, *gates) == {"unit": 2 + 1, "carrier": 3 + 2, "centre": 3 + 3}


def test_an_accepted_line_is_nobodys_and_an_open_one_says_since_when_it_is_held() -> None:
    done = account(facts((5, SEEN_UP), (9, PASS)), (), TRIAL, START, NOW)
    assert (done.holder, done.since, done.delivered_at) == (None, None, START + 5 * DAY)
    still = account(facts((5, SEEN_UP)), (), TRIAL, START, NOW)
    assert (still.holder, still.since) == ("centre", START + 5 * DAY)


def test_a_clock_held_since_before_its_start_is_held_since_its_start_in_the_zone_that_it_was_given_in() -> None:
    start = START.astimezone(ZoneInfo("Asia/Shanghai"))
    told = account(facts((-3, SEEN_UP)), (), TRIAL, start, NOW)
    assert (told.holder, told.since) == ("centre", START)
    assert told.since is not None
    assert told.since.utcoffset() == 8 * HOUR
    assert told.held == {"centre": NOW - START}


def test_looks_that_saw_nothing_are_no_facts_so_that_our_blindness_charges_nobody() -> None:
    assert held(facts((0, SEEN_DOWN), (5, SEEN_UP))) == {"carrier": 5, "centre": 15}


@pytest.mark.parametrize(
    ("told", "carrier"),
    [
        (((0, SEEN_DOWN), (4, TESTED)), 4),  # nobody looked since: the carrier's own word holds
        (((0, SEEN_DOWN), (4, TESTED), (5, SEEN_DOWN)), 4 + 15),  # it was looked at, and is not there
        # up while it is built anew is no word of its carrier
        (((2, SEEN_UP), (4, BUILDING), (6, SEEN_UP), (8, NOT_PROVEN), (9, TESTED)), 2 + 5),
        (((2, SEEN_UP), (4, FAIL), (6, NOT_PROVEN)), 2 + 2),  # judged again, and nothing failed
        (((2, SEEN_UP), (4, FAIL), (5, SEEN_DOWN), (6, NOT_PROVEN), (7, SEEN_UP)), 2 + 3),
        (((2, SEEN_UP), (4, FAIL), (5, SEEN_DOWN), (6, SEEN_UP), (7, NOT_PROVEN)), 2 + 3),
    ],
)
def test_a_line_is_its_carriers_until_it_is_there(told: tuple[tuple[float, str], ...], carrier: float) -> None:
    assert held(facts(*told)) == {"carrier": carrier, "centre": 20 - carrier}


def test_what_is_not_known_yet_changes_nothing() -> None:
    assert held(facts((5, SEEN_UP), (30, FAIL)), now=START + 10 * DAY) == {"carrier": 5, "centre": 5}
    assert account([], (), TRIAL, START + DAY, START).held == {}


@given(
    told=st.lists(st.tuples(st.integers(0, 480), st.sampled_from(FACT_KINDS)), max_size=12),
    met=st.one_of(st.none(), st.integers(0, 480)),
    now=st.integers(1, 500),
)
def test_all_time_up_to_the_acceptance_is_held_by_somebody(told: list[tuple[int, str]], met: int | None, now: int) -> None:
    known = sorted((LineFact(START + hour * HOUR, kind) for hour, kind in told), key=lambda fact: fact.at)
    gate = GateState(COMPUTER, None if met is None else START + met * HOUR, True)
    found = account(known, [gate], TRIAL, START, START + now * HOUR)
    accepted = next((fact.at for fact in known if fact.kind == PASS and fact.at <= START + now * HOUR), None)
    assert sum(found.held.values(), timedelta(0)) == (accepted or START + now * HOUR) - START
    assert (found.holder is None) == (accepted is not None)


# Late, or not proven


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), False),  # never seen, nothing reported: not there as far as anybody knows
        (((5, SEEN_UP),), True),
        (((5, TESTED),), True),
        (((12.1, SEEN_UP),), False),  # its trial could not end in time
        (((12, SEEN_UP),), False),  # the trial ends with the deadline itself, which is too late
        (((12 - 1 / 86400, SEEN_UP),), True),
        (((5, SEEN_UP), (14, SEEN_DOWN)), False),  # seen down over the deadline
        (((5, SEEN_UP), (14, SEEN_DOWN), (14.2, SEEN_UP)), False),  # a break that starts the trial anew
        (((5, SEEN_UP), (14, SEEN_DOWN), (14 + 2 / 24, SEEN_UP)), True),  # as long as allowed
        (((5, SEEN_UP), *[(13 + n / 4, kind) for n in range(4) for kind in (SEEN_DOWN,)], (13.05, SEEN_UP)), False),
        (((5, SEEN_UP), (15, SEEN_DOWN)), True),  # the deadline's own moment is after it
        (((5, SEEN_UP), (16, SEEN_DOWN), (19, SEEN_UP)), True),  # what happens later says nothing of the deadline
        (((5, SEEN_UP), (9, FAIL)), False),
        (((5, SEEN_UP), (9, FAIL), (11, TESTED)), True),
        (((5, SEEN_UP), (9, FAIL), (13, TESTED)), False),
        (((5, SEEN_UP), (17, FAIL)), False),  # found wanting once it could be measured
        (((5, SEEN_UP), (17, FAIL), (18, NOT_PROVEN)), True),
        (((5, SEEN_UP), (9, NOT_PROVEN), (17, BUILDING)), False),
        (((5, SEEN_UP), (25, FAIL)), True),  # not known yet
    ],
)
def test_a_line_is_not_proven_only_where_nothing_known_speaks_against_it(told: tuple[tuple[float, str], ...], expected: bool) -> None:
    assert ready(sorted(facts(*told), key=lambda fact: fact.at)) is expected


def test_breaks_that_fail_the_trial_make_a_line_late_though_none_restarts_it() -> None:
    def broken(times: int) -> list[LineFact]:
        return facts((5, SEEN_UP), *[(13 + n / 4 + m / 12, kind) for n in range(times) for m, kind in ((0, SEEN_DOWN), (1, SEEN_UP))])

    assert [ready(broken(times)) for times in (1, 3, 4)] == [True, True, False]  # 7.2 of 72 hours are allowed, each break has two


def test_a_gate_that_the_order_requires_and_nobody_met_makes_a_line_late() -> None:
    told = facts((5, SEEN_UP))
    assert [ready(told, GateState(SWITCH, met, True)) for met in (DUE_AT - HOUR, DUE_AT, None)] == [True, False, False]
    assert ready(told, GateState(COMPUTER, None, True))


def test_a_class_without_a_trial_only_has_to_be_there() -> None:
    assert can_have_been_ready(facts((14.99, SEEN_UP)), (), None, DUE_AT, NOW)
    assert not can_have_been_ready(facts((15, SEEN_UP)), (), None, DUE_AT, NOW)
