"""Is the network apart from what it must be apart from? Pass, fail or not proven, each with the lines that prove it. Pure.

| proof | of | order |
|---|---|---|
| inner-network | no configured or learned path to the inner network (政务内网) or any range that is not the plan's | BZ-9 |
| one-exit | one way out to the Internet, at the city core | BL-4, SX-1 |
| assigned-only | no subnet is configured or announced that the ledger does not hold | SX-1 |
| wireless | no wireless router: none configured, none seen as a neighbour | SX-1 |
| own-lines | no router port carries a line that the inventory does not hold | BZ-10 |

Routes count for one-exit too: a default route that leads out of the plan's ranges, or down the tree, is somebody's exit. Neighbours count
by port: a device of ours on a port that no line of the inventory leads from hangs on a line that somebody laid.

A configuration shows what a device would do, not what is plugged in: where a proof needs a table that was not read (ARP, LLDP, routes),
and the configurations show no breach, it is not proven.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network

from app.core.acceptance import FAIL, NOT_PROVEN, PASS
from app.core.commands import mask_secrets
from app.core.config_lines import ConfigBlock, ConfigLine, read_blocks, read_lines
from app.core.intent import DeviceIntent
from app.core.shown_tables import ShownNeighbour, plain_port, read_hosts, read_neighbours, read_routes
from app.core.workspace import Workspace

#: The tables that proofs rest on beside configurations.
KINDS = ("arp", "lldp", "routes")

_EXITS = re.compile(
    r"^(?:nat (?:outbound|server)\b|ip nat (?:inside source|outside)\b|ip address (?:dhcp-alloc|dhcp)\b"
    r"|ip route(?:-static)?(?: vrf \S+| vpn-instance \S+)? 0\.0\.0\.0(?:/0| 0\.0\.0\.0| 0)\b)"
)
#: AR images show their idle controller (`wlan ac`) from the factory on.
_WIRELESS = re.compile(
    r"^(?:interface (?:wlan|dot11)|wlan (?!auto|tcp|ac$|ac-global carrier id other ac id 0$)|ssid-profile|service-template|dot11 ssid"
    r"|capwap )",
    re.IGNORECASE,
)
_WIRELESS_NEIGHBOUR = re.compile(
    r"wlan|wi-?fi|wireless|access point|\bSSID\b|tp-?link|mercury|tenda|xiaomi|miwifi|netgear|openwrt|\bAP\d", re.IGNORECASE
)
#: LLDP tables cut names to their column; a shorter name is a whole one.
_CUT_AT = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one device: its intent, its running configuration (None: not read), and its tables by kind.

    `missing` says of a table that was asked for why it is not there.
    """

    intent: DeviceIntent
    running: str | None
    tables: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A line that bears on a proof: `source` is the device's configuration or the name of a table, `line` counts from 1."""

    device: str
    source: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof: the verdict, the lines against it (fail) or for it (pass), and what was not seen (not proven)."""

    proof_id: str
    clause: str
    title: str
    title_zh: str
    verdict: str
    exhibits: tuple[Exhibit, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Device:
    name: str
    intent: DeviceIntent
    lines: tuple[ConfigLine, ...]
    blocks: tuple[ConfigBlock, ...]
    tables: Mapping[str, str]
    missing: Mapping[str, str]

    def exhibit(self, line: ConfigLine) -> Exhibit:
        return Exhibit(self.name, "configuration", line.number, mask_secrets(line.text))

    def rows(self, kind: str) -> Iterator[tuple[int, str]]:
        for number, text in enumerate(self.tables.get(kind, "").splitlines(), 1):
            if text.strip():
                yield number, text.strip()


def prove_separation(workspace: Workspace, evidence: Mapping[str, Evidence]) -> tuple[Proof, ...]:
    """Return the five proofs over these devices; the same evidence gives the same proofs."""
    devices = [_device(name, held) for name, held in evidence.items() if held.running is not None]
    unread = tuple(f"{name}: configuration" for name, held in evidence.items() if held.running is None)
    unread += tuple(f"{name}: configuration" for name in workspace.inventory.devices if name not in evidence)
    routers = [device for device in devices if device.intent.loopback is not None]
    ours = _our_prefixes(workspace)
    allowed_ports = {(device.name, port.name): port for device in devices for port in device.intent.interfaces}
    return (
        _proof(
            "inner-network", "BZ-9", "no path to the inner network", "与政务内网无通路",
            _foreign_paths(devices, ours), unread + _without(routers, ("routes", "arp")), _shown_routes(routers),
        ),
        _proof(
            "one-exit", "BL-4, SX-1", "one Internet exit", "互联网出口唯一",
            _own_exits(devices, ours), unread + _without(routers, ("routes",)), _shown_routes(routers),
        ),
        _proof(
            "assigned-only", "SX-1", "no unassigned subnet is configured or announced", "无未分配网段",
            _unassigned(devices, workspace), unread + _without(routers, ("routes",)), _shown_subnets(devices),
        ),
        _proof(
            "wireless", "SX-1", "no wireless router", "无无线路由器",
            _wireless(devices), unread + _without(devices, ("lldp", "arp")), _shown_neighbours(devices),
        ),
        _proof(
            "own-lines", "BZ-10", "no self-laid line", "无自建线路",
            _self_laid(devices, allowed_ports), unread + _without(devices, ("lldp",)), _shown_neighbours(devices),
        ),
    )  # fmt: skip


def _proof(
    proof_id: str, clause: str, title: str, title_zh: str, against: Iterable[Exhibit], unseen: Iterable[str], supporting: Iterable[Exhibit]
) -> Proof:
    """A breach that was seen fails, whatever was not seen; without one, anything unseen leaves it not proven."""
    breaches, missing = tuple(against), tuple(unseen)
    if breaches:
        return Proof(proof_id, clause, title, title_zh, FAIL, breaches, missing)
    if missing:
        return Proof(proof_id, clause, title, title_zh, NOT_PROVEN, (), missing)
    shown = tuple(supporting)
    if not shown:
        return Proof(proof_id, clause, title, title_zh, NOT_PROVEN, (), ("no device was read",))
    return Proof(proof_id, clause, title, title_zh, PASS, shown)


def _device(name: str, held: Evidence) -> _Device:
    lines = read_lines(held.intent.family, held.running or "")
    return _Device(name, held.intent, lines, tuple(read_blocks(lines)), held.tables, held.missing)


def _without(devices: Iterable[_Device], kinds: tuple[str, ...]) -> tuple[str, ...]:
    wanted = ((device, kind) for device in devices for kind in kinds if kind not in device.tables)
    return tuple(f"{device.name}: {kind}{_because(device.missing.get(kind))}" for device, kind in wanted)


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def _our_prefixes(workspace: Workspace) -> tuple[IPv4Network, ...]:
    """Return every prefix that may be seen here: the national block, the pools, the ledger's rows and the province's links."""
    return tuple(sorted({workspace.plan.national_block, *(pool.prefix for pool in workspace.plan.pools)} | _held(workspace)))


def _held(workspace: Workspace) -> set[IPv4Network]:
    """Return what the ledger's rows hold, and the links that the province gave."""
    bgp = workspace.plan.features.bgp
    links = {peer.address.network for peer in bgp.peers} if bgp else set()
    return {row.prefix for row in workspace.ledger if row.released_on is None} | links


