"""Judge a line by its class: one function per criterion, each pass, fail or not proven, each naming its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import floor

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Acceptance, CriterionResult, LineSample, Measurement, PortSample
from app.core.milestone import Milestone
from app.core.service_class import Criterion, ServiceClass
from app.core.trial import observe_trial

#: What a device measured by its own probe stands for where the centre measured nothing itself.
SECOND_EVIDENCE: Mapping[str, tuple[str, ...]] = {"delay": ("probe_delay",), "jitter": ("probe_jitter",)}
#: Criteria with a limit in a unit of their own: whether the limit is the largest or the smallest value that passes.
BOUNDS: Mapping[str, tuple[str, str]] = {
    "delay": ("most", "ms"),
    "jitter": ("most", "ms"),
    "port_speed": ("least", "Mbit/s"),
    "rx_power": ("least", "dBm"),
    "snr_margin": ("least", "dB"),
    "attenuation": ("most", "dB"),
}


@dataclass(frozen=True, slots=True)
class Observations:
    """All that is known of one line: samples ascending, the newest measurement per kind, how old evidence may be.

    `longest_gap`: how long one sample speaks for the line; `valid_for`: how long an active measurement counts.
    """

    samples: Sequence[LineSample]
    measurements: Mapping[str, Measurement]
    longest_gap: timedelta
    valid_for: timedelta


@dataclass(frozen=True, slots=True)
class Case:
    """One criterion to be judged on one line at one moment."""

    criterion: Criterion
    service_class: ServiceClass
    seen: Observations
    now: datetime

    def result(self, verdict: str, expected: str, found: str, **evidence: object) -> CriterionResult:
        return CriterionResult(self.criterion.kind, self.criterion.required, verdict, expected, found, evidence)

    def fresh_sample(self) -> LineSample | None:
        """Return the newest sample if it still speaks for the line at `now`."""
        newest = self.seen.samples[-1] if self.seen.samples else None
        return newest if newest and self.now - newest.at <= self.seen.longest_gap else None

    def fresh_measurement(self) -> Measurement | None:
        """Return the newest measurement of this criterion if it was taken and is not out of date."""
        for kind in (self.criterion.kind, *SECOND_EVIDENCE.get(self.criterion.kind, ())):
            taken = self.seen.measurements.get(kind)
            if taken is not None and taken.value is not None and self.now - taken.at <= self.seen.valid_for:
                return taken
        return None


def judge_loss(case: Case) -> CriterionResult:
    """Judge a loss ratio measured by probes: the largest allowed still passes."""
    limit = case.criterion.limit or 0.0
    expected = f"loss ratio at most {limit:g}"
    if (taken := case.fresh_measurement()) is None:
        return _not_measured(case, expected)
    verdict = PASS if _value(taken) <= limit else FAIL
    found = f"loss ratio {_value(taken):g}"
    if verdict == FAIL and (names := _failing_services(taken, limit)):
        found += f" ({', '.join(names)})"
    return case.result(verdict, expected, found, **_quote(taken))


def judge_step_loss(case: Case) -> CriterionResult:
    """Judge the worst loss of a load test in steps; the step that lost it is named."""
    result = judge_loss(case)
    steps = result.evidence.get("detail")
    if result.verdict != FAIL or not isinstance(steps, dict):
        return result
    limit = case.criterion.limit or 0.0
    names = [f"{step['share']:.0%} {step['direction']}" for step in steps.get("steps", ()) if (step.get("loss_ratio") or 0.0) > limit]
    return replace(result, found=f"{result.found} at {', '.join(names)}") if names else result


def judge_bound(case: Case) -> CriterionResult:
    """Judge a value against a limit in its own unit: the limit itself still passes."""
    side, unit = BOUNDS[case.criterion.kind]
    limit = case.criterion.limit or 0.0
    expected = f"at {side} {limit:g} {unit}"
    if (taken := case.fresh_measurement()) is None:
        return _not_measured(case, expected)
    value = _value(taken)
    verdict = PASS if (value <= limit if side == "most" else value >= limit) else FAIL
    return case.result(verdict, expected, f"{value:.4g} {unit}", **_quote(taken))


def judge_duplex(case: Case) -> CriterionResult:
    """Judge that no end runs half duplex: a mismatch loses frames under load only."""
    expected = "full duplex at both ends"
    if (taken := case.fresh_measurement()) is None:
        return _not_measured(case, expected)
    full = _value(taken) == 1.0
    return case.result(PASS if full else FAIL, expected, "full duplex" if full else "half duplex", **_quote(taken))


def judge_rate(case: Case) -> CriterionResult:
    """Judge a measured rate against the nominal one: a test proves a rate, ifSpeed and an idle line never do."""
    down = case.criterion.kind in ("rate_down", "sync_rate_down")
    nominal = case.service_class.nominal_down_kbps if down else case.service_class.nominal_up_kbps
    limit = case.criterion.limit or 1.0
    expected = f"at least {nominal * limit:.0f} kbit/s ({limit:.0%} of {nominal})"
    if (taken := case.fresh_measurement()) is None:
        return _not_measured(case, expected)
    verdict = PASS if _value(taken) >= nominal * limit else FAIL
    return case.result(verdict, expected, f"{_value(taken):.0f} kbit/s", **_quote(taken))


def judge_ports(case: Case) -> CriterionResult:
    """Judge that both ends are up now."""
    expected = "both ports administratively and operationally up"
    sample = case.fresh_sample()
    if sample is None:
        return case.result(NOT_PROVEN, expected, "no sample that is recent enough")
    if sample.state == "down":
        return case.result(FAIL, expected, sample.reason, sampled_at=sample.at.isoformat())
    if sample.state != "up":
        return case.result(NOT_PROVEN, expected, f"{sample.state}: {sample.reason}", sampled_at=sample.at.isoformat())
    return case.result(PASS, expected, "both up", sampled_at=sample.at.isoformat(), a=_port(sample.a), z=_port(sample.z))


def judge_errors(case: Case) -> CriterionResult:
    """Judge how many input errors both ends counted within the trial window."""
    limit = case.criterion.limit or 0.0
    expected = f"at most {limit:g} input errors in the window"
    window = next((c.window for c in case.service_class.criteria if c.kind == "trial" and c.window), timedelta(0))
    inside = [sample for sample in case.seen.samples if case.now - window - case.seen.longest_gap <= sample.at <= case.now]
    counts = {end: _errors([getattr(sample, end) for sample in inside]) for end in ("a", "z")}
    known = [count for count in counts.values() if count is not None]
    if sum(known) > limit:
        return case.result(FAIL, expected, f"{sum(known)} input errors", **counts)
    if len(known) < len(counts):
        return case.result(NOT_PROVEN, expected, "error counters of both ends are not known", **counts)
    return case.result(PASS, expected, f"{sum(known)} input errors", **counts)


def judge_trial(case: Case) -> CriterionResult:
    """Judge the trial window: long enough, measured well enough, up for the share that is asked."""
    criterion = case.criterion
    window, limit = criterion.window or timedelta(0), criterion.limit or 1.0
    expected = f"up {limit:.2%} of {lasting(window)} with {criterion.coverage:.0%} of it measured"
    trial = observe_trial(case.seen.samples, criterion, case.now, case.seen.longest_gap)
    evidence: dict[str, object] = {
        "began_at": trial.began_at.isoformat() if trial.began_at else None,
        "up_s": trial.up.total_seconds(),
        "down_s": trial.down.total_seconds(),
        "unmeasured_s": trial.unmeasured.total_seconds(),
        "outages": [[span.start.isoformat(), span.end.isoformat()] for span in trial.outages],
    }
    if trial.began_at is None or trial.up_share is None:
        return case.result(NOT_PROVEN, expected, "nothing was measured", **evidence)
    if case.now - trial.began_at < window:
        return case.result(NOT_PROVEN, expected, f"the trial ends at {(trial.began_at + window).isoformat()}", **evidence)
    if trial.up_share < limit:
        return case.result(FAIL, expected, f"up {cut_percent(trial.up_share, 2)}", **evidence)
    if trial.coverage < criterion.coverage:
        return case.result(NOT_PROVEN, expected, f"{cut_percent(trial.coverage, 0)} of the window was measured", **evidence)
    found = f"up {cut_percent(trial.up_share, 2)}, {cut_percent(trial.coverage, 0)} measured"
    return case.result(PASS, expected, found, **evidence)


def cut_percent(share: float, places: int) -> str:
    """Write a share as percent, cut and not rounded: what fails its limit never reads as if it met it."""
    step = 10**places
    return f"{floor(round(share * 100 * step, 6)) / step:.{places}f}%"


def lasting(span: timedelta) -> str:
    """Write a whole number of seconds without its zeros: `3 days`, `1 day 12 hours`, `90 s` as `1 minute 30 seconds`."""
    hours, seconds = divmod(span.seconds, 3600)
    counts = ((span.days, "day"), (hours, "hour"), (seconds // 60, "minute"), (seconds % 60, "second"))
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count) or "0 seconds"


def judge_reserved(case: Case) -> CriterionResult:
    """Judge the reserved port: shut and silent now, its speed and wiring proven once by a supervised activation."""
    wanted = case.service_class.reserved_port_mbps
    expected = f"shut and silent; {wanted} Mbit/s and the wiring proven by a supervised activation"
    sample = case.fresh_sample()
    ends = (sample.reserved_a, sample.reserved_z) if sample else (None, None)
    if any(end is not None and end.admin_up for end in ends):
        return case.result(FAIL, expected, "the reserved port is not shut", a=_port(ends[0]), z=_port(ends[1]))
    taken = case.seen.measurements.get("reserved_port")
    if taken is not None and taken.value == 0.0:
        return case.result(FAIL, expected, f"activation failed: {taken.detail.get('reason', '')}", **_quote(taken))
    if sample is not None and (absent := _absent_reserved(case.seen.samples)):
        return case.result(FAIL, expected, f"no reserved port at {absent}")
    if any(end is None or end.admin_up is None for end in ends):
        return case.result(NOT_PROVEN, expected, "the state of both reserved ports is not known")
    if taken is None or taken.value is None:
        return case.result(NOT_PROVEN, expected, "no supervised activation yet", a=_port(ends[0]), z=_port(ends[1]))
    if moved := _octets_moved(case.seen.samples, taken.at + case.seen.longest_gap):
        return case.result(FAIL, expected, f"{moved} octets on a port that is shut", **_quote(taken))
    return case.result(PASS, expected, "shut and silent, activation proven", a=_port(ends[0]), z=_port(ends[1]), **_quote(taken))


JUDGES: Mapping[str, Callable[[Case], CriterionResult]] = {
    "reachable_from_centre": judge_loss,
    "reaches_services": judge_loss,
    "ports_up": judge_ports,
    "input_errors": judge_errors,
    "trial": judge_trial,
    "rate_down": judge_rate,
    "rate_up": judge_rate,
    "reserved_port": judge_reserved,
    "delay": judge_bound,
    "jitter": judge_bound,
    "step_loss": judge_step_loss,
    "port_speed": judge_bound,
    "duplex": judge_duplex,
    "rx_power": judge_bound,
    "sync_rate_down": judge_rate,
    "sync_rate_up": judge_rate,
    "snr_margin": judge_bound,
    "attenuation": judge_bound,
}


def judge(service_class: ServiceClass, seen: Observations, now: datetime) -> tuple[CriterionResult, ...]:
    """Judge every criterion of the class, in the order's own sequence."""
    return tuple(JUDGES[criterion.kind](Case(criterion, service_class, seen, now)) for criterion in service_class.criteria)


