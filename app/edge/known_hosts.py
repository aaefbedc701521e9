"""The file of known host keys: the few lines of one device, the new addresses of a device, and keys at first contact."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock

from paramiko.hostkeys import HostKeys  # type: ignore[import-untyped]  # paramiko ships no types
from paramiko.pkey import PKey  # type: ignore[import-untyped]  # paramiko ships no types

from app.core.naming import known_name
from app.errors import Finding, InputError

_ONE_WRITER = Lock()
log = logging.getLogger(__name__)
#: What stands in a host name that is a pattern, or hashed: only looking through all of them tells whom it concerns.
_PATTERNS = frozenset("|*?!@")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a file by the host that they name; `others` may concern anybody."""

    by_host: Mapping[str, tuple[str, ...]]
    others: tuple[str, ...]


def lines_for(path: Path, names: Iterable[str]) -> str:
    """Return the lines of a known_hosts file that may concern one of the names. Raises OSError where it cannot be read.

    paramiko compares every line of a file with every other when it reads one: a second for a login in a city of 5,000 devices.
    """
    state = path.stat()
    lines = _read(path, state.st_mtime_ns, state.st_size)
    return "".join(line for line in dict.fromkeys((*(line for name in names for line in lines.by_host.get(name, ())), *lines.others)))


@contextmanager
def file_for(path: Path, names: Iterable[str]) -> Iterator[Path]:
    """Give a file of those lines while the block runs; the file itself where it cannot be read: what that means is for others to judge."""
    try:
        text = lines_for(path, names)
    except OSError:
        yield path
        return
    with NamedTemporaryFile("w", encoding="utf-8", prefix="waiwang-known-hosts-") as file:
        file.write(text)
        file.flush()
        yield Path(file.name)


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int, size: int) -> Lines:
    """Return the lines of a file as it was at its last change."""
    by_host: dict[str, list[str]] = {}
    others: list[str] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        hosts = line.split(maxsplit=1)[0] if line.strip() else "#"
        if hosts.startswith("#"):
            continue
        if _PATTERNS & set(hosts):
            others.append(f"{line}\n")
            continue
        for host in hosts.split(","):
            by_host.setdefault(host, []).append(f"{line}\n")
    return Lines({host: tuple(lines) for host, lines in by_host.items()}, tuple(others))


def add_addresses(path: Path, contacts: Iterable[IPv4Address], port: int) -> int:
    """Append a line for each contact address of one device that the file lacks, with the key of one that it has; return how many.

    Only for a device whose key was seen at those addresses: a session that was opened there did that.

    Raises:
        InputError: the file cannot be read or written.
    """
    names = [known_name(str(address), port) for address in contacts]
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
            file.write(f"{known_name(address, port)} {key.get_name()} {key.get_base64()} waiwang: first contact with {device}\n")
    except OSError as error:
        raise _unwritable(path, error) from error
    log.warning("%s: first contact at %s: host key %s SHA256:%s taken into %s", device, address, key.get_name(), fingerprint, path)


def _unwritable(path: Path, error: OSError) -> InputError:
    step = "Give this account write access, or add the new addresses with their keys by hand."
    return InputError([Finding(str(path), "known_hosts", "a file that can be read and written", error.strerror or str(error), step)])
