"""Moments in words: the order's clock, to the second, never without the offset."""

from __future__ import annotations

from datetime import datetime, tzinfo


def on_the_clock(moment: datetime, zone: tzinfo | None) -> str:
    """Return a moment in a zone such as 2008-06-30 16:30:00+08:00; microseconds are left out, not rounded.

    `zone`: the order's, or that of another moment in the same sentence, so that both can be compared by eye.
    """
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds")