def overall(results: Sequence[CriterionResult]) -> str:
    """Return fail if a required criterion failed, else not proven if one lacks proof (or there is none), else pass."""
    required = {result.verdict for result in results if result.required}
    if FAIL in required:
        return FAIL
    return PASS if required == {PASS} else NOT_PROVEN


def decide(
    line_id: str, results: tuple[CriterionResult, ...], milestone: Milestone | None, due_at: datetime | None, now: datetime
) -> Acceptance:
    """Return the decision on a line at `now`; a deadline is met strictly before `due_at`, its first moment that is too late."""
    verdict = overall(results)
    on_time = (due_at is None or now < due_at) if verdict == PASS else None
    return Acceptance(line_id, now, verdict, results, milestone.milestone_id if milestone else None, due_at, on_time)


def _not_measured(case: Case, expected: str) -> CriterionResult:
    taken = case.seen.measurements.get(case.criterion.kind)
    if taken is None:
        return case.result(NOT_PROVEN, expected, "not measured")
    if taken.value is None:
        return case.result(NOT_PROVEN, expected, f"could not be measured: {taken.detail.get('reason', 'no reason given')}", **_quote(taken))
    return case.result(NOT_PROVEN, expected, f"measured {taken.at.isoformat()}, out of date", **_quote(taken))


