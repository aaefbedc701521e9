"""A city that is played: what carriers do to it, what tests would find, and that every figure says that it is simulated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from app.core.intents import build_intents
from app.core.inventory import Line
from app.core.ping import parse_ping
from app.core.throughput import RateRequest
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.errors import LabError
from app.workflows.measure import service_address
from app.workflows.render import render
from lab.virtual.city import GOODPUT_SHARE, Quality, VirtualCity, ping_text
from lab.virtual.control import Control, ask
from lab.virtual.facts import SnmpUser
from lab.virtual.faults import SshFaults
from lab.virtual.state import Session
from lab.virtual.station import CITY, Station, build_city, make_folder
from lab.virtual.tester import SimulatedRateTester, simulated_probes

SECRETS = {"ssh_password": "not-a-secret-1", "snmp_auth": "not-a-secret-2", "snmp_priv": "not-a-secret-3"}


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return read_workspace(CITY)[0]


@pytest.fixture(scope="module")
def deployed(workspace: Workspace) -> tuple[VirtualCity, Clock]:
    clock = Clock()
    texts = render(workspace, read_templates(CITY))
    return VirtualCity(workspace, build_intents(workspace), texts, SnmpUser("poller"), clock), clock


@pytest.fixture
def city(deployed: tuple[VirtualCity, Clock]) -> Iterator[VirtualCity]:
    yield deployed[0]
    for line_id in deployed[0].workspace.inventory.lines:
        deployed[0].heal(deployed[0].find_line(line_id)[1])
        deployed[0].set_quality(line_id, Quality())


def loopback(city: VirtualCity, device: str) -> IPv4Address:
    return city.devices[device].spec.contacts[0]


def test_the_city_is_large_enough_and_of_three_vendors(workspace: Workspace) -> None:
    devices = workspace.inventory.devices.values()
    assert len(devices) >= 60
    assert {device.vendor for device in devices} == {"Huawei", "H3C", "FRRouting"}
    assert {device.family for device in devices} == {"huawei_ar", "huawei_s", "h3c_msr", "frr"}


def test_after_first_boot_only_the_root_is_reached(workspace: Workspace) -> None:
    city = build_city(workspace, CITY, SECRETS)
    assert [name for name in city.devices if city.is_reachable(name)] == ["city"]


def test_a_deployed_city_is_reached_to_its_last_switch(city: VirtualCity) -> None:
    assert all(city.is_reachable(name) for name in city.devices)
    assert all(city.lines_up().values())


def test_a_probe_finds_what_stands_on_the_way(city: VirtualCity) -> None:
    near, far = city.probe(loopback(city, "county01"), 100), city.probe(loopback(city, "county01-t01"), 100)
    assert (near.received, far.received) == (100, 100)
    assert near.mean_ms is not None
    assert far.mean_ms is not None
    assert far.mean_ms > near.mean_ms + 10
    city.set_quality("BZWW-A-0001", Quality(loss_ratio=0.1))
    assert city.probe(loopback(city, "county01-t01"), 100).received == 90
    assert city.probe(loopback(city, "county02-t01"), 100).received == 100


def test_nothing_comes_back_from_behind_a_cut_and_over_the_backup_everything_does(city: VirtualCity) -> None:
    city.cut(city.find_line("city:county01")[1])
    assert city.probe(loopback(city, "county01-u01"), 10).received == 0
    city.cut(city.find_line("BZWW-A-0003")[1])
    assert city.probe(loopback(city, "county03-u01"), 10).received == 10
    city.cut(city.find_line("BZWW-B-0001")[1])
    assert city.probe(loopback(city, "county03-u01"), 10).received == 0


def test_an_address_that_nobody_holds_answers_nobody(city: VirtualCity) -> None:
    assert city.probe(IPv4Address("198.19.200.1"), 10).received == 0


def test_rates_are_those_of_the_line_less_what_the_carrier_withholds(city: VirtualCity) -> None:
    sound = city.rates("BZWW-F-0001")
    assert (sound.down_kbps, sound.up_kbps) == (round(2048 * GOODPUT_SHARE, 1),) * 2
    city.set_quality("BZWW-F-0001", Quality(rate_share=0.5))
    assert city.rates("BZWW-F-0001").down_kbps == round(1024 * GOODPUT_SHARE, 1)
    city.cut(city.find_line("BZWW-F-0001")[1])
    cut = city.rates("BZWW-F-0001")
    assert (cut.down_kbps, cut.up_kbps) == (None, None)
    assert "is down" in cut.reason


def test_counters_move_by_the_load_and_errors_by_the_fault(deployed: tuple[VirtualCity, Clock], city: VirtualCity) -> None:
    clock, (line, link) = deployed[1], city.find_line("BZWW-F-0001")
    city.set_load(lambda line_id: 0.5)
    city.set_quality(line.line_id, Quality(errors_per_s=2))
    before = city.devices[link.a_device].meters[link.a_interface].read(clock())
    clock.now_s += 100
    after = city.devices[link.a_device].meters[link.a_interface].read(clock())
    received, sent, errors = (new - old for new, old in zip(after, before, strict=True))
    assert sent == pytest.approx(2_000_000 * 0.5 / 8 * 100, rel=0.001)
    assert received == pytest.approx(sent * 0.4, rel=0.001)
    assert errors == 200


@pytest.mark.parametrize("device", ["county01-u01", "county02-u01", "county03-u01"])
def test_a_device_of_every_family_probes_the_exchange_server(city: VirtualCity, workspace: Workspace, device: str) -> None:
    server = service_address(workspace, workspace.inventory.services["exchange"])
    command = f"ping {server}" if city.devices[device].grammar.vendor == "frr" else f"ping -c 7 {server}"
    turn = city.run(device, Session(1, "netops"), command)
    found = parse_ping(turn.text)
    assert "SIMULATION" in turn.text
    assert found is not None
    assert (found.sent, found.received) == ((5, 5) if command.endswith(f"ping {server}") else (7, 7))
    city.cut(city.find_line(f"{device[:8]}:{device}")[1])
    lost = parse_ping(city.run(device, Session(1, "netops"), command).text)
    assert lost is not None
    assert lost.received == 0


@pytest.mark.parametrize("vendor", ["huawei", "h3c", "frr", "cisco"])
def test_every_vendor_s_statistics_are_read_by_the_product(city: VirtualCity, vendor: str) -> None:
    found = parse_ping(ping_text(vendor, IPv4Address("198.19.0.1"), city.probe(loopback(city, "county01"), 20)))
    assert found is not None
    assert (found.sent, found.received) == (20, 20)
    assert found.mean_ms == pytest.approx(2.4, abs=0.5)


def test_a_server_behind_a_shut_port_does_not_answer(city: VirtualCity, workspace: Workspace) -> None:
    server = service_address(workspace, workspace.inventory.services["exchange"])
    assert city.probe(server, 5, "county01-u01").received == 5
    assert city.load("city", "interface GigabitEthernet0/0/4\n shutdown\n") == ""
    assert city.probe(server, 5, "county01-u01").received == 0
    assert city.load("city", "interface GigabitEthernet0/0/4\n undo shutdown\n") == ""


# Asked from another process


async def questions(city: VirtualCity, path: Path, *deeds: Callable[[], object]) -> list[object]:
    control = Control(city, path)
    await control.start()
    try:
        return [await asyncio.to_thread(deed) for deed in deeds]
    finally:
        await control.stop()


def test_a_line_is_cut_and_healed_from_outside(city: VirtualCity, tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    answers = asyncio.run(
        questions(
            city,
            path,
            lambda: ask(path, {"ask": "cut", "line": "city:county01"})["line"],
            lambda: city.lines_up()["BZWW-A-0001"],
            lambda: ask(path, {"ask": "heal", "line": "BZWW-A-0001"})["line"],
            lambda: city.lines_up()["BZWW-A-0001"],
        )
    )
    assert answers == ["BZWW-A-0001", False, "BZWW-A-0001", True]


def test_a_device_misbehaves_is_typed_on_and_loses_power_from_outside(city: VirtualCity, tmp_path: Path) -> None:
    path, name = tmp_path / "control", "county01"
    device = city.devices[name]
    saved = device.state.saved
    seen: list[object] = []

    def trouble(**faults: object) -> dict[str, object]:
        return ask(path, {"ask": "trouble", "device": name, **faults})

    asyncio.run(
        questions(
            city,
            path,
            lambda: seen.append(trouble(hang_at=4, drop_at=None, delay_s=0.5, disk_full=True, refuse_password=False)["faults"]),
            lambda: seen.append(device.ssh_faults),
            trouble,
            lambda: seen.append(device.ssh_faults),
            lambda: ask(path, {"ask": "enter", "device": name, "text": "interface LoopBack0\n description BY HAND"}),
            lambda: seen.append("BY HAND" in str(device.state.running)),
            lambda: ask(path, {"ask": "restart", "device": name}),
            lambda: seen.append(device.boots),
        )
    )
    assert seen == [{"hang_at": 4, "delay_s": 0.5, "disk_full": True}, SshFaults(4, delay_s=0.5, disk_full=True), SshFaults(), True, 2]
    assert device.state.saved == saved


def test_every_figure_from_outside_says_that_it_is_simulated(city: VirtualCity, workspace: Workspace, tmp_path: Path) -> None:
    path, line = tmp_path / "control.sock", next(iter(workspace.inventory.lines.values()))
    request = _request(city, line)
    rates, probes = asyncio.run(
        questions(
            city,
            path,
            lambda: SimulatedRateTester(path).measure([request]),
            lambda: simulated_probes(path, [request.far_address], 20),
        )
    )
    assert rates[line.line_id].method.startswith("SIMULATION")  # type: ignore[index]
    assert rates[line.line_id].detail["simulated"] is True  # type: ignore[index]
    assert probes[request.far_address].received == 20  # type: ignore[index]


def _request(city: VirtualCity, line: Line) -> RateRequest:
    return RateRequest(line.line_id, line.z_device, loopback(city, line.z_device), line.service_class)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"ask": "cut", "line": "BZWW-X-1"}, "expected a line id such as BZWW-A-0001"),
        ({"ask": "dance"}, "expected one of probe, rates, cut, heal, spoil, status"),
        ({"ask": "rates"}, "KeyError"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_words(
    city: VirtualCity, tmp_path: Path, question: dict[str, object], says: str
) -> None:
    path = tmp_path / "control.sock"

    def refused() -> str:
        with pytest.raises(LabError) as caught:
            ask(path, question)
        return str(caught.value)

    (words,) = asyncio.run(questions(city, path, refused))
    assert says in str(words)


def test_a_simulation_that_is_not_there_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="waiwang virtual up"):
        ask(tmp_path / "none.sock", {"ask": "status"})


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(LabError, match="expected a folder of your own with mode 700; found mode 755"):
        make_folder(tmp_path / "open")
    make_folder(tmp_path / "own")
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700


def test_the_files_of_a_station_are_named_in_its_environment(tmp_path: Path) -> None:
    station = Station(CITY, tmp_path / "a folder")
    assert station.environment()["WAIWANG_SIMULATION"] == str(tmp_path / "a folder" / "control.sock")
    assert f"export WAIWANG_ENDPOINTS='{tmp_path}/a folder/endpoints.csv'" in station.exports()
