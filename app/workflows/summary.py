"""Read the newest of everything and summarise it: what API, dashboard, metrics and reports are views of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from app.core.acceptance import Acceptance, Transition
from app.core.access import Role, mask_reason, narrow_workspace
from app.core.life import OPENED, find_openings
from app.core.line_event import OPENED as REPORTED_OPEN
from app.core.progress import Summary, summarise
from app.core.windows import Concern
from app.core.workspace import Workspace
from app.edge.database.store import Stamp, Store
from app.workflows.collector import uncollected
from app.workflows.faults import read_faults


def read_summary(workspace: Workspace, store: Store, now: datetime, reach: dict[Concern, frozenset[str]] | None = None) -> Summary:
    """Return the summary at `now`; `reach` keeps which lines change windows concern from one call to the next."""
    with uncollected():
        return _read_summary(workspace, store, now, reach)


def _read_summary(workspace: Workspace, store: Store, now: datetime, reach: dict[Concern, frozenset[str]] | None) -> Summary:
    cycle = store.last_cycle()
    openings = find_openings([*store.life_states(), *((line_id, OPENED) for line_id in store.reported_lines(REPORTED_OPEN))])
    found = summarise(
        workspace,
        store.latest(),
        store.acceptances(),
        cycle.finished_at if cycle else None,
        now,
        store.events(),
        openings,
        store.line_facts(now),
        store.seen_terms(workspace.order.number),
    )
    return replace(found, faults=read_faults(workspace, store, now, reach=reach))


class KeptSummary:
    """The last summary, as long as it stands: nothing was written since, no moment passed that changes it, and it is not too old.

    One caller at a time makes it anew; the others wait for that one.
    """

    def __init__(self, keep_for: timedelta) -> None:
        self._keep_for = keep_for
        self._lock = Lock()
        self._kept: tuple[Stamp, Summary] | None = None
        self._asked = False

    def was_asked(self) -> bool:
        """Tell whether somebody asked since this was asked last."""
        asked, self._asked = self._asked, False
        return asked

    def read(self, store: Store, now: datetime, read_anew: Callable[[], Summary]) -> Summary:
        if not self._keep_for:
            return read_anew()
        self._asked = True
        with self._lock:
            stamp = store.stamp()  # taken first: what is written meanwhile makes the next caller read anew
            if self._kept is None or self._kept[0] != stamp or not self._holds(self._kept[1], now):
                self._kept = None
                self._kept = stamp, read_anew()
            return self._kept[1]

    def _holds(self, summary: Summary, now: datetime) -> bool:
        """Tell whether time alone has not made the summary untrue: whole hours and days in it may be late by `keep_for`."""
        if not timedelta(0) <= now - summary.as_of < self._keep_for:
            return False
        return not any(summary.as_of < moment <= now for moment in turning_points(summary))


def turning_points(summary: Summary) -> Iterator[datetime]:
    """Yield the moments at which a summary changes though nothing is written: deadlines, and the ends of change windows."""
    yield from (milestone.due_at for milestone in summary.milestones)
    for window in summary.faults.windows:
        yield from (window.starts_at, window.ends_at)


@dataclass(frozen=True, slots=True)
class StoreReader:
    """What `app.web` reads, over one workspace and its database; `clock` is called once per answer.

    `partial`: the workspace is a party's part of the rollout, and nothing is told of what lies beyond it. `keep_for`: how long one
    summary may serve all who ask while it stands (`KeptSummary`); its `as_of` says how old it is.
    """

    workspace: Workspace
    store: Store
    clock: Callable[[], datetime]
    reach: dict[Concern, frozenset[str]] = field(default_factory=dict)
    partial: bool = False
    keep_for: timedelta = timedelta(0)
    kept: KeptSummary = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kept", KeptSummary(self.keep_for))

    def renew(self) -> None:
        """Make the next summary ready where somebody asked for the last one, so that the next who asks need not wait for it."""
        if self.kept.was_asked():
            self.summary()
            self.kept.was_asked()

    def narrowed(self, role: Role) -> StoreReader:
        """Return the reader of what a role may know."""
        return StoreReader(narrow_workspace(self.workspace, role), self.store, self.clock, partial=role.is_narrow, keep_for=self.keep_for)

    def summary(self) -> Summary:
        now = self.clock()
        return self.kept.read(self.store, now, lambda: self._read(now))

    def _read(self, now: datetime) -> Summary:
        summary = read_summary(self.workspace, self.store, now, self.reach)
        return mask_summary(summary) if self.partial else summary

    def acceptance(self, line_id: str) -> Acceptance | None:
        return self.store.newest_acceptance(line_id) if self._knows(line_id) else None

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
    """Return the summary of a part without the ids of lines that are not in it, and without change windows that concern none."""
    own = {line.line_id for line in summary.lines}
    lines = tuple(
        replace(line, reason=mask_reason(line.reason, own), behind=line.behind if line.behind in own else None) for line in summary.lines
    )
    faults = tuple(replace(fault, children=tuple(child for child in fault.children if child in own)) for fault in summary.faults.faults)
    windows = tuple(window for window in summary.faults.windows if window.lines)
    return replace(summary, lines=lines, faults=replace(summary.faults, faults=faults, windows=windows))
