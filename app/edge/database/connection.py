"""Open a database, migrate it, and run transactions on it; every failure becomes a StoreError."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.default import DefaultDialect

from app.edge.database.engine import build_engine, shown
from app.errors import StoreError


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
        from app.edge.database.migrate import migrate  # Alembic takes a quarter of the start of commands that open no database

        engine = build_engine(url)
        _make_private(engine.url)
        try:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                migrate(connection, url)
        except StoreError:
            engine.dispose()
            raise
        except (sa.exc.SQLAlchemyError, OSError) as error:
            engine.dispose()
            raise _cannot_open(engine.url, error) from error
        return cls(engine)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def writing(self, what: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except (sa.exc.SQLAlchemyError, OverflowError, ValueError) as error:  # the latter two: a driver's word on a value
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

    def insert_rows(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Sequence[object]]) -> None:
        """Insert rows, each holding the values of the table's columns in their order."""
        self._run_rows(connection, table, sa.insert(table), rows)

    def upsert_rows(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Sequence[object]]) -> None:
        """Insert rows as `insert_rows`, each in the place of that with its key where there is one."""
        keys = [column.name for column in table.primary_key]
        statement: sqlite.Insert | postgresql.Insert
        statement = sqlite.insert(table) if self._engine.dialect.name == "sqlite" else postgresql.insert(table)
        values = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
        self._run_rows(connection, table, statement.on_conflict_do_update(index_elements=keys, set_=values), rows)

    def _run_rows(self, connection: sa.Connection, table: sa.Table, statement: sa.Insert, rows: Sequence[Sequence[object]]) -> None:
        """Run an insert by the driver's own executemany, values prepared column by column: SQLAlchemy's way doubles a cycle's cost."""
        if not rows:
            return
        dialect = connection.dialect
        converters = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
        columns = (map(convert, values) if convert else values for convert, values in zip(converters, zip(*rows, strict=True), strict=True))
        sql = str(statement.compile(dialect=_positional(dialect), column_keys=table.columns.keys()))
        connection.exec_driver_sql(sql, list(zip(*columns, strict=True)))


def _positional(dialect: sa.Dialect) -> sa.Dialect:
    """Return a dialect whose statements take values by their place."""
    if dialect.positional:
        return dialect
    assert isinstance(dialect, DefaultDialect)  # whatever speaks to a driver is one
    return type(dialect)(paramstyle="format")


def database_exists(url: str) -> bool:
    """Tell whether there is a database to open: its file, where it is one. Only trying tells whether it can be used."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        return True
    return parsed.get_backend_name() != "sqlite" or (parsed.database is not None and Path(parsed.database).exists())


def file_open_to_others(url: str) -> Path | None:
    """Return the database's file where other accounts of this machine can read or write it."""
    parsed = sa.make_url(url)
    file = Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
    return file if file is not None and file.exists() and file.stat().st_mode & 0o077 else None


def _make_private(url: sa.URL) -> None:
    """Make a database's file, where there is none, readable for this account alone; SQLite gives its log files the same mode.

    It holds digests of passwords and configurations of devices. A file that is there keeps its mode.
    """
    if url.get_backend_name() == "sqlite" and url.database is not None:
        with suppress(OSError):  # the file is there, or SQLite will say why it cannot be made
            os.close(os.open(url.database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _cannot_open(url: sa.URL, error: Exception) -> StoreError:
    served = url.get_backend_name() == "postgresql"
    step = "Check that the server runs and lets this user in" if served else "Check that the directory exists and may be written"
    return StoreError(
        f"database {shown(url)}: expected a database that can be read and written; found: {_cause(error)}. "
        f"{step}, or set WAIWANG_DATABASE_URL."
    )


def _failed(url: sa.URL, what: str, error: Exception) -> StoreError:
    return StoreError(
        f"database {shown(url)}: {what}: expected the database to take it; found: {_cause(error)}. "
        "Check its disk and whether another process holds it."
    )


def _cause(error: Exception) -> str:
    """Return the driver's own words, without the statement and its values."""
    origin = getattr(error, "orig", None)
    return str(origin if origin is not None else error).splitlines()[0]
