"""One milestone as everybody sees it: where it stands, and its cohort by county and class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from app.core.cohorts import UNITS, UNITS_WORDS, UNITS_WORDS_EN, Member, cohort, reaches
from app.core.deadlines import ChangeView, view_changes
from app.core.events import EventBook
from app.core.line_view import LineView
from app.core.milestone import Milestone
from app.core.order import Order
from app.core.workspace import Workspace

#: `not_proven`: over, not reached, and reached if the lines count of which nothing known says that they were not ready.
MilestoneState = Literal["met", "met_late", "late", "not_proven", "at_risk", "open", "not_measured"]
MILESTONE_STATES: tuple[MilestoneState, ...] = get_args(MilestoneState)


@dataclass(frozen=True, slots=True)
class CohortView:
    """Done of total in one county (or the city's own units) and one class of line; units are counted under the class `UNITS`."""

    region: str
    region_name: str
    region_name_en: str
    class_id: str
    class_words: str
    class_words_en: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """`baseline_on`, `baseline_at`: what was first ordered; `changes`: how it came to the present day, oldest first."""

    milestone_id: str
    title: str
    title_en: str
    due_on: date
    due_at: datetime
    soft: bool
    evidence: str
    target_share: float
    state: str
    done: int
    total: int
    cells: tuple[CohortView, ...]
    clause: str | None
    ruling: str | None
    default: bool
    per: str = "whole"
    baseline_on: date | None = None
    baseline_at: datetime | None = None
    changes: tuple[ChangeView, ...] = ()


def view_milestone(workspace: Workspace, milestone: Milestone, lines: Sequence[LineView], now: datetime, book: EventBook) -> MilestoneView:
    """Return a milestone's cohort by county and class. What nobody has recorded anything of is `not_measured`, never guessed."""
    zone, baseline = workspace.order.timezone, milestone.term_history()[0]
    due_at = milestone.due_at(zone)
    members = cohort(workspace, milestone, lines, book) or ()
    cells = count_cells(workspace, members)
    return MilestoneView(
        milestone_id=milestone.milestone_id,
        title=milestone.title,
        title_en=milestone.title_en,
        due_on=milestone.due_on,
        due_at=due_at,
        soft=milestone.soft,
        evidence=milestone.evidence,
        target_share=milestone.target_share,
        state=milestone_state(workspace.order, milestone, members, now),
        done=sum(cell.done for cell in cells),
        total=sum(cell.total for cell in cells),
        cells=cells,
        clause=milestone.source.clause,
        ruling=milestone.source.ruling,
        default=milestone.source.default,
        per=milestone.per,
        baseline_on=baseline.due_on,
        baseline_at=baseline.due_at(zone),
        changes=view_changes(milestone),
    )


def count_cells(workspace: Workspace, members: Sequence[Member]) -> tuple[CohortView, ...]:
    """Count who is done per region and class, in the order of the members."""
    groups: dict[tuple[str, str], list[Member]] = {}
    for member in members:
        groups.setdefault((member.region, member.class_id), []).append(member)
    return tuple(_cell(workspace, region, class_id, group) for (region, class_id), group in groups.items())


def _cell(workspace: Workspace, code: str, class_id: str, group: Sequence[Member]) -> CohortView:
    region = workspace.inventory.regions.get(code)
    kind = workspace.order.classes.get(class_id) if class_id != UNITS else None
    return CohortView(
        region=code,
        region_name=region.name if region else code,
        region_name_en=region.name_en if region else code,
        class_id=class_id,
        class_words=kind.words if kind else UNITS_WORDS,
        class_words_en=kind.words_en if kind else UNITS_WORDS_EN,
        done=sum(member.is_done() for member in group),
        total=len(group),
    )


def milestone_state(order: Order, milestone: Milestone, members: Sequence[Member], now: datetime) -> str:
    """Return one of MILESTONE_STATES. A soft date is never late, nor is it at risk: it is shown."""
    due_at = milestone.due_at(order.timezone)
    if not members:
        return "not_measured"
    if reaches(members, milestone, before=due_at):
        return "met"
    if reaches(members, milestone):
        return "met_late"
    if milestone.soft:
        return "open"
    if now >= due_at:
        return "not_proven" if reaches(members, milestone, before=due_at, with_unproven=True) else "late"
    return "at_risk" if due_at - now <= timedelta(days=order.at_risk_days) else "open"
