"""What order.yaml may say, block by block. A sourced block says where its value comes from: `clause`, `ruling` or `default: true`."""

from __future__ import annotations

import re
from datetime import date, timedelta
from ipaddress import IPv4Network
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.core.duties import GateStage, Holder
from app.core.scope import LevelName
from app.core.service_class import CriterionKind
from app.core.source import OURS, Source
from app.edge.files.explain import wanted

#: A word of the order's own: fibre, adsl, microwave … A line's medium has to be that of its class.
Medium = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
AccessMethod = Literal["ethernet", "bridged_pvc", "vpdn_l2tp", "internet_ipsec"]
DeviceRole = Literal["city_core", "county_agg", "city_unit", "urban_unit", "township_unit", "unit_switch"]
Text = Annotated[str, Field(min_length=1)]
#: Judged against the kinds that the order knows, by `app.core.consistency`.
UnitKind = Text
Whole = Annotated[int, Field(strict=True)]
Share = Annotated[float, Field(strict=True, gt=0, le=1)]
Points = Annotated[float, Field(strict=True, gt=0)]
Rate = Annotated[int, Field(strict=True, gt=0)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]

#: The keys that say where a value comes from.
SOURCE_KEYS = ("clause", "ruling", "default")

_SPAN = re.compile(r"(\d+)\s*(s|min|h|d)")
_SPAN_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}


def _span(value: object) -> timedelta:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise wanted("a span of time such as 72h, 5min or 20s")
    return timedelta(**{_SPAN_UNITS[found[2]]: int(found[1])})


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wanted("a time zone such as Asia/Shanghai") from None


