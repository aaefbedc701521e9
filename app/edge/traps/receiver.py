"""Receive SNMP notifications: v3 informs of anybody who has the user's keys, v3 traps of engines that are known, v2c by choice.

pysnmp judges and answers; nothing reaches it that a look at the first octets can refuse, and no more than its share of
time. It is given our own way to the network and no engine id at birth: so it opens no socket, and keeps no file in a
folder of the system that every user can foretell and write.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from pydantic import SecretStr
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.proto import errind
from pysnmp.proto.rfc1902 import OctetString

from app.core.notifications import NOTIFICATION_RESULTS
from app.edge.traps.drops import DROPS, Drops, dropped
from app.edge.traps.head import Head, read_head
from app.edge.traps.limits import SENDERS_KEPT, Allowance, Limits
from app.errors import Finding, InputError

SNMP_TRAP_OID = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_FRAMEWORK_MIB = "__SNMP-FRAMEWORK-MIB"
_AUTH = {"md5": config.USM_AUTH_HMAC96_MD5, "sha": config.USM_AUTH_HMAC96_SHA, "sha256": config.USM_AUTH_HMAC192_SHA256}
_PRIV = {"aes128": config.USM_PRIV_CFB128_AES, "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL}
#: snmpEngineBoots counts seconds from here to the start: it grows with every start and nothing has to be kept.
BOOTS_EPOCH = 1_577_836_800  # 2020-01-01T00:00Z; good until 2088
#: pysnmp keeps a little of every message that it refuses; after so many it begins anew.
REFUSALS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class TrapUser:
    """SNMPv3 authPriv. `auth`: md5, sha, sha256; `priv`: aes128, aes256."""

    name: str
    auth: str
    auth_password: SecretStr
    priv: str
    priv_password: SecretStr


@dataclass(frozen=True, slots=True)
class Notification:
    """One authentic notification. `kind` is its snmpTrapOID, dotted; `engine_id` the sender's where it was a v3 trap."""

    sender: IPv4Address
    kind: str
    engine_id: bytes | None


