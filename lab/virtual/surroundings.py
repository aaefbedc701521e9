"""What a device sees around it: who is at the other end of its lines, and which routes lead on. Pure.

Routing is not played message by message: a device knows every network that OSPF announces on a device to which a chain of working
lines leads, by the shortest chain, whatever its area.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any, Protocol
from zlib import crc32

from lab.virtual.facts import Port, hostname_of, meaning_anywhere
from lab.virtual.grammar import Grammar
from lab.virtual.tree import Entry


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who is at the other end of a line. `addresses` are met over it; `mac` twelve digits; `is_heard`: both ends speak LLDP.

    `interface` is the line's port here; `met_at` the interface whose network the addresses are of, in its VPN instance `vpn`.
    """

    interface: str
    name: str
    far_interface: str
    mac: str
    addresses: tuple[IPv4Address, ...] = ()
    met_at: str = ""
    vpn: str | None = None
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A route in use. `protocol` is direct, local (to the device itself), static or ospf; a direct one names the device's own
    address or no next hop, a static one perhaps no interface."""

    prefix: IPv4Network
    protocol: str
    next_hop: IPv4Address | None
    interface: str
    vpn: str | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """An OSPF neighbour: our interface and the address that we speak from, and its own with the number that it goes by."""

    interface: str
    own: IPv4Address
    address: IPv4Address
    router_id: IPv4Address


@dataclass(frozen=True, slots=True)
class Surroundings:
    neighbours: tuple[Neighbour, ...] = ()
    learned: tuple[Route, ...] = ()
    peers: tuple[Peer, ...] = ()


@dataclass(frozen=True, slots=True)
class Meeting:
    """A line that is up, seen from one end."""

    interface: str
    far: str
    far_interface: str


class Seen(Protocol):
    """A device as others see it."""

    @property
    def grammar(self) -> Grammar: ...
    @property
    def state(self) -> Any: ...
    @property
    def ports(self) -> Mapping[str, Port]: ...
    @property
    def router_id(self) -> IPv4Address | None: ...


#: The lines of a device that are up.
Lines = Callable[[str], Iterable[Meeting]]


def look_around(name: str, devices: Mapping[str, Seen], lines: Lines) -> Surroundings:
    """Return what a device sees. O(devices + lines)."""
    met = tuple(lines(name))
    neighbours = tuple(_neighbour(devices[name], devices[line.far], line) for line in met)
    peers = tuple(peer for line in met for peer in find_peers(devices[name], devices[line.far], line))
    return Surroundings(neighbours, tuple(_learned(name, devices, lines)), peers)


def own_routes(grammar: Grammar, running: Entry, ports: Iterable[Port]) -> Iterator[Route]:
    """Yield the routes that a device has of itself: to its own networks, and those that it was given."""
    for port in ports:
        for address in port.addresses:
            yield Route(address.network, "direct", address.ip, port.name, port.vpn)
    for entry in meaning_anywhere(grammar, running, "static_route"):
        hop = entry.value("next_hop")
        way = entry.value("interface") or ""
        yield Route(_prefix(entry), "static", IPv4Address(hop) if hop else None, way, entry.value("vpn"))


#: What every table holds that leads to the device itself, beside the parts of its own networks, by vendor: prefix and interface.
_EVERYWHERE = {
    "huawei": (("127.0.0.0/8", "InLoopBack0"), ("127.0.0.1/32", "InLoopBack0"), ("255.255.255.255/32", "InLoopBack0")),
    "h3c": (("0.0.0.0/32", "InLoop0"), ("127.0.0.0/8", "InLoop0"), ("224.0.0.0/4", "NULL0"), ("255.255.255.255/32", "InLoop0")),
}


def local_routes(vendor: str, ports: Iterable[Port]) -> Iterator[Route]:
    """Yield the routes to the device itself that its vendor's table shows: own addresses, broadcasts, loopback."""
    for prefix, way in _EVERYWHERE.get(vendor, ()):
        yield Route(IPv4Network(prefix), "local", IPv4Address("127.0.0.1"), way)
    for port in ports:
        for address in (one for one in port.addresses if one.network.prefixlen < 31 and vendor != "frr"):
            yield Route(IPv4Network(address.ip), "local", IPv4Address("127.0.0.1"), port.name, port.vpn)
            if vendor != "cisco":
                yield Route(IPv4Network(address.network.broadcast_address), "local", address.ip, port.name, port.vpn)


