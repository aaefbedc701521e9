"""What a throughput test asks and answers, whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RateRequest:
    """Measure the line to `device`: load `far_address`, an address of that device, from a host at the centre.

    A backup line carries no traffic while the primary one is up: it is loaded from its near end, `near_device`, to the
    far end's address on the line itself.
    """

    line_id: str
    device: str
    far_address: IPv4Address
    service_class: str
    near_device: str | None = None


@dataclass(frozen=True, slots=True)
class RateOutcome:
    """Goodput in kbit/s per direction (down = from the centre to the unit); None where the test gave no figure, with the reason."""

    down_kbps: float | None
    up_kbps: float | None
    method: str
    detail: Mapping[str, object] = field(default_factory=dict)


class RateTester(Protocol):
    """Something that can load a line between two hosts: iperf3 in the lab, a tester's instrument on site."""

    def measure(self, requests: Sequence[RateRequest]) -> Mapping[str, RateOutcome]:
        """Return an outcome per line id; requests of one call may run at the same time."""
        ...
