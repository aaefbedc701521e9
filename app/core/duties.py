"""What the order asks for without a day of its own: gates, circulars, lead organisations, availability, standing duties."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from app.core.scope import ANYTHING, Scope
from app.core.source import Source

#: Who can hold the clock of a line that is not accepted.
Holder = Literal["carrier", "unit", "centre"]
HOLDERS: tuple[Holder, ...] = get_args(Holder)
#: What a gate stands before: the carrier's connection, the centre's acceptance, or the daily use.
GateStage = Literal["connection", "acceptance", "use"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be ready first at every unit of a cohort (or for every application service), and who has to see to it.

    A `required` gate keeps its line from being accepted until its
    `event` is recorded; another one only says whose clock runs, once anybody has begun to record it. `device_role`: the
    kind of device that devices.csv must show at each unit.
    """

    gate_id: str
    requirement: str
    title: str
    title_en: str
    scope: Scope
    subject: str
    held_by: Holder
    before: GateStage
    required: bool
    event: str
    source: Source
    device_role: str | None = None


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
    scope: Scope = ANYTHING
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
class Duty:
    """A standing requirement without a date of its own (isolation, centre's server, readiness per unit)."""

    duty_id: str
    requirement: str
    text: str
    text_en: str
    source: Source
