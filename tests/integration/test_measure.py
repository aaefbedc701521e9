"""Active tests on devices that are played: what is measured, what is not, and who is not blamed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.acceptance import LineSample, LineStatus, Measurement
from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.inventory import Line
from app.core.ping import PingCount
from app.core.throughput import RateOutcome, RateRequest
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.errors import ConnectFailed, ExitCode
from app.workflows.hosts import DeviceSession, Gateway
from app.workflows.measure import (
    LOAD_SHARE,
    Ground,
    MeasureReport,
    measure_rate,
    measure_reach,
    rate_batches,
    service_address,
    unmeasured,
)
from tests.samples.command_line import REPOSITORY

LOOPBACK = IPv4Address("127.0.0.1")
NOW = datetime(2008, 6, 20, 4, 0, tzinfo=UTC)
WORKSPACE = read_workspace(REPOSITORY / "lab" / "workspace")[0]
INTENTS = build_intents(WORKSPACE)
LINES = WORKSPACE.inventory.lines
PRIMARY = [line for line in LINES.values() if line.role == "primary"]
BACKUP = next(line for line in LINES.values() if line.role == "backup")


def ground(behind: Mapping[str, str] | None = None, workspace: Workspace = WORKSPACE) -> Ground:
    statuses = {
        line_id: LineStatus(LineSample(line_id, NOW, "unreachable", "nobody could look", parent, None, None), NOW)
        for line_id, parent in (behind or {}).items()
    }
    return Ground(workspace, INTENTS, statuses, lambda: NOW)


@dataclass
class Net:
    """What the centre and the devices hear. `deaf`: contact addresses that answer no probe; `silent`: devices without SSH."""

    deaf: frozenset[IPv4Address] = frozenset()
    silent: frozenset[str] = frozenset()
    unsent: bool = False
    no_statistics: frozenset[str] = frozenset()
    loss: Mapping[str, int] = field(default_factory=dict)
    sessions: int = 0
    asked: list[tuple[str, IPv4Address, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ping(self, addresses: Sequence[IPv4Address], count: int) -> Mapping[IPv4Address, PingCount | None]:
        if self.unsent:
            return dict.fromkeys(addresses)
        return {address: PingCount(count, 0 if address in self.deaf else count, None) for address in addresses}

    def connect(self, intent: DeviceIntent, wait_s: float) -> DeviceSession:
        if intent.hostname in self.silent:
            raise ConnectFailed(intent.hostname, "connect", expected="an answer", found="none", next_step="Look at it.")
        with self.lock:
            self.sessions += 1
        return Login(self, intent.hostname)

    @property
    def gateway(self) -> Gateway:
        return Gateway(False, self.connect, lambda names: None, lambda intent: True)


@dataclass
class Login:
    net: Net
    name: str
    address: IPv4Address = LOOPBACK

    def ping(self, address: IPv4Address, count: int) -> PingCount | None:
        self.net.asked.append((self.name, address, count))
        if self.name in self.net.no_statistics:
            return None
        return PingCount(count, count - self.net.loss.get(self.name, 0), 1.5)

    def close(self) -> None:
        with self.net.lock:
            self.net.sessions -= 1

    def running(self) -> str:
        raise AssertionError("a measurement reads no configuration")

    def push(self, commands: Iterable[Command]) -> None:
        raise AssertionError("a measurement changes nothing")

    def save(self) -> None:
        raise AssertionError("a measurement changes nothing")


def by_kind(report: MeasureReport, kind: str) -> dict[str, Measurement]:
    return {each.line_id: each for each in report.measurements if each.kind == kind}


def loopback(line: Line) -> IPv4Address:
    return INTENTS[line.z_device].contacts[0]


# Reachability


def test_every_primary_line_is_probed_from_the_centre_and_every_unit_to_its_server() -> None:
    net = Net()
    report = measure_reach(ground(), list(LINES.values()), net.ping, net.gateway, count=5)
    assert report.exit_code is ExitCode.OK
    for kind in ("reachable_from_centre", "reaches_services"):
        assert set(by_kind(report, kind)) == {line.line_id for line in PRIMARY}, "what is reached says nothing of a backup"
        assert {each.value for each in by_kind(report, kind).values()} == {0.0}
    exchange = service_address(WORKSPACE, WORKSPACE.inventory.services["exchange"])
    assert sorted(net.asked) == sorted((line.z_device, exchange, 5) for line in PRIMARY), "the monitoring centre is no service to reach"
    assert net.sessions == 0


def test_a_unit_that_does_not_answer_has_lost_everything() -> None:
    line = LINES["BZWW-F-0003"]
    net = Net(deaf=frozenset({loopback(line)}))
    seen = by_kind(measure_reach(ground(), PRIMARY, net.ping, net.gateway, count=10), "reachable_from_centre")
    assert seen[line.line_id].value == 1.0
    assert seen[line.line_id].detail == {"sent": 10, "received": 0, "mean_ms": None}


def test_a_unit_behind_a_dead_line_is_not_blamed_for_it() -> None:
    line = LINES["BZWW-F-0003"]
    net = Net(deaf=frozenset({loopback(line)}))
    found = measure_reach(ground({line.line_id: "BZWW-A-0001"}), PRIMARY, net.ping, net.gateway, count=10)
    seen = by_kind(found, "reachable_from_centre")[line.line_id]
    assert (seen.value, seen.detail["reason"]) == (None, "behind BZWW-A-0001")
    assert found.exit_code is ExitCode.DEVICE


def test_a_unit_that_answers_is_measured_whatever_was_seen_before() -> None:
    line = LINES["BZWW-F-0003"]
    found = measure_reach(ground({line.line_id: "BZWW-A-0001"}), [line], Net().ping, Net().gateway, count=3)
    assert by_kind(found, "reachable_from_centre")[line.line_id].value == 0.0


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (Net(deaf=frozenset(map(loopback, PRIMARY)), silent=frozenset(INTENTS)), "the centre heard no device at all"),
        (Net(unsent=True, silent=frozenset(INTENTS)), "no probe could be sent"),
    ],
    ids=["deaf", "unsent"],
)
def test_a_centre_that_hears_nobody_measures_nothing_and_rejects_nobody(net: Net, reason: str) -> None:
    report = measure_reach(ground(), PRIMARY, net.ping, net.gateway, count=5)
    assert {each.value for each in report.measurements} == {None}
    assert {each.detail["reason"] for each in by_kind(report, "reachable_from_centre").values()} == {reason}
    assert report.exit_code is ExitCode.NOTHING_MEASURED


def test_a_unit_without_a_session_has_not_failed_to_reach_its_server() -> None:
    net = Net(silent=frozenset({"county01-u01"}))
    seen = by_kind(measure_reach(ground(), PRIMARY, net.ping, net.gateway, count=5), "reaches_services")["BZWW-F-0003"]
    assert (seen.value, seen.detail["reason"]) == (None, "county01-u01: connect: expected an answer; found none. Look at it.")
    assert net.sessions == 0


def test_the_loss_that_a_unit_counts_is_its_own() -> None:
    net = Net(loss={"county01-u01": 1})
    seen = by_kind(measure_reach(ground(), PRIMARY, net.ping, net.gateway, count=4), "reaches_services")
    assert seen["BZWW-F-0003"].value == 0.25
    assert seen["BZWW-F-0004"].value == 0.0


def test_a_device_that_gives_no_statistics_proves_nothing() -> None:
    net = Net(no_statistics=frozenset({"county01-u01"}))
    seen = by_kind(measure_reach(ground(), PRIMARY, net.ping, net.gateway, count=4), "reaches_services")["BZWW-F-0003"]
    assert (seen.value, seen.detail["reason"]) == (None, "the device gave no statistics of exchange")


def test_the_worst_of_several_services_counts() -> None:
    services = WORKSPACE.inventory.services
    both = {name: replace(service, must_reach=("county",)) for name, service in services.items()}
    workspace = replace(WORKSPACE, inventory=replace(WORKSPACE.inventory, services=both))

    class Picky(Login):
        def ping(self, address: IPv4Address, count: int) -> PingCount | None:
            return PingCount(count, 0 if address == service_address(WORKSPACE, services["noc"]) else count, None)

    gateway = Gateway(False, lambda intent, wait_s: Picky(Net(), intent.hostname), lambda names: None, lambda intent: True)
    line = LINES["BZWW-A-0001"]
    seen = by_kind(measure_reach(ground(workspace=workspace), [line], Net().ping, gateway, count=4), "reaches_services")[line.line_id]
    assert seen.value == 1.0
    assert set(seen.detail) == {"exchange", "noc"}


def test_a_level_that_must_reach_nothing_is_said_so() -> None:
    services = {name: replace(service, must_reach=()) for name, service in WORKSPACE.inventory.services.items()}
    workspace = replace(WORKSPACE, inventory=replace(WORKSPACE.inventory, services=services))
    net = Net()
    seen = by_kind(measure_reach(ground(workspace=workspace), PRIMARY[:1], net.ping, net.gateway, count=4), "reaches_services")
    assert {each.detail["reason"] for each in seen.values()} == {"no service of services.csv must be reached by this level"}
    assert net.asked == []


def test_the_last_test_of_a_line_and_kind_decides_the_exit_code() -> None:
    lost = unmeasured("L1", "rate_down", NOW, "kbps", "m", "lost")
    good = replace(lost, value=9000.0)
    assert MeasureReport((lost, good)).exit_code is ExitCode.OK
    assert MeasureReport((good, lost)).exit_code is ExitCode.NOTHING_MEASURED
    assert MeasureReport((good, replace(lost, kind="rate_up"))).exit_code is ExitCode.DEVICE
    assert MeasureReport(()).exit_code is ExitCode.NOTHING_MEASURED


# Rates


@dataclass
class Instrument:
    """Gives each line a share of its nominal rate; `poor` lines give their share only when they are loaded alone."""

    share: float = 0.95
    poor: Mapping[str, float | None] = field(default_factory=dict)
    loaded: list[list[str]] = field(default_factory=list)
    requests: dict[str, RateRequest] = field(default_factory=dict)

    def measure(self, requests: Sequence[RateRequest]) -> Mapping[str, RateOutcome]:
        self.loaded.append([request.line_id for request in requests])
        self.requests |= {request.line_id: request for request in requests}
        return {request.line_id: self.outcome(request, alone=len(requests) == 1) for request in requests}

    def outcome(self, request: RateRequest, *, alone: bool) -> RateOutcome:
        rate = WORKSPACE.order.classes[request.service_class]
        share = self.share if alone or request.line_id not in self.poor else self.poor[request.line_id]
        if share is None:
            return RateOutcome(None, None, "played", {"reason": "no report"})
        return RateOutcome(share * rate.nominal_down_kbps, share * rate.nominal_up_kbps, "played")


def test_every_line_is_loaded_once_and_none_starves_another() -> None:
    instrument = Instrument()
    report = measure_rate(ground(), list(LINES.values()), instrument)
    assert report.exit_code is ExitCode.OK
    assert sorted(line for batch in instrument.loaded for line in batch) == sorted(LINES)
    assert instrument.loaded[-1] == [BACKUP.line_id]
    for batch in instrument.loaded[1:-1]:
        assert not {line_id for line_id in batch if LINES[line_id].a_device == "city"}, "an uplink is not loaded with the lines below it"


def test_a_backup_line_is_loaded_end_to_end_and_a_primary_one_from_the_centre() -> None:
    instrument = Instrument()
    measure_rate(ground(), [BACKUP, LINES["BZWW-F-0003"]], instrument)
    assert instrument.requests[BACKUP.line_id].near_device == BACKUP.a_device
    assert instrument.requests[BACKUP.line_id].far_address != loopback(BACKUP), "its own address, which the primary way does not take"
    assert instrument.requests["BZWW-F-0003"].near_device is None
    assert instrument.requests["BZWW-F-0003"].far_address == loopback(LINES["BZWW-F-0003"])


@pytest.mark.parametrize("share", [None, 0.5, 0.89])
def test_a_poor_line_is_tested_once_more_alone_and_both_tests_are_kept(share: float | None) -> None:
    line_id = "BZWW-F-0003"
    instrument = Instrument(poor={line_id: share})
    report = measure_rate(ground(), PRIMARY, instrument)
    assert instrument.loaded[-1] == [line_id]
    assert sum(line_id in batch for batch in instrument.loaded) == 2
    downs = [each for each in report.measurements if (each.line_id, each.kind) == (line_id, "rate_down")]
    assert [each.value for each in downs] == [None if share is None else share * 2000, 1900.0]
    assert downs[1].detail["retest"] is True
    assert report.exit_code is ExitCode.OK, "the later test counts"


def test_a_line_at_its_limit_is_not_tested_again() -> None:
    instrument = Instrument(share=0.9)
    measure_rate(ground(), [LINES["BZWW-F-0003"], LINES["BZWW-F-0004"]], instrument)
    assert len(instrument.loaded) == 1
    assert {len(batch) for batch in instrument.loaded} == {2}


def test_a_line_that_stays_without_a_figure_is_reported() -> None:
    instrument = Instrument(share=0.95, poor={})
    instrument.outcome = lambda request, alone: RateOutcome(None, None, "played", {"reason": "no report"})  # type: ignore[method-assign]
    report = measure_rate(ground(), [LINES["BZWW-F-0003"]], instrument)
    assert report.exit_code is ExitCode.NOTHING_MEASURED
    assert [each.detail["reason"] for each in report.measurements] == ["no report"] * 4


@given(st.sets(st.sampled_from(sorted(LINES)), min_size=1))
def test_batches_hold_each_line_once_and_stay_within_the_uplink_below_the_root(chosen: set[str]) -> None:
    classes = WORKSPACE.order.classes
    batches = rate_batches(WORKSPACE.inventory, classes, [LINES[line_id] for line_id in sorted(chosen)])
    assert sorted(line.line_id for batch in batches for line in batch) == sorted(chosen)
    uplinks = {line.z_device: classes[line.service_class] for line in PRIMARY}
    for batch in batches:
        for device in {line.a_device for line in batch if line.role == "primary"} & set(uplinks):
            below = [classes[line.service_class] for line in batch if line.a_device == device and line.role == "primary"]
            fits = sum(rate.nominal_down_kbps for rate in below) <= LOAD_SHARE * uplinks[device].nominal_down_kbps
            assert fits or len(below) == 1


@pytest.mark.parametrize(
    ("direction", "sizes"), [("nominal_down_kbps", [2] * 5), ("nominal_up_kbps", [2] * 5), (None, [4, 4, 2])]
)
def test_ten_lines_below_one_county_are_loaded_as_far_as_its_uplink_carries(direction: str | None, sizes: list[int]) -> None:
    """2M lines below 10M: four fill 80 percent of it; where one direction of the uplink has 5M only, two do."""
    sample = LINES["BZWW-F-0003"]
    lines = [replace(sample, line_id=f"L-{number}", z_device=f"unit{number}") for number in range(10)]
    inventory = replace(WORKSPACE.inventory, lines={"BZWW-A-0001": LINES["BZWW-A-0001"], **{line.line_id: line for line in lines}})
    classes = dict(WORKSPACE.order.classes)
    if direction is not None:
        classes["agg_10m"] = replace(classes["agg_10m"], **{direction: 5000})
    assert [len(batch) for batch in rate_batches(inventory, classes, lines)] == sizes
