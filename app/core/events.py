"""What units, services and regions report: fees, contacts, software, training, websites. Append-only; what holds is a projection.

A subject is a unit id, `service:ID` or `region:CODE`. An event that was wrong is taken back by a later row that names the same
subject, event and document with `holds` false; nothing is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.inventory import Inventory
from app.core.milestone import Milestone
from app.core.moments import on_the_clock
from app.core.order import Order
from app.core.references import nearest
from app.core.roles import ROLE_LIMIT, is_role
from app.core.scope import Scope, covers_unit
from app.core.workspace import Workspace
from app.errors import Finding

SERVICE, REGION = "service:", "region:"


@dataclass(frozen=True, slots=True)
class UnitEvent:
    """One report: what happened to whom, when it happened, when it was written down, by which role, on which document.

    `amount` is the points given where a score row asks for them, None elsewhere. `holds` false takes an earlier row back.
    """

    subject: str
    event: str
    observed_at: datetime
    recorded_at: datetime
    by_role: str
    document: str
    amount: float | None = None
    holds: bool = True
    where: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.subject, self.event, self.document

    def says_the_same_as(self, other: UnitEvent) -> bool:
        """Tell whether the other row adds nothing to this one; the moment of recording and the place in a file do not count."""
        return replace(self, recorded_at=other.recorded_at, where=other.where) == other


@dataclass(frozen=True, slots=True)
class EventUse:
    """What the order asks of an event: its title, and whose it may be. `limit` is the largest amount, None where none is asked."""

    event: str
    title: str
    title_en: str
    subject: str
    scope: Scope | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class EventBook:
    """The events in force, indexed. `kinds` are the events that anybody ever reported, in force or taken back."""

    in_force: tuple[UnitEvent, ...]
    by_subject: dict[tuple[str, str], tuple[UnitEvent, ...]]
    kinds: frozenset[str]

    def of(self, subject: str, event: str) -> tuple[UnitEvent, ...]:
        """Return what holds of one kind for one subject, the earliest observed first."""
        return self.by_subject.get((subject, event), ())

    def since(self, subject: str, event: str) -> datetime | None:
        """Return since when the event holds for the subject, None while it does not."""
        found = self.of(subject, event)
        return found[0].observed_at if found else None


def build_book(events: Iterable[UnitEvent], *, as_of: datetime | None = None) -> EventBook:
    """Project rows, in the order in which they were recorded, to what holds; `as_of` leaves out what was recorded later."""
    known = [row for row in events if as_of is None or row.recorded_at <= as_of]
    newest: dict[tuple[str, str, str], UnitEvent] = {}
    for row in known:
        newest[row.key] = row
    in_force = tuple(sorted((row for row in newest.values() if row.holds), key=lambda row: (row.observed_at, row.key)))
    groups: dict[tuple[str, str], list[UnitEvent]] = {}
    for row in in_force:
        groups.setdefault((row.subject, row.event), []).append(row)
    return EventBook(in_force, {key: tuple(rows) for key, rows in groups.items()}, frozenset(row.event for row in known))


def find_new(known: Iterable[UnitEvent], rows: Iterable[UnitEvent]) -> list[UnitEvent]:
    """Return the rows that say something that the newest row of their key does not say yet: a file read twice adds nothing."""
    newest = {row.key: row for row in known}
    new = []
    for row in rows:
        before = newest.get(row.key)
        if before is None or not before.says_the_same_as(row):
            new.append(row)
            newest[row.key] = row
    return new


def event_uses(order: Order) -> Iterator[EventUse]:
    """Yield every event that the order asks for; one event may serve several ends."""
    for milestone in order.milestones:
        if (name := milestone_event(milestone)) is not None:
            scope = milestone.scope if milestone.evidence == "unit_event" else None
            yield EventUse(name, milestone.title, milestone.title_en, "unit", scope)
    for gate in order.gates:
        yield EventUse(gate.event, gate.title, gate.title_en, gate.subject, gate.scope)
    for table in order.scoring:
        subjects = (["region"] if table.counties else []) + (["unit"] if table.units is not None else [])
        for subject in subjects:
            scope = table.units if subject == "unit" else None
            for row in table.items:
                if row.event is not None:
                    yield EventUse(row.event, row.title, row.title_en, subject, scope, row.points)
            for each in table.adjustments:
                yield EventUse(each.event, each.title, each.title_en, subject, scope)


def milestone_event(milestone: Milestone) -> str | None:
    """Return the event that shows a milestone; a document without an event of its own goes by the milestone's id."""
    if milestone.evidence == "document":
        return milestone.event or milestone.milestone_id
    return milestone.event


