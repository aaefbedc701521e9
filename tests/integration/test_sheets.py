"""Sheets written and read again, encodings, and what spreadsheet programs do to cells."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from app.core.formulas import guarded, unguarded
from app.edge.files import sheets
from app.edge.files.inbound import name_columns
from app.edge.files.sheets import read_sheets, write_office_csv, write_plain_csv, write_sheet, write_workbook
from app.errors import Finding, InputError

HEADS = {"id": ("编号",), "name": ("名称",)}


def read(path: Path) -> tuple[list[list[str]], list[Finding]]:
    findings: list[Finding] = []
    found = read_sheets(path, findings.append)
    return [list(row.cells) for sheet in found for row in sheet.rows], findings


def folded(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def book(path: Path, rows: list[list[object]], **formats: str) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for place, number_format in formats.items():
        sheet[place].number_format = number_format
    workbook.save(path)
    return path


TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["=1+1", "+86", "-5", "@SUM(A1)", "'=x", "''-", "＝1", "007", "0", "1e5", "a,b", 'q"q', "两\n行", "\t=1", "'", "true"]),
).map(folded)
TABLES = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5).filter(lambda rows: all(any(row) for row in rows))
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@SLOW
@given(rows=TABLES.filter(lambda rows: not any("\0" in cell for row in rows for cell in row)))
def test_what_goes_into_an_office_csv_comes_out_again(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(write_office_csv(rows))
    assert read(path)[0] == [list(row) for row in rows]
    for cells in csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) for cell in cells)


@SLOW
@given(rows=TABLES.filter(lambda rows: not any("\0" in cell for row in rows for cell in row)))
def test_what_goes_into_a_plain_csv_comes_out_again(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(write_plain_csv(rows))
    assert read(path)[0] == [list(row) for row in rows]


@SLOW
@given(rows=TABLES.filter(lambda rows: not any(ILLEGAL_CHARACTERS_RE.search(cell) for row in rows for cell in row)))
def test_what_goes_into_a_workbook_comes_out_again_and_stays_text(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(write_workbook("表", rows, fill_in=[1]))
    assert read(path) == ([list(row) for row in rows], [])
    sheet = load_workbook(path).active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} <= {"s"}


@given(st.text(max_size=8))
def test_guarding_a_cell_can_be_undone(text: str) -> None:
    assert unguarded(guarded(text)) == text


def test_a_workbook_is_printed_across_a4_with_its_head_on_every_page() -> None:
    sheet = load_workbook(io.BytesIO(write_workbook("线路", [["编号", "名称"], ["1", "甲"]]))).worksheets[0]
    assert (sheet.page_setup.orientation, str(sheet.page_setup.paperSize)) == ("landscape", sheet.PAPERSIZE_A4)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.oddFooter.center.text == "&P / &N"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_is_read_in_every_encoding_that_offices_save(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "单位.csv"
    path.write_bytes(f"编号,名称{end}001,通江县㑇{end}".encode(encoding))
    assert read(path) == ([["编号", "名称"], ["001", "通江县㑇"]], [])


def test_rows_know_their_line_below_a_cell_with_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a\n"x\ny"\n\nz\n', encoding="utf-8")
    assert [row.number for row in read_sheets(path, pytest.fail)[0].rows] == [1, 2, 5]


def test_numbers_days_and_yes_are_read_as_they_are_shown(tmp_path: Path) -> None:
    midnight, noon = datetime.fromisoformat("2008-06-30"), datetime.fromisoformat("2008-06-30T12:00:00")
    cells: list[object] = [7, 7.0, 7.5, True, date(2008, 6, 30), midnight, noon, 42, -3]
    path = book(tmp_path / "t.xlsx", [cells], H1="00000", I1="00000")
    expected = ["7", "7", "7.5", "yes", "2008-06-30", "2008-06-30", "2008-06-30 12:00:00", "00042", "-3"]
    assert read(path) == ([expected], [])


def test_a_workbook_whose_dimensions_lie_is_read_whole(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", [["a", "b"], ["c", "d"]])
    lying = tmp_path / "lying.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(lying, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:A1"'))
    assert lying.read_bytes() != path.read_bytes()
    assert read(lying)[0] == [["a", "b"], ["c", "d"]]


def _rounded_csv(path: Path) -> None:
    path.write_text("编号,名称\n1.23457E+17,甲\n", encoding="utf-8")


def _rounded_number(path: Path) -> None:
    book(path, [["编号", "名称"], [123456789012345678, "甲"]])


def _formula_without_result(path: Path) -> None:
    book(path, [["编号", "名称"], ["=A9", "甲"]])


def _error_cell(path: Path) -> None:
    book(path, [["编号", "名称"], ["#N/A", "甲"]])


def _old_workbook(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))


def _broken_workbook(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 and then nothing")


def _no_workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")


def _other_bytes(path: Path) -> None:
    path.write_bytes(bytes(range(128, 256)))


def _broken_quotes(path: Path) -> None:
    path.write_text('编号,名称\n1,"甲\n2,乙\n', encoding="utf-8")


def _unknown_head(path: Path) -> None:
    path.write_text("编号,名秤,\n1,甲,\n", encoding="utf-8")


def _two_heads(path: Path) -> None:
    path.write_text("编号,名称,Name\n1,甲,A\n", encoding="utf-8")


def _no_head(path: Path) -> None:
    path.write_text("1,甲\n2,乙\n", encoding="utf-8")


def _empty(path: Path) -> None:
    path.write_text("", encoding="utf-8")


def _beyond(path: Path) -> None:
    path.write_text("编号,名称\n1,甲,丙\n", encoding="utf-8")


def _missing(path: Path) -> None:
    """Leave nothing there."""


BROKEN = (
    (_rounded_csv, "csv"),
    (_rounded_number, "xlsx"),
    (_formula_without_result, "xlsx"),
    (_error_cell, "xlsx"),
    (_old_workbook, "xls"),
    (_broken_workbook, "xlsx"),
    (_no_workbook, "xlsx"),
    (_other_bytes, "csv"),
    (_broken_quotes, "csv"),
    (_unknown_head, "csv"),
    (_two_heads, "csv"),
    (_no_head, "csv"),
    (_empty, "csv"),
    (_beyond, "csv"),
    (_missing, "csv"),
)


@pytest.mark.parametrize(("make", "ending"), BROKEN, ids=[make.__name__[1:] for make, _ in BROKEN])
def test_every_broken_sheet_is_told_in_words(
    tmp_path: Path, make: Callable[[Path], None], ending: str, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(f"t.{ending}")
    make(path)
    findings: list[Finding] = []
    for sheet in read_sheets(path, findings.append):
        name_columns(sheet, HEADS, "id", findings.append)
    assert findings
    golden(f"exchange/sheets/{make.__name__[1:]}.txt", "".join(f"{finding}\n" for finding in findings))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_damage_to_a_workbook_ends_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(write_workbook("表", [["编号"], ["1"], ["=x"]]))) as sound:
        parts = {name: sound.read(name) for name in sound.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    at, cut, scrap = data.draw(st.integers(0, len(parts[name]))), data.draw(st.integers(0, 40)), data.draw(st.binary(max_size=8))
    parts[name] = parts[name][:at] + scrap + parts[name][at + cut :]
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    for finding in read(path)[1]:
        assert finding.where.startswith("t.xlsx")


def test_a_workbook_that_expands_without_end_is_refused(tmp_path: Path) -> None:
    path, bomb = book(tmp_path / "t.xlsx", [["a"]]), tmp_path / "bomb.xlsx"
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha" * 50}">' for n in range(9))
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text = f"<!DOCTYPE w [{entities}]>".encode() + text.replace(b"<t>a</t>", b"<t>&e8;</t>")
                assert b"&e8;</t>" in text
            target.writestr(name, text)
    assert [finding.what for finding in read(bomb)[1]] == ["workbook cannot be read"]


def test_titles_and_remarks_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("某市单位台账,,,\n,,,\n序号,编 号*,名称,备注\n1,A,甲,好\n2,,,只有备注\n", encoding="utf-8")
    named = name_columns(read_sheets(path, pytest.fail)[0], HEADS, "id", pytest.fail)
    assert named is not None
    assert (named.where, named.rows) == ("t.csv:3", (("t.csv:4", {"id": "A", "name": "甲"}),))


def test_sheets_that_are_too_large_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "t.xlsx", [["a"], ["b"], ["c"]])
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    assert [finding.what for finding in read(path)[1]] == ["sheet is too long"]
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED_BYTES", 100)
    assert [finding.what for finding in read(path)[1]] == ["workbook is too large"]
    monkeypatch.setattr(sheets, "LARGEST_BYTES", 100)
    assert [finding.what for finding in read(path)[1]] == ["file is too large"]


def test_a_control_character_is_refused_before_a_workbook_is_written() -> None:
    with pytest.raises(InputError, match=r"t:2: a workbook cannot hold a control character"):
        write_workbook("t", [["a"], ["b\x01"]])


def test_a_sheet_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file cannot be written"):
        write_sheet(tmp_path / "nowhere" / "t.csv", b"")
