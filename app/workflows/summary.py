"""Read the newest of everything and summarise it: what API, dashboard, metrics and reports are views of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.acceptance import Acceptance, Transition
from app.core.access import Role, mask_reason, narrow_workspace
from app.core.life import OPENED, find_openings
from app.core.line_event import OPENED as REPORTED_OPEN
from app.core.progress import Summary, summarise
from app.core.workspace import Workspace
from app.edge.database.store import Store


def read_summary(workspace: Workspace, store: Store, now: datetime) -> Summary:
    """Return the summary at `now`."""
    cycle = store.last_cycle()
    openings = find_openings([*store.life_states(), *((line_id, OPENED) for line_id in store.reported_lines(REPORTED_OPEN))])
    polled_at = cycle.finished_at if cycle else None
    return summarise(workspace, store.latest(), store.acceptances(), polled_at, now, store.events(), openings)


@dataclass(frozen=True, slots=True)
class StoreReader:
    """What `app.web` reads, over one workspace and its database; `clock` is called once per answer.

    `partial`: the workspace is a party's part of the rollout, and nothing is told of what lies beyond it.
    """

    workspace: Workspace
    store: Store
    clock: Callable[[], datetime]
    partial: bool = False

    def narrowed(self, role: Role) -> StoreReader:
        """Return the reader of what a role may know."""
        return replace(self, workspace=narrow_workspace(self.workspace, role), partial=role.is_narrow)

    def summary(self) -> Summary:
        summary = read_summary(self.workspace, self.store, self.clock())
        return mask_summary(summary) if self.partial else summary

    def acceptance(self, line_id: str) -> Acceptance | None:
        return self.store.acceptances().get(line_id) if self._knows(line_id) else None

    def transitions(self, line_id: str | None, limit: int) -> Sequence[Transition]:
        """Return the newest transitions first."""
        if not self.partial:
            return self.store.newest_transitions(line_id, limit)
        own = self.workspace.inventory.lines
        changes = self.store.newest_transitions(line_id, limit, among=own) if line_id is None or line_id in own else []
        return [replace(change, reason=mask_reason(change.reason, own)) for change in changes]

    def _knows(self, line_id: str) -> bool:
        return not self.partial or line_id in self.workspace.inventory.lines


def mask_summary(summary: Summary) -> Summary:
    """Return the summary of a part without the ids of lines that are not in it."""
    own = {line.line_id for line in summary.lines}
    lines = tuple(
        replace(line, reason=mask_reason(line.reason, own), behind=line.behind if line.behind in own else None) for line in summary.lines
    )
    return replace(summary, lines=lines)
