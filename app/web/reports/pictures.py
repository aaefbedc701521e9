"""Pictures of reports as SVG: a timeline of milestones and a schematic map of the counties. Pure: same facts, same text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from html import escape
from math import cos, pi, sin

from app.core.milestone_view import MilestoneView
from app.core.standings import Standing, by_region, primary_lines
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
WIDTH, NAMES, ROW = 900, 330, 28
#: Han characters are twice as wide as Latin ones.
NAME_CELLS = 44


def draw_timeline(ground: Ground) -> str:
    """Return the milestones under each other on one axis of days: when each is due, how much is done, how it stands."""
    zone, milestones = ground.workspace.order.timezone, ground.known.summary.milestones
    today = ground.known.at.astimezone(zone).date()
    first = min(ground.workspace.order.issued_on, today, *(each.due_on for each in milestones))
    last = max(today, *(each.due_on for each in milestones)) + timedelta(days=1)
    axis = _Axis(first, last)
    height = ROW * len(milestones) + 64
    parts, x = [*_months(axis, height)], axis.x(today)
    parts.append(f'<line x1="{x:.1f}" y1="26" x2="{x:.1f}" y2="{height - 16}" stroke="{INK}" stroke-width="1.2" stroke-dasharray="4 3"/>')
    parts.append(_text(x, height - 2, f"{ground.say('today')} {today:%m-%d}", 11, "middle"))
    for number, each in enumerate(sorted(milestones, key=lambda each: each.due_on)):
        parts += _milestone_row(ground, axis, each, 48 + ROW * number)
    return _svg(WIDTH, height, parts)


class _Axis:
    """Days from left to right."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last

    def x(self, day: date) -> float:
        return NAMES + (WIDTH - NAMES - 70) * (day - self.first).days / max(1, (self.last - self.first).days)


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


def _milestone_row(ground: Ground, axis: _Axis, each: MilestoneView, y: int) -> Iterator[str]:
    say, colour = ground.say, COLOURS[each.state]
    begin, due = axis.x(axis.first), axis.x(each.due_on)
    width = max(due - begin, 4)
    yield _text(NAMES - 12, y + 5, _cut(say.pick(each.title, each.title_en)), 13, "end")
    yield f'<rect x="{begin:.1f}" y="{y - 7}" width="{width:.1f}" height="14" rx="2" fill="{PALE}"/>'
    if each.total and each.done:
        yield f'<rect x="{begin:.1f}" y="{y - 7}" width="{width * each.done / each.total:.1f}" height="14" rx="2" fill="{colour}"/>'
    yield f'<line x1="{due:.1f}" y1="{y - 11}" x2="{due:.1f}" y2="{y + 11}" stroke="{colour}" stroke-width="2.4"/>'
    standing = say.words.known("milestone", each.state) + (f" {each.done}/{each.total}" if each.total else "")
    yield _text(due + 6, y + 5, standing, 11, "start", colour) if due < WIDTH - 130 else _text(due - 6, y - 10, standing, 10, "end", colour)


def draw_map(ground: Ground) -> str:
    """Return the centre with its counties around it, by the tree of regions: each a ring that closes as its lines are accepted."""
    zone = ground.workspace.order.timezone
    regions = ground.workspace.inventory.regions
    standings = {each.key: each for each in by_region(primary_lines(ground.known.summary), zone)}
    root = next((code for code, region in regions.items() if region.parent not in regions), next(iter(regions)))
    around = [code for code in regions if code != root]
    height = 394 if around else 174
    centre = (WIDTH / 2, height / 2 - 24)
    places = {root: centre}
    for number, code in enumerate(around):
        turn = 2 * pi * number / len(around) - (pi / 2 if len(around) % 2 else pi / 4 if len(around) == 4 else pi / 2)
        places[code] = (centre[0] + 310 * cos(turn), centre[1] + 118 * sin(turn))
    parts = [
        f'<line x1="{centre[0]:.1f}" y1="{centre[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}" stroke="{GREY}" stroke-width="2"/>'
        for code, (x, y) in places.items()
        if code != root
    ]
    for code, place in places.items():
        region = regions[code]
        parts += _region(ground, ground.say.pick(region.name, region.name_en), standings.get(code), place)
    return _svg(WIDTH, height, [*parts, *_legend(ground, height - 12)])


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
    (x, y), radius = place, 44
    around = 2 * pi * radius
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius + 7}" fill="#ffffff"/>'
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="#ffffff" stroke="{GREY}" stroke-width="10"/>'
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
    yield _text(x, y + radius + 24, name, 14, "middle")


def _text(x: float, y: float, words: str, size: int, anchor: str, colour: str = INK) -> str:
    """Write words with a white rim, so that a line behind them does not cross them."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" stroke="#ffffff" stroke-width="3" paint-order="stroke"'
    return f'<text {place} font-family="{FACE}" font-size="{size}" fill="{colour}">{escape(words)}</text>'


def _cut(words: str) -> str:
    """Cut a title that is wider than its column."""
    cells = 0
    for place, sign in enumerate(words):
        cells += 2 if ord(sign) > 0x2E7F else 1
        if cells > NAME_CELLS:
            return f"{words[: place - 1]}…"
    return words


def _svg(width: int, height: int, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )
