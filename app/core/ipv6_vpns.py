"""IPv6 within VPN instances: each has a /48 of its own, its first /64 for lines, every other for a system. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv6Network

from app.core.inventory import Inventory
from app.core.ipplan import PLAN_FILE, Plan, VpnProfile
from app.core.ipv6_rows import LEDGER6_FILE, LENGTHS, VPN_LENGTH, Allocation6
from app.errors import Finding


def vpn_demands6(inventory: Inventory, vpns: Iterable[VpnProfile]) -> dict[str, tuple[str, VpnProfile]]:
    """Return role and VPN instance of every holder in an instance with IPv6, each role by name."""
    own = {vpn.name: vpn for vpn in vpns if vpn.prefix6 is not None}
    systems = inventory.services.values()
    lines = {f"vpn:{one.line_id}/{one.vpn}": ("link", own[one.vpn]) for one in inventory.vpn_lines if one.vpn in own}
    services = {f"service:{one.service_id}": ("service", own[one.vpn]) for one in systems if one.vpn is not None and one.vpn in own}
    return {holder: asked[holder] for asked in (lines, services) for holder in sorted(asked)}


def links_of(prefix: IPv6Network) -> IPv6Network:
    """Return the /64 of a VPN's block that its lines are cut from."""
    return next(prefix.subnets(new_prefix=LENGTHS["service"]))


def find_vpn6_faults(plan: Plan) -> Iterator[Finding]:
    """Yield what is wrong with the blocks of VPN instances: routes of one may be imported into another, so none overlaps any."""
    blocks = [("the city's", plan.ipv6.prefix)] if plan.ipv6 is not None else []
    for vpn in plan.features.vpns:
        if vpn.prefix6 is None:
            continue
        what = f"vrfs: {vpn.name}: ipv6"
        if plan.ipv6 is None:
            step = f"Enter the city's prefix under ipv6 in {PLAN_FILE}, or leave IPv6 out of the VPN."
            yield Finding(PLAN_FILE, what, "an IPv6 prefix of the city beside it", "none", step)
        if vpn.prefix6.prefixlen != VPN_LENGTH:
            yield Finding(PLAN_FILE, what, f"a /{VPN_LENGTH}", str(vpn.prefix6), "Enter the block that the VPN was given.")
        for owner, other in blocks:
            if other.overlaps(vpn.prefix6):
                found = f"{vpn.prefix6}, which overlaps {owner} {other}"
                yield Finding(PLAN_FILE, what, "a block of its own", found, "Give the VPN another block.")
        blocks.append((f"{vpn.name}'s", vpn.prefix6))


def find_vpn_row_faults(vpns: Iterable[VpnProfile], rows: Iterable[Allocation6]) -> Iterator[Finding]:
    """Yield what is wrong with rows of the IPv6 ledger that stand in VPN instances, given in the ledger's order."""
    held = list(rows)
    for vpn in vpns:
        before: Allocation6 | None = None
        holders: dict[str, Allocation6] = {}
        for row in (row for row in held if row.vrf == vpn.name):
            where, called = row.where or LEDGER6_FILE, f"{row.prefix} of {row.holder}"
            if vpn.prefix6 is None or not row.prefix.subnet_of(vpn.prefix6):
                expected = f"a part of {vpn.prefix6}" if vpn.prefix6 else f"`ipv6` of VRF {vpn.name} in {PLAN_FILE}"
                yield Finding(where, f"{called} lies outside the VPN's block", expected, f"{row.prefix} in {row.vrf}", "Correct the row.")
                continue
            if row.prefix.prefixlen != LENGTHS[row.role]:
                expected, found = f"/{LENGTHS[row.role]} for role {row.role}", f"/{row.prefix.prefixlen}"
                yield Finding(where, f"{called} has another length than its role", expected, found, "Correct the row.")
            if before is not None and before.prefix.overlaps(row.prefix):
                found = f"{before.prefix} of {before.holder} ({before.where or LEDGER6_FILE})"
                step = "Delete the row that is not in use."
                yield Finding(where, f"{called} overlaps another", "prefixes apart from each other", found, step)
            before = row
            if row.released_on is None and holders.setdefault(row.holder, row) is not row:
                found = f"{holders[row.holder].prefix} and {row.prefix}"
                yield Finding(where, f"{row.holder} holds two IPv6 prefixes", "one row in force", found, "Release one of them.")
