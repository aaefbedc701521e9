"""From what was seen to events of faults: what opens one, what is folded into one, what restores it. Pure.

Everything goes through one `Desk`, so that the poller, an alert and a clerk fold alike. Nothing here refuses: it decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.acceptance import Transition
from app.core.faults import (
    ALERTMANAGER,
    CLOSED,
    FOLD,
    JOINED,
    NOTED,
    OPENED,
    POLLER,
    REOPEN,
    RESTORE,
    RESTORED,
    Fault,
    FaultEvent,
    FaultPolicy,
    apply,
    known_alerts,
)
from app.core.inventory import Inventory, parents, path_to_root

#: What became of an outage or of an alert.
OUTCOMES = (
    "opened",
    "reopened",
    "joined",
    "known",
    "restored",
    "still_down",
    "nothing_open",
    "not_in_service",
    "unknown_line",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A line as it was last seen at `at`: its state, since when, and the dead line it is behind."""

    line_id: str
    state: str
    since: datetime
    at: datetime
    behind: str | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """A line does not work since `began_at`, says `by` from `source`, for the reason in `document`."""

    line_id: str
    began_at: datetime
    by: str
    source: str
    document: str
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a webhook: `fingerprint` tells its labels, `starts_at` its firing. `ends_at` holds once it is resolved."""

    fingerprint: str
    name: str
    line_id: str
    starts_at: datetime
    ends_at: datetime | None
    summary: str

    @property
    def key(self) -> str:
        return f"{self.fingerprint}@{self.starts_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Ground:
    """What decisions rest on. `above`: line → the lines between it and the root, nearest first; `in_service`: accepted lines."""

    above: Mapping[str, tuple[str, ...]]
    in_service: frozenset[str]
    policy: FaultPolicy
    zone: ZoneInfo


def lines_above(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """Return for every line the primary lines on its way to the root, nearest first."""
    parent = parents(inventory)
    return {line.line_id: tuple(one.line_id for one in path_to_root(line.a_device, parent)) for line in inventory.lines.values()}


@dataclass(slots=True)
class Desk:
    """Decides at one moment over known faults; `events` are what is to be appended."""

    ground: Ground
    now: datetime
    faults: dict[str, Fault]
    events: list[FaultEvent] = field(default_factory=list)
    broken: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.broken = {fault.line_id: fault.fault_id for fault in self.faults.values() if fault.is_broken}

    def broken_fault(self, line_id: str) -> Fault | None:
        """Return the fault by which a line is broken now, None where it has none."""
        fault_id = self.broken.get(line_id)
        return None if fault_id is None else self.faults[fault_id]

    def open(self, outage: Outage) -> tuple[str, str]:
        """Take an outage; return its outcome and the fault that holds it.

        A line has one fault at a time; one behind a broken line belongs to that line's; what breaks soon after it was restored is
        the same fault again.
        """
        if (own := self.broken_fault(outage.line_id)) is not None:
            self._note(own, outage)
            return "known", own.fault_id
        if (holder := self._holder(outage.line_id)) is not None:
            return self._join(holder, outage), holder.fault_id
        last = self.last(outage.line_id)
        if last is not None and last.state == RESTORED and self._is_same(last, outage):
            self._add(last, REOPEN, outage.line_id, outage.began_at, outage)
            return "reopened", last.fault_id
        began_at = outage.began_at
        if last is not None and last.restored_at is not None:
            began_at = max(began_at, last.restored_at)
        return "opened", self._open_new(outage, began_at)

    def restore(self, fault: Fault, at: datetime, by: str, source: str, document: str, alert: str = "") -> None:
        self.append(FaultEvent(fault.fault_id, RESTORE, fault.line_id, at, self.now, by, source, document, alert=alert))

    def append(self, event: FaultEvent) -> None:
        apply(self.faults, event)
        self.events.append(event)
        fault = self.faults[event.fault_id]
        if fault.is_broken:
            self.broken[fault.line_id] = fault.fault_id
        elif self.broken.get(fault.line_id) == fault.fault_id:
            del self.broken[fault.line_id]

    def join_unseen(self, standings: Mapping[str, Standing]) -> None:
        """Name lines in service that cannot be seen behind a broken line as children of its fault."""
        for standing in standings.values() if self.broken else ():
            seen_behind = standing.state == "unreachable" and standing.behind is not None
            if not seen_behind or standing.line_id not in self.ground.in_service or standing.line_id in self.broken:
                continue
            if (holder := self._holder(standing.line_id)) is not None:
                self._join(holder, Outage(standing.line_id, standing.since, "waiwang poll", POLLER, f"behind line {holder.line_id}"))

    def _open_new(self, outage: Outage, began_at: datetime) -> str:
        fault_id = self._next_id()
        self.append(
            FaultEvent(
                fault_id,
                OPENED,
                outage.line_id,
                began_at,
                self.now,
                outage.by,
                outage.source,
                outage.document,
                alert=outage.alert,
            )
        )
        self._fold_below(self.faults[fault_id])
        return fault_id

    def _fold_below(self, parent: Fault) -> None:
        """Fold faults of lines below that began with this one: they were only seen first."""
        for fault in list(self.faults.values()):
            below = parent.line_id in self.ground.above.get(fault.line_id, ())
            if not (fault.is_broken and below and fault.began_at >= parent.began_at - self.ground.policy.open_after):
                continue
            for line_id in (fault.line_id, *fault.children):
                self._join(self.faults[parent.fault_id], Outage(line_id, fault.began_at, "waiwang", fault.source, fault.fault_id))
            document = f"behind line {parent.line_id}"
            self.append(
                FaultEvent(
                    fault.fault_id, FOLD, fault.line_id, self.now, self.now, "waiwang", fault.source, document, value=parent.fault_id
                )
            )

    def _join(self, holder: Fault, outage: Outage) -> str:
        holder = self.faults[holder.fault_id]
        if outage.line_id in holder.children:
            self._note(holder, outage)
            return "known"
        self._add(holder, JOINED, outage.line_id, max(outage.began_at, holder.began_at), outage)
        return "joined"

    def _note(self, fault: Fault, outage: Outage) -> None:
        if outage.alert and outage.alert not in self.faults[fault.fault_id].alerts:
            self._add(fault, NOTED, outage.line_id, outage.began_at, outage)

    def _add(self, fault: Fault, kind: str, line_id: str, at: datetime, outage: Outage) -> None:
        self.append(
            FaultEvent(fault.fault_id, kind, line_id, at, self.now, outage.by, outage.source, outage.document, alert=outage.alert)
        )

    def _holder(self, line_id: str) -> Fault | None:
        """Return the fault of the broken line nearest the root above this one."""
        for above in reversed(self.ground.above.get(line_id, ())):
            if (fault := self.broken_fault(above)) is not None:
                return fault
        return None

    def last(self, line_id: str) -> Fault | None:
        """Return the fault of this line that was restored last, None where it has none."""
        own = [fault for fault in self.faults.values() if fault.line_id == line_id and fault.state in (RESTORED, CLOSED)]
        return max(own, key=lambda fault: (fault.restored_at or fault.began_at, fault.fault_id), default=None)

    def _is_same(self, last: Fault, outage: Outage) -> bool:
        return last.restored_at is not None and outage.began_at - last.restored_at <= self.ground.policy.settle

    def _next_id(self) -> str:
        prefix = f"F-{self.now.astimezone(self.ground.zone):%Y%m%d}-"
        taken = [int(fault_id.removeprefix(prefix)) for fault_id in self.faults if fault_id.startswith(prefix)]
        return f"{prefix}{max(taken, default=0) + 1:03d}"


def watch(desk: Desk, standings: Mapping[str, Standing], changes: Iterable[Transition]) -> None:
    """Decide on what polling saw: `standings` of all lines, `changes` of the last `settle`.

    A line in service that was seen down for `open_after` is broken, and one that went down `flaps` times within `settle`. It is
    restored once it was seen up for `open_after`, as of the moment at which it came up. Lines that nobody could look at open
    nothing: it is no proof of an outage.
    """
    _restore_seen(desk, standings)
    for outage in sorted(_seen_outages(desk, standings, list(changes)), key=lambda each: len(desk.ground.above.get(each.line_id, ()))):
        desk.open(outage)
    desk.join_unseen(standings)


def _restore_seen(desk: Desk, standings: Mapping[str, Standing]) -> None:
    for fault in [fault for fault in desk.faults.values() if fault.is_broken]:
        seen = standings.get(fault.line_id)
        if seen is None or seen.state != "up" or seen.since <= fault.began_at:
            continue
        if seen.at - seen.since >= desk.ground.policy.open_after:
            desk.restore(fault, seen.since, "waiwang poll", POLLER, "seen up")


def _seen_outages(desk: Desk, standings: Mapping[str, Standing], changes: Sequence[Transition]) -> list[Outage]:
    policy, outages = desk.ground.policy, []
    drops: dict[str, list[datetime]] = {}
    for change in changes:
        if change.after == "down":
            drops.setdefault(change.line_id, []).append(change.observed_at)
    for line_id in sorted(desk.ground.in_service & standings.keys()):
        seen, last = standings[line_id], desk.last(line_id)
        after = max(desk.now - policy.settle, last.restored_at if last is not None and last.restored_at else desk.now - policy.settle)
        dropped = [at for at in drops.get(line_id, ()) if at > after]
        if seen.state == "down" and seen.at - seen.since >= policy.open_after:
            outages.append(Outage(line_id, seen.since, "waiwang poll", POLLER, "seen down"))
        elif len(dropped) >= policy.flaps:
            minutes = int(policy.settle.total_seconds() // 60)
            outages.append(
                Outage(line_id, min(dropped), "waiwang poll", POLLER, f"went down {len(dropped)} times in {minutes} min")
            )
    return outages


def take_alert(desk: Desk, alert: Alert, standings: Mapping[str, Standing]) -> tuple[str, str]:
    """Decide on one alert; return its outcome and the fault concerned, empty where there is none.

    The same firing is taken once. A resolved alert restores its line's fault, unless polling still sees the line down: an alert
    also resolves when Prometheus loses sight of us.
    """
    if alert.line_id not in desk.ground.above:
        return "unknown_line", ""
    if alert.ends_at is not None:
        return _resolve(desk, alert, standings.get(alert.line_id))
    if (known := known_alerts(desk.faults).get(alert.key)) is not None:
        return "known", known.fault_id
    if alert.line_id not in desk.ground.in_service:
        return "not_in_service", ""
    return desk.open(Outage(alert.line_id, alert.starts_at, "Alertmanager", ALERTMANAGER, f"{alert.name}: {alert.summary}", alert.key))


def _resolve(desk: Desk, alert: Alert, seen: Standing | None) -> tuple[str, str]:
    fault = desk.broken_fault(alert.line_id)
    if fault is None or alert.ends_at is None:
        return "nothing_open", ""
    if seen is not None and seen.state in ("down", "unreachable"):
        return "still_down", fault.fault_id
    if not any(key.startswith(f"{alert.fingerprint}@") for key in fault.alerts):
        return "known", fault.fault_id  # opened by hand or by the poller, which will see for itself
    at = min(max(alert.ends_at, fault.began_at), desk.now)
    desk.restore(fault, at, "Alertmanager", ALERTMANAGER, f"{alert.name} resolved")
    return "restored", fault.fault_id
