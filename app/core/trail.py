"""The audit as a chain: each entry's link holds the one before it, so that none can be altered, taken out or put in unseen. Pure.

Whoever may write the database can forge all of it from some entry on: hold a head that was seen earlier against it (`find_breaks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.canonical import as_json, canonical, sha256

#: What the first link follows: SHA-256 has 64 hexadecimal digits.
START = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what; `detail` is JSON."""

    at: datetime
    actor: str
    verb: str
    subject: str
    detail: dict[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as its link covers it. `number` rises, with gaps."""

    number: int
    at: datetime
    actor: str
    verb: str
    subject: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Linked:
    """An entry and the link that is kept of it, None where none is."""

    entry: Entry
    link: str | None


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold. `number`: the first entry that it shows at, None where it is the end that is missing."""

    number: int | None
    expected: str
    found: str


def build_link(before: str, entry: Entry) -> str:
    """Return the link of an entry: SHA-256 over the canonical spelling of the entry and the link before it, in hexadecimal digits.

    Raises:
        ValueError: the detail is no JSON.
    """
    said = {
        "before": before,
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "verb": entry.verb,
        "subject": entry.subject,
        "detail": as_json(entry.detail),
    }
    return sha256(canonical(said))


def find_breaks(trail: Iterable[Linked], head: str | None = None) -> list[Break]:
    """Return where the chain does not hold; `head`: a link that was seen earlier and must still be in it."""
    before, breaks, is_known = START, [], head in (None, START)
    for each in trail:
        meant = build_link(before, each.entry)
        if each.link != meant:
            breaks.append(Break(each.entry.number, f"the link {meant}", f"{each.link}" if each.link else "no link"))
        before = each.link or meant
        is_known = is_known or before == head
    if not is_known:
        breaks.append(Break(None, f"an entry with the link {head}, which was seen earlier", "none"))
    return breaks
