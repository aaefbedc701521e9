"""SSH sessions with devices: open, read, push, save. Whatever goes wrong ends as one of our errors, within a known time."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from netmiko import ConnectHandler
from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoBaseException, ReadTimeout
from paramiko.hostkeys import HostKeys  # type: ignore[import-untyped]  # paramiko ships no types
from paramiko.ssh_exception import AuthenticationException, SSHException  # type: ignore[import-untyped]  # paramiko ships no types
from pydantic import SecretStr

from app.core.commands import Command, mask_secrets
from app.core.dialects import DIALECTS, VPN, find_question
from app.core.naming import known_name
from app.core.ping import PingCount, parse_ping
from app.errors import CommitRefused, ConnectFailed, DeviceError, LoginRefused

#: Raises UnsafeRoute when a packet to this address must not be sent.
Guard = Callable[[IPv4Address], None]
#: Where a device is really listening: virtual devices answer for an address of the plan on one of 127.0.0.0/8.
Endpoint = Callable[[IPv4Address], tuple[IPv4Address, int]]
#: Replaces references to secrets by their values.
Resolve = Callable[[str], str]
#: Opens a netmiko connection from ConnectHandler's parameters.
Connect = Callable[..., BaseConnection]
#: Gives a file with the lines of another that concern these names.
HostKeyFile = Callable[[Path, Sequence[str]], AbstractContextManager[Path]]

#: Ctrl-C.
INTERRUPT = "\x03"
_LOST = (EOFError, OSError, SSHException, NetmikoBaseException, ValueError)
_PROMPT = r"[#>\]]\s*$"
_HOST_KEY = re.compile(r"host key|known_hosts", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """One device to reach. `contacts` are tried in order; `platform` is netmiko's name of the driver."""

    device: str
    family: str
    platform: str
    contacts: tuple[IPv4Address, ...]
    username: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. `connect_s`: one TCP connect. `login_s`: key exchange and login. `read_s`: one answer of the device."""

    connect_s: float = 2.0
    login_s: float = 15.0
    read_s: float = 20.0
    retry_s: float = 0.5


def _whole(path: Path, names: Sequence[str]) -> AbstractContextManager[Path]:
    return nullcontext(path)


@dataclass(frozen=True, slots=True)
class Access:
    """How devices are reached: what must be asked first, where they listen, with which password and which host keys.

    `known_hosts` in OpenSSH's format; None accepts any key, which is fit for a lab alone. `connect` takes what netmiko's
    ConnectHandler takes and may choose other drivers. `host_keys` gives a file of the lines of known_hosts that concern some names.
    """

    guard: Guard
    endpoint: Endpoint
    password: SecretStr
    resolve: Resolve
    known_hosts: Path | None
    limits: Limits = Limits()
    connect: Connect = ConnectHandler
    host_keys: HostKeyFile = _whole


class Session:
    """One open login on one device. Close it, or use it in a `with`."""

    def __init__(self, target: Target, address: IPv4Address, driver: BaseConnection, access: Access) -> None:
        self.target, self.address = target, address
        self._driver, self._access, self._dialect = driver, access, DIALECTS[target.family]
        self._lost = self._on_trial = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def running(self) -> str:
        """Return the running configuration without the headers that the device puts before it.

        Raises:
            DeviceError: the session was lost, or the device does not answer in time.
        """
        text = self._ask(self._dialect.running, "read the running configuration")
        if not text.strip() or re.search(self._dialect.refusal, text.splitlines()[0]):
            found = mask_secrets(text.strip())[:200] or "nothing"
            raise self._error(DeviceError, "read the running configuration", "a configuration", found)
        start = re.search(r"^!$|^#$", text, re.MULTILINE)
        return text[start.start() :] if start else text

    def show(self, question: str) -> str:
        """Return the device's answer to one of the questions of its family.

        Raises:
            CommitRefused: the family has no such question.
            DeviceError: the device refused it, the session was lost, or no answer came in time.
        """
        line = self._dialect.questions.get(question)
        if line is None:
            raise self._no_words(f"read its {question}")
        return self._told(line, f"read its {question}")

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
        return "\n".join(self._told(line, f"read its {kind} table") for line in asked)

    def restart_ospf(self) -> None:
        """Let OSPF begin anew, so that a changed router id takes effect; traffic stops until its adjacencies are full again.

        Raises:
            CommitRefused: the family has no command for it.
            DeviceError: the device refused it, or the session was lost.
        """
        line = self._dialect.restart_ospf
        if line is None:
            raise self._no_words("restart OSPF")
        self._told(line, "restart OSPF")

    def push(self, commands: Iterable[Command]) -> None:
        """Give the commands one by one and stop at the first that is refused.

        Raises:
            CommitRefused: the device refused a line; the lines before it are in force.
            DeviceError: the session was lost after some of the lines.
            InputError: a secret that a command refers to is not set; nothing was pushed.
        """
        lines = self._resolved(commands)
        self._try(self._driver.config_mode, "enter configuration mode")
        self._give_all(lines, self._dialect.commit)
        self._try(self._driver.exit_config_mode, "leave configuration mode")

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
        lines = self._resolved(commands)
        self._on_trial = True
        if not trial.enter:
            self._try(self._driver.config_mode, "enter configuration mode")
        elif not self._enters(trial.enter.format(**clock)):
            self._on_trial = False
            return False
        try:
            self._give_all(lines, trial.commit.format(**clock))
        except CommitRefused:
            if trial.enter:
                self._try(self._driver.exit_config_mode, "leave configuration mode")
                self.abandon()
            raise
        self._try(self._driver.exit_config_mode, "leave configuration mode")
        return True

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
            self._told(trial.confirm, "confirm the change", CommitRefused)
            return
        self._try(self._driver.config_mode, "enter configuration mode")
        self._give(Command(trial.confirm), trial.confirm, "confirm the change")
        self._try(self._driver.exit_config_mode, "leave configuration mode")

    def abandon(self) -> None:
        """Take back at once what was pushed on trial.

        Raises:
            CommitRefused: the device refused it.
            DeviceError: the session was lost; the change is taken back when its time is over.
        """
        trial = self._dialect.trial
        if trial is None:
            raise self._no_words("take back a trial")
        self._give(trial.abandon, trial.abandon.text, "take the change back")

    def save(self) -> None:
        """Make the running configuration the one that the device starts with.

        Raises:
            CommitRefused: the device does not confirm it.
            DeviceError: the session was lost.
        """
        what = "save the configuration"
        answer = self._ask(self._dialect.save, what) if self._dialect.save else self._try(self._driver.save_config, what)
        if not re.search(self._dialect.saved, answer):
            found = mask_secrets(" ".join(answer.split()))[-160:] or "no answer"
            step = "Look at its disk, then run the command again."
            raise self._error(CommitRefused, "save the configuration", "the device's own confirmation", found, step)

    def ping(self, address: IPv4Address, count: int) -> PingCount | None:
        """Let the device send about `count` echo requests, one a second; None where it gives no statistics.

        Raises:
            DeviceError: the session was lost.
        """
        line = self._dialect.ping.format(address=address, count=count)
        if not self._dialect.endless:
            timeout_s = self._access.limits.read_s + 2 * count
            return parse_ping(self._try(lambda: self._driver.send_command(line, read_timeout=timeout_s), f"ping {address}", timeout_s))

        def run() -> str:
            self._driver.write_channel(f"{line}\n")
            time.sleep(count)
            self._driver.write_channel(INTERRUPT)
            return self._driver.read_until_prompt(read_timeout=self._access.limits.read_s)

        return parse_ping(self._try(run, f"ping {address}"))

    def close(self) -> None:
        """End the session; a device that is gone already is no error, and is not waited for again."""
        if self._lost:
            self._driver.paramiko_cleanup()
            return
        try:
            self._driver.disconnect()
        except _LOST:
            return

    def _resolved(self, commands: Iterable[Command]) -> list[tuple[Command, str]]:
        return [(command, self._access.resolve(command.text)) for command in commands]

    def _enters(self, line: str) -> bool:
        """Open configuration mode by a line of our own; tell whether the device did."""
        answer = self._try(lambda: self._driver.send_command(line, expect_string=r"[>#\]]\s*$"), f"enter configuration mode ({line})")
        return not re.search(self._dialect.refusal, answer.replace("\r", ""), re.MULTILINE)

    def _give_all(self, lines: Sequence[tuple[Command, str]], commit: str) -> None:
        """Give the lines and make them live where the family gathers them; a refused line then leaves nothing behind.

        A line may open a view that nothing of the patch stands in (`mpls`): it is left before the next line is typed.
        """
        view = ""
        try:
            for number, (command, line) in enumerate(lines, start=1):
                shown = self._give(command, line, f"line {number} of {len(lines)}")
                below = number < len(lines) and lines[number][0].level > command.level
                if self._dialect.leave and not below and _opened_view(command, view, shown):
                    shown = self._give(Command(self._dialect.leave), self._dialect.leave, f"line {number}: leave its view")
                view = shown
            if commit:
                self._give(Command(commit), commit, "make the lines live")
        except CommitRefused:
            if self._dialect.discard:
                self._give(Command(self._dialect.discard), self._dialect.discard, "drop the lines")
            raise

    def _give(self, command: Command, line: str, where: str) -> str:
        """Send one line and return the view that the device is in then, as its prompt names it.

        The resolved text stays in here: messages show the command with its reference.
        """
        what = f"{where}, {command.text!r}"
        answer = self._try(lambda: self._type(command, line), what, command.timeout_s)
        refusals = re.findall(self._dialect.refusal, answer.replace("\r", ""), re.MULTILINE)
        if refusals:
            found = mask_secrets("; ".join(refusals).replace(line, command.text))
            left = "Nothing stays in force" if self._dialect.discard or self._on_trial else "The lines before it are in force"
            step = f"{left}: run waiwang diff, correct the template, deploy again."
            raise self._error(CommitRefused, what, "acceptance", found, step)
        return answer.strip().rpartition("\n")[2].strip("[]~* \r")

    def _type(self, command: Command, line: str) -> str:
        """Send one line and read to the prompt, answering on the way the questions that the command allows, each once."""
        if not command.questions:
            return str(self._driver.send_config_set([line], enter_config_mode=False, exit_config_mode=False))
        prompt = re.escape(self._driver.base_prompt[:16]) + r"\S*[>\]#]\s*$"
        texts = {question.text if question.is_regexp else re.escape(question.text): question.answer for question in command.questions}
        self._driver.write_channel(f"{line}\n")
        answer = ""
        for _ in range(len(texts) + 1):
            answer += self._driver.read_until_pattern(pattern="|".join((prompt, *(text.strip("/") for text in texts))), re_flags=re.M)
            asked = next((given for text, given in texts.items() if re.search(rf"(?:{text.strip('/')})\s*$", answer)), None)
            if asked is None:
                break
            self._driver.write_channel(f"{asked}\n")
        return answer

    def _ask(self, line: str, what: str) -> str:
        return self._try(lambda: self._driver.send_command(line, expect_string=self._find_prompt()), what).replace("\r", "")

    def _told(self, line: str, what: str, kind: type[DeviceError] = DeviceError) -> str:
        """Ask, and refuse an answer that is a refusal."""
        text = self._ask(line, what)
        if refusals := re.findall(self._dialect.refusal, text, re.MULTILINE):
            raise self._error(kind, f"{what} ({line})", "an answer", mask_secrets(refusals[0]).strip()[:200])
        return text

    def _find_prompt(self) -> str:
        """Return the present prompt as a pattern; a push may have renamed the device. netmiko's own search takes 35 s to give up."""
        self._driver.clear_buffer()
        self._driver.write_channel("\n")
        shown = str(self._driver.read_until_pattern(_PROMPT, read_timeout=self._access.limits.read_s))
        return re.escape(shown.splitlines()[-1].strip())

    def _try(self, call: Callable[[], object], what: str, timeout_s: float | None = None) -> str:
        self._driver.read_timeout_override = timeout_s or self._access.limits.read_s
        try:
            return str(call())
        except _LOST as error:
            self._lost = True
            found = self._silence() if "imeout" in type(error).__name__ else "the session was lost"
            raise self._error(DeviceError, what, "an answer", found, "Look at the device, then run waiwang diff.") from None

    def _silence(self) -> str:
        """Return how a device keeps us waiting: by silence, or by a question that nobody here answers unseen."""
        question = find_question(str(getattr(self._driver.channel, "unfinished", "")))
        return f"a question that nobody answers unseen: {mask_secrets(question)!r}" if question else "no answer in time"

    def _no_words(self, what: str) -> CommitRefused:
        family = self.target.family
        step = "Look at the device by hand; this version reads other families back only."
        return CommitRefused(self.target.device, what, expected="a family that this version can ask", found=family, next_step=step)

    def _error(self, kind: type[DeviceError], what: str, expected: str, found: str, step: str = "Look at the device.") -> DeviceError:
        return kind(self.target.device, what, expected=expected, found=found, next_step=step)


