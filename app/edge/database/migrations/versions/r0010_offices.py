"""The audit as a chain of links, append-only; when sessions were last in use; since when each password stands."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from app.core.trail import START, Entry, build_link
from app.edge.database.migrations.append_only import forbid_rewriting
from app.edge.database.tables import Moment

revision = "0010_offices"
down_revision = "0009_sessions"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Links that are written at a time.
BATCH = 5_000


def upgrade() -> None:
    links = op.create_table(
        "audit_link",
        sa.Column("audit_id", ROW, primary_key=True, autoincrement=False),
        sa.Column("link", sa.String(64), nullable=False),
    )
    op.create_table(
        "session_seen",
        sa.Column("number", sa.String(32), primary_key=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
    )
    op.add_column("account", sa.Column("password_at", MOMENT))
    op.execute("UPDATE account SET password_at = changed_at WHERE password_hash IS NOT NULL")
    _link_what_is_there(links)
    forbid_rewriting("audit_link")


def _link_what_is_there(links: sa.Table) -> None:
    """Give every entry of the past its link: what was altered before now cannot be told, what is altered from now on can."""
    plain: Iterator[sa.ColumnClause[object]] = (sa.column(name) for name in ("audit_id", "actor", "verb", "subject"))
    audit = sa.table("audit", *plain, sa.column("at", Moment), sa.column("detail", sa.JSON))
    connection, before, after = op.get_bind(), START, 0
    while rows := connection.execute(sa.select(audit).where(audit.c.audit_id > after).order_by(audit.c.audit_id).limit(BATCH)).all():
        written = []
        for row in rows:
            before = build_link(before, Entry(row.audit_id, row.at, row.actor, row.verb, row.subject, row.detail))
            written.append({"audit_id": row.audit_id, "link": before})
        connection.execute(sa.insert(links), written)
        after = rows[-1].audit_id
