"""Loads in steps: what is offered, what is lost, when nobody may load a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import measure_ground
from app.cli.context import Context
from app.core.intents import build_intents
from app.core.throughput import PAYLOAD_OCTETS, RateRequest, StepLoad, StepOutcome, payload_kbps, step_loads, wire_kbps
from app.edge.files import read_workspace
from app.errors import InputError
from app.settings import read_settings
from app.workflows.measure import Ground
from app.workflows.steps import measure_steps
from lab.tester import LabRateTester, read_iperf3_udp, read_step
from tests.samples.command_line import REPOSITORY
from tests.unit.test_rate_tester import PlayedLab

NOW = datetime(2008, 6, 20, 4, 0, tzinfo=UTC)
WORKSPACE = read_workspace(REPOSITORY / "lab" / "workspace")[0]
INTENTS = build_intents(WORKSPACE)
LINES = WORKSPACE.inventory.lines


@dataclass
class Policer:
    """Lets through so many kbit/s on the wire in either direction; `dead` lines give no figure."""

    kbps: float
    dead: frozenset[str] = frozenset()
    offered: list[tuple[str, StepLoad]] = field(default_factory=list)
    step_method = "played"

    def step(self, request: RateRequest, loads: Sequence[StepLoad]) -> Sequence[StepOutcome]:
        self.offered += [(request.line_id, load) for load in loads]
        if request.line_id in self.dead:
            return [StepOutcome(load, reason="no server") for load in loads]
        return [self._one(load) for load in loads]

    def _one(self, load: StepLoad) -> StepOutcome:
        received = min(load.offered_kbps, self.kbps)
        return StepOutcome(load, load.offered_kbps, received, 1 - received / load.offered_kbps, 0.2)


def ground() -> Ground:
    return Ground(WORKSPACE, INTENTS, {}, lambda: NOW)


def test_a_line_is_loaded_in_four_steps_each_way_and_the_worst_loss_counts() -> None:
    tester = Policer(1000.0)
    (found,) = measure_steps(ground(), [LINES["BZWW-F-0001"]], tester).measurements
    assert (found.kind, found.value, found.unit) == ("step_loss", 0.5, "ratio")
    steps = found.detail["steps"]
    assert [(step["direction"], step["share"], step["loss_ratio"]) for step in steps] == [  # type: ignore[attr-defined]
        (direction, share, pytest.approx(loss, abs=1e-4))
        for share, loss in ((0.5, 0.0), (0.75, 1 / 3), (0.9, 4 / 9), (1.0, 0.5))
        for direction in ("down", "up")
    ]
    assert str(found.detail["layer"]).startswith("layer 1: Ethernet frames with preamble and gap, 1466 octets each")


def test_no_line_is_ever_offered_more_than_its_nominal_rate() -> None:
    tester = Policer(1e9)
    measure_steps(ground(), list(LINES.values()), tester)
    classes = WORKSPACE.order.classes
    for line_id, load in tester.offered:
        kind = classes[LINES[line_id].service_class]
        assert load.offered_kbps <= (kind.nominal_down_kbps if load.direction == "down" else kind.nominal_up_kbps)
    assert {line_id for line_id, _ in tester.offered} == set(LINES)


def test_a_step_without_a_figure_leaves_the_line_unmeasured_with_its_reason() -> None:
    found = measure_steps(ground(), [LINES["BZWW-F-0001"], LINES["BZWW-F-0002"]], Policer(1e9, frozenset({"BZWW-F-0001"})))
    assert {each.line_id: (each.value, each.detail.get("reason")) for each in found.measurements} == {
        "BZWW-F-0001": (None, "no server"),
        "BZWW-F-0002": (0.0, None),
    }


def test_a_line_of_which_one_way_gave_no_figure_is_not_measured_by_the_other() -> None:
    class OneWay(Policer):
        def step(self, request: RateRequest, loads: Sequence[StepLoad]) -> Sequence[StepOutcome]:
            outcomes = super().step(request, loads)
            return [each if each.load.direction == "down" else StepOutcome(each.load, reason="cut off") for each in outcomes]

    (found,) = measure_steps(ground(), [LINES["BZWW-F-0001"]], OneWay(1e9)).measurements
    assert (found.value, found.detail["reason"], len(found.detail["steps"])) == (None, "cut off", 8)  # type: ignore[arg-type]


@given(st.floats(min_value=1, max_value=1e6))
def test_rates_of_payload_and_on_the_wire_are_one_rate(kbps: float) -> None:
    assert wire_kbps(payload_kbps(kbps)) == pytest.approx(kbps)
    assert payload_kbps(kbps) < kbps


def udp(packets: int, lost: int, seconds: float = 2.0) -> str:
    total = {"packets": packets, "lost_packets": lost, "seconds": seconds, "jitter_ms": 0.25, "bytes": 1, "lost_percent": 1.0}
    return json.dumps({"start": {}, "intervals": [], "end": {"sum": total}})


LOAD = StepLoad("down", 0.5, 1000.0)


def test_what_iperf3_counted_in_datagrams_is_told_as_it_was_on_the_wire() -> None:
    packets = 179
    outcome = read_step(LOAD, read_iperf3_udp(udp(packets, 18)))
    assert outcome.sent_kbps == pytest.approx(packets * (PAYLOAD_OCTETS + 66) * 8 / 2 / 1000)
    assert (outcome.loss_ratio, outcome.jitter_ms) == (pytest.approx(18 / 179), 0.25)
    assert outcome.received_kbps == pytest.approx(outcome.sent_kbps * 161 / 179)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "iperf3 gave no report"),
        ('{"error": "unable to connect"}', "unable to connect"),
        ('{"end": {}}', "iperf3's report has no sums"),
        (udp(0, 0), "no datagram was sent"),
    ],
)
def test_a_report_without_datagrams_proves_nothing(text: str, reason: str) -> None:
    outcome = read_step(LOAD, read_iperf3_udp(text))
    assert (outcome.loss_ratio, outcome.reason) == (None, reason)


@given(packets=st.integers(1, 10**6), lost=st.integers(-5, 2 * 10**6))
def test_a_loss_is_a_ratio_whatever_iperf3_counted(packets: int, lost: int) -> None:
    outcome = read_step(LOAD, read_iperf3_udp(udp(packets, lost)))
    assert outcome.loss_ratio is not None
    assert 0 <= outcome.loss_ratio <= 1


def test_a_line_whose_first_load_gives_no_figure_is_not_loaded_further() -> None:
    played = PlayedLab(deaf="county01")
    request = RateRequest("L1", "county01", INTENTS["county01"].contacts[0], "agg_10m")
    outcomes = LabRateTester(played.exec_in, 2).step(request, step_loads(10000, 10000))
    assert len(outcomes) == 8
    assert {outcome.reason for outcome in outcomes[1:]} == {"not loaded: the load before it gave no figure"}
    assert sum(argv[:2] == ["iperf3", "-s"] for _, argv in played.asked) == 1


# Office hours

ZONE_MORNING = datetime(2008, 6, 20, 2, 0, tzinfo=UTC)  # a Friday, 10:00 in Beijing
ZONE_EVENING = datetime(2008, 6, 20, 12, 0, tzinfo=UTC)


def context(root: Path) -> Context:
    return Context(read_settings({}, root), {})


def test_lines_of_real_units_are_not_loaded_while_they_work(monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None]) -> None:
    monkeypatch.setattr(measure_ground, "now", lambda: ZONE_MORNING)
    with pytest.raises(InputError) as refused:
        measure_ground.require_quiet(context(REPOSITORY), told=False)
    golden("measure/errors/office_hours.txt", f"{refused.value.findings[0]}\n")
    measure_ground.require_quiet(context(REPOSITORY), told=True)
    monkeypatch.setattr(measure_ground, "now", lambda: ZONE_EVENING)
    measure_ground.require_quiet(context(REPOSITORY), told=False)


def test_a_lab_has_no_units_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_ground, "now", lambda: ZONE_MORNING)
    measure_ground.require_quiet(context(REPOSITORY / "lab" / "workspace"), told=False)
    assert replace(WORKSPACE.order, simulation=None) != WORKSPACE.order
