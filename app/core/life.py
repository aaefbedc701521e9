"""The life of a line, projected from append-only events. Pure.

    planned → applied → approved → building → opened → self_tested → trial → accepted → in_service → closed
                                                                           ↘ rejected: re-test, or build anew

Two kinds of events move it. What a clerk enters is judged against `ALLOWED` before it is recorded. What was observed or decided
elsewhere (a carrier's worksheet, a verdict, a confirmation) is a fact: it is never refused, and the steps that nobody recorded
before it are named instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.acceptance import FAIL, PASS, Acceptance
from app.core.confirmation import CENTRE, CONFIRMED, Confirmation
from app.core.line_event import OPENED as LINE_OPENED
from app.core.line_event import LineEvent, newest_events
from app.core.moments import on_the_clock
from app.errors import Finding

PLANNED, APPLIED, APPROVED, BUILDING, OPENED = "planned", "applied", "approved", "building", "opened"
SELF_TESTED, TRIAL, ACCEPTED, REJECTED = "self_tested", "trial", "accepted", "rejected"
IN_SERVICE, CLOSED = "in_service", "closed"
LIFE_STATES = (PLANNED, APPLIED, APPROVED, BUILDING, OPENED, SELF_TESTED, TRIAL, ACCEPTED, REJECTED, IN_SERVICE, CLOSED)

#: State → the states that may come next.
ALLOWED: dict[str, tuple[str, ...]] = {
    PLANNED: (APPLIED, CLOSED),
    APPLIED: (APPROVED, PLANNED, CLOSED),
    APPROVED: (BUILDING, CLOSED),
    BUILDING: (OPENED, CLOSED),
    OPENED: (SELF_TESTED, BUILDING, CLOSED),
    SELF_TESTED: (TRIAL, BUILDING, CLOSED),
    TRIAL: (ACCEPTED, REJECTED, CLOSED),
    REJECTED: (SELF_TESTED, TRIAL, BUILDING, ACCEPTED, CLOSED),
    ACCEPTED: (IN_SERVICE, CLOSED),
    IN_SERVICE: (CLOSED,),
    CLOSED: (),
}
#: The way forward; a fact may take several of its steps at once.
_FORWARD = (PLANNED, APPLIED, APPROVED, BUILDING, OPENED, SELF_TESTED, TRIAL)
_ENDS = {ACCEPTED: (ACCEPTED,), REJECTED: (REJECTED,), IN_SERVICE: (ACCEPTED, IN_SERVICE)}
#: States that a line reaches only once its carrier has opened it.
SINCE_OPENED = (OPENED, SELF_TESTED, TRIAL, ACCEPTED, REJECTED, IN_SERVICE)
#: States that no clerk enters → what does.
DERIVED = {ACCEPTED: "waiwang accept LINE --commit", REJECTED: "waiwang accept LINE --commit"}
#: Where an event comes from: entered by hand, or taken from another fact.
BY_HAND, WORKSHEET, DECISION, CONFIRMATION = "hand", "worksheet", "decision", "confirmation"

MOVED, SKIPPED, REPEATED, DOES_NOT_FOLLOW = "moved", "skipped", "repeated", "does_not_follow"


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One step of one line. `observed_at`: when it happened; `recorded_at`: when it was written down, both aware.

    `by` is a role or a command, never a person; `evidence` names a document, a decision or a measurement.
    """

    line_id: str
    state: str
    observed_at: datetime
    recorded_at: datetime
    by: str
    evidence: str
    source: str = BY_HAND


@dataclass(frozen=True, slots=True)
class LifeStep:
    """What an event did: the states before and after it, and the steps between them that nobody recorded."""

    event: LifeEvent
    before: str
    after: str
    standing: str
    unrecorded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """A line's state and how it got there. `since` is None while it is only planned."""

    line_id: str
    state: str
    since: datetime | None
    steps: tuple[LifeStep, ...]

    @property
    def next_states(self) -> tuple[str, ...]:
        return ALLOWED[self.state]


def project_life(line_id: str, events: Iterable[LifeEvent], *, as_of: datetime | None = None) -> Life:
    """Return the state that the line's events lead to, in the order in which they happened.

    `as_of` leaves out what was recorded later. An event that cannot follow stays in the steps and moves nothing.
    """
    known = [event for event in events if event.line_id == line_id and (as_of is None or event.recorded_at <= as_of)]
    state, since, steps = PLANNED, None, []
    for event in sorted(known, key=_place):
        step = _step(state, event)
        if step.after != state or step.standing == MOVED:
            since = event.observed_at
        state = step.after
        steps.append(step)
    return Life(line_id, state, since, tuple(steps))


def _place(event: LifeEvent) -> tuple[datetime, int, datetime]:
    """Sort by when it happened; what is only known to the day falls on one moment, and goes in the order of the states then."""
    return event.observed_at, LIFE_STATES.index(event.state), event.recorded_at


def _step(state: str, event: LifeEvent) -> LifeStep:
    if event.state == state:
        return LifeStep(event, state, state, REPEATED)
    if event.state in ALLOWED[state]:
        return LifeStep(event, state, event.state, MOVED)
    way = None if event.source == BY_HAND else _way_forward(state, event.state)
    if way is None:
        return LifeStep(event, state, state, DOES_NOT_FOLLOW)
    return LifeStep(event, state, event.state, SKIPPED, way)


