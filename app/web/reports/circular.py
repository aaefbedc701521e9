"""The circular (通报) of a month or quarter, in the customary layout of an official document. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from app.core.cohorts import unit_members
from app.core.document import Annex, Block, Document, Outline, Paragraph, Signature
from app.core.duties import HOLDERS, Rhythm
from app.core.events import milestone_event
from app.core.line_view import LineView
from app.core.milestone_view import MilestoneView
from app.core.periods import Period, day_of_issue
from app.core.standings import Overdue, Standing, by_carrier, is_off_standard, overdue, primary_lines, whole
from app.web.reports.forecasts import forecast_grids, forecast_note, forecast_sentences, say_changes
from app.web.reports.shared import (
    Ground,
    add_later,
    counts_sentence,
    failed_grid,
    finish,
    holder_name,
    milestones_grid,
    names_in_short,
    overdue_grid,
    region_standings,
    standings_grid,
    unit_names,
    weekends_note,
)
from app.web.reports.words import ReportWords


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the user says of a circular: its number, addressee, issuer and day.

    Empty ones are filled with a blank, by the region tree, with whoever issued the order, and with the day of the facts.
    """

    mark: str = ""
    addressee: str = ""
    issuer: str = ""
    issued_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the circular says, counted once."""

    lines: tuple[LineView, ...]
    late: tuple[Overdue, ...]
    failed: tuple[LineView, ...]
    total: Standing | None
    regions: tuple[Standing, ...]
    carriers: tuple[Standing, ...]


def build_circular(ground: Ground, period: Period, letterhead: Letterhead) -> Document:
    """Return the circular of a period, as known at the moment of `ground`."""
    say, order = ground.say, ground.workspace.order
    facts, outline = _gather(ground), Outline(say.language)
    today = ground.known.at.astimezone(order.timezone).date()
    title = say.pick(order.title, order.title_en)
    outline.say(say("circular_opening", title=title, number=say.pick(order.number, order.number_en), day=say.day(today)))
    _say_progress(ground, outline, facts, period)
    _say_problems(ground, outline, facts)
    _say_demands(ground, outline, facts)
    annexes = _annexes(ground, facts)
    titles = [block.title for group in annexes for block in group if isinstance(block, Annex)]
    outline.say(_annex_list(say, titles), style="annexes")
    day = letterhead.issued_on or today
    issued = day_of_issue(day) if say.language == "zh" else say.day(day)
    outline.add(Signature(letterhead.issuer or say.pick(order.issuer, order.issuer_en), issued))
    for group in annexes:
        outline.add(*group)
    outline.say(_rhythm(ground, period), style="note")
    if ground.later:
        outline.add(Annex(say("aside"), say("later")))
    add_later(ground, outline, style="note")
    mark = letterhead.mark or say("circular_mark", year=day.year)
    addressee = letterhead.addressee or say(f"addressee_{_reach(ground)}")
    return finish(ground, say("circular_title", period=say.period(period)), outline, look="circular", mark=mark, addressee=addressee)


def _gather(ground: Ground) -> _Facts:
    zone, summary = ground.workspace.order.timezone, ground.known.summary
    lines = primary_lines(summary)
    late = overdue(summary, ground.workspace.calendar, zone)
    failed = tuple(line for line in lines if is_off_standard(line))
    return _Facts(lines, late, failed, whole(lines, zone), region_standings(ground), by_carrier(lines, zone))


def _reach(ground: Ground) -> str:
    """Tell whether the order speaks to a whole city with its counties, or to one county."""
    return "city" if sum(region.level == "county" for region in ground.workspace.inventory.regions.values()) > 1 else "county"


def _say_progress(ground: Ground, outline: Outline, facts: _Facts, period: Period) -> None:
    say, zone = ground.say, ground.workspace.order.timezone
    outline.chapter(say("chapter_progress"))
    outline.section(say("section_whole"))
    begun = period.begins_at(zone)
    new = sum(line.done_at is not None and line.done_at >= begun for line in facts.lines)
    outline.say(counts_sentence(say, facts.total), say("period_done" if new else "period_none", period=say.period(period), count=new))
    outline.say(_compare(ground, facts.regions))
    outline.say(*forecast_sentences(ground))
    outline.section(say("section_milestones"))
    _say_milestones(ground, outline, ground.known.summary.milestones)
    say_changes(ground, outline, ground.known.summary.milestones)


def _compare(ground: Ground, regions: Sequence[Standing]) -> str:
    """Say which counties are done, and which are the furthest and the last."""
    say = ground.say
    if len(regions) < 2:
        return ""
    done = [say.pick(each.name, each.name_en) for each in regions if each.done == each.total]
    ordered = sorted(regions, key=lambda each: -each.share)
    best, last = ordered[0], ordered[-1]
    if best.share == last.share:
        return say("counties_even", share=say.share(best.done, best.total))
    named = say("counties_done", names=say.joined(done)) if done else ""
    words = [say.pick(each.name, each.name_en) for each in (best, last)]
    furthest = say("counties_best", name=words[0], share=say.share(best.done, best.total))
    return named + (" " if named and say.language == "en" else "") + furthest + say(
        "counties_last", name=words[1], share=say.share(last.done, last.total)
    )


def _say_milestones(ground: Ground, outline: Outline, milestones: Sequence[MilestoneView]) -> None:
    """Say how each milestone stands, and of which nothing is recorded."""
    say = ground.say
    if not milestones:
        outline.say(say("no_milestones"))
    known = [_milestone(say, each) for each in milestones if each.total]
    silent = [say.pick(each.title, each.title_en) for each in milestones if not each.total]
    between, stop = ("；", "。") if say.language == "zh" else ("; ", ".")
    outline.say(between.join(known) + stop if known else "", say("milestones_unmeasured", titles=say.joined(silent)) if silent else "")


def _milestone(say: ReportWords, each: MilestoneView) -> str:
    title, due = say.pick(each.title, each.title_en) + (say("soft") if each.soft else ""), say.day(each.due_on)
    state = say.words.known("milestone", each.state).lower()
    return say("milestone_sentence", title=title, due=due, done=each.done, total=each.total, state=state)


def _say_problems(ground: Ground, outline: Outline, facts: _Facts) -> None:
    say = ground.say
    day = say.day(ground.known.at.astimezone(ground.workspace.order.timezone).date())
    outline.chapter(say("chapter_problems"))
    outline.section(say("section_late"))
    if facts.late:
        units = unit_names(say, [each.line for each in facts.late])
        outline.say(say("late_sentence", day=day, count=len(facts.late), units=units, annex=2))
    else:
        outline.say(say("late_none"))
    unproven = facts.total.not_proven if facts.total is not None else 0
    outline.say(*((say("not_proven_sentence", count=unproven), say("late_or_unproven")) if unproven else ()))
    outline.section(say("section_off_standard"))
    if facts.failed:
        outline.say(say("off_sentence", count=len(facts.failed), units=unit_names(say, facts.failed), annex=3 if facts.late else 2))
    else:
        outline.say(say("off_none"))
    if facts.late:
        outline.section(say("section_holders"))
        outline.say(say("holders_named", holders=_holders(say, facts)))
    if duties := list(_late_duties(ground)):
        outline.section(say("section_duties"))
        for sentence in duties:
            outline.say(sentence)


def _holders(say: ReportWords, facts: _Facts) -> str:
    """Name who holds how many of the late lines: carriers by name, the most first, then units and the centre."""
    others = Counter(each.line.clock_holder for each in facts.late if each.line.clock_holder != "carrier")
    counts = [*_held(say, facts, "carrier").most_common(), *((holder_name(say, each), others[each]) for each in HOLDERS if others[each])]
    return say.joined([say("holder_count", name=name, count=count) for name, count in counts])


def _late_duties(ground: Ground) -> Iterator[str]:
    """Say of every late milestone that units report which of them are missing."""
    say, orders = ground.say, {each.milestone_id: each for each in ground.workspace.order.milestones}
    for view in ground.known.summary.milestones:
        milestone = orders[view.milestone_id]
        event = milestone_event(milestone)
        if view.state != "late" or view.evidence != "unit_event" or event is None:
            continue
        members = unit_members(ground.workspace, milestone.scope, event, ground.known.book)
        missing = [ground.workspace.inventory.units[each.unit_id] for each in members if each.done_at is None]
        names = names_in_short(say, [say.pick(unit.name, unit.name_en) for unit in missing])
        title, counts = say.pick(view.title, view.title_en), {"total": len(members), "count": len(missing)}
        yield say("duty_late", title=title, due=say.day(view.due_on), units=names, **counts)


def _held(say: ReportWords, facts: _Facts, holder: str) -> Counter[str]:
    held = (each.line for each in facts.late if each.line.clock_holder == holder)
    return Counter(say.pick(line.carrier_name, line.carrier_name_en) for line in held)


def _say_demands(ground: Ground, outline: Outline, facts: _Facts) -> None:
    """Say who has to do what about lines that are over their day, late or not proven, and about those whose day is to come."""
    say = ground.say
    outline.chapter(say("chapter_demands"))
    held = _held(say, facts, "carrier")
    over = [line for line in facts.lines if line.due in ("late", "not_proven")]
    waiting = [line for line in over if line.clock_holder == "unit"]
    gates = {gate for line in waiting for gate in say.words.each(line.open_gates, line.open_gates_en)}
    centre = sum(line.clock_holder == "centre" for line in over)
    coming = sum(line.due in ("open", "at_risk") for line in facts.lines)
    duties = any(each.state == "late" and each.evidence == "unit_event" for each in ground.known.summary.milestones)
    demands = [
        say("demand_carrier", carriers=say.joined(list(held)), annex=2) if held else "",
        say("demand_unit", gates=say.joined(sorted(gates))) if gates else "",
        say("demand_centre", count=centre) if centre else "",
        say("demand_duties") if duties else "",
        say("demand_off") if facts.failed else "",
        say("demand_open", count=coming) if coming else "",
    ]
    wanted = [demand for demand in demands if demand]
    outline.say(*(wanted or [say("demand_none")]))


def _annexes(ground: Ground, facts: _Facts) -> list[list[Block]]:
    """Return the annexes, each with its own page: counts always, lists of lines only where they name one."""
    say, milestones = ground.say, ground.known.summary.milestones
    counts: list[Block] = [
        standings_grid(say, "region", say("caption_regions"), facts.regions, facts.total),
        standings_grid(say, "carrier", say("caption_carriers"), facts.carriers, facts.total),
        milestones_grid(ground, milestones, say("no_milestones"), say("caption_milestones")),
    ]
    if ground.known.summary.jeopardy:
        counts += [*forecast_grids(ground, counties=False, caption=say("chapter_forecast")), Paragraph(forecast_note(ground), "note")]
    groups = [(say("annex_regions"), counts)]
    if facts.late:
        groups.append((say("annex_late"), [overdue_grid(ground, facts.late, say("late_none"))]))
    if facts.failed:
        groups.append((say("annex_off"), [failed_grid(ground, facts.failed, say("off_none"))]))
    annexes: list[list[Block]] = [
        [Annex(say("annex", number=number) if len(groups) > 1 else say("annex_only"), title, landscape=number > 1), *blocks]
        for number, (title, blocks) in enumerate(groups, start=1)
    ]
    outline = Outline(say.language)
    outline.say(say("days_note"), style="note")
    annexes[0] += outline.blocks
    outline = Outline(say.language)
    outline.say(weekends_note(ground, facts.late), style="note")
    annexes[1 if facts.late else 0] += outline.blocks
    return annexes


def _annex_list(say: ReportWords, titles: Sequence[str]) -> str:
    """Name the annexes, one a line; the second and later ones stand under the first. A single one has no number (GB/T 9704)."""
    if len(titles) == 1:
        return titles[0].join(("附件：", "") if say.language == "zh" else (f"{say('annex_only')}: ", "."))
    if say.language == "zh":
        return "\n".join(("附件：" if number == 1 else "　　　") + f"{number}．{each}" for number, each in enumerate(titles, start=1))
    return say("annexes") + "; ".join(f"{number}. {each}" for number, each in enumerate(titles, start=1)) + "."


def _rhythm(ground: Ground, period: Period) -> str:
    """Say which clause asks for a circular of this length; that none does is said too."""
    say = ground.say
    fitting = [each for each in ground.workspace.order.rhythms if _fits(each, period)]
    if not fitting:
        return say("rhythm_default")
    return say("rhythm_source", title=say.pick(fitting[0].title, fitting[0].title_en), source=say.source(fitting[0].source))


def _fits(rhythm: Rhythm, period: Period) -> bool:
    return rhythm.kind == "circular" and rhythm.every_months in (None, period.months)
