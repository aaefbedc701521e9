"""One summary of the rollout. API, dashboard, metrics and reports are views of it, so they cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.acceptance import PASS, Acceptance, LineStatus
from app.core.cohorts import UNITS, UNITS_WORDS, UNITS_WORDS_EN, Member, cohort, reaches
from app.core.events import EventBook, UnitEvent, build_book
from app.core.fault_report import FaultSummary
from app.core.inventory import Line
from app.core.order import Gate, Milestone, Order
from app.core.readiness import GateView, clock_holder, holding, line_gates, view_gates
from app.core.workspace import Workspace

#: What a line means against its deadline: accepted (in time or not), late, at risk, still open, or without any deadline.
LINE_DUES = ("accepted", "accepted_late", "late", "at_risk", "open", "no_deadline")
NO_EVENTS = build_book(())
MILESTONE_STATES = ("met", "met_late", "late", "at_risk", "open", "not_measured")


@dataclass(frozen=True, slots=True)
class LineView:
    """One line as everybody sees it. Rates in bit/s seen from the centre (down = towards the unit); None where not known.

    `clock_holder`: carrier, unit or centre, whoever has to act next; None once accepted, and for lines without a deadline.
    `open_gates`: the titles of what is not ready, in both languages.
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


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything at one moment. `polled_at` is the end of the newest poll cycle, None when nothing was ever measured."""

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
    faults: FaultSummary = field(default_factory=FaultSummary)


def lateness(accepted: Acceptance | None, due_at: datetime | None, now: datetime, at_risk: timedelta) -> str:
    """Return what a line means against its deadline: one of `LINE_DUES`. On the moment `due_at` itself it is too late."""
    if accepted is not None:
        return "accepted_late" if due_at is not None and accepted.decided_at >= due_at else "accepted"
    if due_at is None:
        return "no_deadline"
    if now >= due_at:
        return "late"
    return "at_risk" if due_at - now <= at_risk else "open"


def summarise(
    workspace: Workspace,
    statuses: Mapping[str, LineStatus],
    acceptances: Mapping[str, Acceptance],
    polled_at: datetime | None,
    now: datetime,
    events: Sequence[UnitEvent] = (),
) -> Summary:
    """Return the state of the whole rollout at `now` from the newest samples and decisions per line, and from all unit events."""
    order, book = workspace.order, build_book(events)
    lines = tuple(
        view_line(workspace, line, statuses.get(line.line_id), acceptances.get(line.line_id), now, book)
        for line in workspace.inventory.lines.values()
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
    )


def view_line(
    workspace: Workspace, line: Line, status: LineStatus | None, decision: Acceptance | None, now: datetime, book: EventBook = NO_EVENTS
) -> LineView:
    """Return one line as everybody sees it."""
    order, inventory = workspace.order, workspace.inventory
    unit, service_class = inventory.units[line.unit_id], order.classes[line.service_class]
    region = inventory.regions[unit.region]
    milestone = order.line_milestone(line.service_class, unit.level, unit.kind) if line.role == "primary" else None
    due_at = milestone.due_at(order.timezone) if milestone else None
    accepted = decision if decision and decision.verdict == PASS else None
    sample = status.sample if status else None
    a = sample.a if sample else None
    gates = line_gates(workspace, book, line) if accepted is None else ()
    waiting: tuple[Gate, ...] = holding(gates)
    verdict = decision.verdict if decision else None
    delivered = sample is not None and sample.state == "up"
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
        state=sample.state if sample else "unknown",
        reason=sample.reason if sample else "",
        behind=sample.behind if sample else None,
        since=status.since if status else None,
        sampled_at=sample.at if sample else None,
        down_bps=a.out_bps if a else None,
        up_bps=a.in_bps if a else None,
        in_errors=a.in_errors if a else None,
        verdict=verdict,
        decided_at=decision.decided_at if decision else None,
        open_criteria=tuple(f"{r.kind}:{r.verdict}" for r in decision.results if r.required and r.verdict != PASS) if decision else (),
        due=lateness(accepted, due_at, now, timedelta(days=order.at_risk_days)),
        milestone=milestone.milestone_id if milestone else None,
        due_on=milestone.due_on if milestone else None,
        due_at=due_at,
        days_left=days_left(due_at, now, order.timezone),
        reserved_mbps=service_class.reserved_port_mbps,
        reserved_up=any(reserved) if reserved else None,
        clock_holder=clock_holder(gates, delivered=delivered, verdict=verdict) if due_at is not None else None,
        open_gates=tuple(gate.title for gate in waiting),
        open_gates_en=tuple(gate.title_en for gate in waiting),
    )


def days_left(due_at: datetime | None, now: datetime, zone: ZoneInfo) -> int | None:
    """Return civil days in the order's zone from today to the last day that is in time; negative once that day is over."""
    if due_at is None:
        return None
    last_day = (due_at - timedelta(microseconds=1)).astimezone(zone).date()
    return (last_day - now.astimezone(zone).date()).days


def view_milestone(
    workspace: Workspace, milestone: Milestone, lines: Sequence[LineView], now: datetime, book: EventBook = NO_EVENTS
) -> MilestoneView:
    """Return a milestone's cohort by county and class. What nobody has recorded anything of is `not_measured`, never guessed."""
    due_at = milestone.due_at(workspace.order.timezone)
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
        return "late"
    return "at_risk" if due_at - now <= timedelta(days=order.at_risk_days) else "open"
