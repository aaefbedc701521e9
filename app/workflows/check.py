"""Check: judge every input of a workspace; every finding at once, nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core.families import find_gaps
from app.core.intents import build_intents
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


def check(root: Path) -> CheckReport:
    """Judge a workspace: its files, what they say of each other, and what its devices could not be told. Writes nothing."""
    judged = judge_workspace(root)
    if judged.workspace is None:
        return CheckReport(judged.findings, judged.notes, judged.counts)
    findings, notes = _judge_intents(judged.workspace)
    return CheckReport(findings, (*judged.notes, *notes), judged.counts)


def _judge_intents(workspace: Workspace) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings and notes on what devices are to be configured to do."""
    try:
        intents = build_intents(workspace)
    except InputError as error:
        return error.findings, ()
    return (), tuple(find_gaps(intents))
