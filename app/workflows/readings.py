"""From what devices said to states of devices, rates of ports, samples of lines, and oddities that decide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from operator import attrgetter

from app.core.acceptance import LineSample, PortSample
from app.core.counters import bit_rates
from app.core.inventory import Line
from app.core.linestate import DeviceState, LineJudgement, judge_lines, names_line
from app.core.workspace import Workspace
from app.edge.snmp.ports import DeviceReading
from app.errors import Finding

_PORT_FIELDS = [field.name for field in fields(PortSample)]
#: What stands before the rates in a port's sample, and what behind them.
_BEFORE_RATES = attrgetter(*_PORT_FIELDS[: _PORT_FIELDS.index("in_bps")])
_BEHIND_RATES = attrgetter(*_PORT_FIELDS[_PORT_FIELDS.index("out_bps") + 1 :])


def device_state(reading: DeviceReading) -> DeviceState:
    return DeviceState(reading.device, reading.at, reading.answer, reading.reason, reading.sys_name, reading.uptime_ticks)


def rate_ports(seen: Iterable[PortSample], previous: Mapping[tuple[str, str], PortSample]) -> dict[tuple[str, str], PortSample]:
    """Return every port that was seen, by device and interface, with its rates since it was seen before."""
    rated = {}
    for port in seen:
        key = port.device, port.interface
        rated[key] = _with_rates(port, *bit_rates(previous.get(key), port))
    return rated


def _with_rates(port: PortSample, in_bps: float | None, out_bps: float | None) -> PortSample:
    """Return a port with its rates: `dataclasses.replace`, at a third of its time."""
    return PortSample(*_BEFORE_RATES(port), in_bps, out_bps, *_BEHIND_RATES(port))  # type: ignore[call-arg]  # all of its fields


def sample_lines(
    workspace: Workspace, devices: Iterable[DeviceState], ports: Mapping[tuple[str, str], PortSample], at: datetime
) -> Iterator[LineSample]:
    """Yield the sample of every line, judged from what one cycle saw."""
    judged = judge_lines(workspace.inventory, {device.device: device.answer for device in devices}, ports)
    return (_line_sample(line, judged[line.line_id], ports, at) for line in workspace.inventory.lines.values())


def _line_sample(line: Line, judged: LineJudgement, ports: Mapping[tuple[str, str], PortSample], at: datetime) -> LineSample:
    return LineSample(
        line.line_id,
        at,
        judged.state,
        judged.reason,
        judged.behind,
        ports.get((line.a_device, line.a_interface)),
        ports.get((line.z_device, line.z_interface)),
        ports.get((line.a_device, line.a_reserved_interface)) if line.a_reserved_interface else None,
        ports.get((line.z_device, line.z_reserved_interface)) if line.z_reserved_interface else None,
    )


def find_oddities(readings: Iterable[DeviceReading], ports: Mapping[str, Mapping[str, tuple[str, bool]]]) -> Iterator[Finding]:
    """Yield a note where a device calls itself otherwise, lacks an interface, or describes a port as another line's."""
    for reading in readings:
        if reading.sys_name is not None and reading.sys_name != reading.device:
            step = "Check who holds this address: the plan, or the name that the device was configured with."
            yield Finding(reading.device, "sysName", reading.device, reading.sys_name, step, note=True)
        for name in reading.missing:
            step = "Correct the interface in inventory/lines.csv, or look whether its card is in place."
            yield Finding(f"{reading.device}/{name}", "interface", "an ifName of the device", "none", step, note=True)
        yield from _find_wrong_aliases(reading, ports.get(reading.device, {}))


def _find_wrong_aliases(reading: DeviceReading, lines: Mapping[str, tuple[str, bool]]) -> Iterator[Finding]:
    """Yield ports whose description names another line; an agent that gives no ifAlias says nothing."""
    for port in reading.ports:
        line_id, _ = lines[port.interface]
        if port.alias and not names_line(port.alias, line_id):
            step = "Deploy the device, or correct inventory/lines.csv: rates and states may be those of another line."
            yield Finding(f"{port.device}/{port.interface}", "ifAlias", f"a text with {line_id}", port.alias, step, note=True)
