"""Commands that watch and judge: poll, measure, accept, serve."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.lines import AsOf, Lines, choose_lines, parse_as_of
from app.cli.output import Format, Table, show, show_findings, tell
from app.core.acceptance import PASS, Acceptance, PortSample
from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.inventory import Line
from app.core.order import ServiceClass
from app.core.ping import PingCount
from app.core.render import build_environment, render_device
from app.core.throughput import RateTester
from app.edge.guard import guard_all
from app.edge.probe import ping
from app.edge.provenance import clock_state
from app.edge.secrets import read_secrets
from app.edge.snmp import Agent, Target
from app.edge.templates import read_templates
from app.errors import ExitCode, Finding, InputError
from app.workflows.accept import accept as run_accept
from app.workflows.activate import Patience, activate, reserved_ends
from app.workflows.deadlines import keep_deadlines
from app.workflows.diff import refuse_illustration
from app.workflows.endpoints import snmp_endpoint
from app.workflows.evidence import CLOCK_VERB, POLLER
from app.workflows.hosts import open_gateway
from app.workflows.measure import Ground, MeasureReport, PingFromCentre, measure_rate, measure_reach
from app.workflows.poll import CycleReport, Poller, open_poller, usm_credentials
from lab.runner import exec_in
from lab.state import find_state
from lab.tester import LabRateTester
from lab.virtual.tester import SimulatedRateTester, simulated_probes

measure = typer.Typer(help="Active tests; their results are evidence for waiwang accept.", no_args_is_help=True)
#: From one probe to the same address to the next, milliseconds.
PROBE_INTERVAL_MS = 100


def poll(
    root: Root = None,
    form: Form = Format.text,
    once: Annotated[bool, typer.Option("--once", metavar="", help="one cycle; the schedule is part of waiwang serve")] = False,
) -> None:
    """Ask every device once and show every line."""
    if not once:
        raise typer.BadParameter("give --once; to poll on schedule run waiwang serve", param_hint="--once")
    context = open_context(root)
    show_moved_deadlines(context)
    poller = _open_poller(context)
    report = asyncio.run(poller.cycle(now))
    poller.close()
    _show_cycle(report, form)
    leave(report.exit_code)


def show_moved_deadlines(context: Context) -> None:
    """Keep the deadlines that are worked by; tell those that moved without an entry in the log, and go on looking at lines."""
    for finding in keep_deadlines(context.workspace, context.store, now()):
        tell(f"error {finding}", "bold red")


def _open_poller(context: Context) -> Poller:
    return open_poller(context.workspace, context.intents, context.store, context.settings, context.environ)


def _show_cycle(report: CycleReport, form: Format) -> None:
    if form is Format.text and report.findings:
        show_findings(report.findings, form, title="poll")
    rows = [
        (row.line_id, row.state, row.behind, _rate(row.down_bps), _rate(row.up_bps), row.in_errors, row.out_errors, row.reason)
        for row in report.rows()
    ]
    totals = {state: number for state in ("up", "down", "unreachable", "unknown") if (number := sum(r[1] == state for r in rows))}
    silent = [device.device for device in report.devices if device.answer != "answered"]
    columns = ("line", "state", "behind", "down_kbps", "up_kbps", "in_errors", "out_errors", "reason")
    show(Table("poll", columns, rows, {**totals, "devices": len(report.devices), "without answer": len(silent)}, ("reason",)), form)


def _rate(bps: float | None) -> float | None:
    return None if bps is None else round(bps / 1000, 1)


def accept(lines: Lines = None, root: Root = None, form: Form = Format.text, commit: Commit = False, as_of: AsOf = None) -> None:
    """Judge lines against the order; --commit records the decisions with their evidence."""
    if commit and as_of is not None:
        raise typer.BadParameter("a decision is made now; look back without --commit", param_hint="--as-of")
    context, moment = open_context(root), now()
    chosen = [line.line_id for line in _choose(context, lines)]
    at = parse_as_of(as_of, context.workspace.order.timezone, moment)
    every_s = context.settings.poll_interval_s
    report = run_accept(context.workspace, context.store, chosen, commit=commit, poll_interval_s=every_s, now=moment, as_of=at)
    if commit and report.decided:
        # evidence packs tell how the clock was kept when a decision was recorded
        context.store.write_audit(moment, "waiwang accept", CLOCK_VERB, POLLER, clock_state())
    due = {milestone.milestone_id: milestone.due_on for milestone in context.workspace.order.milestones}
    rows = [_decision_row(decision, due, standing=False) for decision in report.decided]
    rows += [_decision_row(decision, due, standing=True) for decision in report.standing]
    totals = {verdict: number for verdict in ("pass", "fail", "not_proven") if (number := sum(row[1] == verdict for row in rows))}
    title = "accept --commit" if commit else "accept (nothing recorded; --commit records)"
    show(Table(title, ("line", "verdict", "on_time", "due_on", "open"), rows, totals, ("open",)), form)
    leave(report.exit_code)


def _decision_row(
    decision: Acceptance, due: Mapping[str, date], *, standing: bool
) -> tuple[str, str, str | None, date | None, tuple[str, ...]]:
    on_time = {True: "yes", False: "no", None: None}[decision.on_time]
    words = (f"accepted {decision.decided_at.isoformat(timespec='seconds')}",) if standing else _open_words(decision)
    return decision.line_id, decision.verdict, on_time, due.get(decision.milestone or ""), words


def _open_words(decision: Acceptance) -> tuple[str, ...]:
    """Return what is missing for a pass, criteria of which the same was found together."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for result in decision.results:
        if result.required and result.verdict != PASS:
            kinds.setdefault((result.verdict, result.found), []).append(result.kind)
    return tuple(f"{', '.join(names)} {verdict}: {found}" for (verdict, found), names in kinds.items())


