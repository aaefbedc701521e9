"""One pure-ASGI gate before API, pages and websocket: it tells who asks, lays what they may know into the request, refuses what is
not for them, and closes the browser's doors."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.access import AUDITOR, NONE, OFFICES, Viewer
from app.core.offices import shown
from app.web.context import Contexts
from app.web.doors import OFFICE_PAGE, OWN_PASSWORD, SIGN_IN, SIGN_OUT, read_cookie
from app.web.problems import problem

#: NiceGUI's components compile their templates and the grid its functions in the browser, hence 'unsafe-eval' (decision 0110); its page
#: starts from inline scripts and styles. So every text that reaches the page is written as text, never as HTML.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; connect-src 'self'"
)
#: Pages without any script: none runs there, whatever stands in them.
PLAIN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
PLAIN_PATHS = (SIGN_IN, OWN_PASSWORD, OFFICE_PAGE)
HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
#: Paths that tell nothing of the rollout: anybody may ask for them.
PUBLIC = (SIGN_IN, "/healthz", "/favicon.ico")
PUBLIC_FOLDERS = ("/static/", "/language/", "/_nicegui/")
#: The page's socket, by websocket or by requests in its place.
SOCKET = "/_nicegui_ws"
#: Paths that have a bearer token of their own, which is no account's.
OWN_TOKEN = ("/metrics", "/api/v1/alerts")
#: What carriers and units may ask for; whatever is new is closed to them until it stands here.
NARROW_PATHS = ("/", "/en", SIGN_OUT, OWN_PASSWORD, "/api/v1/session", "/api/v1/openapi.json", "/api/v1/events")
NARROW_FOLDERS = (
    *(f"/api/v1/{name}" for name in ("lines", "summary", "milestones", "gates", "transitions", "faults", "windows")),
    SOCKET,
)
#: What belongs to the three offices: open to these roles alone, where reading is open too.
OFFICE_PATHS = {
    OFFICE_PAGE: (*OFFICES, NONE),
    "/api/v1/accounts": OFFICES,
    "/api/v1/audit": (AUDITOR,),
    "/api/v1/audit/proof": (AUDITOR,),
}
#: Beside them, what those roles may ask for that see nothing of the rollout.
APART_PATHS = (SIGN_OUT, OWN_PASSWORD, "/api/v1/session", "/api/v1/openapi.json")
#: What a session whose password must be changed may ask for.
CHANGE_PATHS = (SIGN_OUT, OWN_PASSWORD, "/api/v1/session")
#: Pages that a person opens and that ask for nothing by themselves: reading them is use of a session, as writing is.
HAND_PATHS = (OWN_PASSWORD, OFFICE_PAGE)
#: A browser that was here by TLS comes by TLS alone, for a year.
STAY_ON_TLS = "max-age=31536000"
READING = ("GET", "HEAD", "OPTIONS")
#: The most that is read of a request, octets; Alertmanager's route has a bound of its own.
BODY_LIMIT = 1 << 20
OWN_LIMIT = ("/api/v1/alerts",)


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asks, and how it is known: `cookie` by a session. `refused`: a token was shown that opens nothing. `idled`: the session was
    not used for too long."""

    viewer: Viewer | None = None
    cookie: str | None = None
    refused: bool = False
    idled: bool = False
    is_scraper: bool = False


