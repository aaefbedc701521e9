"""Check: judge every input of a workspace; every finding at once, nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from app.core.allocation import PlanChange, demands, plan_allocations, usage
from app.core.families import find_gaps
from app.core.features import find_without_peer6
from app.core.intents import build_intents
from app.core.ipv6 import Ipv6Change, plan_ledger6
from app.core.ipv6_rows import LEDGER6_FILE
from app.core.plan_faults import LEDGER_FILE
from app.core.pool_rules import find_usage_notes
from app.core.vpn_lines import find_overbooked_lines
from app.core.vpn_members import find_outsiders
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files import judge_workspace
from app.errors import ExitCode, Finding, InputError
from app.workflows.deadlines import find_moved


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What is wrong (`findings`), what a reader should know (`notes`), and how many rows were read (`counts`, by table)."""

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def exit_code(self) -> ExitCode:
        """INPUT where anything is wrong; notes alone are OK."""
        return ExitCode.INPUT if self.findings else ExitCode.OK


def check(root: Path, *, today: date, instead: Mapping[str, str] | None = None, store: Store | None = None) -> CheckReport:
    """Judge a workspace: its files, what they say of each other, whether the pools suffice, what devices could not be told.

    `today` is the day on which quarantines are judged. Writes nothing; a prefix that only waits for `waiwang plan` is a note.
    `instead` gives the texts of tables that are not written yet, by their path in the workspace. `store`: where one is given, no
    deadline may have moved since it was worked by, unless the order's log says so.
    """
    judged = judge_workspace(root, instead)
    if judged.workspace is None:
        return CheckReport(judged.findings, judged.notes, judged.counts)
    workspace = judged.workspace
    moved = find_moved(workspace, store) if store is not None else ()
    change = plan_allocations(workspace.plan, workspace.ledger, demands(workspace.inventory), today)
    used = usage(workspace.plan, change.ledger, today)
    notes = (*judged.notes, *change.notes, *pending(change), *find_usage_notes(used))
    shortages6: tuple[Finding, ...] = ()
    ledger6 = workspace.ledger6
    if workspace.plan.ipv6 is not None:
        change6 = plan_ledger6(workspace, workspace.plan.ipv6, today)
        shortages6, ledger6 = change6.shortages, change6.ledger
        notes = (*notes, *pending(change6, LEDGER6_FILE))
    if change.refused or shortages6:
        return CheckReport(moved + change.conflicts + change.shortages + shortages6, notes, judged.counts)
    findings, gaps = judge_intents(replace(workspace, ledger=change.ledger, ledger6=ledger6))
    return CheckReport(moved + findings, (*notes, *gaps), judged.counts)


def pending(change: PlanChange | Ipv6Change, where: str = LEDGER_FILE) -> tuple[Finding, ...]:
    """Return a note where the ledger is behind the inventory."""
    if not change.changes:
        return ()
    groups = {
        "to add": len(change.added) + len(change.returned),
        "to release": len(change.released),
        "to drop": len(change.dropped),
    }
    found = ", ".join(f"{number} {words}" for words, number in groups.items() if number)
    what, step = "the ledger is behind the inventory", "Run `waiwang plan --commit`."
    return (Finding(where, what, "a prefix for every holder that needs one", found, step, note=True),)


def judge_intents(workspace: Workspace) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings and the notes on what devices are to be configured to do. Pure."""
    try:
        intents = build_intents(workspace)
    except InputError as error:
        return error.findings, ()
    return (), (*find_gaps(intents), *find_without_peer6(workspace.plan), *find_outsiders(workspace), *find_overbooked_lines(workspace))