def _choose(context: Context, wanted: Sequence[str] | None) -> list[Line]:
    """Return the lines that match any of the ids or globs. Raises InputError for one that matches nothing."""
    return choose_lines(context.workspace.inventory.lines, wanted)


# Active tests


@measure.command()
def reach(
    lines: Lines = None,
    root: Root = None,
    form: Form = Format.text,
    count: Annotated[int, typer.Option("--count", envvar="WAIWANG_COUNT", min=1, max=1000, help="probes per target")] = 20,
) -> None:
    """Probe every line's far device from the centre, and from there every service that its unit must reach."""
    context = open_context(root)
    refuse_illustration("measure", illustration=_illustrated(context))
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    report = measure_reach(_ground(context), _choose(context, lines), _ping_from_centre(context), gateway, count=count)
    _record(context, report, form, "measure reach")


@measure.command()
def rate(
    lines: Lines = None,
    root: Root = None,
    form: Form = Format.text,
    seconds: Annotated[int, typer.Option("--seconds", envvar="WAIWANG_SECONDS", min=2, max=60, help="per direction")] = 5,
) -> None:
    """Load lines in both directions and record the rates. In the lab: iperf3 between lab hosts."""
    context = open_context(root)
    chosen = _choose(context, lines)
    _record(context, measure_rate(_ground(context), chosen, _rate_tester(context, seconds)), form, "measure rate")


def _rate_tester(context: Context, seconds: int) -> RateTester:
    refuse_illustration("measure", illustration=_illustrated(context))
    if context.settings.simulation is not None:
        return SimulatedRateTester(context.settings.simulation)
    guard_all([address for intent in context.intents.values() for address in intent.contacts], illustration=_illustrated(context))
    if find_state() is None:
        step = "Run it in the lab (waiwang lab up); on site, measure with a tester's instrument."
        raise InputError([Finding("measure rate", "hosts to test between", "the lab", "none is up", step)])
    return LabRateTester(exec_in, seconds)


