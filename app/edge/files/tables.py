"""CSV tables: a header that is checked, rows that know their line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.references import nearest
from app.edge.files.texts import Report, read_text, shown
from app.errors import Finding


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row that hold something, stripped, by column; `where` is `file:line` of its first line."""

    cells: dict[str, str]
    where: str


def read_table(path: Path, root: Path, report: Report, *, columns: Sequence[str], required: Sequence[str]) -> list[Row]:
    """Read a table whose header may hold `columns` and must hold `required`. Blank rows are skipped."""
    text = read_text(path, root, report)
    return [] if text is None else parse_table(text, shown(path, root), report, columns=columns, required=required)


def parse_table(text: str, name: str, report: Report, *, columns: Sequence[str], required: Sequence[str]) -> list[Row]:
    """Parse the text of a table called `name` in findings; a header with a fault yields no rows."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            where, line = f"{name}:{line}", reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                if not _judge_header(header, where, report, columns, required):
                    return []
            elif len(cells) != len(header):
                next_step = "Mend the commas; quote a cell that holds one."
                report(Finding(where, "row has another width than the header", f"{len(header)} cells", str(len(cells)), next_step))
            else:
                rows.append(Row({column: cell.strip() for column, cell in zip(header, cells, strict=True) if cell.strip()}, where))
    except csv.Error as error:
        report(Finding(f"{name}:{line}", "broken CSV", "comma-separated cells", str(error), "Mend the quotes of this row."))
    if header is None:
        report(Finding(f"{name}:1", "table has no header", ",".join(columns), "an empty file", "Begin the file with this header."))
    return rows


def _judge_header(header: Sequence[str], where: str, report: Report, columns: Sequence[str], required: Sequence[str]) -> bool:
    findings = [
        Finding(
            where,
            f"unknown column `{column}`",
            f"one of {', '.join(columns)}",
            f"`{column}`",
            nearest(column, columns, "Remove the column."),
        )
        for column in header
        if column not in columns
    ]
    findings += [
        Finding(
            where,
            f"column `{column}` is missing",
            f"a column `{column}`",
            ",".join(header),
            "Add the column to the header and to every row.",
        )
        for column in required
        if column not in header
    ]
    findings += [
        Finding(where, f"column `{column}` stands twice", "one", "two or more", "Remove all but one.")
        for column in sorted({column for column in header if header.count(column) > 1})
    ]
    for finding in findings:
        report(finding)
    return not findings
