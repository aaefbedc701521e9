"""Carriers' worksheets: orders out, reports back, and what is kept of them."""

from __future__ import annotations

import csv
import io
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from app.core.line_event import CARRIER_CONTACT, OPENED, LineEvent
from app.core.worksheet import FILLED_IN, HEADS, worksheet_rows
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.files.sheets import write_office_csv, write_workbook
from app.errors import ExitCode, InputError, StoreError
from app.workflows.worksheet import ReturnReport, format_return, take_worksheet, worksheet

BASE = Path(__file__).parents[1] / "golden" / "inputs" / "base"
NOW = datetime(2008, 5, 20, 1, 30, tzinfo=UTC)
COLUMNS = list(HEADS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(BASE, tmp_path / "city"))
    order = copy / "inventory/order.yaml"
    text = order.read_text(encoding="utf-8")
    assert "telecom: 中国电信\n" in text
    order.write_text(text.replace("telecom: 中国电信\n", "telecom: 中国电信\n  unicom: 中国联通\n"), encoding="utf-8")
    return copy


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def sheet(root: Path, store: Store, language: str = "zh") -> list[list[str]]:
    return worksheet(read_workspace(root)[0], store, "telecom", language=language, only_open=True)


def fill(rows: list[list[str]], named: str, /, **cells: str) -> list[list[str]]:
    """Return the sheet with cells of one line changed."""
    copy = [list(row) for row in rows]
    row = next(row for row in copy if row[0] == named)
    for column, text in cells.items():
        row[COLUMNS.index(column)] = text
    return copy


def save(root: Path, rows: list[list[str]], ending: str = "csv") -> Path:
    path = root.parent / f"telecom.{ending}"
    path.write_bytes(write_office_csv(rows) if ending == "csv" else write_workbook("telecom", rows))
    return path


def take(root: Path, store: Store, rows: list[list[str]], *, commit: bool = True, ending: str = "csv", **options: object) -> ReturnReport:
    return take_worksheet(root, store, save(root, rows, ending), now=NOW, commit=commit, **options)  # type: ignore[arg-type]


def test_a_worksheet_says_what_is_ordered_in_both_languages(root: Path, store: Store, golden: Callable[[str, str], None]) -> None:
    for language in ("zh", "en"):
        text = write_office_csv(sheet(root, store, language)).decode("utf-8")
        assert text.startswith("\ufeff")
        assert text.count("\r\n") == 4
        golden(f"exchange/worksheet/telecom.{language}.csv", text.replace("\r\n", "\n"))


def test_a_worksheet_with_the_heads_of_an_earlier_version_is_still_taken(root: Path, store: Store) -> None:
    rows = sheet(root, store)
    former = {"网络服务提供商": "运营商", "电路代号": "电路编号", "网络服务提供商联系岗位": "运营商联系岗位"}
    rows[0] = [former.get(head, head) for head in rows[0]]
    assert set(former.values()) <= set(rows[0])
    rows[1][rows[0].index("电路编号")] = "SC-0001"
    report = take(root, store, rows, commit=False)
    assert (report.imported.changed, report.imported.rejected) == (1, ())


def test_a_workbook_colours_what_is_to_be_filled_in_and_keeps_leading_zeros(root: Path, store: Store) -> None:
    rows = sheet(root, store)
    path = root.parent / "t.xlsx"
    path.write_bytes(write_workbook("telecom", rows, fill_in=[COLUMNS.index(column) for column in FILLED_IN]))
    found = load_workbook(path).active
    assert found is not None
    coloured = {cell.column - 1 for cell in found[2] if cell.fill.fill_type == "solid"}
    assert coloured == {COLUMNS.index(column) for column in FILLED_IN}
    assert found.cell(2, COLUMNS.index("circuit_id") + 1).number_format == "@"


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_a_carrier_fills_in_is_shown_then_recorded_once(
    root: Path, store: Store, ending: str, golden: Callable[[str, str], None]
) -> None:
    rows = fill(sheet(root, store), "L-0001", opened_on="2008/5/6", circuit_id="0012-A", carrier_contact="客户经理岗")
    shown = take(root, store, rows, commit=False, ending=ending)
    assert (shown.exit_code, store.line_events()) == (ExitCode.PENDING, [])
    golden("exchange/worksheet/shown.txt", format_return(shown))
    assert read_workspace(root)[0].inventory.lines["L-0001"].circuit_id is None
    written = take(root, store, rows, ending=ending)
    assert written.exit_code is ExitCode.OK
    assert read_workspace(root)[0].inventory.lines["L-0001"].circuit_id == "0012-A"
    opened, contact = store.line_events("L-0001")
    assert (opened.kind, opened.value, opened.actor, opened.recorded_at) == (OPENED, "2008-05-06", "carrier:telecom", NOW)
    assert opened.observed_at == datetime(2008, 5, 5, 16, tzinfo=UTC)
    assert (contact.kind, contact.value, contact.observed_at) == (CARRIER_CONTACT, "客户经理岗", NOW)
    assert opened.document.startswith(f"telecom.{ending} sha256:")
    again = take(root, store, rows, ending=ending)
    assert (again.exit_code, again.events, again.imported.changes) == (ExitCode.OK, (), {})
    assert len(store.line_events()) == 2


