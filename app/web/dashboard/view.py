"""What the page shows, computed from a summary: no elements, no words, so that it can be tested by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.core.acceptance import LINE_STATES
from app.core.line_view import LineView
from app.core.milestone_view import CohortView, MilestoneView
from app.core.progress import Summary
from app.core.standings import primary_lines
from app.web.select import count_dues, count_states

#: Standings that somebody has to see to, worst first.
URGENT = ("late", "not_proven", "at_risk")


@dataclass(frozen=True, slots=True)
class Figures:
    """The key figures. `accepted` of `total` are primary lines, as milestones and reports count them; backups stand beside them.

    `accepted` counts late acceptances too; `not_proven` lines are over their deadline and not known to be late. `states` are those of
    all lines.
    """

    total: int
    accepted: int
    accepted_late: int
    backups: int
    backups_accepted: int
    late: int
    not_proven: int
    at_risk: int
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Region:
    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class RegionStates:
    region: Region
    states: Mapping[str, int]
    total: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A line that is not up for a reason of its own, with the lines that cannot be seen behind it."""

    line: LineView
    hidden: tuple[LineView, ...]


def figures(summary: Summary) -> Figures:
    """Count the whole rollout."""
    dues, primary = count_dues(summary.lines), primary_lines(summary)
    accepted = sum(line.done_at is not None for line in primary)
    return Figures(
        total=len(primary),
        accepted=accepted,
        accepted_late=sum(line.due == "accepted_late" for line in primary),
        backups=len(summary.lines) - len(primary),
        backups_accepted=sum(line.done_at is not None for line in summary.lines) - accepted,
        late=dues["late"],
        not_proven=dues["not_proven"],
        at_risk=dues["at_risk"],
        states=count_states(summary.lines),
    )


def regions_of(views: Iterable[LineView | CohortView]) -> tuple[Region, ...]:
    """Return the regions met, by code: the city's own comes first in GB/T 2260."""
    found = {view.region: Region(view.region, view.region_name, view.region_name_en) for view in views}
    return tuple(found[code] for code in sorted(found))


def milestone_regions(milestones: Iterable[MilestoneView]) -> tuple[Region, ...]:
    """Return the columns of the milestone table."""
    return regions_of(cell for milestone in milestones for cell in milestone.cells)


def by_due_day(milestones: Iterable[MilestoneView]) -> list[MilestoneView]:
    return sorted(milestones, key=lambda milestone: (milestone.due_on, milestone.due_at, milestone.milestone_id))


def criteria_by_verdict(open_criteria: Iterable[str]) -> dict[str, list[str]]:
    """Return verdict → kinds of criteria, from `kind:verdict`, in the order met."""
    groups: dict[str, list[str]] = {}
    for one in open_criteria:
        kind, _, verdict = one.partition(":")
        groups.setdefault(verdict, []).append(kind)
    return groups


def attention(lines: Iterable[LineView]) -> list[LineView]:
    """Return the lines that are late, not proven or at risk, in this order, the longest overdue first."""
    urgent = [line for line in lines if line.due in URGENT]
    return sorted(urgent, key=lambda line: (URGENT.index(line.due), 0 if line.days_left is None else line.days_left, line.line_id))


def states_by_region(lines: Sequence[LineView]) -> list[RegionStates]:
    """Count states per region."""
    groups: dict[str, list[LineView]] = {}
    for line in lines:
        groups.setdefault(line.region, []).append(line)
    return [RegionStates(region, count_states(groups[region.code]), len(groups[region.code])) for region in regions_of(lines)]


def outages(lines: Sequence[LineView]) -> list[Outage]:
    """Return what is broken: causes first with what they hide, then lines that are unreachable for a reason of their own.

    A line behind a line that itself lies behind another is hidden by the outermost.
    """
    by_id = {line.line_id: line for line in lines}
    hidden: dict[str, list[LineView]] = {}
    causes: list[LineView] = []
    for line in lines:
        if line.state not in ("down", "unreachable"):
            continue
        cause = _cause(line, by_id)
        if cause is line:
            causes.append(line)
        else:
            hidden.setdefault(cause.line_id, []).append(line)
    causes.sort(key=lambda line: (LINE_STATES.index(line.state), -len(hidden.get(line.line_id, ())), line.line_id))
    return [Outage(line, tuple(hidden.get(line.line_id, ()))) for line in causes]


def _cause(line: LineView, by_id: Mapping[str, LineView]) -> LineView:
    """Return the outermost line that this one is behind; itself when it is behind nothing, or the way leads in a circle."""
    cause, seen = line, {line.line_id}
    while cause.state == "unreachable" and (parent := by_id.get(cause.behind or "")) is not None:
        if parent.state not in ("down", "unreachable"):
            break
        if parent.line_id in seen:
            return line
        cause = parent
        seen.add(cause.line_id)
    return cause
