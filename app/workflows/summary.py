"""Read the newest of everything and summarise it: what API, dashboard, metrics and reports are views of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.acceptance import Acceptance, Transition
from app.core.progress import Summary, summarise
from app.core.workspace import Workspace
from app.edge.database.store import Store


def read_summary(workspace: Workspace, store: Store, now: datetime) -> Summary:
    """Return the summary at `now`."""
    cycle = store.last_cycle()
    return summarise(
        workspace,
        store.latest(),
        store.acceptances(),
        cycle.finished_at if cycle else None,
        now,
        store.events(),
        store.line_facts(now),
        store.seen_terms(workspace.order.number),
    )


@dataclass(frozen=True, slots=True)
class StoreReader:
    """What `app.web` reads, over one workspace and its database; `clock` is called once per answer."""

    workspace: Workspace
    store: Store
    clock: Callable[[], datetime]

    def summary(self) -> Summary:
        return read_summary(self.workspace, self.store, self.clock())

    def acceptance(self, line_id: str) -> Acceptance | None:
        return self.store.acceptances().get(line_id)

    def transitions(self, line_id: str | None, limit: int) -> Sequence[Transition]:
        """Return the newest transitions first."""
        return self.store.newest_transitions(line_id, limit)
