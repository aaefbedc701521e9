"""A government order as values: service classes, criteria, milestones, scoring, rulings.

Everything here was read from `inventory/order.yaml` by `app.edge.files`; nothing here knows a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.terms import DeadlineChange, Terms, term_history

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
    "delay",
    "jitter",
    "step_loss",
    "port_speed",
    "duplex",
    "rx_power",
    "sync_rate_down",
    "sync_rate_up",
    "snr_margin",
    "attenuation",
)
#: Criteria that only one medium can be judged by, and those that one medium has no sense for: an ADSL line's ends are no Ethernet ports.
ONLY_ON: Mapping[str, str] = {
    "rx_power": "fibre",
    "sync_rate_down": "adsl",
    "sync_rate_up": "adsl",
    "snr_margin": "adsl",
    "attenuation": "adsl",
}
NOT_ON: Mapping[str, str] = {"port_speed": "adsl", "duplex": "adsl"}
#: What a unit can be, unless the order declares more of its own under `unit_kinds`.
UNIT_KINDS = ("county_government", "department", "township_government", "town_government", "enterprise", "liaison_office", "centre")
#: Who can hold the clock of a line that is not accepted.
HOLDERS = ("carrier", "unit", "centre")
#: What a gate stands before: the carrier's connection, the centre's acceptance, or the daily use.
GATE_STAGES = ("connection", "acceptance", "use")


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
    nominal rate 0..1; delay, jitter: largest ms, round trip; step_loss: largest loss ratio 0..1 up to the nominal rate;
    port_speed: smallest Mbit/s; rx_power: smallest dBm; sync_rate_down, sync_rate_up: smallest share of the nominal rate 0..1;
    snr_margin: smallest dB; attenuation: largest dB; ports_up, reserved_port, duplex: unused (None). `window` and
    `restart_after` belong to trial: how long, and the outage that starts it anew; `coverage` is the smallest share of the
    window that must have been measured.
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
    """A dated duty. `target_share` 0..1 of the cohort; `per` is `whole` or `county`.

    `event` is what units report where evidence is `unit_event`, or the one report that shows a `document`. `changes` are all
    changes of the terms since the order, oldest first; `earlier_only` says where it stands that the day may only move earlier.
    """

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
    changes: tuple[DeadlineChange, ...] = ()
    earlier_only: Source | None = None

    @property
    def terms(self) -> Terms:
        return Terms(self.due_on, self.inclusive, self.soft, self.target_share)

    def due_at(self, zone: ZoneInfo) -> datetime:
        """Return the first moment that is too late: civil midnight after the due day, or before it when not inclusive."""
        return self.terms.due_at(zone)

    def term_history(self) -> tuple[Terms, ...]:
        """Return its terms from the baseline to the present."""
        return term_history(self.terms, self.changes)


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
    formula_source: Source = Source(default=True)
    counties: bool = False
    units: Scope | None = None
    subjects_source: Source = Source(default=True)
    adjustments: tuple[Adjustment, ...] = ()
    marks: tuple[Mark, ...] = ()
    prizes: Prizes | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be ready first at every unit of a cohort (or for every application service), and who has to see to it.

    `held_by` is one of HOLDERS, `before` one of GATE_STAGES. A `required` gate keeps its line from being accepted until its
    `event` is recorded; another one only says whose clock runs, once anybody has begun to record it. `device_role`: the
    kind of device that devices.csv must show at each unit.
    """

    gate_id: str
    requirement: str
    title: str
    title_en: str
    scope: Scope
    subject: str
    held_by: str
    before: str
    required: bool
    event: str
    source: Source
    device_role: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedAccess:
    """Access methods that the order refuses for every line."""

    methods: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A circular or an inspection that comes back: every so many months, None where it is irregular.

    `names_units`: units that are late or off standard are named in it.
    """

    rhythm_id: str
    requirement: str
    kind: str
    title: str
    title_en: str
    every_months: int | None
    names_units: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Organisation:
    """A body that the order gives a part of the work: its own list is the lines and milestones of its part."""

    organisation_id: str
    title: str
    title_en: str
    task: str
    task_en: str
    source: Source
    scope: Scope = Scope()
    regions: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AvailabilityDuty:
    """How much of the time accepted lines must be up: `share` 0..1 of the measured part of `window`.

    Less than `coverage` of the window measured proves nothing.
    """

    share: float
    window: timedelta
    coverage: float
    scope: Scope
    source: Source


@dataclass(frozen=True, slots=True)
class Requirement:
    """Where a requirement stands in the order (`clause`), and which parts of this workspace keep it, as `section.id` or a table."""

    clause: str
    kept: tuple[str, ...]
    where: str = field(default="", compare=False)


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
class ForecastRule:
    """How a completion is foretold: from the lines accepted in the last `working_days`, with an interval of probability `level`.

    Fewer accepted lines than `least_accepted` in that window say too little.
    """

    working_days: int = 20
    level: float = 0.9
    least_accepted: int = 5
    source: Source = Source(default=True)


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
    measurement_valid_source: Source = Source(default=True)
    simulation: Simulation | None = None
    requirements: Mapping[str, Requirement] = field(default_factory=dict)
    unit_kinds: Mapping[str, str] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    refused_access: RefusedAccess | None = None
    rhythms: tuple[Rhythm, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    availability: AvailabilityDuty | None = None
    forecast: ForecastRule = ForecastRule()

    def line_milestone(self, class_id: str, level: str, kind: str) -> Milestone | None:
        """Return the earliest hard milestone that wants every line of this kind accepted, if the order has one.

        A milestone that asks for a share of its cohort binds no single line.
        """
        due = [
            milestone
            for milestone in self.milestones
            if milestone.evidence == "accepted_line"
            and not milestone.soft
            and milestone.target_share >= 1
            and covers(milestone.scope, class_id, level, kind)
        ]
        return min(due, key=lambda milestone: milestone.due_on, default=None)


def covers(scope: Scope, class_id: str, level: str, kind: str) -> bool:
    """Tell whether a line of this class, to a unit of this level and kind, belongs to the cohort."""
    return (
        (not scope.levels or level in scope.levels)
        and (not scope.kinds or kind in scope.kinds)
        and (not scope.classes or class_id in scope.classes)
    )


def covers_unit(scope: Scope, level: str, kind: str) -> bool:
    """Tell whether a unit of this level and kind belongs to the cohort, whatever line it has."""
    return (not scope.levels or level in scope.levels) and (not scope.kinds or kind in scope.kinds)
