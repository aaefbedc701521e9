"""Two runs change no device at once; what a dead process held is free again. On SQLite's files and on a PostgreSQL server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.edge.database.holds import Holder, find_held, holding
from app.errors import InputError, StoreError

HOLDER = Holder("deploy --commit", "ops", "2008-06-30 01:00:00", 4711, "noc")
OTHER = "import sys, time; from app.edge.database.holds import Holder, holding\n" + (
    "with holding(sys.argv[1], ['u01', 'u02'], Holder('rollback', 'night', '02:00', 1, 'noc2')): print('held', flush=True); time.sleep(600)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'waiwang.db'}"
    return str(request.getfixturevalue("postgresql").create_database())


@pytest.fixture
def other(url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds u01 and u02."""
    with subprocess.Popen([sys.executable, "-c", OTHER, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_devices_that_another_run_changes_are_refused_and_others_are_not(url: str, other: subprocess.Popen[str]) -> None:
    with pytest.raises(InputError) as refused, holding(url, ["u00", "u01", "u02"], HOLDER):
        pass
    found = "found u01, u02 held by waiwang rollback of night since 02:00 (process 1 on noc2)"
    assert f"expected 3 that nobody is changing; {found}" in str(refused.value)
    assert find_held(url, ["u00", "u01"]) == {"u01"}
    with holding(url, ["u00"], HOLDER):
        assert find_held(url, ["u00", "u03"]) <= {"u00"}


def test_what_a_killed_process_held_is_free_again(url: str, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert find_held(url, ["u01"]) == frozenset()
    with holding(url, ["u01"], HOLDER):
        pass


def test_all_are_held_or_none(url: str, other: subprocess.Popen[str]) -> None:
    with pytest.raises(InputError), holding(url, ["u05", "u01"], HOLDER):
        pass
    with holding(url, ["u05"], HOLDER):
        pass


def test_a_run_that_ends_leaves_nothing_behind(url: str) -> None:
    with pytest.raises(ZeroDivisionError), holding(url, ["u01"], HOLDER):
        raise ZeroDivisionError
    with holding(url, ["u01"], HOLDER):
        pass
    assert find_held(url, ["u01"]) == frozenset()


def test_a_folder_that_cannot_be_written_is_an_error_with_its_next_step(tmp_path: Path) -> None:
    (tmp_path / "waiwang.db.runs").write_text("a file", encoding="utf-8")
    expected = pytest.raises(StoreError, match=r"locks of runs: expected a place that can be written; found .* Look at its rights")
    with expected, holding(f"sqlite:///{tmp_path / 'waiwang.db'}", ["u01"], HOLDER):
        pass
