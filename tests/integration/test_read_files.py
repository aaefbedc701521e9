"""Workspaces read from real files: extending, line numbers, and inputs that no one foresaw."""

from __future__ import annotations

import shutil
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.inventory import Device, Line, Region, Service, Unit
from app.core.ipplan import Allocation
from app.core.scope import LEVELS
from app.core.service_class import CRITERIA
from app.edge.files import judge_workspace, read_workspace
from app.edge.files.order_schema import ClassBlock
from app.edge.files.rows_schema import COLUMNS, AllocationCells, DeviceCells, LineCells, RegionCells, ServiceCells, UnitCells
from app.errors import ExitCode, InputError
from app.workflows.check import check

BASE = Path(__file__).parents[1] / "golden" / "inputs" / "base"
FILES = sorted(path.relative_to(BASE).as_posix() for path in BASE.rglob("*") if path.is_file())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "city"))


@pytest.fixture
def extending(workspace: Path, tmp_path: Path) -> Path:
    """A second workspace whose order.yaml extends that of the first."""
    other = Path(shutil.copytree(BASE, tmp_path / "lab"))
    (other / "inventory" / "order.yaml").write_text(
        "extends: ../../city/inventory/order.yaml\n"
        "service_classes:\n"
        "  fibre_2m:\n"
        "    criteria:\n"
        "      trial: {window: 20s, restart_after: 5s}\n"
        "scoring:\n"
        "simulation: {note: 模拟, note_en: simulated}\n",
        encoding="utf-8",
    )
    return other


def test_an_extending_order_changes_single_keys_and_keeps_the_rest(extending: Path) -> None:
    order = read_workspace(extending)[0].order
    trial = next(criterion for criterion in order.classes["fibre_2m"].criteria if criterion.kind == "trial")
    assert (trial.window, trial.restart_after, trial.limit) == (timedelta(seconds=20), timedelta(seconds=5), 0.999)
    assert trial.source.default
    assert order.number == "试发[2008]1号"
    assert order.simulation is not None


def test_an_empty_value_of_an_extending_file_removes_the_key(extending: Path) -> None:
    assert read_workspace(extending)[0].order.scoring == ()


def test_findings_name_the_file_that_holds_the_value(extending: Path, workspace: Path) -> None:
    base, over = workspace / "inventory" / "order.yaml", extending / "inventory" / "order.yaml"
    base.write_text(base.read_text(encoding="utf-8").replace("due_on: 2008-06-30", "due_on: soon"), encoding="utf-8")
    over.write_text(over.read_text(encoding="utf-8").replace("window: 20s", "window: 20"), encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_workspace(extending)
    places = [finding.where for finding in refusal.value.findings]
    assert places == ["../city/inventory/order.yaml:57", "inventory/order.yaml:5"]


def test_an_extending_file_that_adds_a_second_source_is_refused(extending: Path) -> None:
    over = extending / "inventory" / "order.yaml"
    over.write_text(over.read_text(encoding="utf-8").replace("window: 20s", "clause: 一, window: 20s"), encoding="utf-8")
    with pytest.raises(InputError, match=r"inventory/order\.yaml:5: .* exactly one of clause"):
        read_workspace(extending)
    over.write_text(over.read_text(encoding="utf-8").replace("clause: 一", "clause: 一, default:"), encoding="utf-8")
    trial = read_workspace(extending)[0].order.classes["fibre_2m"].criteria[1]
    assert trial.source.clause == "一"


def test_every_value_knows_its_line(workspace: Path) -> None:
    found = read_workspace(workspace)[0]
    assert found.inventory.lines["L-0003"].where == "inventory/lines.csv:4"
    assert found.plan.pools[4].where == "ipplan/plan.yaml:13"
    assert found.plan.management.where == "ipplan/plan.yaml:14"
    assert found.ledger[2].where == "ipplan/allocations.csv:4"
    kind = found.order.classes["agg_10m"]
    assert (kind.source.where, kind.sources["reserved_port"].where) == ("inventory/order.yaml:16", "inventory/order.yaml:25")
    assert found.order.rulings["R-1"].where == "inventory/order.yaml:75"


def test_a_cell_with_a_line_break_does_not_shift_the_lines_below(workspace: Path) -> None:
    units = workspace / "inventory" / "units.csv"
    units.write_text(units.read_text(encoding="utf-8").replace("County A Government", '"County A\nGovernment"'), encoding="utf-8")
    found = read_workspace(workspace)[0].inventory.units
    assert [unit.where for unit in found.values()] == ["inventory/units.csv:2", "inventory/units.csv:4", "inventory/units.csv:5"]


def test_columns_with_a_default_may_be_left_out(workspace: Path) -> None:
    units = workspace / "inventory" / "units.csv"
    rows = [row.rsplit(",", 3)[0] for row in units.read_text(encoding="utf-8").splitlines()]
    units.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert all(unit.in_scope and not unit.sample for unit in read_workspace(workspace)[0].inventory.units.values())


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (RegionCells, Region),
        (UnitCells, Unit),
        (DeviceCells, Device),
        (LineCells, Line),
        (ServiceCells, Service),
        (AllocationCells, Allocation),
    ],
)
def test_each_table_has_the_columns_of_its_value(cells: type, value: type) -> None:
    assert COLUMNS[cells] == tuple(cells.model_fields) == tuple(column.name for column in fields(value) if column.name != "where")