def test_a_line_that_is_reported_leaves_the_next_worksheet(root: Path, store: Store) -> None:
    take(root, store, fill(sheet(root, store), "L-0001", opened_on="2008-05-06", circuit_id="C-1"))
    assert [row[0] for row in sheet(root, store)[1:]] == ["L-0002", "L-0003"]
    every = worksheet(read_workspace(root)[0], store, "telecom", language="zh", only_open=False)
    assert every[1][-3:] == ["2008-05-06", "C-1", ""]
    take(root, store, every)
    take(root, store, fill(fill(every, "L-0002", opened_on="2008-05-07"), "L-0003", opened_on="2008-05-07", circuit_id="C-3"))
    with pytest.raises(InputError, match="expected lines of telecom to be opened; found none"):
        sheet(root, store)


def test_a_corrected_day_is_appended_and_the_first_one_stays(root: Path, store: Store) -> None:
    rows = fill(sheet(root, store), "L-0001", opened_on="2008-05-06")
    take(root, store, rows, document="5月6日回单")
    report = take(root, store, fill(rows, "L-0001", opened_on="2008-05-08"), actor="市中心值班岗")
    assert "+ L-0001 opened 2008-05-08 (was 2008-05-06, by 5月6日回单 sha256:" in format_return(report)
    assert [(event.value, event.actor) for event in store.line_events("L-0001")] == [
        ("2008-05-06", "carrier:telecom"),
        ("2008-05-08", "市中心值班岗"),
    ]


def test_reports_are_never_rewritten(store: Store, tmp_path: Path) -> None:
    store.write_line_events([LineEvent("L-1", OPENED, NOW, NOW, "carrier:telecom", "d", "2008-05-06")])
    with sqlite3.connect(tmp_path / "waiwang.db") as raw:
        for statement in ("UPDATE line_event SET value = 'x'", "DELETE FROM line_event"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)
    raw.close()
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(StoreError):
        store.write_line_events([LineEvent("L-2", OPENED, NOW, NOW, "a", "d"), LineEvent("L-3", OPENED, naive, NOW, "a", "d")])
    assert [event.line_id for event in store.line_events()] == ["L-1"]


