"""What is wrong between plan, ledger and demand, as findings: pools that run out, rows that contradict the plan. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from app.core.ipplan import PHASES, PLAN_FILE, Allocation, Demand, Plan, Pool, pools_for
from app.core.spans import PoolUsage, span
from app.errors import Finding, named

LEDGER_FILE = "ipplan/allocations.csv"
#: The longest prefix that still has the addresses which `AddressBook` reads from it.
LONGEST_PREFIX = {"loopback": 32, "interconnect": 31, "unit_lan": 30, "management": 30, "service": 30}


def find_shortages(
    plan: Plan,
    standing: Sequence[Allocation],
    used: Iterable[PoolUsage],
    added: Sequence[Allocation],
    unserved: Sequence[Demand],
    today: date,
) -> list[Finding]:
    """Return a finding for each pool that was the last one to ask, and one for each role that no pool serves.

    `used` is how full the pools were before `added` were handed out.
    """
    by_pool: dict[str, list[Demand]] = defaultdict(list)
    by_role: dict[tuple[str, str | None], list[Demand]] = defaultdict(list)
    for demand in unserved:
        chain = pools_for(plan, demand.role, demand.region, demand.vrf)
        if chain:
            by_pool[chain[-1].name].append(demand)
        else:
            by_role[demand.role, demand.vrf if demand.vrf in plan.vrfs else None].append(demand)
    given = Counter(row.pool for row in added)
    ends_on = quarantine_ends(plan, standing)
    before = {entry.pool.name: entry for entry in used}
    return [
        *(exhausted(plan, before[name], given[name], asking, ends_on.get(name), today) for name, asking in by_pool.items()),
        *(unpooled(plan, role, vrf, asking) for (role, vrf), asking in by_role.items()),
    ]


def quarantine_ends(plan: Plan, standing: Iterable[Allocation]) -> dict[str, date]:
    """Return for each pool the first day on which a prefix leaves quarantine."""
    ends: dict[str, date] = {}
    for row in standing:
        if row.released_on is not None:
            end = row.released_on + timedelta(days=plan.quarantine_days)
            ends[row.pool] = min(end, ends.get(row.pool, end))
    return ends


def exhausted(plan: Plan, used: PoolUsage, given: int, asking: Sequence[Demand], free_on: date | None, today: date) -> Finding:
    """Say which pool runs out, what it holds, how much is asked and what to change; in blocks where growth is reserved."""
    pool, missing = used.pool, len(asking)
    block = pool.block_length(today)
    room = used.capacity >> (pool.length - block)
    taken, asked = room - used.free, given + missing
    resting = f", {used.quarantined} of them in quarantine, the first until {free_on}" if used.quarantined else ""
    sooner = f" Or let the growth reserve end sooner (reserve_until: {pool.reserve_until})." if block < pool.length else ""
    return Finding(
        where=pool.where or PLAN_FILE,
        what=f"pool {pool.name} ({pool.prefix}, {pool.role}) runs out",
        expected=f"room for {taken + asked} /{block} ({taken} taken{resting}; {asked} new asked for)",
        found=f"{room} /{block}; nothing is left for {named(demand.holder for demand in asking)}",
        next_step=widening(plan, pool, block, taken + asked, missing) + sooner,
    )


def widening(plan: Plan, pool: Pool, block: int, needed: int, missing: int) -> str:
    """Propose the smallest wider prefix that touches no other pool, else a second pool. `block`: the length each holder takes."""
    second = f"add a second {pool.role} pool of at least a /{block - (missing - 1).bit_length()}"
    length = block - (needed - 1).bit_length()
    if length < 0:
        return f"In {PLAN_FILE}, {second}."
    wider = pool.prefix.supernet(new_prefix=length)
    touched = [other.name for other in plan.pools if other.name != pool.name and other.vrf == pool.vrf and other.prefix.overlaps(wider)]
    if touched:
        return f"In {PLAN_FILE}, {second}; widening this one to {wider} would touch {named(touched)}."
    if pool.address_class == "national_public" and not wider.subnet_of(plan.national_block):
        return f"In {PLAN_FILE}, {second}; widening this one to {wider} would leave {plan.national_block}."
    return f"In {PLAN_FILE}, widen its prefix to {wider}, or {second}."


def unpooled(plan: Plan, role: str, vrf: str | None, asking: Sequence[Demand]) -> Finding:
    """Say that no pool serves a role in some regions."""
    others = [pool.name for pool in plan.pools if pool.role == role and not pool.retired and (vrf is None or pool.vrf == vrf)]
    regions = ", ".join(sorted({demand.region for demand in asking}))
    within = f" in VRF {vrf}" if vrf else ""
    return Finding(
        where=PLAN_FILE,
        what=f"no pool of role {role}{within} serves region {regions}",
        expected=f"room for {len(asking)} new {role} prefixes: {named(demand.holder for demand in asking)}",
        found=f"{', '.join(others)} for other regions only" if others else "none of this role",
        next_step=f"Add a pool of role {role}{within} in {PLAN_FILE}, with these regions or without any.",
    )


def find_pool_faults(plan: Plan) -> list[Finding]:
    """Return what is wrong with the pools themselves: lengths that cannot be cut, shared names, spans that overlap in one VRF."""
    faults = [fault for pool in plan.pools if (fault := find_length_fault(pool)) is not None]
    names = Counter(pool.name for pool in plan.pools)
    faults += [named_twice(pool) for pool in plan.pools if names[pool.name] > 1]
    widest: Pool | None = None
    for pool in sorted(plan.pools, key=lambda pool: (pool.vrf, pool.prefix)):
        if widest is not None and widest.vrf == pool.vrf and pool.prefix.subnet_of(widest.prefix):
            faults.append(overlapping_pools(widest, pool))
        else:
            widest = pool
    return faults


def find_length_fault(pool: Pool) -> Finding | None:
    """Tell whether prefixes of the pool's length can be cut from it and used in its role."""
    longest = LONGEST_PREFIX.get(pool.role, 32)
    if pool.prefix.prefixlen <= pool.length <= longest:
        return None
    return Finding(
        where=pool.where or PLAN_FILE,
        what=f"pool {pool.name} ({pool.prefix}, {pool.role}) cannot be cut into prefixes of its length",
        expected=f"a length from {pool.prefix.prefixlen} to {longest}",
        found=str(pool.length),
        next_step=f"Correct length or prefix in {PLAN_FILE}.",
    )


