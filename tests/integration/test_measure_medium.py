"""What the medium shows, read by SNMP from the agents of a city that is played: every maker's own tables, over real datagrams."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest
from pydantic import SecretStr

from app.core.acceptance import Measurement
from app.core.dialects import DIALECTS
from app.core.intent import DeviceIntent, ProbeIntent
from app.core.intents import build_intents
from app.core.inventory import Line
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.secrets import read_secrets
from app.edge.snmp.agent import Agent
from app.edge.snmp.session import Target, UsmUser
from app.edge.templates import read_templates
from app.errors import ConnectFailed, DeviceError, ExitCode
from app.workflows.hosts import DeviceSession, Gateway
from app.workflows.measure import Ground, MeasureReport, measure_probe
from app.workflows.medium import measure_medium, medium_kinds
from app.workflows.render import render
from lab.virtual.city import VirtualCity
from lab.virtual.facts import SnmpUser
from lab.virtual.faults import SnmpFaults
from lab.virtual.media import AdslSync, PortMedium
from lab.virtual.simulation import Carrier, Service, free_port, served
from lab.virtual.state import Session
from lab.virtual.station import CITY

SECRETS = {"ssh_password": "not-a-secret-1", "snmp_auth": "not-a-secret-2", "snmp_priv": "not-a-secret-3"}
NOW = datetime(2008, 6, 20, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    """The virtual city without its plan's probe: tests give devices their own."""
    city = read_workspace(CITY)[0]
    return replace(city, plan=replace(city.plan, features=replace(city.plan.features, probe=None)))


@pytest.fixture(scope="module")
def intents(workspace: Workspace) -> dict[str, DeviceIntent]:
    return build_intents(workspace)


@pytest.fixture(scope="module")
def on_air(workspace: Workspace, intents: dict[str, DeviceIntent]) -> Iterator[Carrier]:
    environ = {f"WAIWANG_SECRET_{name.upper()}": value for name, value in SECRETS.items()}
    resolve = read_secrets(None, environ).resolve
    texts = {name: resolve(text) for name, text in render(workspace, read_templates(CITY)).items()}
    plan = workspace.plan.management
    user = SnmpUser(plan.snmp_user, plan.snmp_auth, SECRETS["snmp_auth"], plan.snmp_priv, SECRETS["snmp_priv"])
    city = VirtualCity(workspace, intents, texts, user)
    service = Service({plan.ssh_user: SECRETS["ssh_password"]}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM))
    with served(city, service) as carrier:
        yield carrier


@dataclass(frozen=True)
class Desk:
    """Measures lines of the city by real agents; keeps the laid media to put them back."""

    carrier: Carrier
    ground: Ground

    def measure(self, *line_ids: str) -> MeasureReport:
        lines = [self.line(line_id) for line_id in line_ids]
        return asyncio.run(measure_medium(self.ground, lines, self.open_agent))

    def line(self, line_id: str) -> Line:
        return self.ground.inventory.lines[line_id]

    def open_agent(self, intent: DeviceIntent) -> Agent:
        address, port = self.carrier.simulation.snmp_endpoint(intent.contacts[0])
        plan = intent.management
        keys = (SecretStr(SECRETS["snmp_auth"]), SecretStr(SECRETS["snmp_priv"]))
        user = UsmUser(plan.snmp_user, plan.snmp_auth, keys[0], plan.snmp_priv, keys[1])
        return Agent(Target(intent.hostname, str(address), port), user)

    def lay(self, device: str, interface: str, medium: PortMedium) -> None:
        self.carrier.call(lambda: self.carrier.network.set_medium(device, interface.partition(".")[0], medium))

    def laid(self, device: str, interface: str) -> PortMedium:
        return self.carrier.network.devices[device].media[interface.partition(".")[0]]


@pytest.fixture
def desk(on_air: Carrier, workspace: Workspace, intents: dict[str, DeviceIntent]) -> Iterator[Desk]:
    before = {name: dict(device.media) for name, device in on_air.network.devices.items()}
    yield Desk(on_air, Ground(workspace, intents, {}, lambda: NOW, simulated=True))
    for name, media in before.items():
        for port, medium in media.items():
            if on_air.network.devices[name].media.get(port) != medium:
                on_air.call(lambda name=name, port=port, medium=medium: on_air.network.set_medium(name, port, medium))


