"""The command that asks devices what they are."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase

from app.cli.context import Form, Names, Root, leave, now, open_context
from app.cli.output import Format, Table, show
from app.errors import Finding, InputError
from app.workflows.identify import agent_opener, identify


def identify_devices(names: Names = None, root: Root = None, form: Form = Format.text) -> None:
    """Ask devices for their description, model and serial number, and keep what has changed."""
    context = open_context(root)
    reachable = [name for name, intent in context.intents.items() if intent.contacts]
    chosen = [name for name in reachable if not names or any(fnmatchcase(name, wanted) for wanted in names)]
    if not chosen:
        step = f"Known are for example {', '.join(reachable[:3])}." if reachable else "Give devices addresses with waiwang plan --commit."
        raise InputError([Finding("selection", "device", "a device that has an address", ", ".join(names or ["none"]), step)])
    open_agent = agent_opener(context.workspace, context.intents, context.settings, context.environ)
    report = asyncio.run(identify(context.store, chosen, open_agent, now))
    rows: list[tuple[object, ...]] = [
        (each.device, "new" if each.device in report.changed else "unchanged", each.model, each.serial, each.sys_descr)
        for each in report.said
    ]
    rows += [(device, "failed", None, None, reason) for device, reason in report.failed.items()]
    totals = {"answered": len(report.said), "new": len(report.changed), "failed": len(report.failed)}
    show(Table("identify", ("device", "state", "model", "serial", "description"), rows, totals, ("description",)), form)
    leave(report.exit_code)
