"""Throughput between lab hosts by iperf3: the `exchange` host at the centre against a unit's own address, backup lines end to end.

The hosts are entered through their namespaces; the packets of the test travel in band, over the lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any, Protocol

from app.core.throughput import (
    PAYLOAD_OCTETS,
    STEP_LAYER,
    RateOutcome,
    RateRequest,
    StepLoad,
    StepOutcome,
    payload_kbps,
    wire_kbps,
)

CENTRE_HOST = "exchange"
FIRST_PORT = 5300
FIRST_STEP_PORT = 5900
STEP_METHOD = f"iperf3 UDP between hosts, paced ({STEP_LAYER})"
METHOD = "iperf3 TCP goodput between hosts (layer 4, without TCP/IP and Ethernet headers, first second left out)"
#: Shell texts that end well once somebody listens on TCP port $0, or nobody does, and badly after 20 s.
HEARD = 'for _ in $(seq 400); do ss -Hltn "sport = :$0" | grep -q . && exit 0; sleep 0.05; done; exit 1'
GONE = 'for _ in $(seq 400); do ss -Hltn "sport = :$0" | grep -q . || exit 0; sleep 0.05; done; exit 1'

#: Reads the figures of a client's report.
ReadReport = Callable[[str], dict[str, object]]


class ExecIn(Protocol):
    """Run a command inside a lab host."""

    def __call__(self, node: str, argv: Sequence[str], /, *, timeout: float) -> CompletedProcess[str]: ...


@dataclass(frozen=True, slots=True)
class LabRateTester:
    """`seconds` of TCP per direction; all lines of one call at the same time, each against a server of its own."""

    exec_in: ExecIn
    seconds: int = 5

    def measure(self, requests: Sequence[RateRequest]) -> Mapping[str, RateOutcome]:
        if not requests:
            return {}
        with ThreadPoolExecutor(len(requests)) as pool:
            outcomes = pool.map(self._one, requests, range(FIRST_PORT, FIRST_PORT + 2 * len(requests), 2))
            return {request.line_id: outcome for request, outcome in zip(requests, outcomes, strict=True)}

    def _one(self, request: RateRequest, port: int) -> RateOutcome:
        """Load the line down, then up (-R turns the direction round), each against a server of its own."""
        down, up = self._load(request, port), self._load(request, port + 1, "-R")
        detail: dict[str, object] = {"seconds": self.seconds, "down": down, "up": up}
        if reasons := [f"{name}: {figures['error']}" for name, figures in (("down", down), ("up", up)) if "error" in figures]:
            detail["reason"] = "; ".join(reasons)
        return RateOutcome(_kbps(down), _kbps(up), METHOD, detail)

    @property
    def step_method(self) -> str:
        return STEP_METHOD

    def step(self, request: RateRequest, loads: Sequence[StepLoad]) -> Sequence[StepOutcome]:
        """Load one line with each load in turn, `seconds` each."""
        outcomes: list[StepOutcome] = []
        for place, load in enumerate(loads):
            if outcomes and outcomes[-1].loss_ratio is None:
                outcomes.append(StepOutcome(load, reason="not loaded: the load before it gave no figure"))
                continue
            rate = f"{payload_kbps(load.offered_kbps) * 1000:.0f}"
            options = ["-u", "-b", rate, "-l", str(PAYLOAD_OCTETS), *(["-R"] if load.direction == "up" else [])]
            outcomes.append(read_step(load, self._load(request, FIRST_STEP_PORT + place % 2, *options, read=read_iperf3_udp)))
        return outcomes

    def _load(self, request: RateRequest, port: int, *options: str, read: ReadReport | None = None) -> dict[str, object]:
        address, pidfile = str(request.far_address), f"/run/iperf3-{port}.pid"
        server = ["iperf3", "-s", "-D", "-B", address, "-p", str(port), "--pidfile", pidfile]
        started = self.exec_in(request.device, server, timeout=60)
        if started.returncode:
            return {"error": f"iperf3 server on {request.device}: {started.stderr.strip()}"}
        try:
            if self._listens(request.device, port, HEARD).returncode:
                return {"error": f"iperf3 server on {request.device}: nothing listens on port {port}"}
            return self._client(request.near_device or CENTRE_HOST, address, port, options, read or read_iperf3)
        finally:
            self.exec_in(request.device, ["pkill", "-F", pidfile], timeout=60)
            self._listens(request.device, port, GONE)

    def _listens(self, node: str, port: int, until: str) -> CompletedProcess[str]:
        """Wait until a server listens on a port, or none does any more: iperf3 returns before it listens, and dies after pkill returns."""
        return self.exec_in(node, ["sh", "-c", until, str(port)], timeout=60)

    def _client(self, near: str, address: str, port: int, options: Sequence[str], read: ReadReport) -> dict[str, object]:
        argv = ["iperf3", "-c", address, "-p", str(port), "-t", str(self.seconds), "-i", "0", "-J", "--connect-timeout", "10000"]
        argv += options if "-u" in options else ["-O", "1", *options]  # what is left out in UDP still counts as sent
        finished = self.exec_in(near, argv, timeout=self.seconds + 60)
        return read(finished.stdout)


def read_iperf3_udp(text: str) -> dict[str, object]:
    """Return what a UDP test counted: datagrams sent and lost, seconds, jitter in ms; or `error` with iperf3's own words."""

    def read(end: Mapping[str, Any]) -> dict[str, object]:
        return {key: float(end["sum"][key]) for key in ("packets", "lost_packets", "seconds", "jitter_ms")}

    return _read_end(text, read)


def read_step(load: StepLoad, figures: Mapping[str, object]) -> StepOutcome:
    """Return the outcome of one load; what was never sent proves nothing."""
    if "error" in figures:
        return StepOutcome(load, reason=str(figures["error"]))
    packets, lost, seconds, jitter = (float(str(figures[key])) for key in ("packets", "lost_packets", "seconds", "jitter_ms"))
    if packets <= 0 or seconds <= 0:
        return StepOutcome(load, reason="no datagram was sent")
    lost = min(max(lost, 0.0), packets)
    sent = wire_kbps(packets * PAYLOAD_OCTETS * 8 / seconds / 1000)
    return StepOutcome(load, sent, sent * (packets - lost) / packets, lost / packets, jitter)


def read_iperf3(text: str) -> dict[str, object]:
    """Return the figures of an iperf3 JSON report: received bit/s, bytes, retransmits; or `error` with iperf3's own words."""

    def read(end: Mapping[str, Any]) -> dict[str, object]:
        received, sent = end["sum_received"], end["sum_sent"]
        return {"bits_per_second": received["bits_per_second"], "bytes": received["bytes"], "retransmits": sent.get("retransmits")}

    return _read_end(text, read)


def _read_end(text: str, read: Callable[[Mapping[str, Any]], dict[str, object]]) -> dict[str, object]:
    """Return what `read` takes from the end of an iperf3 JSON report, or `error`."""
    try:
        report = json.loads(text)
    except ValueError:
        return {"error": "iperf3 gave no report"}
    try:
        return {"error": report["error"]} if "error" in report else read(report["end"])
    except (KeyError, TypeError, ValueError):  # what a client writes that was ended before its first interval
        return {"error": "iperf3's report has no sums"}


def _kbps(figures: Mapping[str, object]) -> float | None:
    rate = figures.get("bits_per_second")
    return float(rate) / 1000 if isinstance(rate, int | float) else None
