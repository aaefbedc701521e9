"""What units report: fees, contacts, software, training, websites; append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

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
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER unit_event_no_{verb.lower()} BEFORE {verb} ON unit_event "
                "BEGIN SELECT RAISE(ABORT, 'unit_event is append-only'); END"
            )
