"""Acceptance over a real database: samples and measurements in, decisions out, kept, read by the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.acceptance import LineSample, Measurement, PortSample
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.errors import ExitCode
from app.workflows.accept import accept
from app.workflows.summary import StoreReader

LAB_WORKSPACE = Path(__file__).parents[2] / "lab" / "workspace"
LINE = "BZWW-F-0001"
IN_TIME = datetime(2008, 6, 20, 4, 0, tzinfo=UTC)
POLL_S = 2.0


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return read_workspace(LAB_WORKSPACE)[0]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def observe(store: Store, until: datetime, *, state: str = "up", seconds: int = 30) -> None:
    """Write samples of one line, one every poll interval, up to `until`."""
    for step in range(int(seconds / POLL_S) + 1):
        at = until - timedelta(seconds=seconds - step * POLL_S)
        port = PortSample("city", "eth9", at, state == "up", True, 2, None, 100 * step, 100 * step, 64, 0, 0)
        far = replace(port, device="city-d01", interface="eth1")
        store.write_cycle(at, at, [], [LineSample(LINE, at, state, "", None, port, far)])


def measure(store: Store, at: datetime, **values: float | None) -> None:
    known: dict[str, float | None] = {"reachable_from_centre": 0.0, "reaches_services": 0.0, "rate_down": 1950.0, "rate_up": 1950.0}
    for kind, value in (known | values).items():
        store.write_measurement(Measurement(LINE, kind, at, value, "", "test", {}))


def judged(workspace: Workspace, store: Store, at: datetime, *, commit: bool = True) -> tuple[str, ExitCode]:
    report = accept(workspace, store, [LINE], commit=commit, poll_interval_s=POLL_S, now=at)
    decisions = (*report.decided, *report.standing)
    return decisions[0].verdict, report.exit_code


def test_a_line_with_every_proof_is_accepted_once_and_stays_so(workspace: Workspace, store: Store) -> None:
    observe(store, IN_TIME)
    measure(store, IN_TIME)
    assert judged(workspace, store, IN_TIME) == ("pass", ExitCode.OK)
    later = IN_TIME + timedelta(days=90)
    report = accept(workspace, store, [LINE], commit=True, poll_interval_s=POLL_S, now=later)
    assert (report.decided, [decision.decided_at for decision in report.standing]) == ((), [IN_TIME])
    assert len(store.acceptance_history(LINE)) == 1
    summary = StoreReader(workspace, store, lambda: later).summary()
    assert next(line.due for line in summary.lines if line.line_id == LINE) == "accepted"


def test_without_commit_nothing_is_recorded(workspace: Workspace, store: Store) -> None:
    observe(store, IN_TIME)
    measure(store, IN_TIME)
    assert judged(workspace, store, IN_TIME, commit=False) == ("pass", ExitCode.OK)
    assert store.acceptances() == {}


def test_a_line_that_nobody_looked_at_is_not_proven(workspace: Workspace, store: Store) -> None:
    assert judged(workspace, store, IN_TIME) == ("not_proven", ExitCode.NOT_ACCEPTED)


def test_one_required_failure_fails_a_line_and_a_retest_heals_it(workspace: Workspace, store: Store) -> None:
    observe(store, IN_TIME)
    measure(store, IN_TIME, rate_up=1799.0)
    assert judged(workspace, store, IN_TIME) == ("fail", ExitCode.NOT_ACCEPTED)
    retest = IN_TIME + timedelta(seconds=1)
    measure(store, retest, rate_up=1800.0)
    assert judged(workspace, store, retest) == ("pass", ExitCode.OK)
    assert [decision.verdict for decision in store.acceptance_history(LINE)] == ["fail", "pass"]


@pytest.mark.parametrize(("seconds", "code"), [(-1, ExitCode.OK), (0, ExitCode.DEADLINE)])
def test_the_last_moment_counts(workspace: Workspace, store: Store, seconds: int, code: ExitCode) -> None:
    at = datetime(2008, 6, 30, 16, 0, tzinfo=UTC) + timedelta(seconds=seconds)
    observe(store, at)
    measure(store, at)
    assert judged(workspace, store, at) == ("pass", code)
