"""The part of the page that shows faults: who has them, and what each carrier needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.core.fault_report import CarrierRestoring, FaultSummary, FaultView, WindowView, clock_holder
from app.web.dashboard.elements import block, pill, text
from app.web.dashboard.sections import Clock, Open
from app.web.dashboard.words import UNKNOWN, Words

FAULTS_SHOWN = 8
CHILDREN_SHOWN = 3
WINDOWS_SHOWN = 4


def draw_faults(words: Words, faults: FaultSummary, clock: Clock, open_line: Open) -> None:
    """Draw what is broken now, the longest first, then what carriers needed, then the windows that stand."""
    broken = faults.broken
    if not broken:
        text("p", words("faults_none"), "quiet")
    else:
        _draw_broken(words, broken, clock, open_line)
    if any(each.faults or each.planned for each in faults.carriers):
        _draw_carriers(words, faults.carriers)
    standing = [each for each in faults.windows if each.state in ("announced", "running")]
    if standing:
        _draw_windows(words, standing, clock)


def _draw_broken(words: Words, broken: Sequence[FaultView], clock: Clock, open_line: Open) -> None:
    with block("table", "list faults"):
        with block("thead"), block("tr"):
            for key in ("unit", "standing", "fault_began", "fault_with", "fault_agreed"):
                text("th", words(key), "", "scope=col")
        with block("tbody"):
            for fault in broken[:FAULTS_SHOWN]:
                with block("tr"):
                    _fault_row(words, fault, clock, open_line)
    if len(broken) > FAULTS_SHOWN:
        text("p", words("faults_more", count=len(broken) - FAULTS_SHOWN), "quiet")


def _fault_row(words: Words, fault: FaultView, clock: Clock, open_line: Open) -> None:
    carrier = words.pick(fault.carrier_name, fault.carrier_name_en)
    with block("td", "wide"):
        with block("button", "line-button", "type=button").on("click", lambda _: open_line(fault.line_id)):
            text("span", words.pick(fault.unit_name, fault.unit_name_en), "unit")
            text("span", fault.line_id, "line-id")
        text("div", f"{fault.fault_id} · {carrier} · {words.known('fault_source', fault.source)}", "muted")
        if fault.children:
            names = words("list_separator").join(fault.children[:CHILDREN_SHOWN])
            rest = words("and_more") if len(fault.children) > CHILDREN_SHOWN else ""
            text("div", words("fault_children", count=len(fault.children), names=names + rest), "shadowed")
    with block("td"):
        pill(words, "fault", fault.state)
        if fault.planned is not None:
            text("div", words("fault_planned_late" if fault.announced_late else "fault_planned", document=fault.planned), "muted")
        if fault.reopened:
            text("div", words("fault_reopened", count=fault.reopened), "muted")
    with block("td"):
        text("div", words.recent(clock.local(fault.began_at), clock.now), "nowrap")
    holder = clock_holder(fault)
    text("td", carrier if holder == fault.line_carrier else words.known("holder", holder), "nowrap")
    with block("td"):
        text("div", words("hours", count=f"{fault.agreed.total_seconds() / 3600:g}"), "nowrap")
        if fault.within_agreed is False:
            pill(words, "fault", "over")


def _draw_carriers(words: Words, carriers: Sequence[CarrierRestoring]) -> None:
    text("h3", words("fault_carriers"))
    with block("table", "list carriers"):
        with block("thead"), block("tr"):
            for key in ("carrier", "faults", "fault_broken", "fault_median", "fault_worst", "fault_kept", "fault_in_window"):
                text("th", words(key), "", "scope=col")
        with block("tbody"):
            for each in carriers:
                with block("tr"):
                    text("th", words.pick(each.carrier_name, each.carrier_name_en), "", "scope=row")
                    for cell in (str(each.faults), str(each.broken)):
                        text("td", cell, "count")
                    for span in (each.median, each.worst):
                        text("td", UNKNOWN if span is None else _span(words, span), "nowrap")
                    text("td", words("fault_kept_of", within=each.within, over=each.over), "nowrap")
                    text("td", str(each.planned), "count")


def _span(words: Words, span: timedelta) -> str:
    """Write a duration in minutes below two hours, in hours to a tenth from there on."""
    minutes = span / timedelta(minutes=1)
    return words("minutes", count=f"{minutes:.0f}") if minutes < 120 else words("hours", count=f"{minutes / 60:.1f}")


def _draw_windows(words: Words, windows: Sequence[WindowView], clock: Clock) -> None:
    text("h3", words("windows"))
    with block("ul", "windows"):
        for each in windows[:WINDOWS_SHOWN]:
            with block("li"):
                with block("div", "outage-line"):
                    pill(words, "window", each.state)
                    text("span", each.document)
                begin, end = (words.moment(clock.local(at)) for at in (each.starts_at, each.ends_at))
                late = words("window_late") if each.announced_late else ""
                parts = (f"{begin} – {end}", words("window_lines", count=each.lines), late)
                text("div", " · ".join(part for part in parts if part), "reason")
