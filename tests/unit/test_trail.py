"""The chain of the audit: whatever is altered, taken out or put in shows; a forged end shows against a head that was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from app.core.trail import START, Entry, Linked, build_link, find_breaks

NOW = datetime(2008, 6, 1, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
DETAILS = st.dictionaries(TEXTS, st.one_of(st.none(), st.booleans(), st.integers(), TEXTS), max_size=3)
ENTRIES = st.builds(
    Entry,
    number=st.just(0),
    at=st.timedeltas(timedelta(0), timedelta(days=900)).map(lambda after: NOW + after),
    actor=TEXTS,
    verb=TEXTS,
    subject=TEXTS,
    detail=DETAILS,
)


def chain(entries: list[Entry]) -> list[Linked]:
    linked, before = [], START
    for number, entry in enumerate(entries, 1):
        placed = replace(entry, number=number)
        before = build_link(before, placed)
        linked.append(Linked(placed, before))
    return linked


def test_the_spelling_of_a_link_stands() -> None:
    """Heads that were written down must fit for ever."""
    entry = Entry(1, NOW, "sec", "account grant", "office", {"role": "centre", "账": [1, None]})
    assert build_link(START, entry) == "b9f94abd55acc995e9d5c116d20f0f37c4008dd95bc37caf539b759cf894f4bb"


def test_the_zone_of_a_moment_makes_no_difference() -> None:
    entry = Entry(1, NOW, "a", "b", "c", {})
    elsewhere = replace(entry, at=NOW.astimezone(timezone(timedelta(hours=8))))
    assert build_link(START, entry) == build_link(START, elsewhere)


@given(st.lists(ENTRIES, max_size=6))
def test_an_untouched_chain_has_no_break_and_holds_every_head_that_was_seen(entries: list[Entry]) -> None:
    linked = chain(entries)
    assert find_breaks(linked) == []
    for head in [START, *(each.link for each in linked)]:
        assert find_breaks(linked, head) == []


@given(st.lists(ENTRIES, min_size=1, max_size=6), st.data())
def test_an_altered_entry_is_named(entries: list[Entry], data: st.DataObject) -> None:
    linked = chain(entries)
    place = data.draw(st.integers(0, len(linked) - 1))
    entry = linked[place].entry
    changed = data.draw(
        st.sampled_from(
            [
                replace(entry, actor=f"{entry.actor}x"),
                replace(entry, verb=f"{entry.verb}x"),
                replace(entry, subject=f"x{entry.subject}"),
                replace(entry, at=entry.at + timedelta(microseconds=1)),
                replace(entry, detail={**entry.detail, "more": 1}),
            ]
        )
    )
    linked[place] = replace(linked[place], entry=changed)
    assert [each.number for each in find_breaks(linked)] == [place + 1]


@given(st.lists(ENTRIES, min_size=3, max_size=6), st.data())
def test_an_entry_that_is_taken_out_or_changes_places_shows(entries: list[Entry], data: st.DataObject) -> None:
    linked = chain(entries)
    place = data.draw(st.integers(0, len(linked) - 2))
    assert find_breaks(linked[:place] + linked[place + 1 :])
    swapped = [*linked[:place], linked[place + 1], linked[place], *linked[place + 2 :]]
    assert find_breaks(swapped)


@given(st.lists(ENTRIES, min_size=1, max_size=5), ENTRIES)
def test_a_chain_that_was_forged_anew_shows_against_a_head_that_was_seen(entries: list[Entry], other: Entry) -> None:
    seen = chain(entries)[-1].link
    forged = chain([*entries[:-1], replace(entries[-1], actor=f"{entries[-1].actor}x"), other])
    assert find_breaks(forged) == []
    [gone] = find_breaks(forged, seen)
    assert (gone.number, str(seen) in gone.expected) == (None, True)
    shortened = chain(entries)[:-1]
    assert [each.number for each in find_breaks(shortened, seen)] == [None]


def test_an_entry_without_a_link_shows() -> None:
    [first] = chain([Entry(0, NOW, "a", "b", "c", {})])
    assert [(each.number, each.found) for each in find_breaks([replace(first, link=None)])] == [(1, "no link")]
