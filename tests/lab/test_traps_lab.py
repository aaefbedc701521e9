"""On a notification, poll: real routers tell of a cut, and it is recorded long before the next scheduled cycle."""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lab import runner
from lab.handle import Lab
from tests.samples.server import free_port, wait_until

pytestmark = pytest.mark.lab

#: Nothing that this module sees may come from the schedule.
POLL_INTERVAL_S = 60
#: The agents look every second at a table that is up to 3 s old.
CUT_TO_RECORDED_S = 4.0
#: OSPF misses its neighbour for 4 s, then a cycle waits 4 s for those who do not answer.
SILENT_CUT_TO_RECORDED_S = 15.0
NOTIFIED_TO_RECORDED_S = 1.0
RECORDED = re.compile(r"(BZWW-\S+): (\S+) → (\S+) .*recorded (\d+\.\d+) s after the notification")


@contextmanager
def serving(lab: Lab, log: Path) -> Iterator[httpx.Client]:
    """Run `waiwang serve` in noc with the schedule out of the way."""
    port = free_port()
    environment = {**lab.environment, "WAIWANG_POLL_INTERVAL_S": str(POLL_INTERVAL_S), "COLUMNS": "400"}
    with log.open("w", encoding="utf-8") as said:
        program = str(Path(sys.executable).with_name("waiwang"))
        process = runner.start_in_noc([program, "serve"], environment, listen=("127.0.0.1", port), stdout=said)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                wait_until(lambda: answers(client), 30, f"the server; it said: {log.read_text()}")
                yield client
        finally:
            process.terminate()
            process.wait(20)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def states(lab: Lab) -> dict[str, str]:
    """Return the recorded state of every line, read from the database: what a page would show, without its second of delay."""
    with sqlite3.connect(lab.state.database_url.removeprefix("sqlite:///")) as database:
        rows = dict(database.execute("select line_id, state from line_state"))
    database.close()
    return rows


def cycles(lab: Lab) -> int:
    with sqlite3.connect(lab.state.database_url.removeprefix("sqlite:///")) as database:
        (number,) = database.execute("select count(*) from cycle").fetchone()
    database.close()
    return int(number)


def metric(client: httpx.Client, result: str) -> float:
    wanted = f'waiwang_notifications_total{{result="{result}"}} '
    return next(float(row.removeprefix(wanted)) for row in client.get("/metrics").text.splitlines() if row.startswith(wanted))


def quiet(log: Path) -> bool:
    """Wait five seconds; tell whether nothing was recorded meanwhile."""
    before = log.stat().st_size
    time.sleep(5)
    return log.stat().st_size == before


def say(text: str) -> None:
    """Print a figure; `pytest -s` shows it."""
    sys.stdout.write(f"{text}\n")


def seconds_until(condition: Callable[[], bool], limit_s: float, what: str) -> float:
    begun = time.monotonic()
    wait_until(condition, limit_s, what)
    return time.monotonic() - begun


def test_a_cut_is_recorded_before_the_next_cycle_and_so_is_its_mending(lab: Lab, tmp_path: Path) -> None:
    assert lab.waiwang("deploy", "--commit", "--format", "json", timeout=240).returncode == 0
    everything = set(lab.workspace.inventory.lines)
    below = {line.line_id for line in lab.workspace.inventory.lines.values() if line.a_device == "county01"}
    log = tmp_path / "serve.log"
    with serving(lab, log) as client:
        wait_until(lambda: states(lab) == dict.fromkeys(everything, "up"), 20, f"every line up: {log.read_text()}")
        wait_until(lambda: quiet(log), 20, "the end of what the deployment causes")
        before = cycles(lab)

        lab.cut("BZWW-A-0001")
        took = seconds_until(lambda: states(lab)["BZWW-A-0001"] == "down", 15, f"the line down: {log.read_text()}")
        say(f"cut → recorded: {took:.2f} s")
        behind = seconds_until(lambda: {states(lab)[each] for each in below} == {"unreachable"}, 15, "its units unreachable")
        say(f"… its units unreachable {behind:.2f} s later, {cycles(lab) - before} cycle(s) brought forward")

        lab.heal("BZWW-A-0001")
        healed = seconds_until(lambda: set(states(lab).values()) == {"up"}, 20, f"every line up again: {log.read_text()}")
        say(f"healed → every line recorded up: {healed:.2f} s")
        assert metric(client, "accepted") >= 2
        assert metric(client, "wrong_key") == metric(client, "unknown_user") == metric(client, "unknown_sender") == 0

        wait_until(lambda: quiet(log), 20, "the end of what the mending causes")
        lab.cut("BZWW-A-0002", silent=True)
        silent = seconds_until(lambda: states(lab)["BZWW-A-0002"] == "unreachable", 30, f"silence noticed: {log.read_text()}")
        say(f"cut that no port shows → recorded: {silent:.2f} s")
        lab.heal("BZWW-A-0002")
        wait_until(lambda: set(states(lab).values()) == {"up"}, 30, "every line up again")
    said = log.read_text()
    delays = [(line, after, float(delay)) for line, _, after, delay in RECORDED.findall(said)]
    say(f"notification → recorded: {delays}")
    assert took < CUT_TO_RECORDED_S
    assert silent < SILENT_CUT_TO_RECORDED_S
    assert next(delay for line, after, delay in delays if (line, after) == ("BZWW-A-0001", "down")) < NOTIFIED_TO_RECORDED_S
    assert "Traceback" not in said
