"""Turn sheets into cells of the inventory: find the head row, name the columns, say which rows cannot be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.heads import READ_OVER, columns_by_head, squeezed
from app.core.references import nearest
from app.edge.files.sheets import Sheet, SheetRow
from app.edge.files.texts import Report
from app.errors import Finding

#: Titles may stand above the heads, in so many rows.
SEARCHED_ROWS = 10


@dataclass(frozen=True, slots=True)
class Named:
    """The rows of a sheet under the columns that its heads mean. `where` names the head row."""

    where: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, str]], ...]


def name_columns(
    sheet: Sheet, heads: Mapping[str, tuple[str, ...]], key: str, report: Report, *, others: bool = False
) -> Named | None:
    """Return the cells of each row by column, beside its place; None where the heads cannot be used, which is reported.

    The head row is the first of the first `SEARCHED_ROWS` in which a head means `key`. Cells past the last head must be empty.
    `others`: columns under heads that mean nothing to us are read over; else they are findings.
    """
    meant = columns_by_head(heads)
    over = {squeezed(head) for head in READ_OVER}
    head = next((row for row in sheet.rows[:SEARCHED_ROWS] if any(meant.get(squeezed(cell)) == key for cell in row.cells)), None)
    if head is None:
        known = " or ".join(f"`{name}`" for name in (*heads[key][:1], key))
        found = ", ".join(cell for cell in sheet.rows[0].cells if cell) if sheet.rows else "an empty sheet"
        step = "Give the columns the heads that docs/exchange.md lists."
        report(Finding(f"{sheet.name}:{sheet.rows[0].number if sheet.rows else 1}", "no head row", f"a column {known}", found, step))
        return None
    columns = [
        None if not cell or squeezed(cell) in over or (others and squeezed(cell) not in meant) else meant.get(squeezed(cell), cell)
        for cell in head.cells
    ]
    if not _judge_heads(sheet, head, columns, meant, heads, report):
        return None
    rows = tuple(
        (sheet.where(row), cells)
        for row in sheet.rows
        if row.number > head.number and (cells := _cells(sheet, row, columns, report)) is not None
    )
    return Named(sheet.where(head), tuple(column for column in columns if column), rows)


def _judge_heads(
    sheet: Sheet,
    head: SheetRow,
    columns: Sequence[str | None],
    meant: Mapping[str, str],
    heads: Mapping[str, tuple[str, ...]],
    report: Report,
) -> bool:
    findings = []
    first: dict[str, str] = {}
    for cell, column in zip(head.cells, columns, strict=True):
        if column is None:
            continue
        if squeezed(cell) not in meant:
            known = [word for name, words in heads.items() for word in (*words[:1], name)]
            step = nearest(cell, known, "Remove the column, or give it a head that docs/exchange.md lists.")
            expected = f"one of {', '.join(words[0] for words in heads.values())}"
            findings.append(Finding(sheet.where(head), f"unknown head `{cell}`", expected, f"`{cell}`", step))
        elif column in first:
            found = f"`{first[column]}` and `{cell}`"
            findings.append(Finding(sheet.where(head), f"two heads mean `{column}`", "one", found, "Remove one of the columns."))
        else:
            first[column] = cell
    for finding in findings:
        report(finding)
    return not findings


def _cells(sheet: Sheet, row: SheetRow, columns: Sequence[str | None], report: Report) -> dict[str, str] | None:
    beyond = [cell for cell in row.cells[len(columns) :] if cell]
    if beyond:
        step = "Move it under a head; in a CSV, quote a cell that holds a comma."
        report(Finding(sheet.where(row), "cells stand beyond the last head", f"{len(columns)} cells", ", ".join(beyond), step))
    cells = dict.fromkeys((column for column in columns if column), "")
    cells |= {column: cell for column, cell in zip(columns, row.cells, strict=False) if column}
    return cells if any(cells.values()) else None
