"""Hand out prefixes: what the inventory demands against what the ledger holds. Pure; the day is an argument.

What stands is never moved: new holders take the first free prefix of a pool, gone holders leave theirs in quarantine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from ipaddress import IPv4Network
from operator import attrgetter

from app.core.inventory import Inventory, Service
from app.core.ipplan import Allocation, Demand, Plan, Pool, pools_for
from app.core.plan_faults import find_conflicts, find_pool_faults, find_shortages, find_strays
from app.core.spans import PoolUsage, capacity, free_count, free_starts, in_order, ledger_order, taken_by_pool
from app.errors import Finding


@dataclass(frozen=True, slots=True)
class PlanChange:
    """What planning would do to a ledger, each group ordered as `ledger_order` says.

    `kept` stand, `added` are new, `returned` came back during quarantine, `released` enter quarantine, `dropped` left it.
    `conflicts` (ledger against plan) and `shortages` (pools that run out) refuse the change: `ledger` then is as it was,
    though the groups still say what was tried.
    """

    kept: tuple[Allocation, ...]
    added: tuple[Allocation, ...]
    returned: tuple[Allocation, ...]
    released: tuple[Allocation, ...]
    dropped: tuple[Allocation, ...]
    conflicts: tuple[Finding, ...]
    shortages: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    ledger: tuple[Allocation, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.conflicts + self.shortages + self.notes

    @property
    def refused(self) -> bool:
        return bool(self.conflicts or self.shortages)

    @property
    def changes(self) -> bool:
        return bool(self.added or self.returned or self.released or self.dropped)


def demands(inventory: Inventory) -> tuple[Demand, ...]:
    """Return every prefix that the inventory needs, sorted by holder."""
    units, devices = inventory.units, inventory.devices
    routers = (device for device in devices.values() if device.role != "unit_switch")
    with_lan = {line.unit_id for line in inventory.lines.values() if line.role == "primary" and devices[line.z_device].lan_interface}
    switched = {device.unit_id for device in devices.values() if device.role == "unit_switch" and device.unit_id is not None}
    wanted = [
        *(Demand(f"device:{device.name}", "loopback", device.region) for device in routers),
        *(Demand(f"line:{line.line_id}", "interconnect", units[line.unit_id].region) for line in inventory.lines.values()),
        *(Demand(f"unit:{unit_id}", "unit_lan", units[unit_id].region) for unit_id in with_lan if units[unit_id].in_scope),
        *(Demand(f"management:{unit_id}", "management", units[unit_id].region) for unit_id in switched),
        *(
            Demand(f"vpn:{one.line_id}/{one.vpn}", "interconnect", units[inventory.lines[one.line_id].unit_id].region, one.vpn)
            for one in inventory.vpn_lines
            if one.line_id in inventory.lines
        ),
        *(service_demand(service, devices[service.device].region) for service in inventory.services.values()),
    ]
    return tuple(sorted(wanted, key=attrgetter("holder")))


def service_demand(service: Service, region: str) -> Demand:
    return Demand(f"service:{service.service_id}", "service", region, service.vpn)


def plan_allocations(plan: Plan, ledger: Iterable[Allocation], demands: Iterable[Demand], today: date) -> PlanChange:
    """Fit the demands to the ledger: keep what stands, add first-fit in order of holders, release what nobody needs.

    A holder that comes back during quarantine gets its prefix back, unless the pool has been retired. All faults are
    reported at once and change nothing.
    """
    before = in_order(ledger)
    wanted = {demand.holder: demand for demand in sorted(demands, key=attrgetter("holder"))}
    standing, dropped = split_by_quarantine(before, plan.quarantine_days, today)
    live = [row for row in standing if row.released_on is None]
    quarantined = [row for row in standing if row.released_on is not None]
    held = {row.holder for row in live}
    retired = {pool.name for pool in plan.pools if pool.retired}
    back = newest_by_holder(row for row in quarantined if row.holder in wanted and row.holder not in held and row.pool not in retired)

    kept = [row for row in live if row.holder in wanted]
    released = [replace(row, released_on=today, replaces=None, phase=None) for row in live if row.holder not in wanted]
    returned = [replace(row, released_on=None) for row in back.values()]
    new = [demand for holder, demand in wanted.items() if holder not in held and holder not in back]
    added, unserved = hand_out(plan, standing, new, today)
    shortages = find_shortages(plan, standing, usage(plan, standing, today), added, unserved, today) if unserved else []
    conflicts = (*find_pool_faults(plan), *find_conflicts(plan, standing, wanted))

    resting = [row for row in quarantined if back.get(row.holder) is not row]
    if plan.quarantine_days > 0:
        resting += released
    after = in_order([*kept, *returned, *resting, *added]) if kept or returned or resting else tuple(added)
    return PlanChange(
        kept=tuple(kept),
        added=tuple(added),
        returned=in_order(returned),
        released=tuple(released),
        dropped=tuple(dropped),
        conflicts=tuple(conflicts),
        shortages=tuple(shortages),
        notes=tuple(find_strays(plan, [*kept, *returned], wanted)),
        ledger=before if conflicts or shortages else after,
    )


def usage(plan: Plan, ledger: Iterable[Allocation], today: date) -> tuple[PoolUsage, ...]:
    """Return how full each pool is on this day, in the order of the plan."""
    rows = tuple(ledger)
    held = Counter(row.pool for row in rows if row.released_on is None)
    resting = Counter(row.pool for row in rows if row.released_on is not None)
    taken, kept = taken_by_pool(plan, rows, reservations=False), taken_by_pool(plan, rows)
    found = []
    for pool in plan.pools:
        block = pool.block_length(today)
        room = free_count(pool.prefix, block, kept[pool.name])
        unheld = free_count(pool.prefix, pool.length, taken[pool.name])
        reserved = unheld - (room << (pool.length - block))
        found.append(PoolUsage(pool, capacity(pool), held[pool.name], resting[pool.name], 0 if pool.retired else room, reserved))
    return tuple(found)


def split_by_quarantine(ledger: Iterable[Allocation], quarantine_days: int, today: date) -> tuple[list[Allocation], list[Allocation]]:
    """Return the rows that still reserve their prefix, and those whose quarantine ends today or before."""
    rest = timedelta(days=quarantine_days)
    standing: list[Allocation] = []
    over: list[Allocation] = []
    for row in ledger:
        (standing if row.released_on is None or today < row.released_on + rest else over).append(row)
    return standing, over


def newest_by_holder(quarantined: Iterable[Allocation]) -> dict[str, Allocation]:
    """Return for each holder the row that it gave up last."""
    return {row.holder: row for row in sorted(quarantined, key=lambda row: (row.released_on or date.min, ledger_order(row)))}


def hand_out(plan: Plan, standing: Sequence[Allocation], new: Iterable[Demand], today: date) -> tuple[list[Allocation], list[Demand]]:
    """Give each demand, in the order given, the first free prefix of its pools; return also those that got none.

    What was given comes in the order of the ledger: each pool's prefixes ascend, and pools of one VRF lie apart.
    """
    taken = taken_by_pool(plan, standing)
    free = {pool.name: free_starts(pool.prefix, pool.block_length(today), taken[pool.name]) for pool in plan.pools}
    chains: dict[tuple[str, str, str | None], tuple[Pool, ...]] = {}
    given: dict[str, list[Allocation]] = {pool.name: [] for pool in plan.pools}
    unserved: list[Demand] = []
    for demand in new:
        chain = chains.get((demand.role, demand.region, demand.vrf))
        if chain is None:
            chain = chains[demand.role, demand.region, demand.vrf] = pools_for(plan, demand.role, demand.region, demand.vrf)
        for pool in chain:
            start = next(free[pool.name], None)
            if start is not None:
                prefix = IPv4Network((start, pool.length))
                given[pool.name].append(Allocation(prefix, pool.name, pool.vrf, pool.role, demand.holder, today))
                break
        else:
            unserved.append(demand)
    pools = sorted({pool.name: pool for pool in plan.pools}.values(), key=lambda pool: (pool.vrf, pool.prefix))
    return [row for pool in pools for row in given[pool.name]], unserved
