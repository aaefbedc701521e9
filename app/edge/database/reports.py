"""What people reported on units and lines."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app.core.events import UnitEvent
from app.core.line_event import LineEvent
from app.edge.database.connection import Database
from app.edge.database.rows import of_line, slots
from app.edge.database.tables import LINE_EVENT, UNIT_EVENT

#: The fields of a unit event that are kept; `where` is of the file that it came from.
EVENT_FIELDS = ("subject", "event", "observed_at", "recorded_at", "by_role", "document", "amount", "holds")


class Reports(Database):
    """The part of a store that keeps what was reported, those reports too that were taken back."""

    def write_line_events(self, events: Sequence[LineEvent]) -> None:
        """Append reports on lines, all or none."""
        with self.writing("report on lines") as connection:
            self.insert(connection, LINE_EVENT, [slots(event) for event in events])

    def line_events(self, line_id: str | None = None) -> list[LineEvent]:
        """Return reports in the order in which they were recorded; on every line when none is named."""
        query = sa.select(LINE_EVENT).where(*of_line(LINE_EVENT, line_id)).order_by(LINE_EVENT.c.line_event_id)
        with self.reading("reports on lines") as connection:
            return [LineEvent(*row[1:]) for row in connection.execute(query)]

    def reported_lines(self, kind: str) -> list[str]:
        """Return the lines of which a report of this kind was ever recorded, each once."""
        with self.reading("reports on lines") as connection:
            rows = connection.execute(sa.select(LINE_EVENT.c.line_id).where(LINE_EVENT.c.kind == kind).distinct())
            return [row.line_id for row in rows]

    def write_events(self, events: Sequence[UnitEvent]) -> None:
        """Append what units reported, all rows or none."""
        with self.writing("unit events") as connection:
            self.insert(connection, UNIT_EVENT, [{name: getattr(event, name) for name in EVENT_FIELDS} for event in events])

    def events(self, subject: str | None = None) -> list[UnitEvent]:
        """Return every report, those taken back too, in the order in which they were recorded; of one subject where it is named."""
        query = sa.select(UNIT_EVENT).order_by(UNIT_EVENT.c.event_id)
        if subject is not None:
            query = query.where(UNIT_EVENT.c.subject == subject)
        with self.reading("unit events") as connection:
            return [UnitEvent(*row[1:]) for row in connection.execute(query)]
