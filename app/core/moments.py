"""Moments in words: the order's clock, to the second, never without the offset."""

from __future__ import annotations

from datetime import datetime, tzinfo


def on_the_clock(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment such as 2008-06-30 16:30:00+08:00; microseconds are left out, not rounded.

    `zone`: the order's, or that of another moment in the same sentence, so that both can be compared by eye; None leaves it in its own.
    """
    return moment.astimezone(zone or moment.tzinfo).isoformat(sep=" ", timespec="seconds")
