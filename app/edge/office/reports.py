"""Documents of `app.core.document` as PDF, and their pictures as PNG, by Typst: same document, same bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typst

from app.core.document import Document
from app.edge.office.forms import FONTS, find_template, require_fonts
from app.errors import RenderError

TEMPLATE = "report.typ"
#: Pixels per inch of a picture in an office file.
PICTURE_PPI = 220.0


def write_report_pdf(root: Path, document: Document) -> bytes:
    """Return the document laid out by `templates/reports/report.typ` of the workspace.

    Raises:
        InputError: there is no such template, or the fonts are not installed.
        RenderError: Typst refuses the template.
    """
    template = find_template(root, TEMPLATE)
    require_fonts()
    blocks = [{"kind": type(block).__name__.lower(), **asdict(block)} for block in document.blocks]
    inputs = {"data": json.dumps(asdict(document) | {"blocks": blocks}, ensure_ascii=False)}
    try:
        pdf = typst.compile(template, font_paths=[FONTS], ignore_system_fonts=True, sys_inputs=inputs, timestamp=0)
    except typst.TypstError as error:
        raise RenderError(f"{template.name}: expected a template that Typst takes; found: {error}. Mend the template.") from error
    assert isinstance(pdf, bytes)  # one document, no output path
    return pdf


def draw_png(svg: str) -> bytes:
    """Return a drawing as PNG. Raises InputError where the fonts are not installed."""
    require_fonts()
    page = "#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: \"svg\", width: 170mm)"
    source, inputs = page.encode(), {"svg": svg}
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[FONTS])
    png = typst.compile(source, format="png", ppi=PICTURE_PPI, font_paths=fonts, sys_inputs=inputs)
    assert isinstance(png, bytes)  # one page, no output path
    return png