def _is_ours(prefix: IPv4Network, ours: Iterable[IPv4Network]) -> bool:
    return prefix.prefixlen == 0 or any(prefix.subnet_of(one) for one in ours) or _is_local(prefix)


def _is_local(prefix: IPv4Network) -> bool:
    """Tell whether a prefix never leaves a device: loopback, link-local, multicast, broadcast."""
    first = prefix.network_address
    return first.is_loopback or first.is_link_local or first.is_multicast or int(first) >> 24 in (0, 255)


def _foreign_paths(devices: Iterable[_Device], ours: tuple[IPv4Network, ...]) -> Iterator[Exhibit]:
    """Yield addresses, static routes, learned routes and neighbours outside every range of the plan."""
    for device in devices:
        for line, prefix in _configured(device):
            if not _is_ours(prefix, ours):
                yield device.exhibit(line)
        for route in read_routes(device.tables.get("routes", "")):
            if not _is_ours(route.prefix, ours):
                yield Exhibit(device.name, "routes", route.line, route.text)
        for host in read_hosts(device.tables.get("arp", "")):
            if not _is_ours(IPv4Network(host.address), ours):
                yield Exhibit(device.name, "arp", host.line, host.text)


def _own_exits(devices: Sequence[_Device], ours: tuple[IPv4Network, ...]) -> Iterator[Exhibit]:
    """Yield translations and default routes anywhere but at the city core, and more than one way out there."""
    at_core: list[Exhibit] = []
    depths = {device.name: device.intent.depth for device in devices}
    for device in devices:
        leading = [device.exhibit(line) for line in device.lines if _EXITS.match(line.text) and not _is_way_up(device, line)]
        if device.intent.role == "city_core":
            at_core += [exhibit for exhibit in leading if exhibit.text.startswith(("ip route", "ip address"))]
            yield from _second_ways(device)
        else:
            yield from leading
            yield from _strange_defaults(device, depths, ours)
    if len(at_core) > 1:
        yield from at_core


def _second_ways(core: _Device) -> Iterator[Exhibit]:
    """Yield the default routes in use at the core, where they lead more than one way."""
    routes = [route for route in read_routes(core.tables.get("routes", "")) if route.prefix.prefixlen == 0]
    if len({hop for route in routes for hop in route.next_hops}) > 1:
        yield from (Exhibit(core.name, "routes", route.line, route.text) for route in routes)


def _strange_defaults(device: _Device, depths: Mapping[str, int], ours: tuple[IPv4Network, ...]) -> Iterator[Exhibit]:
    """Yield default routes in use that lead out of the plan's ranges, or down to a device further from the core."""
    below = [
        address.network
        for port in device.intent.interfaces
        for address in port.addresses
        if port.far_device and depths.get(port.far_device, 0) > device.intent.depth
    ]
    for route in read_routes(device.tables.get("routes", "")):
        hops = [IPv4Network(hop) for hop in route.next_hops]
        if route.prefix.prefixlen == 0 and any(not _is_ours(hop, ours) or any(map(hop.subnet_of, below)) for hop in hops):
            yield Exhibit(device.name, "routes", route.line, route.text)


