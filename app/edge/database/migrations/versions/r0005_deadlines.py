"""Terms of milestones as they were worked by, append-only; an index that reads verdicts without their evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0005_deadlines"
down_revision = "0004_line_life"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "seen_terms",
        sa.Column("seen_terms_id", ROW, primary_key=True),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("milestone_id", sa.String(64), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("inclusive", sa.Boolean(), nullable=False),
        sa.Column("soft", sa.Boolean(), nullable=False),
        sa.Column("target_share", sa.Double(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
    )
    op.create_index("ix_acceptance_verdict", "acceptance", ["line_id", "acceptance_id", "verdict", "decided_at"])
    forbid_rewriting("seen_terms")
