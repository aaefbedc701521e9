"""The tables, and the column types that keep moments aware and counters whole in SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core.entered import fits_utc

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Moment(sa.TypeDecorator[datetime]):
    """A moment: refuses naive values, returns aware UTC. SQLite holds microseconds since 1970, PostgreSQL timestamptz."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        kind: sa.types.TypeEngine[Any] = sa.BigInteger() if dialect.name == "sqlite" else sa.DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[datetime | None], object]:
        """Return the conversion itself: a cycle makes ten thousands of them, and `process_bind_param` would wrap each."""
        return _to_microseconds if dialect.name == "sqlite" else _to_utc

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _from_microseconds if dialect.name == "sqlite" else _to_utc


def _to_utc(value: datetime | None) -> datetime | None:
    """Return a moment in UTC. Raises ValueError where it is none."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"a moment without time zone: {value.isoformat()}")
    if not fits_utc(value):  # SQLite would take it, and fail at every reading from then on
        raise ValueError(f"a moment beyond the calendar in UTC: {value.isoformat()}")
    return value.astimezone(UTC)


def _to_microseconds(value: datetime | None) -> int | None:
    """Return a moment as SQLite holds it. Raises ValueError where it is none."""
    moment = _to_utc(value)
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def _from_microseconds(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + value * MICROSECOND


class Counter64(sa.TypeDecorator[int]):
    """A Counter64 in a signed 64-bit column: the upper half is kept as negative numbers."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> int | None:
        return value - (1 << 64) if value is not None and value >= 1 << 63 else value

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> int | None:
        return value + (1 << 64) if value is not None and value < 0 else value


