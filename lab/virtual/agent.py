"""An SNMP agent over one virtual device: datagram in, datagrams out, v2c and v3. The clock is an argument; no sockets here."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from lab.virtual import ber, usm
from lab.virtual.device import VirtualDevice
from lab.virtual.facts import SnmpUser, communities, snmp_users
from lab.virtual.mib import View
from lab.virtual.network import VirtualNetwork
from lab.virtual.usm import AUTH, PRIV, Keys, Message

GET, GETNEXT, RESPONSE, SET, GETBULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8
GENERAL_ERROR, NOT_WRITABLE, AUTHORIZATION_ERROR = 5, 17, 16
BULK_OCTETS = 1300
STATS = ber.dotted("1.3.6.1.6.3.15.1.1")
UNSUPPORTED_LEVEL, NOT_IN_WINDOW, UNKNOWN_USER, UNKNOWN_ENGINE, WRONG_DIGEST, DECRYPTION_ERROR = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True, slots=True)
class Reply:
    """A datagram to send, after `delay_s`; `stray` means from another address than the one that was asked."""

    payload: bytes
    delay_s: float = 0.0
    stray: bool = False


@dataclass(frozen=True, slots=True)
class Pdu:
    """A request: its kind, number, the two numbers that mean repeats in GETBULK, and its names."""

    kind: int
    number: int
    first: int
    second: int
    names: tuple[ber.Name, ...]
    varbinds: bytes


def parse_pdu(text: bytes) -> Pdu:
    """Take a PDU apart. Raises Malformed."""
    kind, at, _ = ber.head(text, 0)
    number, at = ber.read_int(text, at)
    first, at = ber.read_int(text, at)
    second, at = ber.read_int(text, at)
    start, end = ber.expect(text, at, ber.SEQUENCE)
    names: list[ber.Name] = []
    place = start
    while place < end:
        inner, place = ber.expect(text, place, ber.SEQUENCE)
        name, stop = ber.expect(text, inner, ber.OID)
        names.append(ber.arcs_of(text[name:stop]))
    return Pdu(kind, number, first, second, tuple(names), text[start:end])


def build_pdu(kind: int, number: int, varbinds: bytes, error: int = 0, index: int = 0) -> bytes:
    return ber.tlv(kind, ber.integer(number) + ber.integer(error) + ber.integer(index) + ber.tlv(ber.SEQUENCE, varbinds))


def engine_of(device: VirtualDevice) -> bytes:
    """Return the engine id of a device: its vendor's number and eight octets drawn from its name (RFC 3411, format 5)."""
    vendor = int(device.grammar.sys_object_id.split(".")[6])
    return (vendor | 0x80000000).to_bytes(4) + b"\x05" + hashlib.sha256(device.spec.name.encode()).digest()[:8]


