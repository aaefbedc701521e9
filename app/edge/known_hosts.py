"""Take into known_hosts the new addresses of a device, with the keys that it holds already, and keys at first contact."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from threading import Lock

from paramiko.hostkeys import HostKeys  # type: ignore[import-untyped]  # paramiko ships no types
from paramiko.pkey import PKey  # type: ignore[import-untyped]  # paramiko ships no types

from app.errors import Finding, InputError

SSH_PORT = 22
_ONE_WRITER = Lock()
log = logging.getLogger(__name__)


def add_addresses(path: Path, contacts: Iterable[IPv4Address], port: int) -> int:
    """Append a line for each contact address of one device that the file lacks, with the key of one that it has; return how many.

    Only for a device whose key was seen at those addresses: a session that was opened there did that.

    Raises:
        InputError: the file cannot be read or written.
    """
    names = [_entry(str(address), port) for address in contacts]
    try:
        known = HostKeys(str(path))
        entry = next((found for name in names if (found := known.lookup(name))), None)
        missing = [name for name in names if not known.lookup(name)]
        lines = [f"{name} {key.get_name()} {key.get_base64()}\n" for name in missing for key in (entry or {}).values()]
        if lines:
            with path.open("a", encoding="ascii") as file:
                file.writelines(lines)
    except OSError as error:
        raise _unwritable(path, error) from error
    return len(lines)


def keep_key(path: Path, device: str, address: str, port: int, key: PKey) -> None:
    """Append the key that a device showed at first contact, with the device's name beside it, and log its fingerprint.

    Raises:
        InputError: the file cannot be written.
    """
    fingerprint = b64encode(sha256(key.asbytes()).digest()).decode().rstrip("=")
    try:
        with _ONE_WRITER, path.open("a", encoding="ascii") as file:
            file.write(f"{_entry(address, port)} {key.get_name()} {key.get_base64()} waiwang: first contact with {device}\n")
    except OSError as error:
        raise _unwritable(path, error) from error
    log.warning("%s: first contact at %s: host key %s SHA256:%s taken into %s", device, address, key.get_name(), fingerprint, path)


def _entry(address: str, port: int) -> str:
    """Return how OpenSSH names a host with its port."""
    return address if port == SSH_PORT else f"[{address}]:{port}"


def _unwritable(path: Path, error: OSError) -> InputError:
    step = "Give this account write access, or add the new addresses with their keys by hand."
    return InputError([Finding(str(path), "known_hosts", "a file that can be read and written", error.strerror or str(error), step)])
