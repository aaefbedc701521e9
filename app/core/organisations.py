"""The part of the work that each organisation was given: its own list of lines and milestones (DZ-3)."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.duties import Organisation
from app.core.line_view import LineView
from app.core.milestone_view import MilestoneView
from app.core.progress import Summary
from app.core.scope import covers


@dataclass(frozen=True, slots=True)
class OwnList:
    """What one organisation answers for."""

    organisation: Organisation
    lines: tuple[LineView, ...]
    milestones: tuple[MilestoneView, ...]


def own_list(organisation: Organisation, summary: Summary) -> OwnList:
    """Return the lines of its cohort and regions, and the milestones that name it, in their own order."""
    wanted, regions = organisation.scope, organisation.regions
    lines = tuple(
        line
        for line in summary.lines
        if (not regions or line.region in regions) and covers(wanted, line.class_id, line.level, line.kind)
    )
    milestones = tuple(each for each in summary.milestones if each.milestone_id in organisation.milestones)
    return OwnList(organisation, lines, milestones)
