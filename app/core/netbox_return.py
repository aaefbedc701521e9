"""What NetBox says of circuits and prefixes, against lines and ledger: differences to take over, conflicts, and notes. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from ipaddress import IPv4Network

from app.core.allocation import demands
from app.core.inventory import Line
from app.core.ipplan import Allocation, Demand
from app.core.netbox import cid, live
from app.core.references import nearest
from app.core.spans import TakenSpans, span, taken_by_vrf
from app.core.workspace import Workspace
from app.errors import Finding, named

#: Columns of ours → the heads of NetBox's own CSV export.
CIRCUIT_HEADS: Mapping[str, tuple[str, ...]] = {
    "cid": ("Circuit ID",),
    "provider": ("Provider",),
    "type": ("Type",),
    "status": ("Status",),
    "commit_rate": ("Commit Rate", "Commit Rate (Kbps)", "Commit rate (Kbps)"),
    "description": ("Description",),
}
PREFIX_HEADS: Mapping[str, tuple[str, ...]] = {
    "prefix": ("Prefix",),
    "vrf": ("VRF",),
    "status": ("Status",),
    "role": ("Role",),
    "description": ("Description",),
}
TERMINATION_HEADS: Mapping[str, tuple[str, ...]] = {
    "circuit": ("Circuit",),
    "term_side": ("Side", "Termination Side"),
    "port_speed": ("Port Speed", "Port speed (Kbps)"),
    "upstream_speed": ("Upstream Speed", "Upstream speed (Kbps)"),
    "description": ("Description",),
}
_HOLDER = re.compile(r"(?:device|line|unit|management|service|vpn):\S+")
#: NetBox marks depth with dots, and a VRF with its route distinguisher in brackets.
_DEPTH = re.compile(r"^[•·\s]+")
_DISTINGUISHER = re.compile(r"\s*\([^()]*\)$")

Rows = Sequence[tuple[str, Mapping[str, str]]]


@dataclass(slots=True)
class Difference:
    """What would change. `lines`: cells by line id, with the row that says so; `ledger`: the whole ledger as it would be."""

    lines: dict[str, tuple[Mapping[str, str], str]] = field(default_factory=dict)
    ledger: tuple[Allocation, ...] = ()
    added: list[Allocation] = field(default_factory=list)
    released: list[Allocation] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    foreign: int = 0


def compare_circuits(workspace: Workspace, rows: Rows, difference: Difference) -> None:
    """Lay NetBox's circuits over the lines. Circuits of providers that the order does not know are counted as foreign."""
    judge = _Circuits(workspace)
    seen: dict[str, str] = {}
    for where, cells in rows:
        line = judge.line_of(cells)
        if line is None:
            if cells.get("provider", "") in judge.carriers:
                difference.findings.append(judge.unknown(where, cells))
            else:
                difference.foreign += 1
        elif line.line_id in seen:
            found, step = f"another at {seen[line.line_id]}", "Remove one of them in NetBox."
            difference.findings.append(Finding(where, f"line {line.line_id} has two circuits", "one circuit per line", found, step))
        else:
            seen[line.line_id] = where
            difference.findings += judge.faults(where, line, cells)
            if changed := judge.changes(line, cells):
                difference.lines[line.line_id] = changed, where
    missing = [line_id for line_id in workspace.inventory.lines if line_id not in seen]
    difference.notes += _missing("circuits.csv", "lines", missing)


