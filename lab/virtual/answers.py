"""What a device shows of its own addresses, VPN instances and OSPF, as each vendor prints it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network

from lab.virtual.facts import Port
from lab.virtual.surroundings import Peer, Route
from lab.virtual.tables import ios_short, short

IsUp = Callable[[str], bool]


def interfaces_text(vendor: str, ports: Sequence[Port], is_up: IsUp) -> str:
    """Return every interface with its addresses: `display ip interface`, `show ip interface`, FRR's JSON."""
    if vendor == "frr":
        return json.dumps({port.name: _frr_port(port, up=is_up(port.name)) for port in ports}, indent=2)
    show = _ios_port if vendor == "cisco" else _vrp_port if vendor == "huawei" else _comware_port
    return "\n".join(show(port, up=is_up(port.name)) for port in ports)


def _frr_port(port: Port, *, up: bool) -> dict[str, object]:
    seen: set[IPv4Network] = set()
    held: list[dict[str, object]] = []
    for address in port.addresses:
        held.append({"address": str(address), "secondary": address.network in seen, "unnumbered": False})
        seen.add(address.network)
    state = "down" if port.shutdown else "up"
    return {
        "administrativeStatus": state,
        "operationalStatus": "up" if up else "down",
        "vrfName": port.vpn or "default",
        "mtu": 1500,
        "ipAddresses": held,
    }


def _vrp_port(port: Port, *, up: bool) -> str:
    lines = [f"{port.name} current state : {_physical(port, up=up)}"]
    lines.append(f"Line protocol current state : {'UP' if up and port.addresses else 'DOWN'}")
    lines += ["The Maximum Transmit Unit : 1500 bytes", "input packets : 0, bytes : 0, multicasts : 0"]
    for place, address in enumerate(port.addresses):
        lines.append(f"Internet Address is {address}{' Sub' if place else ''}")
    if not port.addresses:
        return "\n".join([*lines, "Internet protocol processing : disabled", ""])
    lines += [f"Broadcast address : {port.addresses[0].network.broadcast_address}", "TTL being 1 packet number:         0"]
    return "\n".join([*lines, "  Echo request:                    0", ""])


def _comware_port(port: Port, *, up: bool) -> str:
    lines = [f"{port.name} current state: {_physical(port, up=up)}"]
    lines.append(f"Line protocol current state: {'UP' if up else 'DOWN'}")
    for place, address in enumerate(port.addresses):
        lines.append(f"Internet Address is {address} {'Sub' if place else 'Primary'}")
    if port.addresses:
        lines += [f"Broadcast address: {port.addresses[0].network.broadcast_address}", "The Maximum Transmit Unit: 1500 bytes"]
        lines += ["TTL invalid packet number:         0", "  Echo request:                    0"]
    return "\n".join([*lines, ""])


def _ios_port(port: Port, *, up: bool) -> str:
    state = "administratively down" if port.shutdown else "up" if up else "down"
    lines = [f"{port.name} is {state}, line protocol is {'up' if up else 'down'}"]
    if not port.addresses:
        return "\n".join([*lines, "  Internet protocol processing disabled"])
    lines += [f"  Internet address is {port.addresses[0]}", "  Broadcast address is 255.255.255.255", "  MTU is 1500 bytes"]
    lines += [f"  Secondary address {address}" for address in port.addresses[1:]]
    lines += ["  Outgoing access list is not set", "  Proxy ARP is enabled"]
    lines += [f'  VPN Routing/Forwarding "{port.vpn}"'] if port.vpn else []
    return "\n".join(lines)


def _physical(port: Port, *, up: bool) -> str:
    return "Administratively DOWN" if port.shutdown else "UP" if up else "DOWN"


