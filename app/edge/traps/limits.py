"""How much of what comes is looked at."""

from __future__ import annotations

from dataclasses import dataclass

#: So many senders are remembered; one more, and all are forgotten.
SENDERS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """What is looked at: octets of one datagram, datagrams per second of one sender and of all, and how many may come at once."""

    octets: int = 8192
    sender_rate: float = 5.0
    sender_burst: float = 20.0
    rate: float = 100.0
    burst: float = 200.0
    tell_again_s: float = 60.0


class Allowance:
    """How much may come: `burst` at once, `rate` in a second. Time in seconds is handed in."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst, self._left, self._at = rate, burst, burst, float("-inf")

    def take(self, now: float) -> bool:
        """Take one; False when none is left."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
