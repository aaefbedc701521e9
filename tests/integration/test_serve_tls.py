"""`waiwang serve` with TLS of its own: sign-in, page and socket over it, and sessions that a restart does not bring back."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from websockets.asyncio.client import connect

from app.core.life import LifeEvent
from app.edge.database.connection import file_open_to_others
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.tls import open_tls
from app.errors import InputError
from app.web.doors import SESSION_COOKIE
from tests.samples.certificates import NAME, Certificate, make_certificate
from tests.samples.chromium import CHROMIUM, open_browser
from tests.samples.command_line import CommandLine, copy_small
from tests.samples.required import skip_or_fail
from tests.samples.server import free_port, wait_until

PASSWORD = "seven grey herons at dawn"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
DOORS = {"WAIWANG_OPEN_READING": "no", "WAIWANG_SECRET_SESSION_KEY": "k" * 32, "WAIWANG_TRAP_LISTEN": "off", "WAIWANG_HOSTS": NAME}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small city with an account."""
    folder = copy_small(tmp_path_factory.mktemp("tls") / "city")
    before, sys.stdin = sys.stdin, SimpleNamespace(readline=lambda limit: PASSWORD + "\n", isatty=lambda: False)  # type: ignore[assignment]
    try:
        assert CommandLine(folder)("account", "add", "office", "--role", "centre", "--password-stdin").code == 0
    finally:
        sys.stdin = before
    return folder


@pytest.fixture(scope="module")
def files(place: Path) -> Certificate:
    return make_certificate(place.parent)


@contextmanager
def serving(place: Path, files: Certificate) -> Iterator[httpx.Client]:
    """Run the server as a process; yield a client that trusts its certificate and nothing else."""
    port = free_port()
    words = ("--port", str(port), "--tls-cert", str(files.certificate), "--tls-key", str(files.key))
    process = CommandLine(place).start("serve", *words, **DOORS)
    trust = ssl.create_default_context(cafile=str(files.certificate))
    try:
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust, timeout=60, trust_env=False) as client:
            wait_until(lambda: answers(client) or process.poll() is not None, 60, "the server")
            assert process.poll() is None, process.communicate()
            yield client
    finally:
        process.terminate()
        said = process.communicate(timeout=60)
    assert "Traceback" not in said[1]
    assert f"dashboard https://127.0.0.1:{port}/" in said[1]
    assert re.search(r"^audit: head [0-9a-f]{64}$", said[1], re.MULTILINE)
    assert PASSWORD not in said[0] + said[1]


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def origin(client: httpx.Client) -> str:
    return str(client.base_url).rstrip("/")


def sign_in(client: httpx.Client) -> httpx.Response:
    return client.post("/sign-in", data={"account": "office", "password": PASSWORD}, headers={"origin": origin(client)})


def socket_answer(client: httpx.Client, files: Certificate, **headers: str) -> str:
    """Open the page's socket by TLS; return the first message, or why it was refused."""
    trust = ssl.create_default_context(cafile=str(files.certificate))
    url = origin(client).replace("https", "wss") + SOCKET

    async def ask() -> str:
        async with connect(url, ssl=trust, additional_headers=headers, open_timeout=60, proxy=None) as opened:
            return str(await asyncio.wait_for(opened.recv(), 60))

    try:
        return asyncio.run(ask())
    except Exception as error:  # noqa: BLE001  # what the library raises over a refusal is its own affair
        return f"refused: {error}"


def test_sign_in_page_and_socket_go_by_tls_and_a_restart_brings_no_ended_session_back(place: Path, files: Certificate) -> None:
    with serving(place, files) as client:
        assert client.get("/").headers["location"] == "/sign-in?next=/"
        welcome = sign_in(client)
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in welcome.headers["set-cookie"].split(";")}
        assert welcome.headers["strict-transport-security"] == "max-age=31536000"
        assert "server" not in welcome.headers
        assert "电子政务外网" in client.get("/").text
        ended = client.cookies[SESSION_COOKIE]
        assert socket_answer(client, files, cookie=f"{SESSION_COOKIE}={ended}", origin=origin(client)).startswith('0{"sid"')
        assert "HTTP 4" in socket_answer(client, files, origin=origin(client))
        assert "HTTP 4" in socket_answer(client, files, cookie=f"{SESSION_COOKIE}={ended}", origin="https://elsewhere.example")
        assert client.get("/api/v1/session").json() == {"account": "office", "role": "centre"}
        client.post("/sign-out", headers={"origin": origin(client)})
        assert client.get("/api/v1/session").status_code == 401
        sign_in(client)
        standing = client.cookies[SESSION_COOKIE]
        with pytest.raises(httpx.TransportError):
            httpx.get(origin(client).replace("https", "http") + "/healthz", trust_env=False)
    with serving(place, files) as again:
        for cookie, status in ((ended, 401), (standing, 200)):
            again.cookies.clear()
            assert again.get("/api/v1/session", headers={"cookie": f"{SESSION_COOKIE}={cookie}"}).status_code == status
        assert CommandLine(place)("account", "sign-out", "office").code == 0
        assert again.get("/api/v1/session", headers={"cookie": f"{SESSION_COOKIE}={standing}"}).status_code == 401
        listed = CommandLine(place)("account", "log", "office", "--format", "json").json["rows"]
    assert [row["verb"] for row in listed] == ["account sign-out", "sign in", "sign out", "sign in", "account add"]
    assert '"address": "127.0.0.1"' in listed[1]["detail"]


