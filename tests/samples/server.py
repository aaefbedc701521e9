"""Servers on loopback for tests that look at them from outside: the real application, and others' programs."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from app.web.app import create_app
from app.web.context import AlertDoor
from app.web.reader import Reader
from lab.virtual import simulation


@contextmanager
def serve(reader: Reader, alerts: AlertDoor | None = None) -> Iterator[str]:
    """Serve a reader until the block ends; yield the base address."""
    with serve_application(create_app(reader, shared_for_s=0, alerts=alerts)) as base:
        yield base


#: NiceGUI holds its pages in the process and tidies away what does not belong to its own event loop: two servers would disturb each other.
_only_one = threading.Lock()


@contextmanager
def serve_application(app: FastAPI) -> Iterator[str]:
    """Serve an application until the block ends; yield the base address. One at a time in a process: NiceGUI knows only one."""
    assert _only_one.acquire(blocking=False), "another server of pages runs in this process; use its address, or end it first"
    try:
        yield from _serve_alone(app)
    finally:
        _only_one.release()


def _serve_alone(app: FastAPI) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started, 60, "uvicorn to start")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "uvicorn did not end"


@contextmanager
def run_server(command: Sequence[str], base: str, ready: str, log: Path) -> Iterator[httpx.Client]:
    """Run another's server until the block ends; yield a client of `base` once it answers at the path `ready`."""
    with log.open("wb") as out, httpx.Client(base_url=base, timeout=60) as client:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            wait_until(lambda: _answers(client, ready), 60, f"{command[0]}; it said: {log.read_text()}")
            yield client
        finally:
            process.terminate()
            process.wait(60)


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Call `holds` until it is true; fail with `what` when the time is over."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.1)


def opened(folder: Path, process: int | str = "self") -> int:
    """Return how many times a process has a folder open: a lock on it is held, or waited for, by an open folder."""
    found = 0
    with suppress(FileNotFoundError):  # the process has ended
        for each in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found += each.readlink() == folder.resolve()
    return found


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and that no test of another worker is given."""
    return simulation.free_port()
