"""Documents as workbooks: one worksheet for what is said, one for each table, numbers as numbers, ready to print."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from app.core.document import Cell, Document, Grid, Heading, Paragraph
from app.edge.office.packages import settle

FACE, HEAD_FACE = "仿宋", "黑体"
#: Width of a printed line, in characters of a worksheet's column.
LINE = 118.0
#: The same of the sheet of sentences, which is printed upright.
FRONT_LINE = 84.0
#: Size in points of the letters that a column's width counts.
LETTER = 11.0
_HAIR = Side(style="thin", color="808080")
_SIDES = {"l": "left", "c": "center", "r": "right"}
_NOT_IN_TITLES = re.compile(r"[\\/*?:\[\]]")


def write_report_xlsx(document: Document) -> bytes:
    """Return the document's sentences and tables as a workbook with the same bytes for the same document. Pictures are left out."""
    book = Workbook()
    front = book.active
    assert isinstance(front, Worksheet)
    front.title = "说明" if document.language == "zh" else "About"
    _write_front(front, document)
    chapter = ""
    for block in document.blocks:
        if isinstance(block, Heading):
            chapter = block.text
        elif isinstance(block, Grid):
            named = block.caption or chapter
            sheet = book.create_sheet(_sheet_title(book, named or document.title_line))
            _write_grid(sheet, document, block, named)
    book.properties.creator, book.properties.title = "waiwang", document.title_line
    out = io.BytesIO()
    book.save(out)
    return settle(out.getvalue())


def _sheet_title(book: Workbook, wanted: str) -> str:
    """Return a title that a worksheet may have and none of this book has."""
    title = _NOT_IN_TITLES.sub(" ", wanted)[:28]
    number = 2
    found = title
    while found in book.sheetnames:
        found, number = f"{title} {number}", number + 1
    return found


def _write_front(sheet: Worksheet, document: Document) -> None:
    sheet.column_dimensions["A"].width = FRONT_LINE
    lines = [(document.title_line, Font(name=HEAD_FACE, size=16, bold=True))]
    lines += [(document.warning, Font(name=HEAD_FACE, size=10, color="B00000"))] if document.warning else []
    for block in document.blocks:
        if isinstance(block, Heading):
            lines.append((block.text, Font(name=HEAD_FACE, size=12, bold=True)))
        elif isinstance(block, Paragraph):
            lines.append((block.text, Font(name=FACE, size=11)))
    for row, (text, font) in enumerate(lines, start=1):
        cell = sheet.cell(row, 1)
        _set(cell, text)
        cell.font, cell.alignment = font, Alignment(wrap_text=True, vertical="top")
        size = float(font.size)
        sheet.row_dimensions[row].height = 5 + 1.35 * size * sum(_lines(part, FRONT_LINE * LETTER / size) for part in text.split("\n"))
    _print_setup(sheet, document.warning, landscape=False)


def _write_grid(sheet: Worksheet, document: Document, grid: Grid, named: str) -> None:
    """Write a table under its title and what it is named: head repeated on every page, the line filled, long texts wrapped."""
    columns = len(grid.head)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=columns)
    _set(sheet.cell(1, 1), f"{document.title_line}\n{named}" if named else document.title_line)
    sheet.cell(1, 1).font = Font(name=HEAD_FACE, size=14, bold=True)
    sheet.cell(1, 1).alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    sheet.row_dimensions[1].height = 46 if named else 30
    frame = Border(left=_HAIR, right=_HAIR, top=_HAIR, bottom=_HAIR)
    for row, cells in enumerate((grid.head, *grid.rows), start=2):
        for column, value in enumerate(cells, start=1):
            cell = sheet.cell(row, column)
            _set(cell, value)
            cell.border = frame
            place = "center" if row == 2 else _SIDES[grid.align[column - 1]]
            cell.alignment = Alignment(horizontal=place, vertical="center", wrap_text=True)
            cell.font = Font(name=HEAD_FACE if row == 2 else FACE, size=10.5, bold=row == 2)
            if row == 2:
                cell.fill = PatternFill("solid", start_color="EEEEEE")
    shares = _shares(grid.widths)
    for column, share in enumerate(shares, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = LINE * share
    for row, cells in enumerate((grid.head, *grid.rows), start=2):
        lines = max(_lines(value, LINE * share) for value, share in zip(cells, shares, strict=True))
        sheet.row_dimensions[row].height = 5 + 14.5 * lines
    sheet.freeze_panes = "A3"
    sheet.print_title_rows = "1:2"
    sheet.auto_filter.ref = f"A2:{get_column_letter(columns)}{len(grid.rows) + 2}"
    _print_setup(sheet, document.warning, landscape=True)


def _shares(widths: Sequence[float]) -> list[float]:
    return [width / sum(widths) for width in widths]


def _lines(value: Cell, width: float) -> int:
    """Return how many lines a text takes; Excel does not fit the height of rows that it did not write."""
    cells = sum(2 if ord(sign) > 0x2E7F else 1 for sign in str(value if value is not None else ""))
    return max(1, -(-cells // max(1, int(width - 1))))


def _print_setup(sheet: Worksheet, warning: str, *, landscape: bool) -> None:
    """Set up the page; that this is a simulation stands above each."""
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    if warning:
        sheet.oddHeader = HeaderFooterItem(center=_HeaderFooterPart(warning.replace("&", "&&"), size=9, color="B00000"))
    sheet.oddFooter = HeaderFooterItem(center=_HeaderFooterPart("&P / &N"))


def _set(cell: object, value: Cell) -> None:
    """Write a cell: numbers as numbers, texts never as formulas."""
    if isinstance(value, int | float):
        cell.value = value  # type: ignore[attr-defined]  # openpyxl's cells share no type with merged ones
        return
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if value else None  # type: ignore[attr-defined]  # as above
    if value:
        cell.data_type = "s"  # type: ignore[attr-defined]  # as above
