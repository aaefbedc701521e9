"""Renumber: from old prefixes to new ones in phases, with both on the devices in between. Pure; the day is an argument.

The programme stands in the ledger: the new row of a holder names the prefix that it replaces and its phase (`PHASES`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from app.core.allocation import demands, hand_out, usage
from app.core.intent import DeviceIntent
from app.core.inventory import Inventory
from app.core.ipplan import PHASES, PLAN_FILE, Allocation
from app.core.plan_faults import LEDGER_FILE, find_shortages
from app.core.spans import in_order
from app.core.workspace import Workspace
from app.errors import Finding

#: A holder whose prefix stands in a retired pool and that has no new one yet.
UNPLANNED = "unplanned"


@dataclass(frozen=True, slots=True)
class Move:
    """One holder on its way from `old` to `new`; `unit` is the unit that it is counted for, or the device or service itself."""

    unit: str
    holder: str
    role: str
    old: IPv4Network
    new: IPv4Network
    phase: str


@dataclass(frozen=True, slots=True)
class UnitProgress:
    """How far one unit is. `phase` is that of its slowest move; `moves` counts them by phase."""

    unit: str
    region: str
    phase: str
    moves: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RenumberPlan:
    """New prefixes for holders in retired pools. `findings` refuse it, `notes` do not; `ledger` holds what stood and what is new."""

    added: tuple[Allocation, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    ledger: tuple[Allocation, ...]


def plan_renumbering(workspace: Workspace, today: date) -> RenumberPlan:
    """Give every holder in a retired pool a new prefix beside the old one, phase planned; what stands is not moved."""
    plan, ledger = workspace.plan, in_order(workspace.ledger)
    wanted = {demand.holder: demand for demand in demands(workspace.inventory)}
    leaving = {row.holder: row for row in unplanned(workspace)}
    asking = [wanted[holder] for holder in sorted(leaving) if holder in wanted]
    given, unserved = hand_out(plan, ledger, asking, today)
    shortages = find_shortages(plan, ledger, usage(plan, ledger, today), given, unserved, today) if unserved else []
    added = tuple(replace(row, replaces=leaving[row.holder].prefix, phase="planned") for row in given)
    stand = [replace(row, replaces=None, phase=None) if leaving.get(row.holder) is row else row for row in ledger]
    notes = [*_find_smaller(added), *_find_unwanted(leaving, wanted)]
    return RenumberPlan(added, tuple(shortages), tuple(notes), ledger if shortages else in_order([*stand, *added]))


def unplanned(workspace: Workspace) -> list[Allocation]:
    """Return the rows in force that stand in retired pools and that no other row replaces."""
    retired = {pool.name for pool in workspace.plan.pools if pool.retired}
    live = [row for row in workspace.ledger if row.released_on is None]
    replaced = {(row.holder, row.replaces) for row in live if row.replaces is not None}
    return [row for row in live if row.pool in retired and (row.holder, row.prefix) not in replaced]


def find_moves(workspace: Workspace, units: Collection[str] = ()) -> tuple[Move, ...]:
    """Return every move in the ledger by unit and holder; `units` narrows to these."""
    found = [
        Move(owner(workspace.inventory, row.holder), row.holder, row.role, row.replaces, row.prefix, row.phase)
        for row in workspace.ledger
        if row.replaces is not None and row.phase is not None and row.released_on is None
    ]
    return tuple(sorted((move for move in found if not units or move.unit in units), key=lambda move: (move.unit, move.holder)))


def advance(ledger: Iterable[Allocation], holders: Collection[str], phase: str) -> tuple[Allocation, ...]:
    """Return the ledger with the moves of these holders in `phase`, where they were in the one before it."""
    before = PHASES[PHASES.index(phase) - 1]
    return tuple(replace(row, phase=phase) if row.holder in holders and row.phase == before else row for row in ledger)


def finish(ledger: Iterable[Allocation], holders: Collection[str], today: date) -> tuple[Allocation, ...]:
    """Return the ledger with these holders' moves finished: the old rows enter quarantine today."""
    rows = tuple(ledger)
    done = {(row.holder, row.replaces) for row in rows if row.holder in holders and row.phase == "clearing"}
    return tuple(
        replace(row, released_on=today) if (row.holder, row.prefix) in done and row.released_on is None else row
        for row in advance(rows, holders, "finished")
    )


