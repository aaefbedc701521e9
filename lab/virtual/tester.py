"""Active tests of a simulation. Nothing is loaded and no probe is sent: the simulation is asked what they would find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from app.core.ping import PingCount
from app.core.throughput import RateOutcome, RateRequest
from lab.virtual.control import ask

RATE_METHOD = "SIMULATION: TCP goodput that the simulated line would carry; nothing was loaded"


@dataclass(frozen=True, slots=True)
class SimulatedRateTester:
    """Answers rate requests by the simulation behind a control socket."""

    control: Path

    def measure(self, requests: Sequence[RateRequest]) -> Mapping[str, RateOutcome]:
        """Return an outcome per line id. Raises LabError where the simulation does not answer."""
        rates: Any = ask(self.control, {"ask": "rates", "lines": [request.line_id for request in requests]})["rates"]
        return {line_id: _outcome(found) for line_id, found in rates.items()}


def _outcome(found: Mapping[str, Any]) -> RateOutcome:
    detail: dict[str, object] = {"simulated": True}
    if found["reason"]:
        detail["reason"] = found["reason"]
    return RateOutcome(found["down_kbps"], found["up_kbps"], RATE_METHOD, detail)


def simulated_probes(control: Path, addresses: Sequence[IPv4Address], count: int) -> Mapping[IPv4Address, PingCount | None]:
    """Return what probes from the centre would find. Raises LabError where the simulation does not answer."""
    probes: Any = ask(control, {"ask": "probe", "addresses": [str(address) for address in addresses], "count": count})["probes"]
    return {IPv4Address(address): PingCount(found["sent"], found["received"], found["mean_ms"]) for address, found in probes.items()}
