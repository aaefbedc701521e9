"""Faults of lines in service, projected from append-only events (SX-1). Pure.

    open → assigned → with_carrier → restored → closed
      ↘ folded into the fault of a line above      ↖ reopened: back to the state before

What a clerk enters is judged against `ALLOWED` before it is recorded. A fault belongs to one line; lines that cannot be seen behind
it are its children and have no fault of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.core.roles import find_role_faults
from app.core.source import OURS, Source
from app.errors import Finding

OPEN, ASSIGNED, WITH_CARRIER, RESTORED, CLOSED, FOLDED = "open", "assigned", "with_carrier", "restored", "closed", "folded"
FAULT_STATES = (OPEN, ASSIGNED, WITH_CARRIER, RESTORED, CLOSED, FOLDED)
#: A fault whose line does not work yet.
BROKEN_STATES = (OPEN, ASSIGNED, WITH_CARRIER)
#: What happens to a fault. `joined` and `noted` move nothing.
OPENED, ASSIGN, HAND, RESTORE, CLOSE, REOPEN = "opened", "assigned", "handed", "restored", "closed", "reopened"
FOLD, MISTAKEN, JOINED, NOTED = "folded", "mistaken", "joined", "noted"
#: State → what may happen next.
ALLOWED: dict[str, tuple[str, ...]] = {
    OPEN: (ASSIGN, HAND, RESTORE, MISTAKEN, FOLD),
    ASSIGNED: (ASSIGN, HAND, RESTORE, MISTAKEN, FOLD),
    WITH_CARRIER: (ASSIGN, HAND, RESTORE, MISTAKEN, FOLD),
    RESTORED: (CLOSE, MISTAKEN, REOPEN),
    CLOSED: (),
    FOLDED: (),
}
_LEADS_TO = {ASSIGN: ASSIGNED, HAND: WITH_CARRIER, RESTORE: RESTORED, CLOSE: CLOSED, MISTAKEN: CLOSED, FOLD: FOLDED}
#: Verbs of `waiwang fault` that do it.
VERBS = {ASSIGN: "assign", HAND: "hand", RESTORE: "restore", CLOSE: "close", MISTAKEN: "close --mistaken"}
#: Where an event comes from.
BY_HAND, POLLER, ALERTMANAGER = "hand", "poller", "alertmanager"


@dataclass(frozen=True, slots=True)
class FaultPolicy:
    """When a fault is opened, what counts as one, and what is agreed.

    `open_after`: how long a line is down before it is a fault, and up again before it is restored. `settle`: what breaks again so
    soon after it was restored is the same fault; `flaps` outages within it are one, however short. `restore_within`: the agreed
    time, by carrier in `by_carrier`. `notice`: how long before its start a change window is to be announced.
    """

    open_after: timedelta = timedelta(minutes=5)
    settle: timedelta = timedelta(minutes=30)
    flaps: int = 4
    restore_within: timedelta = timedelta(hours=8)
    by_carrier: Mapping[str, timedelta] = field(default_factory=dict)
    notice: timedelta = timedelta(hours=24)
    source: Source = OURS
    notice_source: Source = OURS

    def agreed(self, carrier: str) -> timedelta:
        return self.by_carrier.get(carrier, self.restore_within)


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """One thing that happened to a fault: when in the world, when it was recorded, by which role or command.

    `line_id` is the fault's own line, or the child's that joined. `value` says to whom it was assigned or handed, or into which
    fault it was folded. `alert` names the alert that said so (`fingerprint@start`), empty where none did.
    """

    fault_id: str
    kind: str
    line_id: str
    observed_at: datetime
    recorded_at: datetime
    by: str
    source: str
    document: str = ""
    value: str = ""
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as known. `handed_at`: when the carrier was first told. `restored_at`: None while it is broken.

    `children`: lines that were not seen behind it. `reopened`: how often it broke again. `mistaken`: it was none.
    """

    fault_id: str
    line_id: str
    state: str
    began_at: datetime
    recorded_at: datetime
    source: str
    document: str
    before: str = OPEN
    assigned_to: str = ""
    carrier: str = ""
    handed_at: datetime | None = None
    restored_at: datetime | None = None
    closed_at: datetime | None = None
    children: tuple[str, ...] = ()
    reopened: int = 0
    folded_into: str = ""
    mistaken: bool = False
    alerts: tuple[str, ...] = ()

    @property
    def is_broken(self) -> bool:
        return self.state in BROKEN_STATES


