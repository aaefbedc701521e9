"""Engines: SQLite (write-ahead log) embedded, PostgreSQL for several machines; the same transactions on both.

A reader sees one moment of the database, however many statements it takes. Writers come one after the other: what a
writer read stands until it has written. SQLite gives the second by its write lock, PostgreSQL by an advisory lock.
"""

from __future__ import annotations

import json
import sqlite3

import sqlalchemy as sa

from app.errors import StoreError

#: How long a writer waits for another one.
BUSY_TIMEOUT_MS = 15_000
#: A poll cycle touches the newest page of every line: the log takes several cycles (8,000 pages of 4 KB) before they are written in place,
#: and the pages stay in memory (16 MB a connection). With SQLite's own 4 and 2 MB a cycle costs a third more processor time.
SQLITE = {
    "busy_timeout": BUSY_TIMEOUT_MS,
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "foreign_keys": "ON",
    "wal_autocheckpoint": 8000,
    "cache_size": -16_000,
}
#: How long a PostgreSQL server may take to let us in.
CONNECT_TIMEOUT_S = 10
#: The advisory lock of waiwang's writers, the same number in every process ("waiwang" in ASCII).
WRITERS_LOCK = int.from_bytes(b"waiwang")
#: What people write for PostgreSQL; SQLAlchemy would look for another driver.
SHORT_NAMES = ("postgresql", "postgres")
POSTGRESQL_DRIVER = "postgresql+psycopg"


def build_engine(url: str) -> sa.Engine:
    """Return an engine that opens no connection yet.

    Raises:
        StoreError: no URL, a driver that is not installed, or a database that forgets.
    """
    try:
        engine = _create_engine(sa.make_url(url))
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise StoreError(
            "database URL: expected sqlite:///FILE, postgresql://USER@HOST/DATABASE (pip install waiwang[postgresql]) or another URL "
            f"of SQLAlchemy whose driver is installed; found {shown(url)} ({error}). Set WAIWANG_DATABASE_URL."
        ) from error
    if engine.dialect.name == "sqlite":
        if engine.url.database in (None, "", ":memory:"):
            raise StoreError(f"database URL: expected a file; found {url}, which forgets. Set WAIWANG_DATABASE_URL to sqlite:///FILE.")
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    if engine.dialect.name == "postgresql":
        sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def shown(url: str | sa.URL) -> str:
    """Return a URL without its password."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "a text that is no URL"


def _create_engine(url: sa.URL) -> sa.Engine:
    if url.drivername in SHORT_NAMES:
        url = url.set(drivername=POSTGRESQL_DRIVER)
    if url.drivername != POSTGRESQL_DRIVER:
        return sa.create_engine(url, json_serializer=_to_json)
    patience = {"connect_timeout": CONNECT_TIMEOUT_S}
    return sa.create_engine(url, json_serializer=_to_json, pool_pre_ping=True, connect_args=patience)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Let SQLAlchemy begin transactions itself (the driver would begin them too late), and write ahead."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for name, value in SQLITE.items():
        cursor.execute(f"PRAGMA {name} = {value}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock first: a reader that turns writer is refused when another wrote in between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")


def _begin_postgresql(connection: sa.Connection) -> None:
    """Let a writer wait for the one before it, then see what that one wrote (read committed); give a reader one snapshot."""
    if _writes(connection):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _writes(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get("writes"))


def _to_json(value: object) -> str:
    return json.dumps(value, allow_nan=False)
