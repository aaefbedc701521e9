"""Exchange: take units, devices, lines and VPNs on lines from office sheets into the inventory, and hand them out again."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from app.core.heads import CALLED, HEADS, KEYS, Vocabulary, named, vocabulary, with_units
from app.core.references import nearest
from app.core.rows import Merged, RowChange, format_diff, merge_rows, records
from app.edge.files import judge_workspace
from app.edge.files.inbound import name_columns
from app.edge.files.replace import locked_folders, replaced
from app.edge.files.sheets import Sheet, read_sheets
from app.edge.files.texts import Report, read_text
from app.errors import ExitCode, Finding, InputError, counted
from app.workflows.check import check

#: Names of worksheets in a workbook that holds several tables.
SHEET_TITLES = {
    "units": ("单位", "units"),
    "devices": ("设备", "devices"),
    "lines": ("线路", "lines"),
    "vpn_lines": ("线路VPN", "vpn_lines"),
}
#: Tables that a workspace may do without; their first row makes the file.
OPTIONAL = ("vpn_lines",)
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One row to be taken: its table, its key, the cells that its sheet gives, and its place there."""

    table: str
    key: str
    cells: Mapping[str, str]
    where: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changes (by file), and which rows were left out because of which findings."""

    changes: Mapping[str, tuple[RowChange, ...]]
    rejected: tuple[Finding, ...]
    read: int
    notes: tuple[Finding, ...]
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        """INPUT where rows were left out, else PENDING while changes are shown and not written."""
        if self.rejected:
            return ExitCode.INPUT
        return ExitCode.PENDING if self.changes and not self.committed else ExitCode.OK

    @property
    def added(self) -> int:
        return sum(change.before is None for changes in self.changes.values() for change in changes)

    @property
    def changed(self) -> int:
        return sum(len(changes) for changes in self.changes.values()) - self.added


@dataclass(slots=True)
class Reading:
    """Rows as far as they could be read; `faults` by the row that they spoil, `blocking` spoil a whole file."""

    rows: list[Incoming] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    blocking: list[Finding] = field(default_factory=list)


def import_tables(
    root: Path, sources: Sequence[tuple[str, Path]], *, commit: bool, today: date, skip_rejected: bool = False
) -> ImportReport:
    """Lay the rows of sheets over the inventory; write it only on `commit`, and only where the whole passes the check.

    `sources` are pairs of a table (units, devices, lines, vpn_lines; `all` for a workbook with a sheet for each) and a file. They are
    judged together: a new unit needs its line, the line its devices. Columns that a sheet lacks keep their cells.

    Raises:
        InputError: with every finding; with `skip_rejected` only for what is not the fault of single rows.
    """
    reading = _read(sources, _vocabulary(root))
    if not commit:
        return judge(root, reading, today, skip_rejected)[0]
    with locked_folders(root / "ipplan", root / "inventory"):
        report, files = judge(root, reading, today, skip_rejected)
        with replaced(root, files):
            return ImportReport(report.changes, report.rejected, report.read, report.notes, committed=True)


def _vocabulary(root: Path) -> Vocabulary:
    """Return the words of the workspace, as far as it can be read: an import may be what mends it."""
    found = judge_workspace(root).fragments
    return vocabulary(found.order, found.inventory)


# --- reading


def _read(sources: Sequence[tuple[str, Path]], words: Vocabulary) -> Reading:
    reading = Reading()
    names = Counter(path.name for path in {path for _, path in sources})
    for table, path in sources:
        faults: list[Finding] = []
        sheets = read_sheets(path, faults.append, called=path.name if names[path.name] == 1 else str(path))
        places: set[str] = set()
        for chosen, sheet in _chosen(table, sheets, path, reading.blocking):
            found = name_columns(sheet, HEADS[chosen], KEYS[chosen][0], faults.append)
            if found is None:
                continue
            places |= {where for where, _ in found.rows}
            reading.rows += [Incoming(chosen, named(chosen, row), row, where) for where, row in found.rows]
        reading.faults += [fault for fault in faults if fault.where in places]
        reading.blocking += [fault for fault in faults if fault.where not in places]
    reading.faults += _find_unnamed(reading.rows)
    units = [(row.cells.get("name", ""), row.key) for row in reading.rows if row.table == "units"]
    known = with_units(words, units)
    reading.rows = [
        replace(row, cells={column: known.cell(row.table, column, cell) for column, cell in row.cells.items()}) for row in reading.rows
    ]
    return reading


def _chosen(table: str, sheets: Sequence[Sheet], path: Path, blocking: list[Finding]) -> list[tuple[str, Sheet]]:
    """Return the worksheets to read, each with its table."""
    titles = {title.lower(): name for name, known in SHEET_TITLES.items() for title in known}
    by_title = [(titles[sheet.title.strip().lower()], sheet) for sheet in sheets if sheet.title.strip().lower() in titles]
    if table == "all":
        if sheets and not by_title:
            expected = "worksheets " + ", ".join(known[0] for known in SHEET_TITLES.values())
            found = ", ".join(sheet.title for sheet in sheets)
            blocking.append(Finding(path.name, "no worksheet of the inventory", expected, found, "Name the worksheets so."))
        return by_title
    own = [(name, sheet) for name, sheet in by_title if name == table]
    if own or len(sheets) <= 1:
        return own or [(table, sheet) for sheet in sheets]
    found = ", ".join(sheet.title for sheet in sheets)
    step = "Rename the worksheet, or save it as a file of its own."
    expected = f"one sheet, or one named {SHEET_TITLES[table][0]}"
    blocking.append(Finding(path.name, f"which worksheet holds the {table}", expected, found, step))
    return []


def _find_unnamed(rows: Iterable[Incoming]) -> list[Finding]:
    """Return findings for rows without key, and for keys that two rows claim."""
    findings = []
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        called, keys = CALLED[row.table], KEYS[row.table]
        heads = [HEADS[row.table][key][0] for key in keys]
        if not row.key:
            step = "Fill it in; without it nobody can tell a change from a new row."
            findings += [
                Finding(row.where, f"{called} without `{key}`", f"a value under {head}", "nothing", step)
                for key, head in zip(keys, heads, strict=True)
                if not row.cells.get(key, "").strip()
            ]
        elif (row.table, row.key) in first:
            found, expected = f"another at {first[row.table, row.key]}", f"one row per {' and '.join(heads)}"
            findings.append(Finding(row.where, f"{called} {row.key} stands twice", expected, found, "Remove one of them."))
        else:
            first[row.table, row.key] = row.where
    return findings


# --- judging


def judge(root: Path, reading: Reading, today: date, skip_rejected: bool) -> tuple[ImportReport, dict[str, bytes]]:
    """Return what the import would change, and the bytes to write.

    Raises: InputError with every finding that stands in the way.
    """
    tables = sorted({row.table for row in reading.rows})
    findings = list(reading.blocking)
    texts = {table: text for table in tables if (text := _table_text(root, table, findings.append)) is not None}
    if findings:
        raise InputError(in_order([*findings, *reading.faults]))
    rejected = list(reading.faults)
    spoilt = {fault.where for fault in rejected}
    while True:
        rows = [row for row in reading.rows if row.where not in spoilt]
        merged = {table: merge(table, texts[table], rows) for table in tables}
        checked = check(root, today=today, instead={f"inventory/{table}.csv": merge.text for table, merge in merged.items()})
        own, others = attributed(checked.findings, rows, merged)
        rejected += own
        if not own or not skip_rejected:
            break
        spoilt |= {finding.where for finding in own}
    if others or (rejected and not skip_rejected):
        raise InputError(in_order([*rejected, *others]))
    changes = {f"inventory/{table}.csv": merge.changes for table, merge in merged.items() if merge.changes}
    files = {name: encoded(root / name, merged[Path(name).stem].text) for name in changes}
    return ImportReport(changes, tuple(in_order(rejected)), len(reading.rows), checked.notes, committed=False), files


def _table_text(root: Path, table: str, report: Report) -> str | None:
    """Return a table's text; an optional one that is not there yet is its header alone."""
    path = root / "inventory" / f"{table}.csv"
    if table in OPTIONAL and not path.exists():
        return ",".join(HEADS[table]) + "\n"
    return read_text(path, root, report)


