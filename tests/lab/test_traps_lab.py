"""On a notification, poll: real routers tell of a cut, and it is recorded though no cycle is due. `bench/traps.py` takes the times."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from app.core.acceptance import Transition
from app.edge.database.store import Store
from lab.handle import Lab
from tests.samples.server import wait_until
from tests.samples.serving import serving

pytestmark = pytest.mark.lab

#: The schedule gives one cycle at the start and none while this test can last: what is recorded later, a notification caused.
ENVIRON = {"WAIWANG_POLL_INTERVAL_S": "86400", "COLUMNS": "400"}
CUT, HIDDEN = "BZWW-A-0001", "BZWW-A-0002"
NOTIFIED = re.compile(r"(BZWW-\S+): (\S+) → (\S+) .*recorded \S+ s after the notification")


@pytest.fixture
def store(lab: Lab) -> Iterator[Store]:
    """Read what is recorded from the database: what a page would show, without its second of delay."""
    opened = Store.open(lab.state.database_url)
    yield opened
    opened.close()


def states(store: Store) -> dict[str, str]:
    return {line_id: status.sample.state for line_id, status in store.latest().items()}


def cycle_ends(store: Store, since: datetime) -> list[datetime]:
    return [cycle.finished_at for cycle in store.cycles(since)]


def metric(client: httpx.Client, result: str) -> float:
    wanted = f'waiwang_notifications_total{{result="{result}"}} '
    return next(float(row.removeprefix(wanted)) for row in client.get("/metrics").text.splitlines() if row.startswith(wanted))


def quiet(log: Path) -> bool:
    """Wait five seconds; tell whether nothing was recorded meanwhile."""
    before = log.stat().st_size
    time.sleep(5)
    return log.stat().st_size == before


def last_change(store: Store, line_id: str) -> Transition:
    return store.newest_transitions(line_id, 1)[0]


def test_a_cut_is_recorded_by_a_notification_and_so_is_its_mending(lab: Lab, store: Store, tmp_path: Path) -> None:
    assert lab.waiwang("deploy", "--commit", "--wait", "120", "--format", "json", timeout=600).returncode == 0
    everything = set(lab.workspace.inventory.lines)
    below = {line.line_id for line in lab.workspace.inventory.lines.values() if line.a_device == "county01"}
    log = tmp_path / "serve.log"
    with serving(lab, log, ENVIRON) as client:
        wait_until(lambda: states(store) == dict.fromkeys(everything, "up"), 60, f"every line up: {log.read_text()}")
        wait_until(lambda: quiet(log), 180, "the end of what the deployment causes")
        heard = metric(client, "accepted")

        lab.cut(CUT)
        wait_until(lambda: states(store)[CUT] == "down", 60, f"the line down: {log.read_text()}")
        wait_until(lambda: {states(store)[each] for each in below} == {"unreachable"}, 60, "its units unreachable")
        assert_a_look_came_before_the_cycle(store, below)
        assert (CUT, "up", "down") in NOTIFIED.findall(log.read_text()), "the port was seen down on a notification"
        assert metric(client, "accepted") > heard

        lab.heal(CUT)
        wait_until(lambda: set(states(store).values()) == {"up"}, 60, f"every line up again: {log.read_text()}")
        assert metric(client, "wrong_key") == metric(client, "unknown_user") == metric(client, "unknown_sender") == 0

        wait_until(lambda: quiet(log), 180, "the end of what the mending causes")
        heard = metric(client, "accepted")
        lab.cut(HIDDEN, silent=True)
        wait_until(lambda: states(store)[HIDDEN] == "unreachable", 60, f"silence noticed: {log.read_text()}")
        silence = last_change(store, HIDDEN)
        assert silence.recorded_at in cycle_ends(store, silence.recorded_at), "who does not answer is judged by a full cycle"
        assert metric(client, "accepted") > heard, "OSPF told of the neighbour; no port had changed"
        lab.heal(HIDDEN)
        wait_until(lambda: set(states(store).values()) == {"up"}, 60, "every line up again")
    assert "Traceback" not in log.read_text()


def assert_a_look_came_before_the_cycle(store: Store, below: set[str]) -> None:
    """The port is recorded down by a look, ahead of the cycle that this look brought forward and that judges who is behind."""
    cut = last_change(store, CUT)
    assert (cut.before, cut.after) == ("up", "down")
    behind = {last_change(store, line_id).recorded_at for line_id in below}
    ends = cycle_ends(store, cut.recorded_at)
    assert cut.recorded_at not in ends, "no cycle recorded it"
    assert behind <= set(ends), "a cycle recorded who is behind it"
    assert cut.recorded_at < min(behind)
