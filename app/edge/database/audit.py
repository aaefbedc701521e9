"""The audit: who did what to what, append-only, each entry linked to the one before it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

import sqlalchemy as sa

from app.core.trail import START, AuditEntry, Entry, Linked, build_link
from app.edge.database.connection import Database
from app.edge.database.rows import within
from app.edge.database.tables import AUDIT, AUDIT_LINK

#: Entries that are read at a time where the whole chain is.
BATCH = 5_000


class Audit(Database):
    """The part of a store that keeps the audit."""

    def write_audit(self, at: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Append who did what to what, with its link."""
        with self.writing("audit entry") as connection:  # writers come one after the other, so the newest link stays the newest
            plain = json.loads(json.dumps(dict(detail or {}), allow_nan=False))  # as it will be read again
            row = {"at": at, "actor": actor, "verb": verb, "subject": subject, "detail": plain}
            number = connection.execute(sa.insert(AUDIT).returning(AUDIT.c.audit_id), row).scalar_one()
            link = build_link(_newest_link(connection), Entry(number, at, actor, verb, subject, plain))
            connection.execute(sa.insert(AUDIT_LINK), {"audit_id": number, "link": link})

    def audit(self, since: datetime | None = None, subject: str | None = None) -> list[AuditEntry]:
        """Return audit entries from `since` on, oldest first."""
        query = sa.select(AUDIT).where(*within(AUDIT.c.at, since, None)).order_by(AUDIT.c.audit_id)
        if subject is not None:
            query = query.where(AUDIT.c.subject == subject)
        with self.reading("audit entries") as connection:
            return [AuditEntry(row.at, row.actor, row.verb, row.subject, row.detail) for row in connection.execute(query)]

    def audit_head(self) -> str:
        """Return the newest link, `START` where nothing was written."""
        with self.reading("head of the audit") as connection:
            return _newest_link(connection)

    def audit_trail(self) -> Iterator[Linked]:
        """Yield every entry with its link, oldest first; entries that are written meanwhile may come too."""
        after = 0
        while rows := self._read_trail(after):
            yield from rows
            after = rows[-1].entry.number

    def _read_trail(self, after: int) -> list[Linked]:
        joined = sa.outerjoin(AUDIT, AUDIT_LINK, AUDIT.c.audit_id == AUDIT_LINK.c.audit_id)
        query = sa.select(AUDIT, AUDIT_LINK.c.link).select_from(joined).where(AUDIT.c.audit_id > after).order_by(AUDIT.c.audit_id)
        with self.reading("audit entries") as connection:
            return [
                Linked(Entry(row.audit_id, row.at, row.actor, row.verb, row.subject, row.detail), row.link)
                for row in connection.execute(query.limit(BATCH))
            ]


def _newest_link(connection: sa.Connection) -> str:
    newest = sa.select(AUDIT_LINK.c.link).order_by(AUDIT_LINK.c.audit_id.desc()).limit(1)
    return connection.execute(newest).scalar() or START
