"""Sessions that nobody uses end: at the doors, in every process, on the open page of a real browser, said in both languages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from app.errors import InputError
from app.settings import read_settings
from app.web.doors import IDLE, SESSION_COOKIE, Doors
from tests.samples.accepted_line import LINE, accept_line
from tests.samples.chromium import CHROMIUM, open_browser
from tests.samples.required import skip_or_fail
from tests.samples.server import serve_application, wait_until
from tests.samples.staff import ORIGIN, PASSWORD, House, open_house

KEY = SecretStr("0123456789abcdef0123456789abcdef")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PATIENCE_S = 60


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, open_reading=False) as opened:
        yield opened


async def sign_in(client: httpx.AsyncClient) -> httpx.Response:
    form = {"account": "office", "password": PASSWORD}
    return await client.post("/sign-in", data=form, headers={"origin": ORIGIN})


async def test_a_session_that_nobody_uses_ends_and_a_page_that_asks_by_itself_does_not_keep_it(house: House) -> None:
    start = house.clock.now
    async with house.client() as client:
        await sign_in(client)
        for after in range(4, 30, 5):
            house.clock.now = start + after * MINUTE
            for path in ("/api/v1/lines", "/api/v1/summary", "/api/v1/session"):
                assert (await client.get(path)).status_code == 200, after
        house.clock.now = start + IDLE - SECOND
        assert (await client.get("/api/v1/session")).json()["account"] == "office"
        house.clock.now = start + IDLE
        refused = await client.get("/api/v1/session")
        assert (refused.status_code, "found a session that nobody used for too long" in refused.json()["detail"]) == (401, True)


async def test_what_a_person_does_keeps_it(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        entry = {"subject": "BZQ-GOV", "event": "fee_and_seal_received", "document": "回执"}
        for _ in range(3):
            house.clock.now += IDLE - SECOND
            assert (await client.post("/api/v1/events", json=entry, headers={"origin": ORIGIN})).status_code < 300
        for _ in range(3):
            house.clock.now += IDLE - SECOND
            assert (await client.get("/password")).status_code == 200
        house.clock.now += IDLE
        assert (await client.post("/api/v1/events", json=entry, headers={"origin": ORIGIN})).status_code == 401


async def test_a_request_that_was_refused_is_no_use_of_the_session(house: House) -> None:
    async with house.client() as client:
        await sign_in(client)
        house.clock.now += IDLE - SECOND
        elsewhere = {"origin": "http://elsewhere.example"}
        assert (await client.post("/api/v1/events", json={}, headers=elsewhere)).status_code == 403
        house.clock.now += SECOND
        assert (await client.get("/api/v1/session")).status_code == 401


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "因长时间无操作，登录已结束，请重新登录。"), ("en", "The session ended because nobody used it.")]
)
async def test_a_browser_is_told_why_in_its_language(house: House, language: str, words: str) -> None:
    async with house.client() as client:
        await sign_in(client)
        client.cookies.set("waiwang_language", language)
        house.clock.now += IDLE
        answer = await client.get("/en" if language == "en" else "/")
        assert answer.headers["location"].endswith("&ended=idle")
        assert words in (await client.get(answer.headers["location"])).text


async def test_an_idle_end_is_final_and_stands_in_the_audit_once(house: House) -> None:
    """Neither a restart nor longer patience opens what was closed, and a process that was told of no use ends what is over."""
    first = Doors(house.store, session_key=KEY, clock=house.clock)
    cookie = first.sign_in("office", PASSWORD)
    assert cookie is not None
    house.clock.now += IDLE
    assert [first.find_session(cookie) for _ in range(3)] == [None] * 3
    patient = Doors(house.store, session_key=KEY, clock=house.clock, idle=None)
    assert patient.find_session(cookie) is None
    assert [each.verb for each in house.store.audit() if not each.verb.startswith("account")] == ["sign in", "session idle"]


def test_a_use_told_to_one_process_keeps_the_session_in_another_and_after_a_restart(house: House) -> None:
    first, second = (Doors(house.store, session_key=KEY, clock=house.clock) for _ in range(2))
    cookie = first.sign_in("office", PASSWORD)
    assert cookie is not None
    house.clock.now += IDLE - SECOND
    first.note_use(cookie)
    house.clock.now += IDLE - SECOND
    for doors in (second, Doors(house.store, session_key=KEY, clock=house.clock)):
        assert doors.find_session(cookie) is not None
    house.clock.now += SECOND
    assert [each.find_session(cookie) for each in (second, first)] == [None, None]


def test_a_session_that_is_over_is_not_brought_back_by_use(house: House) -> None:
    doors = Doors(house.store, session_key=KEY, clock=house.clock)
    cookie = doors.sign_in("office", PASSWORD)
    assert cookie is not None
    house.clock.now += IDLE
    doors.note_use(cookie)
    assert doors.find_session(cookie) is None


def test_the_bounds_are_settings_and_wrong_ones_are_refused_in_words() -> None:
    found = read_settings({"WAIWANG_IDLE_MINUTES": "10", "WAIWANG_PASSWORD_DAYS": "180"})
    assert (found.idle, found.password_life) == (10 * MINUTE, timedelta(days=180))
    assert (read_settings({}).idle, read_settings({}).password_life) == (30 * MINUTE, timedelta(days=90))
    never = read_settings({"WAIWANG_IDLE_MINUTES": "0", "WAIWANG_PASSWORD_DAYS": "0"})
    assert (never.idle, never.password_life) == (None, None)
    with pytest.raises(InputError) as refused:
        read_settings({"WAIWANG_IDLE_MINUTES": "-1", "WAIWANG_PASSWORD_DAYS": "many"})
    assert [(each.where, each.found) for each in refused.value.findings] == [
        ("WAIWANG_IDLE_MINUTES", "-1"),
        ("WAIWANG_PASSWORD_DAYS", "many"),
    ]


# The open page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not os.path.exists(CHROMIUM):  # noqa: PTH110  # one look, no path work
        skip_or_fail(f"{CHROMIUM} is missing (make system-packages)")
    with open_browser() as opened:
        yield opened


def open_page(browser: Browser, address: str, path: str) -> Page:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(address + path)
    page.fill("[name=account]", "office")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector(".all-lines .ag-row .line-id")
    page.wait_for_function("window.did_handshake")
    return page


def test_the_open_page_is_kept_by_a_hand_on_it_says_when_it_will_go_and_goes(browser: Browser, house: House) -> None:
    accept_line(house.store)
    doors = Doors(house.store, open_reading=False, clock=house.clock)
    with serve_application(house.application(doors)) as address:
        page = open_page(browser, address, "/en")
        [cookie] = [each["value"] for each in page.context.cookies() if each["name"] == SESSION_COOKIE]
        house.clock.now += IDLE - MINUTE
        banner = page.locator(".banner", has_text="The session ends soon")
        expect(banner).to_contain_text("it ends in 1 min", timeout=PATIENCE_S * 1000)
        page.mouse.move(300, 300, steps=5)
        wait_until(lambda: (doors.idle_left(cookie) or MINUTE) > IDLE - MINUTE, PATIENCE_S, "the page to tell of the mouse")
        expect(banner).to_have_count(0, timeout=PATIENCE_S * 1000)
        house.clock.now += IDLE - MINUTE
        expect(banner).to_have_count(1, timeout=PATIENCE_S * 1000)
        assert LINE in page.content()
        house.clock.now += MINUTE
        page.wait_for_url(re.compile(r"/sign-in\?ended=idle&next=/en"))
        expect(page.locator("main")).to_contain_text("The session ended because nobody used it. Sign in again.")
        page.close()
