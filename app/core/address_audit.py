"""Hold the addresses that devices really have against plan, ledger and intents. Pure.

Everything that is said of an address is said in one finding; a prefix that many devices route to is told once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from app.core.device_tables import DeviceTables, SeenRoute
from app.core.intent import DeviceIntent, InterfaceIntent
from app.core.ipplan import Allocation, Plan
from app.core.pool_rules import ZONES
from app.core.spans import span
from app.core.workspace import Workspace

#: What never is anybody's: loopback, link-local, multicast, broadcast, and the network that containerlab boots its nodes over.
NOBODYS = tuple(
    map(IPv4Network, ("0.0.0.0/32", "127.0.0.0/8", "169.254.0.0/16", "172.20.20.0/24", "224.0.0.0/4", "255.255.255.255/32"))
)
#: Kinds of findings. outside_slice: not in the interface's prefix; unheld: in nobody's; held_by_other: in another's;
#: unplanned: in the interface's prefix and not its address; wrong_vpn: as planned, in another VPN instance than planned;
#: missing: planned and not there; overlap: in two places of one VPN instance or of the global table;
#: unheld_route: a route to nobody's prefix; stray_neighbour: an ARP entry outside the interface's prefix.
KINDS = ("outside_slice", "unheld", "held_by_other", "unplanned", "wrong_vpn", "missing", "overlap", "unheld_route", "stray_neighbour")


@dataclass(frozen=True, slots=True)
class AddressFinding:
    """One thing on a device that the plan does not say. `unit` is the device's, empty where it serves none."""

    kinds: tuple[str, ...]
    device: str
    unit: str
    interface: str
    found: str
    expected: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Held:
    """The rows in force of one table of routes, apart from each other, by ascending address."""

    starts: Sequence[int]
    rows: Sequence[Allocation]

    def holder_of(self, address: IPv4Address) -> Allocation | None:
        place = bisect_right(self.starts, int(address)) - 1
        return self.rows[place] if place >= 0 and address in self.rows[place].prefix else None

    def touches(self, prefix: IPv4Network) -> bool:
        """Tell whether any held prefix lies in this one, or it in one of them."""
        start, end = span(prefix)
        place = bisect_right(self.starts, end - 1) - 1
        return place >= 0 and span(self.rows[place].prefix)[1] > start


NOTHING = _Held((), ())


@dataclass(frozen=True, slots=True)
class _Ground:
    """`tables` holds what is handed out by VPN instance, None for the global table; `ports` are the planned ones by device and name;
    `planned` the networks of ports that the ledger does not hold, by VPN instance."""

    workspace: Workspace
    intents: Mapping[str, DeviceIntent]
    tables: Mapping[str | None, _Held]
    ports: Mapping[tuple[str, str], InterfaceIntent]
    planned: Mapping[str | None, frozenset[IPv4Network]]

    def held(self, vrf: str | None) -> _Held:
        return self.tables.get(vrf, NOTHING)

    def is_expected(self, vrf: str | None, prefix: IPv4Network) -> bool:
        """Tell whether a route to a prefix is: somebody holds a part of it, or a port stands in it that the plan gives (the province's)."""
        return self.held(vrf).touches(prefix) or any(prefix.subnet_of(network) for network in self.planned.get(vrf, ()))

    def slices(self, device: str, interface: str) -> tuple[IPv4Interface, ...]:
        port = self.ports.get((device, interface))
        return port.addresses if port is not None else ()

    def unit(self, device: str) -> str:
        return self.workspace.inventory.devices[device].unit_id or ""

    def finding(self, kinds: Iterable[str], device: str, interface: str, found: object, expected: object, detail: str) -> AddressFinding:
        return AddressFinding(tuple(kinds), device, self.unit(device), interface, str(found), str(expected), detail)


def audit_addresses(
    workspace: Workspace, intents: Mapping[str, DeviceIntent], tables: Mapping[str, DeviceTables]
) -> tuple[AddressFinding, ...]:
    """Return what the devices hold that the plan does not say, and what it says that they lack, by device and interface."""
    ground = _ground(workspace, intents)
    read = [tables[name] for name in intents if name in tables]
    found = [finding for each in read for finding in (*_addresses(ground, each), *_missing(ground, each), *_neighbours(ground, each))]
    found += [*_overlaps(ground, read), *_routes(ground, read)]
    return tuple(sorted(found, key=lambda one: (one.device, one.interface, one.found, one.kinds)))


