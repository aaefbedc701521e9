"""IS-IS in place of OSPF, drawn from the same tree: the backbone is level 2, every county's units are its area's level 1.

Sources: ISO 10589 and RFC 1195 (levels, attached bit), RFC 5305 (wide metrics). That areas follow regions is a design default, as
0004 decides for OSPF: units hold a default route towards their county, which the attached bit gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address

from app.core.ground import BACKBONE_ROLES, Ground, home_area, line_area
from app.core.intent import InterfaceIntent, IsisIntent
from app.core.inventory import Device
from app.core.ipplan import PLAN_FILE, IsisProfile
from app.errors import Finding

#: What every implementation gives a port that is told nothing: it is left out of their echo.
DEFAULT_METRIC = 10
#: A link state packet of the default 1497 bytes does not pass a dialled line (1492): everybody's are held below (design default).
DIALLED_LSP_MTU = 1400
#: Levels of a router that stands in no area but the backbone, and in one area alone.
BACKBONE_LEVEL, AREA_LEVEL = 2, 1


def in_isis(ground: Ground, profile: IsisProfile, device: Device, ports: Iterable[InterfaceIntent]) -> Iterator[InterfaceIntent]:
    """Yield the ports with a level and a metric of IS-IS in place of their OSPF area."""
    widest = ground.families[device.family].widest_metric
    for port in ports:
        if port.ospf_area is None:
            yield port
        else:
            yield replace(port, ospf_area=None, isis_level=_level(ground, port.ospf_area), metric=_metric(profile, port, widest))


def isis_intent(ground: Ground, profile: IsisProfile, ports: Iterable[InterfaceIntent], device: Device) -> IsisIntent:
    """Return the process of a router whose ports have their levels."""
    dialled = any(line.access_method == "vpdn_l2tp" for line in ground.workspace.inventory.lines.values())
    peers = ground.workspace.plan.features.bgp
    return IsisIntent(
        process=profile.process,
        net=f"{area_of(ground, profile, device)}.{system_id(ground.book.identity(device.name))}.00",
        levels=tuple(sorted({port.isis_level for port in ports if port.isis_level})),
        authentication=profile.authentication,
        lsp_mtu=DIALLED_LSP_MTU if dialled else None,
        originates_default=peers is not None and any(peer.device == device.name for peer in peers.peers),
    )


def _level(ground: Ground, area: str) -> int:
    return BACKBONE_LEVEL if area == ground.backbone else AREA_LEVEL


def _metric(profile: IsisProfile, port: InterfaceIntent, widest: int) -> int | None:
    """Return a line's metric by its nominal rate; None for the default, which ports without a rate keep."""
    if not port.nominal_kbps:
        return None
    metric = min(max(profile.reference_bandwidth_mbps * 1000 // port.nominal_kbps, 1), widest)
    return None if metric == DEFAULT_METRIC else metric


def system_id(loopback: IPv4Address) -> str:
    """Return the system id: the twelve digits of the loopback, in groups of four."""
    digits = "".join(f"{octet:03}" for octet in loopback.packed)
    return f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"


def area_of(ground: Ground, profile: IsisProfile, device: Device) -> str:
    """Return the area address: the plan's prefix and the eight digits of a region's code.

    The region is the device's own for core, counties and what stands in the backbone; below, the county's at the upper end.
    """
    region = device.region
    if device.role not in BACKBONE_ROLES and home_area(ground, device) != ground.backbone:
        region = ground.device(ground.uplinks[device.name].a_device).region
    digits = region.zfill(8)
    return f"{profile.area_prefix}.{digits[:4]}.{digits[4:8]}"


def find_unfit_isis(ground: Ground) -> Iterator[Finding]:
    """Yield what IS-IS cannot carry: regions without a number, and level 1 lines between two areas."""
    profile = ground.workspace.plan.isis
    if profile is None:
        return
    inventory = ground.workspace.inventory
    unfit = [region for region in inventory.regions.values() if not (region.code.isdecimal() and len(region.code) <= 8)]
    for region in unfit:
        step = "Give it the code of GB/T 2260, or choose OSPF."
        yield Finding(region.where, f"region {region.code} gives no IS-IS area", "a code of at most eight digits", region.code, step)
    if unfit:
        return
    for line in inventory.lines.values():
        if line_area(ground, line) == ground.backbone:
            continue
        near, far = (area_of(ground, profile, ground.device(name)) for name in (line.a_device, line.z_device))
        if near != far:
            what = f"line {line.line_id} joins two IS-IS areas at level 1"
            step = f"Let the line end at the unit's own county, or set routing.igp: ospf in {PLAN_FILE}."
            yield Finding(line.where, what, f"both ends in {far}", f"{line.a_device} in {near}", step)
