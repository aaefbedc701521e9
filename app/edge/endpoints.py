"""Where simulated devices listen: which loopback address and ports stand for a contact address of the plan.

A file of endpoints is CSV with the columns `contact,address,ssh_port,snmp_port`. It can only lead to 127.0.0.0/8: it is no
way round the guard, and an address that it does not hold is not contacted at all.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from app.errors import Finding, InputError, UnsafeRoute

COLUMNS = ("contact", "address", "ssh_port", "snmp_port")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One contact address and what answers for it."""

    contact: IPv4Address
    address: IPv4Address
    ssh_port: int
    snmp_port: int


class Endpoints:
    """All of them, by contact address."""

    def __init__(self, endpoints: Iterable[Endpoint], where: str) -> None:
        self._held: Mapping[IPv4Address, Endpoint] = {endpoint.contact: endpoint for endpoint in endpoints}
        self._where = where

    def ssh(self, contact: IPv4Address) -> tuple[IPv4Address, int]:
        """Return address and TCP port. Raises UnsafeRoute for an address that is not listed."""
        held = self._find(contact)
        return held.address, held.ssh_port

    def snmp(self, contact: IPv4Address) -> tuple[IPv4Address, int]:
        """Return address and UDP port. Raises UnsafeRoute for an address that is not listed."""
        held = self._find(contact)
        return held.address, held.snmp_port

    def _find(self, contact: IPv4Address) -> Endpoint:
        held = self._held.get(contact)
        if held is None:
            raise UnsafeRoute(
                str(contact),
                "contact with a device of a simulation",
                expected=f"a row of {self._where}",
                found="none",
                next_step="Nothing was sent. Start the simulation of this very workspace anew: waiwang virtual up.",
            )
        return held


def read_endpoints(path: Path) -> Endpoints:
    """Read a file of endpoints.

    Raises:
        InputError: the file cannot be read, or with every row that is no endpoint on loopback.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = str(getattr(error, "strerror", None) or "bytes that are no UTF-8")
        step = "Start the simulation (waiwang virtual up), or unset WAIWANG_ENDPOINTS."
        raise InputError([Finding(str(path), "endpoints", "a readable file", found, step)]) from error
    rows = list(csv.reader(text.splitlines()))
    if not rows or tuple(rows[0]) != COLUMNS:
        found = ",".join(rows[0]) if rows else "an empty file"
        raise InputError([Finding(f"{path}:1", "endpoints", f"the columns {','.join(COLUMNS)}", found, "Correct the first line.")])
    findings: list[Finding] = []
    endpoints = list(_read_rows(rows[1:], path, findings))
    if findings:
        raise InputError(findings)
    return Endpoints(endpoints, str(path))


def format_endpoints(endpoints: Iterable[Endpoint]) -> str:
    """Return the text that `read_endpoints` reads."""
    rows = [f"{each.contact},{each.address},{each.ssh_port},{each.snmp_port}" for each in endpoints]
    return "\n".join((",".join(COLUMNS), *rows, ""))


def _read_rows(rows: Iterable[list[str]], path: Path, findings: list[Finding]) -> Iterator[Endpoint]:
    seen: set[IPv4Address] = set()
    for number, row in enumerate(rows, start=2):
        where, step = f"{path}:{number}", "Correct the row; only addresses of this machine's loopback can stand for a device."
        try:
            contact, address, ssh_port, snmp_port = row
            endpoint = Endpoint(IPv4Address(contact), IPv4Address(address), _port(ssh_port), _port(snmp_port))
        except ValueError:
            findings.append(Finding(where, "endpoint", "contact, address, ssh_port, snmp_port", ",".join(row) or "nothing", step))
            continue
        if not endpoint.address.is_loopback:
            findings.append(Finding(where, "endpoint", "an address of 127.0.0.0/8", str(endpoint.address), step))
        elif endpoint.contact in seen:
            findings.append(Finding(where, "endpoint", "each contact address once", f"{contact} again", "Remove one of the rows."))
        seen.add(endpoint.contact)
        yield endpoint


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise ValueError(text)
    return number
