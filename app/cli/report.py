"""Reports on the whole rollout: scores with their working, whom the next circular names, an organisation's list, availability."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.context import Form, Root, leave, now, open_context
from app.cli.deadlines import deadlines
from app.cli.output import Format, Table, show
from app.core.acceptance import FAIL, NOT_PROVEN
from app.errors import ExitCode, worst
from app.workflows.appraise import availability as run_availability
from app.workflows.appraise import circular as run_circular
from app.workflows.appraise import list_of, score_table

report = typer.Typer(help="Scores, circulars, lists of organisations, availability.", no_args_is_help=True)


@report.command()
def scores(
    table: Annotated[str | None, typer.Argument(help="id of the score table; none means the order's first")] = None,
    root: Root = None,
    form: Form = Format.text,
    subject: Annotated[str | None, typer.Option("--subject", help="show the working of one unit, or of region:CODE")] = None,
) -> None:
    """Show an appraisal table: ranks, prizes, and with --subject every row's working."""
    context = open_context(root)
    found, ranked = score_table(context.workspace, context.store, table, now())
    if subject is None:
        rows: list[tuple[object, ...]] = [
            (each.kind, each.rank, each.prize, each.subject, each.name, f"{each.total:.2f}", _yes_no(each.provisional), each.working)
            for each in ranked
        ]
        columns: tuple[str, ...] = ("kind", "rank", "prize", "subject", "name", "score", "provisional", "working")
    else:
        chosen = [each for each in ranked if each.subject == subject]
        rows = [
            (row.item_id, row.title, f"{row.points:g}", None if row.earned is None else f"{row.earned:.2f}", row.working)
            for each in chosen
            for row in each.rows
        ]
        rows += [(row.adjustment_id, row.title, None, f"{row.points:.2f}", row.working) for each in chosen for row in each.adjustments]
        columns = ("row", "title", "points", "earned", "working")
    provisional = sum(each.provisional for each in ranked)
    show(Table(found.title, columns, rows, {"scored": len(ranked), "provisional": provisional}), form)
    leave(ExitCode.OK if ranked else ExitCode.NOTHING_MEASURED)


@report.command()
def circular(root: Root = None, form: Form = Format.text) -> None:
    """Show whom a circular of today names, and when the order's circulars are due."""
    context = open_context(root)
    found = run_circular(context.workspace, context.store, now())
    rows = [(each.unit_id, each.name, each.region, each.line_id, each.cause, each.days_late, each.clock_holder) for each in found.named]
    totals: dict[str, int | str] = {"named": len(rows)}
    totals |= {name: day.isoformat() if day else "irregular" for name, day in found.due}
    columns = ("unit", "name", "region", "line", "cause", "days late", "clock holder")
    show(Table("circular", columns, rows, totals), form)
    leave(ExitCode.DEADLINE if any(each.cause == "late" for each in found.named) else ExitCode.OK)


report.command()(deadlines)


@report.command()
def organisation(
    organisation_id: Annotated[str, typer.Argument(metavar="ID", help="id of an organisation of the order")],
    root: Root = None,
    form: Form = Format.text,
) -> None:
    """Show what one organisation answers for: its milestones and its lines."""
    context = open_context(root)
    own = list_of(context.workspace, context.store, organisation_id, now())
    rows: list[tuple[object, ...]] = [
        ("milestone", each.milestone_id, each.title, each.due_on, each.state, f"{each.done}/{each.total}") for each in own.milestones
    ]
    rows += [("line", line.line_id, line.unit_name, line.due_on, line.due, line.clock_holder) for line in own.lines]
    late = sum(line.due == "late" for line in own.lines)
    totals = {"milestones": len(own.milestones), "lines": len(own.lines), "late": late}
    show(Table(own.organisation.title, ("kind", "id", "name", "due", "standing", "done or held by"), rows, totals), form)
    leave(ExitCode.DEADLINE if late or any(each.state == "late" for each in own.milestones) else ExitCode.OK)


@report.command()
def availability(root: Root = None, form: Form = Format.text) -> None:
    """Show how much of the time accepted lines were up, against the order's duty."""
    context = open_context(root)
    found = run_availability(context.workspace, context.store, poll_interval_s=context.settings.poll_interval_s, now=now())
    rows = [
        (each.line_id, each.verdict, _percent(each.share), f"{each.coverage:.1%}", str(each.down), each.since.isoformat(timespec="seconds"))
        for each in found
    ]
    verdicts = {each.verdict for each in found}
    show(Table("availability", ("line", "verdict", "up", "measured", "down", "since"), rows, {"lines": len(rows)}), form)
    codes = [] if found else [ExitCode.NOTHING_MEASURED]
    leave(worst([*codes, *([ExitCode.NOT_ACCEPTED] if verdicts & {FAIL, NOT_PROVEN} else [])]))


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.4%}"
