"""Contests of scores over a real database and the command line: the score before and after, append-only, shown with the scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.contests import DECIDED, RAISED, Contest, ContestEvent, project_contests, ruled_points
from app.core.events import UnitEvent
from app.edge.database.store import Store
from app.errors import InputError, StoreError
from app.workflows.appraise import score_table
from app.workflows.contests import Word, decide_contest, raise_contest
from app.workflows.known import read_known
from tests.samples.command_line import CommandLine
from tests.samples.orders import SHAOXING, read

NOW = datetime(2012, 12, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
COUNTY = "region:330624"
SAID = Word("县政府办", "复核申请 3 号", "已按期完成", NOW - 2 * DAY)
RULED = Word("市电子政务中心", "复核决定 3 号", "补充材料属实", NOW - DAY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    opened.write_events([
        UnitEvent(COUNTY, row, NOW - 30 * DAY, NOW - 30 * DAY, "考核组", "评分表", points)
        for row, points in (("c_planning", 1.0), ("c_projects", 7.0))
    ])
    yield opened
    opened.close()


def total(store: Store) -> float:
    _, ranked = score_table(read(SHAOXING), read_known(read(SHAOXING), store, NOW), "counties")
    return next(each.total for each in ranked if each.subject == COUNTY)


def contested(store: Store, row: str = "c_planning", word: Word = SAID, *, commit: bool = True) -> Contest:
    return raise_contest(read(SHAOXING), store, "counties", COUNTY, row, word, commit=commit, now=NOW).contest


def decided(store: Store, number: int, decision: str, points: float | None, word: Word = RULED, *, commit: bool = True) -> Contest:
    return decide_contest(read(SHAOXING), store, number, decision, points, word, commit=commit, now=NOW).contest


@pytest.mark.requirement("SX-4")
def test_an_upheld_contest_sets_the_points_of_its_row_and_keeps_both_scores(store: Store) -> None:
    before = total(store)
    raised = contested(store)
    assert (raised.number, raised.standing, raised.raised.row_before, raised.raised.total_before) == (1, "open", 1.0, before)
    assert total(store) == before
    upheld = decided(store, 1, "upheld", 2.5).decided
    assert upheld is not None
    assert (upheld.row_before, upheld.row_after) == (1.0, 2.5)
    assert (upheld.total_before, upheld.total_after) == (before, before + 1.5)
    assert total(store) == before + 1.5
    _, ranked = score_table(read(SHAOXING), read_known(read(SHAOXING), store, NOW), "counties")
    scored = next(each for each in ranked if each.subject == COUNTY)
    assert "2.5 by 复核决定 3 号 on contest 1" in next(row.working for row in scored.rows if row.item_id == "c_planning")
    assert [each.standing for each in scored.contests] == ["upheld"]
    assert all(each.contests == () for each in ranked if each.subject != COUNTY)


def test_a_dismissed_contest_changes_nothing_and_the_row_may_be_contested_again(store: Store) -> None:
    before = total(store)
    contested(store)
    dismissed = decided(store, 1, "dismissed", None).decided
    assert dismissed is not None
    assert (dismissed.total_before, dismissed.total_after) == (before, before)
    assert contested(store).number == 2
    assert decided(store, 2, "upheld", 3.0).decided is not None
    assert total(store) == before + 2


def test_a_row_that_nobody_had_measured_is_measured_by_a_decision(store: Store) -> None:
    assert contested(store, "c_network").raised.row_before is None
    upheld = decided(store, 1, "upheld", 0.0).decided
    assert upheld is not None
    assert (upheld.row_before, upheld.row_after) == (None, 0.0)


def test_decided_points_stand_where_a_table_scores_all_or_nothing(store: Store) -> None:
    workspace = read(SHAOXING)
    tables = tuple(replace(table, formula="all_or_nothing") for table in workspace.order.scoring)
    strict = replace(workspace, order=replace(workspace.order, scoring=tables))
    raise_contest(strict, store, "counties", COUNTY, "c_planning", SAID, commit=True, now=NOW)
    upheld = decide_contest(strict, store, 1, "upheld", 1.5, RULED, commit=True, now=NOW).contest.decided
    assert upheld is not None
    assert (upheld.row_before, upheld.row_after) == (0.0, 1.5)


def test_without_commit_nothing_is_recorded(store: Store) -> None:
    contested(store, commit=False)
    assert store.contest_events() == []
    contested(store)
    decided(store, 1, "upheld", 2.0, commit=False)
    assert [event.step for event in store.contest_events()] == ["raised"]


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (lambda s: contested(s, "c_none"), "the table has no such row: expected c_planning, c_projects"),
        (lambda s: contested(s), "the row is contested already: expected no open contest; found contest 1, raised on 复核申请 3 号"),
        (lambda s: contested(s, "c_projects", replace(SAID, reason=" ")), "has no grounds: expected a reason; found none"),
        (lambda s: contested(s, "c_projects", replace(SAID, observed_at=NOW + DAY)), "lies in the future"),
        (lambda s: contested(s, "c_projects", replace(SAID, by="王某 13800000")), "whoever acts is no role"),
        (lambda s: decided(s, 1, "upheld", None), "points of the row: expected 0 to 3; found none"),
        (lambda s: decided(s, 1, "upheld", 3.1), "points of the row: expected 0 to 3; found 3.1"),
        (lambda s: decided(s, 1, "dismissed", 1.0), "expected none: the score stays; found 1"),
        (lambda s: decided(s, 9, "dismissed", None), "there is no such contest: expected 1 to 1; found 9"),
        (lambda s: decided(s, 1, "dismissed", None, replace(RULED, observed_at=NOW - 3 * DAY)), "is decided before it was raised"),
    ],
)
def test_what_cannot_be_contested_or_decided_is_refused(store: Store, attempt: Callable[[Store], object], expected: str) -> None:
    contested(store)
    with pytest.raises(InputError) as refused:
        attempt(store)
    assert expected in str(refused.value)
    assert len(store.contest_events()) == 1


def test_a_contest_is_decided_once_even_by_two_at_a_time(store: Store) -> None:
    contested(store)
    decided(store, 1, "upheld", 2.0)
    with pytest.raises(InputError, match="is decided already"):
        decided(store, 1, "dismissed", None)
    with pytest.raises(StoreError, match="contest was not written"):
        store.write_contest_event(replace(store.contest_events()[-1], decision="dismissed"))


@pytest.mark.parametrize("statement", ["UPDATE contest SET points = 3", "DELETE FROM contest", "DELETE FROM device_identity"])
def test_what_was_recorded_cannot_be_rewritten(store: Store, tmp_path: Path, statement: str) -> None:
    contested(store)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'waiwang.db'}")
    with engine.connect() as connection:
        if "device_identity" in statement:
            connection.execute(sa.text("INSERT INTO device_identity (device, at) VALUES ('x', 0)"))
        with pytest.raises(sa.exc.IntegrityError, match="append-only"):
            connection.execute(sa.text(statement))
    engine.dispose()


def test_contests_stand_in_the_list_and_beside_the_scores(store: Store, tmp_path: Path) -> None:
    waiwang = CommandLine(SHAOXING, {"WAIWANG_DATABASE_URL": f"sqlite:///{tmp_path / 'waiwang.db'}"})
    said = ("--by", "县政府办", "--document", "复核申请 3 号", "--reason", "已按期完成", "--at", "2012-12-18")
    assert waiwang("contest", "raise", "counties", COUNTY, "c_planning", *said).code == 5
    assert waiwang("contest", "raise", "counties", COUNTY, "c_planning", *said, "--commit").code == 0
    open_row = waiwang("report", "scores", "counties", "--format", "json").json["rows"]
    assert [row["contests"] for row in open_row if row["subject"] == COUNTY] == [
        ["contest 1 of c_planning: open since 2012-12-18, by 县政府办 on 复核申请 3 号: 已按期完成"]
    ]
    ruled = ("--by", "市电子政务中心", "--document", "复核决定 3 号", "--reason", "属实", "--points", "2.5", "--at", "2012-12-19")
    assert waiwang("contest", "decide", "1", "upheld", *ruled, "--commit").code == 0
    [row] = waiwang("contest", "list", "counties", "--format", "json").json["rows"]
    assert (row["standing"], row["row_before"], row["row_after"]) == ("upheld", "1.00", "2.50")
    assert float(row["total_after"]) == pytest.approx(float(row["total_before"]) + 1.5)
    text = waiwang("report", "scores", "counties", "--subject", COUNTY).out
    for words in ("复核与申诉", "县政府办: 已按期完成", "予以采纳 复核决定 3 号", "1.00 → 2.50", "凭“复核决定 3 号”计2.5分（复核第1号）"):
        assert words in text, words
    told = waiwang("report", "scores", "counties", "--subject", COUNTY, "--format", "json").json["rows"]
    upheld = "contest 1 of c_planning: upheld on 2012-12-19 by 市电子政务中心 on 复核决定 3 号; row 1.00 → 2.50"
    assert told[-1]["working"].startswith(upheld)
    before = waiwang("report", "scores", "counties", "--subject", COUNTY, "--as-of", "2012-12-18").out
    assert "复核与申诉" not in before


def build_events(steps: list[tuple[int, str, str, int]]) -> list[ContestEvent]:
    """Return events of contests whose row follows from their number."""
    found = []
    for number, step, decision, hours in steps:
        at, ruling = NOW + timedelta(hours=hours), decision if step == DECIDED else None
        points = 1.0 if ruling == "upheld" else None
        found.append(ContestEvent(number, step, "t", "s", f"r{number % 3}", at, at, "岗", "文", "因", ruling, points))
    return found


STEPS = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from([RAISED, DECIDED]), st.sampled_from(["upheld", "dismissed"]), st.integers(0, 9)),
    max_size=12,
)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(STEPS, st.integers(0, 9))
def test_what_is_recorded_later_changes_nothing_that_was_known(steps: list[tuple[int, str, str, int]], hours: int) -> None:
    events, moment = build_events(steps), NOW + timedelta(hours=hours)
    early = [event for event in events if event.recorded_at <= moment]
    assert project_contests(events, as_of=moment) == project_contests(early)


@PATIENT
@given(STEPS)
def test_points_are_set_by_upheld_contests_and_no_others(steps: list[tuple[int, str, str, int]]) -> None:
    contests = project_contests(build_events(steps))
    assert set(ruled_points(contests)) == {each.is_about for each in contests if each.standing == "upheld"}
