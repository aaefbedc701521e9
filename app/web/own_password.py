"""One's own password: a plain page that needs no script. Whoever's password is too old comes here before anything else."""

from __future__ import annotations

import logging
import math
from html import escape
from string import Template

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from app.core.access import LONGEST_PASSWORD, SHORTEST_PASSWORD
from app.web.api.entries import require_viewer
from app.web.context import WebContext, read_context
from app.web.doors import OWN_PASSWORD, Change, read_cookie
from app.web.plain_page import alarm, plain_page, read_form, words_of
from app.web.sign_in import welcome

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)
BODY = Template("""\
<main class="card sign-in">
<div class="card-head"><h1>$own_password</h1><a class="language" href="/">$to_page</a></div>
$message
<form method="post" action="/password" autocomplete="on">
<input type="hidden" name="account" value="$holder" autocomplete="username">
<label>$present_password
<input name="present" type="password" autocomplete="current-password" required maxlength="200" autofocus></label>
<label>$new_password
<input name="chosen" type="password" autocomplete="new-password" required maxlength="200"></label>
<label>$new_password_again
<input name="again" type="password" autocomplete="new-password" required maxlength="200"></label>
<button type="submit" class="strong">$own_password</button>
</form>
<p class="muted">$rule</p>
</main>
""")
TEXTS = ("own_password", "present_password", "new_password", "new_password_again", "to_page")


@router.get(OWN_PASSWORD)
def show_own_password(request: Request, context: WebContext = Depends(read_context)) -> HTMLResponse:
    """Answer with the form."""
    return _page(request, context, "own_password_due" if require_viewer(context).must_change else "")


@router.post(OWN_PASSWORD)
async def change_own_password(request: Request, context: WebContext = Depends(read_context)) -> Response:
    """Take another password of whoever signed in; every other session of the account ends."""
    viewer, doors, cookie = require_viewer(context), context.doors, read_cookie(request.headers)
    present, chosen, again = await read_form(request, "present", "chosen", "again")
    if chosen != again:
        return _page(request, context, "password_differs", 422)
    address = request.client.host if request.client else ""
    async with doors.turn:  # guesses at the present password count as those at sign-in do
        wait_s = doors.throttle.wait_s(viewer.account, address)
        result = Change.WRONG if wait_s else await run_in_threadpool(doors.change_password, viewer.account, present, chosen, address)
    if wait_s:
        return _page(request, context, "sign_in_wait", 429, minutes=math.ceil(wait_s / 60))
    if result is not Change.DONE:
        log.warning("password: not changed from %s: %s", address, result.value)
        return _page(request, context, f"password_{result.value}", 422)
    if cookie is None:  # by a token: there is no session to go on with
        return _page(request, context, "sign_in_changed")
    return welcome(request, doors.begin_session(viewer.account), "/")


def _page(request: Request, context: WebContext, message: str, status: int = 200, **values: object) -> HTMLResponse:
    words = words_of(request)
    texts = {name: escape(words(name)) for name in TEXTS}
    rule = escape(words("password_rule", shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD))
    holder = escape(require_viewer(context).account, quote=True)
    body = BODY.substitute(texts, message=alarm(words, message, **values), rule=rule, holder=holder)
    return plain_page(words, "own_password", "sign-in-body", body, status)
