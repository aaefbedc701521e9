"""What a device says of itself: addresses, routes, neighbours, adjacencies. Pure parsers of its own answers.

FRR 8.4: `show interface brief json`, `show ip route json`, `show ip neigh`, `show ip ospf neighbor json`, `show ip ospf json`.
It leaves 127.0.0.0/8 and IPv6 link-local addresses out of the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_interface

#: The questions whose answers make these tables; every family that is read back has a line for each in its dialect.
QUESTIONS = ("addresses", "routes", "neighbours", "adjacencies", "router_id")


@dataclass(frozen=True, slots=True)
class HeldAddress:
    interface: str
    address: IPv4Interface
    up: bool


@dataclass(frozen=True, slots=True)
class SeenRoute:
    """A route in use. `protocol` is the device's word: connected, ospf, static, kernel …; `via` its next hops as text."""

    prefix: IPv4Network
    protocol: str
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenNeighbour:
    """An entry of the ARP table."""

    interface: str
    address: IPv4Address
    mac: str


@dataclass(frozen=True, slots=True)
class Adjacency:
    """An OSPF neighbour by the address that it speaks from."""

    interface: str
    address: IPv4Address
    full: bool


@dataclass(frozen=True, slots=True)
class DeviceTables:
    """One device as it answered. `reached_at` is the address that the session was opened to; `running` is masked text."""

    device: str
    reached_at: IPv4Address
    addresses: tuple[HeldAddress, ...] = ()
    routes: tuple[SeenRoute, ...] = ()
    neighbours: tuple[SeenNeighbour, ...] = ()
    adjacencies: tuple[Adjacency, ...] = ()
    router_id: IPv4Address | None = None
    running: str = ""


def parse_tables(family: str, device: str, reached_at: IPv4Address, answers: Mapping[str, str], running: str = "") -> DeviceTables:
    """Return the tables that these answers (question → text) tell of.

    Raises:
        ValueError: an answer is not what the family gives; it names the question.
    """
    parsed: dict[str, object] = {}
    for question, text in answers.items():
        try:
            parsed[question] = PARSERS[family][question](text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{question}: {type(error).__name__}: {error}") from error
    return DeviceTables(device, reached_at, running=running, **parsed)  # type: ignore[arg-type]  # each parser gives its field's type


def parse_frr_addresses(text: str) -> tuple[HeldAddress, ...]:
    """Read `show interface brief json`."""
    return tuple(
        HeldAddress(name, address, port["status"] == "up")
        for name, port in json.loads(text).items()
        for word in port["addresses"]
        if isinstance(address := ip_interface(word), IPv4Interface)
    )


def parse_frr_routes(text: str) -> tuple[SeenRoute, ...]:
    """Read `show ip route json`; only routes that the device selected."""
    return tuple(
        SeenRoute(IPv4Network(prefix), route["protocol"], tuple(_next_hops(route)))
        for prefix, routes in json.loads(text).items()
        for route in routes
        if route.get("selected")
    )


def _next_hops(route: Mapping[str, object]) -> Iterator[str]:
    hops = route.get("nexthops", [])
    assert isinstance(hops, list)
    for hop in hops:
        yield " ".join(str(hop[key]) for key in ("ip", "interfaceName") if key in hop) or "nowhere"


def parse_frr_neighbours(text: str) -> tuple[SeenNeighbour, ...]:
    """Read `show ip neigh`: a table of interface, neighbour, MAC address and number of rules below its heading."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if not rows:
        return ()
    if rows[0][:3] != ["Interface", "Neighbor", "MAC"]:
        raise ValueError(f"expected a heading of Interface, Neighbor, MAC; found {' '.join(rows[0])!r}")
    return tuple(SeenNeighbour(row[0], IPv4Address(row[1]), row[2]) for row in rows[1:] if ":" not in row[1])


def parse_frr_adjacencies(text: str) -> tuple[Adjacency, ...]:
    """Read `show ip ospf neighbor json`; the interface stands before the colon of `ifaceName`."""
    return tuple(
        Adjacency(entry["ifaceName"].partition(":")[0], IPv4Address(entry["address"]), entry["nbrState"].startswith("Full"))
        for entries in json.loads(text).get("neighbors", {}).values()
        for entry in entries
    )


def parse_frr_router_id(text: str) -> IPv4Address | None:
    """Read `show ip ospf json`: the number that OSPF goes by now, which a changed configuration does not change at once."""
    found = json.loads(text).get("routerId")
    return IPv4Address(found) if found else None


PARSERS: Mapping[str, Mapping[str, Callable[[str], object]]] = {
    "frr": {
        "addresses": parse_frr_addresses,
        "routes": parse_frr_routes,
        "neighbours": parse_frr_neighbours,
        "adjacencies": parse_frr_adjacencies,
        "router_id": parse_frr_router_id,
    }
}
