"""Lines of words that fit a width, Han characters being two cells wide. Pure."""

from __future__ import annotations

import re

#: From this code point on characters are wide.
HAN = 0x2E7F
_OPENING, _CLOSING = "《（〔［「【“‘", "，。；：、！？）》〕］」】”’…"
#: What stays together: a Han character with the marks that belong to it, a word, the space between words.
_PARTS = re.compile(rf"[{_OPENING}]*(?:[\u2e80-\uffff]|[^\s\u2e80-\uffff]+)[{_CLOSING}]*|\s+")


def count_cells(words: str) -> int:
    """Return how wide words are, in half-width characters."""
    return sum(2 if ord(sign) > HAN else 1 for sign in words)


def wrap_words(words: str, cells: int) -> list[str]:
    """Break words into lines of at most so many cells: between words or Han characters, no mark parted from what it belongs to.

    A single word that is wider stands on a line of its own, whole.
    """
    lines = [""]
    for part in _PARTS.findall(words):
        if lines[-1].strip() and count_cells(lines[-1] + part.rstrip()) > cells:
            lines.append("")
        lines[-1] += part if lines[-1] or len(lines) == 1 else part.lstrip()
    return [line.rstrip() for line in lines]
