"""What was first ordered, what became of it, and whether it holds at the rate that was demonstrated."""

from __future__ import annotations

from app.cli.context import Form, Root, leave, now, open_context
from app.cli.output import Format, Table, show
from app.core.progress import MilestoneView
from app.errors import ExitCode, InputError
from app.workflows.deadlines import find_moved
from app.workflows.summary import read_summary

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


def deadlines(root: Root = None, form: Form = Format.text) -> None:
    """Show each deadline as first ordered and as it is, its changes, and whether it holds at the demonstrated rate."""
    context = open_context(root)
    if moved := find_moved(context.workspace, context.store):
        raise InputError(moved)
    summary = read_summary(context.workspace, context.store, now())
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
    for view in summary.milestones:
        if view.milestone_id not in foretold:
            rows.append(_plain_row(view))
    changed = sum(len(view.changes) for view in summary.milestones)
    late = sum(view.state == "late" for view in summary.milestones)
    show(Table("deadlines", COLUMNS, rows, {"milestones": len(summary.milestones), "changes": changed, "late": late}), form)
    leave(ExitCode.DEADLINE if late else ExitCode.OK)


def _plain_row(view: MilestoneView) -> tuple[object, ...]:
    """Return the row of a milestone that no lines are counted for."""
    head = view.milestone_id, None, None, view.baseline_on, view.due_on, view.done, view.total
    return (*head, *[None] * (len(COLUMNS) - len(head) - 1), view.state)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
