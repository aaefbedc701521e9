"""Contests of scores (复核、申诉): who contests which row, on what grounds, and what was decided. Pure.

What was recorded is never rewritten; what holds is a projection. A contest that is upheld sets the points of its row; what was
scored before stays in what was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.score_table import ScoreItem
from app.errors import Finding

RAISED, DECIDED = "raised", "decided"
OPEN, UPHELD, DISMISSED = "open", "upheld", "dismissed"


@dataclass(frozen=True, slots=True)
class ContestEvent:
    """One step of one contest. `observed_at`: when it was raised or decided; `recorded_at`: when it was written down.

    `by` is a role, never a person. `decision` and `points` (those the row gets) are of a decision; `row_before` … `total_after`
    are the scores at the moment of recording, the latter two of a decision only, None where a row was not measured.
    """

    number: int
    step: str
    table_id: str
    subject: str
    row: str
    observed_at: datetime
    recorded_at: datetime
    by: str
    document: str
    reason: str
    decision: str | None = None
    points: float | None = None
    row_before: float | None = None
    total_before: float | None = None
    row_after: float | None = None
    total_after: float | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """A contest as it stands: how it was raised, and its decision, None while it is open."""

    raised: ContestEvent
    decided: ContestEvent | None

    @property
    def number(self) -> int:
        return self.raised.number

    @property
    def standing(self) -> str:
        return OPEN if self.decided is None else self.decided.decision or OPEN

    @property
    def is_about(self) -> tuple[str, str, str]:
        return self.raised.table_id, self.raised.subject, self.raised.row


def project_contests(events: Iterable[ContestEvent], *, as_of: datetime | None = None) -> tuple[Contest, ...]:
    """Return every contest in the order of its number; `as_of` leaves out what was recorded later."""
    raised: dict[int, ContestEvent] = {}
    decided: dict[int, ContestEvent] = {}
    for event in events:
        if as_of is None or event.recorded_at <= as_of:
            (raised if event.step == RAISED else decided).setdefault(event.number, event)
    return tuple(Contest(event, decided.get(number)) for number, event in sorted(raised.items()))


def ruled_points(contests: Iterable[Contest]) -> dict[tuple[str, str, str], ContestEvent]:
    """Return the decision that sets the points of each (table, subject, row); of several upheld contests the last decided."""
    upheld = [each.decided for each in contests if each.decided is not None and each.standing == UPHELD]
    return {(event.table_id, event.subject, event.row): event for event in sorted(upheld, key=lambda event: event.observed_at)}


def describe(contest: Contest, day: str) -> str:
    """Say in one line what was contested and what became of it; `day` is the decision's or, while it is open, the raising's."""
    raised, decided = contest.raised, contest.decided
    if decided is None:
        return f"contest {contest.number} of {raised.row}: open since {day}, by {raised.by} on {raised.document}: {raised.reason}"
    change = f"row {_points(decided.row_before)} → {_points(decided.row_after)}, total {_points(decided.total_before)} → "
    change += _points(decided.total_after)
    return f"contest {contest.number} of {raised.row}: {contest.standing} on {day} by {decided.by} on {decided.document}; {change}"


def _points(points: float | None) -> str:
    return "not measured" if points is None else f"{points:.2f}"


def find_raising_faults(event: ContestEvent, items: Sequence[ScoreItem], known: Iterable[Contest], now: datetime) -> list[Finding]:
    """Return everything that keeps a contest from being raised; table and subject are known."""
    where = f"contest of {event.row} of {event.subject}"
    faults = _shared_faults(where, event, now)
    if event.row not in {item.item_id for item in items}:
        expected = ", ".join(item.item_id for item in items)
        faults.append(Finding(where, "the table has no such row", expected, f"`{event.row}`", "Name the row that is contested."))
    held = next((each for each in known if each.standing == OPEN and each.is_about == (event.table_id, event.subject, event.row)), None)
    if held is not None:
        found = f"contest {held.number}, raised on {held.raised.document}"
        faults.append(Finding(where, "the row is contested already", "no open contest", found, f"Decide contest {held.number} first."))
    return faults


def find_decision_faults(event: ContestEvent, contest: Contest, items: Sequence[ScoreItem], now: datetime) -> list[Finding]:
    """Return everything that keeps a decision from being recorded."""
    where = f"contest {event.number}"
    faults = _shared_faults(where, event, now)
    if contest.decided is not None:
        found = f"{contest.standing} on {contest.decided.document}"
        faults.append(Finding(where, "is decided already", "an open contest", found, "Raise another contest if that one was wrong."))
    if event.observed_at < contest.raised.observed_at:
        expected, step = f"from {contest.raised.observed_at.isoformat()} on", "Correct the moment."
        faults.append(Finding(where, "is decided before it was raised", expected, event.observed_at.isoformat(), step))
    limit = next((item.points for item in items if item.item_id == contest.raised.row), 0.0)
    if event.decision == UPHELD and (event.points is None or not 0 <= event.points <= limit):
        found = "none" if event.points is None else f"{event.points:g}"
        faults.append(Finding(where, "points of the row", f"0 to {limit:g}", found, "Say with --points what the row gets."))
    if event.decision == DISMISSED and event.points is not None:
        faults.append(Finding(where, "points of the row", "none: the score stays", f"{event.points:g}", "Leave --points out."))
    return faults


def _shared_faults(where: str, event: ContestEvent, now: datetime) -> list[Finding]:
    faults = []
    if event.observed_at > now:
        step, expected = "Correct the moment; what will be is not yet observed.", f"up to {now.isoformat()}"
        faults.append(Finding(where, "lies in the future", expected, event.observed_at.isoformat(), step))
    if not event.reason.strip():
        faults.append(Finding(where, "has no grounds", "a reason", "none", "Say with --reason why."))
    return faults
