"""Devices to deploy to: a small one of ours with faults on request, and a real FRR behind a real vtysh. All on loopback."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import secrets
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import asyncssh
import pytest

from tests.samples.required import skip_or_fail
from tests.samples.server import free_port

USER = "netops"
#: Lines that FRR 8.4 overwrites in place, as seen on a real one; anything else is added beside what stands.
OVERWRITTEN = ("hostname", "description", "bandwidth", "ip ospf cost", "ip ospf hello-interval", "ospf router-id", "log syslog")


@dataclass
class Vty:
    """A vtysh-like device: a tree of lines, and what shall go wrong with it."""

    hostname: str
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    blocks: dict[str, list[str]] = field(default_factory=dict)
    saved: str = ""
    refuses: str = ""
    hangs_at: str = ""
    drops_at: str = ""
    ignores: str = ""
    full_disk: bool = False
    logins: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    context: str = ""
    configuring: bool = False

    def load(self, text: str) -> Vty:
        """Take a configuration as if it had been typed."""
        for line in text.splitlines():
            if line.strip() not in ("", "!", "end"):
                self._configure(line.strip())
        return self

    def running(self) -> str:
        parts = [f"frr version 8.4.4\nfrr defaults traditional\nhostname {self.hostname}\n"]
        for head, lines in self.blocks.items():
            if not head:
                parts.append("".join(f"{line}\n" for line in lines))
            elif lines:
                parts.append(f"{head}\n" + "".join(f" {line}\n" for line in lines) + "exit\n")
        return "Building configuration...\n\nCurrent configuration:\n!\n" + "!\n".join(parts) + "!\nend\n"

    def prompt(self) -> str:
        return f"{self.hostname}{'(config-if)' if self.context else '(config)' if self.configuring else ''}# "

    def answer(self, line: str) -> str:
        """Return what the device prints for one line."""
        self.typed.append(line)
        if self.configuring:
            return self._configure(line)
        if line == "configure terminal":
            self.configuring = True
            return ""
        if line == "show running-config":
            return self.running()
        if line.startswith("write mem"):
            if self.full_disk:
                return "Building Configuration...\nCan't open configuration file /etc/frr/frr.conf.\n"
            self.saved = self.running()
            return "Building Configuration...\nIntegrated configuration saved to /etc/frr/frr.conf\n[OK]\n"
        return "" if line == "terminal length 0" else "% Unknown command: " + line + "\n"

    def _configure(self, line: str) -> str:
        if self.refuses and self.refuses in line:
            return f"% Unknown command: {line}\n"
        if line == "end":
            self.configuring, self.context = False, ""
        elif line == "exit":
            self.context = ""
        elif line.startswith(("interface ", "router ")):
            self.context = line
            self.blocks.setdefault(line, [])
        elif not (self.ignores and self.ignores in line):
            self._change(line)
        return ""

    def _change(self, line: str) -> None:
        if line.startswith("hostname "):
            self.hostname = line.split()[1]
            return
        if line.startswith("no router "):
            self.blocks.pop(line.removeprefix("no "), None)
            return
        lines = self.blocks.setdefault(self.context, [])
        if line.startswith("no "):
            gone = line.removeprefix("no ")
            lines[:] = [held for held in lines if held != gone and not held.startswith(f"{gone} ")]
            return
        key = next((key for key in OVERWRITTEN if line.startswith(f"{key} ")), line)
        lines[:] = [held for held in lines if held != line and not held.startswith(f"{key} ")]
        lines.append(line)


class _Login(asyncssh.SSHServer):
    def __init__(self, device: Vty, open_ones: set[asyncssh.SSHServerConnection]) -> None:
        self.device, self.open_ones = device, open_ones

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.open_ones.add(conn)

    def password_auth_supported(self) -> bool:
        return True

    def kbdint_auth_supported(self) -> bool:
        return False

    def validate_password(self, username: str, password: str) -> bool:
        self.device.logins.append(username)
        return username == USER and password == self.device.password


async def _converse(device: Vty, process: asyncssh.SSHServerProcess[str]) -> None:
    device.configuring, device.context = False, ""
    process.stdout.write("\r\nThis is a simulation for tests.\r\n" + device.prompt())
    async for raw in process.stdin:
        line = raw.strip()
        process.stdout.write(line + "\r\n")
        if device.hangs_at and device.hangs_at in line:
            await asyncio.sleep(3600)
        if device.drops_at and device.drops_at in line:
            break
        if line == "exit" and not device.configuring:
            break
        process.stdout.write(device.answer(line).replace("\n", "\r\n") + device.prompt())
    process.exit(0)


class Loop:
    """An event loop in a thread, for servers beside blocking clients."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.servers: list[asyncssh.SSHAcceptor] = []
        self.open_ones: set[asyncssh.SSHServerConnection] = set()
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")

    def listen(self, device: Vty, address: str, serve: Callable[[asyncssh.SSHServerProcess[str]], object], port: int = 0) -> int:
        async def start() -> asyncssh.SSHAcceptor:
            return await asyncssh.listen(
                address,
                port,
                server_factory=lambda: _Login(device, self.open_ones),
                process_factory=serve,
                line_editor=False,
                server_host_keys=[self.host_key],
                encoding=None if serve.__name__ == "bridge" else "utf-8",
            )

        server = asyncio.run_coroutine_threadsafe(start(), self.loop).result(60)
        self.servers.append(server)
        return server.get_port()

    def close(self) -> None:
        async def stop() -> None:
            for server in self.servers:
                server.close()
                await server.wait_closed()
            for connection in self.open_ones:
                connection.abort()
                await connection.wait_closed()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()


