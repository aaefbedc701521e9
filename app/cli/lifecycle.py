"""Commands on the life of lines: life, confirm."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.lines import AsOf, Lines, ShowByDefault, chosen_lines, given_moment, one_line, parse_as_of, read_file, write_file, written
from app.cli.output import Format, Table, show, tell
from app.core.canonical import sha256
from app.core.confirmation import CONFIRMED, PARTIES, REFUSED, Confirmation
from app.core.life import LIFE_STATES, LifeEvent, LifeStep
from app.core.moments import on_the_clock
from app.edge.office import write_docx, write_pdf
from app.web.confirmation_form import build_form
from app.workflows.confirm import ConfirmReport, add_confirmation, first_passes, read_standings
from app.workflows.life import add_step, read_lives

life = typer.Typer(cls=ShowByDefault, help="The life of lines, from planned to closed.")
confirm = typer.Typer(cls=ShowByDefault, help="Confirmation of accepted lines: unit and carrier, then the centre.")

By = Annotated[str, typer.Option("--by", help="role of whoever says so, never a name")]
Document = Annotated[str, typer.Option("--document", help="the document that shows it")]
At = Annotated[str | None, typer.Option("--at", help="day or moment on the order's clock; without it, now")]
#: A moment in UTC, as evidence names a decision.
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
STEP_COLUMNS = ("line", "state", "observed", "recorded", "by", "evidence", "standing", "not_recorded")


@life.command("show")
def show_life(lines: Lines = None, root: Root = None, form: Form = Format.text, as_of: AsOf = None) -> None:
    """Show where lines stand; for a single line, every step."""
    context = open_context(root)
    chosen = [line.line_id for line in chosen_lines(context, lines)]
    zone = context.workspace.order.timezone
    lives = read_lives(context.store, chosen, as_of=parse_as_of(as_of, zone, now()))
    if len(lives) == 1:
        rows = [_step_row(context, step) for step in lives[0].steps]
        show(Table(f"life of {chosen[0]}", STEP_COLUMNS, rows, {"state": lives[0].state, "steps": len(rows)}), form)
        return
    table = [(each.line_id, each.state, written(each.since, zone), " / ".join(each.next_states)) for each in lives]
    totals = {state: number for state in LIFE_STATES if (number := sum(each.state == state for each in lives))}
    show(Table("life", ("line", "state", "since", "may_come_next"), table, totals), form)


@life.command("add")
def add_life(
    line: Annotated[str, typer.Argument(help="line id")],
    state: Annotated[str, typer.Argument(help=", ".join(LIFE_STATES))],
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    at: At = None,
    commit: Commit = False,
) -> None:
    """Record one step; --commit writes it."""
    if state not in LIFE_STATES:
        raise typer.BadParameter(f"one of {', '.join(LIFE_STATES)}", param_hint="STATE")
    context, moment = open_context(root), now()
    line_id = one_line(context.workspace.inventory.lines, line)
    observed = given_moment(context, "--at", at) or moment.astimezone(context.workspace.order.timezone)
    event = LifeEvent(line_id, state, observed, moment, by, document)
    report = add_step(context.store, event, commit=commit, now=moment)
    rows = [_step_row(context, step) for step in report.life.steps]
    title = "life add --commit" if commit else "life add (nothing recorded; --commit records)"
    show(Table(title, STEP_COLUMNS, rows, {"state": report.life.state, "steps": len(rows)}), form)
    leave(report.exit_code)


def _step_row(context: Context, step: LifeStep) -> tuple[object, ...]:
    zone, event = context.workspace.order.timezone, step.event
    moments = written(event.observed_at, zone), written(event.recorded_at, zone)
    evidence = _STAMP.sub(lambda stamp: on_the_clock(datetime.fromisoformat(stamp[0]), zone), event.evidence)
    return event.line_id, event.state, *moments, event.by, evidence, step.standing, ", ".join(step.unrecorded) or None


@confirm.command("show")
def show_confirmations(lines: Lines = None, root: Root = None, form: Form = Format.text) -> None:
    """Show who has confirmed, who is awaited and until when."""
    context = open_context(root)
    chosen = [line.line_id for line in chosen_lines(context, lines)]
    _show_standings(context, read_standings(context.workspace, context.store, chosen, now()), form, "confirm")


@confirm.command("add")
def add_word(
    line: Annotated[str, typer.Argument(help="line id")],
    party: Annotated[str, typer.Argument(help=", ".join(PARTIES))],
    by: By,
    document: Document,
    root: Root = None,
    form: Form = Format.text,
    at: At = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="the party refuses; say why with --reason")] = False,
    reason: Annotated[str, typer.Option("--reason", help="why the party refuses")] = "",
    commit: Commit = False,
) -> None:
    """Record one party's word; --commit writes it."""
    if party not in PARTIES:
        raise typer.BadParameter(f"one of {', '.join(PARTIES)}", param_hint="PARTY")
    context, moment = open_context(root), now()
    line_id = one_line(context.workspace.inventory.lines, line)
    observed = given_moment(context, "--at", at) or moment.astimezone(context.workspace.order.timezone)
    word = Confirmation(line_id, party, REFUSED if refuse else CONFIRMED, observed, moment, by, document, reason)
    report = add_confirmation(context.workspace, context.store, word, commit=commit, now=moment)
    _show_standings(context, report, form, "confirm add --commit" if commit else "confirm add (nothing recorded; --commit records)")


