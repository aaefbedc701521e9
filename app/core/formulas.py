"""Cells that a spreadsheet program would take for formulas, and how they stay text. Pure."""

from __future__ import annotations

import re

#: With what a spreadsheet program begins a formula.
FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula: an apostrophe goes before what would begin one."""
    return f"'{text}" if FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Undo `guarded`."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text
