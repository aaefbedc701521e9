"""What order.yaml may say, block by block. Where a value comes from (`clause`, `ruling`, `default`) is read beside, in order.py."""

from __future__ import annotations

import re
from datetime import date, timedelta
from ipaddress import IPv4Network
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.edge.files.explain import wanted

LevelName = Literal["city", "county", "township"]
UnitKind = Literal["county_government", "department", "township_government", "town_government", "enterprise", "liaison_office", "centre"]
Medium = Literal["fibre", "adsl"]
AccessMethod = Literal["ethernet", "bridged_pvc", "vpdn_l2tp", "internet_ipsec"]
Text = Annotated[str, Field(min_length=1)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Rate = Annotated[int, Field(strict=True, gt=0)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]

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


Prefix = Annotated[IPv4Network, BeforeValidator(_prefix)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class HeadBlock(Block):
    number: Text
    title: Text
    title_en: Text
    issuer: Text
    issued_on: Day
    timezone: Zone


class ClassBlock(Block):
    words: Text
    words_en: Text
    medium: Medium


class RatesBlock(Block):
    """Kilobits per second; `down` is towards the unit."""

    down_kbps: Rate
    up_kbps: Rate


class PermittedBlock(Block):
    """Who may use a class. No `kinds` means any kind."""

    levels: Annotated[tuple[LevelName, ...], Field(min_length=1)]
    kinds: tuple[UnitKind, ...] = ()
    urban_needs_ruling: Flag = False


class AccessBlock(Block):
    any_of: Annotated[tuple[AccessMethod, ...], Field(min_length=1)]


class ReservedBlock(Block):
    mbps: Rate


class CriterionBlock(Block):
    required: Flag
    limit: Annotated[float, Field(strict=True, ge=0)] | None = None
    window: Span | None = None
    restart_after: Span | None = None
    coverage: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None


class ScopeBlock(Block):
    levels: tuple[LevelName, ...] = ()
    kinds: tuple[UnitKind, ...] = ()
    classes: tuple[Text, ...] = ()


class MilestoneBlock(Block):
    title: Text
    title_en: Text
    due_on: Day
    inclusive: Flag = True
    soft: Flag = False
    scope: ScopeBlock = ScopeBlock()
    target_share: Annotated[float, Field(strict=True, gt=0, le=1)] = 1.0
    per: Literal["whole", "county"] = "whole"
    evidence: Literal["accepted_line", "unit_event", "document"]
    event: Text | None = None


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


class ScoreItemBlock(Block):
    title: Text
    title_en: Text
    points: Annotated[float, Field(strict=True, gt=0)]
    milestone: Text | None = None


class ScoreTableBlock(Block):
    title: Text
    title_en: Text
    total: Annotated[float, Field(strict=True, gt=0)]


class FormulaBlock(Block):
    """How partial completion scores."""

    method: Literal["in_proportion", "all_or_nothing"]


class DutyBlock(Block):
    requirement: Text
    text: Text
    text_en: Text


class AtRiskBlock(Block):
    days: Annotated[int, Field(strict=True, ge=0)]


class SimulationBlock(Block):
    note: Text
    note_en: Text
    moved_days: Whole = 0
