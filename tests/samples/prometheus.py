"""A real Prometheus with the shipped rules, for tests that look at what it makes of our metrics."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.samples.server import free_port, wait_until

RULES = Path(__file__).parents[2] / "monitoring/prometheus/rules/waiwang.yml"


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[httpx.Client]:
    """Run Prometheus with the shipped rules on one target, scraped every second; yield a client of its API."""
    port = free_port()
    (directory / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{RULES}']\n"
        f"scrape_configs: [{{job_name: waiwang, static_configs: [{{targets: ['{target}']}}]}}]\n",
        encoding="utf-8",
    )
    command = [
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    log = directory / "prometheus.log"
    with log.open("wb") as out, httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=5) as client:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            wait_until(lambda: is_ready(client), 20, f"Prometheus; it said: {log.read_text()}")
            yield client
        finally:
            process.terminate()
            process.wait(20)


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/status/runtimeinfo").is_success
    except httpx.TransportError:
        return False


def alerts(client: httpx.Client) -> dict[tuple[str, str], str]:
    """Return the state of every alert that is pending or firing, by name and line."""
    found = client.get("/alerts").json()["data"]["alerts"]
    return {(alert["labels"]["alertname"], alert["labels"].get("line_id", "")): alert["state"] for alert in found}
