"""A patch that would cut the way to the centre is found before it is pushed, line by line."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from app.core.commands import Command
from app.core.cutoff import ManagementPath, find_cutoffs, find_ended_routing, in_one_write, management_path, renames_isis, runs
from app.core.intent import DeviceIntent, InterfaceIntent, ManagementIntent

RUNNING = """hostname county01
ip route 198.18.9.0/29 198.18.1.1 250
ip route 198.18.77.0/24 198.18.1.1
interface eth1
 ip address 198.18.1.2/30
exit
interface eth2
 ip address 198.18.2.1/30
exit
interface lo
 ip address 198.18.0.5/32
exit
"""
PATH = ManagementPath(("eth1",), (IPv4Network("198.18.9.0/29"),), IPv4Address("198.18.0.5"))


def commands(text: str) -> list[Command]:
    return [Command(line.strip(), level=len(line) - len(line.lstrip())) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("interface eth1\n shutdown", "shuts the interface"),
        ("interface eth1\n no ip address 198.18.1.2/30", "removes the last address"),
        ("interface eth1\n no ip address", "removes the last address"),
        ("interface eth1\n no ip address 198.18.1.2/30\n ip address 198.18.1.6/30", "removes the last address"),
        ("no interface eth1", "removes the interface"),
        ("no ip route 198.18.9.0/29 198.18.1.1", r"removes the last route to the centre \(198.18.9.0/29\)"),
        ("no ip route 198.18.9.0/29 198.18.1.1 250", "removes the last route"),
        ("no ip route 198.18.9.0/29 198.18.1.1\nip route 198.18.9.0/29 198.18.2.2", "removes the last route"),
        ("interface lo\n no ip address 198.18.0.5/32", "removes the address that this session uses"),
    ],
)
def test_what_cuts_the_way_in_is_found(typed: str, reason: str) -> None:
    found = find_cutoffs("frr", RUNNING, commands(typed), PATH)
    assert len(found) == 1
    assert re.search(reason, found[0])


@pytest.mark.parametrize(
    "typed",
    [
        "interface eth2\n shutdown",
        "interface eth2\n no ip address 198.18.2.1/30",
        "interface eth1\n ip address 198.18.1.6/30\n no ip address 198.18.1.2/30",
        "interface eth1\n no shutdown\n description x",
        "ip route 198.18.9.0/29 198.18.2.2\nno ip route 198.18.9.0/29 198.18.1.1",
        "ip route 0.0.0.0/0 198.18.1.1\nno ip route 198.18.9.0/29 198.18.1.1",
        "no ip route 198.18.77.0/24 198.18.1.1",
        "router ospf\n no area 0.0.0.1 stub",
    ],
)
def test_what_leaves_a_way_standing_at_every_moment_is_let_through(typed: str) -> None:
    assert find_cutoffs("frr", RUNNING, commands(typed), PATH) == ()


def test_every_cut_is_named_not_only_the_first() -> None:
    typed = "interface eth1\n shutdown\n no ip address\nno ip route 198.18.9.0/29 198.18.1.1"
    assert len(find_cutoffs("frr", RUNNING, commands(typed), PATH)) == 3


def test_a_way_that_is_not_there_yet_cannot_be_cut() -> None:
    assert find_cutoffs("frr", "hostname x\n", commands("no ip route 198.18.9.0/29 198.18.1.1\ninterface eth1\n no ip address"), PATH) == ()


def test_vrp_s_words_mean_the_same() -> None:
    running = """sysname x
#
interface GigabitEthernet0/0/0
 ip address 198.18.1.2 255.255.255.252
#
ip route-static 198.18.9.0 255.255.255.248 198.18.1.1 preference 250
"""
    path = ManagementPath(("GigabitEthernet0/0/0",), PATH.sources, None)
    cut = commands("undo ip route-static 198.18.9.0 255.255.255.248 198.18.1.1\ninterface GigabitEthernet0/0/0\n undo ip address")
    kept = commands("ip route-static 0.0.0.0 0.0.0.0 198.18.1.1\nundo ip route-static 198.18.9.0 255.255.255.248 198.18.1.1")
    assert len(find_cutoffs("huawei_ar", running, cut, path)) == 2
    assert find_cutoffs("huawei_ar", running, kept, path) == ()


SWITCH = """sysname x
#
interface Vlanif4000
 ip address 198.19.1.2 255.255.255.252
 ip address 198.18.1.2 255.255.255.252 sub
