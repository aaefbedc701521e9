"""Reports on the whole rollout: progress, what is overdue, circulars, scores, an organisation's list, availability."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated

import typer

from app.cli.availability import COLUMNS as AVAILABILITY_COLUMNS
from app.cli.availability import availability_row
from app.cli.context import Context, Root, leave, open_context
from app.cli.deadlines import deadlines
from app.cli.handover import InLanguage, KnownOnly, Output, ReportForm, beside, choose_way, ground_of, hand_over
from app.cli.lines import AsOf, parse_moment
from app.cli.output import Table
from app.cli.paper import Language
from app.core.contests import Contest, describe
from app.core.periods import Period, month_of, parse_period
from app.core.references import nearest
from app.core.scoring import Score
from app.core.standings import Standing, by_carrier, by_class, by_region, primary_lines, whole
from app.core.standings import overdue as overdue_lines
from app.errors import ExitCode, Finding, InputError, worst
from app.web.reports.appraisal import build_availability, build_organisation, build_scores
from app.web.reports.circular import Letterhead, build_circular
from app.web.reports.progress import build_overdue, build_progress
from app.web.reports.shared import Ground
from app.workflows.appraise import circular as run_circular
from app.workflows.appraise import list_of, score_table
from app.workflows.availability import duty_lines, measure_availability

report = typer.Typer(help="Progress, overdue lines, circulars, scores, lists of organisations, availability.", no_args_is_help=True)

STANDING_COLUMNS = ("by", "key", "name", "total", "done", "done_late", "late", "not_proven", "at_risk", "failed", "days_early")
OVERDUE_COLUMNS = ("line", "unit", "name", "region", "carrier", "last_day", "days_over", "working_days_over", "clock_holder", "open_gates")


@report.command()
def progress(
    root: Root = None,
    form: ReportForm = None,
    output: Output = None,
    language: InLanguage = Language.zh,
    as_of: AsOf = None,
    known_only: KnownOnly = False,
) -> None:
    """Show how far the rollout is, by milestone, county, class and carrier."""
    context, way = open_context(root), choose_way(form, output, language, as_of, known_only=known_only)
    ground = ground_of(context, way)
    summary, zone = ground.known.summary, context.workspace.order.timezone
    lines = primary_lines(summary)
    total = whole(lines, zone)
    groups = (("whole", [total] if total else []), ("region", by_region(lines, zone)), ("class", by_class(lines, zone)))
    rows = [_standing_row(by, each) for by, found in (*groups, ("carrier", by_carrier(lines, zone))) for each in found]
    milestones = [
        {"milestone": m.milestone_id, "due_on": m.due_on, "state": m.state, "done": m.done, "total": m.total} for m in summary.milestones
    ]
    totals = {"lines": total.total, "done": total.done, "late": total.late} if total else {"lines": 0}
    table = Table("progress", STANDING_COLUMNS, rows, totals, beside={**beside(ground), "milestones": milestones})
    hand_over(context, way, table, build_progress(ground))
    late = (total is not None and total.late > 0) or any(each.state == "late" for each in summary.milestones)
    nothing = total is None or (summary.polled_at is None and not total.done)
    leave(worst([*([ExitCode.NOTHING_MEASURED] if nothing else []), *([ExitCode.DEADLINE] if late else [])]))


def _standing_row(by: str, each: Standing) -> tuple[object, ...]:
    counts = (each.total, each.done, each.done_late, each.late, each.not_proven, each.at_risk, each.failed)
    return by, each.key, each.name, *counts, each.days_early


@report.command()
def overdue(
    root: Root = None,
    form: ReportForm = None,
    output: Output = None,
    language: InLanguage = Language.zh,
    as_of: AsOf = None,
    known_only: KnownOnly = False,
) -> None:
    """Show every line over its day: by how many days, who holds its clock, what is not ready."""
    context, way = open_context(root), choose_way(form, output, language, as_of, known_only=known_only)
    ground = ground_of(context, way)
    found = overdue_lines(ground.known.summary, context.workspace.calendar, context.workspace.order.timezone)
    rows = [
        (
            each.line.line_id,
            each.line.unit_id,
            each.line.unit_name,
            each.line.region,
            each.line.carrier,
            each.last_day,
            each.days,
            each.working_days,
            each.line.clock_holder,
            each.line.open_gates,
        )
        for each in found
    ]
    hand_over(context, way, Table("overdue", OVERDUE_COLUMNS, rows, {"overdue": len(rows)}, beside=beside(ground)), build_overdue(ground))
    leave(ExitCode.DEADLINE if rows else ExitCode.OK)


@report.command()
def circular(
    root: Root = None,
    form: ReportForm = None,
    output: Output = None,
    language: InLanguage = Language.zh,
    as_of: AsOf = None,
    known_only: KnownOnly = False,
    period: Annotated[str | None, typer.Option("--period", help="2008-05 or 2008-Q2; without it, the present month")] = None,
    number: Annotated[str, typer.Option("--number", help="the circular's own number (文号); without it, a blank to fill in")] = "",
    addressee: Annotated[str, typer.Option("--addressee", help="whom it goes to (主送); without it, by the region tree")] = "",
    issuer: Annotated[str, typer.Option("--issuer", help="who issues it; without it, whoever issued the order")] = "",
    issued_on: Annotated[str | None, typer.Option("--issued-on", help="day under the signature; without it, the day of the facts")] = None,
) -> None:
    """Write the circular (通报) of a month or quarter: progress, who is late or off standard, what is to be done."""
    context, way = open_context(root), choose_way(form, output, language, as_of, known_only=known_only)
    zone = context.workspace.order.timezone
    wanted = _period(period)
    ground = ground_of(context, way, until=wanted.ends_at(zone) if wanted else None)
    spoken = wanted or month_of(ground.known.at.astimezone(zone).date())
    if ground.known.at < spoken.begins_at(zone):
        found, step = ground.known.at.astimezone(zone).isoformat(timespec="minutes"), "Name a period that has begun by then."
        raise InputError([Finding("command line", "the period had not begun", f"a moment from {spoken.first_day} on", found, step)])
    found_units = run_circular(context.workspace, ground.known)
    named = found_units.named
    rows = [(each.unit_id, each.name, each.region, each.line_id, each.cause, each.days_late, each.clock_holder) for each in named]
    totals: dict[str, int | str] = {"named": len(rows)}
    totals |= {name: day.isoformat() if day else "irregular" for name, day in found_units.due}
    columns = ("unit", "name", "region", "line", "cause", "days_late", "clock_holder")
    document = build_circular(ground, spoken, Letterhead(number, addressee, issuer, _day(issued_on, context)))
    hand_over(context, way, Table("circular", columns, rows, totals, beside=beside(ground)), document)
    leave(ExitCode.DEADLINE if any(each.cause == "late" for each in named) else ExitCode.OK)


def _day(text: str | None, context: Context) -> date | None:
    return None if text is None else parse_moment("--issued-on", text, context.workspace.order.timezone).date()


def _period(text: str | None) -> Period | None:
    if text is None:
        return None
    found = parse_period(text)
    if found is None:
        step, expected = "Write year and month, or year and quarter.", "a month such as 2008-05, or a quarter such as 2008-Q2"
        raise InputError([Finding("command line", "`--period` is no period", expected, text, step)])
    return found


@report.command()
def scores(
    table: Annotated[str | None, typer.Argument(help="id of the score table; none means the order's first")] = None,
    root: Root = None,
    form: ReportForm = None,
    subject: Annotated[str | None, typer.Option("--subject", help="show the working of one unit, or of region:CODE")] = None,
    output: Output = None,
    language: InLanguage = Language.zh,
    as_of: AsOf = None,
    known_only: KnownOnly = False,
) -> None:
    """Show an appraisal table: ranks, prizes, and every row's working."""
    context, way = open_context(root), choose_way(form, output, language, as_of, known_only=known_only)
    ground = ground_of(context, way)
    found, ranked = score_table(context.workspace, ground.known, table)
    chosen = ranked if subject is None else _of_subject(ranked, subject)
    provisional = sum(each.provisional for each in ranked)
    totals = {"scored": len(ranked), "provisional": provisional}
    data = _ranking(found.title, ranked, totals, ground) if subject is None else _working(found.title, chosen, totals, ground)
    hand_over(context, way, data, build_scores(ground, found, chosen))
    leave(ExitCode.OK if ranked else ExitCode.NOTHING_MEASURED)


