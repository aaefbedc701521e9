"""What a plan may ask for beyond addresses and OSPF, drawn per device: VPN instances, BGP, filters, QoS, probes, unused ports."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Network

from app.core.ground import Ground
from app.core.intent import (
    BgpIntent,
    BgpPeer,
    DeviceIntent,
    InterfaceIntent,
    PrefixRange,
    ProbeIntent,
    QosClass,
    QosPolicy,
    VpnIntent,
)
from app.core.inventory import Device, Inventory
from app.core.ipplan import PLAN_FILE, AddressBook, Features, Plan, ProvincePeer, QosShare, VpnProfile
from app.core.ipv6_rows import INFRASTRUCTURE, LAN_LENGTH, LENGTHS
from app.core.ports import uses
from app.core.vpn_lines import vpn_routes, vpn_routes6
from app.errors import Finding

#: Roles that hold VPN instances and speak BGP: the city core reflects routes, counties are its clients (design default).
PE_ROLES = ("city_core", "county_agg")
#: On a line of 2 Mbit/s or less, video is held to so much (design default after the sizing of one standard-definition call).
SLOW_LINE_KBPS = 2048
SLOW_LINE_VIDEO_KBPS = 768
VIDEO = "video"
#: Seconds between the echoes of a round where nothing else is said: VRP's default; it refuses a round that outlasts the frequency.
ECHO_INTERVAL_S = 4
#: Families whose ports are shut until somebody opens them. What hangs below a shut port is lost with its sub-interfaces.
STARTING_SHUT = frozenset({"huawei_ne", "cisco_ios"})
#: Kinds of port that carry a committed rate outward.
RATED = ("line", "backup", "modem")


def with_features(intent: DeviceIntent, device: Device, ground: Ground) -> DeviceIntent:
    """Return the intent with what the plan's features want of this device; the same intent where the plan has none."""
    plan, inventory, book = ground.workspace.plan, ground.workspace.inventory, ground.book
    features = plan.features
    ports = tuple(_fitted(features, inventory, intent, port) for port in intent.interfaces)
    is_router = intent.loopback is not None
    return replace(
        intent,
        interfaces=(*ports, *_divided(intent.family, ports), *_unused(features, device, ports)),
        vpns=_vpns(features) if intent.role in PE_ROLES else _vpns_at_unit(features, ports),
        vpn_routes=vpn_routes(ground, device),
        vpn_routes6=vpn_routes6(ground, device),
        bgp=_bgp(features, intent, inventory, book),
        assigned=_public_ranges(plan, ("national_public", "local_public")) if intent.role in PE_ROLES else (),
        announced=_public_ranges(plan, ("national_public",)) if intent.role == "city_core" else (),
        assigned6=_ranges6(plan, ground.held6) if intent.role in PE_ROLES else (),
        announced6=_ranges6(plan, ground.held6) if intent.role == "city_core" else (),
        policies=_policies(features.qos, ports) if is_router else (),
        probe=_probe(plan, intent, book) if is_router else None,
    )


