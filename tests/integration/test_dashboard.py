"""The page in a real browser: it shows the summary's figures in both languages, lives, asks nobody outside, escapes every text."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.core.progress import Summary
from app.errors import StoreError
from tests.samples.required import skip_or_fail
from tests.samples.rollout import NOW, UPLINK_OF_NANJIANG, FixedReader, build_faults, build_summary, with_line
from tests.samples.server import serve

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000


@dataclass
class FailingReader(FixedReader):
    """A store that can be broken, or slow, while the page is open."""

    error: str = ""
    takes_s: float = 0.0

    def summary(self) -> Summary:
        time.sleep(self.takes_s)
        if self.error:
            raise StoreError(self.error)
        return self.now


@dataclass
class Seen:
    """What a page did besides showing: console errors, and requests that left loopback."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def note_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.strangers.append(url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not os.path.exists(CHROMIUM):  # noqa: PTH110  # one look, no path work
        skip_or_fail(f"{CHROMIUM} is missing (make system-packages)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def reader() -> FailingReader:
    return FailingReader()


@pytest.fixture(scope="module")
def address(reader: FailingReader) -> Iterator[str]:
    with serve(reader) as base:
        yield base


@pytest.fixture(autouse=True)
def fresh_summary(reader: FailingReader) -> None:
    reader.now, reader.error, reader.takes_s = build_summary(), "", 0.0


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., tuple[Page, Seen]]]:
    """Open a page in a browser of its own; at the end nothing may have gone wrong in any of them."""
    contexts, all_seen = [], []

    def open_page(path: str = "/", width: int = 1366, height: int = 768) -> tuple[Page, Seen]:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page, seen = context.new_page(), Seen()
        all_seen.append(seen)
        page.on("console", lambda message: seen.errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", lambda request: seen.note_request(request.url))
        page.on("websocket", lambda opened: seen.note_request(opened.url))
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.goto(address + path)
        page.wait_for_selector(".all-lines .ag-row[row-index='3'] .line-id")
        page.wait_for_function("window.did_handshake")  # before it, what is clicked reaches nobody
        return page, seen

    yield open_page
    for context in contexts:
        context.close()
    for seen in all_seen:
        assert seen.errors == []
        assert seen.strangers == []


def figure(page: Page, kind: str) -> str:
    return page.locator(f"[data-figure={kind}] .number").inner_text()


def test_the_page_shows_the_figures_of_the_summary_in_chinese(visit: Callable[..., tuple[Page, Seen]]) -> None:
    page, _ = visit()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert [figure(page, kind) for kind in ("late", "at_risk", "up", "down", "unreachable", "unknown")] == ["7", "2", "20", "2", "6", "2"]
    text = page.inner_text("body")
    for words in ("巴府办发[2008]13号", "2008年6月30日", "裁定：R-3", "默认值，原文未定", "依据：一(一)"):
        assert words in text
    for words in ("主用线路已验收", "共 29 条，65%", "19 / 29", "另有备用线路 1 条，已验收 0 条", "全部 30 条线路，其中备用 1 条。"):
        assert words in text
    for words in ("其后 5 条不可达", "端口 SC-BZ-CR01 eth4 断开", "未证实：下行速率、试运行", "逾期 2 天", "还有 3 天", "未测量"):
        assert words in text


def test_the_page_shows_the_same_figures_in_english(visit: Callable[..., tuple[Page, Seen]]) -> None:
    page, _ = visit("/en")
    assert page.evaluate("document.documentElement.lang") == "en-US"
    assert [figure(page, kind) for kind in ("late", "at_risk", "up", "down", "unreachable", "unknown")] == ["7", "2", "20", "2", "6", "2"]
    text = page.inner_text("body")
    for words in ("Primary lines accepted", "of 29, 65%", "beside them 0 of 1 backup lines", "All 30 lines, 1 of them backup lines."):
        assert words in text
    for words in ("30 June 2008", "5 behind it cannot be seen", "Nanjiang County", "Not proven: Rate down, Trial period"):
        assert words in text
    assert "逾期" not in text


def test_the_language_is_kept_by_a_cookie(visit: Callable[..., tuple[Page, Seen]], address: str) -> None:
    page, _ = visit()
    page.click("a.language")
    page.wait_for_url("**/en")
    page.goto(address + "/")
    assert page.url == address + "/en"
    page.wait_for_selector("a.language")
    page.click("a.language")
    page.wait_for_url(address + "/")
    page.wait_for_selector("text=里程碑")


def test_milestones_show_each_county_and_class(visit: Callable[..., tuple[Page, Seen]]) -> None:
    page, _ = visit()
    heads = page.locator(".milestones th.col-region").all_inner_texts()
    assert heads == ["市本级", "巴州区", "通江县", "南江县", "平昌县"]
    row = page.locator(".milestones tbody tr", has_text="电信企业建成全部线路")
    cells = [cell.split() for cell in row.locator("td.cells").all_inner_texts()]
    assert cells[0] == ["2兆光纤", "4/7"]
    assert cells[3] == ["10兆光纤", "1/1", "2兆光纤", "2/3", "1兆ADSL", "1/2"]


def test_a_line_that_goes_down_is_seen_without_a_reload(visit: Callable[..., tuple[Page, Seen]], reader: FailingReader) -> None:
    page, _ = visit()
    reader.now = with_line(reader.now, "BZWW-511900-B-0001", state="down", reason="port SC-BZ-CR01 eth1 is down", since=NOW)
    expect(page.locator("[data-figure=down] .number")).to_have_text("3")
    expect(page.locator(".outages")).to_contain_text("市发展和改革委员会")
    expect(page.locator(".all-lines .ag-row[row-index='0']")).to_contain_text("断")


@pytest.mark.parametrize(
    ("path", "said", "unsaid"),
    [
        (
            "/",
            (
                "已移交网络服务提供商", "超过时限", "计划检修（通知逾期）：检修通知", "反复 2 次",
                "其后 5 条线路受影响", "95 分钟", "3.0 小时",
            ),
            "市发展和改革委员会",
        ),
        ("/en", ("With the carrier", "Over the agreed time", "Planned, announced late", "5 lines behind it", "95 min", "3.0 h"), "Reform"),
    ],
)
def test_faults_show_who_has_them_what_is_behind_them_and_what_carriers_needed(
    visit: Callable[..., tuple[Page, Seen]], reader: FailingReader, path: str, said: tuple[str, ...], unsaid: str
) -> None:
    page, _ = visit(path)
    card = page.locator("section[aria-labelledby=h-faults]")
    expect(card).to_contain_text({"/": "没有未恢复的故障", "/en": "No fault is open"}[path])
    reader.now = replace(reader.now, faults=build_faults(reader.now))
    expect(card.locator(".faults tbody tr")).to_have_count(2)
    text = card.inner_text()
    assert [words for words in said if words not in text] == []
    assert unsaid not in text, "what is restored is not among what is broken"
    card.locator(".line-button").first.click()
    expect(page.locator("#detail-title")).to_contain_text({"/": "南江县人民政府", "/en": "Nanjiang County"}[path])


def test_an_unread_store_leaves_the_page_standing_and_says_so(visit: Callable[..., tuple[Page, Seen]], reader: FailingReader) -> None:
    page, _ = visit()
    reader.error = "waiwang.db: expected a database; found none. Run `waiwang poll`."
    expect(page.locator(".banner.is-alarm")).to_contain_text("数据读取失败waiwang.db: expected a database")
    assert figure(page, "down") == "2"
    reader.error = ""
    expect(page.locator(".banner.is-alarm")).to_have_count(0)


@pytest.mark.parametrize(
    ("age", "words"),
    [(timedelta(minutes=17), "轮询已停滞"), (None, "尚未测量")],
)
def test_polling_that_stands_still_is_loud(
    visit: Callable[..., tuple[Page, Seen]], reader: FailingReader, age: timedelta | None, words: str
) -> None:
    reader.now = replace(reader.now, polled_at=NOW - age if age else None)
    page, _ = visit()
    assert words in page.inner_text(".banner.is-alarm")
    assert page.locator(".figure.is-alarm[data-figure=polled]").count() == 1


def test_a_simulation_and_an_illustration_say_so_on_top(visit: Callable[..., tuple[Page, Seen]], reader: FailingReader) -> None:
    reader.now = replace(reader.now, simulation_note="日期整体后移", simulation_note_en="Dates were moved", illustration=True)
    chinese, english = visit()[0], visit("/en")[0]
    assert chinese.inner_text(".banner.is-simulation").split("\n") == ["模拟演示", "日期整体后移"]
    assert "Dates were moved" in english.inner_text(".banner.is-simulation")
    assert "示例地址规划" in chinese.inner_text(".banner.is-notice")


def test_the_dialog_shows_each_criterion_with_its_evidence(visit: Callable[..., tuple[Page, Seen]]) -> None:
    page, _ = visit()
    page.click(f".outages button:has-text('{UPLINK_OF_NANJIANG}')")
    dialog = page.locator(".detail")
    expect(dialog).to_contain_text("南江县人民政府")
    expect(dialog).to_contain_text("预留100兆接口")
    expect(dialog).to_contain_text("关闭（应如此）")
    verdicts = dialog.locator(".criteria tbody .pill").all_inner_texts()
    assert [verdict.split()[-1] for verdict in verdicts] == ["合格", "合格", "未证实"]
    dialog.locator("summary").first.click()
    expect(dialog.locator("pre").first).to_contain_text('"sent": 50')
    expect(dialog).to_contain_text("no counter <b>seen</b>")
    dialog.locator(".close").click()
    expect(dialog).to_have_count(0)


def test_the_list_of_all_lines_is_filtered_searched_and_sorted(visit: Callable[..., tuple[Page, Seen]]) -> None:
    page, _ = visit()
    rows = page.locator(".all-lines .ag-center-cols-container .ag-row")
    page.click("button.more:has-text('另有')")
    expect(rows).to_have_count(9)
    page.click("button.more:has-text('清除')")
    page.fill(".filter-text input", "南江县")
    expect(rows).to_have_count(6)
    page.fill(".filter-text input", "没有这样的单位")
    expect(page.locator(".all-lines .ag-overlay")).to_contain_text("没有符合条件的线路")
    page.click("button.more:has-text('清除')")
    page.click(".all-lines .ag-header-cell[col-id=down_bps]", position={"x": 20, "y": 18})
    page.click(".all-lines .ag-header-cell[col-id=down_bps]", position={"x": 20, "y": 18})
    expect(page.locator(".all-lines .ag-row[row-index='0']")).to_contain_text("3.10 Mbit/s")
    page.click(".all-lines .ag-row[row-index='0'] [col-id=line_id]")
    expect(page.locator(".detail")).to_contain_text("10兆光纤")


def test_a_hostile_name_is_shown_as_text(visit: Callable[..., tuple[Page, Seen]], reader: FailingReader) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>`${document.title='taken'}`"
    reader.now = with_line(reader.now, "BZWW-511900-B-0004", unit_name=hostile, reason=hostile, carrier_name=hostile)
    reader.now = replace(reader.now, order_title=hostile)
    page, _ = visit()
    page.click(".outages button:has-text('BZWW-511900-B-0004')")
    expect(page.locator(".detail h2")).to_have_text(hostile)
    assert page.title() == "电子政务外网建设与运行"
    assert page.locator("img[src=x]").count() == 0
    assert hostile in page.inner_text(".order")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
@pytest.mark.parametrize("path", ["/", "/en"])
def test_nothing_runs_over_the_edge(visit: Callable[..., tuple[Page, Seen]], path: str, width: int, height: int) -> None:
    page, _ = visit(path, width, height)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".figures").bounding_box()["y"] < height / 3  # type: ignore[index]
    cut = page.evaluate(
        "[...document.querySelectorAll('.figure-note, .pill, .cohort-class, .figure-name')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
    )
    assert cut == []