#
"""
SWAP = """interface Vlanif4000
 undo ip address 198.18.1.2 255.255.255.252 sub
 ip address 198.18.1.2 255.255.255.252
 ip address 198.19.1.2 255.255.255.252 sub"""


@pytest.mark.parametrize("session", ["198.18.1.2", "198.19.1.2"])
def test_addresses_that_change_places_cut_nothing_once_all_lines_are_taken_and_go_in_one_write(session: str) -> None:
    path = ManagementPath(("Vlanif4000",), PATH.sources, IPv4Address(session))
    typed = commands(SWAP)
    assert find_cutoffs("huawei_s", SWITCH, typed, path) == ()
    assert [len(run) for run in runs("huawei_s", typed)] == [1, 3]
    assert [in_one_write(run, IPv4Address(session)) for run in runs("huawei_s", typed)] == [False, True]
    assert not any(in_one_write(run, IPv4Address("198.18.0.9")) for run in runs("huawei_s", typed))


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (SWAP.rpartition("\n")[0], "removes the address that this session uses"),
        ("interface Vlanif4000\n ip address 198.19.1.6 255.255.255.252", "replaces the address that this session uses"),
        ("interface Vlanif4000\n undo ip address 198.18.1.2 255.255.255.252 sub\n undo ip address", "removes the address that this"),
    ],
)
def test_a_leading_address_that_another_takes_the_place_of_is_gone(typed: str, reason: str) -> None:
    path = ManagementPath(("Vlanif4000",), PATH.sources, IPv4Address("198.19.1.2"))
    (found,) = find_cutoffs("huawei_s", SWITCH, commands(typed), path)
    assert reason in found


def test_address_lines_of_frr_are_judged_one_by_one() -> None:
    typed = commands("interface lo\n no ip address 198.18.0.5/32\n ip address 198.18.0.5/32")
    assert [len(run) for run in runs("frr", typed)] == [1, 1, 1]
    assert len(find_cutoffs("frr", RUNNING, typed, PATH)) == 1


@pytest.mark.parametrize(
    ("family", "typed"),
    [
        ("huawei_ar", "isis 1\n undo network-entity 49.0051.1980.1800.0001.00\n network-entity 49.0051.1980.1900.0001.00\n quit"),
        ("h3c_msr", "isis 1\n undo network-entity 49.0051.1980.1800.0001.00\n network-entity 49.0051.1980.1900.0001.00\n quit"),
        ("cisco_ios", "router isis 1\n no net 49.0051.1980.1800.0001.00\n net 49.0051.1980.1900.0001.00\n exit"),
        ("frr", "router isis 1\n no net 49.0051.1980.1800.0001.00\n net 49.0051.1980.1900.0001.00\n exit"),
    ],
)
def test_the_old_name_of_isis_and_the_new_one_go_in_one_write(family: str, typed: str) -> None:
    lines = commands(typed)
    found = list(runs(family, lines))
    assert [len(run) for run in found] == [1, 2, 1]
    assert [in_one_write(run, IPv4Address("203.0.113.1")) for run in found] == [False, True, False]
    assert renames_isis(lines)
    assert not renames_isis(commands("isis 1\n is-name r1\nsnmp-agent sys-info contact net 49.00"))


def intent(uplink: str | None) -> DeviceIntent:
    ports = (
        InterfaceIntent("eth1", "line", "", address=IPv4Interface("198.18.1.2/30")),
        InterfaceIntent("eth9", "service", "", address=IPv4Interface("198.18.9.1/29")),
    )
    management = ManagementIntent("netops", "poller", "sha", "aes128", PATH.sources, (), (), "", "")
    return DeviceIntent("x", "frr", "cisco_ios", "city_core", "1", 0, None, (), ports, (), None, management, uplink)


def test_the_root_is_managed_by_the_port_that_the_centre_stands_at() -> None:
    assert management_path(intent(None)).interfaces == ("eth9",)
    assert management_path(intent("eth1")).interfaces == ("eth1",)


@pytest.mark.parametrize(
    ("family", "typed", "ended"),
    [
        ("huawei_ar", "undo ospf 1\nundo lldp enable", ("undo ospf 1",)),
        ("h3c_msr", "undo isis 1", ("undo isis 1",)),
        ("huawei_ar", "ospf 1\n undo area 1\ninterface LoopBack0\n undo ospf network-type", ()),
        ("frr", "no router ospf", ()),
    ],
)
def test_an_igp_that_a_device_asks_about_before_it_goes_is_found(family: str, typed: str, ended: tuple[str, ...]) -> None:
    assert find_ended_routing(family, commands(typed)) == ended


VRP = """sysname county01
ip route-static 198.18.9.0 255.255.255.248 198.18.1.1 preference 250
interface GigabitEthernet0/0/1
#
interface GigabitEthernet0/0/1.101
 dot1q termination vid 101
 ip address 198.18.1.2 255.255.255.252
 ip address 198.18.3.2 255.255.255.252 sub
interface GigabitEthernet0/0/2
 ip address 198.18.2.1 255.255.255.252
"""
BELOW = ManagementPath(("GigabitEthernet0/0/1.101",), PATH.sources, IPv4Address("198.18.1.2"))


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("interface GigabitEthernet0/0/1\n shutdown", "shuts the interface"),
        ("interface GigabitEthernet0/0/1.101\n ip binding vpn-instance CZ", "to another VPN instance, which clears its addresses"),
        ("interface GigabitEthernet0/0/1.101\n undo ip binding vpn-instance CZ", "to another VPN instance"),
        ("interface GigabitEthernet0/0/1.101\n dot1q termination vid 102", "changes the VLAN tag"),
        ("interface GigabitEthernet0/0/1.101\n ip address 198.18.1.6 255.255.255.252", "replaces the address that this session uses"),
    ],
)
def test_what_cuts_the_way_in_unsaid_is_found_too(typed: str, reason: str) -> None:
    found = find_cutoffs("huawei_ar", VRP, commands(typed), BELOW)
    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(
    "typed",
    [
        "interface GigabitEthernet0/0/10\n shutdown",
        "interface GigabitEthernet0/0/2\n ip binding vpn-instance CZ\n ip address 198.18.2.1 255.255.255.252",
        "interface GigabitEthernet0/0/1.101\n ip address 198.18.1.2 255.255.255.252",
        "interface GigabitEthernet0/0/1.101\n ip address 198.18.4.2 255.255.255.252 sub",
        "interface GigabitEthernet0/0/2\n ip address 198.18.2.5 255.255.255.252",
        "interface GigabitEthernet0/0/3.7\n ip binding vpn-instance CZ\n dot1q termination vid 7\n ip address 10.0.0.1 255.255.255.0",
    ],
)
def test_changes_beside_the_way_in_are_let_through(typed: str) -> None:
    assert find_cutoffs("huawei_ar", VRP, commands(typed), BELOW) == ()
