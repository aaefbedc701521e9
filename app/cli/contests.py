"""Commands on contests of scores: raise, decide, list."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.lines import parse_moment, written
from app.cli.output import Format, Table, show
from app.core.contests import Contest, project_contests
from app.workflows.contests import ContestReport, Word, decide_contest, raise_contest

contest = typer.Typer(help="Contests of scores (复核、申诉): who contests which row, and what was decided.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="role of whoever says so, never a name")]
Document = Annotated[str, typer.Option("--document", help="the document that shows it")]
Reason = Annotated[str, typer.Option("--reason", help="on what grounds")]
At = Annotated[str | None, typer.Option("--at", help="day or moment on the order's clock; without it, now")]
COLUMNS = (
    "number", "table", "subject", "row", "standing", "raised", "by", "document", "reason", "decided", "decided_by", "decided_on",
    "row_before", "row_after", "total_before", "total_after", "grounds",
)
BELOW = ("grounds",)


class Decision(StrEnum):
    upheld = "upheld"
    dismissed = "dismissed"


@contest.command("raise")
def raise_(
    table: Annotated[str, typer.Argument(help="id of the score table")],
    subject: Annotated[str, typer.Argument(help="unit id, or region:CODE")],
    row: Annotated[str, typer.Argument(help="id of the row")],
    by: By,
    document: Document,
    reason: Reason,
    root: Root = None,
    form: Form = Format.text,
    at: At = None,
    commit: Commit = False,
) -> None:
    """Contest the points of one row; --commit records it with the score as it stands."""
    context, word = _word(root, by, document, reason, at)
    report = raise_contest(context.workspace, context.store, table, subject, row, word, commit=commit, now=now())
    _show(context, report, form, "contest raise")


@contest.command()
def decide(
    number: Annotated[int, typer.Argument(help="number of the contest")],
    decision: Annotated[Decision, typer.Argument(help="upheld or dismissed")],
    by: By,
    document: Document,
    reason: Reason,
    root: Root = None,
    form: Form = Format.text,
    points: Annotated[float | None, typer.Option("--points", help="what the row gets, where the contest is upheld")] = None,
    at: At = None,
    commit: Commit = False,
) -> None:
    """Decide a contest; --commit records it with the score before and after."""
    context, word = _word(root, by, document, reason, at)
    report = decide_contest(context.workspace, context.store, number, decision.value, points, word, commit=commit, now=now())
    _show(context, report, form, "contest decide")


@contest.command("list")
def list_(
    table: Annotated[str | None, typer.Argument(help="id of a score table; none means all")] = None,
    root: Root = None,
    form: Form = Format.text,
) -> None:
    """Show every contest, open and decided."""
    context = open_context(root)
    found = [each for each in project_contests(context.store.contest_events()) if table in (None, each.raised.table_id)]
    _table(context, found, form, "contests")


def _word(root: Root, by: str, document: str, reason: str, at: str | None) -> tuple[Context, Word]:
    context = open_context(root)
    moment = now() if at is None else parse_moment("--at", at, context.workspace.order.timezone)
    return context, Word(by, document, reason, moment)


def _show(context: Context, report: ContestReport, form: Format, verb: str) -> None:
    _table(context, [report.contest], form, f"{verb} --commit" if report.committed else f"{verb} (nothing recorded; --commit records)")
    leave(report.exit_code)


def _table(context: Context, found: list[Contest], form: Format, title: str) -> None:
    zone, rows = context.workspace.order.timezone, []
    for each in found:
        raised, decided = each.raised, each.decided
        said = (written(decided.observed_at, zone), decided.by, decided.document) if decided else (None, None, None)
        shown = decided or raised
        points = [_points(shown.row_before), _points(shown.row_after), _points(shown.total_before), _points(shown.total_after)]
        rows.append(
            (
                *(each.number, raised.table_id, raised.subject, raised.row, each.standing),
                *(written(raised.observed_at, zone), raised.by, raised.document, raised.reason),
                *said,
                *points,
                decided.reason if decided else None,
            )
        )
    totals = {standing: sum(each.standing == standing for each in found) for standing in ("open", "upheld", "dismissed")}
    show(Table(title, COLUMNS, rows, totals, BELOW), form)


def _points(points: float | None) -> str | None:
    return None if points is None else f"{points:.2f}"
