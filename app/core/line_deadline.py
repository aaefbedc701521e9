"""What a line means against its deadline: in time, late, or not proven; how many days; whose clock ran for how long. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from app.core.acceptance import Acceptance, LineStatus
from app.core.clock import SEEN_DOWN, SEEN_UP, ClockAccount, LineFact, account, can_have_been_ready
from app.core.inventory import Line, Unit
from app.core.milestone import Milestone
from app.core.order import Order
from app.core.readiness import GateState
from app.core.scope import covers
from app.core.service_class import Criterion
from app.core.terms import last_day_in_time
from app.core.workdays import WorkCalendar, count_working_days

#: What a line means against its deadline: accepted (in time or not), late, not proven by then, at risk, still open, or no deadline.
LineDue = Literal["accepted", "accepted_late", "late", "not_proven", "at_risk", "open", "no_deadline"]
LINE_DUES: tuple[LineDue, ...] = get_args(LineDue)


@dataclass(frozen=True, slots=True)
class LineDeadline:
    """`days_early`: civil days from the acceptance, or from today while there is none, to the last day in time; negative: late.

    `not_proven_for`: milestones that are over, of which nothing known says that this line was not ready.
    """

    due: str
    days_early: int | None
    working_days_early: int | None
    clock: ClockAccount
    not_proven_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeadlineGround:
    """What all lines of one summary share. `counted` remembers working days between two days, of which there are few pairs."""

    order: Order
    calendar: WorkCalendar
    now: datetime
    counted: dict[tuple[date, date], int] = field(default_factory=dict)

    def tell(
        self,
        line: Line,
        unit: Unit,
        milestone: Milestone | None,
        facts: Sequence[LineFact],
        gates: Sequence[GateState],
        accepted: Acceptance | None,
    ) -> LineDeadline:
        """Return where a line stands against its deadline; `gates` are those of the line, whether met or not."""
        order, now = self.order, self.now
        trial = next((each for each in order.classes[line.service_class].criteria if each.kind == "trial"), None)
        unproven = self._unproven(line, unit, facts, gates, trial) if accepted is None and line.role == "primary" else ()
        if milestone is None:
            return LineDeadline(lateness(accepted, None, now, timedelta(0)), None, None, ClockAccount(), unproven)
        due_at = milestone.due_at(order.timezone)
        on = (accepted.decided_at if accepted else now).astimezone(order.timezone).date()
        last_day = last_day_in_time(due_at, order.timezone)
        return LineDeadline(
            due=lateness(accepted, due_at, now, timedelta(days=order.at_risk_days), proven=milestone.milestone_id not in unproven),
            days_early=(last_day - on).days,
            working_days_early=self.working_days(on, last_day),
            clock=account(facts, gates, trial, clock_start(order, line), now),
            not_proven_for=unproven,
        )

    def _unproven(
        self, line: Line, unit: Unit, facts: Sequence[LineFact], gates: Sequence[GateState], trial: Criterion | None
    ) -> tuple[str, ...]:
        over = [
            (each, due_at)
            for each in self.order.milestones
            if each.evidence == "accepted_line" and not each.soft and (due_at := each.due_at(self.order.timezone)) <= self.now
        ]
        return tuple(
            each.milestone_id
            for each, due_at in over
            if covers(each.scope, line.service_class, unit.level, unit.kind) and can_have_been_ready(facts, gates, trial, due_at, self.now)
        )

    def working_days(self, after: date, until: date) -> int:
        if (after, until) not in self.counted:
            self.counted[after, until] = count_working_days(self.calendar, after, until)
        return self.counted[after, until]


def lateness(accepted: Acceptance | None, due_at: datetime | None, now: datetime, at_risk: timedelta, *, proven: bool = True) -> str:
    """Return what a line means against its deadline: one of `LINE_DUES`. On the moment `due_at` itself it is too late.

    `proven`: what is known says that the line was not ready by then; otherwise it is not called late.
    """
    if accepted is not None:
        return "accepted_late" if due_at is not None and accepted.decided_at >= due_at else "accepted"
    if due_at is None:
        return "no_deadline"
    if now >= due_at:
        return "late" if proven else "not_proven"
    return "at_risk" if due_at - now <= at_risk else "open"


def days_left(due_at: datetime | None, now: datetime, zone: ZoneInfo) -> int | None:
    """Return civil days in the order's zone from today to the last day that is in time; negative once that day is over."""
    return None if due_at is None else (last_day_in_time(due_at, zone) - now.astimezone(zone).date()).days


def clock_start(order: Order, line: Line) -> datetime:
    """Return the first moment of the civil day on which a line was ordered, of the order's own day where that is not known."""
    shift = order.simulation.moved_days if order.simulation is not None else 0
    return datetime.combine((line.ordered_on or order.issued_on) + timedelta(days=shift), time.min, tzinfo=order.timezone)


def facts_of(status: LineStatus | None, decision: Acceptance | None) -> list[LineFact]:
    """Return the facts that the newest sample and decision alone give, where nobody has read the history."""
    found = []
    if status is not None and status.sample.state in (SEEN_UP, SEEN_DOWN):
        found.append(LineFact(status.since, status.sample.state))
    if decision is not None:
        found.append(LineFact(decision.decided_at, decision.verdict))
    return sorted(found, key=lambda fact: fact.at)
