"""The appraisal tables of the order: rows, bonuses and deductions, marks, prizes."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.scope import Scope
from app.core.source import OURS, Source


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """One row of an appraisal table: points for something done.

    Its share comes from `milestones` (what the subject did of their cohorts) or from `event` (points given, entered by hand);
    a row with neither is scored outside this product and stays unmeasured. `marks` are the signs (※, ▲) printed beside it.
    """

    item_id: str
    title: str
    title_en: str
    points: float
    milestones: tuple[str, ...]
    source: Source
    group: str = ""
    event: str | None = None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Points beside the rows: `each` time the event is recorded, up to `cap`. A deduction takes them away.

    `within` names the row whose own points a bonus may only fill up; without it the points stand beside the rows.
    """

    adjustment_id: str
    title: str
    title_en: str
    event: str
    each: float
    cap: float
    source: Source
    deduction: bool = False
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign in a table: rows that carry it are left out for units of these kinds, and for units that list it themselves."""

    mark: str
    text: str
    text_en: str
    source: Source
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prizes:
    """How many subjects take the first, second, third … prize."""

    places: tuple[int, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """An appraisal table. It ranks counties as wholes (`counties`), single units of a cohort (`units`), each kind apart."""

    table_id: str
    title: str
    title_en: str
    total: float
    formula: str
    items: tuple[ScoreItem, ...]
    source: Source
    formula_source: Source = OURS
    counties: bool = False
    units: Scope | None = None
    subjects_source: Source = OURS
    adjustments: tuple[Adjustment, ...] = ()
    marks: tuple[Mark, ...] = ()
    prizes: Prizes | None = None
