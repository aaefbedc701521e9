"""What Cisco IOS 15 answers, read. Pure. Layouts as in the command reference and in ntc-templates' samples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from app.core.device_tables import Adjacency, HeldAddress, SeenNeighbour, SeenRoute, SeenVpn

_IP = r"\d{1,3}(?:\.\d{1,3}){3}"
_INTERFACE = re.compile(r"^(\S+) is .*, line protocol is (\w+)")
_ADDRESS = re.compile(rf"^\s+(?:Internet address is|Secondary address) ({_IP}/\d+)")
_VRF = re.compile(r'VPN Routing/Forwarding "([^"]+)"')
_ARP = re.compile(rf"^Internet\s+({_IP})\s+(\S+)\s+([0-9a-f.]{{14}})\s+\S+\s+(\S+)", re.MULTILINE)
_SUBNETTED = re.compile(r"^\s+\d[\d.]*/(\d+) is (variably )?subnetted")
_ROUTE = re.compile(rf"^([A-Za-z*+%&][A-Za-z0-9*+%& ]{{0,8}}?)\s+({_IP})(?:/(\d+))?(\s.*)?$")
_AGE_AND_PORT = r"(?:,\s+\d[\w:.]*)?,\s+([A-Za-z]\S*)"
_WAY = re.compile(rf"\[\d+/\d+\] via ({_IP})(?:{_AGE_AND_PORT})?|is directly connected{_AGE_AND_PORT}")
_NEIGHBOUR = re.compile(rf"^{_IP}\s+\d+\s+(\S+)/\s*\S*\s+\S+\s+({_IP})\s+(\S+)\s*$", re.MULTILINE)
_ROUTER_ID = re.compile(rf'Routing Process "ospf \d+" with ID ({_IP})')

#: The letter that begins a route's code.
_PROTOCOLS = {"C": "connected", "L": "local", "S": "static", "O": "ospf", "i": "isis", "B": "bgp", "R": "rip", "D": "eigrp"}


def parse_addresses(text: str) -> tuple[HeldAddress, ...]:
    """Read `show ip interface`: a paragraph for each interface, its VRF after its addresses; borrowed addresses are not read."""
    found: list[HeldAddress] = []
    for part in _paragraphs(text):
        head = _INTERFACE.match(part)
        assert head is not None
        vrf = _VRF.search(part)
        addresses = [match[1] for line in part.splitlines() if (match := _ADDRESS.match(line))]
        found += [HeldAddress(head[1], IPv4Interface(word), head[2] == "up", vrf[1] if vrf else None) for word in addresses]
    return tuple(found)


def _paragraphs(text: str) -> list[str]:
    parts: list[list[str]] = []
    for line in text.splitlines():
        if _INTERFACE.match(line):
            parts.append([line])
        elif parts:
            parts[-1].append(line)
        elif line.strip():
            raise ValueError(f"expected a line of an interface's state; found {line.strip()[:80]!r}")
    return ["\n".join(part) for part in parts]


def parse_routes(text: str) -> tuple[SeenRoute, ...]:
    """Read `show ip route`. A length that all subnets of a network have is said once above them; ways go on in lines of their own."""
    if text.strip() and "Codes:" not in text and "Routing Table:" not in text:
        raise ValueError(f"expected the table of codes; found {text.strip().splitlines()[0][:80]!r}")
    found: list[SeenRoute] = []
    length = ""
    for line in text.partition("Gateway of last resort")[2].splitlines()[1:]:
        if heading := _SUBNETTED.match(line):
            length = "" if heading[2] else heading[1]
        elif (row := _ROUTE.match(line)) and (row[3] or length):
            prefix = IPv4Network(f"{row[2]}/{row[3] or length}")
            found.append(SeenRoute(prefix, _protocol(row[1]), tuple(_ways(row[4] or ""))))
        elif found and line[:1].isspace() and (ways := tuple(_ways(line))):
            last = found[-1]
            found[-1] = SeenRoute(last.prefix, last.protocol, (*last.via, *ways))
    return tuple(found)


def _protocol(code: str) -> str:
    letter = code[:1]
    return _PROTOCOLS.get(letter, letter.lower())


def _ways(text: str) -> Iterator[str]:
    for found in _WAY.finditer(text):
        yield " ".join(word for word in found.groups() if word)


def parse_neighbours(text: str) -> tuple[SeenNeighbour, ...]:
    """Read `show ip arp`; entries without an age (`-`) are the device's own."""
    if text.strip() and not text.lstrip().startswith("Protocol"):
        raise ValueError(f"expected a heading of Protocol; found {text.strip().splitlines()[0][:80]!r}")
    return tuple(SeenNeighbour(port, IPv4Address(address), mac) for address, age, mac, port in _ARP.findall(text) if age != "-")


def parse_adjacencies(text: str) -> tuple[Adjacency, ...]:
    """Read `show ip ospf neighbor`; behind the state stands the neighbour's part, a dash on lines (`FULL/  -`)."""
    return tuple(Adjacency(port, IPv4Address(address), state == "FULL") for state, address, port in _NEIGHBOUR.findall(text))


def parse_router_id(text: str) -> IPv4Address | None:
    """Read the heading of `show ip ospf`: the number that OSPF goes by now."""
    found = _ROUTER_ID.search(text)
    return IPv4Address(found[1]) if found else None


def parse_vpns(text: str) -> tuple[SeenVpn, ...]:
    """Read `show ip vrf`: a name in each row, further interfaces of it in lines that begin far to the right."""
    rows = text.splitlines()
    heading = next((place for place, row in enumerate(rows) if row.split()[:1] == ["Name"]), len(rows))
    return tuple(SeenVpn(row.split()[0]) for row in rows[heading + 1 :] if row.strip() and not row.startswith(" " * 8))
