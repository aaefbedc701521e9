"""Pictures of reports as SVG: a timeline of milestones and a schematic map of the counties. Pure: same facts, same text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from html import escape
from math import pi

from app.core.milestone_view import MilestoneView
from app.core.standings import Standing, by_region, primary_lines
from app.core.wrapping import HAN, count_cells, wrap_words
from app.web.reports.shared import Ground

FACE = "Noto Sans CJK SC"
#: Colour by what a milestone's state means; words stand beside it, so that a page in black and white says the same.
COLOURS = {
    "met": "#2e7d46",
    "met_late": "#9a7b00",
    "late": "#b3261e",
    "not_proven": "#7a5195",
    "at_risk": "#c77700",
    "open": "#33619e",
    "not_measured": "#9aa0a6",
}
GREY, PALE, INK = "#c9ced6", "#e9edf2", "#23272e"
#: What a ring shows, in this order; the rest of it is open.
RINGS = {state: COLOURS[state] for state in ("met", "late", "not_proven", "at_risk")}
WIDTH, NAMES, ROW = 900, 320, 34
#: Room beside the axis for how the milestone that ends last stands.
STANDING = 128
#: How many characters a line of a title holds, set large or small; Han characters are twice as wide as Latin ones.
TITLE_CELLS, SMALL_CELLS = 45, 52
#: Between a line and the words beside it.
GAP = 6
#: Of the map: how many regions stand in a row, how far rows are apart, how large a ring is.
PER_ROW, ROW_GAP, RADIUS = 7, 152, 44


def draw_timeline(ground: Ground) -> str:
    """Return the milestones under each other on one axis of days: when each is due, how much is done, how it stands."""
    zone, milestones = ground.workspace.order.timezone, ground.known.summary.milestones
    today = ground.known.at.astimezone(zone).date()
    first = min(ground.workspace.order.issued_on, today, *(each.due_on for each in milestones))
    last = max(today, *(each.due_on for each in milestones)) + timedelta(days=1)
    axis = _Axis(first, last)
    height = ROW * len(milestones) + 64
    rows = [(each, 48 + ROW * number) for number, each in enumerate(sorted(milestones, key=lambda each: each.due_on))]
    parts, x = [*_months(axis, height)], axis.x(today)
    for each, y in rows:
        parts += _milestone_bar(ground, axis, each, y)
    parts.append(f'<line x1="{x:.1f}" y1="26" x2="{x:.1f}" y2="{height - 16}" stroke="{INK}" stroke-width="1.2" stroke-dasharray="4 3"/>')
    parts.append(_text(x, height - 2, ground.say("today", day=today), 11, "middle"))
    parts += [_standing(ground, each, (axis.x(each.due_on), y), x) for each, y in rows]
    return _svg(WIDTH, height, parts)


class _Axis:
    """Days from left to right."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last

    def x(self, day: date) -> float:
        return NAMES + (WIDTH - NAMES - STANDING) * (day - self.first).days / max(1, (self.last - self.first).days)


