"""Check: judge every input of a workspace; every finding at once, nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from app.core.allocation import PlanChange, demands, plan_allocations
from app.core.families import find_gaps
from app.core.intents import build_intents
from app.core.plan_faults import LEDGER_FILE
from app.core.workspace import Workspace
from app.edge.files import judge_workspace
from app.errors import ExitCode, Finding, InputError


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


def check(root: Path, *, today: date, instead: Mapping[str, str] | None = None) -> CheckReport:
    """Judge a workspace: its files, what they say of each other, whether the pools suffice, what devices could not be told.

    `today` is the day on which quarantines are judged. Writes nothing; a prefix that only waits for `waiwang plan` is a note.
    `instead` gives the texts of tables that are not written yet, by their path in the workspace.
    """
    judged = judge_workspace(root, instead)
    if judged.workspace is None:
        return CheckReport(judged.findings, judged.notes, judged.counts)
    workspace = judged.workspace
    change = plan_allocations(workspace.plan, workspace.ledger, demands(workspace.inventory), today)
    notes = (*judged.notes, *change.notes, *pending(change))
    if change.refused:
        return CheckReport(change.conflicts + change.shortages, notes, judged.counts)
    findings, gaps = judge_intents(replace(workspace, ledger=change.ledger))
    return CheckReport(findings, (*notes, *gaps), judged.counts)


def pending(change: PlanChange) -> tuple[Finding, ...]:
    """Return a note where the ledger is behind the inventory."""
    if not change.changes:
        return ()
    groups = {"to add": change.added + change.returned, "to release": change.released, "to drop": change.dropped}
    found = ", ".join(f"{len(rows)} {words}" for words, rows in groups.items() if rows)
    what, step = "the ledger is behind the inventory", "Run `waiwang plan --commit`."
    return (Finding(LEDGER_FILE, what, "a prefix for every holder that needs one", found, step, note=True),)


def judge_intents(workspace: Workspace) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings and the notes on what devices are to be configured to do. Pure."""
    try:
        intents = build_intents(workspace)
    except InputError as error:
        return error.findings, ()
    return (), tuple(find_gaps(intents))
