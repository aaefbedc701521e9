"""Change windows: planned maintenance, announced beforehand, append-only. Pure.

A window excuses nothing that was over when it was announced: it counts from its start or its announcement, whichever is later, and
until its end or its cancellation, whichever is earlier.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.availability import Maintenance
from app.core.inventory import Inventory, parents
from app.core.references import nearest
from app.core.roles import find_role_faults
from app.errors import Finding

DECLARED, CANCELLED = "declared", "cancelled"
#: What a window is at a moment.
WINDOW_STATES = ("announced", "running", "over", "cancelled")


@dataclass(frozen=True, slots=True)
class Concern:
    """Which lines a window concerns: any that a part names.

    `lines`: globs of line ids. `devices`: lines that end at the device, and all behind it. `regions`: lines of the region's units,
    and of the regions in it.
    """

    lines: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowEvent:
    """A window was declared or cancelled. `by` is a role; `silence` is the id that Alertmanager gave, empty where it was not told."""

    window_id: str
    kind: str
    recorded_at: datetime
    by: str
    document: str
    starts_at: datetime
    ends_at: datetime
    concern: Concern
    silence: str = ""


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """A window as known: what was declared, and when it was cancelled (None: it stands)."""

    declared: WindowEvent
    cancelled_at: datetime | None = None

    @property
    def window_id(self) -> str:
        return self.declared.window_id

    def state(self, now: datetime) -> str:
        """Return one of `WINDOW_STATES`."""
        if self.cancelled_at is not None:
            return "cancelled"
        if now < self.declared.starts_at:
            return "announced"
        return "running" if now < self.declared.ends_at else "over"

    def is_late(self, notice: timedelta) -> bool:
        """Tell whether it was announced later than agreed."""
        return self.declared.starts_at - self.declared.recorded_at < notice

    @property
    def counted(self) -> tuple[datetime, datetime] | None:
        """Return the stretch that counts as planned, None where nothing is left of it."""
        starts_at = max(self.declared.starts_at, self.declared.recorded_at)
        ends_at = min(self.declared.ends_at, self.cancelled_at or self.declared.ends_at)
        return (starts_at, ends_at) if starts_at < ends_at else None


def project_windows(events: Iterable[WindowEvent], *, as_of: datetime | None = None) -> tuple[ChangeWindow, ...]:
    """Return the windows that the events declare, in the order of their start; `as_of` leaves out what was recorded later."""
    found: dict[str, ChangeWindow] = {}
    for event in events:
        if as_of is not None and event.recorded_at > as_of:
            continue
        if event.kind == DECLARED:
            found[event.window_id] = ChangeWindow(event)
        elif event.window_id in found and found[event.window_id].cancelled_at is None:  # a second word gives no time back
            found[event.window_id] = ChangeWindow(found[event.window_id].declared, event.recorded_at)
    return tuple(sorted(found.values(), key=lambda each: (each.declared.starts_at, each.window_id)))


def concerned_lines(inventory: Inventory, concern: Concern) -> tuple[str, ...]:
    """Return the ids of the lines that a window concerns, in the inventory's order. O(lines)."""
    named = re.compile("|".join(map(fnmatch.translate, concern.lines))) if concern.lines else None
    below = _with_below({device: line.a_device for device, line in parents(inventory).items()}, concern.devices)
    regions = _with_below({code: region.parent for code, region in inventory.regions.items()}, concern.regions)
    return tuple(
        line.line_id
        for line in inventory.lines.values()
        if (named is not None and named.match(line.line_id))
        or line.a_device in below
        or line.z_device in concern.devices
        or inventory.units[line.unit_id].region in regions
    )


def _with_below(parent: Mapping[str, str | None], tops: Iterable[str]) -> frozenset[str]:
    """Return the tops and all that lies below them, by the parent of each."""
    below: dict[str, list[str]] = {}
    for child, above in parent.items():
        if above is not None:
            below.setdefault(above, []).append(child)
    found, waiting = set(tops), list(tops)
    while waiting:
        fresh = [child for child in below.get(waiting.pop(), ()) if child not in found]
        found.update(fresh)
        waiting += fresh
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class PlannedStretch:
    """Time that was planned for these lines; `announced_late`: later than agreed."""

    starts_at: datetime
    ends_at: datetime
    lines: frozenset[str]
    document: str
    announced_late: bool

    def covers(self, line_id: str, at: datetime) -> bool:
        """Tell whether this moment of the line was planned."""
        return self.starts_at <= at < self.ends_at and line_id in self.lines


#: Which lines a window's parts concern (`concerned_lines`); worked out once, as it costs a look at every line.
Reach = Mapping[Concern, frozenset[str]]


