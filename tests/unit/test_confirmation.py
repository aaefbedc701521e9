"""Who confirms an accepted line, until when, and what a word may not say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.acceptance import NOT_PROVEN, PASS, Acceptance
from app.core.confirmation import Confirmation, ConfirmationStanding, find_confirmation_faults, stand
from app.core.source import Source
from app.core.workdays import ConfirmationWindows, WorkCalendar, build_notice

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Thursday 26 June 2008, 17:30 in Beijing; the parties' window of three working days ends with Tuesday 1 July.
ACCEPTED_AT = datetime(2008, 6, 26, 9, 30, tzinfo=UTC)
DUE_AT = datetime(2008, 7, 1, 16, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CALENDAR = WorkCalendar({2008: build_notice(2008, [], [], Source(clause="通知"))}, ConfirmationWindows())


def decided(verdict: str = PASS) -> Acceptance:
    return Acceptance("L-1", ACCEPTED_AT, verdict, (), None, None, None)


def word(party: str, at: datetime, decision: str = "confirmed", recorded: datetime | None = None, reason: str = "") -> Confirmation:
    return Confirmation("L-1", party, decision, at, recorded or at, "公文交换员", "函1", reason)


def at(now: datetime, *words: Confirmation, accepted: Acceptance | None = None) -> ConfirmationStanding:
    return stand("L-1", accepted or decided(), words, CALENDAR, SHANGHAI, now)


def test_a_line_that_is_not_accepted_awaits_nobody() -> None:
    standing = at(ACCEPTED_AT, accepted=decided(NOT_PROVEN))
    assert (standing.state, standing.awaited, standing.requested_at) == ("not_accepted", (), None)


def test_unit_and_carrier_are_awaited_first_and_the_centre_not_yet() -> None:
    standing = at(ACCEPTED_AT)
    assert (standing.state, standing.awaited, standing.of("centre").standing) == ("awaited", ("unit", "carrier"), "not_yet")


@pytest.mark.parametrize(("offset", "state"), [(-SECOND, "awaited"), (timedelta(0), "overdue"), (SECOND, "overdue")])
def test_a_window_is_over_at_the_midnight_that_ends_its_last_working_day(offset: timedelta, state: str) -> None:
    standing = at(DUE_AT + offset)
    assert standing.state == state
    assert standing.overdue == (("unit", "carrier") if state == "overdue" else ())


@pytest.mark.parametrize(("offset", "expected"), [(-SECOND, "confirmed"), (timedelta(0), "confirmed_late"), (SECOND, "confirmed_late")])
def test_a_word_counts_by_the_moment_at_which_it_was_given(offset: timedelta, expected: str) -> None:
    given = word("unit", DUE_AT + offset, recorded=DUE_AT + timedelta(days=3))
    assert at(DUE_AT + timedelta(days=4), given).of("unit").standing == expected


def test_the_turn_of_the_centre_comes_with_the_later_of_the_two() -> None:
    first, second = word("unit", ACCEPTED_AT + SECOND), word("carrier", DUE_AT - SECOND)
    window = at(DUE_AT, first, second).of("centre").window
    assert window is not None
    assert window.due_at == datetime(2008, 7, 3, 16, 0, tzinfo=UTC)  # two working days after Tuesday 1 July


def test_all_three_words_confirm_the_line() -> None:
    words = [word("unit", ACCEPTED_AT), word("carrier", ACCEPTED_AT), word("centre", ACCEPTED_AT + SECOND)]
    assert at(DUE_AT, *words).state == "confirmed"
    assert at(DUE_AT, *words[:2]).awaited == ("centre",)


def test_a_word_of_the_centre_before_its_turn_does_not_count() -> None:
    words = [word("unit", ACCEPTED_AT), word("centre", ACCEPTED_AT + SECOND), word("carrier", ACCEPTED_AT + 2 * SECOND)]
    assert at(ACCEPTED_AT + 3 * SECOND, *words).awaited == ("centre",)


def test_whoever_refused_may_confirm_later() -> None:
    refused = word("unit", ACCEPTED_AT, "refused", reason="预留接口未标注")
    assert at(DUE_AT - SECOND, refused).state == "refused"
    assert at(DUE_AT - SECOND, refused, word("unit", ACCEPTED_AT + SECOND)).state == "awaited"


def test_what_was_recorded_later_was_not_known_before() -> None:
    given = word("unit", ACCEPTED_AT, recorded=DUE_AT)
    assert at(DUE_AT - SECOND, given).of("unit").standing == "awaited"
    assert at(DUE_AT, given).of("unit").standing == "confirmed"


def test_silence_never_confirms() -> None:
    assert at(ACCEPTED_AT + timedelta(days=365)).state == "overdue"


def test_refusals_of_words_are_told_in_four_parts(golden: Callable[[str, str], None]) -> None:
    both = (word("unit", ACCEPTED_AT), word("carrier", ACCEPTED_AT + timedelta(hours=1)))
    not_yet = stand("L-1", None, (), CALENDAR, SHANGHAI, ACCEPTED_AT)
    cases = [
        (word("unit", ACCEPTED_AT), not_yet),
        (word("unit", DUE_AT + SECOND), at(DUE_AT)),
        (word("unit", ACCEPTED_AT - SECOND), at(DUE_AT)),
        (word("unit", ACCEPTED_AT, "refused"), at(DUE_AT)),
        (word("centre", ACCEPTED_AT), at(DUE_AT)),
        (word("centre", ACCEPTED_AT), at(DUE_AT, *both)),
        (word("unit", ACCEPTED_AT), at(DUE_AT, *both)),
    ]
    told = [str(fault) for given, before in cases for fault in find_confirmation_faults(given, before, DUE_AT)]
    golden("life/confirmation_refusals.txt", "".join(f"{line}\n" for line in told))
