"""Raise and decide contests of scores; each keeps the score before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.appraisal import appraise, build_ground
from app.core.contests import DECIDED, RAISED, Contest, ContestEvent, find_decision_faults, find_raising_faults, project_contests
from app.core.events import build_book
from app.core.references import nearest
from app.core.roles import find_role_faults
from app.core.score_table import ScoreTable
from app.core.scoring import Score
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import ExitCode, Finding, InputError
from app.workflows.appraise import find_table
from app.workflows.summary import read_summary


@dataclass(frozen=True, slots=True)
class ContestReport:
    """A contest with the step that was asked for in it."""

    contest: Contest
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.OK if self.committed else ExitCode.PENDING


@dataclass(frozen=True, slots=True)
class Word:
    """Who says so, when (on which document) and why. `by` is a role."""

    by: str
    document: str
    reason: str
    observed_at: datetime


def raise_contest(
    workspace: Workspace, store: Store, table_id: str, subject: str, row: str, word: Word, *, commit: bool, now: datetime
) -> ContestReport:
    """Contest the points of one row of one subject; on `commit` append it.

    Raises:
        InputError: there is no such table, subject or row, it is contested already, or a part of it is wrong.
    """
    table = find_table(workspace, table_id)
    events = store.contest_events()
    known = project_contests(events)
    scored = _score(workspace, store, table, subject, known, now)
    number = max((each.number for each in known), default=0) + 1
    row_before, total_before = _points(scored, row), scored.total
    event = ContestEvent(
        number, RAISED, table_id, subject, row, word.observed_at, now, word.by, word.document, word.reason,
        row_before=row_before, total_before=total_before,
    )
    faults = [*find_role_faults(f"contest of {row} of {subject}", word.by), *find_raising_faults(event, table.items, known, now)]
    faults += _left_out(scored, row)
    return _record(store, [*events, event], faults, commit=commit)


def decide_contest(
    workspace: Workspace, store: Store, number: int, decision: str, points: float | None, word: Word, *, commit: bool, now: datetime
) -> ContestReport:
    """Decide an open contest; upheld, its row gets these points. On `commit` append the decision.

    Raises:
        InputError: there is no such contest, it is decided already, or a part of the decision is wrong.
    """
    events = store.contest_events()
    known = project_contests(events)
    contest = next((each for each in known if each.number == number), None)
    if contest is None:
        expected = f"1 to {len(known)}" if known else "a contest that was raised"
        raise InputError([Finding("command line", "there is no such contest", expected, f"{number}", "waiwang contest list shows them.")])
    raised = contest.raised
    table = find_table(workspace, raised.table_id)
    event = ContestEvent(
        number, DECIDED, raised.table_id, raised.subject, raised.row, word.observed_at, now, word.by, word.document, word.reason,
        decision, points,
    )
    faults = [*find_role_faults(f"contest {number}", word.by), *find_decision_faults(event, contest, table.items, now)]
    if not faults:
        before = _score(workspace, store, table, raised.subject, known, now)
        after = _score(workspace, store, table, raised.subject, project_contests([*events, event]), now)
        rows = _points(before, raised.row), _points(after, raised.row)
        event = replace(event, row_before=rows[0], total_before=before.total, row_after=rows[1], total_after=after.total)
    return _record(store, [*events, event], faults, commit=commit)


def _record(store: Store, events: Sequence[ContestEvent], faults: Sequence[Finding], *, commit: bool) -> ContestReport:
    """Append the last of the events, or raise InputError with its faults."""
    if faults:
        raise InputError(faults)
    if commit:
        store.write_contest_event(events[-1])
    number = events[-1].number
    return ContestReport(next(each for each in project_contests(events) if each.number == number), commit)


def _score(workspace: Workspace, store: Store, table: ScoreTable, subject: str, known: Sequence[Contest], now: datetime) -> Score:
    ground = build_ground(workspace, read_summary(workspace, store, now), build_book(store.events()), known)
    scored = {each.subject: each for each in appraise(table, ground)}
    if subject not in scored:
        step = nearest(subject, scored, "Name a unit id, or region:CODE, that the table ranks.")
        raise InputError([Finding("command line", "the table ranks no such subject", "a subject of the table", f"`{subject}`", step)])
    return scored[subject]


def _points(scored: Score, row: str) -> float | None:
    return next((each.earned for each in scored.rows if each.item_id == row), None)


def _left_out(scored: Score, row: str) -> list[Finding]:
    sign = next((each.left_out for each in scored.rows if each.item_id == row), None)
    if sign is None:
        return []
    step = "Change the unit's signs in inventory/units.csv by a reviewed edit if the row is to count."
    return [Finding(f"contest of {row}", "the row does not count for this subject", "a row that counts", f"left out ({sign})", step)]
