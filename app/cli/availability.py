"""Availability of lines after their acceptance."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.context import Context, Form, Root, leave, now, open_context
from app.cli.lines import AsOf, Lines, chosen_lines, given_moment, parse_as_of, written
from app.cli.output import Format, Table, show
from app.core.acceptance import FAIL, NOT_PROVEN, PASS
from app.core.availability import ServiceLevel
from app.workflows.availability import AvailabilityReport, measure_availability

Since = Annotated[
    str | None,
    typer.Option("--since", help="day or moment on the order's clock; without it, the duty's window, or each acceptance"),
]
Until = Annotated[str | None, typer.Option("--until", help="day or moment, exclusive; without it, now")]
COLUMNS = (
    "line",
    "verdict",
    "sli_percent",
    "slo_percent",
    "measured_percent",
    "since",
    "up_s",
    "down_s",
    "unmeasured_s",
    "maintenance_s",
    "budget_left_s",
    "objective",
)


def availability(
    lines: Lines = None, root: Root = None, form: Form = Format.text, since: Since = None, until: Until = None, as_of: AsOf = None
) -> None:
    """Judge how much of the service time accepted lines were up."""
    context = open_context(root)
    chosen = [line.line_id for line in chosen_lines(context, lines)]
    known_at = parse_as_of(as_of, context.workspace.order.timezone, now()) or now()
    end, begin = min(given_moment(context, "--until", until) or known_at, known_at), given_moment(context, "--since", since)
    report = measure_availability(context.workspace, context.store, chosen, begin, end, context.settings.poll_interval_s, known_at)
    _show(context, report, form)


def _show(context: Context, report: AvailabilityReport, form: Format) -> None:
    rows = [availability_row(context, level, report) for level in report.levels]
    totals: dict[str, int | str] = {each: number for each in (PASS, FAIL, NOT_PROVEN) if (number := sum(row[1] == each for row in rows))}
    show(Table("availability", COLUMNS, rows, {**totals, "not accepted": len(report.not_accepted)}), form)
    leave(report.exit_code)


def availability_row(context: Context, level: ServiceLevel, report: AvailabilityReport) -> tuple[object, ...]:
    source = report.sources[level.line_id]
    times = (level.up, level.down, level.unmeasured, level.excluded, level.budget_left)
    return (
        level.line_id,
        level.verdict,
        None if level.sli_percent is None else f"{level.sli_percent}",
        f"{level.slo_percent:.4f}",
        None if level.coverage_percent is None else f"{level.coverage_percent}",
        written(level.since, context.workspace.order.timezone),
        *(int(span.total_seconds()) for span in times),
        source.clause or source.ruling or "default",
    )
