"""Points from evidence: proportion, rows left out and the rest scaled, caps, ranks, prizes, the working."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.score_table import Adjustment, ScoreItem, ScoreTable
from app.core.scoring import RowEvidence, Score, Subject, rank, score
from app.core.source import Source

ORDER = Source(clause="附件")


def item(name: str, points: float, *marks: str) -> ScoreItem:
    return ScoreItem(name, name, name, points, (), ORDER, event=name, marks=marks)


def bonus(name: str, each: float, cap: float, *, within: str | None = None, deduction: bool = False) -> Adjustment:
    return Adjustment(name, name, name, name, each, cap, ORDER, deduction, within)


TABLE = ScoreTable("t", "表", "Table", 100, "in_proportion", (item("a", 60), item("b", 30, "※"), item("c", 10, "▲")), ORDER)


def subject(
    shares: dict[str, float | None], *left_out: str, counts: dict[str, int] | None = None, name: str = "U", kind: str = "unit"
) -> Subject:
    evidence = {row: RowEvidence(share, "found") for row, share in shares.items()}
    return Subject(name, name, name, kind, frozenset(left_out), evidence, counts or {})


def test_what_is_partly_done_scores_in_proportion_or_not_at_all_as_the_order_says() -> None:
    half = subject({"a": 0.5, "b": 1, "c": 1})
    assert score(TABLE, half).total == 70
    assert score(replace(TABLE, formula="all_or_nothing"), half).total == 40


def test_a_share_decided_upon_a_contest_stands_whatever_the_formula_makes_of_shares() -> None:
    decided = replace(subject({"b": 1, "c": 1}), evidence={"a": RowEvidence(0.5, "contest 1", settled=True)})
    assert score(replace(TABLE, formula="all_or_nothing"), decided).total == 30


@pytest.mark.parametrize(("share", "total"), [(1.5, 60), (-0.5, 0)])
def test_no_row_gives_more_than_its_points_or_takes_any_away(share: float, total: float) -> None:
    assert score(TABLE, subject({"a": share, "b": 0, "c": 0})).total == total


def test_a_row_without_evidence_earns_nothing_yet_and_makes_the_score_provisional() -> None:
    found = score(TABLE, subject({"a": 1, "b": None}))
    assert (found.total, found.provisional) == (60, True)
    assert [row.earned for row in found.rows] == [60, None, None]
    assert not score(TABLE, subject({"a": 0, "b": 0, "c": 0})).provisional


def test_a_row_left_out_is_neither_earned_nor_missed() -> None:
    found = score(TABLE, subject({"a": 0.9}, "※", "▲"))
    assert (found.total, found.provisional, found.reachable) == (90, False, 60)
    assert found.working == "54 of 60, scaled to 100: 90"


def test_a_subject_that_every_row_leaves_out_has_no_score() -> None:
    table = replace(TABLE, items=(item("b", 100, "※"),))
    found = score(table, subject({}, "※"))
    assert (found.total, found.provisional) == (0, True)


@pytest.mark.parametrize(("count", "points"), [(0, 0), (1, 0.5), (2, 1), (9, 1)])
def test_a_bonus_beside_the_rows_counts_up_to_its_cap_after_the_scaling(count: int, points: float) -> None:
    table = replace(TABLE, adjustments=(bonus("x", 0.5, 1),))
    found = score(table, subject({"a": 1}, "※", "▲", counts={"x": count}))
    assert found.total == 100 + points


@pytest.mark.parametrize(("share", "total"), [(0.5, 65 + 2), (0.9, 69 + 1), (1, 70)])
def test_a_bonus_within_a_row_fills_up_no_more_than_the_row(share: float, total: float) -> None:
    table = replace(TABLE, adjustments=(bonus("x", 2, 2, within="c"),))
    assert score(table, subject({"a": 1, "b": 0, "c": share}, counts={"x": 1})).total == pytest.approx(total)


def test_a_bonus_within_a_row_that_is_left_out_is_lost() -> None:
    table = replace(TABLE, adjustments=(bonus("x", 2, 2, within="c"),))
    assert score(table, subject({"a": 1, "b": 1}, "▲", counts={"x": 1})).total == 100


def test_deductions_stop_at_their_cap_and_at_nothing() -> None:
    table = replace(TABLE, adjustments=(bonus("x", 2, 5, deduction=True),))
    assert score(table, subject({"a": 1, "b": 0, "c": 0}, counts={"x": 9})).total == 55
    assert score(table, subject({"a": 0, "b": 0, "c": 0}, counts={"x": 1})).total == 0


SHARES = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.none() | st.floats(0, 1))


@given(SHARES, st.sets(st.sampled_from(["※", "▲"])), st.integers(0, 20))
def test_no_score_leaves_its_range_and_more_done_is_never_less(shares: dict[str, float | None], left_out: set[str], count: int) -> None:
    table = replace(TABLE, adjustments=(bonus("x", 0.5, 1),))
    found = score(table, subject(shares, *left_out, counts={"x": count}))
    assert 0 <= found.total <= 101
    more = {row: 1.0 if share is not None else None for row, share in shares.items()}
    assert score(table, subject(more, *left_out, counts={"x": count})).total >= found.total - 1e-9


def ranked(totals: dict[str, float], places: tuple[int, ...], *, provisional: tuple[str, ...] = ()) -> dict[str, Score]:
    rows = {name: {"a": value, "b": None if name in provisional else value, "c": value} for name, value in totals.items()}
    return {each.subject: each for each in rank([score(TABLE, subject(rows[name], name=name)) for name in totals], places)}


def test_equal_scores_share_rank_and_prize_and_the_next_one_skips() -> None:
    found = ranked({"u": 0.9, "v": 0.9, "w": 0.8, "x": 0.7}, (1, 1, 1))
    assert {name: (each.rank, each.prize) for name, each in found.items()} == {"u": (1, 1), "v": (1, 1), "w": (3, 3), "x": (4, None)}


def test_a_provisional_score_takes_no_prize_and_nobody_takes_its_place() -> None:
    found = ranked({"u": 1.0, "v": 0.5}, (1, 1), provisional=("u",))
    assert {name: (each.rank, each.prize) for name, each in found.items()} == {"u": (1, None), "v": (2, 2)}


def test_kinds_of_subjects_are_ranked_apart() -> None:
    shares = {"unit": 0.1, "county": 0.9}
    scores = [score(TABLE, subject({"a": share, "b": 1, "c": 1}, name=kind, kind=kind)) for kind, share in shares.items()]
    assert [each.rank for each in rank(scores)] == [1, 1]
