"""Tables whose rows are never changed or deleted, held by the database itself: what was seen and decided stands."""

from __future__ import annotations

from alembic import op


def forbid_rewriting(*tables: str) -> None:
    """Give tables triggers that refuse UPDATE and DELETE, and TRUNCATE where there is one, whoever asks."""
    forbid = _forbid_in_sqlite if op.get_bind().dialect.name == "sqlite" else _forbid_in_postgresql
    for table in tables:
        forbid(table)


def _forbid_in_sqlite(table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _forbid_in_postgresql(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_no_rewriting() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE integrity_constraint_violation USING MESSAGE = '{table} is append-only'; END$$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_rewriting BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_rewriting()"
    )
