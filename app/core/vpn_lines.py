"""VPN instances that a line carries down to a unit's own router: a VLAN beside the public zone's, bound at both ends. Pure.

The unit's router is told the instance alone, without route targets: labels and BGP end at the router above it, which routes what stands
in the VPN at the unit by static routes and hands them on. Which VLANs a circuit carries is the carrier's word, a row of `vpn_lines.csv`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from app.core.ground import BACKBONE_ROLES, Ground
from app.core.intent import InterfaceIntent, VpnRoute, VpnRoute6
from app.core.inventory import Device, Line, VpnLine
from app.core.ipplan import PLAN_FILE, link_ends
from app.core.naming import vlan_of
from app.core.order_rules import RATE_STEP_KBPS
from app.core.references import References
from app.core.workspace import Workspace
from app.errors import Finding

#: Ways of access whose circuit passes VLAN tags from end to end (design default; a PVC and a tunnel carry one zone).
TAGGED = ("ethernet",)
LINES_FILE = "inventory/lines.csv"
EVERYWHERE = IPv4Network("0.0.0.0/0")
EVERYWHERE6 = IPv6Network("::/0")


def holder_of(held: VpnLine) -> str:
    """Return who holds the prefix between the two ends."""
    return f"vpn:{held.line_id}/{held.vpn}"


def vpn_line_ports(ground: Ground, device: Device) -> Iterator[InterfaceIntent]:
    """Yield this device's ends of VPNs on lines."""
    for held in ground.vpn_ends.get(device.name, ()):
        line = ground.workspace.inventory.lines[held.line_id]
        at_a = line.a_device == device.name
        near, far = (held.a_interface, held.z_interface) if at_a else (held.z_interface, held.a_interface)
        far_device = line.z_device if at_a else line.a_device
        ends = [link_ends(prefix)[0 if at_a else 1] for prefix in ground.book.all_of(holder_of(held))]
        yield InterfaceIntent(
            name=near,
            kind="vpn_line",
            description=f"VPN {held.vpn} TO:{far_device}:{far} ON:{line.line_id}" + _bandwidth(held),
            address=ends[0],
            far_device=far_device,
            far_interface=far,
            in_kbps=held.committed_kbps,
            out_kbps=held.committed_kbps,
            vlan=vlan_of(near),
            secondary=tuple(ends[1:]),
            vrf=held.vpn,
        )


def _bandwidth(held: VpnLine) -> str:
    return f" BW:{held.committed_kbps}" if held.committed_kbps else ""


def vpn_routes(ground: Ground, device: Device) -> tuple[VpnRoute, ...]:
    """Return the static routes of VPNs on this device's lines: up by default, down to what stands in the VPN at the unit."""
    routes = []
    for held in ground.vpn_ends.get(device.name, ()):
        line = ground.workspace.inventory.lines[held.line_id]
        above, below = link_ends(ground.book.prefixes[holder_of(held)])
        if line.z_device == device.name:
            routes.append(VpnRoute(held.vpn, EVERYWHERE, above.ip))
        else:
            services = [one for one in ground.services.get(line.z_device, ()) if one.vpn == held.vpn]
            prefixes = [prefix for one in services for prefix in ground.book.all_of(f"service:{one.service_id}")]
            routes += [VpnRoute(held.vpn, prefix, below.ip) for prefix in prefixes]
    return tuple(sorted(routes, key=lambda route: (route.vrf, route.prefix)))


def vpn_routes6(ground: Ground, device: Device) -> tuple[VpnRoute6, ...]:
    """Return the same for IPv6, on lines of VPNs that carry it."""
    routes = []
    for held in ground.vpn_ends.get(device.name, ()):
        line, link = ground.workspace.inventory.lines[held.line_id], ground.held6.get(holder_of(held))
        if link is None:
            continue
        if line.z_device == device.name:
            routes.append(VpnRoute6(held.vpn, EVERYWHERE6, link[0]))
        else:
            services = [one for one in ground.services.get(line.z_device, ()) if one.vpn == held.vpn]
            prefixes = [ground.held6[holder] for one in services if (holder := f"service:{one.service_id}") in ground.held6]
            routes += [VpnRoute6(held.vpn, prefix, link[1]) for prefix in prefixes]
    return tuple(sorted(routes, key=lambda route: (route.vrf, route.prefix)))