def _opened_view(command: Command, before: str, after: str) -> bool:
    """Tell by the names of two prompts whether the command led into a view beneath the one before."""
    renames = command.text.startswith(("sysname ", "hostname "))
    return bool(before) and not renames and after.startswith(f"{before}-")


def open_session(target: Target, access: Access, *, wait_s: float = 0.0) -> Session:
    """Log in at the first contact address that answers, trying all of them again until `wait_s` seconds are over.

    Every address passes the guard before a packet leaves. The password is offered once.

    Raises:
        UnsafeRoute: the guard refused an address.
        ConnectFailed: no address answers, or what answers is no SSH server that lets us in within the limits.
        LoginRefused: the password was refused, or the host key is not the known one.
        CommitRefused: the family has no dialect here.
    """
    if target.family not in DIALECTS:
        raise _no_dialect(target)
    address, link = reach(target.device, target.contacts, access, wait_s=wait_s)
    try:
        driver = _log_in(target, address, link, access)
    except BaseException:
        link.close()
        raise
    return Session(target, address, driver, access)


def reach(device: str, contacts: tuple[IPv4Address, ...], access: Access, *, wait_s: float = 0.0) -> tuple[IPv4Address, socket.socket]:
    """Return the first contact address that takes a TCP connection, and the connection.

    Raises:
        UnsafeRoute: the guard refused an address.
        ConnectFailed: none of them does, within `wait_s` seconds after the first round.
    """
    ends = [(contact, *access.endpoint(contact)) for contact in contacts]
    for _, address, _ in ends:
        access.guard(address)
    give_up_at = time.monotonic() + wait_s
    while True:
        found: list[str] = []
        for contact, address, port in ends:
            try:
                return contact, socket.create_connection((str(address), port), timeout=access.limits.connect_s)
            except OSError as error:
                found.append(f"{contact}: {error.strerror or 'no answer'}")
        if time.monotonic() >= give_up_at:
            raise ConnectFailed(
                device,
                "connect by SSH",
                expected="an answer at one of its addresses",
                found="; ".join(found) or "no address",
                next_step="Look at the line to it and at its power, then run the command again.",
            )
        time.sleep(min(access.limits.retry_s, max(give_up_at - time.monotonic(), 0.05)))


