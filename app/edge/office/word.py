"""Documents of `app.core.document` as docx, for those who edit them: the faces of GB/T 9704, styles by name."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from html import escape

from docx import Document as open_docx
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.section import Section
from docx.shared import Length, Mm, Pt, RGBColor
from docx.table import Table
from docx.text.paragraph import Paragraph as DocxParagraph

from app.core.document import Annex, Document, Grid, Heading, Paragraph, Picture, Signature, cell_text
from app.edge.office.packages import settle
from app.edge.office.reports import draw_png

#: The faces of GB/T 9704 that Windows readers have, and the Latin face beside them.
TITLE_FACE, HEAD_FACE, SECTION_FACE, BODY_FACE, LATIN_FACE = "方正小标宋简体", "黑体", "楷体_GB2312", "仿宋_GB2312", "Times New Roman"
PAGE_FACE = "宋体"
_SIDES = {"l": "left", "c": "center", "r": "right"}
_SHADE = '<w:shd w:val="clear" w:fill="EEEEEE"/>'
#: What XML cannot hold.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Margins in mm: top, bottom, left, right.
_MARGINS = {"circular": (37, 35, 28, 26), "report": (20, 18, 18, 18)}
_LANDSCAPE = (28, 26, 25, 25)
#: Sizes in points by style: of a circular, of a report.
_SIZES = {
    "Title": (22, 18),
    "Mark": (16, 10.5),
    "Body": (16, 10.5),
    "Chapter": (16, 12),
    "Section": (16, 10.5),
    "Note": (9, 8.5),
    "Cell": (9.5, 8.5),
}
_FACES = {"Title": TITLE_FACE, "Chapter": HEAD_FACE, "Section": SECTION_FACE}
PREFIX = "Report "
#: Letters between the day under a signature and the margin.
DAY_INSET = 4


def write_report_docx(document: Document) -> bytes:
    """Return the document as docx: same document, same bytes.

    Raises:
        InputError: it holds pictures, and the fonts to draw them are not installed.
    """
    docx = open_docx()
    _prepare(docx, document)
    for block in document.blocks:
        match block:
            case Heading():
                _add(docx, block.text, "Chapter" if block.level == 1 else "Section")
            case Paragraph():
                _paragraph(docx, document, block)
            case Grid():
                _grid(docx, document, block)
            case Picture():
                _picture(docx, document, block)
            case Signature():
                _signature(docx, block)
            case Annex():
                _annex(docx, document, block)
    _keep_signature(docx, document)
    out = io.BytesIO()
    docx.save(out)
    return settle(out.getvalue())


def _prepare(docx: Docx, document: Document) -> None:
    """Set the page, the styles, and what stands above the text."""
    section = docx.sections[0]
    _turn(section, landscape=document.landscape)
    margins = _MARGINS[document.look]
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = (Mm(size) for size in margins)
    _styles(docx, document)
    _page_numbers(docx, document)
    docx.core_properties.author, docx.core_properties.title, docx.core_properties.comments = "", document.title_line, ""
    if document.warning:
        _warn(docx, document)
    if document.mark:
        _add(docx, document.mark, "Mark")
    _add(docx, document.title, "Title")
    if document.addressee:
        _add(docx, document.addressee, "Plain")


def _styles(docx: Docx, document: Document) -> None:
    official = document.look == "circular"
    sizes = {name: Pt(both[0 if official else 1]) for name, both in _SIZES.items()}
    if official and document.language != "zh":
        sizes |= {"Body": Pt(12), "Chapter": Pt(12), "Section": Pt(12), "Title": Pt(18), "Mark": Pt(12), "Cell": Pt(8.5)}
    sizes |= {"Plain": sizes["Body"], "Caption": sizes["Chapter"], "Head": sizes["Cell"]}
    for name, size in sizes.items():
        style = docx.styles.add_style(PREFIX + name, WD_STYLE_TYPE.PARAGRAPH)
        style.font.size, style.font.name = size, LATIN_FACE
        face = HEAD_FACE if name in ("Head", "Caption") else _FACES.get(name, BODY_FACE)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
        form = style.paragraph_format
        form.space_after = form.space_before = Pt(0)
        form.widow_control = True
        if official and name in ("Body", "Plain", "Chapter", "Section"):
            form.line_spacing = Pt(28) if document.language == "zh" else Pt(20)
        if document.language == "zh" and (name == "Body" or (official and name in ("Chapter", "Section"))):
            form.first_line_indent = 2 * size
        if name in ("Title", "Mark", "Caption"):
            form.alignment = WD_ALIGN_PARAGRAPH.CENTER
            form.space_after = Pt(12)
        if name in ("Chapter", "Section", "Caption"):
            form.keep_with_next = True
            style.font.bold = not official or document.language != "zh"
        if official and document.language != "zh" and name in ("Body", "Chapter", "Section"):  # no indent tells paragraphs apart
            form.space_before = Pt(10) if name == "Chapter" else Pt(6)
        if official and name == "Note":
            form.space_before = Pt(4)
        if not official and name in ("Chapter", "Section", "Body", "Plain", "Note"):
            form.space_before = Pt(8) if name == "Chapter" else Pt(3)
            form.space_after = Pt(3)


def _add(docx: Docx, text: str, style: str) -> DocxParagraph:
    return docx.add_paragraph(text, style=PREFIX + style)


def _annex(docx: Docx, document: Document, block: Annex) -> None:
    """Begin an annex on pages of its own, on their side where its table is wide."""
    section = docx.add_section(WD_SECTION.NEW_PAGE)
    _turn(section, landscape=block.landscape)
    top, bottom, left, right = _LANDSCAPE if block.landscape else _MARGINS[document.look]
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = Mm(top), Mm(bottom), Mm(left), Mm(right)
    mark = _add(docx, block.mark, "Chapter")
    mark.paragraph_format.first_line_indent = Pt(0)
    _add(docx, block.title, "Caption")


def _turn(section: Section, *, landscape: bool) -> None:
    """Give a section A4 pages, upright or on their side."""
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Mm(297), Mm(210)) if landscape else (Mm(210), Mm(297))


def _line_width(docx: Docx) -> Length:
    """Return how wide a line is where the document ends now."""
    section = docx.sections[-1]
    edges = (section.left_margin, section.right_margin)
    return Length((section.page_width or 0) - sum(edge or 0 for edge in edges))


def _paragraph(docx: Docx, document: Document, block: Paragraph) -> None:
    style = {"plain": "Plain", "note": "Note"}.get(block.style, "Body")
    added = _add(docx, block.text, style)
    if block.style == "annexes":
        added.paragraph_format.space_before = Pt(14)
        if document.language == "zh":  # the annexes stand under each other
            size = docx.styles[PREFIX + "Body"].font.size
            added.paragraph_format.left_indent, added.paragraph_format.first_line_indent = 2 * size, Pt(0)


def _signature(docx: Docx, block: Signature) -> None:
    """Put issuer and day at the right, with room for the seal: the day ends four letters before the margin, the issuer is centred
    over it (GB/T 9704) as far as a line of text can.
    """
    wider = max(0, len(block.body) - len(block.day)) // 2
    insets = (max(0, DAY_INSET - wider), max(DAY_INSET, wider))
    for number, text in enumerate((block.body, block.day)):
        added = _add(docx, text, "Plain")
        added.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        added.paragraph_format.keep_with_next = number == 0
        size = docx.styles[PREFIX + "Body"].font.size
        added.paragraph_format.right_indent = insets[number] * size
        if number == 0:
            added.paragraph_format.space_before = Pt(28)


def _keep_signature(docx: Docx, document: Document) -> None:
    """Keep the last chapter on one page with the signature: none stands on a page without text."""
    if not any(isinstance(block, Signature) for block in document.blocks):
        return
    styles = [paragraph.style.name if paragraph.style else "" for paragraph in docx.paragraphs]
    signed = next(place for place, paragraph in enumerate(docx.paragraphs) if paragraph.alignment == WD_ALIGN_PARAGRAPH.RIGHT)
    chapters = [place for place in range(signed) if styles[place] == f"{PREFIX}Chapter"]
    for paragraph in docx.paragraphs[chapters[-1] if chapters else 0 : signed + 1]:
        paragraph.paragraph_format.keep_with_next = True


def _picture(docx: Docx, document: Document, block: Picture) -> None:
    added = _add(docx, "", "Plain")
    added.alignment, added.paragraph_format.keep_with_next = WD_ALIGN_PARAGRAPH.CENTER, True
    added.paragraph_format.first_line_indent = Pt(0)
    added.paragraph_format.line_spacing = 1.0
    shape = added.add_run().add_picture(io.BytesIO(draw_png(block.svg)), width=Length(int(_line_width(docx) * block.width)))
    shape._inline.docPr.set("descr", block.text)
    _add(docx, block.caption, "Head").alignment = WD_ALIGN_PARAGRAPH.CENTER


def _grid(docx: Docx, document: Document, grid: Grid) -> None:
    if grid.caption:
        caption = _add(docx, grid.caption, "Head")
        caption.alignment, caption.paragraph_format.keep_with_next = WD_ALIGN_PARAGRAPH.CENTER, True
        caption.paragraph_format.space_before = caption.paragraph_format.space_after = Pt(6)
    table = docx.add_table(rows=0, cols=len(grid.head))
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    line = _line_width(docx)
    widths = [Length(int(line * share / sum(grid.widths))) for share in grid.widths]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    names = {name: docx.styles[PREFIX + name].style_id for name in ("Head", "Cell")}
    for row in (grid.head, *grid.rows):
        head = row is grid.head
        cells = [_cell(cell_text(text), names, side, width, head=head) for text, side, width in zip(row, grid.align, widths, strict=True)]
        marks = "<w:cantSplit/><w:tblHeader/>" if head else "<w:cantSplit/>"
        table._tbl.append(parse_xml(f"<w:tr {nsdecls('w')}><w:trPr>{marks}</w:trPr>{''.join(cells)}</w:tr>"))
    _cell_margins(table)


def _cell(text: str, names: Mapping[str, str], side: str, width: Length, *, head: bool) -> str:
    """Return one cell as it stands in the file: by python-docx's own calls some hundred rows take a minute."""
    style, place, shade = (names["Head"], "center", _SHADE) if head else (names["Cell"], _SIDES[side], "")
    said = escape(ILLEGAL.sub("", text))
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width.twips}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/><w:jc w:val="{place}"/></w:pPr>'
        f'<w:r><w:t xml:space="preserve">{said}</w:t></w:r></w:p></w:tc>'
    )


