"""The IPv6 plan: everything is derived from the city's /40. Regions hold a /48, units a /56 of their region's, lines a /127 and
devices a /128 of the infrastructure's. Pure; what stands is never moved, what is released rests as in the IPv4 plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from ipaddress import IPv6Network

from app.core.inventory import Inventory
from app.core.ipplan import PLAN_FILE, Ipv6Block, VpnProfile
from app.core.ipv6_rows import CITY_LENGTH, INFRASTRUCTURE, LEDGER6_FILE, LENGTHS, Allocation6
from app.core.ipv6_vpns import find_vpn6_faults, find_vpn_row_faults, links_of, vpn_demands6
from app.core.spans import TakenSpans, taken_spans
from app.core.workspace import Workspace
from app.errors import Finding, named

#: The /64s of the infrastructure /48 that loopbacks and links are cut from.
LOOPBACKS, LINKS = 0, 1


@dataclass(frozen=True, slots=True)
class Ipv6Change:
    """What planning would do to the IPv6 ledger; `shortages` refuse it, and `ledger` then is as it was."""

    added: tuple[Allocation6, ...] = ()
    returned: tuple[Allocation6, ...] = ()
    released: tuple[Allocation6, ...] = ()
    dropped: tuple[Allocation6, ...] = ()
    shortages: tuple[Finding, ...] = ()
    ledger: tuple[Allocation6, ...] = ()

    @property
    def changes(self) -> bool:
        return bool(self.added or self.returned or self.released or self.dropped)


def demands6(inventory: Inventory) -> dict[str, tuple[str, str]]:
    """Return role and region of every holder, parents before children, each role by name."""
    units, devices = inventory.units, inventory.devices
    routed = {line.unit_id for line in inventory.lines.values() if line.role == "primary" and devices[line.z_device].lan_interface}
    wanted = {INFRASTRUCTURE: ("infrastructure", "")}
    wanted |= {f"region:{code}": ("region", code) for code in sorted(inventory.regions)}
    wanted |= {f"unit:{name}": ("unit", units[name].region) for name in sorted(routed) if units[name].in_scope}
    wanted |= {f"line:{name}": ("link", "") for name in sorted(inventory.lines)}
    wanted |= {f"device:{name}": ("loopback", "") for name in sorted(devices) if devices[name].role != "unit_switch"}
    return wanted


def plan_ipv6(
    block: Ipv6Block,
    ledger: Iterable[Allocation6],
    inventory: Inventory,
    today: date,
    quarantine_days: int,
    vpns: Iterable[VpnProfile] = (),
) -> Ipv6Change:
    """Fit the IPv6 ledger to the inventory: keep what stands, add first-fit, let what nobody needs rest.

    `vpns` have blocks of their own, where they carry IPv6.
    """
    before = in_order6(ledger)
    city, within = demands6(inventory), vpn_demands6(inventory, vpns)
    wanted = city.keys() | within.keys()
    rest = timedelta(days=quarantine_days)
    dropped = tuple(row for row in before if row.released_on is not None and today >= row.released_on + rest)
    standing = [row for row in before if row not in dropped]
    live = {row.holder: row for row in standing if row.released_on is None}
    resting = {row.holder: row for row in standing if row.released_on is not None and row.holder in wanted and row.holder not in live}
    returned = tuple(replace(row, released_on=None) for row in resting.values())
    released = tuple(replace(row, released_on=today) for holder, row in live.items() if holder not in wanted)
    kept = [row for holder, row in live.items() if holder in wanted]
    quarantined = [row for row in standing if row.released_on is not None and resting.get(row.holder) is not row]
    quarantined += released if quarantine_days > 0 else ()
    standing = [*kept, *returned, *quarantined]
    known = live.keys() | resting.keys()
    added, unserved = _hand_out(block, standing, {holder: asked for holder, asked in city.items() if holder not in known}, today)
    more, unserved_within = _hand_out_within(standing, {holder: asked for holder, asked in within.items() if holder not in known}, today)
    added += more
    shortages = (*_shortages(block, unserved), *_shortages_within(unserved_within))
    after = before if shortages else in_order6([*kept, *returned, *quarantined, *added])
    return Ipv6Change(in_order6(added), in_order6(returned), in_order6(released), dropped, shortages, after)


def plan_ledger6(workspace: Workspace, block: Ipv6Block, today: date) -> Ipv6Change:
    """Return what planning would do to a workspace's IPv6 ledger."""
    plan = workspace.plan
    return plan_ipv6(block, workspace.ledger6, workspace.inventory, today, plan.quarantine_days, plan.features.vpns)


