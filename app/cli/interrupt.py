"""Ctrl-C while devices are being changed: the first stops between two devices, the second breaks off and says where each one is.

A run that is told to end (SIGTERM), or whose terminal is gone (SIGHUP: a line to the operator's machine that broke), stops between two
devices too: none of them is left half changed by it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from types import FrameType

from app.cli.output import tell
from app.core.intent import DeviceIntent
from app.errors import NOT_KNOWN, ExitCode, StoreError
from app.workflows.deploy import DeployReport
from app.workflows.diff import RESULTS, DeviceRow, Progress, ordered

#: What a shell shows for a process that SIGINT ended.
INTERRUPTED = 130
#: Steps during which nothing has been sent to a device but questions.
HARMLESS = ("connecting", "reading", "backing up")


class Watch:
    """Where every device of a run is, from worker threads: its step while it is under way, its row as soon as it is final."""

    def __init__(self, intents: Mapping[str, DeviceIntent], names: Sequence[str], record: Callable[[DeviceRow], None]) -> None:
        self._intents, self._names, self._record = intents, names, record
        self._steps: dict[str, str] = {}
        self._rows: dict[str, DeviceRow] = {}

    def progress(self, step: Progress) -> Progress:
        """Return what takes note of a step and passes it on."""

        def note(device: str, at: str) -> None:
            self._steps[device] = at
            step(device, at)

        return note

    def record(self, row: DeviceRow) -> None:
        """Take note of a final row and pass it on."""
        self._rows[row.device] = row
        self._record(row)

    def broken_off(self, *, committed: bool) -> DeployReport:
        """Return what is known of every device now; what was under way is recorded as broken off."""
        rows = [self._rows.get(name) or self._cut_short(name) for name in self._names]
        for row in rows:
            if row.result == "failed" and row.device not in self._rows:
                with suppress(StoreError):  # the table still says it
                    self._record(row)
        return DeployReport(tuple(ordered(rows)), committed)

    def _cut_short(self, name: str) -> DeviceRow:
        intent, step = self._intents[name], self._steps.get(name, "")
        if step in ("", *HARMLESS, *RESULTS):
            reason = "broken off by the operator before anything was pushed; run the command again to go on"
            return DeviceRow(name, intent.depth, "not_begun", reason=reason, exit_code=ExitCode.DEVICE)
        reason = (
            f"broken off by the operator while {step}: what was typed may be in force and is not saved; look with waiwang diff "
            f"{name}. Run the command again to finish it, or waiwang rollback {name} to take it back."
        )
        return DeviceRow(name, intent.depth, "failed", reason=reason, exit_code=ExitCode.DEVICE, stands=NOT_KNOWN)


@contextmanager
def stopping_on_interrupt(break_off: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C stop the run between two devices, never within one. The second one breaks off: `break_off` says what is known,
    and the process ends at once, without waiting for devices that may hang.
    """
    stopped, telling, again = Event(), Event(), Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if telling.is_set():  # nothing can be printed in the middle of what is being printed
            again.set()
            return
        if stopped.is_set():
            end()
        stopped.set()
        telling.set()
        tell("stopping: devices under way are finished, no other is begun; Ctrl-C once more breaks off")
        telling.clear()
        if again.is_set():
            end()

    def end() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            break_off()
            tell("stopped")
            sys.stdout.flush()
        finally:
            os._exit(INTERRUPTED)

    terminals = [number for number in (1, 2) if os.isatty(number)]

    def wind_up(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _say_no_more(terminals)
        stopped.set()
        tell("told to end: devices under way are finished, no other is begun")

    ways: dict[int, Callable[[int, FrameType | None], None]] = {signal.SIGINT: stop, signal.SIGTERM: wind_up, signal.SIGHUP: wind_up}
    # Under nohup a hang-up is nobody's business.
    before = {number: signal.getsignal(number) for number in ways if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, ways[number])
    try:
        yield stopped.is_set
    finally:
        for number, way in before.items():
            signal.signal(number, way)


@contextmanager
def ending_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a block as Ctrl-C does: what it has opened is shut on the way out."""
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def end(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _say_no_more(terminals)
        for told in before:
            signal.signal(told, signal.SIG_IGN)  # once is enough: what is being shut is not interrupted again
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    before = {number: way for number, way in before.items() if way is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, way in before.items():
            signal.signal(number, way)


def _say_no_more(terminals: Sequence[int]) -> None:
    """Let what is still printed to a terminal that is gone go nowhere: it would end the run. Files are written all the same."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in terminals:
        os.dup2(nowhere, number)
    os.close(nowhere)
