"""`waiwang demo`: the main job from order to accepted line, by the very commands that a user types, with checks that can fail."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable
from rich.text import Text

from app.cli.context import leave, now
from app.cli.demo_ground import LAB, LONELY_COUNTY, VIRTUAL, Desk, Ground, Place, program
from app.cli.demo_scenario import show_scenario
from app.cli.output import stdout
from app.edge.files import read_workspace
from app.errors import ExitCode, LabError
from app.workflows.rehearse import rehearse
from lab import runner
from lab.served import await_answer

#: How long a change in the network may take to be seen on the page: poll cycles and a margin, seconds.
SEEN_WITHIN_S = 120.0


@dataclass(slots=True)
class Stage:
    """One command of the demo, with the exit codes that are right here."""

    title: str
    argv: Sequence[str]
    expected: Sequence[ExitCode] = (ExitCode.OK,)


@dataclass(slots=True)
class Outcome:
    """Checks by name with what was found; the demo passes when all of them hold."""

    checks: list[tuple[str, bool, str]] = field(default_factory=list)

    def add(self, name: str, holds: bool, found: object = "") -> None:
        self.checks.append((name, holds, str(found)))
        mark, style = ("ok", "green") if holds else ("FAILED", "bold red")
        stdout().print(Text(f"  {mark}  ", style=style) + Text(f"{name}: {found}" if str(found) else name))

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(holds for _, holds, _ in self.checks)


def demo(
    exit_after: Annotated[
        bool, typer.Option("--exit", help="end with an exit code instead of serving on; all is taken down")
    ] = False,
    port: Annotated[int, typer.Option("--port", envvar="WAIWANG_PORT", min=1, max=65535, help="the dashboard's, on 127.0.0.1")] = 8080,
    virtual: Annotated[
        bool | None,
        typer.Option("--virtual/--lab", help="virtual devices, no root · real routers in namespaces", show_default="the lab when root"),
    ] = None,
    scenario: Annotated[Path | None, typer.Option("--scenario", help="play a rollout from a file in compressed time, then show it")] = None,
    pace: Annotated[float, typer.Option("--pace", min=0, help="how fast a served scenario's clock runs on; 0: it stands")] = 0.0,
) -> None:
    """Carry the order of Bazhong to accepted lines: check, plan, render, deploy, poll, measure, accept, see."""
    if scenario is not None:
        show_scenario(scenario, port, exit_after=exit_after, pace=pace)
        return
    began = time.monotonic()
    ground = LAB if (os.geteuid() == 0 if virtual is None else not virtual) else VIRTUAL
    ground.require()
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="waiwang-demo-") as folder:
        root = Path(folder) / "workspace"
        days = _make_workspace(ground, root, now().astimezone().date())
        _head("waiwang demo", f"{ground.title}; every date of the order moved by {days} days")
        on_paper(root, outcome)
        with _opened(ground, root) as place:
            in_the_field(place, outcome, port, keep=not exit_after)
    _summary(outcome, time.monotonic() - began)
    leave(ExitCode.OK if outcome.passed else ExitCode.NOT_ACCEPTED)


def _make_workspace(ground: Ground, root: Path, today: date) -> int:
    """Copy the ground's workspace with moved dates and an empty ledger, so that planning has something to do."""
    workspace, _ = read_workspace(ground.workspace)
    days = rehearse(workspace, ground.workspace, root, today, ground.order_file)
    (root / "ipplan" / "allocations.csv").unlink(missing_ok=True)
    return days


@contextmanager
def _opened(ground: Ground, root: Path) -> Iterator[Place]:
    _head("Boot the devices, each with its first-boot text only", f"$ {ground.boot_command}")
    begun = time.monotonic()
    with ground.open(root) as place:
        stdout().print(f"up after {time.monotonic() - begun:.1f} s")
        yield place


