"""What every intent is drawn from: the workspace, indexed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network

from app.core.families import FAMILIES, Family
from app.core.inventory import Device, Inventory, Line, Service, VpnLine, depths
from app.core.ipplan import AddressBook, address_book
from app.core.ipv6_ports import held6
from app.core.workspace import Workspace
from app.errors import Finding, InputError

#: Roles that stand in the backbone area.
BACKBONE_ROLES = ("city_core", "county_agg")


@dataclass(frozen=True, slots=True)
class Ground:
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
    held6: Mapping[str, IPv6Network]
    vpn_ends: Mapping[str, tuple[VpnLine, ...]]

    @property
    def monitoring(self) -> str:
        return f"service:{self.workspace.plan.management.monitoring_service}"

    def device(self, name: str) -> Device:
        return self.workspace.inventory.devices[name]

    def area_of_region(self, code: str) -> str:
        return self.workspace.inventory.regions[code].ospf_area


def lay_ground(workspace: Workspace) -> Ground:
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
    return Ground(
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
        held6=held6(workspace),
        vpn_ends=_vpn_ends(inventory),
    )


def _vpn_ends(inventory: Inventory) -> Mapping[str, tuple[VpnLine, ...]]:
    """Return the VPNs on lines by the devices at both ends."""
    found: dict[str, list[VpnLine]] = {}
    for held in inventory.vpn_lines:
        line = inventory.lines[held.line_id]
        for name in (line.a_device, line.z_device):
            found.setdefault(name, []).append(held)
    return {name: tuple(ends) for name, ends in found.items()}


def _no_root() -> Finding:
    return Finding(
        "inventory/devices.csv",
        "no device is the root of the network",
        "one device of role city_core",
        "none",
        "Add the city core to inventory/devices.csv.",
    )


# Areas


def home_area(ground: Ground, device: Device) -> str:
    """Return the area of a device's own prefixes: the backbone for root and counties, the uplink's area below."""
    uplink = ground.uplinks.get(device.name)
    return line_area(ground, uplink) if uplink and device.role not in BACKBONE_ROLES else ground.backbone


def line_area(ground: Ground, line: Line) -> str:
    """Return the area of a line: the backbone between root and counties, below them the region that its upper end stands in.

    A backup line to a unit's router lies in the area of that router's own uplink, so that it joins no second area.
    """
    below = ground.device(line.z_device)
    if below.role in BACKBONE_ROLES:
        return ground.backbone
    uplink = ground.uplinks.get(below.name, line)
    return ground.area_of_region(ground.device(uplink.a_device).region)
