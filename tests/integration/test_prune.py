"""Old samples go, and whatever a decision rests on stays: packs made of it are the same before and after."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.edge.database.store import Store
from app.workflows.prune import prune
from tests.samples.accepted_line import ACCEPTED_AT, INTERVAL, LINE, accept_line, root_workspace, watch

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A line that was watched for ten days, decided on in the midst of them."""
    opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('pruned') / 'waiwang.db'}")
    watch(opened, LINE, ACCEPTED_AT - 5 * DAY, ACCEPTED_AT - timedelta(hours=80) - INTERVAL)
    accept_line(opened)
    watch(opened, LINE, ACCEPTED_AT + INTERVAL, ACCEPTED_AT + 5 * DAY)
    return opened


def test_samples_older_than_asked_go_and_those_of_a_decision_stay(store: Store) -> None:
    now, always = ACCEPTED_AT + 60 * DAY, (ACCEPTED_AT - 90 * DAY, ACCEPTED_AT + 90 * DAY)
    window = (ACCEPTED_AT - timedelta(hours=80), ACCEPTED_AT)
    before, looked_at = store.samples(LINE, *always), store.samples(LINE, *window)
    assert prune(root_workspace(), store, now, 80 * DAY, INTERVAL) == 0
    gone = prune(root_workspace(), store, now, 30 * DAY, INTERVAL)
    left = store.samples(LINE, *always)
    assert gone == len(before) - len(left) > 200
    assert store.samples(LINE, *window) == looked_at
    assert max(each.at for each in left) == ACCEPTED_AT + 5 * DAY, "the newest sample says what is known last"
    assert prune(root_workspace(), store, now, 30 * DAY, INTERVAL) == 0


def test_samples_that_a_trial_still_needs_stay_however_short_they_are_to_be_kept(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    watch(store, LINE, ACCEPTED_AT - 5 * DAY, ACCEPTED_AT)
    assert prune(root_workspace(), store, ACCEPTED_AT, timedelta(0), INTERVAL) == 0
    store.close()
