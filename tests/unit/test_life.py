"""The life of a line: what may follow what, facts that skip steps, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Acceptance, CriterionResult
from app.core.confirmation import Confirmation
from app.core.life import (
    ALLOWED,
    DECISION,
    DERIVED,
    LIFE_STATES,
    WORKSHEET,
    LifeEvent,
    confirmation_events,
    decision_events,
    find_life_faults,
    project_life,
    worksheet_events,
)
from app.core.line_event import LineEvent

START = datetime(2008, 4, 1, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = START + 300 * DAY
WHOLE = ("applied", "approved", "building", "opened", "self_tested", "trial")


def event(state: str, day: int, *, source: str = "hand", recorded: int | None = None) -> LifeEvent:
    at = START + (day if recorded is None else recorded) * DAY
    return LifeEvent("L-1", state, START + day * DAY, at, "经办", "单据", source)


def entered(*states: str) -> list[LifeEvent]:
    return [event(state, day) for day, state in enumerate(states, start=1)]


def decision(verdict: str, day: int, began: int | None = None) -> Acceptance:
    evidence = {"began_at": (START + began * DAY).isoformat()} if began is not None else {"began_at": None}
    result = CriterionResult("trial", True, verdict, "", "", evidence)
    return Acceptance("L-1", START + day * DAY, verdict, (result,), None, None, None)


def test_a_line_without_events_is_planned() -> None:
    life = project_life("L-1", [])
    assert (life.state, life.since, life.next_states) == ("planned", None, ("applied", "closed"))


def test_the_whole_way_leads_from_planned_to_closed() -> None:
    confirmed = Confirmation("L-1", "centre", "confirmed", START + 20 * DAY, START + 20 * DAY, "中心", "确认单")
    facts = [*decision_events([decision(PASS, 10, began=6)]), *confirmation_events([confirmed])]
    life = project_life("L-1", [*entered(*WHOLE), *facts, event("closed", 30)])
    assert [step.after for step in life.steps if step.standing == "moved"] == [*WHOLE, "accepted", "in_service", "closed"]
    assert life.next_states == ()


def test_a_rejected_line_is_tested_again_and_accepted() -> None:
    facts = decision_events([decision(FAIL, 10, began=6), decision(FAIL, 11, began=6), decision(PASS, 15, began=12)])
    life = project_life("L-1", [*entered(*WHOLE), *facts])
    assert life.state == "accepted"
    assert [(step.event.state, step.standing) for step in life.steps[6:]] == [
        ("trial", "repeated"),  # what the clerk entered, told once more by the decision
        ("rejected", "moved"),
        ("rejected", "repeated"),
        ("trial", "moved"),
        ("accepted", "moved"),
    ]


def test_not_proven_moves_nothing_but_tells_when_the_trial_began() -> None:
    assert [each.state for each in decision_events([decision(NOT_PROVEN, 5, began=2)])] == ["trial"]
    assert decision_events([decision(NOT_PROVEN, 5)]) == []


def test_a_fact_names_the_steps_that_nobody_recorded() -> None:
    life = project_life("L-1", [*entered("applied"), *decision_events([decision(PASS, 9)])])
    assert life.state == "accepted"
    assert life.steps[-1].unrecorded == ("approved", "building", "opened", "self_tested", "trial")


def test_a_worksheet_that_opens_a_line_again_moves_nothing() -> None:
    life = project_life("L-1", [*entered(*WHOLE), event("opened", 20, source=WORKSHEET)])
    assert (life.state, life.steps[-1].standing) == ("trial", "does_not_follow")


def test_a_report_that_arrives_late_takes_its_place_in_time() -> None:
    late = event("opened", 4, source=WORKSHEET, recorded=50)
    life = project_life("L-1", [*entered("applied", "approved", "building"), *decision_events([decision(PASS, 9)]), late])
    assert [step.event.state for step in life.steps] == ["applied", "approved", "building", "opened", "accepted"]
    assert life.steps[-1].unrecorded == ("self_tested", "trial")


def test_as_of_leaves_out_what_was_learnt_later() -> None:
    late = event("opened", 4, source=WORKSHEET, recorded=50)
    events = [*entered("applied", "approved", "building"), late]
    assert project_life("L-1", events, as_of=START + 49 * DAY).state == "building"
    assert project_life("L-1", events, as_of=START + 50 * DAY).state == "opened"


def test_events_of_other_lines_are_left_out() -> None:
    assert project_life("L-2", entered("applied")).state == "planned"


@pytest.mark.parametrize("before", LIFE_STATES)
@pytest.mark.parametrize("after", LIFE_STATES)
def test_an_entry_is_taken_where_the_table_allows_it_and_nowhere_else(before: str, after: str) -> None:
    way = (*WHOLE, "rejected") if before == "rejected" else (*WHOLE, "accepted", "in_service", "closed")
    passed = way[: way.index(before) + 1] if before in way else ()
    events = [replace(each, source=DECISION) for each in entered(*passed)]
    assert project_life("L-1", events).state == before
    taken = find_life_faults(event(after, 20), events, LATER) == []
    assert taken is (after in ALLOWED[before] and after not in DERIVED)


def test_an_entry_that_would_break_a_later_step_is_refused() -> None:
    faults = find_life_faults(event("planned", 1), [event("applied", 0), event("approved", 2)], LATER)
    assert [fault.what for fault in faults] == ["planned contradicts what is recorded"]


@given(st.lists(st.tuples(st.sampled_from(LIFE_STATES), st.integers(0, 40), st.sampled_from(["hand", DECISION])), max_size=12))
def test_the_order_of_recording_changes_nothing_and_only_allowed_steps_move(rows: list[tuple[str, int, str]]) -> None:
    events = [event(state, day, source=source) for state, day, source in rows]
    life = project_life("L-1", events)
    assert project_life("L-1", events[::-1]).state == life.state
    state = "planned"
    for step in life.steps:
        assert step.before == state
        assert step.standing != "moved" or step.after in ALLOWED[state]
        assert step.standing in ("moved", "skipped") or step.after == state
        state = step.after
    assert state == life.state


def test_refusals_say_what_where_expected_and_found_and_the_next_step(golden: Callable[[str, str], None]) -> None:
    closed = [event("closed", 1)]
    cases = [
        (event("building", 1), []),
        (event("applied", 3), entered("applied")),
        (event("accepted", 3), entered(*WHOLE)),
        (event("applied", 3), closed),
        (event("applied", 400), []),
        (event("planned", 1), [event("applied", 0), event("approved", 2)]),
    ]
    told = [str(fault) for entry, events in cases for fault in find_life_faults(entry, events, LATER)]
    golden("life/refusals.txt", "".join(f"{line}\n" for line in told))


def test_the_last_worksheet_on_a_line_says_when_it_was_opened() -> None:
    reports = [
        LineEvent("L-1", "opened", START + 5 * DAY, START + 6 * DAY, "carrier:telecom", "回单1", "2008-04-06"),
        LineEvent("L-1", "carrier_contact", START, START + 6 * DAY, "carrier:telecom", "回单1", "客户经理"),
        LineEvent("L-1", "opened", START + 4 * DAY, START + 8 * DAY, "carrier:telecom", "回单2", "2008-04-05"),
    ]
    [opened] = worksheet_events(reports)
    assert (opened.state, opened.observed_at, opened.evidence, opened.source) == ("opened", START + 4 * DAY, "回单2", "worksheet")


def test_what_is_known_to_the_day_only_goes_in_the_order_of_the_states() -> None:
    events = [event("opened", 3, source=WORKSHEET, recorded=4), event("building", 3, recorded=9), *entered("applied", "approved")]
    assert project_life("L-1", events).state == "opened"
