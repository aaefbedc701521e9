"""What was measured, decided, confirmed and done: measurements, decisions, steps of lines' lives, words of parties, backups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.core.acceptance import Acceptance, CriterionResult, Measurement
from app.core.confirmation import Confirmation
from app.core.contests import ContestEvent
from app.core.life import LifeEvent
from app.edge.database.connection import Database
from app.edge.database.rows import of_line, slots, within
from app.edge.database.tables import ACCEPTANCE, BACKUP, CONFIRMATION, CONTEST, LIFE_EVENT, MEASUREMENT


@dataclass(frozen=True, slots=True)
class Backup:
    """A device's running configuration as it was fetched at `at`, secrets masked, and the digest of that text."""

    backup_id: int
    device: str
    at: datetime
    text: str
    digest: str


class Decisions(Database):
    """The part of a store that keeps measurements, decisions and deeds. Nothing in it is ever changed or deleted."""

    def write_measurement(self, measurement: Measurement) -> None:
        """Append one active test."""
        with self.writing("measurement") as connection:
            connection.execute(sa.insert(MEASUREMENT), slots(measurement) | {"detail": dict(measurement.detail)})

    def measurements(self, line_ids: Iterable[str] | None = None, until: datetime | None = None) -> dict[str, dict[str, Measurement]]:
        """Return the newest measurement of every line and kind, of all lines when none are named.

        With `until`, of those that had been measured and recorded by then.
        """
        wanted = None if line_ids is None else set(line_ids)
        if until is not None:
            line_id = next(iter(wanted)) if wanted is not None and len(wanted) == 1 else None
            known = [each for each in self.measurements_up_to(until, line_id) if each.recorded_at <= until]
            return _newest(each for each in known if wanted is None or each.line_id in wanted)
        newest = sa.select(sa.func.max(MEASUREMENT.c.measurement_id)).group_by(MEASUREMENT.c.line_id, MEASUREMENT.c.kind)
        if wanted is not None and len(wanted) == 1:
            newest = newest.where(MEASUREMENT.c.line_id == next(iter(wanted)))
        query = sa.select(MEASUREMENT).where(MEASUREMENT.c.measurement_id.in_(newest)).order_by(MEASUREMENT.c.measurement_id)
        with self.reading("measurements") as connection:
            rows = [_measurement(row) for row in connection.execute(query)]
        return _newest(each for each in rows if wanted is None or each.line_id in wanted)

    def measurements_up_to(self, until: datetime, line_id: str | None = None) -> list[Measurement]:
        """Return what was measured up to `until`, whenever it was recorded, in that order; of every line when none is named."""
        query = sa.select(MEASUREMENT).where(*of_line(MEASUREMENT, line_id), MEASUREMENT.c.at <= until)
        with self.reading("measurements") as connection:
            return [_measurement(row) for row in connection.execute(query.order_by(MEASUREMENT.c.measurement_id))]

    def measurement_history(self, line_id: str, kind: str | None = None) -> list[Measurement]:
        """Return every measurement of a line, oldest first."""
        query = sa.select(MEASUREMENT).where(MEASUREMENT.c.line_id == line_id)
        if kind is not None:
            query = query.where(MEASUREMENT.c.kind == kind)
        with self.reading("measurements") as connection:
            return [_measurement(row) for row in connection.execute(query.order_by(MEASUREMENT.c.at, MEASUREMENT.c.measurement_id))]

    def write_acceptance(self, acceptance: Acceptance) -> None:
        """Append one decision with its evidence."""
        results = [slots(result) | {"evidence": dict(result.evidence)} for result in acceptance.results]
        with self.writing("decision") as connection:
            connection.execute(sa.insert(ACCEPTANCE), slots(acceptance) | {"results": results})

    def acceptances(self, until: datetime | None = None) -> dict[str, Acceptance]:
        """Return the newest decision on every line, of those up to `until` where it is given."""
        newest = sa.select(sa.func.max(ACCEPTANCE.c.acceptance_id)).where(*within(ACCEPTANCE.c.decided_at, None, until))
        newest = newest.group_by(ACCEPTANCE.c.line_id)
        query = sa.select(ACCEPTANCE).where(ACCEPTANCE.c.acceptance_id.in_(newest)).order_by(ACCEPTANCE.c.line_id)
        with self.reading("decisions") as connection:
            return {row.line_id: _acceptance(row) for row in connection.execute(query).all()}

    def newest_acceptance(self, line_id: str) -> Acceptance | None:
        """Return the newest decision on one line, None where nobody judged it."""
        query = sa.select(ACCEPTANCE).where(ACCEPTANCE.c.line_id == line_id).order_by(ACCEPTANCE.c.acceptance_id.desc()).limit(1)
        with self.reading("decisions") as connection:
            row = connection.execute(query).first()
            return None if row is None else _acceptance(row)

    def acceptance_history(self, line_id: str | None = None) -> list[Acceptance]:
        """Return every decision on a line, oldest first; on every line when none is named."""
        query = sa.select(ACCEPTANCE).where(*of_line(ACCEPTANCE, line_id)).order_by(ACCEPTANCE.c.acceptance_id)
        with self.reading("decisions") as connection:
            return [_acceptance(row) for row in connection.execute(query)]

    def write_life_events(self, events: Sequence[LifeEvent]) -> None:
        """Append steps of lines' lives, all or none."""
        with self.writing("step of a line's life") as connection:
            self.insert(connection, LIFE_EVENT, [slots(event) for event in events])

    def life_events(self, line_id: str | None = None) -> list[LifeEvent]:
        """Return what was entered, in the order in which it was recorded; of every line when none is named."""
        query = sa.select(LIFE_EVENT).where(*of_line(LIFE_EVENT, line_id)).order_by(LIFE_EVENT.c.life_event_id)
        with self.reading("steps of lines' lives") as connection:
            return [LifeEvent(*row[1:]) for row in connection.execute(query)]

    def life_states(self) -> list[tuple[str, str]]:
        """Return (line id, state) of every step that was ever entered, each once."""
        with self.reading("steps of lines' lives") as connection:
            rows = connection.execute(sa.select(LIFE_EVENT.c.line_id, LIFE_EVENT.c.state).distinct())
            return [(row.line_id, row.state) for row in rows]

    def write_confirmation(self, word: Confirmation) -> None:
        """Append one party's word on a line."""
        with self.writing("confirmation") as connection:
            connection.execute(sa.insert(CONFIRMATION), slots(word))

    def confirmations(self, line_id: str | None = None) -> list[Confirmation]:
        """Return every word in the order in which it was recorded; on every line when none is named."""
        query = sa.select(CONFIRMATION).where(*of_line(CONFIRMATION, line_id)).order_by(CONFIRMATION.c.confirmation_id)
        with self.reading("confirmations") as connection:
            return [Confirmation(*row[1:]) for row in connection.execute(query)]

    def write_contest_event(self, event: ContestEvent) -> None:
        """Append one step of a contest; a number is raised once and decided once."""
        with self.writing("contest") as connection:
            connection.execute(sa.insert(CONTEST), slots(event))

    def contest_events(self) -> list[ContestEvent]:
        """Return every step of every contest in the order in which it was recorded."""
        with self.reading("contests") as connection:
            return [ContestEvent(*row[1:]) for row in connection.execute(sa.select(CONTEST).order_by(CONTEST.c.contest_id))]

    def write_backup(self, device: str, at: datetime, text: str, digest: str) -> None:
        """Append a device's running configuration."""
        with self.writing("backup") as connection:
            connection.execute(sa.insert(BACKUP), {"device": device, "at": at, "text": text, "digest": digest})

    def backups(self, device: str) -> list[Backup]:
        """Return a device's backups, newest first."""
        query = sa.select(BACKUP).where(BACKUP.c.device == device).order_by(BACKUP.c.backup_id.desc())
        with self.reading("backups") as connection:
            return [Backup(row.backup_id, row.device, row.at, row.text, row.digest) for row in connection.execute(query)]

    def backup_times(self, since: datetime | None = None) -> list[tuple[str, int, datetime]]:
        """Return device, number and moment of every backup from `since` on, oldest first."""
        query = sa.select(BACKUP.c.device, BACKUP.c.backup_id, BACKUP.c.at).where(*within(BACKUP.c.at, since, None))
        with self.reading("backups") as connection:
            return [(row.device, row.backup_id, row.at) for row in connection.execute(query.order_by(BACKUP.c.backup_id))]


def _newest(measurements: Iterable[Measurement]) -> dict[str, dict[str, Measurement]]:
    found: dict[str, dict[str, Measurement]] = defaultdict(dict)
    for each in measurements:
        found[each.line_id][each.kind] = each
    return dict(found)


def _measurement(row: sa.Row[tuple[object, ...]]) -> Measurement:
    return Measurement(row.line_id, row.kind, row.at, row.value, row.unit, row.method, row.detail)


def _acceptance(row: sa.Row[tuple[object, ...]]) -> Acceptance:
    results = tuple(CriterionResult(**result) for result in row.results)
    return Acceptance(row.line_id, row.decided_at, row.verdict, results, row.milestone, row.due_at, row.on_time)
