"""What reports share: their head, tables of counts, whom lists name, what was learnt later. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.document import Block, Document, Look, Outline, grid_or
from app.core.events import event_uses
from app.core.known import Learnt
from app.core.line_view import LineView
from app.core.milestone_view import MilestoneView
from app.core.standings import Overdue, Standing, by_region, primary_lines
from app.core.workspace import Workspace
from app.web.reports.words import ReportWords, report_words
from app.workflows.known import Known

#: A list of names in a sentence ends here; an annex has them all.
NAMES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Ground:
    """What a report is written from. `later` None: nobody asked for a moment in the past, so nothing can have been learnt since."""

    workspace: Workspace
    known: Known
    say: ReportWords
    later: tuple[Learnt, ...] | None = None

    @property
    def now(self) -> str:
        return self.say.moment(self.known.at)


def lay_ground(workspace: Workspace, known: Known, language: str, later: tuple[Learnt, ...] | None = None) -> Ground:
    return Ground(workspace, known, report_words(language, workspace.order.timezone), later)


def finish(
    ground: Ground, title: str, outline: Outline, *, look: Look = "report", mark: str = "", addressee: str = "", landscape: bool = False
) -> Document:
    """Return the document; what was learnt later is its last chapter, where it was asked for."""
    simulation, say = ground.workspace.order.simulation, ground.say
    warning = say.pick(simulation.note, simulation.note_en) if simulation else ""
    return Document(say.language, look, title, mark, addressee, warning, outline.blocks, landscape)


def open_report(ground: Ground) -> Outline:
    """Return an outline that begins with the order and the moment."""
    say, order = ground.say, ground.workspace.order
    outline = Outline(say.language)
    outline.say(say("basis", title=say.pick(order.title, order.title_en), number=say.pick(order.number, order.number_en)), style="plain")
    polled = "" if ground.known.summary.polled_at is not None else say("never_polled")
    outline.say(say("as_of", moment=ground.now, zone=say.zone_name()), polled, style="plain")
    return outline


def add_later(ground: Ground, outline: Outline, style: str = "body") -> None:
    """Add what was learnt later, where a moment in the past was asked for; a chapter of its own but for notes."""
    if ground.later is None:
        return
    say = ground.say
    if style == "body":
        outline.chapter(say("later"))
    if not ground.later:
        outline.say(say("later_none", moment=ground.now), style=style)
        return
    outline.say(say("later_intro", moment=ground.now), style="body" if style == "body" else "plain")
    rows = [
        (
            learnt_words(ground, each),
            subject_name(ground, each.subject),
            say.stamp(each.observed_at),
            say.stamp(each.recorded_at),
            shown_by(ground, each),
        )
        for each in ground.later
    ]
    head = [say(f"head_{name}") for name in ("what", "subject", "observed", "recorded", "document")]
    outline.add(grid_or("", "", head, rows, (22, 26, 16, 16, 20), "llccl"))


def shown_by(ground: Ground, learnt: Learnt) -> str:
    """Return what shows it: the reason of a state, the document of a report; a trial is shown by the decision that ended it."""
    if learnt.kind == "trial":
        return ground.say("by_decision")
    if learnt.kind == "transition":
        return ground.say.words.reason(learnt.document)
    return learnt.document


def learnt_words(ground: Ground, learnt: Learnt) -> str:
    """Say in one phrase what was learnt."""
    say, word = ground.say, learnt.word
    match learnt.kind:
        case "transition":
            word = say.words.known("state", word)
        case "measurement":
            word = say.words.known("criterion", word)
        case "life":
            word = say.words.known("life", word).lower()
        case "line_event":
            word = say.known("event", word)
        case "confirmation":
            party, _, said = word.partition(" ")
            word = f"{say.known('party', party)} {say.known('said', said)}"
        case "unit_event":
            taken_back, name = word.startswith("not "), word.removeprefix("not ")
            return say("learnt_taken_back" if taken_back else "learnt_unit_event", word=event_title(ground, name))
    return say(f"learnt_{learnt.kind}", word=word)


def event_title(ground: Ground, event: str) -> str:
    """Return the title under which the order asks for an event."""
    found = next((use for use in event_uses(ground.workspace.order) if use.event == event), None)
    return ground.say.pick(found.title, found.title_en) if found is not None else event


def subject_name(ground: Ground, subject: str) -> str:
    """Return the name of a unit or region, of a line with its unit, or the subject as it stands."""
    inventory, say = ground.workspace.inventory, ground.say
    if (line := inventory.lines.get(subject)) is not None:
        unit = inventory.units[line.unit_id]
        return f"{say.pick(unit.name, unit.name_en)} {subject}"
    if (found := inventory.units.get(subject) or inventory.regions.get(subject.removeprefix("region:"))) is not None:
        return say.pick(found.name, found.name_en)
    return subject


# Counts


def region_standings(ground: Ground) -> tuple[Standing, ...]:
    """Return the standings of regions in the order of the inventory."""
    found = by_region(primary_lines(ground.known.summary), ground.workspace.order.timezone)
    places = {code: place for place, code in enumerate(ground.workspace.inventory.regions)}
    return tuple(sorted(found, key=lambda each: places[each.key]))


def counts_sentence(say: ReportWords, standing: Standing | None) -> str:
    """Say in one sentence how many lines are done, late and at risk."""
    if standing is None:
        return say("counts_none")
    begun = say("counts", total=standing.total, done=standing.done, share=say.share(standing.done, standing.total))
    if standing.done_late:
        begun += say("counts_late", count=standing.done_late)
    open_lines = standing.total - standing.done
    if not open_lines:
        return begun + say("counts_all")
    if standing.late == open_lines:
        return begun + say("counts_open", open=open_lines, parts=say("counts_all_late"))
    counts = (("late", standing.late), ("not_proven", standing.not_proven), ("at_risk", standing.at_risk))
    parts = say.joined([say(f"part_{name}", count=count) for name, count in counts if count])
    return begun + say("counts_open", open=open_lines, parts=say("counts_parts", parts=parts) if parts else "")


def standings_grid(say: ReportWords, what: str, caption: str, standings: Sequence[Standing], total: Standing | None) -> Block:
    """Return counts per county, class or carrier, with all together at the foot."""
    named = [(say.pick(each.name, each.name_en), each) for each in standings]
    if total is not None and len(named) > 1:
        named.append((say("all"), total))
    # what is not proven is rare, and has its column only where there is some
    counted = ("done_late", "late", *(("not_proven",) if any(each.not_proven for each in standings) else ()), "at_risk", "failed")
    rows = [_standing_row(say, name, each, counted) for name, each in named]
    head = [say(f"head_{what}"), *(say(f"head_{name}") for name in ("total", "done")), say("percent")]
    head += [say(f"head_{name}") for name in (*counted, "days")]
    widths = (20, 9, 10.5, 8, *(10.5 if name in ("done_late", "late") else 8.5 for name in counted), 11)
    return grid_or(say("no_lines"), caption, head, rows, widths, "l" + "r" * (len(head) - 1))


def _standing_row(say: ReportWords, name: str, each: Standing, counted: Sequence[str]) -> tuple[str | int | float | None, ...]:
    counts = (getattr(each, column) for column in counted)
    return name, each.total, each.done, say.share(each.done, each.total), *counts, each.days_early


def milestones_grid(ground: Ground, milestones: Sequence[MilestoneView], empty: str, caption: str = "") -> Block:
    say = ground.say
    rows = [
        (
            say.pick(each.title, each.title_en) + (say("soft") if each.soft else ""),
            f"{each.due_on}" + (say("first_due", day=each.baseline_on) if each.baseline_on not in (None, each.due_on) else ""),
            f"{each.done}/{each.total}" if each.total else say("not_measured"),
            say.words.known("milestone", each.state),
            each.clause or each.ruling or say("source_default"),
        )
        for each in milestones
    ]
    head = [say(f"head_{name}") for name in ("milestone", "due", "progress", "state", "source")]
    return grid_or(empty, caption, head, rows, (46, 16, 16, 14, 16), "lcccc")


def overdue_grid(ground: Ground, lines: Sequence[Overdue], empty: str) -> Block:
    """Return the late lines, each with whose delay it is and what is not ready."""
    say = ground.say
    rows = [_overdue_row(say, number, each) for number, each in enumerate(lines, start=1)]
    names = ("unit", "region", "line", "built_by", "due", "days_over", "working", "holder", "gates")
    head = [say("number"), *(say(f"head_{name}") for name in names)]
    if not any(each.line.open_gates for each in lines):  # a column that says nothing but none is left out
        rows, head = [row[:-1] for row in rows], head[:-1]
        return grid_or(empty, "", head, rows, (5.5, 30, 13, 19, 14, 13, 10, 9.5, 13), "cllllcrrl")
    return grid_or(empty, "", head, rows, (4.5, 25, 11, 15.5, 12, 11, 8.5, 8, 10.5, 26), "cllllcrrll")


def _overdue_row(say: ReportWords, number: int, each: Overdue) -> tuple[str | int | float | None, ...]:
    line = each.line
    return (
        number,
        say.pick(line.unit_name, line.unit_name_en),
        say.pick(line.region_name, line.region_name_en),
        line.line_id,
        say.pick(line.carrier_name, line.carrier_name_en),
        f"{each.last_day}",
        each.days,
        each.working_days,
        holder_name(say, line.clock_holder),
        say.joined(say.words.each(line.open_gates, line.open_gates_en)) or say("gates_none"),
    )


def holder_name(say: ReportWords, holder: str | None) -> str | None:
    """Return who holds a clock, in the words of orders: a provider of network service, not a builder."""
    return None if holder is None else say("holder_carrier") if holder == "carrier" else say.words.known("holder", holder)


def failed_grid(ground: Ground, lines: Sequence[LineView], empty: str) -> Block:
    """Return the lines that failed their judgement, with what failed."""
    say = ground.say
    rows = [
        (
            number,
            say.pick(line.unit_name, line.unit_name_en),
            say.pick(line.region_name, line.region_name_en),
            line.line_id,
            say.pick(line.carrier_name, line.carrier_name_en),
            say.joined([say.words.known("criterion", kind) for kind in failed_criteria(line)]),
            say.stamp(line.decided_at) if line.decided_at else None,
        )
        for number, line in enumerate(lines, start=1)
    ]
    names = ("unit", "region", "line", "built_by", "failed_criteria", "judged")
    head = [say("number"), *(say(f"head_{name}") for name in names)]
    return grid_or(empty, "", head, rows, (6, 28, 12, 20, 13, 26, 15), "cllllll")


def failed_criteria(line: LineView) -> list[str]:
    return [kind for kind, _, verdict in (each.partition(":") for each in line.open_criteria) if verdict == "fail"]


def unit_names(say: ReportWords, lines: Sequence[LineView]) -> str:
    """Name the units of some lines in a sentence, the first ones where they are many."""
    return names_in_short(say, [say.pick(line.unit_name, line.unit_name_en) for line in lines])


def names_in_short(say: ReportWords, names: Iterable[str]) -> str:
    """Join names, each once; of many the first ones, with their number."""
    distinct = list(dict.fromkeys(names))
    if len(distinct) > NAMES_SHOWN:
        return say("units_named", names=say.joined(distinct[:NAMES_SHOWN]), count=len(distinct))
    return say("units_few", names=say.joined(distinct))


def weekends_note(ground: Ground, lines: Sequence[Overdue]) -> str:
    """Name the years whose working days were counted by weekends alone."""
    today = ground.known.at.astimezone(ground.workspace.order.timezone).date()
    years = sorted({year for each in lines for year in range(each.last_day.year, today.year + 1)})
    unknown = [str(year) for year in years if year not in ground.workspace.calendar.years]
    return ground.say("weekends_only", years=ground.say.joined(unknown)) if unknown else ""

