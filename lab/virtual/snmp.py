"""SNMP in front of the virtual devices: one UDP socket for each loopback address, and notifications to one loopback receiver.

A socket per address, not one for all: a socket bound to 0.0.0.0 would answer from outside on a machine with an uplink.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from app.errors import LabError
from lab.virtual import ber, usm
from lab.virtual.agent import RESPONSE, Agent, Reply, build_pdu, parse_pdu
from lab.virtual.facts import SnmpUser
from lab.virtual.network import PortChange, VirtualNetwork, forget
from lab.virtual.usm import AUTH, PRIV, REPORTABLE, Keys

INFORM, TRAP = 0xA6, 0xA7
TRAP_OID = ber.dotted("1.3.6.1.6.3.1.1.4.1.0")
UPTIME = ber.dotted("1.3.6.1.2.1.1.3.0")
COLD_START, LINK_DOWN, LINK_UP = (ber.dotted(f"1.3.6.1.6.3.1.1.5.{number}") for number in (1, 3, 4))
IF_INDEX, IF_DESCR, IF_ADMIN, IF_OPER = (ber.dotted(f"1.3.6.1.2.1.2.2.1.{column}") for column in (1, 2, 7, 8))
BURST = 64
SPARE_FILES = 256


@dataclass(frozen=True, slots=True)
class Notify:
    """Where notifications go. `inform` asks for an answer and is repeated without one; version 3 uses the device's first user."""

    host: str
    port: int
    version: str = "3"
    inform: bool = False
    community: str = ""
    timeout_s: float = 1.0
    tries: int = 3


