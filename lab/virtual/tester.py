"""Active tests of a simulation. Nothing is loaded and no probe is sent: the simulation is asked what they would find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from app.core.ping import PingCount
from app.core.throughput import RateOutcome, RateRequest, StepLoad, StepOutcome
from lab.virtual.city import GOODPUT_SHARE
from lab.virtual.control import ask

RATE_METHOD = "SIMULATION: TCP goodput that the simulated line would carry; nothing was loaded"
STEP_METHOD = "SIMULATION: paced UDP that the simulated line would carry, counted on the wire; nothing was loaded"


@dataclass(frozen=True, slots=True)
class SimulatedRateTester:
    """Answers rate requests by the simulation behind a control socket."""

    control: Path

    def measure(self, requests: Sequence[RateRequest]) -> Mapping[str, RateOutcome]:
        """Return an outcome per line id. Raises LabError where the simulation does not answer."""
        rates: Any = ask(self.control, {"ask": "rates", "lines": [request.line_id for request in requests]})["rates"]
        return {line_id: _outcome(found) for line_id, found in rates.items()}

    @property
    def step_method(self) -> str:
        return STEP_METHOD

    def step(self, request: RateRequest, loads: Sequence[StepLoad]) -> Sequence[StepOutcome]:
        """Return what each load would find. Raises LabError where the simulation does not answer."""
        rates: Any = ask(self.control, {"ask": "rates", "lines": [request.line_id]})["rates"]
        found = rates[request.line_id]
        return [_step(load, found) for load in loads]


def _step(load: StepLoad, found: Mapping[str, Any]) -> StepOutcome:
    """Let through what the line carries; a policer drops the rest."""
    carried = found["down_kbps"] if load.direction == "down" else found["up_kbps"]
    if carried is None:
        return StepOutcome(load, reason=found["reason"])
    received = min(load.offered_kbps, carried / GOODPUT_SHARE)
    return StepOutcome(load, load.offered_kbps, received, 1 - received / load.offered_kbps)


def _outcome(found: Mapping[str, Any]) -> RateOutcome:
    detail: dict[str, object] = {"simulated": True}
    if found["reason"]:
        detail["reason"] = found["reason"]
    return RateOutcome(found["down_kbps"], found["up_kbps"], RATE_METHOD, detail)


def simulated_probes(control: Path, addresses: Sequence[IPv4Address], count: int) -> Mapping[IPv4Address, PingCount | None]:
    """Return what probes from the centre would find. Raises LabError where the simulation does not answer."""
    probes: Any = ask(control, {"ask": "probe", "addresses": [str(address) for address in addresses], "count": count})["probes"]
    return {IPv4Address(address): PingCount(**found) for address, found in probes.items()}