def _months(axis: _Axis, height: int) -> Iterator[str]:
    """Yield the first days of months, not more of them than can be read."""
    months = range(axis.first.year * 12 + axis.first.month - 1, axis.last.year * 12 + axis.last.month)
    starts = [date(number // 12, number % 12 + 1, 1) for number in months]
    shown = [day for day in starts if axis.first <= day <= axis.last]
    step = max(1, -(-len(shown) // 9))
    for day in shown[::step]:
        x = axis.x(day)
        yield f'<line x1="{x:.1f}" y1="26" x2="{x:.1f}" y2="{height - 18}" stroke="{PALE}" stroke-width="1"/>'
        yield _text(x, 18, f"{day:%Y-%m}", 11, "middle")


def _milestone_bar(ground: Ground, axis: _Axis, each: MilestoneView, y: int) -> Iterator[str]:
    say, colour = ground.say, COLOURS[each.state]
    begin, due = axis.x(axis.first), axis.x(each.due_on)
    width = max(due - begin, 4)
    yield from _title(say.pick(each.title, each.title_en), y)
    yield f'<rect x="{begin:.1f}" y="{y - 7}" width="{width:.1f}" height="14" rx="2" fill="{PALE}"/>'
    if each.total and each.done:
        yield f'<rect x="{begin:.1f}" y="{y - 7}" width="{width * each.done / each.total:.1f}" height="14" rx="2" fill="{colour}"/>'
    yield f'<line x1="{due:.1f}" y1="{y - 11}" x2="{due:.1f}" y2="{y + 11}" stroke="{colour}" stroke-width="2.4"/>'


def _title(title: str, y: int) -> Iterator[str]:
    """Write a title before its bar: on one line, or smaller on two."""
    if count_cells(title) <= TITLE_CELLS:
        yield _text(NAMES - 12, y + 5, title, 13, "end")
        return
    lines = wrap_words(title, SMALL_CELLS)
    if len(lines) == 1:
        yield _text(NAMES - 12, y + 4, title, 11, "end")
        return
    if len(lines) > 2:
        lines = [lines[0], _cut("".join(lines[1:]) if _is_han(title) else " ".join(lines[1:]), SMALL_CELLS)]
    for number, line in enumerate(lines):
        yield _text(NAMES - 12, y - 3 + 14 * number, line, 11, "end")


def _standing(ground: Ground, each: MilestoneView, end: tuple[float, float], today: float) -> str:
    """Write how a milestone stands beside the end of its bar; beside the line of `today`, never across it."""
    due, y = end
    words = ground.say.words.known("milestone", each.state) + (f" {each.done}/{each.total}" if each.total else "")
    begin = due + GAP
    if due <= today < begin + _width(words, 11) + GAP:
        begin = today + GAP
    return _text(begin, y + 5, words, 11, "start", COLOURS[each.state])


def _width(words: str, size: int) -> float:
    """Return about how wide words are: a Han character is as wide as it is high, others a little over half of that."""
    return sum(size if ord(sign) > HAN else 0.58 * size for sign in words)


def draw_map(ground: Ground) -> str:
    """Return the centre with its counties around it, by the tree of regions: each a ring that closes as its lines are accepted."""
    zone = ground.workspace.order.timezone
    regions = ground.workspace.inventory.regions
    standings = {each.key: each for each in by_region(primary_lines(ground.known.summary), zone)}
    root = next((code for code, region in regions.items() if region.parent not in regions), next(iter(regions)))
    around = [code for code in regions if code != root]
    centre, others, height = _places(len(around))
    places = {root: centre} | dict(zip(around, others, strict=True))
    parts = [
        f'<line x1="{centre[0]:.1f}" y1="{centre[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}" stroke="{GREY}" stroke-width="2"/>'
        for code, (x, y) in places.items()
        if code != root
    ]
    for code, place in places.items():
        region = regions[code]
        parts += _region(ground, ground.say.pick(region.name, region.name_en), standings.get(code), place)
    return _svg(WIDTH, height, [*parts, *_legend(ground, height - 12)])


def _places(count: int) -> tuple[tuple[float, float], list[tuple[float, float]], int]:
    """Return where the centre stands and the regions around it, half of them in rows above and half below, and how high that is."""
    above, below = _rows(count - count // 2), _rows(count // 2)
    middle = 60 + ROW_GAP * len(above)
    places = [
        (WIDTH * (place + 0.5) / length, 60.0 + ROW_GAP * (number + (number >= len(above))))
        for number, length in enumerate([*above, *below])
        for place in range(length)
    ]
    return (WIDTH / 2, float(middle)), places, middle + ROW_GAP * len(below) + 122


def _rows(count: int) -> list[int]:
    """Share regions out to rows of nearly the same length."""
    rows = -(-count // PER_ROW)
    return [count // rows + (number < count % rows) for number in range(rows)]


def _legend(ground: Ground, y: int) -> Iterator[str]:
    """Say what the colours of the rings mean, on one line in the middle."""
    say = ground.say.words
    dues = ("accepted", "late", "not_proven", "at_risk", "open")
    entries = list(zip((*RINGS.values(), GREY), (say.known("due", due) for due in dues), strict=True))
    step = 120
    begin = WIDTH / 2 - step * len(entries) / 2 + 16
    for number, (colour, word) in enumerate(entries):
        x = begin + step * number
        yield f'<rect x="{x:.1f}" y="{y - 10}" width="12" height="12" rx="2" fill="{colour}"/>'
        yield _text(x + 18, y, word, 13, "start")


def _region(ground: Ground, name: str, standing: Standing | None, place: tuple[float, float]) -> Iterator[str]:
    (x, y), radius = place, RADIUS
    around = 2 * pi * radius
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius + 7}" fill="#ffffff"/>'
    rim = 2 if standing is None else 10  # a region without lines of its own has no ring to close
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="#ffffff" stroke="{GREY}" stroke-width="{rim}"/>'
    if standing is not None:
        begun = -90.0
        counts = {"met": standing.done, "late": standing.late, "not_proven": standing.not_proven, "at_risk": standing.at_risk}
        for state, count in counts.items():
            length = around * count / standing.total
            if length:
                yield (
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="none" stroke="{COLOURS[state]}" stroke-width="10" '
                    f'stroke-dasharray="{length:.2f} {around - length + 1:.2f}" transform="rotate({begun:.2f} {x:.1f} {y:.1f})"/>'
                )
            begun += 360 * count / standing.total
        yield _text(x, y - 1, ground.say.share(standing.done, standing.total), 17, "middle")
        yield _text(x, y + 17, f"{standing.done}/{standing.total}", 12, "middle")
    lines = wrap_words(name, 18) if count_cells(name) > 18 else [name]
    for number, line in enumerate(lines):
        yield _text(x, y + radius + 22 + 15 * number, line, 13, "middle")
    if standing is not None:
        yield _text(x, y + radius + 22 + 15 * len(lines), _open_words(ground, standing), 11, "middle")


def _open_words(ground: Ground, standing: Standing) -> str:
    """Say what of a ring is late, not proven or at risk, for those who do not see its colours."""
    say = ground.say.words
    counts = (("late", standing.late), ("not_proven", standing.not_proven), ("at_risk", standing.at_risk))
    return say("list_separator").join(f"{say.known('due', due)} {count}" for due, count in counts if count)


def _text(x: float, y: float, words: str, size: int, anchor: str, colour: str = INK) -> str:
    """Write words with a white rim, so that a line behind them does not cross them."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" stroke="#ffffff" stroke-width="3" paint-order="stroke"'
    return f'<text {place} font-family="{FACE}" font-size="{size}" fill="{colour}">{escape(words)}</text>'


def _is_han(words: str) -> bool:
    return any(ord(sign) > HAN for sign in words)


def _cut(words: str, cells: int) -> str:
    """Cut words that are wider than their column."""
    if count_cells(words) <= cells:
        return words
    while count_cells(words) >= cells:
        words = words[:-1]
    return f"{words}…"


def _svg(width: int, height: int, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )
