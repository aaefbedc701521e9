"""Faults and change windows over a real database: by polling, by hand, by the webhook; on the command line and the API."""

from __future__ import annotations

import csv
import io
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from pydantic import SecretStr

from app.cli.main import main
from app.core.acceptance import FAIL, PASS, Acceptance, LineSample
from app.core.fault_detection import Alert, lines_above
from app.core.fault_report import FaultView
from app.core.faults import FaultEvent
from app.core.life import LifeEvent
from app.core.windows import DECLARED, Concern, WindowEvent
from app.edge.database.store import Store
from app.errors import InputError
from app.web.app import create_app
from app.web.context import AlertDoor
from app.workflows.availability import measure_availability
from app.workflows.faults import FaultDesk, outage_by_hand, read_faults
from app.workflows.summary import StoreReader
from app.workflows.windows import add_window, cancel_window
from tests.samples.accepted_line import ACCEPTED_AT, INTERVAL, POLL_INTERVAL_S, ROOT, root_workspace

TOKEN = "a-token-of-this-test-alone"
ABOVE = lines_above(root_workspace().inventory)
CHILD = next(line_id for line_id, way in ABOVE.items() if way)
PARENT = ABOVE[CHILD][-1]
OTHER = next(line_id for line_id, way in ABOVE.items() if not way and line_id != PARENT)
NOW = datetime(2008, 7, 3, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'waiwang.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    yield from open_store(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_store(request: pytest.FixtureRequest, url: str) -> Iterator[Store]:
    """Yield a store on a database of each kind."""
    postgresql = request.param == "postgresql"
    yield from open_store(request.getfixturevalue("postgresql").create_database() if postgresql else url)


def open_store(url: str) -> Iterator[Store]:
    """Yield a store in which three lines are accepted."""
    opened = Store.open(url)
    for line_id in (PARENT, CHILD, OTHER):
        opened.write_acceptance(Acceptance(line_id, ACCEPTED_AT, PASS, (), None, None, None))
    yield opened
    opened.close()


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `waiwang WORDS` on the root workspace; return exit code, stdout, stderr."""
    monkeypatch.setenv("WAIWANG_ROOT", str(ROOT))
    monkeypatch.setenv("WAIWANG_DATABASE_URL", url)
    monkeypatch.setenv("COLUMNS", "300")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["waiwang", *words])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return (left.value.code if isinstance(left.value.code, int) else 0), told.out, told.err

    return call


def see(store: Store, at: datetime, **states: str) -> None:
    names = {"parent": PARENT, "child": CHILD, "other": OTHER}
    samples = [
        LineSample(line_id, at, states.get(name, "up"), "", PARENT if states.get(name) == "unreachable" else None, None, None)
        for name, line_id in names.items()
    ]
    store.write_cycle(at, at, [], samples)


def desk(store: Store) -> FaultDesk:
    return FaultDesk(root_workspace(), store)


def by_line(store: Store, now: datetime = NOW) -> dict[str, FaultView]:
    return {each.line_id: each for each in read_faults(root_workspace(), store, now).faults}


# By polling


@pytest.mark.requirement("SX-1")
def test_polling_opens_one_fault_for_a_county_and_restores_it_as_of_the_moment_the_line_came_up(store: Store) -> None:
    for minute in range(30):
        at, broken = NOW + minute * MINUTE, 5 <= minute < 20
        see(store, at, parent="down" if broken else "up", child="unreachable" if broken else "up")
        desk(store).look(at)
    later = NOW + HOUR
    assert {each.line_id for each in read_faults(root_workspace(), store, later).faults} == {PARENT}
    fault = by_line(store, later)[PARENT]
    assert (fault.began_at, fault.restored_at, fault.lasted) == (NOW + 5 * MINUTE, NOW + 20 * MINUTE, 15 * MINUTE)
    assert (fault.state, fault.source, fault.children) == ("restored", "poller", (CHILD,))
    assert [event.kind for event in store.fault_events()] == ["opened", "joined", "restored"]


def test_lines_that_were_closed_rejected_or_never_accepted_are_not_in_service(store: Store) -> None:
    assert store.lines_in_service() == {PARENT, CHILD, OTHER}
    store.write_acceptance(Acceptance(CHILD, NOW, FAIL, (), None, None, None))
    store.write_life_events([LifeEvent(OTHER, "closed", NOW, NOW, "经办", "停用通知")])
    assert store.lines_in_service() == {PARENT}


def test_what_was_known_then_is_shown_as_of_then(either_store: Store) -> None:
    store = either_store
    for minute in range(30):
        at = NOW + minute * MINUTE
        see(store, at, other="down" if minute < 20 else "up")
        desk(store).look(at)
    assert by_line(store, NOW + 4 * MINUTE) == {}
    assert by_line(store, NOW + 5 * MINUTE)[OTHER].state == "open"
    known_then = by_line(store, NOW + 22 * MINUTE)[OTHER]
    assert (known_then.state, known_then.lasted) == ("open", 22 * MINUTE)
    assert by_line(store, NOW + 26 * MINUTE)[OTHER].restored_at == NOW + 20 * MINUTE


def test_many_that_decide_at_once_open_one_fault(either_store: Store) -> None:
    store = either_store
    see(store, NOW - 10 * MINUTE, other="down")
    see(store, NOW, other="down")
    alert = Alert("ab12", "WaiwangLineDown", OTHER, NOW - MINUTE, None, "")
    works = [lambda: desk(store).look(NOW), lambda: desk(store).take([alert], NOW)] * 4
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.kind for event in store.fault_events() if event.kind != "noted"] == ["opened"]
    assert list(by_line(store)) == [OTHER]


def test_a_fault_that_was_closed_long_ago_is_known_to_a_clerk_and_to_its_alert(store: Store) -> None:
    alert = Alert("ab12", "WaiwangLineDown", OTHER, NOW - MINUTE, None, "")
    desk(store).take([alert], NOW)
    for kind, minute in (("restored", 1), ("closed", 2)):
        at = NOW + minute * MINUTE
        desk(store).enter(_event(kind, at), commit=True, now=at)
    later = NOW + timedelta(days=20)
    assert desk(store).take([alert], later) == {"known": 1}
    with pytest.raises(InputError, match="assigned cannot follow closed"):
        desk(store).enter(_event("assigned", later, "运维岗"), commit=True, now=later)


def _event(kind: str, at: datetime, value: str = "") -> FaultEvent:
    return FaultEvent("F-20080703-001", kind, "", at, at, "值班员", "hand", "工单", value)


# Change windows and availability


def test_a_change_window_is_excluded_from_availability_from_its_announcement_on(either_store: Store) -> None:
    store, end = either_store, ACCEPTED_AT + 20 * INTERVAL
    for number in range(21):
        see(store, ACCEPTED_AT + number * INTERVAL, other="down" if 10 <= number < 14 else "up")
    window = (ACCEPTED_AT + 10 * INTERVAL, ACCEPTED_AT + 14 * INTERVAL)

    def level() -> tuple[str, timedelta, timedelta]:
        [found] = measure_availability(root_workspace(), store, [OTHER], None, end, POLL_INTERVAL_S).levels
        return found.verdict, found.down, found.excluded

    assert level() == ("fail", 4 * INTERVAL, timedelta(0))
    announced = ACCEPTED_AT + 11 * INTERVAL
    event = WindowEvent("", DECLARED, announced, "通信处", "检修通知", *window, Concern((OTHER,)))
    declared = add_window(root_workspace(), store, event, None, commit=True, now=announced).window
    assert level() == ("fail", INTERVAL, 3 * INTERVAL), "what lay before the announcement counts"
    cancel_window(store, declared.window_id, "通信处", "取消", None, commit=True, now=ACCEPTED_AT + 12 * INTERVAL)
    assert level() == ("fail", 3 * INTERVAL, INTERVAL)


# The command line


@pytest.mark.requirement("SX-1")
def test_a_fault_goes_from_its_report_to_its_end_on_the_command_line(run: Run, store: Store, tmp_path: Path) -> None:
    told = ("--by", "值班员", "--document", "电话报障", "--format", "csv")
    code, out, _ = run("fault", "open", OTHER, *told)
    assert code == 5
    assert store.fault_events() == []
    code, out, _ = run("fault", "open", OTHER, *told, "--commit")
    assert code == 0
    fault_id = next(csv.DictReader(io.StringIO(out)))["fault"]
    assert run("fault", "close", fault_id, *told, "--commit")[0] == 2
    for words in (("assign", fault_id, "--to", "运维岗"), ("hand", fault_id), ("restore", fault_id), ("close", fault_id)):
        assert run("fault", *words, *told, "--commit")[0] == 0
    carrier = root_workspace().inventory.lines[OTHER].carrier
    assert [(each.kind, each.value) for each in store.fault_events()] == [
        ("opened", ""),
        ("assigned", "运维岗"),
        ("handed", carrier),
        ("restored", ""),
        ("closed", ""),
    ]
    assert list(csv.DictReader(io.StringIO(run("fault", "list", "--format", "csv")[1]))) == []
    [row] = csv.DictReader(io.StringIO(run("fault", "list", "--all", "--format", "csv")[1]))
    assert (row["line"], row["state"], row["within_agreed"], row["document"]) == (OTHER, "closed", "yes", "电话报障")
    code, out, _ = run("fault", "report", "--format", "csv")
    [row] = [each for each in csv.DictReader(io.StringIO(out)) if each["carrier"] == carrier]
    assert (code, row["faults"], row["restored"], row["within_agreed"], row["over_agreed"]) == (0, "1", "1", "1", "0")


def test_faults_and_times_are_written_as_sheets_with_heads_in_both_languages(run: Run, store: Store, tmp_path: Path) -> None:
    desk(store).open_by_hand(outage_by_hand(OTHER, datetime.now(UTC), "值班员", "电话报障"), commit=True, now=datetime.now(UTC))
    book, text = tmp_path / "faults.xlsx", tmp_path / "report.csv"
    assert run("fault", "list", "-o", str(book))[0] == 0
    rows = list(load_workbook(book).worksheets[0].iter_rows(values_only=True))
    assert (rows[0][0], rows[0][5], rows[1][1], rows[1][5]) == ("故障编号", "状态", OTHER, "未派单")
    assert run("fault", "report", "-o", str(text), "--language", "en")[0] == 0
    assert text.read_text(encoding="utf-8-sig").startswith("Carrier,Faults,Broken now,Restored,Median time to restore (min)")
    code, _, err = run("fault", "list", "-o", str(tmp_path / "faults.ods"))
    assert code == 2
    assert ".xlsx or .csv" in err


def test_a_carrier_that_had_a_fault_longer_than_agreed_ends_the_report_with_six(run: Run, store: Store) -> None:
    start = datetime.now(UTC) - 9 * HOUR
    desk(store).open_by_hand(outage_by_hand(OTHER, start, "值班员", "电话报障"), commit=True, now=start)
    fault_id = by_line(store, datetime.now(UTC))[OTHER].fault_id
    at = start.astimezone(root_workspace().order.timezone).isoformat()
    words = ("--by", "值班员", "--document", "工单", "--at", at, "--commit")
    assert run("fault", "hand", fault_id, *words)[0] == 0
    assert run("fault", "report")[0] == 6
    code, _, err = run("fault", "hand", fault_id, *words, "--carrier", "telekom")
    assert code == 2
    assert "no such carrier" in err


def test_a_window_is_announced_listed_and_cancelled_on_the_command_line(run: Run, store: Store) -> None:
    span = ("--from", "2030-07-05T22:00", "--to", "2030-07-06T02:00")
    told = ("--by", "通信处", "--document", "检修通知", "--format", "csv")
    assert run("window", "add", *span, *told, "--line", OTHER)[0] == 5
    assert store.windows() == []
    code, out, err = run("window", "add", *span, *told, "--line", OTHER, "--commit")
    assert code == 0
    assert "Alertmanager was not told" in err
    [row] = csv.DictReader(io.StringIO(out))
    assert (row["state"], row["from"], row["lines"], row["announced_late"]) == ("announced", "2030-07-05 22:00:00+08:00", "1", "no")
    assert len(run("window", "list", "--format", "csv")[1].splitlines()) == 2
    assert run("window", "cancel", row["window"], *told, "--commit")[0] == 0
    assert len(run("window", "list", "--format", "csv")[1].splitlines()) == 1
    [row] = csv.DictReader(io.StringIO(run("window", "list", "--all", "--format", "csv")[1]))
    assert row["state"] == "cancelled"
    assert run("window", "cancel", row["window"], *told, "--commit")[0] == 2


# The webhook


def client(store: Store, *, taken: bool = True) -> httpx.AsyncClient:
    reader = StoreReader(root_workspace(), store, lambda: NOW)
    door = AlertDoor(desk(store), SecretStr(TOKEN), lambda: NOW) if taken else None
    transport = httpx.ASGITransport(app=create_app(reader, alerts=door), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def hook(*alerts: dict[str, object], **changes: object) -> dict[str, object]:
    return {"version": "4", "status": "firing", "receiver": "waiwang", "groupKey": "{}", "truncatedAlerts": 0, "alerts": alerts} | changes


def body(line_id: str, **changes: object) -> dict[str, object]:
    labels = {"alertname": "WaiwangLineDown", "line_id": line_id}
    times = {"startsAt": (NOW - MINUTE).isoformat(), "endsAt": "0001-01-01T00:00:00Z"}
    return {"status": "firing", "labels": labels, "annotations": {"summary": "中断"}, "fingerprint": line_id[-8:], **times} | changes


SHOWN = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.asyncio
async def test_a_webhook_opens_faults_parents_first_and_says_what_became_of_each_alert(store: Store) -> None:
    async with client(store) as web:
        sent = hook(body(CHILD), body(PARENT), body("no-such-line"), truncatedAlerts=3)
        answer = (await web.post("/api/v1/alerts", json=sent, headers=SHOWN)).json()
        outcomes = {name: number for name, number in answer["outcomes"].items() if number}
        assert (outcomes, answer["truncated"]) == ({"opened": 1, "joined": 1, "unknown_line": 1}, 3)
        answer = (await web.post("/api/v1/alerts", json=sent, headers=SHOWN)).json()
        assert {name: number for name, number in answer["outcomes"].items() if number} == {"known": 2, "unknown_line": 1}
        shown = (await web.get("/api/v1/faults")).json()
        assert [(each["line_id"], each["children"], each["lasted_s"]) for each in shown["faults"]] == [(PARENT, [CHILD], 60.0)]
        assert (await web.get("/api/v1/faults", params={"state": "closed"})).json()["total"] == 0
        assert (await web.get("/api/v1/windows")).json()["windows"] == []
        metrics = (await web.get("/metrics")).text
        carrier = root_workspace().inventory.lines[PARENT].carrier
        assert f'waiwang_faults{{carrier="{carrier}",planned="false",state="open"}} 1.0' in metrics


@pytest.mark.asyncio
async def test_the_webhook_is_off_without_its_token_and_says_so(store: Store) -> None:
    async with client(store, taken=False) as web:
        answer = await web.post("/api/v1/alerts", json=hook(body(OTHER)), headers=SHOWN)
        assert answer.status_code == 403
        assert "Set WAIWANG_SECRET_ALERT_TOKEN" in answer.json()["detail"]
    assert store.fault_events() == []


@pytest.mark.asyncio
@pytest.mark.parametrize("shown", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}, {"authorization": "Bearer"}])
async def test_the_webhook_refuses_another_token_without_a_word_of_its_own(store: Store, shown: dict[str, str]) -> None:
    async with client(store) as web:
        answer = await web.post("/api/v1/alerts", json=hook(body(OTHER)), headers=shown)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert TOKEN not in answer.text
    assert store.fault_events() == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (hook(version="3"), 422, "version: expected a webhook of version 4"),
        (hook(body(OTHER, startsAt="2008-07-03T10:00:00")), 422, "alerts.0.startsAt"),
        (hook(body(OTHER, startsAt="0001-01-01T00:00:00+14:00")), 422, "alerts.0.startsAt"),
        (hook(body(OTHER, status="resolved", endsAt="9999-12-31T23:59:59-14:00")), 422, "alerts.0.endsAt"),
        (hook(body(OTHER, fingerprint="x" * 33)), 422, "alerts.0.fingerprint"),
        (hook(padding="x" * (4 << 20)), 413, "at most 4,194,304 octets"),
    ],
)
async def test_a_webhook_that_is_none_is_refused_in_words(store: Store, sent: dict[str, object], status: int, said: str) -> None:
    async with client(store) as web:
        answer = await web.post("/api/v1/alerts", json=sent, headers=SHOWN)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert store.fault_events() == []
