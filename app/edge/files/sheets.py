"""Sheets that offices hand over and take: XLSX, and CSV in UTF-8 (with or without byte order mark) or GB18030.

What a spreadsheet program would take for a formula is written so that it stays text, and read back as it was.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from app.core.formulas import FORMULA, guarded, unguarded
from app.core.heads import folded
from app.edge.files.texts import Report
from app.errors import Finding, InputError

#: A sheet larger than this is no roster.
LARGEST_BYTES = 20_000_000
LARGEST_UNPACKED_BYTES = 150_000_000
MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 200_000, 256, 4_000_000
XLSX_MAGIC, OLE_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
#: Spreadsheet programs keep 15 digits of a number.
EXACT_DIGITS = 15
#: What the reader of workbooks raises over bytes that are none; XML's own errors are SyntaxErrors.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    SyntaxError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,
)
_ROUNDED = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)
_PADDED = re.compile(r"0{2,}")
_WIDEST = 42


@dataclass(frozen=True, slots=True)
class SheetRow:
    """The cells of one row, stripped, line ends as LF; `number` is the row of a worksheet or the line of a text."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its file (and worksheet) as findings name it, and the rows that hold anything."""

    name: str
    title: str
    rows: tuple[SheetRow, ...]

    def where(self, row: SheetRow) -> str:
        return f"{self.name}:{row.number}"


def read_sheets(path: Path, report: Report, *, called: str | None = None) -> list[Sheet]:
    """Read every worksheet of a workbook that holds anything, or the one table of a text. What is wrong is reported.

    `called` names the file in findings, else its own name does.
    """
    name = called or path.name
    try:
        if path.stat().st_size > LARGEST_BYTES:
            found = f"{path.stat().st_size:,} bytes"
            report(Finding(name, "file is too large", f"at most {LARGEST_BYTES:,} bytes", found, "Export the rows alone, or in parts."))
            return []
        raw = path.read_bytes()
    except OSError as error:
        report(Finding(str(path), "file cannot be read", "a readable file", error.strerror or str(error), "Check its name and place."))
        return []
    if raw.startswith(OLE_MAGIC):
        step = "Save it as .xlsx without a password, or as CSV UTF-8."
        report(Finding(name, "file is an old or encrypted workbook", "XLSX or CSV", "an OLE file (.xls or protected)", step))
        return []
    return _read_workbook(raw, name, report) if raw.startswith(XLSX_MAGIC) else _read_text(raw, name, report)


