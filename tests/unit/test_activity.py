"""How long a session may go unused: whichever process is asked, and however rarely the ledger is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.web.activity import KEPT, LONGEST_STEP, Activity

NOW = datetime(2008, 6, 1, 8, tzinfo=UTC)
IDLE, LIFE = timedelta(minutes=30), timedelta(hours=12)
SECOND = timedelta(seconds=1)


@dataclass
class Kept:
    """A ledger in memory."""

    seen: dict[str, datetime] = field(default_factory=dict)
    writes: int = 0

    def write_session_seen(self, number: str, at: datetime, forget_before: datetime) -> None:
        self.writes += 1
        self.seen = {each: when for each, when in self.seen.items() if when >= forget_before} | {number: at}

    def session_seen(self, number: str) -> datetime | None:
        return self.seen.get(number)


@dataclass
class Ticks:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def test_a_session_is_over_at_the_very_moment_and_not_before() -> None:
    ticks = Ticks()
    activity = Activity(Kept(), ticks, IDLE, LIFE)
    ticks.now = NOW + IDLE - SECOND
    assert activity.left("s", NOW) == SECOND
    ticks.now = NOW + IDLE
    assert activity.left("s", NOW) == timedelta(0)


def test_a_use_begins_the_time_anew_for_that_session_alone() -> None:
    ticks = Ticks()
    activity = Activity(Kept(), ticks, IDLE, LIFE)
    ticks.now = NOW + 20 * LONGEST_STEP
    activity.note("s")
    ticks.now = NOW + IDLE
    assert activity.left("s", NOW) == timedelta(minutes=20)
    assert activity.left("other", NOW) == timedelta(0)


def test_another_process_and_the_next_one_see_a_use_at_most_a_step_late() -> None:
    ticks, kept = Ticks(), Kept()
    first, second = Activity(kept, ticks, IDLE, LIFE), Activity(kept, ticks, IDLE, LIFE)
    for _ in range(90):
        ticks.now += SECOND * 50
        first.note("s")
    left = second.left("s", NOW)
    assert left is not None
    assert IDLE - LONGEST_STEP < left <= IDLE
    assert kept.writes <= 90 * 50 / 60 + 1


def test_without_a_bound_nothing_ends_and_nothing_is_written() -> None:
    kept = Kept()
    activity = Activity(kept, Ticks(NOW + 9 * LIFE), None, LIFE)
    activity.note("s")
    assert (activity.left("s", NOW), kept.writes) == (None, 0)


def test_what_is_held_in_memory_is_bounded_and_what_was_forgotten_is_asked_for() -> None:
    ticks, kept = Ticks(), Kept()
    activity = Activity(kept, ticks, IDLE, LIFE)
    for number in range(KEPT + 1):
        activity.note(f"s{number}")
        kept.seen.clear()  # a ledger of so many makes the test slow
    assert len(activity._uses) == KEPT
    kept.seen["s0"] = NOW + 20 * LONGEST_STEP
    ticks.now = NOW + IDLE
    assert activity.left("s0", NOW) == timedelta(minutes=20)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2400)), max_size=60))
def test_no_session_outlives_its_idleness_and_none_that_is_used_ends(moves: list[tuple[bool, int]]) -> None:
    """Against the rule said plainly: over where the last use, or the sign-in, lies `idle` or longer back."""
    ticks, last = Ticks(), NOW
    activity = Activity(Kept(), ticks, IDLE, LIFE)
    for is_use, seconds in moves:
        ticks.now += seconds * SECOND
        left = activity.left("s", NOW)
        assert left is not None
        assert (left <= timedelta(0)) is (ticks.now - last >= IDLE)
        if left <= timedelta(0):
            return
        if is_use:
            activity.note("s")
            last = ticks.now
