"""Load lines in steps of their nominal rate and count what is lost at each. Results are measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from app.core.acceptance import Measurement
from app.core.inventory import Line
from app.core.throughput import STEP_LAYER, StepOutcome, StepTester, step_loads
from app.workflows.measure import Ground, MeasureReport, rate_batches, rate_request


def measure_steps(ground: Ground, lines: Sequence[Line], tester: StepTester) -> MeasureReport:
    """Load every line at 50, 75, 90 and 100 % of its nominal rate, each direction by itself; the worst loss counts.

    Lines are loaded together only as far as `rate_batches` lets them: no line is ever offered more than its nominal rate.
    """
    found: list[Measurement] = []
    for batch in rate_batches(ground.inventory, ground.workspace.order.classes, lines):
        with ThreadPoolExecutor(len(batch)) as pool:
            found += pool.map(lambda line: _one(ground, line, tester), batch)
    return MeasureReport(tuple(found))


def _one(ground: Ground, line: Line, tester: StepTester) -> Measurement:
    service_class = ground.workspace.order.classes[line.service_class]
    loads = step_loads(service_class.nominal_down_kbps, service_class.nominal_up_kbps)
    outcomes = tester.step(rate_request(ground, line), loads)
    detail: dict[str, object] = {"layer": STEP_LAYER, "steps": [_facts(outcome) for outcome in outcomes]}
    losses = [outcome.loss_ratio for outcome in outcomes if outcome.loss_ratio is not None]
    if reason := next((outcome.reason for outcome in outcomes if outcome.reason), ""):
        detail["reason"] = reason
    worst = max(losses) if losses and len(losses) == len(loads) else None
    return Measurement(line.line_id, "step_loss", ground.clock(), worst, "ratio", tester.step_method, detail)


def _facts(outcome: StepOutcome) -> Mapping[str, object]:
    """Return one step as evidence, rates rounded to a bit per second."""
    facts = {name: value for name, value in asdict(outcome).items() if name != "load" and value not in (None, "")}
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in facts.items()}
    load = outcome.load
    return {"direction": load.direction, "share": load.share, "offered_kbps": round(load.offered_kbps, 3), **rounded}
