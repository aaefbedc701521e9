"""Read the newest of everything and summarise it: what API, dashboard, metrics and reports are views of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.core.acceptance import Acceptance, Transition
from app.core.progress import Summary, summarise
from app.core.windows import Concern
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.workflows.faults import read_faults


def read_summary(workspace: Workspace, store: Store, now: datetime, reach: dict[Concern, frozenset[str]] | None = None) -> Summary:
    """Return the summary at `now`; `reach` keeps which lines change windows concern from one call to the next."""
    cycle = store.last_cycle()
    polled_at = cycle.finished_at if cycle else None
    facts, terms = store.line_facts(now), store.seen_terms(workspace.order.number)
    found = summarise(workspace, store.latest(), store.acceptances(), polled_at, now, store.events(), facts, terms)
    return replace(found, faults=read_faults(workspace, store, now, reach=reach))


@dataclass(frozen=True, slots=True)
class StoreReader:
    """What `app.web` reads, over one workspace and its database; `clock` is called once per answer."""

    workspace: Workspace
    store: Store
    clock: Callable[[], datetime]
    reach: dict[Concern, frozenset[str]] = field(default_factory=dict)

    def summary(self) -> Summary:
        return read_summary(self.workspace, self.store, self.clock(), self.reach)

    def acceptance(self, line_id: str) -> Acceptance | None:
        return self.store.acceptances().get(line_id)

    def transitions(self, line_id: str | None, limit: int) -> Sequence[Transition]:
        """Return the newest transitions first."""
        return self.store.newest_transitions(line_id, limit)