def contest_words(ground: Ground, contest: Contest) -> str:
    """Say what was contested and what became of it, with its day on the order's clock."""
    at = (contest.decided or contest.raised).observed_at.astimezone(ground.workspace.order.timezone)
    return describe(contest, f"{at:%Y-%m-%d}")


def _of_subject(ranked: Iterable[Score], subject: str) -> tuple[Score, ...]:
    """Return one subject's score. Raises InputError where the table has no such subject."""
    scored = {each.subject: each for each in ranked}
    if subject not in scored:
        step = nearest(subject, scored, "Name a unit id, or region:CODE, that the table ranks.")
        raise InputError([Finding("command line", "the table ranks no such subject", "a subject of the table", f"`{subject}`", step)])
    return (scored[subject],)


def _ranking(title: str, ranked: Iterable[Score], totals: dict[str, int], ground: Ground) -> Table:
    rows = [
        (
            *(each.kind, each.rank, each.prize, each.subject, each.name, f"{each.total:.2f}", _yes_no(each.provisional)),
            each.working,
            tuple(contest_words(ground, one) for one in each.contests) or None,
        )
        for each in ranked
    ]
    columns = ("kind", "rank", "prize", "subject", "name", "score", "provisional", "working", "contests")
    return Table(title, columns, rows, totals, ("contests",), beside=beside(ground))


