"""Ports of one device by SNMP: a thin wrapper over gufo_snmp that covers what gufo_snmp 0.13 leaves open.

gufo asks once, swallows an error-status (an empty reply), fails on one undecodable datagram and on a reply above its
4 KB buffer, walks a looping agent for ever, keeps a dead SNMPv3 session after the agent restarted, and leaves out missing
variables in silence. Here: retries with growing patience, bad datagrams are read over, GETs are cut into pieces that
shrink on demand, walks end, a session is renewed before the device is given up, and what is missing is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from gufo.snmp import SnmpAuthError, SnmpError, ValueType
from gufo.snmp._fast import GetIter

from app.edge.snmp.ports import (
    IF_NAME,
    NARROW_COLUMNS,
    SYS_NAME,
    SYS_UPTIME,
    WIDE_COLUMNS,
    DeviceReading,
    build_port,
    integer_of,
    port_oids,
    row_of,
    text_of,
)
from app.edge.snmp.session import Community, Session, Target, UsmUser, build_session, build_user
from app.errors import DeviceError

T = TypeVar("T")

#: Variables in one GET: with four descriptions of 255 octets the reply stays below 2 KB.
GET_VARIABLES = 40
#: Rows asked for at each step of a walk; the later ones where a reply was too large.
WALK_REPETITIONS = (25, 5, 1)
#: Steps after which a walk ends whatever the agent says.
WALK_LIMIT = 2000
#: An SNMPv3 session idle for longer is renewed: the agent's window is 150 s (RFC 3414 §2.2.3).
SESSION_IDLE_S = 100.0


class _Silent(Exception):
    """No answer at all."""


class _WrongKey(Exception):
    """The agent is there and refuses us."""


class _Faulty(Exception):
    """The agent answers, and nothing of it can be used."""


class _Garbled(Exception):
    """Something came back that cannot be decoded: noise, or a reply that is too large."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What an agent answered whole: ifIndex by interface, the ifName of each, and the questions, cut to what it can bear."""

    index: Mapping[str, int]
    names: Mapping[str, ValueType]
    questions: tuple[list[str], ...]


