"""Working days of the Chinese calendar, and windows counted in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.source import Source
from app.core.workdays import WorkCalendar, build_notice, count_working_days, find_notice_faults, working_days_after
from app.edge.files.calendar import read_calendar
from app.errors import Finding

ROOT = Path(__file__).parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
CLAUSE = Source(clause="通知")


def root_calendar() -> WorkCalendar:
    findings: list[Finding] = []
    calendar = read_calendar(ROOT, SHANGHAI, (), findings.append).calendar
    assert findings == []
    return calendar


CALENDAR = root_calendar()


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2007-12-29", True),  # a Saturday, made up for New Year of the next year
        ("2007-12-31", False),  # a Monday off, told by the notice of 2008
        ("2008-02-02", True),
        ("2008-02-06", False),
        ("2008-02-12", False),
        ("2008-02-13", True),
        ("2008-02-29", True),  # the leap day is a Friday
        ("2008-05-02", False),
        ("2008-05-04", True),
        ("2008-06-09", False),
        ("2008-06-28", False),
        ("2008-06-30", True),
        ("2008-09-27", True),
        ("2008-09-28", True),
        ("2008-10-06", True),
    ],
)
def test_the_notice_of_2008_decides_which_days_are_worked(day: str, working: bool) -> None:
    assert CALENDAR.is_working(date.fromisoformat(day)) is working


def test_the_year_2008_has_251_working_days() -> None:
    assert count_working_days(CALENDAR, date(2007, 12, 31), date(2008, 12, 31)) == 251


@pytest.mark.parametrize(
    ("since", "days", "last_day"),
    [
        ("2008-06-26T17:30+08:00", 3, "2008-07-01"),  # Thursday: Friday, Monday, Tuesday
        ("2008-06-26T23:59:59+08:00", 1, "2008-06-27"),
        ("2008-06-27T00:00:00+08:00", 1, "2008-06-30"),  # the day of the event does not count
        ("2008-06-26T16:00:00+00:00", 1, "2008-06-30"),  # the same moment, told in UTC
        ("2008-09-26T10:00+08:00", 3, "2008-10-06"),  # two make-up days of a weekend, then the national holiday
        ("2008-02-28T10:00+08:00", 1, "2008-02-29"),
        ("2008-02-29T10:00+08:00", 1, "2008-03-03"),
    ],
)
def test_a_window_counts_whole_working_days_after_the_day_of_the_event(since: str, days: int, last_day: str) -> None:
    window = working_days_after(CALENDAR, datetime.fromisoformat(since), days, SHANGHAI)
    assert window.last_day == date.fromisoformat(last_day)
    assert window.due_at == datetime.combine(window.last_day + timedelta(days=1), datetime.min.time(), tzinfo=SHANGHAI)
    assert window.assumed_years == ()


def test_a_year_without_a_notice_is_counted_by_weekends_and_named() -> None:
    window = working_days_after(CALENDAR, datetime(2010, 10, 1, tzinfo=UTC), 2, SHANGHAI)
    assert (window.last_day, window.assumed_years) == (date(2010, 10, 5), (2010,))


def test_a_window_over_the_turn_of_the_year_names_only_the_year_that_is_not_known() -> None:
    window = working_days_after(CALENDAR, datetime(2009, 12, 30, tzinfo=UTC), 3, SHANGHAI)
    assert (window.last_day, window.assumed_years) == (date(2010, 1, 4), (2010,))


@given(st.dates(date(2008, 1, 1), date(2009, 11, 1)), st.integers(1, 40))
def test_a_window_holds_exactly_as_many_working_days_as_asked(day: date, days: int) -> None:
    since = datetime.combine(day, datetime.min.time(), tzinfo=SHANGHAI)
    window = working_days_after(CALENDAR, since, days, SHANGHAI)
    naive = [each for number in range((window.last_day - day).days) if CALENDAR.is_working(each := day + timedelta(days=number + 1))]
    assert len(naive) == days
    assert naive[-1] == window.last_day


@given(st.dates(date(2008, 1, 1), date(2009, 12, 31)), st.dates(date(2008, 1, 1), date(2009, 12, 31)))
def test_working_days_counted_back_are_the_negative_of_those_counted_forth(one: date, other: date) -> None:
    assert count_working_days(CALENDAR, one, other) == -count_working_days(CALENDAR, other, one)


def test_a_window_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="0 working days"):
        working_days_after(CALENDAR, datetime(2008, 6, 1, tzinfo=UTC), 0, SHANGHAI)


def test_everything_wrong_with_a_notice_is_named_at_once() -> None:
    spans = [
        ("元旦", date(2008, 1, 3), date(2008, 1, 1)),
        ("春节", date(2008, 2, 1), date(2008, 3, 1)),
        ("国庆节", date(2009, 10, 1), date(2009, 10, 7)),
    ]
    make_up = [date(2008, 1, 7), date(2008, 2, 2), date(2010, 1, 2)]
    faults = [what for what, _, _ in find_notice_faults(build_notice(2008, spans, make_up, CLAUSE), spans)]
    assert faults == [
        "holiday 元旦 ends before it begins",
        "holiday 春节 is longer than any",
        "holiday 国庆节 lies outside 2008",
        "make-up day 2008-01-07 is no weekend day",
        "2008-02-02 is a day off and a make-up day",
        "make-up day 2010-01-02 lies outside 2008",
    ]


def test_a_workspace_without_a_calendar_has_the_defaults_and_says_so(tmp_path: Path) -> None:
    reading = read_calendar(tmp_path, SHANGHAI, (), lambda finding: pytest.fail(str(finding)))
    windows = reading.calendar.windows
    assert (windows.parties_days, windows.centre_days, windows.source.default) == (3, 2, True)
    assert reading.service.source.default
    assert (reading.faults.source.default, reading.faults.notice_source.default) == (True, True)


BROKEN = """\
confirmation: {parties_days: 0, centre_days: 2, default: true}
service_level:
  slo_percent: 99.90001
  hours: [08:30-12:00, 9:00-17:00]
  days: weekdays
  ruling: R-1
maintenance:
  core: {starts: 2008-07-06 02:00, ends: 2008-07-05 22:00, lines: [BZWW-*], document: 检修通知}
years:
  last: {clause: 通知, holidays: {}}
  2008:
    holidays: {元旦: {first: 2008-01-03, last: 2008-01-01}}
    make_up: [2008-01-07]
    clause: 通知
  2009:
    holidays: {元旦: {first: 2009-01-01, last: tomorrow}}
faults: {open_after: 5m, settle: 30min, flaps: 1, restore_within: 8h, by_carrier: {telecom: 0h}}
change_windows: {notice: tomorrow, default: true}
hours: 24
"""
CARRIERS = "faults: {open_after: 5min, settle: 30min, flaps: 4, restore_within: 8h, by_carrier: {telecon: 4h}, ruling: R-9}\n"


def test_every_fault_of_a_calendar_is_told_in_words(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    (tmp_path / "inventory").mkdir()
    file = tmp_path / "inventory" / "calendar.yaml"
    told: list[Finding] = []
    for text in (BROKEN, BROKEN.replace("hours: 24\n", ""), CARRIERS):
        file.write_text(text, encoding="utf-8")
        read_calendar(tmp_path, SHANGHAI, {"R-BZ-5"}, told.append, {"telecom": "电信"})
    golden("inputs/calendar.txt", "".join(f"{finding}\n" for finding in told))