def on_paper(root: Path, outcome: Outcome) -> None:
    """Check, plan and render: nothing is running yet."""
    desk = Desk({"WAIWANG_ROOT": str(root)})
    output = root.parent / "configurations"
    for stage in (
        Stage("Judge every input", ["check"]),
        Stage("Give every line, unit and device its addresses", ["plan", "--commit"]),
        Stage("Write every configuration", ["render", "-o", str(output)]),
        Stage("Write the first-boot texts, and a page per site", ["render", "--bootstrap", "-o", str(output / "bootstrap")]),
    ):
        _run(stage, desk, outcome)
    written = [path for path in output.glob("*.cfg") if not path.name.endswith(".activate.cfg")]
    outcome.add("configurations written", bool(written), f"{len(written)} devices")


def in_the_field(place: Place, outcome: Outcome, port: int, *, keep: bool) -> None:
    """Everything that needs the network."""
    for stage in (
        Stage("Intended against running, on the one device that is wired yet", ["diff", "city"], [ExitCode.PENDING]),
        Stage("Deploy, root first: each device is reached over the lines just built", ["deploy", "--commit", "--quiet"]),
    ):
        _run(stage, place, outcome)
    with _serving(place, port) as url:
        outcome.add("dashboard answers", _page_is_there(url), url)
        outcome.add(*_wait_for(url, "every line up", lambda lines: all(line["state"] == "up" for line in lines)))
        for stage in (
            Stage("Probe from the centre to every line, and from every unit to the exchange server", ["measure", "reach", "--count", "5"]),
            Stage("Load every line in both directions", ["measure", "rate", "--seconds", "4"]),
            Stage("Judge: the reserved 100M ports are not proven yet", ["accept", "--commit"], [ExitCode.NOT_ACCEPTED]),
            Stage("Supervised activation of the reserved ports", ["measure", "reserved", "--commit"]),
        ):
            _run(stage, place, outcome)
        _accept(place, outcome)
        outcome.add(*_wait_for(url, "every primary line accepted in time", _all_accepted))
        outcome.add("metrics agree with the page", *_metrics_agree(url))
        _cut_and_heal(place, url, outcome)
        _run(Stage("Deploy again: nothing changes", ["deploy", "--commit", "--quiet"]), place, outcome)
        if keep and outcome.passed:
            _summary(outcome, None)
            _keep_serving(place, url)


def _accept(place: Place, outcome: Outcome) -> None:
    """Judge again once the trial window is over; the poller's samples have to cover it."""
    deadline = time.monotonic() + SEEN_WITHIN_S
    stage = Stage("Judge again", ["accept", "--commit"])
    while time.monotonic() < deadline:
        if _waiwang(["accept", "--format", "json"], place, capture=True).returncode == ExitCode.OK:
            break
        time.sleep(2)
    _run(stage, place, outcome)


def _cut_and_heal(place: Place, url: str, outcome: Outcome) -> None:
    """Cut the only uplink of one county: its line is down, its units unreachable, not down; healed, all return."""
    _head("Cut county01's only uplink, and mend it", f"$ waiwang {place.verb} cut {LONELY_COUNTY}")
    line_id = place.cut(LONELY_COUNTY)

    def seen(lines: Sequence[Mapping[str, object]]) -> bool:
        states = {str(line["line_id"]): line for line in lines}
        below = [line for line in lines if line["a_device"] == "county01"]
        hidden = all(line["state"] == "unreachable" and line["behind"] == line_id for line in below)
        return hidden and states[line_id]["state"] == "down"

    outcome.add(*_wait_for(url, f"{line_id} down, its units unreachable behind it", seen))
    place.heal(LONELY_COUNTY)
    outcome.add(*_wait_for(url, "healed: every line up", lambda lines: all(line["state"] == "up" for line in lines)))


def _all_accepted(lines: Sequence[Mapping[str, object]]) -> bool:
    return all(line["due"] == "accepted" for line in lines if line["role"] == "primary")


