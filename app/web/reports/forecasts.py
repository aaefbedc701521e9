"""How deadlines were changed, and whether they hold at the rate that was demonstrated: sentences and a table for reports. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from app.core.document import DASH, Block, Outline, Paragraph, grid_or
from app.core.forecast import Forecast
from app.core.jeopardy import GROUPINGS, LINES, UNITS, WHOLE, Jeopardy
from app.core.milestone_view import MilestoneView
from app.web.reports.shared import Ground
from app.web.reports.words import ReportWords

#: Outlooks in the order in which a sentence names them: what is lost or may be lost first.
_URGENT_FIRST = ("over", "breaks", "in_doubt", "not_enough_seen", "holds")


def forecast_grids(ground: Ground, *, counties: bool, caption: str = "") -> list[Block]:
    """Return a table for each milestone that lines are counted for, and one of all that units report.

    `counties`: the last one tells counties too, not only the whole. `caption` is that of a table that stands alone; others
    name their milestone. A sentence stands where nothing is foretold.
    """
    say, shown = ground.say, _shown(ground.known.summary.jeopardy)
    titles = _titles(ground)
    of_lines: dict[str, list[Jeopardy]] = {}
    for each in shown:
        if each.counted == LINES:
            of_lines.setdefault(each.milestone_id, []).append(each)
    of_units = [each for each in shown if each.counted == UNITS and (counties or each.grouping == WHOLE)]
    alone = len(of_lines) == 1 and not of_units
    grids = []
    for name, own in of_lines.items():
        title = caption if alone else say("caption_forecast", title=titles[name])
        grids.append(_grid(say, title, LINES, [(_group(say, each), each) for each in own]))
    if of_units:
        grids.append(_grid(say, say("caption_units"), UNITS, [(_unit_group(say, titles, each), each) for each in of_units]))
    return grids or [Paragraph(say("forecast_none"))]


def _grid(say: ReportWords, caption: str, counted: str, groups: Sequence[tuple[str, Jeopardy]]) -> Block:
    rows = [
        (
            name,
            f"{each.done}/{each.total}",
            each.forecast.wanted,
            _rate(each.forecast.needed_per_day),
            _rate(each.forecast.per_day),
            foretold(say, each.forecast, _short_after(each.forecast.expected_on)),
            say.words(f"outlook_{each.forecast.outlook}"),
        )
        for name, each in groups
    ]
    head = [say(f"head_of_{counted}"), say("head_progress"), say("head_wanted"), say(f"head_needed_{counted}")]
    head += [say(f"head_lately_{counted}"), say("head_foretold"), say("head_outlook")]
    return grid_or(say("forecast_none"), caption, head, rows, (20, 11.5, 9, 9.5, 9.5, 29, 11.5), "lcrrrcc")


def _shown(jeopardy: Sequence[Jeopardy]) -> list[Jeopardy]:
    """Leave out groupings of one group: it says what the whole says."""
    found = []
    for milestone in dict.fromkeys(each.milestone_id for each in jeopardy):
        for grouping in GROUPINGS:
            own = [each for each in jeopardy if (each.milestone_id, each.grouping) == (milestone, grouping)]
            found += own if grouping == WHOLE or len(own) > 1 else []
    return found


def _titles(ground: Ground) -> dict[str, str]:
    return {each.milestone_id: ground.say.pick(each.title, each.title_en) for each in ground.known.summary.milestones}


def _group(say: ReportWords, each: Jeopardy) -> str:
    return say.words("grouping_whole") if each.grouping == WHOLE else say.words.short(each.name, each.name_en)


def _unit_group(say: ReportWords, titles: Mapping[str, str], each: Jeopardy) -> str:
    if each.grouping == WHOLE:
        return titles[each.milestone_id]
    return say("county_of", name=say.words.short(each.name, each.name_en))


def _short_after(expected: date | None) -> Callable[[date], str]:
    """Return how days of an interval are written in a table: without the year where it is that of the day before the bracket."""
    return lambda day: f"{day}" if expected is None or day == expected or day.year != expected.year else f"{day:%m-%d}"


def _rate(per_day: float | None) -> float | None:
    return None if per_day is None else round(per_day, 2)


def foretold(say: ReportWords, forecast: Forecast, write: Callable[[date], str] = str) -> str:
    """Return the day on which a group will be done, with the interval; a dash where nothing can be said. `write` spells a day."""
    if forecast.earliest_on is None:
        return DASH
    expected, latest = (say("open_end") if day is None else write(day) for day in (forecast.expected_on, forecast.latest_on))
    return say("foretold", expected=expected, earliest=write(forecast.earliest_on), latest=latest)


def forecast_note(ground: Ground) -> str:
    """Say how the forecast is made, and which years were counted by weekends alone."""
    say, order = ground.say, ground.workspace.order
    rule = order.forecast
    said = {"days": rule.working_days, "level": f"{rule.level:.0%}", "least": rule.least_accepted}
    made = say("forecast_method", **said, source=say.source(rule.source))
    years = [str(year) for year in ground.known.summary.assumed_years]
    gap = "" if say.language == "zh" else " "
    return gap.join(part for part in (made, say("weekends_only", years=say.joined(years)) if years else "") if part)


def forecast_sentences(ground: Ground) -> list[str]:
    """Say of every milestone as a whole whether it holds: of lines one by one, of what units report together. What is done is left out."""
    say, whole = ground.say, [each for each in ground.known.summary.jeopardy if each.grouping == WHOLE and each.forecast.outlook != "done"]
    of_lines, of_units = ([each for each in whole if each.counted == counted] for counted in (LINES, UNITS))
    titles, several = _titles(ground), len(of_lines) > 1
    said = [(say("forecast_of", title=titles[each.milestone_id]) if several else "") + _sentence(say, each.forecast) for each in of_lines]
    parts = [
        say("forecast_units_part", outlook=say.words(f"outlook_{outlook}").lower(), titles=say.joined(named))
        for outlook in _URGENT_FIRST
        if (named := [titles[each.milestone_id] for each in of_units if each.forecast.outlook == outlook])
    ]
    return [*said, say("forecast_units", parts=say("part_separator").join(parts))] if parts else said


def _sentence(say: ReportWords, cast: Forecast) -> str:
    if cast.outlook == "not_enough_seen" or cast.earliest_on is None:
        return say("forecast_unknown", seen=cast.seen, days=cast.seen_days)
    sentence = say("forecast_pace", seen=cast.seen, days=cast.seen_days, foretold=foretold(say, cast, say.day))
    if cast.outlook == "over" or cast.needed_per_day is None:
        return sentence
    outlook = say.words(f"outlook_{cast.outlook}").lower()
    needed = say("forecast_need", needed=f"{round(cast.needed_per_day, 2):g}", outlook=outlook)
    return sentence + ("" if say.language == "zh" else " ") + needed


def say_changes(ground: Ground, outline: Outline, milestones: Sequence[MilestoneView]) -> None:
    """Say every change of a deadline: from which day to which, by whom, on which document; and those that nobody recorded."""
    say = ground.say
    for milestone in milestones:
        for change in milestone.changes:
            days = {"was": say.day(change.due_was), "becomes": say.day(change.due_becomes), "on": say.day(change.changed_on)}
            title, reason = say.pick(milestone.title, milestone.title_en), say.pick(change.reason, change.reason_en).rstrip("。.")
            outline.say(say("deadline_change", title=title, office=change.decided_by, document=change.document, reason=reason, **days))
    if moved := ground.known.summary.moved_deadlines:
        titles = say.joined([say.pick(each.title, each.title_en) for each in moved])
        outline.say(say("deadlines_moved", titles=titles))