def _ground(workspace: Workspace, intents: Mapping[str, DeviceIntent]) -> _Ground:
    apart = {pool.vrf for pool in workspace.plan.pools if ZONES[pool.address_class] != "public"} | set(workspace.plan.vpn_names)
    rows: dict[str | None, list[Allocation]] = {}
    for row in workspace.ledger:
        if row.released_on is None:
            rows.setdefault(row.vrf if row.vrf in apart else None, []).append(row)
    ports = {(name, port.name): port for name, intent in intents.items() for port in intent.interfaces}
    tables = {vrf: _held(held) for vrf, held in rows.items()}
    unheld: dict[str | None, set[IPv4Network]] = {}
    for port in ports.values():
        unheld.setdefault(port.vrf, set()).update(
            address.network for address in port.addresses if not tables.get(port.vrf, NOTHING).touches(address.network)
        )
    return _Ground(workspace, intents, tables, ports, {vrf: frozenset(networks) for vrf, networks in unheld.items()})


def _held(rows: Iterable[Allocation]) -> _Held:
    ordered = sorted(rows, key=lambda row: row.prefix)
    return _Held([span(row.prefix)[0] for row in ordered], ordered)


def _addresses(ground: _Ground, tables: DeviceTables) -> Iterator[AddressFinding]:
    for one in tables.addresses:
        slices, port = ground.slices(tables.device, one.interface), ground.ports.get((tables.device, one.interface))
        if _is_nobodys(one.address.ip):
            continue
        found = _in_table(one.address, one.vrf)
        if port is not None and _is_planned(port, one.address):
            if one.vrf != port.vrf:
                text = "Bind the interface as the plan says; its address is in the wrong table of routes."
                yield ground.finding(["wrong_vpn"], tables.device, one.interface, found, f"{one.address} in {_table(port.vrf)}", text)
            continue
        kinds = []
        inside = any(one.address.ip in planned.network for planned in slices)
        if not inside:
            kinds.append("outside_slice")
        holder = ground.held(one.vrf).holder_of(one.address.ip)
        if holder is None:
            kinds.append("unheld")
        elif not inside:
            kinds.append("held_by_other")
        expected = ", ".join(map(str, slices)) or "no address"
        detail = f"{holder.prefix} is held by {holder.holder}" if holder else _whose(ground.workspace, one.address.ip)
        yield ground.finding(kinds or ["unplanned"], tables.device, one.interface, found, expected, detail)


def _table(vrf: str | None) -> str:
    return f"VPN instance {vrf}" if vrf else "the global table"


def _in_table(what: object, vrf: str | None) -> str:
    """Return an address or a prefix as it is shown: the global table needs no name."""
    return f"{what} in {_table(vrf)}" if vrf else str(what)


def _is_planned(port: InterfaceIntent, address: IPv4Interface) -> bool:
    """Tell whether an address is one of the port's; the far end of a dialled line gives it with a length of its own."""
    return address in port.addresses or (_is_dialled(port) and address.ip in {planned.ip for planned in port.addresses})


def _is_dialled(port: InterfaceIntent) -> bool:
    return port.kind == "line" and port.dialer is not None


def _missing(ground: _Ground, tables: DeviceTables) -> Iterator[AddressFinding]:
    held = {(one.interface, one.address) for one in tables.addresses}
    given = {(one.interface, one.address.ip) for one in tables.addresses}
    for port in ground.intents[tables.device].interfaces:
        wanted = port.addresses[:1] if _is_dialled(port) else port.addresses
        for address in wanted:
            if (port.name, address) not in held and not (_is_dialled(port) and (port.name, address.ip) in given):
                yield ground.finding(["missing"], tables.device, port.name, "none", address, "Deploy the device, or look who removed it.")


def _neighbours(ground: _Ground, tables: DeviceTables) -> Iterator[AddressFinding]:
    for one in tables.neighbours:
        slices = ground.slices(tables.device, one.interface)
        if _is_nobodys(one.address) or any(one.address in planned.network for planned in slices):
            continue
        holder = ground.held(one.vrf).holder_of(one.address)
        detail = f"{holder.prefix} is held by {holder.holder}" if holder else _whose(ground.workspace, one.address)
        expected = ", ".join(str(planned.network) for planned in slices) or "no neighbour"
        yield ground.finding(["stray_neighbour"], tables.device, one.interface, f"{one.address} ({one.mac})", expected, detail)


