"""What was known at a moment, of the order itself and of its changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.acceptance import Measurement, Transition
from app.core.known import Kept, known_at, learnt_later, order_known_at, states_of
from app.core.milestone import Milestone
from app.core.order import Order
from app.core.terms import DeadlineChange, PartTerms
from tests.samples.orders import BAZHONG, read

ZONE = ZoneInfo("Asia/Shanghai")
SECOND = timedelta(seconds=1)


def change(changed_on: date, was: date, becomes: date) -> DeadlineChange:
    terms = PartTerms(due_on=was), PartTerms(due_on=becomes)
    return DeadlineChange(f"C-{becomes}", changed_on, *terms, "市政府办公室", "会议纪要", "线路改道")


def twice_moved() -> Order:
    order = read(BAZHONG).order
    first, last = date(2008, 6, 30), date(2008, 7, 31)
    changes = (change(date(2008, 6, 10), first, date(2008, 7, 15)), change(date(2008, 7, 10), date(2008, 7, 15), last))
    moved = tuple(replace(each, due_on=last, changes=changes) if each.milestone_id == "lines" else each for each in order.milestones)
    return replace(order, milestones=moved)


def lines_milestone(order: Order) -> Milestone:
    return next(each for each in order.milestones if each.milestone_id == "lines")


def test_a_deadline_stands_as_it_stood_then_and_a_change_holds_from_its_own_day() -> None:
    order = twice_moved()
    moments = (
        datetime(2008, 6, 9, 23, 59, 59, tzinfo=ZONE),
        datetime(2008, 6, 10, tzinfo=ZONE),
        datetime(2008, 7, 10, tzinfo=ZONE) - SECOND,
        datetime(2008, 7, 10, tzinfo=ZONE),
    )
    seen = [lines_milestone(order_known_at(order, moment)) for moment in moments]
    assert [each.due_on for each in seen] == [date(2008, 6, 30), date(2008, 7, 15), date(2008, 7, 15), date(2008, 7, 31)]
    assert [len(each.changes) for each in seen] == [0, 1, 1, 2]
    assert lines_milestone(order_known_at(order, moments[-1])) == lines_milestone(order)
    assert {each.term_history()[0].due_on for each in seen} == {date(2008, 6, 30)}


def test_milestones_that_never_moved_are_left_as_they_are() -> None:
    order = read(BAZHONG).order
    assert order_known_at(order, datetime(2008, 4, 1, tzinfo=ZONE)) == order


def test_the_moment_itself_is_known_and_a_second_later_is_learnt_later() -> None:
    at = datetime(2008, 6, 30, 12, tzinfo=ZONE)
    rows = [Transition("L-1", at - SECOND, recorded, "unknown", "up", "") for recorded in (at, at + SECOND)]
    kept = Kept(transitions=rows)
    assert known_at(kept, at).transitions == (rows[0],)
    assert [each.recorded_at for each in learnt_later(kept, at)] == [at + SECOND]
    assert learnt_later(kept, at - 2 * SECOND) == ()


def test_an_instruments_result_is_known_from_the_day_it_came_in() -> None:
    at = datetime(2008, 6, 20, 12, tzinfo=ZONE)
    live = Measurement("L-1", "rate_down", at, 1900.0, "kbps", "iperf3")
    brought = replace(live, detail={"recorded_at": (at + 5 * SECOND).isoformat()})
    kept = Kept(measurements=[live, brought])
    assert (live.recorded_at, brought.recorded_at) == (at, at + 5 * SECOND)
    assert known_at(kept, at).measurements == (live,)
    assert [(each.kind, each.word) for each in learnt_later(kept, at)] == [("measurement", "rate_down")]


def test_the_state_of_a_line_is_that_of_its_last_change_as_written() -> None:
    at = datetime(2008, 6, 20, 12, tzinfo=ZONE)
    changes = [Transition("L-1", at, at, "unknown", "up", "both"), Transition("L-1", at + SECOND, at + SECOND, "up", "down", "port")]
    [(line_id, status)] = states_of(changes).items()
    assert (line_id, status.sample.state, status.sample.reason, status.since) == ("L-1", "down", "port", at + SECOND)
