"""What a device says of itself: addresses, routes, neighbours, adjacencies. Values only; `app.core.table_parsers` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

#: The questions whose answers make these tables; every family has a line for each in its dialect.
QUESTIONS = ("addresses", "routes", "neighbours", "adjacencies", "router_id")
#: The question for the VPN instances that a device has; each of them is asked then for what it shows apart.
VPNS = "vpns"


@dataclass(frozen=True, slots=True)
class HeldAddress:
    """An address on an interface. `vrf` is the VPN instance that the interface is bound to, None for the global table."""

    interface: str
    address: IPv4Interface
    up: bool
    vrf: str | None = None


@dataclass(frozen=True, slots=True)
class SeenRoute:
    """A route in use. `protocol`: connected, static, ospf, isis, bgp, kernel …, else the device's own word in small letters;
    `via` its next hops as text."""

    prefix: IPv4Network
    protocol: str
    via: tuple[str, ...]
    vrf: str | None = None


@dataclass(frozen=True, slots=True)
class SeenNeighbour:
    """An entry of the ARP table; what the device holds itself is none."""

    interface: str
    address: IPv4Address
    mac: str
    vrf: str | None = None


@dataclass(frozen=True, slots=True)
class SeenVpn:
    """A VPN instance and its interfaces as the device spells them; none where the family tells those elsewhere."""

    name: str
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adjacency:
    """An OSPF neighbour by the address that it speaks from."""

    interface: str
    address: IPv4Address
    full: bool


@dataclass(frozen=True, slots=True)
class DeviceTables:
    """One device as it answered. `reached_at` is the address that the session was opened to; `running` is masked text.

    `answered` are those of the addresses that it was told to ping which came back.
    """

    device: str
    reached_at: IPv4Address
    addresses: tuple[HeldAddress, ...] = ()
    routes: tuple[SeenRoute, ...] = ()
    neighbours: tuple[SeenNeighbour, ...] = ()
    adjacencies: tuple[Adjacency, ...] = ()
    router_id: IPv4Address | None = None
    running: str = ""
    answered: frozenset[IPv4Address] = frozenset()
