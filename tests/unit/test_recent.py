"""Open pages share one reading, for a second and no longer; scrapes of one summary share its text."""

from __future__ import annotations

import pytest

from app.core.progress import Summary
from app.errors import StoreError
from app.web.recent import RecentScrape, RecentSummary
from tests.samples.rollout import build_summary


class Counting:
    """Counts how often it is read; fails while told to."""

    def __init__(self) -> None:
        self.reads, self.fails = 0, False

    def __call__(self) -> Summary:
        self.reads += 1
        if self.fails:
            raise StoreError("gone")
        return build_summary()


def test_a_summary_is_shared_until_it_is_a_second_old() -> None:
    now, read = [100.0], Counting()
    recent = RecentSummary(read, 1.0, lambda: now[0])
    for moment, reads in ((100.0, 1), (100.99, 1), (101.0, 2), (101.5, 2), (102.0, 3)):
        now[0] = moment
        recent()
        assert read.reads == reads


def test_a_store_that_fails_is_asked_again_and_nothing_old_is_served() -> None:
    now, read = [100.0], Counting()
    recent = RecentSummary(read, 1.0, lambda: now[0])
    recent()
    now[0], read.fails = 101.0, True
    for _ in range(2):
        with pytest.raises(StoreError):
            recent()
    read.fails = False
    assert recent() == build_summary()


def test_a_text_is_written_once_for_one_summary_and_anew_for_another_or_in_another_manner() -> None:
    written: list[str] = []
    scraped, first = RecentScrape(), build_summary()

    def scrape(summary: Summary, manner: str) -> bytes:
        return scraped(summary, manner, lambda: (written.append(manner), manner.encode())[1])

    assert [scrape(first, "text"), scrape(first, "text"), scrape(first, "other"), scrape(build_summary(), "other")] == [
        b"text",
        b"text",
        b"other",
        b"other",
    ]
    assert written == ["text", "other", "other"], "an equal summary is not the same: it may be another role's"
