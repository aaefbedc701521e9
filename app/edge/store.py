"""What was observed and decided, in a database. Rows never leave this module; values of `app.core` go in and come out.

SQLite (write-ahead log) is the embedded database; the column types and statements are those that PostgreSQL takes too.
Every method is one transaction and may be called from any thread. Every one raises StoreError when the database fails.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy.dialects import postgresql, sqlite

from app.core.acceptance import Acceptance, CriterionResult, LineSample, LineStatus, Measurement, PortSample, Transition
from app.core.confirmation import Confirmation
from app.core.events import UnitEvent
from app.core.life import LifeEvent
from app.core.line_event import LineEvent
from app.core.linestate import DeviceState, PollCycle
from app.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
#: How long a writer waits for another one.
BUSY_TIMEOUT_MS = 15_000
#: The ports of a line sample, by the names of their fields.
PLACES = ("a", "z", "reserved_a", "reserved_z")
#: The fields of a unit event that are kept; `where` is of the file that it came from.
EVENT_FIELDS = ("subject", "event", "observed_at", "recorded_at", "by_role", "document", "amount", "holds")


class Moment(sa.TypeDecorator[datetime]):
    """A moment: refuses naive values, returns aware UTC. SQLite holds microseconds since 1970, PostgreSQL timestamptz."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        kind: sa.types.TypeEngine[Any] = sa.BigInteger() if dialect.name == "sqlite" else sa.DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> object:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without time zone: {value.isoformat()}")
        return (value - EPOCH) // MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: object, dialect: sa.Dialect) -> datetime | None:
        if isinstance(value, int):
            return EPOCH + value * MICROSECOND
        return value.astimezone(UTC) if isinstance(value, datetime) else None


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

_PORT_COLUMNS = [PORT_SAMPLE.c.port_at if field.name == "at" else PORT_SAMPLE.c[field.name] for field in fields(PortSample)]


