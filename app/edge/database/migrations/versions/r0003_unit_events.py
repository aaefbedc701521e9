"""What units report: fees, contacts, software, training, websites; append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0003_unit_events"
down_revision = "0002_line_events"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "unit_event",
        sa.Column("event_id", ROW, primary_key=True),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("observed_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("by_role", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("amount", sa.Double()),
        sa.Column("holds", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_unit_event_subject", "unit_event", ["subject", "event"])
    forbid_rewriting("unit_event")