def _prefix(value: object) -> IPv4Network:
    if not isinstance(value, str) or "/" not in value:
        raise wanted("an IPv4 prefix such as 59.225.0.0/20")
    try:
        loose = IPv4Network(value, strict=False)
    except ValueError:
        raise wanted("an IPv4 prefix such as 59.225.0.0/20") from None
    if str(loose.network_address) != value.partition("/")[0]:
        raise wanted(f"an IPv4 prefix without host bits, such as {loose}")
    return loose


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Prefix = Annotated[IPv4Network, BeforeValidator(_prefix)]
OneOrSeveral = Annotated[tuple[Text, ...], BeforeValidator(_one_or_several)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


class Block(BaseModel):
    """Keys with values; a key that is not declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _source(value: object) -> Source:
    given = value if isinstance(value, dict) else {}
    key, text = next(iter(given.items()), ("", None))
    if len(given) != 1 or (text is not True if key == "default" else not (isinstance(text, str) and text)):
        expected, step = "exactly one of clause: …, ruling: …, default: true", "Say where the value of this block comes from."
        raise wanted(expected, what="does not name one source", next_step=step)
    if key == "default":
        return OURS
    return Source(clause=text) if key == "clause" else Source(ruling=text)


class SourcedBlock(Block):
    """A block whose value comes from one clause, from one ruling, or is a default of ours."""

    source: Annotated[Source, BeforeValidator(_source)] = Field(alias="clause|ruling|default")

    @model_validator(mode="before")
    @classmethod
    def gather(cls, values: object) -> object:
        """Put the three source keys together, so that they are judged as one beside the other keys."""
        if not isinstance(values, dict):
            return values
        given = {key: values[key] for key in SOURCE_KEYS if values.get(key) is not None}
        return {key: value for key, value in values.items() if key not in SOURCE_KEYS} | {"|".join(SOURCE_KEYS): given}


class HeadBlock(Block):
    number: Text
    title: Text
    title_en: Text
    issuer: Text
    number_en: str = ""
    issuer_en: str = ""
    issued_on: Day
    timezone: Zone


class RatesBlock(SourcedBlock):
    """Kilobits per second; `down` is towards the unit."""

    down_kbps: Rate
    up_kbps: Rate


class PermittedBlock(SourcedBlock):
    """Who may use a class. No `kinds` means any kind."""

    levels: Annotated[tuple[LevelName, ...], Field(min_length=1)]
    kinds: tuple[UnitKind, ...] = ()
    urban_needs_ruling: Flag = False


class AccessBlock(SourcedBlock):
    any_of: Annotated[tuple[AccessMethod, ...], Field(min_length=1)]


class ReservedBlock(SourcedBlock):
    mbps: Rate


class CriterionBlock(SourcedBlock):
    required: Flag
    limit: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    window: Span | None = None
    restart_after: Span | None = None
    coverage: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None


class ClassBlock(SourcedBlock):
    words: Text
    words_en: Text
    medium: Medium
    nominal: RatesBlock
    configured: RatesBlock
    permitted: PermittedBlock
    access_methods: AccessBlock | None = None
    reserved_port: ReservedBlock | None = None
    criteria: Annotated[dict[CriterionKind, CriterionBlock], Field(min_length=1)]


class ScopeBlock(Block):
    levels: tuple[LevelName, ...] = ()
    kinds: tuple[UnitKind, ...] = ()
    classes: tuple[Text, ...] = ()


class PartTermsBlock(Block):
    """The terms of a milestone that a change names."""

    due_on: Day | None = None
    inclusive: Flag | None = None
    soft: Flag | None = None
    target_share: Share | None = None


class ChangeBlock(Block):
    """A change of a milestone's terms. `ruling` where the order itself forbids it."""

    changed_on: Day
    was: PartTermsBlock
    becomes: PartTermsBlock
    decided_by: Text
    document: Text
    reason: Text
    reason_en: str = ""
    ruling: Text | None = None


class MovesBlock(SourcedBlock):
    """Which way a day may move."""

    only: Literal["earlier"]


class MilestoneBlock(SourcedBlock):
    title: Text
    title_en: Text
    due_on: Day
    inclusive: Flag = True
    soft: Flag = False
    scope: ScopeBlock = ScopeBlock()
    target_share: Share = 1.0
    per: Literal["whole", "county"] = "whole"
    evidence: Literal["accepted_line", "unit_event", "document"]
    event: Text | None = None
    moves: MovesBlock | None = None
    changes: dict[Text, ChangeBlock] = {}


class RulingBlock(Block):
    requirement: Text
    question: Text
    question_en: str = ""
    decision: Text
    decision_en: str = ""
    reason: Text
    reason_en: str = ""
    decided_on: Day
    default: Flag = False


class ScoreItemBlock(SourcedBlock):
    """One row. `milestone` is the id of one or a list of several; `marks` are signs declared under `marks`."""

    title: Text
    title_en: Text
    points: Points
    group: str = ""
    milestone: OneOrSeveral = ()
    event: Text | None = None
    marks: tuple[Text, ...] = ()


class FormulaBlock(SourcedBlock):
    """How partial completion scores."""

    method: Literal["in_proportion", "all_or_nothing"]


class SubjectsBlock(SourcedBlock):
    """Whom the table ranks: counties as wholes, and single units of a cohort."""

    counties: Flag = False
    units: ScopeBlock | None = None


class AdjustmentBlock(SourcedBlock):
    title: Text
    title_en: Text
    event: Text
    each: Points
    cap: Points
    within: Text | None = None


class MarkBlock(SourcedBlock):
    text: Text
    text_en: Text
    kinds: tuple[UnitKind, ...] = ()


class PrizesBlock(SourcedBlock):
    """Numbers of first, second, third … prizes."""

    places: Annotated[tuple[Annotated[int, Field(strict=True, ge=0)], ...], Field(min_length=1)]


class ScoreTableBlock(SourcedBlock):
    title: Text
    title_en: Text
    total: Points
    formula: FormulaBlock
    items: Annotated[dict[Text, ScoreItemBlock], Field(min_length=1)]
    subjects: SubjectsBlock | None = None
    bonuses: dict[Text, AdjustmentBlock] = {}
    deductions: dict[Text, AdjustmentBlock] = {}
    marks: dict[Text, MarkBlock] = {}
    prizes: PrizesBlock | None = None


class GateBlock(SourcedBlock):
    """Something that must be ready first. `subject`: unit, or service for every application of services.csv."""

    requirement: Text
    title: Text
    title_en: Text
    scope: ScopeBlock = ScopeBlock()
    subject: Literal["unit", "service"] = "unit"
    held_by: Holder
    before: GateStage
    required: Flag
    event: Text
    device_role: DeviceRole | None = None


class RefusedAccessBlock(SourcedBlock):
    any_of: Annotated[tuple[AccessMethod, ...], Field(min_length=1)]


class RhythmBlock(SourcedBlock):
    """A circular or an inspection that comes back; without `every_months` it is irregular."""

    requirement: Text
    kind: Literal["circular", "inspection"]
    title: Text
    title_en: Text
    every_months: Annotated[int, Field(strict=True, ge=1, le=120)] | None = None
    names_units: Flag = False


class OrganisationBlock(SourcedBlock):
    """A body with a part of the work. No `regions` means every region; no `scope` keys mean every unit."""

    title: Text
    title_en: Text
    task: Text
    task_en: Text
    scope: ScopeBlock = ScopeBlock()
    regions: tuple[Text, ...] = ()
    milestones: tuple[Text, ...] = ()


class AvailabilityBlock(SourcedBlock):
    share: Share
    window: Span
    coverage: Share = 0.95
    scope: ScopeBlock = ScopeBlock()


class RequirementBlock(Block):
    clause: Text
    kept: Annotated[tuple[Text, ...], Field(min_length=1)]


class DutyBlock(SourcedBlock):
    requirement: Text
    text: Text
    text_en: Text


class AtRiskBlock(SourcedBlock):
    days: Annotated[int, Field(strict=True, ge=0)]


class MeasurementBlock(SourcedBlock):
    """How many days an active measurement counts."""

    days: Annotated[int, Field(strict=True, ge=1)]


class ForecastBlock(SourcedBlock):
    """From how many working days a completion is foretold, how probable the interval is, how few accepted lines say too little."""

    working_days: Annotated[int, Field(strict=True, ge=1, le=250)] = 20
    level: Annotated[float, Field(strict=True, ge=0.5, lt=1)] = 0.9
    least_accepted: Annotated[int, Field(strict=True, ge=1)] = 5


class SimulationBlock(Block):
    note: Text
    note_en: Text
    moved_days: Whole = 0