def _value(taken: Measurement) -> float:
    assert taken.value is not None  # fresh_measurement() lets only measured values through
    return taken.value


def _quote(taken: Measurement) -> dict[str, object]:
    return {
        "measured_at": taken.at.isoformat(),
        "value": taken.value,
        "unit": taken.unit,
        "method": taken.method,
        "detail": dict(taken.detail),
    }


def _port(port: PortSample | None) -> dict[str, object] | None:
    if port is None:
        return None
    return {
        "port": f"{port.device}:{port.interface}",
        "admin_up": port.admin_up,
        "oper_up": port.oper_up,
        "speed_mbps": port.speed_mbps,
        "at": port.at.isoformat(),
    }


def _errors(ports: Sequence[PortSample | None]) -> int | None:
    """Return how far the input-error counter moved; a step back is a restart and counts from zero. None when never seen twice."""
    seen = [port.in_errors for port in ports if port is not None and port.in_errors is not None]
    if len(seen) < 2:
        return None
    return sum(after - before if after >= before else after for before, after in pairwise(seen))


def _absent_reserved(samples: Sequence[LineSample]) -> str:
    """Name the devices that answered twice running, showed the line's own port, and have no reserved port at all."""
    if len(samples) < 2:
        return ""
    ends = (("a", "reserved_a"), ("z", "reserved_z"))
    absent = [[getattr(sample, own) for sample in samples[-2:] if getattr(sample, reserved) is None] for own, reserved in ends]
    return ", ".join(ports[-1].device for ports in absent if len(ports) == 2 and all(port is not None for port in ports))


def _failing_services(taken: Measurement, limit: float) -> list[str]:
    """Name the services that lost more than the limit allows, each with what it lost."""
    failing = []
    for name, seen in taken.detail.items():
        if isinstance(seen, dict) and (sent := seen.get("sent")) and 1 - min(seen.get("received", 0), sent) / sent > limit:
            failing.append(f"{name}: {seen.get('received', 0)} of {sent} came back")
    return failing


def _octets_moved(samples: Sequence[LineSample], since: datetime) -> int:
    """Return the octets that shut reserved ports counted after `since`, both ends and directions together."""
    moved = 0
    for end in ("reserved_a", "reserved_z"):
        ports: list[PortSample | None] = [getattr(sample, end) for sample in samples if sample.at > since]
        shut = [port for port in ports if port is not None and port.admin_up is False]
        for counter in ("in_octets", "out_octets"):
            values = [value for port in shut if (value := getattr(port, counter)) is not None]
            moved += sum(max(0, after - before) for before, after in pairwise(values))
    return moved
