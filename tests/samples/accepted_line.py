"""A line of the root workspace that was watched through its trial, measured and accepted, in a real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from app.core.acceptance import Acceptance, LineSample, Measurement, PortSample
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.workflows.accept import accept

ROOT = Path(__file__).parents[2]
LINE = "BZWW-BZQ-A-0001"
#: 2008-06-26 17:30 in Beijing, a Thursday.
ACCEPTED_AT = datetime(2008, 6, 26, 9, 30, tzinfo=UTC)
POLL_INTERVAL_S = 1800.0
INTERVAL = timedelta(seconds=POLL_INTERVAL_S)


@cache
def root_workspace() -> Workspace:
    return read_workspace(ROOT)[0]


def watch(store: Store, line_id: str, since: datetime, until: datetime) -> None:
    """Write an up sample of the line every interval, reserved ports shut where it has some."""
    line = root_workspace().inventory.lines[line_id]
    at, octets = since, 2**63
    while at <= until:
        ends = ((line.a_device, line.a_interface, True), (line.z_device, line.z_interface, True))
        reserved = ((line.a_device, line.a_reserved_interface, False), (line.z_device, line.z_reserved_interface, False))
        ports = [_port(device, name, at, up, octets) if name else None for device, name, up in (*ends, *reserved)]
        store.write_cycle(at - timedelta(seconds=5), at, [], [LineSample(line_id, at, "up", "both ports are up", None, *ports)])
        at, octets = at + INTERVAL, octets + 1_000_000


def _port(device: str, interface: str, at: datetime, up: bool, octets: int) -> PortSample:
    moving = octets if up else 0
    return PortSample(device, interface, at, up, up, 100, None, moving, moving, 64, 0, 0, 1000.5 if up else None, None, 4294967295, 0)


def measure(store: Store, line_id: str, at: datetime) -> None:
    """Write a good measurement of every criterion that wants one."""
    probes = {"sent": 20, "received": 20, "mean_ms": 3.25}
    figures: tuple[tuple[str, float, str, str, dict[str, object]], ...] = (
        ("reachable_from_centre", 0.0, "ratio", "20 ICMP echo requests from the centre", probes),
        ("reaches_services", 0.0, "ratio", "20 ICMP echo requests sent by the far device itself", {"exchange": probes}),
        ("rate_down", 9496.0, "kbps", "iperf3, TCP payload", {"seconds": 5}),
        ("rate_up", 9481.5, "kbps", "iperf3, TCP payload", {"seconds": 5}),
        ("reserved_port", 1.0, "proven", "supervised activation", {"a": "up", "z": "up"}),
    )
    for kind, value, unit, method, detail in figures:
        store.write_measurement(Measurement(line_id, kind, at, value, unit, method, detail))


def accept_line(store: Store, line_id: str = LINE, at: datetime = ACCEPTED_AT) -> Acceptance:
    """Watch a line for 80 hours, measure it, accept it; return the decision."""
    watch(store, line_id, at - timedelta(hours=80), at)
    measure(store, line_id, at - timedelta(hours=2))
    report = accept(root_workspace(), store, [line_id], commit=True, poll_interval_s=POLL_INTERVAL_S, now=at)
    [decision] = report.decided
    return decision