def build_reach(inventory: Inventory, windows: Iterable[ChangeWindow]) -> dict[Concern, frozenset[str]]:
    """Return the lines of every window."""
    concerns = dict.fromkeys(each.declared.concern for each in windows)
    return {concern: frozenset(concerned_lines(inventory, concern)) for concern in concerns}


def build_stretches(
    inventory: Inventory, windows: Iterable[ChangeWindow], reach: Reach, maintenance: Iterable[Maintenance], notice: timedelta
) -> tuple[PlannedStretch, ...]:
    """Return all that was planned: by windows, and by the calendar, whose entries are reviewed with the inventory and never late."""
    stretches = []
    for each in maintenance:
        lines = frozenset(line_id for line_id in inventory.lines if each.concerns(line_id))
        stretches.append(PlannedStretch(each.starts_at, each.ends_at, lines, each.document, announced_late=False))
    for window in windows:
        if (counted := window.counted) is not None:
            event = window.declared
            stretches.append(PlannedStretch(*counted, reach[event.concern], event.document, window.is_late(notice)))
    return tuple(stretches)


def maintenance_of(line_id: str, stretches: Iterable[PlannedStretch]) -> tuple[Maintenance, ...]:
    """Return what was planned for one line."""
    return tuple(Maintenance(each.starts_at, each.ends_at, (line_id,), each.document) for each in stretches if line_id in each.lines)


def next_window_id(windows: Iterable[ChangeWindow], now: datetime, zone: ZoneInfo) -> str:
    """Return an id that is free: W-20080703-01 for the first window that is declared on that civil day."""
    prefix = f"W-{now.astimezone(zone):%Y%m%d}-"
    taken = [int(each.window_id.removeprefix(prefix)) for each in windows if each.window_id.startswith(prefix)]
    return f"{prefix}{max(taken, default=0) + 1:02d}"


def find_window_faults(inventory: Inventory, event: WindowEvent, now: datetime) -> list[Finding]:
    """Return everything that keeps a window from being declared."""
    where = "change window"
    found = find_role_faults(where, event.by)
    if not event.document.strip():
        found.append(Finding(where, "no document announces it", "a document's name", "nothing", "Name the notice with --document."))
    if event.ends_at <= event.starts_at:
        step = "Correct --from or --to."
        expected = f"an end after {event.starts_at.isoformat()}"
        found.append(Finding(where, "it ends before it begins", expected, event.ends_at.isoformat(), step))
    elif event.ends_at <= now:
        step = "What is over cannot be announced: its outages count."
        found.append(Finding(where, "it is over already", f"an end after {now.isoformat()}", event.ends_at.isoformat(), step))
    unknown = _find_concern_faults(where, inventory, event.concern)
    if not unknown and not concerned_lines(inventory, event.concern):
        step = "Name lines, or what lines end at."
        unknown = [Finding(where, "it concerns no line", "a line at least", "none", step)]
    return [*found, *unknown]


def _find_concern_faults(where: str, inventory: Inventory, concern: Concern) -> list[Finding]:
    if concern == Concern():
        step = "Give --line, --device or --region."
        return [Finding(where, "it concerns nothing", "lines, devices or regions", "none", step)]
    found: list[Finding] = []
    parts: Sequence[tuple[str, tuple[str, ...], Iterable[str], str]] = (
        ("line", concern.lines, inventory.lines, "an id or glob of inventory/lines.csv"),
        ("device", concern.devices, inventory.devices, "a name of inventory/devices.csv"),
        ("region", concern.regions, inventory.regions, "a code of inventory/regions.csv"),
    )
    for what, wanted, known, expected in parts:
        matches: Callable[[str, str], bool] = fnmatch.fnmatchcase if what == "line" else str.__eq__
        for name in wanted:
            if not any(matches(each, name) for each in known):
                step = nearest(name, known, f"Look into {expected.partition(' of ')[2]}.")
                found.append(Finding(where, f"no such {what}", expected, f"`{name}`", step))
    return found


def find_cancel_faults(windows: Iterable[ChangeWindow], window_id: str, by: str, now: datetime) -> list[Finding]:
    """Return everything that keeps a window from being cancelled."""
    where = f"change window {window_id}"
    found = find_role_faults(where, by)
    window = next((each for each in windows if each.window_id == window_id), None)
    if window is None:
        step = "Run waiwang window list."
        return [*found, Finding(where, "it is not known", "the id of a window that was declared", f"`{window_id}`", step)]
    if (state := window.state(now)) in ("over", "cancelled"):
        step = "Nothing is to be cancelled."
        found.append(Finding(where, "it no longer stands", "a window that is announced or running", state, step))
    return found
