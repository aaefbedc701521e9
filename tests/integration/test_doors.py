"""The gate before page, API and websocket, over a real database: who comes in, and what a carrier or unit is shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.core.acceptance import LineSample
from app.core.fault_detection import Outage
from app.core.linestate import REASONS
from app.web.doors import SESSION_COOKIE, SESSION_LIFE, Doors
from app.web.gate import BODY_LIMIT
from app.web.throttle import PAIR_LIMIT
from app.workflows.accounts import Clerk, change_password, remove_account, revoke_tokens
from app.workflows.faults import FaultDesk
from tests.samples.accepted_line import LINE, root_workspace
from tests.samples.staff import ORIGIN, PASSWORD, House, open_house

READS = ("/api/v1/summary", "/api/v1/lines", "/api/v1/milestones", "/api/v1/gates", "/api/v1/transitions", f"/api/v1/lines/{LINE}")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture
def closed(house: House) -> House:
    house.open_reading = False
    return house


async def sign_in(client: httpx.AsyncClient, account: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    form = {"account": account, "password": password, **fields}
    return await client.post("/sign-in", data=form, headers={"origin": ORIGIN})


async def test_reading_is_open_where_it_is_told_so(house: House) -> None:
    async with house.client() as client:
        for path in (*READS, "/metrics"):
            assert (await client.get(path)).status_code == 200, path


async def test_a_closed_door_answers_the_api_with_401_and_a_browser_with_the_form(closed: House) -> None:
    async with closed.client() as client:
        for path in (*READS, "/metrics", "/api/v1/openapi.json", "/api/v1/nothing"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
            assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/", "/en"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
        for path in ("/healthz", "/sign-in", "/static/dashboard.css"):
            assert (await client.get(path)).status_code == 200, path


async def test_a_websocket_is_closed_to_strangers_where_reading_is_closed(closed: House) -> None:
    told: list[str] = []

    async def send(message: dict[str, object]) -> None:
        told.append(str(message["type"]))

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": [(b"host", b"127.0.0.1")], "query_string": b""}
    await closed.application()(scope, receive, send)
    assert told == ["websocket.close"]


async def test_a_password_opens_a_session_in_a_cookie_that_no_script_reads(closed: House) -> None:
    async with closed.client() as client:
        answer = await sign_in(client, "office", next="/en")
        assert (answer.status_code, answer.headers["location"]) == (303, "/en")
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert (await client.get("/api/v1/session")).json() == {"account": "office", "role": "centre"}
        assert (await client.get("/api/v1/summary")).headers["cache-control"] == "no-store"


async def test_behind_tls_the_cookie_travels_by_tls_alone(closed: House) -> None:
    transport = httpx.ASGITransport(app=closed.application())
    async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1") as client:
        form = {"account": "office", "password": PASSWORD}
        answer = await client.post("/sign-in", data=form, headers={"origin": "https://127.0.0.1"})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(("account", "password"), [("office", "seven grey herons at dusk"), ("nobody", PASSWORD), ("office", ""), ("", "")])
async def test_a_wrong_password_and_a_wrong_name_are_answered_alike(
    closed: House, caplog: pytest.LogCaptureFixture, account: str, password: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with closed.client() as client:
        answer = await sign_in(client, account, password)
    assert answer.status_code == 401
    assert "账号或口令不正确" in answer.text
    assert "set-cookie" not in answer.headers
    assert PASSWORD not in answer.text + caplog.text
    assert not password or password not in answer.text + caplog.text


async def test_after_too_many_failures_even_the_right_password_waits(closed: House) -> None:
    async with closed.client() as client:
        for _ in range(PAIR_LIMIT):
            assert (await sign_in(client, "office", "wrong and wrong again")).status_code == 401
        answer = await sign_in(client, "office")
        assert (answer.status_code, "15 分钟后再试" in answer.text) == (429, True)
        assert int(answer.headers["retry-after"]) > 800
        assert (await sign_in(client, "duty")).status_code == 303


async def test_guesses_that_come_all_at_once_count_as_those_that_come_one_by_one(closed: House) -> None:
    async with closed.client() as client:
        answers = await asyncio.gather(*(sign_in(client, "office", f"wrong and wrong {turn}") for turn in range(3 * PAIR_LIMIT)))
    assert sorted(answer.status_code for answer in answers) == [401] * PAIR_LIMIT + [429] * 2 * PAIR_LIMIT


async def test_a_request_beyond_its_bound_is_not_read_to_its_end(house: House) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * (BODY_LIMIT // 4)

    async with house.client() as client:
        answer = await client.post("/api/v1/events", content=endless(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert "/api/v1/events: expected at most 1,048,576 octets; found more." in answer.json()["detail"]
    assert sent <= 5


@pytest.mark.parametrize("target", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "javascript:1", "/a\r\nx: y", ""])
async def test_sign_in_leads_to_our_own_pages_only(closed: House, target: str) -> None:
    async with closed.client() as client:
        assert (await sign_in(client, "office", next=target)).headers["location"] == "/"
        shown = (await client.get("/sign-in", params={"next": target + '"><script>'})).text
    assert "<script>" not in shown


async def test_a_form_of_another_site_is_refused(house: House) -> None:
    form = {"account": "office", "password": PASSWORD}
    async with house.client() as client:
        for headers in ({"origin": "http://elsewhere.example"}, {}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            assert (await client.post("/sign-in", data=form, headers=headers)).status_code == 403, headers
        assert (await client.post("/sign-in", data=form, headers={"sec-fetch-site": "same-origin"})).status_code == 303
        entry = {"state": "applied", "document": "申请表"}
        for headers in ({"origin": "http://elsewhere.example"}, {}):
            answer = await client.post(f"/api/v1/lines/{LINE}/life", json=entry, headers=headers)
            assert (answer.status_code, "another origin" in answer.text) == (403, True)
        assert house.store.life_events() == []
        assert (await client.post(f"/api/v1/lines/{LINE}/life", json=entry, headers={"origin": ORIGIN})).status_code == 201


async def test_whoever_signs_out_takes_no_copy_of_the_cookie_back_in(closed: House) -> None:
    app = closed.application()
    async with closed.client(app=app) as client:
        await sign_in(client, "office")
        copy = client.cookies[SESSION_COOKIE]
        await client.post("/sign-out", headers={"origin": ORIGIN})
        assert (await client.get("/api/v1/summary")).status_code == 401
    async with closed.client(app=app) as thief:
        thief.cookies.set(SESSION_COOKIE, copy)
        assert (await thief.get("/api/v1/summary")).status_code == 401


async def test_a_session_ends_with_its_time_its_password_and_its_account(closed: House) -> None:
    doors = Doors(closed.store, open_reading=False, clock=closed.clock, idle=None)  # it is used all the while
    app, start = closed.application(doors), closed.clock.now
    for account, end in (
        ("office", lambda: setattr(closed.clock, "now", start + SESSION_LIFE)),
        ("duty", lambda: change_password(Clerk(closed.store, closed.clock.now), "duty", "nine small owls at noon")),
        ("watcher", lambda: remove_account(Clerk(closed.store, closed.clock.now), "watcher")),
    ):
        closed.clock.now = start
        async with closed.client(app=app) as client:
            await sign_in(client, account)
            closed.clock.now = start + SESSION_LIFE - timedelta(seconds=1)
            assert (await client.get("/api/v1/session")).json()["account"] == account
            end()
            assert (await client.get("/api/v1/session")).status_code == 401, account


async def test_a_forged_or_foreign_cookie_opens_nothing(closed: House) -> None:
    elsewhere = Doors(closed.store, clock=closed.clock).sign_in("office", PASSWORD)
    own = closed.application()
    async with closed.client(app=own) as client:
        await sign_in(client, "office")
        good = client.cookies[SESSION_COOKIE]
    assert elsewhere is not None
    # not its last letter: that one carries two bits that no signature has
    for cookie in (elsewhere, good[:-5] + ("A" if good[-5] != "A" else "B") + good[-4:], "", "x", good.partition(".")[0]):
        async with closed.client(app=own) as client:
            client.cookies.set(SESSION_COOKIE, cookie)
            assert (await client.get("/api/v1/summary")).status_code == 401, cookie


async def test_a_session_outlives_the_process_only_with_a_key_of_its_own(house: House) -> None:
    key = SecretStr("0123456789abcdef0123456789abcdef")
    first, second, other = (Doors(house.store, session_key=each, clock=house.clock) for each in (key, key, None))
    cookie = first.sign_in("office", PASSWORD)
    assert cookie is not None
    assert second.find_session(cookie) is not None
    assert other.find_session(cookie) is None


async def test_a_token_opens_the_api_until_it_ends(closed: House) -> None:
    app = closed.application()
    async with closed.client("duty", app) as client:
        assert (await client.get("/api/v1/session")).json() == {"account": "duty", "role": "engineer"}
        assert revoke_tokens(Clerk(closed.store, closed.clock.now), "duty") == 1
        assert (await client.get("/api/v1/summary")).status_code == 401
    async with closed.client("office", app) as client:
        closed.clock.now += timedelta(days=90)
        assert (await client.get("/api/v1/summary")).status_code == 401


async def test_a_wrong_token_is_refused_even_where_reading_is_open(house: House) -> None:
    async with house.client() as client:
        for token in ("waiwang_wrong", "wrong", ""):
            answer = await client.get("/api/v1/summary", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401


def test_no_secret_stands_in_the_database_or_the_audit(house: House, tmp_path: Path) -> None:
    house.store.close()
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"telecom-desk" in content
    for secret in (PASSWORD, *house.tokens.values()):
        assert secret.encode() not in content


async def test_prometheus_comes_in_by_its_own_token(closed: House) -> None:
    doors = Doors(closed.store, open_reading=True, metrics_token=SecretStr("scrape-me"), clock=closed.clock)
    async with closed.client(app=closed.application(doors)) as client:
        shown = {"scrape-me": 200, "scrape-you": 401, closed.tokens["watcher"]: 200, closed.tokens["telecom-desk"]: 403}
        for token, status in shown.items():
            answer = await client.get("/metrics", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == status, token
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/api/v1/summary", headers={"authorization": "Bearer scrape-me"})).status_code == 401


# What carriers and units are shown


@pytest.mark.requirement("DZ-3", "BL-2")
async def test_a_carrier_is_shown_its_own_lines_alone(closed: House) -> None:
    lines = root_workspace().inventory.lines.values()
    foreign = {line.line_id for line in lines if line.carrier != "telecom"}
    async with closed.client("telecom-desk") as client:
        rows = (await client.get("/api/v1/lines?end=1000")).json()
        assert rows["total"] == len(list(lines)) - len(foreign)
        for path in ("/api/v1/lines?end=1000", "/api/v1/summary", "/api/v1/milestones", "/api/v1/gates", "/api/v1/transitions"):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert not any(line_id in answer.text for line_id in foreign), path
        for line_id in list(foreign)[:3]:
            for rest in ("", "/life", "/confirmation", "/confirmation-form", "/evidence"):
                assert (await client.get(f"/api/v1/lines/{line_id}{rest}")).status_code == 404, rest
            assert (await client.get(f"/api/v1/transitions?line_id={line_id}")).json()["transitions"] == []


async def test_a_unit_is_shown_its_own_line_alone(closed: House) -> None:
    async with closed.client("bzq-gov") as client:
        rows = (await client.get("/api/v1/lines?end=1000")).json()["rows"]
        assert {row["unit_id"] for row in rows} == {"BZQ-GOV"}
        assert {row["line_id"] for row in rows} >= {LINE}
    async with closed.client("tj-gov") as client:
        assert (await client.get(f"/api/v1/lines/{LINE}")).status_code == 404


async def test_a_carrier_is_not_told_whose_line_lies_above(closed: House) -> None:
    lines = root_workspace().inventory.lines
    above = next(line for line in lines.values() if line.carrier == "unicom")
    below = next(line for line in lines.values() if line.carrier == "telecom" and line.line_id != LINE)
    at = closed.clock.now
    samples = [LineSample(below.line_id, at, "unreachable", REASONS["behind"][0].format(above.line_id), above.line_id, None, None)]
    closed.store.write_cycle(at - timedelta(seconds=5), at, [], samples)
    async with closed.client("telecom-desk") as client:
        row = (await client.get(f"/api/v1/lines/{below.line_id}")).json()
    assert row["line"]["behind"] is None
    assert row["line"]["state"] == "unreachable"
    assert above.line_id not in str(row)
    async with closed.client("watcher") as client:
        assert (await client.get(f"/api/v1/lines/{below.line_id}")).json()["line"]["behind"] == above.line_id


async def test_what_is_not_meant_for_parties_is_closed_to_them(closed: House) -> None:
    for account in ("telecom-desk", "bzq-gov"):
        async with closed.client(account) as client:
            for path in ("/metrics", "/api/v1/whatever-comes-next", "/api/v1/linesmen"):
                assert (await client.get(path)).status_code == 403, path


async def test_a_carrier_is_shown_the_faults_of_its_own_lines(closed: House) -> None:
    lines = root_workspace().inventory.lines.values()
    own, foreign = (next(line.line_id for line in lines if line.carrier == name) for name in ("telecom", "unicom"))
    desk, at = FaultDesk(root_workspace(), closed.store), closed.clock.now - timedelta(hours=1)
    for line_id in (own, foreign):
        desk.open_by_hand(Outage(line_id, at, "值班岗", "hand", "电话"), commit=True, now=closed.clock.now)
    async with closed.client("telecom-desk") as client:
        answer = await client.get("/api/v1/faults")
        assert [fault["line_id"] for fault in answer.json()["faults"]] == [own]
        assert {row["carrier"] for row in answer.json()["carriers"]} == {"telecom"}
        assert foreign not in answer.text
    async with closed.client("watcher") as client:
        assert {fault["line_id"] for fault in (await client.get("/api/v1/faults")).json()["faults"]} == {own, foreign}


async def test_alertmanager_comes_in_by_its_own_token_alone(closed: House) -> None:
    async with closed.client() as client:
        answer = await client.post("/api/v1/alerts", json={"version": "4", "alerts": []}, headers={"authorization": "Bearer x"})
    assert (answer.status_code, "expected the secret alert_token; found none" in answer.text) == (403, True)
