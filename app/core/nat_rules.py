"""Judge what units translate (inventory/nat.csv): private inside, the unit's own prefix outside, each port once. Pure.

Design default, as no text of the extranet fixes it: a unit either uses its assigned prefix directly, or hides private addresses
behind a part of it. What joins devices (loopbacks, interconnects) is never translated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from app.core.inventory import NatRecord
from app.core.ipplan import address_book
from app.core.plan_faults import LEDGER_FILE
from app.core.pool_rules import PRIVATE
from app.core.references import References
from app.core.workspace import Workspace
from app.errors import Finding


def find_nat_faults(workspace: Workspace, references: References) -> Iterator[Finding]:
    """Yield what is wrong with records by themselves, against each other, and against the ledger."""
    held = address_book(workspace.ledger).prefixes
    hidden: dict[str, list[NatRecord]] = {}
    published: dict[tuple[IPv4Network, str | None, int | None], NatRecord] = {}
    for record in workspace.inventory.nat:
        units = workspace.inventory.units
        yield from references.judge(record.where, _called(record), "unit_id", record.unit_id, "units", units, "inventory/units.csv")
        yield from _find_ports(record)
        yield from _find_outside(record, held)
        if record.kind == "napt":
            yield from _find_inside(record, hidden.setdefault(record.unit_id, []))
            hidden[record.unit_id].append(record)
        else:
            twin = published.setdefault((record.outside, record.protocol, record.outside_port), record)
            if twin is not record:
                found = f"{_called(twin)} ({twin.where})"
                step = "Choose another port or address outside."
                yield Finding(record.where, f"{_called(record)}: its port outside is taken", "a port of its own", found, step)
    for record in workspace.inventory.nat:
        if record.kind == "server" and not any(record.inside.subnet_of(one.inside) for one in hidden.get(record.unit_id, [])):
            insides = ", ".join(str(one.inside) for one in hidden.get(record.unit_id, [])) or "no napt row of this unit"
            step = "Add the unit's napt row, or correct the address."
            yield Finding(record.where, f"{_called(record)} stands in no hidden prefix of its unit", "a host of a napt row", insides, step)


def _called(record: NatRecord) -> str:
    return f"{record.kind} {record.inside.network_address if record.kind == 'server' else record.inside} of {record.unit_id}"


def _find_ports(record: NatRecord) -> Iterator[Finding]:
    given = [name for name in ("protocol", "inside_port", "outside_port") if getattr(record, name) is not None]
    if record.kind == "server" and len(given) < 3:
        expected, found = "protocol, inside_port, outside_port", ", ".join(given) or "none of them"
        yield Finding(record.where, f"{_called(record)}: its port is half said", expected, found, "Fill them in.")
    if record.kind == "napt" and given:
        step = "Leave them empty, or make it a server row."
        yield Finding(record.where, f"{_called(record)} names a port", "no protocol and no ports", ", ".join(given), step)
    for column, prefix in (("inside", record.inside), ("outside", record.outside)):
        if record.kind == "server" and prefix.prefixlen != 32:
            what, expected = f"{_called(record)}: `{column}` is no single address", "one address, /32 or without a length"
            yield Finding(record.where, what, expected, str(prefix), "Give one row for each server.")


def _find_inside(record: NatRecord, others: list[NatRecord]) -> Iterator[Finding]:
    if not any(record.inside.subnet_of(block) for block in PRIVATE):
        expected = f"a part of {', '.join(map(str, PRIVATE[:3]))}"
        step = "Hide private addresses only; an assigned prefix is used directly."
        yield Finding(record.where, f"{_called(record)}: `inside` is not private", expected, str(record.inside), step)
    for other in others:
        if record.inside.overlaps(other.inside):
            found = f"{other.inside} ({other.where})"
            yield Finding(record.where, f"{_called(record)} overlaps another", "prefixes of one unit apart", found, "Join the rows.")


def _find_outside(record: NatRecord, held: Mapping[str, IPv4Network]) -> Iterator[Finding]:
    """Judge the outside against the unit's prefix; a unit that holds none yet is not judged."""
    own = held.get(f"unit:{record.unit_id}")
    if own is None:
        return
    if not record.outside.subnet_of(own):
        step = f"Use addresses of the prefix that {LEDGER_FILE} gives the unit."
        yield Finding(record.where, f"{_called(record)}: `outside` is not the unit's", f"a part of {own}", str(record.outside), step)
    elif own.prefixlen < 31 and own[1] in record.outside:
        step = "Choose other addresses: this one is the router's."
        what = f"{_called(record)}: `outside` takes the router's own address"
        yield Finding(record.where, what, f"addresses of {own} without {own[1]}", str(record.outside), step)
