"""Open a database, migrate it, and run transactions on it; every failure becomes a StoreError."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy.dialects import postgresql, sqlite

from app.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
#: How long a writer waits for another one.
BUSY_TIMEOUT_MS = 15_000


class Database:
    """One database: its connections, transactions and statements. `open` brings its schema up to date."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, and migrate the schema to the newest version.

        Raises:
            StoreError: the URL is not understood, the file cannot be written, or its schema is newer than this program.
        """
        engine = _build_engine(url)
        try:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                _migrate(connection, url)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            engine.dispose()
            raise _cannot_open(url, error) from error
        return cls(engine)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def writing(self, what: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except (sa.exc.SQLAlchemyError, OverflowError) as error:
            raise _failed(self._engine.url, f"{what} was not written", error) from error

    @contextmanager
    def reading(self, what: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise _failed(self._engine.url, f"{what} cannot be read", error) from error

    def insert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
        if rows:
            connection.execute(sa.insert(table), rows)

    def upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
        if not rows:
            return
        keys = [column.name for column in table.primary_key]
        statement: sqlite.Insert | postgresql.Insert
        statement = sqlite.insert(table) if self._engine.dialect.name == "sqlite" else postgresql.insert(table)
        values = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def database_exists(url: str) -> bool:
    """Tell whether there is a database to open: its file, where it is one. Only trying tells whether it can be used."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        return True
    return parsed.get_backend_name() != "sqlite" or (parsed.database is not None and Path(parsed.database).exists())


def _build_engine(url: str) -> sa.Engine:
    try:
        engine = sa.create_engine(url, json_serializer=_to_json)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise StoreError(
            f"database URL: expected sqlite:///FILE or another URL of SQLAlchemy whose driver is installed; found {_shown(url)} "
            f"({error}). Set WAIWANG_DATABASE_URL."
        ) from error
    if engine.dialect.name == "sqlite":
        if engine.url.database in (None, "", ":memory:"):
            raise StoreError(f"database URL: expected a file; found {url}, which forgets. Set WAIWANG_DATABASE_URL to sqlite:///FILE.")
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Let SQLAlchemy begin transactions itself (the driver would begin them too late), and write ahead."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock first: a reader that turns writer is refused when another wrote in between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _migrate(connection: sa.Connection, url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"database {_shown(url)}: expected a schema that this version of waiwang knows; found a newer one ({error}). "
            "Run the newer waiwang, or point WAIWANG_DATABASE_URL to another database."
        ) from error


def _cannot_open(url: str, error: Exception) -> StoreError:
    return StoreError(
        f"database {_shown(url)}: expected a database that can be read and written; found: {_cause(error)}. "
        "Check that the directory exists and may be written, or set WAIWANG_DATABASE_URL."
    )


def _failed(url: sa.URL, what: str, error: Exception) -> StoreError:
    return StoreError(
        f"database {_shown(url)}: {what}: expected the database to take it; found: {_cause(error)}. "
        "Check its disk and whether another process holds it."
    )


def _cause(error: Exception) -> str:
    """Return the driver's own words, without the statement and its values."""
    origin = getattr(error, "orig", None)
    return str(origin if origin is not None else error).splitlines()[0]


def _shown(url: str | sa.URL) -> str:
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "a text that is no URL"


def _to_json(value: object) -> str:
    return json.dumps(value, allow_nan=False)
