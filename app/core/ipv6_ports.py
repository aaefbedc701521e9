"""IPv6 addresses of ports, from the plan's IPv6 ledger: loopbacks, lines and unit LANs; systems and lines of VPN instances. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv6Interface, IPv6Network

from app.core.intent import InterfaceIntent
from app.core.inventory import Device
from app.core.ipv6 import demands6
from app.core.ipv6_rows import LAN_LENGTH, LEDGER6_FILE
from app.core.ipv6_vpns import vpn_demands6
from app.core.workspace import Workspace
from app.errors import Finding

#: Who the IPv6 plan gives prefixes to beside devices: no port asks for these.
NOT_ON_PORTS = ("network:", "region:")


def held6(workspace: Workspace) -> Mapping[str, IPv6Network]:
    """Return the IPv6 prefixes in force by holder; none where the plan has no block."""
    if workspace.plan.ipv6 is None:
        return {}
    return {row.holder: row.prefix for row in workspace.ledger6 if row.released_on is None}


def with_ipv6(
    held: Mapping[str, IPv6Network], workspace: Workspace, device: Device, ports: Iterable[InterfaceIntent]
) -> tuple[InterfaceIntent, ...]:
    """Return the ports with their IPv6 addresses; the modem port below a dialler has none."""
    if not held:
        return tuple(ports)
    return tuple(replace(port, address6=_address(held, workspace, device, port)) for port in ports)


def _address(held: Mapping[str, IPv6Network], workspace: Workspace, device: Device, port: InterfaceIntent) -> IPv6Interface | None:
    if port.kind == "province":
        return port.address6
    if port.kind == "loopback":
        return _nth(held.get(f"device:{device.name}"), 0)
    if port.kind == "lan" and device.unit_id is not None:
        prefix = held.get(f"unit:{device.unit_id}")
        return _nth(next(prefix.subnets(new_prefix=LAN_LENGTH)), 1) if prefix is not None else None
    if port.kind == "service":
        place = device.name, port.name
        held_by = (one.service_id for one in workspace.inventory.services.values() if (one.device, one.interface) == place)
        return _nth(held.get(f"service:{next(held_by, '')}"), 1)
    if port.kind == "vpn_line":
        carried = (one for one in workspace.inventory.vpn_lines if port.name in (one.a_interface, one.z_interface) and one.vpn == port.vrf)
        for one in carried:
            line = workspace.inventory.lines[one.line_id]
            if (device.name, port.name) in ((line.a_device, one.a_interface), (line.z_device, one.z_interface)):
                return _nth(held.get(f"vpn:{one.line_id}/{one.vpn}"), 0 if line.a_device == device.name else 1)
        return None
    if port.kind in ("line", "backup") and port.line_id is not None:
        line = workspace.inventory.lines[port.line_id]
        return _nth(held.get(f"line:{port.line_id}"), 0 if line.a_device == device.name else 1)
    return None


def _nth(prefix: IPv6Network | None, number: int) -> IPv6Interface | None:
    return None if prefix is None else IPv6Interface((prefix[number], prefix.prefixlen))


def find_unaddressed6(workspace: Workspace) -> Iterator[Finding]:
    """Yield every holder on a port that the IPv6 ledger holds nothing for."""
    if workspace.plan.ipv6 is None:
        return
    held = held6(workspace)
    wanted = [holder for holder in demands6(workspace.inventory) if not holder.startswith(NOT_ON_PORTS)]
    wanted += vpn_demands6(workspace.inventory, workspace.plan.features.vpns)
    missing = [holder for holder in wanted if holder not in held]
    if len(missing) == len(wanted):
        missing = missing[:0]
        yield Finding(LEDGER6_FILE, "the IPv6 ledger holds nothing", f"prefixes of {len(wanted)} holders", "none", _STEP)
    for holder in missing:
        yield Finding(LEDGER6_FILE, f"{holder} holds no IPv6 prefix", "a row of its own", "none", _STEP)


_STEP = "Run `waiwang plan --commit`."
