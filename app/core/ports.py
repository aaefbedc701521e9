"""Judge the ports of the devices: each serves one purpose, and sub-interfaces carry a VLAN that exists."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.inventory import Inventory
from app.errors import Finding

LARGEST_VLAN = 4094


def uses(inventory: Inventory) -> Iterator[tuple[str, str, str, str]]:
    """Yield (device, interface, purpose, where) for every port that a row names."""
    for device in inventory.devices.values():
        if device.lan_interface is not None:
            yield device.name, device.lan_interface, "its LAN port", device.where
    for service in inventory.services.values():
        yield service.device, service.interface, f"service {service.service_id}", service.where
    for line in inventory.lines.values():
        yield line.a_device, line.a_interface, f"line {line.line_id}", line.where
        yield line.z_device, line.z_interface, f"line {line.line_id}", line.where
        for device_name, port in ((line.a_device, line.a_reserved_interface), (line.z_device, line.z_reserved_interface)):
            if port is not None:
                yield device_name, port, f"port reserved by line {line.line_id}", line.where
    for held in inventory.vpn_lines:
        carrying, purpose = inventory.lines.get(held.line_id), f"VPN {held.vpn} on line {held.line_id}"
        if carrying is not None:
            yield carrying.a_device, held.a_interface, purpose, held.where
            yield carrying.z_device, held.z_interface, purpose, held.where


def find_port_faults(inventory: Inventory) -> Iterator[Finding]:
    """Yield ports with two purposes, and sub-interfaces that cannot be."""
    held: dict[tuple[str, str], tuple[str, str]] = {}
    divided: dict[tuple[str, str], tuple[str, str]] = {}
    for device, port, purpose, where in uses(inventory):
        trunk, dot, vlan = port.rpartition(".")
        key = device, port.lower()
        if key in held:
            yield _shared(device, port, purpose, where, held[key])
            continue
        held[key] = purpose, where
        if not dot:
            continue
        divided.setdefault((device, trunk.lower()), (f"sub-interface {port} of {purpose}", where))
        if not vlan.isdecimal() or not 1 <= int(vlan) <= LARGEST_VLAN:
            step = "Number the sub-interface by its VLAN."
            yield Finding(
                where, f"{purpose}: {device} {port} is no sub-interface", f"a number from 1 to {LARGEST_VLAN} after the dot", vlan, step
            )
    for (device, trunk), (purpose, where) in divided.items():
        if (device, trunk) in held:
            yield _shared(device, trunk, purpose, where, held[(device, trunk)])


def _shared(device: str, port: str, purpose: str, where: str, first: tuple[str, str]) -> Finding:
    found = f"{purpose} and {first[0]} ({first[1]})"
    return Finding(where, f"port {device} {port} is used twice", "one use for each port", found, "Move one of them to a free port.")
