"""What was observed and decided, in a database. Rows never leave this package; values of `app.core` go in and come out.

SQLite (write-ahead log) is the embedded database; the column types and statements are those that PostgreSQL takes too.
Every method is one transaction and may be called from any thread. Every one raises StoreError when the database fails.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.edge.database.accounts import Accounts
from app.edge.database.audit import Audit
from app.edge.database.deadlines import Deadlines
from app.edge.database.decisions import Decisions
from app.edge.database.faults import Faults
from app.edge.database.reports import Reports
from app.edge.database.samples import Samples
from app.edge.database.tables import (
    ACCEPTANCE,
    CYCLE,
    FAULT_EVENT,
    LIFE_EVENT,
    LINE_EVENT,
    LINE_STATE,
    SEEN_TERMS,
    TRANSITION,
    UNIT_EVENT,
    WINDOW_EVENT,
)

#: What a summary is read from, beside the newest samples: rows are only ever added here, and numbered in the order in which they come.
_NUMBERED = (CYCLE, TRANSITION, ACCEPTANCE, LIFE_EVENT, LINE_EVENT, UNIT_EVENT, SEEN_TERMS, FAULT_EVENT, WINDOW_EVENT)
#: What tells two states of the database apart; compare it with another one only.
Stamp = tuple[object, ...]


class Store(Samples, Decisions, Audit, Reports, Faults, Accounts, Deadlines):
    """Everything that one database keeps. `Store.open` brings its schema up to date."""

    def stamp(self) -> Stamp:
        """Return what changes whenever something is written that a summary shows, by whatever process."""
        newest = [sa.select(sa.func.max(next(iter(table.primary_key)))).scalar_subquery() for table in _NUMBERED]
        looked_at = sa.select(sa.func.max(LINE_STATE.c.at)).scalar_subquery()
        with self.reading("what was written last") as connection:
            return tuple(connection.execute(sa.select(*newest, looked_at)).one())