def find_unfit_features(plan: Plan, inventory: Inventory) -> Iterator[Finding]:
    """Yield what of the plan's features cannot be configured, all at once."""
    held = {(device, port): purpose for device, port, purpose, _ in uses(inventory)}
    bgp = plan.features.bgp
    for peer in bgp.peers if bgp else ():
        device = inventory.devices.get(peer.device)
        what = f"routing.bgp.province: {peer.device} {peer.interface}"
        if device is None or device.role != "city_core":
            found = "no such device" if device is None else device.role
            yield Finding(PLAN_FILE, what, "a device of role city_core", found, "Name the city core, or add the device.")
        elif (peer.device, peer.interface) in held:
            purpose = held[(peer.device, peer.interface)]
            yield Finding(PLAN_FILE, what, "a free port", f"{purpose} stands on it", "Name another port.")
        if peer.neighbour not in peer.address.network or peer.neighbour == peer.address.ip:
            step = "Correct the addresses after the province's sheet."
            yield Finding(PLAN_FILE, what, f"another address of {peer.address.network}", f"neighbour {peer.neighbour}", step)
        yield from _find_unfit_peer6(plan, peer, what)
    if bgp is not None and bgp.peers and not plan.features.only_assigned:
        step = "Set it: without the filter everything that a unit makes up reaches the province."
        yield Finding(PLAN_FILE, "routing.bgp", "only_assigned: true beside it", "only_assigned: false", step)
    elif bgp is not None and bgp.peers and not _public_ranges(plan, ("national_public",)):
        step = "Add the pool that the nation assigned, or leave routing.bgp out: nobody above may use other addresses."
        yield Finding(PLAN_FILE, "routing.bgp", "a pool of class national_public to announce", "none", step)
    probe = plan.features.probe
    if probe is not None and probe.frequency_s <= probe.count * ECHO_INTERVAL_S:
        step = "Ask less often, or with fewer echoes."
        whole = probe.count * ECHO_INTERVAL_S
        expected = f"frequency_s above {whole}, as {probe.count} echoes take {whole} s"
        yield Finding(PLAN_FILE, "probe", expected, f"frequency_s: {probe.frequency_s}", step)
    total = sum(share.percent for share in plan.features.qos)
    if total > 95:
        yield Finding(PLAN_FILE, "qos: shares", "at most 95 percent together", f"{total} percent", "Leave room for everything else.")
    yield from _find_unfit_vpns(plan, inventory)


def _find_unfit_peer6(plan: Plan, peer: ProvincePeer, what: str) -> Iterator[Finding]:
    if peer.address6 is None and peer.neighbour6 is None:
        return
    if peer.address6 is None or peer.neighbour6 is None:
        found = "address6 alone" if peer.neighbour6 is None else "neighbour6 alone"
        yield Finding(PLAN_FILE, what, "address6 and neighbour6 together", found, "Add the other after the province's sheet.")
    elif peer.neighbour6 not in peer.address6.network or peer.neighbour6 == peer.address6.ip:
        step = "Correct the addresses after the province's sheet."
        yield Finding(PLAN_FILE, what, f"another address of {peer.address6.network}", f"neighbour6 {peer.neighbour6}", step)
    if plan.ipv6 is None:
        step = f"Enter the city's prefix under ipv6 in {PLAN_FILE}, or leave address6 and neighbour6 out."
        yield Finding(PLAN_FILE, what, "an IPv6 prefix of the city to announce", "none", step)


def find_without_peer6(plan: Plan) -> Iterator[Finding]:
    """Yield a note for every session with the province that carries IPv4 alone, where the city has an IPv6 plan."""
    for peer in plan.features.bgp.peers if plan.features.bgp and plan.ipv6 else ():
        if peer.neighbour6 is None:
            yield Finding(
                PLAN_FILE,
                f"routing.bgp.province: {peer.device} {peer.interface} carries no IPv6",
                "address6 and neighbour6, as the city has an IPv6 prefix",
                "neither",
                "Ask the province for its IPv6 session; until then IPv6 stays within the city.",
                note=True,
            )


def _find_unfit_vpns(plan: Plan, inventory: Inventory) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for vpn in plan.features.vpns:
        if vpn.rd in seen:
            step = "Give each VPN instance a number of its own."
            yield Finding(PLAN_FILE, f"vrfs: {vpn.name}: rd", "one of its own", f"{vpn.rd}, which {seen[vpn.rd]} has", step)
        seen.setdefault(vpn.rd, vpn.name)
    yield from _find_unfit_targets(plan)
    names = plan.vpn_names
    carried = {(inventory.lines[one.line_id].z_device, one.vpn) for one in inventory.vpn_lines if one.line_id in inventory.lines}
    for service in inventory.services.values():
        device = inventory.devices.get(service.device)
        is_at_unit = device is not None and device.role not in PE_ROLES
        if service.vpn in names and device is not None and is_at_unit and (device.name, service.vpn) not in carried:
            step = "Attach it to the city core or a county, or carry the VPN down the unit's line in inventory/vpn_lines.csv."
            what = f"service {service.service_id} in VPN {service.vpn}"
            yield Finding(service.where, what, f"a device of role {' or '.join(PE_ROLES)}", device.role, step)
        if service.vpn in names and service.service_id in plan.management.named_services:
            step = "Leave `vpn` empty: devices are managed through the public zone."
            yield Finding(service.where, f"management service {service.service_id}", "no VPN", str(service.vpn), step)


