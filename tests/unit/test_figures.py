"""How measured values read, and what a reader is told when there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.core.acceptance import Measurement
from app.core.figures import written


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
