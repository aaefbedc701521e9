"""What the writing routes of `/api/v1` take and answer. Moments carry their offset; without one given, now."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.core.confirmation import ConfirmationStanding
from app.core.life import LIFE_STATES, Life

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
RoleText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


def _known_state(state: str) -> str:
    if state not in LIFE_STATES:
        raise ValueError(f"one of {', '.join(LIFE_STATES)}")
    return state


class Incoming(BaseModel):
    """Unknown keys are refused: a misspelt one would be lost unseen."""

    model_config = ConfigDict(extra="forbid")

    document: Text = Field(description="the document that shows it")
    observed_at: AwareDatetime | None = Field(None, description="when it happened; now where it is not given")


class StepEntry(Incoming):
    state: Annotated[str, AfterValidator(_known_state)] = Field(json_schema_extra={"enum": list(LIFE_STATES)})
    by: RoleText | None = Field(None, description="role of whoever says so, never a name; the account's own where it is not given")


class WordEntry(Incoming):
    decision: Literal["confirmed", "refused"]
    reason: str = Field("", max_length=500, description="why the party refuses")
    by: RoleText | None = Field(None, description="role of whoever says so, never a name")


class EventEntry(Incoming):
    subject: Text = Field(description="unit id, service:ID or region:CODE")
    event: Text
    by_role: RoleText | None = Field(None, description="role of whoever reports it, never a name")
    amount: float | None = Field(None, allow_inf_nan=False, description="points, where a score row asks for them")
    withdraw: bool = Field(False, description="take back what was recorded on this document")


class SessionAnswer(BaseModel):
    account: str | None
    role: str | None


class StepRow(BaseModel):
    """`unrecorded`: steps between `before` and `after` that nobody recorded."""

    state: str
    observed_at: datetime
    recorded_at: datetime
    by: str
    evidence: str
    source: str
    before: str
    after: str
    standing: str
    unrecorded: tuple[str, ...]


class LifeAnswer(BaseModel):
    line_id: str
    state: str
    since: datetime | None
    next_states: tuple[str, ...]
    steps: tuple[StepRow, ...]


class PartyRow(BaseModel):
    """`last_day`: of the window in working days, null while the party's turn has not come; years in `assumed_years` know no holidays."""

    party: str
    standing: str
    last_day: date | None
    due_at: datetime | None
    assumed_years: tuple[int, ...]
    decision: str | None
    observed_at: datetime | None
    recorded_at: datetime | None
    by: str | None
    document: str | None
    reason: str | None


class ConfirmationAnswer(BaseModel):
    line_id: str
    state: str
    requested_at: datetime | None
    parties: tuple[PartyRow, ...]


class EventAnswer(BaseModel):
    """`recorded` is false where the same was known already."""

    subject: str
    event: str
    document: str
    recorded: bool


def show_life(life: Life) -> LifeAnswer:
    steps = [
        StepRow(
            state=step.event.state,
            observed_at=step.event.observed_at,
            recorded_at=step.event.recorded_at,
            by=step.event.by,
            evidence=step.event.evidence,
            source=step.event.source,
            before=step.before,
            after=step.after,
            standing=step.standing,
            unrecorded=step.unrecorded,
        )
        for step in life.steps
    ]
    return LifeAnswer(line_id=life.line_id, state=life.state, since=life.since, next_states=life.next_states, steps=tuple(steps))


def show_standing(standing: ConfirmationStanding) -> ConfirmationAnswer:
    rows = [
        PartyRow(
            party=each.party,
            standing=each.standing,
            last_day=each.window.last_day if each.window else None,
            due_at=each.window.due_at if each.window else None,
            assumed_years=each.window.assumed_years if each.window else (),
            decision=each.word.decision if each.word else None,
            observed_at=each.word.observed_at if each.word else None,
            recorded_at=each.word.recorded_at if each.word else None,
            by=each.word.by if each.word else None,
            document=each.word.document if each.word else None,
            reason=each.word.reason if each.word else None,
        )
        for each in standing.parties
    ]
    return ConfirmationAnswer(line_id=standing.line_id, state=standing.state, requested_at=standing.requested_at, parties=tuple(rows))