def project_faults(events: Iterable[FaultEvent], *, as_of: datetime | None = None) -> dict[str, Fault]:
    """Return every fault by id, from events in the order in which they were recorded; `as_of` leaves out what came later."""
    faults: dict[str, Fault] = {}
    for event in events:
        if as_of is None or event.recorded_at <= as_of:
            apply(faults, event)
    return faults


def apply(faults: dict[str, Fault], event: FaultEvent) -> None:
    """Take one more event into the projection; one that cannot follow changes nothing."""
    known = faults.get(event.fault_id)
    if known is None:
        if event.kind == OPENED:
            faults[event.fault_id] = _opened(event)
        return
    if event.alert and event.alert not in known.alerts:
        known = replace(known, alerts=(*known.alerts, event.alert))
    if event.kind == JOINED and event.line_id not in known.children:
        known = replace(known, children=(*known.children, event.line_id))
    elif event.kind in ALLOWED[known.state]:
        known = _moved(known, event)
    faults[event.fault_id] = known


def _opened(event: FaultEvent) -> Fault:
    alerts = (event.alert,) if event.alert else ()
    return Fault(
        event.fault_id, event.line_id, OPEN, event.observed_at, event.recorded_at, event.source, event.document, alerts=alerts
    )


def _moved(fault: Fault, event: FaultEvent) -> Fault:
    at = event.observed_at
    match event.kind:
        case "assigned":
            fault = replace(fault, assigned_to=event.value)
        case "handed":
            fault = replace(fault, carrier=event.value, handed_at=fault.handed_at or at)
        case "restored":
            fault = replace(fault, restored_at=at, before=fault.state)
        case "reopened":
            return replace(fault, state=fault.before, restored_at=None, reopened=fault.reopened + 1)
        case "folded":
            fault = replace(fault, folded_into=event.value)
        case _:
            fault = replace(fault, closed_at=at, mistaken=event.kind == MISTAKEN)
    return replace(fault, state=_LEADS_TO[event.kind])


# What a clerk enters


def find_entry_faults(event: FaultEvent, faults: Mapping[str, Fault], now: datetime) -> list[Finding]:
    """Return everything that keeps an entry on a known fault from being recorded."""
    where = f"fault {event.fault_id}"
    found = find_role_faults(where, event.by)
    if event.kind == ASSIGN:
        found += find_role_faults(where, event.value)
    known = faults.get(event.fault_id)
    if known is None:
        step = "Run waiwang fault list --all."
        return [*found, Finding(where, "it is not known", "the id of a fault", f"`{event.fault_id}`", step)]
    if event.kind not in ALLOWED[known.state]:
        found.append(_refusal(where, event.kind, known))
    earliest = known.began_at if known.restored_at is None else known.restored_at
    return [*found, *find_moment_faults(where, event.kind, event.observed_at, earliest, now)]


def find_moment_faults(where: str, kind: str, at: datetime, earliest: datetime | None, now: datetime) -> list[Finding]:
    """Return what is wrong with the moment of an entry: it lies in the future, or before what it follows."""
    if at > now:
        step = "Correct --at; what will be is not yet observed."
        return [Finding(where, f"{kind} lies in the future", f"up to {now.isoformat()}", at.isoformat(), step)]
    if earliest is not None and at < earliest:
        step = "Enter the moment at which it happened."
        return [Finding(where, f"{kind} lies before what it follows", f"from {earliest.isoformat()}", at.isoformat(), step)]
    return []


def _refusal(where: str, kind: str, fault: Fault) -> Finding:
    verbs = [VERBS[each] for each in ALLOWED[fault.state] if each in VERBS]
    if fault.state == FOLDED:
        step = f"Act on {fault.folded_into}, which holds it."
    else:
        needed = VERBS[RESTORE] if kind == CLOSE else verbs[0] if verbs else ""
        step = f"Run waiwang fault {needed} {fault.fault_id} first." if verbs else "A closed fault stays closed; open a new one."
    expected = " or ".join(verbs) or "nothing further"
    return Finding(where, f"{kind} cannot follow {fault.state}", expected, f"a fault that is {fault.state}", step)


def known_alerts(faults: Mapping[str, Fault]) -> dict[str, Fault]:
    """Return alert → the fault that it is recorded on."""
    return {alert: fault for fault in faults.values() for alert in fault.alerts}