def find_peers(here: Seen, there: Seen, line: Meeting) -> Iterator[Peer]:
    """Yield the OSPF neighbours over a line.

    FRR speaks from every address that OSPF takes in, the others from the first of an interface alone. On a line between two
    nobody compares networks (RFC 2328 §8.2), but each end has to know the way to the other's address: it lies in a network of its own.
    """
    if there.router_id is None or here.router_id is None:
        return
    near, far = list(_speaking(here, line.interface)), list(_speaking(there, line.far_interface))
    for port, own in near:
        for far_port, other in far:
            if own.ip != other.ip and _hears(here, port, own, other) and _hears(there, far_port, other, own):
                yield Peer(port.name, own.ip, other.ip, there.router_id)


def _speaking(device: Seen, interface: str) -> Iterator[tuple[Port, IPv4Interface]]:
    taken = set(_in_ospf(device))
    for port in _upon(device, interface):
        for address in port.addresses if device.grammar.vendor == "frr" else port.addresses[:1]:
            if (port.name, address) in taken:
                yield port, address


def _hears(device: Seen, port: Port, own: IPv4Interface, other: IPv4Interface) -> bool:
    held = (own,) if device.grammar.vendor == "frr" else port.addresses
    return any(other.ip in address.network for address in held)


def _neighbour(here: Seen, there: Seen, line: Meeting) -> Neighbour:
    met = next(iter(_shared(here, there, line)), None)
    named = hostname_of(there.grammar, there.state.running) or line.far
    port, address = met if met else (None, None)
    return Neighbour(
        line.interface.partition(".")[0],
        named,
        line.far_interface.partition(".")[0],
        f"00e0fc{crc32(f'{line.far} {line.far_interface}'.encode()) & 0xFFFFFF:06x}",
        (address.ip,) if address else (),
        port.name if port else "",
        port.vpn if port else None,
        _speaks_lldp(here, line.interface) and _speaks_lldp(there, line.far_interface),
    )


def _speaks_lldp(device: Seen, interface: str) -> bool:
    """Tell whether LLDP is on and the interface stands on a port; a dialler speaks none."""
    return device.grammar.is_physical(interface) and any(meaning_anywhere(device.grammar, device.state.running, "lldp"))


def _shared(here: Seen, there: Seen, line: Meeting) -> Iterator[tuple[Port, IPv4Interface]]:
    """Yield our interface and the far end's address for every network that both ends of a line hold."""
    for port in _upon(here, line.interface):
        for address in port.addresses:
            for far in _upon(there, line.far_interface):
                yield from ((port, other) for other in far.addresses if other.network == address.network and other.ip != address.ip)


def _upon(device: Seen, interface: str) -> Sequence[Port]:
    """Return the interface and its sub-interfaces; those of a switch are any that stand on no port."""
    at = [port for port in device.ports.values() if interface in (port.name, port.parent) and port.addresses and not port.shutdown]
    return at or [port for port in device.ports.values() if not port.physical and port.parent is None and port.addresses]


def _learned(name: str, devices: Mapping[str, Seen], lines: Lines) -> Iterator[Route]:
    """Walk outward from a device; the first line of the walk is the way that its routes name."""
    here = devices[name]
    if not _announced(here):
        return
    known = {address.network for port in here.ports.values() for address in port.addresses}
    queue: deque[tuple[str, Peer | None]] = deque([(name, None)])
    seen = {name}
    while queue:
        at, first = queue.popleft()
        for line in lines(at):
            met = next(iter(find_peers(devices[at], devices[line.far], line)), None)
            if line.far in seen or met is None:
                continue
            seen.add(line.far)
            way = first or met
            queue.append((line.far, way))
            for prefix in _announced(devices[line.far]):
                if prefix not in known:
                    known.add(prefix)
                    yield Route(prefix, "ospf", way.address, way.interface)


def _announced(device: Seen) -> tuple[IPv4Network, ...]:
    """Return the networks of a device's interfaces that a line of its OSPF, or of their own, takes in."""
    return tuple(dict.fromkeys(address.network for _, address in _in_ospf(device)))


def _in_ospf(device: Seen) -> Iterator[tuple[str, IPv4Interface]]:
    asked = [_prefix(entry) for entry in meaning_anywhere(device.grammar, device.state.running, "ospf_network")]
    for port in device.ports.values():
        if not port.shutdown and port.vpn is None:
            yield from ((port.name, at) for at in port.addresses if port.in_ospf or any(at.ip in prefix for prefix in asked))


def _prefix(entry: Entry) -> IPv4Network:
    """Return the network that a line names, its length written in any of the three ways."""
    prefix, mask, wild = entry.value("prefix") or "", entry.value("mask"), entry.value("wild")
    return IPv4Network(prefix if "/" in prefix else f"{prefix}/{mask or wild or 32}", strict=False)
