"""The few shapes that the page is drawn with. Every text goes in as text; nothing here takes HTML."""

from __future__ import annotations

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from app.web.dashboard.words import Words

#: A mark beside every coloured word, so that colour never stands alone.
MARKS = {
    "up": "●",
    "down": "✕",
    "unreachable": "◌",
    "unknown": "○",
    "not_opened": "–",
    "opened": "✓",
    "self_tested": "✓",
    "in_service": "✓",
    "rejected": "✕",
    "closed": "■",
    "accepted": "✓",
    "accepted_late": "✓",
    "late": "!",
    "at_risk": "▲",
    "open": "○",
    "no_deadline": "–",
    "met": "✓",
    "met_late": "✓",
    "not_measured": "–",
    "pass": "✓",
    "fail": "✕",
    "not_proven": "?",
    "none": "–",
    "done": "✓",
    "holds": "✓",
    "in_doubt": "?",
    "breaks": "!",
    "not_enough_seen": "–",
    "assigned": "▸",
    "with_carrier": "▸",
    "over": "!",
    "announced": "○",
    "running": "●",
}


def text(tag: str, content: str, classes: str = "", props: str = "") -> TextElement:
    """Add an element that holds one text."""
    element = TextElement(tag=tag, text=content)
    element.classes(classes).props(props)
    return element


def block(tag: str = "div", classes: str = "", props: str = "") -> ui.element:
    """Add an element that holds others."""
    return ui.element(tag).classes(classes).props(props)


def pill(words: Words, prefix: str, value: str) -> None:
    """Add a state as a mark and a word; `prefix` says which list of words it is from."""
    with block("span", f"pill is-{value}"):
        text("span", MARKS.get(value, "–"), "mark", "aria-hidden=true")
        text("span", words.known(prefix, value))


def bar(done: int, total: int, target_share: float | None = None) -> None:
    """Add a bar of what is done; a tick shows the share that is wanted when that is less than all."""
    with block("div", "bar", f'role=img aria-label="{done}/{total}"'):
        block("div", "bar-done" if done < total else "bar-done is-full").style(f"width:{done * 100 / total if total else 0:.1f}%")
        if target_share is not None and target_share < 1:
            block("div", "bar-target").style(f"left:{target_share * 100:.1f}%")
