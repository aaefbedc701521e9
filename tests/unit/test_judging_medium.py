"""Verdicts on delay, load in steps and the medium: the limit passes and one step beyond it fails; nothing measured proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Measurement
from tests.unit.test_judging import NOW, class_with, measured, sample, shut, verdict

BOUNDS = [
    ("delay", 20.0, 20.0, 20.1, "at most 20 ms"),
    ("jitter", 5.0, 5.0, 5.1, "at most 5 ms"),
    ("port_speed", 10.0, 10.0, 9.0, "at least 10 Mbit/s"),
    ("rx_power", -24.0, -24.0, -24.1, "at least -24 dBm"),
    ("snr_margin", 6.0, 6.0, 5.9, "at least 6 dB"),
    ("attenuation", 60.0, 60.0, 60.1, "at most 60 dB"),
]


@pytest.mark.parametrize(("kind", "limit", "good", "bad", "expected"), BOUNDS, ids=[bound[0] for bound in BOUNDS])
def test_a_value_passes_at_its_limit_and_fails_one_step_beyond(kind: str, limit: float, good: float, bad: float, expected: str) -> None:
    wanted = class_with(kind, limit)
    found = [verdict(wanted, [], measured(kind, value)) for value in (good, bad, None)]
    assert [each.verdict for each in found] == [PASS, FAIL, NOT_PROVEN]
    assert {each.expected for each in found} == {expected}
    assert found[1].found == f"{bad:g} {expected.split()[-1]}"
    assert verdict(wanted, [], {}).verdict == NOT_PROVEN


@pytest.mark.parametrize(("kind", "limit"), [("sync_rate_down", 10000.0), ("sync_rate_up", 10000.0)])
def test_a_line_must_synchronise_at_its_nominal_rate(kind: str, limit: float) -> None:
    assert verdict(class_with(kind, 1.0), [], measured(kind, limit)).verdict == PASS
    assert verdict(class_with(kind, 1.0), [], measured(kind, limit - 1)).verdict == FAIL


@pytest.mark.parametrize(("full", "expected"), [(1.0, PASS), (0.0, FAIL), (None, NOT_PROVEN)])
def test_one_end_at_half_duplex_fails(full: float | None, expected: str) -> None:
    assert verdict(class_with("duplex"), [], measured("duplex", full)).verdict == expected


def test_a_device_s_own_probe_speaks_only_where_the_centre_measured_nothing() -> None:
    wanted = class_with("delay", 20.0)
    own = {"probe_delay": Measurement("L1", "probe_delay", NOW, 30.0, "ms", "NQA")}
    assert verdict(wanted, [], own).found == "30 ms"
    assert verdict(wanted, [], own | measured("delay", 3.0)).found == "3 ms"
    old = measured("delay", 3.0, NOW - timedelta(days=31))
    assert verdict(wanted, [], own | old).found == "30 ms"


def test_the_services_that_failed_are_named() -> None:
    seen = measured("reaches_services", 1.0, exchange={"sent": 20, "received": 0}, video={"sent": 20, "received": 20, "mean_ms": 2.0})
    result = verdict(class_with("reaches_services", 0.001), [], seen)
    assert (result.verdict, result.found) == (FAIL, "loss ratio 1 (exchange: 0 of 20 came back)")


def test_the_steps_that_lost_too_much_are_named() -> None:
    steps = [
        {"direction": direction, "share": share, "loss_ratio": loss}
        for direction, share, loss in (("down", 0.75, 0.0), ("down", 0.9, 0.001), ("down", 1.0, 0.02), ("up", 1.0, 0.01))
    ]
    result = verdict(class_with("step_loss", 0.001), [], measured("step_loss", 0.02, steps=steps))
    assert (result.verdict, result.found) == (FAIL, "loss ratio 0.02 at 100% down, 100% up")
    assert verdict(class_with("step_loss", 0.02), [], measured("step_loss", 0.02, steps=steps)).verdict == PASS


EARLIER = NOW - timedelta(minutes=1)


def test_a_reserved_port_that_its_device_does_not_have_fails() -> None:
    absent = [sample(at, reserved_z=None) for at in (EARLIER, NOW)]
    result = verdict(class_with("reserved_port"), absent)
    assert (result.verdict, result.found) == (FAIL, "no reserved port at city")


@pytest.mark.parametrize("case", ["once", "came-back", "device-silent", "long-ago"])
def test_a_reserved_port_that_was_not_seen_may_still_be_there(case: str) -> None:
    absent, there = sample(EARLIER, reserved_z=None), sample(EARLIER, reserved_z=shut(EARLIER))
    samples = {
        "once": [there, sample(reserved_z=None)],
        "came-back": [absent, sample()],
        "device-silent": [absent, sample(z=None, reserved_z=None)],
        "long-ago": [replace(absent, at=NOW - timedelta(hours=2)), sample(NOW - timedelta(hours=1), reserved_z=None)],
    }[case]
    assert verdict(class_with("reserved_port"), samples).verdict == NOT_PROVEN
