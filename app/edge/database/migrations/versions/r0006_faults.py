"""Events of faults and of change windows, append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0006_faults"
down_revision = "0005_deadlines"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "fault_event",
        sa.Column("fault_event_id", ROW, primary_key=True),
        sa.Column("fault_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("observed_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("alert", sa.String(64), nullable=False),
    )
    op.create_index("ix_fault_event_fault", "fault_event", ["fault_id", "fault_event_id"])
    op.create_index("ix_fault_event_alert", "fault_event", ["alert"])
    op.create_index("ix_fault_event_recorded_at", "fault_event", ["recorded_at"])
    op.create_table(
        "window_event",
        sa.Column("window_event_id", ROW, primary_key=True),
        sa.Column("window_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("concern", sa.JSON(), nullable=False),
        sa.Column("silence", sa.Text(), nullable=False),
    )
    op.create_index("ix_window_event_window", "window_event", ["window_id", "kind"], unique=True)
    forbid_rewriting("fault_event", "window_event")