def write_workbook(title: str, rows: Sequence[Sequence[str]], *, fill_in: Sequence[int] = ()) -> bytes:
    """Return a workbook with one worksheet. The first row is the head; every cell is text; `fill_in` columns are coloured.

    Raises:
        InputError: a cell holds a character that a workbook cannot.
    """
    _refuse_illegal(title, rows)
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = re.sub(r"[\\/*?:\[\]]", " ", title)[:31] or "Sheet"
    for number, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells, start=1):
            cell = sheet.cell(number, column)
            assert isinstance(cell, Cell)
            _set_text(cell, text)
            if number == 1:
                cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
            if column - 1 in fill_in:
                cell.fill = PatternFill("solid", start_color="FFF2CC")
    sheet.freeze_panes = "B2"
    for column, cells in enumerate(zip(*rows, strict=True), start=1):
        widest = max(sum(2 if ord(sign) > 0x2E7F else 1 for sign in text) for text in cells)
        sheet.column_dimensions[get_column_letter(column)].width = min(widest + 2, _WIDEST)
    _set_up_print(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _set_up_print(sheet: Worksheet) -> None:
    """Set up A4 on its side, all columns on one page's width, the head again on every page, pages numbered."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    sheet.oddFooter = HeaderFooterItem(center=_HeaderFooterPart("&P / &N"))


def write_office_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Return a CSV that spreadsheet programs open as it is meant: UTF-8 with byte order mark, CRLF, no formulas."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([[guarded(cell) for cell in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def write_plain_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Return a CSV for programs: UTF-8, LF, cells as they are."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def write_sheet(path: Path, content: bytes) -> None:
    """Write a file in one step; what stood there before is replaced.

    Raises:
        InputError: it cannot be written.
    """
    passing = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        passing.write_bytes(content)
        passing.replace(path)
    except OSError as error:
        passing.unlink(missing_ok=True)
        step = "Choose another file, or close it where it is open."
        finding = Finding(str(path), "file cannot be written", "a folder to write in", error.strerror or str(error), step)
        raise InputError([finding]) from error


def _set_text(cell: Cell, text: str) -> None:
    cell.value = text or None
    cell.number_format = "@"
    if text:
        cell.data_type = "s"
        cell.quotePrefix = bool(FORMULA.match(text))


def _refuse_illegal(title: str, rows: Sequence[Sequence[str]]) -> None:
    findings = []
    for number, row in enumerate(rows, start=1):
        for text in row:
            if found := ILLEGAL_CHARACTERS_RE.search(text):
                step = "Remove it from the inventory."
                what = "a workbook cannot hold a control character"
                findings.append(Finding(f"{title}:{number}", what, "printable text", f"{found.group()!r} in {text!r}", step))
    if findings:
        raise InputError(findings)


# --- texts


def _read_text(raw: bytes, name: str, report: Report) -> list[Sheet]:
    text, encoding = _decoded(raw)
    if text is None or "\0" in text:
        step = "Save it as CSV UTF-8, or as XLSX."
        report(Finding(name, "text is neither UTF-8 nor GB18030", "CSV in UTF-8 or GB18030", f"{len(raw):,} other bytes", step))
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[SheetRow] = []
    line = 1
    try:
        for cells in reader:
            number, line = line, reader.line_num + 1
            clean = tuple(map(folded, cells) if encoding == "utf-8" else (unguarded(folded(cell)) for cell in cells))
            if any(clean):
                rows.append(SheetRow(number, clean))
                if any(_ROUNDED.fullmatch(cell) for cell in clean):
                    report(_rounded(f"{name}:{number}", next(cell for cell in clean if _ROUNDED.fullmatch(cell))))
    except csv.Error as error:
        report(Finding(f"{name}:{line}", "broken CSV", "comma-separated cells", str(error), "Mend the quotes of this row."))
    return [Sheet(name, Path(name).stem, tuple(rows))]


def _decoded(raw: bytes) -> tuple[str | None, str]:
    """Return the text and its encoding. Plain UTF-8 comes from programs, the two others from spreadsheet programs."""
    for encoding in ("utf-8-sig" if raw.startswith(codecs.BOM_UTF8) else "utf-8", "gb18030"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None, ""


def _rounded(where: str, found: str) -> Finding:
    step = "Format the column as text, enter the whole number again, or take it from its source."
    return Finding(where, "a spreadsheet program has rounded a number", f"every digit (such programs keep {EXACT_DIGITS})", found, step)


# --- workbooks


def _read_workbook(raw: bytes, name: str, report: Report) -> list[Sheet]:
    with warnings.catch_warnings():
        # The reader warns of styles and extensions that it leaves out; none of them changes a cell.
        warnings.simplefilter("ignore")
        return _worksheets(raw, name, report)


def is_too_large(raw: bytes, name: str, report: Report) -> bool:
    """Tell whether a workbook would unpack to more than is ever read, which is reported. Raises one of `UNREADABLE` where it is none."""
    unpacked = sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(raw)).infolist())
    if unpacked > LARGEST_UNPACKED_BYTES:
        step = "Export the rows alone, or in parts."
        report(Finding(name, "workbook is too large", f"at most {LARGEST_UNPACKED_BYTES:,} bytes", f"{unpacked:,} bytes", step))
    return unpacked > LARGEST_UNPACKED_BYTES


def _worksheets(raw: bytes, name: str, report: Report) -> list[Sheet]:
    try:
        if is_too_large(raw, name, report):
            return []
        values = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        formulas = load_workbook(io.BytesIO(raw), read_only=True, data_only=False)
        sheets = []
        for sheet, written in zip(values.worksheets, formulas.worksheets, strict=True):
            sheet.reset_dimensions()
            written.reset_dimensions()
            called = f"{name}[{sheet.title}]" if len(values.worksheets) > 1 else name
            rows = tuple(_sheet_rows(sheet.iter_rows(), written.iter_rows(), called, report))
            if rows:
                sheets.append(Sheet(called, sheet.title, rows))
        return sheets
    except UNREADABLE as error:
        report(Finding(name, "workbook cannot be read", "an XLSX file", str(error) or type(error).__name__, "Save it again as .xlsx."))
        return []


def _sheet_rows(
    values: Iterator[tuple[object, ...]], formulas: Iterator[tuple[object, ...]], called: str, report: Report
) -> Iterator[SheetRow]:
    seen = 0
    for number, (cells, written) in enumerate(zip(values, formulas, strict=True), start=1):
        seen += len(cells)
        if len(cells) > MOST_COLUMNS or seen > MOST_CELLS:
            found, step = f"{len(cells):,} in this row, {seen:,} so far", "Remove empty columns, or hand the sheet over in parts."
            what, expected = "sheet is too wide", f"at most {MOST_COLUMNS} columns and {MOST_CELLS:,} cells"
            report(Finding(f"{called}:{number}", what, expected, found, step))
            return
        if number > MOST_ROWS:
            report(Finding(f"{called}:{number}", "sheet is too long", f"at most {MOST_ROWS:,} rows", "more", "Remove what is no row."))
            return
        texts = []
        for cell, as_written in zip(cells, written, strict=True):
            text, fault = _cell_text(cell, as_written)
            texts.append(text)
            if fault:
                place = f"cell {get_column_letter(len(texts))}{number}"
                report(Finding(f"{called}:{number}", f"{place} {fault[0]}", *fault[1:]))
        if any(texts):
            yield SheetRow(number, tuple(texts))


def _cell_text(cell: object, as_written: object) -> tuple[str, tuple[str, str, str, str] | None]:
    """Return a cell's text, and what is wrong with it: what, expected, found, next step."""
    value, kind = getattr(cell, "value", None), getattr(cell, "data_type", "n")
    if kind == "e":
        return "", ("holds an error", "a value", str(value), "Mend the formula, or enter the value.")
    if value is None:
        if getattr(as_written, "data_type", "n") == "f":
            found = str(getattr(as_written, "value", ""))
            return "", ("holds a formula without a result", "a value", found, "Open and save the workbook once, or paste as values.")
        return "", None
    if isinstance(value, bool):
        return ("yes" if value else "no"), None
    if isinstance(value, int | float):
        return _number_text(value, str(getattr(cell, "number_format", "")))
    if isinstance(value, datetime):
        return (value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat(" ")), None
    if isinstance(value, date):
        return value.isoformat(), None
    return folded(str(value)), None


def _number_text(value: float, number_format: str) -> tuple[str, tuple[str, str, str, str] | None]:
    if abs(value) >= 10**EXACT_DIGITS:
        fault = _rounded("", f"{value:.0f}")
        return "", ("was rounded by a spreadsheet program", fault.expected, fault.found, fault.next_step)
    text = str(int(value)) if value == int(value) else repr(value)
    return (text.zfill(len(number_format)) if _PADDED.fullmatch(number_format) and text.isdigit() else text), None