def quiet_libraries() -> None:
    """Keep netmiko, paramiko and nornir from printing: their debug lines hold what was typed, their errors are ours to tell."""
    for name in ("netmiko", "paramiko", "nornir"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.WARNING)


def _log_in(target: Target, address: IPv4Address, link: socket.socket, access: Access) -> BaseConnection:
    if access.known_hosts is None:
        return _log_in_with(target, address, link, access, None)
    names = [known_name(str(host), port) for host, port in map(access.endpoint, target.contacts)]
    with access.host_keys(access.known_hosts, names) as known:
        return _log_in_with(target, address, link, access, known)


def _log_in_with(target: Target, address: IPv4Address, link: socket.socket, access: Access, known: Path | None) -> BaseConnection:
    looked_up, known_port = _known_name(target, address, access, known)
    try:
        return access.connect(
            device_type=target.platform,
            host=looked_up,
            port=known_port,
            sock=link,
            username=target.username,
            password=access.password.get_secret_value(),
            use_keys=False,
            allow_agent=False,
            ssh_strict=known is not None,
            system_host_keys=False,
            alt_host_keys=known is not None,
            alt_key_file=str(known) if known else "",
            conn_timeout=access.limits.login_s,
            banner_timeout=access.limits.login_s,
            auth_timeout=access.limits.login_s,
            read_timeout_override=access.limits.read_s,
        )
    except (NetmikoAuthenticationException, AuthenticationException):
        raise _login_refused(target, "a login", "the device refused it", "Compare the secret ssh_password with the device.") from None
    except _LOST as error:
        if _HOST_KEY.search(str(error)):
            step = "Nothing was sent. Find out why the key changed, then correct the known_hosts file."
            raise _login_refused(target, "the host key that known_hosts holds", "another one, or none", step) from None
        raise ConnectFailed(
            target.device,
            f"log in at {address}",
            expected=f"a prompt within {access.limits.login_s + access.limits.read_s:g} s",
            found=_first_words(error),
            next_step="Look at the device (load, free sessions), then run the command again.",
        ) from None


