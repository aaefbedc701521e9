"""Commands that talk to devices by SSH: diff and deploy."""

from __future__ import annotations

import getpass
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from typing import Annotated

import typer
from nornir.core import Nornir
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from app.cli.context import Commit, Context, Form, Limit, Names, Root, Terms, leave, now, open_context
from app.cli.holds import holding_devices
from app.cli.interrupt import Watch, stopping_on_interrupt
from app.cli.output import Format, Table, show, stderr, stdout
from app.cli.paper import Language
from app.cli.rollout import (
    NO_WISHES,
    AtMost,
    Canary,
    Changes,
    InWindow,
    Record,
    ShownIn,
    StopAfter,
    Until,
    Wishes,
    read_pace,
    read_shown,
    tell_unfinished,
    warn_outside_windows,
    write_record,
)
from app.core.families import FAMILIES
from app.core.pacing import Pace
from app.errors import HALF_CHANGED, NOT_KNOWN
from app.workflows.deploy import DeployReport
from app.workflows.deploy import deploy as run_deploy
from app.workflows.diff import RESULTS, DeviceRow, counted_rows, exit_code, refuse_illustration
from app.workflows.diff import diff as run_diff
from app.workflows.hosts import open_gateway, open_nornir
from app.workflows.select import select
from app.workflows.shown import Shown

#: How the text's totals speak of devices that are counted by their results already.
IN_TOTALS = {HALF_CHANGED: "of these half changed", NOT_KNOWN: "of these not known"}

Unsafe = Annotated[list[str] | None, typer.Option("--unsafe", help="family that --commit may reach though it cannot revert")]
InLanguage = Annotated[Language, typer.Option("--language", envvar="WAIWANG_LANGUAGE", help="of a record as text or office file")]
Workers = Annotated[int, typer.Option("--workers", envvar="WAIWANG_WORKERS", min=1, max=500, help="devices at the same time")]


def diff(
    names: Names = None, root: Root = None, terms: Terms = None, limit: Limit = None, form: Form = Format.text, workers: Workers = 20
) -> None:
    """Show intended against running, a unified diff per device. Writes nothing."""
    context = open_context(root)
    refuse_illustration("diff", illustration=context.workspace.plan.illustration)
    chosen = chosen_devices(context, names, terms, limit, workers)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    with progress_bar("diff", len(chosen.inventory.hosts)) as step:
        rows = run_diff(chosen, context.intents, context.texts, gateway, progress=step)
    show_rows("diff", rows, form, diffs=True)
    leave(exit_code(rows))


def deploy(
    names: Names = None,
    root: Root = None,
    terms: Terms = None,
    limit: Limit = None,
    form: Form = Format.text,
    workers: Workers = 20,
    commit: Commit = False,
    unsafe: Unsafe = None,
    wait_s: Annotated[
        float, typer.Option("--wait", envvar="WAIWANG_WAIT", min=0, help="seconds to wait for a device that is only just being reached")
    ] = 30.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="leave the diffs out")] = False,
    canary: Canary = 0,
    stop_after: StopAfter = 10,
    changes: Changes = 0,
    until: Until = None,
    window: InWindow = None,
    at_most: AtMost = None,
    shown: ShownIn = None,
    record: Record = None,
    language: InLanguage = Language.zh,
    leaf_first: Annotated[
        bool, typer.Option("--leaf-first", help="the outermost devices first: for a change that both ends of a line must have")
    ] = False,
) -> None:
    """Show the patch of every device; --commit pushes it root first, reads it back, saves."""
    known_families(unsafe)
    context = open_context(root)
    refuse_illustration("deploy", illustration=context.workspace.plan.illustration)
    chosen = chosen_devices(context, names, terms, limit, workers)
    wishes = Wishes(canary, stop_after, changes, until, window, tuple(at_most or ()), record, language, quiet=quiet, wait_s=wait_s)
    before = None if shown is None else read_shown(shown)
    report = deploy_texts(
        "deploy", context, chosen, context.texts, form, commit=commit, unsafe=unsafe, wishes=wishes, shown=before, leaf_first=leaf_first
    )
    leave(report.exit_code)


def known_families(unsafe: Sequence[str] | None) -> None:
    """Refuse a family that is none."""
    if unknown := [family for family in unsafe or [] if family not in FAMILIES]:
        raise typer.BadParameter(f"no such family: {', '.join(unknown)}; known are {', '.join(FAMILIES)}", param_hint="--unsafe")


