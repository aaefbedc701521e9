"""Plan: show the prefixes that the inventory still needs; on commit, write them into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from app.core.allocation import PlanChange, demands, plan_allocations, usage
from app.core.ipplan import REACH, Allocation, Pool
from app.core.ipv6 import Ipv6Change, plan_ledger6
from app.core.ipv6_rows import LEDGER6_FILE
from app.core.plan_faults import LEDGER_FILE
from app.core.pool_rules import find_usage_notes
from app.core.spans import PoolUsage, ledger_order
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.files.ledger import format_ledger, format_ledger6, locked, write_ledgers
from app.errors import ExitCode, Finding, InputError, PoolExhausted, counted
from app.workflows.collector import uncollected

POOL_HEADS = ("pool", "role", "reach", "prefix", "length", "room", "held", "quarantined", "reserved", "free")
#: The sign that a change has in the diff.
SIGNS = {"added": "+", "returned": "~", "released": "-", "dropped": "x"}


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What planning found: the change, how full the pools are after it, and notes that refuse nothing."""

    change: PlanChange
    usage: tuple[PoolUsage, ...]
    notes: tuple[Finding, ...]
    committed: bool
    change6: Ipv6Change = field(default_factory=Ipv6Change)

    @property
    def changes(self) -> bool:
        return self.change.changes or self.change6.changes

    @property
    def exit_code(self) -> ExitCode:
        """PENDING while a ledger lacks what was shown."""
        return ExitCode.PENDING if self.changes and not self.committed else ExitCode.OK


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One line of the diff. `change` is added, returned (out of quarantine), released (into it) or dropped (its end)."""

    change: str
    allocation: Allocation


def plan(root: Path, *, commit: bool, today: date) -> PlanReport:
    """Fit the ledgers of a workspace to its inventory; write them only on `commit`, under their lock and after reading them again,
    both or neither.

    Raises: InputError with every finding; PoolExhausted where nothing but room is lacking.
    """
    with uncollected():
        report = judge_plan(read_workspace(root), today)
        if not (commit and report.changes):
            return report
        with locked(root / LEDGER_FILE):
            report = judge_plan(read_workspace(root), today, committed=True)
            texts = {LEDGER_FILE: format_ledger(report.change.ledger)} if report.change.changes else {}
            texts |= {LEDGER6_FILE: format_ledger6(report.change6.ledger)} if report.change6.changes else {}
            write_ledgers(root, texts)
        return report


def judge_plan(judged: tuple[Workspace, tuple[Finding, ...]], today: date, *, committed: bool = False) -> PlanReport:
    """Return the change that a workspace, given with its notes, needs. Pure.

    Raises: InputError with every finding; PoolExhausted where nothing but room is lacking.
    """
    workspace, notes = judged
    change = plan_allocations(workspace.plan, workspace.ledger, demands(workspace.inventory), today)
    change6 = Ipv6Change()
    if workspace.plan.ipv6 is not None:
        change6 = plan_ledger6(workspace, workspace.plan.ipv6, today)
    if change.refused or change6.shortages:
        refusal = InputError if change.conflicts else PoolExhausted
        raise refusal(change.conflicts + change.shortages + change6.shortages)
    used = usage(workspace.plan, change.ledger, today)
    return PlanReport(change, used, (*notes, *change.notes, *find_usage_notes(used)), committed, change6)


def change_rows(change: PlanChange) -> tuple[ChangeRow, ...]:
    """Return the diff, in the order of the ledger."""
    groups = {"added": change.added, "returned": change.returned, "released": change.released, "dropped": change.dropped}
    rows = [ChangeRow(name, row) for name, group in groups.items() for row in group]
    return tuple(sorted(rows, key=lambda row: ledger_order(row.allocation)))


def format_plan(report: PlanReport, width: int | None = None) -> str:
    """Return the report as plain text: the diff, how full the pools are, one line of totals.

    Where pools are wider than `width`, what is seldom other than nothing stands below their row.
    """
    change = report.change
    diff = [[f"{SIGNS[row.change]} {row.allocation.prefix}", *described(row)] for row in change_rows(change)]
    totals = ", ".join(f"{len(group)} {name}" for name, group in groups_with_kept(change))
    if diff6 := ipv6_diff(report.change6):
        diff.append(["", "", "", "", ""])
        diff += diff6
        totals += f"; IPv6: {counted(len(diff6), 'change')}"
    parts = [aligned([["  prefix", "holder", "pool", "vrf", "change"], *diff])] if diff else []
    return "\n\n".join([*parts, _pools(report.usage, width), f"{totals}. {closing(report)}"]) + "\n"


def _pools(usage: Sequence[PoolUsage], width: int | None) -> str:
    """Return the table of pools, in its narrow form where the whole one is wider than `width`."""
    rows = [[*named_pool(entry.pool), *counts(entry)] for entry in usage]
    whole = aligned([[*POOL_HEADS, ""], *rows])
    if width is None or max(map(len, whole.splitlines())) <= width:
        return whole
    seldom = [POOL_HEADS.index(name) for name in ("quarantined", "reserved")]
    kept = [at for at in range(len(POOL_HEADS)) if at not in seldom]
    head, *lines = aligned([[row[at] for at in kept] for row in (list(POOL_HEADS), *rows)]).splitlines()
    text = [head]
    for row, line in zip(rows, lines, strict=True):
        notes = [f"{POOL_HEADS[at]} {row[at]}" for at in seldom if row[at] != "0"] + [row[-1]] * bool(row[-1])
        text += [line, *([f"    {' · '.join(notes)}"] if notes else [])]
    return "\n".join(text)


def ipv6_diff(change: Ipv6Change) -> list[list[str]]:
    """Return the lines of the diff of the IPv6 ledger, in its order."""
    groups = {"added": change.added, "returned": change.returned, "released": change.released, "dropped": change.dropped}
    rows = [(row, name) for name, group in groups.items() for row in group]
    rows.sort(key=lambda pair: pair[0].prefix)
    return [[f"{SIGNS[name]} {row.prefix}", row.holder, row.role, row.vrf, name] for row, name in rows]


def described(row: ChangeRow) -> list[str]:
    allocation = row.allocation
    return [allocation.holder, allocation.pool, allocation.vrf, row.change]


def counts(entry: PoolUsage) -> list[str]:
    state = "retired" if entry.pool.retired else "nearly full" if entry.nearly_full else ""
    return [*map(str, (entry.capacity, entry.held, entry.quarantined, entry.reserved, entry.free)), state]


def named_pool(pool: Pool) -> list[str]:
    return [pool.name, pool.role, REACH[pool.address_class], str(pool.prefix), f"/{pool.length}"]


def groups_with_kept(change: PlanChange) -> list[tuple[str, tuple[Allocation, ...]]]:
    groups = [("kept", change.kept), ("added", change.added), ("returned", change.returned), ("released", change.released)]
    return [*groups, ("dropped", change.dropped)]


def closing(report: PlanReport) -> str:
    """Say what became of the change and what to do next."""
    if not report.changes:
        return f"{LEDGER_FILE} is as it should be."
    if report.committed:
        files = [name for name, change in ((LEDGER_FILE, report.change), (LEDGER6_FILE, report.change6)) if change.changes]
        return f"Written to {' and '.join(files)}."
    return "Nothing was written; run `waiwang plan --commit` to write it."


def aligned(rows: list[list[str]]) -> str:
    """Return rows as text in columns, two spaces apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
