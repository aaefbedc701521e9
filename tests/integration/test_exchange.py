"""Units, devices and lines from office sheets: judged together, told row by row, written whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.edge.files import read_workspace
from app.edge.files.replace import locked_folders, replaced
from app.edge.files.sheets import write_office_csv, write_workbook
from app.errors import ExitCode, InputError
from app.workflows.exchange import export_rows, format_import, import_tables
from tests.samples.server import opened, wait_until

BASE = Path(__file__).parents[1] / "golden" / "inputs" / "base"
DAY = date(2008, 5, 1)
UNITS = "单位编号,单位名称,英文名称,所属区县,层级,单位类别,城区,接入类别,联系岗位\n"
NEW_UNIT = "A-U003,甲县民政局,Civil Affairs,甲县,县级,部门,是,A,公文交换员\n"
DEVICES = "设备名称,平台,设备系列,角色,所属区县,所在单位,厂商,型号,局域网端口\n"
NEW_DEVICE = "A-U003-AR,huawei,huawei_ar,城区单位,甲县,甲县民政局,Huawei,AR1220,GigabitEthernet0/0/1\n"
LINES = "线路编号,接入单位,线路类别,介质,接入方式,运营商,局端设备,局端端口,用户端设备,用户端端口,下单日期\n"
NEW_LINE = "L-0004,甲县民政局,fibre_2m,光纤,以太网,telecom,A-AGG,GigabitEthernet0/0/1.103,A-U003-AR,GigabitEthernet0/0/0,2008/4/1\n"
NEW = {"units": UNITS + NEW_UNIT, "devices": DEVICES + NEW_DEVICE, "lines": LINES + NEW_LINE}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "city"))


def sheets(folder: Path, texts: dict[str, str]) -> list[tuple[str, Path]]:
    """Write the tables as CSV files and return them as sources."""
    for table, text in texts.items():
        (folder / f"{table}-in.csv").write_text(text, encoding="utf-8")
    return [(table, folder / f"{table}-in.csv") for table in texts]


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def take(root: Path, sources: Sequence[tuple[str, Path]], *, commit: bool = True, skip_rejected: bool = False) -> str:
    return format_import(import_tables(root, sources, commit=commit, today=DAY, skip_rejected=skip_rejected))


def test_a_new_unit_comes_in_with_its_device_and_line(root: Path, golden: Callable[[str, str], None]) -> None:
    before = contents(root)
    sources = sheets(root.parent, NEW)
    shown = import_tables(root, sources, commit=False, today=DAY)
    assert (shown.exit_code, shown.committed, contents(root)) == (ExitCode.PENDING, False, before)
    golden("exchange/import/new_unit.txt", format_import(shown))
    written = import_tables(root, sources, commit=True, today=DAY)
    assert (written.exit_code, written.changes) == (ExitCode.OK, shown.changes)
    inventory = read_workspace(root)[0].inventory
    unit, line = inventory.units["A-U003"], inventory.lines["L-0004"]
    assert (unit.region, unit.level, unit.kind, unit.urban) == ("999901", "county", "department", True)
    assert (line.unit_id, line.medium, line.ordered_on) == ("A-U003", "fibre", date(2008, 4, 1))
    for name in ("units", "devices", "lines"):
        path = root / f"inventory/{name}.csv"
        assert path.read_bytes().startswith(before[path])
    again = import_tables(root, sources, commit=True, today=DAY)
    assert (again.exit_code, again.changes, again.added, again.changed) == (ExitCode.OK, {}, 0, 0)


def test_a_unit_without_its_line_is_refused_at_its_own_row(root: Path, golden: Callable[[str, str], None]) -> None:
    before = contents(root)
    with pytest.raises(InputError) as refused:
        take(root, sheets(root.parent, {"units": UNITS + NEW_UNIT}))
    golden("exchange/import/unit_alone.txt", f"{refused.value}\n")
    assert contents(root) == before


BROKEN = {
    "bad_cells": {"units": UNITS + "A-U001,甲县财政局,Finance,乙县,省级,部门,也许,Z,公文交换员\n"},
    "no_key": {"units": UNITS + ",甲县民政局,Civil,甲县,县级,部门,是,A,公文交换员\n"},
    "key_twice": {"units": UNITS + NEW_UNIT + NEW_UNIT},
    "bad_key": {"lines": "线路编号,电路编号\nL 0001,C-1\n"},
    "unknown_carrier": {"lines": "线路编号,运营商\nL-0001,中国铁通\n"},
    "circuit_taken": {"lines": "线路编号,电路编号\nL-0003,C-77\n"},
    "not_a_day": {"lines": "线路编号,下单日期\nL-0001,四月一日\n"},
    "adsl_on_urban": {"lines": "线路编号,线路类别,介质,接入方式\nL-0002,adsl_1m,ADSL,桥接\n"},
    "fault_elsewhere": {"devices": "设备名称,角色\nCORE,县级汇聚\n"},
    "everything_at_once": {
        "units": UNITS + "A-U001,甲县财政局,Finance,甲县,县级,部门,是,Z,公文交换员\n",
        "lines": "线路编号,运营商\nL-0001,电信局\nL-0002,x\n",
    },
    "unknown_heads": {"units": "单位编号,电话\nA-U001,1\n"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_row_is_told_with_its_file_and_row(root: Path, name: str, golden: Callable[[str, str], None]) -> None:
    before = contents(root)
    with pytest.raises(InputError) as refused:
        take(root, sheets(root.parent, BROKEN[name]))
    golden(f"exchange/import/{name}.txt", f"{refused.value}\n")
    assert contents(root) == before


def test_rejected_rows_can_be_left_out_and_what_hangs_on_them_goes_with_them(root: Path, golden: Callable[[str, str], None]) -> None:
    texts = dict(NEW)
    texts["devices"] = DEVICES + NEW_DEVICE.replace("AR1220", "AR1220").replace("城区单位", "交换机")
    texts["units"] += "A-U002,清溪乡人民政府,Qingxi Town Government,甲县,乡镇,乡政府,否,A,值班员\n"
    report = import_tables(root, sheets(root.parent, texts), commit=True, today=DAY, skip_rejected=True)
    golden("exchange/import/skipped.txt", format_import(report))
    assert report.exit_code is ExitCode.INPUT
    inventory = read_workspace(root)[0].inventory
    assert "A-U003" not in inventory.units
    assert inventory.units["A-U002"].contact_role == "值班员"


def test_an_import_can_mend_a_workspace_that_does_not_pass_the_check(root: Path) -> None:
    with (root / "inventory/units.csv").open("a", encoding="utf-8") as file:
        file.write("A-U003,甲县民政局,Civil Affairs,999901,county,department,yes,A,公文交换员,yes,,yes\n")
    with pytest.raises(InputError):
        read_workspace(root)
    report = import_tables(root, sheets(root.parent, {"devices": DEVICES + NEW_DEVICE, "lines": LINES + NEW_LINE}), commit=True, today=DAY)
    assert report.exit_code is ExitCode.OK
    assert read_workspace(root)[0].inventory.devices["A-U003-AR"].unit_id == "A-U003"


def test_a_fault_that_no_row_has_is_not_skipped(root: Path) -> None:
    with pytest.raises(InputError):
        take(root, sheets(root.parent, BROKEN["unknown_heads"]), skip_rejected=True)


def test_a_workbook_with_a_sheet_per_table_is_taken_whole(root: Path, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for title, table in (("单位", "units"), ("设备", "devices"), ("线路", "lines"), ("说明", "")):
        sheet = book.create_sheet(title)
        for row in NEW.get(table, "请勿修改\n").splitlines():
            sheet.append(row.split(","))
    book.save(tmp_path / "台账.xlsx")
    report = import_tables(root, [("all", tmp_path / "台账.xlsx")], commit=True, today=DAY)
    assert (report.added, report.read) == (3, 3)
    only = import_tables(root, [("lines", tmp_path / "台账.xlsx")], commit=False, today=DAY)
    assert (only.read, only.changes) == (1, {})


def test_a_workbook_whose_sheets_say_nothing_is_refused(root: Path, tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for title in ("甲", "乙"):
        book.create_sheet(title).append(["单位编号"])
    book.save(tmp_path / "t.xlsx")
    for table in ("all", "units"):
        with pytest.raises(InputError) as refused:
            import_tables(root, [(table, tmp_path / "t.xlsx")], commit=False, today=DAY)
        golden(f"exchange/import/sheets_{table}.txt", f"{refused.value}\n")


def test_byte_order_mark_line_ends_and_other_rows_are_kept(root: Path) -> None:
    units = root / "inventory/units.csv"
    units.write_bytes(b"\xef\xbb\xbf" + units.read_bytes().replace(b"\n", b"\r\n"))
    before = units.read_bytes()
    take(root, sheets(root.parent, {"units": "unit_id,contact_role\nA-U001,值班员\n"}))
    row = next(line for line in before.splitlines(keepends=True) if line.startswith(b"A-U001"))
    assert units.read_bytes() == before.replace(row, row.replace("公文交换员".encode(), "值班员".encode()))


@pytest.mark.parametrize("table", ["units", "devices", "lines"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_handed_out_comes_back_unchanged(root: Path, table: str, ending: str) -> None:
    rows = export_rows(root, table, office=True)
    path = root.parent / f"{table}.{ending}"
    path.write_bytes(write_office_csv(rows) if ending == "csv" else write_workbook(table, rows))
    report = import_tables(root, [(table, path)], commit=True, today=DAY)
    assert (report.changes, report.read) == ({}, len(rows) - 1)


ODD_NAMES = ["=1+1", "'=x", "007", '甲"乙', "甲,乙", "-3", "1e5", "true"]
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cf")), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=st.one_of(NAMES, st.sampled_from(ODD_NAMES)), ending=st.sampled_from(["csv", "xlsx"]))
def test_any_name_goes_through_an_office_sheet_into_the_inventory(root: Path, name: str, ending: str) -> None:
    rows = [["单位编号", "英文名称"], ["A-U001", name]]
    path = root.parent / f"names.{ending}"
    path.write_bytes(write_office_csv(rows) if ending == "csv" else write_workbook("单位", rows))
    import_tables(root, [("units", path)], commit=True, today=DAY)
    assert read_workspace(root)[0].inventory.units["A-U001"].name_en == name


# --- all files or none


def test_a_write_that_fails_midway_leaves_every_file_as_it_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, replace, calls = contents(root), Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(InputError, match=r"inventory/lines\.csv: file cannot be written: .* No space left on device"):
        take(root, sheets(root.parent, NEW))
    assert len(calls) >= 2
    assert contents(root) == before


def test_files_go_back_when_what_follows_them_fails(root: Path) -> None:
    before = contents(root)
    files = {"inventory/units.csv": b"x", "ipplan/new.csv": b"y"}

    def put() -> None:
        with replaced(root, files):
            assert (root / "ipplan/new.csv").read_bytes() == b"y"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put()
    assert contents(root) == before
    with replaced(root, files):
        pass
    assert contents(root) == {**before, root / "inventory/units.csv": b"x", root / "ipplan/new.csv": b"y"}


def test_a_link_keeps_pointing_at_its_file_and_the_mode_stays(root: Path, tmp_path: Path) -> None:
    units = root / "inventory/units.csv"
    elsewhere = tmp_path / "units.csv"
    units.rename(elsewhere)
    elsewhere.chmod(0o640)
    units.symlink_to(elsewhere)
    with replaced(root, {"inventory/units.csv": b"new"}):
        pass
    assert units.is_symlink()
    assert (elsewhere.read_bytes(), elsewhere.stat().st_mode & 0o777) == (b"new", 0o640)


def test_a_second_run_waits_and_then_says_who_holds_the_folder(root: Path) -> None:
    with (
        locked_folders(root / "inventory"),
        pytest.raises(InputError, match="another run is writing here"),
        locked_folders(root / "inventory", wait_s=0.1),
    ):
        pass
    with pytest.raises(InputError, match="file cannot be written"), locked_folders(root / "nowhere"):
        pass


def take_in_a_process(root: Path, number: int) -> None:
    text = f"unit_id,contact_role\nA-U00{number},岗{number}\n"
    sources = sheets(root.parent / str(number), {"units": text})
    import_tables(root, sources, commit=True, today=DAY)


def test_two_imports_at_once_both_arrive(root: Path) -> None:
    runs = []
    for number in (1, 2):
        (root.parent / str(number)).mkdir()
        runs.append(multiprocessing.get_context("spawn").Process(target=take_in_a_process, args=(root, number)))
    with locked_folders(root / "ipplan"):
        for run in runs:
            run.start()
        wanted = root / "ipplan"
        wait_until(lambda: all(opened(wanted, run.pid) or not run.is_alive() for run in runs), 60, "both runs to want the lock")
        assert all(run.is_alive() for run in runs), "an import must wait for whoever writes"
    for run in runs:
        run.join(60)
    units = read_workspace(root)[0].inventory.units
    assert (units["A-U001"].contact_role, units["A-U002"].contact_role) == ("岗1", "岗2")


def test_a_disk_that_is_full_before_the_first_rename_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, before = sheets(root.parent, NEW), contents(root)

    def failing(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(InputError, match=r"inventory/devices\.csv: file cannot be written"):
        take(root, sources)
    assert contents(root) == before


def test_two_files_of_one_name_are_told_apart(root: Path) -> None:
    places = [root.parent / "east" / "t.csv", root.parent / "west" / "t.csv"]
    for place, unit in zip(places, ("A-U001", "A-U002"), strict=True):
        place.parent.mkdir()
        place.write_text(f"unit_id,access_class\n{unit},{'Z' if unit == 'A-U001' else 'B'}\n", encoding="utf-8")
    report = import_tables(root, [("units", place) for place in places], commit=True, today=DAY, skip_rejected=True)
    assert [finding.where for finding in report.rejected] == [f"{places[0]}:2"]
    assert read_workspace(root)[0].inventory.units["A-U002"].access_class == "B"
