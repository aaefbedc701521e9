"""A government order as values: service classes, criteria, milestones, scoring, rulings.

Everything here was read from `inventory/order.yaml` by `app.edge.files`; nothing here knows a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MEDIA = ("fibre", "adsl")
LEVELS = ("city", "county", "township")
CRITERIA = (
    "reachable_from_centre",
    "reaches_services",
    "ports_up",
    "input_errors",
    "trial",
    "rate_down",
    "rate_up",
    "reserved_port",
)
EVIDENCE_KINDS = ("accepted_line", "unit_event", "document")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: a clause of the order, a ruling, or a default of ours (exactly one holds).

    `where` is the `file:line` of the block that carries the value.
    """

    clause: str | None = None
    ruling: str | None = None
    default: bool = False
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One test that a line of a class must stand.

    `limit` by kind: reachable_from_centre, reaches_services: largest loss ratio 0..1; input_errors: largest
    count in the trial window; trial: smallest share of time up 0..1; rate_down, rate_up: smallest share of the
    nominal rate 0..1; ports_up, reserved_port: unused (None). `window` and `restart_after` belong to trial: how long, and the
    outage that starts it anew; `coverage` is the smallest share of the window that must have been measured.
    """

    kind: str
    required: bool
    limit: float | None = None
    window: timedelta | None = None
    restart_after: timedelta | None = None
    coverage: float = 0.95
    source: Source = Source(default=True)


@dataclass(frozen=True, slots=True)
class ServiceClass:
    """A kind of line that the order names, with what devices are given and how it is accepted.

    `source` is where the kind itself comes from; `sources` says it for its parts: nominal, configured, permitted,
    access_methods, reserved_port.
    """

    class_id: str
    words: str
    words_en: str
    medium: str
    nominal_down_kbps: int
    nominal_up_kbps: int
    configured_down_kbps: int
    configured_up_kbps: int
    for_levels: tuple[str, ...]
    for_kinds: tuple[str, ...] = ()
    urban_needs_ruling: bool = False
    access_methods: tuple[str, ...] = ()
    reserved_port_mbps: int | None = None
    criteria: tuple[Criterion, ...] = ()
    source: Source = Source(default=True)
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """The cohort that a milestone counts. Empty means: any."""

    levels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Milestone:
    """A dated duty. `target_share` 0..1 of the cohort; `per` is `whole` or `county`."""

    milestone_id: str
    title: str
    title_en: str
    due_on: date
    inclusive: bool
    soft: bool
    scope: Scope
    target_share: float
    per: str
    evidence: str
    event: str | None
    source: Source

    def due_at(self, zone: ZoneInfo) -> datetime:
        """Return the first moment that is too late: civil midnight after the due day, or before it when not inclusive."""
        last = self.due_on + timedelta(days=1) if self.inclusive else self.due_on
        return datetime.combine(last, time.min, tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an order left open, how it was decided, when and why. `default` marks ours, not the owner's."""

    ruling_id: str
    requirement: str
    question: str
    decision: str
    reason: str
    decided_on: date
    default: bool
    question_en: str = ""
    decision_en: str = ""
    reason_en: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """One row of an appraisal table: points for something done."""

    item_id: str
    title: str
    title_en: str
    points: float
    milestone: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class ScoreTable:
    table_id: str
    title: str
    title_en: str
    total: float
    formula: str
    items: tuple[ScoreItem, ...]
    source: Source
    formula_source: Source = Source(default=True)


@dataclass(frozen=True, slots=True)
class Duty:
    """A standing requirement without a date of its own (isolation, centre's server, readiness per unit)."""

    duty_id: str
    requirement: str
    text: str
    text_en: str
    source: Source


@dataclass(frozen=True, slots=True)
class Simulation:
    """Why this order is not the real one: its dates were moved, its network is a lab. Shown on every page and report."""

    note: str
    note_en: str
    moved_days: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    number: str
    title: str
    title_en: str
    issuer: str
    issued_on: date
    timezone: ZoneInfo
    classes: Mapping[str, ServiceClass]
    milestones: tuple[Milestone, ...]
    scoring: tuple[ScoreTable, ...]
    rulings: Mapping[str, Ruling]
    duties: tuple[Duty, ...]
    carriers: Mapping[str, str]
    at_risk_days: int = 7
    at_risk_source: Source = Source(default=True)
    measurement_valid_days: int = 30
    simulation: Simulation | None = None
    requirements: Mapping[str, str] = field(default_factory=dict)

    def line_milestone(self, class_id: str, level: str, kind: str) -> Milestone | None:
        """Return the earliest hard milestone that wants lines of this kind accepted, if the order has one."""
        due = [
            milestone
            for milestone in self.milestones
            if milestone.evidence == "accepted_line" and not milestone.soft and covers(milestone.scope, class_id, level, kind)
        ]
        return min(due, key=lambda milestone: milestone.due_on, default=None)


def covers(scope: Scope, class_id: str, level: str, kind: str) -> bool:
    """Tell whether a line of this class, to a unit of this level and kind, belongs to the cohort."""
    return (
        (not scope.levels or level in scope.levels)
        and (not scope.kinds or kind in scope.kinds)
        and (not scope.classes or class_id in scope.classes)
    )