class Agent:
    """Answers for one device. Users and communities are those of its configuration and of its description."""

    __slots__ = ("_communities", "_counts", "_network", "_users", "_version", "device", "engine_id", "view")

    def __init__(self, network: VirtualNetwork, device: VirtualDevice) -> None:
        self._network, self.device = network, device
        self.engine_id = engine_of(device)
        self.view = View(network, device, self.engine_id)
        self._version = -1
        self._users: dict[bytes, SnmpUser] = {}
        self._communities: frozenset[bytes] = frozenset()
        self._counts: dict[int, int] = {}

    def answer(self, datagram: bytes, now_s: float) -> tuple[Reply, ...]:
        """Return what to send for a datagram; nothing for what an agent ignores. Plays the device's faults."""
        faults = self.device.snmp_faults
        if faults.kind == "dead":
            return ()
        try:
            payload = self.respond(datagram, now_s, faults.kind)
        except ber.Malformed:
            return ()
        if payload is None:
            return ()
        if not faults.kind:
            return (Reply(payload),)
        return _twisted(payload, faults.kind, faults.delay_s)

    def respond(self, datagram: bytes, now_s: float, fault: str = "") -> bytes | None:
        """Return the answer to a well-formed message, None where there is none. Raises Malformed."""
        self._follow()
        at, _ = ber.expect(datagram, 0, ber.SEQUENCE)
        version, at = ber.read_int(datagram, at)
        if version == 3:
            return self._respond_v3(datagram, now_s, fault)
        community, at = ber.read_octets(datagram, at)
        if version != 1 or community not in self._communities:
            return None
        pdu = self._serve(parse_pdu(datagram[at:]), now_s, fault)
        return None if pdu is None else ber.tlv(ber.SEQUENCE, ber.integer(1) + ber.octets(community) + pdu)

    def _follow(self) -> None:
        """Follow the configuration: interfaces, users, communities."""
        self.view.refresh()
        device = self.device
        if self._version == device.version:
            return
        self._version = device.version
        running, vault = device.state.running, device.state.vault
        users = (*device.spec.snmp_users, *snmp_users(device.grammar, running, vault))
        self._users = {user.name.encode(): user for user in users}
        named = (*device.spec.communities, *communities(device.grammar, running, vault))
        self._communities = frozenset(name.encode() for name in named)

    # --- v3 ---

    def keys(self, user: SnmpUser) -> Keys:
        return usm.keys_of(user.auth, user.auth_secret, user.priv, user.priv_secret, self.engine_id)

    def user(self, name: str) -> SnmpUser | None:
        """Return a user by name, None where the device knows none."""
        self._follow()
        return self._users.get(name.encode())

    def first_user(self) -> SnmpUser | None:
        """Return the user that notifications go out as."""
        self._follow()
        return next(iter(self._users.values()), None)

    def time_s(self, now_s: float) -> int:
        return self.view.ticks(now_s) // 100

    def _respond_v3(self, datagram: bytes, now_s: float, fault: str) -> bytes | None:
        message = usm.parse(datagram)
        if message.engine != self.engine_id:
            return self._report(message, UNKNOWN_ENGINE, now_s)
        user = self._users.get(message.user)
        if user is None:
            return self._report(message, UNKNOWN_USER, now_s)
        keys = self.keys(user)
        if (message.flags & AUTH and not keys.auth) or (message.flags & PRIV and not keys.priv):
            return self._report(message, UNSUPPORTED_LEVEL, now_s)
        if message.flags & AUTH:
            if not usm.is_authentic(datagram, message, keys):
                return self._report(message, WRONG_DIGEST, now_s)
            if message.boots != self.device.boots or abs(message.time_s - self.time_s(now_s)) > usm.WINDOW_S:
                return self._report(message, NOT_IN_WINDOW, now_s, keys)
        scoped = usm.decrypt(message, keys) if message.flags & PRIV else message.body
        try:
            request = parse_pdu(usm.read_scoped(scoped))
        except ber.Malformed:
            return self._report(message, DECRYPTION_ERROR, now_s)
        wanted = (AUTH if keys.auth else 0) | (PRIV if keys.priv else 0)
        if message.flags & 3 != wanted:
            pdu: bytes | None = build_pdu(RESPONSE, request.number, request.varbinds, AUTHORIZATION_ERROR)
        else:
            pdu = self._serve(request, now_s, fault)
        return None if pdu is None else self._sealed(message, pdu, message.flags & 3, keys, now_s)

    def _report(self, message: Message, counter: int, now_s: float, keys: Keys | None = None) -> bytes | None:
        """Return a report that names the counter, signed where keys are given; none where the sender does not want one."""
        if not message.flags & usm.REPORTABLE:
            return None
        self._counts[counter] = self._counts.get(counter, 0) + 1
        varbind = ber.tlv(ber.SEQUENCE, ber.name((*STATS, counter, 0)) + ber.unsigned(self._counts[counter], ber.COUNTER32))
        pdu = build_pdu(REPORT, _request_number(message), varbind)
        return self._sealed(message, pdu, AUTH if keys else 0, keys or Keys(), now_s)

    def _sealed(self, message: Message, pdu: bytes, flags: int, keys: Keys, now_s: float) -> bytes:
        return usm.build(
            usm.scoped_pdu(self.engine_id, pdu),
            number=message.number,
            flags=flags,
            engine=self.engine_id,
            boots=self.device.boots,
            time_s=self.time_s(now_s),
            user=message.user,
            keys=keys,
        )

    # --- requests ---

    def _serve(self, request: Pdu, now_s: float, fault: str) -> bytes | None:
        """Answer a request; what is no request is ignored."""
        if request.kind == SET:
            return build_pdu(RESPONSE, request.number, request.varbinds, NOT_WRITABLE, 1)
        if request.kind not in (GET, GETNEXT, GETBULK):
            return None
        if fault == "general_error":
            return build_pdu(RESPONSE, request.number, request.varbinds, GENERAL_ERROR, 1)
        if request.kind == GET:
            found = [self._exact(name, now_s) for name in request.names]
        elif request.kind == GETNEXT:
            found = [self._next(name, now_s, fault)[1] for name in request.names]
        else:
            found = self._bulk(request, now_s, fault)
        if fault == "missing_variable":
            found = found[:-1]
        elif fault == "out_of_order":
            found.reverse()
        elif fault == "huge":
            found.append(ber.tlv(ber.SEQUENCE, ber.name((*STATS, 99, 0)) + ber.octets(bytes(60000))))
        number = request.number + 1 if fault == "wrong_request_id" else request.number
        return build_pdu(RESPONSE, number, b"".join(found))

    def _exact(self, name: ber.Name, now_s: float) -> bytes:
        shape = self.view.shape
        number = shape.place.get(name)
        if number is not None:
            return self.view.varbind(number, now_s)
        following = shape.after(name[:-1])
        known = following is not None and shape.keys[following][: len(name) - 1] == name[:-1]
        return ber.tlv(ber.SEQUENCE, ber.name(name) + (ber.NO_SUCH_INSTANCE if known else ber.NO_SUCH_OBJECT))

    def _next(self, name: ber.Name, now_s: float, fault: str) -> tuple[ber.Name, bytes]:
        """Return the name and the element that follow; a looping agent starts over in the middle of its view."""
        shape = self.view.shape
        number = shape.after(name)
        if fault == "looping" and number is not None and number > len(shape.keys) // 2:
            number = 0
        if number is None:
            return name, ber.tlv(ber.SEQUENCE, ber.name(name) + ber.END_OF_VIEW)
        return shape.keys[number], self.view.varbind(number, now_s)

    def _bulk(self, request: Pdu, now_s: float, fault: str) -> list[bytes]:
        """Answer GETBULK: `first` names once, the others `second` times, as far as a datagram of one frame goes."""
        single, repeated = request.names[: max(0, request.first)], list(request.names[max(0, request.first) :])
        found = [self._next(name, now_s, fault)[1] for name in single]
        size = sum(map(len, found))
        for _ in range(max(0, request.second)):
            ended = True
            for place, name in enumerate(repeated):
                repeated[place], element = self._next(name, now_s, fault)
                size += len(element)
                if size > BULK_OCTETS and found:
                    return found
                found.append(element)
                ended = ended and repeated[place] == name
            if ended:
                break
        return found


def _request_number(message: Message) -> int:
    """Return the request's number where it can be read (RFC 3412 §7.1.3c), else zero."""
    if message.flags & PRIV:
        return 0
    try:
        return parse_pdu(usm.read_scoped(message.body)).number
    except ber.Malformed:
        return 0


def _twisted(payload: bytes, fault: str, delay_s: float) -> tuple[Reply, ...]:
    """Return the replies of an agent with a fault of its transport."""
    if fault == "truncated":
        return (Reply(payload[: len(payload) // 2]),)
    if fault == "late":
        return (Reply(payload, delay_s=delay_s),)
    if fault == "wrong_source":
        return (Reply(payload, stray=True),)
    if fault == "duplicate":
        return (Reply(payload), Reply(payload))
    if fault == "noise":
        return (Reply(os.urandom(48)), Reply(payload))
    return (Reply(payload),)
