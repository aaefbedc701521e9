"""Verdicts: pass, fail, not proven; boundaries at the limit and one beyond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, CriterionResult, LineSample, Measurement, PortSample
from app.core.judging import Observations, cut_percent, decide, judge, lasting, overall
from app.core.milestone import Milestone
from app.core.scope import Scope
from app.core.service_class import Criterion, ServiceClass
from app.core.source import Source

NOW = datetime(2008, 6, 20, 4, 0, tzinfo=UTC)
GAP = timedelta(seconds=180)


def port(name: str = "eth1", at: datetime = NOW, **changes: object) -> PortSample:
    known = PortSample("city", name, at, True, True, 10, None, 1000, 1000, 64, 0, 0)
    return replace(known, **changes)  # type: ignore[arg-type]


def shut(at: datetime = NOW, octets: int = 500) -> PortSample:
    return port("eth5", at, oper_up=False, admin_up=False, in_octets=octets, out_octets=octets)


def sample(at: datetime = NOW, state: str = "up", **changes: object) -> LineSample:
    known = LineSample("L1", at, state, "", None, port(at=at), port(at=at), shut(at), shut(at))
    return replace(known, **changes)  # type: ignore[arg-type]


def every_minute(hours: float, state: str = "up") -> list[LineSample]:
    minutes = int(hours * 60)
    return [sample(NOW - timedelta(minutes=minutes - step), state) for step in range(minutes + 1)]


def class_with(kind: str, limit: float | None = None, **changes: object) -> ServiceClass:
    criterion = replace(Criterion(kind, required=True, limit=limit), **changes)  # type: ignore[arg-type]
    return ServiceClass(
        "agg_10m", "10兆光纤", "10M fibre", "fibre", 10000, 10000, 10240, 10240, ("county",), reserved_port_mbps=100, criteria=(criterion,)
    )


def verdict(service_class: ServiceClass, samples: list[LineSample], measured: Mapping[str, Measurement] | None = None) -> CriterionResult:
    seen = Observations(samples, measured or {}, GAP, timedelta(days=30))
    (result,) = judge(service_class, seen, NOW)
    return result


def measured(kind: str, value: float | None, at: datetime = NOW, **detail: object) -> dict[str, Measurement]:
    return {kind: Measurement("L1", kind, at, value, "kbps", "iperf3 TCP", detail)}


@pytest.mark.parametrize(("kbps", "expected"), [(9000.0, PASS), (8999.9, FAIL), (None, NOT_PROVEN)])
def test_a_rate_passes_at_its_limit_and_fails_one_below(kbps: float | None, expected: str) -> None:
    assert verdict(class_with("rate_down", 0.9), [], measured("rate_down", kbps)).verdict == expected


@pytest.mark.parametrize(("kind", "expected"), [("rate_down", FAIL), ("sync_rate_down", FAIL), ("rate_up", PASS), ("sync_rate_up", PASS)])
def test_each_direction_is_judged_by_its_own_rate(kind: str, expected: str) -> None:
    adsl = replace(class_with(kind, 0.9), medium="adsl", nominal_down_kbps=2000, nominal_up_kbps=512)
    assert verdict(adsl, [], measured(kind, 1000.0)).verdict == expected


def test_an_idle_line_and_its_port_speed_prove_no_rate() -> None:
    result = verdict(class_with("rate_up", 0.9), every_minute(2))
    assert (result.verdict, result.found) == (NOT_PROVEN, "not measured")


def test_a_measurement_past_its_validity_proves_nothing() -> None:
    old = NOW - timedelta(days=30, seconds=1)
    result = verdict(class_with("rate_down", 0.9), [], measured("rate_down", 9900.0, old))
    assert result.verdict == NOT_PROVEN
    assert "out of date" in result.found
    last = measured("rate_down", 9900.0, NOW - timedelta(days=30))
    assert verdict(class_with("rate_down", 0.9), [], last).verdict == PASS, "on its last moment it still counts"


@pytest.mark.parametrize(("loss", "expected"), [(0.001, PASS), (0.002, FAIL), (None, NOT_PROVEN)])
def test_loss_passes_at_its_limit(loss: float | None, expected: str) -> None:
    wanted = class_with("reachable_from_centre", 0.001)
    assert verdict(wanted, [], measured("reachable_from_centre", loss, reason="behind L0")).verdict == expected


@pytest.mark.parametrize(
    ("state", "age", "expected"),
    [("up", GAP, PASS), ("up", GAP + timedelta(seconds=1), NOT_PROVEN), ("down", GAP, FAIL), ("unreachable", GAP, NOT_PROVEN)],
)
def test_ports_are_judged_from_a_recent_sample_only(state: str, age: timedelta, expected: str) -> None:
    assert verdict(class_with("ports_up"), [sample(NOW - age, state)]).verdict == expected


def trial_class(limit: float = 0.99) -> ServiceClass:
    return class_with("trial", limit, window=timedelta(hours=2), restart_after=timedelta(minutes=5))


def test_a_trial_that_is_not_over_is_not_proven_and_says_when_it_ends() -> None:
    result = verdict(trial_class(), every_minute(1.5))
    assert result.verdict == NOT_PROVEN
    assert "2008-06-20T04:30" in result.found


def test_a_line_that_was_never_polled_is_not_proven() -> None:
    assert verdict(trial_class(), []).verdict == NOT_PROVEN


def test_a_whole_window_up_passes() -> None:
    assert verdict(trial_class(), every_minute(2)).verdict == PASS


def test_an_outage_longer_than_the_rule_starts_the_window_anew() -> None:
    samples = every_minute(4)
    for index in range(120, 127):  # down for seven minutes, two hours ago
        samples[index] = replace(samples[index], state="down")
    result = verdict(trial_class(), samples)
    assert result.verdict == NOT_PROVEN
    assert result.evidence["began_at"] == samples[127].at.isoformat()


def test_the_window_begins_after_the_last_of_the_outages_that_are_longer_than_the_rule() -> None:
    samples = every_minute(4)
    for index in (*range(40, 47), *range(150, 157), *range(200, 205)):  # seven minutes, seven again, and five, which is the rule
        samples[index] = replace(samples[index], state="down")
    assert verdict(trial_class(), samples).evidence["began_at"] == samples[157].at.isoformat()


def test_short_outages_add_up_to_a_failure() -> None:
    samples = every_minute(2)
    for index in (20, 40, 60):
        samples[index] = replace(samples[index], state="down")
    assert verdict(trial_class(0.98), samples).verdict == FAIL
    assert verdict(trial_class(0.975), samples).verdict == PASS, "117 of 120 minutes: the limit itself passes"


def test_a_line_that_nobody_could_see_is_not_proven_rather_than_failed() -> None:
    samples = [replace(s, state="unreachable") if 30 <= i <= 90 else s for i, s in enumerate(every_minute(2))]
    assert verdict(trial_class(), samples).verdict == NOT_PROVEN


@pytest.mark.parametrize(("unseen", "expected"), [(6, PASS), (7, NOT_PROVEN)])
def test_a_window_has_to_be_measured_for_the_share_that_is_asked(unseen: int, expected: str) -> None:
    samples = [replace(s, state="unreachable") if 30 <= i < 30 + unseen else s for i, s in enumerate(every_minute(2))]
    assert verdict(trial_class(), samples).verdict == expected


def test_a_poller_outage_rejects_nothing() -> None:
    samples = [s for i, s in enumerate(every_minute(2)) if not 30 <= i <= 90]
    assert verdict(trial_class(), samples).verdict == NOT_PROVEN


def test_errors_are_counted_at_both_ends_and_a_restart_counts_from_zero() -> None:
    wanted = ServiceClass(
        "f", "2兆光纤", "2M", "fibre", 2000, 2000, 2048, 2048, ("county",), criteria=(Criterion("input_errors", required=True, limit=3),)
    )
    counts = [0, 2, 1]  # two errors, then a restart and one more
    steps = [NOW - timedelta(seconds=60 * (2 - i)) for i in range(3)]
    samples = [sample(at, a=port(at=at, in_errors=count), z=port(at=at)) for at, count in zip(steps, counts, strict=True)]
    found = verdict(wanted, samples)
    assert (found.verdict, found.found) == (PASS, "3 input errors")
    worse = [*samples[:2], replace(samples[2], a=port(in_errors=4))]
    assert verdict(wanted, worse).verdict == FAIL
    unseen = [replace(s, z=None) for s in samples]
    assert verdict(wanted, unseen).verdict == NOT_PROVEN


@pytest.mark.requirement("BZ-2")
def test_a_reserved_port_needs_its_activation_and_must_stay_shut() -> None:
    wanted = class_with("reserved_port")
    proven = measured("reserved_port", 1.0, NOW - timedelta(hours=1))
    assert verdict(wanted, [sample()]).verdict == NOT_PROVEN
    assert verdict(wanted, [sample()], proven).verdict == PASS
    assert verdict(wanted, [sample(reserved_z=port("eth5"))], proven).verdict == FAIL
    assert verdict(wanted, [sample(reserved_z=port("eth5", oper_up=False))], proven).verdict == FAIL, "open, though nothing is plugged in"
    assert verdict(wanted, [sample(reserved_a=None)], proven).verdict == NOT_PROVEN
    assert verdict(wanted, [sample()], measured("reserved_port", 0.0, reason="10 Mbit/s seen")).verdict == FAIL


def test_octets_on_a_shut_reserved_port_fail_it() -> None:
    proven = measured("reserved_port", 1.0, NOW - timedelta(hours=1))
    before, after = NOW - timedelta(minutes=2), NOW - timedelta(minutes=1)
    talking = [sample(before, reserved_a=shut(before, 500)), sample(after, reserved_a=shut(after, 900))]
    result = verdict(class_with("reserved_port"), talking, proven)
    assert (result.verdict, result.found) == (FAIL, "800 octets on a port that is shut")


def test_octets_of_the_activation_itself_are_forgiven() -> None:
    proven = measured("reserved_port", 1.0, NOW - timedelta(minutes=5))
    times = [NOW - timedelta(minutes=minutes) for minutes in (4, 3, 1)]
    counted = [sample(at, reserved_a=shut(at, octets)) for at, octets in zip(times, (500, 900, 900), strict=True)]
    assert verdict(class_with("reserved_port"), counted, proven).verdict == PASS


def test_a_required_failure_beats_a_missing_proof_and_advisory_results_decide_nothing() -> None:
    def one(required: bool, verdict: str) -> CriterionResult:
        return CriterionResult("trial", required, verdict, "", "")

    assert overall([one(True, PASS), one(True, NOT_PROVEN), one(True, FAIL)]) == FAIL
    assert overall([one(True, PASS), one(True, NOT_PROVEN)]) == NOT_PROVEN
    assert overall([one(True, PASS), one(False, FAIL), one(False, NOT_PROVEN)]) == PASS
    assert overall([one(False, PASS)]) == NOT_PROVEN
    assert overall([]) == NOT_PROVEN


@pytest.mark.parametrize(("seconds", "on_time"), [(-1, True), (0, False), (1, False)])
def test_a_deadline_is_met_before_its_moment_and_missed_on_it(seconds: int, on_time: bool) -> None:
    due_at = datetime(2008, 6, 30, 16, 0, tzinfo=UTC)
    milestone = Milestone("lines", "", "", due_at.date(), True, False, Scope(), 1.0, "whole", "accepted_line", None, Source(clause="一"))
    passed = (CriterionResult("ports_up", True, PASS, "", ""),)
    decision = decide("L1", passed, milestone, due_at, due_at + timedelta(seconds=seconds))
    assert (decision.verdict, decision.on_time) == (PASS, on_time)


def test_a_line_that_did_not_pass_is_neither_in_time_nor_late() -> None:
    failed = (CriterionResult("ports_up", True, FAIL, "", ""),)
    assert decide("L1", failed, None, None, NOW).on_time is None


@pytest.mark.parametrize(
    ("share", "places", "written"),
    [(0.99895, 2, "99.89%"), (0.999, 2, "99.90%"), (1.0, 2, "100.00%"), (0.9499, 0, "94%"), (0.95, 0, "95%"), (0.29, 0, "29%")],
)
def test_a_share_that_fails_its_limit_never_reads_as_if_it_met_it(share: float, places: int, written: str) -> None:
    assert cut_percent(share, places) == written


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (timedelta(days=3), "3 days"),
        (timedelta(days=1, hours=12), "1 day 12 hours"),
        (timedelta(seconds=90), "1 minute 30 seconds"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_a_window_is_written_without_its_zeros(span: timedelta, written: str) -> None:
    assert lasting(span) == written