class Receiver(asyncio.DatagramProtocol):
    """Listens on one address. `counts` holds a number for each of `NOTIFICATION_RESULTS`."""

    def __init__(
        self,
        place: tuple[str, int],
        engine_id: str,
        user: TrapUser,
        community: SecretStr | None,
        knows_engine: Callable[[bytes], bool],
        accept: Callable[[Notification], str],
        report: Callable[[str], None] = lambda _text: None,
        *,
        counts: Counter[str] | None = None,
        limits: Limits = Limits(),
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to receive; nothing listens yet.

        `engine_id`: ours, hexadecimal. `accept` is given every authentic notification and answers one of
        `NOTIFICATION_RESULTS`; `report` a line for what was dropped; `counts` is where to count, a new one without it.

        Raises:
            InputError: an SNMPv3 algorithm that is not known here.
        """
        _require_algorithms(user)
        self._place, self._engine_id, self._user, self._community = place, bytes.fromhex(engine_id), user, community
        self._knows_engine, self._accept, self._report = knows_engine, accept, report
        self._limits, self._clock_s = limits, clock_s
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.counts.update(dict.fromkeys(NOTIFICATION_RESULTS, 0))
        self._drops = Drops(limits.tell_again_s)
        self._all, self._senders = Allowance(limits.rate, limits.burst), dict[str, Allowance]()
        self._transport: asyncio.DatagramTransport | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._begin_anew()

    async def start(self) -> None:
        """Listen.

        Raises:
            InputError: the address is taken, not ours, or its port is for root alone.
        """
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=self._place)
        except OSError as error:
            raise InputError([_cannot_listen(self._place, error)]) from None
        self._ticking = loop.call_later(1.0, self._tick)

    @property
    def place(self) -> tuple[str, int]:
        """Where it listens: address and UDP port."""
        assert self._transport is not None, "not started"
        host, port = self._transport.get_extra_info("sockname")[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Listen no longer."""
        if self._ticking is not None:
            self._ticking.cancel()
        if self._transport is not None:
            self._transport.close()

    # --- one datagram

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Judge one datagram and count what became of it; a step of the SNMPv3 handshake is not counted."""
        result, found = self._judge(data, addr)
        if result:
            self.counts[result] += 1
            if result in DROPS and (kept := self._drops.note(addr[0], result, self._clock_s())) is not None:
                self._report(dropped(addr[0], result, found, kept))

    def _judge(self, data: bytes, addr: tuple[str, int]) -> tuple[str, str]:
        if len(data) > self._limits.octets:
            return "too_large", f"{len(data)} octets"
        head = read_head(data)
        if head is None or head.version not in (0, 1, 3):
            return "malformed", f"{len(data)} octets that are no SNMP message"
        if head.version != 3 and (refused := self._refuse_community(head)):
            return refused
        if self._is_foreign(head):
            if not self._knows_engine(head.engine_id):
                return "unknown_engine", f"engine 0x{head.engine_id.hex()}"
            if not head.is_private:
                return "wrong_key", "none"  # pysnmp would believe a trap that is neither authenticated nor encrypted
        if not self._has_allowance(addr[0]):
            return "flooded", "more than that"
        if self._is_foreign(head) and head.engine_id not in self._registered:
            self._register(head.engine_id)
        return self._hand_over(data, addr, head)

    def _is_foreign(self, head: Head) -> bool:
        """Tell whether the sender's own engine vouches for the message: a v3 trap, where an inform names ours."""
        return head.engine_id not in (b"", self._engine_id)

    def _refuse_community(self, head: Head) -> tuple[str, str] | None:
        if self._community is None:
            return "refused_version", "SNMPv1" if head.version == 0 else "SNMPv2c"
        if not hmac.compare_digest(head.community, self._community.get_secret_value().encode()):
            return "wrong_community", "another"
        return None

    def _has_allowance(self, sender: str) -> bool:
        now = self._clock_s()
        if len(self._senders) >= SENDERS_KEPT:
            self._senders.clear()
        each = self._senders.setdefault(sender, Allowance(self._limits.sender_rate, self._limits.sender_burst))
        return each.take(now) and self._all.take(now)

    def _hand_over(self, data: bytes, addr: tuple[str, int], head: Head) -> tuple[str, str]:
        """Let pysnmp judge. It calls back before it returns, with a notification or with what was wrong."""
        if self._refusals >= REFUSALS_KEPT:
            self._begin_anew()
        self._outcome, self._head, self._sender = ("malformed", "no notification in it"), head, IPv4Address(addr[0])
        try:
            self._receive(self._way, udp.DOMAIN_NAME, udp.UdpTransportAddress(addr), data)
        except Exception as error:  # noqa: BLE001 - pysnmp and pyasn1 raise whatever comes to mind at a stranger's octets
            self._outcome = ("malformed", f"octets that end in {type(error).__name__}")
        if self._outcome[0] not in ("accepted", "coalesced", "ignored"):
            self._refusals += 1
        return self._outcome

    def _on_notification(self, _engine: Any, _state: Any, _context: Any, _name: Any, varbinds: Any, _ours: Any) -> None:
        kind = next((str(value.prettyPrint()) for oid, value in varbinds if tuple(oid) == SNMP_TRAP_OID), "")
        engine_id = self._head.engine_id if self._is_foreign(self._head) else None
        result = self._accept(Notification(self._sender, kind, engine_id))
        self._outcome = (result, f"one of {kind}")

    def _on_refusal(self, _engine: Any, _point: Any, variables: Any, _ours: Any) -> None:
        reason = variables["statusInformation"].get("errorIndication")
        if isinstance(reason, errind.UnknownEngineID | errind.NotInTimeWindow):
            self._outcome = ("", "")  # how an inform begins: its sender asks for our engine and for our clock
        elif isinstance(reason, errind.UnknownSecurityName):
            self._outcome = ("unknown_user", "another user")
        elif isinstance(reason, errind.AuthenticationFailure | errind.DecryptionError | errind.UnsupportedSecurityLevel):
            self._outcome = ("wrong_key", str(reason))

    # --- pysnmp

    def _begin_anew(self) -> None:
        """Build the engine. Under the same id it must have started more often than the one before (RFC 3414 §2.2.2)."""
        made = engine.SnmpEngine()
        number, boots = made.get_mib_builder().import_symbols(_FRAMEWORK_MIB, "snmpEngineID", "snmpEngineBoots")
        made.snmpEngineID = number.syntax = number.syntax.clone(self._engine_id)
        boots.syntax = boots.syntax.clone(int(time.time()) - BOOTS_EPOCH)
        self._engine, self._way = made, _Way(self._send)
        made.register_transport_dispatcher(self._way)
        self._receive = self._way.receive
        self._refusals, self._registered = 0, set[bytes]()
        auth, priv = _AUTH[self._user.auth], _PRIV[self._user.priv]
        secret = OctetString(self._user.auth_password.get_secret_value()), OctetString(self._user.priv_password.get_secret_value())
        self._keys = config.AUTH_SERVICES[auth].hash_passphrase(secret[0]), config.PRIV_SERVICES[priv].hash_passphrase(auth, secret[1])
        self._register(self._engine_id)
        if self._community is not None:
            config.add_v1_system(made, "notifications", self._community.get_secret_value())
        ntfrcv.NotificationReceiver(made, self._on_notification)
        made.observer.register_observer(self._on_refusal, "rfc3412.prepareDataElements:sm-failure")

    def _register(self, engine_id: bytes) -> None:
        """Make the user's keys for an engine, some milliseconds: only for engines that do send."""
        config.add_v3_user(
            self._engine,
            self._user.name,
            _AUTH[self._user.auth],
            self._keys[0],
            _PRIV[self._user.priv],
            self._keys[1],
            securityEngineId=OctetString(engine_id),
            authKeyType=config.USM_KEY_TYPE_MASTER,
            privKeyType=config.USM_KEY_TYPE_MASTER,
        )
        self._registered.add(engine_id)

    def _send(self, octets: bytes, address: tuple[str, int]) -> None:
        if self._transport is not None:
            self._transport.sendto(octets, (str(address[0]), int(address[1])))

    def _tick(self) -> None:
        self._way.tick(time.time())
        self._ticking = asyncio.get_running_loop().call_later(1.0, self._tick)


class _Way:
    """What pysnmp takes for its transport dispatcher: it hands answers to `send` and leaves its callbacks here."""

    def __init__(self, send: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._send = send
        self.receive: Callable[[_Way, object, object, bytes], object] = lambda *_: None
        self.tick: Callable[[float], object] = lambda _: None

    def register_recv_callback(self, callback: Callable[..., object], _recv_id: object = None) -> None:
        self.receive = callback

    def register_timer_callback(self, callback: Callable[[float], object]) -> None:
        self.tick = callback

    def get_timer_resolution(self) -> float:
        return 1.0

    def send_message(self, octets: bytes, _domain: object, address: tuple[str, int]) -> None:
        self._send(octets, address)


def _cannot_listen(place: tuple[str, int], error: OSError) -> Finding:
    step = "Set WAIWANG_TRAP_LISTEN to an address and port of this machine (ports below 1024 want root), or to off."
    found = error.strerror or str(error)
    return Finding(f"{place[0]}:{place[1]}", "listen for SNMP notifications", "a free address of this machine", found, step)


def _require_algorithms(user: TrapUser) -> None:
    for what, given, known in (("snmp_auth", user.auth, _AUTH), ("snmp_priv", user.priv, _PRIV)):
        if given not in known:
            step = "Correct ipplan/plan.yaml."
            raise InputError([Finding("ipplan/plan.yaml", what, f"one of {', '.join(known)}", given, step)])
