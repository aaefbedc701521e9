"""Documents, the periods of circulars, and what is counted for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.document import Grid, Heading, Outline, Paragraph, cell_text, grid_or
from app.core.line_view import LineView
from app.core.periods import Period, day_of_issue, month_of, parse_period
from app.core.standings import by_carrier, by_region, days_early, overdue, primary_lines, whole
from app.core.workdays import WorkCalendar, count_working_days
from app.web.reports.appraisal import working_words
from app.web.reports.words import report_words
from tests.samples.rollout import LINES_DUE_AT, NOW, ZONE, build_summary, with_line

CALENDAR = WorkCalendar()


# Documents


def test_a_table_without_rows_or_with_ragged_ones_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="table `逾期` is empty"):
        Grid("逾期", ("a",), (), (1,), "l")
    with pytest.raises(ValueError, match="rows of another length than its head"):
        Grid("逾期", ("a", "b"), (("1",),), (1, 1), "ll")
    assert grid_or("没有逾期的线路。", "逾期", ["a"], [], [1], "l") == Paragraph("没有逾期的线路。")


def test_chapters_and_sections_are_numbered_in_the_manner_of_the_language() -> None:
    numbered = {}
    for language in ("zh", "en"):
        outline = Outline(language)
        for chapter in ("甲", "乙"):
            outline.chapter(chapter)
            outline.section("子")
            outline.section("丑")
        numbered[language] = [block.text for block in outline.blocks if isinstance(block, Heading)]
    assert numbered["zh"] == ["一、甲", "（一）子", "（二）丑", "二、乙", "（一）子", "（二）丑"]
    assert numbered["en"] == ["1. 甲", "(1) 子", "(2) 丑", "2. 乙", "(1) 子", "(2) 丑"]


def test_sentences_stand_close_in_chinese_and_apart_in_english_and_nothing_is_said_of_nothing() -> None:
    chinese, english = Outline("zh"), Outline("en")
    for outline in (chinese, english):
        outline.say("一。", "", "二。")
        outline.say("", "")
    assert (chinese.blocks, english.blocks) == ((Paragraph("一。二。"),), (Paragraph("一。 二。"),))


def test_what_is_not_known_is_printed_as_a_dash_and_nothing_as_nought() -> None:
    assert [cell_text(cell) for cell in (None, "", 0, 0.0, 56.5, -3)] == ["—", "—", "0", "0", "56.5", "-3"]


# Periods


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2008-02", date(2008, 2, 1), date(2008, 2, 29)),
        ("2009-02", date(2009, 2, 1), date(2009, 2, 28)),
        ("2008-12", date(2008, 12, 1), date(2008, 12, 31)),
        ("2008-Q1", date(2008, 1, 1), date(2008, 3, 31)),
        ("2008-q4", date(2008, 10, 1), date(2008, 12, 31)),
    ],
)
def test_a_period_is_whole_months_of_the_civil_calendar(text: str, first: date, last: date) -> None:
    period = parse_period(text)
    assert period is not None
    assert (period.first_day, period.last_day) == (first, last)
    end = period.ends_at(ZONE)
    assert (end.date(), (end + timedelta(microseconds=1)).date()) == (last, last + timedelta(days=1))
    assert period.begins_at(ZONE).date() == first


@pytest.mark.parametrize("text", ["2008", "2008-13", "2008-00", "2008-Q5", "2008-Q0", "08-05", "2008-5", "2008-05-01", "0000-01"])
def test_what_is_no_period_is_none(text: str) -> None:
    assert parse_period(text) is None


@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)))
def test_every_day_lies_in_its_month_and_quarter(day: date) -> None:
    month = month_of(day)
    quarter = Period(day.year, 3 * month.quarter - 2, 3)
    assert month.first_day <= day <= month.last_day
    assert quarter.first_day <= day <= quarter.last_day


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2008, 7, 2), "二〇〇八年七月二日"),
        (date(2008, 10, 10), "二〇〇八年十月十日"),
        (date(2010, 12, 20), "二〇一〇年十二月二十日"),
        (date(2011, 1, 31), "二〇一一年一月三十一日"),
        (date(2012, 6, 30), "二〇一二年六月三十日"),
        (date(2012, 7, 1), "2012年7月1日"),
    ],
)
def test_the_day_of_issue_is_written_as_the_standard_of_its_time_has_it(day: date, words: str) -> None:
    assert day_of_issue(day) == words


# Counts


def test_counts_of_counties_and_carriers_add_up_to_the_whole() -> None:
    lines = primary_lines(build_summary())
    total = whole(lines, ZONE)
    assert total is not None
    for parts in (by_region(lines, ZONE), by_carrier(lines, ZONE)):
        for name in ("total", "done", "done_late", "late", "at_risk", "failed"):
            assert sum(getattr(part, name) for part in parts) == getattr(total, name)
    dues = Counter(line.due for line in lines)
    assert (total.late, total.at_risk, total.done_late) == (dues["late"], dues["at_risk"], dues["accepted_late"])
    assert whole((), ZONE) is None


def line_accepted(at: datetime) -> LineView:
    summary = build_summary()
    line = next(line for line in summary.lines if line.due == "accepted")
    return replace(line, decided_at=at, due_at=LINES_DUE_AT, due="accepted" if at < LINES_DUE_AT else "accepted_late")


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (LINES_DUE_AT - timedelta(seconds=1), 0),
        (LINES_DUE_AT, -1),
        (LINES_DUE_AT + timedelta(seconds=1), -1),
        (LINES_DUE_AT - timedelta(days=1), 0),
        (LINES_DUE_AT - timedelta(days=1, seconds=1), 1),
    ],
)
def test_days_early_are_civil_days_to_the_last_day_in_time(at: datetime, days: int) -> None:
    assert days_early(line_accepted(at), ZONE) == days


def test_an_open_line_is_neither_early_nor_late_by_days() -> None:
    assert days_early(replace(line_accepted(LINES_DUE_AT), due="open"), ZONE) is None


def test_days_over_are_counted_in_civil_and_in_working_days() -> None:
    summary = replace(build_summary(), as_of=datetime(2008, 7, 7, 2, tzinfo=UTC))
    found = overdue(summary, CALENDAR, ZONE)
    late = {line.line_id for line in primary_lines(summary) if line.due == "late"}
    assert {each.line.line_id for each in found} == late
    # from Monday 30 June to Monday 7 July
    assert {(each.last_day, each.days, each.working_days) for each in found} == {(date(2008, 6, 30), 7, 5)}
    assert count_working_days(CALENDAR, date(2008, 6, 30), date(2008, 7, 7)) == 5


def test_the_longest_overdue_comes_first() -> None:
    late = [line.line_id for line in build_summary().lines if line.due == "late"]
    older = with_line(build_summary(), late[-1], due_at=LINES_DUE_AT - timedelta(days=30))
    assert overdue(older, CALENDAR, ZONE)[0].line.line_id == late[-1]


# Words


def test_the_last_moment_of_a_day_is_called_its_end() -> None:
    end = datetime(2008, 6, 30, 23, 59, 59, 999999, tzinfo=ZONE)
    assert [report_words(language, ZONE).moment(end) for language in ("zh", "en")] == ["2008年6月30日24时", "30 June 2008, 24:00"]
    assert report_words("zh", ZoneInfo("UTC")).moment(NOW) == "2008年7月2日01:30"


@pytest.mark.parametrize(
    ("working", "chinese"),
    [
        ("8 of 10 done: 50 × 0.8 = 40", "10项完成8项：50 × 0.8 = 40"),
        ("35 by 采用统计表: 70 × 0.5 = 35", "凭“采用统计表”计35分：70 × 0.5 = 35"),
        ("not measured: nothing recorded", "未计量：无登记"),
        ("left out (※)", "不计（※）"),
        ("40 of 100", "可得100分，实得40分"),
        ("12 of 13, scaled to 15: 13.85 + 2", "可得13分，实得12分，折算为15分制：13.85 + 2"),
        ("3 × 2, at most 5 = 5", "3 × 2，上限5 = 5"),
        ("3 × 2, at most 5, within quota (4 left) = 4", "3 × 2，上限5，在quota内（余4） = 4"),
    ],
)
def test_workings_are_told_in_chinese(working: str, chinese: str) -> None:
    assert working_words(report_words("zh", ZONE), working) == chinese
    assert working_words(report_words("en", ZONE), working) == working
