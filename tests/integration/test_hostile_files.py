"""Files that mean harm: workbooks with entities or without end, tables that are formulas, texts that write on the terminal."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from app.cli.output import Table, as_csv
from app.core.formulas import FORMULA
from app.edge.files import events, sheets, texts
from app.edge.files.marked import read_marked
from app.edge.files.sheets import read_sheets
from app.edge.files.texts import read_text
from app.errors import Finding

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRINGS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
SECRET = "what-only-this-machine-knows"


def laughs() -> str:
    """Return entities that would expand to ten thousand million letters."""
    return '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10)) + '<!ENTITY e "&a9;">'


def hostile(path: Path, entities: str, *, shared: bool) -> Path:
    """Write a workbook whose first cell is the entity `e`, in the sheet itself or in the strings beside it."""
    held = io.BytesIO()
    book = Workbook()
    book.save(held)
    begin = f"<!DOCTYPE x [{entities}]>"
    cell = '<c r="A1" t="s"><v>0</v></c>' if shared else '<c r="A1" t="inlineStr"><is><t>&e;</t></is></c>'
    sheet = f'<worksheet xmlns="{SPREADSHEET}"><sheetData><row r="1">{cell}</row></sheetData></worksheet>'
    strings = f'{begin}<sst xmlns="{SPREADSHEET}"><si><t>&e;</t></si></sst>'
    with zipfile.ZipFile(held) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                content = sheet if shared else begin + sheet
            if name == "[Content_Types].xml" and "sharedStrings" not in content:
                content = content.replace("</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{STRINGS}"/></Types>')
            if name != "xl/sharedStrings.xml":
                target.writestr(name, content)
        target.writestr("xl/sharedStrings.xml", strings if shared else f'<sst xmlns="{SPREADSHEET}"/>')
    return path


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("kind", ["a file of this machine", "an address", "laughs"])
def test_entities_of_a_workbook_are_neither_fetched_nor_expanded(tmp_path: Path, kind: str, shared: bool) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    entities = {
        "a file of this machine": f'<!ENTITY e SYSTEM "{(tmp_path / "secret").as_uri()}">',
        "an address": '<!ENTITY e SYSTEM "http://127.0.0.1:9/">',
        "laughs": laughs(),
    }
    book = hostile(tmp_path / "b.xlsx", entities[kind], shared=shared)
    findings: list[Finding] = []
    assert read_sheets(book, findings.append) == []
    assert ["workbook cannot be read" in str(each) for each in findings] == [True]
    assert SECRET not in str(findings)
    more: list[Finding] = []
    assert events.read_events(book, ZoneInfo("Asia/Shanghai"), datetime(2008, 6, 1, tzinfo=UTC), more.append).events == ()
    assert more
    assert SECRET not in str(more)


def wide(path: Path, columns: int, rows: int = 1) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for _ in range(rows):
        sheet.append(["x"] * columns)
    book.save(path)
    return path


def test_a_sheet_without_end_in_either_direction_is_refused_where_it_passes_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings: list[Finding] = []
    assert len(read_sheets(wide(tmp_path / "fits.xlsx", sheets.MOST_COLUMNS), findings.append)) == 1
    assert findings == []
    read_sheets(wide(tmp_path / "wide.xlsx", sheets.MOST_COLUMNS + 1), findings.append)
    monkeypatch.setattr(sheets, "MOST_CELLS", 30)
    read_sheets(wide(tmp_path / "many.xlsx", 10, 4), findings.append)
    assert [(each.where, each.what, each.found) for each in findings] == [
        ("wide.xlsx:1", "sheet is too wide", "257 in this row, 257 so far"),
        ("many.xlsx:4", "sheet is too wide", "10 in this row, 40 so far"),
    ]


def test_a_table_of_events_that_unpacks_or_runs_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone, now = ZoneInfo("Asia/Shanghai"), datetime(2008, 6, 1, tzinfo=UTC)
    book = wide(tmp_path / "e.xlsx", 5, 20)
    for module, name, bound, words in (
        (sheets, "LARGEST_UNPACKED_BYTES", 1000, "workbook is too large"),
        (events, "LARGEST_BYTES", 100, "file is too large"),
        (events, "MOST_ROWS", 10, "sheet is too long"),
    ):
        findings: list[Finding] = []
        with monkeypatch.context() as bounded:
            bounded.setattr(module, name, bound)
            assert events.read_events(book, zone, now, findings.append).rows == 0
        assert [each.what for each in findings] == [words]


def test_a_text_file_without_end_is_not_read(tmp_path: Path) -> None:
    big, findings = tmp_path / "lines.csv", list[Finding]()
    with big.open("wb") as file:
        file.truncate(texts.LARGEST_BYTES + 1)
    assert read_text(big, tmp_path, findings.append) is None
    assert [(each.where, each.what) for each in findings] == [("lines.csv", "file is too large")]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nb: *a\n",
        "a: !!python/name:os.system\n",
        "a: " + "[" * 5000 + "]" * 5000 + "\n",
        "a: " + "{a: " * 3000 + "1" + "}" * 3000 + "\n",
    ],
)
def test_yaml_that_expands_runs_or_nests_without_end_is_a_finding(tmp_path: Path, text: str) -> None:
    (tmp_path / "order.yaml").write_text(text, encoding="utf-8")
    findings: list[Finding] = []
    read_marked(tmp_path / "order.yaml", tmp_path, findings.append)
    assert findings


def test_a_tag_that_would_call_something_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text("a: !!python/object/apply:os.mkdir ['made']\n", encoding="utf-8")
    found = read_marked(tmp_path / "order.yaml", tmp_path, pytest.fail)
    assert found is not None
    assert found.values == {"a": ["made"]}
    assert [file.name for file in tmp_path.iterdir()] == ["order.yaml"]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1+cmd", "-2+3", "\t=1", "\r=1", "＝1", "'=1"])
def test_no_cell_of_a_printed_csv_is_a_formula(name: str) -> None:
    printed = as_csv(Table("t", ("name", "several", "figure"), [(name, (name, "b"), -2.5)], {}))
    [_, [first, second, figure]] = csv.reader(io.StringIO(printed))
    for cell in (first, second):
        assert not FORMULA.match(cell) or cell.startswith("'")
        assert name.strip() in cell
    assert figure == "-2.5"


def test_what_is_printed_cannot_move_the_cursor_or_turn_the_line_round() -> None:
    printed = as_csv(Table("t", ("name",), [("a\x1b[2Jb\u202ec\r\x9bd\x07\x7f\u2028e",)], {}))
    assert printed == "name\na [2Jb c  d   e\n"
