"""One summary for all open pages, and one text for all scrapes of it: twenty who ask cost what one costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from app.core.progress import Summary


class RecentSummary:
    """Calls `read` at most once in `age_limit_s` seconds, one caller at a time; what it raises, every caller meets."""

    def __init__(self, read: Callable[[], Summary], age_limit_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read, self._age_limit_s, self._monotonic = read, age_limit_s, monotonic
        self._lock = Lock()
        self._kept: tuple[float, Summary] | None = None

    def __call__(self) -> Summary:
        with self._lock:
            now = self._monotonic()
            if self._kept is None or now - self._kept[0] >= self._age_limit_s:
                self._kept = None
                self._kept = (now, self._read())
            return self._kept[1]


class RecentScrape:
    """The last text that was written of one summary, for as long as that very summary is shown in the same way."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[Summary, object, bytes] | None = None

    def __call__(self, summary: Summary, manner: object, write: Callable[[], bytes]) -> bytes:
        """Return the text; `manner` is whatever else it depends on."""
        with self._lock:
            if self._kept is None or self._kept[0] is not summary or self._kept[1] != manner:
                self._kept = None
                self._kept = summary, manner, write()
            return self._kept[2]
