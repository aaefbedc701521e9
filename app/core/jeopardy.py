"""Forecasts of every hard milestone that lines or units are counted for: of the whole and per county, of lines also per carrier and class.

A document is one deed, and one deed has no rate. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.cohorts import Member, unit_members, wanted_of
from app.core.events import EventBook, milestone_event
from app.core.forecast import Forecast, Outlook, build_foreteller
from app.core.line_view import LineView
from app.core.milestone import Milestone
from app.core.scope import covers
from app.core.workspace import Workspace

WHOLE, COUNTY, CARRIER, CLASS = "whole", "county", "carrier", "class"
GROUPINGS = (WHOLE, COUNTY, CARRIER, CLASS)
#: What a forecast counts.
LINES, UNITS = "lines", "units"
#: Days of acceptances, how many more are wanted, the first moment that is too late → what is foretold.
Foretell = Callable[[Iterable[date], int, datetime], Forecast]


#: Key and name in both languages of the group that a member belongs to.
Named = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Jeopardy:
    """One group of a milestone's lines or units, by one of `GROUPINGS`, with its forecast. `key` is empty for the whole.

    `counted`: LINES or UNITS, what done, total and every rate of the forecast count.
    """

    milestone_id: str
    grouping: str
    key: str
    name: str
    name_en: str
    done: int
    total: int
    forecast: Forecast
    counted: str = LINES


@dataclass(frozen=True, slots=True)
class _Counted:
    """A line or unit of a cohort: the civil day on which it was done, None while it is not, and its group by each grouping."""

    done_on: date | None
    groups: Mapping[str, Named]


def view_jeopardy(workspace: Workspace, lines: Sequence[LineView], now: datetime, book: EventBook) -> tuple[Jeopardy, ...]:
    """Return the forecasts of every hard milestone that counts lines, or units of which anything was ever reported; counties, carriers
    and classes each in the order of the inventory and of the order, the same for every milestone.
    """
    order = workspace.order
    shift = order.simulation.moved_days if order.simulation is not None else 0
    begun_on = order.issued_on + timedelta(days=shift)
    foretell = build_foreteller(Outlook(now, order.timezone, workspace.calendar, order.forecast, begun_on)).foretell
    counted = [(line, _counted_line(line, order.timezone)) for line in lines if line.role == "primary"]
    found: list[Jeopardy] = []
    for milestone in order.milestones:
        if milestone.soft:
            continue
        if milestone.evidence == "accepted_line":
            scope = milestone.scope
            members = [each for line, each in counted if covers(scope, line.class_id, line.level, line.kind)]
            found += _foretold_groups(workspace, milestone, members, LINES, foretell)
        elif milestone.evidence == "unit_event":
            found += _foretold_groups(workspace, milestone, _counted_units(workspace, milestone, book), UNITS, foretell)
    return tuple(found)


def _counted_line(line: LineView, zone: ZoneInfo) -> _Counted:
    groups = {
        COUNTY: (line.region, line.region_name, line.region_name_en),
        CARRIER: (line.carrier, line.carrier_name, line.carrier_name_en),
        CLASS: (line.class_id, line.class_words, line.class_words_en),
    }
    return _Counted(_day(line.done_at, zone), groups)


def _counted_units(workspace: Workspace, milestone: Milestone, book: EventBook) -> list[_Counted]:
    """Return the units that count; none where nothing was ever reported of them: that nobody registers is no rate of nought."""
    event = milestone_event(milestone)
    if event is None or event not in book.kinds:
        return []
    return [_counted_unit(workspace, member) for member in unit_members(workspace, milestone.scope, event, book)]


def _counted_unit(workspace: Workspace, member: Member) -> _Counted:
    region = workspace.inventory.regions[member.region]
    return _Counted(_day(member.done_at, workspace.order.timezone), {COUNTY: (region.code, region.name, region.name_en)})


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return moment.astimezone(zone).date() if moment is not None else None


@dataclass(frozen=True, slots=True)
class _Group:
    grouping: str
    key: str
    name: str
    name_en: str
    members: Sequence[_Counted]
    wanted: int

    @property
    def done_on(self) -> list[date]:
        return [each.done_on for each in self.members if each.done_on is not None]


def _foretold_groups(
    workspace: Workspace, milestone: Milestone, members: Sequence[_Counted], counted: str, foretell: Foretell
) -> Iterator[Jeopardy]:
    due_at = milestone.due_at(workspace.order.timezone)
    order, inventory = workspace.order, workspace.inventory
    listed = {WHOLE: (), COUNTY: list(inventory.regions), CARRIER: list(order.carriers), CLASS: list(order.classes)}
    places = {(grouping, key): place for grouping, keys in listed.items() for place, key in enumerate(keys)}
    groups = _groups(milestone, members, by=(CARRIER, CLASS) if counted == LINES else ())
    for group in sorted(groups, key=lambda each: (GROUPINGS.index(each.grouping), places.get((each.grouping, each.key), 0))):
        if group.members:
            done, named = group.done_on, (group.grouping, group.key, group.name, group.name_en)
            cast = foretell(done, group.wanted, due_at)
            yield Jeopardy(milestone.milestone_id, *named, len(done), len(group.members), cast, counted)


def _groups(milestone: Milestone, members: Sequence[_Counted], by: Sequence[str]) -> Iterator[_Group]:
    """Yield the groups of which the milestone asks anything: a share of the whole binds no county, and no group of `by`."""
    share = milestone.target_share
    counties = _split(COUNTY, members, share)
    whole = _missing(members, share) if milestone.per == "whole" else sum(group.wanted for group in counties)
    yield _Group(WHOLE, "", "", "", members, whole)
    if share >= 1 or milestone.per == COUNTY:
        yield from counties
    if share >= 1:
        for grouping in by:
            yield from _split(grouping, members, share)


def _split(grouping: str, members: Sequence[_Counted], share: float) -> list[_Group]:
    groups: dict[Named, list[_Counted]] = {}
    for each in members:
        groups.setdefault(each.groups[grouping], []).append(each)
    return [_Group(grouping, *names, group, _missing(group, share)) for names, group in groups.items()]


def _missing(members: Sequence[_Counted], share: float) -> int:
    """Return how many more make the share."""
    return max(0, wanted_of(len(members), share) - sum(each.done_on is not None for each in members))
