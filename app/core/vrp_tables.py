"""What Huawei's VRP 5 and 8 and H3C's Comware 7 answer, read: two of one descent, whose tables differ in columns. Pure.

Layouts as in the vendors' command references and in outputs that others published (ntc-templates' samples of `display ip interface`,
`display arp all`, `display ip vpn-instance …` and `display ip routing-table`). Unverified: the words that VRP 5 sets before an address
that it was given (by DHCP, by PPP), so any words may stand there; the word behind a second address (`Sub`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from app.core.device_tables import Adjacency, HeldAddress, SeenNeighbour, SeenRoute, SeenVpn

_IP = r"\d{1,3}(?:\.\d{1,3}){3}"
_MAC = r"[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}"
_INTERFACE = re.compile(r"^(\S+) current state ?:")
_LINE_PROTOCOL = re.compile(r"^Line protocol (?:current )?state ?: *UP\b")
_ADDRESS = re.compile(rf"^Internet [Aa]ddress(?: is)?:? .*?({_IP}/\d+)")
_BORROWED = "unnumbered"
_ROUTE = re.compile(rf"^\s*(?:({_IP}/\d+)\s+)?([A-Z][\w-]*)\s+\d+\s+\d+\s+(?:[A-Z]+\s+)?({_IP})\s+(\S+)\s*$")
#: Comware 7 prints a second way of a route with its next hop alone.
_SECOND_WAY = re.compile(rf"^\s{{8,}}({_IP})\s+(\S+)\s*$")
_COUNTED = re.compile(r"^\s*Destinations\s*:\s*\d+\s+Routes\s*:\s*\d+", re.MULTILINE)
#: A static entry may stand on no interface: far to the right is its VPN instance.
_VRP_ARP = re.compile(rf"^({_IP})\s+({_MAC})\s+(?:\d+\s+)?(I -|[DS]\S*)(?: {{1,15}}(\S+))?", re.MULTILINE)
_COMWARE_ARP = re.compile(rf"^({_IP})\s+({_MAC})\s+\S+\s+(\S+)\s+\S+\s+[A-Z]+\s*$", re.MULTILINE)
_ROUTER_ID = re.compile(rf"OSPF Process \d+ with Router ID ({_IP})")
_VRP_PEER = re.compile(rf"interface {_IP}\(([^)]+)\)'s neighbors")
_VRP_PEER_ADDRESS = re.compile(rf"^\s*Router ID: ?{_IP}\s+Address: ?({_IP})")
_PEER_STATE = re.compile(r"^\s*State: ?([\w-]+)")
_COMWARE_PEER = re.compile(rf"^\s*{_IP}\s+({_IP})\s+\d+\s+\d+\s+(\S.*)$", re.MULTILINE)
_STATES = ("Down", "Attempt", "Init", "2-Way", "ExStart", "Exchange", "Loading", "Full")

#: The devices' words for protocols, by how they begin.
_PROTOCOLS = {"direct": "connected", "o_": "ospf", "isis": "isis", "is_": "isis", "ebgp": "bgp", "ibgp": "bgp"}


def parse_addresses(text: str) -> tuple[HeldAddress, ...]:
    """Read `display ip interface`: paragraphs of an interface each, which name its addresses one by one."""
    return tuple(_addresses(text))


def _addresses(text: str) -> Iterator[HeldAddress]:
    interface, up, seen = "", False, False
    for line in text.splitlines():
        if found := _INTERFACE.match(line):
            interface, up, seen = found[1], False, True
        elif _LINE_PROTOCOL.match(line):
            up = True
        elif (held := _ADDRESS.match(line)) and interface and _BORROWED not in line:
            yield HeldAddress(interface, IPv4Interface(held[1]), up)
    if text.strip() and not seen:
        raise ValueError(f"expected a line of an interface's current state; found {_first_line(text)!r}")


def parse_routes(text: str) -> tuple[SeenRoute, ...]:
    """Read `display ip routing-table`; further ways of a route follow it without their destination."""
    if text.strip() and not _COUNTED.search(text):
        raise ValueError(f"expected the number of destinations; found {_first_line(text)!r}")
    found: list[SeenRoute] = []
    for line in text.splitlines():
        if row := _ROUTE.match(line):
            way = (f"{row[3]} {row[4]}",)
            if row[1]:
                found.append(SeenRoute(IPv4Network(row[1]), _protocol(row[2]), way))
            elif found:
                found[-1] = _with_way(found[-1], way)
        elif found and (second := _SECOND_WAY.match(line)):
            found[-1] = _with_way(found[-1], (f"{second[1]} {second[2]}",))
    return tuple(found)


def _with_way(route: SeenRoute, way: tuple[str, ...]) -> SeenRoute:
    return SeenRoute(route.prefix, route.protocol, (*route.via, *way))


def _protocol(word: str) -> str:
    low = word.lower()
    return next((ours for theirs, ours in _PROTOCOLS.items() if low.startswith(theirs)), low)


def parse_vrp_neighbours(text: str) -> tuple[SeenNeighbour, ...]:
    """Read `display arp all` of VRP; entries of type `I` are the device's own, `S--` may stand on no interface."""
    if text.strip() and "IP ADDRESS" not in text:
        raise ValueError(f"expected a heading of IP ADDRESS; found {_first_line(text)!r}")
    rows = _VRP_ARP.findall(text)
    return tuple(SeenNeighbour(port, IPv4Address(address), mac) for address, mac, kind, port in rows if not kind.startswith("I"))


