"""The grounds that a demo can stand on: real routers in namespaces (root), or virtual devices on loopback (anybody)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import LabError
from lab import runner
from lab.possible import require_possible
from lab.runner import LabOptions
from lab.virtual.control import ask
from lab.virtual.simulation import free_port
from lab.virtual.station import CITY, Station

#: A county with one uplink, on either ground.
LONELY_COUNTY = "city:county01"
#: How long the virtual devices may take to listen, seconds.
BOOT_WAIT_S = 180.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where commands run that contact nothing."""

    environment: Mapping[str, str]

    def command(self, argv: Sequence[str]) -> list[str]:
        return list(argv)


@dataclass(frozen=True, slots=True)
class Place:
    """A network that is up. `verb`: the part of `waiwang` that cuts and heals its lines; `hint`: what a user may try by hand."""

    environment: Mapping[str, str]
    verb: str
    hint: str
    command: Callable[[Sequence[str]], list[str]]
    cut: Callable[[str], str]
    heal: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Ground:
    """What to build a network from. `require` raises LabError where it cannot be built here."""

    title: str
    workspace: Path
    order_file: str
    boot_command: str
    require: Callable[[], None]
    open: Callable[[Path], AbstractContextManager[Place]] = field(repr=False)


@contextmanager
def _open_lab(root: Path) -> Iterator[Place]:
    state = runner.up(LabOptions(workspace=root, wait_s=float(os.environ.get("WAIWANG_LAB_WAIT") or 0)))
    try:
        hint = "waiwang lab cut city:county02   ·   waiwang lab heal city:county02   ·   waiwang lab status"
        yield Place(runner.environment(state), "lab", hint, runner.enter_noc, lambda line: str(runner.cut(line).line_id), runner.heal)
    finally:
        runner.down(only=state)


@contextmanager
def _open_virtual(root: Path) -> Iterator[Place]:
    """Run `waiwang virtual up` in a process of its own, on free ports, its files in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="waiwang-virtual-") as folder:
        station = Station(root, Path(folder), free_port(), free_port(socket.SOCK_DGRAM))
        log = Path(folder) / "log"
        argv = [program(), "virtual", "up", "--root", str(root), "--state-dir", folder]
        argv += ["--ssh-port", str(station.ssh_port), "--snmp-port", str(station.snmp_port)]
        with log.open("w", encoding="utf-8") as said:
            process = subprocess.Popen(argv, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
            try:
                _wait_until_ready(Path(folder) / "ready", process, log)
                yield _virtual_place(station)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def _virtual_place(station: Station) -> Place:
    hint = f". {station.folder / 'environment'}; waiwang virtual cut city:county02   ·   waiwang virtual heal city:county02"

    def cut(line: str) -> str:
        return str(ask(station.control, {"ask": "cut", "line": line})["line"])

    def heal(line: str) -> None:
        ask(station.control, {"ask": "heal", "line": line})

    return Place(station.environment(), "virtual", hint, list, cut, heal)


def _wait_until_ready(ready: Path, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + BOOT_WAIT_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            said = " / ".join(log.read_text(encoding="utf-8").splitlines()[-3:])
            raise LabError(
                f"waiwang virtual up: expected every device listening within {BOOT_WAIT_S:g} s; found: {said or 'no word'}. "
                "Run it by hand to see why."
            )
        time.sleep(0.05)


def program() -> str:
    """Return the path of the `waiwang` that is running."""
    beside = Path(sys.executable).with_name("waiwang")
    return str(beside) if beside.exists() else shutil.which("waiwang") or sys.argv[0]


def _require_nothing() -> None:
    """Virtual devices need neither root nor packages."""


LAB = Ground(
    "a lab of real FRR routers on this machine", runner.LAB / "workspace", "order.yaml", "waiwang lab up", require_possible, _open_lab
)
VIRTUAL = Ground(
    f"SIMULATION: virtual devices of three vendors on this machine's loopback (user {os.geteuid()})",
    CITY,
    "order.short_trial.yaml",
    "waiwang virtual up",
    _require_nothing,
    _open_virtual,
)
