"""Half-open stretches of time, and arithmetic on them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

#: Half-open stretches of time, ascending, none touching another.
Spans = list[tuple[datetime, datetime]]


def merged(spans: Iterable[tuple[datetime, datetime]]) -> Spans:
    """Return the stretches ascending, those that touch made one, empty ones dropped."""
    result: Spans = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def both(one: Spans, other: Spans) -> Spans:
    """Return what lies in both."""
    result, left, right = [], 0, 0
    while left < len(one) and right < len(other):
        start, end = max(one[left][0], other[right][0]), min(one[left][1], other[right][1])
        if start < end:
            result.append((start, end))
        if one[left][1] <= other[right][1]:
            left += 1
        else:
            right += 1
    return result


def without(one: Spans, other: Spans) -> Spans:
    """Return what lies in the first and not in the second."""
    result: Spans = []
    for start, end in one:
        cursor = start
        for gone_start, gone_end in other:
            if gone_end <= cursor or gone_start >= end:
                continue
            if gone_start > cursor:
                result.append((cursor, gone_start))
            cursor = gone_end
        if cursor < end:
            result.append((cursor, end))
    return result


def length(spans: Spans) -> timedelta:
    return sum((end - start for start, end in spans), timedelta(0))
