"""The parts of the page, each drawn from values into the present container."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.acceptance import LINE_STATES
from app.core.access import Viewer
from app.core.line_view import NOT_OPENED, SHOWN_STATES, LineView
from app.core.milestone_view import CohortView, MilestoneView
from app.core.progress import Summary
from app.web.dashboard import view
from app.web.dashboard.deadlines import holder_words, moved_words
from app.web.dashboard.elements import bar, block, pill, text
from app.web.dashboard.words import Words
from app.web.doors import OWN_PASSWORD, SIGN_IN
from app.web.select import count_states

LINES_SHOWN = 8
OUTAGES_SHOWN = 6
NAMES_SHOWN = 3
Open = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Polling:
    """When the newest poll cycle ended, on the order's clock, how long ago, and whether that is too long."""

    at: datetime | None
    age: timedelta
    stale: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """The order's clock: `now` is the summary's moment on it."""

    now: datetime
    local: Callable[[datetime], datetime]


def draw_header(words: Words, summary: Summary, other_language: str, viewer: Viewer | None = None) -> None:
    """Draw the title, the order it serves, the way to the other language, and the way in or out."""
    with block("div", "head-title"):
        text("h1", words("page_title"))
        title, number = words.pick(summary.order_title, summary.order_title_en), words.pick(summary.order_number, summary.order_number_en)
        text("p", words("order_line", title=title, number=number), "order")
    text("a", words("other_language"), "language", f"href=/language/{other_language} lang={other_language}")
    if viewer is None:
        text("a", words("sign_in"), "language", f"href={SIGN_IN}")
        return
    text("span", words("signed_in_as", account=viewer.account, role=words.known("access", viewer.role.kind)), "muted nowrap")
    text("a", words("own_password"), "language", f"href={OWN_PASSWORD}")
    with block("form", "", "method=post action=/sign-out"):
        text("button", words("sign_out"), "language", "type=submit")


def draw_idle(words: Words, left: str) -> None:
    """Draw when the session will end for want of use; nothing while that is far away."""
    if left:
        _banner("simulation", words("idle_soon"), words("idle_soon_note", left=left))


def draw_banners(words: Words, summary: Summary, polling: Polling) -> None:
    """Draw what must be known before any number is believed."""
    if summary.simulation_note is not None:
        note = words.pick(summary.simulation_note, summary.simulation_note_en or "")
        _banner("simulation", words("simulation"), note)
    for each in summary.moved_deadlines:
        _banner("alarm", words("deadline_moved"), moved_words(words, each))
    if polling.at is None:
        _banner("alarm", words("never_polled"), words("never_polled_note"))
    elif polling.stale:
        _banner("alarm", words("stale"), words("stale_note", when=words.moment(polling.at), age=words.age(polling.age)))
    if summary.illustration:
        _banner("notice", words("illustration"), words("illustration_note"))


def draw_failure(words: Words, message: str) -> None:
    """Draw that the store could not be read."""
    _banner("alarm", words("unread"), f"{message} {words('stands_still')}")


def draw_figures(words: Words, counts: view.Figures, polling: Polling) -> None:
    """Draw the key figures: acceptance, states, polling."""
    late_part = words("accepted_late_part", count=counts.accepted_late) if counts.accepted_late else ""
    of_total = words("of_total", total=counts.total, share=words.share(counts.accepted, counts.total))
    with block("div", "figure is-wide"):
        text("div", words("primary_accepted"), "figure-name")
        with block("div", "figure-value"):
            text("span", str(counts.accepted), "number")
            text("span", of_total, "figure-of")
        bar(counts.accepted, counts.total)
        if late_part:
            text("div", late_part, "figure-note")
        if counts.backups:
            text("div", words("backups_beside", count=counts.backups_accepted, total=counts.backups), "figure-note")
    late_note = words("not_proven_part", count=counts.not_proven) if counts.not_proven else words("fig_late_note")
    _figure(words("fig_late"), counts.late, late_note, "late")
    _figure(words("fig_at_risk"), counts.at_risk, words("fig_at_risk_note"), "at_risk")
    for state in _states(counts.states):
        _figure(words(f"state_{state}"), counts.states[state], words(f"fig_{state}_note"), state)
    with block("div", "figure is-alarm" if polling.stale else "figure", "data-figure=polled"):
        text("div", words("last_polled"), "figure-name")
        text("div", words("never") if polling.at is None else f"{polling.at:%H:%M:%S}", "figure-value number is-time")
        text("div", "" if polling.at is None else words("ago", age=words.age(polling.age)), "figure-note")


