"""What a tester's rows mean: the worst that counts, layers told apart, tests that cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.tester_result import ResultRow, build_measurements, find_row_faults, worst_rate

AT = datetime(2008, 6, 18, 13, 40, tzinfo=UTC)
ROW = ResultRow("L1", AT, "RFC 2544", "down", "L2", 9900.0, "T-100", "0042", "线路验收员", "测试报告（示例）", frame_octets=1518)


def row(**changes: object) -> ResultRow:
    return replace(ROW, **changes)  # type: ignore[arg-type]


def test_the_worst_frame_size_counts_at_its_best_load() -> None:
    loads = [row(throughput_kbps=5000.0), row(throughput_kbps=9900.0), row(throughput_kbps=9700.0, frame_octets=64), row(frame_octets=512)]
    assert worst_rate(loads) == 9700.0


def test_a_rate_of_layer_1_counts_without_preamble_and_gap() -> None:
    assert row(layer="L1", throughput_kbps=10000.0, frame_octets=64).counted_kbps == pytest.approx(7619.05, abs=0.01)
    assert row(layer="L1", throughput_kbps=10000.0).counted_kbps == pytest.approx(9869.96, abs=0.01)


@given(st.lists(st.tuples(st.sampled_from([64, 512, 1518]), st.floats(min_value=1, max_value=1e5)), min_size=1))
def test_no_rate_is_better_than_the_best_load_nor_worse_than_the_worst(loads: list[tuple[int, float]]) -> None:
    rate = worst_rate([row(frame_octets=size, throughput_kbps=kbps) for size, kbps in loads])
    assert min(kbps for _, kbps in loads) <= rate <= max(kbps for _, kbps in loads)


def test_rows_become_one_measurement_for_each_kind_with_where_they_come_from() -> None:
    rows = [
        row(load_percent=50, throughput_kbps=5000, loss_ratio=0.0, delay_ms=2.0, jitter_ms=0.1),
        row(load_percent=100, loss_ratio=0.002, delay_ms=7.5, at=AT + timedelta(minutes=5)),
        row(load_percent=125, loss_ratio=0.2, delay_ms=90.0),
        row(direction="up", throughput_kbps=9800),
        row(line_id="L2"),
    ]
    found = {(each.line_id, each.kind): each for each in build_measurements(rows, "L1.csv", "abc")}
    assert {key: each.value for key, each in found.items()} == {
        ("L1", "rate_down"): 9900.0,
        ("L1", "rate_up"): 9800.0,
        ("L1", "delay"): 7.5,
        ("L1", "jitter"): 0.1,
        ("L1", "step_loss"): 0.002,
        ("L2", "rate_down"): 9900.0,
    }
    rate = found["L1", "rate_down"]
    assert rate.method == "RFC 2544 by T-100, serial 0042 on L2; imported"
    assert (rate.detail["sha256"], rate.detail["imported_from"], rate.detail["by"]) == ("abc", "L1.csv", "线路验收员")
    assert rate.at == AT + timedelta(minutes=5)
    assert len(rate.detail["rows"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"at": AT + timedelta(minutes=5, seconds=1)}, "the test lies in the future"),
        ({"calibrated_until": date(2008, 6, 17)}, "the calibration of T-100 had run out"),
        ({"line_id": "L9"}, "line L9 is not known"),
        ({"layer": "L1", "frame_octets": None}, "a rate on layer 1 without the size of its frames"),
    ],
)
def test_a_test_that_cannot_be_is_named(changes: dict[str, object], words: str) -> None:
    lines: dict[str, object] = {"L1": None}
    assert [finding.what for finding in find_row_faults([row(**changes)], lines, AT)] == [words]  # type: ignore[arg-type]
    assert list(find_row_faults([row(at=AT + timedelta(minutes=5)), row(calibrated_until=date(2008, 6, 18))], lines, AT)) == []  # type: ignore[arg-type]
