"""Forecasts of every milestone that lines are counted for: of the whole, per county, per carrier and per class. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.core.cohorts import wanted_of
from app.core.forecast import Forecast, Outlook, build_foreteller
from app.core.line_view import LineView
from app.core.milestone import Milestone
from app.core.scope import covers
from app.core.workspace import Workspace

WHOLE, COUNTY, CARRIER, CLASS = "whole", "county", "carrier", "class"
GROUPINGS = (WHOLE, COUNTY, CARRIER, CLASS)
#: Days of acceptances, how many more are wanted, the first moment that is too late → what is foretold.
Foretell = Callable[[Iterable[date], int, datetime], Forecast]


@dataclass(frozen=True, slots=True)
class Jeopardy:
    """One group of a milestone's lines, by one of `GROUPINGS`, with its forecast. `key` is empty for the whole."""

    milestone_id: str
    grouping: str
    key: str
    name: str
    name_en: str
    done: int
    total: int
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class _Counted:
    line: LineView
    done_on: date | None


def view_jeopardy(workspace: Workspace, lines: Sequence[LineView], now: datetime) -> tuple[Jeopardy, ...]:
    """Return the forecasts of every hard milestone that wants accepted lines, groups in the order in which they are met."""
    order = workspace.order
    shift = order.simulation.moved_days if order.simulation is not None else 0
    begun_on = order.issued_on + timedelta(days=shift)
    foretell = build_foreteller(Outlook(now, order.timezone, workspace.calendar, order.forecast, begun_on)).foretell
    counted = [
        _Counted(line, line.done_at.astimezone(order.timezone).date() if line.done_at else None) for line in lines if line.role == "primary"
    ]
    found: list[Jeopardy] = []
    for milestone in order.milestones:
        if milestone.evidence == "accepted_line" and not milestone.soft:
            scope = milestone.scope
            members = [each for each in counted if covers(scope, each.line.class_id, each.line.level, each.line.kind)]
            due_at = milestone.due_at(order.timezone)
            found += [_foretold(milestone, group, foretell, due_at) for group in _groups(milestone, members) if group.members]
    return tuple(found)


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


def _foretold(milestone: Milestone, group: _Group, foretell: Foretell, due_at: datetime) -> Jeopardy:
    done, named = group.done_on, (group.grouping, group.key, group.name, group.name_en)
    return Jeopardy(milestone.milestone_id, *named, len(done), len(group.members), foretell(done, group.wanted, due_at))


def _groups(milestone: Milestone, members: Sequence[_Counted]) -> Iterator[_Group]:
    """Yield the groups of which the milestone asks anything: a share of the whole binds no county, carrier or class."""
    share = milestone.target_share
    counties = _split(COUNTY, members, lambda line: (line.region, line.region_name, line.region_name_en), share)
    whole = _missing(members, share) if milestone.per == "whole" else sum(group.wanted for group in counties)
    yield _Group(WHOLE, "", "", "", members, whole)
    if share >= 1 or milestone.per == COUNTY:
        yield from counties
    if share >= 1:
        yield from _split(CARRIER, members, lambda line: (line.carrier, line.carrier_name, line.carrier_name), share)
        yield from _split(CLASS, members, lambda line: (line.class_id, line.class_words, line.class_words_en), share)


def _split(
    grouping: str, members: Sequence[_Counted], named: Callable[[LineView], tuple[str, str, str]], share: float
) -> list[_Group]:
    groups: dict[tuple[str, str, str], list[_Counted]] = {}
    for each in members:
        groups.setdefault(named(each.line), []).append(each)
    return [_Group(grouping, *names, group, _missing(group, share)) for names, group in groups.items()]


def _missing(members: Sequence[_Counted], share: float) -> int:
    """Return how many more make the share."""
    return max(0, wanted_of(len(members), share) - sum(each.done_on is not None for each in members))
