"""The brake of a run: says why no other device may begin, and lets only so many of one parent or carrier go at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from threading import Lock, Semaphore

from app.core.pacing import Pace
from app.errors import named
from app.workflows.diff import DeviceRow

#: Said of a device that the operator's Ctrl-C came before.
STOPPED = "stopped by the operator before this device; run the command again to go on"


class Brake:
    """Counts what went wrong and what was changed, from worker threads."""

    def __init__(self, pace: Pace, is_stopped: Callable[[], bool], clock: Callable[[], datetime] | None) -> None:
        self._pace, self._is_stopped, self._clock = pace, is_stopped, clock
        self._lock = Lock()
        self._wrong: list[str] = []
        self._changed = 0
        self._gates: dict[tuple[str, str], Semaphore] = {}

    def reason(self) -> str:
        """Return why no device may begin now, empty when one may."""
        pace = self._pace
        if self._is_stopped():
            return STOPPED
        if pace.until is not None and self._clock is not None and self._clock() >= pace.until:
            return f"the time was over ({pace.until:%Y-%m-%d %H:%M}) before this device; run the command again to go on"
        with self._lock:
            if pace.stop_after and len(self._wrong) >= pace.stop_after:
                return f"stopped, as {named(self._wrong)} went wrong; find out why, then run the command again"
        return ""

    def count(self, row: DeviceRow) -> None:
        """Take note of a device that is done."""
        if went_wrong(row):
            with self._lock:
                self._wrong.append(row.device)

    def may_change(self) -> bool:
        """Take one of the changes that the run is allowed; tell whether there was one left."""
        with self._lock:
            if self._pace.changes and self._changed >= self._pace.changes:
                return False
            self._changed += 1
            return True

    @contextmanager
    def turn(self, facts: Mapping[str, str]) -> Iterator[None]:
        """Wait until few enough others of the same parent, carrier … are being worked on.

        Keys are taken in one order, so that none waits for ever.
        """
        with ExitStack() as held:
            for key, number in sorted(self._pace.at_most.items()):
                with self._lock:
                    gate = self._gates.setdefault((key, facts.get(key, "")), Semaphore(number))
                held.enter_context(gate)
            yield


def went_wrong(row: DeviceRow) -> bool:
    """Tell whether a row speaks against going on: a device that merely could not be reached, or that nothing was sent to, does not."""
    return row.result in ("failed", "login_refused") or (row.result in ("refused", "unreachable") and row.address is not None)
