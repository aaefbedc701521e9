"""One summary for all open pages: twenty browsers that renew every few seconds cost what one costs."""

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
