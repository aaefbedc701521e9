"""`POST /api/v1/alerts`: Alertmanager's webhook (payload version 4). The one route that writes; a bearer token guards it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from app.core.entered import fits_utc
from app.core.fault_detection import OUTCOMES, Alert
from app.web.api.models import SCHEMA_VERSION
from app.web.context import AlertDoor, WebContext, read_context
from app.web.problems import MEDIA_TYPE, Problem

PATH = "/api/v1/alerts"
TOKEN = "alert_token"
#: The most that is read of a request, octets: some thousand alerts.
BODY_LIMIT = 4 << 20
_REFUSED = {"model": Problem, "content": {MEDIA_TYPE: {}}}
api = APIRouter(responses={code: _REFUSED for code in (401, 403, 413, 422, 503)})
Context = Annotated[WebContext, Depends(read_context)]


def _fitting(moment: datetime) -> datetime:
    if not fits_utc(moment):
        raise ValueError("expected a day of the calendar in UTC")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_fitting)]


class AlertBody(BaseModel):
    """One alert. `endsAt` says when it ended only where it is resolved."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: Moment
    endsAt: Moment
    fingerprint: str = Field(min_length=1, max_length=32)

    def alert(self) -> Alert:
        return Alert(
            fingerprint=self.fingerprint,
            name=self.labels.get("alertname", ""),
            line_id=self.labels.get("line_id", ""),
            starts_at=self.startsAt,
            ends_at=self.endsAt if self.status == "resolved" else None,
            summary=self.annotations.get("summary", ""),
        )


class Webhook(BaseModel):
    """What Alertmanager sends; what is not named here is not looked at."""

    version: Literal["4"]
    truncatedAlerts: int = 0
    alerts: tuple[AlertBody, ...] = Field(max_length=20_000)


class AlertsAnswer(BaseModel):
    """How many alerts came to which outcome; every outcome is always there. `truncated`: those that Alertmanager left out."""

    schema_version: int = SCHEMA_VERSION
    as_of: datetime
    outcomes: Mapping[str, int]
    truncated: int


@api.post(PATH, openapi_extra={"requestBody": {"content": {"application/json": {"schema": Webhook.model_json_schema()}}, "required": True}})
async def take_alerts(request: Request, context: Context) -> AlertsAnswer:
    """Open, fold and restore faults of lines by alerts. The same alert is taken once, however often it is sent."""
    door = _admit(request, context.alerts)
    hook = _parse(await _read_body(request))
    now = door.clock()
    counts = await run_in_threadpool(door.taker.take, [each.alert() for each in hook.alerts], now)
    return AlertsAnswer(as_of=now, outcomes={name: counts.get(name, 0) for name in OUTCOMES}, truncated=hook.truncatedAlerts)


def _admit(request: Request, door: AlertDoor | None) -> AlertDoor:
    """Return the door where the request may pass it. The status is one that Alertmanager does not try again."""
    if door is None:
        step = f"Set WAIWANG_SECRET_{TOKEN.upper()} and start waiwang serve again."
        raise HTTPException(403, f"POST {PATH}: expected the secret {TOKEN}; found none, so alerts are not taken. {step}")
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    expected = door.token.get_secret_value().encode()
    if kind.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), expected):
        found = "another" if shown else "none"
        step = "Give Alertmanager the same token (http_config.authorization.credentials_file)."
        raise HTTPException(401, f"POST {PATH}: expected the bearer token {TOKEN}; found {found}. {step}", {"www-authenticate": "Bearer"})
    return door


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_LIMIT:
            step = "Set max_alerts of the receiver."
            raise HTTPException(413, f"POST {PATH}: expected at most {BODY_LIMIT:,} octets; found more. {step}")
    return bytes(body)


def _parse(body: bytes) -> Webhook:
    try:
        return Webhook.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        step = "Let Alertmanager itself send it."
        raise HTTPException(422, f"POST {PATH}: {where}: expected a webhook of version 4; found: {first['msg']}. {step}") from None
