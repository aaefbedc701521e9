"""What `/api/v1` answers with. Moments are ISO 8601 with offset, rates bit/s seen from the centre, null means: not known."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1


class View(BaseModel):
    """Read from a core value of the same field names."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class LineRow(View):
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
    carrier_name_en: str
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
    clock_holder: str | None
    open_gates: tuple[str, ...]
    open_gates_en: tuple[str, ...]
    baseline_on: date | None
    days_early: int | None
    working_days_early: int | None
    clock_since: datetime | None
    carrier_held_hours: int | None
    unit_held_hours: int | None
    centre_held_hours: int | None
    delivered_at: datetime | None
    not_proven_for: tuple[str, ...]
    opened: bool | None


class Cohort(View):
    region: str
    region_name: str
    region_name_en: str
    class_id: str
    class_words: str
    class_words_en: str
    done: int
    total: int


class ChangeRow(View):
    """A change of a milestone's terms; `later` gives more time, `other_terms` are those beside the day."""

    change_id: str
    changed_on: date
    due_was: date
    due_becomes: date
    later: bool
    other_terms: tuple[str, ...]
    decided_by: str
    document: str
    reason: str
    reason_en: str
    ruling: str | None


class MilestoneRow(View):
    """`done` of `total`: primary lines that were accepted, never backups; or units that reported, where `evidence` is no line."""

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
    cells: tuple[Cohort, ...]
    clause: str | None
    ruling: str | None
    default: bool
    per: str
    baseline_on: date | None
    baseline_at: datetime | None
    changes: tuple[ChangeRow, ...]


class ForecastRow(View):
    """What the demonstrated rate says. `needed_per_day`, `per_day`: lines or units a working day; `chance`: that the deadline holds."""

    outlook: str
    wanted: int
    days_left: int
    needed_per_day: float | None
    seen: int
    seen_days: int
    per_day: float | None
    chance: float | None
    earliest_on: date | None
    expected_on: date | None
    latest_on: date | None


class JeopardyRow(View):
    """One group of a milestone's lines or units: the whole, a county, a carrier or a class. `counted`: `lines` or `units`."""

    milestone_id: str
    grouping: str
    key: str
    name: str
    name_en: str
    done: int
    total: int
    forecast: ForecastRow
    counted: str


class GateRow(View):
    """Something that must be ready first; `open_subjects` are the unit ids (or service:ID) that have not recorded it."""

    gate_id: str
    requirement: str
    title: str
    title_en: str
    held_by: str
    before: str
    required: bool
    state: str
    done: int
    total: int
    open_subjects: tuple[str, ...]


class TransitionRow(View):
    line_id: str
    observed_at: datetime
    recorded_at: datetime
    before: str
    after: str
    reason: str


class CriterionRow(View):
    """The verdict on one criterion; `evidence` is the raw material it was judged by."""

    kind: str
    required: bool
    verdict: str
    expected: str
    found: str
    evidence: dict[str, object]


class Decision(View):
    line_id: str
    decided_at: datetime
    verdict: str
    results: tuple[CriterionRow, ...]
    milestone: str | None
    due_at: datetime | None
    on_time: bool | None


class Versioned(BaseModel):
    """`as_of` is the moment of the summary that the answer is a view of."""

    schema_version: int = SCHEMA_VERSION
    as_of: datetime


class Counts(BaseModel):
    """Lines by what they mean against their deadline and by their observed state; every key is always there.

    `lines` of a summary are all lines; `primary_lines` are those that milestones, forecasts and reports count, without backups.
    """

    total: int
    due: dict[str, int]
    state: dict[str, int]


class SummaryAnswer(Versioned):
    order_number: str
    order_title: str
    order_title_en: str
    issuer: str
    timezone: str
    polled_at: datetime | None
    poll_is_stale: bool
    simulation_note: str | None
    simulation_note_en: str | None
    illustration: bool
    deadline_faults: tuple[str, ...]
    lines: Counts
    primary_lines: Counts
    milestones: tuple[MilestoneRow, ...]


class MilestonesAnswer(Versioned):
    milestones: tuple[MilestoneRow, ...]


class DeadlinesAnswer(Versioned):
    """`faults`: deadlines that moved without an entry in the order's log. `method`: how forecasts are made.

    `assumed_years`: counted by weekends alone, since the calendar lacks their notice.
    """

    faults: tuple[str, ...]
    milestones: tuple[MilestoneRow, ...]
    jeopardy: tuple[JeopardyRow, ...]
    method: str
    level: float
    assumed_years: tuple[int, ...]


class GatesAnswer(Versioned):
    gates: tuple[GateRow, ...]


class LinesAnswer(Versioned):
    """Rows `start` (included) to `end` (excluded) of the `total` that match the filters."""

    total: int
    start: int
    end: int
    rows: tuple[LineRow, ...]


class LineAnswer(Versioned):
    line: LineRow
    acceptance: Decision | None
    transitions: tuple[TransitionRow, ...]


class TransitionsAnswer(Versioned):
    transitions: tuple[TransitionRow, ...]


class Health(BaseModel):
    """The process answers. Whether it measures is in the summary (`poll_is_stale`)."""

    status: str = "ok"