_Place = tuple[tuple[int, int], str, str, IPv4Interface]


def _overlaps(ground: _Ground, read: Sequence[DeviceTables]) -> Iterator[AddressFinding]:
    """Yield every place whose network overlaps that of another place in the same table of routes, unless both are the two ends of
    one planned line."""
    places: dict[str, list[_Place]] = {}
    for tables in read:
        for one in tables.addresses:
            if not _is_nobodys(one.address.ip):
                places.setdefault(one.vrf or "", []).append((span(one.address.network), tables.device, one.interface, one.address))
    for vrf, held in places.items():
        yield from _overlaps_in(ground, vrf, sorted(held, key=lambda place: (place[0][0], -place[0][1], place[1], place[2])))


def _overlaps_in(ground: _Ground, vrf: str, places: Iterable[_Place]) -> Iterator[AddressFinding]:
    widest: _Place | None = None
    for place in places:
        (start, end), device, interface, address = place
        if widest is None or start >= widest[0][1]:
            widest = place
            continue
        _, other, port, whole = widest
        if not (_is_end(ground, other, port, whole) and _is_end(ground, device, interface, address)):
            expected = f"no other network than that of {other} {port}"
            found = _in_table(address, vrf)
            yield ground.finding(["overlap"], device, interface, found, expected, f"{whole} stands on {other} {port}")
        if end > widest[0][1]:
            widest = place


def _is_end(ground: _Ground, device: str, interface: str, address: IPv4Interface) -> bool:
    port = ground.ports.get((device, interface))
    return port is not None and port.kind in ("line", "vpn_line", "backup", "management") and _is_planned(port, address)


def _routes(ground: _Ground, read: Sequence[DeviceTables]) -> Iterator[AddressFinding]:
    """Yield every routed prefix that nobody holds, at the device that is connected to it or else at the first that knows it."""
    seen: dict[tuple[str, IPv4Network], list[tuple[bool, str, str, str]]] = {}
    for tables in read:
        for route in tables.routes:
            if ground.is_expected(route.vrf, route.prefix) or _is_nobodys(route.prefix.network_address) or _is_own(route, tables):
                continue
            via = ", ".join(route.via)
            places = seen.setdefault((route.vrf or "", route.prefix), [])
            places.append((route.protocol != "connected", tables.device, via, route.protocol))
    for (vrf, prefix), places in seen.items():
        far, device, via, protocol = min(places)
        interface = "" if far else via.rpartition(" ")[2]
        many = f"{len(places)} of {len(read)} devices route to it; here {protocol}, {via}"
        found = _in_table(prefix, vrf)
        whose = _whose(ground.workspace, prefix.network_address)
        yield ground.finding(["unheld_route"], device, interface, found, "routes to held prefixes alone", f"{many}; {whose}")


def _is_own(route: SeenRoute, tables: DeviceTables) -> bool:
    """Tell whether a route is a device's own to its address or broadcast within a network that it is connected to as a whole."""
    if route.protocol == "local":
        return True
    whole = (one.address.network for one in tables.addresses if one.vrf == route.vrf and one.address.network.prefixlen < 32)
    return route.protocol == "connected" and route.prefix.prefixlen == 32 and any(route.prefix.subnet_of(network) for network in whole)


def _whose(workspace: Workspace, address: IPv4Address) -> str:
    """Say what the plan knows of an address that nobody holds."""
    resting = next((row for row in workspace.ledger if row.released_on is not None and address in row.prefix), None)
    if resting is not None:
        return f"{resting.prefix} was released by {resting.holder} on {resting.released_on}"
    return _where_in(workspace.plan, address)


def _where_in(plan: Plan, address: IPv4Address) -> str:
    kept = next((kept for kept in plan.reservations if address in kept.prefix), None)
    if kept is not None:
        return f"{kept.prefix} is reserved by hand: {kept.reason}"
    pool = next((pool for pool in plan.pools if address in pool.prefix), None)
    return f"in pool {pool.name}, handed out to nobody" if pool else "in no pool of the plan"


def _is_nobodys(address: IPv4Address) -> bool:
    return any(address in network for network in NOBODYS)
