"""NetBox's CSV tables from a workspace. Heads are those of NetBox's import forms; rates in kbit/s, as NetBox counts them. Pure.

A circuit that has no circuit id yet goes by our line id, which NetBox's `cid` demands; the line id stands in `description`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.core.intent import DeviceIntent, InterfaceIntent
from app.core.inventory import Device, Line
from app.core.ipplan import Allocation
from app.core.line_event import OPENED, LineEvent
from app.core.workspace import Workspace
from app.errors import Finding

#: File → heads, in the order in which NetBox can take them.
TABLES: Mapping[str, tuple[str, ...]] = {
    "regions": ("name", "slug", "parent", "description"),
    "sites": ("name", "slug", "status", "region", "description"),
    "manufacturers": ("name", "slug"),
    "device_roles": ("name", "slug", "color"),
    "platforms": ("name", "slug"),
    "device_types": ("manufacturer", "model", "slug", "u_height"),
    "devices": ("name", "role", "manufacturer", "device_type", "platform", "status", "site"),
    "vrfs": ("name", "rd", "enforce_unique", "description"),
    "interfaces": ("device", "name", "parent", "type", "enabled", "speed", "vrf", "description"),
    "ipam_roles": ("name", "slug"),
    "prefixes": ("prefix", "vrf", "status", "role", "description"),
    "ip_addresses": ("address", "vrf", "status", "device", "interface", "is_primary", "description"),
    "providers": ("name", "slug"),
    "circuit_types": ("name", "slug"),
    "circuits": ("cid", "provider", "type", "status", "install_date", "commit_rate", "description"),
    "circuit_terminations": ("circuit", "term_side", "site", "port_speed", "upstream_speed", "description"),
}
#: NetBox 4.2 and newer name a site by its number.
TERMINATIONS_BY_ID = ("circuit", "term_side", "termination_type", "termination_id", "port_speed", "upstream_speed", "description")
GREY = "9e9e9e"
VIRTUAL_KINDS = ("loopback", "management")
#: First letters of a port's name → NetBox's interface type.
PORT_TYPES = (("XGigabit", "10gbase-x-sfpp"), ("Gigabit", "1000base-t"), ("FastEthernet", "100base-tx"), ("Ethernet", "100base-tx"))

_NO_SLUG = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Ground:
    """What the tables are made from. `opened` are the newest reports of opened days by line."""

    workspace: Workspace
    intents: Mapping[str, DeviceIntent]
    opened: Mapping[str, LineEvent]


def opened_by_line(known: Mapping[tuple[str, str], LineEvent]) -> dict[str, LineEvent]:
    return {line_id: event for (line_id, kind), event in known.items() if kind == OPENED}


def netbox_tables(ground: Ground) -> dict[str, list[tuple[str, ...]]]:
    """Return every table of `TABLES` with its heads first; the same workspace gives the same rows."""
    makers = {
        "regions": _regions,
        "sites": _sites,
        "manufacturers": lambda g: _names(device.vendor for device in g.workspace.inventory.devices.values()),
        "device_roles": lambda g: [(*row, GREY) for row in _names(device.role for device in g.workspace.inventory.devices.values())],
        "platforms": lambda g: _names(device.platform for device in g.workspace.inventory.devices.values()),
        "device_types": _device_types,
        "devices": _devices,
        "vrfs": _vrfs,
        "interfaces": _interfaces,
        "ipam_roles": lambda g: _names(pool.role for pool in g.workspace.plan.pools),
        "prefixes": _prefixes,
        "ip_addresses": _addresses,
        "providers": lambda g: _slugged((name, key) for key, name in g.workspace.order.carriers.items()),
        "circuit_types": lambda g: _slugged((kind.words, kind.class_id) for kind in g.workspace.order.classes.values()),
        "circuits": _circuits,
        "circuit_terminations": _terminations,
    }
    return {name: [heads, *makers[name](ground)] for name, heads in TABLES.items()}


def terminations_by_id(
    rows: Sequence[tuple[str, ...]], site_ids: Mapping[str, str], where: str
) -> tuple[list[tuple[str, ...]], list[Finding]]:
    """Return the table of terminations in the form of NetBox 4.2, and a finding for every site whose number is not known."""
    out: list[tuple[str, ...]] = [TERMINATIONS_BY_ID]
    missing = dict.fromkeys(row[2] for row in rows[1:] if row[2] not in site_ids)
    for circuit, side, site, *rest in rows[1:]:
        out.append((circuit, side, "dcim.site", site_ids.get(site, ""), *rest))
    step = "Import sites.csv into NetBox first, then export its sites again as CSV with ID and Name."
    return out, [Finding(where, f"site `{site}` has no number", "a row with its ID and Name", "none", step) for site in missing]


def find_shared_cids(workspace: Workspace) -> list[Finding]:
    """Return a note for each circuit id that two carriers use: NetBox's table of terminations cannot tell them apart."""
    counted = Counter(cid(line) for line in workspace.inventory.lines.values())
    step = "Import these terminations by hand; NetBox names a circuit by its id alone."
    return [
        Finding(line.where, f"line {line.line_id}: circuit id is used twice", "an id of its own", cid(line), step, note=True)
        for line in workspace.inventory.lines.values()
        if counted[cid(line)] > 1
    ]


