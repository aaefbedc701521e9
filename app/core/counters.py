"""Bit rates from cumulative octet counters (IF-MIB, RFC 2863). Pure; time comes with the samples."""

from __future__ import annotations

from app.core.acceptance import PortSample

#: sysUpTime (TimeTicks) and 32-bit counters return to zero here.
WRAP_32 = 1 << 32
#: A wrapped counter may tell at most this share of the port's speed; ifHighSpeed rounds and shapers burst.
PLAUSIBLE_SHARE = 1.2
#: How far a device's clock may lag ours before that counts as a restart: seconds, and a share of the time passed.
CLOCK_SLACK_S = 5.0
CLOCK_SLACK_SHARE = 0.05


def bit_rates(previous: PortSample | None, current: PortSample) -> tuple[float | None, float | None]:
    """Return bit/s received and sent between two samples of one port, None in each place where that is not known.

    A first sample, a restart, a discontinuity or a change of the counters' width is a gap, never traffic.
    """
    if previous is None or is_gap(previous, current):
        return None, None
    seconds = (current.at - previous.at).total_seconds()
    bits, speed = current.counter_bits, current.speed_mbps
    return (
        bit_rate(previous.in_octets, current.in_octets, seconds, counter_bits=bits, speed_mbps=speed),
        bit_rate(previous.out_octets, current.out_octets, seconds, counter_bits=bits, speed_mbps=speed),
    )


def is_gap(previous: PortSample, current: PortSample) -> bool:
    """Tell whether the counters of two samples cannot be compared."""
    return (
        previous.counter_bits != current.counter_bits
        or previous.discontinuity != current.discontinuity
        or current.at <= previous.at
        or has_restarted(previous, current)
    )


def has_restarted(previous: PortSample, current: PortSample) -> bool:
    """Tell whether the agent began anew in between: its sysUpTime (1/100 s) lags behind the time that passed.

    A later sample may show a larger sysUpTime and still come after a restart, so growth alone proves nothing.
    sysUpTime itself wraps after 497 days; that is no restart. Without sysUpTime nothing is known and False is answered.
    """
    before, after = previous.uptime_ticks, current.uptime_ticks
    if before is None or after is None:
        return False
    seconds = (current.at - previous.at).total_seconds()
    expected = before + seconds * 100
    slack = 100 * (CLOCK_SLACK_S + CLOCK_SLACK_SHARE * seconds)
    if after >= expected - slack and after >= before:
        return False
    wrapped = after + WRAP_32
    return not expected - slack <= wrapped <= expected + slack


def bit_rate(previous: int | None, current: int | None, seconds: float, *, counter_bits: int, speed_mbps: int | None) -> float | None:
    """Return bit/s from two octet counts `seconds` apart, None where they do not tell it.

    A 64-bit counter that went back was reset. A 32-bit one may have wrapped: that is believed only where the port's
    speed is known, allows the rate, and could not have wrapped it twice (57 min at 10 Mbit/s for each time round).
    """
    if previous is None or current is None or seconds <= 0:
        return None
    if current >= previous:
        octets = current - previous
        return None if counter_bits == 32 and _could_wrap(seconds, speed_mbps) else octets * 8 / seconds
    if counter_bits != 32 or not speed_mbps or _could_wrap(seconds, speed_mbps):
        return None
    rate = (current - previous + WRAP_32) * 8 / seconds
    return rate if rate <= speed_mbps * 1e6 * PLAUSIBLE_SHARE else None


def _could_wrap(seconds: float, speed_mbps: int | None) -> bool:
    """Tell whether a 32-bit counter can go once fully round in this time at the port's speed."""
    return speed_mbps is not None and speed_mbps * 1e6 / 8 * seconds >= WRAP_32
