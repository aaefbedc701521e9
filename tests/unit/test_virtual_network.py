"""The state that virtual devices share: lines, reach, counters, restarts."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from lab.virtual.device import DeviceSpec, Traffic
from lab.virtual.network import Link, PortChange, VirtualNetwork

G = "GigabitEthernet0/0/"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def port(number: int, address: str, mask: int = 30) -> str:
    return f"interface {G}{number}\n ip address {address} {mask}\n"


def loopback(address: str) -> str:
    return f"interface LoopBack0\n ip address {address} 32\n"


def device(name: str, ports: int, boot: str, *contacts: str, root: bool = False) -> DeviceSpec:
    return DeviceSpec(name, "huawei_ar", tuple(f"{G}{n}" for n in range(ports)), tuple(IPv4Address(one) for one in contacts), boot, root)


def chain(clock: Clock | None = None) -> VirtualNetwork:
    """Return core ─ county ─ unit, all configured; contacts are loopback and uplink."""
    return VirtualNetwork(
        (
            device("core", 1, port(0, "10.0.0.1") + loopback("10.9.0.1"), "10.9.0.1", root=True),
            device("county", 2, port(0, "10.0.0.2") + port(1, "10.0.0.5") + loopback("10.9.0.2"), "10.9.0.2", "10.0.0.2"),
            device("unit", 2, port(0, "10.0.0.6"), "10.9.0.3", "10.0.0.6"),
        ),
        (Link("core", f"{G}0", "county", f"{G}0", "L1"), Link("county", f"{G}1", "unit", f"{G}0", "L2")),
        clock=clock or Clock(),
    )


def type_on(network: VirtualNetwork, name: str, *lines: str) -> None:
    session = network.open_session(name, "test")
    for line in lines:
        session = network.run(name, session, line).session


def test_a_shut_port_takes_both_ends_of_its_line_down_and_tells() -> None:
    network = chain()
    told: list[PortChange] = []
    network.on_port.append(told.append)
    type_on(network, "county", "system-view", f"interface {G}1", "shutdown")
    assert not network.is_up("county", f"{G}1")
    assert not network.is_up("unit", f"{G}0")
    assert network.devices["unit"].is_admin_up(f"{G}0")
    assert {(change.device, change.interface, change.up) for change in told} == {("county", f"{G}1", False), ("unit", f"{G}0", False)}


def test_behind_a_cut_line_nobody_answers_and_healed_all_do() -> None:
    network = chain()
    network.cut(network.links[0])
    assert [network.is_reachable(name) for name in ("core", "county", "unit")] == [True, False, False]
    network.heal(network.links[0])
    assert all(network.is_reachable(name) for name in network.devices)


def test_a_ring_survives_one_cut() -> None:
    network = VirtualNetwork(
        (
            device("core", 2, port(0, "10.0.0.1") + port(1, "10.0.0.9"), "10.0.0.1", root=True),
            device("a", 2, port(0, "10.0.0.2") + port(1, "10.0.0.5"), "10.0.0.2"),
            device("b", 2, port(0, "10.0.0.10") + port(1, "10.0.0.6"), "10.0.0.10"),
        ),
        (Link("core", f"{G}0", "a", f"{G}0"), Link("core", f"{G}1", "b", f"{G}0"), Link("a", f"{G}1", "b", f"{G}1")),
        clock=Clock(),
    )
    network.cut(network.links[0])
    assert network.is_reachable("a")
    network.cut(network.links[2])
    assert not network.is_reachable("a")


def test_a_line_without_addresses_of_one_network_carries_nothing() -> None:
    network = chain()
    type_on(network, "county", "system-view", f"interface {G}1", "ip address 10.0.0.9 30")
    assert network.is_up("unit", f"{G}0")
    assert not network.is_reachable("unit")


def test_a_deployment_goes_root_first_because_what_lies_behind_waits_for_it() -> None:
    network = VirtualNetwork(
        (
            device("core", 1, "", "10.9.0.1", root=True),
            device("county", 2, port(0, "10.0.0.2"), "10.0.0.2"),
            device("unit", 1, port(0, "10.0.0.6"), "10.0.0.6"),
        ),
        (Link("core", f"{G}0", "county", f"{G}0"), Link("county", f"{G}1", "unit", f"{G}0")),
        clock=Clock(),
    )
    assert [network.is_reachable(name) for name in network.devices] == [True, False, False]
    assert network.load("core", port(0, "10.0.0.1")) == ""
    assert [network.is_reachable(name) for name in network.devices] == [True, True, False]
    assert network.load("county", port(1, "10.0.0.5")) == ""
    assert [network.is_reachable(name) for name in network.devices] == [True, True, True]


def test_a_device_answers_only_at_addresses_that_it_holds() -> None:
    network = chain()
    best, uplink = network.address_of("10.9.0.3"), network.address_of("10.0.0.6")
    assert best != uplink
    assert (network.answers(best), network.answers(uplink)) == (False, True)
    type_on(network, "unit", "system-view", "interface LoopBack0", "ip address 10.9.0.3 32")
    assert network.answers(best)


def test_every_mapped_address_is_a_loopback_address_of_its_own() -> None:
    network = chain()
    places = network.places()
    assert all(IPv4Address(address).is_loopback for address in places)
    assert len(places) == 5


def test_a_subinterface_falls_with_its_port_and_a_switch_is_reached_through_its_vlan() -> None:
    router = device("core", 1, f"interface {G}0.40\n dot1q termination vid 40\n ip address 10.0.0.1 30\n", "10.0.0.1", root=True)
    switch = DeviceSpec("sw", "huawei_s", (f"{G}1",), (IPv4Address("10.0.0.2"),), "interface Vlanif40\n ip address 10.0.0.2 30\n")
    network = VirtualNetwork((router, switch), (Link("core", f"{G}0", "sw", f"{G}1"),), clock=Clock())
    assert network.answers(network.address_of("10.0.0.2"))
    type_on(network, "core", "system-view", f"interface {G}0", "shutdown")
    assert not network.is_up("core", f"{G}0.40")
    assert not network.is_reachable("sw")


def test_lines_on_subinterfaces_of_one_port_fall_with_it_and_not_with_each_other() -> None:
    def sub(vlan: int, address: str) -> str:
        return f"interface {G}0.{vlan}\n dot1q termination vid {vlan}\n ip address {address} 30\n"

    home = sub(101, "10.0.0.1") + sub(102, "10.0.0.5") + loopback("10.9.0.1")
    network = VirtualNetwork(
        (
            device("core", 1, home, "10.9.0.1", root=True),
            device("a", 1, port(0, "10.0.0.2"), "10.0.0.2"),
            device("b", 1, port(0, "10.0.0.6"), "10.0.0.6"),
        ),
        (Link("core", f"{G}0.101", "a", f"{G}0"), Link("core", f"{G}0.102", "b", f"{G}0")),
        clock=Clock(),
    )
    type_on(network, "core", "system-view", f"interface {G}0.101", "shutdown")
    assert [network.is_up(name, f"{G}0") for name in ("a", "b")] == [False, True]
    type_on(network, "core", "system-view", f"interface {G}0", "shutdown")
    assert [network.is_up(name, f"{G}0") for name in ("a", "b")] == [False, False]
    assert not network.is_reachable("b")


def test_counters_follow_the_rate_and_stand_still_while_the_port_is_down() -> None:
    clock = Clock()
    network = chain(clock)
    network.set_traffic("unit", f"{G}0", Traffic(in_bps=8000.0, out_bps=800.0, in_errors_per_s=2.0))
    meter = network.devices["unit"].meters[f"{G}0"]
    clock.now_s += 10
    assert meter.read(clock.now_s) == (10000, 1000, 20)
    network.cut(network.links[1])
    clock.now_s += 100
    assert meter.read(clock.now_s) == (10000, 1000, 20)
    network.heal(network.links[1])
    clock.now_s += 1
    assert meter.read(clock.now_s) == (11000, 1100, 22)


def test_a_trial_that_runs_out_takes_its_lines_with_it() -> None:
    clock = Clock()
    network = VirtualNetwork((DeviceSpec("ne", "huawei_ne", (f"{G}0",)),), clock=clock)
    type_on(network, "ne", "system-view", f"interface {G}0", "undo shutdown", "commit trial 60")
    assert network.is_up("ne", f"{G}0")
    clock.now_s += 60
    network.tick()
    assert not network.is_up("ne", f"{G}0")


def test_a_restart_returns_to_what_was_saved_and_counts_a_boot() -> None:
    clock = Clock()
    network = chain(clock)
    type_on(network, "unit", "system-view", "sysname kept", "return", "save", "Y", "", "system-view", "sysname lost")
    clock.now_s += 50
    network.reboot("unit")
    state = network.devices["unit"]
    assert network.hostname("unit") == "kept"
    assert state.boots == 2
    assert state.state.booted_at_s == clock.now_s


def test_a_device_without_power_is_gone_for_its_neighbours_too() -> None:
    network = chain()
    network.power("county", on=False)
    assert not network.is_up("core", f"{G}0")
    assert not network.is_reachable("unit")
    network.power("county", on=True)
    assert network.is_reachable("unit")


def test_a_boot_text_that_the_family_refuses_names_the_line() -> None:
    with pytest.raises(ValueError, match=r"unit.*\n?.*line 1: nonsense"):
        VirtualNetwork((device("unit", 1, "nonsense\n"),), clock=Clock())


def test_a_line_to_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="found 'nobody'"):
        VirtualNetwork((device("a", 1, ""),), (Link("a", f"{G}0", "nobody", f"{G}0"),), clock=Clock())


def test_a_closed_session_gives_its_lock_back() -> None:
    network = VirtualNetwork((DeviceSpec("ne", "huawei_ne", (f"{G}0",)),), clock=Clock())
    session = network.open_session("ne", "one")
    session = network.run("ne", session, "configuration exclusive").session
    assert network.devices["ne"].state.locked_by == session.number
    network.close_session("ne", session)
    assert network.devices["ne"].state.locked_by is None
