"""A real Prometheus with the shipped rules, for tests that look at what it makes of our metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.samples.server import free_port, run_server

RULES = Path(__file__).parents[2] / "monitoring/prometheus/rules/waiwang.yml"


@contextmanager
def prometheus(directory: Path, target: str, *, alertmanager: str = "", wait: str = "30s") -> Iterator[httpx.Client]:
    """Run Prometheus with the shipped rules on one target, scraped every second; yield a client of its API.

    `alertmanager` (host:port) is told of alerts; `wait` goes in the place of the rule's own 30 s.
    """
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    rules = directory / "rules.yml"
    rules.write_text(RULES.read_text(encoding="utf-8").replace("for: 30s", f"for: {wait}"), encoding="utf-8")
    alerting = f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}\n" if alertmanager else ""
    (directory / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{rules}']\n{alerting}"
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
    with run_server(command, f"http://127.0.0.1:{port}/api/v1", "/status/runtimeinfo", directory / "prometheus.log") as client:
        yield client


def alerts(client: httpx.Client) -> dict[tuple[str, str], str]:
    """Return the state of every alert that is pending or firing, by name and line."""
    found = client.get("/alerts").json()["data"]["alerts"]
    return {(alert["labels"]["alertname"], alert["labels"].get("line_id", "")): alert["state"] for alert in found}
