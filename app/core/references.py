"""Find names that point nowhere, and the words that were meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from app.errors import Finding

SEARCHED_AT_MOST = 2000


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return a next step that proposes the closest known word, or the sentence given for the case that none is close.

    Among more than `SEARCHED_AT_MOST` words nothing is proposed: the search compares letter by letter.
    """
    words = list(known)
    close = get_close_matches(word, words, n=1) if len(words) <= SEARCHED_AT_MOST else []
    return f"Did you mean `{close[0]}`?" if close else otherwise


@dataclass(frozen=True, slots=True)
class References:
    """The tables that names may point into, less those that could not be read whole (`incomplete`)."""

    incomplete: frozenset[str]

    def judge(
        self, where: str, owner: str, column: str, name: str | None, table: str, known: Collection[str], file: str
    ) -> Iterator[Finding]:
        """Yield a finding where `name` stands in no row of `table`, which `file` holds. None points nowhere on purpose."""
        if name is None or name in known or table in self.incomplete:
            return
        expected = f"an entry of {table} in {file}"
        step = nearest(name, known, f"Correct it, or add `{name}` there.")
        yield Finding(where, f"{owner}: `{column}` points nowhere", expected, f"`{name}`", step)


def find_twins(rows: Iterable[tuple[str, str, str]], column: str, next_step: str) -> Iterator[Finding]:
    """Yield a finding for each (owner, key, where) whose key an earlier owner has. Keys compare as they are given."""
    first: dict[str, tuple[str, str]] = {}
    for owner, key, where in rows:
        if key in first:
            holder, at = first[key]
            yield Finding(where, f"{owner} shares its {column}", f"a {column} of its own", f"{key}, as {holder} at {at}", next_step)
        else:
            first[key] = owner, where
