"""Build the intents: what every device shall be, from the inventory, the plan and the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from app.core.features import find_unfit_features, with_features
from app.core.ground import Ground, lay_ground
from app.core.intent import (
    AaaIntent,
    DeviceIntent,
    InterfaceIntent,
    ManagementIntent,
    NotificationTarget,
    OspfArea,
    OspfIntent,
    StaticRoute,
)
from app.core.intent_faults import find_unaddressed, find_unfit_devices, find_unfit_management, find_unfit_texts
from app.core.inventory import Device
from app.core.ipplan import AddressBook, first_host, link_ends, second_host
from app.core.ipv6_ports import find_unaddressed6, with_ipv6
from app.core.isis import find_unfit_isis, in_isis, isis_intent
from app.core.naming import natural_key
from app.core.notifications import receiver_engine_id
from app.core.router_ports import MANAGEMENT_VLAN, find_dialler, router_ports
from app.core.workspace import Workspace
from app.errors import InputError

#: Preference of the route that a dynamic one replaces (design default: no order and no standard names one).
FLOATING_DISTANCE = 250


def build_intents(workspace: Workspace) -> dict[str, DeviceIntent]:
    """Return the intent of every device by name, in file order; the same workspace gives equal intents.

    The workspace is one that `waiwang check` found consistent. Raises InputError with every family without templates,
    every address that the ledger does not hold, every port or text that cannot be used.
    """
    ground = lay_ground(workspace)
    findings = [
        *find_unfit_devices(ground),
        *find_unfit_management(ground),
        *find_unfit_features(workspace.plan, workspace.inventory),
    ]
    if not findings:
        findings = [*find_unaddressed(ground), *find_unaddressed6(workspace), *find_unfit_isis(ground)]
    if findings:
        raise InputError(findings)
    intents = {name: _device_intent(ground, device) for name, device in workspace.inventory.devices.items()}
    unfit = list(find_unfit_texts(ground, intents.values()))
    if unfit:
        raise InputError(unfit)
    return intents


# One device


def _device_intent(ground: Ground, device: Device) -> DeviceIntent:
    intent = _switch(ground, device) if device.role == "unit_switch" else _router(ground, device)
    return with_features(intent, device, ground)


def _router(ground: Ground, device: Device) -> DeviceIntent:
    book = ground.book
    loopback = book.loopback(device.name)
    ports = _routed_ports(ground, device)
    isis = ground.workspace.plan.isis
    uplink = ground.uplinks.get(device.name)
    near = [first_host(prefix).ip for prefix in book.all_of(ground.monitoring)]
    routes: tuple[StaticRoute, ...] = ()
    way_up: str | None = None
    if uplink is not None:
        above = book.line_ends(uplink.line_id)[0].ip
        near = [link_ends(prefix)[1].ip for prefix in book.all_of(f"line:{uplink.line_id}")]
        dialled = find_dialler(ground, uplink)
        way_up = dialled or uplink.z_interface
        routes = tuple(StaticRoute(prefix, above, FLOATING_DISTANCE, "centre", dialled) for prefix in book.all_of(ground.monitoring))
    beside = [prefix.network_address for prefix in book.second(f"device:{device.name}")]
    return DeviceIntent(
        hostname=device.name,
        family=device.family,
        platform=device.platform,
        role=device.role,
        region=device.region,
        depth=ground.depth[device.name],
        loopback=loopback,
        contacts=(loopback, near[0], *beside, *near[1:]),
        interfaces=ports,
        static_routes=routes,
        ospf=None if isis else _ospf(ground, ports, device),
        isis=isis_intent(ground, isis, ports, device) if isis else None,
        management=_management(ground, device),
        uplink=way_up,
    )


def _routed_ports(ground: Ground, device: Device) -> tuple[InterfaceIntent, ...]:
    """Return a router's ports by name, with the addresses and the routing protocol that the plan gives them."""
    ports = tuple(sorted(router_ports(ground, device), key=lambda port: natural_key(port.name)))
    ports = with_ipv6(ground.held6, ground.workspace, device, ports)
    isis = ground.workspace.plan.isis
    return tuple(in_isis(ground, isis, device, ports)) if isis else ports


