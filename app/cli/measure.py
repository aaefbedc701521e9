"""Commands of active tests: reach, rate, steps, reserved, medium, probe; and a tester's result taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.holds import holding_devices
from app.cli.interrupt import ending_as_interrupt
from app.cli.lines import Lines, chosen_lines
from app.cli.measure_ground import (
    PortReader,
    ground_of,
    open_agent,
    ping_from_centre,
    rate_tester,
    record,
    refuse_drawing_board,
    require_quiet,
    show_measured,
)
from app.cli.output import Format, Table, show
from app.core.commands import Command
from app.core.inventory import Line
from app.core.render import build_environment, render_device
from app.core.service_class import ServiceClass
from app.edge.templates import read_templates
from app.errors import ExitCode, Finding, InputError
from app.workflows.activate import Patience, activate, reserved_ends
from app.workflows.hosts import open_gateway
from app.workflows.measure import MeasureReport, measure_probe, measure_rate, measure_reach
from app.workflows.medium import measure_medium
from app.workflows.steps import measure_steps
from app.workflows.tester_import import import_result

app = typer.Typer(help="Active tests; their results are evidence for waiwang accept.", no_args_is_help=True)
Seconds = Annotated[int, typer.Option("--seconds", envvar="WAIWANG_SECONDS", min=2, max=60, help="per direction")]
Told = Annotated[bool, typer.Option("--now", help="within office hours too: the units were told")]


@app.command()
def reach(
    lines: Lines = None,
    root: Root = None,
    form: Form = Format.text,
    count: Annotated[int, typer.Option("--count", envvar="WAIWANG_COUNT", min=1, max=1000, help="probes per target")] = 20,
) -> None:
    """Probe every line's far device from the centre (loss, delay, jitter), and from there every service that its unit must reach."""
    context = open_context(root)
    refuse_drawing_board(context)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    report = measure_reach(ground_of(context), chosen_lines(context, lines), ping_from_centre(context), gateway, count=count)
    record(context, report, form, "measure reach")


@app.command()
def probe(lines: Lines = None, root: Root = None, form: Form = Format.text) -> None:
    """Read what every far device's own probe of the centre found (NQA, IP SLA): second evidence beside `measure reach`."""
    context = open_context(root)
    refuse_drawing_board(context)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    record(context, measure_probe(ground_of(context), chosen_lines(context, lines), gateway), form, "measure probe")


@app.command()
def medium(lines: Lines = None, root: Root = None, form: Form = Format.text) -> None:
    """Read by SNMP what the medium shows: port speed, duplex and light of fibre, sync, margin and attenuation of ADSL."""
    context = open_context(root)
    refuse_drawing_board(context)
    report = asyncio.run(measure_medium(ground_of(context), chosen_lines(context, lines), lambda intent: open_agent(context, intent)))
    record(context, report, form, "measure medium")


@app.command()
def rate(lines: Lines = None, root: Root = None, form: Form = Format.text, seconds: Seconds = 5, told: Told = False) -> None:
    """Load lines in both directions and record the rates. In the lab: iperf3 between lab hosts. Not within office hours."""
    context = open_context(root)
    chosen, tester = chosen_lines(context, lines), rate_tester(context, seconds)
    require_quiet(context, told=told)
    record(context, measure_rate(ground_of(context), chosen, tester), form, "measure rate")


@app.command()
def steps(lines: Lines = None, root: Root = None, form: Form = Format.text, seconds: Seconds = 3, told: Told = False) -> None:
    """Load lines at 50, 75, 90 and 100 % of their rate and count what is lost at each step. Not within office hours."""
    context = open_context(root)
    chosen, tester = chosen_lines(context, lines), rate_tester(context, seconds)
    require_quiet(context, told=told)
    record(context, measure_steps(ground_of(context), chosen, tester), form, "measure steps")


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or JSON of an RFC 2544 or Y.1564 run; the layout: docs/measuring.md")],
    root: Root = None,
    form: Form = Format.text,
    commit: Commit = False,
) -> None:
    """Take a tester's result in: every row is judged; --commit records what it means, once."""
    context = open_context(root)
    report = import_result(context.workspace, context.store, file, commit=commit, now=now())
    title = "measure import --commit" if commit else "measure import (nothing recorded; --commit records)"
    show_measured(report.new, form, title, **{"new": len(report.new), "known already": report.known})
    leave(report.exit_code)


@app.command()
def reserved(lines: Lines = None, root: Root = None, form: Form = Format.text, commit: Commit = False) -> None:
    """Show, or with --commit carry out, the supervised activation of reserved ports: both ends up, seen, shut again."""
    context = open_context(root)
    chosen = [line for line in chosen_lines(context, lines) if _class_of(context, line).reserved_port_mbps]
    environment = build_environment(read_templates(context.settings.root))
    ends = {line.line_id: reserved_ends(line, context.intents, lambda intent: render_device(intent, environment)) for line in chosen}
    if not commit:
        rows = [
            (line_id, end.device, end.interface, _typed(end.up), _typed(end.shut)) for line_id, both in ends.items() for end in both
        ]
        title = "measure reserved (nothing sent; --commit sends)"
        show(Table(title, ("line", "device", "port", "up", "shut"), rows, {"ports": len(rows)}, ("up", "shut")), form)
        leave(ExitCode.PENDING if rows else ExitCode.OK)
    refuse_drawing_board(context)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    if real := [end.device for both in ends.values() for end in both if not gateway.is_practice(context.intents[end.device])]:
        step = "Nothing was sent. Until this family can revert by itself, activate its reserved ports by hand."
        raise InputError([Finding("measure reserved", "devices", "devices of the lab or on loopback", ", ".join(real), step)])
    ground, reader = ground_of(context), PortReader(context)
    measured = []
    devices = sorted({end.device for both in ends.values() for end in both})
    with holding_devices(context, "measure reserved --commit", devices), ending_as_interrupt():
        for line in chosen:
            proof = activate(ground, line, _class_of(context, line), ends[line.line_id], gateway, reader.read, patience=Patience())
            context.store.write_measurement(proof)  # at once: what was proven before an interruption stays proven
            measured.append(proof)
    show_measured(measured, form, "measure reserved --commit")
    leave(MeasureReport(tuple(measured)).exit_code)


def _typed(commands: Sequence[Command]) -> str:
    return " / ".join(command.text for command in commands)


def _class_of(context: Context, line: Line) -> ServiceClass:
    return context.workspace.order.classes[line.service_class]
