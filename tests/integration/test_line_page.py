"""Sign-in and the dialog of a line in a real browser: what each role is shown, what it may record there, in both languages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.core.evidence import verify
from app.core.life import LifeEvent
from app.edge.signing import check_signature, write_key
from app.workflows.accounts import Clerk, remove_account
from tests.samples.accepted_line import ACCEPTED_AT, LINE, accept_line
from tests.samples.chromium import CHROMIUM, open_browser
from tests.samples.required import skip_or_fail
from tests.samples.server import serve_application
from tests.samples.staff import PASSWORD, House, open_house

PATIENCE_MS = 60_000
DAY = timedelta(days=1)
OTHER = "BZWW-TJ-A-0001"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not os.path.exists(CHROMIUM):  # noqa: PTH110  # one look, no path work
        skip_or_fail(f"{CHROMIUM} is missing (make system-packages)")
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An accepted line with its steps, another one that is being built; reading is closed."""
    folder = tmp_path_factory.mktemp("house")
    with open_house(folder, open_reading=False, key=write_key(folder / "key")) as opened:
        accept_line(opened.store)
        steps = [(LINE, "applied", 70), (LINE, "approved", 60), (LINE, "building", 50), (LINE, "opened", 20)]
        steps += [(OTHER, "applied", 40), (OTHER, "approved", 30)]
        at = {(line, state): ACCEPTED_AT - days * DAY for line, state, days in steps}
        opened.store.write_life_events(
            [LifeEvent(line, state, when, when + DAY, "centre", f"<b>{state}</b>.docx") for (line, state), when in at.items()]
        )
        opened.clock.now = ACCEPTED_AT + timedelta(hours=2)
        yield opened


@pytest.fixture(scope="module")
def address(house: House) -> Iterator[str]:
    with serve_application(house.application()) as base:
        yield base


