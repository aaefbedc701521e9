"""The pages as one application that `create_app` mounts. NiceGUI is one per process, so it is built once and shared."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from nicegui import app as framework
from nicegui import ui

from app.web.dashboard.elements import text
from app.web.dashboard.page import PATHS, register_pages
from app.web.plain_page import LANGUAGE_COOKIE

STATIC = Path(__file__).parent / "static"
#: Given as text: a centre with three lines.
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1f4e8c"/>'
    '<path d="M16 8v7M16 15l-8 8M16 15l8 8M16 15v8" stroke="#fff" stroke-width="2" fill="none"/>'
    '<g fill="#fff"><circle cx="16" cy="7.5" r="3"/><circle cx="8" cy="24" r="2.5"/><circle cx="16" cy="24" r="2.5"/>'
    '<circle cx="24" cy="24" r="2.5"/></g></svg>'
)
YEAR_S = 365 * 24 * 3600
#: How long a page waits for a browser that was lost, with its dialog and what was typed. From it NiceGUI takes how long a browser may
#: keep silent before it counts as lost (two fifths): its own 2 s are short for a machine with much to do, or a line that falters.
RECONNECT_S = 25.0
#: In both languages: what failed may be the choice between them.
FAILED = "服务器处理本页时出错，原因见服务器日志。 The server failed on this page. Its log holds the reason; tell whoever runs it."


def _draw_failure() -> None:
    """Stand in for a page that failed. The framework's own would show the exception's words, which are for the log."""
    text("p", FAILED, "quiet")


@cache
def build_pages() -> FastAPI:
    """Build the pages. Each finds its reader in the request (`Gate`), so several applications may mount them."""
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.mount("/static", StaticFiles(directory=STATIC))

    @pages.get("/language/{code}")
    def choose_language(code: str) -> RedirectResponse:
        """Remember the language and show the page in it; an unknown one is Chinese."""
        language = code if code in PATHS else "zh"
        answer = RedirectResponse(PATHS[language], 303)
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax")
        return answer

    register_pages()
    framework.on_page_exception(_draw_failure)
    ui.run_with(pages, title="waiwang", favicon=FAVICON, tailwind=False, show_welcome_message=False, reconnect_timeout=RECONNECT_S)
    return pages
