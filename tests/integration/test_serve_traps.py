"""`waiwang serve` as a process: where it listens for notifications, and what it says where it cannot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.errors import ExitCode
from tests.samples.server import free_port, wait_until

LAB_WORKSPACE = Path(__file__).parents[2] / "lab" / "workspace"
COMMAND = [sys.executable, "-c", "from app.cli.main import main; main()", "serve"]


def environment(folder: Path, listen: str | None) -> dict[str, str]:
    """Choose the lab's workspace, seen from outside the lab: the guard lets no poll out."""
    secrets = {"WAIWANG_SECRET_SNMP_AUTH": "auth-of-the-test", "WAIWANG_SECRET_SNMP_PRIV": "priv-of-the-test"}
    chosen = {} if listen is None else {"WAIWANG_TRAP_LISTEN": listen}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WAIWANG_")}
    paths = {"PYTHONPATH": str(LAB_WORKSPACE.parents[1]), "WAIWANG_ROOT": str(LAB_WORKSPACE)}
    return {**kept, **paths, "COLUMNS": "400", "WAIWANG_DATABASE_URL": f"sqlite:///{folder / 'waiwang.db'}", **secrets, **chosen}


@contextmanager
def serving(folder: Path, listen: str | None) -> Iterator[tuple[httpx.Client, Callable[[], str]]]:
    log, port = folder / "serve.log", free_port()
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen([*COMMAND, "--port", str(port)], env=environment(folder, listen), stdout=said, stderr=said)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                wait_until(lambda: answers(client), 60, "the server")
                yield client, log.read_text
        finally:
            process.terminate()
            process.wait(60)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def notifications(client: httpx.Client) -> dict[str, float]:
    rows = [row.split() for row in client.get("/metrics").text.splitlines() if row.startswith("waiwang_notifications_total{")]
    return {name.split('"')[1]: float(value) for name, value in rows if float(value)}


def test_a_machine_that_is_not_where_the_plan_sends_notifications_says_so_and_serves_all_the_same(tmp_path: Path) -> None:
    with serving(tmp_path, None) as (client, said):
        assert "waiwang_notifications" not in client.get("/metrics").text
    assert (
        "notifications are not received: 198.18.2.10:162: listen for SNMP notifications: expected a free address of this machine; "
        "found Cannot assign requested address. Set WAIWANG_TRAP_LISTEN"
    ) in said()


def test_an_inform_from_somewhere_else_is_counted_and_told(tmp_path: Path, require_program: Callable[..., None]) -> None:
    require_program("snmpinform")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    keys = ("-v3", "-l", "authPriv", "-u", "poller", "-a", "SHA", "-A", "auth-of-the-test", "-x", "AES", "-X", "priv-of-the-test")
    with serving(tmp_path, place) as (client, said):
        environ = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(tmp_path)}
        subprocess.run(["snmpinform", *keys, place, "0", ".1.3.6.1.6.3.1.1.5.3"], env=environ, check=True, timeout=60)
        wait_until(lambda: notifications(client) == {"unknown_sender": 1.0}, 60, "the count")
    assert f"SNMP notifications {place}" in said()
    assert "127.0.0.1: SNMP notification dropped: expected an address of a device in the inventory" in said()
    assert "Traceback" not in said()


@pytest.mark.parametrize("listen", ["nowhere", "192.0.2.1:162"])
def test_a_place_that_was_asked_for_and_cannot_be_had_ends_it_with_exit_code_2(tmp_path: Path, listen: str) -> None:
    command = [*COMMAND, "--port", str(free_port())]
    done = subprocess.run(command, env=environment(tmp_path, listen), capture_output=True, text=True, timeout=60)
    assert done.returncode == ExitCode.INPUT
    assert "WAIWANG_TRAP_LISTEN" in done.stderr
    assert "Traceback" not in done.stderr
