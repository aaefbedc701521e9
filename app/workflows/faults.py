"""Open, move, restore and report faults: by hand, by polling, by alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from app.core.fault_detection import Alert, Desk, Ground, Outage, lines_above, take_alert, watch
from app.core.fault_report import LOOKED_BACK, FaultSummary, KnownFaults, summarise_faults
from app.core.faults import (
    BY_HAND,
    FaultEvent,
    find_entry_faults,
    find_moment_faults,
    project_faults,
)
from app.core.roles import find_role_faults
from app.core.windows import Concern, build_reach, project_windows
from app.core.workspace import Workspace
from app.edge.database.faults import Decide
from app.edge.database.store import Store
from app.errors import ExitCode, InputError

#: Faults of the last two days are looked at too: what is numbered today, and what may break again.
RECENT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What an entry does: the events that it adds, and what became of it."""

    events: tuple[FaultEvent, ...]
    outcome: str
    fault_id: str
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.OK if self.committed or not self.events else ExitCode.PENDING


@dataclass(frozen=True)
class FaultDesk:
    """Takes what polling saw and what alerts say, over one workspace and its database; safe to call from several threads."""

    workspace: Workspace
    store: Store

    @cached_property
    def _above(self) -> Mapping[str, tuple[str, ...]]:
        return lines_above(self.workspace.inventory)

    def look(self, now: datetime) -> Sequence[FaultEvent]:
        """Decide on what polling saw; return what was recorded."""
        standings, ground = self.store.line_standings(), self._ground()
        changes = self.store.transitions(None, now - self.workspace.faults.settle, now)

        def decide(known: Sequence[FaultEvent]) -> Sequence[FaultEvent]:
            desk = Desk(ground, now, project_faults(known))
            watch(desk, standings, changes)
            return desk.events

        return self.store.change_faults(decide, now - RECENT)

    def take(self, alerts: Sequence[Alert], now: datetime) -> Mapping[str, int]:
        """Decide on alerts, those of lines nearer the root first; return how many came to which outcome."""
        standings, ground, counts = self.store.line_standings(), self._ground(), Counter[str]()
        ordered = sorted(alerts, key=lambda each: (each.ends_at is not None, len(self._above.get(each.line_id, ())), each.key))

        def decide(known: Sequence[FaultEvent]) -> Sequence[FaultEvent]:
            desk = Desk(ground, now, project_faults(known))
            counts.clear()
            for alert in ordered:
                counts[take_alert(desk, alert, standings)[0]] += 1
            desk.join_unseen(standings)
            return desk.events

        self.store.change_faults(decide, now - RECENT, {alert.key for alert in alerts})
        return counts

    def open_by_hand(self, outage: Outage, *, commit: bool, now: datetime) -> FaultReport:
        """Open a fault that somebody reports, or fold it into the one that holds it.

        Raises:
            InputError: a part of the report is wrong.
        """
        where = f"line {outage.line_id}"
        faults = [*find_role_faults(where, outage.by), *find_moment_faults(where, "the fault", outage.began_at, None, now)]
        if faults:
            raise InputError(faults)
        standings, ground, told = self.store.line_standings(), self._ground(), [("", "")]

        def decide(known: Sequence[FaultEvent]) -> Sequence[FaultEvent]:
            desk = Desk(ground, now, project_faults(known))
            told[0] = desk.open(outage)
            desk.join_unseen(standings)
            return desk.events

        events = self._decide(decide, commit=commit)
        return FaultReport(tuple(events), *told[0], commit)

    def enter(self, event: FaultEvent, *, commit: bool, now: datetime) -> FaultReport:
        """Record one step of a known fault.

        Raises:
            InputError: it cannot follow what is recorded, or a part of it is wrong.
        """

        def decide(known: Sequence[FaultEvent]) -> Sequence[FaultEvent]:
            faults = project_faults(known)
            if found := find_entry_faults(event, faults, now):
                raise InputError(found)
            return [replace(event, line_id=faults[event.fault_id].line_id)]

        events = self._decide(decide, commit=commit)
        return FaultReport(tuple(events), event.kind, event.fault_id, commit)

    def _decide(self, decide: Decide, *, commit: bool) -> Sequence[FaultEvent]:
        """Decide over every fault there ever was, so that one which was closed long ago is known too."""
        return self.store.change_faults(decide) if commit else decide(self.store.fault_events())

    def _ground(self) -> Ground:
        return Ground(self._above, self.store.lines_in_service(), self.workspace.faults, self.workspace.order.timezone)


def read_faults(
    workspace: Workspace,
    store: Store,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    reach: dict[Concern, frozenset[str]] | None = None,
) -> FaultSummary:
    """Return faults with their lines and what carriers needed, as known at `now`; the last 30 days where nothing else is said.

    `reach`: what was worked out before for this workspace; what is missing is added.
    """
    begin = since or now - LOOKED_BACK
    faults = project_faults(store.fault_events(begin), as_of=now)
    windows = [each for each in project_windows(store.windows(), as_of=now) if each.declared.ends_at >= begin]
    known = {} if reach is None else reach
    known |= build_reach(workspace.inventory, [each for each in windows if each.declared.concern not in known])
    return summarise_faults(workspace, KnownFaults(faults, windows, known), begin, until or now, now)


def outage_by_hand(line_id: str, began_at: datetime, by: str, document: str) -> Outage:
    return Outage(line_id, began_at, by, BY_HAND, document)