@measure.command()
def reserved(lines: Lines = None, root: Root = None, form: Form = Format.text, commit: Commit = False) -> None:
    """Show, or with --commit carry out, the supervised activation of reserved ports: both ends up, seen, shut again."""
    context = open_context(root)
    chosen = [line for line in _choose(context, lines) if _class_of(context, line).reserved_port_mbps]
    environment = build_environment(read_templates(context.settings.root))
    ends = {line.line_id: reserved_ends(line, context.intents, lambda intent: render_device(intent, environment)) for line in chosen}
    if not commit:
        rows = [
            (line_id, end.device, end.interface, _typed(end.up), _typed(end.shut)) for line_id, both in ends.items() for end in both
        ]
        title = "measure reserved (nothing sent; --commit sends)"
        show(Table(title, ("line", "device", "port", "up", "shut"), rows, {"ports": len(rows)}, ("up", "shut")), form)
        leave(ExitCode.PENDING if rows else ExitCode.OK)
    refuse_illustration("measure", illustration=_illustrated(context))
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    if real := [end.device for both in ends.values() for end in both if not gateway.is_practice(context.intents[end.device])]:
        step = "Nothing was sent. Until this family can revert by itself, activate its reserved ports by hand."
        raise InputError([Finding("measure reserved", "devices", "devices of the lab or on loopback", ", ".join(real), step)])
    ground, reader = _ground(context), PortReader(context)
    measured = []
    for line in chosen:
        proof = activate(ground, line, _class_of(context, line), ends[line.line_id], gateway, reader.read, patience=Patience())
        context.store.write_measurement(proof)  # at once: what was proven before an interruption stays proven
        measured.append(proof)
    _show_measured(MeasureReport(tuple(measured)), form, "measure reserved --commit")


def _typed(commands: Sequence[Command]) -> str:
    return " / ".join(command.text for command in commands)


@dataclass(frozen=True, slots=True)
class PortReader:
    """Reads single ports by SNMP, each time anew."""

    context: Context

    def read(self, device: str, interface: str) -> PortSample | None:
        intent = self.context.intents[device]
        return asyncio.run(self._read(intent, interface))

    async def _read(self, intent: DeviceIntent, interface: str) -> PortSample | None:
        address, port = snmp_endpoint(self.context.settings)(intent.contacts[0])
        guard_all([address], illustration=_illustrated(self.context))
        secrets = read_secrets(self.context.settings.secrets_file, self.context.environ)
        agent = Agent(Target(intent.hostname, str(address), port), usm_credentials(secrets)(intent.management))
        reading = await agent.read_ports((interface,), {}, now)
        agent.close()
        return reading.ports[0] if reading.ports else None


def _ground(context: Context) -> Ground:
    simulated = context.settings.simulation is not None
    return Ground(context.workspace, context.intents, context.store.latest(), now, simulated)


def _illustrated(context: Context) -> bool:
    return context.workspace.plan.illustration


def _class_of(context: Context, line: Line) -> ServiceClass:
    return context.workspace.order.classes[line.service_class]


def _ping_from_centre(context: Context) -> PingFromCentre:
    if (simulation := context.settings.simulation) is not None:
        return lambda addresses, count: simulated_probes(simulation, addresses, count)

    def guard(addresses: Sequence[IPv4Address]) -> None:
        guard_all(addresses, illustration=_illustrated(context))

    def send(addresses: Sequence[IPv4Address], count: int) -> Mapping[IPv4Address, PingCount | None]:
        answers = asyncio.run(ping(addresses, count, PROBE_INTERVAL_MS, guard=guard))
        return {address: PingCount(seen.sent, seen.received, seen.rtt_mean_ms) for address, seen in answers.items()}

    return send


def _record(context: Context, report: MeasureReport, form: Format, title: str) -> None:
    for measurement in report.measurements:
        context.store.write_measurement(measurement)
    _show_measured(report, form, title)


def _show_measured(report: MeasureReport, form: Format, title: str) -> None:
    rows = [
        (each.line_id, each.kind, None if each.value is None else float(f"{each.value:.4g}"), each.unit, each.detail.get("reason"))
        for each in report.measurements
    ]
    measured = sum(row[2] is not None for row in rows)
    totals = {"measured": measured, "not measured": len(rows) - measured}
    show(Table(title, ("line", "criterion", "value", "unit", "reason"), rows, totals, ("reason",)), form)
    leave(report.exit_code)


def serve(
    root: Root = None,
    host: Annotated[str, typer.Option("--host", envvar="WAIWANG_HOST", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", envvar="WAIWANG_PORT", min=0, max=65535, help="port to listen on")] = 8080,
) -> None:
    """Poll on schedule and show: dashboard at /, API at /api/v1, metrics at /metrics."""
    from app.cli.serving import listening_socket, run_server  # here: no other command needs the web, half of all loading time

    context = open_context(root)
    show_moved_deadlines(context)
    poller = None if _illustrated(context) else _open_poller(context)
    if poller is None:
        tell("the plan is an illustration: shown, not polled")
    with listening_socket(os.environ, host, port) as sock:
        run_server(context, poller, sock)
