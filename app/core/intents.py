"""Build the intents: what every device shall be, from the inventory, the plan and the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from app.core.families import FAMILIES, Family
from app.core.intent import DeviceIntent, InterfaceIntent, ManagementIntent, NotificationTarget, OspfArea, OspfIntent, StaticRoute
from app.core.inventory import Device, Line, Service, depths
from app.core.ipplan import AddressBook, address_book, first_host, link_ends, second_host
from app.core.naming import natural_key
from app.core.notifications import receiver_engine_id
from app.core.workspace import Workspace
from app.errors import Finding, InputError

#: Preference of the route that a dynamic one replaces (design default: no order and no standard names one).
FLOATING_DISTANCE = 250
#: VLAN between a unit's router and its switch that carries nothing but management (design default).
MANAGEMENT_VLAN = 4000
#: VRP takes 242 characters; ifAlias of RFC 2863 in older agents 64 to 255. Ours stay below.
DESCRIPTION_LIMIT = 200
#: Roles that stand in the backbone area.
BACKBONE_ROLES = ("city_core", "county_agg")
LEDGER = "ipplan/allocations.csv"


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every intent is drawn from, indexed once: O(devices + lines)."""

    workspace: Workspace
    book: AddressBook
    families: Mapping[str, Family]
    backbone: str
    depth: Mapping[str, int]
    uplinks: Mapping[str, Line]
    ends: Mapping[str, tuple[Line, ...]]
    unit_lines: Mapping[str, Line]
    switches: Mapping[str, tuple[Device, ...]]
    services: Mapping[str, tuple[Service, ...]]

    @property
    def monitoring(self) -> str:
        return f"service:{self.workspace.plan.management.monitoring_service}"

    def device(self, name: str) -> Device:
        return self.workspace.inventory.devices[name]

    def area_of_region(self, code: str) -> str:
        return self.workspace.inventory.regions[code].ospf_area


def build_intents(workspace: Workspace) -> dict[str, DeviceIntent]:
    """Return the intent of every device by name, in file order; the same workspace gives equal intents.

    The workspace is one that `waiwang check` found consistent. Raises InputError with every family without templates,
    every address that the ledger does not hold, every port or text that cannot be used.
    """
    ground = _ground(workspace)
    findings = [*_find_unfit_devices(ground), *_find_unfit_management(ground)]
    if not findings:
        findings = _find_unaddressed(ground)
    if findings:
        raise InputError(findings)
    intents = {name: _device_intent(ground, device) for name, device in workspace.inventory.devices.items()}
    unfit = list(_find_unfit_texts(ground, intents.values()))
    if unfit:
        raise InputError(unfit)
    return intents


def _ground(workspace: Workspace) -> _Ground:
    inventory = workspace.inventory
    ends: dict[str, list[Line]] = {}
    switches: dict[str, list[Device]] = {}
    services: dict[str, list[Service]] = {}
    for line in inventory.lines.values():
        ends.setdefault(line.a_device, []).append(line)
        ends.setdefault(line.z_device, []).append(line)
    for device in inventory.devices.values():
        if device.role == "unit_switch" and device.unit_id is not None:
            switches.setdefault(device.unit_id, []).append(device)
    for service in inventory.services.values():
        services.setdefault(service.device, []).append(service)
    roots = [device for device in inventory.devices.values() if device.role == "city_core"]
    if not roots:
        raise InputError([_no_root()])
    primary = [line for line in inventory.lines.values() if line.role == "primary"]
    return _Ground(
        workspace=workspace,
        book=address_book(workspace.ledger),
        families=FAMILIES,
        backbone=inventory.regions[roots[0].region].ospf_area,
        depth=depths(inventory),
        uplinks={line.z_device: line for line in primary},
        ends={name: tuple(lines) for name, lines in ends.items()},
        unit_lines={line.unit_id: line for line in primary},
        switches={unit: tuple(devices) for unit, devices in switches.items()},
        services={name: tuple(held) for name, held in services.items()},
    )


# What must hold before an intent can be drawn


def _no_root() -> Finding:
    return Finding(
        "inventory/devices.csv",
        "no device is the root of the network",
        "one device of role city_core",
        "none",
        "Add the city core to inventory/devices.csv.",
    )


