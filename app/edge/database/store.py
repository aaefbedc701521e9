"""What was observed and decided, in a database. Rows never leave this package; values of `app.core` go in and come out.

SQLite (write-ahead log) is the embedded database; the column types and statements are those that PostgreSQL takes too.
Every method is one transaction and may be called from any thread. Every one raises StoreError when the database fails.
"""

from __future__ import annotations

from app.edge.database.accounts import Accounts
from app.edge.database.deadlines import Deadlines
from app.edge.database.decisions import Decisions
from app.edge.database.faults import Faults
from app.edge.database.reports import Reports
from app.edge.database.samples import Samples


class Store(Samples, Decisions, Reports, Faults, Accounts, Deadlines):
    """Everything that one database keeps. `Store.open` brings its schema up to date."""
