"""`waiwang audit …`: what devices really hold, against what is reviewed. Nothing is written."""

from __future__ import annotations

from collections import Counter

import typer

from app.cli.context import Form, Limit, Names, Root, Terms, leave, open_context
from app.cli.devices import Workers, chosen_devices, progress_bar
from app.cli.output import Format, Table, show, tell
from app.core.address_audit import KINDS
from app.workflows.audit import addresses as run_addresses
from app.workflows.diff import refuse_illustration
from app.workflows.hosts import open_gateway

app = typer.Typer(help="What devices really hold, against plan and baseline. Nothing is written.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Keep `addresses` a word of its own while it is the only one."""


@app.command()
def addresses(
    names: Names = None, root: Root = None, terms: Terms = None, limit: Limit = None, form: Form = Format.text, workers: Workers = 20
) -> None:
    """Name every address outside its slice, every overlap, every address and route that nobody holds. Exits 4 with findings."""
    context = open_context(root)
    refuse_illustration("audit", illustration=context.workspace.plan.illustration)
    chosen = chosen_devices(context, names, terms, limit, workers)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    with progress_bar("audit", len(chosen.inventory.hosts)) as step:
        report = run_addresses(chosen, context.workspace, context.intents, gateway, progress=step)
    rows = [
        (", ".join(one.kinds), one.unit or None, one.device, one.interface or None, one.found, one.expected, one.detail)
        for one in report.findings
    ]
    counted = Counter(kind for one in report.findings for kind in one.kinds)
    totals: dict[str, int | str] = {"devices read": report.read, "not read": len(report.failures), "findings": len(rows)}
    totals |= {kind: counted[kind] for kind in KINDS if counted[kind]}
    show(Table("audit addresses", ("kind", "unit", "device", "interface", "found", "expected", "detail"), rows, totals), form)
    for row in report.failures:
        tell(f"{row.device} {row.result}: {row.reason}")
    leave(report.exit_code)
