"""A whole virtual network on the air: SSH, SNMP and notifications on 127.0.0.0/8, in the caller's loop or in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

from app.errors import LabError
from lab.virtual.network import VirtualNetwork
from lab.virtual.snmp import Notifier, Notify, SnmpServer, allow_files
from lab.virtual.ssh import SshServer

T = TypeVar("T")
TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """Where and for whom a network is served. `accounts`: user → password; `notify`: where notifications go, None for nowhere."""

    accounts: Mapping[str, str]
    ssh_port: int = 2222
    snmp_port: int = 1161
    notify: Notify | None = None


class Simulation:
    """The servers of one network. Start and stop it on the loop that shall carry it."""

    def __init__(self, network: VirtualNetwork, service: Service) -> None:
        self.network, self.service = network, service
        self.ssh = SshServer(network, service.accounts, service.ssh_port)
        self.snmp = SnmpServer(network, service.snmp_port)
        self.notifier = Notifier(network, self.snmp.agents, service.notify) if service.notify else None
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open every listener. Raises LabError where a port is taken or too few files may be open."""
        allow_files(2 * len(self.snmp.network.places()))
        self.snmp.start()
        await self.ssh.start()
        if self.notifier is not None:
            self.notifier.start()
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def stop(self) -> None:
        """Close whatever was opened, also after a start that failed half-way."""
        if self._ticking is not None:
            self._ticking.cancel()
        if self.notifier is not None:
            await self.notifier.stop()
        await self.ssh.stop()
        self.snmp.stop()

    def ssh_endpoint(self, contact: IPv4Address) -> tuple[IPv4Address, int]:
        """Return where the device of a contact address listens. Raises LabError where no device has it."""
        return self._endpoint(contact, self.service.ssh_port)

    def snmp_endpoint(self, contact: IPv4Address) -> tuple[IPv4Address, int]:
        """Return where the agent of a contact address answers. Raises LabError where no device has it."""
        return self._endpoint(contact, self.service.snmp_port)

    def _endpoint(self, contact: IPv4Address, port: int) -> tuple[IPv4Address, int]:
        try:
            return IPv4Address(self.network.address_of(contact)), port
        except KeyError:
            step = "Build the virtual network from this very plan."
            raise LabError(f"{contact}: expected the contact address of a virtual device; found none. {step}") from None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.network.tick()


class Carrier:
    """A simulation in a thread of its own; every touch of the network goes through `call`."""

    def __init__(self, simulation: Simulation, loop: asyncio.AbstractEventLoop) -> None:
        self.simulation, self.network, self._loop = simulation, simulation.network, loop

    def call(self, deed: Callable[[], T]) -> T:
        """Run a deed on the thread that owns the network and return its result."""

        async def run() -> T:
            return deed()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(120)


@contextmanager
def served(network: VirtualNetwork, service: Service) -> Iterator[Carrier]:
    """Serve a network in a thread until the block ends. Raises LabError where it cannot start."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="virtual-network", daemon=True)
    thread.start()
    try:
        simulation = asyncio.run_coroutine_threadsafe(_build(network, service), loop).result(120)
        try:
            yield Carrier(simulation, loop)
        finally:
            asyncio.run_coroutine_threadsafe(simulation.stop(), loop).result(120)
    finally:
        asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result(120)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


async def _build(network: VirtualNetwork, service: Service) -> Simulation:
    simulation = Simulation(network, service)
    try:
        await simulation.start()
    except BaseException:
        await simulation.stop()
        raise
    return simulation


async def _end_tasks() -> None:
    """Let connections that were ended say so, then cancel what still waits."""
    await asyncio.sleep(0.05)
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.sleep(0.05)


class _Ports:
    """Ports that no other process is given: below those that the kernel hands out by itself, in blocks that one process claims.

    A port that was only seen to be free may be another's before anything listens on it: every connection that is opened takes
    one of the kernel's own, and virtual devices of two runs answer at the same addresses.
    """

    FIRST, BLOCKS, SIZE = 20000, 60, 200
    #: Nothing of ours answers here; a socket bound to it claims a block, and the kernel closes it with the process.
    CLAIMS = "127.255.255.253"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[int] = []

    def next(self, kind: socket.SocketKind) -> int:
        with self._lock:
            while True:
                if not self._left:
                    self._left = self._claim()
                port = self._left.pop()
                with socket.socket(type=kind) as probe, suppress(OSError):
                    probe.bind(("127.0.0.1", port))
                    return port

    def _claim(self) -> list[int]:
        """Return the ports of a block that is this process's from now on. Raises LabError where others hold every one."""
        start = os.getpid() % self.BLOCKS
        for number in range(start, start + self.BLOCKS):
            first = self.FIRST + number % self.BLOCKS * self.SIZE
            claim = socket.socket(type=socket.SOCK_DGRAM)
            try:
                claim.bind((self.CLAIMS, first))
            except OSError:
                claim.close()
                continue
            claim.detach()  # it stays open
            return list(range(first, first + self.SIZE))
        last = self.FIRST + self.BLOCKS * self.SIZE
        raise LabError(f"ports {self.FIRST} to {last}: expected a block of {self.SIZE} that nobody holds; found none. End other runs.")


_ports = _Ports()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that nothing listens on at 127.0.0.1 and that no other run of ours is given. Raises LabError where none is left."""
    return _ports.next(kind)
