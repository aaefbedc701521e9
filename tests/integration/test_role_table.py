"""Every route of the server against the table of docs/access.md: a route without a row fails, and so does a row that is not kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.core.acceptance import LineSample
from app.core.fault_detection import Outage
from app.core.linestate import REASONS
from app.core.windows import DECLARED, Concern, WindowEvent
from app.edge.signing import write_key
from app.web.app import create_app
from app.web.context import AlertDoor
from app.web.doors import Doors
from app.workflows.faults import FaultDesk
from app.workflows.registry import Registry
from app.workflows.summary import StoreReader
from app.workflows.windows import add_window
from tests.samples.accepted_line import ACCEPTED_AT, LINE, POLL_INTERVAL_S, ROOT, accept_line, root_workspace
from tests.samples.rollout import FixedReader
from tests.samples.server import serve_application
from tests.samples.staff import PASSWORD, House, open_house

TABLE = ROOT / "docs" / "access.md"
#: One account of each role of the table, in its order; carrier and unit are the line's own.
ACCOUNTS: dict[str, str | None] = {"nobody": None, "viewer": "watcher", "engineer": "duty", "centre": "office"}
ACCOUNTS |= {"carrier": "telecom-desk", "unit": "bzq-gov", "system": "machine-room", "security": "security-desk", "auditor": "audit-desk"}
ALERT_TOKEN = "a-token-of-the-alertmanager"
#: What turns somebody away, and what a closed or foreign thing answers.
TURNED_AWAY = (401, 403, 404, 405)
#: Requests that are well formed, by route; others are asked for without a body.
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/lines/{line_id}/life": {"json": {"state": "opened", "document": "开通单"}},
    "POST /api/v1/lines/{line_id}/confirmation": {"json": {"decision": "confirmed", "document": "确认单"}},
    "POST /api/v1/events": {"json": {"subject": "BZQ-GOV", "event": "fee_and_seal_received", "document": "回执"}},
    "POST /api/v1/alerts": {"json": {"version": "4", "alerts": []}},
    "POST /password": {"data": {"present": "not the password", "chosen": "x", "again": "y"}},
    "POST /sign-in": {"data": {"account": "office", "password": PASSWORD}},
}
FILLED = {
    "{code}": "en",
    "{line_id}": LINE,
    "_ws/…": "_ws/socket.io/?EIO=4&transport=polling",
    **dict.fromkeys(("{key:path}", "{key}", "{path:path}", "{name}", "…"), "none"),
}


def _walk(routes: list[Any], prefix: str = "") -> Iterator[str]:
    for route in routes:
        inner = getattr(getattr(route, "original_router", route), "routes", None)
        path = prefix + (getattr(route, "path", None) or "")
        if methods := getattr(route, "methods", None):
            yield from (f"{method} {path}" for method in sorted(methods - {"HEAD"}))
        elif inner:
            yield from _walk(inner, path)
        else:
            yield f"GET {path}/…"


def _row(route: str) -> str:
    """Return the row that a route stands in: the page framework's own files, whose paths hold its version, share one."""
    return re.sub(r"^GET /_nicegui/.*", "GET /_nicegui/…", route)


ROUTES = sorted(set(_walk(create_app(FixedReader()).routes)))


def _read_table() -> dict[str, dict[str, str]]:
    text = TABLE.read_text(encoding="utf-8").partition("\n## Every route")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    heads = [cell.strip() for cell in lines[0]]
    return {cells[0].strip().strip("`"): dict(zip(heads[1:], map(str.strip, cells[1:]), strict=True)) for cells in lines[2:]}


