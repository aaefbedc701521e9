"""The progress report and the list of overdue lines. Pure."""

from __future__ import annotations

from collections import Counter

from app.core.document import Document, Outline, Picture
from app.core.standings import by_carrier, by_class, overdue, primary_lines, whole
from app.web.reports.forecasts import forecast_grids, forecast_note, forecast_sentences, say_changes
from app.web.reports.pictures import draw_map, draw_timeline
from app.web.reports.shared import (
    Ground,
    add_later,
    counts_sentence,
    finish,
    milestones_grid,
    open_report,
    overdue_grid,
    region_standings,
    standings_grid,
    weekends_note,
)


def build_progress(ground: Ground) -> Document:
    """Return how far the rollout is: as a whole, by milestone, county, class and carrier, with a timeline and a map."""
    say, summary, zone = ground.say, ground.known.summary, ground.workspace.order.timezone
    lines = primary_lines(summary)
    total, outline = whole(lines, zone), open_report(ground)
    outline.chapter(say("chapter_whole"))
    failed = say("failed", count=total.failed) if total is not None and total.failed else ""
    outline.say(counts_sentence(say, total), failed)
    outline.say(say("late_or_unproven") if total is not None and total.not_proven else "", style="note")
    if lines:
        outline.add(Picture(say("map"), draw_map(ground), say("map_text"), 0.86))
        outline.say(say("map_note"), style="note")
    _add_deadlines(ground, outline, counties=False)
    groups = (
        ("region", "regions", region_standings(ground)),
        ("class", "classes", by_class(lines, zone)),
        ("carrier", "carriers", by_carrier(lines, zone)),
    )
    for what, chapter, standings in groups:
        outline.chapter(say(f"chapter_{chapter}"))
        outline.add(standings_grid(say, what, "", standings, total))
    outline.say(say("days_note"), style="note")
    add_later(ground, outline)
    return finish(ground, say("progress_title"), outline)


def build_deadlines(ground: Ground) -> Document:
    """Return what was first ordered, what became of it, and whether it holds at the rate that was demonstrated."""
    outline = open_report(ground)
    _add_deadlines(ground, outline, counties=True)
    add_later(ground, outline)
    return finish(ground, ground.say("deadlines_title"), outline)


def _add_deadlines(ground: Ground, outline: Outline, *, counties: bool) -> None:
    say, summary = ground.say, ground.known.summary
    outline.chapter(say("chapter_milestones"))
    outline.add(milestones_grid(ground, summary.milestones, say("no_milestones")))
    outline.say(say("rulings_note") if any(each.ruling and not each.clause for each in summary.milestones) else "", style="note")
    if summary.milestones:
        outline.add(Picture(say("timeline"), draw_timeline(ground), say("timeline_text"), 0.95))
    say_changes(ground, outline, summary.milestones)
    outline.chapter(say("chapter_forecast"))
    for sentence in forecast_sentences(ground):
        outline.say(sentence)
    outline.add(*forecast_grids(ground, counties=counties))
    outline.say(forecast_note(ground) if summary.jeopardy else "", style="note")


def build_overdue(ground: Ground) -> Document:
    """Return every line over its day: by how many days, whose delay it is, what is not ready."""
    say, workspace = ground.say, ground.workspace
    lines = overdue(ground.known.summary, workspace.calendar, workspace.order.timezone)
    outline = open_report(ground)
    _say_holders(ground, outline, Counter(each.line.clock_holder for each in lines))
    unproven = sum(line.due == "not_proven" for line in primary_lines(ground.known.summary))
    outline.say(*((say("not_proven_sentence", count=unproven), say("late_or_unproven")) if unproven else ()))
    outline.add(overdue_grid(ground, lines, say("overdue_none", moment=ground.now)))
    outline.say(weekends_note(ground, lines), style="note")
    add_later(ground, outline)
    return finish(ground, say("overdue_title"), outline, landscape=True)


def _say_holders(ground: Ground, outline: Outline, holders: Counter[str | None]) -> None:
    if holders:
        counts = {name: holders[name] for name in ("carrier", "unit", "centre")}
        outline.say(ground.say("overdue_intro", moment=ground.now, count=holders.total(), **counts))
