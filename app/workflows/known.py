"""The rollout as it was known at a moment: one summary for every report, and what was learnt later apart from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from app.core.events import EventBook, build_book
from app.core.known import Kept, Learnt, known_at, learnt_later, newest_decisions, order_known_at, settled, states_of
from app.core.life import OPENED, find_openings
from app.core.line_event import OPENED as REPORTED_OPEN
from app.core.progress import Summary, summarise
from app.core.workspace import Workspace
from app.edge.database.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    """The rollout as it was known at `at`: `kept` is what had been recorded. `later` had happened by then and was recorded after.

    `kept` and `summary` never change any more, whatever is recorded after `at`; `later` grows.
    """

    at: datetime
    kept: Kept
    summary: Summary
    later: tuple[Learnt, ...]

    @property
    def book(self) -> EventBook:
        return build_book(self.kept.unit_events)


def read_known(workspace: Workspace, store: Store, at: datetime) -> Known:
    """Return the rollout as it was known at `at`. The inventory is that of the workspace's files, the order theirs without the
    changes of deadlines that were decided on a later day.

    The state of a line follows from the changes that were recorded, samples being pruned; `polled_at` is the moment of the
    last one of them.
    """
    everything = read_kept(store, at)
    kept = known_at(everything, at)
    polled_at = max((change.recorded_at for change in kept.transitions), default=None)
    order = workspace.order
    then = replace(workspace, order=order_known_at(order, at))
    states, decisions = states_of(settled(kept.transitions)), newest_decisions(kept.decisions)
    terms = [each for each in store.seen_terms(order.number) if each.seen_at <= at]
    reported = ((told.line_id, OPENED) for told in kept.line_events if told.kind == REPORTED_OPEN)
    openings = find_openings([*((step.line_id, step.state) for step in kept.life), *reported])
    summary = summarise(then, states, decisions, polled_at, at, kept.unit_events, openings, store.line_facts(at), terms)
    return Known(at, kept, summary, learnt_later(everything, at))


def read_kept(store: Store, until: datetime) -> Kept:
    """Return what is kept, as far as it can speak of the time up to `until`."""
    return Kept(
        transitions=[change for change in store.transitions_as_written() if change.observed_at <= until],
        decisions=store.acceptance_history(),
        life=store.life_events(),
        line_events=store.line_events(),
        unit_events=store.events(),
        confirmations=store.confirmations(),
        measurements=store.measurements_up_to(until),
        contests=store.contest_events(),
    )