METADATA = sa.MetaData()
_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CYCLE = sa.Table(
    "cycle",
    METADATA,
    sa.Column("cycle_id", _ROW, primary_key=True),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment, nullable=False, index=True),
    sa.Column("devices", sa.Integer, nullable=False),
    sa.Column("answered", sa.Integer, nullable=False),
)
DEVICE_STATE = sa.Table(
    "device_state",
    METADATA,
    sa.Column("device", sa.String(32), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("answer", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("sys_name", sa.Text),
    sa.Column("uptime_ticks", sa.BigInteger),
)
LINE_SAMPLE = sa.Table(
    "line_sample",
    METADATA,
    sa.Column("line_id", sa.String(64), primary_key=True),
    sa.Column("at", Moment, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("behind", sa.String(64)),
    sqlite_with_rowid=False,
)
PORT_SAMPLE = sa.Table(
    "port_sample",
    METADATA,
    sa.Column("line_id", sa.String(64), primary_key=True),
    sa.Column("at", Moment, primary_key=True),
    sa.Column("place", sa.String(10), primary_key=True),
    sa.Column("device", sa.String(32), nullable=False),
    sa.Column("interface", sa.String(64), nullable=False),
    sa.Column("port_at", Moment, nullable=False),
    sa.Column("oper_up", sa.Boolean),
    sa.Column("admin_up", sa.Boolean),
    sa.Column("speed_mbps", sa.BigInteger),
    sa.Column("alias", sa.Text),
    sa.Column("in_octets", Counter64),
    sa.Column("out_octets", Counter64),
    sa.Column("counter_bits", sa.Integer, nullable=False),
    sa.Column("in_errors", sa.BigInteger),
    sa.Column("out_errors", sa.BigInteger),
    sa.Column("in_bps", sa.Double),
    sa.Column("out_bps", sa.Double),
    sa.Column("uptime_ticks", sa.BigInteger),
    sa.Column("discontinuity", sa.BigInteger),
    sqlite_with_rowid=False,
)
LINE_STATE = sa.Table(
    "line_state",
    METADATA,
    sa.Column("line_id", sa.String(64), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("since", Moment, nullable=False),
)
TRANSITION = sa.Table(
    "transition",
    METADATA,
    sa.Column("transition_id", _ROW, primary_key=True),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("observed_at", Moment, nullable=False, index=True),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("before", sa.String(16), nullable=False),
    sa.Column("after", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_transition_line", "line_id", "observed_at"),
)
MEASUREMENT = sa.Table(
    "measurement",
    METADATA,
    sa.Column("measurement_id", _ROW, primary_key=True),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("unit", sa.String(16), nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("ix_measurement_line", "line_id", "kind", "at"),
)
ACCEPTANCE = sa.Table(
    "acceptance",
    METADATA,
    sa.Column("acceptance_id", _ROW, primary_key=True),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("results", sa.JSON, nullable=False),
    sa.Column("milestone", sa.String(64)),
    sa.Column("due_at", Moment),
    sa.Column("on_time", sa.Boolean),
    sa.Index("ix_acceptance_line", "line_id", "decided_at"),
    sa.Index("ix_acceptance_verdict", "line_id", "acceptance_id", "verdict", "decided_at"),
)
SEEN_TERMS = sa.Table(
    "seen_terms",
    METADATA,
    sa.Column("seen_terms_id", _ROW, primary_key=True),
    sa.Column("order_number", sa.Text, nullable=False),
    sa.Column("milestone_id", sa.String(64), nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("inclusive", sa.Boolean, nullable=False),
    sa.Column("soft", sa.Boolean, nullable=False),
    sa.Column("target_share", sa.Double, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)
LIFE_EVENT = sa.Table(
    "life_event",
    METADATA,
    sa.Column("life_event_id", _ROW, primary_key=True),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("observed_at", Moment, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Index("ix_life_event_line", "line_id", "observed_at"),
)
CONFIRMATION = sa.Table(
    "confirmation",
    METADATA,
    sa.Column("confirmation_id", _ROW, primary_key=True),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("party", sa.String(16), nullable=False),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("observed_at", Moment, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_confirmation_line", "line_id", "observed_at"),
)
UNIT_EVENT = sa.Table(
    "unit_event",
    METADATA,
    sa.Column("event_id", _ROW, primary_key=True),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("observed_at", Moment, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("by_role", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("amount", sa.Double),
    sa.Column("holds", sa.Boolean, nullable=False),
    sa.Index("ix_unit_event_subject", "subject", "event"),
)
BACKUP = sa.Table(
    "backup",
    METADATA,
    sa.Column("backup_id", _ROW, primary_key=True),
    sa.Column("device", sa.String(32), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("digest", sa.String(128), nullable=False),
    sa.Index("ix_backup_device", "device", "at"),
)
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("audit_id", _ROW, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("verb", sa.String(64), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)
AUDIT_LINK = sa.Table(
    "audit_link",
    METADATA,
    sa.Column("audit_id", _ROW, primary_key=True, autoincrement=False),
    sa.Column("link", sa.String(64), nullable=False),
)
LINE_EVENT = sa.Table(
    "line_event",
    METADATA,
    sa.Column("line_event_id", _ROW, primary_key=True),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("observed_at", Moment, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Index("ix_line_event_line", "line_id", "kind", "recorded_at"),
)
FAULT_EVENT = sa.Table(
    "fault_event",
    METADATA,
    sa.Column("fault_event_id", _ROW, primary_key=True),
    sa.Column("fault_id", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("line_id", sa.String(64), nullable=False),
    sa.Column("observed_at", Moment, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False, index=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("alert", sa.String(64), nullable=False),
    sa.Index("ix_fault_event_fault", "fault_id", "fault_event_id"),
    sa.Index("ix_fault_event_alert", "alert"),
)
WINDOW_EVENT = sa.Table(
    "window_event",
    METADATA,
    sa.Column("window_event_id", _ROW, primary_key=True),
    sa.Column("window_id", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("concern", sa.JSON, nullable=False),
    sa.Column("silence", sa.Text, nullable=False),
    sa.Index("ix_window_event_window", "window_id", "kind", unique=True),
)
ACCOUNT = sa.Table(
    "account",
    METADATA,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("role", sa.String(80), nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),
    sa.Column("password_at", Moment),
)
TOKEN = sa.Table(
    "token",
    METADATA,
    sa.Column("token_id", _ROW, primary_key=True),
    sa.Column("account", sa.String(32), nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
)
SESSION_END = sa.Table(
    "session_end",
    METADATA,
    sa.Column("session_end_id", _ROW, primary_key=True),
    sa.Column("number", sa.String(32), nullable=False, unique=True),
    sa.Column("account", sa.String(32), nullable=False),
    sa.Column("at", Moment, nullable=False),
)
SESSION_SEEN = sa.Table(
    "session_seen",
    METADATA,
    sa.Column("number", sa.String(32), primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
)
CONTEST = sa.Table(
    "contest",
    METADATA,
    sa.Column("contest_id", _ROW, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("table_id", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("row", sa.String(64), nullable=False),
    sa.Column("observed_at", Moment, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decision", sa.String(16)),
    sa.Column("points", sa.Double),
    sa.Column("row_before", sa.Double),
    sa.Column("total_before", sa.Double),
    sa.Column("row_after", sa.Double),
    sa.Column("total_after", sa.Double),
    sa.UniqueConstraint("number", "step"),
)
DEVICE_IDENTITY = sa.Table(
    "device_identity",
    METADATA,
    sa.Column("device_identity_id", _ROW, primary_key=True),
    sa.Column("device", sa.String(32), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("sys_descr", sa.Text),
    sa.Column("serial", sa.Text),
    sa.Column("model", sa.Text),
    sa.Index("ix_device_identity_device", "device", "at"),
)
