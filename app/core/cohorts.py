"""Who counts towards a milestone, and since when each has done it: lines that were accepted, units that reported, one document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil

from app.core.events import EventBook, milestone_event
from app.core.inventory import Region, Unit
from app.core.line_view import LineView
from app.core.milestone import Milestone
from app.core.scope import Scope, covers, covers_unit
from app.core.workspace import Workspace

#: Stands in for the class of line where units are counted.
UNITS, UNITS_WORDS, UNITS_WORDS_EN = "", "单位", "Units"


@dataclass(frozen=True, slots=True)
class Member:
    """One of a cohort: a line or a unit, by region and class of line (`UNITS` for units).

    `unproven`: the milestone is over, and nothing known says that this one was not ready by then.
    """

    unit_id: str
    region: str
    class_id: str
    done_at: datetime | None
    unproven: bool = False

    def is_done(self, before: datetime | None = None) -> bool:
        """Tell whether it is done, and where a moment is given, whether that was before it."""
        return self.done_at is not None and (before is None or self.done_at < before)


def cohort(workspace: Workspace, milestone: Milestone, lines: Iterable[LineView], book: EventBook) -> tuple[Member, ...] | None:
    """Return who counts towards a milestone; None where nothing of it was ever recorded, which is never guessed to be nothing done."""
    if milestone.evidence == "accepted_line":
        return line_members(milestone, lines)
    event = milestone_event(milestone)
    if event is None or event not in book.kinds:
        return None
    if milestone.evidence == "unit_event":
        return unit_members(workspace, milestone.scope, event, book)
    done = [row.observed_at for row in book.in_force if row.event == event]
    root = _root(workspace)
    return (Member("", root.code if root else "", UNITS, min(done, default=None)),)


def line_members(milestone: Milestone, lines: Iterable[LineView]) -> tuple[Member, ...]:
    """Return the primary lines of a milestone's cohort."""
    return tuple(
        Member(line.unit_id, line.region, line.class_id, line.done_at, milestone.milestone_id in line.not_proven_for)
        for line in lines
        if line.role == "primary" and covers(milestone.scope, line.class_id, line.level, line.kind)
    )


def unit_members(workspace: Workspace, scope: Scope, event: str, book: EventBook) -> tuple[Member, ...]:
    """Return the units of a cohort with the moment since when the event holds."""
    units = [unit for unit in workspace.inventory.units.values() if unit_counts(scope, unit)]
    return tuple(Member(unit.unit_id, unit.region, UNITS, book.since(unit.unit_id, event)) for unit in units)


def unit_counts(scope: Scope, unit: Unit) -> bool:
    """Tell whether a unit counts: one that gets no line counts only where its kind is named (BZ-14: the offices' websites)."""
    return covers_unit(scope, unit.level, unit.kind) and (unit.in_scope or unit.kind in scope.kinds)


def wanted_of(total: int, share: float) -> int:
    """Return how many of `total` make a share, rounded up: half of three is two. Shares are read as decimals, 0.55 of 20 is 11."""
    return ceil(Fraction(str(share)) * total)


def reaches(members: Sequence[Member], milestone: Milestone, before: datetime | None = None, *, with_unproven: bool = False) -> bool:
    """Tell whether the share is reached, in every county where the order counts per county; an empty cohort reaches nothing.

    `with_unproven` counts those too of which nothing known says that they were not ready.
    """
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.region if milestone.per == "county" else "", []).append(member)
    return bool(groups) and all(
        sum(member.is_done(before) or (with_unproven and member.unproven) for member in group)
        >= wanted_of(len(group), milestone.target_share)
        for group in groups.values()
    )


def _root(workspace: Workspace) -> Region | None:
    return next((region for region in workspace.inventory.regions.values() if region.level == "city"), None)