def _known_name(target: Target, address: IPv4Address, access: Access, known_hosts: Path | None) -> tuple[str, int]:
    """Return the name and port to look the host key up by: this address, or another of the device's own that known_hosts has.

    A device that is being renumbered answers at new addresses with the key that it had. The socket is open already, so the
    name decides nothing else.
    """
    names = [(str(host), port) for host, port in map(access.endpoint, (address, *target.contacts))]
    if known_hosts is None:
        return names[0]
    try:
        known = HostKeys(str(known_hosts))
    except (OSError, SSHException):
        return names[0]
    return next(((host, port) for host, port in names if known.lookup(known_name(host, port))), names[0])


def _first_words(error: BaseException) -> str:
    """Return what a driver says in one short line; of a prompt that never came netmiko says a page about its patterns."""
    if isinstance(error, ReadTimeout):
        return "silence after the login"
    text = " ".join(str(error).split())
    return text[:120] or type(error).__name__


def _login_refused(target: Target, expected: str, found: str, step: str) -> LoginRefused:
    return LoginRefused(target.device, f"log in as {target.username}", expected=expected, found=found, next_step=step)


def _no_dialect(target: Target) -> CommitRefused:
    return CommitRefused(
        target.device,
        "open a session",
        expected=f"a family of {', '.join(DIALECTS)}",
        found=target.family,
        next_step="This version renders its configuration only: enter it by hand.",
    )