def in_order6(rows: Iterable[Allocation6]) -> tuple[Allocation6, ...]:
    return tuple(sorted(rows, key=lambda row: (row.vrf, row.prefix, row.holder, row.released_on or date.max)))


def _hand_out(
    block: Ipv6Block, standing: Iterable[Allocation6], new: Mapping[str, tuple[str, str]], today: date
) -> tuple[list[Allocation6], list[tuple[str, str]]]:
    """Give each holder the first free prefix of its parent; parents come first in `new`. Return also (role, holder) of the rest."""
    rows = [row for row in standing if row.vrf == block.vrf]
    held = {row.holder: row.prefix for row in rows if row.released_on is None}
    by_role: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        by_role.setdefault(_layer(row.role), []).append(_span(row.prefix))
    streams: dict[tuple[str, IPv6Network], Iterator[IPv6Network]] = {}
    added: list[Allocation6] = []
    unserved: list[tuple[str, str]] = []
    for holder, (role, region) in new.items():
        parent = _parent(block, role, region, held)
        prefix = None
        if parent is not None:
            if (role, parent) not in streams:
                streams[role, parent] = _free(parent, LENGTHS[role], taken_spans(by_role.get(_layer(role), [])))
            prefix = next(streams[role, parent], None)
        if prefix is None:
            unserved.append((role, holder))
            continue
        held[holder] = prefix
        if role == "infrastructure":  # regions are cut from the same block
            by_role.setdefault(_layer(role), []).append(_span(prefix))
        added.append(Allocation6(prefix, block.vrf, role, holder, today))
    return added, unserved


def _hand_out_within(
    standing: Iterable[Allocation6], new: Mapping[str, tuple[str, VpnProfile]], today: date
) -> tuple[list[Allocation6], list[tuple[VpnProfile, str, str]]]:
    """Give each holder the first free prefix of its VPN's block: of its first /64 for a line, beside it for a system."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in standing:
        spans.setdefault((row.vrf, row.role), []).append(_span(row.prefix))
    streams: dict[tuple[str, str], Iterator[IPv6Network]] = {}
    added: list[Allocation6] = []
    unserved: list[tuple[VpnProfile, str, str]] = []
    for holder, (role, vpn) in new.items():
        assert vpn.prefix6 is not None  # only such instances ask
        links, key = links_of(vpn.prefix6), (vpn.name, role)
        if key not in streams:
            taken = spans.get(key, []) + ([] if role == "link" else [_span(links)])
            streams[key] = _free(links if role == "link" else vpn.prefix6, LENGTHS[role], taken_spans(taken))
        prefix = next(streams[key], None)
        if prefix is None:
            unserved.append((vpn, role, holder))
        else:
            added.append(Allocation6(prefix, vpn.name, role, holder, today))
    return added, unserved


def _shortages_within(unserved: Iterable[tuple[VpnProfile, str, str]]) -> Iterator[Finding]:
    by_vpn: dict[tuple[str, str], list[str]] = {}
    for vpn, role, holder in unserved:
        by_vpn.setdefault((f"VPN {vpn.name}: its IPv6 block {vpn.prefix6} has no room for role {role}", role), []).append(holder)
    for (what, role), holders in by_vpn.items():
        found = f"none for {named(holders)}"
        yield Finding(PLAN_FILE, what, f"room for {len(holders)} more /{LENGTHS[role]}", found, "Release what nobody uses any more.")


def _layer(role: str) -> str:
    """Return the roles that are cut side by side: infrastructure and regions share the city's block."""
    return "region" if role == "infrastructure" else role


def _parent(block: Ipv6Block, role: str, region: str, held: Mapping[str, IPv6Network]) -> IPv6Network | None:
    if role in ("infrastructure", "region"):
        return block.prefix
    if role == "unit":
        return held.get(f"region:{region}")
    infrastructure = held.get(INFRASTRUCTURE)
    if infrastructure is None:
        return None
    number = LOOPBACKS if role == "loopback" else LINKS
    return IPv6Network((int(infrastructure.network_address) + (number << 64), 64))


def _span(prefix: IPv6Network) -> tuple[int, int]:
    start = int(prefix.network_address)
    return start, start + (1 << (128 - prefix.prefixlen))


