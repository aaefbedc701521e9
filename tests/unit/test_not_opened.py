"""A line that was never opened is told apart from one that is down; a rollout that keeps no lives is shown as it is observed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.acceptance import FAIL, LINE_STATES, PASS, Acceptance, LineSample, LineStatus
from app.core.events import build_book
from app.core.life import LIFE_STATES, SINCE_OPENED, find_openings
from app.core.line_deadline import DeadlineGround, facts_of
from app.core.line_view import NOT_OPENED, LineView, shown_state, view_line
from app.web.dashboard.view import outages
from tests.samples.accepted_line import LINE, root_workspace
from tests.samples.rollout import UPLINK_OF_NANJIANG, build_summary, with_line

NOW = datetime(2008, 6, 1, tzinfo=UTC)


def view(state: str, opened: bool | None, verdict: str | None = None) -> LineView:
    workspace = root_workspace()
    status = LineStatus(LineSample(LINE, NOW, state, "port BZ-CORE01/eth1 is down", None, None, None), NOW - timedelta(days=3))
    decision = None if verdict is None else Acceptance(LINE, NOW, verdict, (), None, None, None)
    ground, facts = DeadlineGround(workspace.order, workspace.calendar, NOW), facts_of(status, decision)
    return view_line(workspace, workspace.inventory.lines[LINE], status, decision, ground, build_book(()), facts=facts, opened=opened)


@pytest.mark.parametrize("state", LINE_STATES)
def test_a_line_whose_life_nobody_keeps_is_shown_as_it_is_observed(state: str) -> None:
    assert view(state, None).state == state


@pytest.mark.parametrize("state", [state for state in LINE_STATES if state != "up"])
def test_a_line_that_was_never_opened_is_not_down_and_keeps_what_was_seen(state: str) -> None:
    shown = view(state, False)
    assert (shown.state, shown.opened, shown.reason) == (NOT_OPENED, False, "port BZ-CORE01/eth1 is down")


def test_a_line_that_carries_already_is_up_although_nobody_reported_it() -> None:
    assert view("up", False).state == "up"


def test_a_line_that_was_opened_goes_down() -> None:
    assert view("down", True).state == "down"


@pytest.mark.parametrize(("verdict", "state"), [(PASS, "down"), (FAIL, NOT_OPENED)])
def test_an_accepted_line_was_opened_whatever_the_records_lack(verdict: str, state: str) -> None:
    assert view("down", False, verdict).state == state


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(LIFE_STATES)), max_size=30), st.randoms())
def test_openings_do_not_depend_on_the_order_of_what_is_recorded(steps: list[tuple[str, str]], order: object) -> None:
    found = find_openings(steps)
    assert set(found) == {line_id for line_id, _ in steps}
    for line_id, opened in found.items():
        assert opened == any(one == line_id and state in SINCE_OPENED for one, state in steps)
    assert find_openings(reversed(steps)) == found


def test_openings_only_grow() -> None:
    for before, after in ((False, "opened"), (False, "trial"), (True, "building")):
        states = [("L", "applied"), *([("L", "opened")] if before else []), ("L", after)]
        assert find_openings(states) == {"L": True}
    assert find_openings([("L", "planned"), ("L", "closed")]) == {"L": False}
    assert shown_state("down", find_openings([]).get("L")) == "down"


def test_an_outage_behind_a_line_that_is_not_opened_is_still_listed() -> None:
    listed = outages(with_line(build_summary(), UPLINK_OF_NANJIANG, state=NOT_OPENED).lines)
    behind = [line for line in build_summary().lines if line.behind == UPLINK_OF_NANJIANG]
    assert {line.line_id for line in behind} <= {outage.line.line_id for outage in listed}
    assert UPLINK_OF_NANJIANG not in {outage.line.line_id for outage in listed}
