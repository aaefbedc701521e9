"""One summary of the rollout. API, dashboard, metrics and reports are views of it, so they cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from app.core.acceptance import Acceptance, LineStatus
from app.core.clock import LineFact
from app.core.deadlines import MovedDeadline, find_silent_changes
from app.core.events import UnitEvent, build_book
from app.core.fault_report import FaultSummary
from app.core.jeopardy import Jeopardy, view_jeopardy
from app.core.line_deadline import DeadlineGround, facts_of
from app.core.line_view import LineView, view_line
from app.core.milestone_view import MilestoneView, view_milestone
from app.core.readiness import GateView, view_gates
from app.core.terms import SeenTerms
from app.core.workspace import Workspace


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
    order_number_en: str = ""


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
        order_number_en=order.number_en,
    )


def assumed_years(workspace: Workspace, now: datetime) -> tuple[int, ...]:
    """Return the years from the order to its last deadline, or to now, whose working days are counted by weekends alone."""
    order = workspace.order
    last = max([now.astimezone(order.timezone).date(), *(each.due_on for each in order.milestones)])
    return tuple(year for year in range(min(order.issued_on.year, last.year), last.year + 1) if year not in workspace.calendar.years)
