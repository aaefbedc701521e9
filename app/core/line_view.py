"""One line as everybody sees it: API, dashboard, metrics and reports show these values and compute none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from app.core.acceptance import PASS, Acceptance, LineSample, LineState, LineStatus
from app.core.clock import LineFact
from app.core.duties import HOLDERS
from app.core.events import EventBook
from app.core.inventory import Line
from app.core.line_deadline import DeadlineGround, days_left
from app.core.readiness import holding, line_gates
from app.core.workspace import Workspace

#: What stands in place of an observed state, other than up, while the carrier has not opened the line yet.
NOT_OPENED = "not_opened"
ShownState = Literal[LineState, "not_opened"]
SHOWN_STATES: tuple[ShownState, ...] = get_args(ShownState)
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
    carrier_name_en: str = ""

    @property
    def done_at(self) -> datetime | None:
        """Return when the line was accepted, None while it is not."""
        return self.decided_at if self.due in ("accepted", "accepted_late") else None


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
    carrier_name, carrier_name_en = order.carrier_names(line.carrier)
    held = {holder: told.clock.held.get(holder, timedelta(0)) // HOUR if milestone else None for holder in HOLDERS}
    return LineView(
        line_id=line.line_id, unit_id=line.unit_id, unit_name=unit.name, unit_name_en=unit.name_en,
        region=unit.region, region_name=region.name, region_name_en=region.name_en, level=unit.level, kind=unit.kind,
        class_id=line.service_class, class_words=service_class.words, class_words_en=service_class.words_en, role=line.role,
        carrier=line.carrier, carrier_name=carrier_name, carrier_name_en=carrier_name_en, circuit_id=line.circuit_id,
        a_device=line.a_device, a_interface=line.a_interface, z_device=line.z_device, z_interface=line.z_interface,
        nominal_down_kbps=service_class.nominal_down_kbps, nominal_up_kbps=service_class.nominal_up_kbps,
        state=shown_state(sample.state if sample else "unknown", opened), reason=sample.reason if sample else "",
        behind=sample.behind if sample else None, since=status.since if status else None, sampled_at=sample.at if sample else None,
        down_bps=a.out_bps if a else None, up_bps=a.in_bps if a else None, in_errors=a.in_errors if a else None,
        verdict=decision.verdict if decision else None, decided_at=decision.decided_at if decision else None,
        open_criteria=open_criteria(decision), due=told.due,
        milestone=milestone.milestone_id if milestone else None, due_on=milestone.due_on if milestone else None, due_at=due_at,
        days_left=days_left(due_at, ground.now, order.timezone),
        reserved_mbps=service_class.reserved_port_mbps, reserved_up=reserved_up(sample),
        clock_holder=told.clock.holder, open_gates=tuple(gate.title for gate in waiting),
        open_gates_en=tuple(gate.title_en for gate in waiting),
        baseline_on=milestone.term_history()[0].due_on if milestone else None,
        days_early=told.days_early, working_days_early=told.working_days_early, clock_since=told.clock.since,
        carrier_held_hours=held["carrier"], unit_held_hours=held["unit"], centre_held_hours=held["centre"],
        delivered_at=told.clock.delivered_at, not_proven_for=told.not_proven_for, opened=opened,
    )


def open_criteria(decision: Acceptance | None) -> tuple[str, ...]:
    """Return what the newest decision left open, as `criterion:verdict`."""
    results = decision.results if decision else ()
    return tuple(f"{result.kind}:{result.verdict}" for result in results if result.required and result.verdict != PASS)


def reserved_up(sample: LineSample | None) -> bool | None:
    """Tell whether a reserved port is up at either end; None where none was sampled."""
    ports = (sample.reserved_a, sample.reserved_z) if sample else ()
    seen = [port.oper_up for port in ports if port is not None]
    return any(seen) if seen else None


def shown_state(observed: str, opened: bool | None) -> str:
    """Return what a line is shown as: one that was never opened cannot be down, and nobody is called for it."""
    return NOT_OPENED if opened is False and observed != "up" else observed
