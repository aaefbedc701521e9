"""Bounds on failed sign-ins: by account and address together, by address, and by account from everywhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from threading import Lock

WINDOW_S = 900.0
#: Failures within the window after which nothing more is tried.
PAIR_LIMIT, ADDRESS_LIMIT, ACCOUNT_LIMIT = 5, 20, 50
#: Keys kept at most; beyond them the oldest are forgotten.
KEPT = 10_000


@dataclass
class Throttle:
    """Counts failures in memory. Safe to call from several threads."""

    monotonic: Callable[[], float] = time.monotonic
    _failures: dict[Hashable, deque[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def wait_s(self, account: str, address: str) -> float:
        """Return for how many seconds no attempt of this account from this address is heard; 0 where it may be."""
        now = self.monotonic()
        with self._lock:
            return max((self._wait_s(key, limit, now) for key, limit in _keys(account, address)), default=0.0)

    def note_failure(self, account: str, address: str) -> None:
        """Count one failed attempt."""
        now = self.monotonic()
        with self._lock:
            for key, limit in _keys(account, address):
                failures = self._failures.pop(key, deque(maxlen=limit))
                failures.append(now)
                self._failures[key] = failures  # at the end again: the first of the dictionary is the one longest unused
            while len(self._failures) > KEPT:
                del self._failures[next(iter(self._failures))]

    def note_success(self, account: str, address: str) -> None:
        """Forget the failures of an account from this address: its owner mistyped."""
        with self._lock:
            self._failures.pop((account, address), None)

    def _wait_s(self, key: Hashable, limit: int, now: float) -> float:
        """The window of the oldest of the last `limit` failures decides."""
        failures = self._failures.get(key, deque[float]())
        return max(0.0, failures[0] + WINDOW_S - now) if len(failures) >= limit else 0.0


def _keys(account: str, address: str) -> Iterator[tuple[Hashable, int]]:
    yield (account, address), PAIR_LIMIT
    yield ("", address), ADDRESS_LIMIT
    yield (account, ""), ACCOUNT_LIMIT
