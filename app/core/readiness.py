"""Gates: what is ready at a unit, and who holds the clock of a line that is not accepted yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, CriterionResult
from app.core.duties import Gate
from app.core.duty_rules import gated_units, is_gated
from app.core.events import SERVICE, EventBook
from app.core.inventory import Line
from app.core.order import Order
from app.core.workspace import Workspace

#: The criterion under which a decision lists the gates of its line.
READINESS = "readiness"


@dataclass(frozen=True, slots=True)
class GateState:
    """One gate at one subject. `met_at` None: nobody recorded its event. `counts`: it may hold a clock (see `gate_counts`)."""

    gate: Gate
    met_at: datetime | None
    counts: bool

    @property
    def is_open(self) -> bool:
        return self.counts and self.met_at is None


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate over its whole cohort. `state`: met, open, or not_measured while nobody has recorded anything of it."""

    gate_id: str
    requirement: str
    title: str
    title_en: str
    held_by: str
    before: str
    required: bool
    state: str
    done: int
    total: int
    open_subjects: tuple[str, ...]


def gate_counts(gate: Gate, book: EventBook) -> bool:
    """Tell whether a gate counts: a required one always, another once its event was ever recorded for anybody.

    A centre that keeps no such list is no excuse for a carrier.
    """
    return gate.required or gate.event in book.kinds


def gate_states(order: Order, book: EventBook, subject: str, class_id: str, level: str, kind: str) -> tuple[GateState, ...]:
    """Return the gates of a line of this class to this unit, in the order of the file."""
    return tuple(
        GateState(gate, book.since(subject, gate.event), gate_counts(gate, book))
        for gate in order.gates
        if is_gated(gate, class_id, level, kind)
    )


def clock_holder(gates: Iterable[GateState], *, delivered: bool, verdict: str | None) -> str | None:
    """Return who has to act next on a line: carrier, unit or centre; None when it is accepted.

    `delivered`: the line is up, so the carrier has done its part. Before the carrier stand the gates of the connection;
    after it, those of the acceptance; a line that failed is the carrier's again; all done, the centre has to judge.
    """
    if verdict == PASS:
        return None
    waiting = [state.gate for state in gates if state.is_open]
    for gate in waiting:
        if gate.before == "connection":
            return gate.held_by
    if verdict == FAIL or not delivered:
        return "carrier"
    for gate in waiting:
        if gate.before == "acceptance":
            return gate.held_by
    return "centre"


def holding(gates: Iterable[GateState]) -> tuple[Gate, ...]:
    """Return the open gates that stand before a line's acceptance."""
    return tuple(state.gate for state in gates if state.is_open and state.gate.before != "use")


def judge_gates(gates: Sequence[GateState]) -> tuple[CriterionResult, ...]:
    """Return the criterion that a line with required gates stands under: not proven until every one is met."""
    required = [state for state in gates if state.gate.required]
    if not required:
        return ()
    met = sum(state.met_at is not None for state in required)
    evidence = {state.gate.gate_id: state.met_at.isoformat() if state.met_at else None for state in required}
    verdict = PASS if met == len(required) else NOT_PROVEN
    return (CriterionResult(READINESS, True, verdict, "every required gate met", f"{met} of {len(required)} gates met", evidence),)


def line_gates(workspace: Workspace, book: EventBook, line: Line) -> tuple[GateState, ...]:
    """Return the gates of one line; a backup line has none."""
    if line.role != "primary":
        return ()
    unit = workspace.inventory.units[line.unit_id]
    return gate_states(workspace.order, book, unit.unit_id, line.service_class, unit.level, unit.kind)


def view_gates(workspace: Workspace, book: EventBook) -> tuple[GateView, ...]:
    """Return every gate with how many of its cohort have met it, and who has not."""
    return tuple(_view(workspace, book, gate) for gate in workspace.order.gates)


def _view(workspace: Workspace, book: EventBook, gate: Gate) -> GateView:
    services = workspace.inventory.services.values()
    applications = [f"{SERVICE}{service.service_id}" for service in services if service.kind == "application"]
    subjects = gated_units(workspace, gate) if gate.subject == "unit" else applications
    missing = tuple(subject for subject in subjects if book.since(subject, gate.event) is None)
    state = "not_measured" if gate.event not in book.kinds or not subjects else "open" if missing else "met"
    return GateView(
        gate_id=gate.gate_id,
        requirement=gate.requirement,
        title=gate.title,
        title_en=gate.title_en,
        held_by=gate.held_by,
        before=gate.before,
        required=gate.required,
        state=state,
        done=len(subjects) - len(missing),
        total=len(subjects),
        open_subjects=missing,
    )
