"""Read a workspace: every file, every finding, then one value or one exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Protocol, TypeVar

from app.core.consistency import find_inconsistencies, find_notes
from app.core.inventory import Device, Group, Inventory, Line, Region, Service, Unit
from app.core.ipplan import Allocation, Management, OspfProfile, Plan, Provenance
from app.core.ipv6_rows import Allocation6
from app.core.plan_faults import LEDGER_FILE
from app.core.workspace import Workspace
from app.edge.files.calendar import read_calendar
from app.edge.files.explain import parse_block, parse_row
from app.edge.files.marked import Marked, read_marked
from app.edge.files.order import read_order
from app.edge.files.plan_schema import GroupBlock, PlanBlock
from app.edge.files.rows_schema import (
    COLUMNS,
    Allocation6Cells,
    AllocationCells,
    Cells,
    DeviceCells,
    LineCells,
    NatCells,
    RegionCells,
    ServiceCells,
    UnitCells,
    VpnLineCells,
)
from app.edge.files.tables import Row, parse_table, read_table
from app.edge.files.texts import Counting, Report, shown
from app.errors import Finding, InputError

V = TypeVar("V", covariant=True)
T = TypeVar("T")


class _Valued(Protocol[V]):
    def value(self, where: str) -> V: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """A workspace as it was found. `workspace` is None while any finding stands; `counts` are the rows that could be read.

    `fragments` is what could be read in any case, for looking up names; nothing may be built from it.
    """

    workspace: Workspace | None
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    counts: Mapping[str, int]
    fragments: Workspace


def read_workspace(root: Path) -> tuple[Workspace, tuple[Finding, ...]]:
    """Read and judge a workspace; return it beside the notes on it.

    Raises:
        InputError: anything is wrong in any file; it carries every finding.
    """
    judged = judge_workspace(root)
    if judged.workspace is None:
        raise InputError(judged.findings)
    return judged.workspace, judged.notes


def judge_workspace(root: Path, instead: Mapping[str, str] | None = None) -> Judged:
    """Read every file of a workspace and judge them together. Raises nothing for a fault of a file.

    `instead` gives texts of tables (by their path in the workspace) that are not written yet, to be judged in place of the files.
    """
    findings: list[Finding] = []
    incomplete: set[str] = set()
    reader = _Reader(root, findings.append, incomplete, instead or {})
    ordering = read_order(root / "inventory" / "order.yaml", root, findings.append)
    incomplete |= ordering.incomplete
    inventory = reader.inventory()
    groups, defaults = reader.groups(), reader.defaults()
    days = read_calendar(root, ordering.order.timezone, ordering.order.rulings, findings.append, ordering.order.carriers)
    plan, ledgers = reader.plan(), (reader.ledger(), reader.ledger6())
    workspace = Workspace(
        ordering.order, inventory, plan, ledgers[0], groups, defaults, ledgers[1], days.calendar, days.service, days.faults
    )
    findings += find_inconsistencies(workspace, incomplete=frozenset(incomplete))
    kept = (_no_workspace(root),) if _is_nowhere(root) else tuple(sorted(dict.fromkeys(findings), key=_place))
    counts = {
        "regions": len(inventory.regions),
        "units": len(inventory.units),
        "devices": len(inventory.devices),
        "lines": len(inventory.lines),
        "services": len(inventory.services),
        "allocations": len(workspace.ledger),
    }
    if kept:
        return Judged(None, kept, (), counts, workspace)
    return Judged(workspace, (), tuple(find_notes(workspace)), counts, workspace)


def _place(finding: Finding) -> tuple[bool, str, int]:
    """Sort findings by file and line, those of one line in the order in which they were found.

    The ledger goes last: where a pool is wrong, every prefix from it is wrong after it.
    """
    file, _, line = finding.where.rpartition(":")
    place = (file, int(line)) if line.isdigit() else (finding.where, 0)
    return place[0] == LEDGER_FILE, *place


def _is_nowhere(root: Path) -> bool:
    return not any((root / folder).is_dir() for folder in ("inventory", "ipplan"))


def _no_workspace(root: Path) -> Finding:
    step = "Go to the workspace, or name it by --root or WAIWANG_ROOT."
    found = "neither" if root.is_dir() else "a file" if root.exists() else "no such directory"
    return Finding(str(root), "no workspace is here", "a directory with inventory/ and ipplan/", found, step)


#: What stands in for a plan that could not be read; it never leaves this edge.
_EMPTY_PLAN = Plan(IPv4Network("0.0.0.0/0"), (), Provenance("", "", None), False, OspfProfile(), Management("", (), (), "", ""), vrfs={})


@dataclass(slots=True)
class _Reader:
    """Reads the files of one workspace; `incomplete` gathers the tables that lack a row because of a finding."""

    root: Path
    report: Report
    incomplete: set[str]
    instead: Mapping[str, str]

    def inventory(self) -> Inventory:
        return Inventory(
            regions=self.keyed("regions", RegionCells, Region, "code", "region"),
            units=self.keyed("units", UnitCells, Unit, "unit_id", "unit"),
            devices=self.keyed("devices", DeviceCells, Device, "name", "device"),
            lines=self.keyed("lines", LineCells, Line, "line_id", "line"),
            services=self.keyed("services", ServiceCells, Service, "service_id", "service"),
            nat=self.optional(self.root / "inventory" / "nat.csv", "nat", NatCells, "NAT record"),
            vpn_lines=self.optional(self.root / "inventory" / "vpn_lines.csv", "vpn_lines", VpnLineCells, "VPN on a line"),
        )

    def rows(self, path: Path, table: str, cells: type[Cells]) -> list[Row]:
        before = Counting(self.report)
        required = [name for name in COLUMNS[cells] if cells.model_fields[name].is_required()]
        text = self.instead.get(shown(path, self.root))
        if text is None:
            found = read_table(path, self.root, before, columns=COLUMNS[cells], required=required)
        else:
            found = parse_table(text, shown(path, self.root), before, columns=COLUMNS[cells], required=required)
        if before.count:
            self.incomplete.add(table)
        return found

    def keyed(self, table: str, cells: type[_Valued[T]], value: type[T], key: str, called: str) -> dict[str, T]:
        """Read a table into values by key; a key that stands twice is a finding and the first row holds."""
        assert issubclass(cells, Cells)  # the protocol above is what callers see, this is what Pydantic needs
        found: dict[str, T] = {}
        lines: dict[str, str] = {}
        for row in self.rows(self.root / "inventory" / f"{table}.csv", table, cells):
            name = row.cells.get(key, "")
            if name in lines:
                self.report(
                    Finding(
                        row.where,
                        f"{called} {name} stands twice",
                        f"one row per {key}",
                        f"another at {lines[name]}",
                        "Remove one of them, or give it its own id.",
                    )
                )
                continue
            lines[name] = row.where
            parsed = parse_row(cells, row, self.report, called=f"{called} {name}".strip())
            if parsed is None:
                self.incomplete.add(table)
                continue
            found[name] = parsed.value(row.where)
        return found

    def ledger(self) -> tuple[Allocation, ...]:
        """Read the ledger; a workspace that was never planned has none."""
        return self.optional(self.root / "ipplan" / "allocations.csv", "allocations", AllocationCells, "allocation")

    def ledger6(self) -> tuple[Allocation6, ...]:
        return self.optional(self.root / "ipplan" / "allocations6.csv", "allocations6", Allocation6Cells, "IPv6 allocation")

    def optional(self, path: Path, table: str, cells: type[_Valued[T]], called: str) -> tuple[T, ...]:
        """Read a table whose rows have no key of their own; a file that is not there holds none."""
        assert issubclass(cells, Cells)  # as in `keyed`
        if not path.exists() and shown(path, self.root) not in self.instead:
            return ()
        parsed = [(row, parse_row(cells, row, self.report, called=called)) for row in self.rows(path, table, cells)]
        return tuple(found.value(row.where) for row, found in parsed if found is not None)

    def plan(self) -> Plan:
        """Read the plan; one that cannot be read is incomplete and stands empty, so that the other files are still judged."""
        document = read_marked(self.root / "ipplan" / "plan.yaml", self.root, self.report)
        block = parse_block(PlanBlock, document, self.report, called="plan") if document is not None else None
        if document is None or block is None:
            self.incomplete |= {"plan", "vrfs"}
            return _EMPTY_PLAN
        return block.value(document.where)

    def groups(self) -> dict[str, Group]:
        document = read_marked(self.root / "inventory" / "groups.yaml", self.root, self.report)
        if document is None:
            self.incomplete.add("groups")
            return {}
        found: dict[str, Group] = {}
        for name in document.values:
            block = document.section(name) or Marked({}, {}, document.where((name,)))
            if self.options(f"group {name}", block):
                found[name] = Group(name, block.values)
            else:
                self.incomplete.add("groups")
        return found

    def defaults(self) -> dict[str, object]:
        document = read_marked(self.root / "inventory" / "defaults.yaml", self.root, self.report)
        return document.values if document is not None and self.options("defaults", document) else {}

    def options(self, called: str, block: Marked) -> bool:
        """Judge the options of a Nornir group: known keys only, and no secrets among them."""
        counted = Counting(self.report)
        for path in block.marks:
            if str(path[-1]) in ("password", "secret", "passphrase"):
                dotted = ".".join(map(str, path))
                step = "Remove it; secrets come from WAIWANG_SECRET_* or the secrets file."
                counted(Finding(block.where(path), f"{called}: a secret stands in a reviewed file", "no secrets", f"`{dotted}`", step))
        return not counted.count and parse_block(GroupBlock, block, counted, called=called) is not None
