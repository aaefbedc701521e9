"""Change one device: push, prove, save; and when something breaks, leave it in a state that can be told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from app.core.commands import is_frr, mask_secrets, refer_secrets
from app.core.cutoff import find_cutoffs, find_ended_routing, management_path, renames_isis
from app.core.dialects import can_revert
from app.core.intent import DeviceIntent
from app.edge.patch import patch
from app.errors import CommitRefused, ConnectFailed, DeviceError, ExitCode, WaiwangError, counted
from app.workflows.diff import DeviceRow, Difference, Progress, compare
from app.workflows.hosts import DeviceSession, Gateway

#: Takes a device and its running configuration, secrets masked, before anything is pushed to it.
RecordBackup = Callable[[str, str], None]

#: Seconds after which a change on trial returns by itself: enough to read back the longest configuration and to log in anew.
TRIAL_S = 300
#: Seconds to wait for a device whose session broke off while it was being changed: its line may have flapped.
LOOK_AGAIN_S = 5.0
#: Seconds that routing may take to find the ways behind a changed device again.
BEHIND_S = 20.0
#: So many devices behind each are looked at.
BEHIND = 3
#: How a device is taken back, whoever comes to it.
WAYS_BACK = "It is not saved: a restart returns to what was saved; waiwang rollback {name} takes back what is in force."


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
    _require_harmless(intent, session, difference)
    means.progress(name, "backing up")
    means.record_backup(name, mask_secrets(difference.running))
    behind = _answering(means, means.below.get(name, ()))
    means.progress(name, "pushing")
    if not (can_revert(intent.family) and _tried(means, intent, session, difference, behind)):
        _push_for_good(means, intent, session, difference, behind)
    _save(means, name, session)
    return replace(row, result="deployed", exit_code=ExitCode.OK)


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


def _require_harmless(intent: DeviceIntent, session: DeviceSession, difference: Difference) -> None:
    """Refuse a patch that goes to another device, or that would end what the device is reached by."""
    name = intent.hostname
    renaming = [command.text for command in difference.commands if command.text.startswith("hostname ")]
    if renaming and is_frr(intent.family):
        raise _other_name(name, renaming[0])
    cuts = find_cutoffs(intent.family, difference.running, difference.commands, management_path(intent, session.address))
    if cuts:
        raise _cuts_off(name, cuts)
    if ended := find_ended_routing(intent.family, difference.commands):
        raise _ends_routing(name, ended)


def _may_stay_changed(means: Means, intent: DeviceIntent) -> bool:
    """Tell whether a change may be made that nothing takes back: in lab and demo, or where the operator accepts the risk."""
    return means.gateway.is_practice(intent) or intent.family in means.unsafe


def _push_for_good(
    means: Means, intent: DeviceIntent, session: DeviceSession, difference: Difference, behind: Sequence[DeviceIntent]
) -> None:
    """Push line by line to a device that takes nothing back by itself. Whoever logs in anew is asked before anything is saved:
    the session that is open already would outlive a filter that lets nobody else in, and through it the change is taken back.
    """
    name = intent.hostname
    try:
        session.push(difference.commands)
    except CommitRefused as error:
        raise _with_step(error, WAYS_BACK.format(name=name)) from None
    except DeviceError as error:
        raise _with_step(error, _look_again(means, intent, difference)) from None
    means.progress(name, "checking")
    require_taken(means, intent, session, "It is not saved: a restart of the device returns to the saved one.")
    try:
        _require_ways(means, intent, behind, difference)
    except DeviceError as error:
        raise _with_step(error, _taken_back(means, intent, session, difference)) from None


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


def _look_again(means: Means, intent: DeviceIntent, difference: Difference) -> str:
    """Return what is in force on a device whose session broke off while it was being changed."""
    name = intent.hostname
    means.progress(name, "looking again")
    try:
        session = means.gateway.connect(intent, LOOK_AGAIN_S)
        try:
            left = compare(session, intent, means.texts[name])
        finally:
            session.close()
    except WaiwangError:
        unknown = f"It could not be asked again: how many of the {len(difference.commands)} lines are in force is not known."
        return f"{unknown} {WAYS_BACK.format(name=name)}"
    if left.running == difference.running:
        return "Asked again, it runs what it ran before: nothing of the change is in force."
    if not left.commands:
        return "Asked again, the whole change is in force and not saved: run the command again to save it."
    return f"Asked again, a part of it is in force; {len(left.commands)} lines would finish it. " + WAYS_BACK.format(name=name)


def _taken_back(means: Means, intent: DeviceIntent, session: DeviceSession, difference: Difference) -> str:
    """Take a change back over the session that made it, and return what is in force then."""
    name = intent.hostname
    means.progress(name, "taking back")
    earlier = refer_secrets(intent.family, mask_secrets(difference.running), means.texts[name])
    try:
        session.push(patch(intent.family, session.running(), earlier))
        left = patch(intent.family, session.running(), earlier)
    except WaiwangError as error:
        return f"Taking the change back failed as well ({error}). " + WAYS_BACK.format(name=name)
    state = f"but for {len(left)} lines, first {left[0].text!r}" if left else "and the device runs what it ran before"
    return f"The change was taken back over the session that was open, {state}. Nothing is saved."


def _tried(
    means: Means, intent: DeviceIntent, session: DeviceSession, difference: Difference, behind: Sequence[DeviceIntent]
) -> bool:
    """Push on trial, prove the change from a session of its own too, confirm it. Return False where the device has no trial now
    and a change without one is allowed; nothing was pushed then.
    """
    name = intent.hostname
    returns = f"What is in force returns by itself within {TRIAL_S} s."
    try:
        begun = session.push_on_trial(difference.commands, TRIAL_S)
    except CommitRefused:
        raise
    except DeviceError as error:
        raise _with_step(error, returns) from None
    if not begun:
        if _may_stay_changed(means, intent):
            return False
        raise _unsafe(intent, "it has nothing to return to (IOS: `archive` with a `path`)")
    means.progress(name, "checking")
    try:
        require_taken(means, intent, session, "It is taken back.")
        _require_ways(means, intent, behind, difference)
    except WaiwangError as error:
        try:
            session.abandon()
        except DeviceError:
            raise (_with_step(error, returns) if isinstance(error, DeviceError) else error) from None
        raise
    session.confirm()
    # A device whose time was over says nothing to a late confirmation (VRP8): look once more.
    require_taken(means, intent, session, "The time was over before it was confirmed, and nothing is saved.")
    return True


def require_taken(means: Means, intent: DeviceIntent, session: DeviceSession, state: str) -> None:
    """Read back what was pushed. Raises DeviceError where anything differs still; `state` says what becomes of it."""
    left = compare(session, intent, means.texts[intent.hostname])
    if left.commands:
        raise _differs_still(intent.hostname, left, state)


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
