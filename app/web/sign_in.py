"""Sign-in and sign-out: one plain page that needs no script, and the session's cookie."""

from __future__ import annotations

import logging
import math
from html import escape
from string import Template
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from app.web.context import WebContext, read_context
from app.web.dashboard.words import Words
from app.web.doors import SESSION_COOKIE, SESSION_LIFE, SIGN_IN, read_cookie

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)
LANGUAGE_COOKIE = "waiwang_language"
PAGE = Template("""\
<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$sign_in · $page_title</title>
<link rel="stylesheet" href="/static/dashboard.css">
</head>
<body class="sign-in-body">
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
</body>
</html>
""")
#: Longer forms are not read.
FORM_LIMIT = 4096


@router.get(SIGN_IN)
def show_sign_in(request: Request) -> HTMLResponse:
    """Answer with the form."""
    return _page(request, request.query_params.get("next", "/"))


@router.post(SIGN_IN)
async def sign_in(request: Request, context: WebContext = Depends(read_context)) -> Response:
    """Begin a session, or say that it was not to be. What was typed is neither repeated nor logged."""
    fields = parse_qs((await _read_form(request)).decode("utf-8", "replace"))
    account, password, target = (fields.get(name, [""])[0] for name in ("account", "password", "next"))
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
    welcome = RedirectResponse(_own_path(target), 303)
    secure = request.url.scheme == "https"
    life_s = int(SESSION_LIFE.total_seconds())
    welcome.set_cookie(SESSION_COOKIE, cookie, max_age=life_s, httponly=True, samesite="lax", secure=secure)
    return welcome


@router.post("/sign-out")
def sign_out(request: Request, context: WebContext = Depends(read_context)) -> RedirectResponse:
    """End the session."""
    if cookie := read_cookie(request.headers):
        context.doors.sign_out(cookie, request.client.host if request.client else "")
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return answer


async def _read_form(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_LIMIT:
            return b""
    return body


def _own_path(target: str) -> str:
    """Return where to go after sign-in: a path of ours, never another site."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"


def _page(request: Request, target: str, message: str = "", status: int = 200, **values: object) -> HTMLResponse:
    words = Words("en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh")
    texts = {
        name: escape(words(name))
        for name in ("page_title", "sign_in", "account", "password", "sign_in_note", "other_language")
    }
    other = "zh" if words.language == "en" else "en"
    told = f'<p class="banner is-alarm" role="alert">{escape(words(message, **values))}</p>' if message else ""
    html = PAGE.substitute(texts, lang=words.language, other=other, message=told, next=escape(_own_path(target), quote=True))
    return HTMLResponse(html, status, headers={"cache-control": "no-store"})