def _find_unfit_targets(plan: Plan) -> Iterator[Finding]:
    """Yield route targets that lead nowhere, and those that would join zones which the orders keep apart."""
    exporters: dict[str, list[VpnProfile]] = {}
    for vpn in plan.features.vpns:
        for target in vpn.exports:
            exporters.setdefault(target, []).append(vpn)
    for vpn in plan.features.vpns:
        what = f"vrfs: {vpn.name}"
        if vpn.zone == "public":
            step = "Write `NAME: public`: units, lines and the management of devices stand in the global table."
            yield Finding(PLAN_FILE, f"{what}: zone", "department or internet for a VPN instance", "public", step)
        for target in vpn.imports:
            if target not in exporters:
                step = "Correct the target, or add it to the exports of the instance that is meant."
                yield Finding(PLAN_FILE, f"{what}: imports {target}", "a target that some instance exports", "none exports it", step)
            for other in exporters.get(target, ()):
                if other.zone != vpn.zone:
                    step = "Join them at a firewall, never by a route target."
                    found = f"{other.name} of zone {other.zone}"
                    yield Finding(PLAN_FILE, f"{what}: imports {target}", f"routes of zone {vpn.zone} alone", found, step)


def province_ports(features: Features, device: Device) -> Iterator[InterfaceIntent]:
    """Yield this device's ports towards the province. They take no part in OSPF."""
    for peer in features.bgp.peers if features.bgp else ():
        if peer.device == device.name:
            yield InterfaceIntent(
                name=peer.interface,
                kind="province",
                description=f"PROVINCE AS{peer.as_number} {peer.neighbour}",
                address=peer.address,
                address6=peer.address6,
            )


def _fitted(features: Features, inventory: Inventory, intent: DeviceIntent, port: InterfaceIntent) -> InterfaceIntent:
    """Return the port with its VPN instance, its labels and its QoS policy."""
    vpn = _vpn_of(features, inventory, intent, port)
    if vpn is not None:
        port = replace(port, vrf=vpn, ospf_area=None, isis_level=None, passive=False)
    if features.vpns and features.bgp and _is_between_pes(inventory, intent, port):
        port = replace(port, mpls=True)
    if features.qos and port.kind in RATED and port.out_kbps:
        port = replace(port, policy=policy_name(port.out_kbps))
    return port


def _vpn_of(features: Features, inventory: Inventory, intent: DeviceIntent, port: InterfaceIntent) -> str | None:
    if port.kind != "service":
        return None
    names = {vpn.name for vpn in features.vpns}
    for service in inventory.services.values():
        if (service.device, service.interface) == (intent.hostname, port.name) and service.vpn in names:
            return service.vpn
    return None


def _is_between_pes(inventory: Inventory, intent: DeviceIntent, port: InterfaceIntent) -> bool:
    far = inventory.devices.get(port.far_device or "")
    return port.kind in ("line", "backup") and intent.role in PE_ROLES and far is not None and far.role in PE_ROLES


def _unused(features: Features, device: Device, ports: Iterable[InterfaceIntent]) -> Iterator[InterfaceIntent]:
    """Yield every port of the model that nothing stands on, shut; a sub-interface keeps its trunk open."""
    standing = {port.name.partition(".")[0] for port in ports}
    for name in features.hardware.get(device.model, ()):
        if name not in standing:
            yield InterfaceIntent(name=name, kind="unused", description="UNUSED", shutdown=True)


def _divided(family: str, ports: Iterable[InterfaceIntent]) -> Iterator[InterfaceIntent]:
    """Yield the ports that nothing but sub-interfaces stands on, open, where a family's ports start shut."""
    named = [port.name for port in ports]
    if family in STARTING_SHUT:
        for name in dict.fromkeys(name.partition(".")[0] for name in named if "." in name):
            if name not in named:
                yield InterfaceIntent(name=name, kind="divided", description="SUB-INTERFACES")


def _vpns(features: Features) -> tuple[VpnIntent, ...]:
    return tuple(VpnIntent(vpn.name, vpn.rd, vpn.imports, vpn.exports, vpn.prefix6 is not None) for vpn in features.vpns)


