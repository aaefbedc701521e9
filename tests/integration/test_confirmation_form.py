"""The form 《专线接入确认单》: what it says, and that both its files say all of it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from docx import Document

from app.core.acceptance import Acceptance
from app.core.confirmation import Confirmation, ConfirmationStanding, stand
from app.core.order import Simulation
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.office import FONTS, write_docx, write_pdf
from app.errors import InputError, RenderError
from app.web.confirmation_form import build_form
from tests.samples.accepted_line import ACCEPTED_AT, LINE, ROOT, accept_line, root_workspace

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def decision(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acceptance]:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('form') / 'waiwang.db'}")
    yield accept_line(store)
    store.close()


def standing(decision: Acceptance, *words: Confirmation, workspace: Workspace | None = None) -> ConfirmationStanding:
    known = workspace or root_workspace()
    return stand(LINE, decision, words, known.calendar, known.order.timezone, ACCEPTED_AT + 2 * DAY)


def unit_word(document: str = "区政办函〔2008〕5号") -> Confirmation:
    return Confirmation(LINE, "unit", "confirmed", ACCEPTED_AT + DAY, ACCEPTED_AT + DAY, "公文交换员", document)


def texts(view: object) -> list[str]:
    """Return every text of a view, depth first."""
    if isinstance(view, str):
        return [view] if view else []
    inner = view.values() if isinstance(view, dict) else view
    return [text for each in inner for text in texts(each)]  # type: ignore[attr-defined]


def spoken(docx: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        document = package.read("word/document.xml").decode()
    return "".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", document))


def test_the_form_says_in_chinese_what_was_accepted_and_who_is_awaited(decision: Acceptance, golden: Callable[[str, str], None]) -> None:
    view = build_form(root_workspace(), LINE, decision, standing(decision, unit_word()), "zh", "ab" * 32)
    golden("life/form.zh.txt", "".join(f"{text}\n" for text in texts(view)))


def test_the_form_speaks_english_by_switch(decision: Acceptance, golden: Callable[[str, str], None]) -> None:
    view = build_form(root_workspace(), LINE, decision, standing(decision, unit_word("Letter 5")), "en")
    golden("life/form.en.txt", "".join(f"{text}\n" for text in texts(view)))


def test_a_chinese_form_has_no_english_sentence(decision: Acceptance) -> None:
    view = build_form(root_workspace(), LINE, decision, standing(decision), "zh")
    assert [text for text in texts(view["criteria"]) if re.search(r"[a-z]{3,}", text.replace("kbit/s", "").replace("Mbit/s", ""))] == []


def test_a_line_that_is_not_accepted_has_no_form(decision: Acceptance) -> None:
    rejected = replace(decision, verdict="fail")
    with pytest.raises(InputError, match="the form follows the acceptance"):
        build_form(root_workspace(), LINE, None, standing(rejected), "zh")


def test_a_simulated_order_is_marked_on_the_form(decision: Acceptance) -> None:
    moved = replace(root_workspace().order, simulation=Simulation("演示，日期已移动", "Demo, dates moved"))
    workspace = replace(root_workspace(), order=moved)
    assert build_form(workspace, LINE, decision, standing(decision), "zh")["simulation"] == "演示，日期已移动"


def test_a_year_counted_by_weekends_alone_is_named(decision: Acceptance) -> None:
    calendar = replace(root_workspace().calendar, years={})
    workspace = replace(root_workspace(), calendar=calendar)
    view = build_form(workspace, LINE, decision, standing(decision, workspace=workspace), "zh")
    assert "2008年的节假日安排尚未录入，期限仅按周末推算。" in texts(view["notes"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_docx_says_all_of_the_view_and_loses_no_sign(decision: Acceptance, language: str) -> None:
    view = build_form(root_workspace(), LINE, decision, standing(decision, unit_word("函<10M>&乙")), language, "ab" * 32)
    docx = write_docx(ROOT, "confirmation", view)
    said = spoken(docx).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert [text for text in texts({**view, "language": ""}) if text not in said] == []
    assert "{" not in said


def test_the_tables_of_the_docx_have_no_empty_cell_and_no_empty_table(decision: Acceptance) -> None:
    view = build_form(root_workspace(), LINE, decision, standing(decision, unit_word()), "zh")
    tables = Document(io.BytesIO(write_docx(ROOT, "confirmation", view))).tables
    assert [len(table.rows) for table in tables] == [6, 9, 4]
    assert [cell.text for table in tables for row in table.rows for cell in row.cells if not cell.text.strip()] == []


def test_every_chinese_text_of_the_template_names_a_chinese_face() -> None:
    with zipfile.ZipFile(ROOT / "templates" / "reports" / "confirmation.docx") as package:
        document = package.read("word/document.xml").decode()
    shown = [run for run in re.findall(r"<w:r>.*?</w:r>", document, re.DOTALL) if "{{" in run]
    assert shown
    assert [run for run in shown if "w:eastAsia" not in run] == []


def test_the_committed_template_is_what_its_script_builds(tmp_path: Path) -> None:
    folder = ROOT / "templates" / "reports"
    subprocess.run([sys.executable, folder / "build_confirmation_docx.py", tmp_path / "built.docx"], check=True, timeout=60)
    parts = []
    for file in (folder / "confirmation.docx", tmp_path / "built.docx"):
        with zipfile.ZipFile(file) as package:
            parts.append({name: package.read(name) for name in package.namelist() if name.startswith("word/")})
    assert parts[0] == parts[1]


def test_the_pdf_is_one_page_with_the_same_bytes_every_time(decision: Acceptance, require_program: Callable[..., None]) -> None:
    if not FONTS.is_dir():
        require_program("fonts-noto-cjk")
    view = build_form(root_workspace(), LINE, decision, standing(decision, unit_word()), "zh", "ab" * 32)
    pdf = write_pdf(ROOT, "confirmation", view)
    assert pdf == write_pdf(ROOT, "confirmation", view)
    assert pdf.startswith(b"%PDF-")
    assert re.search(rb"/Count 1\b", pdf)
    assert b"NotoSerifCJKsc" in pdf
    assert b"NotoSansCJKsc" in pdf


def test_a_template_that_is_missing_or_does_not_fit_is_told(decision: Acceptance, tmp_path: Path) -> None:
    for write in (write_docx, write_pdf):
        with pytest.raises(InputError, match=r"templates/reports/confirmation\.(docx|typ): report template"):
            write(tmp_path, "confirmation", {})
    with pytest.raises(RenderError, match=r"'title' is undefined"):
        write_docx(ROOT, "confirmation", {})
    if FONTS.is_dir():
        with pytest.raises(RenderError, match="Mend the template"):
            write_pdf(ROOT, "confirmation", {})


def test_the_docx_has_the_same_bytes_every_time(decision: Acceptance) -> None:
    view = build_form(root_workspace(), LINE, decision, standing(decision), "zh")
    docx = write_docx(ROOT, "confirmation", view)
    assert docx == write_docx(ROOT, "confirmation", view)
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
