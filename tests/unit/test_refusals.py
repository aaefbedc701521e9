"""What keeps an entry from being recorded is told in the language of the page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.acceptance import PASS, Acceptance
from app.core.confirmation import PARTIES, Confirmation, find_confirmation_faults, stand
from app.core.life import LIFE_STATES, LifeEvent, find_life_faults
from app.core.roles import find_role_faults
from app.core.workdays import WorkCalendar
from app.errors import AccessRefused, Finding, InputError, StoreError
from app.web.dashboard.refusals import refusal_words
from app.web.dashboard.words import Words

NOW = datetime(2008, 6, 26, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Shanghai")


def life_faults() -> list[Finding]:
    """Return what every state meets after every recorded state, in time, too early, and in the future."""
    found = []
    for recorded in LIFE_STATES:
        known = [LifeEvent("L", recorded, NOW - 9 * DAY, NOW - 9 * DAY, "岗", "单", "worksheet")]
        for state in LIFE_STATES:
            for at in (NOW - DAY, NOW - 20 * DAY, NOW + DAY):
                found += find_life_faults(LifeEvent("L", state, at, NOW, "岗", "单"), known, NOW)
    return found


def word_faults() -> list[Finding]:
    accepted = Acceptance("L", NOW - 5 * DAY, PASS, (), None, None, True)
    said_on = {"unit": NOW - 3 * DAY, "carrier": NOW - 2 * DAY}
    words = [Confirmation("L", party, "confirmed", at, NOW - DAY, "岗", "单") for party, at in said_on.items()]
    found = []
    for decision, known in ((None, []), (accepted, []), (accepted, words)):
        before = stand("L", decision, known, WorkCalendar(), ZONE, NOW)
        for party in PARTIES:
            for said in ("confirmed", "refused"):
                for at in (NOW, NOW + DAY, NOW - 9 * DAY, NOW - 4 * DAY):
                    found += find_confirmation_faults(Confirmation("L", party, said, at, NOW, "岗", "单"), before, NOW)
    return found


def test_every_refusal_of_a_step_or_a_word_is_told_in_chinese_without_an_english_word() -> None:
    faults = [*life_faults(), *word_faults(), *find_role_faults("line L", "1" + "0" * 10)]
    kinds = {re.sub(r"\b(?:" + "|".join((*LIFE_STATES, *PARTIES)) + r")\b", "*", fault.what) for fault in faults}
    assert len(kinds) == 11, kinds
    for fault in faults:
        told = refusal_words(Words("zh"), InputError([fault]))
        assert not re.search(r"[A-Za-z]{2,}", told), (fault, told)
        assert refusal_words(Words("en"), InputError([fault])) == str(fault)


def test_the_step_that_is_missing_is_named() -> None:
    [fault] = find_life_faults(LifeEvent("L", "opened", NOW - DAY, NOW, "岗", "单"), [], NOW)
    assert refusal_words(Words("zh"), InputError([fault])) == "当时线路为“已规划”，其后不能登记“已开通”；请先登记“已申请”。"


@pytest.mark.parametrize(
    ("error", "expected"),
    [(AccessRefused("no"), "本账号没有此项权限。"), (StoreError("waiwang.db: disk full"), "waiwang.db: disk full")],
)
def test_other_refusals_are_told_too(error: AccessRefused | StoreError, expected: str) -> None:
    assert refusal_words(Words("zh"), error) == expected


def test_a_finding_of_unknown_origin_stands_as_it_is() -> None:
    finding = Finding("a", "strange", "b", "c", "d.")
    assert refusal_words(Words("zh"), InputError([finding])) == f"{finding}。"
