"""`waiwang serve` in a lab, as a process that ends with the test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from lab import runner
from lab.handle import Lab
from tests.samples.server import free_port, wait_until


@contextmanager
def serving(lab: Lab, log: Path) -> Iterator[httpx.Client]:
    """Run `waiwang serve` in noc, its page on this machine's loopback; yield a client of it."""
    port = free_port()
    program = str(Path(sys.executable).with_name("waiwang"))
    with log.open("w", encoding="utf-8") as said:
        process = runner.start_in_noc([program, "serve"], lab.environment, listen=("127.0.0.1", port), stdout=said)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                wait_until(lambda: answers(client), 30, f"the server; it said: {log.read_text()}")
                yield client
        finally:
            process.terminate()
            process.wait(20)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False
