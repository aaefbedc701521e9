"""A lab that is up, as one value: for tests and for the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.files.workspace import read_workspace
from lab import runner
from lab.runner import LabOptions, NodeStatus
from lab.state import LabState
from lab.topology import Link


@dataclass(frozen=True, slots=True)
class Lab:
    """Nodes know their bootstrap text only until somebody deploys more."""

    state: LabState
    workspace: Workspace
    intents: Mapping[str, DeviceIntent]

    @property
    def root(self) -> Path:
        return Path(self.state.workspace)

    @property
    def environment(self) -> dict[str, str]:
        return runner.environment(self.state)

    def in_noc(self, argv: Sequence[str], *, timeout: float = 300, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command where the product stands, with the lab's environment, at most `timeout` seconds.

        Raises:
            subprocess.TimeoutExpired: it took longer.
        """
        environment = {**os.environ, **self.environment}
        return subprocess.run(runner.enter_noc(argv), env=environment, input=stdin, capture_output=True, text=True, timeout=timeout)

    def waiwang(self, *words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a product command in noc. Raises as `in_noc`."""
        return self.in_noc([str(Path(sys.executable).with_name("waiwang")), *words], timeout=timeout)

    def python(self, text: str, *words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run Python text in noc. Raises as `in_noc`."""
        return self.in_noc([sys.executable, "-c", text, *words], timeout=timeout)

    def exec_in(self, node: str, argv: Sequence[str], *, timeout: float = 60, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return runner.exec_in(node, argv, timeout=timeout, stdin=stdin, state_dir=self.state.folder)

    def status(self, node: str) -> NodeStatus:
        return next(status for status in runner.status(self.state.folder) if status.node == node)

    def cut(self, line: str, *, silent: bool = False) -> Link:
        return runner.cut(line, silent=silent, state_dir=self.state.folder)

    def heal(self, line: str) -> Link:
        return runner.heal(line, state_dir=self.state.folder)


@contextmanager
def running_lab(options: LabOptions = LabOptions()) -> Iterator[Lab]:
    """Boot a lab and take it down at the end, whatever happens in between.

    Raises:
        LabError: as `lab.runner.up`.
    """
    state = runner.up(options)
    try:
        workspace, _notes = read_workspace(options.workspace)
        yield Lab(state, workspace, build_intents(workspace))
    finally:
        runner.down(options.state_dir, only=state)
