"""Accounts and API tokens; contests of scores and what devices call themselves, append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0007_accounts"
down_revision = "0006_faults"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("role", sa.String(80), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT),
    )
    op.create_table(
        "token",
        sa.Column("token_id", ROW, primary_key=True),
        sa.Column("account", sa.String(32), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
    )
    op.create_table(
        "contest",
        sa.Column("contest_id", ROW, primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("table_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("row", sa.String(64), nullable=False),
        sa.Column("observed_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(16)),
        sa.Column("points", sa.Double()),
        sa.Column("row_before", sa.Double()),
        sa.Column("total_before", sa.Double()),
        sa.Column("row_after", sa.Double()),
        sa.Column("total_after", sa.Double()),
        sa.UniqueConstraint("number", "step"),
    )
    op.create_table(
        "device_identity",
        sa.Column("device_identity_id", ROW, primary_key=True),
        sa.Column("device", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("sys_descr", sa.Text()),
        sa.Column("serial", sa.Text()),
        sa.Column("model", sa.Text()),
    )
    op.create_index("ix_device_identity_device", "device_identity", ["device", "at"])
    forbid_rewriting("contest", "device_identity")
