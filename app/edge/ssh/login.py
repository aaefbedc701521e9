"""Log in on a device: the first address that answers, a known host key, the password once."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path

from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoAuthenticationException, ReadTimeout
from paramiko.hostkeys import HostKeys  # type: ignore[import-untyped]  # paramiko ships no types
from paramiko.ssh_exception import AuthenticationException, SSHException  # type: ignore[import-untyped]  # paramiko ships no types

from app.core.dialects import DIALECTS
from app.core.naming import known_name
from app.edge.ssh.access import Access, Target
from app.edge.ssh.dialogue import LOST
from app.edge.ssh.session import Session
from app.errors import CommitRefused, ConnectFailed, LoginRefused

_HOST_KEY = re.compile(r"host key|known_hosts", re.IGNORECASE)


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
    with access.host_keys(access.known_hosts, [known_name(host, port) for host, port in _ends(target, address, access)]) as known:
        return _log_in_with(target, address, link, access, known)


def _ends(target: Target, address: IPv4Address, access: Access) -> list[tuple[str, int]]:
    """Return where the device may be known to listen: at this address first."""
    return [(str(host), port) for host, port in map(access.endpoint, (address, *target.contacts))]


def _log_in_with(target: Target, address: IPv4Address, link: socket.socket, access: Access, known: Path | None) -> BaseConnection:
    """Log in with the keys of the file `known`, and keep one that is seen for the first time."""
    ends = _ends(target, address, access)
    held = _find_known(ends, known)
    name, port = held or ends[0]
    is_first = held is None and access.keep_key is not None
    try:
        driver = access.connect(
            device_type=target.platform,
            host=name,
            port=port,
            sock=link,
            username=target.username,
            password=access.password.get_secret_value(),
            use_keys=False,
            allow_agent=False,
            ssh_strict=known is not None and not is_first,
            system_host_keys=False,
            alt_host_keys=known is not None and not is_first,
            alt_key_file=str(known) if known else "",
            conn_timeout=access.limits.login_s,
            banner_timeout=access.limits.login_s,
            auth_timeout=access.limits.login_s,
            read_timeout_override=access.limits.read_s,
        )
    except (NetmikoAuthenticationException, AuthenticationException):
        raise _login_refused(target, "a login", "the device refused it", "Compare the secret ssh_password with the device.") from None
    except LOST as error:
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
    if is_first and access.keep_key is not None:
        assert driver.remote_conn_pre is not None  # netmiko's SSH client, open since the login
        access.keep_key(target.device, name, port, driver.remote_conn_pre.get_transport().get_remote_server_key())
    return driver


def _find_known(ends: Sequence[tuple[str, int]], path: Path | None) -> tuple[str, int] | None:
    """Return the name and port to look the host key up by: the first of a device's own that known_hosts has, None where it has none.

    A device that is being renumbered answers at new addresses with the key that it had. The socket is open already, so the
    name decides nothing else. A file that cannot be read holds no key and may hold many: then the first is looked up, in vain.
    """
    if path is None or not path.exists():
        return None
    try:
        known = HostKeys(str(path))
    except (OSError, SSHException):
        return ends[0]
    return next(((host, port) for host, port in ends if known.lookup(known_name(host, port))), None)


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