def owner(inventory: Inventory, holder: str) -> str:
    """Return the unit that a holder is counted for; a device without one and a service stand for themselves."""
    kind, _, name = holder.partition(":")
    if kind == "device" and name in inventory.devices:
        return inventory.devices[name].unit_id or name
    if kind == "line" and name in inventory.lines:
        return inventory.lines[name].unit_id
    return name


def burn_down(workspace: Workspace) -> tuple[UnitProgress, ...]:
    """Return how far each unit is, by its slowest move, ordered by unit."""
    phases: dict[str, Counter[str]] = {}
    for move in find_moves(workspace):
        phases.setdefault(move.unit, Counter())[move.phase] += 1
    for row in unplanned(workspace):
        phases.setdefault(owner(workspace.inventory, row.holder), Counter())[UNPLANNED] += 1
    order = (UNPLANNED, *PHASES)
    found = []
    for unit, counted in sorted(phases.items()):
        by_phase = {name: counted[name] for name in order if counted[name]}
        found.append(UnitProgress(unit, _region(workspace.inventory, unit), next(iter(by_phase)), by_phase))
    return tuple(found)


def ends(intents: Mapping[str, DeviceIntent], prefix: IPv4Network) -> Iterator[tuple[str, str, IPv4Interface]]:
    """Yield (device, interface, address) wherever devices are to hold an address of this prefix."""
    for name, intent in intents.items():
        for port in intent.interfaces:
            for address in port.addresses:
                if address.network == prefix:
                    yield name, port.name, address


def contacts_by(intent: DeviceIntent, prefixes: Collection[IPv4Network]) -> tuple[IPv4Address, ...]:
    """Return the contact addresses of a device, those that lie in these prefixes first."""
    return tuple(sorted(intent.contacts, key=lambda contact: not any(contact in prefix for prefix in prefixes)))


def _region(inventory: Inventory, unit: str) -> str:
    if unit in inventory.units:
        return inventory.units[unit].region
    device = inventory.devices.get(unit) or inventory.devices.get(inventory.services[unit].device if unit in inventory.services else "")
    return device.region if device else ""


def _find_smaller(added: Iterable[Allocation]) -> Iterator[Finding]:
    for row in added:
        if row.replaces is not None and row.prefix.prefixlen > row.replaces.prefixlen:
            what = f"{row.holder}: the new prefix is smaller than the old one"
            step = f"Look whether its hosts have room; write a shorter prefix of the pool into {LEDGER_FILE} where they have not."
            yield Finding(LEDGER_FILE, what, f"/{row.replaces.prefixlen} as {row.replaces}", str(row.prefix), step, note=True)


def _find_unwanted(leaving: Mapping[str, Allocation], wanted: Collection[str]) -> Iterator[Finding]:
    for holder, row in leaving.items():
        if holder not in wanted:
            what = f"{row.prefix} of {holder} stands in a retired pool and nobody needs it"
            step = "Run `waiwang plan --commit`: it is released."
            yield Finding(row.where or LEDGER_FILE, what, "a holder of the inventory", "none", step, note=True)


def no_programme(moves: Iterable[Move] = ()) -> Finding:
    """Return the finding for a step without anything to move; `moves` are those of the programme, in other phases."""
    counted = Counter(move.phase for move in moves)
    others = ", ".join(f"{counted[phase]} {phase}" for phase in PHASES if counted[phase])
    return Finding(
        LEDGER_FILE,
        "nothing is to be renumbered",
        f"holders in a pool marked `retired: true` in {PLAN_FILE}, planned by `waiwang renumber plan --commit`",
        f"none in the phase that this step begins with{f' ({others})' if others else ''}",
        "The steps are start, cutover, finish, in this order; look at `waiwang renumber status`.",
    )
