"""The way back: a device on which a change was given up is brought to what it ran before, and what it runs then is told."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.restoring import (
    find_unspoken,
    lines_in_force,
    spoken_lines,
    sure_of_ended_routing,
    tag_secrets,
    without_tags,
)
from app.edge.patch import patch
from app.errors import AS_BEFORE, HALF_CHANGED, NOT_KNOWN, CommitRefused, ConnectFailed, DeviceError, LoginRefused, RenderError, counted
from app.workflows.guards import require_harmless
from app.workflows.hosts import DeviceSession, Gateway

#: Seconds to wait for a device whose session broke off while it was being changed: its line may have flapped, or it restarts.
LOOK_AGAIN_S = 30.0
#: So many logins are made to take one change back, where one session after the other is lost.
LOGINS = 3
#: So often the way back is given, as long as less of it is left: lines may go only after others have gone.
ROUNDS = 3
#: So many lines that are in force are said in a reason.
SAID = 5
#: How a device is taken back, whoever comes to it.
WAYS_BACK = "It is not saved: a restart returns to what was saved; waiwang rollback {name} takes back what is in force."


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was begun. `before`: what the device ran, as it showed it; `total`: how many lines the change has.

    `prove` raises DeviceError where nobody can log in anew, or what lies behind the device is cut off.
    """

    gateway: Gateway
    intent: DeviceIntent
    before: str = field(repr=False)
    total: int
    prove: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a device runs after a change was given up: `stands` and `in_force` as in DeviceError, `told` for people."""

    told: str
    stands: str
    in_force: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the device ran before, ready to be typed again. Secrets are tagged by a digest that only this change knows."""

    text: str
    spoken: dict[str, str] = field(repr=False)
    digest: Callable[[str], str]

    def way_from(self, family: str, now: str) -> tuple[Command, ...]:
        """Return the lines that lead there from what it runs now. Raises RenderError where they cannot be written."""
        way = sure_of_ended_routing(family, patch(family, tag_secrets(now, self.digest), self.text))
        if unspoken := find_unspoken(way, self.spoken):
            found = without_tags(unspoken)
            raise RenderError(f"command {found!r}: expected a secret that the device showed before; found none. Type it at the device.")
        return way


def take_back(change: Change, session: DeviceSession | None, *, anew: bool = False) -> Standing:
    """Bring a device to what it ran before, over the session that is open, else (None) over one of its own. Nothing is saved.

    The guards of any patch hold. A session that is lost on the way is followed by another, a few times. `anew`: the open session is
    not the one that made the change.
    """
    earlier = _earlier(change)
    lost: DeviceError | None = None
    with ExitStack() as opened:
        for _ in range(LOGINS):
            try:
                if session is None:
                    session, anew = change.gateway.connect(change.intent, LOOK_AGAIN_S), True
                    opened.callback(session.close)
                return _back_over(change, session, earlier, anew=anew)
            except (ConnectFailed, LoginRefused) as error:
                return unknown(change, error)
            except DeviceError as error:
                session, lost = None, error
    return unknown(change, lost)


def unknown(change: Change, error: DeviceError | None) -> Standing:
    """Return what is said of a device that cannot be asked."""
    why = "" if error is None else f" ({error})"
    told = f"It could not be asked again{why}: how many of the {change.total} lines are in force is not known."
    return Standing(f"{told} {WAYS_BACK.format(name=change.intent.hostname)}", NOT_KNOWN)


def look(change: Change, session: DeviceSession, returns: str) -> Standing:
    """Return what a device runs, asked over a new session, that takes a change back by itself; `returns` says when."""
    earlier = _earlier(change)
    try:
        now = session.running()
        if not earlier.way_from(change.intent.family, now):
            return _untouched(anew=True)
    except (DeviceError, RenderError) as error:
        return Standing(f"It could not be asked again ({error}) {returns}", NOT_KNOWN)
    in_force = lines_in_force(change.intent.family, change.before, now)
    return Standing(f"Asked again, it does not run what it ran before. {_said(in_force)} {returns}", HALF_CHANGED, in_force)


def _earlier(change: Change) -> _Earlier:
    salt = secrets.token_bytes(16)

    def digest(secret: str) -> str:
        return hashlib.sha256(salt + secret.encode()).hexdigest()[:12]

    return _Earlier(tag_secrets(change.before, digest), spoken_lines(change.intent.family, change.before, digest), digest)


def _back_over(change: Change, session: DeviceSession, earlier: _Earlier, *, anew: bool) -> Standing:
    """Go back over one session. Raises DeviceError where it is lost."""
    family = change.intent.family
    now = session.running()
    try:
        left = earlier.way_from(family, now)
        if not left:
            return _untouched(anew=anew)
        for _ in range(ROUNDS):
            require_harmless(change.intent, session.address, now, left, change.before)
            session.push(left, earlier.spoken)
            given, left = len(left), earlier.way_from(family, now := session.running())
            if not 0 < len(left) < given:
                break
    except (CommitRefused, RenderError) as error:
        return _half_changed(change, session.running(), f"Taking the change back failed as well ({error}).")
    if left:
        failed = f"The change was taken back but for {counted(len(left), 'line')}, first {without_tags(left[0].text)!r}."
        return _half_changed(change, now, failed)
    over = "a new session" if anew else "the session that was open"
    told = f"The change was taken back over {over}, and the device runs what it ran before. Nothing is saved."
    try:
        change.prove()
    except DeviceError as error:
        return Standing(f"{told} All the same: {error}", AS_BEFORE)
    return Standing(told, AS_BEFORE)


def _untouched(*, anew: bool) -> Standing:
    asked = "Asked again, it" if anew else "It"
    return Standing(f"{asked} runs what it ran before: nothing of the change is in force.", AS_BEFORE)


def _half_changed(change: Change, now: str, failed: str) -> Standing:
    """Say line by line what separates the device from what it ran before."""
    in_force = lines_in_force(change.intent.family, change.before, now)
    return Standing(f"{failed} {_said(in_force)} {WAYS_BACK.format(name=change.intent.hostname)}", HALF_CHANGED, in_force)


def _said(in_force: tuple[str, ...]) -> str:
    """Return the first lines that are in force."""
    if not in_force:
        return "Only the order of its lines differs."
    more = f"; and {len(in_force) - SAID} more" if len(in_force) > SAID else ""
    return f"In force: {'; '.join(in_force[:SAID])}{more}."