@contextmanager
def signed_in(browser: Browser, address: str, account: str, path: str = "/", *, language: str = "zh", expected: str = "") -> Iterator[Page]:
    """Yield the page as an account sees it after the form; at the end nothing but what is `expected` may have gone wrong in it."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1366, "height": 900}, accept_downloads=True)
    context.add_cookies([{"name": "waiwang_language", "value": language, "url": address}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(address + path)
    assert "/sign-in?next=" in page.url
    page.fill("[name=account]", account)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector(".all-lines .ag-row .line-id")
    page.wait_for_function("window.did_handshake")  # before it, what is typed reaches nobody
    yield page
    context.close()
    assert [fault for fault in faults if not expected or expected not in fault] == []


def open_line(page: Page, line_id: str) -> Locator:
    page.fill(".filter-text input", line_id)
    row = page.locator(".all-lines .ag-row", has_text=line_id)
    expect(page.locator(".all-lines .ag-center-cols-container .ag-row")).to_have_count(1)
    row.locator("[col-id=line_id]").click()
    dialog = page.locator(".detail")
    expect(dialog).to_contain_text(line_id)
    return dialog


def test_the_life_of_a_line_is_shown_step_by_step_in_both_languages(browser: Browser, house: House, address: str) -> None:
    with signed_in(browser, address, "watcher") as page:
        dialog = open_line(page, LINE)
        steps = dialog.locator("[data-part=life] li")
        assert [pill.split()[-1] for pill in steps.locator(".pill").all_inner_texts()] == [
            "已申请", "已批准", "建设中", "已开通", "试运行", "已验收",
        ]  # fmt: skip
        expect(steps.nth(0)).to_contain_text("电子政务中心 · <b>applied</b>.docx")
        expect(steps.nth(0)).to_contain_text("登记于 2008年4月18日")
        expect(steps.nth(4)).to_contain_text("此前未登记：已自测")
        expect(dialog.locator("[data-part=confirmation]")).to_contain_text("接入单位")
        assert dialog.locator("[data-part=step], [data-part=word]").count() == 0
        assert dialog.locator("[data-part=documents] a").all_inner_texts() == ["《专线接入确认单》（PDF）", "《专线接入确认单》（DOCX）"]
    with signed_in(browser, address, "watcher", "/en", language="en") as page:
        dialog = open_line(page, LINE)
        expect(dialog.locator("[data-part=life]")).to_contain_text("decision of 26 June 2008 17:30:00")
        expect(dialog.locator("[data-part=life] li").nth(4)).to_contain_text("not recorded before it: Self-tested")
        assert dialog.locator("[data-part=documents] a").first.inner_text() == "Confirmation form (PDF)"


def test_a_carrier_sees_its_own_lines_confirms_and_takes_its_evidence(browser: Browser, house: House, address: str) -> None:
    with signed_in(browser, address, "telecom-desk") as page:
        expect(page.locator("header")).to_contain_text("telecom-desk（网络服务提供商）")
        page.fill(".filter-text input", OTHER)
        expect(page.locator(".all-lines .ag-overlay")).to_contain_text("没有符合条件的线路")
        dialog = open_line(page, LINE)
        assert dialog.locator("[data-part=step]").count() == 0
        word = dialog.locator("[data-part=word]")
        word.locator("button.strong").click()
        expect(word.locator(".q-field--error")).to_have_count(1)
        word.locator(".entry-text input").first.fill("确认单 <7>")
        word.locator("button.strong").click()
        parties = page.locator(".detail [data-part=confirmation] li")
        expect(parties.nth(1)).to_contain_text("已确认")
        expect(parties.nth(1)).to_contain_text("carrier:telecom · 确认单 <7>")
        assert page.locator(".detail [data-part=word]").count() == 0
        with page.expect_download() as waiting:
            page.click(".detail [data-part=documents] a:has-text('验收证据包')")
        assert house.key is not None
        assert verify(Path(waiting.value.path()).read_bytes(), check_signature, house.key.public).alterations == ()
    [said] = house.store.confirmations(LINE)
    assert (said.party, said.decision, said.document) == ("carrier", "confirmed", "确认单 <7>")


def test_an_engineer_records_a_step_and_is_told_what_cannot_follow(browser: Browser, house: House, address: str) -> None:
    with signed_in(browser, address, "duty", "/en", language="en") as page:
        dialog = open_line(page, OTHER)
        expect(dialog).to_contain_text("Not opened")
        assert dialog.locator("[data-part=documents]").count() == 0, "of a line that nobody judged there is no evidence to take away"
        entry = dialog.locator("[data-part=step]")
        entry.locator(".entry-text input").fill("works order 3")
        entry.locator(".entry-moment input").fill("2008-01-01T08:00")
        entry.locator("button.strong").click()
        expect(entry.locator(".refusal")).to_contain_text("Not recorded: line BZWW-TJ-A-0001: building cannot follow planned")
        entry.locator(".entry-moment input").fill("2008-06-20T08:00")
        entry.locator("button.strong").click()
        expect(page.locator(".detail [data-part=life] li")).to_have_count(3)
        expect(page.locator(".detail [data-part=life] li").last).to_contain_text("20 June 2008 08:00:00")
    assert [event.state for event in house.store.life_events(OTHER)] == ["applied", "approved", "building"]


def test_a_page_goes_away_when_its_account_does(browser: Browser, house: House, address: str) -> None:
    with signed_in(browser, address, "unicom-desk", expected="401") as page:  # the grid may still ask for a page of rows
        remove_account(Clerk(house.store, house.clock.now), "unicom-desk")
        page.wait_for_url(re.compile("/sign-in"))


def test_a_browser_that_stays_when_its_account_is_gone_is_told_nothing_more(browser: Browser, house: House, address: str) -> None:
    with signed_in(browser, address, "bzq-gov", expected="Failed to load") as page:
        page.route("**/sign-in", lambda route: route.fulfill(status=204))
        remove_account(Clerk(house.store, house.clock.now), "bzq-gov")
        with page.expect_request("**/sign-in"):
            pass
        with page.expect_request("**/sign-in"):
            page.evaluate("document.querySelector('.all-lines .ag-center-cols-container .ag-row [col-id=line_id]').click()")
        for _ in range(2):  # one more at least is of a refresh that began when the click had been answered
            with page.expect_request("**/sign-in"):
                pass
        assert page.locator(".detail").count() == 0


def test_the_way_out_leads_to_the_form(browser: Browser, house: House, address: str) -> None:
    with signed_in(browser, address, "office", language="en", path="/en") as page:
        page.click("header button:has-text('Sign out')")
        page.wait_for_url(re.compile("/sign-in"))
        expect(page.locator("main")).to_contain_text("Accounts are given out by the e-government centre.")


def test_on_a_telephone_no_text_is_squeezed_or_cut_off_and_an_unseen_line_has_no_empty_since(
    browser: Browser, house: House, address: str
) -> None:
    with signed_in(browser, address, "office") as page:
        page.set_viewport_size({"width": 400, "height": 900})
        page.wait_for_function("document.documentElement.scrollWidth === 400")
        page.wait_for_function("document.querySelector('.head-title').clientWidth > 300")
        cut = "all => all.filter(each => each.scrollWidth > each.clientWidth).map(each => each.innerText)"
        assert page.locator(".figure-note, .figure-name, .figure-value").evaluate_all(cut) == []
        dialog = open_line(page, LINE)
        assert dialog.evaluate("each => each.scrollWidth <= each.clientWidth")
        assert dialog.locator(".criteria td, .facts dd, .life li, .parties li").evaluate_all(cut) == []
        dialog.locator(".close").click()
        dialog = open_line(page, OTHER)
        expect(dialog.locator(".facts")).not_to_contain_text("自 —")
