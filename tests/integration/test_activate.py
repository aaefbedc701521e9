"""The supervised activation of a reserved port, on devices that are played: what fails, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest

from app.core.acceptance import Measurement, PortSample
from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ping import PingCount
from app.core.render import build_environment, render_device
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.errors import CommitRefused, ConnectFailed, DeviceError, RenderError
from app.workflows.activate import End, Patience, activate, reserved_ends
from app.workflows.hosts import DeviceSession, Gateway
from app.workflows.measure import Ground
from tests.samples.command_line import REPOSITORY

LAB = REPOSITORY / "lab" / "workspace"
LOOPBACK = IPv4Address("127.0.0.1")
NOW = datetime(2008, 6, 20, 4, 0, tzinfo=UTC)
LINE = "BZWW-A-0001"
FAR, NEAR = ("county01", "eth2"), ("city", "eth5")
Port = tuple[str, str]


@dataclass
class Wire:
    """Two devices and the cable between their reserved ports. Ports are shut at first, as deployed.

    `joined`: the cable is there. `others`: ports with something else plugged in, so that they come up alone. `dead`: ports that
    never come up. `lost_at`: device → at which push (counted from 1) its session ends; from then on only a new login helps,
    if `again`. `stubborn`: ports that say yes to `shutdown` and stay open. `hidden`: devices that SNMP cannot read.
    `refusing`: devices that take `no shutdown` and refuse the line after it.
    """

    joined: bool = True
    others: frozenset[Port] = frozenset()
    dead: frozenset[Port] = frozenset()
    speed_mbps: int | None = 100
    lost_at: Mapping[str, int] = field(default_factory=dict)
    again: bool = True
    unreachable: frozenset[str] = frozenset()
    stubborn: frozenset[Port] = frozenset()
    refusing: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    open_ports: set[Port] = field(default_factory=set)
    pushes: dict[str, int] = field(default_factory=dict)
    sessions: int = 0
    logins: list[str] = field(default_factory=list)

    def connect(self, intent: DeviceIntent, wait_s: float) -> DeviceSession:
        name = intent.hostname
        if name in self.unreachable or (name in self.logins and not self.again):
            raise ConnectFailed(name, "connect", expected="an answer", found="none", next_step="Look at it.")
        self.logins.append(name)
        self.sessions += 1
        return Login(self, name, fresh=self.logins.count(name) > 1)

    def push(self, name: str, commands: Iterable[Command], *, fresh: bool) -> None:
        self.pushes[name] = self.pushes.get(name, 0) + 1
        if not fresh and self.pushes[name] >= self.lost_at.get(name, 99):
            raise DeviceError(name, "push", expected="an answer", found="the session was lost", next_step="Look at it.")
        texts = [command.text for command in commands]
        port = (name, texts[0].removeprefix("interface "))
        assert texts[1:] in (["no shutdown", "exit"], ["shutdown", "exit"]), f"nothing else is ever typed: {texts}"
        if "no shutdown" in texts:
            self.open_ports.add(port)
            if name in self.refusing:
                step = "The lines before it are in force."
                raise CommitRefused(name, "line 3 of 3", expected="acceptance", found="no", next_step=step)
        elif port not in self.stubborn:
            self.open_ports.discard(port)

    def is_up(self, port: Port) -> bool:
        if port not in self.open_ports or port in self.dead:
            return False
        return port in self.others or (self.joined and {FAR, NEAR} <= self.open_ports)

    def read(self, device: str, interface: str) -> PortSample | None:
        if device in self.hidden:
            return None
        port = (device, interface)
        up, admin = self.is_up(port), port in self.open_ports
        return PortSample(device, interface, NOW, up, admin, self.speed_mbps if up else None, None, 0, 0, 64, 0, 0)


@dataclass
class Login:
    """A session with one end of the wire."""

    wire: Wire
    name: str
    fresh: bool
    address: IPv4Address = LOOPBACK

    def push(self, commands: Iterable[Command]) -> None:
        self.wire.push(self.name, commands, fresh=self.fresh)

    def running(self) -> str:
        raise AssertionError("an activation reads no configuration")

    def save(self) -> None:
        raise AssertionError("an activation is never saved")

    def ping(self, address: IPv4Address, count: int) -> PingCount | None:
        raise AssertionError("an activation pings nothing")

    def close(self) -> None:
        self.wire.sessions -= 1


#: Activates the port of LINE on a wire; a port is looked at once more until `limit_s` is over, once at the least.
Run = Callable[..., Measurement]


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return read_workspace(LAB)[0]


@pytest.fixture(scope="module")
def intents(workspace: Workspace) -> dict[str, DeviceIntent]:
    return build_intents(workspace)


@pytest.fixture(scope="module")
def ends(workspace: Workspace, intents: dict[str, DeviceIntent]) -> tuple[End, End]:
    environment = build_environment(read_templates(LAB))
    return reserved_ends(workspace.inventory.lines[LINE], intents, lambda intent: render_device(intent, environment))


@pytest.fixture
def run(workspace: Workspace, intents: dict[str, DeviceIntent], ends: tuple[End, End]) -> Run:
    """Whatever happens, no session stays open."""

    def activate_on(wire: Wire, limit_s: float = 0.03) -> Measurement:
        gateway = Gateway(False, wire.connect, lambda names: None, lambda intent: True)
        ground = Ground(workspace, intents, {}, lambda: NOW)
        line = workspace.inventory.lines[LINE]
        service_class = workspace.order.classes[line.service_class]
        measured = activate(ground, line, service_class, ends, gateway, wire.read, patience=Patience(limit_s, 0.005))
        assert wire.sessions == 0, "a session stayed open"
        assert (measured.line_id, measured.kind, measured.unit, measured.at) == (LINE, "reserved_port", "proven", NOW)
        return measured

    return activate_on


def steps(measured: Measurement) -> list[str]:
    found = measured.detail["steps"]
    assert isinstance(found, list)
    return [f"{step['step']}: {step['port']}" for step in found]


def test_the_commands_touch_the_reserved_ports_alone(ends: tuple[End, End]) -> None:
    assert [(end.device, end.interface) for end in ends] == [FAR, NEAR], "the far end comes first"
    for end in ends:
        assert [command.text for command in end.up] == [f"interface {end.interface}", "no shutdown", "exit"]
        assert [command.text for command in end.shut] == [f"interface {end.interface}", "shutdown", "exit"]


def test_a_wired_port_of_the_right_speed_is_proven_and_left_shut(run: Run) -> None:
    wire = Wire()
    measured = run(wire)
    assert (measured.value, wire.open_ports) == (1.0, set())
    assert "reason" not in measured.detail
    assert steps(measured) == [
        "both ends brought up: county01:eth2",
        "both ends brought up: city:eth5",
        "near end shut, far end looked at: county01:eth2",
        "both ends shut: county01:eth2",
        "both ends shut: city:eth5",
    ]


FAILING: dict[str, tuple[Wire, str]] = {
    "no cable": (Wire(joined=False), "county01:eth2 did not come up within 0.03 s"),
    "a dead far end": (Wire(dead=frozenset({FAR})), "county01:eth2 did not come up within 0.03 s"),
    "a dead near end": (Wire(dead=frozenset({NEAR})), "city:eth5 did not come up within 0.03 s"),
    "a port that SNMP cannot read": (Wire(hidden=frozenset({"city"})), "city:eth5 did not come up within 0.03 s"),
    "a slow port": (Wire(speed_mbps=10), "county01:eth2 runs at 10 Mbit/s; 100 are reserved"),
    "a port of unknown speed": (Wire(speed_mbps=None), "county01:eth2 runs at None Mbit/s; 100 are reserved"),
    "two other cables": (
        Wire(joined=False, others=frozenset({FAR, NEAR})),
        "county01:eth2 stayed up when city:eth5 was shut: they are not wired together",
    ),
    "a port that does not shut": (Wire(stubborn=frozenset({FAR})), "county01:eth2 is not seen shut again: shut it by hand"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_is_not_as_reserved_fails_with_its_reason_and_is_shut_again(run: Run, name: str) -> None:
    wire, reason = FAILING[name]
    measured = run(wire)
    assert measured.value == 0.0
    assert measured.detail["reason"] == reason
    assert wire.open_ports == set(wire.stubborn)


@pytest.mark.parametrize("device", ["county01", "city"])
def test_a_device_that_cannot_be_reached_proves_nothing_and_nothing_is_opened(run: Run, device: str) -> None:
    wire = Wire(unreachable=frozenset({device}))
    measured = run(wire)
    assert measured.value is None
    assert measured.detail["reason"] == f"{device}: connect: expected an answer; found none. Look at it."
    assert (wire.open_ports, wire.pushes) == (set(), {})


#: Push 1 brings an end up, push 2 shuts it.
@pytest.mark.parametrize("lost_at", [{"county01": 1}, {"city": 1}, {"county01": 2}, {"city": 2}, {"county01": 2, "city": 2}], ids=str)
def test_a_session_lost_midway_is_opened_once_more_and_both_ports_are_shut(run: Run, lost_at: dict[str, int]) -> None:
    wire = Wire(lost_at=lost_at)
    measured = run(wire)
    assert wire.open_ports == set()
    assert "may still be open" not in str(measured.detail.get("reason", ""))


def test_a_session_lost_while_a_port_is_brought_up_proves_nothing(run: Run) -> None:
    measured = run(Wire(lost_at={"city": 1}))
    assert measured.value is None
    assert measured.detail["reason"] == "city: push: expected an answer; found the session was lost. Look at it."


@pytest.mark.parametrize("refusing", ["county01", "city"])
def test_a_port_whose_opening_is_refused_midway_is_shut_again_over_the_same_session(run: Run, refusing: str) -> None:
    wire = Wire(refusing=frozenset({refusing}))
    measured = run(wire)
    assert (measured.value, wire.open_ports) == (None, set())
    assert len(wire.logins) == 2, "nobody logged in once more"
    told = f"{refusing}: line 3 of 3: expected acceptance; found no. The lines before it are in force. Both ports were shut again."
    assert measured.detail["reason"] == told


@pytest.mark.parametrize(("lost", "left"), [("county01", FAR), ("city", NEAR)])
def test_a_device_lost_for_good_is_said_by_name_and_the_other_end_is_shut_all_the_same(run: Run, lost: str, left: Port) -> None:
    wire = Wire(lost_at={lost: 2}, again=False)
    measured = run(wire)
    assert wire.open_ports == {left}
    assert f"{left[0]}:{left[1]} may still be open: shut it by hand" in str(measured.detail["reason"])
    assert measured.value != 1.0


def test_ctrl_c_in_the_middle_shuts_both_ports(run: Run) -> None:
    wire = Wire()
    seen: list[str] = []

    def interrupted(device: str, interface: str) -> PortSample | None:
        seen.append(device)
        raise KeyboardInterrupt

    wire.read = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        run(wire)
    assert seen == ["county01"]
    assert (wire.open_ports, wire.sessions) == (set(), 0)


def test_a_line_without_a_reserved_port_cannot_be_activated(workspace: Workspace, intents: dict[str, DeviceIntent]) -> None:
    line = next(line for line in workspace.inventory.lines.values() if line.service_class == "fibre_2m")
    with pytest.raises(RenderError, match=r"reserved port: expected an interface in lines\.csv; found none\. Fill in both ends\."):
        reserved_ends(line, intents, lambda intent: "")


def test_patience_is_the_time_that_one_port_gets(run: Run, workspace: Workspace) -> None:
    """A port that comes up at the third look is up."""
    wire = Wire()
    looks = iter([None, None])
    real = wire.read
    wire.read = lambda device, interface: next(looks, real(device, interface))  # type: ignore[method-assign]
    assert run(wire, 60.0).value == 1.0
