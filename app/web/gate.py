"""One pure-ASGI gate before API, pages and websocket: it lays the context into each request and closes the browser's doors."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.context import WebContext

#: NiceGUI's grid compiles its expressions, hence 'unsafe-eval'; its page starts from inline scripts and styles. So every text
#: that reaches the page is written as text, never as HTML.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; connect-src 'self'"
)
HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")


class Gate:
    """ASGI middleware. Refuses a websocket that a page of another origin opens; adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, context: WebContext) -> None:
        self.app, self.context = app, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["context"] = self.context
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if scope["type"] == "websocket":
            if not _is_same_origin(headers.get("origin"), host):
                await send({"type": "websocket.close", "code": 4403})
                return
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard(MutableHeaders(scope=message), host)
            await send(message)

        await self.app(scope, receive, send_guarded)


def _is_same_origin(origin: str | None, host: str) -> bool:
    """Tell whether a websocket comes from our own page; clients that are no browser send no origin."""
    return origin is None or origin.partition("://")[2] == host


def _guard(headers: MutableHeaders, host: str) -> None:
    # Older browsers do not read 'self' as covering ws: and wss:, so the host is named where it cannot break out of the header.
    sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    headers["content-security-policy"] = POLICY + sockets
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "same-origin"
    headers["x-frame-options"] = "DENY"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["permissions-policy"] = "camera=(), geolocation=(), microphone=()"