def vpns_text(vendor: str, vpns: Mapping[str, str], ports: Sequence[Port], one: str | None) -> str:
    """Return the VPN instances (name → route distinguisher) with their interfaces, on Comware those of `one` alone."""
    bound = {name: [port.name for port in ports if port.vpn == name] for name in vpns}
    if vendor == "huawei":
        parts = [_vrp_vpn(name, number, held) for number, (name, held) in enumerate(bound.items(), 1)]
        return "\n".join([f" Total VPN-Instances configured      : {len(vpns)}\n", *parts])
    if vendor == "h3c" and one is not None:
        listed = f",\n{15 * ' '}".join(bound.get(one, ()))
        head = f"  VPN-Instance Name and Index : {one}, 1\n  Route Distinguisher : {vpns.get(one, '')}"
        return f"{head}\n  Interfaces : {listed}\n  TTL mode: pipe\n"
    if vendor == "h3c":
        rows = [f"  {name:<32}{rd:<23}2008/05/01 08:00:00" for name, rd in vpns.items()]
        head = f"  {'VPN-Instance Name':<32}{'RD':<23}Create time"
        return "\n".join([f"  Total VPN-Instances configured : {len(vpns)}", head, *rows])
    if vendor == "frr":
        return "\n".join(f"vrf {name} inactive (configured)" for name in vpns)
    rows = []
    for name, rd in vpns.items():
        first, *rest = [ios_short(port) for port in bound[name]] or [""]
        rows += [f"  {name:<33}{rd:<22}{first}".rstrip(), *(f"{57 * ' '}{port}" for port in rest)]
    return "\n".join([f"  {'Name':<33}{'Default RD':<22}Interfaces", *rows])


def _vrp_vpn(name: str, number: int, ports: Sequence[str]) -> str:
    listed = f", \n{19 * ' '}".join(ports)
    return f" VPN-Instance Name and ID : {name}, {number}\n  Interface Number : {len(ports)} \n  Interface list : {listed}\n"


def ospf_peers_text(vendor: str, router_id: IPv4Address | None, peers: Iterable[Peer]) -> str:
    """Return the OSPF neighbours of a device; nothing but empty tables where it runs no OSPF."""
    held = list(peers)
    if vendor == "frr":
        shown: dict[str, list[dict[str, object]]] = {}
        for peer in held:
            row: dict[str, object] = {"nbrState": "Full/-", "address": str(peer.address), "ifaceName": f"{peer.interface}:{peer.own}"}
            shown.setdefault(str(peer.router_id), []).append(row)
        return json.dumps({"neighbors": shown} if router_id else {}, indent=2)
    if vendor == "cisco":
        rows = [f"{peer.router_id!s:<16}{0:>3}   FULL/  -        00:00:33    {peer.address!s:<16}{peer.interface}" for peer in held]
        return "\n".join(["", "Neighbor ID     Pri   State           Dead Time   Address         Interface", *rows])
    if router_id is None:
        return ""
    if vendor == "h3c":
        ends = [(f" {peer.router_id!s:<16}{peer.address!s:<16}", short("h3c", peer.interface)) for peer in held]
        rows = [f"{who}1   33         Full/ -           {port}" for who, port in ends]
        columns = " Router ID       Address         Pri Dead-Time  State             Interface"
        title = f"         OSPF Process 1 with Router ID {router_id}\n               Neighbor Brief Information"
        return "\n".join(["", title, "", " Area: 0.0.0.0", columns, *rows])
    return "\n".join(["", f"          OSPF Process 1 with Router ID {router_id}", "                  Neighbors", "", *map(_vrp_peer, held)])


def _vrp_peer(peer: Peer) -> str:
    return (
        f" Area 0.0.0.0 interface {peer.own}({peer.interface})'s neighbors\n"
        f" Router ID: {peer.router_id!s:<16}Address: {peer.address!s:<16}\n"
        "   State: Full           Mode:Nbr is Master     Priority: 1\n"
        "   DR: None   BDR: None   MTU: 0\n   Dead timer due in 33  sec\n   Retrans timer interval: 5\n"
        "   Neighbor is up for 00:10:00\n   Authentication Sequence: [ 0 ]\n"
    )


def ospf_text(vendor: str, router_id: IPv4Address | None) -> str:
    """Return the heading of OSPF's own table: the number that it goes by."""
    if vendor == "frr":
        return json.dumps({"routerId": str(router_id)} if router_id else {})
    return f' Routing Process "ospf 1" with ID {router_id}\n Start time: 00:00:04, Time elapsed: 00:10:00' if router_id else ""


def routes_json(routes: Iterable[Route]) -> str:
    """Return routes as FRR's `show ip route json`."""
    words = {"direct": "connected"}
    shown: dict[str, list[dict[str, object]]] = {}
    for route in routes:
        hop: dict[str, object] = {"interfaceName": route.interface} if route.interface else {}
        if route.next_hop is not None and route.protocol != "direct":
            hop["ip"] = str(route.next_hop)
        row = {"prefix": str(route.prefix), "protocol": words.get(route.protocol, route.protocol), "selected": True, "nexthops": [hop]}
        shown.setdefault(str(route.prefix), []).append(row)
    return json.dumps(shown, indent=2)
