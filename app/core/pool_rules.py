"""What pools may be, by their address class, their growth reserve and what is reserved by hand; and what to know of their filling.

Sources: the four classes and their reach, 《地方电子政务外网技术参考手册》 (between central and local public zones only national
addresses communicate; private zones use addresses that the department plans); which class may share a VRF, design default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from app.core.ipplan import Plan, Pool, Reservation
from app.core.plan_faults import PLAN_FILE
from app.core.spans import PoolUsage
from app.errors import Finding

#: Zone of each class; one VRF carries one zone.
ZONES = {"national_public": "public", "local_public": "public", "department": "department", "isp": "internet"}
#: RFC 1918 and RFC 6598: no provider registers them for one customer.
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))


def find_pool_rule_faults(plan: Plan) -> Iterator[Finding]:
    """Yield what contradicts the class of a pool, its reserve settings, or a range reserved by hand."""
    for pool in plan.pools:
        yield from find_class_faults(plan, pool)
        yield from find_reserve_faults(pool)
    yield from find_mixed_zones(plan)
    yield from find_reservation_faults(plan)


def find_class_faults(plan: Plan, pool: Pool) -> Iterator[Finding]:
    """Yield why this prefix cannot be of its class. A retired pool is on its way out, and may be of any."""
    if pool.retired:
        return
    national = pool.prefix.overlaps(plan.national_block)
    if pool.address_class == "national_public" and not pool.prefix.subnet_of(plan.national_block):
        step = f"Correct the prefix, the address_class, or national_block in {PLAN_FILE}."
        what = f"pool {pool.name} lies outside the national block"
        yield Finding(pool.where, what, f"a part of {plan.national_block}", str(pool.prefix), step)
    if pool.address_class in ("department", "isp") and national:
        step = f"Take another prefix, or call it national_public in {PLAN_FILE}."
        what = f"pool {pool.name} ({pool.address_class}) lies in the national block"
        yield Finding(pool.where, what, f"a prefix apart from {plan.national_block}", str(pool.prefix), step)
    if pool.address_class == "isp" and (inside := next((block for block in PRIVATE if pool.prefix.overlaps(block)), None)):
        step = "Put in what the provider registered for this network, or choose the class department."
        what = f"pool {pool.name} (isp) is private"
        yield Finding(pool.where, what, "registered addresses of an Internet provider", f"{pool.prefix}, a part of {inside}", step)


def find_mixed_zones(plan: Plan) -> Iterator[Finding]:
    """Yield the first pool of every VRF that brings a second zone into it."""
    first: dict[str, Pool] = {}
    for pool in plan.pools:
        holder = first.setdefault(pool.vrf, pool)
        if ZONES[pool.address_class] != ZONES[holder.address_class]:
            what = f"pool {pool.name} ({pool.address_class}) shares VRF {pool.vrf} with another zone"
            found = f"{holder.name} ({holder.address_class}) in it"
            step = f"Give it a VRF of its own under vrfs in {PLAN_FILE}; prefixes of two VRFs may overlap."
            yield Finding(pool.where, what, f"pools of the {ZONES[holder.address_class]} zone alone", found, step)


def find_reserve_faults(pool: Pool) -> Iterator[Finding]:
    """Yield a growth reserve that has no end, no room, or no length."""
    if (pool.reserve_length is None) != (pool.reserve_until is None):
        found = "reserve_length alone" if pool.reserve_until is None else "reserve_until alone"
        what = f"pool {pool.name}: its growth reserve is half said"
        step = "Add the other one: a reserve without an end would be waste, an end without a reserve means nothing."
        yield Finding(pool.where, what, "reserve_length and reserve_until", found, step)
    elif pool.reserve_length is not None and not pool.prefix.prefixlen <= pool.reserve_length < pool.length:
        what = f"pool {pool.name}: no prefix can grow into its reserve"
        expected = f"reserve_length from {pool.prefix.prefixlen} to {pool.length - 1}"
        step = "One shorter than length keeps as much again as each holder is given."
        yield Finding(pool.where, what, expected, str(pool.reserve_length), step)


def find_reservation_faults(plan: Plan) -> Iterator[Finding]:
    """Yield hand-reserved ranges in no VRF, in no pool, or twice."""
    seen: list[Reservation] = []
    for kept in plan.reservations:
        if kept.vrf not in plan.vrfs:
            what = f"reservation {kept.prefix}: its VRF does not exist"
            yield Finding(kept.where, what, f"one of {', '.join(plan.vrfs)}", kept.vrf, "Correct vrf.")
        elif not any(pool.vrf == kept.vrf and pool.prefix.overlaps(kept.prefix) for pool in plan.pools):
            what = f"reservation {kept.prefix} touches no pool of VRF {kept.vrf}"
            yield Finding(kept.where, what, "a part of a pool", "none", "Remove it: nothing is handed out there. Or correct the prefix.")
        twin = next((other for other in seen if other.vrf == kept.vrf and other.prefix.overlaps(kept.prefix)), None)
        if twin is not None:
            what, step = f"reservation {kept.prefix} overlaps another", "Join them, or give each its own range."
            yield Finding(kept.where, what, "each range reserved once", f"{twin.prefix} ({twin.reason})", step)
        seen.append(kept)


def find_usage_notes(used: Iterable[PoolUsage]) -> Iterator[Finding]:
    """Yield a note for every pool that is nearly full, and for every retired one that still has holders."""
    for entry in used:
        pool = entry.pool
        if pool.retired and entry.held:
            what, expected = f"pool {pool.name} ({pool.prefix}) is retired and still held", "no holder"
            step = "Renumber them: `waiwang renumber plan`."
            yield Finding(pool.where or PLAN_FILE, what, expected, f"prefixes in force: {entry.held}", step, note=True)
        elif entry.nearly_full:
            what = f"pool {pool.name} ({pool.prefix}, {pool.role}) is nearly full"
            found = f"{entry.free} left; {entry.held} held, {entry.quarantined} in quarantine, {entry.reserved} reserved"
            step = f"Ask for more room in time; widen it or add a second {pool.role} pool in {PLAN_FILE}."
            yield Finding(pool.where or PLAN_FILE, what, "a tenth of its room free", found, step, note=True)
