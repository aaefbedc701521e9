"""The exchange commands as a user types them: exit codes, what goes to stdout, what is refused before anything is read."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli.main import main

BASE = Path(__file__).parents[1] / "golden" / "inputs" / "base"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "city"))


@dataclass(frozen=True, slots=True)
class Answer:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def waiwang(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command through its door, with the workspace's parent as the present directory."""
    monkeypatch.chdir(root.parent)
    monkeypatch.setenv("WAIWANG_ROOT", str(root))
    monkeypatch.setenv("WAIWANG_DATABASE_URL", f"sqlite:///{root.parent / 'waiwang.db'}")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["waiwang", *words])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        code = left.value.code
        return Answer(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


def test_a_table_goes_out_and_comes_back(root: Path, waiwang: Callable[..., Answer]) -> None:
    out = waiwang("export", "units", "-o", "单位.csv", "--for-office")
    assert (out.returncode, out.stdout, out.stderr) == (0, "", "3 rows in 单位.csv\n")
    text = (root.parent / "单位.csv").read_bytes()
    assert text.startswith("\ufeff单位编号,单位名称,".encode())
    back = waiwang("import", "units", "单位.csv", "--commit")
    assert (back.returncode, back.stdout) == (0, "3 rows read: 0 new, 0 changed, 3 as they are, 0 rejected.\n")
    (root.parent / "单位.csv").write_bytes(text.replace("公文交换员".encode(), "值班员".encode()))
    shown = waiwang("import", "units", "单位.csv", "--format", "json")
    assert (shown.returncode, len(json.loads(shown.stdout)["rows"])) == (5, 3)
    refused = waiwang("import", "lines", "单位.csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "单位.csv:1: no head row: expected a column `线路编号` or `line_id`" in refused.stderr


def test_rows_that_are_left_out_are_told_and_answered_with_two(root: Path, waiwang: Callable[..., Answer]) -> None:
    (root.parent / "t.csv").write_text("unit_id,contact_role,access_class\nA-U001,值班员,A\nA-U002,值班员,Z\n", encoding="utf-8")
    assert waiwang("import", "units", "t.csv", "--commit").returncode == 2
    left = waiwang("import", "units", "t.csv", "--commit", "--skip-rejected")
    assert (left.returncode, "rejected t.csv:3: " in left.stdout, "1 changed" in left.stdout) == (2, True, True)
    assert "A-U001,甲县财政局,A-U001" not in (root / "inventory/units.csv").read_text(encoding="utf-8")


def test_a_worksheet_goes_out_and_comes_back(root: Path, waiwang: Callable[..., Answer]) -> None:
    assert waiwang("worksheet", "out", "telecom", "-o", "t.csv").returncode == 0
    sheet = root.parent / "t.csv"
    text = sheet.read_text(encoding="utf-8-sig")
    row = next(line for line in text.splitlines() if line.startswith("L-0001"))
    sheet.write_text(text.replace(row, row.removesuffix(",,,") + ",2008/5/6,C-1,客户经理岗"), encoding="gb18030")
    shown = waiwang("worksheet", "in", "t.csv")
    assert (shown.returncode, "+ L-0001 opened 2008-05-06\n" in shown.stdout) == (5, True)
    assert waiwang("worksheet", "in", "t.csv", "--commit").returncode == 0
    again = waiwang("worksheet", "in", "t.csv", "--format", "csv")
    assert (again.returncode, again.stdout) == (0, "change,where,key,before,after\n")


def test_netbox_goes_out_and_comes_back(root: Path, waiwang: Callable[..., Answer]) -> None:
    assert waiwang("netbox", "export", "nb").returncode == 2
    assert not (root.parent / "nb").exists()
    assert waiwang("plan", "--commit").returncode == 0
    out = waiwang("netbox", "export", "nb")
    assert (out.returncode, out.stdout) == (0, "")
    assert "16 files in nb; import them in this order: regions.csv, sites.csv" in out.stderr
    back = waiwang("netbox", "import", "nb")
    assert (back.returncode, back.stdout) == (0, "NetBox and the workspace agree.\n")


def test_a_new_workspace_is_made_checked_and_not_made_twice(root: Path, waiwang: Callable[..., Answer]) -> None:
    made = waiwang("init", "new", "--city", "巴中市", "--code", "511900")
    assert (made.returncode, made.stdout) == (0, "")
    assert waiwang("check", "--root", "new").returncode == 0
    assert waiwang("init", "new").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ("import", "units"),
        ("import", "people", "t.csv"),
        ("export", "people", "-o", "t.csv"),
        ("export", "units", "-o", "t.pdf"),
        ("worksheet", "out", "telecom", "-o", "t.doc"),
        ("worksheet", "out", "telecom", "-o", "t.csv", "--language", "fr"),
        ("worksheet", "out", "nobody", "-o", "t.csv"),
        ("worksheet", "in", "nowhere.csv"),
        ("netbox", "import", "nowhere"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(root: Path, waiwang: Callable[..., Answer], words: tuple[str, ...]) -> None:
    refused = waiwang(*words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (root.parent / words[-1]).exists()