@pytest.mark.parametrize("path", ["/", "/en"])
def test_on_a_phone_no_word_of_a_forecast_lies_over_another(visit: Callable[..., tuple[Page, Seen]], path: str) -> None:
    page, _ = visit(path, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    words = "[...document.querySelectorAll('.forecast th, .figure-note')]"
    assert page.evaluate(f"{words}.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)") == []


@pytest.mark.parametrize("path", ["/", "/en"])
def test_printed_on_a4_every_table_is_whole_and_what_needs_a_screen_is_left_out(
    visit: Callable[..., tuple[Page, Seen]], path: str
) -> None:
    page, _ = visit(path, 1046, 720)  # A4 on its side within margins of 10 mm, at 96 pixels an inch
    page.emulate_media(media="print")
    over = "[...document.querySelectorAll('.scroll, td, th')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
    assert page.evaluate(over) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1046
    assert not page.is_visible(".all-lines")
    assert page.is_visible(".milestones")
    sheets = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", page.pdf(prefer_css_page_size=True))
    assert sheets
    assert {(round(float(width)), round(float(height))) for width, height in sheets} == {(842, 595)}


def test_a_line_is_opened_and_closed_by_keys_alone(visit: Callable[..., tuple[Page, Seen]]) -> None:
    page, _ = visit()
    page.locator(".all-lines .ag-header-cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.classList.contains('ag-cell')")
    name = page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    expect(page.locator(".detail h2")).to_have_text(name)
    expect(page.locator(".detail .close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)
    page.wait_for_function("document.activeElement.classList.contains('ag-cell')")


def test_a_city_that_takes_seconds_to_read_is_shown_all_the_same(address: str, reader: FailingReader) -> None:
    reader.takes_s = 3.3  # longer than NiceGUI waits by itself
    answer = httpx.get(address, timeout=60, trust_env=False)
    assert answer.status_code == 200
    assert "巴府办发[2008]13号" in answer.text
