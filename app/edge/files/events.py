"""Read reports of units from a table: CSV (UTF-8, with or without a byte order mark) or XLSX, with Chinese or English heads."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from openpyxl import load_workbook
from pydantic import BeforeValidator, Field

from app.core.events import UnitEvent
from app.edge.files.explain import parse_row, wanted
from app.edge.files.order_schema import Text
from app.edge.files.rows_schema import Cells, YesNo
from app.edge.files.sheets import LARGEST_BYTES, MOST_ROWS, UNREADABLE, is_too_large
from app.edge.files.tables import Row, parse_table
from app.edge.files.texts import Report, read_text, shown
from app.errors import Finding

#: Chinese head → name of the column.
HEADS = {
    "对象": "subject",
    "单位编号": "subject",
    "事项": "event",
    "发生日期": "observed_on",
    "登记角色": "by_role",
    "依据文件": "document",
    "分值": "amount",
    "撤回": "withdrawn",
}
COLUMNS = ("subject", "event", "observed_on", "by_role", "document", "amount", "withdrawn")


def _day_or_moment(value: object) -> object:
    text = value if isinstance(value, str) else ""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass
    raise wanted("a date such as 2008-04-18, or a moment with its offset such as 2008-04-18T09:30:00+08:00")


def _chinese_yes_no(value: object) -> object:
    return {"是": "yes", "否": "no"}.get(value, value) if isinstance(value, str) else value


class EventCells(Cells):
    """One report. A day without a time counts from its first moment in the order's zone."""

    subject: Annotated[str, Field(pattern=r"^\S{1,64}$")]
    event: Annotated[str, Field(pattern=r"^\S{1,64}$")]
    observed_on: Annotated[date | datetime, BeforeValidator(_day_or_moment)]
    by_role: Text
    document: Text
    amount: float | None = None
    withdrawn: Annotated[YesNo, BeforeValidator(_chinese_yes_no)] = False

    def value(self, zone: ZoneInfo, recorded_at: datetime, where: str) -> UnitEvent:
        return UnitEvent(
            self.subject,
            self.event,
            start_of(self.observed_on, zone),
            recorded_at,
            self.by_role,
            self.document,
            self.amount,
            holds=not self.withdrawn,
            where=where,
        )


@dataclass(frozen=True, slots=True)
class EventReading:
    """The rows that could be read, and how many the table has."""

    events: tuple[UnitEvent, ...]
    rows: int


def start_of(day: date | datetime, zone: ZoneInfo) -> datetime:
    """Return the moment that a report names: the first of a civil day in this zone, or the moment itself."""
    return day if isinstance(day, datetime) else datetime.combine(day, time.min, tzinfo=zone)


def read_events(path: Path, zone: ZoneInfo, recorded_at: datetime, report: Report) -> EventReading:
    """Read every row of a table; what is wrong with one is reported and the row left out."""
    rows = _read_sheet(path, report) if path.suffix.lower() in (".xlsx", ".xlsm") else _read_csv(path, report)
    parsed = [(row, parse_row(EventCells, row, report, called="event")) for row in rows]
    events = tuple(cells.value(zone, recorded_at, row.where) for row, cells in parsed if cells is not None)
    return EventReading(events, len(rows))


def _read_csv(path: Path, report: Report) -> list[Row]:
    text = read_text(path, path.parent, report)
    return [] if text is None else _rows(text, path.name, report)


def _rows(text: str, name: str, report: Report) -> list[Row]:
    """Parse a table whose first row may be Chinese, English or both mixed."""
    rows = parse_table(_english(text), name, report, columns=COLUMNS, required=COLUMNS[:5])
    return [Row(row.cells, row.where) for row in rows]


def _english(text: str) -> str:
    """Return the table with its first row in the names of the columns; line numbers stay as they are."""
    head, newline, rest = text.partition("\n")
    try:
        cells = next(csv.reader([head.rstrip("\r")], strict=True), [])
    except csv.Error:
        return text
    return _csv_line([HEADS.get(cell.strip(), cell) for cell in cells]) + (newline and "\n") + rest


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def _read_sheet(path: Path, report: Report) -> list[Row]:
    """Read the first sheet of a workbook; cells are read as they show, days as ISO dates, formulas by their last value."""
    name = shown(path, path.parent)
    try:
        if (size := path.stat().st_size) > LARGEST_BYTES:
            step = "Export the rows alone, or in parts."
            report(Finding(name, "file is too large", f"at most {LARGEST_BYTES:,} bytes", f"{size:,} bytes", step))
            return []
        raw = path.read_bytes()
        if is_too_large(raw, name, report):
            return []
        rows = load_workbook(io.BytesIO(raw), read_only=True, data_only=True).worksheets[0].iter_rows(values_only=True)
        lines = [[_shown_cell(value) for value in row] for row in islice(rows, MOST_ROWS + 1)]
    except FileNotFoundError:
        report(Finding(name, "file is missing", "a readable file", "nothing there", "Check the path."))
        return []
    except UNREADABLE:
        report(Finding(name, "file is no workbook", "an XLSX workbook", "something else", "Save it as .xlsx, or as CSV UTF-8."))
        return []
    if len(lines) > MOST_ROWS:
        report(Finding(name, "sheet is too long", f"at most {MOST_ROWS:,} rows", "more", "Remove what is no row."))
        return []
    width = max((index + 1 for line in lines[:1] for index, cell in enumerate(line) if cell), default=0)
    return _rows("\n".join(_csv_line([cell.replace("\n", " ") for cell in line[:width]]) for line in lines), name, report)


def _shown_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