def merge(table: str, text: str, rows: Sequence[Incoming]) -> Merged:
    keys, where, step = KEYS[table], f"inventory/{table}.csv:1", "Mend the file; `waiwang check` says more."
    try:
        header = [cell.strip() for cell in next((record.cells for record in records(text) if not record.is_blank), ())]
        found = ",".join(header) or "nothing"
        missing = [
            Finding(where, f"column `{key}` is missing", f"a header with `{key}`", found, nearest(key, header, step))
            for key in keys
            if key not in header
        ]
        if missing:
            raise InputError(missing)
        return merge_rows(text, keys, {row.key: row.cells for row in rows if row.table == table})
    except csv.Error as error:
        finding = Finding(f"inventory/{table}.csv", "broken CSV", "comma-separated cells", str(error), "`waiwang check` names the line.")
        raise InputError([finding]) from error


def attributed(
    findings: Iterable[Finding], rows: Sequence[Incoming], merged: Mapping[str, Merged]
) -> tuple[list[Finding], list[Finding]]:
    """Part findings into those on rows that the sheets gave (placed there), and all others."""
    sources = {
        f"inventory/{row.table}.csv:{merged[row.table].lines[row.key]}": row.where for row in rows if row.key in merged[row.table].lines
    }
    own, others = [], []
    for finding in findings:
        where = sources.get(finding.where)
        if where is None:
            others.append(finding)
        else:
            own.append(Finding(where, finding.what, finding.expected, finding.found, finding.next_step))
    return own, others


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    def place(finding: Finding) -> tuple[str, int]:
        file, _, line = finding.where.rpartition(":")
        return (file, int(line)) if line.isdigit() else (finding.where, 0)

    return sorted(dict.fromkeys(findings), key=place)


