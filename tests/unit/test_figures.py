"""How measured values read, and what a reader is told when there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.core.acceptance import Measurement
from app.core.figures import steps_written, written


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0, "ratio", "0 % loss"),
        (0.05, "ratio", "5 % loss"),
        (0.00123, "ratio", "0.123 % loss"),
        (9480.4, "kbps", "9,480 kbit/s"),
        (2.449, "ms", "2.4 ms"),
        (-12.34, "dBm", "-12.3 dBm"),
        (12.0, "dB", "12.0 dB"),
        (100.0, "Mbit/s", "100 Mbit/s"),
        (1.0, "proven", "proven"),
        (0.0, "proven", "not proven"),
        (0.0, "full", "half duplex"),
        (3.14159, "furlong", "3.142 furlong"),
        (None, "ratio", None),
    ],
)
def test_a_value_is_written_with_its_unit(value: float | None, unit: str, words: str | None) -> None:
    assert written(Measurement("L1", "any", datetime(2008, 6, 20, tzinfo=UTC), value, unit, "test")) == words


def test_the_steps_of_a_load_are_written_way_by_way() -> None:
    steps = [
        {"direction": "down", "share": 0.5, "offered_kbps": 5000.0, "loss_ratio": 0.0},
        {"direction": "up", "share": 0.5, "offered_kbps": 256.0},
        {"direction": "down", "share": 1.0, "offered_kbps": 10000.0, "loss_ratio": 0.0131},
    ]
    loaded = Measurement("L1", "step_loss", datetime(2008, 6, 20, tzinfo=UTC), 0.0131, "ratio", "test", {"steps": steps})
    assert steps_written(loaded) == (
        "down: 50% of nominal 5,000 kbit/s: 0.00% lost, 100% of nominal 10,000 kbit/s: 1.31% lost",
        "up: 50% of nominal 256 kbit/s: not measured",
    )
    assert steps_written(Measurement("L1", "reserved_port", loaded.at, 1.0, "proven", "test", {"steps": [{"step": "up"}]})) == ()
