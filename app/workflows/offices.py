"""What the three offices see: accounts, and the audit with the proof that it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.access import Account, Viewer
from app.core.offices import LOG, are_held
from app.core.trail import AuditEntry, Break, Linked, find_breaks
from app.edge.database.store import Store


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the audit is whole. `head`: its newest link when it was read; `breaks`: where it does not hold."""

    entries: int
    head: str
    breaks: tuple[Break, ...]


def prove_audit(store: Store, head: str | None = None) -> Proof:
    """Follow the whole chain; `head`: a link that was seen earlier and must be in it."""
    count, newest = 0, store.audit_head()

    def counted() -> Iterator[Linked]:
        nonlocal count
        for each in store.audit_trail():
            count += 1
            yield each

    return Proof(breaks=tuple(find_breaks(counted(), head)), entries=count, head=newest)


@dataclass(frozen=True, slots=True)
class OfficeDesk:
    """The accounts and the audit of one store, for whoever holds an office. Called from several threads; may raise StoreError."""

    store: Store
    clock: Callable[[], datetime]

    def accounts(self) -> list[Account]:
        """Return everybody who may sign in, by name."""
        return self.store.accounts()

    def are_held(self) -> bool:
        """Tell whether all three offices are held, and so bind."""
        return are_held(self.store.accounts())

    def entries(self, days: int, of: str | None = None) -> list[AuditEntry]:
        """Return the audit of so many days, newest first; `of`: of this account or subject alone."""
        found = self.store.audit(self.clock() - timedelta(days=days))
        return [each for each in reversed(found) if of in (None, each.actor, each.subject)]

    def head(self) -> str:
        """Return the newest link of the audit."""
        return self.store.audit_head()

    def prove(self, viewer: Viewer, head: str | None = None) -> Proof:
        """Follow the whole chain; that somebody did stands in the audit too."""
        proof = prove_audit(self.store, head)
        self.store.write_audit(self.clock(), viewer.account, "audit check", LOG, {"breaks": len(proof.breaks), "head": proof.head})
        return proof

    def note_export(self, viewer: Viewer, entries: int) -> None:
        """Write down that somebody took the audit away."""
        self.store.write_audit(self.clock(), viewer.account, "audit export", LOG, {"entries": entries})
