"""Build confirmation.docx, the template of 《专线接入确认单》 that docxtpl fills. Run it after a change here, and commit both.

    python templates/reports/build_confirmation_docx.py [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

from docx import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

#: The faces of GB/T 9704 that Windows readers have; the Latin face beside them.
TITLE_FACE, HEAD_FACE, BODY_FACE, LATIN_FACE = "方正小标宋简体", "黑体", "仿宋_GB2312", "Times New Roman"


def build(path: Path) -> None:
    """Write the template to `path`."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = Mm(20), Mm(18), Mm(22), Mm(22)
    normal = document.styles["Normal"]
    normal.font.size, normal.font.name = Pt(10.5), LATIN_FACE
    normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), BODY_FACE)
    normal.paragraph_format.space_after = Pt(0)
    write(document.add_paragraph(), "{{ title }}", TITLE_FACE, 20, WD_ALIGN_PARAGRAPH.CENTER).paragraph_format.space_after = Pt(6)
    document.add_paragraph("{%p if simulation %}")
    write(document.add_paragraph(), "{{ simulation }}", HEAD_FACE, 9.5, colour=RGBColor(0xB0, 0, 0))
    document.add_paragraph("{%p endif %}")
    write(document.add_paragraph(), "{{ number }}", BODY_FACE, 9)
    write(document.add_paragraph(), "{{ basis }}", BODY_FACE, 9).paragraph_format.space_after = Pt(4)
    facts(document.add_table(rows=3, cols=4))
    document.add_paragraph().paragraph_format.line_spacing = Pt(6)
    criteria(document.add_table(rows=4, cols=4))
    conclusion = write(document.add_paragraph(), "{{ conclusion }}", BODY_FACE, 10.5)
    conclusion.paragraph_format.first_line_indent = Pt(21)
    conclusion.paragraph_format.space_before = conclusion.paragraph_format.space_after = Pt(6)
    parties(document.add_table(rows=4, cols=3))
    notes = write(document.add_paragraph(), "{{ notes_head }}", HEAD_FACE, 9)
    notes.paragraph_format.space_before = Pt(6)
    document.add_paragraph("{%p for note in notes %}")
    write(document.add_paragraph(), "{{ loop.index }}. {{ note }}", BODY_FACE, 9)
    document.add_paragraph("{%p endfor %}")
    number_pages(section.footer.paragraphs[0])
    document.core_properties.author = document.core_properties.title = ""
    document.save(str(path))


def number_pages(paragraph: Paragraph) -> None:
    """Write the page and how many there are, as in the PDF."""
    for before, instruction in (("", "PAGE"), (" / ", "NUMPAGES")):
        if before:
            write(paragraph, before, BODY_FACE, 9)
        field, run = OxmlElement("w:fldSimple"), OxmlElement("w:r")
        field.set(qn("w:instr"), instruction)
        text = OxmlElement("w:t")
        text.text = "1"
        run.append(text)
        field.append(run)
        paragraph._p.append(field)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def facts(table: Table) -> None:
    frame(table, (30, 54, 28, 54))
    table.rows[0].cells[0].text = "{%tr for row in facts %}"
    for place, cell in enumerate(table.rows[1].cells):
        write(cell.paragraphs[0], f"{{{{ row[{place}] }}}}", HEAD_FACE if place % 2 == 0 else BODY_FACE, 10)
    table.rows[2].cells[0].text = "{%tr endfor %}"


def criteria(table: Table) -> None:
    frame(table, (38, 58, 52, 18))
    for place, cell in enumerate(table.rows[0].cells):
        write(cell.paragraphs[0], f"{{{{ criteria_head[{place}] }}}}", HEAD_FACE, 10, WD_ALIGN_PARAGRAPH.CENTER)
        shade(cell)
    repeat(table)
    table.rows[1].cells[0].text = "{%tr for row in criteria %}"
    for place, cell in enumerate(table.rows[2].cells):
        centred = WD_ALIGN_PARAGRAPH.CENTER if place == 3 else WD_ALIGN_PARAGRAPH.LEFT
        write(cell.paragraphs[0], f"{{{{ row[{place}] }}}}", BODY_FACE, 10.5, centred)
    table.rows[3].cells[0].text = "{%tr endfor %}"


def parties(table: Table) -> None:
    frame(table, (55.3, 55.3, 55.4))
    whole = table.rows[0].cells[0].merge(table.rows[0].cells[2])
    write(whole.paragraphs[0], "{{ opinion }}", HEAD_FACE, 10, WD_ALIGN_PARAGRAPH.CENTER)
    shade(whole)
    for place, cell in enumerate(table.rows[1].cells):
        write(cell.paragraphs[0], f"{{{{ parties[{place}].title }}}}", HEAD_FACE, 10, WD_ALIGN_PARAGRAPH.CENTER)
    for place, cell in enumerate(table.rows[2].cells):
        write(cell.paragraphs[0], f"{{{{ parties[{place}].standing }}}}", HEAD_FACE, 10.5)
        cell.add_paragraph(f"{{%p for said in parties[{place}].lines %}}")
        write(cell.add_paragraph(), "{{ said }}", BODY_FACE, 9)
        cell.add_paragraph("{%p endfor %}")
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.TOP
        edge(cell, "bottom")
    for place, cell in enumerate(table.rows[3].cells):
        sign = write(cell.paragraphs[0], f"{{{{ parties[{place}].sign }}}}", BODY_FACE, 9, WD_ALIGN_PARAGRAPH.CENTER)
        sign.paragraph_format.space_before = Pt(26)
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.BOTTOM
        edge(cell, "top")
        write(cell.add_paragraph(), f"{{{{ parties[{place}].date }}}}", BODY_FACE, 9.5, WD_ALIGN_PARAGRAPH.RIGHT)
    for row in table.rows:
        keep = OxmlElement("w:cantSplit")
        row._tr.get_or_add_trPr().append(keep)


def write(
    paragraph: Paragraph,
    text: str,
    face: str,
    size: float,
    alignment: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.LEFT,
    colour: RGBColor | None = None,
) -> Paragraph:
    """Write a run with its Chinese face named: a cell without one falls back to whatever the reader has."""
    run = paragraph.add_run(text)
    run.font.size, run.font.name = Pt(size), LATIN_FACE
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
    if colour is not None:
        run.font.color.rgb = colour
    paragraph.alignment = alignment
    return paragraph


def frame(table: Table, widths_mm: tuple[float, ...]) -> None:
    """Set the columns (twice: Word reads the cells, others the grid), and some air above and below every text."""
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths_mm, strict=True):
            cell.width = Mm(width)
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    margins = OxmlElement("w:tblCellMar")
    for side, twips in (("top", 45), ("left", 90), ("bottom", 45), ("right", 90)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.append(margins)


def shade(cell: _Cell) -> None:
    fill = OxmlElement("w:shd")
    fill.set(qn("w:val"), "clear")
    fill.set(qn("w:fill"), "F0F0F0")
    cell._tc.get_or_add_tcPr().append(fill)


def edge(cell: _Cell, side: str) -> None:
    """Take one edge of a cell away: what is signed stands in one field with what was said."""
    borders, line = OxmlElement("w:tcBorders"), OxmlElement(f"w:{side}")
    line.set(qn("w:val"), "nil")
    borders.append(line)
    cell._tc.get_or_add_tcPr().append(borders)


def repeat(table: Table) -> None:
    """Let the head stand again on the next page."""
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("confirmation.docx"))
