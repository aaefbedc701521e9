"""What a device's own probe found: NQA of VRP and Comware, IP SLA of IOS, read from its `display` or `show`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SENT = re.compile(r"Send operation times: *(\d+) +Receive response times: *(\d+)")
#: VRP says completion time, Comware round trip time, tests of jitter RTT.
_TIMES = re.compile(r"Min/Max/(?:Average (?:completion|round trip) time|Avg/Sum RTT): *(\d+)/(\d+)/(\d+)", re.IGNORECASE)
_JITTER = re.compile(r"Average of Jitter: *([\d.]+)", re.IGNORECASE)
_IOS_TIME = re.compile(r"Latest RTT: *(\d+) *milliseconds", re.IGNORECASE)
_IOS_CODE = re.compile(r"Latest operation return code: *(\S.*?)\s*$", re.MULTILINE)
_IOS_COUNTS = re.compile(r"Number of successes: *(\d+)\s+Number of failures: *(\d+)")


@dataclass(frozen=True, slots=True)
class ProbeReading:
    """The newest result: echoes sent and received, mean round trip and jitter in ms, None where it tells none.

    IP SLA counts whole operations since it was scheduled and tells the round trip of the latest one only: `latest_only`.
    """

    sent: int
    received: int
    mean_ms: float | None
    jitter_ms: float | None = None
    latest_only: bool = False

    @property
    def loss_ratio(self) -> float | None:
        """Return the share lost, 0..1, None when nothing was sent."""
        return 1 - min(self.received, self.sent) / self.sent if self.sent else None


def parse_probe(text: str) -> ProbeReading | None:
    """Return the result that the text tells of, None where it tells of none: no such probe, or no test finished yet."""
    if found := _SENT.search(text):
        sent, received = int(found[1]), int(found[2])
        times, jitter = _TIMES.search(text), _JITTER.search(text)
        mean_ms = float(times[3]) if times and received else None
        return ProbeReading(sent, received, mean_ms, float(jitter[1]) if jitter and received else None)
    if (code := _IOS_CODE.search(text)) is None or (counts := _IOS_COUNTS.search(text)) is None:
        return None
    successes, failures = int(counts[1]), int(counts[2])
    time = _IOS_TIME.search(text) if code[1].upper() == "OK" else None
    return ProbeReading(successes + failures, successes, float(time[1]) if time else None, latest_only=True)
