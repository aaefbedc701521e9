"""Measurements and backups are append-only as well: what was measured or fetched is evidence."""

from __future__ import annotations

from app.edge.database.migrations.append_only import forbid_rewriting

revision = "0008_append_only"
down_revision = "0007_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    forbid_rewriting("measurement", "backup")