class Gate:
    """ASGI middleware. Everything passes here; what is not public is answered for a known viewer, or where reading is open."""

    def __init__(self, app: ASGIApp, contexts: Contexts) -> None:
        self.app, self.contexts = app, contexts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        misled = self._misled(scope, headers)
        asker = await self._ask(scope["path"], headers) if misled is None else _Asker()
        refusal = misled or self._refusal(scope, headers, asker)
        if refusal is None and asker.cookie is not None and _is_use(scope):
            await asyncio.to_thread(self.contexts.doors.note_use, asker.cookie)
        scope.setdefault("state", {})["context"] = self.contexts.of(asker.viewer)
        if scope["type"] == "websocket":
            if refusal is not None:
                await send({"type": "websocket.close", "code": 4403})
                return
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard(MutableHeaders(scope=message), scope, headers.get("host", ""), asker.viewer)
            await send(message)

        heard = receive if scope["path"] in OWN_LIMIT else _bounded(scope["path"], receive)
        await (self.app if refusal is None else refusal)(scope, heard, send_guarded)

    def _misled(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a request that was led here: under a name that is not ours (DNS rebinding), from a page of another site
        to the page's socket, or by a path that would break the lines of a log."""
        host = headers.get("host", "")
        if not self.contexts.doors.is_called(host):
            step = "Open it by its address, or name it in WAIWANG_HOSTS."
            return _answer(scope, 421, f"host: expected an address or a name of this server; found {host[:100]!r}. {step}")
        if (scope["type"] == "websocket" or scope["path"].startswith(SOCKET)) and not _is_same_origin(headers.get("origin"), host):
            return _answer(scope, 403, f"{SOCKET}: expected our own page; found another origin. Open the page itself.")
        if not scope["path"].isprintable():
            return _answer(scope, 400, "path: expected printable characters; found others. Correct the address.")
        return None

    async def _ask(self, path: str, headers: Headers) -> _Asker:
        """Find out who asks; the ledger is read in a thread."""
        doors, kind, token = self.contexts.doors, *_bearer(headers)
        if _is_public(path):
            return _Asker()
        if path in OWN_TOKEN and kind == "bearer" and (path != "/metrics" or doors.opens_metrics(token)):
            return _Asker(is_scraper=path == "/metrics")
        if kind == "bearer":
            viewer = await asyncio.to_thread(doors.find_bearer, token)
            return _Asker(viewer, refused=viewer is None)
        if cookie := read_cookie(headers):
            viewer = await asyncio.to_thread(doors.find_session, cookie)
            return _Asker(viewer, cookie, idled=viewer is None and await asyncio.to_thread(doors.was_idle, cookie))
        return _Asker()

    def _refusal(self, scope: Scope, headers: Headers, asker: _Asker) -> Response | None:
        """Return the answer to whoever may not pass, None to whoever may."""
        path, method, viewer = scope["path"], scope.get("method", "GET"), asker.viewer
        if _is_public(path):
            if method not in READING and not _is_own_form(headers):
                return _answer(scope, 403, f"{path}: expected a form of our own page; found another origin. Open {SIGN_IN} and try again.")
            return None
        if asker.refused:
            return _answer(scope, 401, "authorization: expected a valid API token; found another. Make one with waiwang account token.")
        if path in OWN_TOKEN and self._opens_by_own_token(scope, asker):
            return None
        if viewer is None:
            is_open = self.contexts.doors.reads_openly(_address(scope)) and path not in ("/metrics", OWN_PASSWORD, *OFFICE_PATHS)
            return None if is_open else self._challenge(scope, asker)
        if asker.cookie is not None and method not in READING and not _is_own_form(headers):
            return _answer(scope, 403, f"{path}: expected a request of our own page; found another origin. Use an API token elsewhere.")
        if asker.cookie is not None and viewer.must_change and path not in CHANGE_PATHS:
            return _lead(scope, OWN_PASSWORD, "a password that its holder chose, not too long ago", "another", "Choose one there")
        return _role_refusal(scope, path, viewer)

    def _opens_by_own_token(self, scope: Scope, asker: _Asker) -> bool:
        """/metrics is open to its token where it has one, else to whoever may read; the others judge their tokens themselves."""
        doors = self.contexts.doors
        if scope["path"] != "/metrics" or asker.is_scraper:
            return True
        return doors.metrics_token is None and asker.viewer is None and doors.reads_openly(_address(scope))

    def _challenge(self, scope: Scope, asker: _Asker) -> Response:
        path = scope["path"]
        if _is_browsed(scope):
            return RedirectResponse(f"{SIGN_IN}?next={quote(path)}{'&ended=idle' if asker.idled else ''}", 303)
        found = "a session that nobody used for too long" if asker.idled else "nobody"
        answer = _answer(scope, 401, f"{path}: expected somebody who signed in; found {found}. Sign in at {SIGN_IN}, or send an API token.")
        answer.headers["www-authenticate"] = "Bearer"
        return answer


def _role_refusal(scope: Scope, path: str, viewer: Viewer) -> Response | None:
    """Return the answer to whoever's role may not pass here."""
    offices, role = OFFICE_PATHS.get(path), viewer.role
    if offices is not None and role.kind not in offices:
        expected = " or ".join(kind for kind in offices if kind != NONE)
        return _answer(scope, 403, f"{path}: expected the office {expected}; found {shown(role)}. Ask whoever holds it.")
    if role.is_apart and offices is None and path not in APART_PATHS:
        return _lead(scope, OFFICE_PAGE, "a role of the rollout", shown(role), "Sign in with an account that has one")
    if role.is_narrow and not role.is_apart and not _is_for_narrow(path):
        return _answer(scope, 403, f"{path}: expected a role that sees the whole rollout; found a {role}. Ask the centre.")
    return None


def _lead(scope: Scope, target: str, expected: str, found: str, step: str) -> Response:
    """Lead a browser that opened the page to another one; refuse everything else."""
    if scope["path"] in ("/", "/en", OFFICE_PAGE) and scope["path"] != target and _is_browsed(scope):
        return RedirectResponse(target, 303)
    return _answer(scope, 403, f"{scope['path']}: expected {expected}; found {found}. {step}: {target}.")


def _is_browsed(scope: Scope) -> bool:
    """Tell whether somebody may have opened this in a browser."""
    path = scope["path"]
    return scope["type"] == "http" and not path.startswith("/api/") and path != "/metrics" and scope["method"] in READING


def _is_use(scope: Scope) -> bool:
    """Tell whether a person does this: writing, or opening what asks for nothing by itself. An open page asks on and on."""
    if scope["type"] != "http" or scope["path"].startswith(SOCKET):
        return False
    return scope["method"] not in READING or scope["path"] in HAND_PATHS


def _bearer(headers: Headers) -> tuple[str, str]:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return kind.lower(), token.strip()


def _bounded(path: str, receive: Receive) -> Receive:
    """Return a receiver that stops, by an answer 413, at the first octet beyond the bound."""
    heard = 0

    async def receive_bounded() -> Message:
        nonlocal heard
        message = await receive()
        heard += len(message.get("body", b""))
        if heard > BODY_LIMIT:
            raise HTTPException(413, f"{path}: expected at most {BODY_LIMIT:,} octets; found more. Send less at once.")
        return message

    return receive_bounded


def _answer(scope: Scope, status: int, detail: str) -> Response:
    return problem(Request({**scope, "type": "http"}), status, detail)


def _is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_FOLDERS)


