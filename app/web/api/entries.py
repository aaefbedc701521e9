"""The routes of `/api/v1` that write things down, and those that show what was written: lives, confirmations, reports, documents.

Whoever writes signs in first; their role decides what they may say. A request is written at once, by the rules of the command line.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from app.core.access import Viewer
from app.core.canonical import sha256
from app.core.confirmation import CONFIRMED, REFUSED
from app.edge.office import write_docx, write_pdf
from app.web.api.entry_models import (
    ConfirmationAnswer,
    EventAnswer,
    EventEntry,
    LifeAnswer,
    SessionAnswer,
    StepEntry,
    WordEntry,
    show_life,
    show_standing,
)
from app.web.confirmation_form import build_form
from app.web.context import WebContext, read_context
from app.web.problems import MEDIA_TYPE, Problem
from app.workflows.registry import Entry, Registry

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PROBLEM = {"model": Problem, "content": {MEDIA_TYPE: {}}}

Context = Annotated[WebContext, Depends(read_context)]


def require_registry(context: Context) -> Registry:
    """Return the registry. Raises HTTPException where the server has none."""
    if context.registry is None:
        raise HTTPException(503, "registry: expected a server over a workspace and its database; found none. Run waiwang serve.")
    return context.registry


def require_viewer(context: Context) -> Viewer:
    """Return who signed in. Raises HTTPException where nobody did."""
    if context.viewer is None:
        step = "Sign in at /sign-in, or send an API token (waiwang account token)."
        raise HTTPException(401, f"request: expected somebody who signed in; found nobody. {step}", headers={"www-authenticate": "Bearer"})
    return context.viewer


Books = Annotated[Registry, Depends(require_registry)]
Who = Annotated[Viewer, Depends(require_viewer)]

api = APIRouter(prefix="/api/v1", responses={422: PROBLEM, 503: PROBLEM})
WRITES: dict[int | str, dict[str, Any]] = {401: PROBLEM, 403: PROBLEM, 404: PROBLEM}


@api.get("/session")
def session(context: Context) -> SessionAnswer:
    """Who signed in, and as what; nulls for nobody."""
    viewer = context.viewer
    return SessionAnswer(account=viewer.account if viewer else None, role=str(viewer.role) if viewer else None)


@api.get("/lines/{line_id}/life", responses={404: PROBLEM})
def life(books: Books, line_id: str) -> LifeAnswer:
    """Where a line stands in its life, every step with who said so and by what, and what may come next."""
    return show_life(books.life(line_id))


@api.post("/lines/{line_id}/life", status_code=201, responses=WRITES)
def add_step(books: Books, who: Who, line_id: str, entry: StepEntry) -> LifeAnswer:
    """Record one step. The centre and engineers may record every step that is entered by hand, a carrier that its line is opened."""
    return show_life(books.add_step(who, line_id, entry.state, Entry(entry.document, entry.observed_at, entry.by)))


@api.get("/lines/{line_id}/confirmation", responses={404: PROBLEM})
def confirmation(books: Books, line_id: str) -> ConfirmationAnswer:
    """Who has confirmed an accepted line, who is awaited, and until when in working days."""
    return show_standing(books.standing(line_id))


@api.post("/lines/{line_id}/confirmation", status_code=201, responses=WRITES)
def add_word(books: Books, who: Who, line_id: str, entry: WordEntry) -> ConfirmationAnswer:
    """Record the word of the party that signed in: the line's unit, its carrier, or the centre, which concludes."""
    decision = REFUSED if entry.decision == "refused" else CONFIRMED
    return show_standing(books.add_word(who, line_id, decision, Entry(entry.document, entry.observed_at, entry.by), entry.reason))


@api.post("/events", status_code=201, responses={401: PROBLEM, 403: PROBLEM})
def add_event(books: Books, who: Who, entry: EventEntry) -> EventAnswer:
    """Record what a unit, service:ID or region:CODE reports; what is known already is not written twice."""
    by = Entry(entry.document, entry.observed_at, entry.by_role)
    report = books.add_report(who, entry.subject, entry.event, by, entry.amount, holds=not entry.withdraw)
    return EventAnswer(subject=entry.subject, event=entry.event, document=entry.document, recorded=bool(report.new))


@api.get("/lines/{line_id}/confirmation-form", response_class=Response, responses={200: {"content": {PDF: {}, DOCX: {}}}, 404: PROBLEM})
def confirmation_form(
    books: Books,
    line_id: str,
    form: Annotated[Literal["pdf", "docx"], Query(alias="format")] = "pdf",
    language: Literal["zh", "en"] = "zh",
) -> Response:
    """The form 《专线接入确认单》 of an accepted line, to be signed or edited."""
    view = build_form(books.workspace, line_id, books.passed(line_id), books.standing(line_id), language)
    write, kind = (write_pdf, PDF) if form == "pdf" else (write_docx, DOCX)
    return _file(write(books.root, "confirmation", view), kind, f"{line_id}-confirmation.{form}")


@api.get("/lines/{line_id}/evidence", response_class=Response, responses={200: {"content": {"application/json": {}}}, **WRITES})
def evidence(books: Books, who: Who, line_id: str) -> Response:
    """The signed evidence pack over a line's newest decision; `waiwang verify` checks it anywhere."""
    books.line(line_id)
    if books.key is None:
        raise HTTPException(503, "evidence: expected a server with a signing key; found none. Whoever runs it sets WAIWANG_EVIDENCE_KEY.")
    pack = books.pack(who, line_id)
    answer = _file(pack, "application/json", f"{line_id}.pack")
    answer.headers["digest"] = f"sha-256={sha256(pack)}"
    return answer


def _file(content: bytes, media_type: str, name: str) -> Response:
    """Line ids hold letters, digits and hyphens only, so that the name needs no quoting."""
    return Response(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})
