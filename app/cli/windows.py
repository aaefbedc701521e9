"""Commands on change windows: planned maintenance, announced beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.lines import parse_moment, written
from app.cli.output import Format, Table, show, tell
from app.core.windows import DECLARED, ChangeWindow, Concern, WindowEvent, concerned_lines
from app.edge.alertmanager import Alertmanager
from app.workflows.windows import WindowReport, add_window, cancel_window, read_windows

window = typer.Typer(help="Change windows: planned maintenance that silences alerts and enters no availability.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="role of whoever announces it, never a name")]
Document = Annotated[str, typer.Option("--document", help="the notice that announces it")]
NoSilence = Annotated[bool, typer.Option("--no-silence", help="leave Alertmanager alone")]
COLUMNS = ("window", "state", "from", "to", "lines", "announced", "announced_late", "by", "document", "silence", "concerns")


@window.command()
def add(
    starts: Annotated[str, typer.Option("--from", help="day or moment on the order's clock")],
    ends: Annotated[str, typer.Option("--to", help="day or moment, exclusive")],
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    line: Annotated[list[str] | None, typer.Option("--line", help="line id or glob; again for several")] = None,
    device: Annotated[list[str] | None, typer.Option("--device", help="its lines and all behind it; again for several")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="code of a region, and those in it; again for several")] = None,
    no_silence: NoSilence = False,
    commit: Commit = False,
) -> None:
    """Announce a window; --commit silences its lines in Alertmanager and records it."""
    context, moment = open_context(root), now()
    zone = context.workspace.order.timezone
    span = parse_moment("--from", starts, zone), parse_moment("--to", ends, zone)
    concern = Concern(tuple(line or ()), tuple(device or ()), tuple(region or ()))
    event = WindowEvent("", DECLARED, moment, by, document, *span, concern)
    alertmanager = None if no_silence else _alertmanager(context)
    done = add_window(context.workspace, context.store, event, alertmanager, commit=commit, now=moment)
    _show_one(context, done, form, "window add")


@window.command()
def cancel(
    window_id: Annotated[str, typer.Argument(metavar="WINDOW", help="id of a window; waiwang window list shows them")],
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    no_silence: NoSilence = False,
    commit: Commit = False,
) -> None:
    """Cancel a window from now on; --commit ends its silence and records it."""
    context = open_context(root)
    alertmanager = None if no_silence else _alertmanager(context)
    done = cancel_window(context.store, window_id, by, document, alertmanager, commit=commit, now=now())
    _show_one(context, done, form, "window cancel")


@window.command("list")
def list_(
    root: Root = None,
    form: Form = Format.text,
    every: Annotated[bool, typer.Option("--all", help="those that are over or cancelled too")] = False,
) -> None:
    """Show windows that are announced or running, with --all every one."""
    context, moment = open_context(root), now()
    found = [each for each in read_windows(context.store) if every or each.state(moment) in ("announced", "running")]
    _show(context, found, form, "change windows")


def _alertmanager(context: Context) -> Alertmanager | None:
    address = context.settings.alertmanager_url
    return None if address is None else Alertmanager(address)


def _show_one(context: Context, done: WindowReport, form: Format, verb: str) -> None:
    title = f"{verb} --commit" if done.committed else f"{verb} (nothing recorded; --commit records)"
    _show(context, [done.window], form, title)
    if done.committed and not done.told:
        tell("Alertmanager was not told: alerts of these lines go on as before (WAIWANG_ALERTMANAGER_URL names one)")
    leave(done.exit_code)


def _show(context: Context, windows: Sequence[ChangeWindow], form: Format, title: str) -> None:
    workspace, moment = context.workspace, now()
    zone, notice = workspace.order.timezone, workspace.faults.notice_source
    rows = []
    for each in windows:
        event = each.declared
        concern = event.concern
        rows.append(
            (
                each.window_id,
                each.state(moment),
                written(event.starts_at, zone),
                written(event.ends_at, zone),
                len(concerned_lines(workspace.inventory, concern)),
                written(event.recorded_at, zone),
                "yes" if each.is_late(workspace.faults.notice) else "no",
                event.by,
                event.document,
                event.silence or None,
                (*concern.lines, *concern.devices, *concern.regions),
            )
        )
    late = sum(row[6] == "yes" for row in rows)
    hours = workspace.faults.notice.total_seconds() / 3600
    totals: dict[str, int | str] = {"windows": len(rows), "announced late": late}
    totals["notice"] = f"{hours:g} h ({notice.clause or notice.ruling or 'default'})"
    show(Table(title, COLUMNS, rows, totals, ("concerns",)), form)
