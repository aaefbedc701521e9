"""Who stands in a VPN: the ports that the inventory binds to it, against the units that are to reach its systems. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.core.features import PE_ROLES
from app.core.inventory import Device, Inventory, Line, Service
from app.core.workspace import Workspace
from app.errors import Finding, named


def find_outsiders(workspace: Workspace) -> Iterator[Finding]:
    """Yield a note for every system in a VPN whose units have no port in it: at their own router, their county or the core.

    A unit's own LAN stands in the public zone; it joins a VPN at a port of its own, a row of kind access in services.csv.
    """
    inventory, known = workspace.inventory, workspace.plan.vpn_names
    uplinks = {line.z_device: line for line in inventory.lines.values() if line.role == "primary"}
    own = {line.unit_id: line.z_device for line in uplinks.values()}
    above = {line.unit_id: _provider_edge(inventory.devices, uplinks, line) for line in uplinks.values()}
    for service in inventory.services.values():
        if service.vpn not in known:
            continue
        units = [unit for unit in inventory.units.values() if unit.in_scope and service.is_for(unit)]
        joined = {other.device for other in inventory.services.values() if other.vpn == service.vpn and other.kind == "access"}
        outside = [unit.unit_id for unit in units if not joined & {above.get(unit.unit_id), own.get(unit.unit_id)}]
        if outside:
            yield _outside(inventory, service, outside, len(units))


def _provider_edge(devices: Mapping[str, Device], uplinks: Mapping[str, Line], line: Line) -> str:
    """Return the router that holds VPN instances at or above the lower end of a line; the topmost where none does."""
    name = line.z_device
    while devices[name].role not in PE_ROLES and name in uplinks:
        name = uplinks[name].a_device
    return name


def _outside(inventory: Inventory, service: Service, outside: list[str], total: int) -> Finding:
    return Finding(
        service.where,
        f"service {service.service_id} rides in VPN {service.vpn}, and units that are to reach it stand outside",
        f"a port of kind access in {service.vpn} at the core or county of each of {total} units",
        f"none for {named(outside)}",
        "Add these ports to inventory/services.csv; until then the system is alone in its VPN.",
        note=True,
    )
