"""Commands that look back at a device and take it back: history and rollback."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Names, Root, Terms, leave, now, open_context
from app.cli.devices import InLanguage, Unsafe, Workers, chosen_devices, deploy_texts, known_families
from app.cli.lines import parse_moment, written
from app.cli.output import Format, Table, show, tell
from app.cli.paper import Language
from app.cli.rollout import SHOWN, Record, Wishes
from app.core.intent import DeviceIntent
from app.core.moments import on_the_clock
from app.edge.database.decisions import Backup
from app.errors import ExitCode
from app.workflows.deploy import DeployReport
from app.workflows.diff import refuse_illustration
from app.workflows.rollback import difference_to_intended, earlier_text, find_backup, first_backups, lines_from_intended


def history(
    device: Annotated[str | None, typer.Argument(help="one device", show_default="what was done to all of them")] = None,
    root: Root = None,
    text: Annotated[int | None, typer.Option("--text", metavar="BACKUP", help="print this backup, secrets masked")] = None,
    against: Annotated[int | None, typer.Option("--diff", metavar="BACKUP", help="print what separates it from the intended text")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="T", help="what was done from this day or moment on", show_default="the last day")
    ] = None,
    form: Form = Format.text,
) -> None:
    """Show the configurations of a device that were kept before a change, newest first; with --since, or no device, what was done."""
    context = open_context(root)
    if device is None and (text is not None or against is not None):
        raise typer.BadParameter("name the device whose backup it is", param_hint="DEVICE")
    if device is None or since is not None:
        _show_deeds(context, device, since, form)
        return
    intent = _intent(context, device)
    if text is not None:
        sys.stdout.write(find_backup(context.store, intent.hostname, text).text)
    elif against is not None:
        backup = find_backup(context.store, intent.hostname, against)
        sys.stdout.write(difference_to_intended(backup, intent, context.texts[intent.hostname]))
    else:
        _show_history(context, intent, form)


def _show_deeds(context: Context, device: str | None, since: str | None, form: Format) -> None:
    """Print every step that runs recorded, oldest first."""
    zone = context.workspace.order.timezone
    start = now() - timedelta(days=1) if since is None else parse_moment("--since", since, zone)
    subject = None if device is None else _intent(context, device).hostname
    rows = [
        (
            written(entry.at, zone),
            entry.actor,
            entry.verb,
            entry.subject,
            entry.detail.get("result"),
            entry.detail.get("changed"),
            entry.detail.get("reason") or None,
        )
        for entry in context.store.audit(start, subject)
        if entry.subject in context.intents and "result" in entry.detail
    ]
    totals = Counter(str(row[4]) for row in rows)
    columns = ("at", "by", "verb", "device", "result", "lines", "reason")
    show(Table(f"done since {written(start, zone)}", columns, rows, {"steps": len(rows), **totals}, ("reason",)), form)


def _show_history(context: Context, intent: DeviceIntent, form: Format) -> None:
    zone, intended = context.workspace.order.timezone, context.texts[intent.hostname]
    rows = [
        (
            backup.backup_id,
            on_the_clock(backup.at, zone),
            len(backup.text.splitlines()),
            lines_from_intended(backup, intent, intended),
            backup.digest[:12],
        )
        for backup in context.store.backups(intent.hostname)
    ]
    columns = ("backup", "taken_at", "lines", "lines_from_intended", "digest")
    show(Table(f"history of {intent.hostname}", columns, rows, {"backups": len(rows)}), form)


def rollback(
    names: Names = None,
    root: Root = None,
    terms: Terms = None,
    to: Annotated[int | None, typer.Option("--to", metavar="BACKUP", help="a number of waiwang history", show_default="the newest")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="T", help="take back all that was changed from this moment on, leaf first")
    ] = None,
    form: Form = Format.text,
    workers: Workers = 20,
    commit: Commit = False,
    unsafe: Unsafe = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="leave the diffs out")] = False,
    record: Record = None,
    language: InLanguage = Language.zh,
) -> None:
    """Show the patch that takes one device back to a backup; --commit pushes it, reads it back, saves.

    With --since every chosen device goes back to what it ran before its first change from that moment on: a whole night's work.

    The workspace's files stay as they are: the next deploy would bring the change again. Correct them first.
    """
    known_families(unsafe)
    context = open_context(root)
    refuse_illustration("rollback", illustration=context.workspace.plan.illustration)
    kept = _kept(context, names, terms, to, since)
    chosen = chosen_devices(context, list(kept), None, None, workers)
    earlier = {name: earlier_text(backup, context.intents[name], context.texts[name]) for name, backup in kept.items()}
    report = deploy_texts(
        "rollback",
        context,
        chosen,
        earlier,
        form,
        commit=commit,
        unsafe=unsafe,
        wishes=Wishes(record=record, language=language, quiet=quiet),
        leaf_first=since is not None,
        targets=_targets(context, kept),
    )
    if commit:
        _tell_of_the_next_deploy(context, kept, report)
    leave(report.exit_code)


def _kept(
    context: Context, names: Sequence[str] | None, terms: Sequence[str] | None, to: int | None, since: str | None
) -> dict[str, Backup]:
    """Return the backup that each chosen device goes back to: one device's, or of all that were changed since a moment."""
    if since is None:
        if not names or len(names) != 1 or terms:
            raise typer.BadParameter("name one device, or a moment with --since", param_hint="DEVICE")
        intent = _intent(context, names[0])
        return {intent.hostname: find_backup(context.store, intent.hostname, to)}
    if to is not None:
        raise typer.BadParameter("a backup is one device's; leave it out with --since", param_hint="--to")
    chosen = chosen_devices(context, names, terms, None, workers=1)
    return first_backups(context.store, set(chosen.inventory.hosts), parse_moment("--since", since, context.workspace.order.timezone))


def _targets(context: Context, kept: Mapping[str, Backup]) -> dict[str, str]:
    """Return what the differences call each device's backup."""
    zone = context.workspace.order.timezone
    return {name: f"backup {backup.backup_id} of {on_the_clock(backup.at, zone)}" for name, backup in kept.items()}


def _tell_of_the_next_deploy(context: Context, kept: Mapping[str, Backup], report: DeployReport) -> None:
    """Say which devices run a backup that is not what the workspace asks for."""
    back = [row.device for row in report.rows if row.exit_code is ExitCode.OK]
    differ = [name for name in back if lines_from_intended(kept[name], context.intents[name], context.texts[name])]
    for name in differ[:SHOWN]:
        tell(f"{name} runs backup {kept[name].backup_id}; the next waiwang deploy would bring its intended text again.")
    if len(differ) > SHOWN:
        tell(f"so it is with {len(differ) - SHOWN} more")


def _intent(context: Context, device: str) -> DeviceIntent:
    (name,) = chosen_devices(context, [device], None, 1, workers=1).inventory.hosts
    return context.intents[name]
