"""One summary of the rollout. API, dashboard, metrics and reports are views of it, so they cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType

from app.core.acceptance import LINE_STATES, PASS, Acceptance, LineStatus
from app.core.clock import LineFact
from app.core.cohorts import UNITS, UNITS_WORDS, UNITS_WORDS_EN, Member, cohort, reaches
from app.core.deadlines import ChangeView, MovedDeadline, find_silent_changes, view_changes
from app.core.events import EventBook, UnitEvent, build_book
from app.core.fault_report import FaultSummary
from app.core.inventory import Line
from app.core.jeopardy import Jeopardy, view_jeopardy
from app.core.line_deadline import DeadlineGround, days_left, facts_of
from app.core.order import HOLDERS, Milestone, Order
from app.core.readiness import GateView, holding, line_gates, view_gates
from app.core.terms import SeenTerms
from app.core.workspace import Workspace

#: What stands in place of an observed state, other than up, while the carrier has not opened the line yet.
NOT_OPENED = "not_opened"
SHOWN_STATES = (*LINE_STATES, NOT_OPENED)
NO_EVENTS = build_book(())
#: `not_proven`: over, not reached, and reached if the lines count of which nothing known says that they were not ready.
MILESTONE_STATES = ("met", "met_late", "late", "not_proven", "at_risk", "open", "not_measured")
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LineView:
    """One line as everybody sees it. Rates in bit/s seen from the centre (down = towards the unit); None where not known.

    `clock_holder`: carrier, unit or centre, whoever has to act next; None once accepted, and for lines without a deadline.
    `open_gates`: the titles of what is not ready, in both languages. `days_early`, `working_days_early`: from the acceptance, or from
    today, to the last day in time, negative when late. `clock_since`: since when the present holder holds the clock; `…_held_hours`:
    whole hours for which each held it up to the acceptance. `delivered_at`: since when the line is there without a long break.
    `state`: one of `SHOWN_STATES`. `opened`: whether the line was ever opened, None where nobody keeps its life; `reason` says
    what was observed in any case.
    """

    line_id: str
    unit_id: str
    unit_name: str
    unit_name_en: str
    region: str
    region_name: str
    region_name_en: str
    level: str
    kind: str
    class_id: str
    class_words: str
    class_words_en: str
    role: str
    carrier: str
    carrier_name: str
    circuit_id: str | None
    a_device: str
    a_interface: str
    z_device: str
    z_interface: str
    nominal_down_kbps: int
    nominal_up_kbps: int
    state: str
    reason: str
    behind: str | None
    since: datetime | None
    sampled_at: datetime | None
    down_bps: float | None
    up_bps: float | None
    in_errors: int | None
    verdict: str | None
    decided_at: datetime | None
    open_criteria: tuple[str, ...]
    due: str
    milestone: str | None
    due_on: date | None
    due_at: datetime | None
    days_left: int | None
    reserved_mbps: int | None
    reserved_up: bool | None
    clock_holder: str | None = None
    open_gates: tuple[str, ...] = ()
    open_gates_en: tuple[str, ...] = ()
    baseline_on: date | None = None
    days_early: int | None = None
    working_days_early: int | None = None
    clock_since: datetime | None = None
    carrier_held_hours: int | None = None
    unit_held_hours: int | None = None
    centre_held_hours: int | None = None
    delivered_at: datetime | None = None
    not_proven_for: tuple[str, ...] = ()
    opened: bool | None = None

    @property
    def done_at(self) -> datetime | None:
        """Return when the line was accepted, None while it is not."""
        return self.decided_at if self.due in ("accepted", "accepted_late") else None


@dataclass(frozen=True, slots=True)
class CohortView:
    """Done of total in one county (or the city's own units) and one class of line; units are counted under the class `UNITS`."""

    region: str
    region_name: str
    region_name_en: str
    class_id: str
    class_words: str
    class_words_en: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """`baseline_on`, `baseline_at`: what was first ordered; `changes`: how it came to the present day, oldest first."""

    milestone_id: str
    title: str
    title_en: str
    due_on: date
    due_at: datetime
    soft: bool
    evidence: str
    target_share: float
    state: str
    done: int
    total: int
    cells: tuple[CohortView, ...]
    clause: str | None
    ruling: str | None
    default: bool
    per: str = "whole"
    baseline_on: date | None = None
    baseline_at: datetime | None = None
    changes: tuple[ChangeView, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything at one moment. `polled_at` is the end of the newest poll cycle, None when nothing was ever measured.

    `moved_deadlines`: those that moved without an entry in the order's log. `assumed_years`: counted by weekends alone, since the
    calendar lacks their notice.
    """

    order_number: str
    order_title: str
    order_title_en: str
    issuer: str
    as_of: datetime
    polled_at: datetime | None
    simulation_note: str | None
    simulation_note_en: str | None
    illustration: bool
    milestones: tuple[MilestoneView, ...]
    lines: tuple[LineView, ...]
    gates: tuple[GateView, ...] = ()
    jeopardy: tuple[Jeopardy, ...] = ()
    moved_deadlines: tuple[MovedDeadline, ...] = ()
    assumed_years: tuple[int, ...] = ()
    forecast_level: float = 0.9
    faults: FaultSummary = field(default_factory=FaultSummary)




def summarise(
    workspace: Workspace,
    statuses: Mapping[str, LineStatus],
    acceptances: Mapping[str, Acceptance],
    polled_at: datetime | None,
    now: datetime,
    events: Sequence[UnitEvent] = (),
    openings: Mapping[str, bool] = MappingProxyType({}),
    facts: Mapping[str, Sequence[LineFact]] | None = None,
    seen_terms: Sequence[SeenTerms] = (),
) -> Summary:
    """Return the state of the whole rollout at `now` from the newest samples and decisions per line, and from all unit events.

    `openings`: whether each line was ever opened (`life.find_openings`); a line that it lacks is shown as it is observed.
    `facts`: what clocks are told from, by line; None where the newest sample and decision are all that is known. `seen_terms`: what
    was worked by before, oldest first.
    """
    order, book, ground = workspace.order, build_book(events), DeadlineGround(workspace.order, workspace.calendar, now)
    lines = tuple(
        view_line(
            workspace,
            line,
            statuses.get(line_id),
            acceptances.get(line_id),
            ground,
            book,
            facts.get(line_id, ()) if facts is not None else facts_of(statuses.get(line_id), acceptances.get(line_id)),
            openings.get(line_id),
        )
        for line_id, line in workspace.inventory.lines.items()
    )
    return Summary(
        order_number=order.number,
        order_title=order.title,
        order_title_en=order.title_en,
        issuer=order.issuer,
        as_of=now,
        polled_at=polled_at,
        simulation_note=order.simulation.note if order.simulation else None,
        simulation_note_en=order.simulation.note_en if order.simulation else None,
        illustration=workspace.plan.illustration,
        milestones=tuple(view_milestone(workspace, milestone, lines, now, book) for milestone in order.milestones),
        lines=lines,
        gates=view_gates(workspace, book),
        jeopardy=view_jeopardy(workspace, lines, now, book),
        moved_deadlines=find_silent_changes(order, seen_terms),
        assumed_years=assumed_years(workspace, now),
        forecast_level=order.forecast.level,
    )


def assumed_years(workspace: Workspace, now: datetime) -> tuple[int, ...]:
    """Return the years from the order to its last deadline, or to now, whose working days are counted by weekends alone."""
    order = workspace.order
    last = max([now.astimezone(order.timezone).date(), *(each.due_on for each in order.milestones)])
    return tuple(year for year in range(min(order.issued_on.year, last.year), last.year + 1) if year not in workspace.calendar.years)


def view_line(
    workspace: Workspace,
    line: Line,
    status: LineStatus | None,
    decision: Acceptance | None,
    ground: DeadlineGround,
    book: EventBook,
    facts: Sequence[LineFact],
    opened: bool | None = None,
) -> LineView:
    """Return one line as everybody sees it. `facts` in the order of their moments."""
    order, inventory = workspace.order, workspace.inventory
    unit, service_class = inventory.units[line.unit_id], order.classes[line.service_class]
    region = inventory.regions[unit.region]
    milestone = order.line_milestone(line.service_class, unit.level, unit.kind) if line.role == "primary" else None
    due_at = milestone.due_at(order.timezone) if milestone else None
    accepted = decision if decision and decision.verdict == PASS else None
    opened = True if accepted is not None and opened is False else opened
    sample = status.sample if status else None
    a = sample.a if sample else None
    gates = line_gates(workspace, book, line)
    waiting = holding(gates) if accepted is None else ()
    told = ground.tell(line, unit, milestone, facts, gates, accepted)
    held = {holder: told.clock.held.get(holder, timedelta(0)) // HOUR if milestone else None for holder in HOLDERS}
    reserved = [port.oper_up for port in (sample.reserved_a, sample.reserved_z) if port is not None] if sample else []
    return LineView(
        line_id=line.line_id,
        unit_id=line.unit_id,
        unit_name=unit.name,
        unit_name_en=unit.name_en,
        region=unit.region,
        region_name=region.name,
        region_name_en=region.name_en,
        level=unit.level,
        kind=unit.kind,
        class_id=line.service_class,
        class_words=service_class.words,
        class_words_en=service_class.words_en,
        role=line.role,
        carrier=line.carrier,
        carrier_name=order.carriers.get(line.carrier, line.carrier),
        circuit_id=line.circuit_id,
        a_device=line.a_device,
        a_interface=line.a_interface,
        z_device=line.z_device,
        z_interface=line.z_interface,
        nominal_down_kbps=service_class.nominal_down_kbps,
        nominal_up_kbps=service_class.nominal_up_kbps,
        state=shown_state(sample.state if sample else "unknown", opened),
        reason=sample.reason if sample else "",
        behind=sample.behind if sample else None,
        since=status.since if status else None,
        sampled_at=sample.at if sample else None,
        down_bps=a.out_bps if a else None,
        up_bps=a.in_bps if a else None,
        in_errors=a.in_errors if a else None,
        verdict=decision.verdict if decision else None,
        decided_at=decision.decided_at if decision else None,
        open_criteria=tuple(f"{r.kind}:{r.verdict}" for r in decision.results if r.required and r.verdict != PASS) if decision else (),
        due=told.due,
        milestone=milestone.milestone_id if milestone else None,
        due_on=milestone.due_on if milestone else None,
        due_at=due_at,
        days_left=days_left(due_at, ground.now, order.timezone),
        reserved_mbps=service_class.reserved_port_mbps,
        reserved_up=any(reserved) if reserved else None,
        clock_holder=told.clock.holder,
        open_gates=tuple(gate.title for gate in waiting),
        open_gates_en=tuple(gate.title_en for gate in waiting),
        baseline_on=milestone.term_history()[0].due_on if milestone else None,
        days_early=told.days_early,
        working_days_early=told.working_days_early,
        clock_since=told.clock.since,
        carrier_held_hours=held["carrier"],
        unit_held_hours=held["unit"],
        centre_held_hours=held["centre"],
        delivered_at=told.clock.delivered_at,
        not_proven_for=told.not_proven_for,
        opened=opened,
    )


def shown_state(observed: str, opened: bool | None) -> str:
    """Return what a line is shown as: one that was never opened cannot be down, and nobody is called for it."""
    return NOT_OPENED if opened is False and observed != "up" else observed


def view_milestone(
    workspace: Workspace, milestone: Milestone, lines: Sequence[LineView], now: datetime, book: EventBook = NO_EVENTS
) -> MilestoneView:
    """Return a milestone's cohort by county and class. What nobody has recorded anything of is `not_measured`, never guessed."""
    zone, baseline = workspace.order.timezone, milestone.term_history()[0]
    due_at = milestone.due_at(zone)
    members = cohort(workspace, milestone, lines, book) or ()
    cells = count_cells(workspace, members)
    return MilestoneView(
        milestone_id=milestone.milestone_id,
        title=milestone.title,
        title_en=milestone.title_en,
        due_on=milestone.due_on,
        due_at=due_at,
        soft=milestone.soft,
        evidence=milestone.evidence,
        target_share=milestone.target_share,
        state=milestone_state(workspace.order, milestone, members, now),
        done=sum(cell.done for cell in cells),
        total=sum(cell.total for cell in cells),
        cells=cells,
        clause=milestone.source.clause,
        ruling=milestone.source.ruling,
        default=milestone.source.default,
        per=milestone.per,
        baseline_on=baseline.due_on,
        baseline_at=baseline.due_at(zone),
        changes=view_changes(milestone),
    )


def count_cells(workspace: Workspace, members: Sequence[Member]) -> tuple[CohortView, ...]:
    """Count who is done per region and class, in the order of the members."""
    groups: dict[tuple[str, str], list[Member]] = {}
    for member in members:
        groups.setdefault((member.region, member.class_id), []).append(member)
    return tuple(_cell(workspace, region, class_id, group) for (region, class_id), group in groups.items())


def _cell(workspace: Workspace, code: str, class_id: str, group: Sequence[Member]) -> CohortView:
    region = workspace.inventory.regions.get(code)
    kind = workspace.order.classes.get(class_id) if class_id != UNITS else None
    return CohortView(
        region=code,
        region_name=region.name if region else code,
        region_name_en=region.name_en if region else code,
        class_id=class_id,
        class_words=kind.words if kind else UNITS_WORDS,
        class_words_en=kind.words_en if kind else UNITS_WORDS_EN,
        done=sum(member.is_done() for member in group),
        total=len(group),
    )


def milestone_state(order: Order, milestone: Milestone, members: Sequence[Member], now: datetime) -> str:
    """Return one of MILESTONE_STATES. A soft date is never late, nor is it at risk: it is shown."""
    due_at = milestone.due_at(order.timezone)
    if not members:
        return "not_measured"
    if reaches(members, milestone, before=due_at):
        return "met"
    if reaches(members, milestone):
        return "met_late"
    if milestone.soft:
        return "open"
    if now >= due_at:
        return "not_proven" if reaches(members, milestone, before=due_at, with_unproven=True) else "late"
    return "at_risk" if due_at - now <= timedelta(days=order.at_risk_days) else "open"
