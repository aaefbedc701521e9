"""What devices print of their neighbours and routes, as rows that name their line. Pure, and no more exact than a text for readers is.

Known: VRP 5 and 8, Comware 7, IOS 15 and FRR 8.4, whichever printed the table; headings tell them apart. A table of several parts
(one for each VPN instance) is read as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

_ADDRESS = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?![\d./])")
_PREFIX = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})/(\d{1,2})(?!\d)")
_MAC = re.compile(r"\b(?:[0-9A-Fa-f]{4}[-.]){2}[0-9A-Fa-f]{4}\b|\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b")
#: IOS says the length once where all subnets of a network have the same, and leaves it out of their rows.
_IOS_HEADING = re.compile(r"^\s+\d[\d.]*/(\d+) is (variably )?subnetted")
_IOS_ROW = re.compile(r"^[A-Za-z*][ A-Za-z0-9*%+]{0,8}\s(\d{1,3}(?:\.\d{1,3}){3}) (?:\[|is directly)")
_IS_BLANK = re.compile(r"^\s")

#: A title of a column; two blanks stand between two of them.
_TITLE = re.compile(r"\S+(?: \S+)*")

#: What begins a name of a port, by its short form.
_PORT_KINDS = {
    "gigabitethernet": "ge",
    "gi": "ge",
    "gig": "ge",
    "xgigabitethernet": "xge",
    "ten-gigabitethernet": "xge",
    "tengigabitethernet": "xge",
    "te": "xge",
    "ethernet": "eth",
    "fastethernet": "fe",
    "fa": "fe",
}


@dataclass(frozen=True, slots=True)
class ShownRoute:
    """A route as printed. `line` counts from 1; `next_hops` of its own line and those that go on beneath it."""

    line: int
    text: str
    prefix: IPv4Network
    next_hops: tuple[IPv4Address, ...]


@dataclass(frozen=True, slots=True)
class ShownNeighbour:
    """An LLDP neighbour as printed: the port here, the system's name there, perhaps cut to a column's width."""

    line: int
    text: str
    port: str
    name: str


@dataclass(frozen=True, slots=True)
class ShownHost:
    """An entry of an ARP table."""

    line: int
    text: str
    address: IPv4Address


def read_routes(text: str) -> tuple[ShownRoute, ...]:
    """Return the routes of a table, in its order; a second way of one route is another next hop of it."""
    found: list[ShownRoute] = []
    length = ""
    for number, row in enumerate(text.splitlines(), 1):
        if heading := _IOS_HEADING.match(row):
            length = "" if heading[2] else heading[1]
            continue
        prefix, rest = _destination(row, length)
        if prefix is not None:
            found.append(ShownRoute(number, row.strip(), prefix, tuple(_addresses(rest))))
        elif found and _IS_BLANK.match(row) and (more := tuple(_addresses(row))):
            last = found[-1]
            found[-1] = ShownRoute(last.line, last.text, last.prefix, (*last.next_hops, *more))
    return tuple(found)


def _destination(row: str, length: str) -> tuple[IPv4Network | None, str]:
    """Return the network that a row leads to, and what stands behind it."""
    if found := _PREFIX.search(row):
        return _network(found[1], found[2]), row[found.end() :]
    if length and (found := _IOS_ROW.match(row)):
        return _network(found[1], length), row[found.end(1) :]
    return None, row


def read_hosts(text: str) -> tuple[ShownHost, ...]:
    """Return the entries of an ARP table that have a MAC address."""
    rows = ((number, row, next(_addresses(row), None)) for number, row in enumerate(text.splitlines(), 1) if _MAC.search(row))
    return tuple(ShownHost(number, row.strip(), address) for number, row, address in rows if address is not None)


def read_neighbours(text: str) -> tuple[ShownNeighbour, ...]:
    """Return the LLDP neighbours of a table, or of a long form that names each after its port."""
    found: list[ShownNeighbour] = []
    columns: tuple[int, int] | None = None
    starts: tuple[int, ...] = ()
    port = ""
    for number, row in enumerate(text.splitlines(), 1):
        words = _words(row, starts)
        heading = _columns(row)
        if heading is not None:
            columns, starts = heading, tuple(title.start() for title in _TITLE.finditer(row))
        elif named := re.match(r"(?i)^\s*(?:system name|sysname|neighbor|neighbour)\s*:\s*(\S+)", row):
            found.append(ShownNeighbour(number, row.strip(), port, named[1]))
        elif local := re.match(r"(?i)^\s*(?:LLDP neighbor-information of port \d+\[(\S+?)\]|(\S+) has \d+ neighbor)", row):
            port = local[1] or local[2]
        elif columns is not None and len(words) > max(columns):
            found.append(ShownNeighbour(number, row.strip(), words[columns[0]], words[columns[1]]))
        elif not words:
            columns = None
    return tuple(found)


def _words(row: str, starts: tuple[int, ...]) -> list[str]:
    """Return the words of a row; where some are missing, a name may fill its column and touch the next: it ends where that begins."""
    words = row.split()
    if len(words) >= len(starts):
        return words
    for start in reversed(starts[1:]):
        if not row[start - 1 : start].isspace() and not row[start : start + 1].isspace():
            row = f"{row[:start]} {row[start:]}"
    return row.split()


def _columns(row: str) -> tuple[int, int] | None:
    """Return in which columns of the table below port and name stand, None where this is no heading."""
    if re.match(r"\s*Local Intf\s+Neighbor Dev", row):
        return 0, 1
    if re.match(r"\s*(?:System Name\s+Local Interface|Device ID\s+Local Intf)", row):
        return 1, 0
    return (0, 3) if re.match(r"\s*Local Interface\s+Chassis ID\s+Port ID\s+System Name", row) else None


def plain_port(name: str) -> str:
    """Return a port's name in the one short spelling, without the number of a sub-interface: Gi0/1.5 and GE0/1 are the same port."""
    found = re.match(r"([A-Za-z-]+)(.*)", name.strip().partition(".")[0])
    if found is None:
        return name.lower()
    return port_kind(found[1]) + found[2]


def port_kind(word: str) -> str:
    """Return the short spelling of a kind of port, the word itself in small letters where it has none."""
    return _PORT_KINDS.get(word.lower(), word.lower())


def _addresses(row: str) -> Iterator[IPv4Address]:
    for found in _ADDRESS.finditer(row):
        try:
            yield IPv4Address(found[1])
        except AddressValueError:
            continue


def _network(address: str, length: str) -> IPv4Network | None:
    try:
        return IPv4Network(f"{address}/{length}", strict=False)
    except (AddressValueError, NetmaskValueError):
        return None
