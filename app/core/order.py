"""A government order as values.

Everything here was read from `inventory/order.yaml` by `app.edge.files`; nothing here knows a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from app.core.duties import AvailabilityDuty, Duty, Gate, Organisation, Rhythm
from app.core.milestone import Milestone
from app.core.scope import covers
from app.core.score_table import ScoreTable
from app.core.service_class import RefusedAccess, ServiceClass
from app.core.source import OURS, Source

#: What a unit can be, unless the order declares more of its own under `unit_kinds`.
UNIT_KINDS = ("county_government", "department", "township_government", "town_government", "enterprise", "liaison_office", "centre")


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
class Requirement:
    """Where a requirement stands in the order (`clause`), and which parts of this workspace keep it, as `section.id` or a table."""

    clause: str
    kept: tuple[str, ...]
    where: str = field(default="", compare=False)


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
    source: Source = OURS


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
    at_risk_source: Source = OURS
    measurement_valid_days: int = 30
    measurement_valid_source: Source = OURS
    simulation: Simulation | None = None
    requirements: Mapping[str, Requirement] = field(default_factory=dict)
    unit_kinds: Mapping[str, str] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    refused_access: RefusedAccess | None = None
    rhythms: tuple[Rhythm, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    availability: AvailabilityDuty | None = None
    forecast: ForecastRule = ForecastRule()
    number_en: str = ""
    issuer_en: str = ""
    carriers_en: Mapping[str, str] = field(default_factory=dict)

    def carrier_names(self, carrier: str) -> tuple[str, str]:
        """Return a carrier's name in Chinese and in English: its id where it has none, the Chinese one where no English is given."""
        name = self.carriers.get(carrier, carrier)
        return name, self.carriers_en.get(carrier, name)

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
