"""All lines in a grid that reads pages of `/api/v1/lines`, so that thousands of rows cost what one page costs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from nicegui import events, ui

from app.core.line_deadline import LINE_DUES
from app.core.line_view import SHOWN_STATES
from app.core.progress import Summary
from app.web.dashboard.elements import block, text
from app.web.dashboard.view import regions_of
from app.web.dashboard.words import UNKNOWN, Words

PAGE_ROWS = 100
#: Filters of several values that the lists above lead to.
ATTENTION, BROKEN = "late,not_proven,at_risk", "down,unreachable"
#: The filter lives in the browser: AG Grid asks for pages by itself.
DATASOURCE = (
    "{getRows: p => {const s = p.sortModel[0];"
    " fetch('/api/v1/lines?start=' + p.startRow + '&end=' + p.endRow"
    " + (s ? '&sort=' + s.colId + '&desc=' + (s.sort == 'desc') : '') + '&' + (window.waiwangFilter || ''))"
    ".then(r => r.ok ? r.json() : Promise.reject(r.status))"
    ".then(d => {p.successCallback(d.rows, d.total);"
    " window.waiwangGrid && (d.total ? window.waiwangGrid.hideOverlay() : window.waiwangGrid.showNoRowsOverlay())})"
    ".catch(() => p.failCallback())}}"
)
RATE = (
    "p => p.value == null ? '—' : p.value >= 1e6 ? (p.value / 1e6).toFixed(2) + ' Mbit/s'"
    " : p.value >= 1e3 ? (p.value / 1e3).toFixed(2) + ' kbit/s' : p.value.toFixed(0) + ' bit/s'"
)

#: Words of a class without what stands in brackets after them.
SHORT = ".split('（')[0].split(' (')[0]"
#: A line that is accepted has no days left to speak of.
DAYS = f"p => !p.data || p.value == null || p.data.due.startsWith('accepted') ? '{UNKNOWN}' : p.value"


class LineGrid:
    """The filters and the grid under them. `open_line` is called with the id of a row that was clicked."""

    def __init__(self, words: Words, summary: Summary, open_line: Callable[[str], Awaitable[None]]) -> None:
        self.words = words
        with block("div", "filters"):
            self.text = ui.input(placeholder=words("search")).props("dense outlined clearable debounce=300").classes("filter-text")
            self.choices = {name: self._draw_choice(name, options) for name, options in choices(words, summary).items()}
            text("button", words("clear"), "more", "type=button").on("click", lambda _: self.show())
        self.text.on_value_change(lambda _: self._apply())
        self.grid = ui.aggrid(grid_options(words)).classes("all-lines")
        self.grid.on("cellClicked", lambda event: open_line(_line_id(event)), args=["data"])

    def show(self, **filters: str) -> None:
        """Set every filter anew: those given by their option, the others to: any."""
        self.text.value = ""
        for name, choice in self.choices.items():
            choice.value = filters.get(name, "")

    def reload(self) -> None:
        """Read the pages in view again, keeping place and selection."""
        self.grid.run_grid_method("refreshInfiniteCache")

    def _draw_choice(self, name: str, options: dict[str, str]) -> ui.select:
        label = self.words(f"any_{name}")
        choice = ui.select(options, value="", on_change=lambda _: self._apply()).props(f'dense outlined options-dense aria-label="{label}"')
        return choice.classes(f"filter-{name}")

    def _apply(self) -> None:
        pairs = [("q", self.text.value or "")] + [
            (name, value) for name, choice in self.choices.items() for value in (choice.value or "").split(",")
        ]
        query = json.dumps(urlencode([(name, value) for name, value in pairs if value]))
        ui.run_javascript(
            f"window.waiwangFilter = {query}; const grid = window.waiwangGrid;"
            " if (grid) {if (grid.getDisplayedRowCount()) grid.ensureIndexVisible(0); grid.purgeInfiniteCache()}"
        )


def choices(words: Words, summary: Summary) -> dict[str, dict[str, str]]:
    """Return the options of each filter: the API's parameter → value → words; the empty value is: any."""
    classes = {line.class_id: words.short(line.class_words, line.class_words_en) for line in summary.lines}
    carriers = {line.carrier: words.pick(line.carrier_name, line.carrier_name_en) for line in summary.lines}
    found = {
        "region": {region.code: words.pick(region.name, region.name_en) for region in regions_of(summary.lines)},
        "class": classes,
        "state": {BROKEN: words("state_broken")} | {state: words(f"state_{state}") for state in SHOWN_STATES},
        "due": {ATTENTION: words("attention")} | {due: words(f"due_{due}") for due in LINE_DUES},
        "carrier": carriers,
    }
    return {name: {"": words(f"any_{name}")} | options for name, options in found.items()}


