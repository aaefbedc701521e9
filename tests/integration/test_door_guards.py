"""The doors against a network that is not friendly: other names and origins, proxies, broken addresses; and what the audit keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.core.progress import Summary
from app.errors import InputError
from app.settings import read_settings
from app.web.doors import DOOR, NOBODY, SESSION_COOKIE, Doors
from app.web.throttle import PAIR_LIMIT
from tests.samples.rollout import FixedReader
from tests.samples.server import serve
from tests.samples.staff import ORIGIN, PASSWORD, House, open_house

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
READS = ("/", "/api/v1/summary", "/metrics", "/healthz", "/sign-in", "/static/dashboard.css", SOCKET)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that nobody writes to, for all tests that only knock."""
    with open_house(tmp_path_factory.mktemp("standing")) as opened:
        yield opened


def doors(house: House, **options: object) -> Doors:
    return Doors(house.store, clock=house.clock, **options)  # type: ignore[arg-type]  # fields by name


# Names


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "[::1", "0x7f.1"])
async def test_a_page_that_another_name_leads_here_is_not_ours(standing: House, host: str) -> None:
    """DNS rebinding: a page of a stranger's site whose name now leads to 127.0.0.1 would read everything that is open there."""
    async with standing.client() as client:
        for path in READS:
            answer = await client.get(path, headers={"host": host})
            assert (answer.status_code, answer.headers["content-type"]) == (421, "application/problem+json"), path
            assert "WAIWANG_HOSTS" in answer.json()["detail"]
            assert "x-content-type-options" in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "192.0.2.7:443", "[::1]"])
def test_addresses_and_localhost_are_ours(standing: House, host: str) -> None:
    assert doors(standing).is_called(host)


def test_names_that_were_configured_are_ours_in_either_case_and_no_others(standing: House) -> None:
    found = doors(standing, hosts=read_settings({"WAIWANG_HOSTS": "ww.example.gov.cn, NOC"}).hosts)
    for host in ("ww.example.gov.cn", "WW.example.gov.cn:8443", "ww.example.gov.cn.", "noc:80"):
        assert found.is_called(host), host
    for host in ("example.gov.cn", "x.ww.example.gov.cn", "ww.example.gov.cn@evil.example", "ww.example.gov.cn:80:80", "noc:x"):
        assert not found.is_called(host), host


def test_hosts_and_proxies_that_are_none_are_refused_in_words() -> None:
    with pytest.raises(InputError) as refused:
        read_settings({"WAIWANG_HOSTS": "ww.test:8080,*", "WAIWANG_PROXIES": "*,192.0.2.1/28"})
    assert [(each.where, each.found) for each in refused.value.findings] == [
        ("WAIWANG_HOSTS", "ww.test:8080"),
        ("WAIWANG_HOSTS", "*"),
        ("WAIWANG_PROXIES", "*"),
        ("WAIWANG_PROXIES", "192.0.2.1/28"),
    ]
    assert read_settings({}).proxies == ("127.0.0.1",)
    assert read_settings({"WAIWANG_PROXIES": "192.0.2.0/28, 192.0.2.99"}).proxies == ("192.0.2.0/28", "192.0.2.99")
    assert read_settings({"WAIWANG_PROXIES": "none"}).proxies == ()


# Origins


async def test_the_pages_socket_is_for_our_own_page_by_whatever_transport(standing: House) -> None:
    """NiceGUI's own server answers every origin; without the gate another site could talk to it where reading is open."""
    async with standing.client() as client:
        for method in ("GET", "POST", "OPTIONS"):
            for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
                answer = await client.request(method, SOCKET, headers={"origin": origin})
                assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (403, None), (method, origin)


async def test_a_websocket_under_another_name_or_from_another_site_is_closed(standing: House) -> None:
    for headers in ([(b"host", b"evil.example")], [(b"host", b"127.0.0.1"), (b"origin", b"http://evil.example")], []):
        told: list[str] = []

        async def send(message: dict[str, object], told: list[str] = told) -> None:
            told.append(str(message["type"]))

        async def receive() -> dict[str, object]:
            return {"type": "websocket.connect"}

        scope = {"type": "websocket", "scheme": "ws", "path": "/_nicegui_ws/socket.io/", "headers": headers, "query_string": b""}
        await standing.application()(scope, receive, send)
        assert told == ["websocket.close"], headers


# Addresses that break lines


@pytest.mark.parametrize("path", ["/a%0Aforged: line", "/%1b[2J", "/api/v1/lines/%0d%0aSet-Cookie:x", "/%E2%80%A8"])
async def test_a_path_that_would_break_the_lines_of_a_log_is_refused(standing: House, path: str, caplog: pytest.LogCaptureFixture) -> None:
    async with standing.client() as client:
        assert (await client.get(path)).status_code == 400
    assert not any("\n" in entry.getMessage() or "\x1b" in entry.getMessage() for entry in caplog.records)


