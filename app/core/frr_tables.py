"""What FRR 8.4's vtysh answers, read. Tried on 8.4.4. Pure.

`show interface vrf all json` leaves 127.0.0.0/8 out; its short form (`brief`) leaves out second addresses of one network as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_interface

from app.core.device_tables import Adjacency, HeldAddress, SeenNeighbour, SeenRoute, SeenVpn

#: What FRR calls the global table.
GLOBAL = "default"


def parse_addresses(text: str) -> tuple[HeldAddress, ...]:
    """Read `show interface vrf all json`; what is borrowed from another interface is none of its own."""
    return tuple(
        HeldAddress(name, address, port["operationalStatus"] == "up", None if port["vrfName"] == GLOBAL else port["vrfName"])
        for name, port in json.loads(text).items()
        for held in port["ipAddresses"]
        if not held["unnumbered"] and isinstance(address := ip_interface(held["address"]), IPv4Interface)
    )


def parse_routes(text: str) -> tuple[SeenRoute, ...]:
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


def parse_neighbours(text: str) -> tuple[SeenNeighbour, ...]:
    """Read `show ip neigh`: a table of interface, neighbour, MAC address and number of rules below its heading."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if not rows:
        return ()
    if rows[0][:3] != ["Interface", "Neighbor", "MAC"]:
        raise ValueError(f"expected a heading of Interface, Neighbor, MAC; found {' '.join(rows[0])!r}")
    return tuple(SeenNeighbour(row[0], IPv4Address(row[1]), row[2]) for row in rows[1:] if ":" not in row[1])


def parse_adjacencies(text: str) -> tuple[Adjacency, ...]:
    """Read `show ip ospf neighbor json`; the interface stands before the colon of `ifaceName`."""
    return tuple(
        Adjacency(entry["ifaceName"].partition(":")[0], IPv4Address(entry["address"]), entry["nbrState"].startswith("Full"))
        for entries in json.loads(text).get("neighbors", {}).values()
        for entry in entries
    )


def parse_router_id(text: str) -> IPv4Address | None:
    """Read `show ip ospf json`: the number that OSPF goes by now, which a changed configuration does not change at once."""
    found = json.loads(text).get("routerId")
    return IPv4Address(found) if found else None


def parse_vpns(text: str) -> tuple[SeenVpn, ...]:
    """Read `show vrf`: a line for each but the global one."""
    return tuple(SeenVpn(found[1]) for found in re.finditer(r"^vrf (\S+) (?:id|inactive)\b", text, re.MULTILINE) if found[1] != GLOBAL)