def grid_options(words: Words) -> dict[str, object]:
    """Return AG Grid's options. Keys that begin with a colon hold JavaScript of ours; cells are text, never HTML."""
    english = "_en" if words.language == "en" else ""
    name = f"unit_name{english}"
    columns: list[dict[str, object]] = [
        {"field": name, "headerName": words("unit"), "flex": 3, "minWidth": 212 if english else 190, "tooltipField": name},
        {"field": "line_id", "headerName": words("line_id"), "width": 144, "cellClass": "line-id"},
        _named("region", f"region_name{english}", words("region")) | {"width": 130 if english else 92},
        _named("class_id", f"class_words{english}", words("class"), SHORT) | {"flex": 2, "minWidth": 118},
        _named("carrier", f"carrier_name{english}", words("carrier")) | {"width": 124},
        _coded(words, "state", words("state"), SHOWN_STATES),
        _coded(words, "due", words("standing"), LINE_DUES),
        {"field": "days_left", "headerName": words("days_left"), "width": 90, "type": "rightAligned", ":valueFormatter": DAYS},
        {"field": "down_bps", "headerName": words("rate_down"), "width": 106, "type": "rightAligned", ":valueFormatter": RATE},
        {"field": "up_bps", "headerName": words("rate_up"), "width": 106, "type": "rightAligned", ":valueFormatter": RATE},
    ]
    return {
        "columnDefs": columns,
        "defaultColDef": {"sortable": True, "resizable": True, "suppressHeaderMenuButton": True, "suppressMovable": True},
        "rowModelType": "infinite",
        "cacheBlockSize": PAGE_ROWS,
        "maxBlocksInCache": 10,
        "infiniteInitialRowCount": 1,
        "rowHeight": 34,
        "headerHeight": 36,
        "suppressCellFocus": False,
        "localeText": {
            "loadingOoo": words("grid_loading"),
            "noRowsToShow": words("grid_empty"),
            "ariaSortableColumn": "",
            "ariaRowSelect": "",
        },
        ":getRowId": "p => p.data.line_id",
        # What a click opens, the Enter key opens too.
        ":onCellKeyDown": "p => {if (p.event.key === 'Enter') p.event.target.click()}",
        ":onGridReady": "p => {window.waiwangGrid = p.api}",
        ":datasource": DATASOURCE,
    }


def _named(field: str, shown: str, heading: str, shorten: str = "") -> dict[str, object]:
    """Return a column that sorts by a code and shows its name; the whole of it under the pointer."""
    return {
        "field": field,
        "headerName": heading,
        ":valueGetter": f"p => p.data && p.data.{shown}{shorten}",
        ":tooltipValueGetter": f"p => p.data && p.data.{shown}",
    }


def _coded(words: Words, field: str, heading: str, values: tuple[str, ...]) -> dict[str, object]:
    """Return a column whose codes are shown in words, with a class per code."""
    names = json.dumps({value: words(f"{field}_{value}") for value in values}, ensure_ascii=False)
    return {
        "field": field,
        "headerName": heading,
        "width": 100 if words.language == "zh" else 126,
        ":valueFormatter": f"p => ({names})[p.value] || p.value || '{UNKNOWN}'",
        ":cellClass": "p => 'coded is-' + p.value",
    }


def _line_id(event: events.GenericEventArguments) -> str:
    row = event.args.get("data") or {}
    return str(row.get("line_id", ""))