def parse_comware_neighbours(text: str) -> tuple[SeenNeighbour, ...]:
    """Read `display arp all` of Comware 7: address, MAC, VLAN, interface, age and type."""
    if text.strip() and not re.search("IP address", text, re.IGNORECASE):
        raise ValueError(f"expected a heading of IP address; found {_first_line(text)!r}")
    return tuple(SeenNeighbour(port, IPv4Address(address), mac) for address, mac, port in _COMWARE_ARP.findall(text))


def parse_vrp_vpns(text: str) -> tuple[SeenVpn, ...]:
    """Read `display ip vpn-instance interface`: every VPN instance with its interfaces."""
    return tuple(_vpns(text, r"Interface list"))


def parse_comware_vpns(text: str) -> tuple[SeenVpn, ...]:
    """Read `display ip vpn-instance`: a name in each row below the heading."""
    rows = [line.split() for line in text.splitlines()]
    heading = next((place for place, words in enumerate(rows) if words[:2] == ["VPN-Instance", "Name"]), len(rows))
    return tuple(SeenVpn(words[0]) for words in rows[heading + 1 :] if words)


def parse_comware_vpn(text: str) -> tuple[SeenVpn, ...]:
    """Read `display ip vpn-instance instance-name NAME`: its interfaces, over several lines."""
    return tuple(_vpns(text, r"Interfaces"))


def _vpns(text: str, title: str) -> Iterator[SeenVpn]:
    parts = re.split(r"VPN-Instance Name and (?:ID|Index)\s*:\s*", text)[1:]
    for part in parts:
        name = part.split(",")[0].strip()
        listed = re.search(rf"^\s*{title}\s*:((?:.*, *\n)*.*)", part, re.MULTILINE)
        yield SeenVpn(name, tuple(word for word in re.split(r"[,\s]+", listed[1]) if word) if listed else ())


def parse_vrp_adjacencies(text: str) -> tuple[Adjacency, ...]:
    """Read `display ospf peer` of VRP: an interface's paragraph, in it each neighbour's address and state."""
    found: list[Adjacency] = []
    interface, address = "", ""
    for line in text.splitlines():
        if here := _VRP_PEER.search(line):
            interface = here[1]
        elif there := _VRP_PEER_ADDRESS.match(line):
            address = there[1]
        elif address and (state := _PEER_STATE.match(line)):
            found.append(Adjacency(interface, IPv4Address(address), state[1] == "Full"))
            address = ""
    return tuple(found)


def parse_comware_adjacencies(text: str) -> tuple[Adjacency, ...]:
    """Read `display ospf peer` of Comware: a row for each neighbour; state and interface stand in either order."""
    return tuple(Adjacency(_port_among(rest), IPv4Address(address), "Full" in rest) for address, rest in _COMWARE_PEER.findall(text))


def _port_among(rest: str) -> str:
    """Return the interface among the last columns, where a state may be written with a blank in it (`Full/ -`)."""
    words = [word for word in rest.split() if word != "-" and word.partition("/")[0] not in _STATES]
    return words[0] if words else ""


def parse_router_id(text: str) -> IPv4Address | None:
    """Read the heading of `display ospf peer`: the number that OSPF goes by now."""
    found = _ROUTER_ID.search(text)
    return IPv4Address(found[1]) if found else None


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:80]