BROKEN: dict[str, Callable[[list[list[str]]], list[list[str]]]] = {
    "unknown_line": lambda rows: fill(rows, "L-0001", line_id="L-0009"),
    "no_line": lambda rows: fill(rows, "L-0001", line_id=""),
    "line_twice": lambda rows: [*rows, rows[1]],
    "changed_cells": lambda rows: fill(rows, "L-0001", unit="乙县人民政府", ordered_on="2008-04-02", a_port="CORE:GigabitEthernet9/0/0"),
    "opened_before_ordered": lambda rows: fill(rows, "L-0001", opened_on="2008-03-31"),
    "opened_in_the_future": lambda rows: fill(rows, "L-0001", opened_on="2008-05-21"),
    "opened_is_no_day": lambda rows: fill(rows, "L-0001", opened_on="五月初"),
    "circuit_of_another_line": lambda rows: fill(rows, "L-0001", circuit_id="C-77"),
    "circuit_twice": lambda rows: fill(fill(rows, "L-0001", circuit_id="C-1"), "L-0003", circuit_id="C-1"),
    "circuit_changed": lambda rows: fill(rows, "L-0002", circuit_id="C-78"),
    "circuit_with_blanks": lambda rows: fill(rows, "L-0001", circuit_id="电路 1"),
    "contact_is_a_number": lambda rows: fill(rows, "L-0001", carrier_contact="王 138-0000-0000"),
    "all_at_once": lambda rows: fill(fill(rows, "L-0001", opened_on="2009-01-01", carrier_contact="a@b"), "L-0002", line_id="X"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_fault_of_a_returned_sheet_is_told_with_its_row(
    root: Path, store: Store, name: str, golden: Callable[[str, str], None]
) -> None:
    before = (root / "inventory/lines.csv").read_bytes()
    with pytest.raises(InputError) as refused:
        take(root, store, BROKEN[name](sheet(root, store)))
    golden(f"exchange/worksheet/{name}.txt", f"{refused.value}\n")
    assert "138" not in str(refused.value)
    assert (store.line_events(), (root / "inventory/lines.csv").read_bytes()) == ([], before)


def other_carrier(root: Path) -> None:
    lines = root / "inventory/lines.csv"
    row = next(line for line in lines.read_text(encoding="utf-8").splitlines() if line.startswith("L-0003"))
    lines.write_text(lines.read_text(encoding="utf-8").replace(row, row.replace("telecom", "unicom")), encoding="utf-8")


def test_a_carrier_cannot_report_the_lines_of_another(root: Path, store: Store, golden: Callable[[str, str], None]) -> None:
    before = sheet(root, store)
    other_carrier(root)
    assert [row[0] for row in sheet(root, store)[1:]] == ["L-0001", "L-0002"]
    rows = fill(fill(before, "L-0003", opened_on="2008-05-06", circuit_id="C-3"), "L-0001", opened_on="2008-05-06")
    with pytest.raises(InputError) as refused:
        take(root, store, rows)
    golden("exchange/worksheet/other_carrier.txt", f"{refused.value}\n")
    with pytest.raises(InputError, match="L-0001 is another carrier's"):
        take(root, store, rows, carrier="unicom")
    report = take(root, store, rows, skip_rejected=True)
    assert (report.exit_code, [event.line_id for event in report.events]) == (ExitCode.INPUT, ["L-0001"])
    assert read_workspace(root)[0].inventory.lines["L-0003"].circuit_id is None


def test_an_unknown_carrier_is_told_with_those_that_there_are(root: Path, store: Store) -> None:
    with pytest.raises(InputError, match=r"expected one of telecom, unicom; found `telecon`. Did you mean `telecom`\?"):
        worksheet(read_workspace(root)[0], store, "telecon", language="zh", only_open=True)


def test_files_and_database_are_written_both_or_neither(root: Path, store: Store, tmp_path: Path) -> None:
    before = (root / "inventory/lines.csv").read_bytes()
    rows = fill(sheet(root, store), "L-0001", opened_on="2008-05-06", circuit_id="C-1")
    with sqlite3.connect(tmp_path / "waiwang.db") as raw:
        raw.execute("CREATE TRIGGER full BEFORE INSERT ON line_event BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    raw.close()
    with pytest.raises(StoreError, match="disk is full"):
        take(root, store, rows)
    assert (root / "inventory/lines.csv").read_bytes() == before


def test_the_due_day_on_a_worksheet_is_the_last_day_in_time(root: Path, store: Store) -> None:
    rows = sheet(root, store)
    assert {row[COLUMNS.index("due_on")] for row in rows[1:]} == {"2008-06-30"}
    order = root / "inventory/order.yaml"
    order.write_text(order.read_text(encoding="utf-8").replace("due_on: 2008-06-30", "due_on: 2008-06-30\n    inclusive: false"), "utf-8")
    assert {row[COLUMNS.index("due_on")] for row in sheet(root, store)[1:]} == {"2008-06-29"}
    # A ruling may move the day while sheets are out: the old ones are still taken.
    assert take(root, store, fill(rows, "L-0001", opened_on="2008-05-06")).exit_code is ExitCode.OK


def test_today_counts_in_the_zone_of_the_order(root: Path, store: Store) -> None:
    rows = fill(sheet(root, store), "L-0001", opened_on="2008-05-20")
    path = save(root, rows)
    late_evening = datetime(2008, 5, 19, 16, tzinfo=UTC)  # midnight that begins the 20th in Shanghai
    with pytest.raises(InputError, match="lies in the future"):
        take_worksheet(root, store, path, now=late_evening - timedelta(microseconds=1), commit=True)
    assert take_worksheet(root, store, path, now=late_evening, commit=True).exit_code is ExitCode.OK


def test_a_line_may_be_opened_on_the_day_of_its_order(root: Path, store: Store) -> None:
    assert len(take(root, store, fill(sheet(root, store), "L-0001", opened_on="2008-04-01")).events) == 1


def test_a_sheet_with_fewer_columns_is_enough(root: Path, store: Store) -> None:
    rows = [["Line id", "Opened on", "备注"], ["L-0001", "2008-05-06", "好"]]
    with pytest.raises(InputError, match="--carrier"):
        take(root, store, rows)
    assert len(take(root, store, rows, carrier="telecom").events) == 1


def test_backup_lines_have_no_deadline_and_say_so(root: Path, store: Store) -> None:
    found = read_workspace(root)[0]
    rows = worksheet_rows(found, "telecom", {}, "en", only_open=True)
    assert all(len(row) == len(HEADS) for row in rows)
    cells = list(csv.reader(io.StringIO(write_office_csv(rows).decode("utf-8-sig"), newline="")))
    assert cells[1][COLUMNS.index("ordered_on")] == date(2008, 4, 1).isoformat()
