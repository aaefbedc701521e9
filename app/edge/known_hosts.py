"""Take the new addresses of a device into known_hosts, with the keys that it holds already."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

from paramiko.hostkeys import HostKeys  # type: ignore[import-untyped]  # paramiko ships no types

from app.errors import Finding, InputError

SSH_PORT = 22


def add_addresses(path: Path, contacts: Iterable[IPv4Address], port: int) -> int:
    """Append a line for each contact address of one device that the file lacks, with the key of one that it has; return how many.

    Only for a device whose key was seen at those addresses: a session that was opened there did that.

    Raises:
        InputError: the file cannot be read or written.
    """
    names = [str(address) if port == SSH_PORT else f"[{address}]:{port}" for address in contacts]
    try:
        known = HostKeys(str(path))
        entry = next((found for name in names if (found := known.lookup(name))), None)
        missing = [name for name in names if not known.lookup(name)]
        lines = [f"{name} {key.get_name()} {key.get_base64()}\n" for name in missing for key in (entry or {}).values()]
        if lines:
            with path.open("a", encoding="ascii") as file:
                file.writelines(lines)
    except OSError as error:
        found = error.strerror or str(error)
        step = "Give this account write access, or add the new addresses with their keys by hand."
        raise InputError([Finding(str(path), "known_hosts", "a file that can be read and written", found, step)]) from error
    return len(lines)