def draw_milestones(words: Words, milestones: Sequence[MilestoneView]) -> None:
    """Draw the duties that lines are counted for, one column per county, then the other dated duties."""
    dated = view.by_due_day(milestones)
    regions = view.milestone_regions(milestones)
    counted = [milestone for milestone in dated if milestone.cells]
    others = [milestone for milestone in dated if not milestone.cells]
    if counted:
        with block("table", "milestones"):
            with block("thead"), block("tr"):
                for key in ("due", "milestone", "standing", "progress"):
                    text("th", words(key), f"col-{key}", "scope=col")
                for region in regions:
                    text("th", words.pick(region.name, region.name_en), "col-region", "scope=col")
            with block("tbody"):
                for milestone in counted:
                    with block("tr", f"is-{milestone.state}"):
                        _counted_row(words, milestone, regions)
    if others:
        with block("div", "card-head others-head"):
            text("h3", words("other_duties"))
            text("span", words("other_duties_note"), "muted")
        with block("ul", "others"):
            for milestone in others:
                with block("li"):
                    _other_duty(words, milestone)


def _counted_row(words: Words, milestone: MilestoneView, regions: Sequence[view.Region]) -> None:
    text("td", words.day(milestone.due_on), "date")
    with block("td"):
        text("div", words.pick(milestone.title, milestone.title_en), "duty")
        _source(words, milestone)
    with block("td"):
        pill(words, "milestone", milestone.state)
    with block("td"):
        with block("div", "done-of"):
            text("b", f"{milestone.done} / {milestone.total}")
            text("span", words.share(milestone.done, milestone.total))
        bar(milestone.done, milestone.total, milestone.target_share)
        if milestone.target_share < 1:
            text("div", words("target", share=f"{milestone.target_share:.0%}"), "muted")
    for region in regions:
        with block("td", "cells"):
            for cell in milestone.cells:
                if cell.region == region.code:
                    _cohort(words, cell)


def _other_duty(words: Words, milestone: MilestoneView) -> None:
    text("span", words.day(milestone.due_on), "date")
    with block("div"):
        text("div", words.pick(milestone.title, milestone.title_en), "duty")
        _source(words, milestone, words.known("evidence", milestone.evidence))
        if milestone.state != "not_measured":
            pill(words, "milestone", milestone.state)


def _source(words: Words, milestone: MilestoneView, *more: str) -> None:
    """Draw where the date comes from: a clause of the order, a ruling, or a default of ours."""
    if milestone.clause:
        origin = words("clause", clause=milestone.clause)
    elif milestone.ruling:
        origin = words("ruling", ruling=milestone.ruling)
    else:
        origin = words("default")
    with block("div", "source"):
        if milestone.soft:
            text("span", words("soft"), "tag")
        text("span", origin, "default" if milestone.default else "")
        for one in more:
            text("span", f" · {one}")


def _cohort(words: Words, cell: CohortView) -> None:
    with block("div", "cohort"):
        text("span", words.short(cell.class_words, cell.class_words_en), "cohort-class")
        text("span", f"{cell.done}/{cell.total}", "cohort-count")
        bar(cell.done, cell.total)


def draw_attention(words: Words, lines: Sequence[LineView], open_line: Open, list_all: Callable[[], object]) -> None:
    """Draw the lines that are late or at risk, worst first; beyond a page of them, the way to the rest."""
    if not lines:
        text("p", words("attention_none"), "quiet")
        return
    with block("table", "list"):
        with block("thead"), block("tr"):
            for key in ("unit", "region_class", "standing", "due", "open_criteria"):
                text("th", words(key), "", "scope=col")
        with block("tbody"):
            for line in lines[:LINES_SHOWN]:
                with block("tr"):
                    _attention_row(words, line, open_line)
    if len(lines) > LINES_SHOWN:
        text("button", words("more", count=len(lines) - LINES_SHOWN), "more", "type=button").on("click", lambda _: list_all())
    if any(line.due in ("late", "not_proven") for line in lines):
        text("p", words("late_or_unproven"), "muted note")


def _attention_row(words: Words, line: LineView, open_line: Open) -> None:
    with block("td", "wide"):
        _line_button(words, line, open_line)
    with block("td"):
        text("div", words.pick(line.region_name, line.region_name_en))
        text("div", words.short(line.class_words, line.class_words_en), "muted")
    with block("td"):
        pill(words, "due", line.due)
        if line.clock_holder:
            text("div", holder_words(words, line), "muted nowrap")
    with block("td"):
        text("div", words.days_left(line.days_left), "nowrap")
        if line.due_on:
            text("div", words.day(line.due_on), "muted nowrap")
    with block("td", "open-criteria"):
        for sentence in criteria_words(words, line.open_criteria) or [words(f"verdict_{line.verdict or 'none'}")]:
            text("div", sentence)


