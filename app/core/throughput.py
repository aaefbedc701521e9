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


#: Shares of the nominal rate that a line is loaded with, one after the other (ITU-T Y.1564's service configuration test).
STEPS = (0.5, 0.75, 0.9, 1.0)
#: UDP payload of a step's datagrams, and what each takes on the wire beside it: UDP 8, IPv4 20, Ethernet 18, preamble and gap 20 octets.
PAYLOAD_OCTETS = 1400
OVERHEAD_OCTETS = 8 + 20 + 18 + 20
#: Loads are counted on the wire, as RFC 2544 counts a line's rate: so a true 10 Mbit/s Ethernet line carries 100 % of 10M.
STEP_LAYER = (
    f"layer 1: Ethernet frames with preamble and gap, {PAYLOAD_OCTETS + OVERHEAD_OCTETS} octets each, of which {OVERHEAD_OCTETS} are "
    "overhead of UDP, IPv4 and Ethernet"
)


def payload_kbps(on_wire: float) -> float:
    """Return the UDP payload rate of a rate counted on the wire."""
    return on_wire * PAYLOAD_OCTETS / (PAYLOAD_OCTETS + OVERHEAD_OCTETS)


def wire_kbps(payload: float) -> float:
    """Return the rate counted on the wire of a UDP payload rate."""
    return payload * (PAYLOAD_OCTETS + OVERHEAD_OCTETS) / PAYLOAD_OCTETS


@dataclass(frozen=True, slots=True)
class StepLoad:
    """One load: `share` of the nominal rate in one direction (down = towards the unit), in kbit/s on the wire."""

    direction: str
    share: float
    offered_kbps: float


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What one load found, rates in kbit/s on the wire; None with the reason where it gave no figure."""

    load: StepLoad
    sent_kbps: float | None = None
    received_kbps: float | None = None
    loss_ratio: float | None = None
    jitter_ms: float | None = None
    reason: str = ""


def step_loads(down_kbps: float, up_kbps: float) -> tuple[StepLoad, ...]:
    """Return the loads of a line, lowest first, never above its nominal rate."""
    return tuple(
        StepLoad(direction, share, share * nominal) for share in STEPS for direction, nominal in (("down", down_kbps), ("up", up_kbps))
    )


class StepTester(Protocol):
    """Something that can load a line at a given pace."""

    @property
    def step_method(self) -> str: ...

    def step(self, request: RateRequest, loads: Sequence[StepLoad]) -> Sequence[StepOutcome]:
        """Return the outcome of each load, one after the other; a line whose first load gives no figure is not loaded further."""
        ...


class RateTester(Protocol):
    """Something that can load a line between two hosts: iperf3 in the lab, a tester's instrument on site."""

    def measure(self, requests: Sequence[RateRequest]) -> Mapping[str, RateOutcome]:
        """Return an outcome per line id; requests of one call may run at the same time."""
        ...