def _find_unfit_devices(ground: _Ground) -> Iterator[Finding]:
    for device in ground.workspace.inventory.devices.values():
        family = ground.families.get(device.family)
        if family is None:
            yield Finding(
                device.where,
                f"device {device.name} is of an unknown family",
                f"one of {', '.join(ground.families)}",
                device.family,
                "Correct the family, or add it to app/core/families.py with templates.",
            )
        elif device.role not in family.roles:
            yield Finding(
                device.where,
                f"device {device.name}: family {family.name} has no template for its role",
                f"one of {', '.join(family.roles)}",
                device.role,
                f"Choose another family, or write templates/device_configs/{family.name}/{device.role}.j2.",
            )
        elif device.role == "unit_switch":
            yield from _find_unfit_switch(ground, device)


def _find_unfit_switch(ground: _Ground, device: Device) -> Iterator[Finding]:
    line = ground.unit_lines.get(device.unit_id or "")
    if device.lan_interface is None:
        yield Finding(
            device.where,
            f"switch {device.name} has no port towards its router",
            "lan_interface, the trunk port",
            "none",
            "Fill in lan_interface.",
        )
    if line is None:
        yield Finding(
            device.where,
            f"switch {device.name} has no router above it",
            "a primary line to its unit",
            f"unit {device.unit_id or 'none'} without one",
            "Add the line to inventory/lines.csv, or correct unit_id.",
        )
    elif ground.device(line.z_device).lan_interface is None:
        router = ground.device(line.z_device)
        yield Finding(
            router.where,
            f"router {router.name} has no LAN port for switch {device.name}",
            "lan_interface",
            "none",
            "Fill in lan_interface of the router.",
        )


def _find_unfit_management(ground: _Ground) -> Iterator[Finding]:
    management, inventory = ground.workspace.plan.management, ground.workspace.inventory
    for name in dict.fromkeys((management.monitoring_service, *management.ntp_services, *management.syslog_services)):
        if name not in inventory.services:
            yield Finding(
                "ipplan/plan.yaml",
                f"management names service {name}",
                f"one of {', '.join(inventory.services) or 'inventory/services.csv'}",
                "no such service",
                "Correct the name, or add the service to inventory/services.csv.",
            )
    service = inventory.services.get(management.monitoring_service)
    if service is not None and ground.device(service.device).role != "city_core":
        yield Finding(
            service.where,
            f"monitoring service {service.service_id} does not stand at the root",
            "a device of role city_core, to which every uplink leads",
            f"{service.device} ({ground.device(service.device).role})",
            "Attach it to the city core, or name another service in ipplan/plan.yaml.",
        )
    if not _is_plain(management.banner) or '"' in management.banner:
        yield Finding(
            "ipplan/plan.yaml",
            "management.banner cannot be typed on every device",
            'one line of printable ASCII without "',
            repr(management.banner),
            "Write the banner in plain ASCII.",
        )


def _find_unaddressed(ground: _Ground) -> list[Finding]:
    holders = list(_holders(ground))
    if not ground.book.prefixes:
        return [Finding(LEDGER, "the ledger holds nothing", f"prefixes of {len(holders)} holders", "none", "Run `waiwang plan --commit`.")]
    findings = []
    for holder, where, longest in holders:
        prefix = ground.book.prefixes.get(holder)
        if prefix is None:
            findings.append(Finding(where, f"{holder} holds no prefix", f"a row in {LEDGER}", "none", "Run `waiwang plan --commit`."))
        elif prefix.prefixlen > longest:
            findings.append(
                Finding(
                    where,
                    f"{holder} holds a prefix too small for two ends",
                    f"/{longest} or shorter",
                    str(prefix),
                    "Correct the pool's length in ipplan/plan.yaml and plan anew.",
                )
            )
    return findings


def _holders(ground: _Ground) -> Iterator[tuple[str, str, int]]:
    """Yield every holder that an intent asks the ledger for, with its place in the inventory and the longest usable prefix."""
    inventory = ground.workspace.inventory
    for device in inventory.devices.values():
        if ground.families[device.family].loopback is not None:
            yield f"device:{device.name}", device.where, 32
    for line in inventory.lines.values():
        yield f"line:{line.line_id}", line.where, 31
    for unit_id, line in ground.unit_lines.items():
        unit = inventory.units[unit_id]
        if unit.in_scope and ground.device(line.z_device).lan_interface is not None:
            yield f"unit:{unit_id}", unit.where, 30
    for unit_id in ground.switches:
        yield f"management:{unit_id}", inventory.units[unit_id].where, 30
    for service in inventory.services.values():
        yield f"service:{service.service_id}", service.where, 30


