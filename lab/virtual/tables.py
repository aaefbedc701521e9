"""Tables of neighbours and routes as each vendor prints them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network

from lab.virtual.surroundings import Neighbour, Route

_SHORT = (("XGigabitEthernet", "XGE"), ("TenGigabitEthernet", "Te"), ("GigabitEthernet", "GE"), ("Ethernet", "Eth"))
_SHORT_ON_COMWARE = (*_SHORT, ("Ten-GigabitEthernet", "XGE"), ("Vlan-interface", "Vlan"), ("LoopBack", "Loop"), ("Dialer", "Dia"))
_WORDS = {
    "huawei": {"direct": "Direct", "local": "Direct", "static": "Static", "ospf": "OSPF"},
    "h3c": {"direct": "Direct", "local": "Direct", "static": "Static", "ospf": "O_INTRA"},
}
_PREFERENCE = {"direct": 0, "local": 0, "ospf": 10, "static": 60}
_DISTANCE = {"direct": 0, "local": 0, "static": 1, "ospf": 110}


def arp_table(vendor: str, neighbours: Iterable[Neighbour], vpn: str | None) -> str:
    """Return the ARP table; `vpn` None is the whole one for Huawei and H3C, the global one for the others."""
    met = [(one, address) for one in neighbours for address in one.addresses]
    if vpn is not None or vendor in ("cisco", "frr"):
        met = [(one, address) for one, address in met if one.vpn == vpn]
    if vendor == "huawei":
        return _vrp_arp(met)
    if vendor == "h3c":
        rows = [f"{address!s:<15} {_dashed(one.mac)} --         {short('h3c', one.met_at):<24} 16    D" for one, address in met]
        kinds = "  Type: S-Static   D-Dynamic   O-Openflow   R-Rule   M-Multiport  I-Invalid"
        return "\n".join([kinds, "IP address      MAC address    VLAN/VSI   Interface/Link ID        Aging Type", *rows])
    if vendor == "frr":
        rows = [f"{one.met_at:<17}{address!s:<16}{_colons(one.mac):<18}0" for one, address in met]
        return "\n".join([f"{'Interface':<17}{'Neighbor':<16}{'MAC':<18}# Rules", *rows])
    rows = [f"Internet  {address!s:<16}       12   {_dotted(one.mac)}  ARPA   {one.met_at}" for one, address in met]
    return "\n".join(["Protocol  Address          Age (min)  Hardware Addr   Type   Interface", *rows])


def _vrp_arp(met: Sequence[tuple[Neighbour, IPv4Address]]) -> str:
    rule = "-" * 78
    held = [(f"{address!s:<16}{_dashed(one.mac):<16}18        D-0         ", one) for one, address in met]
    rows = [f"{entry}{short('huawei', one.met_at):<15}{one.vpn or ''}" for entry, one in held]
    head = ["IP ADDRESS      MAC ADDRESS     EXPIRE(M) TYPE        INTERFACE      VPN-INSTANCE", f"{'':42}VLAN/CEVLAN PVC", rule]
    return "\n".join([*head, *rows, rule, f"Total:{len(met):<10}Dynamic:{len(met):<8}Static:0     Interface:0"])


def lldp_table(vendor: str, neighbours: Iterable[Neighbour]) -> str:
    """Return the table of LLDP neighbours, one row a line; each vendor cuts names to its column."""
    heard = [one for one in neighbours if one.is_heard]
    if vendor == "huawei":
        rows = [f"{short('huawei', one.interface):<17}{one.name[:24]:<25}{short('huawei', one.far_interface):<26}97" for one in heard]
        return "\n".join([f"{'Local Intf':<17}{'Neighbor Dev':<25}{'Neighbor Intf':<26}Exptime", *rows])
    if vendor == "h3c":
        rows = [f"{one.name:<20} {short('h3c', one.interface):<15} {_dashed(one.mac):<15} {one.far_interface}" for one in heard]
        notes = [
            "Chassis ID : * -- -- Nearest nontpmr bridge neighbor",
            "             # -- -- Nearest customer bridge neighbor",
            "             Default -- -- Nearest bridge neighbor",
        ]
        return "\n".join([*notes, f"{'System Name':<20} {'Local Interface':<15} {'Chassis ID':<15} Port ID", *rows])
    rows = [f"{one.name[:20]:<20}{ios_short(one.interface):<15}{'120':<11}{'R':<16}{ios_short(one.far_interface)}" for one in heard]
    notes = ["Capability codes:", "    (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device", ""]
    head = f"{'Device ID':<20}{'Local Intf':<15}{'Hold-time':<11}{'Capability':<16}Port ID"
    return "\n".join([*notes, head, *rows, "", f"Total entries displayed: {len(heard)}"])


def route_table(vendor: str, routes: Iterable[Route], vpn: str | None) -> str:
    """Return the routes of one table: the global one, or a VPN instance's."""
    held = list(in_use(vendor, (route for route in routes if route.vpn == vpn)))
    if vendor in ("huawei", "h3c"):
        return _display_routes(vendor, held, vpn)
    return _ios_routes(held) if vendor == "cisco" else _frr_routes(held)