def compare_terminations(workspace: Workspace, rows: Rows, difference: Difference) -> None:
    """Hold speeds against the order's classes; a speed is the order's to say, so a difference is a finding."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in workspace.inventory.lines.values():
        lines[cid(line)].append(line)
    for where, cells in rows:
        # Two carriers may use one circuit id; then only the port in the description tells which line is meant.
        meant = lines.get(cells.get("circuit", ""), [])
        if len(meant) > 1:
            meant = [line for line in meant if cells.get("description", "") in _ports(line)]
        if len(meant) != 1:
            continue
        line = meant[0]
        kind = workspace.order.classes[line.service_class]
        up = cells.get("upstream_speed") or cells.get("port_speed", "")
        for column, found, wanted in (
            ("port_speed", cells.get("port_speed", ""), kind.nominal_down_kbps),
            ("upstream_speed", up, kind.nominal_up_kbps),
        ):
            if found and found != str(wanted):
                step = f"Correct NetBox, or change the line's class ({kind.class_id}); rates are the order's."
                what = f"line {line.line_id}, side {cells.get('term_side', '?')}: `{column}` differs"
                difference.findings.append(Finding(where, what, f"{wanted} kbit/s", f"{found} kbit/s", step))


def compare_prefixes(workspace: Workspace, rows: Rows, difference: Difference, today: date) -> None:
    """Lay NetBox's prefixes over the ledger. A holder that stands elsewhere there is renumbered: its old prefix is released."""
    judge = _Prefixes(workspace, today)
    seen: set[tuple[str, IPv4Network]] = set()
    ledger = {(row.vrf, row.prefix, row.holder): row for row in workspace.ledger}
    for where, cells in rows:
        judged = judge.row(where, cells)
        if judged is None:
            difference.foreign += cells.get("description", "") not in judge.pools
        elif isinstance(judged, Finding):
            difference.findings.append(judged)
        else:
            seen.add((judged.vrf, judged.prefix))
            if (judged.vrf, judged.prefix, judged.holder) in ledger:
                continue
            old = judge.live.get(judged.holder)
            if old is not None:
                resting = replace(old, released_on=today)
                ledger[old.vrf, old.prefix, old.holder] = resting
                difference.released.append(resting)
            ledger[judged.vrf, judged.prefix, judged.holder] = judged
            difference.added.append(judged)
            judge.live[judged.holder] = judged
    difference.ledger = tuple(ledger.values())
    missing = [row.holder for row in workspace.ledger if row.released_on is None and (row.vrf, row.prefix) not in seen]
    released = {row.holder for row in difference.released}
    difference.notes += _missing("prefixes.csv", "prefixes", [holder for holder in missing if holder not in released])


def _ports(line: Line) -> tuple[str, str]:
    return f"{line.a_device}:{line.a_interface}", f"{line.z_device}:{line.z_interface}"


