"""The command line as a user meets it: run in this process, with its own environment, or as a process of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app.cli.main import main

REPOSITORY = Path(__file__).parents[2]
SMALL = REPOSITORY / "tests" / "golden" / "inputs" / "base"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process leaves behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A shell in the folder `place` with nothing of the caller's environment but PATH and HOME, 80 columns wide."""

    place: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "COLUMNS": "80", "PYTHONPATH": str(REPOSITORY), **self.environ, **more}

    def __call__(self, *words: str, **more: str) -> Ended:
        """Run `waiwang WORDS` through the console script's own entry; `more` are variables of the environment."""
        out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
        os.chdir(self.place)
        try:
            with (
                patch.dict(os.environ, self.environment(**more), clear=True),
                patch.object(sys, "argv", ["waiwang", *words]),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                code = self._code()
        finally:
            os.chdir(before)
        return Ended(code, out.getvalue(), err.getvalue())

    @staticmethod
    def _code() -> int:
        try:
            main()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 0
        return 0

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Start `waiwang WORDS` as a process that signals reach, even where the tests run in the background of a script or under nohup."""
        argv = ["env", "--default-signal=INT,TERM,HUP", sys.executable, "-c", "from app.cli.main import main; main()", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, cwd=self.place, env=self.environment(**more), stdout=pipe, stderr=pipe, text=True)


def copy_small(folder: Path) -> Path:
    """Copy the small workspace of the golden inputs, with templates; its plan is an illustration and its ledger lacks a row."""
    shutil.copytree(SMALL, folder)
    (folder / "templates").symlink_to(REPOSITORY / "templates")
    shutil.copy(REPOSITORY / "nornir_config.yaml", folder)
    return folder


def copy_lab_on_loopback(folder: Path) -> Path:
    """Copy the lab's workspace with 198.18.0.0/15 turned into 127.18.0.0/15: its devices can be played on this machine."""
    shutil.copytree(REPOSITORY / "lab" / "workspace", folder, symlinks=True)
    (folder / "templates").unlink()
    (folder / "templates").symlink_to(REPOSITORY / "templates")
    for name in ("plan.yaml", "allocations.csv"):
        file = folder / "ipplan" / name
        file.write_text(file.read_text(encoding="utf-8").replace("198.18.", "127.18."), encoding="utf-8")
    order = folder / "inventory" / "order.yaml"
    extended = f"extends: {REPOSITORY / 'inventory' / 'order.yaml'}"
    order.write_text(order.read_text(encoding="utf-8").replace("extends: ../../../inventory/order.yaml", extended), encoding="utf-8")
    return folder
