"""What was first ordered, what became of it, and whether it holds at the rate that was demonstrated."""

from __future__ import annotations

from app.cli.context import Root, leave, open_context
from app.cli.handover import InLanguage, KnownOnly, Output, ReportForm, beside, choose_way, ground_of, hand_over
from app.cli.lines import AsOf
from app.cli.output import Table
from app.cli.paper import Language
from app.core.milestone_view import MilestoneView
from app.core.progress import Summary
from app.errors import ExitCode, InputError
from app.web.reports.progress import build_deadlines
from app.workflows.deadlines import find_moved

COLUMNS = (
    "milestone",
    "lines",
    "key",
    "first_due_on",
    "due_on",
    "done",
    "total",
    "wanted",
    "days_left",
    "needed_per_day",
    "seen_per_day",
    "expected_on",
    "earliest_on",
    "latest_on",
    "chance",
    "outlook",
)


def deadlines(
    root: Root = None,
    form: ReportForm = None,
    output: Output = None,
    language: InLanguage = Language.zh,
    as_of: AsOf = None,
    known_only: KnownOnly = False,
) -> None:
    """Show each deadline as first ordered and as it is, its changes, and whether it holds at the demonstrated rate."""
    context, way = open_context(root), choose_way(form, output, language, as_of, known_only=known_only)
    if moved := find_moved(context.workspace, context.store):
        raise InputError(moved)
    ground = ground_of(context, way)
    summary = ground.known.summary
    changed = sum(len(view.changes) for view in summary.milestones)
    late = sum(view.state == "late" for view in summary.milestones)
    totals = {"milestones": len(summary.milestones), "changes": changed, "late": late}
    hand_over(context, way, Table("deadlines", COLUMNS, _rows(summary), totals, beside=beside(ground)), build_deadlines(ground))
    leave(ExitCode.DEADLINE if late else ExitCode.OK)


def _rows(summary: Summary) -> list[tuple[object, ...]]:
    dates = {each.milestone_id: (each.baseline_on, each.due_on) for each in summary.milestones}
    foretold = {each.milestone_id for each in summary.jeopardy}
    rows: list[tuple[object, ...]] = []
    for each in summary.jeopardy:
        cast = each.forecast
        days = cast.earliest_on, cast.latest_on
        rates = _rounded(cast.needed_per_day), _rounded(cast.per_day)
        place = each.milestone_id, each.grouping, each.key or None, *dates[each.milestone_id]
        counts = each.done, each.total, cast.wanted, cast.days_left
        rows.append((*place, *counts, *rates, cast.expected_on, *days, _rounded(cast.chance), cast.outlook))
    return rows + [_plain_row(view) for view in summary.milestones if view.milestone_id not in foretold]


def _plain_row(view: MilestoneView) -> tuple[object, ...]:
    """Return the row of a milestone that no lines are counted for."""
    head = view.milestone_id, None, None, view.baseline_on, view.due_on, view.done, view.total
    return (*head, *[None] * (len(COLUMNS) - len(head) - 1), view.state)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
