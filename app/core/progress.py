"""One summary of the rollout. API, dashboard, metrics and reports are views of it, so they cannot disagree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

#: What a line means against its deadline: accepted (in time or not), late, at risk, still open, or without any deadline.
LINE_DUES = ("accepted", "accepted_late", "late", "at_risk", "open", "no_deadline")
MILESTONE_STATES = ("met", "met_late", "late", "at_risk", "open", "not_measured")


@dataclass(frozen=True, slots=True)
class LineView:
    """One line as everybody sees it. Rates in bit/s seen from the centre (down = towards the unit); None where not known."""

    line_id: str
    unit_id: str
    unit_name: str
    unit_name_en: str
    region: str
    region_name: str
    region_name_en: str
    level: str
    kind: str
    class_id: str
    class_words: str
    class_words_en: str
    role: str
    carrier: str
    carrier_name: str
    circuit_id: str | None
    a_device: str
    a_interface: str
    z_device: str
    z_interface: str
    nominal_down_kbps: int
    nominal_up_kbps: int
    state: str
    reason: str
    behind: str | None
    since: datetime | None
    sampled_at: datetime | None
    down_bps: float | None
    up_bps: float | None
    in_errors: int | None
    verdict: str | None
    decided_at: datetime | None
    open_criteria: tuple[str, ...]
    due: str
    milestone: str | None
    due_on: date | None
    due_at: datetime | None
    days_left: int | None
    reserved_mbps: int | None
    reserved_up: bool | None


@dataclass(frozen=True, slots=True)
class CohortView:
    """Done of total in one county (or the city's own units) and one class."""

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


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything at one moment. `polled_at` is the end of the newest poll cycle, None when nothing was ever measured."""

    order_number: str
    order_title: str
    order_title_en: str
    issuer: str
    as_of: datetime
    polled_at: datetime | None
    simulation_note: str | None
    simulation_note_en: str | None
    illustration: bool
    milestones: tuple[MilestoneView, ...]
    lines: tuple[LineView, ...]
