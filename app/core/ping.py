"""What echo requests find: counts, round trips, jitter; and what a device's own `ping` printed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_COUNTS = re.compile(r"(\d+) packets? transmitted, (\d+) (?:packets? )?received", re.IGNORECASE)
_VRP_SENT = re.compile(r"(\d+) packet\(s\) transmitted")
_VRP_RECEIVED = re.compile(r"(\d+) packet\(s\) received")
_IOS = re.compile(r"Success rate is \d+ percent \((\d+)/(\d+)\)")
_TIMES = re.compile(r"min/avg/max[^=]*= *([\d.]+)/([\d.]+)/([\d.]+)")


@dataclass(frozen=True, slots=True)
class PingCount:
    """Echo requests sent and answered; round-trip mean and jitter in ms, None where too few were answered or nobody told."""

    sent: int
    received: int
    mean_ms: float | None
    jitter_ms: float | None = None

    @property
    def loss_ratio(self) -> float | None:
        """Return the share lost 0..1, None when nothing was sent."""
        return 1 - min(self.received, self.sent) / self.sent if self.sent else None


def round_trip_jitter(rtt_ms: Sequence[float | None]) -> float | None:
    """Return the mean difference of round trips that follow each other, ms (RFC 3393 selects neighbours); None without a pair.

    A lost echo, None, parts its neighbours: the time between them is not theirs alone.
    """
    steps = [abs(after - before) for before, after in pairwise(rtt_ms) if before is not None and after is not None]
    return sum(steps) / len(steps) if steps else None


def parse_ping(text: str) -> PingCount | None:
    """Return the counts of a ping's statistics (iputils, VRP, Comware, IOS), None where there are none."""
    if found := _COUNTS.search(text):
        sent, received = int(found[1]), int(found[2])
    elif (first := _VRP_SENT.search(text)) and (second := _VRP_RECEIVED.search(text)):
        sent, received = int(first[1]), int(second[1])
    elif found := _IOS.search(text):
        sent, received = int(found[2]), int(found[1])
    else:
        return None
    times = _TIMES.search(text)
    return PingCount(sent, received, float(times[2]) if times else None)