def find_event_faults(workspace: Workspace, events: Sequence[UnitEvent], now: datetime) -> list[Finding]:
    """Return everything that keeps rows from being recorded, by row."""
    uses: dict[str, list[EventUse]] = {}
    for use in event_uses(workspace.order):
        uses.setdefault(use.event, []).append(use)
    return [*_contradictions(events), *(finding for row in events for finding in _row_faults(workspace, uses, row, now))]


def _contradictions(events: Sequence[UnitEvent]) -> Iterator[Finding]:
    """Yield rows that say of one subject, event and document something else than an earlier row of the same table."""
    first: dict[tuple[str, str, str], UnitEvent] = {}
    for row in events:
        before = first.setdefault(row.key, row)
        if not before.says_the_same_as(row):
            what = f"event {row.event} of {row.subject} stands twice on document {row.document}"
            yield Finding(row.where, what, "one row", f"another at {before.where}", "Keep the right one, or name the other document.")


def _row_faults(workspace: Workspace, uses: dict[str, list[EventUse]], row: UnitEvent, now: datetime) -> Iterator[Finding]:
    owner = f"event {row.event} of {row.subject}"
    asked = uses.get(row.event)
    if asked is None:
        step = nearest(row.event, uses, "Only events that a milestone, gate or score row names can be recorded.")
        yield Finding(row.where, f"{owner}: the order asks for no such event", "an event of inventory/order.yaml", f"`{row.event}`", step)
    elif not subject_is_known(workspace.inventory, row.subject):
        known = [*workspace.inventory.units, *(f"{SERVICE}{name}" for name in workspace.inventory.services)]
        step = nearest(row.subject, known, "Correct it, or add the unit to inventory/units.csv.")
        yield Finding(row.where, f"{owner}: the subject is not known", "a unit id, service:ID or region:CODE", f"`{row.subject}`", step)
    else:
        yield from _use_faults(workspace, asked, row, owner)
    if row.observed_at > now:
        step, found = "Correct the day; what will be is not yet observed.", on_the_clock(row.observed_at)
        yield Finding(row.where, f"{owner} lies in the future", f"up to {on_the_clock(now, row.observed_at.tzinfo)}", found, step)
    if not is_role(row.by_role):
        step = "Write the role (公文交换员), never a name or a telephone number."
        yield Finding(row.where, f"{owner}: `by_role` is no role", f"up to {ROLE_LIMIT} characters without numbers", "something else", step)


def _use_faults(workspace: Workspace, asked: Sequence[EventUse], row: UnitEvent, owner: str) -> Iterator[Finding]:
    fitting = [use for use in asked if _is_asked(workspace, use, row.subject)]
    if not fitting:
        found = _described(workspace.inventory, row.subject)
        step = "Correct the subject or the event; the order asks it of others."
        yield Finding(row.where, f"{owner}: the order does not ask it of this subject", _expected(asked), found, step)
        return
    limits = [use.limit for use in fitting if use.limit is not None]
    if row.amount is not None and not limits:
        step = "Leave `amount` empty."
        yield Finding(row.where, f"{owner}: `amount` means nothing here", "no amount", f"{row.amount:g}", step)
    elif row.amount is not None and not 0 <= row.amount <= max(limits):
        step = "Correct the points."
        yield Finding(row.where, f"{owner}: more points than the row gives", f"0 to {max(limits):g}", f"{row.amount:g}", step)


def subject_is_known(inventory: Inventory, subject: str) -> bool:
    if subject.startswith(SERVICE):
        return subject.removeprefix(SERVICE) in inventory.services
    if subject.startswith(REGION):
        return subject.removeprefix(REGION) in inventory.regions
    return subject in inventory.units


def _is_asked(workspace: Workspace, use: EventUse, subject: str) -> bool:
    kind = "service" if subject.startswith(SERVICE) else "region" if subject.startswith(REGION) else "unit"
    if use.subject != kind:
        return False
    if kind == "unit" and use.scope is not None:
        unit = workspace.inventory.units[subject]
        return covers_unit(use.scope, unit.level, unit.kind)
    if kind == "service":
        return workspace.inventory.services[subject.removeprefix(SERVICE)].kind == "application"
    return kind == "unit" or workspace.inventory.regions[subject.removeprefix(REGION)].level == "county"


def _expected(asked: Sequence[EventUse]) -> str:
    parts = []
    for use in asked:
        if use.subject == "service":
            parts.append("an application of services.csv")
        elif use.subject == "region":
            parts.append("a county")
        else:
            scope = use.scope or Scope()
            words = "; ".join(", ".join(names) for names in (scope.levels, scope.kinds) if names)
            parts.append(f"a unit ({words})" if words else "a unit")
    return " or ".join(dict.fromkeys(parts))


def _described(inventory: Inventory, subject: str) -> str:
    unit = inventory.units.get(subject)
    return f"{subject} ({unit.name}): {unit.level}, {unit.kind}" if unit is not None else subject
