"""Deploy: show the patch of every device; on commit, push it root first, prove it, save it. One bad device hides no other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from nornir.core import Nornir
from nornir.core.inventory import Hosts
from nornir.core.task import Result, Task

from app.core.commands import secret_names
from app.core.intent import DeviceIntent
from app.core.pacing import CANARY_ROUNDS, NO_LIMITS, Pace, first_of_each, spread
from app.errors import ExitCode, WaiwangError, worst
from app.workflows.commit import BEHIND, Means, RecordBackup, commit_device, refuse_unsafe
from app.workflows.diff import (
    INTENDED,
    DeviceRow,
    Progress,
    Timer,
    compare,
    counted_rows,
    difference_row,
    exit_code,
    failure_row,
    ordered,
    refuse_illustration,
    run_rows,
    silent,
    with_seconds,
)
from app.workflows.hosts import Gateway
from app.workflows.pacing import Brake, went_wrong
from app.workflows.shown import Shown, require_as_shown

#: Takes the row of a device as soon as it is final, from a worker thread.
RecordRow = Callable[[DeviceRow], None]

#: A child of one of these is tried once, without waiting for it.
_LOST = ("unreachable", "login_refused", "refused", "failed")


@dataclass(frozen=True, slots=True)
class DeployReport:
    """Rows in order of depth. Without `committed` nothing was written to any device."""

    rows: tuple[DeviceRow, ...]
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        """OK when every device is as intended, PENDING while a patch waits for --commit, DEVICE when a device failed."""
        return exit_code(self.rows)

    def totals(self) -> dict[str, int]:
        """Return the number of devices by result, and of those left half changed, zeros left out."""
        return counted_rows(self.rows)


@dataclass(frozen=True, slots=True)
class _Job:
    """What every device of one run is deployed by."""

    intents: Mapping[str, DeviceIntent]
    means: Means
    brake: Brake
    record_row: RecordRow
    commit: bool
    shown: Mapping[str, Shown] | None


def _forget(row: DeviceRow) -> None:
    """Keep no row: the report holds them all."""


def _never() -> bool:
    return False


def deploy(
    nornir: Nornir,
    intents: Mapping[str, DeviceIntent],
    texts: Mapping[str, str],
    gateway: Gateway,
    *,
    commit: bool,
    record_backup: RecordBackup,
    wait_s: float = 30.0,
    unsafe: Collection[str] = (),
    progress: Progress = silent,
    record_row: RecordRow = _forget,
    is_stopped: Callable[[], bool] = _never,
    leaf_first: bool = False,
    pace: Pace = NO_LIMITS,
    clock: Callable[[], datetime] | None = None,
    shown: Mapping[str, Shown] | None = None,
    targets: Mapping[str, str] | None = None,
) -> DeployReport:
    """Bring the selected devices to their intended texts, one depth after the other, or show what that would take.

    Root first, as lines are being built; `leaf_first` for a change that takes ways away: whoever is changed is then reached
    over devices that still have them. `targets` says in the differences what a device's text is, where it is not the intended one.

    `wait_s` is how long a device that answers nowhere yet is waited for, once something above it was deployed in this run:
    the lines to it are only just being built. Families that can are changed on trial: the device returns by itself unless the
    change is read back, the device can be logged in to anew, and it is confirmed. `unsafe` names families that `commit` may reach
    outside lab and loopback, though nothing reverts a change that cuts them off. A device whose new configuration differs from the shown
    one, or that nobody can log in to any more, is not saved. Once `is_stopped` says so, or `pace` does by `clock`, devices under way are
    finished and no other is begun. With `shown`, a device is changed only where it runs what it ran then and the patch is the same.

    Raises:
        InputError: the plan is an illustration, or a secret that a text refers to is not set; no device was contacted.
    """
    refuse_illustration("deploy", illustration=gateway.illustration)
    chosen = {name: intents[name] for name in nornir.inventory.hosts}
    gateway.require_secrets(name for device in chosen for name in secret_names(texts[device]))
    brake = Brake(pace if commit else NO_LIMITS, is_stopped, clock)
    means = Means(texts, gateway, record_backup, unsafe, progress, _below(intents) if commit else {}, targets or {})
    job = _Job(intents, means, brake, record_row, commit, shown)
    rows: dict[str, DeviceRow] = {}
    for wave in waves(chosen, leaf_first=leaf_first):
        patience = wait_s if any(row.result == "deployed" for row in rows.values()) else 0.0
        names = spread((name for name in chosen if name in wave), lambda name: find_parent(intents[name]))
        names = _try_first(nornir, job, names, rows, pace.canary if commit else 0, patience)
        _run(nornir, job, names, rows, patience)
    return DeployReport(tuple(ordered(rows.values())), commit)


def _run(nornir: Nornir, job: _Job, names: Iterable[str], rows: dict[str, DeviceRow], patience: float) -> None:
    """Deploy these devices and add their rows; they are begun in this order."""
    wanted = list(names)
    part = nornir.filter(filter_func=lambda host: host.name in set(wanted))
    part.inventory.hosts = Hosts({name: part.inventory.hosts[name] for name in wanted})
    rows |= {row.device: row for row in run_rows(part, _task(job, dict(rows), patience), job.intents)}


def _try_first(nornir: Nornir, job: _Job, names: list[str], rows: dict[str, DeviceRow], canary: int, patience: float) -> list[str]:
    """Change the first ones of every kind, look what became of them, and return the devices that may follow.

    A kind whose first ones go wrong is not gone on with. First ones that need no change or are out of reach prove nothing: others of their
    kind are taken, a few times.
    """

    def kind(name: str) -> tuple[str, str]:
        return job.intents[name].role, job.intents[name].family

    unproven = {kind(name) for name in names} if canary else set()
    for _ in range(CANARY_ROUNDS):
        first = list(first_of_each([name for name in names if kind(name) in unproven], kind, canary))
        if len(first) == len(names) or not first:
            return names
        _run(nornir, job, first, rows, patience)
        names = [name for name in names if name not in first]
        bad = {kind(name): rows[name] for name in first if went_wrong(rows[name])}
        for name in [name for name in names if kind(name) in bad]:
            rows[name] = _kept_back(job, name, bad[kind(name)])
        names = [name for name in names if name not in rows]
        unproven -= {kind(name) for name in first if rows[name].result in ("deployed", "not_begun")} | set(bad)
    return names


def _kept_back(job: _Job, name: str, bad: DeviceRow) -> DeviceRow:
    """Return the row of a device whose kind went wrong before it was begun."""
    role, family = job.intents[name].role, job.intents[name].family
    reason = f"kept back: {bad.device}, the first {family} {role} of this run, is {bad.result}; mend that, then run the command again"
    row = _not_begun(job.intents[name], reason)
    job.means.progress(name, row.result)
    return _recorded(job, row)


def find_parent(intent: DeviceIntent) -> str | None:
    """Return the device at the far end of the uplink, None for the root."""
    return next((interface.far_device for interface in intent.interfaces if interface.name == intent.uplink), None)


def _below(intents: Mapping[str, DeviceIntent]) -> dict[str, list[DeviceIntent]]:
    """Return a few of the devices right behind each."""
    below: dict[str, list[DeviceIntent]] = {}
    for intent in intents.values():
        if (parent := find_parent(intent)) is not None and len(below.setdefault(parent, [])) < BEHIND:
            below[parent].append(intent)
    return below


def waves(intents: Mapping[str, DeviceIntent], *, leaf_first: bool = False) -> Iterator[frozenset[str]]:
    """Yield the devices of each depth, root first or leaf first."""
    by_depth = sorted(intents, key=lambda name: intents[name].depth, reverse=leaf_first)
    for _, names in groupby(by_depth, key=lambda name: intents[name].depth):
        yield frozenset(names)


def _task(job: _Job, above: Mapping[str, DeviceRow], patience: float) -> Callable[[Task], Result]:
    def deploy_one(task: Task) -> Result:
        intent = job.intents[task.host.name]
        parent = above.get(find_parent(intent) or "")
        facts = {**{key: str(value) for key, value in task.host.items()}, "parent": find_parent(intent) or ""}
        with job.brake.turn(facts):
            row = _row_of(job, intent, parent, patience)
        job.brake.count(row)
        row = _recorded(job, row)
        job.means.progress(intent.hostname, row.result)
        return Result(task.host, result=row)

    return deploy_one


def _row_of(job: _Job, intent: DeviceIntent, parent: DeviceRow | None, patience: float) -> DeviceRow:
    """Deploy one device; whatever goes wrong with it is its row."""
    timer = Timer()
    lost = parent is not None and parent.result in _LOST
    if halted := job.brake.reason():
        return _not_begun(intent, halted)
    try:
        row = _deploy_one(job, intent, 0.0 if lost else patience)
    except WaiwangError as error:
        row = failure_row(intent, error)
    if lost and parent is not None and row.result == "unreachable":
        row = replace(row, reason=f"behind {parent.device}, which is {parent.result}. {row.reason}")
    return with_seconds(row, timer)


def _recorded(job: _Job, row: DeviceRow) -> DeviceRow:
    """Record a final row, unless nothing was done; return it, saying so where that failed."""
    if row.result == "not_begun":
        return row
    try:
        job.record_row(row)
    except WaiwangError as error:
        reason = f"{row.reason} This is not recorded: {error}".strip()
        return replace(row, reason=reason, exit_code=worst((row.exit_code, error.exit_code)))
    return row


def _not_begun(intent: DeviceIntent, reason: str) -> DeviceRow:
    return DeviceRow(intent.hostname, intent.depth, "not_begun", reason=reason, exit_code=ExitCode.DEVICE)


def _deploy_one(job: _Job, intent: DeviceIntent, wait_s: float) -> DeviceRow:
    means = job.means
    if job.commit:
        refuse_unsafe(means, intent)
    means.progress(intent.hostname, "connecting")
    session = means.gateway.connect(intent, wait_s)
    try:
        means.progress(intent.hostname, "reading")
        name = intent.hostname
        difference = compare(session, intent, means.texts[name], means.targets.get(name, INTENDED))
        row = difference_row(intent, difference, session.address)
        if not job.commit:
            return row
        if difference.commands and not job.brake.may_change():
            return replace(row, reason="as many devices are changed in this run as were asked for; run the command again for the next ones")
        try:
            if job.shown is not None:
                require_as_shown(row, job.shown)
            return commit_device(means, intent, session, difference, row)
        except WaiwangError as error:
            failed = failure_row(intent, error, address=session.address)
            return replace(failed, diff=row.diff, commands=row.commands, changed=row.changed, digest=row.digest)
    finally:
        session.close()