def _missing(file: str, what: str, names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    step = "Nothing is removed here on that account; `waiwang netbox export` gives the rows that NetBox lacks."
    return [Finding(file, f"NetBox lacks {what} of ours", "all of them", named(names), step, note=True)]


@dataclass(slots=True)
class _Circuits:
    workspace: Workspace
    carriers: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    by_circuit: dict[tuple[str, str], Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        order = self.workspace.order
        self.carriers = {name: key for key, name in order.carriers.items()} | {key: key for key in order.carriers}
        self.classes = {kind.words: key for key, kind in order.classes.items()} | {key: key for key in order.classes}
        self.by_circuit = {(line.carrier, cid(line)): line for line in self.workspace.inventory.lines.values()}

    def line_of(self, cells: Mapping[str, str]) -> Line | None:
        """Return the line whose id the description names, else the one with this carrier's circuit id."""
        lines = self.workspace.inventory.lines
        named = next((word for word in cells.get("description", "").split() if word in lines), None)
        if named is not None:
            return lines[named]
        return self.by_circuit.get((self.carriers.get(cells.get("provider", ""), ""), cells.get("cid", "")))

    def unknown(self, where: str, cells: Mapping[str, str]) -> Finding:
        found = cells.get("description") or cells.get("cid") or "nothing"
        otherwise = "Put the line id into its description, or order the line first: `waiwang import lines`."
        step = nearest(found, self.workspace.inventory.lines, otherwise)
        return Finding(where, f"circuit {cells.get('cid', '')} belongs to no line", "the id of a line in `description`", found, step)

    def faults(self, where: str, line: Line, cells: Mapping[str, str]) -> Iterator[Finding]:
        owner, order = f"line {line.line_id}", self.workspace.order
        for column, known, section in (("provider", self.carriers, "carriers"), ("type", self.classes, "service_classes")):
            if (name := cells.get(column, "")) and name not in known:
                names = [*(order.carriers.values() if column == "provider" else (kind.words for kind in order.classes.values()))]
                step = nearest(name, names, f"Correct NetBox, or add it under `{section}` in inventory/order.yaml.")
                yield Finding(where, f"{owner}: `{column}` is unknown", f"one of {', '.join(names)}", f"`{name}`", step)
        kind = order.classes[self.classes.get(cells.get("type", ""), line.service_class)]
        rate = cells.get("commit_rate", "")
        if rate and rate != str(kind.nominal_down_kbps):
            expected = f"{kind.nominal_down_kbps} kbit/s ({kind.words})"
            step = "Correct NetBox, or the class of the line; rates are the order's."
            yield Finding(where, f"{owner}: `commit_rate` differs", expected, f"{rate} kbit/s", step)

    def changes(self, line: Line, cells: Mapping[str, str]) -> dict[str, str]:
        """Return the cells of lines.csv that would change. A cid that is our own line id says nothing of the carrier's."""
        told = {
            "carrier": self.carriers.get(cells.get("provider", ""), line.carrier),
            "service_class": self.classes.get(cells.get("type", ""), line.service_class),
            "circuit_id": cells.get("cid", ""),
        }
        if told["circuit_id"] in ("", line.line_id):
            told["circuit_id"] = line.circuit_id or ""
        present = {"carrier": line.carrier, "service_class": line.service_class, "circuit_id": line.circuit_id or ""}
        return {column: cell for column, cell in told.items() if cell != present[column]}


@dataclass(slots=True)
class _Prefixes:
    workspace: Workspace
    today: date
    demands: dict[str, Demand] = field(default_factory=dict)
    live: dict[str, Allocation] = field(default_factory=dict)
    held: dict[tuple[str, IPv4Network], Allocation] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    spans: Mapping[str, TakenSpans] = field(default_factory=dict)
    pools: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.pools = frozenset(f"pool:{pool.name}" for pool in self.workspace.plan.pools)
        self.demands = {demand.holder: demand for demand in demands(self.workspace.inventory)}
        self.live = live(self.workspace.ledger)
        self.spans = taken_by_vrf(self.workspace.ledger)
        for row in sorted(self.workspace.ledger, key=lambda row: row.released_on is None):
            self.held[row.vrf, row.prefix] = row

    def row(self, where: str, cells: Mapping[str, str]) -> Allocation | Finding | None:
        """Return the allocation that a row says, a finding on it, or None where it is no concern of ours."""
        text = _DEPTH.sub("", cells.get("prefix", ""))
        try:
            prefix = IPv4Network(text)
        except ValueError:
            if ":" in text:
                return None
            return Finding(where, "prefix cannot be read", "an IPv4 prefix without host bits", text or "nothing", "Correct NetBox.")
        vrf = self.vrf(cells.get("vrf", ""))
        if vrf is None or cells.get("status", "").lower() == "container":
            return None
        holder = next(iter(_HOLDER.findall(cells.get("description", ""))), "")
        held = self.held.get((vrf, prefix))
        if held is not None:
            if holder in ("", held.holder):
                return held
            step = "Correct the description in NetBox, or move the holder by `waiwang plan` first."
            return Finding(where, f"prefix {prefix} has another holder", f"{held.holder} ({held.where or 'ledger'})", holder, step)
        return self.newcomer(where, vrf, prefix, holder)

    def newcomer(self, where: str, vrf: str, prefix: IPv4Network, holder: str) -> Allocation | Finding | None:
        pools = [pool for pool in self.workspace.plan.pools if pool.vrf == vrf and prefix.subnet_of(pool.prefix)]
        if not pools:
            return None
        demand = self.demands.get(holder)
        if demand is None:
            otherwise = "Name the holder in its description (unit:ID, line:ID …), or free the prefix in NetBox."
            step = nearest(holder, self.demands, otherwise) if holder else otherwise
            what = f"prefix {prefix} of pool {pools[0].name} is held by nobody of ours"
            return Finding(where, what, "a known holder", holder or "none", step)
        if (overlapped := self.overlapped(vrf, prefix)) is not None:
            step = "Free one of them in NetBox; what rests in quarantine is taken as well."
            found = f"{overlapped.prefix} of {overlapped.holder} ({overlapped.where or 'the ledger'})"
            return Finding(where, f"prefix {prefix} of {holder} overlaps another", f"a prefix of its own in VRF {vrf}", found, step)
        if holder in self.taken:
            step = "Keep one of them in NetBox."
            return Finding(where, f"{holder} has two new prefixes", "one", f"another at {self.taken[holder]}", step)
        self.taken[holder] = where
        pool = next((pool for pool in pools if pool.role == demand.role), None)
        if pool is None:
            found = f"pool {pools[0].name} ({pools[0].role})"
            step = "Move the prefix in NetBox into a pool of its role."
            what = f"prefix {prefix} of {holder} lies in a pool of another role"
            return Finding(where, what, f"a pool of role {demand.role}", found, step)
        return Allocation(prefix, pool.name, vrf, demand.role, holder, self.today)

    def overlapped(self, vrf: str, prefix: IPv4Network) -> Allocation | None:
        """Return a row of the ledger that the prefix touches. O(log rows) where it touches none."""
        spans = self.spans.get(vrf, TakenSpans())
        start, end = span(prefix)
        at = bisect_right(spans.ends, start)
        if at == len(spans.starts) or spans.starts[at] >= end:
            return None
        return next(row for row in self.workspace.ledger if row.vrf == vrf and row.prefix.overlaps(prefix))

    def vrf(self, text: str) -> str | None:
        vrfs = self.workspace.plan.vrfs
        bare = _DISTINGUISHER.sub("", text)
        return text if text in vrfs else bare if bare in vrfs else None
