"""Faults as API, page, metrics and reports show them: each with its line and its window, and what every carrier needed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from app.core.faults import FOLDED, RESTORED, WITH_CARRIER, Fault, FaultPolicy
from app.core.inventory import Inventory
from app.core.windows import ChangeWindow, PlannedStretch, Reach, build_stretches
from app.core.workspace import Workspace

#: How far back the page and the metrics look.
LOOKED_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FaultView:
    """One fault with its line. `lasted`: from its beginning until it was restored, or until now.

    `planned`: the document of the change window in which it began, None where there was none; `announced_late` says of that window
    that it was. `within_agreed`: whether the carrier kept the agreed time, counted from when it was told; None where it was never
    told, or has time left.
    """

    fault_id: str
    line_id: str
    unit_name: str
    unit_name_en: str
    region: str
    region_name: str
    region_name_en: str
    line_carrier: str
    carrier_name: str
    state: str
    source: str
    document: str
    began_at: datetime
    recorded_at: datetime
    assigned_to: str
    handed_to: str
    handed_at: datetime | None
    restored_at: datetime | None
    closed_at: datetime | None
    lasted: timedelta
    agreed: timedelta
    within_agreed: bool | None
    planned: str | None
    announced_late: bool
    children: tuple[str, ...]
    reopened: int
    carrier_name_en: str = ""


@dataclass(frozen=True, slots=True)
class CarrierRestoring:
    """What one carrier's lines needed. Planned faults are counted apart and enter no time.

    `median` and `worst` are of restored faults, from beginning to restoration; None while there is none. `within`, `over`: of those
    that the carrier was told of; one that is broken beyond the agreed time is over.
    """

    carrier: str
    carrier_name: str
    faults: int
    broken: int
    planned: int
    restored: int
    median: timedelta | None
    worst: timedelta | None
    agreed: timedelta
    handed: int
    within: int
    over: int
    carrier_name_en: str = ""


@dataclass(frozen=True, slots=True)
class WindowView:
    """One change window: what it is now, and how many lines it concerns."""

    window_id: str
    state: str
    starts_at: datetime
    ends_at: datetime
    recorded_at: datetime
    by: str
    document: str
    lines: int
    announced_late: bool
    silence: str
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class FaultSummary:
    """Faults that were broken or not closed at some time from `since` on, newest first, with what carriers needed."""

    since: datetime | None = None
    faults: tuple[FaultView, ...] = ()
    carriers: tuple[CarrierRestoring, ...] = ()
    windows: tuple[WindowView, ...] = ()

    @property
    def broken(self) -> tuple[FaultView, ...]:
        """Return the faults whose lines do not work yet, the longest first."""
        return tuple(sorted((each for each in self.faults if each.restored_at is None), key=lambda each: (each.began_at, each.fault_id)))


@dataclass(frozen=True, slots=True)
class KnownFaults:
    """What is known at a moment: faults by id, change windows, and which lines these concern."""

    faults: Mapping[str, Fault]
    windows: Sequence[ChangeWindow]
    reach: Reach


def summarise_faults(workspace: Workspace, known: KnownFaults, since: datetime, until: datetime, now: datetime) -> FaultSummary:
    """Return what began before `until` and was not over before `since`, as it stands at `now`."""
    inventory, policy = workspace.inventory, workspace.faults
    planned = build_stretches(inventory, known.windows, known.reach, workspace.service.maintenance, policy.notice)
    counted = [fault for fault in known.faults.values() if _is_counted(fault, inventory, since, until)]
    views = [_view(workspace, fault, planned, now) for fault in counted]
    views.sort(key=lambda each: (each.began_at, each.fault_id), reverse=True)
    by_carrier: dict[str, list[FaultView]] = {line.carrier: [] for line in inventory.lines.values()}
    for each in views:
        by_carrier[each.line_carrier].append(each)
    return FaultSummary(
        since,
        tuple(views),
        tuple(_restoring(workspace, carrier, own) for carrier, own in by_carrier.items()),
        tuple(_window_view(each, len(known.reach[each.declared.concern]), policy, now) for each in known.windows),
    )


def _is_counted(fault: Fault, inventory: Inventory, since: datetime, until: datetime) -> bool:
    if fault.mistaken or fault.state == FOLDED or fault.line_id not in inventory.lines or fault.began_at >= until:
        return False
    return fault.restored_at is None or fault.restored_at >= since


def _view(workspace: Workspace, fault: Fault, planned: Sequence[PlannedStretch], now: datetime) -> FaultView:
    inventory = workspace.inventory
    line = inventory.lines[fault.line_id]
    unit = inventory.units[line.unit_id]
    region = inventory.regions[unit.region]
    window = _find_stretch(planned, fault.line_id, fault.began_at)
    agreed = workspace.faults.agreed(line.carrier)
    carrier_name, carrier_name_en = workspace.order.carrier_names(line.carrier)
    return FaultView(
        fault_id=fault.fault_id,
        line_id=fault.line_id,
        unit_name=unit.name,
        unit_name_en=unit.name_en,
        region=unit.region,
        region_name=region.name,
        region_name_en=region.name_en,
        line_carrier=line.carrier,
        carrier_name=carrier_name,
        state=fault.state,
        source=fault.source,
        document=fault.document,
        began_at=fault.began_at,
        recorded_at=fault.recorded_at,
        assigned_to=fault.assigned_to,
        handed_to=fault.carrier,
        handed_at=fault.handed_at,
        restored_at=fault.restored_at,
        closed_at=fault.closed_at,
        lasted=(fault.restored_at or now) - fault.began_at,
        agreed=agreed,
        within_agreed=_kept(fault, agreed, now),
        planned=window.document if window else None,
        announced_late=window is not None and window.announced_late,
        children=fault.children,
        reopened=fault.reopened,
        carrier_name_en=carrier_name_en,
    )


def _find_stretch(planned: Iterable[PlannedStretch], line_id: str, at: datetime) -> PlannedStretch | None:
    """Return the stretch in which this moment lies, one announced in time before one that was not."""
    found = [each for each in planned if each.covers(line_id, at)]
    return min(found, key=lambda each: (each.announced_late, each.starts_at), default=None)


def _kept(fault: Fault, agreed: timedelta, now: datetime) -> bool | None:
    """Tell whether the agreed time was kept; exactly the agreed time is in time."""
    if fault.handed_at is None:
        return None
    if (fault.restored_at or now) - fault.handed_at > agreed:
        return False
    return True if fault.restored_at is not None else None


def _restoring(workspace: Workspace, carrier: str, views: Sequence[FaultView]) -> CarrierRestoring:
    own = [each for each in views if each.planned is None]
    times = [each.lasted for each in own if each.restored_at is not None]
    carrier_name, carrier_name_en = workspace.order.carrier_names(carrier)
    middle = timedelta(seconds=median(each.total_seconds() for each in times)) if times else None
    return CarrierRestoring(
        carrier=carrier,
        carrier_name=carrier_name,
        faults=len(own),
        broken=len(own) - len(times),
        planned=len(views) - len(own),
        restored=len(times),
        median=middle,
        worst=max(times, default=None),
        agreed=workspace.faults.agreed(carrier),
        handed=sum(each.handed_at is not None for each in own),
        within=sum(each.within_agreed is True for each in own),
        over=sum(each.within_agreed is False for each in own),
        carrier_name_en=carrier_name_en,
    )


def _window_view(window: ChangeWindow, lines: int, policy: FaultPolicy, now: datetime) -> WindowView:
    event = window.declared
    return WindowView(
        window.window_id,
        window.state(now),
        event.starts_at,
        event.ends_at,
        event.recorded_at,
        event.by,
        event.document,
        lines,
        window.is_late(policy.notice),
        event.silence,
        window.cancelled_at,
    )


def clock_holder(view: FaultView) -> str:
    """Return who is to act on a fault: centre, the role that it was assigned to, or the carrier."""
    if view.state == WITH_CARRIER:
        return view.handed_to
    if view.state == RESTORED:
        return "centre"
    return view.assigned_to or "centre"
