"""Show and record the life of lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.core.life import Life, LifeEvent, confirmation_events, decision_events, find_life_faults, project_life, worksheet_events
from app.core.roles import find_role_faults
from app.edge.database.store import Store
from app.errors import ExitCode, InputError


@dataclass(frozen=True, slots=True)
class LifeReport:
    """A line's life, with the step that was asked for in it."""

    life: Life
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.OK if self.committed else ExitCode.PENDING


def read_events(store: Store, line_id: str | None = None, *, as_of: datetime | None = None) -> list[LifeEvent]:
    """Return everything that moves a line, entered or taken from other facts; of every line when none is named.

    With `as_of`, a worksheet that was replaced later still holds.
    """
    reports = [report for report in store.line_events(line_id) if as_of is None or report.recorded_at <= as_of]
    return [
        *store.life_events(line_id),
        *worksheet_events(reports),
        *decision_events(store.acceptance_history(line_id)),
        *confirmation_events(store.confirmations(line_id)),
    ]


def read_lives(store: Store, line_ids: Iterable[str], *, as_of: datetime | None = None) -> list[Life]:
    """Return the lives of these lines, as they were known at `as_of` where it is given."""
    by_line: dict[str, list[LifeEvent]] = {}
    wanted = list(line_ids)
    for event in read_events(store, wanted[0] if len(wanted) == 1 else None, as_of=as_of):
        by_line.setdefault(event.line_id, []).append(event)
    return [project_life(line_id, by_line.get(line_id, ()), as_of=as_of) for line_id in wanted]


def add_step(store: Store, event: LifeEvent, *, commit: bool, now: datetime) -> LifeReport:
    """Judge a step, and on `commit` append it.

    Raises:
        InputError: the step cannot follow what is recorded, or a part of it is wrong.
    """
    known = read_events(store, event.line_id)
    faults = [*find_role_faults(f"line {event.line_id}", event.by), *find_life_faults(event, known, now)]
    if faults:
        raise InputError(faults)
    if commit:
        store.write_life_events([event])
    return LifeReport(project_life(event.line_id, (*known, event)), commit)
