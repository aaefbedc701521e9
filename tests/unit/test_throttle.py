"""Failed sign-ins are bounded by pair, by address and by account, and forgotten when their window is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.web.throttle import ACCOUNT_LIMIT, ADDRESS_LIMIT, KEPT, PAIR_LIMIT, WINDOW_S, Throttle


class Ticks:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_the_fifth_failure_closes_the_door_for_its_window() -> None:
    ticks = Ticks()
    throttle = Throttle(ticks)
    for _ in range(PAIR_LIMIT):
        assert throttle.wait_s("office", "127.0.0.1") == 0
        throttle.note_failure("office", "127.0.0.1")
    assert throttle.wait_s("office", "127.0.0.1") == WINDOW_S
    assert throttle.wait_s("office", "127.0.0.2") == 0
    assert throttle.wait_s("duty", "127.0.0.1") == 0
    ticks.at += WINDOW_S
    assert throttle.wait_s("office", "127.0.0.1") == 0


def test_many_names_from_one_address_and_one_name_from_many_addresses_are_bounded_too() -> None:
    throttle = Throttle(Ticks())
    for number in range(ADDRESS_LIMIT):
        throttle.note_failure(f"name-{number}", "127.0.0.9")
    assert throttle.wait_s("somebody", "127.0.0.9") > 0
    for number in range(ACCOUNT_LIMIT):
        throttle.note_failure("office", f"127.0.1.{number}")
    assert throttle.wait_s("office", "127.0.2.1") > 0


def test_a_success_forgives_the_pair_and_no_more() -> None:
    throttle = Throttle(Ticks())
    for _ in range(PAIR_LIMIT - 1):
        throttle.note_failure("office", "127.0.0.1")
    throttle.note_success("office", "127.0.0.1")
    for _ in range(PAIR_LIMIT - 1):
        throttle.note_failure("office", "127.0.0.1")
    assert throttle.wait_s("office", "127.0.0.1") == 0


def test_what_is_kept_is_bounded() -> None:
    throttle = Throttle(Ticks())
    for number in range(KEPT):
        throttle.note_failure(f"n{number}", f"127.{number % 250}.{number // 250}.1")
    assert len(throttle._failures) <= KEPT


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]), st.floats(0, WINDOW_S / 2)), max_size=80))
def test_no_pair_ever_has_more_than_its_share_in_a_window(attempts: list[tuple[str, str, float]]) -> None:
    ticks = Ticks()
    throttle, heard = Throttle(ticks), dict[tuple[str, str], list[float]]()
    for account, address, pause in attempts:
        ticks.at += pause
        if throttle.wait_s(account, address) == 0:
            throttle.note_failure(account, address)
            heard.setdefault((account, address), []).append(ticks.at)
    for moments in heard.values():
        assert all(later - earlier >= WINDOW_S for earlier, later in zip(moments, moments[PAIR_LIMIT:], strict=False))