def find_vpn_line_faults(workspace: Workspace, references: References) -> Iterator[Finding]:
    """Yield what cannot be carried down a line, all at once."""
    inventory, plan = workspace.inventory, workspace.plan
    seen: dict[tuple[str, str], VpnLine] = {}
    for held in inventory.vpn_lines:
        called = f"VPN {held.vpn} on line {held.line_id}"
        yield from references.judge(held.where, called, "line_id", held.line_id, "lines", inventory.lines, LINES_FILE)
        yield from references.judge(held.where, called, "vpn", held.vpn, "vrfs", plan.vrfs, PLAN_FILE)
        if held.vpn in plan.vrfs and held.vpn not in plan.vpn_names:
            step = "Name a VPN instance; the public zone is the line itself."
            yield Finding(held.where, called, "a VPN instance with a zone and an rd", f"{held.vpn}: {plan.vrfs[held.vpn]}", step)
        first = seen.setdefault((held.line_id, held.vpn), held)
        if first is not held:
            yield Finding(held.where, f"{called} stands twice", "one row", f"another at {first.where}", "Remove one of them.")
        line = inventory.lines.get(held.line_id)
        if line is not None:
            yield from _find_unfit_line(workspace, held, line, called)
            yield from _find_unfit_rate(workspace, held, line, called)


def find_overbooked_lines(workspace: Workspace) -> Iterator[Finding]:
    """Yield a note for every line whose VPNs are promised more together than it carries; each alone is within it."""
    inventory, promised = workspace.inventory, defaultdict[str, list[VpnLine]](list)
    for held in inventory.vpn_lines:
        if held.committed_kbps:
            promised[held.line_id].append(held)
    for line_id, rows in promised.items():
        whole, total = line_kbps(workspace, inventory.lines[line_id]), sum(held.committed_kbps or 0 for held in rows)
        if total > whole:
            found = f"{total} ({', '.join(f'{held.vpn} {held.committed_kbps}' for held in rows)})"
            step = "Lower them, or accept that they cannot all have their rate at once, and the public zone what they leave."
            what = f"VPNs on line {line_id} are promised more than it carries"
            yield Finding(rows[0].where, what, f"at most {whole} kbit/s together", found, step, note=True)


def line_kbps(workspace: Workspace, line: Line) -> int:
    """Return what devices are given for a line, the smaller of both ways."""
    kind = workspace.order.classes[line.service_class]
    return min(kind.configured_down_kbps, kind.configured_up_kbps)


def _find_unfit_rate(workspace: Workspace, held: VpnLine, line: Line, called: str) -> Iterator[Finding]:
    kbps = held.committed_kbps
    if kbps is None or line.service_class not in workspace.order.classes:
        return
    if kbps % RATE_STEP_KBPS:
        expected = f"a multiple of {RATE_STEP_KBPS}, such as {kbps // RATE_STEP_KBPS * RATE_STEP_KBPS + RATE_STEP_KBPS}"
        yield Finding(held.where, f"{called}: devices cannot be given this rate", expected, str(kbps), "Correct `committed_kbps`.")
    if kbps > (whole := line_kbps(workspace, line)):
        step = "Lower `committed_kbps`, leave it empty to share the whole line, or order a faster line."
        yield Finding(held.where, f"{called}: its rate exceeds the line's", f"at most {whole} kbit/s", f"{kbps} kbit/s", step)


def _find_unfit_line(workspace: Workspace, held: VpnLine, line: Line, called: str) -> Iterator[Finding]:
    devices = workspace.inventory.devices
    above, below = devices.get(line.a_device), devices.get(line.z_device)
    if line.role != "primary":
        yield Finding(held.where, called, "a primary line", f"role {line.role}", "Name the unit's own uplink.")
    if line.access_method not in TAGGED:
        step = "Order the line as ethernet, or join the unit at a port of its county."
        yield Finding(held.where, called, f"a line of {' or '.join(TAGGED)}, which passes VLANs", line.access_method, step)
    if above is not None and above.role not in BACKBONE_ROLES:
        step = "Name a line whose upper end holds VPN instances."
        yield Finding(held.where, called, f"an upper end of role {' or '.join(BACKBONE_ROLES)}", f"{above.name} ({above.role})", step)
    if below is not None and below.role in BACKBONE_ROLES:
        step = "Remove the row: these routers share every VPN by labels."
        yield Finding(held.where, called, "a unit's router at the lower end", f"{below.name} ({below.role})", step)
    for column, port, own in (("a_interface", held.a_interface, line.a_interface), ("z_interface", held.z_interface, line.z_interface)):
        trunk = own.partition(".")[0]
        if vlan_of(own) is None:
            step = f"Give the line a VLAN at this end in {LINES_FILE}: a port carries either VLANs alone or none."
            yield Finding(held.where, f"{called}: {column}", "a line whose own port is a sub-interface", own, step)
        elif vlan_of(port) is None or port.partition(".")[0] != trunk:
            yield Finding(held.where, f"{called}: {column}", f"another sub-interface of {trunk}", port, "Name it by the carrier's VLAN.")
