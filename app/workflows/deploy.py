"""Deploy: show the patch of every device; on commit, push it root first, prove it, save it. One bad device hides no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from nornir.core import Nornir
from nornir.core.task import Result, Task

from app.core.commands import is_frr, mask_secrets, secret_names
from app.core.cutoff import find_cutoffs, find_ended_routing, management_path
from app.core.dialects import can_revert
from app.core.intent import DeviceIntent
from app.errors import CommitRefused, DeviceError, ExitCode, WaiwangError, counted, worst
from app.workflows.diff import (
    RESULTS,
    DeviceRow,
    Difference,
    Progress,
    Timer,
    compare,
    difference_row,
    exit_code,
    failure_row,
    ordered,
    refuse_illustration,
    run_rows,
    silent,
    with_seconds,
)
from app.workflows.hosts import DeviceSession, Gateway

#: Takes a device and its running configuration, secrets masked, before anything is pushed to it.
RecordBackup = Callable[[str, str], None]

#: Takes the row of a device as soon as it is final, from a worker thread.
RecordRow = Callable[[DeviceRow], None]

#: Seconds after which a change on trial returns by itself: enough to read back the longest configuration and to log in anew.
TRIAL_S = 300

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
        """Return the number of devices by result, zeros left out."""
        counted = Counter(row.result for row in self.rows)
        return {result: counted[result] for result in RESULTS if counted[result]}


@dataclass(frozen=True, slots=True)
class _Job:
    """What every device of one run is deployed by."""

    intents: Mapping[str, DeviceIntent]
    texts: Mapping[str, str]
    gateway: Gateway
    record_backup: RecordBackup
    unsafe: Collection[str]
    progress: Progress
    record_row: RecordRow
    is_stopped: Callable[[], bool]
    commit: bool
    target: str


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
    target: str = "intended",
) -> DeployReport:
    """Bring the selected devices to their intended texts, one depth after the other, or show what that would take.

    Root first, as lines are being built; `leaf_first` for a change that takes ways away: whoever is changed is then reached
    over devices that still have them. `target` says in the differences what the texts are.

    `wait_s` is how long a device that answers nowhere yet is waited for, once something above it was deployed in this run:
    the lines to it are only just being built. Families that can are changed on trial: the device returns by itself unless the
    change is read back, the device can be logged in to anew, and it is confirmed. `unsafe` names families that `commit` may reach
    outside lab and loopback, though nothing reverts a change that cuts them off. A device whose new configuration differs from the shown
    one is not saved. Once `is_stopped` says so, devices under way are finished and no other is begun.

    Raises:
        InputError: the plan is an illustration, or a secret that a text refers to is not set; no device was contacted.
    """
    refuse_illustration("deploy", illustration=gateway.illustration)
    chosen = {name: intents[name] for name in nornir.inventory.hosts}
    gateway.require_secrets(name for device in chosen for name in secret_names(texts[device]))
    job = _Job(intents, texts, gateway, record_backup, unsafe, progress, record_row, is_stopped, commit, target)
    rows: dict[str, DeviceRow] = {}
    for wave in waves(chosen, leaf_first=leaf_first):
        patience = wait_s if any(row.result == "deployed" for row in rows.values()) else 0.0
        part = nornir.filter(filter_func=lambda host, wave=wave: host.name in wave)
        rows |= {row.device: row for row in run_rows(part, _task(job, dict(rows), patience), intents)}
    return DeployReport(tuple(ordered(rows.values())), commit)


def find_parent(intent: DeviceIntent) -> str | None:
    """Return the device at the far end of the uplink, None for the root."""
    return next((interface.far_device for interface in intent.interfaces if interface.name == intent.uplink), None)


def waves(intents: Mapping[str, DeviceIntent], *, leaf_first: bool = False) -> Iterator[frozenset[str]]:
    """Yield the devices of each depth, root first or leaf first."""
    by_depth = sorted(intents, key=lambda name: intents[name].depth, reverse=leaf_first)
    for _, names in groupby(by_depth, key=lambda name: intents[name].depth):
        yield frozenset(names)


def _task(job: _Job, above: Mapping[str, DeviceRow], patience: float) -> Callable[[Task], Result]:
    def deploy_one(task: Task) -> Result:
        intent = job.intents[task.host.name]
        timer = Timer()
        parent = above.get(find_parent(intent) or "")
        lost = parent is not None and parent.result in _LOST
        if job.is_stopped():
            return Result(task.host, result=_not_begun(intent))
        try:
            row = _deploy_one(job, intent, 0.0 if lost else patience)
        except WaiwangError as error:
            row = failure_row(intent, error)
        if lost and parent is not None and row.result == "unreachable":
            row = replace(row, reason=f"behind {parent.device}, which is {parent.result}. {row.reason}")
        row = with_seconds(row, timer)
        try:
            job.record_row(row)
        except WaiwangError as error:
            reason = f"{row.reason} This is not recorded: {error}".strip()
            row = replace(row, reason=reason, exit_code=worst((row.exit_code, error.exit_code)))
        job.progress(intent.hostname, row.result)
        return Result(task.host, result=row)

    return deploy_one


def _not_begun(intent: DeviceIntent) -> DeviceRow:
    reason = "stopped by the operator before this device; run the command again to go on"
    return DeviceRow(intent.hostname, intent.depth, "not_begun", reason=reason, exit_code=ExitCode.DEVICE)


def _deploy_one(job: _Job, intent: DeviceIntent, wait_s: float) -> DeviceRow:
    if job.commit and not _may_stay_changed(job, intent) and not can_revert(intent.family):
        raise _unsafe(intent, f"family {intent.family} cannot revert a change by itself")
    job.progress(intent.hostname, "connecting")
    session = job.gateway.connect(intent, wait_s)
    try:
        job.progress(intent.hostname, "reading")
        difference = compare(session, intent, job.texts[intent.hostname], job.target)
        row = difference_row(intent, difference, session.address)
        if not job.commit:
            return row
        try:
            return _commit(job, intent, session, difference, row)
        except WaiwangError as error:
            failed = failure_row(intent, error, address=session.address)
            return replace(failed, diff=row.diff, commands=row.commands, changed=row.changed)
    finally:
        session.close()


def _commit(job: _Job, intent: DeviceIntent, session: DeviceSession, difference: Difference, row: DeviceRow) -> DeviceRow:
    """Push the patch of `row`, prove that it took, save. A device that is as intended already is saved all the same:

    an earlier run may have pushed and not come as far as saving, and what is saved cannot be read from every family.
    """
    name = intent.hostname
    if not difference.commands:
        job.progress(name, "saving")
        session.save()
        return row
    renaming = [command.text for command in difference.commands if command.text.startswith("hostname ")]
    if renaming and is_frr(intent.family):
        raise _other_name(name, renaming[0])
    cuts = find_cutoffs(intent.family, difference.running, difference.commands, management_path(intent, session.address))
    if cuts:
        raise _cuts_off(name, cuts)
    if ended := find_ended_routing(intent.family, difference.commands):
        raise _ends_routing(name, ended)
    job.progress(name, "backing up")
    job.record_backup(name, mask_secrets(difference.running))
    job.progress(name, "pushing")
    if not (can_revert(intent.family) and _tried(job, intent, session, difference)):
        session.push(difference.commands)
        job.progress(name, "checking")
        _require_taken(job, intent, session, "It is not saved: a restart of the device returns to the saved one.")
    job.progress(name, "saving")
    session.save()
    return replace(row, result="deployed", exit_code=ExitCode.OK)


def _may_stay_changed(job: _Job, intent: DeviceIntent) -> bool:
    """Tell whether a change may be made that nothing takes back: in lab and demo, or where the operator accepts the risk."""
    return job.gateway.is_practice(intent) or intent.family in job.unsafe


def _tried(job: _Job, intent: DeviceIntent, session: DeviceSession, difference: Difference) -> bool:
    """Push on trial, prove the change from a session of its own too, confirm it. Return False where the device has no trial now
    and a change without one is allowed; nothing was pushed then.
    """
    name = intent.hostname
    if not session.push_on_trial(difference.commands, TRIAL_S):
        if _may_stay_changed(job, intent):
            return False
        raise _unsafe(intent, "it has nothing to return to (IOS: `archive` with a `path`)")
    job.progress(name, "checking")
    try:
        _require_taken(job, intent, session, "It is taken back.")
        job.gateway.connect(intent, 0.0).close()
    except WaiwangError:
        session.abandon()
        raise
    session.confirm()
    # A device whose time was over says nothing to a late confirmation (VRP8): look once more.
    _require_taken(job, intent, session, "The time was over before it was confirmed, and nothing is saved.")
    return True


def _require_taken(job: _Job, intent: DeviceIntent, session: DeviceSession, state: str) -> None:
    """Read back what was pushed. Raises DeviceError where anything differs still; `state` says what becomes of it."""
    left = compare(session, intent, job.texts[intent.hostname])
    if left.commands:
        raise _differs_still(intent.hostname, left, state)


def _unsafe(intent: DeviceIntent, why: str) -> CommitRefused:
    return CommitRefused(
        intent.hostname,
        "deploy with --commit",
        expected="a device of the lab or on loopback",
        found=f"{', '.join(map(str, intent.contacts)) or 'no address'}, and {why}",
        next_step=f"Nothing was sent. Read the patch without --commit; to accept the risk, add --unsafe {intent.family}.",
    )


def _other_name(name: str, renaming: str) -> CommitRefused:
    """FRR's daemons take their name from the system; vtysh accepts `hostname` and changes its own prompt alone."""
    return CommitRefused(
        name,
        "push the patch",
        expected=f"a device that calls itself {name}",
        found=f"another one: the patch begins with {renaming!r}",
        next_step="Nothing was pushed. Make sure that this is the right device, then set its host name in its system.",
    )


def _cuts_off(name: str, cuts: tuple[str, ...]) -> CommitRefused:
    return CommitRefused(
        name,
        "push the patch",
        expected="a patch that leaves the way from the centre standing",
        found="; ".join(cuts),
        next_step="Nothing was pushed. Add the new way first and remove the old one in a later run, or make this change at the device.",
    )


def _ends_routing(name: str, ended: tuple[str, ...]) -> CommitRefused:
    return CommitRefused(
        name,
        "push the patch",
        expected="a patch that keeps the routing process",
        found=f"{', '.join(ended)}, which the device asks about",
        next_step="Nothing was pushed. Read the patch without --commit and type it at the console.",
    )


def _differs_still(name: str, left: Difference, state: str) -> DeviceError:
    return DeviceError(
        name,
        "read back what was pushed",
        expected="no difference",
        found=f"{counted(left.changed, 'line')} that {'differs' if left.changed == 1 else 'differ'} still, first {left.commands[0].text!r}",
        next_step=f"{state} Look at waiwang diff and correct the template.",
    )
