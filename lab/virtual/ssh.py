"""SSH in front of the virtual devices: one listener for each loopback address, a thin shell around the engine.

What cannot be reached does not listen, and its open sessions fall silent until the way is back.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

import asyncssh

from app.errors import LabError
from lab.virtual.engine import refusal
from lab.virtual.grammar import Ask
from lab.virtual.network import VirtualNetwork, forget
from lab.virtual.state import Question, Session, is_hidden, prompt

ALGORITHMS = ("aes128-gcm@openssh.com", "aes128-ctr")
UNKNOWN = Ask("This board must be re-seated within 30 days. Proceed (1: now, 2: later, 3: at the next start)?", "yesno")
MORE = "  ---- More ----"


class SshServer:
    """All shells of a network; `accounts` are user → password, right on every device."""

    def __init__(
        self, network: VirtualNetwork, accounts: Mapping[str, str], port: int = 2222, host_key: asyncssh.SSHKey | None = None
    ) -> None:
        self.network, self.accounts, self.port = network, accounts, port
        self._key = host_key or asyncssh.generate_private_key("ssh-ed25519")
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=asyncssh.SSHServer,
            server_host_keys=[self._key],
            server_version="waiwang_simulation",
            encryption_algs=list(ALGORITHMS),
            compression_algs=["none"],
            login_timeout=30,
            line_editor=False,
        )
        self._listeners: dict[str, asyncssh.SSHAcceptor] = {}
        self._connections: dict[str, set[asyncssh.SSHServerConnection]] = {}
        self._moved = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None
        self._swept = asyncio.Event()

    @property
    def host_key(self) -> str:
        """Return the public host key of every device, in OpenSSH's form."""
        return self._key.export_public_key().decode().strip()

    def known_hosts(self) -> str:
        """Return the text of a known_hosts file for all addresses."""
        return "".join(f"[{address}]:{self.port} {self.host_key}\n" for address in self.network.places())

    async def start(self) -> None:
        """Listen on every address that answers. Raises LabError where an address cannot be bound."""
        self.network.on_reach.append(self._wake)
        self.network.on_reboot.append(self.drop)
        await self._sweep()

    async def stop(self) -> None:
        """End every session and listener; harmless where nothing was started."""
        forget(self.network.on_reach, self._wake)
        forget(self.network.on_reboot, self.drop)
        if self._sweeping is not None:
            await self._sweeping
        for listener in self._listeners.values():
            listener.close()
        for name in tuple(self._connections):
            self.drop(name)
        self._listeners.clear()
        await asyncio.sleep(0)

    def drop(self, name: str) -> None:
        """End every session of a device, as a restart does."""
        for connection in self._connections.pop(name, set()):
            connection.abort()

    def _wake(self) -> None:
        """The reach changed: let silent sessions look again, open and close listeners."""
        self._moved.set()
        self._moved = asyncio.Event()
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.get_running_loop().create_task(self._sweep())
        else:
            self._swept.clear()

    async def _sweep(self) -> None:
        """Open the listeners of addresses that answer, close the others; go round again if the reach changed meanwhile."""
        again = True
        while again:
            self._swept.set()
            for address in self.network.places():
                listens = address in self._listeners
                if self.network.answers(address) and not listens:
                    self._listeners[address] = await self._listen(address)
                elif listens and not self.network.answers(address):
                    self._listeners.pop(address).close()
            again = not self._swept.is_set()

    async def _listen(self, address: str) -> asyncssh.SSHAcceptor:
        if not ip_address(address).is_loopback:
            raise LabError(f"{address}: virtual devices listen on 127.0.0.0/8 only. Use an address of the network's own map.")
        try:
            return await asyncssh.listen(
                address,
                self.port,
                options=self._options,
                server_factory=lambda: _Login(self, address),
                process_factory=lambda process: self._serve(address, process),
                encoding="utf-8",
                backlog=64,
                family=socket.AF_INET,
            )
        except OSError as fault:
            raise LabError(
                f"{address}:{self.port}: virtual SSH: expected a free port; found {fault.strerror}. Choose another, or end what holds it."
            ) from fault

    async def _serve(self, address: str, process: asyncssh.SSHServerProcess[str]) -> None:
        name = self.network.places()[address][0]
        shell = _Shell(self, address, name, process)
        try:
            await shell.run()
        except (asyncssh.Error, BrokenPipeError, ConnectionError):
            pass
        finally:
            self.network.close_session(name, shell.session)
            process.close()

    async def until_reached(self, address: str) -> None:
        """Wait while the device cannot be reached: nothing passes in either direction."""
        while not self.network.answers(address):
            await self._moved.wait()

    def joined(self, name: str, connection: asyncssh.SSHServerConnection) -> None:
        self._connections.setdefault(name, set()).add(connection)

    def left(self, name: str, connection: asyncssh.SSHServerConnection) -> None:
        self._connections.get(name, set()).discard(connection)