def _free(parent: IPv6Network, length: int, taken: TakenSpans) -> Iterator[IPv6Network]:
    """Yield the free prefixes of this length in the parent, ascending."""
    cursor, limit = _span(parent)
    size = 1 << (128 - length)
    for start, end in zip(taken.starts, taken.ends, strict=True):
        while cursor + size <= min(start, limit):
            yield IPv6Network((cursor, length))
            cursor += size
        cursor = max(cursor, -(-end // size) * size) if end > cursor else cursor
    while cursor + size <= limit:
        yield IPv6Network((cursor, length))
        cursor += size


def _shortages(block: Ipv6Block, unserved: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    by_role: dict[str, list[str]] = {}
    for role, holder in unserved:
        by_role.setdefault(role, []).append(holder)
    for role, holders in by_role.items():
        yield Finding(
            block.where or PLAN_FILE,
            f"the IPv6 block {block.prefix} has no room for role {role}",
            f"room for {len(holders)} more /{LENGTHS[role]}",
            f"none for {named(holders)}",
            "Ask for a shorter prefix for the city, or for one more; a region's /48 holds 256 units.",
        )


def find_ipv6_faults(workspace: Workspace) -> Iterator[Finding]:
    """Yield what is wrong with the city's block and with the IPv6 ledger."""
    block, rows = workspace.plan.ipv6, in_order6(workspace.ledger6)
    if block is None:
        yield from find_vpn6_faults(workspace.plan)
        if rows:
            step = f"Put the city's prefix back into {PLAN_FILE}, or remove the file."
            yield Finding(rows[0].where or LEDGER6_FILE, "IPv6 prefixes are held without a block", f"ipv6 in {PLAN_FILE}", "none", step)
        return
    if block.vrf not in workspace.plan.vrfs:
        yield Finding(block.where, "ipv6: its VRF does not exist", f"one of {', '.join(workspace.plan.vrfs)}", block.vrf, "Correct vrf.")
    if block.prefix.prefixlen != CITY_LENGTH:
        step = "Enter the part of the province's prefix that the city was given."
        yield Finding(block.where, "ipv6: the city's block has another length", f"a /{CITY_LENGTH}", str(block.prefix), step)
    yield from find_vpn6_faults(workspace.plan)
    within = workspace.plan.vpn_names
    yield from _find_row_faults(block, [row for row in rows if row.vrf not in within])
    yield from find_vpn_row_faults(workspace.plan.features.vpns, rows)


def _find_row_faults(block: Ipv6Block, rows: Iterable[Allocation6]) -> Iterator[Finding]:
    live = [row for row in rows if row.released_on is None]
    regions = [row for row in live if row.role == "region"]
    infrastructure = next((row.prefix for row in live if row.role == "infrastructure"), None)
    last: dict[str, Allocation6] = {}
    holders: dict[str, Allocation6] = {}
    for row in rows:
        where, called = row.where or LEDGER6_FILE, f"{row.prefix} of {row.holder}"
        if row.vrf != block.vrf or not row.prefix.subnet_of(block.prefix):
            expected, found = f"a part of {block.prefix} in VRF {block.vrf}", f"{row.prefix} in {row.vrf}"
            yield Finding(where, f"{called} lies outside the city's block", expected, found, "Correct the row, or the block.")
            continue
        if row.prefix.prefixlen != LENGTHS[row.role]:
            expected, found = f"/{LENGTHS[row.role]} for role {row.role}", f"/{row.prefix.prefixlen}"
            yield Finding(where, f"{called} has another length than its role", expected, found, "Correct the row.")
        if row.role == "unit" and not any(row.prefix.subnet_of(region.prefix) for region in regions):
            yield Finding(where, f"{called} lies in no region", "a part of a region's /48", str(row.prefix), "Correct the row.")
        if row.role in ("link", "loopback") and (infrastructure is None or not row.prefix.subnet_of(infrastructure)):
            found = str(infrastructure or "none held")
            yield Finding(where, f"{called} lies outside the infrastructure", "a part of its /48", found, "Correct the row.")
        before = last.get(_layer(row.role))
        if before is not None and before.prefix.overlaps(row.prefix):
            found = f"{before.prefix} of {before.holder} ({before.where or LEDGER6_FILE})"
            step = "Delete the row that is not in use."
            yield Finding(where, f"{called} overlaps another", "prefixes apart from each other", found, step)
        last[_layer(row.role)] = row
        if row.released_on is None and holders.setdefault(row.holder, row) is not row:
            found = f"{holders[row.holder].prefix} and {row.prefix}"
            yield Finding(where, f"{row.holder} holds two IPv6 prefixes", "one row in force", found, "Release one of them.")
