"""How deadlines, forecasts and clocks read on the page, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.core.deadlines import MovedDeadline
from app.core.forecast import OUTLOOKS, Forecast
from app.core.jeopardy import GROUPINGS
from app.errors import Finding
from app.web.dashboard.deadlines import (
    both_days,
    chance_words,
    earliness_words,
    foretold_words,
    held_words,
    holder_words,
    moved_words,
    term_words,
)
from app.web.dashboard.elements import MARKS
from app.web.dashboard.words import TABLE, Words
from tests.samples.rollout import CHANGE, build_summary

ZH, EN = Words("zh"), Words("en")
CAST = Forecast("in_doubt", 10, 5, 2.0, 30, 20, 1.5, 0.4, date(2008, 6, 20), date(2008, 7, 1), date(2008, 7, 20))
LINE = build_summary().lines[0]


def test_every_outlook_and_grouping_has_its_words_and_every_outlook_its_mark() -> None:
    assert {f"outlook_{one}" for one in OUTLOOKS} | {f"grouping_{one}" for one in GROUPINGS} <= TABLE.keys()
    assert set(OUTLOOKS) <= MARKS.keys()


def test_the_first_deadline_stands_beside_the_present_one() -> None:
    milestone = build_summary().milestones[0]
    assert both_days(ZH, milestone) == ["原定 2008年7月10日", "现为 2008年6月30日", "变更 1 次"]
    unmoved = replace(milestone, changes=(), baseline_on=milestone.due_on)
    assert both_days(EN, unmoved) == ["first 30 June 2008", "never moved"]
    assert [term_words(words, CHANGE.other_terms[0]) for words in (ZH, EN)] == ["目标 90% → 100%", "target 90% → 100%"]
    assert term_words(ZH, "soft: no → yes") == "力争 否 → 是"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("2008年7月1日", "2008年6月20日 至 2008年7月20日")),
        ({"latest_on": None}, ("2008年7月1日", "2008年6月20日 之后")),
        ({"latest_on": None, "expected_on": None}, ("四年以上", "2008年6月20日 之后")),
        ({"latest_on": None, "expected_on": None, "earliest_on": None}, ("四年以上", "")),
        ({"latest_on": None, "expected_on": None, "earliest_on": None, "chance": None}, ("—", "")),
        ({"latest_on": None, "expected_on": None, "earliest_on": None, "chance": 0.0, "outlook": "over", "seen": 3}, ("—", "")),
        ({"latest_on": None, "expected_on": None, "earliest_on": None, "wanted": 0, "chance": 1.0}, ("—", "")),
    ],
)
def test_a_foretold_day_is_written_with_its_interval_or_as_beyond_the_horizon(
    changes: dict[str, object], expected: tuple[str, str]
) -> None:
    assert foretold_words(ZH, replace(CAST, **changes)) == expected  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(("chance", "written"), [(0.0, "0%"), (0.004, "<1%"), (0.5, "50%"), (0.994, ">99%"), (1.0, "100%")])
def test_only_what_is_certain_reads_as_none_or_all(chance: float, written: str) -> None:
    assert chance_words(chance) == written


@pytest.mark.parametrize(
    ("due", "days", "working", "chinese", "english"),
    [
        ("accepted", 3, 1, "提前 3 天（1 个工作日）", "3 days early (1 working)"),
        ("accepted_late", -5, -3, "逾期 5 天（3 个工作日）", "5 days late (3 working)"),
        ("late", -5, -3, "逾期 5 天（3 个工作日）", "5 days late (3 working)"),
        ("open", 9, 7, "剩余 9 天（7 个工作日）", "9 days left (7 working)"),
        ("accepted", 0, 0, "当日", "on the day"),
        ("no_deadline", None, None, "—", "—"),
    ],
)
def test_early_and_late_are_told_in_civil_and_in_working_days(
    due: str, days: int | None, working: int | None, chinese: str, english: str
) -> None:
    line = replace(LINE, due=due, days_early=days, working_days_early=working)
    assert (earliness_words(ZH, line), earliness_words(EN, line)) == (chinese, english)


@pytest.mark.parametrize(
    ("due_on", "begins"),
    [
        (date(2008, 7, 15), "线路：此前按2008年6月30日执行，现为2008年7月15日"),
        (date(2008, 6, 30), "线路（2008年6月30日）：完成条件"),
        (None, "线路（2008年6月30日）：事项已"),
    ],
)
def test_a_deadline_that_moved_silently_is_told_in_the_language_of_the_page(due_on: date | None, begins: str) -> None:
    finding = Finding("inventory/order.yaml:9", "moved", "that", "this", "Put it back.")
    moved = MovedDeadline("lines", "线路", "Lines", date(2008, 6, 30), datetime(2008, 6, 1, tzinfo=UTC), due_on, finding)
    assert moved_words(ZH, moved).startswith(begins)
    assert moved_words(EN, moved).startswith("Lines")


def test_who_held_the_clock_is_told_in_whole_days() -> None:
    line = replace(LINE, clock_holder="centre", carrier_held_hours=49, unit_held_hours=0, centre_held_hours=71)
    assert held_words(ZH, line) == "网络服务提供商 2 天 · 电子政务中心 2 天"
    assert holder_words(EN, line) == "held by: centre, 2 d so far"
    unknown = replace(LINE, clock_holder="unit", carrier_held_hours=None, unit_held_hours=None, centre_held_hours=None)
    assert (held_words(ZH, unknown), holder_words(ZH, unknown)) == ("—", "责任方：接入单位")
