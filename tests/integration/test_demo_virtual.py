"""The whole demo without root: the same path and the same checks as on the lab, over virtual devices of three vendors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.cli.demo_ground import LAB, VIRTUAL
from app.errors import ExitCode
from tests.samples.server import free_port

ROOT = Path(__file__).parents[2]
NOBODY = 65534
#: What the demo checks on the lab, in its order; the virtual one has to check the same.
CHECKS = (
    "waiwang check",
    "waiwang plan --commit",
    "waiwang render -o",
    "waiwang render --bootstrap -o",
    "configurations written",
    "waiwang diff city",
    "waiwang deploy --commit --quiet",
    "dashboard answers",
    "every line up",
    "waiwang measure reach --count 5",
    "waiwang measure rate --seconds 4",
    "waiwang accept --commit",
    "waiwang measure reserved --commit",
    "waiwang accept --commit",
    "every primary line accepted in time",
    "metrics agree with the page",
    "BZWW-A-0001 down, its units unreachable behind it",
    "healed: every line up",
    "waiwang deploy --commit --quiet",
)


def as_nobody(argv: Sequence[str], home: Path) -> tuple[list[str], int]:
    """Return the command as an ordinary user runs it, and that user's number."""
    interpreter = Path(sys.executable).resolve()
    if os.geteuid() != 0 or shutil.which("setpriv") is None or not (_may_others_read(ROOT) and _may_others_read(interpreter)):
        return list(argv), os.geteuid()
    for folder in (home, *home.parents):
        if folder.owner() == "root" and folder.stat().st_mode & 0o005 != 0o005:
            return list(argv), os.geteuid()
    os.chown(home, NOBODY, NOBODY)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv], NOBODY


def _may_others_read(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))


@pytest.fixture
def home() -> Path:
    """Return a folder that an ordinary user can be given: pytest's own are closed to others."""
    folder = Path("/tmp") / f"waiwang-test-home-{os.getpid()}"
    folder.mkdir(mode=0o755)
    return folder


def test_the_demo_passes_as_an_ordinary_user(home: Path) -> None:
    program = Path(sys.executable).with_name("waiwang")
    argv, user = as_nobody([str(program), "demo", "--virtual", "--exit", "--port", str(free_port())], home)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(argv, cwd=home, env=environ | {"COLUMNS": "160"}, capture_output=True, text=True, timeout=900)
        left = [path.name for path in home.iterdir() if path.name.startswith("waiwang-")]
    finally:
        shutil.rmtree(home)
    assert done.returncode == ExitCode.OK, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert f"SIMULATION: virtual devices of three vendors on this machine's loopback (user {user})" in done.stdout
    found = [(name, holds) for holds, name in re.findall(r"^  (ok|FAILED)  (.+?)(?:: .*)?$", done.stdout, re.MULTILINE)]
    assert [holds for _, holds in found] == ["ok"] * len(CHECKS)
    assert [name for name, _ in found] == [_shortened(name) for name in CHECKS]
    assert "deployed 63" in done.stdout
    assert "unchanged 63" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert left == [], "the demo left files behind"


def _shortened(name: str) -> str:
    """Return what stands before the first colon: the rest is what was found."""
    return name.partition(": ")[0]


def test_both_grounds_offer_the_city_and_the_county_that_the_demo_speaks_of() -> None:
    for ground in (LAB, VIRTUAL):
        lines = (ground.workspace / "inventory" / "lines.csv").read_text(encoding="utf-8")
        assert re.search(r"^BZWW-A-0001,C01,agg_10m,.*,city,[^,]+,county01,", lines, re.MULTILINE)
        assert (ground.workspace / "inventory" / ground.order_file).is_file()
