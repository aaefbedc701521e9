"""Lines that were never opened, from what a database keeps: now and as it was known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.core.acceptance import LineSample
from app.core.life import LifeEvent
from app.core.line_event import CARRIER_CONTACT, LineEvent, opened_event
from app.edge.database.store import Store
from app.workflows.known import read_known
from app.workflows.summary import read_summary
from tests.samples.accepted_line import LINE, accept_line, root_workspace

DAY = timedelta(days=1)
NOW = datetime(2008, 6, 10, 2, 0, tzinfo=UTC)
BUILT, REPORTED, CALLED, SILENT = "BZWW-TJ-A-0001", "BZWW-NJ-A-0001", "BZWW-PC-A-0001", LINE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Four lines that are all seen down; one is being built, one was reported open, one has a contact only, one nothing at all."""
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    zone = root_workspace().order.timezone
    samples = [LineSample(line_id, NOW - DAY, "down", "port x is down", None, None, None) for line_id in (BUILT, REPORTED, CALLED, SILENT)]
    opened.write_cycle(NOW - DAY, NOW - DAY, [], samples)
    opened.write_life_events([LifeEvent(BUILT, "applied", NOW - 30 * DAY, NOW - 30 * DAY, "centre", "申请表")])
    opened.write_line_events(
        [
            opened_event(REPORTED, date(2008, 6, 1), zone, NOW - 5 * DAY, "carrier:telecom", "开通单"),
            LineEvent(CALLED, CARRIER_CONTACT, NOW - DAY, NOW - DAY, "carrier:unicom", "开通单", "值班岗"),
        ]
    )
    yield opened
    opened.close()


def shown(store: Store, line_id: str) -> tuple[str, bool | None]:
    view = next(line for line in read_summary(root_workspace(), store, NOW).lines if line.line_id == line_id)
    return view.state, view.opened


def test_only_a_line_whose_life_is_kept_and_that_was_not_opened_is_told_apart(store: Store) -> None:
    assert {line_id: shown(store, line_id) for line_id in (BUILT, REPORTED, CALLED, SILENT)} == {
        BUILT: ("not_opened", False),
        REPORTED: ("down", True),
        CALLED: ("down", None),
        SILENT: ("down", None),
    }


def test_a_report_of_its_carrier_opens_a_line_that_is_being_built(store: Store) -> None:
    zone = root_workspace().order.timezone
    store.write_line_events([opened_event(BUILT, date(2008, 6, 9), zone, NOW, "carrier:unicom", "开通单")])
    assert shown(store, BUILT) == ("down", True)


def test_a_report_as_of_a_moment_knows_only_the_openings_that_were_recorded_then(store: Store) -> None:
    store.write_life_events(
        [LifeEvent(BUILT, state, NOW - 3 * DAY, NOW + DAY, "centre", "开通单") for state in ("approved", "building", "opened")]
    )

    def known(at: datetime) -> str:
        return next(line.state for line in read_known(root_workspace(), store, at).summary.lines if line.line_id == BUILT)

    assert (known(NOW), known(NOW + DAY)) == ("not_opened", "down")


def test_a_line_that_was_accepted_goes_down_though_nobody_recorded_its_opening(store: Store) -> None:
    accept_line(store)
    store.write_life_events([LifeEvent(LINE, "applied", NOW - 30 * DAY, NOW - 30 * DAY, "centre", "申请表")])
    after = datetime(2008, 6, 27, tzinfo=UTC)
    store.write_cycle(after, after, [], [LineSample(LINE, after, "down", "port x is down", None, None, None)])
    assert shown(store, LINE) == ("down", True)