def draw_states(words: Words, lines: Sequence[LineView]) -> None:
    """Draw how many lines are in which state, by county."""
    rows = view.states_by_region(lines)
    states = _states(count_states(lines))
    if backups := sum(line.role != "primary" for line in lines):
        text("p", words("states_of_all", total=len(lines), backups=backups), "muted")
    with block("table", "list states"):
        with block("thead"), block("tr"):
            text("th", words("region"), "", "scope=col")
            for state in states:
                text("th", words(f"state_{state}"), "count", "scope=col")
            text("th", words("total"), "count", "scope=col")
        with block("tbody"):
            for row in rows:
                with block("tr"):
                    text("th", words.pick(row.region.name, row.region.name_en), "", "scope=row")
                    for state in states:
                        count = row.states[state]
                        text("td", str(count), f"count is-{state}" if count else "count is-zero")
                    text("td", str(row.total), "count")


def _states(counts: Mapping[str, int]) -> Sequence[str]:
    """Return the states to show: lines that are not opened yet have a place only where somebody keeps their life."""
    return SHOWN_STATES if counts[NOT_OPENED] else LINE_STATES


def draw_outages(words: Words, found: Sequence[view.Outage], clock: Clock, open_line: Open, list_all: Callable[[], object]) -> None:
    """Draw what is broken: each cause with its reason, and whom it hides; beyond a page of them, the way to the rest."""
    text("h3", words("not_up"))
    if not found:
        text("p", words("not_up_none"), "quiet")
        return
    with block("ul", "outages"):
        for outage in found[:OUTAGES_SHOWN]:
            with block("li"):
                _outage(words, outage, clock, open_line)
    if len(found) > OUTAGES_SHOWN:
        rest = words("more_outages", count=len(found) - OUTAGES_SHOWN)
        text("button", rest, "more", "type=button").on("click", lambda _: list_all())


def _outage(words: Words, outage: view.Outage, clock: Clock, open_line: Open) -> None:
    line = outage.line
    with block("div", "outage-line"):
        pill(words, "state", line.state)
        _line_button(words, line, open_line)
    reason = reason_words(words, line) or words("reason_missing")
    since = words("since", when=words.recent(clock.local(line.since), clock.now)) if line.since else ""
    text("div", " · ".join(part for part in (reason, since) if part), "reason")
    if outage.hidden:
        names = words("list_separator").join(words.pick(one.unit_name, one.unit_name_en) for one in outage.hidden[:NAMES_SHOWN])
        rest = words("and_more") if len(outage.hidden) > NAMES_SHOWN else ""
        text("div", words("hides", count=len(outage.hidden), names=names + rest), "shadowed")


def reason_words(words: Words, line: LineView) -> str:
    """Write why a line is in its state, and the dead line it is behind where the reason does not name that itself."""
    parts = [words.reason(line.reason)] if line.reason else []
    if line.behind and line.behind not in line.reason:
        parts.append(words("behind", line=line.behind))
    return " · ".join(parts)


def criteria_words(words: Words, open_criteria: Sequence[str]) -> list[str]:
    """Write criteria given as `kind:verdict` in words, one sentence per verdict."""
    separator = words("list_separator")
    sentences = []
    for verdict, kinds in view.criteria_by_verdict(open_criteria).items():
        criteria = separator.join(words.known("criterion", kind) for kind in kinds)
        sentences.append(words("verdict_criteria", verdict=words.known("verdict", verdict), criteria=criteria))
    return sentences


def _line_button(words: Words, line: LineView, open_line: Open) -> None:
    with block("button", "line-button", "type=button").on("click", lambda _: open_line(line.line_id)):
        text("span", words.pick(line.unit_name, line.unit_name_en), "unit")
        text("span", line.line_id, "line-id")


def _banner(kind: str, title: str, note: str) -> None:
    with block("div", f"banner is-{kind}", "role=alert" if kind == "alarm" else "role=note"):
        text("b", title)
        text("span", note)


def _figure(name: str, count: int, note: str, kind: str) -> None:
    with block("div", f"figure is-{kind}" if count else "figure is-zero", f"data-figure={kind}"):
        text("div", name, "figure-name")
        text("div", str(count), "figure-value number")
        text("div", note, "figure-note")