def deploy_texts(
    verb: str,
    context: Context,
    chosen: Nornir,
    texts: Mapping[str, str],
    form: Format,
    *,
    commit: bool,
    unsafe: Sequence[str] | None = None,
    wishes: Wishes = NO_WISHES,
    shown: Mapping[str, Shown] | None = None,
    leaf_first: bool = False,
    targets: Mapping[str, str] | None = None,
) -> DeployReport:
    """Bring the chosen devices to these texts, or show what that would take; print the rows, audit them under the verb.

    `targets` names a device's text in the differences, where it is not the intended one.
    """
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    pace, began = read_pace(wishes, context, chosen), now()
    if commit and not wishes.window:
        warn_outside_windows(context, chosen)
    tell_unfinished(context, list(chosen.inventory.hosts))
    finish = partial(_finish, context, verb, chosen, form, wishes, began, pace)
    watch = Watch(context.intents, list(chosen.inventory.hosts), _audit(context, verb, began) if commit else _audit_nothing)
    with (
        holding_devices(context, f"{verb} --commit", list(chosen.inventory.hosts)) if commit else nullcontext(),
        progress_bar(verb, len(chosen.inventory.hosts)) as step,
        stopping_on_interrupt(lambda: finish(watch.broken_off(committed=commit))) as is_stopped,
    ):
        report = run_deploy(
            chosen,
            context.intents,
            texts,
            gateway,
            commit=commit,
            record_backup=record_backup(context) if commit else record_nothing,
            wait_s=wishes.wait_s,
            unsafe=unsafe or (),
            progress=watch.progress(step),
            record_row=watch.record,
            is_stopped=is_stopped,
            leaf_first=leaf_first,
            pace=pace,
            clock=now,
            shown=shown,
            targets=targets,
        )
    finish(report)
    return report


def _finish(
    context: Context, verb: str, chosen: Nornir, form: Format, wishes: Wishes, began: datetime, pace: Pace, report: DeployReport
) -> None:
    """Print the rows of a run and write its record."""
    show_rows(f"{verb} --commit" if report.committed else verb, report.rows, form, diffs=not wishes.quiet)
    write_record(context, wishes, sys.argv[1:], report, chosen, began, pace)


def chosen_devices(context: Context, names: Sequence[str] | None, terms: Sequence[str] | None, limit: int | None, workers: int) -> Nornir:
    """Return Nornir over the devices that the command line names."""
    nornir = open_nornir(context.workspace, context.intents, context.settings, context.environ, workers=workers)
    return select(nornir, names or (), terms or (), limit)


def record_backup(context: Context) -> Callable[[str, str], None]:
    """Return what keeps a device's configuration in the database before anything is pushed to it."""
    store = context.store  # opened here, before threads ask for it

    def record(device: str, text: str) -> None:
        store.write_backup(device, now(), text, hashlib.sha256(text.encode()).hexdigest())

    return record


def _audit(context: Context, verb: str, began: datetime) -> Callable[[DeviceRow], None]:
    """Return what writes a device's row into the audit as soon as it is final: an interrupted run leaves its trace."""
    store, actor, run = context.store, getpass.getuser(), began.isoformat(timespec="seconds")

    def record(row: DeviceRow) -> None:
        detail: dict[str, object] = {"result": row.result, "changed": row.changed, "reason": row.reason, "run": run}
        if row.stands:
            detail |= {"stands": row.stands, "in_force": row.in_force}
        store.write_audit(now(), actor, verb, row.device, detail)

    return record


def _audit_nothing(row: DeviceRow) -> None:
    """Without --commit nothing was done."""


def record_nothing(device: str, text: str) -> None:
    """Without --commit nothing is pushed, so nothing is kept."""


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[str, str], None]]:
    """Show how many devices are done and what the newest one is at; on a terminal only, on stderr."""
    console = stderr()
    title_column, at_column = TextColumn("[bold]{task.description}"), TextColumn("{task.fields[at]}")
    columns = (title_column, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), at_column)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total, at="")

        def step(device: str, at: str) -> None:
            bar.update(task, at=f"{device}: {at}", advance=1 if at in RESULTS else 0)

        yield step


def show_rows(title: str, rows: Sequence[DeviceRow], form: Format, *, diffs: bool) -> None:
    """Print one row a device with totals, and with `diffs` the differences before it; at any rate what half a change has left."""
    if form is Format.text:
        for row in rows:
            if diffs:
                _show_diff(row)
            _show_in_force(row)
    cells = [(row.device, row.depth, row.result, row.changed, round(row.seconds, 1), _reason(row, form)) for row in rows]
    left = {row.device: {"stands": row.stands, "in_force": row.in_force} for row in rows if row.stands}
    columns = ("device", "depth", "result", "lines", "seconds", "reason")
    totals = {IN_TOTALS.get(word, word) if form is Format.text else word: number for word, number in counted_rows(rows).items()}
    show(Table(title, columns, cells, totals, ("reason",), {"given_up": left} if left else {}), form)


def _reason(row: DeviceRow, form: Format) -> str | None:
    """Return what a row has to say; among many rows, those that need somebody at once have to be seen."""
    if form is Format.text and row.stands in IN_TOTALS:
        return f"{IN_TOTALS[row.stands].removeprefix('of these ').upper()}. {row.reason}"
    return row.reason or None


def _show_in_force(row: DeviceRow) -> None:
    """Print every line that separates a half-changed device from what it ran before."""
    console = stdout()
    if row.in_force:
        console.print(Text(f"--- {row.device} before\n+++ {row.device} half changed", style="bold"), soft_wrap=True)
    for line in row.in_force:
        console.print(Text(line, style="green" if line.startswith("+") else "red"), soft_wrap=True)


def _show_diff(row: DeviceRow) -> None:
    console = stdout()
    for line in row.diff.splitlines():
        head = line.startswith(("+++", "---", "@@"))
        style = "bold" if head else "green" if line.startswith("+") else "red" if line.startswith("-") else ""
        console.print(Text(line, style=style), soft_wrap=True)
