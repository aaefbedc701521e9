"""Sign-in and sign-out: one plain page that needs no script, and the session's cookie."""

from __future__ import annotations

import logging
import math
from html import escape
from string import Template

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from app.web.context import WebContext, read_context
from app.web.doors import SESSION_COOKIE, SESSION_LIFE, SIGN_IN, SIGN_OUT, read_cookie
from app.web.plain_page import alarm, other_language, plain_page, read_form, words_of

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)
BODY = Template("""\
<main class="card sign-in">
<div class="card-head"><h1>$page_title</h1><a class="language" href="/language/$other" lang="$other">$other_language</a></div>
$message
<form method="post" action="/sign-in" autocomplete="on">
<input type="hidden" name="next" value="$next">
<label>$account
<input name="account" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="32" autofocus></label>
<label>$password
<input name="password" type="password" autocomplete="current-password" required maxlength="200"></label>
<button type="submit" class="strong">$sign_in</button>
</form>
<p class="muted">$sign_in_note</p>
</main>
""")
TEXTS = ("page_title", "sign_in", "account", "password", "sign_in_note", "other_language")


@router.get(SIGN_IN)
def show_sign_in(request: Request) -> HTMLResponse:
    """Answer with the form."""
    ended = "sign_in_idle" if request.query_params.get("ended") == "idle" else ""
    return _page(request, request.query_params.get("next", "/"), ended)


@router.post(SIGN_IN)
async def sign_in(request: Request, context: WebContext = Depends(read_context)) -> Response:
    """Begin a session, or say that it was not to be. What was typed is neither repeated nor logged."""
    account, password, target = await read_form(request, "account", "password", "next")
    address = request.client.host if request.client else ""
    doors = context.doors
    # One at a time: attempts that come together must count together, and each takes 64 MiB.
    async with doors.turn:
        wait_s = doors.throttle.wait_s(account, address)
        cookie = await run_in_threadpool(doors.sign_in, account, password, address) if not wait_s else None
    if wait_s:
        log.warning("sign-in: too many failures from %s", address)
        answer = _page(request, target, "sign_in_wait", 429, minutes=math.ceil(wait_s / 60))
        answer.headers["retry-after"] = str(math.ceil(wait_s))
        return answer
    if cookie is None:
        log.warning("sign-in: refused from %s", address)
        return _page(request, target, "sign_in_refused", 401)
    return welcome(request, cookie, _own_path(target))


def welcome(request: Request, cookie: str, path: str) -> RedirectResponse:
    """Lead a browser to one of our pages, with the cookie of a new session."""
    answer = RedirectResponse(path, 303)
    secure, life_s = request.url.scheme == "https", int(SESSION_LIFE.total_seconds())
    answer.set_cookie(SESSION_COOKIE, cookie, max_age=life_s, httponly=True, samesite="lax", secure=secure)
    return answer


@router.post(SIGN_OUT)
def sign_out(request: Request, context: WebContext = Depends(read_context)) -> RedirectResponse:
    """End the session."""
    if cookie := read_cookie(request.headers):
        context.doors.sign_out(cookie, request.client.host if request.client else "")
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return answer


def _own_path(target: str) -> str:
    """Return where to go after sign-in: a path of ours, never another site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"


def _page(request: Request, target: str, message: str = "", status: int = 200, **values: object) -> HTMLResponse:
    words = words_of(request, target)
    texts = {name: escape(words(name)) for name in TEXTS}
    told, onward = alarm(words, message, **values), escape(_own_path(target), quote=True)
    body = BODY.substitute(texts, other=other_language(words), message=told, next=onward)
    return plain_page(words, "sign_in", "sign-in-body", body, status)
