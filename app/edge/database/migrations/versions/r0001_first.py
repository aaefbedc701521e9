"""The first schema: cycles, samples, transitions, measurements, decisions, backups, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: SQLite keeps microseconds since 1970 in UTC: exact, and compared as numbers.
MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_observation()
    _create_decisions()
    forbid_rewriting("transition", "acceptance", "audit")


def _create_observation() -> None:
    op.create_table(
        "cycle",
        sa.Column("cycle_id", ROW, primary_key=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=False, index=True),
        sa.Column("devices", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
    )
    op.create_table(
        "device_state",
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sys_name", sa.Text()),
        sa.Column("uptime_ticks", sa.BigInteger()),
    )
    op.create_table(
        "line_sample",
        sa.Column("line_id", sa.String(64), primary_key=True),
        sa.Column("at", MOMENT, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("behind", sa.String(64)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "port_sample",
        sa.Column("line_id", sa.String(64), primary_key=True),
        sa.Column("at", MOMENT, primary_key=True),
        sa.Column("place", sa.String(10), primary_key=True),
        sa.Column("device", sa.String(32), nullable=False),
        sa.Column("interface", sa.String(64), nullable=False),
        sa.Column("port_at", MOMENT, nullable=False),
        sa.Column("oper_up", sa.Boolean()),
        sa.Column("admin_up", sa.Boolean()),
        sa.Column("speed_mbps", sa.BigInteger()),
        sa.Column("alias", sa.Text()),
        sa.Column("in_octets", sa.BigInteger()),
        sa.Column("out_octets", sa.BigInteger()),
        sa.Column("counter_bits", sa.Integer(), nullable=False),
        sa.Column("in_errors", sa.BigInteger()),
        sa.Column("out_errors", sa.BigInteger()),
        sa.Column("in_bps", sa.Double()),
        sa.Column("out_bps", sa.Double()),
        sa.Column("uptime_ticks", sa.BigInteger()),
        sa.Column("discontinuity", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "line_state",
        sa.Column("line_id", sa.String(64), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_table(
        "transition",
        sa.Column("transition_id", ROW, primary_key=True),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("observed_at", MOMENT, nullable=False, index=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("before", sa.String(16), nullable=False),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("ix_transition_line", "transition", ["line_id", "observed_at"])


def _create_decisions() -> None:
    op.create_table(
        "measurement",
        sa.Column("measurement_id", ROW, primary_key=True),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
    )
    op.create_index("ix_measurement_line", "measurement", ["line_id", "kind", "at"])
    op.create_table(
        "acceptance",
        sa.Column("acceptance_id", ROW, primary_key=True),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("milestone", sa.String(64)),
        sa.Column("due_at", MOMENT),
        sa.Column("on_time", sa.Boolean()),
    )
    op.create_index("ix_acceptance_line", "acceptance", ["line_id", "decided_at"])
    op.create_table(
        "backup",
        sa.Column("backup_id", ROW, primary_key=True),
        sa.Column("device", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(128), nullable=False),
    )
    op.create_index("ix_backup_device", "backup", ["device", "at"])
    op.create_table(
        "audit",
        sa.Column("audit_id", ROW, primary_key=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("verb", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
    )