def encoded(path: Path, text: str) -> bytes:
    """Return a table's bytes, with the byte order mark where the file has one."""
    marked = path.exists() and path.read_bytes().startswith(BOM)
    return (BOM if marked else b"") + text.encode("utf-8")


def format_import(report: ImportReport) -> str:
    """Return the diff, the rows that were left out, and one line of totals."""
    diffs = [format_diff(name, changes) for name, changes in report.changes.items()]
    lines = [f"rejected {finding}" for finding in report.rejected]
    rows = len({finding.where for finding in report.rejected})
    same = report.read - rows - report.added - report.changed
    totals = f"{counted(report.read, 'row')} read: {report.added} new, {report.changed} changed, {same} as they are, {rows} rejected."
    if report.changes:
        totals += " Written." if report.committed else " Nothing was written; --commit writes it."
    return "".join(diffs) + "\n".join([*lines, totals]) + "\n"


def export_rows(root: Path, table: str, *, office: bool) -> list[list[str]]:
    """Return a table with its heads, as it stands in the inventory; `office` gives Chinese heads.

    Raises: InputError where the workspace does not pass the check.
    """
    judged = judge_workspace(root)
    if judged.workspace is None:
        raise InputError(judged.findings)
    findings: list[Finding] = []
    text = _table_text(root, table, findings.append)
    assert text is not None  # it was judged a moment ago
    rows = [[cell.strip() for cell in record.cells] for record in records(text) if not record.is_blank]
    heads = [HEADS[table][column][0] if office else column for column in rows[0]]
    return [heads, *rows[1:]]
