"""What somebody enters: moments and texts that can be kept, and what is said of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.lines import parse_moment
from app.core.entered import FIRST, LAST, find_entry_faults, fits_utc
from app.errors import InputError

NOON = datetime(2008, 6, 30, 12, tzinfo=UTC)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


EDGES = st.sampled_from([FIRST, LAST])


@given(st.datetimes() | EDGES, OFFSETS)
def test_a_moment_fits_just_where_it_can_be_told_in_utc(civil: datetime, offset: timezone) -> None:
    at = civil.replace(tzinfo=offset)
    try:
        at.astimezone(UTC)
    except OverflowError:
        assert not fits_utc(at)
    else:
        assert fits_utc(at)


def test_every_fault_of_an_entry_is_told_at_once() -> None:
    beyond = FIRST.replace(tzinfo=timezone(timedelta(hours=8)))
    texts = {"document": "单\x00", "by": "\ud800", "reason": "a\tb", "fine": "移交单 <7>，第3页", "none": None}
    assert [(each.what, each.found) for each in find_entry_faults("line A", beyond, texts)] == [
        ("moment", "0001-01-01T00:00:00+08:00"),
        ("document", "the character U+0000"),
        ("by", "the character U+D800"),
        ("reason", "the character U+0009"),
    ]
    assert list(find_entry_faults("line A", NOON, {"document": "移交单"})) == []


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59-08:00"])
def test_the_command_line_takes_no_moment_beyond_the_calendar(text: str) -> None:
    with pytest.raises(InputError, match="is no moment"):
        parse_moment("--at", text, ZoneInfo("Asia/Shanghai"))