def _cell_margins(table: Table) -> None:
    margins = OxmlElement("w:tblCellMar")
    for side, twips in (("top", 35), ("left", 50), ("bottom", 35), ("right", 50)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.append(margins)


def _warn(docx: Docx, document: Document) -> None:
    """Say above every page that this is a simulation."""
    section = docx.sections[0]
    headers = (section.header, section.even_page_header) if docx.settings.odd_and_even_pages_header_footer else (section.header,)
    for header in headers:
        paragraph = header.paragraphs[0]
        paragraph.style = PREFIX + "Note"
        paragraph.add_run(document.warning).font.color.rgb = RGBColor(0xB0, 0, 0)


def _page_numbers(docx: Docx, document: Document) -> None:
    """Number the pages: of how many, in the middle; in a circular at the outer edge of both sides of a sheet, — 1 — (GB/T 9704)."""
    section, official = docx.sections[0], document.look == "circular"
    _page_number(section.footer.paragraphs[0], WD_ALIGN_PARAGRAPH.RIGHT if official else WD_ALIGN_PARAGRAPH.CENTER, official=official)
    if official:
        docx.settings.odd_and_even_pages_header_footer = True
        _page_number(section.even_page_footer.paragraphs[0], WD_ALIGN_PARAGRAPH.LEFT, official=True)


def _page_number(paragraph: DocxParagraph, place: WD_ALIGN_PARAGRAPH, *, official: bool) -> None:
    paragraph.style = PREFIX + "Cell"
    paragraph.alignment = place
    look, around = "", ""
    if official:
        faces = " ".join(f'w:{script}="{PAGE_FACE}"' for script in ("ascii", "hAnsi", "eastAsia"))
        look, around = f'<w:rPr><w:rFonts {faces}/><w:sz w:val="28"/></w:rPr>', "— "
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(14)
    page, pages = (f'<w:fldSimple {nsdecls("w")} w:instr="{name}">{_run(look, "1")}</w:fldSimple>' for name in ("PAGE", "NUMPAGES"))
    rest = [_run(look, around[::-1])] if official else [_run(look, " / "), pages]
    for part in (_run(look, around), page, *rest):
        paragraph._p.append(parse_xml(part))


def _run(look: str, text: str) -> str:
    return f'<w:r {nsdecls("w")}>{look}<w:t xml:space="preserve">{text}</w:t></w:r>'
