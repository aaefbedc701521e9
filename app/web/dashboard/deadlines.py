"""The deadlines as they were first ordered and as they are, and whether they hold at the rate that was demonstrated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.core.deadlines import ChangeView, MovedDeadline
from app.core.forecast import Forecast
from app.core.jeopardy import GROUPINGS, LINES, WHOLE, Jeopardy
from app.core.line_view import LineView
from app.core.milestone_view import MilestoneView
from app.core.progress import Summary
from app.web.dashboard.elements import bar, block, pill, text
from app.web.dashboard.words import UNKNOWN, Words

COLUMNS = ("group", "progress", "still_wanted", "needed_per_day", "seen_per_day", "foretold", "outlook")
COUNTS = COLUMNS[2:5]
HOURS = 24


def draw_deadlines(words: Words, summary: Summary) -> None:
    """Draw every milestone that lines or units are counted for with its forecasts, and the changes of the other milestones."""
    foretold: dict[str, list[Jeopardy]] = {}
    for each in summary.jeopardy:
        foretold.setdefault(each.milestone_id, []).append(each)
    if not foretold:
        text("p", words("deadlines_none"), "quiet")
    for milestone in summary.milestones:
        if milestone.milestone_id in foretold or milestone.changes:
            with block("div", "deadline"):
                _milestone(words, milestone)
                if groups := foretold.get(milestone.milestone_id):
                    _forecasts(words, groups)
    notes = [words("deadlines_note", level=f"{summary.forecast_level:.0%}")]
    if summary.assumed_years:
        notes.append(words("assumed_years", years=words("list_separator").join(map(str, summary.assumed_years))))
    text("p", words("sentence_gap").join(notes), "muted")


def _milestone(words: Words, milestone: MilestoneView) -> None:
    with block("div", "deadline-head"):
        text("h3", words.pick(milestone.title, milestone.title_en))
        for sentence in both_days(words, milestone):
            text("span", sentence, "muted nowrap")
    if milestone.changes:
        with block("ul", "changes"):
            for change in milestone.changes:
                with block("li"):
                    _change(words, change)


def both_days(words: Words, milestone: MilestoneView) -> list[str]:
    """Return the first deadline beside the present one."""
    first = words("baseline", day=words.day(milestone.baseline_on or milestone.due_on))
    if not milestone.changes:
        return [first, words("never_moved")]
    return [first, words("present_due", day=words.day(milestone.due_on)), words("moved_times", count=len(milestone.changes))]


def _change(words: Words, change: ChangeView) -> None:
    direction = "later" if change.later else "earlier" if change.due_becomes < change.due_was else "other"
    text("span", words(f"change_{direction}"), "tag is-later" if change.later else "tag")
    days = {"changed": words.day(change.changed_on), "was": words.day(change.due_was), "becomes": words.day(change.due_becomes)}
    text("span", words("change_day", **days), "nowrap")
    for term in change.other_terms:
        text("span", term_words(words, term))
    reason = words.pick(change.reason, change.reason_en)
    text("span", words("change_by", office=change.decided_by, document=change.document, reason=reason), "muted")
    if change.ruling:
        text("span", words("ruling", ruling=change.ruling), "muted")


def term_words(words: Words, term: str) -> str:
    """Write a changed term, given as `soft: no → yes`, in words."""
    name, _, values = term.partition(": ")
    was, _, becomes = values.partition(" → ")
    shown = [words(value) if value in ("yes", "no") else value for value in (was, becomes)]
    return f"{words.known('term', name)} {' → '.join(shown)}"


def moved_words(words: Words, moved: MovedDeadline) -> str:
    """Write which deadline moved without a record, and what is to be done."""
    was, title = words.day(moved.was), words.pick(moved.title, moved.title_en)
    if moved.due_on is None:
        return words("moved_gone", title=title, was=was)
    if moved.due_on == moved.was:
        return words("moved_terms", title=title, was=was)
    return words("moved_day", title=title, was=was, becomes=words.day(moved.due_on))


def _forecasts(words: Words, groups: Sequence[Jeopardy]) -> None:
    """Draw the whole and its groups; the counties of what units report are folded away."""
    shown = [own for grouping in GROUPINGS if (own := _of(groups, grouping))]
    if groups[0].counted == LINES:
        _forecast_table(words, [each for own in shown for each in own])
        return
    _forecast_table(words, shown[0])
    if len(shown) > 1:
        with block("details", "counties"):
            text("summary", words("by_county"), "muted")
            _forecast_table(words, [each for own in shown[1:] for each in own])


def _of(groups: Sequence[Jeopardy], grouping: str) -> list[Jeopardy]:
    """Return the groups of one grouping; none where a single one says what the whole says."""
    own = [each for each in groups if each.grouping == grouping]
    return own if grouping == WHOLE or len(own) > 1 else []


def _forecast_table(words: Words, groups: Sequence[Jeopardy]) -> None:
    counted = groups[0].counted
    with block("table", "list forecast"):
        with block("thead"), block("tr"):
            for key in COLUMNS:
                title = words(f"{key}_{counted}") if key in COUNTS[1:] else words(key)
                text("th", title, "count" if key in COUNTS else "", "scope=col")
        with block("tbody"):
            for each in groups:
                with block("tr", f"is-{each.grouping}"):
                    _forecast_row(words, each)


def _forecast_row(words: Words, each: Jeopardy) -> None:
    forecast = each.forecast
    with block("th", "", "scope=row"):
        if each.grouping == WHOLE:
            text("span", words("grouping_whole" if each.counted == LINES else "grouping_whole_units"))
        else:
            text("span", words.short(each.name, each.name_en))
            text("span", words(f"grouping_{each.grouping}"), "muted")
    with block("td"):
        text("span", f"{each.done} / {each.total}", "nowrap")
        bar(each.done, each.total)
    text("td", str(forecast.wanted) if forecast.wanted else UNKNOWN, "count")
    with block("td", "count"):
        text("div", _rate(forecast.needed_per_day))
        if forecast.wanted and forecast.days_left:
            text("div", words("days_left_working", days=forecast.days_left), "muted nowrap")
    with block("td", "count"):
        text("div", _rate(forecast.per_day))
        if forecast.wanted:
            text("div", words(f"seen_in_{each.counted}", count=forecast.seen, days=forecast.seen_days), "muted nowrap")
    with block("td"):
        expected, span = foretold_words(words, forecast)
        text("div", expected, "nowrap")
        text("div", span, "muted nowrap")
    with block("td"):
        pill(words, "outlook", forecast.outlook)
        if forecast.chance is not None and forecast.outlook in ("holds", "in_doubt", "breaks"):
            text("div", words("chance", share=chance_words(forecast.chance)), "muted nowrap")


def _rate(per_day: float | None) -> str:
    return UNKNOWN if per_day is None else f"{per_day:.2f}"


def chance_words(chance: float) -> str:
    """Write a probability in whole percent; only what is certain reads as none or all."""
    if 0 < chance < 0.01:
        return "<1%"
    return ">99%" if 0.99 < chance < 1 else f"{chance:.0%}"


def foretold_words(words: Words, forecast: Forecast) -> tuple[str, str]:
    """Return when the lines will be accepted, and between which days; beyond the horizon no day is named.

    Once the deadline is over its chance is 0 however little was seen: then no day is a dash, as in the reports.
    """
    if forecast.earliest_on is None:
        told = forecast.chance is not None and forecast.outlook != "over" and forecast.wanted and forecast.seen
        return (words("beyond"), "") if told else (UNKNOWN, "")
    expected = words("beyond") if forecast.expected_on is None else words.day(forecast.expected_on)
    return expected, _span(words, forecast.earliest_on, forecast.latest_on)


def _span(words: Words, earliest: date, latest: date | None) -> str:
    if latest is None:
        return words("foretold_from", earliest=words.day(earliest))
    return words("foretold_span", earliest=words.day(earliest), latest=words.day(latest))


# One line


def held_words(words: Words, line: LineView) -> str:
    """Write how long each held the clock, in whole days; who never held it is left out."""
    held = {"carrier": line.carrier_held_hours, "unit": line.unit_held_hours, "centre": line.centre_held_hours}
    parts = [words("held_days", holder=words.known("holder", holder), days=hours // HOURS) for holder, hours in held.items() if hours]
    return " · ".join(parts) or UNKNOWN


def holder_words(words: Words, line: LineView) -> str:
    """Write who holds the clock, and for how many days by now altogether."""
    assert line.clock_holder is not None  # asked only of lines that somebody holds
    held = {"carrier": line.carrier_held_hours, "unit": line.unit_held_hours, "centre": line.centre_held_hours}
    holder, hours = words.known("holder", line.clock_holder), held.get(line.clock_holder)
    return words("held_by", holder=holder) if hours is None else words("held_by_for", holder=holder, days=hours // HOURS)


def earliness_words(words: Words, line: LineView) -> str:
    """Write how early or late a line was accepted, or how much is left, in civil and in working days."""
    if line.days_early is None or line.working_days_early is None:
        return UNKNOWN
    if line.days_early == 0:
        return words("on_the_day")
    key = "late_days" if line.days_early < 0 else "early_days" if line.due.startswith("accepted") else "left_days"
    return words(key, days=abs(line.days_early), working=abs(line.working_days_early))