def named_twice(pool: Pool) -> Finding:
    return Finding(
        where=pool.where or PLAN_FILE,
        what=f"pool {pool.name} ({pool.prefix}) shares its name",
        expected="a name of its own for each pool",
        found=f"another pool {pool.name}",
        next_step=f"Rename one of them in {PLAN_FILE}; ledger rows name their pool.",
    )


def overlapping_pools(first: Pool, second: Pool) -> Finding:
    return Finding(
        where=second.where or PLAN_FILE,
        what=f"pools {first.name} and {second.name} overlap in VRF {second.vrf}",
        expected="pools of one VRF apart from each other",
        found=f"{second.prefix} and {first.prefix} ({first.where or first.name})",
        next_step=f"Move or narrow one of them in {PLAN_FILE}.",
    )


def find_conflicts(plan: Plan, standing: Iterable[Allocation], wanted: Mapping[str, Demand]) -> list[Finding]:
    """Return what in the ledger contradicts the plan or itself: pools, roles, overlaps within a VRF, two rows in force for a holder.

    `standing` comes ordered by `ledger_order`: of two prefixes that overlap one holds the other, and stands before it.
    """
    standing = tuple(standing)
    replacing: list[Allocation] = []
    pools = {pool.name: (pool, *span(pool.prefix)) for pool in plan.pools}
    findings: list[Finding] = []
    in_force: dict[str, Allocation] = {}
    widest: Allocation | None = None
    widest_end = 0
    for row in standing:
        start, end = span(row.prefix)
        findings += misplaced(row, start, end, pools.get(row.pool), wanted.get(row.holder))
        if widest is not None and widest.vrf == row.vrf and start < widest_end:
            findings.append(overlapping_rows(widest, row))
        else:
            widest, widest_end = row, end
        if row.released_on is None and in_force.setdefault(row.holder, row) is not row and not are_pair(in_force[row.holder], row):
            findings.append(held_twice(in_force[row.holder], row))
        if (row.replaces is None) != (row.phase is None) or row.phase not in (None, *PHASES) or (row.phase and row.released_on):
            findings.append(unclear_phase(row))
        elif row.replaces is not None and row.phase != "finished":
            replacing.append(row)
    findings += find_reserved_rows(plan, standing)
    live = {(row.prefix, row.holder) for row in standing if row.released_on is None} if replacing else set()
    return [*findings, *(lost_predecessor(row) for row in replacing if (row.replaces, row.holder) not in live)]


def misplaced(row: Allocation, start: int, end: int, home: tuple[Pool, int, int] | None, demand: Demand | None) -> list[Finding]:
    """Judge one row against its pool and its holder's demand. `home` is the pool with its span."""
    if home is None:
        remedy = f"Put the pool back into {PLAN_FILE} (with `retired: true` where its holders are to be renumbered)"
        return [ledger_fault(row, "its pool does not exist", f"a pool of {PLAN_FILE}", row.pool, remedy)]
    pool, low, high = home
    longest = LONGEST_PREFIX.get(row.role, 32)
    needed = row.role if demand is None else demand.role
    faults = []
    if not (low <= start and end <= high):
        faults.append(("it lies outside its pool", f"a part of {pool.prefix} ({pool.name})", str(row.prefix), "Widen the pool"))
    if row.vrf != pool.vrf:
        faults.append((f"its VRF differs from that of pool {pool.name}", pool.vrf, row.vrf, "Correct the row"))
    if row.role != pool.role:
        faults.append((f"its role differs from that of pool {pool.name}", pool.role, row.role, "Correct the row"))
    if row.role != needed:
        faults.append(("its role differs from what the holder needs", needed, row.role, "Correct the row"))
    if row.prefix.prefixlen > longest:
        faults.append((f"it is too small for {row.role}", f"/{longest} or shorter", f"/{row.prefix.prefixlen}", "Correct the row"))
    return [ledger_fault(row, *fault) for fault in faults]