def by_kind(report: MeasureReport) -> dict[str, Measurement]:
    return {each.kind: each for each in report.measurements}


FAMILIES = ("huawei_ar", "h3c_msr")


def fibre_to(workspace: Workspace, family: str) -> Line:
    """Return a fibre line from a Huawei to a device of this family."""
    devices = workspace.inventory.devices
    return next(
        line
        for line in workspace.inventory.lines.values()
        if line.medium == "fibre" and devices[line.a_device].family.startswith("huawei") and devices[line.z_device].family == family
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_light_speed_and_duplex_are_read_from_each_maker_s_tables(desk: Desk, workspace: Workspace, family: str) -> None:
    line = fibre_to(workspace, family)
    seen = by_kind(desk.measure(line.line_id))
    levels = [desk.laid(*end).rx_dbm for end in ((line.a_device, line.a_interface), (line.z_device, line.z_interface))]
    assert seen["rx_power"].value == min(level for level in levels if level is not None)
    assert {end: facts["value"] for end, facts in seen["rx_power"].detail.items()} == dict(zip("az", levels, strict=True))  # type: ignore[index]
    source = "HH3C-TRANSCEIVER-INFO-MIB" if family == "h3c_msr" else "HUAWEI-ENTITY-EXTENT-MIB"
    assert str(seen["rx_power"].detail["z"]["source"]).startswith(f"{source} (unit by the maker's published MIB")  # type: ignore[index]
    assert (seen["duplex"].value, seen["duplex"].unit) == (1.0, "full")
    assert (seen["port_speed"].value or 0) >= 2
    assert all(each.method.startswith("SIMULATION: ") for each in seen.values())


@pytest.mark.parametrize("end", ["a", "z"])
def test_one_dark_or_half_duplex_end_decides(desk: Desk, workspace: Workspace, end: str) -> None:
    line = fibre_to(workspace, "h3c_msr")
    place = (line.a_device, line.a_interface) if end == "a" else (line.z_device, line.z_interface)
    desk.lay(*place, PortMedium(full_duplex=False, rx_dbm=-31.5))
    seen = by_kind(desk.measure(line.line_id))
    assert (seen["rx_power"].value, seen["duplex"].value) == (-31.5, 0.0)


def test_what_a_port_does_not_tell_is_not_measured_and_says_whose_it_is(desk: Desk, workspace: Workspace) -> None:
    line = fibre_to(workspace, "h3c_msr")
    desk.lay(line.z_device, line.z_interface, PortMedium())
    report = desk.measure(line.line_id)
    seen = by_kind(report)
    assert (seen["duplex"].value, seen["duplex"].detail) == (None, {"reason": f"not told by {line.z_device}:{line.z_interface}"})
    assert seen["rx_power"].value == desk.laid(line.a_device, line.a_interface).rx_dbm, "light at one end alone is what there is"
    desk.lay(line.a_device, line.a_interface, PortMedium())
    assert by_kind(desk.measure(line.line_id))["rx_power"].value is None
    assert report.exit_code is ExitCode.DEVICE


def test_an_adsl_line_is_read_at_the_unit_and_its_worse_direction_counts(desk: Desk, workspace: Workspace) -> None:
    line = next(line for line in workspace.inventory.lines.values() if line.medium == "adsl")
    assert desk.laid(line.z_device, line.z_interface).adsl is not None
    desk.lay(line.z_device, line.z_interface, PortMedium(adsl=AdslSync(960, 512, 5.5, 9.0, 41.5, 63.2)))
    seen = by_kind(desk.measure(line.line_id))
    assert {kind: (each.value, each.unit) for kind, each in seen.items()} == {
        "sync_rate_down": (960.0, "kbps"),
        "sync_rate_up": (512.0, "kbps"),
        "snr_margin": (5.5, "dB"),
        "attenuation": (63.2, "dB"),
    }
    assert seen["snr_margin"].detail["z"] == {  # type: ignore[comparison-overlap]
        "port": f"{line.z_device}:{line.z_interface}",
        "value": 5.5,
        "down_db": 5.5,
        "up_db": 9.0,
        "source": "ADSL-LINE-MIB, RFC 2662",
    }


def test_a_silent_device_is_told_and_hides_no_other_line(desk: Desk, workspace: Workspace) -> None:
    lines = [line for line in workspace.inventory.lines.values() if line.medium == "adsl"][:2]
    silent = lines[0].z_device
    desk.carrier.call(lambda: desk.carrier.network.set_faults(silent, snmp=SnmpFaults(kind="dead")))
    try:
        report = desk.measure(*(line.line_id for line in lines))
    finally:
        desk.carrier.call(lambda: desk.carrier.network.set_faults(silent, snmp=SnmpFaults()))
    reasons = {each.line_id: each.detail.get("reason") for each in report.measurements}
    assert str(reasons[lines[0].line_id]).startswith(f"{silent}: read interfaces by SNMP: expected an answer; found no answer")
    assert reasons[lines[1].line_id] is None


def test_only_lines_whose_class_asks_are_asked_for(desk: Desk, workspace: Workspace) -> None:
    order = workspace.order
    classes = {name: replace(kind, criteria=tuple(c for c in kind.criteria if c.required)) for name, kind in order.classes.items()}
    ground = replace(desk.ground, workspace=replace(workspace, order=replace(order, classes=classes)))
    lines = list(workspace.inventory.lines.values())
    assert not any(medium_kinds(ground, line) for line in lines)
    assert asyncio.run(measure_medium(ground, lines, desk.open_agent)).measurements == ()


# The devices' own probes

PROBES = {
    "huawei_ar": "nqa test-instance waiwang centre\n test-type icmp\n destination-address ipv4 {target}\n probe-count 5\n start now\n",
    "h3c_msr": "nqa entry waiwang centre\n type icmp-echo\n  destination ip {target}\n  probe count 5\n#\n"
    "nqa schedule waiwang centre start-time now lifetime forever\n",
}


@dataclass
class Typed:
    """A login that types on a virtual device what the dialect of its family says."""

    carrier: Carrier
    intent: DeviceIntent

    def show(self, question: str, vpn: str | None = None) -> str:
        name, line = self.intent.hostname, DIALECTS[self.intent.family].questions[question]
        return self.carrier.call(lambda: self.carrier.network.run(name, Session(99), line).text)

    def close(self) -> None:
        """Nothing was opened."""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_device_s_own_probe_is_read_where_it_has_one(
    desk: Desk, workspace: Workspace, intents: dict[str, DeviceIntent], family: str
) -> None:
    line = fibre_to(workspace, family)
    target = intents["city"].contacts[0]
    probed = {line.z_device: replace(intents[line.z_device], probe=ProbeIntent(target, IPv4Address("127.0.0.1"), 60, 5))}
    ground = replace(desk.ground, intents=intents | probed)

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        return Typed(desk.carrier, intent)  # type: ignore[return-value]  # a probe is read and nothing else

    gateway = Gateway(False, connect, lambda names: None, lambda intent: True)
    none_yet = measure_probe(ground, [line], gateway)
    assert [each.detail["reason"] for each in none_yet.measurements] == ["the device tells of no finished test"]
    assert desk.carrier.call(lambda: desk.carrier.network.load(line.z_device, PROBES[family].format(target=target))) == ""
    found = {each.kind: each for each in measure_probe(ground, [line], gateway).measurements}
    assert (found["probe_loss"].value, found["probe_loss"].detail["sent"]) == (0.0, 5)
    assert 0 < (found["probe_delay"].value or 0) < 50
    assert "probe_jitter" not in found, "echo tests tell none"


def test_a_device_without_a_probe_or_an_answer_proves_nothing(desk: Desk, workspace: Workspace, intents: dict[str, DeviceIntent]) -> None:
    line = fibre_to(workspace, "h3c_msr")

    def refuse(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        raise ConnectFailed(intent.hostname, "log in", expected="an answer", found="none", next_step="Look at it.")

    gateway = Gateway(False, refuse, lambda names: None, lambda intent: True)
    without = measure_probe(desk.ground, [line], gateway)
    assert [each.detail["reason"] for each in without.measurements] == ["the plan gives this device no probe"]
    probe = ProbeIntent(IPv4Address("127.0.0.1"), IPv4Address("127.0.0.1"), 60, 5)
    ground = replace(desk.ground, intents=intents | {line.z_device: replace(intents[line.z_device], probe=probe)})
    report = measure_probe(ground, [line], gateway)
    assert report.exit_code is ExitCode.NOTHING_MEASURED
    assert isinstance(ConnectFailed("x", "y", expected="", found="", next_step=""), DeviceError)
