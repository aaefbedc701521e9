"""`waiwang demo`: the main job from order to accepted line, by the very commands that a user types, with checks that can fail."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
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
from app.cli.output import stdout
from app.edge.files import read_workspace
from app.errors import ExitCode, LabError
from app.workflows.rehearse import rehearse
from lab import runner
from lab.possible import require_possible
from lab.runner import LabOptions

#: How long a change in the network may take to be seen on the page: poll cycles and a margin, seconds.
SEEN_WITHIN_S = 40.0


@dataclass(slots=True)
class Stage:
    """One command of the demo, with the exit codes that are right here."""

    title: str
    argv: Sequence[str]
    expected: Sequence[ExitCode] = (ExitCode.OK,)
    inside: bool = True


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
        bool, typer.Option("--exit", metavar="", help="end with an exit code instead of serving on; the lab is taken down")
    ] = False,
    port: Annotated[int, typer.Option("--port", envvar="WAIWANG_PORT", min=1, max=65535, help="the dashboard's, on 127.0.0.1")] = 8080,
) -> None:
    """Carry the order of Bazhong through the lab: check, plan, render, deploy, poll, measure, accept, see. Needs root."""
    began = time.monotonic()
    require_possible()
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="waiwang-demo-") as folder:
        root = Path(folder) / "workspace"
        days = _make_workspace(root, now().astimezone().date())
        _head("waiwang demo", f"a lab of real FRR routers on this machine; every date of the order moved by {days} days")
        on_paper(root, outcome)
        with _lab(root) as environment:
            in_the_lab(environment, outcome, port, keep=not exit_after)
    _summary(outcome, time.monotonic() - began)
    leave(ExitCode.OK if outcome.passed else ExitCode.NOT_ACCEPTED)


def _make_workspace(root: Path, today: date) -> int:
    """Copy the lab's workspace with moved dates and an empty ledger, so that planning has something to do."""
    source = runner.LAB / "workspace"
    workspace, _ = read_workspace(source)
    days = rehearse(workspace, source, root, today)
    (root / "ipplan" / "allocations.csv").unlink(missing_ok=True)
    return days


def on_paper(root: Path, outcome: Outcome) -> None:
    """Check, plan and render: nothing is running yet."""
    environment = {**os.environ, "WAIWANG_ROOT": str(root)}
    output = root.parent / "configurations"
    for stage in (
        Stage("Judge every input", ["check"], inside=False),
        Stage("Give every line, unit and device its addresses", ["plan", "--commit"], inside=False),
        Stage("Write every configuration", ["render", "-o", str(output)], inside=False),
        Stage("Write the first-boot texts, and a page per site", ["render", "--bootstrap", "-o", str(output / "bootstrap")], inside=False),
    ):
        _run(stage, environment, outcome)
    outcome.add("configurations written", len(list(output.glob("*.cfg"))) > 0, f"{len(list(output.glob('*.cfg')))} devices")


def in_the_lab(environment: Mapping[str, str], outcome: Outcome, port: int, *, keep: bool) -> None:
    """Everything that needs the network."""
    for stage in (
        Stage("Intended against running, on the one device that is wired yet", ["diff", "city"], [ExitCode.PENDING]),
        Stage("Deploy, root first: each device is reached over the lines just built", ["deploy", "--commit", "--quiet"]),
    ):
        _run(stage, environment, outcome)
    with _serving(environment, port) as url:
        outcome.add("dashboard answers", _page_is_there(url), url)
        outcome.add(*_wait_for(url, "every line up", lambda lines: all(line["state"] == "up" for line in lines)))
        for stage in (
            Stage("Probe from the centre to every line, and from every unit to the exchange server", ["measure", "reach", "--count", "5"]),
            Stage("Load every line in both directions", ["measure", "rate", "--seconds", "4"]),
            Stage("Judge: the reserved 100M ports are not proven yet", ["accept", "--commit"], [ExitCode.NOT_ACCEPTED]),
            Stage("Supervised activation of the reserved ports", ["measure", "reserved", "--commit"]),
        ):
            _run(stage, environment, outcome)
        _accept(environment, outcome)
        outcome.add(*_wait_for(url, "every primary line accepted in time", _all_accepted))
        outcome.add("metrics agree with the page", *_metrics_agree(url))
        _cut_and_heal(url, outcome)
        _run(Stage("Deploy again: nothing changes", ["deploy", "--commit", "--quiet"]), environment, outcome)
        if keep and outcome.passed:
            _summary(outcome, None)
            _keep_serving(url)


def _accept(environment: Mapping[str, str], outcome: Outcome) -> None:
    """Judge again once the trial window is over; the poller's samples have to cover it."""
    deadline = time.monotonic() + SEEN_WITHIN_S
    stage = Stage("Judge again", ["accept", "--commit"])
    while time.monotonic() < deadline:
        if _waiwang(["accept", "--format", "json"], environment, capture=True).returncode == ExitCode.OK:
            break
        time.sleep(2)
    _run(stage, environment, outcome)


