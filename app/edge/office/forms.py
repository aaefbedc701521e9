"""Office files from templates of a workspace: docx for those who edit, PDF for those who sign."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import typst
from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate  # type: ignore[import-untyped]  # the package ships no types
from jinja2 import Environment, StrictUndefined, TemplateError

from app.edge.office.packages import settle
from app.errors import Finding, InputError, RenderError

FOLDER = Path("templates") / "reports"
#: Where Debian's fonts-noto-cjk lies; Typst looks nowhere else, so that a page is the same on every machine.
FONTS = Path("/usr/share/fonts/opentype/noto")
INSTALL_FONTS = "Install the fonts: apt-get install fonts-noto-cjk (make does it)."


def write_docx(root: Path, name: str, view: Mapping[str, object]) -> bytes:
    """Return `templates/reports/NAME.docx` of the workspace filled with the view. Same view, same bytes.

    Raises:
        InputError: there is no such template.
        RenderError: the template and the view do not fit together.
    """
    template = find_template(root, f"{name}.docx")
    try:
        document = DocxTemplate(template)
        # Without autoescape `<10M>` and `A&B` would vanish.
        document.render(dict(view), jinja_env=Environment(undefined=StrictUndefined), autoescape=True)
        filled = io.BytesIO()
        document.save(filled)
    except PackageNotFoundError as error:
        raise RenderError(f"{template.name}: expected a docx file; found something else. Restore it from the product.") from error
    except TemplateError as error:
        raise RenderError(f"{template.name}: expected a template that fits what it is given; found: {error}. Mend the template.") from error
    return settle(filled.getvalue())


def write_pdf(root: Path, name: str, view: Mapping[str, object]) -> bytes:
    """Return `templates/reports/NAME.typ` of the workspace filled with the view: same view, same bytes.

    Raises:
        InputError: there is no such template, or the fonts are not installed.
        RenderError: Typst refuses the template.
    """
    template = find_template(root, f"{name}.typ")
    require_fonts()
    inputs = {"data": json.dumps(view, ensure_ascii=False)}
    try:
        pdf = typst.compile(template, font_paths=[FONTS], ignore_system_fonts=True, sys_inputs=inputs, timestamp=0)
    except typst.TypstError as error:
        raise RenderError(f"{template.name}: expected a template that Typst takes; found: {error}. Mend the template.") from error
    assert isinstance(pdf, bytes)  # one document, no output path
    return pdf


def require_fonts() -> None:
    """Raise InputError where the Chinese fonts are not installed."""
    if not FONTS.is_dir():
        raise InputError([Finding(str(FONTS), "Chinese fonts", "Noto Serif CJK SC and Noto Sans CJK SC", "no such folder", INSTALL_FONTS)])


def find_template(root: Path, name: str) -> Path:
    """Return a template of the workspace. Raises InputError where there is none."""
    template = root / FOLDER / name
    if not template.is_file():
        step = "Copy templates/ of the product into the workspace."
        raise InputError([Finding((FOLDER / name).as_posix(), "report template", "a file", "nothing there", step)])
    return template
