"""SNMP sessions: whom to ask as whom, and gufo's session made to read over what is not the answer."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeVar, cast

from gufo.snmp import (
    Aes128Key,
    Aes256Key,
    BaseAuthKey,
    BasePrivKey,
    Md5Key,
    Sha1Key,
    Sha256Key,
    SnmpDecodeError,
    SnmpError,
    User,
    ValueType,
)
from gufo.snmp._fast import GetIter
from gufo.snmp.aio import SnmpSession
from gufo.snmp.user import KeyType
from pydantic import SecretStr

from app.errors import Finding, InputError

T = TypeVar("T")

_AUTH: Mapping[str, type[BaseAuthKey]] = {"md5": Md5Key, "sha": Sha1Key, "sha1": Sha1Key, "sha256": Sha256Key}
_PRIV: Mapping[str, type[BasePrivKey]] = {"aes": Aes128Key, "aes128": Aes128Key, "aes256": Aes256Key}


@dataclass(frozen=True, slots=True)
class Community:
    """SNMPv2c."""

    community: SecretStr


@dataclass(frozen=True, slots=True)
class UsmUser:
    """SNMPv3 authPriv. `auth`: md5, sha, sha256; `priv`: aes128, aes256."""

    name: str
    auth: str
    auth_password: SecretStr
    priv: str
    priv_password: SecretStr


@dataclass(frozen=True, slots=True)
class Target:
    """A device's agent: numeric IPv4 address and UDP port."""

    device: str
    address: str
    port: int


class Session(SnmpSession):
    """A gufo session that reads over datagrams which are not the answer, until its patience ends.

    It listens from its first question until `close`: telling the loop anew at every question costs more than the question.
    """

    patience_s = 1.0
    garbled = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _question: tuple[Callable[[], object], Callable[[object], None]] | None = None

    def put(self, oids: list[str], tell: Callable[[object], None]) -> None:
        """Ask for these variables without waiting; `tell` is given the answer, or the error that came in its place.

        Raises:
            OSError: the question could not be sent.
        """
        self._sock.send_get_many(oids)
        self._expect(self._sock.recv_get_many, tell)

    async def _recv(self, receiver: Callable[[], T]) -> T:
        """Wait for one answer. Overrides gufo's own, whose timer starts anew at every datagram and which fails on a bad one."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._expect(receiver, partial(_settle, answer))
        expiry = loop.call_later(self.patience_s, self.expire)
        try:
            return await answer
        finally:
            expiry.cancel()
            self.forget()

    def _expect(self, receiver: Callable[[], object], tell: Callable[[object], None]) -> None:
        """Tell what is received next, once; listen from now on."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.close()
            loop.add_reader(self._fd, self._read)
            self._loop = loop
        self._question, self.garbled = (receiver, tell), 0

    def forget(self) -> None:
        """Wait for nothing any longer; what still comes is dropped."""
        self._question = None

    def close(self) -> None:
        """Listen no longer. Whoever lets a session go without it leaves the loop a descriptor that may soon be another's."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
        self._loop = None

    def _read(self) -> None:
        """Take one datagram; what comes while nothing is asked is a late or a second reply, and dropped."""
        if self._question is None:
            with suppress(OSError):
                os.read(self._fd, 1)
            return
        receiver, tell = self._question
        outcome: object
        try:
            outcome = receiver()
        except SnmpDecodeError:
            self.garbled += 1
            return
        except BlockingIOError:
            return
        except (SnmpError, OSError, RuntimeError, ValueError, StopAsyncIteration) as error:
            outcome = error
        self._question = None
        tell(outcome)

    def expire(self) -> None:
        """End the patience, after a last look at what has arrived."""
        self._read()
        if self._question is not None:
            _, tell = self._question
            self._question = None
            tell(TimeoutError())

    def is_discovered(self) -> bool:
        """Tell whether an SNMPv3 agent told its engine id: it is there, whatever it says to our user."""
        return self.get_engine_id() != b""

    async def walk_on(self, place: GetIter) -> list[tuple[str, ValueType]]:
        """Return the next rows of a walk and move its place on; none at its end. Safe to ask again after a time-out."""
        await self._send(lambda: self._sock.send_get_bulk(place))
        try:
            return [row for row in await self._recv(lambda: self._sock.recv_get_bulk(place)) if row is not None]
        except StopAsyncIteration:  # gufo's word for a reply that holds nothing of the subtree
            return []


def _settle(answer: asyncio.Future[T], outcome: object) -> None:
    """Give a waiting task its answer or error; who waited may have gone."""
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(cast("T", outcome))


def build_session(target: Target, credentials: Community | UsmUser) -> Session:
    if isinstance(credentials, Community):
        return Session(target.address, port=target.port, community=credentials.community.get_secret_value())
    return Session(target.address, port=target.port, user=build_user(credentials))


@lru_cache(maxsize=64)
def build_user(credentials: UsmUser) -> User:
    """Return gufo's user. Passwords become master keys once (a megabyte of hashing each), not once for every device.

    Raises:
        InputError: an algorithm that is not known here.
    """
    auth, priv = _AUTH.get(credentials.auth), _PRIV.get(credentials.priv)
    if auth is None or priv is None:
        raise InputError(_unknown_algorithms(credentials))
    auth_key = auth.get_master_key(credentials.auth_password.get_secret_value().encode())
    priv_key = auth.get_master_key(credentials.priv_password.get_secret_value().encode())
    return User(credentials.name, auth_key=auth(auth_key, KeyType.Master), priv_key=priv(priv_key, KeyType.Master))


def _unknown_algorithms(credentials: UsmUser) -> Iterator[Finding]:
    for name, value, known in (("snmp_auth", credentials.auth, _AUTH), ("snmp_priv", credentials.priv, _PRIV)):
        if value not in known:
            words = ", ".join(known)
            yield Finding("ipplan/plan.yaml", f"management.{name}", f"one of {words}", value, "Name one that the devices support.")


def raise_descriptor_limit(wanted: int) -> Finding | None:
    """Let this process open `wanted` descriptors: one for each SNMP session. Return what hinders it, None when nothing does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return None
    for ceiling in (hard,) if hard == resource.RLIM_INFINITY or hard >= wanted else (wanted, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling), ceiling))
        except (OSError, ValueError):
            continue
        break
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return None
    step = "Sessions are opened anew in every cycle, which costs time; raise LimitNOFILE= of the service, or ulimit -n."
    return Finding("this machine", "file descriptors", f"a limit of {wanted}", f"{soft} (hard limit {hard})", step, note=True)
