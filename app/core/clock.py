"""Whose clock ran on a line, from what was observed, reported and judged; and whether a line can still have been ready in time. Pure.

An observation is a look that saw the line up or down. A look that saw nothing (a dead parent, a poller that was cut off) changes
nothing: what was delivered stays delivered until somebody sees it down, and nobody is late by our own blindness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from app.core.acceptance import FAIL, NOT_PROVEN, PASS
from app.core.readiness import GateState, clock_holder
from app.core.service_class import Criterion

#: What a fact says: the line was seen up or down, its carrier reports its own test or building anew, a judgement was recorded.
SEEN_UP, SEEN_DOWN, TESTED, BUILDING = "up", "down", "self_tested", "building"
FACT_KINDS = (SEEN_UP, SEEN_DOWN, TESTED, BUILDING, PASS, FAIL, NOT_PROVEN)


@dataclass(frozen=True, slots=True)
class LineFact:
    """One of `FACT_KINDS` on one line, at the moment when it held."""

    at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is known of a line's being there. `since`: it has been there without a break that starts a trial anew; None: it is not.

    `down_since`: seen down and not up again. `failed`: the newest judgement failed, `building`: its carrier builds it anew, and
    reported no test since. `downs`: shorter breaks since `since`.
    """

    since: datetime | None = None
    down_since: datetime | None = None
    failed: bool = False
    building: bool = False
    downs: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def stands(self) -> bool:
        return self.since is not None and self.down_since is None and not self.is_refused

    @property
    def is_refused(self) -> bool:
        return self.failed or self.building

    def after(self, fact: LineFact, restart_after: timedelta) -> Delivery:
        """Return what is known after one more fact; facts are taken in the order of their moments."""
        match fact.kind:
            case "up":
                return self._seen_up(fact.at, restart_after)
            case "down":
                return self if self.down_since is not None else Delivery(self.since, fact.at, self.failed, self.building, self.downs)
            case "self_tested":
                return self if self.stands else Delivery(fact.at)
            case "building":
                return Delivery(down_since=self.down_since, building=True)
            case "fail":
                return replace(self, since=None, failed=True, downs=())
            case _:
                begun = fact.at if self.failed and not self.building and self.down_since is None else self.since
                return replace(self, since=begun, failed=False)

    def _seen_up(self, at: datetime, restart_after: timedelta) -> Delivery:
        if self.is_refused:
            return replace(self, down_since=None)
        if self.since is None:
            return Delivery(at)
        if self.down_since is None:
            return self
        if at - self.down_since > restart_after:
            return Delivery(at)
        return Delivery(self.since, downs=(*self.downs, (self.down_since, at)))


@dataclass(frozen=True, slots=True)
class ClockAccount:
    """How long each held the clock of a line, whose it is now and since when; both None once the line is accepted."""

    held: Mapping[str, timedelta] = field(default_factory=dict)
    holder: str | None = None
    since: datetime | None = None
    delivered_at: datetime | None = None


def account(
    facts: Sequence[LineFact], gates: Sequence[GateState], trial: Criterion | None, start: datetime, now: datetime
) -> ClockAccount:
    """Return who held the clock from `start` to the acceptance, or to `now`. `facts` in the order of their moments.

    Facts and gates later than `now` are not known yet. Before its start a clock has a holder and no time.
    """
    known = [fact for fact in facts if fact.at <= now]
    accepted_at = next((fact.at for fact in known if fact.kind == PASS), None)
    end = now if accepted_at is None else accepted_at
    known = [fact for fact in known if fact.at <= end]
    begin = start.astimezone(UTC)  # moments of two zones are compared ten times as slowly
    met = {moment for gate in gates if (moment := gate.met_at) and moment <= end}
    turns = sorted({begin, *(fact.at for fact in known), *met})
    restart_after, place, delivery = _restart_after(trial), 0, Delivery()
    held: dict[str, timedelta] = {}
    holders: dict[tuple[bool, bool], str] = {}  # by what the delivery tells of it, until another gate is met
    holder, since = None, None
    for number, turn in enumerate(turns):
        while place < len(known) and known[place].at <= turn:
            delivery = delivery.after(known[place], restart_after)
            place += 1
        if turn in met:
            holders.clear()
        standing = delivery.stands, delivery.is_refused
        if (now_held_by := holders.get(standing)) is None:
            now_held_by = holders[standing] = _holder(delivery, gates, turn)
        if now_held_by != holder:
            holder, since = now_held_by, start if turn <= begin else turn
        until = turns[number + 1] if number + 1 < len(turns) else end
        if (length := until - max(turn, begin)) > timedelta(0):
            held[holder] = held.get(holder, timedelta(0)) + length
    if accepted_at is not None:
        return ClockAccount(held, None, None, delivery.since)
    return ClockAccount(held, holder, since if now >= start else None, delivery.since)


def _holder(delivery: Delivery, gates: Iterable[GateState], at: datetime) -> str:
    known = [gate if gate.met_at is None or gate.met_at <= at else replace(gate, met_at=None) for gate in gates]
    holder = clock_holder(known, delivered=delivery.stands, verdict=FAIL if delivery.is_refused else None)
    assert holder is not None  # only an accepted line is nobody's
    return holder


def can_have_been_ready(
    facts: Sequence[LineFact], gates: Iterable[GateState], trial: Criterion | None, due_at: datetime, now: datetime
) -> bool:
    """Tell whether nothing known speaks against a line's having been ready before `due_at`: then it is not proven, not late.

    It was there long enough before for its trial window, no break that was seen would have failed or restarted that window, no
    judgement of it stands failed, and no gate that the order requires was open.
    """
    if any(gate.gate.required and (gate.met_at is None or gate.met_at >= due_at) for gate in gates):
        return False
    restart_after, delivery = _restart_after(trial), Delivery()
    for fact in facts:
        if fact.at < due_at:
            delivery = delivery.after(fact, restart_after)
    if not delivery.stands or delivery.since is None:
        return False
    later = delivery
    for fact in facts:
        if due_at <= fact.at <= now:
            later = later.after(fact, restart_after)
    if later.is_refused:
        return False
    window = (trial.window if trial else None) or timedelta(0)
    if delivery.since + window >= due_at:
        return False
    begin = due_at - window
    down = sum((end - max(start, begin) for start, end in delivery.downs if end > begin), timedelta(0))
    return down <= window * (1 - ((trial.limit if trial else None) or 0.0))


def _restart_after(trial: Criterion | None) -> timedelta:
    return (trial.restart_after if trial else None) or timedelta.max
