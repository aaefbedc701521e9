"""`GET /api/v1/faults` and `/api/v1/windows`: views of one summary. Durations are seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from app.core.fault_report import CarrierRestoring, FaultView, clock_holder
from app.web.api.models import Versioned, View
from app.web.context import WebContext, read_context
from app.web.problems import MEDIA_TYPE, Problem

Context = Annotated[WebContext, Depends(read_context)]
FaultState = Literal["open", "assigned", "with_carrier", "restored", "closed"]
api = APIRouter(prefix="/api/v1", responses={code: {"model": Problem, "content": {MEDIA_TYPE: {}}} for code in (422, 503)})


class FaultRow(View):
    """One fault. `planned`: the document of the change window in which it began. `held_by`: who is to act."""

    fault_id: str
    line_id: str
    unit_name: str
    unit_name_en: str
    region: str
    region_name: str
    region_name_en: str
    line_carrier: str
    carrier_name: str
    carrier_name_en: str
    state: str
    source: str
    document: str
    began_at: datetime
    recorded_at: datetime
    assigned_to: str
    handed_to: str
    handed_at: datetime | None
    restored_at: datetime | None
    closed_at: datetime | None
    within_agreed: bool | None
    planned: str | None
    announced_late: bool
    children: tuple[str, ...]
    reopened: int
    lasted_s: float
    agreed_s: float
    held_by: str


class CarrierRow(View):
    """What one carrier's lines needed; null while none of them was restored."""

    carrier: str
    carrier_name: str
    carrier_name_en: str
    faults: int
    broken: int
    planned: int
    restored: int
    handed: int
    within: int
    over: int
    median_s: float | None
    worst_s: float | None
    agreed_s: float


class WindowRow(View):
    window_id: str
    state: str
    starts_at: datetime
    ends_at: datetime
    recorded_at: datetime
    by: str
    document: str
    lines: int
    announced_late: bool
    silence: str
    cancelled_at: datetime | None


class FaultsAnswer(Versioned):
    """Faults that were not over before `since`, newest first."""

    since: datetime | None
    total: int
    faults: tuple[FaultRow, ...]
    carriers: tuple[CarrierRow, ...]


class WindowsAnswer(Versioned):
    windows: tuple[WindowRow, ...]


@api.get("/faults")
def faults(
    context: Context, state: Annotated[list[FaultState] | None, Query()] = None, line_id: str | None = None
) -> FaultsAnswer:
    """Faults of the last 30 days and all that are broken, with what every carrier needed to restore its lines."""
    now = context.reader.summary()
    chosen = [each for each in now.faults.faults if (not state or each.state in state) and line_id in (None, each.line_id)]
    return FaultsAnswer(
        as_of=now.as_of,
        since=now.faults.since,
        total=len(chosen),
        faults=tuple(fault_row(each) for each in chosen),
        carriers=tuple(carrier_row(each) for each in now.faults.carriers),
    )


@api.get("/windows")
def windows(context: Context) -> WindowsAnswer:
    """Every change window, those that are over or cancelled too, in the order of their start."""
    now = context.reader.summary()
    return WindowsAnswer(as_of=now.as_of, windows=tuple(WindowRow.model_validate(each) for each in now.faults.windows))


def fault_row(each: FaultView) -> FaultRow:
    more = {"lasted_s": each.lasted.total_seconds(), "agreed_s": each.agreed.total_seconds(), "held_by": clock_holder(each)}
    own = {name: getattr(each, name) for name in FaultRow.model_fields if name not in more}
    return FaultRow.model_validate(own | more)


def carrier_row(each: CarrierRestoring) -> CarrierRow:
    more = {"median_s": _seconds(each.median), "worst_s": _seconds(each.worst), "agreed_s": each.agreed.total_seconds()}
    own = {name: getattr(each, name) for name in CarrierRow.model_fields if name not in more}
    return CarrierRow.model_validate(own | more)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
