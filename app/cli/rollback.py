"""Commands that look back at a device and take it back: history and rollback."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, open_context
from app.cli.devices import Unsafe, chosen_devices, deploy_texts, known_families
from app.cli.output import Format, Table, show, tell
from app.core.intent import DeviceIntent
from app.core.moments import on_the_clock
from app.errors import ExitCode
from app.workflows.diff import refuse_illustration
from app.workflows.rollback import difference_to_intended, earlier_text, find_backup, lines_from_intended

Device = Annotated[str, typer.Argument(help="one device")]


def history(
    device: Device,
    root: Root = None,
    text: Annotated[int | None, typer.Option("--text", metavar="BACKUP", help="print this backup, secrets masked")] = None,
    against: Annotated[int | None, typer.Option("--diff", metavar="BACKUP", help="print what separates it from the intended text")] = None,
    form: Form = Format.text,
) -> None:
    """Show the configurations of a device that were kept before a change, newest first."""
    context = open_context(root)
    intent = _intent(context, device)
    if text is not None:
        sys.stdout.write(find_backup(context.store, intent.hostname, text).text)
    elif against is not None:
        backup = find_backup(context.store, intent.hostname, against)
        sys.stdout.write(difference_to_intended(backup, intent, context.texts[intent.hostname]))
    else:
        _show_history(context, intent, form)


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
    device: Device,
    root: Root = None,
    to: Annotated[int | None, typer.Option("--to", metavar="BACKUP", help="a number of waiwang history", show_default="the newest")] = None,
    form: Form = Format.text,
    commit: Commit = False,
    unsafe: Unsafe = None,
) -> None:
    """Show the patch that takes one device back to a backup; --commit pushes it, reads it back, saves.

    The workspace's files stay as they are: the next deploy would bring the change again. Correct them first.
    """
    known_families(unsafe)
    context = open_context(root)
    refuse_illustration("rollback", illustration=context.workspace.plan.illustration)
    intent = _intent(context, device)
    backup = find_backup(context.store, intent.hostname, to)
    earlier = earlier_text(backup, intent, context.texts[intent.hostname])
    chosen = chosen_devices(context, [intent.hostname], None, None, workers=1)
    target = f"backup {backup.backup_id} of {on_the_clock(backup.at, context.workspace.order.timezone)}"
    report = deploy_texts("rollback", context, chosen, {intent.hostname: earlier}, form, commit=commit, unsafe=unsafe, target=target)
    if commit and report.exit_code is ExitCode.OK and lines_from_intended(backup, intent, context.texts[intent.hostname]):
        tell(f"{intent.hostname} runs backup {backup.backup_id}; the next waiwang deploy would bring its intended text again.")
    leave(report.exit_code)


def _intent(context: Context, device: str) -> DeviceIntent:
    (name,) = chosen_devices(context, [device], None, 1, workers=1).inventory.hosts
    return context.intents[name]
