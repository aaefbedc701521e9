"""Worksheets of carriers: orders out to a file, opened days, circuit ids and contact roles back in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.core.line_event import CARRIER_CONTACT, OPENED, LineEvent, newest_events, opened_event
from app.core.references import nearest
from app.core.worksheet import FORMER_HEADS, HEADS, Return, Returned, judge_return, worksheet_rows
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.files.inbound import name_columns
from app.edge.files.replace import locked_folders, replaced
from app.edge.files.sheets import read_sheets
from app.errors import ExitCode, Finding, InputError, counted
from app.workflows.exchange import ImportReport, Incoming, Reading, format_import, judge


@dataclass(frozen=True, slots=True)
class ReturnReport:
    """What a worksheet changes: circuit ids in lines.csv, and events that are appended. `before` are the events that they follow."""

    imported: ImportReport
    events: tuple[LineEvent, ...]
    before: dict[tuple[str, str], LineEvent]

    @property
    def exit_code(self) -> ExitCode:
        if self.imported.rejected:
            return ExitCode.INPUT
        pending = (self.events or self.imported.changes) and not self.imported.committed
        return ExitCode.PENDING if pending else ExitCode.OK


def worksheet(workspace: Workspace, store: Store, carrier: str, *, language: str, only_open: bool) -> list[list[str]]:
    """Return the worksheet of a carrier, heads first.

    Raises:
        InputError: the order knows no such carrier, or nothing is ordered from it.
    """
    judge_carrier(workspace, carrier)
    rows = worksheet_rows(workspace, carrier, newest_events(store.line_events()), language, only_open=only_open)
    if len(rows) == 1:
        step = "Order lines in inventory/lines.csv, or give --all for those that are reported already."
        raise InputError([Finding("inventory/lines.csv", "worksheet", f"lines of {carrier} to be opened", "none", step)])
    return rows


def take_worksheet(
    root: Path,
    store: Store,
    path: Path,
    *,
    now: datetime,
    commit: bool,
    carrier: str | None = None,
    actor: str | None = None,
    document: str | None = None,
    skip_rejected: bool = False,
) -> ReturnReport:
    """Take a worksheet back: circuit ids into lines.csv, opened days and contact roles appended to the database.

    Both are written or neither. What is recorded already, in the same words, is not recorded twice.

    Raises:
        InputError: with every finding; with `skip_rejected` only for what is not the fault of single rows.
    """
    workspace = read_workspace(root)[0]
    if carrier is not None:
        judge_carrier(workspace, carrier)
    today = now.astimezone(workspace.order.timezone).date()
    reading, returned = _read(workspace, path, now, carrier)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
    evidence = f"{document or path.name} sha256:{digest}"
    told_by = actor or f"carrier:{returned.carrier}"

    def outcome(*, committed: bool) -> tuple[ReturnReport, dict[str, bytes]]:
        report, files = judge(root, reading, today, skip_rejected)
        spoilt = {finding.where for finding in report.rejected}
        before = newest_events(store.line_events())
        taken = [row for row in returned.rows if row.where not in spoilt]
        events = tuple(_events(workspace, taken, before, now, told_by, evidence))
        imported = ImportReport(report.changes, report.rejected, report.read, report.notes, committed)
        return ReturnReport(imported, events, before), files

    if not commit:
        return outcome(committed=False)[0]
    with locked_folders(root / "ipplan", root / "inventory"):
        report, files = outcome(committed=True)
        with replaced(root, files):
            store.write_line_events(report.events)
    return report


def judge_carrier(workspace: Workspace, carrier: str) -> None:
    """Raise InputError where the order knows no such carrier."""
    carriers = workspace.order.carriers
    if carrier not in carriers:
        step = nearest(carrier, carriers, "Name one of them, or add it under `carriers`.")
        raise InputError([Finding("inventory/order.yaml", "unknown carrier", f"one of {', '.join(carriers)}", f"`{carrier}`", step)])


def _read(workspace: Workspace, path: Path, now: datetime, carrier: str | None) -> tuple[Reading, Return]:
    faults: list[Finding] = []
    rows = []
    for sheet in read_sheets(path, faults.append):
        heads = {column: (*words, *FORMER_HEADS.get(column, ())) for column, words in HEADS.items()}
        named = name_columns(sheet, heads, "line_id", faults.append)
        rows += list(named.rows) if named else []
    spoilt = {fault.where for fault in faults}
    sound = [(where, cells) for where, cells in rows if where not in spoilt]
    returned = judge_return(workspace, sound, now.astimezone(workspace.order.timezone).date(), carrier=carrier)
    places = {where for where, _ in rows}
    # A row without circuit id is laid over its line all the same: it changes nothing and is counted.
    incoming = [
        Incoming("lines", row.line_id, {"circuit_id": row.circuit_id} if row.circuit_id else {}, row.where) for row in returned.rows
    ]
    reading = Reading(
        incoming,
        [*(fault for fault in faults if fault.where in places), *returned.findings],
        [fault for fault in faults if fault.where not in places],
    )
    return reading, returned


def _events(
    workspace: Workspace,
    rows: Sequence[Returned],
    before: dict[tuple[str, str], LineEvent],
    now: datetime,
    actor: str,
    document: str,
) -> list[LineEvent]:
    """Return what the rows tell that is not recorded yet."""
    told = []
    for row in rows:
        if row.opened_on is not None:
            told.append(opened_event(row.line_id, row.opened_on, workspace.order.timezone, now, actor, document))
        if row.contact_role is not None:
            told.append(LineEvent(row.line_id, CARRIER_CONTACT, now, now, actor, document, row.contact_role))
    return [event for event in told if (known := before.get((event.line_id, event.kind))) is None or known.value != event.value]


def format_return(report: ReturnReport) -> str:
    """Return the diff of lines.csv, the events to be appended with what they follow, and totals."""
    lines = []
    for event in report.events:
        known = report.before.get((event.line_id, event.kind))
        follows = f" (was {known.value}, by {known.document})" if known else ""
        lines.append(f"+ {event.line_id} {event.kind} {event.value}{follows}")
    opened = sum(event.kind == OPENED for event in report.events)
    told = f"{counted(len(report.events), 'report')} to append, {opened} of them opened days."
    if report.events:
        told += " Recorded." if report.imported.committed else " Nothing was recorded; --commit records them."
    body = format_import(report.imported)
    return body + "".join(f"{line}\n" for line in [*lines, told])