class Agent:
    """One device's SNMP agent. Keeps its session, the size of GETs that it can bear, and its questions from poll to poll."""

    def __init__(self, target: Target, credentials: Community | UsmUser) -> None:
        """Prepare to ask; nothing is sent yet.

        Raises:
            InputError: an SNMPv3 algorithm that is not known here.
        """
        if isinstance(credentials, UsmUser):
            build_user(credentials)
        self.target, self._credentials = target, credentials
        self._session: Session | None = None
        self._used_at = 0.0
        self._variables = GET_VARIABLES
        self._patience_s: Sequence[float] = (1.0,)
        self._tried = 0
        self._refused = False
        self._known: _Known | None = None

    async def read_ports(
        self,
        interfaces: Sequence[str],
        index: Mapping[str, int],
        clock: Callable[[], datetime],
        patience_s: Sequence[float] = (1.0, 1.0, 2.0),
        *,
        tried: int = 0,
    ) -> DeviceReading:
        """Read the named interfaces.

        `index`: the ifIndex map of the reading before; it is checked against ifName and made anew where it moved.
        `patience_s`: seconds to wait at each try of one question, of which `tried` were made in vain already.
        """
        self._patience_s, self._tried = patience_s[tried:], tried
        self._known, self._refused = None, False
        device = self.target.device
        try:
            return await self._read_known(tuple(interfaces), index, clock)
        except _Silent as error:
            answer, reason = "silent", str(error)
        except _WrongKey as error:
            answer, reason = "wrong_key", str(error)
        except _Faulty as error:
            answer, reason = "faulty", str(error)
        except _Garbled:
            answer, reason = "faulty", "its replies cannot be decoded"
        self.close()
        return DeviceReading(device, clock(), answer, reason, index=index)

    def known_questions(self) -> Sequence[list[str]]:
        """Return what the last reading asked, to be put again at once; none where it was not whole or its session cannot be used."""
        if self._known is None or self._session is None or self._is_stale():
            return ()
        return self._known.questions

    def put(self, question: list[str], tell: Callable[[object], None]) -> None:
        """Put one of the known questions without waiting; `tell` is given the answer, or the error that came in its place.

        Raises:
            OSError: the question could not be sent.
        """
        assert self._session is not None
        self._session.put(question, tell)

    def expire(self) -> None:
        """Tell who waits for the answer to a question that it did not come."""
        if self._session is not None:
            self._session.expire()

    def forget(self) -> None:
        """Wait no longer for the answer to a question."""
        if self._session is not None:
            self._session.forget()

    def read_again(self, seen: Mapping[str, ValueType], clock: Callable[[], datetime]) -> DeviceReading | None:
        """Return what the answers to the known questions say; None where they are not what they were: then ask with care."""
        known = self._known
        if known is None or not known.names.items() <= seen.items():
            return None
        self._used_at = asyncio.get_running_loop().time()
        reading = self._reading(known.index, seen, clock())
        return reading if all(port.counter_bits == 64 for port in reading.ports) else None

    async def find_index(self, interfaces: Sequence[str]) -> dict[str, int]:
        """Return the ifIndex of these interfaces by name; those that the device does not have are left out. Raises DeviceError."""
        return await self._answered("interfaces", self._find_index(tuple(interfaces)))

    async def fetch(self, oids: Sequence[str]) -> Mapping[str, ValueType]:
        """Return those of these variables that the agent has. Raises DeviceError."""
        return await self._answered("variables", self._ask(tuple(oids)))

    async def walk(self, root: str) -> Mapping[str, ValueType]:
        """Return a subtree by OID, at most `WALK_LIMIT` steps of it. Raises DeviceError."""
        return await self._answered(root, self._walk_tree(root))

    async def _walk_tree(self, root: str) -> dict[str, ValueType]:
        """Walk a subtree until it ends or the agent goes round in circles, in smaller steps where the replies are too large."""
        for repetitions in WALK_REPETITIONS:
            found: dict[str, ValueType] = {}
            place = GetIter(root, repetitions)
            try:
                for _ in range(WALK_LIMIT):
                    rows = await self._try(lambda session, place=place: session.walk_on(place))  # type: ignore[misc]  # place is bound early
                    if not rows or any(oid in found for oid, _ in rows):
                        break
                    found |= dict(rows)
            except _Garbled:
                continue
            return found
        raise _Garbled

    async def _answered(self, what: str, answer: Awaitable[T]) -> T:
        """Wait for an answer; what goes wrong on the way becomes an error of the device."""
        try:
            return await answer
        except (_Silent, _WrongKey, _Faulty, _Garbled) as error:
            self.close()
            found = str(error) or "replies that cannot be decoded"
            step = "Look at the device and at its SNMP user."
            raise DeviceError(self.target.device, f"read {what} by SNMP", expected="an answer", found=found, next_step=step) from None

    @property
    def engine_id(self) -> bytes | None:
        """The SNMPv3 engine that answered last, None while nothing was asked or for SNMPv2c."""
        secure = isinstance(self._credentials, UsmUser)
        return self._session.get_engine_id() or None if secure and self._session is not None else None

    def close(self) -> None:
        """Drop the session and its descriptor."""
        if self._session is not None:
            self._session.close()
        self._session = None

    async def _read_known(self, interfaces: tuple[str, ...], index: Mapping[str, int], clock: Callable[[], datetime]) -> DeviceReading:
        if fresh := any(name not in index for name in interfaces):
            index = await self._find_index(interfaces)
        seen = await self._ask(port_oids(interfaces, index))
        if not fresh and any(text_of(seen.get(row_of(index[name])[0])) != name for name in interfaces):
            index = await self._find_index(interfaces)
            seen = await self._ask(port_oids(interfaces, index))
        at = clock()
        found = {name: index[name] for name in interfaces if name in index}
        missing = tuple(name for name in interfaces if name not in found)
        if narrow := _find_narrow(found, seen):
            seen |= await self._ask([f"{column}.{number}" for number in narrow for column in NARROW_COLUMNS])
        elif not missing and not self._refused:
            names = {oid: seen[oid] for oid in (row_of(number)[0] for number in found.values())}
            self._known = _Known(found, names, tuple(map(_with_uptime, _cut(port_oids(interfaces, found), self._variables))))
        return self._reading(found, seen, at, missing)

    def _reading(
        self, index: Mapping[str, int], seen: Mapping[str, ValueType], at: datetime, missing: tuple[str, ...] = ()
    ) -> DeviceReading:
        device, uptime = self.target.device, integer_of(seen.get(SYS_UPTIME))
        ports = tuple(build_port(device, name, number, seen, at, uptime) for name, number in index.items())
        return DeviceReading(device, at, "answered", "", text_of(seen.get(SYS_NAME)), uptime, ports, missing, index)

    async def _find_index(self, interfaces: tuple[str, ...]) -> dict[str, int]:
        """Walk ifName, in smaller steps where the replies are too large."""
        for repetitions in WALK_REPETITIONS:
            try:
                return await self._walk_names(set(interfaces), repetitions)
            except _Garbled:
                continue
        raise _Garbled

    async def _walk_names(self, wanted: set[str], repetitions: int) -> dict[str, int]:
        """Walk ifName until every wanted interface is found, the table ends or the agent goes round in circles."""
        found = dict[str, int]()
        place, last = GetIter(IF_NAME, repetitions), 0
        for _ in range(WALK_LIMIT):
            rows = [] if found.keys() == wanted else await self._try(lambda session: session.walk_on(place))
            for oid, name in rows:
                number = int(oid.rpartition(".")[2])
                if number <= last:
                    return found
                last = number
                if (text := text_of(name)) in wanted and text is not None:
                    found[text] = number
            if not rows:
                break
        return found

    async def _ask(self, oids: Sequence[str]) -> dict[str, ValueType]:
        """Return the variables that the agent has, asked for in pieces; a piece that it cannot answer is halved.

        Raises:
            _Faulty, _Garbled: not even sysUpTime can be read.
        """
        seen: dict[str, ValueType] = {}
        pieces = list(_cut(oids, self._variables))
        while pieces:
            piece = pieces.pop()
            if answer := await self._read_piece(piece):
                seen |= answer
            elif not seen and not await self._read_piece([SYS_UPTIME]):
                raise _Faulty("answers with errors only: not even sysUpTime can be read")
            elif len(piece) > 1:
                self._variables = max(len(piece) // 2, 1)
                pieces += _cut(piece, self._variables)
        return seen

    async def _read_piece(self, piece: Sequence[str]) -> dict[str, ValueType]:
        """Ask for these and sysUpTime. An empty answer: the agent refused the question, or its reply was unreadable.

        sysUpTime rides along so that variables it lacks can be told from an error-status, which gufo swallows.
        """
        question = _with_uptime(piece)
        try:
            answer = await self._try(lambda session: session.get_many(question))
        except _Garbled:
            if len(question) == 1:
                raise
            answer = {}
        self._refused = self._refused or not answer
        return answer

    async def _try(self, question: Callable[[Session], Awaitable[T]]) -> T:
        """Put one question until it is answered or the patience ends; renew an SNMPv3 session that went stale.

        Raises:
            _Silent, _WrongKey, _Faulty, _Garbled
        """
        secure = isinstance(self._credentials, UsmUser)
        waits, refusals, discovered, trouble = list(self._patience_s), 0, False, ""
        while waits:
            try:
                discovered, before = False, self._session
                session = await self._open(waits[0])
                answer = await question(session)
                self._used_at = asyncio.get_running_loop().time()
                return answer
            except SnmpAuthError:
                refusals += 1
                if refusals > 1:
                    raise _WrongKey(f"refuses {'the SNMPv3 user or its authentication key' if secure else 'the community'}") from None
                self.close()
                continue
            except TimeoutError:
                if self._session is not None and self._session.garbled:
                    raise _Garbled from None
                discovered = secure and self._session is not None and self._session is not before and self._session.is_discovered()
            except OSError as error:
                trouble = f" ({error.strerror})"
            except SnmpError as error:
                raise _Faulty(f"SNMP failed: {error}") from None
            waits.pop(0)
            if secure:
                self.close()
        if discovered:
            raise _WrongKey("tells its engine id and leaves our questions unanswered: wrong privacy key, or no view")
        raise _Silent(f"no answer from {self.target.address} in {self._tried + len(self._patience_s)} tries{trouble}")

    async def _open(self, patience_s: float) -> Session:
        """Return the session, a new one where there is none or where it was idle for too long."""
        if self._session is None or self._is_stale():
            self.close()
            self._session = build_session(self.target, self._credentials)
            self._session.patience_s = patience_s
            await self._session.refresh()
        self._session.patience_s = patience_s
        return self._session


    def _is_stale(self) -> bool:
        """Tell whether an SNMPv3 session was idle for too long."""
        return isinstance(self._credentials, UsmUser) and asyncio.get_running_loop().time() - self._used_at > SESSION_IDLE_S


def _cut(oids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (oids[start : start + size] for start in range(0, len(oids), size))


def _with_uptime(piece: Sequence[str]) -> list[str]:
    return list(piece) if SYS_UPTIME in piece else [SYS_UPTIME, *piece]


def _find_narrow(index: Mapping[str, int], seen: Mapping[str, ValueType]) -> list[int]:
    """Return the ifIndex of ports that have no 64-bit counters."""
    return [number for number in index.values() if any(seen.get(oid) is None for oid in row_of(number)[WIDE_COLUMNS])]
