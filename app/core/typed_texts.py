"""What may be typed on a device. A text that says more than itself there is refused before it reaches a template.

A line end would begin a command of its own, `?` asks for help, `"` and `^` end a quotation or a banner, `|` begins a pipe,
`<secret:NAME>` would be replaced by a secret, and `%` and `$` look like the ciphers that comparisons mask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

NOT_TYPED = '?"^|<>%$'
#: Fields of an intent that hold a sentence; all others hold one word of a command.
SENTENCES = ("description", "banner", "location")
WORD = re.compile(r"[A-Za-z0-9._:/+-]+")
WORD_WORDS = "one word of A-Z a-z 0-9 . _ : / + -"
SENTENCE_WORDS = f"printable ASCII characters, none of {' '.join(NOT_TYPED)}"


def is_sentence(text: str) -> bool:
    """Tell whether a description or banner stays a text on every family; an empty one does."""
    return text.isascii() and (text.isprintable() or not text) and not any(sign in NOT_TYPED for sign in text)


def is_word(text: str) -> bool:
    """Tell whether a text is one word of a command on every family."""
    return WORD.fullmatch(text) is not None


def find_untypeable(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every field beneath a value that must not be typed."""
    if isinstance(value, str):
        if not (is_sentence(value) if name in SENTENCES else is_word(value)):
            yield name, value
    elif isinstance(value, tuple):
        for each in value:
            yield from find_untypeable(each, name)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in _names(type(value)):
            yield from find_untypeable(getattr(value, field), field)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