def in_use(vendor: str, routes: Iterable[Route]) -> Iterator[Route]:
    """Yield the routes of the most trusted protocol for each prefix."""
    trust = _PREFERENCE if vendor in ("huawei", "h3c") else _DISTANCE
    best: dict[IPv4Network, int] = {}
    held = list(routes)
    for route in held:
        best[route.prefix] = min(best.get(route.prefix, 255), trust[route.protocol])
    yield from (route for route in held if trust[route.protocol] == best[route.prefix])


def _display_routes(vendor: str, held: Sequence[Route], vpn: str | None) -> str:
    rows, before = [], None
    for route in held:
        word, again = _WORDS[vendor][route.protocol], route.prefix == before
        before = route.prefix
        hop, cost = f"{route.next_hop or '127.0.0.1'!s:<16}", _PREFERENCE[route.protocol]
        if vendor == "h3c":
            first = f"{'':<38}" if again else f"{route.prefix!s:<18} {word:<8}{cost:<4}{0:<7}"
            rows.append(f"{first}{hop}{short('h3c', route.interface) or '-'}")
            continue
        destination = "" if again else str(route.prefix)
        flags = f"{'RD' if route.protocol == 'static' else 'D':>3}   "
        rows.append(f"{destination:>18}  {word:<8}{cost:<5}{0:<10}{flags}{hop}{route.interface or '-'}")
    count = f"Destinations : {len({route.prefix for route in held})}        Routes : {len(held)}"
    if vendor == "h3c":
        return "\n".join(["", count, "", "Destination/Mask   Proto   Pre Cost   NextHop         Interface", *rows])
    title = ["Route Flags: R - relay, D - download to fib", "-" * 78, f"Routing Tables: {vpn or 'Public'}", f"         {count}", ""]
    return "\n".join([*title, "Destination/Mask    Proto   Pre  Cost      Flags NextHop         Interface", "", *rows])


def _ios_routes(held: Sequence[Route]) -> str:
    """Print by classful network, as IOS does: where all its subnets have one length, that is said once and left out below."""
    lines = ["Codes: C - connected, S - static, O - OSPF", "", "Gateway of last resort is not set", ""]
    lengths: dict[IPv4Network, set[int]] = {}
    for route in held:
        lengths.setdefault(_classful(route.prefix), set()).add(route.prefix.prefixlen)
    count = Counter(_classful(route.prefix) for route in held)
    head = None
    for route in held:
        network, prefix = _classful(route.prefix), route.prefix
        masks = sorted(lengths[network])
        if network != head and prefix.prefixlen:
            uniform = f"{network.network_address}/{masks[0]} is subnetted, {count[network]} subnets"
            several = f"{network} is variably subnetted, {count[network]} subnets, {len(masks)} masks"
            lines.append(f"     {uniform if len(masks) == 1 else several}")
        head = network
        shown = prefix.network_address if prefix.prefixlen and len(masks) == 1 else prefix
        lines.append(f"{_code(route):<6}{shown} {_ios_way(route)}")
    return "\n".join(lines)


def _frr_routes(held: Sequence[Route]) -> str:
    lines = ["Codes: K - kernel route, C - connected, S - static, O - OSPF", "       > - selected route, * - FIB route", ""]
    return "\n".join([*lines, *(f"{_code(route)}>* {route.prefix} {_ios_way(route)}, 00:10:00" for route in held)])


def _code(route: Route) -> str:
    return {"direct": "C", "local": "L", "static": "S", "ospf": "O"}[route.protocol]


def _ios_way(route: Route) -> str:
    if route.next_hop is None or route.protocol in ("direct", "local"):
        return f"is directly connected, {route.interface}"
    way = f", {route.interface}" if route.interface else ""
    return f"[{_DISTANCE[route.protocol]}/0] via {route.next_hop}{way}"


def _classful(prefix: IPv4Network) -> IPv4Network:
    first = int(prefix.network_address) >> 24
    return prefix.supernet(new_prefix=min(prefix.prefixlen, 8 if first < 128 else 16 if first < 192 else 24))


def short(vendor: str, interface: str) -> str:
    """Return an interface's name as a vendor shortens it in its tables."""
    for long, brief in _SHORT_ON_COMWARE if vendor == "h3c" else _SHORT:
        if interface.startswith(long):
            return brief + interface.removeprefix(long)
    return interface


def ios_short(interface: str) -> str:
    return interface.replace("TenGigabitEthernet", "Te").replace("GigabitEthernet", "Gi").replace("FastEthernet", "Fa")


def _dashed(mac: str) -> str:
    return "-".join((mac[:4], mac[4:8], mac[8:]))


def _dotted(mac: str) -> str:
    return ".".join((mac[:4], mac[4:8], mac[8:]))


def _colons(mac: str) -> str:
    return ":".join(mac[at : at + 2] for at in range(0, 12, 2))
