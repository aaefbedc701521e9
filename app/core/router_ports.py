"""The interfaces of a router: loopback, lines and their reserved ports, services, its unit's LAN and management VLAN."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Interface

from app.core.features import province_ports
from app.core.ground import Ground, home_area, line_area
from app.core.intent import InterfaceIntent
from app.core.inventory import Device, Line
from app.core.ipplan import first_host, link_ends
from app.core.naming import vlan_of
from app.core.vpn_lines import vpn_line_ports

#: VLAN between a unit's router and its switch that carries nothing but management (design default).
MANAGEMENT_VLAN = 4000
#: The only dialler of a unit's router, and its bundle, group and rule.
DIALLER = 1


def router_ports(ground: Ground, device: Device) -> Iterator[InterfaceIntent]:
    home = home_area(ground, device)
    yield _loopback(ground, device, home)
    for line in ground.ends.get(device.name, ()):
        yield from _line_ports(ground, line, at_a=line.a_device == device.name)
    yield from vpn_line_ports(ground, device)
    for service in ground.services.get(device.name, ()):
        yield InterfaceIntent(
            name=service.interface,
            kind="service",
            description=f"{'ACCESS' if service.kind == 'access' else 'SERVICE'} {service.service_id}",
            address=ground.book.gateway(f"service:{service.service_id}"),
            ospf_area=home,
            passive=True,
            vlan=vlan_of(service.interface),
            secondary=_gateways(ground, f"service:{service.service_id}"),
        )
    yield from _unit_ports(ground, device, home)
    yield from province_ports(ground.workspace.plan.features, device)


def _loopback(ground: Ground, device: Device, area: str) -> InterfaceIntent:
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


def _unit_ports(ground: Ground, device: Device, area: str) -> Iterator[InterfaceIntent]:
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
            vlan=vlan_of(device.lan_interface),
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


def _gateways(ground: Ground, holder: str) -> tuple[IPv4Interface, ...]:
    """Return the router's own address in the holder's second prefix, where it has one."""
    return tuple(first_host(prefix) for prefix in ground.book.second(holder))


def _line_ports(ground: Ground, line: Line, *, at_a: bool) -> Iterator[InterfaceIntent]:
    """Yield this end of a line and the port reserved for it. Towards the unit is down: outward at `a`, inward at `z`."""
    kind = ground.workspace.order.classes[line.service_class]
    down, up = kind.configured_down_kbps, kind.configured_up_kbps
    ends, *others = [link_ends(prefix) for prefix in ground.book.all_of(f"line:{line.line_id}")]
    near = (line.a_interface, line.a_reserved_interface) if at_a else (line.z_interface, line.z_reserved_interface)
    far_device = line.z_device if at_a else line.a_device
    far = (line.z_interface, line.z_reserved_interface) if at_a else (line.a_interface, line.a_reserved_interface)
    port = InterfaceIntent(
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
        ospf_area=line_area(ground, line),
        vlan=vlan_of(near[0]),
        access_method=line.access_method,
        secondary=tuple(other[0] if at_a else other[1] for other in others),
    )
    dialled = None if at_a else find_dialler(ground, line)
    yield from (port,) if dialled is None else _dialled_ports(port, dialled)
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


def find_dialler(ground: Ground, line: Line) -> str | None:
    """Return the name of the dialler that a dialled line ends on at its unit's router, None for any other line."""
    dialler = ground.families[ground.device(line.z_device).family].dialer
    return f"{dialler}{DIALLER}" if dialler and line.access_method == "vpdn_l2tp" and line.role == "primary" else None


def _dialled_ports(port: InterfaceIntent, dialler: str) -> Iterator[InterfaceIntent]:
    """Yield the port towards the modem, with the line's rates, and the dialler, whose address the far end gives."""
    yield replace(port, kind="modem", address=None, secondary=(), ospf_area=None, dialer=DIALLER)
    yield replace(port, name=dialler, dialer=DIALLER, in_kbps=None, out_kbps=None, vlan=None)


def _line_description(line: Line, far: str, nominal_kbps: int) -> str:
    circuit = f" CID:{line.circuit_id}" if line.circuit_id else ""
    return f"TO:{far} L:{line.line_id} C:{line.carrier} BW:{nominal_kbps}{circuit}"


def _reserved_description(line: Line, far: str, port_mbps: int | None) -> str:
    rate = f" {port_mbps}M" if port_mbps else ""
    return f"RESERVED{rate} L:{line.line_id} TO:{far} C:{line.carrier}"
