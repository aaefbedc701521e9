"""A real Alertmanager with the shipped configuration, for tests that look at whom it tells what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.samples.server import free_port, run_server

CONFIG = Path(__file__).parents[2] / "monitoring/alertmanager/alertmanager.yml"
#: What is shortened for tests.
TIMES = {"group_wait: 5s": "group_wait: 500ms", "group_interval: 15s": "group_interval: 1s"}


@contextmanager
def alertmanager(directory: Path, webhook: str, token: str) -> Iterator[httpx.Client]:
    """Run Alertmanager with the shipped configuration, pointed at `webhook` (a base address); yield a client of its API v2."""
    text = CONFIG.read_text(encoding="utf-8")
    for before, after in {"http://127.0.0.1:8080": webhook, **TIMES}.items():
        assert before in text
        text = text.replace(before, after)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "alertmanager.yml").write_text(text, encoding="utf-8")
    (directory / "alert_token").write_text(f"{token}\n", encoding="utf-8")
    port = free_port()
    command = [
        "prometheus-alertmanager",
        f"--config.file={directory / 'alertmanager.yml'}",
        f"--storage.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    with run_server(command, f"http://127.0.0.1:{port}", "/-/ready", directory / "alertmanager.log") as client:
        yield client