def _vpns_at_unit(features: Features, ports: Iterable[InterfaceIntent]) -> tuple[VpnIntent, ...]:
    """Return the VPN instances that a unit's router has ports in. They take and give no targets: labels end above it."""
    names = {port.vrf for port in ports}
    return tuple(VpnIntent(vpn.name, vpn.rd, (), (), vpn.prefix6 is not None) for vpn in features.vpns if vpn.name in names)


def _bgp(features: Features, intent: DeviceIntent, inventory: Inventory, book: AddressBook) -> BgpIntent | None:
    if features.bgp is None or intent.role not in PE_ROLES or intent.loopback is None:
        return None
    ours = [peer for peer in features.bgp.peers if peer.device == intent.hostname]
    external = tuple(BgpPeer(peer.neighbour, peer.as_number) for peer in ours)
    external6 = tuple(BgpPeer(peer.neighbour6, peer.as_number) for peer in ours if peer.neighbour6)
    internal = _internal_peers(features, intent, inventory, book)
    if not external and not internal:
        return None
    reflects = intent.role == "city_core" and bool(internal)
    return BgpIntent(features.bgp.as_number, intent.loopback, external, internal, reflects=reflects, external6=external6)


def _internal_peers(features: Features, intent: DeviceIntent, inventory: Inventory, book: AddressBook) -> tuple[BgpPeer, ...]:
    """Return the peers for VPN routes: at the core every county, at a county every core."""
    if not features.vpns or features.bgp is None:
        return ()
    wanted = "county_agg" if intent.role == "city_core" else "city_core"
    peers: list[IPv4Address] = [book.loopback(device.name) for device in inventory.devices.values() if device.role == wanted]
    return tuple(BgpPeer(address, features.bgp.as_number) for address in sorted(peers))


def _public_ranges(plan: Plan, classes: Container[str]) -> tuple[PrefixRange, ...]:
    """Return what may be announced: pools of these classes in the global table, no part longer than an allocation.

    The province hears of national addresses alone: between central and local public zones nothing else communicates.
    """
    if not plan.features.only_assigned:
        return ()
    ranges = {(pool.prefix, pool.length) for pool in plan.pools if pool.vrf not in plan.vpn_names and pool.address_class in classes}
    return tuple(PrefixRange(prefix, length) for prefix, length in sorted(ranges))


def _ranges6(plan: Plan, held: Mapping[str, IPv6Network]) -> tuple[PrefixRange, ...]:
    """Return what of IPv6 may be announced: every region's prefix down to a LAN, and the routers' own down to a loopback."""
    if not plan.features.only_assigned:
        return ()
    ranges = [(prefix, LAN_LENGTH) for holder, prefix in held.items() if holder.startswith("region:")]
    ranges += [(prefix, LENGTHS["loopback"]) for holder, prefix in held.items() if holder == INFRASTRUCTURE]
    return tuple(PrefixRange(prefix, longest) for prefix, longest in sorted(ranges))


def policy_name(kbps: int) -> str:
    return f"LINE-{kbps}"


def _policies(shares: tuple[QosShare, ...], ports: Iterable[InterfaceIntent]) -> tuple[QosPolicy, ...]:
    rates = sorted({port.out_kbps for port in ports if port.policy and port.out_kbps})
    return tuple(QosPolicy(policy_name(kbps), kbps, tuple(_class(share, kbps) for share in shares)) for kbps in rates)


def _class(share: QosShare, kbps: int) -> QosClass:
    """Return a share of a line as kbit/s, rounded down."""
    part = kbps * share.percent // 100
    if share.name == VIDEO and kbps <= SLOW_LINE_KBPS:
        part = min(part, SLOW_LINE_VIDEO_KBPS)
    return QosClass(share.name, share.dscp, share.percent, part, share.priority)


def _probe(plan: Plan, intent: DeviceIntent, book: AddressBook) -> ProbeIntent | None:
    wanted = plan.features.probe
    if wanted is None or intent.uplink is None or intent.loopback is None:
        return None
    target = book.host(f"service:{plan.management.monitoring_service}").ip
    return ProbeIntent(target, intent.loopback, wanted.frequency_s, wanted.count)