def _find_unfit_texts(ground: _Ground, intents: Iterable[DeviceIntent]) -> Iterator[Finding]:
    inventory = ground.workspace.inventory
    for intent in intents:
        for port in intent.interfaces:
            if len(port.description) <= DESCRIPTION_LIMIT and _is_plain(port.description):
                continue
            source = inventory.lines[port.line_id].where if port.line_id else inventory.devices[intent.hostname].where
            yield Finding(
                source,
                f"description of {intent.hostname} {port.name}",
                f"at most {DESCRIPTION_LIMIT} printable ASCII characters",
                f"{len(port.description)}: {port.description!r}",
                "Shorten the names or write them in ASCII.",
            )


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


# One device


def _device_intent(ground: _Ground, device: Device) -> DeviceIntent:
    return _switch(ground, device) if device.role == "unit_switch" else _router(ground, device)


def _router(ground: _Ground, device: Device) -> DeviceIntent:
    book = ground.book
    loopback = book.loopback(device.name)
    ports = tuple(sorted(_router_ports(ground, device), key=lambda port: natural_key(port.name)))
    uplink = ground.uplinks.get(device.name)
    near = [first_host(prefix).ip for prefix in book.all_of(ground.monitoring)]
    routes: tuple[StaticRoute, ...] = ()
    if uplink is not None:
        above = book.line_ends(uplink.line_id)[0].ip
        near = [link_ends(prefix)[1].ip for prefix in book.all_of(f"line:{uplink.line_id}")]
        routes = tuple(StaticRoute(prefix, above, FLOATING_DISTANCE, "centre") for prefix in book.all_of(ground.monitoring))
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
        ospf=_ospf(ground, ports, device),
        management=_management(ground, device),
        uplink=uplink.z_interface if uplink else None,
    )


def _switch(ground: _Ground, device: Device) -> DeviceIntent:
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


def _management(ground: _Ground, device: Device) -> ManagementIntent:
    plan = ground.workspace.plan.management
    return ManagementIntent(
        ssh_user=plan.ssh_user,
        snmp_user=plan.snmp_user,
        snmp_auth=plan.snmp_auth,
        snmp_priv=plan.snmp_priv,
        sources=ground.book.all_of(ground.monitoring),
        ntp_servers=tuple(ground.book.host(f"service:{name}").ip for name in plan.ntp_services),
        syslog_hosts=tuple(ground.book.host(f"service:{name}").ip for name in plan.syslog_services),
        banner=plan.banner,
        location=f"{device.region} {device.role}",
        notify=notification_target(ground.workspace, ground.book),
    )


def notification_target(workspace: Workspace, book: AddressBook) -> NotificationTarget:
    """Return where devices send SNMP notifications: to the monitoring service of the plan, which the ledger has a prefix for."""
    service = workspace.inventory.services[workspace.plan.management.monitoring_service]
    address = book.host(f"service:{service.service_id}").ip
    return NotificationTarget(address, service.port, receiver_engine_id(address))


# Its interfaces


def _router_ports(ground: _Ground, device: Device) -> Iterator[InterfaceIntent]:
    home = _home_area(ground, device)
    yield _loopback(ground, device, home)
    for line in ground.ends.get(device.name, ()):
        yield from _line_ports(ground, line, at_a=line.a_device == device.name)
    for service in ground.services.get(device.name, ()):
        yield InterfaceIntent(
            name=service.interface,
            kind="service",
            description=f"SERVICE {service.service_id}",
            address=ground.book.gateway(f"service:{service.service_id}"),
            ospf_area=home,
            passive=True,
            vlan=_vlan(service.interface),
            secondary=_gateways(ground, f"service:{service.service_id}"),
        )
    yield from _unit_ports(ground, device, home)


def _loopback(ground: _Ground, device: Device, area: str) -> InterfaceIntent:
    name = ground.families[device.family].loopback
    assert name is not None
    return InterfaceIntent(
        name=name,
        kind="loopback",
        description=f"LOOPBACK {device.name}",
        address=IPv4Interface((ground.book.loopback(device.name), 32)),
        ospf_area=area,
        secondary=tuple(IPv4Interface((prefix.network_address, 32)) for prefix in ground.book.second(f"device:{device.name}")),
    )


