"""Guards of a change: what is not pushed to a device, whoever asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from app.core.commands import Command, is_frr
from app.core.cutoff import find_cutoffs, find_ended_routing, management_path, served_before
from app.core.intent import DeviceIntent
from app.errors import CommitRefused


def require_harmless(
    intent: DeviceIntent, address: IPv4Address, running: str, commands: Sequence[Command], before: str | None = None
) -> None:
    """Return only for a patch of this very device that leaves what it is reached by; `address` is that of the session.

    `before` is the configuration that a way back leads to: what was not there then is not what the device is reached by.

    Raises:
        CommitRefused: it goes to another device, or ends what the device is reached by; nothing was pushed.
    """
    name = intent.hostname
    renaming = [command.text for command in commands if command.text.startswith("hostname ")]
    if renaming and is_frr(intent.family):
        raise _other_name(name, renaming[0])
    path = management_path(intent, address)
    path = path if before is None else served_before(intent.family, before, path)
    if cuts := find_cutoffs(intent.family, running, commands, path):
        raise _cuts_off(name, cuts)
    if ended := find_ended_routing(intent.family, [command for command in commands if not command.questions]):
        raise _ends_routing(name, ended)


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
