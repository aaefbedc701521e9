"""NetBox both ways: CSV tables out for its import forms, circuits and prefixes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff
from pathlib import Path

from app.core.intents import build_intents
from app.core.line_event import newest_events
from app.core.netbox import Ground, find_shared_cids, netbox_tables, opened_by_line, terminations_by_id
from app.core.netbox_return import (
    CIRCUIT_HEADS,
    PREFIX_HEADS,
    TERMINATION_HEADS,
    Difference,
    compare_circuits,
    compare_prefixes,
    compare_terminations,
)
from app.core.plan_faults import LEDGER_FILE
from app.core.rows import RowChange, format_diff
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.files.inbound import name_columns
from app.edge.files.ledger import format_ledger
from app.edge.files.replace import locked_folders, replaced
from app.edge.files.sheets import read_sheets, write_plain_csv
from app.edge.files.texts import read_text
from app.errors import ExitCode, Finding, InputError, counted
from app.workflows.check import check
from app.workflows.exchange import Incoming, attributed, encoded, in_order, merge

LINES_FILE = "inventory/lines.csv"
SITE_HEADS: Mapping[str, tuple[str, ...]] = {"name": ("Name",), "id": ("ID",)}


@dataclass(frozen=True, slots=True)
class NetboxReport:
    """What differs: rows of lines.csv, the ledger as a unified diff, notes, and rows of NetBox that are no concern of ours."""

    changes: tuple[RowChange, ...]
    ledger_diff: str
    notes: tuple[Finding, ...]
    foreign: int
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.PENDING if (self.changes or self.ledger_diff) and not self.committed else ExitCode.OK


def export_netbox(
    workspace: Workspace, store: Store, site_ids: Path | None = None
) -> tuple[dict[str, bytes], tuple[Finding, ...]]:
    """Return the files for NetBox by name, in the order of their import, and notes.

    `site_ids` is NetBox's own export of its sites: with it, terminations name a site by number, as NetBox 4.2 and newer want.

    Raises:
        InputError: a device has no address yet, or a site has no number.
    """
    ground = Ground(workspace, build_intents(workspace), opened_by_line(newest_events(store.line_events())))
    tables = netbox_tables(ground)
    if site_ids is not None:
        tables["circuit_terminations"], findings = terminations_by_id(
            tables["circuit_terminations"], _read_site_ids(site_ids), site_ids.name
        )
        if findings:
            raise InputError(findings)
    return {f"{name}.csv": write_plain_csv(rows) for name, rows in tables.items()}, tuple(find_shared_cids(workspace))


def _read_site_ids(path: Path) -> dict[str, str]:
    findings: list[Finding] = []
    rows = _read(path, SITE_HEADS, "name", findings)
    if findings:
        raise InputError(findings)
    return {cells["name"]: cells.get("id", "") for _, cells in rows if cells.get("id")}


def import_netbox(root: Path, folder: Path, *, commit: bool, today: date) -> NetboxReport:
    """Lay NetBox's circuits.csv and prefixes.csv over lines and ledger; write only on `commit`, all or nothing.

    Either file may be missing. circuit_terminations.csv, where it is there, is only held against the order.

    Raises:
        InputError: with every conflict, and where the result would not pass the check.
    """
    if not commit:
        return _judge(root, folder, today)[0]
    with locked_folders(root / "ipplan", root / "inventory"):
        report, files = _judge(root, folder, today)
        with replaced(root, files):
            return NetboxReport(report.changes, report.ledger_diff, report.notes, report.foreign, committed=True)


def _judge(root: Path, folder: Path, today: date) -> tuple[NetboxReport, dict[str, bytes]]:
    workspace = read_workspace(root)[0]
    difference = _compare(workspace, folder, today)
    text = read_text(root / LINES_FILE, root, difference.findings.append)
    if difference.findings or text is None:
        raise InputError(in_order(difference.findings))
    rows = [Incoming("lines", line_id, cells, where) for line_id, (cells, where) in difference.lines.items()]
    merged = merge("lines", text, rows)
    before, after = format_ledger(workspace.ledger), format_ledger(difference.ledger)
    instead = {LINES_FILE: merged.text} | ({LEDGER_FILE: after} if after != before else {})
    own, others = attributed(check(root, today=today, instead=instead).findings, rows, {"lines": merged})
    if own or others:
        raise InputError(in_order([*own, *others]))
    files = {LEDGER_FILE: after.encode("utf-8")} if after != before else {}
    if merged.changes:
        files[LINES_FILE] = encoded(root / LINES_FILE, merged.text)
    return NetboxReport(merged.changes, _diff(before, after), tuple(difference.notes), difference.foreign, committed=False), files


def _compare(workspace: Workspace, folder: Path, today: date) -> Difference:
    difference = Difference(ledger=workspace.ledger)
    circuits, prefixes = folder / "circuits.csv", folder / "prefixes.csv"
    if not circuits.is_file() and not prefixes.is_file():
        step = "Export circuits and prefixes from NetBox as CSV into this folder."
        difference.findings.append(Finding(str(folder), "nothing of NetBox is here", "circuits.csv or prefixes.csv", "neither", step))
    if circuits.is_file():
        compare_circuits(workspace, _read(circuits, CIRCUIT_HEADS, "cid", difference.findings), difference)
    if (terminations := folder / "circuit_terminations.csv").is_file():
        compare_terminations(workspace, _read(terminations, TERMINATION_HEADS, "circuit", difference.findings), difference)
    if prefixes.is_file():
        compare_prefixes(workspace, _read(prefixes, PREFIX_HEADS, "prefix", difference.findings), difference, today)
    return difference


def _read(path: Path, heads: Mapping[str, tuple[str, ...]], key: str, findings: list[Finding]) -> Sequence[tuple[str, Mapping[str, str]]]:
    rows: list[tuple[str, Mapping[str, str]]] = []
    for sheet in read_sheets(path, findings.append):
        named = name_columns(sheet, heads, key, findings.append, others=True)
        rows += named.rows if named else ()
    return rows


def _diff(before: str, after: str) -> str:
    names = {"fromfile": f"a/{LEDGER_FILE}", "tofile": f"b/{LEDGER_FILE}"}
    return "".join(unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), **names, n=0))


def format_netbox(report: NetboxReport) -> str:
    """Return the diffs, the notes, and what became of them."""
    notes = "".join(f"note {note}\n" for note in report.notes)
    verb = "is" if report.foreign == 1 else "are"
    foreign = f"{counted(report.foreign, 'row')} of NetBox {verb} no concern of ours. " if report.foreign else ""
    if not (report.changes or report.ledger_diff):
        return f"{notes}{foreign}NetBox and the workspace agree.\n"
    written = "Written." if report.committed else "Nothing was written; --commit writes it."
    return f"{format_diff(LINES_FILE, report.changes)}{report.ledger_diff}{notes}{foreign}{written}\n"