def test_the_words_of_the_files_are_those_of_the_core() -> None:
    schema = str(ClassBlock.model_json_schema())
    for word in (*CRITERIA, *LEVELS):
        assert f"'{word}'" in schema


def test_check_reports_the_files_and_writes_nothing(workspace: Path) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    report = check(workspace, today=date(2008, 4, 2))
    assert report.exit_code is ExitCode.OK
    assert report.counts == {"regions": 2, "units": 3, "devices": 5, "lines": 3, "services": 2, "allocations": 4}
    assert "9 to add" in next(note.found for note in report.notes if note.where == "ipplan/allocations.csv")
    assert {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()} == before


def test_check_tells_which_pool_will_run_out(workspace: Path) -> None:
    plan = workspace / "ipplan" / "plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("59.225.0.0/24, length: 32", "59.225.0.0/31, length: 32"), encoding="utf-8")
    report = check(workspace, today=date(2008, 4, 2))
    assert report.exit_code is ExitCode.INPUT
    assert [finding.what for finding in report.findings] == ["pool loopback (59.225.0.0/31, loopback) runs out"]


def test_check_tells_what_a_family_cannot_be_told(workspace: Path) -> None:
    devices = workspace / "inventory" / "devices.csv"
    devices.write_text(devices.read_text(encoding="utf-8").replace("huawei_s,", "juniper,"), encoding="utf-8")
    report = check(workspace, today=date(2008, 4, 2))
    assert [finding.where for finding in report.findings] == ["inventory/devices.csv:5"]


#: What a hurried hand, a broken editor or another program leaves in a file.
SCRAPS = st.one_of(
    st.sampled_from(
        [
            "",
            "null",
            "[]",
            "{}",
            ":",
            "- ",
            "? ",
            "&a *a",
            "<<: {a: 1}",
            "!!python/object:os.system {}",
            '"',
            "'",
            "\t",
            "\x00",
            "é",
            "yes",
            "-1",
        ]
    ),
    st.text(max_size=12),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(file=st.sampled_from(FILES), line=st.integers(0, 200), at=st.integers(0, 60), scrap=SCRAPS, cut=st.integers(0, 20))
def test_no_damage_to_a_file_ends_in_a_traceback(workspace: Path, file: str, line: int, at: int, scrap: str, cut: int) -> None:
    path, sound = workspace / file, (BASE / file).read_text(encoding="utf-8")
    lines = sound.splitlines(keepends=True)
    index = line % len(lines)
    lines[index] = lines[index][:at] + scrap + lines[index][at + cut :]
    path.write_bytes("".join(lines).encode("utf-8", errors="surrogatepass"))
    try:
        judged = judge_workspace(workspace)
    finally:
        path.write_text(sound, encoding="utf-8")
    assert (judged.workspace is None) == bool(judged.findings)
    for finding in judged.findings:
        assert finding.where.startswith(("inventory/", "ipplan/"))
        assert finding.next_step
