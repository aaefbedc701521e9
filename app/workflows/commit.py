"""Change one device: push, prove, save; and when something breaks, leave it in a state that can be told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from app.core.commands import Command, mask_secrets
from app.core.cutoff import renames_isis
from app.core.dialects import can_revert
from app.core.intent import DeviceIntent
from app.errors import AS_BEFORE, NOT_KNOWN, CommitRefused, ConnectFailed, DeviceError, ExitCode, LoginRefused, RenderError, counted
from app.workflows.diff import DeviceRow, Difference, Progress, compare
from app.workflows.guards import require_harmless
from app.workflows.hosts import DeviceSession, Gateway
from app.workflows.way_back import LOOK_AGAIN_S, Change, Standing, look, take_back, unknown

#: Takes a device and its running configuration, secrets masked, before anything is pushed to it.
RecordBackup = Callable[[str, str], None]

#: Seconds after which a change on trial returns by itself: enough to read back the longest configuration and to log in anew.
TRIAL_S = 300
#: Seconds that routing may take to find the ways behind a changed device again.
BEHIND_S = 20.0
#: So many devices behind each are looked at.
BEHIND = 3
#: What becomes of a trial that nobody confirmed.
RETURNS = f"Unless it was confirmed, what is in force returns by itself within {TRIAL_S} s; look then with waiwang diff."
#: Said of a device whose session broke off, and that is as intended all the same.
AFTER_ALL = "The session broke off while it was changed; asked again, the whole change was in force, and it was proven and saved."
#: What is to be done after a device refused a line.
CORRECT = "Correct the template or the workspace, then deploy again."


@dataclass(frozen=True, slots=True)
class Means:
    """What every device of one run is changed by. `unsafe` names families that may be changed though nothing takes it back.

    `targets`: what the differences call a device's text, by its name, where it is not the intended one.
    `below`: some devices that are reached over a device, by its name: those that answer before a change have to answer after it.
    """

    texts: Mapping[str, str]
    gateway: Gateway
    record_backup: RecordBackup
    unsafe: Collection[str]
    progress: Progress
    below: Mapping[str, Sequence[DeviceIntent]] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)


def commit_device(means: Means, intent: DeviceIntent, session: DeviceSession, difference: Difference, row: DeviceRow) -> DeviceRow:
    """Push the patch of `row`, prove that it took and that the device can still be logged in to, save.

    A device that is as intended already is saved all the same: an earlier run may have pushed and not come as far as saving, and
    what is saved cannot be read from every family.

    Raises:
        CommitRefused: a guard of ours, or the device, said no; the message says what is in force.
        DeviceError: something broke; the message says what is in force.
    """
    name = intent.hostname
    if not difference.commands:
        _save(means, name, session)
        return row
    require_harmless(intent, session.address, difference.running, difference.commands)
    means.progress(name, "backing up")
    means.record_backup(name, mask_secrets(difference.running))
    behind = _answering(means, means.below.get(name, ()))
    change = Change(
        means.gateway, intent, difference.running, len(difference.commands), partial(_require_ways, means, intent, behind, difference)
    )
    means.progress(name, "pushing")
    with ExitStack() as opened:
        proven = session
        if not (can_revert(intent.family) and _tried(means, change, session, difference.commands)):
            proven = _pushed_for_good(means, change, session, difference.commands, opened)
        _save(means, name, proven)
    return replace(row, result="deployed", reason="" if proven is session else AFTER_ALL, exit_code=ExitCode.OK)


def _answering(means: Means, devices: Sequence[DeviceIntent]) -> list[DeviceIntent]:
    """Return which of these devices answer now; in a first rollout none does, so they are asked at the same time."""
    if not devices:
        return []
    with ThreadPoolExecutor(len(devices)) as pool:
        answers = pool.map(lambda device: means.gateway.answers(device, 0.0), devices)
        return [device for device, answer in zip(devices, answers, strict=True) if answer]


def _save(means: Means, name: str, session: DeviceSession) -> None:
    means.progress(name, "saving")
    try:
        session.save()
    except DeviceError as error:
        raise _with_step(error, f"The intended configuration is in force and not saved: a restart of {name} loses it.") from None


def refuse_unsafe(means: Means, intent: DeviceIntent) -> None:
    """Raise CommitRefused where a change would reach a device outside lab and loopback that cannot take it back by itself."""
    if not _may_stay_changed(means, intent) and not can_revert(intent.family):
        raise _unsafe(intent, f"family {intent.family} cannot revert a change by itself")


def _may_stay_changed(means: Means, intent: DeviceIntent) -> bool:
    """Tell whether a change may be made that nothing takes back: in lab and demo, or where the operator accepts the risk."""
    return means.gateway.is_practice(intent) or intent.family in means.unsafe


def _pushed_for_good(
    means: Means, change: Change, session: DeviceSession, commands: Sequence[Command], opened: ExitStack
) -> DeviceSession:
    """Push line by line to a device that takes nothing back by itself, and prove the change; return the session to save over.

    Whoever logs in anew is asked before anything is saved: the session that is open already would outlive a filter that lets nobody
    else in, and through it the change is taken back. So it is after a line that is refused, or does not take.
    """
    name = change.intent.hostname
    try:
        session.push(commands)
    except CommitRefused as error:
        raise _given_up(error, _back(means, change, session), CORRECT) from None
    except DeviceError as error:
        session.close()
        session = _asked_again(means, change, error, opened)
    means.progress(name, "checking")
    try:
        require_taken(means, change.intent, session)
        change.prove()
    except DeviceError as error:
        raise _given_up(error, _back(means, _unproven(change, error), session), error.next_step) from None
    return session


def _back(means: Means, change: Change, session: DeviceSession | None, *, anew: bool = False) -> Standing:
    means.progress(change.intent.hostname, "taking back")
    return take_back(change, session, anew=anew)


def _unproven(change: Change, error: DeviceError) -> Change:
    """Return the change without another login, where one was refused: devices lock accounts."""
    return replace(change, prove=_nothing_more) if isinstance(error, LoginRefused) else change


def _nothing_more() -> None:
    """Prove nothing more."""


def _asked_again(means: Means, change: Change, error: DeviceError, opened: ExitStack) -> DeviceSession:
    """Return a new session with a device whose session broke off, where the whole change is in force all the same.

    Raises:
        DeviceError: it does not answer; or a part was in force, and was taken back.
    """
    means.progress(change.intent.hostname, "looking again")
    try:
        session = means.gateway.connect(change.intent, LOOK_AGAIN_S)
    except DeviceError as fault:
        raise _given_up(error, unknown(change, fault)) from None
    opened.callback(session.close)
    try:
        if not compare(session, change.intent, means.texts[change.intent.hostname]).commands:
            return session
    except (DeviceError, RenderError):
        raise _given_up(error, _back(means, change, None)) from None
    raise _given_up(error, _back(means, change, session, anew=True))


def _require_ways(means: Means, intent: DeviceIntent, behind: Sequence[DeviceIntent], difference: Difference) -> None:
    """Log in anew, at once unless the way in goes by a changed name, and see that something of what answered behind still does.

    Raises:
        DeviceError: nobody is let in, or the change cut off what lies behind it.
    """
    means.gateway.connect(intent, BEHIND_S if renames_isis(difference.commands) else 0.0).close()
    waits = [BEHIND_S, *[0.0] * len(behind)][: len(behind)]  # the first is waited for; by then routing has found every way
    if behind and not any(means.gateway.answers(child, wait_s) for child, wait_s in zip(behind, waits, strict=True)):
        names = ", ".join(child.hostname for child in behind)
        raise ConnectFailed(
            intent.hostname,
            "reach what lies behind it",
            expected=f"an answer of {names}, as before the change",
            found="none",
            next_step="Look at its ports and routes towards them.",
        )


def _tried(means: Means, change: Change, session: DeviceSession, commands: Sequence[Command]) -> bool:
    """Push on trial, prove the change from a session of its own too, confirm it. Return False where the device has no trial now
    and a change without one is allowed; nothing was pushed then.
    """
    intent = change.intent
    try:
        begun = session.push_on_trial(commands, TRIAL_S)
    except CommitRefused as error:
        raise _given_up(error, _back(means, change, session), CORRECT) from None
    except DeviceError as error:
        session.close()
        raise _given_up(error, _looked_at(means, change)) from None
    if not begun:
        if _may_stay_changed(means, intent):
            return False
        raise _unsafe(intent, "it has nothing to return to (IOS: `archive` with a `path`)")
    means.progress(intent.hostname, "checking")
    try:
        require_taken(means, intent, session)
        change.prove()
    except DeviceError as error:
        raise _given_up(error, _abandoned(means, _unproven(change, error), session), error.next_step) from None
    _confirm(means, change, session)
    return True


def _confirm(means: Means, change: Change, session: DeviceSession) -> None:
    """Let the change stay, and look once more: VRP8 says nothing to a confirmation that comes when the time is over."""
    try:
        session.confirm()
    except CommitRefused as error:
        raise _given_up(error, _back(means, change, session)) from None
    except DeviceError as error:
        session.close()
        raise _given_up(error, _looked_at(means, change)) from None
    try:
        require_taken(means, change.intent, session, "The time was over before it was confirmed, and nothing is saved.")
    except DeviceError as error:
        raise _given_up(error, _back(means, change, session), error.next_step) from None


def _abandoned(means: Means, change: Change, session: DeviceSession) -> Standing:
    """Take back at once what was pushed on trial, and see that it is gone."""
    try:
        session.abandon()
    except DeviceError:
        return _looked_at(means, change)
    return _back(means, change, session)


def _looked_at(means: Means, change: Change) -> Standing:
    """Return what a device runs whose session broke off during a trial. IOS lets any session take it back at once, VRP8 only its own."""
    means.progress(change.intent.hostname, "looking again")
    try:
        session = means.gateway.connect(change.intent, LOOK_AGAIN_S)
    except DeviceError as error:
        return Standing(f"It could not be asked again ({error}) {RETURNS}", NOT_KNOWN)
    try:
        with suppress(DeviceError):
            session.abandon()
        return look(change, session, RETURNS)
    finally:
        session.close()


def require_taken(means: Means, intent: DeviceIntent, session: DeviceSession, state: str = "") -> None:
    """Read back what was pushed. Raises DeviceError where anything differs still; `state` says what becomes of it."""
    try:
        left = compare(session, intent, means.texts[intent.hostname])
    except RenderError as error:
        what, found = "compare what was pushed", str(error)
        raise DeviceError(intent.hostname, what, expected="two configurations", found=found, next_step=state) from None
    if left.commands:
        raise _differs_still(intent.hostname, left, state)


def _given_up(error: DeviceError, standing: Standing, step: str = "") -> DeviceError:
    """Return the error that ended a change with what the device runs now, and the next step where it runs what it ran before."""
    told = f"{standing.told} {step}".strip() if standing.stands == AS_BEFORE else standing.told
    return type(error)(
        error.device,
        error.what,
        expected=error.expected,
        found=error.found,
        next_step=told,
        stands=standing.stands,
        in_force=standing.in_force,
    )


def _with_step(error: DeviceError, more: str) -> DeviceError:
    """Return the error with what else there is to say of the device's state."""
    told = f"{error.next_step} {more}"
    return type(error)(error.device, error.what, expected=error.expected, found=error.found, next_step=told)


def _unsafe(intent: DeviceIntent, why: str) -> CommitRefused:
    return CommitRefused(
        intent.hostname,
        "deploy with --commit",
        expected="a device of the lab or on loopback",
        found=f"{', '.join(map(str, intent.contacts)) or 'no address'}, and {why}",
        next_step=f"Nothing was sent. Read the patch without --commit; to accept the risk, add --unsafe {intent.family}.",
    )


def _differs_still(name: str, left: Difference, state: str) -> DeviceError:
    return DeviceError(
        name,
        "read back what was pushed",
        expected="no difference",
        found=f"{counted(left.changed, 'line')} that {'differs' if left.changed == 1 else 'differ'} still, first {left.commands[0].text!r}",
        next_step=f"{state} Look at waiwang diff and correct the template.".strip(),
    )