def cid(line: Line) -> str:
    return line.circuit_id or line.line_id


def site_name(workspace: Workspace, device: Device) -> str:
    """Return the site that a device stands at: its unit, else its region."""
    unit = workspace.inventory.units.get(device.unit_id or "")
    if unit is not None:
        return f"{unit.unit_id} {unit.name}"
    return f"{device.region} {workspace.inventory.regions[device.region].name}"


def slug(text: str) -> str:
    """Return a text as NetBox takes it in addresses."""
    return _NO_SLUG.sub("-", text.lower()).strip("-")[:100] or "none"


def _slugged(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return (name, slug) for each (name, id), every slug its own: a second one of the same letters gets a number."""
    seen: Counter[str] = Counter()
    rows = []
    for name, key in pairs:
        short = slug(key)
        seen[short] += 1
        rows.append((name, short if seen[short] == 1 else f"{short}-{seen[short]}"))
    return rows


def _names(names: Iterable[str]) -> list[tuple[str, str]]:
    return _slugged((name, name) for name in dict.fromkeys(names))


def _regions(ground: Ground) -> Iterator[tuple[str, ...]]:
    regions = ground.workspace.inventory.regions
    for region in sorted(regions.values(), key=lambda region: (region.level != "city", region.code)):
        parent = regions[region.parent].name if region.parent else ""
        yield region.name, slug(f"{region.name_en}-{region.code}"), parent, region.code


def _sites(ground: Ground) -> Iterator[tuple[str, ...]]:
    workspace = ground.workspace
    places: dict[str, tuple[str, str, str]] = {}
    for unit in workspace.inventory.units.values():
        places[f"{unit.unit_id} {unit.name}"] = (unit.unit_id, unit.region, unit.name_en)
    for device in workspace.inventory.devices.values():
        places.setdefault(site_name(workspace, device), (f"region-{device.region}", device.region, ""))
    named = _slugged((name, key) for name, (key, _, _) in places.items())
    for (name, short), (_, region, name_en) in zip(named, places.values(), strict=True):
        yield name, short, "active", workspace.inventory.regions[region].name, name_en


def _device_types(ground: Ground) -> list[tuple[str, ...]]:
    types = dict.fromkeys((device.vendor, device.model) for device in ground.workspace.inventory.devices.values())
    slugs = _slugged((model, f"{vendor}-{model}") for vendor, model in types)
    return [(vendor, model, short, "1") for (vendor, model), (_, short) in zip(types, slugs, strict=True)]


def _devices(ground: Ground) -> Iterator[tuple[str, ...]]:
    for device in ground.workspace.inventory.devices.values():
        site = site_name(ground.workspace, device)
        yield device.name, device.role, device.vendor, device.model, device.platform, "active", site


def _vrfs(ground: Ground) -> Iterator[tuple[str, ...]]:
    """Yield every VRF; one in the global table has no route distinguisher."""
    distinguishers = _distinguishers(ground)
    for name, carries in ground.workspace.plan.vrfs.items():
        yield name, distinguishers.get(name, ""), "true", carries


def _distinguishers(ground: Ground) -> dict[str, str]:
    return {vpn.name: vpn.rd for vpn in ground.workspace.plan.features.vpns}


def _interfaces(ground: Ground) -> Iterator[tuple[str, ...]]:
    """Yield every port, physical ports before the sub-interfaces that name them; NetBox takes a port's VRF by its distinguisher."""
    distinguishers = _distinguishers(ground)
    for device, intent in ground.intents.items():
        ports = {port.name: port for port in intent.interfaces}
        carriers = dict.fromkeys(_physical(name) for name in ports if "." in name and _physical(name) not in ports)
        for name in carriers:
            yield device, name, "", _port_type(name), "true", "", "", ""
        for port in sorted(intent.interfaces, key=lambda port: "." in port.name):
            parent = _physical(port.name) if "." in port.name else ""
            enabled, vrf = "false" if port.shutdown else "true", distinguishers.get(port.vrf or "", "")
            speed = str(port.out_kbps) if port.kind == "vpn_line" and port.out_kbps else ""
            yield device, port.name, parent, _interface_type(port), enabled, speed, vrf, port.description


def _physical(name: str) -> str:
    return name.partition(".")[0]


def _interface_type(port: InterfaceIntent) -> str:
    if port.kind in VIRTUAL_KINDS or "." in port.name or port.name.lower().startswith(("vlan", "loop", "dialer")) or port.name == "lo":
        return "virtual"
    return _port_type(port.name)


def _port_type(name: str) -> str:
    return next((kind for start, kind in PORT_TYPES if name.startswith(start)), "other")


def _prefixes(ground: Ground) -> Iterator[tuple[str, ...]]:
    """Yield pools as containers, then what is held; what rests in quarantine is deprecated."""
    plan, ledger = ground.workspace.plan, ground.workspace.ledger
    held = {(row.vrf, row.prefix) for row in ledger}
    for pool in plan.pools:
        if (pool.vrf, pool.prefix) not in held:
            yield str(pool.prefix), pool.vrf, "container", pool.role, f"pool:{pool.name}"
    for row in ledger:
        yield str(row.prefix), row.vrf, "active" if row.released_on is None else "deprecated", row.role, row.holder


def _addresses(ground: Ground) -> list[tuple[str, ...]]:
    """Return every address, primary ones last: a later row of the same device that is not primary would unset it in NetBox."""
    return sorted(_port_addresses(ground), key=lambda row: row[5])


def _port_addresses(ground: Ground) -> Iterator[tuple[str, ...]]:
    bound = ground.workspace.plan.vpn_names
    public = {row.prefix: row.vrf for row in ground.workspace.ledger if row.released_on is None and row.vrf not in bound}
    for device, intent in ground.intents.items():
        best = next(iter(intent.contacts), None)
        for port in intent.interfaces:
            if port.address is not None:
                primary = "true" if port.address.ip == best else "false"
                vrf = port.vrf or public.get(port.address.network, "")
                yield str(port.address), vrf, "active", device, port.name, primary, port.line_id or ""


def _circuits(ground: Ground) -> Iterator[tuple[str, ...]]:
    order = ground.workspace.order
    for line in ground.workspace.inventory.lines.values():
        kind, opened = order.classes[line.service_class], ground.opened.get(line.line_id)
        status = "active" if opened else "provisioning" if line.circuit_id else "planned"
        day, rate = opened.value if opened else "", str(kind.nominal_down_kbps)
        yield cid(line), order.carriers[line.carrier], kind.words, status, day, rate, line.line_id


def _terminations(ground: Ground) -> Iterator[tuple[str, ...]]:
    """Yield both ends of every line; the speed upward stands only where it differs, as NetBox wants it."""
    inventory, classes = ground.workspace.inventory, ground.workspace.order.classes
    for line in inventory.lines.values():
        kind = classes[line.service_class]
        up = "" if kind.nominal_up_kbps == kind.nominal_down_kbps else str(kind.nominal_up_kbps)
        for side, device, port in (("A", line.a_device, line.a_interface), ("Z", line.z_device, line.z_interface)):
            site = site_name(ground.workspace, inventory.devices[device])
            yield cid(line), side, site, str(kind.nominal_down_kbps), up, f"{device}:{port}"


def live(ledger: Iterable[Allocation]) -> dict[str, Allocation]:
    """Return the rows in force by holder."""
    return {row.holder: row for row in ledger if row.released_on is None}