class _Login(asyncssh.SSHServer):
    """Passwords by the network's accounts; a device may be told to refuse every one."""

    def __init__(self, server: SshServer, address: str) -> None:
        self._server = server
        self._name = server.network.places()[address][0]
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server.joined(self._name, conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server.left(self._name, self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        refused = self._server.network.devices[self._name].ssh_faults.refuse_password
        return not refused and self._server.accounts.get(username) == password


class _Shell:
    """One session: reads lines, plays the faults, writes what the engine answers."""

    def __init__(self, server: SshServer, address: str, name: str, process: asyncssh.SSHServerProcess[str]) -> None:
        self._server, self._address, self._name, self._process = server, address, name, process
        self._network = server.network
        self._buffer = ""
        self._withheld = ""
        self._configured = 0
        self.session: Session = self._network.open_session(name, process.get_extra_info("username") or "")

    async def run(self) -> None:
        device = self._network.devices[self._name]
        await self._write(f"\n{device.grammar.banner}\n{self._prompt()}")
        lines = 0
        while not self.session.closed:
            if not self._has_line():
                await self._flush()
            typed = await self._read_line()
            if typed is None:
                return
            lines += 1
            if not await self._survives(lines):
                return
            if lines == device.ssh_faults.ask_at and self.session.question is None:
                await self._write(f"{typed}\n{UNKNOWN.text}")
                self.session = replace(self.session, question=Question(UNKNOWN, typed))
                continue
            await self._answer(typed)
            if self._configured == device.ssh_faults.drop_after:
                self._process.channel.get_connection().abort()
                return

    async def _survives(self, lines: int) -> bool:
        """Play the faults that come before an answer; tell whether there will be one."""
        faults = self._network.devices[self._name].ssh_faults
        if faults.delay_s:
            await asyncio.sleep(faults.delay_s)
        if faults.hang_at is not None and lines >= faults.hang_at:
            await asyncio.Event().wait()
        if faults.drop_at == lines:
            self._process.channel.get_connection().abort()
            return False
        if faults.reboot_at == lines:
            self._network.reboot(self._name)
            return False
        return True

    async def _answer(self, typed: str) -> None:
        echo = "" if is_hidden(self.session) else typed
        if self._is_refused(typed):
            await self._show(echo, refusal(self._network.context(self._name), self._network.devices[self._name].state, self.session, typed))
            return
        turn = self._network.run(self._name, self.session, typed)
        self.session = turn.session
        await self._show(echo, turn.text)

    def _is_refused(self, typed: str) -> bool:
        """Count a configuration line and tell whether a fault refuses it."""
        faults, line = self._network.devices[self._name].ssh_faults, typed.strip()
        if not line or not self.session.configuring or self.session.question is not None or self.session.banner_until is not None:
            return False
        self._configured += 1
        return self._configured == faults.refuse_at or bool(faults.refuse and faults.refuse in line)

    async def _flush(self) -> None:
        """Let out what was said, as soon as the device can be reached. A device goes on with what it was sent before it was cut off."""
        await self._server.until_reached(self._address)
        text, self._withheld = self._withheld, ""
        self._process.stdout.write(text.replace("\n", "\r\n"))
        await self._process.stdout.drain()

    def _prompt(self) -> str:
        return prompt(self._network.context(self._name), self._network.devices[self._name].state, self.session)

    async def _show(self, echo: str, text: str) -> None:
        """Write the echo and the answer, a page at a time where paging is on, then the prompt."""
        lines = text.split("\n") if text else []
        size = self.session.page_lines
        await self._write(f"{echo}\n")
        while size and len(lines) > size:
            await self._write("\n".join(lines[: size - 1]) + f"\n{MORE}")
            key = await self._read_key()
            await self._write("\r" + " " * len(MORE) + "\r")
            lines = lines[size - 1 :] if key == " " else lines[1:] if key in "\r\n" else []
        body = "\n".join(lines)
        await self._write((f"{body}\n" if body else "") + ("" if self.session.closed else self._prompt()))
        if self.session.closed:
            await self._flush()

    async def _write(self, text: str) -> None:
        self._withheld += text

    def _has_line(self) -> bool:
        return any(mark in self._buffer for mark in "\r\n")

    async def _read_key(self) -> str:
        while not self._buffer:
            await self._flush()
            more = await self._process.stdin.read(1024)
            if not more:
                return "q"
            self._buffer += more
        key, self._buffer = self._buffer[0], self._buffer[1:]
        return key

    async def _read_line(self) -> str | None:
        """Return the next line without its end, None at the end of the session. CR, LF and CR LF all end a line."""
        while not self._has_line():
            more = await self._process.stdin.read(4096)
            if not more:
                return None
            self._buffer += more
        end = min(place for place in (self._buffer.find("\r"), self._buffer.find("\n")) if place >= 0)
        line = self._buffer[:end]
        step = 2 if self._buffer[end : end + 2] == "\r\n" else 1
        self._buffer = self._buffer[end + step :]
        return _typed(line)


def _typed(keys: str) -> str:
    """Apply the keys of a line editor that people and drivers use: backspace and Ctrl+U; others are ignored."""
    line: list[str] = []
    for key in keys:
        if key in "\x08\x7f":
            del line[-1:]
        elif key == "\x15":
            line.clear()
        elif key.isprintable() or key == "\t":
            line.append(key)
    return "".join(line)
