"""Reports of units: what holds, what was known when, what is refused and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.events import UnitEvent, build_book, find_event_faults, find_new
from tests.samples.orders import BAZHONG, SHANGRAO, civil, read

T = datetime(2008, 4, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(subject: str = "U1", event: str = "fee", document: str = "收据1", **changes: object) -> UnitEvent:
    return replace(UnitEvent(subject, event, T, T + HOUR, "公文交换员", document), **changes)  # type: ignore[arg-type]  # by name


def test_an_event_holds_since_the_day_it_was_observed_not_recorded() -> None:
    late_entry = row(recorded_at=T + 30 * 24 * HOUR)
    assert build_book([late_entry]).since("U1", "fee") == T
    assert build_book([late_entry]).since("U2", "fee") is None


def test_a_report_that_is_taken_back_holds_no_more_and_another_document_still_does() -> None:
    back = row(recorded_at=T + 2 * HOUR, holds=False)
    assert build_book([row(), back]).since("U1", "fee") is None
    second = row(document="收据2", observed_at=T + HOUR)
    assert build_book([row(), second, back]).since("U1", "fee") == T + HOUR
    assert build_book([row(), back]).kinds == {"fee"}, "it was recorded once, so it is measured"


def test_as_of_shows_what_was_known_then() -> None:
    rows = [row(), row(recorded_at=T + 3 * HOUR, holds=False)]
    assert build_book(rows, as_of=T).since("U1", "fee") is None
    assert build_book(rows, as_of=T + HOUR).since("U1", "fee") == T
    assert build_book(rows, as_of=T + 3 * HOUR).since("U1", "fee") is None


def test_a_correction_on_the_same_document_replaces_the_row_before() -> None:
    rows = [row(amount=3), row(amount=5, recorded_at=T + 2 * HOUR)]
    assert [each.amount for each in build_book(rows).of("U1", "fee")] == [5]


EVENTS = st.builds(
    row,
    subject=st.sampled_from(["U1", "U2"]),
    event=st.sampled_from(["fee", "seal"]),
    document=st.sampled_from(["a", "b"]),
    holds=st.booleans(),
    amount=st.sampled_from([None, 1.0, 2.0]),
)


@given(st.lists(EVENTS), st.lists(EVENTS, unique_by=lambda each: each.key))
def test_a_file_read_twice_adds_nothing_and_the_order_of_keys_changes_nothing(known: list[UnitEvent], rows: list[UnitEvent]) -> None:
    added = find_new(known, rows)
    after = [*known, *added]
    assert find_new(after, rows) == []
    by_key = sorted(after, key=lambda each: each.key)
    assert build_book(by_key).by_subject == build_book(after).by_subject
    assert build_book([*known, *rows]).by_subject == build_book(after).by_subject


def test_what_is_wrong_with_reports_is_said_in_words(golden: Callable[[str, str], None]) -> None:
    bazhong = read(BAZHONG)
    now = civil(bazhong, 2008, 5, 1)
    given_on = civil(bazhong, 2008, 4, 18)
    rows = [
        row("SZ-U001", "fee_and_seel_received"),
        row("SZ-U9999", "fee_and_seal_received"),
        row("BZQ-GOV", "clerk_named"),
        row("service:exchange", "website_open"),
        row("region:511900", "quota_points", amount=3),
        row("region:511902", "quota_points", amount=71),
        row("SZ-U001", "website_open", amount=1),
        row("SZ-U001", "website_open", observed_at=now + HOUR),
        row("SZ-U001", "website_open", by_role="值班员 1" + "0" * 10),
        row("SZ-U002", "website_open"),
        row("SZ-U002", "website_open", holds=False),
    ]
    placed = [replace(each, where=f"events.csv:{number}", recorded_at=now) for number, each in enumerate(rows, start=2)]
    placed = [each if each.observed_at > now else replace(each, observed_at=given_on) for each in placed]
    found = find_event_faults(bazhong, placed, now)
    golden("events/faults.txt", "".join(f"{finding}\n" for finding in found))


def test_events_of_services_are_those_of_applications() -> None:
    shangrao = read(SHANGRAO)
    now = civil(shangrao, 2012, 6, 1)
    assert not find_event_faults(shangrao, [row("service:trading", "security_planned")], now)
    [refused] = find_event_faults(shangrao, [row("service:noc", "security_planned")], now)
    assert refused.what == "event security_planned of service:noc: the order does not ask it of this subject"