def _way_forward(state: str, target: str) -> tuple[str, ...] | None:
    """Return the steps between two states on the way forward, None where the target does not lie ahead."""
    way = (REJECTED, ACCEPTED, IN_SERVICE) if state == REJECTED else (*_FORWARD, *_ENDS.get(target, ()))
    if state not in way or target not in way or way.index(target) <= way.index(state):
        return None
    return way[way.index(state) + 1 : way.index(target)]


def find_openings(steps: Iterable[tuple[str, str]]) -> dict[str, bool]:
    """Return for every line of which anything is recorded whether it was ever opened; `steps` are (line id, state), in any order.

    A line of which nothing is recorded is left out: nobody keeps its life, and nothing follows from that.
    """
    found: dict[str, bool] = {}
    for line_id, state in steps:
        found[line_id] = found.get(line_id, False) or state in SINCE_OPENED
    return found


# Facts of elsewhere


def decision_events(decisions: Iterable[Acceptance]) -> list[LifeEvent]:
    """Return what decisions say: when the trial began, and accepted or rejected. Not proven moves nothing.

    A trial that several decisions speak of began once.
    """
    events: dict[tuple[str, str, datetime], LifeEvent] = {}
    for decision in decisions:
        evidence = f"decision {decision.decided_at.isoformat()}"
        began = _trial_began(decision)
        if began is not None:
            trial = LifeEvent(decision.line_id, TRIAL, began, decision.decided_at, "waiwang poll", f"{evidence}, trial", DECISION)
            events.setdefault((decision.line_id, TRIAL, began), trial)
        state = {PASS: ACCEPTED, FAIL: REJECTED}.get(decision.verdict)
        if state is not None:
            at = decision.decided_at
            judged = LifeEvent(decision.line_id, state, at, at, "waiwang accept", evidence, DECISION)
            events.setdefault((decision.line_id, state, at), judged)
    return list(events.values())


def _trial_began(decision: Acceptance) -> datetime | None:
    for result in decision.results:
        if result.kind == "trial" and isinstance(began := result.evidence.get("began_at"), str):
            return datetime.fromisoformat(began)
    return None


def worksheet_events(reports: Iterable[LineEvent]) -> list[LifeEvent]:
    """Return what carriers' worksheets say: the day on which each line was opened. A later report on a line replaces the one before."""
    return [
        LifeEvent(report.line_id, OPENED, report.observed_at, report.recorded_at, report.actor, report.document, WORKSHEET)
        for (_, kind), report in newest_events(reports).items()
        if kind == LINE_OPENED
    ]


def confirmation_events(confirmations: Iterable[Confirmation]) -> list[LifeEvent]:
    """Return what confirmations say: the centre's own puts an accepted line into service (a reading of ours; no order says it)."""
    return [
        LifeEvent(each.line_id, IN_SERVICE, each.observed_at, each.recorded_at, each.by, each.document, CONFIRMATION)
        for each in confirmations
        if each.party == CENTRE and each.decision == CONFIRMED
    ]


# What a clerk enters


def find_life_faults(event: LifeEvent, events: Sequence[LifeEvent], now: datetime) -> list[Finding]:
    """Return everything that keeps an entry from being recorded, beside the events that the line has already."""
    where = f"line {event.line_id}"
    faults = []
    if event.observed_at > now:
        step, expected = "Correct the day; what will be is not yet observed.", f"up to {on_the_clock(now, event.observed_at.tzinfo)}"
        faults.append(Finding(where, f"{event.state} lies in the future", expected, _said(event), step))
    if event.state in DERIVED:
        step = f"Run {DERIVED[event.state]}; its decision moves the line."
        faults.append(Finding(where, f"{event.state} is not entered by hand", "a verdict with its evidence", "an entry", step))
        return faults
    before = project_life(event.line_id, events)
    step_taken = next(step for step in project_life(event.line_id, (*events, event)).steps if step.event is event)
    if step_taken.standing != MOVED:
        faults.append(_refusal(where, event, step_taken))
    elif broken := _newly_broken(before, project_life(event.line_id, (*events, event))):
        found = f"{event.state} on {_said(event)}, after which {broken.event.state} cannot follow"
        step = f"Enter the moment at which it happened, or a step before {broken.event.state}."
        expected = "steps of which each may follow the one before"
        faults.append(Finding(where, f"{event.state} contradicts what is recorded", expected, found, step))
    return faults


def _said(event: LifeEvent) -> str:
    return on_the_clock(event.observed_at)


def _refusal(where: str, event: LifeEvent, step: LifeStep) -> Finding:
    choices = [state for state in ALLOWED[step.before] if state not in DERIVED]
    found = f"{event.state} at {_said(event)}, when the line was {step.before}"
    what = f"{event.state} cannot follow {step.before}"
    if not choices:
        return Finding(where, what, "no further step", found, "A closed line stays closed; order a new one.")
    if step.standing == REPEATED:
        next_step = "Nothing is to be recorded: the line is there already."
    elif LIFE_STATES.index(event.state) < LIFE_STATES.index(step.before):
        next_step = f"Say with --at when it happened, if it was before the line came to be {step.before}."
    else:
        next_step = f"Record {choices[0]} first."
    return Finding(where, what, " or ".join(choices), found, next_step)


def _newly_broken(before: Life, after: Life) -> LifeStep | None:
    fine = {id(step.event) for step in before.steps if step.standing != DOES_NOT_FOLLOW}
    return next((step for step in after.steps if step.standing == DOES_NOT_FOLLOW and id(step.event) in fine), None)
