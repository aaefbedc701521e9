"""What is done on one device over one SSH login: read, push, push on trial, save, ping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address

from netmiko.base_connection import BaseConnection

from app.core.commands import Command, mask_secrets
from app.core.dialects import DIALECTS, VPN
from app.core.ping import PingCount, parse_ping
from app.edge.ssh.access import Access, Target
from app.edge.ssh.dialogue import Dialogue
from app.errors import CommitRefused, DeviceError

#: Every command is typed as it stands, its references resolved.
AS_WRITTEN: Mapping[str, str] = {}


class Session:
    """One open login on one device. Close it, or use it in a `with`."""

    def __init__(self, target: Target, address: IPv4Address, driver: BaseConnection, access: Access) -> None:
        self.target, self.address = target, address
        self._dialogue, self._dialect, self._limits = Dialogue(target, address, driver, access), DIALECTS[target.family], access.limits

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def running(self) -> str:
        """Return the running configuration without the headers that the device puts before it.

        Raises:
            DeviceError: the session was lost, or the device does not answer in time.
        """
        text = self._dialogue.ask(self._dialect.running, "read the running configuration")
        if not text.strip() or re.search(self._dialect.refusal, text.splitlines()[0]):
            found = mask_secrets(text.strip())[:200] or "nothing"
            raise self._dialogue.error(DeviceError, "read the running configuration", "a configuration", found)
        start = re.search(r"^!$|^#$", text, re.MULTILINE)
        return text[start.start() :] if start else text

    def show(self, question: str, vpn: str | None = None) -> str:
        """Return the device's answer to one of the questions of its family, with `vpn` to what that VPN instance shows apart.

        Raises:
            CommitRefused: the family has no such question.
            DeviceError: the device refused it, the session was lost, or no answer came in time.
        """
        line = (self._dialect.questions if vpn is None else self._dialect.vpn_questions).get(question)
        if line is None:
            raise self._no_words(f"read its {question}")
        return self._dialogue.told(line.replace(VPN, vpn or ""), f"read its {question}")

    def table(self, kind: str, vpns: Sequence[str] = ()) -> str:
        """Return what the device shows of its ARP table, LLDP neighbours or routes (`arp`, `lldp`, `routes`), VPN instances last.

        Raises:
            CommitRefused: the family shows no such table.
            DeviceError: the device refused it, the session was lost, or no answer came in time.
        """
        lines = self._dialect.tables.get(kind)
        if lines is None:
            raise self._no_words(f"read its {kind} table")
        asked = [line.replace(VPN, vpn) for line in lines for vpn in (vpns if VPN in line else ("",))]
        return "\n".join(self._dialogue.told(line, f"read its {kind} table") for line in asked)

    def restart_ospf(self) -> None:
        """Let OSPF begin anew, so that a changed router id takes effect; traffic stops until its adjacencies are full again.

        Raises:
            CommitRefused: the family has no command for it.
            DeviceError: the device refused it, or the session was lost.
        """
        command = self._dialect.restart_ospf
        if command is None:
            raise self._no_words("restart OSPF")
        if command.questions:
            self._dialogue.give(command, command.text, "restart OSPF")
        else:
            self._dialogue.told(command.text, "restart OSPF")

    def push(self, commands: Iterable[Command], spoken: Mapping[str, str] = AS_WRITTEN) -> None:
        """Give the commands one by one and stop at the first that is refused; the session can be asked on then.

        `spoken`: the line to type, by a command's text, where it is not the command with its references resolved.

        Raises:
            CommitRefused: the device refused a line; the lines before it are in force.
            DeviceError: the session was lost after some of the lines.
            InputError: a secret that a command refers to is not set; nothing was pushed.
        """
        lines = self._dialogue.resolved(commands, spoken)
        self._dialogue.enter()
        try:
            self._dialogue.give_all(lines, self._dialect.commit)
        except CommitRefused:
            self._leave_quietly()
            raise
        self._dialogue.leave()

    def push_on_trial(self, commands: Iterable[Command], seconds: int) -> bool:
        """Give the commands so that the device takes them back by itself after some seconds, unless `confirm` comes before.

        Return False, with nothing given, where the device cannot do that now (IOS without an archive).

        Raises:
            CommitRefused: the device refused a line, or its family knows no trial; nothing stays in force.
            DeviceError: the session was lost after some of the lines; what is in force returns by itself.
            InputError: a secret that a command refers to is not set; nothing was pushed.
        """
        trial = self._dialect.trial
        if trial is None:
            raise self._no_words("push on trial")
        clock = {"seconds": seconds, "minutes": max(1, seconds // 60)}
        lines = self._dialogue.resolved(commands, AS_WRITTEN)
        if not trial.enter:
            self._dialogue.enter()
        elif not self._dialogue.enters(trial.enter.format(**clock)):
            return False
        self._dialogue.nothing_stays = True
        try:
            self._dialogue.give_all(lines, trial.commit.format(**clock))
        except CommitRefused as refusal:
            self._leave_quietly()
            if trial.enter:
                self._abandon_after(refusal, seconds)
            raise
        self._dialogue.leave()
        return True

    def _leave_quietly(self) -> None:
        """Leave configuration mode after a refusal, which is what has to be told: a session that is lost shows at the next question."""
        with suppress(DeviceError):
            self._dialogue.leave()

    def _abandon_after(self, refusal: CommitRefused, seconds: int) -> None:
        """Take back at once what was pushed on trial up to a refused line. Raises CommitRefused for that line where this fails."""
        try:
            self.abandon()
        except DeviceError as error:
            step = f"Taking it back at once failed ({error}) What is in force returns by itself within {seconds} s."
            raise self._dialogue.error(CommitRefused, refusal.what, refusal.expected, refusal.found, step) from None

    def confirm(self) -> None:
        """Let what was pushed on trial stay.

        Raises:
            CommitRefused: the device refused it: the time was over, and the change is taken back.
            DeviceError: the session was lost; the change is taken back by the device unless the confirmation came through.
        """
        trial = self._dialect.trial
        if trial is None:
            raise self._no_words("confirm a trial")
        if trial.enter:
            self._dialogue.told(trial.confirm, "confirm the change", CommitRefused)
            return
        self._dialogue.enter()
        self._dialogue.give(Command(trial.confirm), trial.confirm, "confirm the change")
        self._dialogue.leave()

    def abandon(self) -> None:
        """Take back at once what was pushed on trial.

        Raises:
            CommitRefused: the device refused it.
            DeviceError: the session was lost; the change is taken back when its time is over.
        """
        trial = self._dialect.trial
        if trial is None:
            raise self._no_words("take back a trial")
        self._dialogue.give(trial.abandon, trial.abandon.text, "take the change back")

    def save(self) -> None:
        """Make the running configuration the one that the device starts with.

        Raises:
            CommitRefused: the device does not confirm it.
            DeviceError: the session was lost.
        """
        what = "save the configuration"
        answer = self._dialogue.save(what)
        if not re.search(self._dialect.saved, answer):
            found = mask_secrets(" ".join(answer.split()))[-160:] or "no answer"
            step = "Look at its disk, then run the command again."
            raise self._dialogue.error(CommitRefused, what, "the device's own confirmation", found, step)

    def ping(self, address: IPv4Address, count: int) -> PingCount | None:
        """Let the device send about `count` echo requests, one a second; None where it gives no statistics.

        Raises:
            DeviceError: the session was lost.
        """
        line, what = self._dialect.ping.format(address=address, count=count), f"ping {address}"
        if self._dialect.endless:
            return parse_ping(self._dialogue.interrupted(line, count, what))
        return parse_ping(self._dialogue.awaited(line, self._limits.read_s + 2 * count, what))

    def close(self) -> None:
        """End the session; a device that is gone already is no error, and is not waited for again."""
        self._dialogue.close()

    def _no_words(self, what: str) -> CommitRefused:
        family = self.target.family
        step = "Look at the device by hand; this version reads other families back only."
        return CommitRefused(self.target.device, what, expected="a family that this version can ask", found=family, next_step=step)
