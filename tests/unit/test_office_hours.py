"""When lines may be loaded: to the minute, in the order's zone, on working days of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.core.workdays import OfficeHours, WorkCalendar, build_notice
from app.edge.files import read_workspace
from tests.samples.command_line import REPOSITORY

ZONE = ZoneInfo("Asia/Shanghai")


def ends(moment: str, calendar: WorkCalendar = WorkCalendar()) -> str | None:
    ends_at = calendar.office_ends_at(datetime.fromisoformat(moment).replace(tzinfo=ZONE), ZONE)
    return None if ends_at is None else f"{ends_at:%H:%M}"


@pytest.mark.parametrize(
    ("clock", "end"),
    [
        ("08:29:59", None),
        ("08:30", "12:00"),
        ("11:59:59", "12:00"),
        ("12:00", None),
        ("14:30", "18:00"),
        ("17:59:59", "18:00"),
        ("18:00", None),
    ],
)
def test_a_span_holds_its_first_moment_and_not_its_last(clock: str, end: str | None) -> None:
    assert ends(f"2008-06-20T{clock}") == end


def test_a_weekend_is_quiet_and_a_day_that_is_worked_for_a_holiday_is_not() -> None:
    holiday = [("端午节", date(2008, 6, 7), date(2008, 6, 9))]
    notice = build_notice(2008, holiday, [date(2008, 6, 14)], OfficeHours().source)
    calendar = WorkCalendar({2008: notice})
    assert ends("2008-06-21T10:00", calendar) is None, "a Saturday"
    assert ends("2008-06-14T10:00", calendar) == "12:00", "a Saturday that is worked"
    assert ends("2008-06-09T10:00", calendar) is None, "a holiday on a Monday"


def test_office_hours_are_those_of_the_order_s_zone() -> None:
    assert WorkCalendar().office_ends_at(datetime(2008, 6, 20, 1, 0, tzinfo=UTC), ZONE) is not None, "09:00 in Beijing"
    assert WorkCalendar().office_ends_at(datetime(2008, 6, 20, 9, 0, tzinfo=UTC), ZONE) is not None, "17:00 in Beijing"
    assert WorkCalendar().office_ends_at(datetime(2008, 6, 20, 10, 0, tzinfo=UTC), ZONE) is None, "18:00 in Beijing"


def test_the_calendar_of_the_root_says_them_and_marks_them_as_a_default() -> None:
    office = read_workspace(REPOSITORY)[0].calendar.office
    assert (str(office), office.source.default) == ("08:30-12:00, 14:30-18:00", True)
    assert office.source.where.startswith("inventory/calendar.yaml:"), "they stand in the file, not in the code alone"
