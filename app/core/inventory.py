"""What is to be built: regions, units, devices, lines, services, as read from `inventory/*.csv`.

A line runs from its `a` end (nearer the centre) to its `z` end. The primary lines make a tree whose root is
the city core; backup lines join two of its nodes and are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Network

ROLES = ("city_core", "county_agg", "city_unit", "urban_unit", "township_unit", "unit_switch")


@dataclass(frozen=True, slots=True)
class Region:
    """A node of the region tree; `code` after GB/T 2260, `level` city or county."""

    code: str
    name: str
    name_en: str
    level: str
    parent: str | None
    ospf_area: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """A body that is to be connected, or ruled out of the count (`in_scope` false, by `ruling`).

    `kind` is the order's word for it: county_government, department, township_government, town_government,
    enterprise, liaison_office, centre, or one that the order declares. `access_class` A to F after DB34/T 3607-2020.
    `left_out`: signs of score tables (▲) whose rows are not for this unit.
    """

    unit_id: str
    name: str
    name_en: str
    region: str
    level: str
    kind: str
    urban: bool
    access_class: str
    contact_role: str
    in_scope: bool = True
    ruling: str | None = None
    sample: bool = False
    left_out: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A router or switch. `family` is vendor + OS generation and chooses templates and dialogs; `platform` is netmiko's."""

    name: str
    platform: str
    family: str
    role: str
    region: str
    unit_id: str | None
    vendor: str
    model: str
    lan_interface: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One access circuit between two device ports; `line_id` is ours, `circuit_id` the carrier's and may come later."""

    line_id: str
    unit_id: str
    service_class: str
    medium: str
    access_method: str
    carrier: str
    circuit_id: str | None
    a_device: str
    a_interface: str
    z_device: str
    z_interface: str
    a_reserved_interface: str | None = None
    z_reserved_interface: str | None = None
    role: str = "primary"
    ordered_on: date | None = None
    ruling: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A system that rides on the network. It stands on `device`/`interface` and holds the second address of its prefix.

    `must_reach` lists unit levels whose units must reach it, `reached_by` single units; `kind` is `exchange`, `monitoring`
    or `application`, or `access`: no system but a port at which units join the VPN. `standby_for` names the service that this one
    is the hot standby of.
    """

    service_id: str
    name: str
    name_en: str
    kind: str
    device: str
    interface: str
    port: int
    vpn: str | None
    qos_class: str
    must_reach: tuple[str, ...]
    reached_by: tuple[str, ...] = ()
    standby_for: str | None = None
    where: str = ""

    def is_for(self, unit: Unit) -> bool:
        """Tell whether the unit must be able to reach the service."""
        return unit.level in self.must_reach or unit.unit_id in self.reached_by


@dataclass(frozen=True, slots=True)
class NatRecord:
    """What a unit translates at its edge, as it reported it: we keep it, we do not configure it.

    `napt`: its private prefix `inside` shares the addresses of `outside`. `server`: the one host `inside` is reached at
    `outside`, one address each, on `outside_port` of `protocol` (tcp or udp), which leads to `inside_port`.
    """

    unit_id: str
    kind: str
    inside: IPv4Network
    outside: IPv4Network
    protocol: str | None = None
    inside_port: int | None = None
    outside_port: int | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class VpnLine:
    """A VPN that a line carries to its unit's own router, by a sub-interface of its own at both ends.

    `committed_kbps` is its own rate, each way; None leaves it to share the whole line.
    """

    line_id: str
    vpn: str
    a_interface: str
    z_interface: str
    committed_kbps: int | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Nornir group: connection options per platform, passed through as they stand."""

    name: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All of it, by key, in file order."""

    regions: Mapping[str, Region]
    units: Mapping[str, Unit]
    devices: Mapping[str, Device]
    lines: Mapping[str, Line]
    services: Mapping[str, Service]
    nat: tuple[NatRecord, ...] = ()
    vpn_lines: tuple[VpnLine, ...] = ()

    def uplink(self, device: str) -> Line | None:
        """Return the primary line whose `z` end is this device; the root has none."""
        return next((line for line in self.lines.values() if line.z_device == device and line.role == "primary"), None)


def parents(inventory: Inventory) -> dict[str, Line]:
    """Return for every device below the root the primary line that leads to it. O(lines)."""
    return {line.z_device: line for line in inventory.lines.values() if line.role == "primary"}


def path_to_root(device: str, parent: Mapping[str, Line]) -> Iterator[Line]:
    """Yield the primary lines from this device up to the root, nearest first; stop at a loop."""
    seen = {device}
    while (line := parent.get(device)) is not None:
        yield line
        device = line.a_device
        if device in seen:
            return
        seen.add(device)


def depths(inventory: Inventory) -> dict[str, int]:
    """Return every device's number of lines to the root; 0 for the root and for switches' own root-less trees."""
    parent = parents(inventory)
    return {name: sum(1 for _ in path_to_root(name, parent)) for name in inventory.devices}
