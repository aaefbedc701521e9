"""When each session was last used by a person: in memory, and in the ledger for other processes and the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

#: The ledger is written at most so often for one session, and ten times within the time that a session may idle.
LONGEST_STEP = timedelta(minutes=1)
#: Sessions held in memory at most; beyond them the one longest unused is forgotten, and asked for from the ledger.
KEPT = 10_000


class SeenLedger(Protocol):
    """Where the use of sessions is kept."""

    def write_session_seen(self, number: str, at: datetime, forget_before: datetime) -> None: ...

    def session_seen(self, number: str) -> datetime | None: ...


@dataclass(slots=True)
class _Use:
    """When a session was last used, and up to when the ledger knows of it."""

    at: datetime
    written_at: datetime | None


@dataclass
class Activity:
    """Use of sessions. `idle`: how long one may go unused, None for ever. `life`: a session is over by then whatever happens.

    Another process sees a use at most a step late. Called from several threads.
    """

    ledger: SeenLedger
    clock: Callable[[], datetime]
    idle: timedelta | None
    life: timedelta
    _uses: dict[str, _Use] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def note(self, number: str) -> None:
        """Note that a person uses a session now."""
        if self.idle is None:
            return
        now, step = self.clock(), min(LONGEST_STEP, self.idle / 10)
        with self._lock:
            held = self._uses.pop(number, None)
            written_at = held.written_at if held is not None else None
            is_due = written_at is None or not timedelta(0) <= now - written_at < step
            self._uses[number] = _Use(now, now if is_due else written_at)
            while len(self._uses) > KEPT:
                del self._uses[next(iter(self._uses))]
        if is_due:
            self.ledger.write_session_seen(number, now, now - self.life)

    def left(self, number: str, began_at: datetime) -> timedelta | None:
        """Return for how long a session may yet go unused, zero or less where it did so too long; None where it may for ever."""
        if self.idle is None:
            return None
        now = self.clock()
        with self._lock:
            held = self._uses.get(number)
        used_at = max(began_at, held.at) if held is not None else began_at
        if now - used_at >= self.idle and (kept := self.ledger.session_seen(number)) is not None:
            used_at = max(used_at, kept)
        return used_at + self.idle - now
