"""The routes of `/api/v1` that are the three offices' alone: accounts, and the audit. The gate knows who holds one."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from app.core.access import KNOWN_TO_ANOTHER
from app.core.formulas import guarded
from app.core.trail import AuditEntry
from app.web.api.entries import PROBLEM, Books, Context, Who
from app.workflows.offices import OfficeDesk

CSV = "text/csv; charset=utf-8"
COLUMNS = ("at", "actor", "verb", "subject", "detail")
LARGEST_PAGE = 1000
HEAD = "^[0-9a-f]{64}$"


class AccountRow(BaseModel):
    """One account. `password_since`: since when only its holder knows the password, null where that is not known."""

    account: str
    role: str
    password: bool
    password_since: datetime | None
    must_change: bool
    created_at: datetime
    changed_at: datetime


class AccountsAnswer(BaseModel):
    """`offices_bind`: whether all three are held, so that nobody does another's work."""

    offices_bind: bool
    accounts: list[AccountRow]


class AuditRow(BaseModel):
    at: datetime
    actor: str
    verb: str
    subject: str
    detail: dict[str, object]


class AuditAnswer(BaseModel):
    """`total`: entries of the time that was asked for; `head`: the newest link, to be kept where nobody else writes."""

    total: int
    head: str
    entries: list[AuditRow]


class BreakRow(BaseModel):
    """Where the chain does not hold; `number` is null where a head that was seen earlier is gone."""

    number: int | None
    expected: str
    found: str


class ProofAnswer(BaseModel):
    whole: bool
    entries: int
    head: str
    breaks: list[BreakRow]


def desk_of(books: Books) -> OfficeDesk:
    return OfficeDesk(books.store, books.clock)


Desk = Annotated[OfficeDesk, Depends(desk_of)]
Days = Annotated[int, Query(ge=1, le=3650, description="how far back")]
Subject = Annotated[str | None, Query(alias="of", max_length=100, description="of this account or subject alone")]

api = APIRouter(prefix="/api/v1", responses={401: PROBLEM, 403: PROBLEM, 422: PROBLEM, 503: PROBLEM})


@api.get("/accounts")
def accounts(desk: Desk, context: Context) -> AccountsAnswer:
    """Who may sign in, in which role. For the three offices."""
    now, life = desk.clock(), context.doors.password_life
    rows = [
        AccountRow(
            account=each.name,
            role=str(each.role),
            password=each.password_hash is not None,
            password_since=None if each.password_at == KNOWN_TO_ANOTHER else each.password_at,
            must_change=each.must_change(now, life),
            created_at=each.created_at,
            changed_at=each.changed_at,
        )
        for each in desk.accounts()
    ]
    return AccountsAnswer(offices_bind=desk.are_held(), accounts=rows)


@api.get("/audit", response_model=AuditAnswer, responses={200: {"content": {CSV: {}}}})
def audit(
    desk: Desk,
    who: Who,
    days: Days = 30,
    of: Subject = None,
    start: int = Query(0, ge=0),
    end: int = Query(100, ge=0),
    format_: Literal["json", "csv"] = Query("json", alias="format"),
) -> AuditAnswer | Response:
    """Who did what, newest first. For the auditor. As CSV it is whole, and taking it away stands in the audit."""
    found = desk.entries(days, of)
    if format_ == "csv":
        desk.note_export(who, len(found))
        return Response(write_csv(found), media_type=CSV, headers={"content-disposition": 'attachment; filename="audit.csv"'})
    rows = [AuditRow(at=each.at, actor=each.actor, verb=each.verb, subject=each.subject, detail=each.detail) for each in found]
    return AuditAnswer(total=len(rows), head=desk.head(), entries=rows[start : min(end, start + LARGEST_PAGE)])


@api.get("/audit/proof")
def proof(
    desk: Desk, who: Who, head: Annotated[str | None, Query(pattern=HEAD, description="a head that was seen earlier")] = None
) -> ProofAnswer:
    """Whether the audit is whole: every entry follows the one before it. For the auditor."""
    found = desk.prove(who, head)
    breaks = [BreakRow(number=each.number, expected=each.expected, found=each.found) for each in found.breaks]
    return ProofAnswer(whole=not breaks, entries=found.entries, head=found.head, breaks=breaks)


def write_csv(entries: list[AuditEntry]) -> str:
    """Return the entries as CSV with heads, in UTF-8 with the mark that spreadsheet programs look for; nothing in it is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for each in entries:
        writer.writerow([each.at.isoformat(), *map(guarded, (each.actor, each.verb, each.subject, write_detail(each.detail)))])
    return "\ufeff" + out.getvalue()


def write_detail(detail: dict[str, object]) -> str:
    """Write what an entry says beside its words, as JSON on one line."""
    return json.dumps(detail, ensure_ascii=False, sort_keys=True)
