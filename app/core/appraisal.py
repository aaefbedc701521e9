"""Gather what a workspace and its summary know of every subject of an appraisal table, and score them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.cohorts import Member, cohort
from app.core.contests import Contest, ContestEvent, ruled_points
from app.core.events import REGION, EventBook
from app.core.inventory import Unit
from app.core.progress import Summary
from app.core.scope import covers_unit
from app.core.score_table import ScoreItem, ScoreTable
from app.core.scoring import RowEvidence, Score, Subject, rank, score
from app.core.workspace import Workspace

COUNTY, UNIT = "county", "unit"


@dataclass(frozen=True, slots=True)
class Ground:
    """What every score is drawn from. `members`: the cohort of each milestone, None where nothing of it was recorded."""

    workspace: Workspace
    book: EventBook
    members: Mapping[str, tuple[Member, ...] | None]
    contests: tuple[Contest, ...] = ()


def build_ground(workspace: Workspace, summary: Summary, book: EventBook, contests: Iterable[Contest] = ()) -> Ground:
    """Return the cohorts of every milestone at the moment of the summary, beside the contests that were known then."""
    members = {each.milestone_id: cohort(workspace, each, summary.lines, book) for each in workspace.order.milestones}
    return Ground(workspace, book, members, tuple(contests))


def appraise(table: ScoreTable, ground: Ground) -> tuple[Score, ...]:
    """Return the scores of everybody whom the table ranks, best first, counties and units apart."""
    places = table.prizes.places if table.prizes else ()
    scores = (score(table, subject) for subject in subjects(table, ground))
    return rank((replace(each, contests=_contests_of(ground, table, each.subject)) for each in scores), places)


def _contests_of(ground: Ground, table: ScoreTable, subject: str) -> tuple[Contest, ...]:
    return tuple(each for each in ground.contests if each.is_about[:2] == (table.table_id, subject))


def subjects(table: ScoreTable, ground: Ground) -> Iterator[Subject]:
    """Yield the counties and the units of a table with their evidence."""
    inventory = ground.workspace.inventory
    if table.counties:
        for region in inventory.regions.values():
            if region.level == "county":
                key = f"{REGION}{region.code}"
                own = _Own(ground, key, region.code, None)
                yield Subject(key, region.name, region.name_en, COUNTY, frozenset(), own.evidence(table), own.counts(table))
    if table.units is not None:
        for unit in inventory.units.values():
            if covers_unit(table.units, unit.level, unit.kind):
                own = _Own(ground, unit.unit_id, unit.region, unit.unit_id)
                yield Subject(
                    unit.unit_id, unit.name, unit.name_en, UNIT, left_out(table, unit), own.evidence(table), own.counts(table)
                )


def left_out(table: ScoreTable, unit: Unit) -> frozenset[str]:
    """Return the signs whose rows are not for this unit: by its kind, or because its own row says so."""
    return frozenset(mark.mark for mark in table.marks if unit.kind in mark.kinds or mark.mark in unit.left_out)


@dataclass(frozen=True, slots=True)
class _Own:
    """What one subject did: a county's members are all in it, a unit's are its own (`unit_id`)."""

    ground: Ground
    key: str
    region: str
    unit_id: str | None

    def evidence(self, table: ScoreTable) -> dict[str, RowEvidence]:
        ruled = ruled_points(self.ground.contests)
        return {item.item_id: self.row(item, ruled.get((table.table_id, self.key, item.item_id))) for item in table.items}

    def counts(self, table: ScoreTable) -> dict[str, int]:
        return {each.adjustment_id: len(self.ground.book.of(self.key, each.event)) for each in table.adjustments}

    def row(self, item: ScoreItem, ruled: ContestEvent | None = None) -> RowEvidence:
        """Return what is known of a row; what was decided upon a contest goes before what was recorded."""
        if ruled is not None and ruled.points is not None:
            return RowEvidence(ruled.points / item.points, f"{ruled.points:g} by {ruled.document} on contest {ruled.number}", settled=True)
        if item.milestones:
            return self.from_milestones(item.milestones)
        if item.event is None:
            return RowEvidence(None, "scored outside this product")
        found = self.ground.book.of(self.key, item.event)
        if not found:
            return RowEvidence(None, "nothing recorded")
        newest = max(found, key=lambda row: row.recorded_at)
        points = item.points if newest.amount is None else newest.amount
        return RowEvidence(points / item.points, f"{points:g} by {newest.document}")

    def from_milestones(self, names: Sequence[str]) -> RowEvidence:
        """Count what the subject did of all the cohorts together; a cohort that it is no part of asks nothing of it."""
        known = [self.ground.members[name] for name in names]
        own = [member for members in known for member in self.own(members or ())]
        if not own:
            return RowEvidence(None, "nothing recorded" if any(members is None for members in known) else "no part of the cohort")
        done = sum(member.is_done() for member in own)
        return RowEvidence(done / len(own), f"{done} of {len(own)} done")

    def own(self, members: Iterable[Member]) -> Iterator[Member]:
        for member in members:
            if member.region == self.region and self.unit_id in (None, member.unit_id):
                yield member