@contextmanager
def _serving(place: Place, port: int) -> Iterator[str]:
    """Run `waiwang serve` where the devices are reached; its page is on this machine's loopback."""
    url = f"http://127.0.0.1:{port}"
    _head("Watch: poller, API, dashboard, metrics", f"$ waiwang serve      {url}")
    try:
        argv = place.command([program(), "serve"])
        process = runner.start(argv, place.environment, listen=("127.0.0.1", port), stdout=subprocess.DEVNULL)
    except OSError as error:
        raise LabError(
            f"127.0.0.1:{port}: the dashboard cannot listen: expected a free port; found {error.strerror}. Choose another: --port."
        ) from None
    try:
        await_answer(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _run(stage: Stage, where: Desk | Place, outcome: Outcome) -> None:
    _head(stage.title, f"$ waiwang {shlex.join(stage.argv)}")
    code = _waiwang(stage.argv, where).returncode
    wanted = " or ".join(str(int(expected)) for expected in stage.expected)
    words = [word for word in stage.argv if not word.startswith("/")]
    outcome.add(f"waiwang {' '.join(words)}", code in stage.expected, f"exit {code}, {wanted} is right here")


def _waiwang(argv: Sequence[str], where: Desk | Place, *, capture: bool = False) -> subprocess.CompletedProcess[str]:
    command = where.command([program(), *argv])
    return subprocess.run(command, env={**os.environ, **where.environment}, text=True, capture_output=capture)


def _wait_for(url: str, name: str, wanted: Callable[[Sequence[Mapping[str, object]]], bool]) -> tuple[str, bool, str]:
    """Look at the API until the lines are as wanted; return a check."""
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < SEEN_WITHIN_S:
        lines = _lines(url)
        if lines and wanted(lines):
            return name, True, f"seen after {waited:.1f} s"
        time.sleep(0.5)
    states = sorted({f"{line['line_id']} {line['state']} {line['due']}" for line in _lines(url)})
    return name, False, "; ".join(states)


def _lines(url: str) -> list[dict[str, object]]:
    with urllib.request.urlopen(f"{url}/api/v1/lines?start=0&end=1000", timeout=60) as answer:
        rows: list[dict[str, object]] = json.load(answer)["rows"]
        return rows


def _page_is_there(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bool(answer.status == 200 and "电子政务" in answer.read().decode())


def _metrics_agree(url: str) -> tuple[bool, str]:
    """Compare the number of lines up in the metrics with that of the API."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    counted = sum(
        1 for row in text.splitlines() if row.startswith("waiwang_line_state{") and 'state="up"' in row and row.endswith(" 1.0")
    )
    up = sum(line["state"] == "up" for line in _lines(url))
    return counted == up, f"{counted} lines up in both" if counted == up else f"{counted} up in the metrics, {up} by the API"


def _keep_serving(place: Place, url: str) -> None:
    stdout().print(Text(f"\nThe dashboard stays at {url}/ until Ctrl-C; then all is taken down.", style="bold"))
    stdout().print(f"Try, in another terminal:  {place.hint}", soft_wrap=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        stdout().print("taking all down")


def _head(title: str, command: str) -> None:
    stdout().print()
    stdout().print(Text(f"── {title}", style="bold cyan"))
    stdout().print(Text(command, style="dim"))


def _summary(outcome: Outcome, seconds: float | None) -> None:
    grid = RichTable(title="Summary", title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in ("check", "holds", "found"):
        grid.add_column(column, overflow="fold")
    for name, holds, found in outcome.checks:
        grid.add_row(name, Text("ok" if holds else "FAILED", style="green" if holds else "bold red"), found)
    stdout().print()
    stdout().print(grid)
    words = "all checks hold" if outcome.passed else "SOME CHECKS FAILED"
    stdout().print(Text(words if seconds is None else f"{words} · {seconds:.0f} s", style="bold green" if outcome.passed else "bold red"))