def _unit_ports(ground: _Ground, device: Device, area: str) -> Iterator[InterfaceIntent]:
    """Yield the unit's LAN and, where a switch stands behind it, the management VLAN."""
    uplink = ground.uplinks.get(device.name)
    if uplink is None or device.lan_interface is None:
        return
    unit = ground.workspace.inventory.units[uplink.unit_id]
    if unit.in_scope:
        yield InterfaceIntent(
            name=device.lan_interface,
            kind="lan",
            description=f"LAN U:{unit.unit_id}",
            address=ground.book.gateway(f"unit:{unit.unit_id}"),
            ospf_area=area,
            passive=True,
            vlan=_vlan(device.lan_interface),
            secondary=_gateways(ground, f"unit:{unit.unit_id}"),
        )
    for switch in ground.switches.get(unit.unit_id, ())[:1]:
        yield InterfaceIntent(
            name=ground.families[device.family].management.format(lan=device.lan_interface, vlan=MANAGEMENT_VLAN),
            kind="management",
            description=f"MANAGEMENT U:{unit.unit_id}",
            address=ground.book.gateway(f"management:{unit.unit_id}"),
            far_device=switch.name,
            far_interface=switch.lan_interface,
            ospf_area=area,
            passive=True,
            vlan=MANAGEMENT_VLAN,
            secondary=_gateways(ground, f"management:{unit.unit_id}"),
        )


def _gateways(ground: _Ground, holder: str) -> tuple[IPv4Interface, ...]:
    """Return the router's own address in the holder's second prefix, where it has one."""
    return tuple(first_host(prefix) for prefix in ground.book.second(holder))


def _line_ports(ground: _Ground, line: Line, *, at_a: bool) -> Iterator[InterfaceIntent]:
    """Yield this end of a line and the port reserved for it. Towards the unit is down: outward at `a`, inward at `z`."""
    kind = ground.workspace.order.classes[line.service_class]
    down, up = kind.configured_down_kbps, kind.configured_up_kbps
    ends, *others = [link_ends(prefix) for prefix in ground.book.all_of(f"line:{line.line_id}")]
    near = (line.a_interface, line.a_reserved_interface) if at_a else (line.z_interface, line.z_reserved_interface)
    far_device = line.z_device if at_a else line.a_device
    far = (line.z_interface, line.z_reserved_interface) if at_a else (line.a_interface, line.a_reserved_interface)
    yield InterfaceIntent(
        name=near[0],
        kind="backup" if line.role == "backup" else "line",
        description=_line_description(line, f"{far_device}:{far[0]}", kind.nominal_down_kbps),
        address=ends[0] if at_a else ends[1],
        line_id=line.line_id,
        far_device=far_device,
        far_interface=far[0],
        in_kbps=up if at_a else down,
        out_kbps=down if at_a else up,
        nominal_kbps=kind.nominal_down_kbps,
        ospf_area=_line_area(ground, line),
        vlan=_vlan(near[0]),
        access_method=line.access_method,
        secondary=tuple(other[0] if at_a else other[1] for other in others),
    )
    if near[1] is not None:
        yield InterfaceIntent(
            name=near[1],
            kind="reserved",
            description=_reserved_description(line, f"{far_device}:{far[1]}" if far[1] else far_device, kind.reserved_port_mbps),
            shutdown=True,
            line_id=line.line_id,
            far_device=far_device,
            far_interface=far[1],
            port_mbps=kind.reserved_port_mbps,
        )


def _line_description(line: Line, far: str, nominal_kbps: int) -> str:
    circuit = f" CID:{line.circuit_id}" if line.circuit_id else ""
    return f"TO:{far} L:{line.line_id} C:{line.carrier} BW:{nominal_kbps}{circuit}"


def _reserved_description(line: Line, far: str, port_mbps: int | None) -> str:
    rate = f" {port_mbps}M" if port_mbps else ""
    return f"RESERVED{rate} L:{line.line_id} TO:{far} C:{line.carrier}"


def _vlan(interface: str) -> int | None:
    """Return the VLAN that a sub-interface ends: its own number (design default)."""
    _, dot, number = interface.rpartition(".")
    return int(number) if dot and number.isdecimal() else None


# OSPF


def _home_area(ground: _Ground, device: Device) -> str:
    """Return the area of a device's own prefixes: the backbone for root and counties, the uplink's area below."""
    uplink = ground.uplinks.get(device.name)
    return _line_area(ground, uplink) if uplink and device.role not in BACKBONE_ROLES else ground.backbone


def _line_area(ground: _Ground, line: Line) -> str:
    """Return the area of a line: the backbone between root and counties, below them the region that its upper end stands in.

    A backup line to a unit's router lies in the area of that router's own uplink, so that it joins no second area.
    """
    below = ground.device(line.z_device)
    if below.role in BACKBONE_ROLES:
        return ground.backbone
    uplink = ground.uplinks.get(below.name, line)
    return ground.area_of_region(ground.device(uplink.a_device).region)


def _ospf(ground: _Ground, ports: Iterable[InterfaceIntent], device: Device) -> OspfIntent:
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