ROWS = _read_table()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with reading closed, over a database with an accepted line, a signing key, alerts and a token for metrics."""
    folder = tmp_path_factory.mktemp("house")
    with open_house(folder, key=write_key(folder / "evidence.key"), open_reading=False, offices=True) as opened:
        accept_line(opened.store)
        opened.clock.now = ACCEPTED_AT + timedelta(hours=2)
        yield opened


def application(house: House) -> Any:
    workspace = root_workspace()
    return create_app(
        StoreReader(workspace, house.store, house.clock),
        workspace.order.timezone,
        shared_for_s=0,
        alerts=AlertDoor(FaultDesk(workspace, house.store), SecretStr(ALERT_TOKEN), house.clock),
        doors=Doors(house.store, open_reading=False, clock=house.clock),
        registry=Registry(workspace, house.store, house.clock, ROOT, POLL_INTERVAL_S, house.key),
    )


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[httpx.Client]:
    """A client of the real server: pages and their socket live in it alone."""
    with serve_application(application(house)) as address, httpx.Client(base_url=address, headers={"origin": address}) as opened:
        yield opened


def ask(house: House, client: httpx.Client, account: str | None, route: str, line_id: str = LINE) -> httpx.Response:
    method, _, path = route.partition(" ")
    for name, value in ({**FILLED, "{line_id}": line_id}).items():
        path = path.replace(name, value)
    client.cookies.clear()
    headers = {"authorization": f"Bearer {house.tokens[account]}"} if account else {}
    return client.request(method, path, headers=headers, timeout=60, **BODIES.get(route, {}))


def is_turned_away(answer: httpx.Response) -> bool:
    return answer.status_code in TURNED_AWAY or answer.headers.get("location", "").startswith(("/sign-in?", "/administration"))


def test_the_table_has_a_row_for_every_route_and_no_other() -> None:
    assert {_row(route) for route in ROUTES} == set(ROWS)
    assert all(tuple(row) == tuple(ACCOUNTS) for row in ROWS.values())


@pytest.mark.parametrize("route", [route for route in ROUTES if ROWS.get(_row(route))])
def test_every_route_lets_in_whom_the_table_names_and_nobody_else(house: House, client: httpx.Client, route: str) -> None:
    for kind, account in ACCOUNTS.items():
        word = ROWS[_row(route)][kind]
        answer = ask(house, client, account, route)
        if route.startswith(("GET /_nicegui/", "GET /static")):
            assert (word, answer.status_code) == ("yes", 404), (kind, route)  # let in, and there is no file of this name
        elif word == "token":
            assert is_turned_away(answer), (kind, route)
        else:
            assert word in ("yes", "own", "no"), (kind, route)
            assert is_turned_away(answer) is (word == "no"), (kind, route, answer.status_code, answer.text[:200])
        assert answer.status_code < 500, (kind, route, answer.text[:200])


@pytest.mark.parametrize("route", [route for route in ROUTES if "{line_id}" in route])
def test_a_line_of_others_is_not_there_for_carriers_and_units(house: House, client: httpx.Client, route: str) -> None:
    lines = root_workspace().inventory.lines.values()
    foreign = {
        "telecom-desk": [line.line_id for line in lines if line.carrier != "telecom"][:1],
        "bzq-gov": [line.line_id for line in lines if line.unit_id != "BZQ-GOV"][:1],
    }
    for account, line_ids in foreign.items():
        for line_id in line_ids:
            answer = ask(house, client, account, route, line_id)
            unknown = ask(house, client, account, route, "BZWW-NO-SUCH-LINE")
            assert (answer.status_code, unknown.status_code) == (404, 404), (account, route)
            assert answer.text.replace(line_id, "") == unknown.text.replace("BZWW-NO-SUCH-LINE", ""), "it can be told that the line exists"


def test_alerts_come_in_by_their_token_alone(house: House, client: httpx.Client) -> None:
    for token, status in ((ALERT_TOKEN, 200), (ALERT_TOKEN[:-1], 401), ("x", 401), (house.tokens["office"], 401)):
        headers = {"authorization": f"Bearer {token}"}
        answer = client.post("/api/v1/alerts", json={"version": "4", "alerts": []}, headers=headers)
        assert answer.status_code == status, token


def test_no_answer_names_what_is_anothers(house: House, client: httpx.Client) -> None:
    """Whatever a carrier or unit may ask for, over faults, windows and states that reach across parties."""
    workspace, now = root_workspace(), house.clock.now
    lines = workspace.inventory.lines
    upper = {line.a_device for line in lines.values() if line.carrier == "telecom"}
    above = next(line for line in lines.values() if line.carrier == "unicom" and line.z_device in upper)
    below = [line for line in lines.values() if line.a_device == above.z_device and line.carrier == "telecom"]
    assert below
    seen = [LineSample(above.line_id, now, "down", "the port is down", None, None, None)]
    why = REASONS["behind"][0].format(above.line_id)
    seen += [LineSample(line.line_id, now, "unreachable", why, above.line_id, None, None) for line in below]
    before = [LineSample(each.line_id, now - timedelta(hours=1), "up", "both ports are up", None, None, None) for each in seen]
    house.store.write_cycle(now - timedelta(hours=1, seconds=5), now - timedelta(hours=1), [], before)
    house.store.write_cycle(now - timedelta(seconds=5), now, [], seen)
    desk = FaultDesk(workspace, house.store)
    for line in (above, *below):
        desk.open_by_hand(Outage(line.line_id, now - timedelta(minutes=9), "值班岗", "hand", "电话"), commit=True, now=now)
    for number, concern in enumerate((Concern(lines=(above.line_id,)), Concern(devices=(above.z_device,)), Concern(regions=("511900",)))):
        ends = now + timedelta(hours=2 + number)
        window = WindowEvent("", DECLARED, now, "centre", f"割接通知 {number}", now + timedelta(hours=1), ends, concern)
        add_window(workspace, house.store, window, None, commit=True, now=now)
    parties = {"telecom-desk": lambda line: line.carrier == "telecom", "bzq-gov": lambda line: line.unit_id == "BZQ-GOV"}
    asked = [route for route in ROUTES if route.startswith("GET /api/v1/") and ROWS[route]["carrier"] == "own" and "evidence" not in route]
    assert len(asked) > 8
    for account, owns in parties.items():
        own = [line for line in lines.values() if owns(line)]
        served = {line.unit_id for line in own}
        foreign = {line.line_id for line in lines.values() if not owns(line)} | (set(workspace.inventory.units) - served)
        for route in asked:
            for line_id in {LINE, *(line.line_id for line in below[:1] if owns(line))} if "{line_id}" in route else {LINE}:
                answer = ask(house, client, account, route, line_id)
                assert foreign.isdisjoint(re.findall(r"[A-Za-z0-9_-]+", answer.text)), (account, route, line_id)
    told = ask(house, client, "office", "GET /api/v1/faults").text + ask(house, client, "office", "GET /api/v1/transitions").text
    assert above.line_id in told
