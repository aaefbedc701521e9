"""The routes of `/api/v1`: each reads one summary and answers with a view of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field

from app.core.forecast import METHOD
from app.core.line_deadline import LineDue
from app.core.line_view import LineView, ShownState
from app.core.standings import primary_lines
from app.web.api.models import (
    Counts,
    DeadlinesAnswer,
    Decision,
    GateRow,
    GatesAnswer,
    Health,
    JeopardyRow,
    LineAnswer,
    LineRow,
    LinesAnswer,
    MilestoneRow,
    MilestonesAnswer,
    SummaryAnswer,
    TransitionRow,
    TransitionsAnswer,
)
from app.web.context import WebContext, read_context
from app.web.problems import MEDIA_TYPE, Problem
from app.web.select import SORT_KEYS, LineFilter, choose, count_dues, count_states, order_by

PAGE_LIMIT = 1000
Context = Annotated[WebContext, Depends(read_context)]

health = APIRouter()
api = APIRouter(
    prefix="/api/v1",
    responses={422: {"model": Problem, "content": {MEDIA_TYPE: {}}}, 503: {"model": Problem, "content": {MEDIA_TYPE: {}}}},
)
#: Included after everything else: what no route of the API answers is a problem document, not a page.
rest = APIRouter(prefix="/api", include_in_schema=False)


class LineQuery(BaseModel):
    """Repeat a parameter to allow several values. `start` is the first row, `end` the first not wanted."""

    start: int = Field(0, ge=0)
    end: int = Field(100, ge=0)
    sort: str = Field("line_id", json_schema_extra={"enum": list(SORT_KEYS)})
    desc: bool = False
    region: list[str] = []
    class_: list[str] = Field([], alias="class")
    state: list[ShownState] = []
    due: list[LineDue] = []
    carrier: list[str] = []
    q: str = Field("", max_length=100, description="words looked for in ids, names, circuit ids and devices")

    def filter(self) -> LineFilter:
        return LineFilter(
            regions=tuple(self.region),
            classes=tuple(self.class_),
            states=tuple(self.state),
            dues=tuple(self.due),
            carriers=tuple(self.carrier),
            text=self.q,
        )


@health.get("/healthz")
def healthz() -> Health:
    """Tell that the process answers; it touches no database."""
    return Health()


@api.get("/summary")
def summary(context: Context) -> SummaryAnswer:
    """The order, its milestones and the number of lines by deadline and by state."""
    now = context.reader.summary()
    return SummaryAnswer(
        as_of=now.as_of,
        order_number=now.order_number,
        order_title=now.order_title,
        order_title_en=now.order_title_en,
        issuer=now.issuer,
        timezone=context.zone.key,
        polled_at=now.polled_at,
        poll_is_stale=context.is_stale(now),
        simulation_note=now.simulation_note,
        simulation_note_en=now.simulation_note_en,
        illustration=now.illustration,
        deadline_faults=tuple(str(each.finding) for each in now.moved_deadlines),
        lines=_count(now.lines),
        primary_lines=_count(primary_lines(now)),
        milestones=tuple(MilestoneRow.model_validate(one) for one in now.milestones),
    )


def _count(lines: Sequence[LineView]) -> Counts:
    return Counts(total=len(lines), due=count_dues(lines), state=count_states(lines))


@api.get("/milestones")
def milestones(context: Context) -> MilestonesAnswer:
    """Each dated duty with what is done of it, by region and class."""
    now = context.reader.summary()
    return MilestonesAnswer(as_of=now.as_of, milestones=tuple(MilestoneRow.model_validate(one) for one in now.milestones))


@api.get("/deadlines")
def deadlines(context: Context) -> DeadlinesAnswer:
    """Each deadline as it was first ordered and as it is, with every change; and whether it holds at the rate that was demonstrated."""
    now = context.reader.summary()
    return DeadlinesAnswer(
        as_of=now.as_of,
        faults=tuple(str(each.finding) for each in now.moved_deadlines),
        milestones=tuple(MilestoneRow.model_validate(one) for one in now.milestones),
        jeopardy=tuple(JeopardyRow.model_validate(one) for one in now.jeopardy),
        method=METHOD,
        level=now.forecast_level,
        assumed_years=now.assumed_years,
    )


@api.get("/gates")
def gates(context: Context) -> GatesAnswer:
    """What must be ready before lines are connected, accepted or used, and who is not ready."""
    now = context.reader.summary()
    return GatesAnswer(as_of=now.as_of, gates=tuple(GateRow.model_validate(one) for one in now.gates))


@api.get("/lines")
def lines(context: Context, query: Annotated[LineQuery, Query()]) -> LinesAnswer:
    """Lines that match every filter, in the order asked for, rows `start` to `end`."""
    if query.sort not in SORT_KEYS:
        raise HTTPException(422, f"query.sort: expected one of {', '.join(SORT_KEYS)}; found {query.sort!r}.")
    if not 0 <= query.end - query.start <= PAGE_LIMIT:
        raise HTTPException(
            422, f"query.end: expected start to start + {PAGE_LIMIT}; found {query.end} with start {query.start}. Ask page by page."
        )
    now = context.reader.summary()
    found = order_by(choose(now.lines, query.filter()), query.sort, descending=query.desc)
    return LinesAnswer(
        as_of=now.as_of,
        total=len(found),
        start=query.start,
        end=query.end,
        rows=tuple(LineRow.model_validate(line) for line in found[query.start : query.end]),
    )


@api.get("/lines/{line_id}", responses={404: {"model": Problem, "content": {MEDIA_TYPE: {}}}})
def line(context: Context, line_id: str, limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100) -> LineAnswer:
    """One line with the evidence of its acceptance and its newest changes of state."""
    now = context.reader.summary()
    found = next((one for one in now.lines if one.line_id == line_id), None)
    if found is None:
        raise HTTPException(404, f"line {line_id}: expected a line of this order; found none. /api/v1/lines lists them.")
    decision = context.reader.acceptance(line_id)
    return LineAnswer(
        as_of=now.as_of,
        line=LineRow.model_validate(found),
        acceptance=Decision.model_validate(decision) if decision else None,
        transitions=tuple(TransitionRow.model_validate(one) for one in context.reader.transitions(line_id, limit)),
    )


@api.get("/transitions")
def transitions(
    context: Context, line_id: str | None = None, limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100
) -> TransitionsAnswer:
    """Changes of state, newest first, of one line or of all."""
    changes = context.reader.transitions(line_id, limit)
    return TransitionsAnswer(
        as_of=context.reader.summary().as_of, transitions=tuple(TransitionRow.model_validate(one) for one in changes)
    )


@rest.api_route("/{path:path}", methods=["POST", "PUT", "PATCH", "DELETE"])
def unwritable(path: str) -> None:
    """Answer whoever would write: the API is read only."""
    raise HTTPException(405, f"/api/{path}: expected GET; this API is read only.", headers={"allow": "GET"})


@rest.get("/{path:path}")
def unknown(path: str) -> None:
    """Answer a path that no route has."""
    raise HTTPException(404, f"/api/{path}: expected a path of /api/v1/openapi.json; found none.")
