"""Appraisal scores from evidence: points by row, rows left out and the rest scaled, bonuses with caps, ranks and prizes, the working shown.

A row that nobody has evidence for is not measured: it earns nothing yet, and a score that contains one is provisional.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from app.core.contests import Contest
from app.core.score_table import Adjustment, ScoreItem, ScoreTable

#: Scores that differ by less are equal: they share their rank.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class RowEvidence:
    """What is known of one row for one subject: the share 0..1 that is done, None where nothing is known, and how it was found.

    `settled`: the share was decided upon a contest and stands whatever the table's formula makes of shares.
    """

    share: float | None
    found: str
    settled: bool = False


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """One row: `points` it can give, what was `earned` (None: not measured), or `left_out` by the sign that excludes it."""

    item_id: str
    title: str
    title_en: str
    points: float
    earned: float | None
    left_out: str | None
    working: str


@dataclass(frozen=True, slots=True)
class ScoredAdjustment:
    """A bonus, or a deduction with negative points: how often, and what it came to under its cap."""

    adjustment_id: str
    title: str
    title_en: str
    count: int
    points: float
    working: str


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one subject. `earned` of `reachable` points, scaled to the table's total, with the points beside the rows.

    `contests`: those of its rows, open and decided, in the order of their numbers. `provisional`: some row that counts is not
    measured. `rank` and `prize` are among subjects of the same kind; 0 and None until `rank` has placed them.
    """

    table_id: str
    subject: str
    name: str
    name_en: str
    kind: str
    rows: tuple[ScoredRow, ...]
    adjustments: tuple[ScoredAdjustment, ...]
    earned: float
    reachable: float
    total: float
    provisional: bool
    working: str
    rank: int = 0
    prize: int | None = None
    contests: tuple[Contest, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is scored: a unit or a county, what its rows leave out, what is known of each row, how often each adjustment happened."""

    subject: str
    name: str
    name_en: str
    kind: str
    left_out: frozenset[str] = frozenset()
    evidence: Mapping[str, RowEvidence] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


def score(table: ScoreTable, subject: Subject) -> Score:
    """Score one subject. Rows with a sign of its own are left out, what is left is scaled to the table's total (SX-2)."""
    rows = [score_row(table, item, subject) for item in table.items]
    adjustments = [adjust(each, subject.counts.get(each.adjustment_id, 0), rows) for each in table.adjustments]
    within = {each.adjustment_id for each in table.adjustments if each.within is not None}
    counted = [row for row in rows if row.left_out is None]
    reachable = sum(row.points for row in counted)
    earned = sum(row.earned or 0 for row in counted) + sum(each.points for each in adjustments if each.adjustment_id in within)
    beside = sum(each.points for each in adjustments if each.adjustment_id not in within)
    scaled = earned / reachable * table.total if reachable else 0.0
    return Score(
        table_id=table.table_id,
        subject=subject.subject,
        name=subject.name,
        name_en=subject.name_en,
        kind=subject.kind,
        rows=tuple(rows),
        adjustments=tuple(adjustments),
        earned=earned,
        reachable=reachable,
        total=max(0.0, scaled + beside),
        provisional=any(row.earned is None for row in counted) or not counted,
        working=_working(table, earned, reachable, scaled, beside),
    )


def score_row(table: ScoreTable, item: ScoreItem, subject: Subject) -> ScoredRow:
    """Score one row by the table's formula: in proportion to the share, or all or nothing."""
    sign = next((mark for mark in item.marks if mark in subject.left_out), None)
    known = subject.evidence.get(item.item_id, RowEvidence(None, "no evidence"))
    if sign is not None:
        earned, working = None, f"left out ({sign})"
    elif known.share is None:
        earned, working = None, f"not measured: {known.found}"
    else:
        share = min(max(known.share, 0.0), 1.0)
        if table.formula == "all_or_nothing" and not known.settled:
            share = float(share >= 1 - TOLERANCE)
        earned = item.points * share
        working = f"{known.found}: {item.points:g} × {share:.4g} = {earned:.4g}"
    return ScoredRow(item.item_id, item.title, item.title_en, item.points, earned, sign, working)


def adjust(adjustment: Adjustment, count: int, rows: Sequence[ScoredRow]) -> ScoredAdjustment:
    """Count one adjustment under its cap; within a row it fills up no more than the row's own points."""
    points = min(adjustment.each * count, adjustment.cap)
    working = f"{count} × {adjustment.each:g}, at most {adjustment.cap:g}"
    row = next((row for row in rows if row.item_id == adjustment.within), None)
    if row is not None:
        room = 0.0 if row.left_out is not None else row.points - (row.earned or 0)
        points = min(points, room)
        working += f", within {row.item_id} ({room:.4g} left)"
    signed = -points if adjustment.deduction else points
    return ScoredAdjustment(adjustment.adjustment_id, adjustment.title, adjustment.title_en, count, signed, f"{working} = {signed:.4g}")


def _working(table: ScoreTable, earned: float, reachable: float, scaled: float, beside: float) -> str:
    words = f"{earned:.4g} of {reachable:g}"
    if abs(reachable - table.total) > TOLERANCE:
        words += f", scaled to {table.total:g}: {scaled:.4g}"
    return words + (f" {'+' if beside > 0 else '−'} {abs(beside):.4g}" if beside else "")


def rank(scores: Iterable[Score], places: Sequence[int] = ()) -> tuple[Score, ...]:
    """Place the scores, best first, each kind of subject apart; equal scores share their rank and their prize.

    `places`: numbers of first, second … prizes. A provisional score is ranked and takes no prize yet; the places it would
    take stay free.
    """
    kinds: dict[str, list[Score]] = {}
    for each in scores:
        kinds.setdefault(each.kind, []).append(each)
    return tuple(placed for group in kinds.values() for placed in _place(group, places))


def _place(group: Sequence[Score], places: Sequence[int]) -> list[Score]:
    ordered = sorted(group, key=lambda each: (-each.total, each.subject))
    bounds = list(accumulate(places))
    placed: list[Score] = []
    for position, each in enumerate(ordered, start=1):
        tied = bool(placed) and abs(placed[-1].total - each.total) <= TOLERANCE
        at = placed[-1].rank if tied else position
        prize = next((number for number, bound in enumerate(bounds, start=1) if at <= bound), None)
        placed.append(replace(each, rank=at, prize=None if each.provisional else prize))
    return placed
