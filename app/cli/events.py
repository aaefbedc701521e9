"""Commands that record what units report: fees, contacts, software, training, websites, readiness, points."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.output import Format, Table, show, show_findings
from app.core.events import EventUse, UnitEvent, build_book, event_uses
from app.edge.files.events import COLUMNS as HEADINGS
from app.edge.files.events import start_of
from app.errors import Finding, InputError
from app.workflows.events import EventReport, add_event, import_events

event = typer.Typer(help="What units report; evidence for milestones that no line shows.", no_args_is_help=True)
COLUMNS = ("subject", "event", "observed", "by", "document", "points", "state")


@event.command("add")
def add(
    subject: Annotated[str, typer.Argument(help="unit id, service:ID or region:CODE")],
    name: Annotated[str, typer.Argument(metavar="EVENT", help="an event that the order asks for; waiwang event kinds lists them")],
    on: Annotated[str, typer.Option("--on", help="day on which it happened, such as 2008-04-18")],
    by: Annotated[str, typer.Option("--by", help="role of whoever reports it, never a name")],
    document: Annotated[str, typer.Option("--document", help="the document that shows it")],
    root: Root = None,
    form: Form = Format.text,
    amount: Annotated[float | None, typer.Option("--amount", help="points, where a score row asks for them")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="take back what was recorded on this document")] = False,
    commit: Commit = False,
) -> None:
    """Record one report; --commit writes it."""
    context = open_context(root)
    at = start_of(_day(on), context.workspace.order.timezone)
    row = UnitEvent(subject, name, at, now(), by, document, amount, holds=not withdraw, where="command line")
    _show(context, add_event(context.workspace, context.store, row, commit=commit, now=now()), form, "event add")


@event.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help=f"CSV (UTF-8) or XLSX with the heads {', '.join(HEADINGS)}")],
    root: Root = None,
    form: Form = Format.text,
    skip_rejected: Annotated[bool, typer.Option("--skip-rejected", help="write the good rows although others were rejected")] = False,
    commit: Commit = False,
) -> None:
    """Record a table of reports; every rejected row is named; --commit writes."""
    context = open_context(root)
    report = import_events(context.workspace, context.store, file, commit=commit, skip_rejected=skip_rejected, now=now())
    _show(context, report, form, "event import")


@event.command("list")
def list_(
    root: Root = None,
    form: Form = Format.text,
    subject: Annotated[str | None, typer.Option("--subject", help="of one unit, service or region only")] = None,
) -> None:
    """Show every report, those taken back too, in the order in which they were recorded."""
    context = open_context(root)
    rows = context.store.events(subject)
    in_force = set(build_book(rows).in_force)
    table = [_row(context, row, "holds" if row in in_force else "withdrawn" if not row.holds else "replaced") for row in rows]
    show(Table("events", COLUMNS, table, {"reports": len(rows), "in force": len(in_force)}), form)


@event.command()
def kinds(root: Root = None, form: Form = Format.text) -> None:
    """Show every event that the order asks for, and of whom."""
    uses = list(event_uses(open_context(root).workspace.order))
    rows = [(use.event, use.title, use.subject, _whom(use), None if use.limit is None else f"{use.limit:g}") for use in uses]
    show(Table("events that the order asks for", ("event", "title", "subject", "of_whom", "points"), rows, {"events": len(rows)}), form)


def _show(context: Context, report: EventReport, form: Format, verb: str) -> None:
    if form is Format.text and report.rejected:
        show_findings(report.rejected, form, title=verb)
    state = "recorded" if report.committed else "pending"
    rows = [_row(context, row, state) for row in report.new]
    if form is not Format.text:
        rows += [(finding.where, None, None, None, str(finding), None, "rejected") for finding in report.rejected]
    rejected = len({finding.where for finding in report.rejected})
    totals = {"rows": report.rows, "new": len(report.new), "known already": report.known, "rejected": rejected}
    show(Table(f"{verb} --commit" if report.committed else f"{verb} (nothing recorded; --commit records)", COLUMNS, rows, totals), form)
    leave(report.exit_code)


def _row(context: Context, row: UnitEvent, state: str) -> tuple[object, ...]:
    observed = row.observed_at.astimezone(context.workspace.order.timezone)
    points = None if row.amount is None else f"{row.amount:g}"
    return row.subject, row.event, f"{observed:%Y-%m-%d}", row.by_role, row.document, points, state


def _whom(use: EventUse) -> str:
    if use.scope is None:
        return "all"
    return "; ".join(", ".join(names) for names in (use.scope.levels, use.scope.kinds) if names) or "all"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        step = "Write year, month and day."
        raise InputError([Finding("command line", "`--on` is no day", "a date such as 2008-04-18", text, step)]) from None