def ledger_fault(row: Allocation, what: str, expected: str, found: str, remedy: str) -> Finding:
    return Finding(
        where=row.where or LEDGER_FILE,
        what=f"{row.prefix} of {row.holder}: {what}",
        expected=expected,
        found=found,
        next_step=f"{remedy}, or delete the row so that `waiwang plan --commit` numbers {row.holder} anew.",
    )


def overlapping_rows(first: Allocation, second: Allocation) -> Finding:
    return Finding(
        where=second.where or LEDGER_FILE,
        what=f"{second.prefix} of {second.holder} overlaps another prefix of VRF {second.vrf}",
        expected="prefixes of one VRF apart from each other",
        found=f"{first.prefix} of {first.holder} ({first.where or first.pool})",
        next_step=f"Delete the row that is not in use, so that `waiwang plan --commit` numbers its holder anew ({LEDGER_FILE}).",
    )


def find_reserved_rows(plan: Plan, rows: Iterable[Allocation]) -> list[Finding]:
    """Return the rows that stand in a range reserved by hand."""
    ranges = [(kept, *span(kept.prefix)) for kept in plan.reservations]
    if not ranges:
        return []
    return [
        Finding(
            where=row.where or LEDGER_FILE,
            what=f"{row.prefix} of {row.holder} lies in a range that is reserved by hand",
            expected=f"no holder in {kept.prefix} ({kept.reason})",
            found=f"{row.holder} since {row.since}",
            next_step=f"Narrow the reservation ({kept.where or PLAN_FILE}), or delete the row so that the holder is numbered anew.",
        )
        for row in rows
        for kept, low, high in ranges
        if kept.vrf == row.vrf and span(row.prefix)[0] < high and low < span(row.prefix)[1]
    ]


def are_pair(one: Allocation, other: Allocation) -> bool:
    """Tell whether one row replaces the other, as they do while their holder is renumbered."""
    old, new = (one, other) if one.replaces is None else (other, one)
    return new.replaces == old.prefix and old.replaces is None and new.phase != "finished"


def unclear_phase(row: Allocation) -> Finding:
    released = f", released {row.released_on}" if row.released_on else ""
    return Finding(
        where=row.where or LEDGER_FILE,
        what=f"{row.prefix} of {row.holder}: its renumbering is unclear",
        expected=f"replaces and phase ({', '.join(PHASES)}) together, in a row that was not released",
        found=f"replaces {row.replaces or 'nothing'}, phase {row.phase or 'none'}{released}",
        next_step="Correct the row; `waiwang renumber` writes both columns.",
    )


def lost_predecessor(row: Allocation) -> Finding:
    return Finding(
        where=row.where or LEDGER_FILE,
        what=f"{row.prefix} of {row.holder}: what it replaces is gone before the renumbering is finished",
        expected=f"{row.replaces} of {row.holder} in force, until its phase is finished",
        found="no such row",
        next_step="Put the old row back, or say phase finished where the old prefix is proven gone.",
    )


def held_twice(first: Allocation, second: Allocation) -> Finding:
    return Finding(
        where=second.where or LEDGER_FILE,
        what=f"{second.holder} holds two prefixes",
        expected="one row in force for each holder",
        found=f"{first.prefix} ({first.where or first.pool}) and {second.prefix}",
        next_step="Give the one that is not in use a date in released_on, or delete its row.",
    )


def find_strays(plan: Plan, rows: Iterable[Allocation], wanted: Mapping[str, Demand]) -> list[Finding]:
    """Return a note for each holder whose prefix lies in a pool of other regions (it moved): it stands, nobody renumbers it in silence."""
    pools = {pool.name: pool for pool in plan.pools}
    return [
        Finding(
            where=row.where or LEDGER_FILE,
            what=f"{row.prefix} of {row.holder} stands in pool {pool.name} of other regions",
            expected=f"a pool for region {wanted[row.holder].region}",
            found=f"{pool.name} for {', '.join(pool.regions)}",
            next_step="It is kept; to renumber it, delete its row and run `waiwang plan --commit`.",
            note=True,
        )
        for row in rows
        if (pool := pools.get(row.pool)) is not None and pool.regions and wanted[row.holder].region not in pool.regions
    ]
