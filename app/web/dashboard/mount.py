"""The pages as one application that `create_app` mounts. NiceGUI is one per process, so it is built once and shared."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from nicegui import ui

from app.web.dashboard.page import COOKIE, PATHS, register_pages

STATIC = Path(__file__).parent / "static"
#: Given as text: a centre with three lines.
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1f4e8c"/>'
    '<path d="M16 8v7M16 15l-8 8M16 15l8 8M16 15v8" stroke="#fff" stroke-width="2" fill="none"/>'
    '<g fill="#fff"><circle cx="16" cy="7.5" r="3"/><circle cx="8" cy="24" r="2.5"/><circle cx="16" cy="24" r="2.5"/>'
    '<circle cx="24" cy="24" r="2.5"/></g></svg>'
)
YEAR_S = 365 * 24 * 3600


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
        answer.set_cookie(COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax")
        return answer

    register_pages()
    ui.run_with(pages, title="waiwang", favicon=FAVICON, tailwind=False, show_welcome_message=False)
    return pages
