"""Events of faults and of change windows, append-only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from app.core.acceptance import PASS
from app.core.fault_detection import Standing
from app.core.faults import CLOSE, FOLD, MISTAKEN, FaultEvent
from app.core.life import CLOSED as LINE_CLOSED
from app.core.windows import Concern, WindowEvent
from app.edge.database.connection import Database
from app.edge.database.rows import slots
from app.edge.database.tables import ACCEPTANCE, FAULT_EVENT, LIFE_EVENT, LINE_SAMPLE, LINE_STATE, WINDOW_EVENT

#: What ends a fault for good.
_LAST = (CLOSE, FOLD, MISTAKEN)
#: Decides what is to be appended, over the events of faults that are not ended, or were recorded lately.
Decide = Callable[[Sequence[FaultEvent]], Sequence[FaultEvent]]


class Faults(Database):
    """The part of a store that keeps faults and change windows. Nothing in it is ever changed or deleted."""

    def change_faults(self, decide: Decide, since: datetime | None = None, alerts: Collection[str] = ()) -> list[FaultEvent]:
        """Append what `decide` returns over what stands, in one transaction: two that decide at once do not open one fault twice.

        It is given every event; with `since`, those of faults that are not ended, that have an event recorded then or later, or that
        know one of these alerts.
        """
        with self.writing("event of a fault") as connection:
            events = list(decide(_read(connection, since, alerts)))
            self.insert(connection, FAULT_EVENT, [slots(event) for event in events])
        return events

    def fault_events(self, since: datetime | None = None) -> list[FaultEvent]:
        """Return events in the order in which they were recorded; with `since`, of faults not ended or recorded since then."""
        with self.reading("events of faults") as connection:
            return _read(connection, since)

    def line_standings(self) -> dict[str, Standing]:
        """Return how every line that was ever looked at was last seen."""
        newest = sa.and_(LINE_SAMPLE.c.line_id == LINE_STATE.c.line_id, LINE_SAMPLE.c.at == LINE_STATE.c.at)
        columns = (LINE_STATE.c.line_id, LINE_STATE.c.state, LINE_STATE.c.since, LINE_STATE.c.at, LINE_SAMPLE.c.behind)
        with self.reading("states of lines") as connection:
            rows = connection.execute(sa.select(*columns).select_from(LINE_STATE.join(LINE_SAMPLE, newest))).all()
            return {row.line_id: Standing(*row) for row in rows}

    def lines_in_service(self) -> frozenset[str]:
        """Return the lines whose newest decision accepts them, those that were closed since left out."""
        newest = sa.select(sa.func.max(ACCEPTANCE.c.acceptance_id)).group_by(ACCEPTANCE.c.line_id)
        accepted = sa.select(ACCEPTANCE.c.line_id).where(ACCEPTANCE.c.acceptance_id.in_(newest), ACCEPTANCE.c.verdict == PASS)
        closed = sa.select(LIFE_EVENT.c.line_id).where(LIFE_EVENT.c.state == LINE_CLOSED)
        with self.reading("lines in service") as connection:
            return frozenset(connection.scalars(accepted.where(ACCEPTANCE.c.line_id.not_in(closed))))

    def write_window(self, event: WindowEvent) -> None:
        """Append one event of a change window."""
        parts = event.concern
        concern = {"lines": list(parts.lines), "devices": list(parts.devices), "regions": list(parts.regions)}
        with self.writing("change window") as connection:
            connection.execute(sa.insert(WINDOW_EVENT), slots(event) | {"concern": concern})

    def windows(self) -> list[WindowEvent]:
        """Return every event of change windows in the order in which they were recorded."""
        with self.reading("change windows") as connection:
            rows = connection.execute(sa.select(WINDOW_EVENT).order_by(WINDOW_EVENT.c.window_event_id))
            return [_window_event(row) for row in rows]


def _read(connection: sa.Connection, since: datetime | None, alerts: Collection[str] = ()) -> list[FaultEvent]:
    query = sa.select(FAULT_EVENT).order_by(FAULT_EVENT.c.fault_event_id)
    if since is not None:
        ended = sa.select(FAULT_EVENT.c.fault_id).where(FAULT_EVENT.c.kind.in_(_LAST))
        wanted = [
            FAULT_EVENT.c.fault_id.not_in(ended),
            FAULT_EVENT.c.fault_id.in_(sa.select(FAULT_EVENT.c.fault_id).where(FAULT_EVENT.c.recorded_at >= since)),
        ]
        if alerts:
            known = sa.select(FAULT_EVENT.c.fault_id).where(FAULT_EVENT.c.alert.in_(sorted(alerts)))
            wanted.append(FAULT_EVENT.c.fault_id.in_(known))
        query = query.where(sa.or_(*wanted))
    return [FaultEvent(*row[1:]) for row in connection.execute(query)]


def _window_event(row: sa.Row[tuple[object, ...]]) -> WindowEvent:
    concern = Concern(**{name: tuple(part) for name, part in row.concern.items()})
    return WindowEvent(
        row.window_id, row.kind, row.recorded_at, row.by, row.document, row.starts_at, row.ends_at, concern, row.silence
    )
