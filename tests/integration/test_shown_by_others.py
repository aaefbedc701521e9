"""Answers of devices read by parsers that are not ours (ntc-templates): the samples are such as others met, and both read them alike."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest
from ntc_templates.parse import parse_output

from app.core.device_tables import VPNS, DeviceTables
from app.core.dialects import DIALECTS
from app.core.table_parsers import parse_tables, parse_vpns
from lab.virtual.answers import interfaces_text, vpns_text
from lab.virtual.facts import Port
from lab.virtual.surroundings import Neighbour, Route
from lab.virtual.tables import arp_table, route_table
from tests.unit.test_table_parsers import SAMPLES

PLATFORMS = {"huawei_ar": "huawei_vrp", "h3c_msr": "hp_comware", "cisco_ios": "cisco_ios"}
#: What ntc-templates call a command where they leave a word of it out.
COMMANDS = {("h3c_msr", "neighbours"): "display arp"}


def theirs(family: str, question: str, text: str) -> list[dict[str, object]]:
    command = COMMANDS.get((family, question), DIALECTS[family].questions[question])
    return parse_output(platform=PLATFORMS[family], command=command, data=text)


def sample(family: str, question: str) -> str:
    return (SAMPLES / f"{family}.{question}.txt").read_text(encoding="utf-8")


def ours(family: str, question: str, text: str) -> DeviceTables:
    return parse_tables(family, "x", IPv4Address("198.18.0.2"), {question: text})


@pytest.mark.parametrize("family", ["h3c_msr", "cisco_ios"])
def test_addresses_are_read_alike(family: str) -> None:
    text = sample(family, "addresses")
    wanted = {
        (row["interface"], f"{address}/{length}" if length else address)
        for row in theirs(family, "addresses", text)
        for address, length in zip(row["ip_address"], row.get("prefix_length") or [""] * len(row["ip_address"]), strict=True)
    }
    assert {(one.interface, str(one.address)) for one in ours(family, "addresses", text).addresses} == wanted


@pytest.mark.parametrize("family", ["h3c_msr", "cisco_ios"])
def test_routes_are_read_alike(family: str) -> None:
    text = sample(family, "routes")
    wanted = {f"{row['network']}/{row['prefix_length']}" for row in theirs(family, "routes", text)}
    assert {str(route.prefix) for route in ours(family, "routes", text).routes} == wanted


@pytest.mark.parametrize("family", PLATFORMS)
def test_neighbours_are_read_alike_but_for_the_device_s_own(family: str) -> None:
    text = sample(family, "neighbours")
    wanted = {
        str(row["ip_address"])
        for row in theirs(family, "neighbours", text)
        if not str(row["type"]).startswith("I -") and row.get("age") != "-" and row["mac_address"] != "Incomplete"
    }
    assert {str(one.address) for one in ours(family, "neighbours", text).neighbours} == wanted


@pytest.mark.parametrize("family", ["huawei_ar", "h3c_msr"])
def test_vpn_instances_are_read_alike(family: str) -> None:
    text = sample(family, VPNS)
    assert [vpn.name for vpn in parse_vpns(family, text)] == [row["name"] for row in theirs(family, VPNS, text)]


PORTS = [
    Port("GigabitEthernet0/1", True, None, "", False, (IPv4Interface("198.18.4.2/30"), IPv4Interface("198.19.4.2/30")), None, None),
    Port("GigabitEthernet0/2.100", False, "GigabitEthernet0/2", "", False, (IPv4Interface("10.9.0.1/29"),), None, "CZ"),
    Port("GigabitEthernet0/3", True, None, "", True, (), None, None),
]
NEAR = [Neighbour("GigabitEthernet0/1", "far", "far0", "00e0fc000001", (IPv4Address("198.18.4.1"),), "GigabitEthernet0/1")]
ROUTES = [
    Route(IPv4Network("198.18.4.0/30"), "direct", IPv4Address("198.18.4.2"), "GigabitEthernet0/1"),
    Route(IPv4Network("198.19.0.0/16"), "ospf", IPv4Address("198.18.4.1"), "GigabitEthernet0/1"),
]


@pytest.mark.parametrize(("family", "vendor"), [("h3c_msr", "h3c"), ("cisco_ios", "cisco")])
def test_addresses_and_routes_that_virtual_devices_print_are_read_by_others(family: str, vendor: str) -> None:
    """A layout that our own parsers alone knew would prove nothing."""
    rows = theirs(family, "addresses", interfaces_text(vendor, PORTS, lambda name: name != "GigabitEthernet0/3"))
    assert [(row["interface"], len(row["ip_address"])) for row in rows] == [(port.name, len(port.addresses)) for port in PORTS]
    held = theirs(family, "routes", route_table(vendor, ROUTES, None))
    assert [(row["network"], row["prefix_length"]) for row in held] == [("198.18.4.0", "30"), ("198.19.0.0", "16")]


@pytest.mark.parametrize(("family", "vendor"), [("huawei_ar", "huawei"), ("h3c_msr", "h3c"), ("cisco_ios", "cisco")])
def test_neighbours_and_vpn_instances_that_virtual_devices_print_are_read_by_others(family: str, vendor: str) -> None:
    (near,) = theirs(family, "neighbours", arp_table(vendor, NEAR, None))
    assert near["ip_address"] == "198.18.4.1"
    if family != "cisco_ios":
        assert [row["name"] for row in theirs(family, VPNS, vpns_text(vendor, {"CZ": "64512:11"}, PORTS, None))] == ["CZ"]