def _is_way_up(device: _Device, line: ConfigLine) -> bool:
    """Tell whether a default route is a switch's or a unit's way to its own gateway, as its intent says."""
    routes = device.intent.static_routes
    ways = {str(route.next_hop) for route in routes} | {route.way for route in routes}
    ways |= {str(route.next_hop) for route in device.intent.vpn_routes}
    return line.text.startswith("ip route") and bool(ways & set(line.text.split()))


def _unassigned(devices: Iterable[_Device], workspace: Workspace) -> Iterator[Exhibit]:
    """Yield configured or learned subnets inside the plan's ranges that the ledger does not hold."""
    held = _held(workspace)
    pools = [pool.prefix for pool in workspace.plan.pools]

    def is_held(prefix: IPv4Network) -> bool:
        return prefix.prefixlen == 0 or _is_local(prefix) or any(prefix.subnet_of(one) for one in held) or prefix in pools

    for device in devices:
        for line, prefix in _configured(device):
            if not is_held(prefix):
                yield device.exhibit(line)
        for route in read_routes(device.tables.get("routes", "")):
            if not is_held(route.prefix):
                yield Exhibit(device.name, "routes", route.line, route.text)


def _wireless(devices: Iterable[_Device]) -> Iterator[Exhibit]:
    for device in devices:
        yield from (device.exhibit(line) for line in device.lines if _WIRELESS.match(line.text))
        for kind in ("lldp", "arp"):
            for number, text in device.rows(kind):
                if _WIRELESS_NEIGHBOUR.search(text):
                    yield Exhibit(device.name, kind, number, text)


def _self_laid(devices: Sequence[_Device], allowed: Mapping[tuple[str, str], object]) -> Iterator[Exhibit]:
    """Yield addressed ports that no row of the inventory asks for, and neighbours that no line of it leads to."""
    expected = _far_ends(devices)
    known = frozenset(device.name.lower() for device in devices) | frozenset(name for names in expected.values() for name in names)
    for device in devices:
        for block in device.blocks:
            name = block.head.text.removeprefix("interface ")
            is_port = block.head.text.startswith("interface ") and not re.match(r"(?i)loopback|lo$|null|dialer|vlan", name)
            addressed = [line for line in block.body if line.text.startswith("ip address ")]
            if is_port and addressed and (device.name, name) not in allowed:
                yield device.exhibit(block.head)
        for seen in read_neighbours(device.tables.get("lldp", "")):
            if not _is_one_of(seen, expected.get((device.name, plain_port(seen.port)), frozenset()) if seen.port else known):
                yield Exhibit(device.name, "lldp", seen.line, seen.text)


def _far_ends(devices: Iterable[_Device]) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return by device and port the devices that the inventory's lines lead to."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for device in devices:
        for port in device.intent.interfaces:
            if port.far_device:
                place = (device.name, plain_port(port.name))
                found[place] = found.get(place, frozenset()) | {port.far_device.lower()}
    return found


def _is_one_of(seen: ShownNeighbour, names: frozenset[str]) -> bool:
    name = seen.name.lower()
    return name in names or (len(name) >= _CUT_AT and any(one.startswith(name) for one in names))


def _configured(device: _Device) -> Iterator[tuple[ConfigLine, IPv4Network]]:
    """Yield every subnet that a configuration sets up or routes to, with its line."""
    for line in device.lines:
        words = line.text.split()
        prefix = None
        if words[:2] == ["ip", "address"] and len(words) > 2:
            prefix = _network(words[2], words[3] if len(words) > 3 else "")
        elif line.text.startswith(("ip route ", "ip route-static ")):
            at = 4 if len(words) > 3 and words[2] in ("vpn-instance", "vrf") else 2
            prefix = _network(words[at], words[at + 1] if len(words) > at + 1 else "")
        if prefix is not None:
            yield line, prefix


def _network(address: str, mask: str) -> IPv4Network | None:
    try:
        return IPv4Interface(address if "/" in address else f"{address}/{mask}").network
    except ValueError:
        return None


def _shown_routes(devices: Iterable[_Device]) -> Iterator[Exhibit]:
    """Yield the route lines that were looked at: a pass names what it rests on."""
    for device in devices:
        yield from (Exhibit(device.name, "routes", route.line, route.text) for route in read_routes(device.tables.get("routes", "")))


def _shown_subnets(devices: Iterable[_Device]) -> Iterator[Exhibit]:
    for device in devices:
        yield from (device.exhibit(line) for line, _ in _configured(device))


def _shown_neighbours(devices: Iterable[_Device]) -> Iterator[Exhibit]:
    for device in devices:
        yield from (Exhibit(device.name, "lldp", seen.line, seen.text) for seen in read_neighbours(device.tables.get("lldp", "")))
