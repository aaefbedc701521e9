"""Rates from counters: wraps, restarts, discontinuities and resets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.acceptance import PortSample
from app.core.counters import bit_rate, bit_rates, has_restarted

NOW = datetime(2008, 6, 30, tzinfo=UTC)
FIRST = PortSample(
    device="city",
    interface="eth1",
    at=NOW,
    oper_up=True,
    admin_up=True,
    speed_mbps=10,
    alias=None,
    in_octets=1000,
    out_octets=2000,
    counter_bits=64,
    in_errors=0,
    out_errors=0,
    uptime_ticks=100_000,
    discontinuity=0,
)


def later(seconds: float = 60, *, ticks: int | None = None, **changed: object) -> PortSample:
    """Return the sample `seconds` after FIRST with 60,000 octets more in and 6,000 more out."""
    uptime = 100_000 + int(seconds * 100) if ticks is None else ticks
    values = {"at": NOW + timedelta(seconds=seconds), "in_octets": 61_000, "out_octets": 8_000, "uptime_ticks": uptime}
    return replace(FIRST, **(values | changed))  # type: ignore[arg-type]  # names of fields


def test_rates_are_bits_per_second_of_the_time_that_passed() -> None:
    assert bit_rates(FIRST, later(60)) == (8000.0, 800.0)
    assert bit_rates(FIRST, later(30)) == (16000.0, 1600.0)


def test_the_first_sample_has_no_rate() -> None:
    assert bit_rates(None, FIRST) == (None, None)


@pytest.mark.parametrize("seconds", [0, -1])
def test_samples_of_one_moment_or_out_of_order_have_no_rate(seconds: float) -> None:
    assert bit_rates(FIRST, later(seconds)) == (None, None)


def test_a_changed_discontinuity_time_is_a_gap() -> None:
    assert bit_rates(FIRST, later(discontinuity=4711)) == (None, None)


def test_a_changed_width_of_the_counters_is_a_gap() -> None:
    assert bit_rates(FIRST, later(counter_bits=32)) == (None, None)


def test_an_unknown_counter_leaves_only_its_own_rate_unknown() -> None:
    assert bit_rates(FIRST, later(in_octets=None)) == (None, 800.0)
    assert bit_rates(replace(FIRST, out_octets=None), later()) == (8000.0, None)


def test_a_restart_is_a_gap_though_the_counters_grew() -> None:
    assert bit_rates(FIRST, later(ticks=50)) == (None, None)


@pytest.mark.parametrize(
    ("before", "after", "seconds", "restarted"),
    [
        (100_000, 106_000, 60, False),
        (100_000, 105_300, 60, False),  # 7 s behind: within the slack of 8 s
        (100_000, 105_100, 60, True),  # 9 s behind
        (100_000, 107_000, 60, False),  # an agent's clock that runs fast
        (100_000, 99_999, 60, True),
        (100, 5_000, 60, True),  # larger than before, and yet it restarted 50 s ago
        (2**32 - 3_000, 3_000, 60, False),  # 497 days: it wrapped
        (2**32 - 3_000, 1_000, 60, True),  # it would have wrapped to 3,000
        (2**31, 3_000, 60, True),
        (None, 100, 60, False),
        (100, None, 60, False),
        (100_000, 99_999, 0.1, True),
    ],
)
def test_a_restart_is_seen_by_sysuptime_lagging_behind_the_clock(
    before: int | None, after: int | None, seconds: float, restarted: bool
) -> None:
    moments = replace(FIRST, uptime_ticks=before), replace(later(seconds), uptime_ticks=after)
    assert has_restarted(*moments) is restarted


def test_a_64_bit_counter_that_went_back_was_reset() -> None:
    assert bit_rate(5000, 1000, 60, counter_bits=64, speed_mbps=10) is None
    assert bit_rate(5000, 1000, 60, counter_bits=64, speed_mbps=500) is None, "as a wrapped 32-bit counter it would be 572 Mbit/s"
    assert bit_rate(5000, 1000, 60, counter_bits=32, speed_mbps=500) is not None


def test_a_64_bit_counter_is_believed_at_any_interval_and_speed() -> None:
    assert bit_rate(0, 2**40, 86400, counter_bits=64, speed_mbps=10) == 2**43 / 86400


def test_a_32_bit_counter_that_wrapped_is_carried_over() -> None:
    octets = 600_000
    assert bit_rate(2**32 - 100_000, 500_000, 60, counter_bits=32, speed_mbps=10) == octets * 8 / 60


@pytest.mark.parametrize(("octets", "believed"), [(90_000_000, True), (90_000_008, False)])
def test_a_wrap_is_believed_up_to_one_fifth_above_the_ports_speed(octets: int, believed: bool) -> None:
    rate = bit_rate(2**32 - 10, octets - 10, 60, counter_bits=32, speed_mbps=10)
    assert (rate is not None) is believed


def test_a_32_bit_counter_that_went_back_at_an_unknown_speed_tells_nothing() -> None:
    assert bit_rate(2**32 - 10, 0, 60, counter_bits=32, speed_mbps=None) is None
    assert bit_rate(0, 600, 60, counter_bits=32, speed_mbps=None) == 80.0


@pytest.mark.parametrize(("seconds", "known"), [(3435, True), (3436, False)])
def test_a_32_bit_counter_that_could_have_gone_fully_round_tells_nothing(seconds: int, known: bool) -> None:
    """At 10 Mbit/s that takes 2^32 octets / 1.25 MB/s = 3436 s, 57 minutes."""
    assert (bit_rate(0, 1000, seconds, counter_bits=32, speed_mbps=10) is not None) is known


def test_a_counter_that_was_cleared_is_not_taken_for_a_wrap() -> None:
    assert bit_rate(1_000_000_000, 0, 60, counter_bits=32, speed_mbps=10) is None
