"""Accounts and tokens in the database: what stands, what has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.access import Account, Role, Token
from app.edge.database.store import Store

NOW = datetime(2008, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OFFICE = Account("office", Role("carrier", "telecom"), "hash", NOW, NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def test_an_account_comes_back_as_it_was_written_and_is_replaced_whole(store: Store) -> None:
    store.write_account(OFFICE)
    assert store.find_account("office") == OFFICE
    changed = replace(OFFICE, role=Role("viewer"), password_hash=None, changed_at=NOW + DAY)
    store.write_account(changed)
    assert store.accounts() == [changed]


def test_a_removed_account_has_no_token_left(store: Store) -> None:
    store.write_account(OFFICE)
    store.write_token(Token("office", "d" * 64, NOW, NOW + 9 * DAY))
    assert store.count_tokens(NOW) == {"office": 1}
    store.remove_account("office", NOW + DAY)
    assert (store.find_account("office"), store.accounts(), store.count_tokens(NOW + DAY)) == (None, [], {})
    assert store.find_token("d" * 64, NOW + DAY) is None


def test_a_token_holds_until_the_very_moment_of_its_end(store: Store) -> None:
    store.write_token(Token("office", "e" * 64, NOW, NOW + DAY))
    assert store.find_token("e" * 64, NOW + DAY - timedelta(microseconds=1)) is not None
    assert store.find_token("e" * 64, NOW + DAY) is None


def test_a_role_that_this_version_does_not_know_sees_nothing(store: Store) -> None:
    store.write_account(replace(OFFICE, role=Role("emperor")))
    held = store.find_account("office")
    assert held is not None
    assert held.role.is_narrow
    assert held.role.subject == ""
