"""What the commands that measure stand on: testers, probes, single readings by SNMP, and how a run is recorded and shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from app.cli.context import Context, leave, now
from app.cli.output import Format, Table, show
from app.core.acceptance import Measurement, PortSample
from app.core.figures import steps_written, written
from app.core.intent import DeviceIntent
from app.core.ping import PingCount, round_trip_jitter
from app.edge.guard import guard_all
from app.edge.probe import ping
from app.edge.secrets import read_secrets
from app.edge.snmp.agent import Agent
from app.edge.snmp.session import Target
from app.errors import Finding, InputError
from app.workflows.diff import refuse_illustration
from app.workflows.endpoints import snmp_endpoint
from app.workflows.measure import Ground, MeasureReport, PingFromCentre
from app.workflows.poll import usm_credentials
from lab.runner import exec_in
from lab.state import find_state
from lab.tester import LabRateTester
from lab.virtual.tester import SimulatedRateTester, simulated_probes

#: From one probe to the same address to the next, milliseconds.
PROBE_INTERVAL_MS = 100


def ground_of(context: Context) -> Ground:
    simulated = context.settings.simulation is not None
    return Ground(context.workspace, context.intents, context.store.latest(), now, simulated)


def refuse_drawing_board(context: Context) -> None:
    """Raise InputError where the plan's addresses are an illustration."""
    refuse_illustration("measure", illustration=context.workspace.plan.illustration)


def rate_tester(context: Context, seconds: int) -> LabRateTester | SimulatedRateTester:
    """Return what can load lines here: the simulation, or the lab. Raises InputError where there is neither."""
    refuse_drawing_board(context)
    if context.settings.simulation is not None:
        return SimulatedRateTester(context.settings.simulation)
    illustration = context.workspace.plan.illustration
    guard_all([address for intent in context.intents.values() for address in intent.contacts], illustration=illustration)
    if find_state() is None:
        step = "Run it in the lab (waiwang lab up); on site, measure with a tester's instrument, then waiwang measure import."
        raise InputError([Finding("measure rate", "hosts to test between", "the lab", "none is up", step)])
    return LabRateTester(exec_in, seconds)


def require_quiet(context: Context, *, told: bool) -> None:
    """Refuse to load lines while units work, unless told so; a simulation or a lab has no units that work.

    Raises:
        InputError: it is within office hours.
    """
    order, calendar, at = context.workspace.order, context.workspace.calendar, now()
    if told or order.simulation is not None or (ends_at := calendar.office_ends_at(at, order.timezone)) is None:
        return
    mark = " (default)" if calendar.office.source.default else ""
    found = f"{at.astimezone(order.timezone):%Y-%m-%d %H:%M}, a working day"
    step = f"Nothing was sent. Run it after {ends_at:%H:%M}, or add --now where the units were told."
    expected = f"a moment outside office hours {calendar.office}{mark}"
    raise InputError([Finding("inventory/calendar.yaml", "load on lines that units work on", expected, found, step)])


def ping_from_centre(context: Context) -> PingFromCentre:
    if (simulation := context.settings.simulation) is not None:
        return lambda addresses, count: simulated_probes(simulation, addresses, count)

    def guard(addresses: Sequence[IPv4Address]) -> None:
        guard_all(addresses, illustration=context.workspace.plan.illustration)

    def send(addresses: Sequence[IPv4Address], count: int) -> Mapping[IPv4Address, PingCount | None]:
        answers = asyncio.run(ping(addresses, count, PROBE_INTERVAL_MS, guard=guard))
        return {
            address: PingCount(seen.sent, seen.received, seen.rtt_mean_ms, round_trip_jitter(seen.rtt_ms))
            for address, seen in answers.items()
        }

    return send


def open_agent(context: Context, intent: DeviceIntent) -> Agent:
    """Prepare to ask one device by SNMP; its address passes the guard first. Raises UnsafeRoute, InputError."""
    address, port = snmp_endpoint(context.settings)(intent.contacts[0])
    guard_all([address], illustration=context.workspace.plan.illustration)
    secrets = read_secrets(context.settings.secrets_file, context.environ)
    return Agent(Target(intent.hostname, str(address), port), usm_credentials(secrets)(intent.management))


@dataclass(frozen=True, slots=True)
class PortReader:
    """Reads single ports by SNMP, each time anew."""

    context: Context

    def read(self, device: str, interface: str) -> PortSample | None:
        return asyncio.run(self._read(self.context.intents[device], interface))

    async def _read(self, intent: DeviceIntent, interface: str) -> PortSample | None:
        agent = open_agent(self.context, intent)
        reading = await agent.read_ports((interface,), {}, now)
        agent.close()
        return reading.ports[0] if reading.ports else None


def record(context: Context, report: MeasureReport, form: Format, title: str) -> None:
    """Keep every measurement, show them, and leave with the run's code."""
    for measurement in report.measurements:
        context.store.write_measurement(measurement)
    show_measured(report.measurements, form, title)
    leave(report.exit_code)


def show_measured(measurements: Sequence[Measurement], form: Format, title: str, **totals: int) -> None:
    """Show measurements: to a reader with their units, to a program as numbers."""
    measured = sum(each.value is not None for each in measurements)
    counts = totals or {"measured": measured, "not measured": len(measurements) - measured}
    if form is Format.text:
        rows = [(each.line_id, each.kind, written(each), _remark(each)) for each in measurements]
        show(Table(title, ("line", "criterion", "found", "remark"), rows, counts, ("remark",)), form)
        return
    figures = [
        (each.line_id, each.kind, None if each.value is None else float(f"{each.value:.4g}"), each.unit, each.detail.get("reason"))
        for each in measurements
    ]
    show(Table(title, ("line", "criterion", "value", "unit", "reason"), figures, counts, ("reason",)), form)


def _remark(measured: Measurement) -> tuple[str, ...] | None:
    """Return why there is no value, and what each step of a load found."""
    reason = measured.detail.get("reason")
    return ((str(reason),) if reason else ()) + steps_written(measured) or None