@dataclass
class Fleet:
    """Virtual devices by the contact address that a plan gives them; each really listens on 127.0.0.0/8."""

    loop: Loop
    ends: dict[IPv4Address, tuple[IPv4Address, int]] = field(default_factory=dict)

    def add(self, hostname: str, password: str, contact: str, text: str) -> Vty:
        """Start one more device with this configuration; it listens from now on."""
        device = Vty(hostname, password).load(text)
        address, port = self.ends.get(IPv4Address(contact)) or self.reserve(contact)

        async def serve(process: asyncssh.SSHServerProcess[str]) -> None:
            await _converse(device, process)

        self.loop.listen(device, str(address), serve, port)
        return device

    def reserve(self, contact: str) -> tuple[IPv4Address, int]:
        """Choose where the device of a contact will listen; nothing does yet."""
        address = f"127.9.{len(self.ends) // 250}.{len(self.ends) % 250 + 1}"
        self.ends[IPv4Address(contact)] = (IPv4Address(address), free_port())
        return self.ends[IPv4Address(contact)]

    def endpoint(self, contact: IPv4Address) -> tuple[IPv4Address, int]:
        """Return where a contact listens; port 9 of loopback, where nothing does, for one that is down."""
        return self.ends.get(contact, (IPv4Address("127.0.0.1"), 9))

    def known_hosts(self, path: Path) -> Path:
        """Write the fleet's host key for every address in OpenSSH's format."""
        key = self.loop.host_key.export_public_key().decode().split()
        lines = [f"[{address}]:{port} {key[0]} {key[1]}\n" for address, port in self.ends.values()]
        path.write_text("".join(lines), encoding="ascii")
        return path


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    loop = Loop()
    yield Fleet(loop)
    loop.close()


FRR_INIT = """
set -e
mount --make-rprivate /
for dir in /run /etc/frr /var/log; do mount -t tmpfs tmpfs $dir; done
install -d -o frr -g frr /run/frr
hostname frr-test
sysctl -qw net.ipv4.ip_forward=1
echo 'service integrated-vtysh-config' > /etc/frr/vtysh.conf
echo 'hostname frr-test' > /etc/frr/frr.conf
chown -R frr:frr /etc/frr
ip link set lo up
for n in 1 2 3 4; do ip link add eth$n type veth peer name far$n; ip link set eth$n up; ip link set far$n up; done
for daemon in zebra staticd ospfd; do /usr/lib/frr/$daemon -d -A 127.0.0.1; done
/usr/lib/frr/watchfrr -d zebra staticd ospfd
vtysh -b
touch /run/ready
exec sleep 7200
"""


@dataclass
class RealFrr:
    """FRR's own daemons in namespaces of their own: no interface of it leads anywhere."""

    pid: int

    def enter(self, *argv: str) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", *argv]

    def vtysh(self, *lines: str) -> str:
        """Run lines through the real vtysh and return what it prints."""
        argv = self.enter("vtysh", *(part for line in lines for part in ("-c", line)))
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    def running(self) -> str:
        return self.vtysh("show running-config")


@pytest.fixture(scope="session")
def real_frr(require_program: Callable[..., None]) -> Iterator[RealFrr]:
    require_program("unshare", "nsenter", "vtysh", "ip")
    if os.geteuid() != 0:
        skip_or_fail("namespaces need root")
    outer = subprocess.Popen(
        ["unshare", "-n", "-m", "-u", "-i", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", FRR_INIT],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield RealFrr(_wait_for_init(outer))
    finally:
        outer.kill()
        outer.wait(60)


def _wait_for_init(outer: subprocess.Popen[bytes]) -> int:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text(encoding="ascii").split()
        if children and Path(f"/proc/{children[0]}/root/run/ready").exists():
            return int(children[0])
        time.sleep(0.05)
    raise RuntimeError("FRR did not start")


@pytest.fixture
def frr_over_ssh(real_frr: RealFrr) -> Iterator[Fleet]:
    """The real FRR, its real vtysh on a pty, reached by SSH on loopback as contact 198.18.0.1; the password is the device's."""
    loop = Loop()

    async def bridge(process: asyncssh.SSHServerProcess[bytes]) -> None:
        await _bridge(real_frr, process)

    device = Vty("frr-test")
    port = loop.listen(device, "127.9.9.9", bridge)
    fleet = Fleet(loop, {IPv4Address("198.18.0.1"): (IPv4Address("127.9.9.9"), port)})
    fleet.device = device  # type: ignore[attr-defined]
    yield fleet
    loop.close()


async def _bridge(frr: RealFrr, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Carry bytes between an SSH session and a vtysh on a pty."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 1000, 511, 0, 0))
    child = subprocess.Popen(frr.enter("vtysh"), stdin=slave, stdout=slave, stderr=slave, start_new_session=True)  # noqa: ASYNC220
    os.close(slave)
    loop = asyncio.get_running_loop()

    def forward() -> None:
        try:
            process.stdout.write(os.read(master, 65536))
        except OSError:
            loop.remove_reader(master)
            process.exit(0)

    loop.add_reader(master, forward)
    try:
        while chunk := await process.stdin.read(4096):
            os.write(master, chunk)
    finally:
        loop.remove_reader(master)
        os.close(master)
        child.kill()
        child.wait(60)
