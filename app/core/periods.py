"""The month or quarter that a circular speaks of. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(r"(\d{4})-(?:(0[1-9]|1[0-2])|[Qq]([1-4]))")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole calendar months: `month` is the first, `months` how many (1, or 3 for a quarter)."""

    year: int
    month: int
    months: int

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        end = self.year * 12 + self.month - 1 + self.months
        return date(end // 12, end % 12 + 1, 1) - timedelta(days=1)

    @property
    def quarter(self) -> int:
        return (self.month + 2) // 3

    def begins_at(self, zone: ZoneInfo) -> datetime:
        return datetime.combine(self.first_day, time.min, tzinfo=zone)

    def ends_at(self, zone: ZoneInfo) -> datetime:
        """Return its last moment."""
        return datetime.combine(self.last_day + timedelta(days=1), time.min, tzinfo=zone) - timedelta(microseconds=1)


def parse_period(text: str) -> Period | None:
    """Return the period of `2008-05` or `2008-Q2`, None for anything else."""
    found = _WRITTEN.fullmatch(text)
    if found is None or not date.min.year < int(found[1]) < date.max.year:
        return None
    if found[2] is not None:
        return Period(int(found[1]), int(found[2]), 1)
    return Period(int(found[1]), 3 * int(found[3]) - 2, 3)


def month_of(day: date) -> Period:
    return Period(day.year, day.month, 1)


_DIGITS = "〇一二三四五六七八九"
#: From this day GB/T 9704-2012 holds: dates of issue in Arabic numerals. GB/T 9704-1999 wrote them in Chinese.
ARABIC_SINCE = date(2012, 7, 1)


def day_of_issue(day: date) -> str:
    """Return the date under a signature as the standard of its time writes it: 二〇〇八年七月二日, or 2013年7月2日."""
    if day >= ARABIC_SINCE:
        return f"{day.year}年{day.month}月{day.day}日"
    year = "".join(_DIGITS[int(digit)] for digit in str(day.year))
    return f"{year}年{_count(day.month)}月{_count(day.day)}日"


def _count(number: int) -> str:
    """Write 1 to 31 as it is said."""
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十") + (_DIGITS[ones] if ones else "")