def _cut_and_heal(url: str, outcome: Outcome) -> None:
    """Cut the only uplink of one county: its line is down, its units unreachable, not down; healed, all return."""
    _head("Cut county01's only uplink, and mend it", "$ waiwang lab cut city:county01")
    link = runner.cut("city:county01")

    def seen(lines: Sequence[Mapping[str, object]]) -> bool:
        states = {str(line["line_id"]): line for line in lines}
        below = [line for line in lines if line["a_device"] == "county01"]
        hidden = all(line["state"] == "unreachable" and line["behind"] == link.line_id for line in below)
        return hidden and states[str(link.line_id)]["state"] == "down"

    outcome.add(*_wait_for(url, f"{link.line_id} down, its units unreachable behind it", seen))
    runner.heal("city:county01")
    outcome.add(*_wait_for(url, "healed: every line up", lambda lines: all(line["state"] == "up" for line in lines)))


def _all_accepted(lines: Sequence[Mapping[str, object]]) -> bool:
    return all(line["due"] == "accepted" for line in lines if line["role"] == "primary")


@contextmanager
def _lab(root: Path) -> Iterator[dict[str, str]]:
    _head("Boot the lab", "$ waiwang lab up")
    begun = time.monotonic()
    state = runner.up(LabOptions(workspace=root))
    try:
        stdout().print(f"{len(state.nodes)} nodes up in {time.monotonic() - begun:.1f} s, each with its first-boot text only")
        yield {**os.environ, **runner.environment(state)}
    finally:
        runner.down(only=state)


@contextmanager
def _serving(environment: Mapping[str, str], port: int) -> Iterator[str]:
    """Run `waiwang serve` inside the lab; its page is on this machine's loopback."""
    url = f"http://127.0.0.1:{port}"
    _head("Watch: poller, API, dashboard, metrics", f"$ waiwang serve      {url}")
    try:
        process = runner.start_in_noc([_program(), "serve"], environment, listen=("127.0.0.1", port), stdout=subprocess.DEVNULL)
    except OSError as error:
        raise LabError(
            f"127.0.0.1:{port}: the dashboard cannot listen: expected a free port; found {error.strerror}. Choose another: --port."
        ) from None
    try:
        _wait_until_answering(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_until_answering(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LabError(f"waiwang serve: expected a running server; found exit code {process.returncode}. Run it by hand to see why.")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise LabError("waiwang serve: expected an answer within 30 s; found none. Run it by hand to see why.")


def _run(stage: Stage, environment: Mapping[str, str], outcome: Outcome) -> None:
    _head(stage.title, f"$ waiwang {shlex.join(stage.argv)}")
    code = _waiwang(stage.argv, environment, inside=stage.inside).returncode
    wanted = " or ".join(str(int(expected)) for expected in stage.expected)
    words = [word for word in stage.argv if not word.startswith("/")]
    outcome.add(f"waiwang {' '.join(words)}", code in stage.expected, f"exit {code}, {wanted} is right here")


def _waiwang(
    argv: Sequence[str], environment: Mapping[str, str], *, inside: bool = True, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    command = [_program(), *argv]
    return subprocess.run(runner.enter_noc(command) if inside else command, env=dict(environment), text=True, capture_output=capture)


def _program() -> str:
    """Return the path of the `waiwang` that is running."""
    beside = Path(sys.executable).with_name("waiwang")
    return str(beside) if beside.exists() else shutil.which("waiwang") or sys.argv[0]


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
    with urllib.request.urlopen(f"{url}/api/v1/lines?start=0&end=1000", timeout=10) as answer:
        rows: list[dict[str, object]] = json.load(answer)["rows"]
        return rows


def _page_is_there(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bool(answer.status == 200 and "电子政务" in answer.read().decode())


def _metrics_agree(url: str) -> tuple[bool, str]:
    """Compare the number of lines up in the metrics with that of the API."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    counted = sum(
        1 for row in text.splitlines() if row.startswith("waiwang_line_state{") and 'state="up"' in row and row.endswith(" 1.0")
    )
    up = sum(line["state"] == "up" for line in _lines(url))
    return counted == up, f"{counted} lines up in both" if counted == up else f"{counted} up in the metrics, {up} by the API"


def _keep_serving(url: str) -> None:
    stdout().print(Text(f"\nThe dashboard stays at {url}/ until Ctrl-C; then the lab is taken down.", style="bold"))
    stdout().print("Try, in another terminal:  waiwang lab cut city:county02   ·   waiwang lab heal city:county02   ·   waiwang lab status")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        stdout().print("taking the lab down")


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
