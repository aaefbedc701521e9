"""Copies of the database as docs/operations.md tells to take them, and databases of every older version with what stood in them."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from app.core.access import Account, Role
from app.core.trail import Entry
from app.edge.database.engine import build_engine
from app.edge.database.migrate import MIGRATIONS
from app.edge.database.store import Store
from app.errors import StoreError
from app.workflows.offices import prove_audit
from tests.samples.postgresql import Cluster, find_program
from tests.samples.required import skip_or_fail

NOW = datetime(2008, 6, 30, 15, 59, 59, 999999, tzinfo=UTC)
OFFICE = Account("office", Role("centre"), "hash", NOW, NOW, NOW)
#: As an old program wrote them: table → row. Moments are given as the column takes them.
FIRST_ROWS: dict[str, dict[str, Any]] = {
    "audit": {"at": NOW, "actor": "操作员", "verb": "deploy", "subject": "city", "detail": {"lines": 3, "ratio": 0.5, "名": None}},
    "transition": {"line_id": "L1", "observed_at": NOW, "recorded_at": NOW, "before": "down", "after": "up", "reason": "both ports are up"},
    "acceptance": {"line_id": "L1", "decided_at": NOW, "verdict": "pass", "results": []},
    "backup": {"device": "city", "at": NOW, "text": "hostname city\n", "digest": "d1"},
    "measurement": {"line_id": "L1", "kind": "loss", "at": NOW, "value": 0.0, "unit": "ratio", "method": "ping", "detail": {"sent": 20}},
}


def rewrite(store: Store, number: int) -> None:
    store.write_audit(NOW + timedelta(seconds=number), "操作员", "deploy", f"device-{number}", {"lines": number})


def assert_goes_on(url: str, head: str, entries: int) -> None:
    """A restored database is whole, holds what was known, takes more, and is as append-only as it was."""
    store = Store.open(url)
    try:
        proof = prove_audit(store, head)
        assert (proof.breaks, proof.entries) == ((), entries)
        assert store.find_account("office") == OFFICE
        rewrite(store, 999)
        assert store.audit()[-1].subject == "device-999"
        assert prove_audit(store, head).breaks == ()
    finally:
        store.close()
    engine = build_engine(url).execution_options(writes=True)
    try:
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM audit_link"))
    finally:
        engine.dispose()


def test_a_copy_of_sqlite_that_is_taken_while_others_write_is_one_moment_of_it(tmp_path: Path) -> None:
    """What `.backup` of the sqlite3 program does; a plain copy of the file lacks what stands in the write-ahead log."""
    store = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    store.write_account(OFFICE)
    for number in range(20):
        rewrite(store, number)
    head, stop = store.audit_head(), threading.Event()

    def keep_writing() -> None:
        for number in range(20, 5000):
            if stop.is_set():
                return
            rewrite(store, number)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        with closing(sqlite3.connect(tmp_path / "waiwang.db")) as source, closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
            source.backup(copy)
    finally:
        stop.set()
        writer.join()
        store.close()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        [(entries,)] = copy.execute("SELECT count(*) FROM audit")
    assert entries >= 20
    assert_goes_on(f"sqlite:///{tmp_path / 'copy.db'}", head, entries)


def test_a_dump_of_postgresql_comes_back_as_it_was(postgresql: Cluster, tmp_path: Path) -> None:
    programs = [find_program(name) for name in ("pg_dump", "pg_restore")]
    if None in programs:
        skip_or_fail("not installed: pg_dump, pg_restore (make system-packages)")
    dump, restore = map(str, programs)
    url, file = postgresql.create_database(), tmp_path / "waiwang.dump"
    store = Store.open(url)
    store.write_account(OFFICE)
    for number in range(20):
        rewrite(store, number)
    head = store.audit_head()
    subprocess.run([dump, "--format=custom", f"--file={file}", url], check=True)
    rewrite(store, 20)
    store.close()
    restored = postgresql.create_database(template="template0")
    subprocess.run([restore, "--no-owner", "--exit-on-error", f"--dbname={restored}", str(file)], check=True)
    assert_goes_on(restored, head, 20)


# Databases of older versions


def _revisions() -> list[str]:
    return [each.revision for each in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))]


@contextmanager
def at_revision(url: str, revision: str) -> Iterator[sa.Connection]:
    """Bring a new database to the schema of an older program."""
    engine = build_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            yield connection
    finally:
        engine.dispose()


def insert(connection: sa.Connection, table: str, row: dict[str, Any]) -> None:
    """Write a row as an older program did, by the columns that the table has."""
    found = sa.Table(table, sa.MetaData(), autoload_with=connection)
    is_sqlite = connection.dialect.name == "sqlite"
    values = {name: _micros(value) if is_sqlite and isinstance(value, datetime) else value for name, value in row.items()}
    connection.execute(sa.insert(found), values)


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    return str(request.getfixturevalue("postgresql").create_database(template="template0"))


@pytest.mark.parametrize("revision", _revisions()[:-1])
def test_a_database_of_every_older_version_is_taken_over_with_all_that_stands_in_it(empty: str, revision: str) -> None:
    with at_revision(empty, revision) as connection:
        for table, row in FIRST_ROWS.items():
            insert(connection, table, row)
        insert(connection, "audit", FIRST_ROWS["audit"] | {"subject": "county01", "detail": {}})
        has_accounts = sa.inspect(connection).has_table("account")
        if has_accounts:
            person = {"name": "office", "role": "centre", "password_hash": "hash", "created_at": NOW, "changed_at": NOW}
            insert(connection, "account", person)
            insert(connection, "account", person | {"name": "screen-1", "password_hash": None})
    store = Store.open(empty)
    try:
        first, second = store.audit()
        assert (first.at, first.actor, first.subject, first.detail) == (NOW, "操作员", "city", {"lines": 3, "ratio": 0.5, "名": None})
        assert second.subject == "county01"
        assert [(each.before, each.after, each.observed_at) for each in store.transitions("L1")] == [("down", "up", NOW)]
        assert store.acceptances()["L1"].verdict == "pass"
        assert [kept.text for kept in store.backups("city")] == ["hostname city\n"]
        assert store.measurements(["L1"])["L1"]["loss"].detail == {"sent": 20}
        assert {each.name: each.password_at for each in store.accounts()} == ({"office": NOW, "screen-1": None} if has_accounts else {})
        proof = prove_audit(store, store.audit_head())
        assert (proof.breaks, proof.entries) == ((), 2), "what stood before is linked as what comes after"
        rewrite(store, 1)
        assert prove_audit(store, proof.head).breaks == ()
    finally:
        store.close()


def test_an_upgrade_that_breaks_off_leaves_the_old_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every migration runs in one transaction: an older program can still use what a newer one failed on."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    with at_revision(url, "0009_sessions") as connection:
        insert(connection, "audit", FIRST_ROWS["audit"])

    def fail(before: str, entry: Entry) -> str:
        raise OSError("the disk is full")

    monkeypatch.setattr("app.core.trail.build_link", fail)
    with pytest.raises(StoreError, match="the disk is full"):
        Store.open(url)
    monkeypatch.undo()
    engine = build_engine(url)
    with engine.begin() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "0009_sessions"
        assert not sa.inspect(connection).has_table("audit_link")
    engine.dispose()
    store = Store.open(url)
    assert prove_audit(store).entries == 1
    store.close()
