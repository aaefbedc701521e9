"""The dashboard: one page for officials, Chinese first, drawn from one summary and renewed every few seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from fastapi.responses import RedirectResponse
from nicegui import Client, run, ui

from app.core.fault_report import FaultSummary
from app.core.line_view import LineView
from app.core.progress import Summary
from app.errors import WaiwangError
from app.web.context import WebContext
from app.web.dashboard import sections, view
from app.web.dashboard.deadlines import draw_deadlines
from app.web.dashboard.detail import HISTORY_SHOWN, draw_detail
from app.web.dashboard.elements import block, text
from app.web.dashboard.faults import draw_faults
from app.web.dashboard.grid import ATTENTION, BROKEN, LineGrid
from app.web.dashboard.life import Entries, read_books
from app.web.dashboard.words import Words
from app.web.doors import SIGN_IN, read_cookie
from app.web.plain_page import LANGUAGE_COOKIE

PATHS = {"zh": "/", "en": "/en"}
REFRESH_S = 3.0
#: How long a page may take to be drawn before the browser is told that it failed; NiceGUI's own 3 s are short for a large city's first.
PATIENCE_S = 30.0
#: How long before a session ends for want of use the page says so.
IDLE_NOTICE = timedelta(minutes=2)
Value = TypeVar("Value")


def register_pages() -> None:
    """Register the page in both languages; each has its own address, so that the document says which language it is in."""

    @ui.page(PATHS["zh"], language="zh-CN", response_timeout=PATIENCE_S)
    async def chinese(client: Client) -> RedirectResponse | None:
        if client.request.cookies.get(LANGUAGE_COOKIE) == "en":
            return RedirectResponse(PATHS["en"], 303)
        await Page(client, Words("zh")).build()
        return None

    @ui.page(PATHS["en"], language="en-US", response_timeout=PATIENCE_S)
    async def english(client: Client) -> None:
        await Page(client, Words("en")).build()


@dataclass
class Part:
    """A container that is drawn anew only when what it shows has changed."""

    container: ui.element
    shown: object = None

    def show(self, value: Value, draw: Callable[[Value], None]) -> None:
        if value == self.shown:
            return
        self.shown = value
        self.container.clear()
        with self.container:
            draw(value)


class Page:
    """One open page of one browser."""

    def __init__(self, client: Client, words: Words) -> None:
        context = client.request.state.context
        assert isinstance(context, WebContext)
        self.client, self.words, self.context = client, words, context
        self.cookie = read_cookie(client.request.headers)
        self.parts: dict[str, Part] = {}
        self.grid: LineGrid | None = None
        self.summary: Summary | None = None

    async def build(self) -> None:
        """Draw the frame, then what is known now."""
        ui.page_title(self.words("page_title"))
        ui.add_head_html('<link rel="stylesheet" href="/static/dashboard.css">')
        if self.cookie is not None and self.context.viewer is not None:
            ui.add_head_html('<script defer src="/static/activity.js"></script>')
            ui.on("activity", self.note_use)
        with block("header", "head"):
            self._part("header", "head-inner")
            self._part("clock", "clock")
        with block("main", "page"):
            self._part("failure")
            self._part("idle")
            self._part("banners", "banners")
            self._part("figures", "figures")
            self._section("milestones")
            self._section("deadlines")
            with block("div", "columns"):
                self._section("attention")
                with block("section", "card", "aria-labelledby=h-states"):
                    with block("div", "card-head"):
                        text("h2", self.words("states"), "", "id=h-states")
                    self._part("states", "scroll")
                    self._part("outages", "scroll")
            self._section("faults")
            with block("section", "card all-lines-card", "aria-labelledby=h-all"):
                with block("div", "card-head"):
                    text("h2", self.words("all_lines"), "", "id=h-all")
                    text("span", self.words("all_lines_note"), "muted")
                self._part("all_lines")
        self._draw_foot()
        self.dialog = ui.dialog().props('aria-labelledby="detail-title"')
        await self.refresh()
        ui.timer(REFRESH_S, self.refresh, immediate=False)

    async def refresh(self) -> None:
        """Read the summary again and draw what has changed; a store that fails leaves the page standing and says so.

        A page whose session is over goes away: what it shows may not be its viewer's to see any more.
        """
        try:
            if await self._is_over():
                return
            summary = await run.io_bound(self.context.recent)
        except WaiwangError as error:
            self.parts["failure"].show(str(error), lambda message: sections.draw_failure(self.words, message))
            return
        self.parts["failure"].show("", lambda _: None)
        self._draw_idle()
        if summary is not None:  # None: the process is ending
            self._draw(summary)

    async def note_use(self) -> None:
        """Note that somebody moves the mouse, types or scrolls here; what the page asks by itself is no use of the session."""
        try:
            if self.cookie is not None:
                await run.io_bound(self.context.doors.note_use, self.cookie)
        except WaiwangError as error:
            self.parts["failure"].show(str(error), lambda message: sections.draw_failure(self.words, message))

    async def open_line(self, line_id: str) -> None:
        """Read the evidence on a line and open its dialog."""
        reader, line, failure = self.context.reader, self._find_line(line_id), self.words("gone")
        registry = self.context.registry
        decision, changes, books = None, None, None
        try:
            if await self._is_over():
                return
            decision = await run.io_bound(reader.acceptance, line_id)
            changes = await run.io_bound(reader.transitions, line_id, HISTORY_SHOWN)
            books = await run.io_bound(read_books, registry, line_id) if registry is not None and line is not None else None
        except WaiwangError as error:
            line, failure = None, str(error)
        self.dialog.clear()
        with self.dialog, ui.card().classes("detail"):
            text("button", self.words("close"), "close", "type=button autofocus").on("click", self.dialog.close)
            if line is None:
                text("p", failure, "quiet")
            else:
                draw_detail(self.words, self.context, line, decision, changes or (), books)
                if books is not None:
                    Entries(self.words, self.context, books, lambda: self.open_line(line_id), self._is_signed_in).draw()
        self.dialog.open()

    async def _is_over(self) -> bool:
        """Tell whether the session has ended, and then lead away; a browser that stays is told nothing more."""
        if self.context.viewer is None or await run.io_bound(self._is_signed_in):
            return False
        idled = self.cookie is not None and await run.io_bound(self.context.doors.was_idle, self.cookie)
        ui.navigate.to(f"{SIGN_IN}?ended=idle&next={PATHS[self.words.language]}" if idled else SIGN_IN)
        return True

    def _draw_idle(self) -> None:
        """Say that the session is about to end, while somebody who reads the page can still keep it."""
        left = self.context.doors.idle_left(self.cookie) if self.cookie is not None and self.context.viewer is not None else None
        soon = left is not None and left <= IDLE_NOTICE
        shown = self.words.age(left) if left is not None and soon else ""
        self.parts["idle"].show(shown, lambda age: sections.draw_idle(self.words, age))

    def _is_signed_in(self) -> bool:
        """Tell whether the session that this page was opened with still holds, in the same role."""
        return self.context.viewer == (self.context.doors.find_session(self.cookie) if self.cookie else None)

    def _find_line(self, line_id: str) -> LineView | None:
        return next((line for line in self.summary.lines if line.line_id == line_id), None) if self.summary else None

    def _draw(self, summary: Summary) -> None:
        words, parts, polling = self.words, self.parts, self._polling(summary)
        other = next(language for language in PATHS if language != words.language)
        viewer = self.context.viewer
        parts["header"].show(
            (summary.order_number, summary.order_title), lambda _: sections.draw_header(words, summary, other, viewer)
        )
        parts["clock"].show(summary.as_of, lambda at: self._draw_clock(summary))
        banners = (summary.simulation_note, summary.illustration, summary.moved_deadlines, polling if polling.stale else None)
        parts["banners"].show(banners, lambda _: sections.draw_banners(words, summary, polling))
        parts["figures"].show((view.figures(summary), polling), lambda _: sections.draw_figures(words, view.figures(summary), polling))
        parts["milestones"].show(summary.milestones, lambda now: sections.draw_milestones(words, now))
        deadlines = (summary.milestones, summary.jeopardy, summary.assumed_years, summary.forecast_level)
        parts["deadlines"].show(deadlines, lambda _: draw_deadlines(words, summary))
        steady = [without_rates(line) for line in summary.lines]
        parts["attention"].show(
            view.attention(steady), lambda now: sections.draw_attention(words, now, self.open_line, self._list_attention)
        )
        parts["states"].show(view.states_by_region(steady), lambda _: sections.draw_states(words, summary.lines))
        clock = sections.Clock(self.context.local(summary.as_of), self.context.local)
        today = (view.outages(steady), clock.now.date())
        parts["outages"].show(today, lambda now: sections.draw_outages(words, now[0], clock, self.open_line, self._list_broken))
        # what has lasted how long is drawn anew with the state of faults, not with every second
        parts["faults"].show(
            (still(summary.faults), clock.now.date()), lambda now: draw_faults(words, now[0], clock, self.open_line)
        )
        self._draw_grid(summary)
        self.summary = summary

    def _draw_grid(self, summary: Summary) -> None:
        if self.grid is None:
            with self.parts["all_lines"].container:
                self.grid = LineGrid(self.words, summary, self.open_line)
        elif self.summary is not None and summary.lines != self.summary.lines:
            self.grid.reload()

    def _draw_clock(self, summary: Summary) -> None:
        at = self.context.local(summary.as_of)
        text("span", self.words("as_of"), "clock-name")
        text("span", self.words.day(at), "clock-day")
        text("b", f"{at:%H:%M:%S}", "clock-time")
        text("span", self.words.known("zone", self.context.zone.key), "clock-zone")

    def _draw_foot(self) -> None:
        with block("footer", "foot"):
            text("span", self.words("foot", seconds=f"{REFRESH_S:g}"))
            text("a", self.words("api"), "", "href=/api/v1/openapi.json")
            text("a", self.words("metrics"), "", "href=/metrics")

    def _list_attention(self) -> None:
        self._list_below(due=ATTENTION)

    def _list_broken(self) -> None:
        self._list_below(state=BROKEN)

    def _list_below(self, **filters: str) -> None:
        if self.grid is not None:
            self.grid.show(**filters)
            ui.run_javascript("document.getElementById('h-all').scrollIntoView({behavior: 'smooth'})")

    def _part(self, name: str, classes: str = "") -> None:
        self.parts[name] = Part(block("div", classes))

    def _section(self, name: str) -> None:
        with block("section", "card", f"aria-labelledby=h-{name}"):
            with block("div", "card-head"):
                text("h2", self.words(name), "", f"id=h-{name}")
                if name == "milestones":
                    text("span", self.words("milestones_note"), "muted")
            self._part(name, "scroll")

    def _polling(self, summary: Summary) -> sections.Polling:
        at = summary.polled_at
        return sections.Polling(
            at=self.context.local(at) if at else None,
            age=summary.as_of - (at or summary.as_of),
            stale=self.context.is_stale(summary),
        )


def still(faults: FaultSummary) -> FaultSummary:
    """Return faults without what grows by itself, so that their list stands still while nothing else changes."""
    steady = tuple(replace(each, lasted=timedelta(0)) for each in faults.faults)
    return replace(faults, since=None, faults=steady)


def without_rates(line: LineView) -> LineView:
    """Return the line without what changes at every poll, so that lists stand still while nothing else changes."""
    return replace(line, down_bps=None, up_bps=None, in_errors=None, sampled_at=None)
