"""Throughput between lab hosts by iperf3: the `exchange` host at the centre against a unit's own address, backup lines end to end.

The hosts are entered through their namespaces; the packets of the test travel in band, over the lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Protocol

from app.core.throughput import RateOutcome, RateRequest

CENTRE_HOST = "exchange"
FIRST_PORT = 5300
METHOD = "iperf3 TCP goodput between hosts (layer 4, without TCP/IP and Ethernet headers, first second left out)"


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

    def _load(self, request: RateRequest, port: int, *options: str) -> dict[str, object]:
        address, pidfile = str(request.far_address), f"/run/iperf3-{port}.pid"
        server = ["iperf3", "-s", "-D", "-B", address, "-p", str(port), "--pidfile", pidfile]
        started = self.exec_in(request.device, server, timeout=10)
        if started.returncode:
            return {"error": f"iperf3 server on {request.device}: {started.stderr.strip()}"}
        try:
            return self._client(request.near_device or CENTRE_HOST, address, port, *options)
        finally:
            self.exec_in(request.device, ["pkill", "-F", pidfile], timeout=10)

    def _client(self, near: str, address: str, port: int, *options: str) -> dict[str, object]:
        argv = ["iperf3", "-c", address, "-p", str(port), "-t", str(self.seconds), "-O", "1", "-i", "0", "-J"]
        argv += ["--connect-timeout", "3000", *options]
        finished = self.exec_in(near, argv, timeout=self.seconds + 20)
        return read_iperf3(finished.stdout)


def read_iperf3(text: str) -> dict[str, object]:
    """Return the figures of an iperf3 JSON report: received bit/s, bytes, retransmits; or `error` with iperf3's own words."""
    try:
        report = json.loads(text)
    except ValueError:
        return {"error": "iperf3 gave no report"}
    try:
        if "error" in report:
            return {"error": report["error"]}
        received, sent = report["end"]["sum_received"], report["end"]["sum_sent"]
        return {
            "bits_per_second": received["bits_per_second"],
            "bytes": received["bytes"],
            "retransmits": sent.get("retransmits"),
        }
    except (KeyError, TypeError):  # what a client writes that was ended before its first interval
        return {"error": "iperf3's report has no sums"}


def _kbps(figures: Mapping[str, object]) -> float | None:
    rate = figures.get("bits_per_second")
    return float(rate) / 1000 if isinstance(rate, int | float) else None