@dataclass(frozen=True, slots=True)
class Backup:
    """A device's running configuration as it was fetched at `at`, secrets masked; `digest` is of the unmasked text."""

    device: str
    at: datetime
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, when. `detail` is JSON-able."""

    at: datetime
    actor: str
    verb: str
    subject: str
    detail: Mapping[str, object]


class Store:
    """One database. `Store.open` brings its schema up to date."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Connect, and migrate the schema to the newest version.

        Raises:
            StoreError: the URL is not understood, the file cannot be written, or its schema is newer than this program.
        """
        engine = _build_engine(url)
        try:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                _migrate(connection, url)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            engine.dispose()
            raise _cannot_open(url, error) from error
        return cls(engine)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    # --- poll cycles

    def write_cycle(
        self, started_at: datetime, finished_at: datetime, device_rows: Sequence[DeviceState], line_samples: Sequence[LineSample]
    ) -> tuple[Transition, ...]:
        """Append one cycle's samples, and a transition for every line whose state changed; return the transitions.

        A sample that is older than the line's newest one is kept and changes no state.
        """
        answered = sum(row.answer == "answered" for row in device_rows)
        cycle = {"started_at": started_at, "finished_at": finished_at, "devices": len(device_rows), "answered": answered}
        with self._writing("poll cycle") as connection:
            connection.execute(sa.insert(CYCLE), cycle)
            return self._append(connection, finished_at, device_rows, line_samples)

    def write_look(
        self, at: datetime, device_rows: Sequence[DeviceState], line_samples: Sequence[LineSample]
    ) -> tuple[Transition, ...]:
        """Append what was seen of some devices between two cycles; as `write_cycle`, but it counts as none."""
        with self._writing("look at single devices") as connection:
            return self._append(connection, at, device_rows, line_samples)

    def _append(
        self, connection: sa.Connection, recorded_at: datetime, device_rows: Sequence[DeviceState], line_samples: Sequence[LineSample]
    ) -> tuple[Transition, ...]:
        known = {row.line_id: row for row in connection.execute(sa.select(LINE_STATE))}
        newest = [sample for sample in line_samples if (row := known.get(sample.line_id)) is None or row.at < sample.at]
        before = {line_id: row.state for line_id, row in known.items()}
        changed = [
            Transition(sample.line_id, sample.at, recorded_at, before.get(sample.line_id, "unknown"), sample.state, sample.reason)
            for sample in newest
            if before.get(sample.line_id, "unknown") != sample.state
        ]
        since = {line_id: row.since for line_id, row in known.items()} | {change.line_id: change.observed_at for change in changed}
        states = [
            {"line_id": sample.line_id, "at": sample.at, "state": sample.state, "since": since.get(sample.line_id, sample.at)}
            for sample in newest
        ]
        self._insert(connection, LINE_SAMPLE, [_line_row(sample) for sample in line_samples])
        self._insert(connection, PORT_SAMPLE, [row for sample in line_samples for row in _port_rows(sample)])
        self._insert(connection, TRANSITION, [_slots(change) for change in changed])
        self._upsert(connection, LINE_STATE, states)
        self._upsert(connection, DEVICE_STATE, [_slots(row) for row in device_rows])
        return tuple(changed)

    def latest(self) -> dict[str, LineStatus]:
        """Return the newest sample of every line that was ever looked at, and since when it is in that state."""
        newest = sa.and_(LINE_SAMPLE.c.line_id == LINE_STATE.c.line_id, LINE_SAMPLE.c.at == LINE_STATE.c.at)
        ports = sa.and_(PORT_SAMPLE.c.line_id == LINE_STATE.c.line_id, PORT_SAMPLE.c.at == LINE_STATE.c.at)
        with self._reading("newest samples") as connection:
            seen = _ports_by_sample(connection.execute(_select_ports().select_from(LINE_STATE.join(PORT_SAMPLE, ports))))
            rows = connection.execute(
                sa.select(LINE_SAMPLE, LINE_STATE.c.since).select_from(LINE_STATE.join(LINE_SAMPLE, newest)).order_by(LINE_STATE.c.line_id)
            )
            return {row.line_id: LineStatus(_line_sample(row, seen), row.since) for row in rows}

    def samples(self, line_id: str, since: datetime, until: datetime) -> list[LineSample]:
        """Return a line's samples from `since` to `until`, both inclusive, oldest first."""
        with self._reading("samples") as connection:
            span = _within(PORT_SAMPLE.c.at, since, until)
            seen = _ports_by_sample(connection.execute(_select_ports().where(PORT_SAMPLE.c.line_id == line_id, *span)))
            rows = connection.execute(
                sa.select(LINE_SAMPLE)
                .where(LINE_SAMPLE.c.line_id == line_id, *_within(LINE_SAMPLE.c.at, since, until))
                .order_by(LINE_SAMPLE.c.at)
            )
            return [_line_sample(row, seen) for row in rows]

    def transitions(self, line_id: str | None = None, since: datetime | None = None, until: datetime | None = None) -> list[Transition]:
        """Return changes of state observed from `since` to `until`, oldest first; of every line when none is named."""
        query = sa.select(TRANSITION).where(*_of_line(TRANSITION, line_id), *_within(TRANSITION.c.observed_at, since, until))
        with self._reading("transitions") as connection:
            rows = connection.execute(query.order_by(TRANSITION.c.observed_at, TRANSITION.c.transition_id))
            return [_transition(row) for row in rows]

    def newest_transitions(self, line_id: str | None, limit: int) -> list[Transition]:
        """Return the last changes of state, newest first."""
        query = sa.select(TRANSITION).where(*_of_line(TRANSITION, line_id))
        with self._reading("transitions") as connection:
            rows = connection.execute(query.order_by(TRANSITION.c.observed_at.desc(), TRANSITION.c.transition_id.desc()).limit(limit))
            return [_transition(row) for row in rows]

    def cycles(self, since: datetime) -> list[PollCycle]:
        """Return the cycles that ended at `since` or later, oldest first."""
        with self._reading("poll cycles") as connection:
            rows = connection.execute(sa.select(CYCLE).where(CYCLE.c.finished_at >= since).order_by(CYCLE.c.finished_at))
            return [_cycle(row) for row in rows]

    def last_cycle(self) -> PollCycle | None:
        """Return the cycle that ended last, None when nothing was ever polled."""
        with self._reading("poll cycles") as connection:
            row = connection.execute(sa.select(CYCLE).order_by(CYCLE.c.finished_at.desc()).limit(1)).first()
            return None if row is None else _cycle(row)

    def device_states(self) -> dict[str, DeviceState]:
        """Return what every device did when it was last asked."""
        with self._reading("device states") as connection:
            rows = connection.execute(sa.select(DEVICE_STATE).order_by(DEVICE_STATE.c.device))
            return {row.device: DeviceState(*row) for row in rows}

    def prune(self, before: datetime) -> int:
        """Delete cycles and samples older than `before`, except every line's newest; return how many samples went.

        Transitions, measurements, decisions, backups and audit stay.
        """
        with self._writing("pruning") as connection:
            newest = {row.line_id: row.at for row in connection.execute(sa.select(LINE_STATE.c.line_id, LINE_STATE.c.at))}
            gone = 0
            for line_id, at in newest.items():
                bound = min(before, at)
                connection.execute(sa.delete(PORT_SAMPLE).where(PORT_SAMPLE.c.line_id == line_id, PORT_SAMPLE.c.at < bound))
                gone += connection.execute(
                    sa.delete(LINE_SAMPLE).where(LINE_SAMPLE.c.line_id == line_id, LINE_SAMPLE.c.at < bound)
                ).rowcount
            last = sa.select(sa.func.max(CYCLE.c.cycle_id)).scalar_subquery()
            connection.execute(sa.delete(CYCLE).where(CYCLE.c.finished_at < before, CYCLE.c.cycle_id != last))
            return gone

    # --- measurements and decisions

    def write_measurement(self, measurement: Measurement) -> None:
        """Append one active test."""
        with self._writing("measurement") as connection:
            connection.execute(sa.insert(MEASUREMENT), _slots(measurement) | {"detail": dict(measurement.detail)})

    def measurements(self, line_ids: Iterable[str] | None = None) -> dict[str, dict[str, Measurement]]:
        """Return the newest measurement of every line and kind, of all lines when none are named."""
        wanted = None if line_ids is None else set(line_ids)
        newest = sa.select(sa.func.max(MEASUREMENT.c.measurement_id)).group_by(MEASUREMENT.c.line_id, MEASUREMENT.c.kind)
        if wanted is not None and len(wanted) == 1:
            newest = newest.where(MEASUREMENT.c.line_id == next(iter(wanted)))
        query = sa.select(MEASUREMENT).where(MEASUREMENT.c.measurement_id.in_(newest)).order_by(MEASUREMENT.c.measurement_id)
        found: dict[str, dict[str, Measurement]] = defaultdict(dict)
        with self._reading("measurements") as connection:
            for row in connection.execute(query):
                if wanted is None or row.line_id in wanted:
                    found[row.line_id][row.kind] = _measurement(row)
        return dict(found)

    def measurement_history(self, line_id: str, kind: str | None = None) -> list[Measurement]:
        """Return every measurement of a line, oldest first."""
        query = sa.select(MEASUREMENT).where(MEASUREMENT.c.line_id == line_id)
        if kind is not None:
            query = query.where(MEASUREMENT.c.kind == kind)
        with self._reading("measurements") as connection:
            return [_measurement(row) for row in connection.execute(query.order_by(MEASUREMENT.c.at, MEASUREMENT.c.measurement_id))]

    def write_acceptance(self, acceptance: Acceptance) -> None:
        """Append one decision with its evidence."""
        results = [_slots(result) | {"evidence": dict(result.evidence)} for result in acceptance.results]
        with self._writing("decision") as connection:
            connection.execute(sa.insert(ACCEPTANCE), _slots(acceptance) | {"results": results})

    def acceptances(self) -> dict[str, Acceptance]:
        """Return the newest decision on every line."""
        newest = sa.select(sa.func.max(ACCEPTANCE.c.acceptance_id)).group_by(ACCEPTANCE.c.line_id)
        query = sa.select(ACCEPTANCE).where(ACCEPTANCE.c.acceptance_id.in_(newest)).order_by(ACCEPTANCE.c.line_id)
        with self._reading("decisions") as connection:
            return {row.line_id: _acceptance(row) for row in connection.execute(query)}

    def acceptance_history(self, line_id: str | None = None) -> list[Acceptance]:
        """Return every decision on a line, oldest first; on every line when none is named."""
        query = sa.select(ACCEPTANCE).where(*_of_line(ACCEPTANCE, line_id)).order_by(ACCEPTANCE.c.acceptance_id)
        with self._reading("decisions") as connection:
            return [_acceptance(row) for row in connection.execute(query)]

    # --- life and confirmation

    def write_life_events(self, events: Sequence[LifeEvent]) -> None:
        """Append steps of lines' lives, all or none."""
        with self._writing("step of a line's life") as connection:
            self._insert(connection, LIFE_EVENT, [_slots(event) for event in events])

    def life_events(self, line_id: str | None = None) -> list[LifeEvent]:
        """Return what was entered, in the order in which it was recorded; of every line when none is named."""
        query = sa.select(LIFE_EVENT).where(*_of_line(LIFE_EVENT, line_id)).order_by(LIFE_EVENT.c.life_event_id)
        with self._reading("steps of lines' lives") as connection:
            return [LifeEvent(*row[1:]) for row in connection.execute(query)]

    def write_confirmation(self, word: Confirmation) -> None:
        """Append one party's word on a line."""
        with self._writing("confirmation") as connection:
            connection.execute(sa.insert(CONFIRMATION), _slots(word))

    def confirmations(self, line_id: str | None = None) -> list[Confirmation]:
        """Return every word in the order in which it was recorded; on every line when none is named."""
        query = sa.select(CONFIRMATION).where(*_of_line(CONFIRMATION, line_id)).order_by(CONFIRMATION.c.confirmation_id)
        with self._reading("confirmations") as connection:
            return [Confirmation(*row[1:]) for row in connection.execute(query)]

    # --- reports on lines

    def write_line_events(self, events: Sequence[LineEvent]) -> None:
        """Append reports on lines, all or none."""
        with self._writing("report on lines") as connection:
            self._insert(connection, LINE_EVENT, [_slots(event) for event in events])

    def line_events(self, line_id: str | None = None) -> list[LineEvent]:
        """Return reports in the order in which they were recorded; on every line when none is named."""
        query = sa.select(LINE_EVENT).where(*_of_line(LINE_EVENT, line_id)).order_by(LINE_EVENT.c.line_event_id)
        with self._reading("reports on lines") as connection:
            return [LineEvent(*row[1:]) for row in connection.execute(query)]

    # --- backups and audit

    def write_backup(self, device: str, at: datetime, text: str, digest: str) -> None:
        """Append a device's running configuration."""
        with self._writing("backup") as connection:
            connection.execute(sa.insert(BACKUP), {"device": device, "at": at, "text": text, "digest": digest})

    def backups(self, device: str) -> list[Backup]:
        """Return a device's backups, newest first."""
        query = sa.select(BACKUP).where(BACKUP.c.device == device).order_by(BACKUP.c.backup_id.desc())
        with self._reading("backups") as connection:
            return [Backup(row.device, row.at, row.text, row.digest) for row in connection.execute(query)]

    def write_audit(self, at: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Append who did what to what."""
        row = {"at": at, "actor": actor, "verb": verb, "subject": subject, "detail": dict(detail or {})}
        with self._writing("audit entry") as connection:
            connection.execute(sa.insert(AUDIT), row)

    def audit(self, since: datetime | None = None, subject: str | None = None) -> list[AuditEntry]:
        """Return audit entries from `since` on, oldest first."""
        query = sa.select(AUDIT).where(*_within(AUDIT.c.at, since, None)).order_by(AUDIT.c.audit_id)
        if subject is not None:
            query = query.where(AUDIT.c.subject == subject)
        with self._reading("audit entries") as connection:
            return [AuditEntry(row.at, row.actor, row.verb, row.subject, row.detail) for row in connection.execute(query)]

    # --- unit events

    def write_events(self, events: Sequence[UnitEvent]) -> None:
        """Append what units reported, all rows or none."""
        with self._writing("unit events") as connection:
            self._insert(connection, UNIT_EVENT, [{name: getattr(event, name) for name in EVENT_FIELDS} for event in events])

    def events(self, subject: str | None = None) -> list[UnitEvent]:
        """Return every report, those taken back too, in the order in which they were recorded; of one subject where it is named."""
        query = sa.select(UNIT_EVENT).order_by(UNIT_EVENT.c.event_id)
        if subject is not None:
            query = query.where(UNIT_EVENT.c.subject == subject)
        with self._reading("unit events") as connection:
            return [UnitEvent(*row[1:]) for row in connection.execute(query)]

    # --- transactions

    @contextmanager
    def _writing(self, what: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except (sa.exc.SQLAlchemyError, OverflowError) as error:
            raise _failed(self._engine.url, f"{what} was not written", error) from error

    @contextmanager
    def _reading(self, what: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise _failed(self._engine.url, f"{what} cannot be read", error) from error

    def _insert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
        if rows:
            connection.execute(sa.insert(table), rows)

    def _upsert(self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
        if not rows:
            return
        keys = [column.name for column in table.primary_key]
        statement: sqlite.Insert | postgresql.Insert
        statement = sqlite.insert(table) if self._engine.dialect.name == "sqlite" else postgresql.insert(table)
        values = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


# --- opening


def _build_engine(url: str) -> sa.Engine:
    try:
        engine = sa.create_engine(url, json_serializer=_to_json)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise StoreError(
            f"database URL: expected sqlite:///FILE or another URL of SQLAlchemy whose driver is installed; found {_shown(url)} "
            f"({error}). Set WAIWANG_DATABASE_URL."
        ) from error
    if engine.dialect.name == "sqlite":
        if engine.url.database in (None, "", ":memory:"):
            raise StoreError(f"database URL: expected a file; found {url}, which forgets. Set WAIWANG_DATABASE_URL to sqlite:///FILE.")
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Let SQLAlchemy begin transactions itself (the driver would begin them too late), and write ahead."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock first: a reader that turns writer is refused when another wrote in between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _migrate(connection: sa.Connection, url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"database {_shown(url)}: expected a schema that this version of waiwang knows; found a newer one ({error}). "
            "Run the newer waiwang, or point WAIWANG_DATABASE_URL to another database."
        ) from error


def _cannot_open(url: str, error: Exception) -> StoreError:
    return StoreError(
        f"database {_shown(url)}: expected a database that can be read and written; found: {_cause(error)}. "
        "Check that the directory exists and may be written, or set WAIWANG_DATABASE_URL."
    )


def _failed(url: sa.URL, what: str, error: Exception) -> StoreError:
    return StoreError(
        f"database {_shown(url)}: {what}: expected the database to take it; found: {_cause(error)}. "
        "Check its disk and whether another process holds it."
    )


def _cause(error: Exception) -> str:
    """Return the driver's own words, without the statement and its values."""
    origin = getattr(error, "orig", None)
    return str(origin if origin is not None else error).splitlines()[0]


def _shown(url: str | sa.URL) -> str:
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "a text that is no URL"


def _to_json(value: object) -> str:
    return json.dumps(value, allow_nan=False)


# --- rows and values


#: What reads all fields of a value at once: a cycle writes a hundred thousand of them.
_READERS = {
    kind: (names := tuple(field.name for field in fields(kind)), attrgetter(*names))
    for kind in (PortSample, DeviceState, Transition, Measurement, Acceptance, CriterionResult, LifeEvent, Confirmation, LineEvent)
}
_Slotted = PortSample | DeviceState | Transition | Measurement | Acceptance | CriterionResult | LifeEvent | Confirmation | LineEvent


def _slots(value: _Slotted) -> dict[str, object]:
    """Return a value's fields, one level deep (asdict would copy everything below)."""
    names, read = _READERS[type(value)]
    return dict(zip(names, read(value), strict=True))


def _line_row(sample: LineSample) -> dict[str, object]:
    return {"line_id": sample.line_id, "at": sample.at, "state": sample.state, "reason": sample.reason, "behind": sample.behind}


def _port_rows(sample: LineSample) -> Iterator[dict[str, object]]:
    for place in PLACES:
        port: PortSample | None = getattr(sample, place)
        if port is not None:
            row = _slots(port)
            row.update(line_id=sample.line_id, at=sample.at, place=place, port_at=port.at)
            yield row


def _select_ports() -> sa.Select[tuple[object, ...]]:
    return sa.select(PORT_SAMPLE.c.line_id, PORT_SAMPLE.c.at, PORT_SAMPLE.c.place, *_PORT_COLUMNS)


def _ports_by_sample(rows: Iterable[Sequence[object]]) -> dict[tuple[object, object], dict[str, PortSample]]:
    """Return ports by (line, moment of the sample) and place."""
    found: dict[tuple[object, object], dict[str, PortSample]] = defaultdict(dict)
    for line_id, at, place, *values in rows:
        found[line_id, at][str(place)] = PortSample(*values)  # type: ignore[arg-type]  # columns in the order of its fields
    return found


def _line_sample(row: sa.Row[tuple[object, ...]], seen: Mapping[tuple[object, object], Mapping[str, PortSample]]) -> LineSample:
    ports = seen.get((row.line_id, row.at), {})
    return LineSample(row.line_id, row.at, row.state, row.reason, row.behind, *(ports.get(place) for place in PLACES))


def _transition(row: sa.Row[tuple[object, ...]]) -> Transition:
    return Transition(row.line_id, row.observed_at, row.recorded_at, row.before, row.after, row.reason)


def _cycle(row: sa.Row[tuple[object, ...]]) -> PollCycle:
    return PollCycle(row.started_at, row.finished_at, row.devices, row.answered)


def _measurement(row: sa.Row[tuple[object, ...]]) -> Measurement:
    return Measurement(row.line_id, row.kind, row.at, row.value, row.unit, row.method, row.detail)


def _acceptance(row: sa.Row[tuple[object, ...]]) -> Acceptance:
    results = tuple(CriterionResult(**result) for result in row.results)
    return Acceptance(row.line_id, row.decided_at, row.verdict, results, row.milestone, row.due_at, row.on_time)


def _of_line(table: sa.Table, line_id: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if line_id is None else [table.c.line_id == line_id]


def _within(column: sa.Column[datetime], since: datetime | None, until: datetime | None) -> list[sa.ColumnElement[bool]]:
    return ([] if since is None else [column >= since]) + ([] if until is None else [column <= until])
