"""One summary serves all who ask, as long as it is true: until something is written, a moment passes that changes it, or it is old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.acceptance import LineSample
from app.core.access import CARRIER, Role
from app.edge.database.store import Store
from app.workflows.summary import StoreReader
from tests.samples.accepted_line import root_workspace

NOW = datetime(2008, 6, 20, 4, tzinfo=UTC)
KEEP = timedelta(minutes=1)


@dataclass
class Site:
    """A reader whose clock is set by hand."""

    store: Store
    now: datetime = NOW
    reader: StoreReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = StoreReader(root_workspace(), self.store, lambda: self.now, keep_for=KEEP)

    def seen_at(self, moment: datetime) -> datetime:
        """Ask at a moment; return that of the summary which is shown."""
        self.now = moment
        return self.reader.summary().as_of


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield Site(store)
    store.close()


def down(site: Site, line_id: str, at: datetime, store: Store | None = None) -> None:
    (store or site.store).write_look(at, [], [LineSample(line_id, at, "down", "seen", None, None, None)])


def test_a_summary_stands_for_its_time_and_no_longer(site: Site) -> None:
    asked = [NOW, NOW + KEEP / 2, NOW + KEEP - timedelta(microseconds=1), NOW + KEEP]
    assert [site.seen_at(moment) for moment in asked] == [NOW, NOW, NOW, NOW + KEEP]


def test_without_a_time_to_keep_every_answer_is_read_anew(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    reader = StoreReader(root_workspace(), store, lambda: NOW)
    assert reader.summary() is not reader.summary()
    store.close()


def test_what_another_process_writes_is_seen_at_once(site: Site, tmp_path: Path) -> None:
    line_id = next(iter(root_workspace().inventory.lines))
    site.seen_at(NOW)
    elsewhere = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    down(site, line_id, NOW + timedelta(seconds=1), elsewhere)
    elsewhere.close()
    assert site.seen_at(NOW + timedelta(seconds=2)) == NOW + timedelta(seconds=2)
    assert next(line.state for line in site.reader.summary().lines if line.line_id == line_id) == "down"


def test_a_deadline_that_passes_is_seen_on_its_very_moment(site: Site) -> None:
    order = root_workspace().order
    due_at = min(each.due_at(order.timezone) for each in order.milestones if each.evidence == "accepted_line" and not each.soft)
    before = due_at - timedelta(seconds=20)
    assert site.seen_at(before) == before
    assert site.seen_at(due_at - timedelta(microseconds=1)) == before
    assert site.seen_at(due_at) == due_at


def test_a_clock_that_was_set_back_is_not_shown_the_future(site: Site) -> None:
    site.seen_at(NOW)
    assert site.seen_at(NOW - timedelta(seconds=1)) == NOW - timedelta(seconds=1)


def test_a_role_that_sees_a_part_keeps_a_summary_of_its_own(site: Site) -> None:
    carrier = next(iter({line.carrier for line in root_workspace().inventory.lines.values()}))
    part = site.reader.narrowed(Role(CARRIER, carrier))
    whole = site.reader.summary()
    assert {line.carrier for line in part.summary().lines} == {carrier}
    assert part.summary() is part.summary() is not whole
    assert site.reader.summary() is whole


def test_the_next_summary_is_made_ready_only_where_somebody_asked_for_the_last(site: Site) -> None:
    site.now = NOW
    site.reader.renew()
    assert site.seen_at(NOW + timedelta(seconds=1)) == NOW + timedelta(seconds=1), "nobody had asked: nothing was ready"
    site.now = NOW + 2 * KEEP
    site.reader.renew()
    assert site.seen_at(NOW + 2 * KEEP + timedelta(seconds=1)) == NOW + 2 * KEEP
    site.now = NOW + 4 * KEEP
    site.reader.renew()
    site.now = NOW + 6 * KEEP
    site.reader.renew()
    assert site.seen_at(NOW + 6 * KEEP + timedelta(seconds=1)) == NOW + 6 * KEEP + timedelta(seconds=1), "nobody looked for a cycle"