def record_a_step(place: Path) -> None:
    """Let somebody at the command line record that a line was applied for: the page reads anew what was written."""
    now, line = datetime.now(UTC), next(iter(read_workspace(place)[0].inventory.lines))
    store = Store.open(f"sqlite:///{place / 'waiwang.db'}")
    store.write_life_events([LifeEvent(line, "applied", now, now, "centre", "order 3")])
    store.close()


def test_a_browser_signs_in_and_sees_the_page_live_over_tls(place: Path, files: Certificate) -> None:
    if not os.path.exists(CHROMIUM):  # noqa: PTH110  # one look, no path work
        skip_or_fail(f"{CHROMIUM} is missing (make system-packages)")
    with serving(place, files) as client, open_browser() as browser:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(60_000)
        sockets: list[str] = []
        page.on("websocket", lambda opened: sockets.append(opened.url))
        page.goto(origin(client) + "/")
        page.fill("input[name=account]", "office")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".all-lines .ag-row .line-id")
        before = page.inner_text(".clock-time")
        record_a_step(place)
        page.wait_for_function("before => document.querySelector('.clock-time').innerText !== before", arg=before)
    assert sockets
    assert all(url.startswith(origin(client).replace("https", "wss")) for url in sockets)


def test_a_database_that_is_made_is_for_its_account_alone_and_one_that_is_not_is_named(tmp_path: Path) -> None:
    file = tmp_path / "waiwang.db"
    url = f"sqlite:///{file}"
    assert file_open_to_others(url) is None
    opened = Store.open(url)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    opened.close()
    assert len(modes) == 3  # SQLite's log and its index are there while it is open
    assert set(modes.values()) == {0o600}
    assert file_open_to_others(url) is None
    for mode in (0o644, 0o620, 0o601):
        file.chmod(mode)
        Store.open(url).close()
        assert (stat.S_IMODE(file.stat().st_mode), file_open_to_others(url)) == (mode, file)
    assert file_open_to_others("postgresql://user@host/db") is None


def test_old_versions_of_tls_are_refused(files: Certificate) -> None:
    context = open_tls(files.certificate, files.key)
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert all(each["kea"] in ("kx-ecdhe", "kx-any") for each in context.get_ciphers())


def test_without_files_there_is_no_tls() -> None:
    assert open_tls(None, None) is None


def test_files_that_cannot_serve_are_refused_in_words(tmp_path: Path) -> None:
    good, other, locked = (make_certificate(tmp_path, stem, word) for stem, word in (("a", None), ("b", None), ("c", b"hush-hush")))
    loose = make_certificate(tmp_path, "d")
    loose.key.chmod(0o640)
    (tmp_path / "empty.key").touch(mode=0o600)
    for certificate, key, words in (
        (good.certificate, None, "serve: TLS: expected a certificate and its key; found one of the two."),
        (good.certificate, other.key, "found KEY_VALUES_MISMATCH"),
        (good.certificate, tmp_path / "none.key", "found No such file or directory"),
        (tmp_path / "none.pem", good.key, "found No such file or directory"),
        (good.certificate, tmp_path / "empty.key", "expected a certificate and its key; found "),
        (locked.certificate, locked.key, "found a key with a password. Give PEM files"),
        (loose.certificate, loose.key, "expected mode 600; found mode 640, which others can use. Run chmod 600"),
    ):
        with pytest.raises(InputError) as refused:
            open_tls(certificate, key)
        assert words in str(refused.value), str(refused.value)
