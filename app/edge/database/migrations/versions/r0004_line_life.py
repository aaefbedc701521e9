"""Steps of lines' lives and confirmations, append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0004_line_life"
down_revision = "0003_unit_events"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "life_event",
        sa.Column("life_event_id", ROW, primary_key=True),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("observed_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
    )
    op.create_index("ix_life_event_line", "life_event", ["line_id", "observed_at"])
    op.create_table(
        "confirmation",
        sa.Column("confirmation_id", ROW, primary_key=True),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("party", sa.String(16), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("observed_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("ix_confirmation_line", "confirmation", ["line_id", "observed_at"])
    forbid_rewriting("life_event", "confirmation")
