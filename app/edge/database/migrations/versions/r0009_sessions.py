"""Sessions that were ended before their time, append-only: whoever signs out stays out, whichever process is asked and after a restart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0009_sessions"
down_revision = "0008_append_only"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "session_end",
        sa.Column("session_end_id", ROW, primary_key=True),
        sa.Column("number", sa.String(32), nullable=False, unique=True),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    forbid_rewriting("session_end")