def _working(title: str, chosen: Iterable[Score], totals: dict[str, int], ground: Ground) -> Table:
    rows: list[tuple[object, ...]] = [
        (row.item_id, row.title, f"{row.points:g}", None if row.earned is None else f"{row.earned:.2f}", row.working)
        for each in chosen
        for row in each.rows
    ]
    rows += [(row.adjustment_id, row.title, None, f"{row.points:.2f}", row.working) for each in chosen for row in each.adjustments]
    rows += [(one.raised.row, None, None, None, contest_words(ground, one)) for each in chosen for one in each.contests]
    return Table(title, ("row", "title", "points", "earned", "working"), rows, totals, beside=beside(ground))


report.command()(deadlines)


@report.command()
def organisation(
    organisation_id: Annotated[str, typer.Argument(metavar="ID", help="id of an organisation of the order")],
    root: Root = None,
    form: ReportForm = None,
    output: Output = None,
    language: InLanguage = Language.zh,
    as_of: AsOf = None,
    known_only: KnownOnly = False,
) -> None:
    """Show what one organisation answers for: its milestones and its lines."""
    context, way = open_context(root), choose_way(form, output, language, as_of, known_only=known_only)
    ground = ground_of(context, way)
    own = list_of(context.workspace, ground.known, organisation_id)
    rows: list[tuple[object, ...]] = [
        ("milestone", each.milestone_id, each.title, each.due_on, each.state, f"{each.done}/{each.total}") for each in own.milestones
    ]
    rows += [("line", line.line_id, line.unit_name, line.due_on, line.due, line.clock_holder) for line in own.lines]
    late = sum(line.due == "late" for line in own.lines)
    totals = {"milestones": len(own.milestones), "lines": len(own.lines), "late": late}
    columns = ("kind", "id", "name", "due", "standing", "done_or_held_by")
    table = Table(own.organisation.title, columns, rows, totals, beside=beside(ground))
    hand_over(context, way, table, build_organisation(ground, own))
    leave(ExitCode.DEADLINE if late or any(each.state == "late" for each in own.milestones) else ExitCode.OK)


@report.command()
def availability(
    root: Root = None,
    form: ReportForm = None,
    output: Output = None,
    language: InLanguage = Language.zh,
    as_of: AsOf = None,
    known_only: KnownOnly = False,
) -> None:
    """Show how much of the time accepted lines were up, against the order's duty."""
    context, way = open_context(root), choose_way(form, output, language, as_of, known_only=known_only)
    ground = ground_of(context, way)
    at, every_s = ground.known.at, context.settings.poll_interval_s
    found = measure_availability(context.workspace, context.store, duty_lines(context.workspace), None, at, every_s, at)
    rows = [availability_row(context, level, found) for level in found.levels]
    totals = {"lines": len(rows), "not accepted": len(found.not_accepted)}
    table = Table("availability", AVAILABILITY_COLUMNS, rows, totals, beside=beside(ground))
    hand_over(context, way, table, build_availability(ground, context.workspace.order.availability, found.levels))
    leave(found.exit_code)


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
