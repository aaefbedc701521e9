"""How deadlines were changed, and whether they hold at the rate that was demonstrated: sentences and a table for reports. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from app.core.document import DASH, Block, Outline, grid_or
from app.core.forecast import Forecast
from app.core.jeopardy import GROUPINGS, WHOLE, Jeopardy
from app.core.milestone_view import MilestoneView
from app.web.reports.shared import Ground
from app.web.reports.words import ReportWords


def forecast_grid(ground: Ground, caption: str = "") -> Block:
    """Return every group of lines with what it still needs, what was lately accepted, and when it will be done."""
    say = ground.say
    titles = {each.milestone_id: say.pick(each.title, each.title_en) for each in ground.known.summary.milestones}
    several = len({each.milestone_id for each in ground.known.summary.jeopardy}) > 1
    rows = [
        (
            (f"{titles[each.milestone_id]}：" if several else "") + _group(say, each),
            f"{each.done}/{each.total}",
            each.forecast.wanted,
            _rate(each.forecast.needed_per_day),
            _rate(each.forecast.per_day),
            foretold(say, each.forecast),
            say.words(f"outlook_{each.forecast.outlook}"),
        )
        for each in _shown(ground.known.summary.jeopardy)
    ]
    head = [say(f"head_{name}") for name in ("lines_of", "progress", "wanted", "needed", "lately", "foretold", "outlook")]
    return grid_or(say("forecast_none"), caption, head, rows, (26, 13, 9, 13, 13, 30, 13), "lcrrrcc")


def _shown(jeopardy: Sequence[Jeopardy]) -> list[Jeopardy]:
    """Leave out groupings of one group: it says what the whole says."""
    found = []
    for milestone in dict.fromkeys(each.milestone_id for each in jeopardy):
        for grouping in GROUPINGS:
            own = [each for each in jeopardy if (each.milestone_id, each.grouping) == (milestone, grouping)]
            found += own if grouping == WHOLE or len(own) > 1 else []
    return found


def _group(say: ReportWords, each: Jeopardy) -> str:
    return say.words("grouping_whole") if each.grouping == WHOLE else say.words.short(each.name, each.name_en)


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


def forecast_sentence(ground: Ground, each: Jeopardy) -> str:
    """Say of a milestone as a whole whether it holds; nothing where all is done."""
    say, cast = ground.say, each.forecast
    if cast.outlook == "done":
        return ""
    if cast.outlook == "not_enough_seen" or cast.earliest_on is None:
        return say("forecast_unknown", seen=cast.seen, days=cast.seen_days)
    sentence = say("forecast_pace", seen=cast.seen, days=cast.seen_days, foretold=foretold(say, cast, say.day))
    if cast.outlook == "over" or cast.needed_per_day is None:
        return sentence
    outlook = say.words(f"outlook_{cast.outlook}").lower()
    return sentence + ("" if say.language == "zh" else " ") + say("forecast_need", needed=f"{cast.needed_per_day:.2f}", outlook=outlook)


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
