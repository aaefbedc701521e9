"""The tables of words: each key in both languages, with the same holes to fill in, and asked for by something."""

from __future__ import annotations

import ast
import re
import string
from functools import cache
from pathlib import Path

import pytest

from app.web import confirmation_form
from app.web.dashboard import deadline_words
from app.web.dashboard import words as dashboard_words
from app.web.reports import words as report_words

ROOT = Path(__file__).parents[2]
TABLES = {
    "confirmation form": confirmation_form.TABLE,
    "deadlines": deadline_words.DEADLINE_TABLE,
    "dashboard": dashboard_words.TABLE,
    "reports": report_words.TABLE,
}
TABLE_NAMES = ("TABLE", "DEADLINE_TABLE")


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("name", TABLES)
def test_every_word_is_there_in_chinese_and_english_and_asks_for_the_same(name: str) -> None:
    for key, texts in TABLES[name].items():
        assert len(texts) == len(dashboard_words.LANGUAGES), key
        assert texts[1], key
        assert texts[0] or texts[1].isspace(), key
        assert holes(texts[0]) == holes(texts[1]), key


@pytest.mark.parametrize("name", TABLES)
def test_every_word_is_asked_for(name: str) -> None:
    """By its whole key, or by a beginning (`f"due_{…}"`, `"life"` handed to what joins it) and an end that the code or the order names."""
    whole, beginnings = said_in_code()
    ends = whole | set(re.findall(r"[A-Za-z_/]+", "".join(path.read_text(encoding="utf-8") for path in (ROOT / "inventory").iterdir())))
    idle = []
    for key in TABLES[name]:
        parts = [(key[:at], key[at + 1 :].removesuffix("_note")) for at, letter in enumerate(key) if letter == "_"]
        if key not in whole and not any(first in beginnings and end in ends for first, end in parts):
            idle.append(key)
    assert idle == []


@cache
def said_in_code() -> tuple[frozenset[str], frozenset[str]]:
    """Return the words of all literals in the product outside these tables and in templates, and what keys may begin with."""
    whole: set[str] = set()
    beginnings: set[str] = set()
    for path in (ROOT / "app").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tables = {id(part) for node in tree.body if _is_table(node) for part in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in tables:
                whole |= {node.value, *re.findall(r"\w+", node.value)}
                beginnings.add(node.value.rstrip("_"))
    for path in (*(ROOT / "templates/reports").iterdir(), *(ROOT / "app/web/dashboard/static").iterdir()):
        whole |= set(re.findall(r"\w+", path.read_bytes().decode(errors="ignore"))) if path.is_file() else set()
    return frozenset(whole), frozenset(beginnings)


def _is_table(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in TABLE_NAMES
