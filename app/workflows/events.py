"""Record what units report: judged against the order first, written only on commit, all rows or only the good ones when told so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.core.events import UnitEvent, find_event_faults, find_new
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files.events import read_events
from app.errors import ExitCode, Finding, InputError


@dataclass(frozen=True, slots=True)
class EventReport:
    """What a file or an entry holds: rows that are new, how many were known already, what was rejected and why."""

    new: tuple[UnitEvent, ...]
    known: int
    rejected: tuple[Finding, ...]
    rows: int
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        """INPUT where rows were rejected, PENDING while new rows wait for --commit."""
        if self.rejected:
            return ExitCode.INPUT
        return ExitCode.PENDING if self.new and not self.committed else ExitCode.OK


def import_events(workspace: Workspace, store: Store, path: Path, *, commit: bool, skip_rejected: bool, now: datetime) -> EventReport:
    """Read a table of reports, judge every row, and on `commit` append those that are new.

    Raises:
        InputError: rows were rejected and `commit` was asked for without `skip_rejected`; nothing is written then.
    """
    findings: list[Finding] = []
    reading = read_events(path, workspace.order.timezone, now, findings.append)
    findings += find_event_faults(workspace, reading.events, now)
    findings.sort(key=_row)
    wrong = {finding.where for finding in findings}
    accepted = [event for event in reading.events if event.where not in wrong]
    if findings and commit and not skip_rejected:
        raise InputError(findings)
    return _record(store, accepted, tuple(findings), reading.rows, commit=commit)


def add_event(workspace: Workspace, store: Store, event: UnitEvent, *, commit: bool, now: datetime) -> EventReport:
    """Judge one report, and on `commit` append it unless it is known.

    Raises:
        InputError: the order does not ask for it, or a part of it is wrong.
    """
    if findings := find_event_faults(workspace, [event], now):
        raise InputError(findings)
    return _record(store, [event], (), 1, commit=commit)


def _record(store: Store, accepted: Sequence[UnitEvent], rejected: tuple[Finding, ...], rows: int, *, commit: bool) -> EventReport:
    new = find_new(store.events(), accepted)
    if commit:
        store.write_events(new)
    return EventReport(tuple(new), len(accepted) - len(new), rejected, rows, commit)


def _row(finding: Finding) -> int:
    """Return the number of the row that a finding stands at, 0 for the file as a whole."""
    number = finding.where.rpartition(":")[2]
    return int(number) if number.isdigit() else 0
