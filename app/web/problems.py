"""Errors of the API as problem details (RFC 9457): what, where, expected against found, next step. Never a traceback."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.errors import AccessRefused, InputError, StoreError, WaiwangError
from app.workflows.registry import UnknownLine

MEDIA_TYPE = "application/problem+json"
#: The most that is repeated of something wrong in a request, characters.
SHOWN_LENGTH = 200
log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One thing wrong in a request. `where` names the parameter, as in `query.start`."""

    where: str
    expected: str
    found: str


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] = []


def problem(request: Request, status: int, detail: str, errors: list[Fault] | None = None) -> JSONResponse:
    """Build the answer to a request that failed with this HTTP status."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=errors or [],
    )
    return JSONResponse(body.model_dump(), status, media_type=MEDIA_TYPE)


def _shown(value: object) -> str:
    """Return what a request held, no longer than can be read, and writable: JSON can name halves of characters."""
    return str(value)[:SHOWN_LENGTH].encode("utf-8", "backslashreplace").decode()


def add_problem_handlers(app: FastAPI) -> None:
    """Make every failure of a route a problem document."""

    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(request, error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def refuse_input(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [
            Fault(where=_shown(".".join(map(str, one["loc"]))), expected=str(one["msg"]), found=_shown(one.get("input")))
            for one in error.errors()
        ]
        where = ", ".join(fault.where for fault in faults)
        return problem(request, 422, f"{where}: not as the API describes it. See /api/v1/openapi.json.", faults)

    @app.exception_handler(InputError)
    async def refuse_findings(request: Request, error: InputError) -> JSONResponse:
        faults = [Fault(where=f"{each.where}: {each.what}", expected=each.expected, found=each.found) for each in error.findings]
        return problem(request, 422, str(error), faults)

    @app.exception_handler(AccessRefused)
    async def refuse_role(request: Request, error: AccessRefused) -> JSONResponse:
        return problem(request, 403, str(error))

    @app.exception_handler(UnknownLine)
    async def refuse_line(request: Request, error: UnknownLine) -> JSONResponse:
        return problem(request, 404, f"line {error}: expected a line of this order; found none. /api/v1/lines lists them.")

    @app.exception_handler(WaiwangError)
    async def report(request: Request, error: WaiwangError) -> JSONResponse:
        log.error("%s: %s", request.url.path, error)
        return problem(request, 503 if isinstance(error, StoreError) else 500, str(error))

    @app.exception_handler(Exception)
    async def hide(request: Request, error: Exception) -> JSONResponse:
        return problem(request, 500, "The server failed on this request. Its log holds the reason; tell whoever runs it.")