class SnmpServer:
    """All agents of a network."""

    def __init__(self, network: VirtualNetwork, port: int = 1161) -> None:
        self.network, self.port = network, port
        self.agents = {name: Agent(network, device) for name, device in network.devices.items()}
        self._sockets: list[socket.socket] = []
        self._stray: socket.socket | None = None

    def start(self) -> None:
        """Bind every address on the running loop. Raises LabError where one is taken or too few files may be open."""
        places = self.network.places()
        allow_files(len(places))
        loop = asyncio.get_running_loop()
        self._stray = _bound("127.0.0.1", 0)
        for address, (name, _) in places.items():
            listener = _bound(address, self.port)
            self._sockets.append(listener)
            loop.add_reader(listener.fileno(), partial(self._receive, listener, address, self.agents[name]))

    def stop(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._sockets:
            loop.remove_reader(listener.fileno())
            listener.close()
        self._sockets.clear()
        if self._stray is not None:
            self._stray.close()
            self._stray = None

    def _receive(self, listener: socket.socket, address: str, agent: Agent) -> None:
        """Answer what has arrived, a burst at a time so that no agent starves the others."""
        for _ in range(BURST):
            try:
                datagram, peer = listener.recvfrom(65535)
            except (BlockingIOError, ConnectionError):
                return
            if not self.network.answers(address):
                continue
            for reply in agent.answer(datagram, self.network.clock()):
                self._send(listener, reply, peer)

    def _send(self, listener: socket.socket, reply: Reply, peer: tuple[str, int]) -> None:
        source = self._stray if reply.stray and self._stray is not None else listener
        if reply.delay_s:
            asyncio.get_running_loop().call_later(reply.delay_s, _send_now, source, reply.payload, peer)
        else:
            _send_now(source, reply.payload, peer)


def _send_now(source: socket.socket, payload: bytes, peer: tuple[str, int]) -> None:
    """Send and forget: a full buffer or a closed socket loses a datagram, as networks do."""
    if source.fileno() < 0:
        return
    try:
        source.sendto(payload, peer)
    except OSError:
        return


def _bound(address: str, port: int) -> socket.socket:
    """Return a datagram socket on a loopback address. Raises LabError for any other address, and where the port is taken."""
    if not ip_address(address).is_loopback:
        raise LabError(f"{address}: virtual agents answer on 127.0.0.0/8 only. Use an address of the network's own map.")
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setblocking(False)
    try:
        listener.bind((address, port))
    except OSError as fault:
        listener.close()
        raise LabError(
            f"{address}:{port}: virtual SNMP: expected a free port; found {fault.strerror}. Choose another, or end what holds it."
        ) from fault
    return listener


def allow_files(wanted: int) -> None:
    """Raise this process's limit of open files to what is wanted. Raises LabError where the machine allows fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise LabError(
            f"virtual network: open files: expected at least {needed} allowed; found {hard}. Raise it (ulimit -Hn {needed}), or take fewer."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


class Notifier:
    """Sends a notification for every change of an interface and every restart, as far as the device still reaches the centre."""

    def __init__(self, network: VirtualNetwork, agents: dict[str, Agent], target: Notify) -> None:
        if not ip_address(target.host).is_loopback:
            raise LabError(f"{target.host}: notifications of virtual devices go to 127.0.0.0/8 only. Name a receiver there.")
        self.network, self.agents, self.target = network, agents, target
        self.unanswered = 0
        self._number = 1
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self.network.on_port.append(self._on_port)
        self.network.on_reboot.append(self._on_reboot)

    async def stop(self) -> None:
        """Send nothing more; harmless where nothing was started."""
        forget(self.network.on_port, self._on_port)
        forget(self.network.on_reboot, self._on_reboot)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_port(self, change: PortChange) -> None:
        device = self.network.devices[change.device]
        index = device.index[change.interface]
        states = ber.integer(1 if device.is_admin_up(change.interface) else 2), ber.integer(1 if change.up else 2)
        extra = (
            ((*IF_INDEX, index), ber.integer(index)),
            ((*IF_ADMIN, index), states[0]),
            ((*IF_OPER, index), states[1]),
            ((*IF_DESCR, index), ber.octets(change.interface.encode())),
        )
        self._spawn(change.device, LINK_UP if change.up else LINK_DOWN, extra)

    def _on_reboot(self, name: str) -> None:
        self._spawn(name, COLD_START, ())

    def _spawn(self, name: str, kind: ber.Name, extra: tuple[tuple[ber.Name, bytes], ...]) -> None:
        address = next((place for place in self.network.addresses_of(name) if self.network.answers(place)), None)
        if address is None:
            return
        agent, now_s = self.agents[name], self.network.clock()
        pairs = ((UPTIME, ber.unsigned(agent.view.ticks(now_s), ber.TICKS)), (TRAP_OID, ber.name(kind)), *extra)
        varbinds = b"".join(ber.tlv(ber.SEQUENCE, ber.name(oid) + value) for oid, value in pairs)
        task = asyncio.get_running_loop().create_task(self._notify(agent, address, varbinds, now_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self, agent: Agent, address: str, varbinds: bytes, now_s: float) -> None:
        self._number += 1
        number, target = self._number, self.target
        pdu = build_pdu(INFORM if target.inform else TRAP, number, varbinds)
        user = agent.first_user()
        with _bound(address, 0) as sender:
            sender.connect((target.host, target.port))
            if target.version == "2c":
                payload = ber.tlv(ber.SEQUENCE, ber.integer(1) + ber.octets(target.community.encode()) + pdu)
                await self._deliver(sender, payload, None)
            elif user is not None and target.inform:
                await self._inform(sender, user, pdu, number)
            elif user is not None:
                await self._deliver(sender, _trap_v3(agent, user, pdu, number, now_s), None)

    async def _deliver(self, sender: socket.socket, payload: bytes, number: int | None) -> bytes | None:
        """Send; where an answer is due, wait for it and send again without one. Return the answer."""
        loop = asyncio.get_running_loop()
        due = self.target.inform or number is not None
        for _ in range(self.target.tries if due else 1):
            try:
                await loop.sock_sendall(sender, payload)
                if not due:
                    return None
                return await asyncio.wait_for(loop.sock_recv(sender, 65535), self.target.timeout_s)
            except (TimeoutError, ConnectionError):
                continue
        self.unanswered += 1
        return None

    async def _inform(self, sender: socket.socket, user: SnmpUser, pdu: bytes, number: int) -> None:
        """Ask the receiver for its engine, then inform it under that engine's keys (RFC 3414 §4)."""
        hello = usm.build(
            usm.scoped_pdu(b"", build_pdu(0xA0, number, b"")),
            number=number, flags=REPORTABLE, engine=b"", boots=0, time_s=0, user=b"", keys=Keys(),
        )  # fmt: skip
        found = await self._deliver(sender, hello, number)
        if found is None:
            return
        try:
            there = usm.parse(found)
            for attempt in range(2):
                keys = usm.keys_of(user.auth, user.auth_secret, user.priv, user.priv_secret, there.engine)
                sealed = usm.build(
                    usm.scoped_pdu(there.engine, pdu),
                    number=number + attempt, flags=_level(keys) | REPORTABLE, engine=there.engine,
                    boots=there.boots, time_s=there.time_s, user=user.name.encode(), keys=keys,
                )  # fmt: skip
                answer = await self._deliver(sender, sealed, number)
                if answer is None or _is_response(answer, keys):
                    return
                # Not in the time window: the report carries the receiver's own clock; ask again under it.
                there = usm.parse(answer)
            self.unanswered += 1
        except ber.Malformed:
            self.unanswered += 1


def _level(keys: Keys) -> int:
    return (AUTH if keys.auth else 0) | (PRIV if keys.priv else 0)


def _is_response(answer: bytes, keys: Keys) -> bool:
    message = usm.parse(answer)
    scoped = usm.decrypt(message, keys) if message.flags & PRIV else message.body
    return parse_pdu(usm.read_scoped(scoped)).kind == RESPONSE


def _trap_v3(agent: Agent, user: SnmpUser, pdu: bytes, number: int, now_s: float) -> bytes:
    """Return a trap under the device's own engine: the receiver must know that engine beforehand."""
    keys = agent.keys(user)
    return usm.build(
        usm.scoped_pdu(agent.engine_id, pdu),
        number=number, flags=_level(keys), engine=agent.engine_id,
        boots=agent.device.boots, time_s=agent.time_s(now_s), user=user.name.encode(), keys=keys,
    )  # fmt: skip