@pytest.mark.parametrize("path", ["/static/../../app.py", "/static/%2e%2e/page.py", "/static/..%2fpage.py", "/static//etc/passwd"])
async def test_no_path_leads_out_of_the_static_files(standing: House, path: str) -> None:
    async with standing.client() as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("line_id", ["..%2f..%2fetc", "%2e%2e", "x'%20OR%20'1'='1", "{{7*7}}", "%25s", "a" * 3000])
async def test_an_id_that_is_none_is_not_there_whatever_it_looks_like(standing: House, line_id: str) -> None:
    async with standing.client("office") as client:
        for rest in ("", "/life", "/confirmation", "/confirmation-form", "/evidence"):
            answer = await client.get(f"/api/v1/lines/{line_id}{rest}")
            assert answer.status_code in (404, 503), rest
            assert "49" not in answer.json()["detail"].replace("404", "")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, '{"document": ' + "9" * 5000 + "}", b"\xed\xa0\x80", b"\xff"])
async def test_a_body_that_is_meant_to_break_the_reader_is_answered_as_a_mistake(standing: House, body: str | bytes) -> None:
    async with standing.client("office") as client:
        for path in ("/api/v1/events", "/api/v1/alerts"):
            answer = await client.post(path, content=body, headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500, (path, answer.text[:200])


# Proxies


async def test_reading_that_is_open_on_this_machine_is_closed_to_whom_a_proxy_brings(standing: House) -> None:
    app = standing.application(doors(standing, open_reading=True, only_near=True))
    for address, status in (("127.0.0.1", 200), ("::1", 200), ("192.0.2.9", 401), ("", 401), ("unix", 401)):
        transport = httpx.ASGITransport(app=app, client=(address, 4000), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            for path in ("/api/v1/summary", "/metrics"):
                assert (await client.get(path)).status_code == status, (address, path)


# Sessions


def test_a_session_that_was_ended_stays_ended_for_every_process_and_after_a_restart(house: House) -> None:
    key = SecretStr("0123456789abcdef0123456789abcdef")
    first, second = doors(house, session_key=key), doors(house, session_key=key)
    cookie, other = first.sign_in("office", PASSWORD), first.sign_in("office", PASSWORD)
    assert cookie is not None
    assert other is not None
    assert second.find_session(cookie) is not None
    first.sign_out(cookie)
    assert [each.find_session(cookie) for each in (first, second, doors(house, session_key=key))] == [None, None, None]
    assert second.find_session(other) is not None


# The audit


async def test_the_audit_keeps_who_came_who_was_refused_and_when_the_door_was_locked(house: House) -> None:
    house.open_reading = False
    app = house.application()
    async with house.client(app=app) as client:
        form = {"account": "office", "password": PASSWORD}
        headers = {"origin": ORIGIN}
        await client.post("/sign-in", data=form, headers=headers)
        await client.post("/sign-out", headers=headers)
        await client.post("/sign-in", data={"account": "my-secret-password", "password": "typed in the wrong field"}, headers=headers)
        for _ in range(PAIR_LIMIT + 2):
            await client.post("/sign-in", data={**form, "password": "wrong and wrong again"}, headers=headers)
    entries = [each for each in house.store.audit() if not each.verb.startswith("account")]
    assert [(each.actor, each.verb, each.subject) for each in entries[:3]] == [
        ("office", "sign in", "office"),
        ("office", "sign out", "office"),
        (DOOR, "sign in refused", NOBODY),
    ]
    assert entries[0].detail == {"address": "127.0.0.1", "role": "centre"}
    assert [each.subject for each in entries[3:]] == ["office"] * PAIR_LIMIT
    assert [each.detail["locked"] for each in entries[3:]] == [False] * (PAIR_LIMIT - 1) + [True]
    assert not any(word in str(entries) for word in ("my-secret-password", "wrong", "herons"))


async def test_whoever_signs_out_with_a_cookie_that_is_over_writes_nothing(house: House) -> None:
    app = house.application()
    async with house.client(app=app) as client:
        await client.post("/sign-in", data={"account": "office", "password": PASSWORD}, headers={"origin": ORIGIN})
        cookie = client.cookies[SESSION_COOKIE]
        for _ in range(3):
            await client.post("/sign-out", headers={"origin": ORIGIN, "cookie": f"{SESSION_COOKIE}={cookie}"})
            client.cookies.clear()
    assert [each.verb for each in house.store.audit()].count("sign out") == 1


# Failures


def test_a_page_that_fails_says_so_and_keeps_the_reason_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FixedReader):
        def summary(self) -> Summary:
            raise RuntimeError("hush: /etc/waiwang/secrets.yaml")

    with serve(Broken()) as base:
        for path in ("/", "/en", "/api/v1/summary", "/metrics"):
            answer = httpx.get(base + path, timeout=60)  # a connection of its own: the server ends it
            assert (answer.status_code, "hush" in answer.text, "Traceback" in answer.text) == (500, False, False), path
        assert "The server failed on this page" in httpx.get(base, timeout=60).text
    assert "hush" in caplog.text