def _is_for_narrow(path: str) -> bool:
    return path in NARROW_PATHS or any(path == folder or path.startswith(f"{folder}/") for folder in NARROW_FOLDERS)


def _is_same_origin(origin: str | None, host: str) -> bool:
    """Tell whether a websocket comes from our own page; clients that are no browser send no origin."""
    return origin is None or origin.partition("://")[2] == host


def _is_own_form(headers: Headers) -> bool:
    """Tell whether a browser sent this from our own page; every browser says so by one of two headers, which no page can set."""
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] == headers.get("host", "")
    return headers.get("sec-fetch-site") == "same-origin"


def _address(scope: Scope) -> str:
    """Return where a request comes from, as the proxies that we trust tell it; empty where nobody knows."""
    return scope["client"][0] if scope.get("client") else ""


def _guard(headers: MutableHeaders, scope: Scope, host: str, viewer: Viewer | None) -> None:
    # Older browsers do not read 'self' as covering ws: and wss:, so the host is named where it cannot break out of the header.
    sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    headers["content-security-policy"] = PLAIN_POLICY if scope["path"] in PLAIN_PATHS else POLICY + sockets
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "same-origin"
    headers["x-frame-options"] = "DENY"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["cross-origin-resource-policy"] = "same-origin"
    headers["permissions-policy"] = "camera=(), geolocation=(), microphone=()"
    if scope["scheme"] == "https":
        headers["strict-transport-security"] = STAY_ON_TLS
    if viewer is not None:
        headers["cache-control"] = "no-store"