def _switch(ground: Ground, device: Device) -> DeviceIntent:
    assert device.unit_id is not None
    assert device.lan_interface is not None
    router = ground.device(ground.unit_lines[device.unit_id].z_device)
    holder = f"management:{device.unit_id}"
    gateway = ground.book.gateway(holder).ip
    seconds = tuple(second_host(prefix) for prefix in ground.book.second(holder))
    trunk = InterfaceIntent(
        name=device.lan_interface,
        kind="trunk",
        description=f"TO:{router.name}:{router.lan_interface}",
        far_device=router.name,
        far_interface=router.lan_interface,
        vlan=MANAGEMENT_VLAN,
    )
    management = InterfaceIntent(
        name=ground.families[device.family].management.format(lan=device.lan_interface, vlan=MANAGEMENT_VLAN),
        kind="management",
        description=f"MANAGEMENT U:{device.unit_id}",
        address=ground.book.host(holder),
        vlan=MANAGEMENT_VLAN,
        secondary=seconds,
    )
    return DeviceIntent(
        hostname=device.name,
        family=device.family,
        platform=device.platform,
        role=device.role,
        region=device.region,
        depth=ground.depth[router.name] + 1,
        loopback=None,
        contacts=(ground.book.host(holder).ip, *(address.ip for address in seconds)),
        interfaces=tuple(sorted((trunk, management), key=lambda port: natural_key(port.name))),
        static_routes=(StaticRoute(IPv4Network("0.0.0.0/0"), gateway, FLOATING_DISTANCE, "centre"),),
        ospf=None,
        management=_management(ground, device),
        uplink=device.lan_interface,
        gateway=gateway,
    )


def _management(ground: Ground, device: Device) -> ManagementIntent:
    plan = ground.workspace.plan.management
    return ManagementIntent(
        ssh_user=plan.ssh_user,
        snmp_user=plan.snmp_user,
        snmp_auth=plan.snmp_auth,
        snmp_digest=ground.families[device.family].digests[plan.snmp_auth],
        snmp_priv=plan.snmp_priv,
        sources=ground.book.all_of(ground.monitoring),
        ntp_servers=tuple(ground.book.host(f"service:{name}").ip for name in plan.ntp_services),
        syslog_hosts=tuple(ground.book.host(f"service:{name}").ip for name in plan.syslog_services),
        banner=plan.banner,
        ntp_key_id=plan.ntp_key_id,
        trap_hosts=tuple(ground.book.host(f"service:{name}").ip for name in plan.trap_services),
        location=f"{device.region} {device.role}",
        aaa=AaaIntent(plan.aaa.protocol, tuple(ground.book.host(f"service:{name}").ip for name in plan.aaa.services)) if plan.aaa else None,
        notify=notification_target(ground.workspace, ground.book),
    )


def notification_target(workspace: Workspace, book: AddressBook) -> NotificationTarget:
    """Return where devices send SNMP notifications: to the monitoring service of the plan, which the ledger has a prefix for."""
    service = workspace.inventory.services[workspace.plan.management.monitoring_service]
    address = book.host(f"service:{service.service_id}").ip
    return NotificationTarget(address, service.port, receiver_engine_id(address))


# OSPF


def _ospf(ground: Ground, ports: Iterable[InterfaceIntent], device: Device) -> OspfIntent:
    profile = ground.workspace.plan.ospf
    return OspfIntent(
        process=profile.process,
        router_id=ground.book.loopback(device.name),
        reference_bandwidth_mbps=profile.reference_bandwidth_mbps,
        areas=_areas({port.ospf_area for port in ports if port.ospf_area}, ground.backbone),
        hello_interval_s=profile.hello_interval_s,
        dead_interval_s=profile.dead_interval_s,
        retransmit_interval_s=profile.retransmit_interval_s,
        spf_throttle_ms=profile.spf_throttle_ms,
        lsa_throttle_ms=profile.lsa_throttle_ms,
        lsa_min_arrival_ms=profile.lsa_min_arrival_ms,
    )


def _areas(areas: Iterable[str], backbone: str) -> tuple[OspfArea, ...]:
    """Return a device's areas in order. Every area but the backbone is a stub without summaries (design default).

    Only the border router says no-summary; the others say stub, or they would form no adjacency.
    """
    held = sorted(areas, key=natural_key)
    return tuple(OspfArea(area, stub=area != backbone, no_summary=area != backbone and backbone in held) for area in held)