@confirm.command("form")
def write_form(
    line: Annotated[str, typer.Argument(help="line id")],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write: NAME.docx or NAME.pdf")],
    root: Root = None,
    language: Annotated[str, typer.Option("--language", help="zh or en")] = "zh",
    pack: Annotated[Path | None, typer.Option("--pack", help="the evidence pack whose digest the form names")] = None,
) -> None:
    """Write the form 《专线接入确认单》 of an accepted line."""
    if language not in ("zh", "en"):
        raise typer.BadParameter("zh or en", param_hint="--language")
    writer = {".docx": write_docx, ".pdf": write_pdf}.get(output.suffix.lower())
    if writer is None:
        raise typer.BadParameter("a name that ends in .docx or .pdf", param_hint="--output")
    context = open_context(root)
    line_id = one_line(context.workspace.inventory.lines, line)
    [standing] = read_standings(context.workspace, context.store, [line_id], now()).standings
    decision = first_passes(context.store.acceptance_history(line_id), now()).get(line_id)
    digest = sha256(read_file(pack)) if pack is not None else None
    view = build_form(context.workspace, line_id, decision, standing, language, digest)
    write_file(output, writer(context.settings.root, "confirmation", view))
    tell(f"{output}")


def _show_standings(context: Context, report: ConfirmReport, form: Format, title: str) -> None:
    zone = context.workspace.order.timezone
    rows = []
    for standing in report.standings:
        parties = [(each, each.window, each.word) for each in standing.parties if each.standing != "not_yet"]
        if not parties:
            rows.append((standing.line_id, standing.state, None, None, None, None, None, None, None))
        for each, window, word in parties:
            said = (written(word.observed_at, zone), word.by, word.document) if word else (None, None, None)
            last_day = window.last_day.isoformat() if window else None
            assumed = ", ".join(map(str, window.assumed_years)) or None if window else None
            rows.append((standing.line_id, standing.state, each.party, each.standing, last_day, *said, assumed))
    columns = ("line", "state", "party", "standing", "last_day", "confirmed", "by", "document", "by_weekends_only")
    counts: Counter[str] = Counter(each.state for each in report.standings)
    windows = context.workspace.calendar.windows
    source = windows.source.clause or windows.source.ruling or "default"
    totals: dict[str, int | str] = {**counts, "working days": f"{windows.parties_days} and {windows.centre_days} ({source})"}
    show(Table(title, columns, rows, totals), form)
    leave(report.exit_code)
