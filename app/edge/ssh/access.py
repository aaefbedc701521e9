"""How devices are reached by SSH: who, at which addresses, within which times, with which secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from netmiko import ConnectHandler
from netmiko.base_connection import BaseConnection
from paramiko.pkey import PKey  # type: ignore[import-untyped]  # paramiko ships no types
from pydantic import SecretStr

#: Raises UnsafeRoute when a packet to this address must not be sent.
Guard = Callable[[IPv4Address], None]
#: Where a device is really listening: virtual devices answer for an address of the plan on one of 127.0.0.0/8.
Endpoint = Callable[[IPv4Address], tuple[IPv4Address, int]]
#: Replaces references to secrets by their values.
Resolve = Callable[[str], str]
#: Opens a netmiko connection from ConnectHandler's parameters.
Connect = Callable[..., BaseConnection]
#: Takes a device's name, its address and port, and its public key, at first contact.
KeepKey = Callable[[str, str, int, PKey], None]
#: Gives a file with the lines of another that concern these names.
HostKeyFile = Callable[[Path, Sequence[str]], AbstractContextManager[Path]]


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

    `known_hosts` in OpenSSH's format; None accepts any key, which is fit for a lab alone. `keep_key` takes the key that a device
    shows at first contact; without it a key that is not known is refused. `connect` takes what netmiko's ConnectHandler takes
    and may choose other drivers. `host_keys` gives a file of the lines of known_hosts that concern some names.
    """

    guard: Guard
    endpoint: Endpoint
    password: SecretStr
    resolve: Resolve
    known_hosts: Path | None
    limits: Limits = Limits()
    connect: Connect = ConnectHandler
    keep_key: KeepKey | None = None
    host_keys: HostKeyFile = _whole
