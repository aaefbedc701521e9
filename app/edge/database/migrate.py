"""Bring a database's schema up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError

from app.edge.database.engine import shown
from app.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(connection: sa.Connection, url: str) -> None:
    """Run every migration that this database has not seen yet, in the transaction of this connection.

    Raises:
        StoreError: its schema is newer than this program, or its tables are somebody else's.
    """
    if (tables := sa.inspect(connection).get_table_names()) and "alembic_version" not in tables:
        named = ", ".join(tables[:3])
        raise StoreError(
            f"database {shown(url)}: expected an empty database, or one of waiwang; found tables of something else ({named}). "
            "Nothing was changed. Point WAIWANG_DATABASE_URL to a database of its own."
        )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"database {shown(url)}: expected a schema that this version of waiwang knows; found a newer one ({error}). "
            "Run the newer waiwang, or point WAIWANG_DATABASE_URL to another database."
        ) from error
