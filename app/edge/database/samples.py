"""What polling saw: cycles, samples of lines and their ports, states and their changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from operator import attrgetter

import sqlalchemy as sa

from app.core.acceptance import PORT_PLACES, LineSample, LineStatus, PortSample, Transition
from app.core.identity import DeviceIdentity
from app.core.known import settled
from app.core.linestate import DeviceState, PollCycle
from app.edge.database.connection import Database
from app.edge.database.rows import of_line, slots, within
from app.edge.database.tables import CYCLE, DEVICE_IDENTITY, DEVICE_STATE, LINE_SAMPLE, LINE_STATE, PORT_SAMPLE, TRANSITION

#: A newest sample that lies further ahead of what is written now was stamped by a clock that had jumped; less heals within the hour.
LEAST_JUMP = timedelta(hours=1)
#: Values in the order of the columns that hold them.
_PORT_FIELDS = attrgetter(*(field.name for field in fields(PortSample)))
_DEVICE_FIELDS = attrgetter(*(field.name for field in fields(DeviceState)))
_PORT_COLUMNS = [PORT_SAMPLE.c.port_at if field.name == "at" else PORT_SAMPLE.c[field.name] for field in fields(PortSample)]


class Samples(Database):
    """The part of a store that polling writes."""

    def write_cycle(
        self, started_at: datetime, finished_at: datetime, device_rows: Sequence[DeviceState], line_samples: Sequence[LineSample]
    ) -> tuple[Transition, ...]:
        """Append one cycle's samples, and a transition for every line whose state changed; return the transitions.

        A sample that is older than the line's newest one is kept and changes no state, save where the newest lies in the future: then
        the clock had jumped, and what is seen now holds, written down as if it had not been known before.
        """
        answered = sum(row.answer == "answered" for row in device_rows)
        cycle = {"started_at": started_at, "finished_at": finished_at, "devices": len(device_rows), "answered": answered}
        with self.writing("poll cycle") as connection:
            connection.execute(sa.insert(CYCLE), cycle)
            return self._append(connection, finished_at, device_rows, line_samples)

    def write_look(
        self, at: datetime, device_rows: Sequence[DeviceState], line_samples: Sequence[LineSample]
    ) -> tuple[Transition, ...]:
        """Append what was seen of some devices between two cycles; as `write_cycle`, but it counts as none."""
        with self.writing("look at single devices") as connection:
            return self._append(connection, at, device_rows, line_samples)

    def _append(
        self, connection: sa.Connection, recorded_at: datetime, device_rows: Sequence[DeviceState], line_samples: Sequence[LineSample]
    ) -> tuple[Transition, ...]:
        kept = {row.line_id: row for row in connection.execute(sa.select(LINE_STATE)).all()}
        known = {line_id: row for line_id, row in kept.items() if row.at <= recorded_at + LEAST_JUMP}
        newest = [sample for sample in line_samples if (row := known.get(sample.line_id)) is None or row.at < sample.at]
        before = {line_id: row.state for line_id, row in known.items()}
        changed = [
            Transition(sample.line_id, sample.at, recorded_at, before.get(sample.line_id, "unknown"), sample.state, sample.reason)
            for sample in newest
            if before.get(sample.line_id, "unknown") != sample.state
        ]
        since = {line_id: row.since for line_id, row in known.items()} | {change.line_id: change.observed_at for change in changed}
        states = [(sample.line_id, sample.at, sample.state, since.get(sample.line_id, sample.at)) for sample in newest]
        self.insert_rows(connection, LINE_SAMPLE, [_line_row(sample) for sample in line_samples])
        self.insert_rows(connection, PORT_SAMPLE, [row for sample in line_samples for row in _port_rows(sample)])
        self.insert(connection, TRANSITION, [slots(change) for change in changed])
        self.upsert_rows(connection, LINE_STATE, states)
        self.upsert_rows(connection, DEVICE_STATE, list(map(_DEVICE_FIELDS, device_rows)))
        return tuple(changed)

    def latest(self) -> dict[str, LineStatus]:
        """Return the newest sample of every line that was ever looked at, and since when it is in that state."""
        newest = sa.and_(LINE_SAMPLE.c.line_id == LINE_STATE.c.line_id, LINE_SAMPLE.c.at == LINE_STATE.c.at)
        ports = sa.and_(PORT_SAMPLE.c.line_id == LINE_STATE.c.line_id, PORT_SAMPLE.c.at == LINE_STATE.c.at)
        with self.reading("newest samples") as connection:
            seen = _ports_by_sample(connection.execute(_select_ports().select_from(LINE_STATE.join(PORT_SAMPLE, ports))).all())
            rows = connection.execute(
                sa.select(LINE_SAMPLE, LINE_STATE.c.since).select_from(LINE_STATE.join(LINE_SAMPLE, newest)).order_by(LINE_STATE.c.line_id)
            ).all()
            return {row.line_id: LineStatus(_line_sample(row, seen), row.since) for row in rows}

    def samples(self, line_id: str, since: datetime, until: datetime) -> list[LineSample]:
        """Return a line's samples from `since` to `until`, both inclusive, oldest first."""
        with self.reading("samples") as connection:
            span = within(PORT_SAMPLE.c.at, since, until)
            seen = _ports_by_sample(connection.execute(_select_ports().where(PORT_SAMPLE.c.line_id == line_id, *span)))
            rows = connection.execute(
                sa.select(LINE_SAMPLE)
                .where(LINE_SAMPLE.c.line_id == line_id, *within(LINE_SAMPLE.c.at, since, until))
                .order_by(LINE_SAMPLE.c.at)
            )
            return [_line_sample(row, seen) for row in rows]

    def transitions(self, line_id: str | None = None, since: datetime | None = None, until: datetime | None = None) -> list[Transition]:
        """Return changes of state observed from `since` to `until`, oldest first; of every line when none is named (`settled`).

        What was recorded after `until` settles nothing before it: what was known then stays as it was.
        """
        query = sa.select(TRANSITION).where(*of_line(TRANSITION, line_id)).order_by(TRANSITION.c.transition_id)
        if since is not None:  # what was written before the first that was observed since then was observed earlier, and settles nothing
            first = sa.select(sa.func.min(TRANSITION.c.transition_id)).where(TRANSITION.c.observed_at >= since)
            query = query.where(TRANSITION.c.transition_id >= first.scalar_subquery())
        with self.reading("transitions") as connection:
            written = [_transition(row) for row in connection.execute(query).all()]
        known = [row for row in written if until is None or row.recorded_at <= until]
        rows = [*settled(known), *(row for row in written if until is not None and row.recorded_at > until)]
        held = [row for row in rows if (since is None or row.observed_at >= since) and (until is None or row.observed_at <= until)]
        return sorted(held, key=lambda row: row.observed_at)

    def transitions_as_written(self) -> list[Transition]:
        """Return every change of state of every line in the order in which it was written, its moments as they were stamped."""
        with self.reading("transitions") as connection:
            return [_transition(row) for row in connection.execute(sa.select(TRANSITION).order_by(TRANSITION.c.transition_id))]

    def newest_transitions(self, line_id: str | None, limit: int, *, among: Collection[str] | None = None) -> list[Transition]:
        """Return the last changes of state, newest first; of these lines only where some are named."""
        query = sa.select(TRANSITION).where(*of_line(TRANSITION, line_id))
        if among is not None:
            query = query.where(TRANSITION.c.line_id.in_(among))
        with self.reading("transitions") as connection:
            rows = connection.execute(query.order_by(TRANSITION.c.observed_at.desc(), TRANSITION.c.transition_id.desc()).limit(limit))
            return [_transition(row) for row in rows]

    def cycles(self, since: datetime) -> list[PollCycle]:
        """Return the cycles that ended at `since` or later, oldest first."""
        with self.reading("poll cycles") as connection:
            rows = connection.execute(sa.select(CYCLE).where(CYCLE.c.finished_at >= since).order_by(CYCLE.c.finished_at))
            return [_cycle(row) for row in rows]

    def last_cycle(self) -> PollCycle | None:
        """Return the cycle that ended last, None when nothing was ever polled."""
        with self.reading("poll cycles") as connection:
            row = connection.execute(sa.select(CYCLE).order_by(CYCLE.c.finished_at.desc()).limit(1)).first()
            return None if row is None else _cycle(row)

    def device_states(self) -> dict[str, DeviceState]:
        """Return what every device did when it was last asked."""
        with self.reading("device states") as connection:
            rows = connection.execute(sa.select(DEVICE_STATE).order_by(DEVICE_STATE.c.device))
            return {row.device: DeviceState(*row) for row in rows}

    def write_device_identities(self, identities: Sequence[DeviceIdentity]) -> None:
        """Append what devices said they are."""
        with self.writing("device identities") as connection:
            self.insert(connection, DEVICE_IDENTITY, [slots(each) for each in identities])

    def device_identities(self, devices: Collection[str] | None = None) -> dict[str, list[DeviceIdentity]]:
        """Return what each device ever said it is, oldest first; of these devices only where some are named."""
        query = sa.select(DEVICE_IDENTITY).order_by(DEVICE_IDENTITY.c.device_identity_id)
        if devices is not None:
            query = query.where(DEVICE_IDENTITY.c.device.in_(devices))
        found: dict[str, list[DeviceIdentity]] = defaultdict(list)
        with self.reading("device identities") as connection:
            for row in connection.execute(query):
                found[row.device].append(DeviceIdentity(row.device, row.at, row.sys_descr, row.serial, row.model))
        return dict(found)

    def prune(self, line_id: str, before: datetime, kept: Iterable[tuple[datetime, datetime]] = ()) -> int:
        """Delete a line's samples older than `before` but its newest and those within `kept` (both ends inclusive); return how many went.

        Cycles, transitions, measurements, decisions, backups and audit stay.
        """
        with self.writing("pruning") as connection:
            newest = connection.execute(sa.select(LINE_STATE.c.at).where(LINE_STATE.c.line_id == line_id)).scalar()
            if newest is None:
                return 0
            spans = tuple(kept)
            for table in (PORT_SAMPLE, LINE_SAMPLE):
                outside = [sa.not_(table.c.at.between(since, until)) for since, until in spans]
                old = sa.delete(table).where(table.c.line_id == line_id, table.c.at < min(before, newest), *outside)
                gone = connection.execute(old).rowcount
            return gone


def _line_row(sample: LineSample) -> tuple[object, ...]:
    return sample.line_id, sample.at, sample.state, sample.reason, sample.behind


def _port_rows(sample: LineSample) -> Iterator[tuple[object, ...]]:
    for place in PORT_PLACES:
        port: PortSample | None = getattr(sample, place)
        if port is not None:
            yield sample.line_id, sample.at, place, *_PORT_FIELDS(port)


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
    return LineSample(row.line_id, row.at, row.state, row.reason, row.behind, *(ports.get(place) for place in PORT_PLACES))


def _transition(row: sa.Row[tuple[object, ...]]) -> Transition:
    return Transition(row.line_id, row.observed_at, row.recorded_at, row.before, row.after, row.reason)


def _cycle(row: sa.Row[tuple[object, ...]]) -> PollCycle:
    return PollCycle(row.started_at, row.finished_at, row.devices, row.answered)
