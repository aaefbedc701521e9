"""What was known of a rollout at a moment, and apart from it what was learnt later about the time before. Pure.

Whatever is kept has two moments: when it held in the world (observed) and when it was written down (recorded). Nothing kept is
ever rewritten, so what was recorded up to a moment is the same for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, TypeVar

from app.core.acceptance import Acceptance, LineSample, LineStatus, Measurement, Transition
from app.core.confirmation import Confirmation
from app.core.contests import ContestEvent
from app.core.events import UnitEvent
from app.core.life import TRIAL, LifeEvent, decision_events
from app.core.line_event import LineEvent
from app.core.milestone import Milestone
from app.core.order import Order

#: What can be learnt later: a change of a line's state, a trial that a decision speaks of, an instrument's result, a step of a line's
#: life, a carrier's report on a line, a party's word, a unit's report, a step of a contest.
LEARNT_KINDS = ("transition", "trial", "measurement", "life", "line_event", "confirmation", "unit_event", "contest")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a database keeps of a rollout, each in the order in which it was recorded."""

    transitions: Sequence[Transition] = ()
    decisions: Sequence[Acceptance] = ()
    life: Sequence[LifeEvent] = ()
    line_events: Sequence[LineEvent] = ()
    unit_events: Sequence[UnitEvent] = ()
    confirmations: Sequence[Confirmation] = ()
    measurements: Sequence[Measurement] = ()
    contests: Sequence[ContestEvent] = ()


@dataclass(frozen=True, slots=True)
class Learnt:
    """One thing that had happened already and nobody had written down. `kind` is one of LEARNT_KINDS, `word` the state or event.

    `by` is a role or a command, `document` what shows it; both may be empty for what polling saw.
    """

    kind: str
    subject: str
    word: str
    observed_at: datetime
    recorded_at: datetime
    by: str
    document: str


class Recorded(Protocol):
    """Anything with the moment at which it was written down."""

    @property
    def recorded_at(self) -> datetime: ...


R = TypeVar("R", bound=Recorded)


def known_at(kept: Kept, moment: datetime) -> Kept:
    """Return what had been recorded at the moment, the moment itself included."""
    return Kept(
        _up_to(kept.transitions, moment),
        tuple(decision for decision in kept.decisions if decision.decided_at <= moment),
        _up_to(kept.life, moment),
        _up_to(kept.line_events, moment),
        _up_to(kept.unit_events, moment),
        _up_to(kept.confirmations, moment),
        _up_to(kept.measurements, moment),
        _up_to(kept.contests, moment),
    )


def _up_to(rows: Iterable[R], moment: datetime) -> tuple[R, ...]:
    return tuple(row for row in rows if row.recorded_at <= moment)


def learnt_later(kept: Kept, moment: datetime) -> tuple[Learnt, ...]:
    """Return what held at the moment or before and was recorded after it, in the order of its happening."""
    found = [each for each in _all(kept) if each.observed_at <= moment < each.recorded_at]
    return tuple(sorted(found, key=lambda each: (each.observed_at, each.recorded_at, each.kind, each.subject, each.word)))


def _all(kept: Kept) -> Iterator[Learnt]:
    """Yield everything kept. A decision is recorded as it is made; only the trial that it speaks of lies before it."""
    for change in kept.transitions:
        yield Learnt("transition", change.line_id, change.after, change.observed_at, change.recorded_at, "", change.reason)
    for step in decision_events(kept.decisions):
        if step.state == TRIAL:
            yield Learnt("trial", step.line_id, step.state, step.observed_at, step.recorded_at, step.by, step.evidence)
    for test in kept.measurements:
        yield Learnt("measurement", test.line_id, test.kind, test.at, test.recorded_at, str(test.detail.get("by", "")), test.method)
    for step in kept.life:
        yield Learnt("life", step.line_id, step.state, step.observed_at, step.recorded_at, step.by, step.evidence)
    for told in kept.line_events:
        yield Learnt("line_event", told.line_id, told.kind, told.observed_at, told.recorded_at, told.actor, told.document)
    for word in kept.confirmations:
        said = f"{word.party} {word.decision}"
        yield Learnt("confirmation", word.line_id, said, word.observed_at, word.recorded_at, word.by, word.document)
    for step_of in kept.contests:
        word_of = f"{step_of.row} {step_of.decision or step_of.step}"
        yield Learnt("contest", step_of.subject, word_of, step_of.observed_at, step_of.recorded_at, step_of.by, step_of.document)
    for event in kept.unit_events:
        word_of = event.event if event.holds else f"not {event.event}"
        yield Learnt("unit_event", event.subject, word_of, event.observed_at, event.recorded_at, event.by_role, event.document)


def settled_moments(seen: Sequence[tuple[str, datetime]]) -> list[datetime]:
    """Return the moments of (line id, moment), given as they were written, none later than a later one of its line.

    What was written first was seen first: a moment that lies behind was stamped by a clock that had jumped ahead.
    """
    earliest: dict[str, datetime] = {}
    found = []
    for line_id, at in reversed(seen):
        earliest[line_id] = min(earliest.get(line_id, at), at)
        found.append(earliest[line_id])
    return found[::-1]


def settled(changes: Sequence[Transition]) -> list[Transition]:
    """Return changes, given as they were written, with the moments of a clock that had jumped put right (`settled_moments`)."""
    moments = settled_moments([(change.line_id, change.observed_at) for change in changes])
    return [
        change if at == change.observed_at else replace(change, observed_at=at) for change, at in zip(changes, moments, strict=True)
    ]


def states_of(transitions: Iterable[Transition]) -> dict[str, LineStatus]:
    """Return every line's state after these changes, given as they were written; ports are not known from them.

    A line without any is left out.
    """
    newest = {change.line_id: change for change in transitions}
    return {
        line_id: LineStatus(LineSample(line_id, change.observed_at, change.after, change.reason, None, None, None), change.observed_at)
        for line_id, change in newest.items()
    }


def order_known_at(order: Order, moment: datetime) -> Order:
    """Return the order with the terms of its milestones as they were on that civil day: later changes are not known yet."""
    day = moment.astimezone(order.timezone).date()
    return replace(order, milestones=tuple(_milestone_known_on(each, day) for each in order.milestones))


def _milestone_known_on(milestone: Milestone, day: date) -> Milestone:
    known = tuple(change for change in milestone.changes if change.changed_on <= day)
    then = milestone.term_history()[len(known)]
    return replace(
        milestone, due_on=then.due_on, inclusive=then.inclusive, soft=then.soft, target_share=then.target_share, changes=known
    )


def newest_decisions(decisions: Iterable[Acceptance]) -> dict[str, Acceptance]:
    """Return the last decision on every line; `decisions` in the order in which they were recorded."""
    return {decision.line_id: decision for decision in decisions}
