"""Metrics are views of one summary, named as Prometheus asks, and they forget what is gone."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.core.progress import Summary
from app.web.app import create_app
from app.web.exposition import write_families
from app.web.metrics import families
from tests.samples.rollout import NOW, UPLINK_OF_NANJIANG, FixedReader, build_summary, with_line


def scrape(summary: Summary) -> dict[str, float]:
    """Return series → value of one scrape, as `name{a="b"}`."""
    found = {}
    for family in text_string_to_metric_families(write_families(families(summary), generate_latest).decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_a_line_is_in_exactly_one_state() -> None:
    series = scrape(build_summary())
    states = {key: value for key, value in series.items() if key.startswith("waiwang_line_state{") and UPLINK_OF_NANJIANG in key}
    assert states == {
        f"waiwang_line_state{{line_id={UPLINK_OF_NANJIANG},state=up}}": 0.0,
        f"waiwang_line_state{{line_id={UPLINK_OF_NANJIANG},state=down}}": 1.0,
        f"waiwang_line_state{{line_id={UPLINK_OF_NANJIANG},state=unreachable}}": 0.0,
        f"waiwang_line_state{{line_id={UPLINK_OF_NANJIANG},state=unknown}}": 0.0,
        f"waiwang_line_state{{line_id={UPLINK_OF_NANJIANG},state=not_opened}}": 0.0,
    }


async def test_notifications_are_counted_by_result_and_absent_where_none_are_received() -> None:
    async def scraped(counts: dict[str, int]) -> list[str]:
        transport = httpx.ASGITransport(app=create_app(FixedReader(), notifications=counts))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            text = (await client.get("/metrics")).text
        return [row for row in text.splitlines() if row.startswith("waiwang_notifications")]

    assert await scraped({"accepted": 3, "unknown_engine": 0}) == [
        'waiwang_notifications_total{result="accepted"} 3.0',
        'waiwang_notifications_total{result="unknown_engine"} 0.0',
    ]
    assert await scraped({}) == []


def test_a_closed_line_leaves_no_series_behind() -> None:
    summary = build_summary()
    gone = summary.lines[0].line_id
    assert any(gone in key for key in scrape(summary))
    assert not any(gone in key for key in scrape(replace(summary, lines=summary.lines[1:])))


def test_rates_are_bytes_and_unknown_rates_have_no_series() -> None:
    summary = with_line(build_summary(), UPLINK_OF_NANJIANG, down_bps=8_000_000.0, up_bps=None)
    series = scrape(summary)
    assert series[f"waiwang_line_rate_bytes_per_second{{direction=down,line_id={UPLINK_OF_NANJIANG}}}"] == 1_000_000.0
    assert f"waiwang_line_rate_bytes_per_second{{direction=up,line_id={UPLINK_OF_NANJIANG}}}" not in series


def test_a_line_that_was_not_accepted_has_no_moment_of_acceptance() -> None:
    summary = build_summary()
    accepted = {line.line_id for line in summary.lines if line.verdict == "pass"}
    found = {key for key in scrape(summary) if key.startswith("waiwang_line_accepted_timestamp_seconds")}
    assert found == {f"waiwang_line_accepted_timestamp_seconds{{line_id={line_id}}}" for line_id in accepted}


def test_lines_add_up_to_the_inventory() -> None:
    summary = build_summary()
    counts = {key: value for key, value in scrape(summary).items() if key.startswith("waiwang_lines{")}
    assert sum(counts.values()) == len(summary.lines)
    assert counts["waiwang_lines{class=agg10,due=accepted,region=511922}"] == 1
    assert counts["waiwang_lines{class=agg10,due=late,region=511922}"] == 0


def test_a_milestone_tells_its_share_its_target_and_its_deadline() -> None:
    summary = build_summary()
    series, milestone = scrape(summary), summary.milestones[0]
    assert series["waiwang_milestone_ratio{milestone=lines_by_june}"] == milestone.done / milestone.total
    assert series["waiwang_milestone_target_ratio{milestone=city_half}"] == 0.5
    assert series["waiwang_milestone_deadline_timestamp_seconds{milestone=lines_by_june}"] == milestone.due_at.timestamp()
    assert "waiwang_milestone_ratio{milestone=fees}" not in series


def test_nothing_measured_has_no_poll_moment() -> None:
    assert scrape(replace(build_summary(), polled_at=NOW))["waiwang_poll_cycle_timestamp_seconds{}"] == NOW.timestamp()
    assert "waiwang_poll_cycle_timestamp_seconds{}" not in scrape(replace(build_summary(), polled_at=None))


def test_a_reserved_port_is_told_only_where_it_was_seen() -> None:
    found = {key: value for key, value in scrape(build_summary()).items() if key.startswith("waiwang_reserved_port_up")}
    assert len(found) == 4
    assert set(found.values()) == {0.0}


def test_every_name_keeps_the_rules_of_the_field() -> None:
    for key in scrape(build_summary()):
        name = key.partition("{")[0]
        assert re.fullmatch(r"waiwang_[a-z_]+", name)
        assert not re.search(r"_(bps|kbps|mbps|ms|minutes|percent)\b", name)


def test_a_hostile_name_stays_inside_its_label() -> None:
    summary = with_line(build_summary(), UPLINK_OF_NANJIANG, unit_name='a"} 1\nwaiwang_fake 1\\')
    found = scrape(summary)
    assert "waiwang_fake{}" not in found
    assert any('unit_name=a"} 1\nwaiwang_fake 1\\' in key for key in found)


async def test_a_scrape_answers_in_both_formats() -> None:
    transport = httpx.ASGITransport(app=create_app(FixedReader()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        plain = await client.get("/metrics")
        open_metrics = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")
    assert 'waiwang_line_input_errors_total{line_id="BZWW-511900-B-0005"} 3.0' in plain.text
