"""A real Prometheus scrapes the real application: a county is cut off, one alert fires, and it resolves when the line is back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.core.progress import Summary
from tests.samples.prometheus import RULES, alerts, prometheus
from tests.samples.rollout import UPLINK_OF_NANJIANG, FixedReader, build_summary
from tests.samples.server import serve, wait_until


def count(client: httpx.Client, query: str) -> int:
    return len(client.get("/query", params={"query": query}).json()["data"]["result"])


def polled_now(summary: Summary) -> Summary:
    return replace(summary, polled_at=datetime.now(UTC))


def all_up(summary: Summary) -> Summary:
    return replace(summary, lines=tuple(replace(line, state="up", behind=None) for line in summary.lines))


def county_cut_off(summary: Summary) -> Summary:
    """Return the sample with nothing wrong but Nanjiang's uplink down and all behind it unreachable."""
    return replace(
        summary,
        lines=tuple(line if line.region == "511922" else replace(line, state="up", behind=None) for line in summary.lines),
    )


def test_one_alert_fires_for_a_county_that_is_cut_off_and_resolves(require_program: Callable[..., None], tmp_path: Path) -> None:
    require_program("prometheus")
    sample = build_summary()
    reader = FixedReader(polled_now(all_up(sample)))
    down = ("WaiwangLineDown", UPLINK_OF_NANJIANG)
    with serve(reader) as address, prometheus(tmp_path, address.removeprefix("http://")) as client:
        wait_until(lambda: count(client, "waiwang_line_info") == len(sample.lines), 60, "a first scrape")
        assert alerts(client) == {}

        reader.now = polled_now(county_cut_off(sample))
        wait_until(lambda: alerts(client).get(down) == "firing", 60, "the alert to fire")
        assert alerts(client) == {down: "firing"}
        assert count(client, 'waiwang_line_state{state="unreachable"} == 1') == 5
        fired = next(alert for alert in client.get("/alerts").json()["data"]["alerts"] if alert["labels"]["line_id"] == UPLINK_OF_NANJIANG)
        assert fired["annotations"]["summary"] == "线路中断：南江县人民政府（南江县）"
        assert fired["labels"]["severity"] == "critical"

        reader.now = polled_now(all_up(sample))
        wait_until(lambda: alerts(client) == {}, 60, "the alert to resolve")


def test_a_closed_line_is_forgotten_by_prometheus(require_program: Callable[..., None], tmp_path: Path) -> None:
    require_program("prometheus")
    sample = polled_now(all_up(build_summary()))
    reader = FixedReader(sample)
    with serve(reader) as address, prometheus(tmp_path, address.removeprefix("http://")) as client:
        wait_until(lambda: count(client, "waiwang_line_info") == len(sample.lines), 60, "a first scrape")
        reader.now = replace(sample, lines=sample.lines[1:])
        gone = f'{{line_id="{sample.lines[0].line_id}"}}'
        wait_until(lambda: count(client, gone) == 0, 60, "the closed line's series to end")
        assert count(client, "waiwang_line_info") == len(sample.lines) - 1


@pytest.fixture(autouse=True)
def rules_are_shipped() -> None:
    assert RULES.is_file()
