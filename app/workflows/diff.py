"""Diff: what devices run against what they should. One failing device is a row among the others."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from nornir.core import Nornir
from nornir.core.task import MultiResult, Result, Task

from app.core.commands import Command, mask_secrets, strip_noise
from app.core.intent import DeviceIntent
from app.edge.patch import count_changes, patch, unified_diff
from app.errors import (
    HALF_CHANGED,
    NOT_KNOWN,
    CommitRefused,
    ConnectFailed,
    DeviceError,
    ExitCode,
    Finding,
    InputError,
    LoginRefused,
    UnsafeRoute,
    WaiwangError,
    worst,
)
from app.workflows.hosts import DeviceSession, Gateway

#: Result of one device. `refused`: by the device or by our own guards; `failed`: anything after a session was open;
#: `not_begun`: the run was stopped before it.
RESULTS = ("unchanged", "pending", "deployed", "unreachable", "login_refused", "refused", "failed", "not_begun")

#: What a device may be left as by a change that was given up, where it is not as it was: these are counted beside the results.
UNSETTLED = (HALF_CHANGED, NOT_KNOWN)

#: What the differences call a device's text.
INTENDED = "intended"

#: Called from worker threads with a device and its step: connecting, reading, backing up, pushing, checking, saving, or a result.
Progress = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """What happened to one device. `commands` is the very patch that was shown or pushed; `diff` the same as unified diff.

    `changed` counts lines added and removed; `seconds` is the time from the first packet to the end. Secrets are masked.
    `digest` stands for the configuration that was found, SHA-256 over what it says with secrets masked.
    `stands`: what a change that was given up has left, as in DeviceError; `in_force`: the lines (`+`, `-`) that
    separate a half-changed device from what it ran before.
    """

    device: str
    depth: int
    result: str
    reason: str = ""
    changed: int = 0
    seconds: float = 0.0
    diff: str = ""
    commands: tuple[Command, ...] = ()
    address: IPv4Address | None = None
    exit_code: ExitCode = ExitCode.OK
    digest: str = ""
    stands: str = ""
    in_force: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """The running configuration of a device as fetched, and the patch from it to the intended one."""

    running: str
    commands: tuple[Command, ...]
    diff: str

    @property
    def changed(self) -> int:
        return count_changes(self.diff)


@dataclass(slots=True)
class Timer:
    """Seconds since it was made."""

    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.started, 2)


def silent(device: str, step: str) -> None:
    """Show no progress."""


def diff(
    nornir: Nornir, intents: Mapping[str, DeviceIntent], texts: Mapping[str, str], gateway: Gateway, *, progress: Progress = silent
) -> list[DeviceRow]:
    """Compare every selected device with its intended text; rows in order of depth. Nothing is written.

    Raises:
        InputError: the plan is an illustration; no device was contacted.
    """
    refuse_illustration("diff", illustration=gateway.illustration)

    def compare_one(task: Task) -> Result:
        name = task.host.name
        timer = Timer()
        try:
            row = _look(intents[name], texts[name], gateway, progress)
        except WaiwangError as error:
            row = failure_row(intents[name], error)
        progress(name, row.result)
        return Result(task.host, result=with_seconds(row, timer))

    return ordered(run_rows(nornir, compare_one, intents))


def compare(session: DeviceSession, intent: DeviceIntent, text: str, target: str = INTENDED) -> Difference:
    """Fetch the running configuration and return what separates it from the text, which is the device's `target`.

    Raises:
        DeviceError: it could not be read.
        RenderError: the intended text is no configuration of the family.
    """
    running = session.running()
    shown = unified_diff(intent.family, running, text, intent.hostname, target)
    return Difference(running, patch(intent.family, running, text), shown)


def exit_code(rows: Sequence[DeviceRow]) -> ExitCode:
    """Return what a process answers for these rows; no row at all means that nothing was measured."""
    return worst(row.exit_code for row in rows) if rows else ExitCode.NOTHING_MEASURED


def counted_rows(rows: Sequence[DeviceRow]) -> dict[str, int]:
    """Return the number of devices by result, then of those that a given-up change has left neither as intended nor as before."""
    counted = Counter(row.result for row in rows) | Counter(row.stands for row in rows if row.stands in UNSETTLED)
    return {word: counted[word] for word in (*RESULTS, *UNSETTLED) if counted[word]}


def refuse_illustration(verb: str, *, illustration: bool) -> None:
    """Raise InputError where the plan's numbers were made up: they may be somebody else's."""
    if illustration:
        step = f"Nothing was sent. Enter the assigned ranges, or run waiwang {verb} in the lab's workspace."
        raise InputError([Finding("ipplan/plan.yaml", f"plan to {verb} with", "illustration: false", "illustration: true", step)])


def run_rows(nornir: Nornir, task: Callable[[Task], Result], intents: Mapping[str, DeviceIntent]) -> list[DeviceRow]:
    """Run a task that returns a row on every host; an unforeseen fault becomes a row with the exit code of one."""
    outcome = nornir.run(task=task, on_failed=True)
    return [row_of_fault(intents[name], results) for name, results in outcome.items()]


def failure_row(intent: DeviceIntent, error: WaiwangError, *, address: IPv4Address | None = None) -> DeviceRow:
    """Return the row of a device that one of our errors ended."""
    result = next((result for kind, result in _RESULT_OF.items() if isinstance(error, kind)), "failed")
    stands, in_force = (error.stands, error.in_force) if isinstance(error, DeviceError) else ("", ())
    return DeviceRow(
        intent.hostname,
        intent.depth,
        result,
        reason=str(error),
        address=address,
        exit_code=error.exit_code,
        stands=stands,
        in_force=in_force,
    )


def ordered(rows: Iterable[DeviceRow]) -> list[DeviceRow]:
    """Return the rows root first, each depth by name."""
    return sorted(rows, key=lambda row: (row.depth, row.device))


def with_seconds(row: DeviceRow, timer: Timer) -> DeviceRow:
    """Return the row with the time that it took."""
    return replace(row, seconds=timer.seconds)


def _look(intent: DeviceIntent, text: str, gateway: Gateway, progress: Progress) -> DeviceRow:
    progress(intent.hostname, "connecting")
    session = gateway.connect(intent, 0.0)
    try:
        progress(intent.hostname, "reading")
        difference = compare(session, intent, text)
    finally:
        session.close()
    return difference_row(intent, difference, session.address)


def difference_row(intent: DeviceIntent, difference: Difference, address: IPv4Address) -> DeviceRow:
    """Return the row of a device that was read and not written to."""
    pending = bool(difference.commands)
    return DeviceRow(
        intent.hostname,
        intent.depth,
        "pending" if pending else "unchanged",
        changed=difference.changed,
        diff=difference.diff,
        commands=difference.commands,
        address=address,
        exit_code=ExitCode.PENDING if pending else ExitCode.OK,
        digest=running_digest(intent.family, difference.running),
    )


def running_digest(family: str, running: str) -> str:
    """Return what stands for a running configuration: SHA-256 over its lines, secrets masked, without what only says when it was shown."""
    lines = (line.rstrip() for line in mask_secrets(strip_noise(family, running)).splitlines())
    return hashlib.sha256("\n".join(line for line in lines if line).encode()).hexdigest()


def row_of_fault(intent: DeviceIntent, results: MultiResult) -> DeviceRow:
    """Return the row that a task returned, or one for the fault that ended it."""
    row = results[0].result
    if isinstance(row, DeviceRow):
        return row
    fault = results[0].exception
    reason = f"internal fault: {type(fault).__name__}: {fault}. Report it with this line; look at the device with waiwang diff."
    return DeviceRow(intent.hostname, intent.depth, "failed", reason=reason, exit_code=ExitCode.INTERNAL)


_RESULT_OF: Mapping[type[WaiwangError], str] = {
    ConnectFailed: "unreachable",
    LoginRefused: "login_refused",
    CommitRefused: "refused",
    UnsafeRoute: "refused",
}
