"""The example of docs/access.md in a real nginx: TLS, names, origins, the page's socket and the visitor's address through the proxy."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app.web.doors import SESSION_COOKIE, Doors
from tests.samples.accepted_line import ROOT
from tests.samples.certificates import NAME, Certificate, make_certificate
from tests.samples.required import skip_or_fail
from tests.samples.server import free_port, serve_application, wait_until
from tests.samples.staff import PASSWORD, House, open_house

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
#: A visitor's address that is not the proxy's own.
VISITOR = "127.0.0.77"
PATIENCE_S = 60
#: The worker is the user who runs the tests: it writes what is read more slowly than it comes into their folder.
FRAME = """\
user {user}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
access_log off;
client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{servers}
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx: its address by name, and the same server without TLS."""

    port: int
    plain_port: int
    files: Certificate

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.files.certificate))

    def client(self) -> httpx.Client:
        """Return a visitor's client: it knows the server by name, and comes from an address of its own."""
        transport = httpx.HTTPTransport(verify=self.trust(), local_address=VISITOR)
        headers = {"host": f"{NAME}:{self.port}", "origin": self.origin}
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", transport=transport, headers=headers, timeout=PATIENCE_S)


def example(port: int, plain_port: int, upstream: str, files: Certificate) -> str:
    """Return the servers of the documented example, with this machine's ports and files in place of the city's."""
    [text] = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "access.md").read_text(encoding="utf-8"), re.DOTALL)
    for said, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("/etc/nginx/ww.pem", str(files.certificate)),
        ("/etc/nginx/ww.key", str(files.key)),
        ("http://127.0.0.1:8080", upstream),
        ("ww.example.gov.cn", NAME),
    ):
        assert said in text, f"the example says {said} no longer"
        text = text.replace(said, here)
    return str(text)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="module")
def proxy(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The example before a server that knows its name."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        skip_or_fail("not installed: nginx (make system-packages)")
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    doors = Doors(house.store, open_reading=False, hosts=frozenset({NAME}), clock=house.clock)
    with serve_application(house.application(doors)) as upstream, ExitStack() as stack:
        yield start(nginx, folder, upstream, make_certificate(folder), stack)


def start(nginx: str, folder: Path, upstream: str, files: Certificate, stack: ExitStack) -> Proxy:
    """Start nginx until the stack ends; on other ports where somebody took the first ones meanwhile."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    for _ in range(5):
        proxied = Proxy(free_port(), free_port(), files)
        servers = example(proxied.port, proxied.plain_port, upstream, files)
        (folder / "nginx.conf").write_text(FRAME.format(user=user, folder=folder, servers=servers), encoding="utf-8")
        process = subprocess.Popen([nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])
        stack.callback(process.wait, PATIENCE_S)
        stack.callback(process.terminate)
        wait_until(lambda: process.poll() is not None or answers(proxied), PATIENCE_S, "nginx")  # noqa: B023  # called before the next turn
        if process.poll() is None:
            return proxied
    raise AssertionError((folder / "error.log").read_text(encoding="utf-8"))


def answers(proxied: Proxy) -> bool:
    try:
        with proxied.client() as client:
            return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def sign_in(client: httpx.Client, password: str = PASSWORD) -> httpx.Response:
    return client.post("/sign-in", data={"account": "office", "password": password})


def open_socket(proxied: Proxy, host: str, origin: str, cookie: str) -> str:
    """Return the first message of the page's socket through the proxy, or with which status it was refused."""
    url = f"wss://{host}:{proxied.port}{SOCKET}"
    way = socket.create_connection(("127.0.0.1", proxied.port), PATIENCE_S, (VISITOR, 0))
    headers = {"cookie": f"{SESSION_COOKIE}={cookie}", "origin": origin}
    try:
        with connect(url, sock=way, ssl=proxied.trust(), additional_headers=headers, open_timeout=PATIENCE_S, proxy=None) as opened:
            return str(opened.recv(timeout=PATIENCE_S))
    except InvalidStatus as refused:
        return str(refused.response.status_code)


def test_a_visitor_signs_in_through_the_proxy_and_is_known_by_the_address_he_comes_from(house: House, proxy: Proxy) -> None:
    with proxy.client() as client:
        assert client.get("/").headers["location"] == "/sign-in?next=/"
        assert sign_in(client, "wrong and wrong again").status_code == 401
        welcome = sign_in(client)
        assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
        assert {"Secure", "HttpOnly", "SameSite=lax"} <= {part.strip() for part in welcome.headers["set-cookie"].split(";")}
        assert welcome.headers["strict-transport-security"] == "max-age=31536000"
        page = client.get("/")
        assert (page.status_code, "电子政务外网" in page.text) == (200, True)
        assert "wss://" + NAME in page.headers["content-security-policy"]
        entry = {"subject": "BZQ-GOV", "event": "fee_and_seal_received", "document": "回执"}
        assert client.post("/api/v1/events", json=entry).status_code == 201
        assert client.post("/api/v1/events", json=entry, headers={"origin": "https://elsewhere.example"}).status_code == 403
    entries = [each for each in house.store.audit() if each.verb.startswith("sign in")]
    assert [(each.verb, each.detail["address"]) for each in entries] == [("sign in refused", VISITOR), ("sign in", VISITOR)]


def test_no_visitor_says_himself_where_he_comes_from(house: House, proxy: Proxy) -> None:
    with proxy.client() as client:
        forged = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "forwarded": "for=127.0.0.1"}
        assert client.get("/api/v1/summary", headers=forged).status_code == 401
        form = {"account": "nobody", "password": "wrong and wrong again"}
        client.post("/sign-in", data=form, headers=forged)
    assert house.store.audit()[-1].detail["address"] == VISITOR


def test_the_pages_socket_comes_through_for_our_own_page_alone(proxy: Proxy) -> None:
    with proxy.client() as client:
        sign_in(client)
        cookie = client.cookies[SESSION_COOKIE]
    assert open_socket(proxy, NAME, proxy.origin, cookie).startswith('0{"sid"')
    assert open_socket(proxy, NAME, "https://elsewhere.example", cookie) == "403"
    assert open_socket(proxy, NAME, proxy.origin, "none") == "403"


def test_another_name_gets_no_further_than_the_proxy(proxy: Proxy) -> None:
    with proxy.client() as client:
        assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 421


def test_plain_http_is_led_to_tls(proxy: Proxy) -> None:
    plain = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/en", headers={"host": NAME}, timeout=PATIENCE_S)
    assert (plain.status_code, plain.headers["location"]) == (301, f"https://{NAME}/en")
