"""`waiwang renumber …`: from old prefixes to the plan's, unit by unit."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.devices import Workers, progress_bar, record_backup, record_nothing, show_rows
from app.cli.holds import holding_devices
from app.cli.interrupt import stopping_on_interrupt
from app.cli.output import Format, Table, show, tell
from app.core.ipplan import PHASES
from app.core.renumber import UNPLANNED, burn_down, find_moves
from app.errors import ExitCode, Finding, InputError
from app.workflows.diff import refuse_illustration
from app.workflows.hosts import open_gateway
from app.workflows.renumber import Ground, RenumberReport, cut_over
from app.workflows.renumber import finish as run_finish
from app.workflows.renumber import plan as run_plan
from app.workflows.renumber import start as run_start

app = typer.Typer(help="Renumber units to the plan: both addresses for a while, proof before anything is taken away.", no_args_is_help=True)

Units = Annotated[list[str] | None, typer.Argument(metavar="[UNIT]...", help="unit ids or globs; none means all")]
Wait = Annotated[float, typer.Option("--wait", help="seconds to wait for a device or a proof")]
Unsafe = Annotated[list[str] | None, typer.Option("--unsafe", help="family that --commit may reach though it cannot revert")]
Quiet = Annotated[bool, typer.Option("--quiet", help="leave the diffs out")]


@app.command()
def plan(root: Root = None, form: Form = Format.text, commit: Commit = False) -> None:
    """Give holders in retired pools a new prefix beside the old one; --commit writes the ledger, no device is touched."""
    context = open_context(root)
    planned = run_plan(context.settings.root, commit=commit, today=context.today)
    rows = [(row.holder, str(row.replaces), str(row.prefix), row.pool, row.vrf) for row in planned.added]
    show(Table("renumber plan", ("holder", "old", "new", "pool", "vrf"), rows, {"new prefixes": len(rows)}), form)
    for note in planned.notes:
        tell(str(note))
    leave(ExitCode.PENDING if rows and not commit else ExitCode.OK)


@app.command()
def start(
    units: Units = None,
    root: Root = None,
    form: Form = Format.text,
    workers: Workers = 20,
    commit: Commit = False,
    wait_s: Wait = 30.0,
    unsafe: Unsafe = None,
    quiet: Quiet = False,
) -> None:
    """Put the new addresses beside the old ones on LANs, lines and loopbacks; nothing is taken away."""
    context = open_context(root)
    chosen = _units(context, units)
    with _ground(context, workers, wait_s, unsafe, commit=commit) as ground:
        report = run_start(ground, chosen, commit=commit)
    _end(context, report, form, quiet=quiet)


@app.command()
def cutover(
    units: Units = None,
    root: Root = None,
    form: Form = Format.text,
    workers: Workers = 20,
    commit: Commit = False,
    wait_s: Wait = 30.0,
    unsafe: Unsafe = None,
    quiet: Quiet = False,
) -> None:
    """Prove that the new addresses work, then let them lead; the old ones stay beside. What is not proven stays as it is."""
    context = open_context(root)
    chosen = _units(context, units)
    with _ground(context, workers, wait_s, unsafe, commit=commit) as ground:
        report = cut_over(ground, chosen, commit=commit)
    _end(context, report, form, quiet=quiet)


@app.command()
def finish(
    units: Units = None,
    root: Root = None,
    form: Form = Format.text,
    workers: Workers = 20,
    commit: Commit = False,
    wait_s: Wait = 30.0,
    unsafe: Unsafe = None,
    quiet: Quiet = False,
    despite_hosts: Annotated[bool, typer.Option("--despite-hosts", help="also where hosts still answer in an old prefix")] = False,
    restart_igp: Annotated[
        bool,
        typer.Option("--restart-igp", "--restart-ospf", help="let OSPF or IS-IS begin anew by the new address; traffic stops for a moment"),
    ] = False,
) -> None:
    """Take the old addresses away, leaf first, prove that they are gone, and release them into quarantine."""
    context = open_context(root)
    chosen = _units(context, units)
    with _ground(context, workers, wait_s, unsafe, commit=commit) as ground:
        report = run_finish(ground, chosen, commit=commit, today=context.today, despite_hosts=despite_hosts, restarting=restart_igp)
    _end(context, report, form, quiet=quiet)


@app.command()
def status(
    root: Root = None, form: Form = Format.text, moves: Annotated[bool, typer.Option("--moves", help="every prefix, not units")] = False
) -> None:
    """Show how far each unit is and how many are left. Exits 5 while any unit is not finished."""
    context = open_context(root)
    units = burn_down(context.workspace)
    totals = Counter(unit.phase for unit in units)
    burned: dict[str, int | str] = {"units": len(units), **{phase: totals[phase] for phase in (UNPLANNED, *PHASES) if totals[phase]}}
    if moves:
        listed = [(m.unit, m.holder, str(m.old), str(m.new), m.phase) for m in find_moves(context.workspace)]
        show(Table("renumber status", ("unit", "holder", "old", "new", "phase"), listed, burned), form)
    else:
        rows = [(u.unit, u.region, u.phase, ", ".join(f"{number} {phase}" for phase, number in u.moves.items())) for u in units]
        show(Table("renumber status", ("unit", "region", "phase", "prefixes"), rows, burned), form)
    leave(ExitCode.PENDING if any(unit.phase != "finished" for unit in units) else ExitCode.OK)


@contextmanager
def _ground(context: Context, workers: int, wait_s: float, unsafe: list[str] | None, *, commit: bool) -> Iterator[Ground]:
    refuse_illustration("renumber", illustration=context.workspace.plan.illustration)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    backup: Callable[[str, str], None] = record_backup(context) if commit else record_nothing
    devices = list(context.workspace.inventory.devices)
    with (
        holding_devices(context, "renumber --commit", devices) if commit else nullcontext(),  # both ends, and what lies between them
        progress_bar("renumber", len(devices)) as step,
        stopping_on_interrupt(_tell_broken_off) if commit else nullcontext(_never) as is_stopped,
    ):
        yield Ground(
            context.settings.root,
            context.settings,
            context.environ,
            gateway,
            backup,
            workers,
            wait_s,
            tuple(unsafe or ()),
            step,
            is_stopped,
        )


def _never() -> bool:
    return False


def _tell_broken_off() -> None:
    tell(
        "broken off: what was typed on the devices under way may be in force and is not saved. Run the same step again to finish it, or "
        "take a device back with waiwang rollback."
    )


def _units(context: Context, wanted: list[str] | None) -> frozenset[str]:
    """Return the units that are meant; empty means all. Raises InputError for a name that fits no unit of the programme."""
    known = {move.unit for move in find_moves(context.workspace)}
    unknown = [name for name in wanted or [] if not any(fnmatchcase(unit, name) for unit in known)]
    if unknown:
        expected = "a unit of the programme (waiwang renumber status)"
        raise InputError([Finding("selection", "unit", expected, name, "Correct the name, or plan it first.") for name in unknown])
    return frozenset(unit for unit in known if any(fnmatchcase(unit, name) for name in wanted or []))


def _end(context: Context, report: RenumberReport, form: Format, *, quiet: bool) -> None:
    """Show devices, then holders; keep in the database who did it; leave with the report's code."""
    if form is Format.text and report.devices:
        show_rows(f"renumber {report.step}", report.devices, form, diffs=not quiet)
    rows = [
        (row.move.unit, row.move.holder, str(row.move.old), str(row.move.new), row.result, "; ".join(row.reasons) or None)
        for row in report.moves
    ]
    totals = dict(Counter(row.result for row in report.moves))
    devices = Counter(row.result for row in report.devices)
    table = Table(
        f"renumber {report.step}",
        ("unit", "holder", "old", "new", "result", "reason"),
        rows,
        {**totals, **{f"devices {result}": number for result, number in devices.items()}},
    )
    show(table, form)
    if report.committed:
        for row in report.moves:
            detail = {"old": str(row.move.old), "new": str(row.move.new), "result": row.result}
            context.store.write_audit(now(), getpass.getuser(), f"renumber {report.step}", row.move.holder, detail)
    leave(report.exit_code)
