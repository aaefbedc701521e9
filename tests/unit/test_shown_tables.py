"""Tables as devices print them: routes, ARP entries and LLDP neighbours of every vendor, with the line that each stands on."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.shown_tables import plain_port, read_hosts, read_neighbours, read_routes
from lab.virtual.surroundings import Neighbour, Route
from lab.virtual.tables import arp_table, lldp_table, route_table

VENDORS = ("huawei", "h3c", "cisco", "frr")
IOS = """Codes: L - local, C - connected, S - static, O - OSPF, IA - OSPF inter area
       E2 - OSPF external type 2, * - candidate default

Gateway of last resort is 198.18.4.1 to network 0.0.0.0

S*    0.0.0.0/0 [1/0] via 198.18.4.1
      198.18.0.0/24 is variably subnetted, 2 subnets, 2 masks
C        198.18.0.4/32 is directly connected, Loopback0
O IA     198.18.0.8/29 [110/2] via 198.18.4.1, 00:01:02, GigabitEthernet0/1
                       [110/2] via 198.18.4.5, 00:01:02, GigabitEthernet0/2
      198.18.8.0/28 is subnetted, 1 subnets
O E2     198.18.8.16 [110/20] via 198.18.4.1, 00:01:02, GigabitEthernet0/1
"""
VRP = """Route Flags: R - relay, D - download to fib
------------------------------------------------------------------------------
Routing Tables: Public
         Destinations : 2        Routes : 3

Destination/Mask    Proto   Pre  Cost      Flags NextHop         Interface

        0.0.0.0/0   Static  60   0          RD   198.18.4.1      GigabitEthernet0/0/1
                    Static  60   0          RD   198.18.4.5      GigabitEthernet0/0/2
      127.0.0.0/8   Direct  0    0           D   127.0.0.1       InLoopBack0
"""


def test_ios_leaves_lengths_out_where_all_are_alike_and_goes_on_with_a_second_way() -> None:
    found = read_routes(IOS)
    assert [(route.line, str(route.prefix), [str(hop) for hop in route.next_hops]) for route in found] == [
        (6, "0.0.0.0/0", ["198.18.4.1"]),
        (8, "198.18.0.4/32", []),
        (9, "198.18.0.8/29", ["198.18.4.1", "198.18.4.5"]),
        (12, "198.18.8.16/28", ["198.18.4.1"]),
    ]


def test_vrp_leaves_the_destination_of_a_second_way_out() -> None:
    found = read_routes(VRP)
    assert [(str(route.prefix), len(route.next_hops)) for route in found] == [("0.0.0.0/0", 2), ("127.0.0.0/8", 1)]


def test_comware_names_neighbours_first_or_last_and_at_length() -> None:
    first = "System Name          Local Interface Chassis ID      Port ID\ncore                 GE0/1           00e0-fc7f-c58a  GE0/2\n"
    last = "Local Interface Chassis ID      Port ID                    System Name\nGE0/1  00e0-fc7f-c58a  GE0/2  core\n"
    long = "LLDP neighbor-information of port 1[GigabitEthernet0/1]:\n Chassis ID : 00e0-fc7f-c58a\n System name : core\n"
    for text in (first, last, long):
        ((seen),) = read_neighbours(text)
        assert (plain_port(seen.port), seen.name) == ("ge0/1", "core")


def test_a_heading_alone_and_words_about_nothing_are_no_neighbours() -> None:
    assert read_neighbours("Local Intf  Neighbor Dev  Neighbor Intf  Exptime\n") == ()
    assert read_neighbours("Total entries displayed: 0\nGi0/1 says something else\n") == ()


def test_an_arp_entry_without_a_mac_is_none() -> None:
    text = "198.18.4.1      Incomplete      1         D-0   GE0/0/1\n198.18.4.2      00e0-fc12-3456  18  D-0  GE0/0/1\n"
    assert [(host.line, str(host.address)) for host in read_hosts(text)] == [(2, "198.18.4.2")]


@pytest.mark.parametrize(
    "names",
    [
        ("GigabitEthernet0/0/1", "GE0/0/1", "Gi0/0/1", "GE0/0/1.101"),
        ("Ten-GigabitEthernet1/0/1", "XGE1/0/1", "TenGigabitEthernet1/0/1"),
        ("Ethernet0/1", "Eth0/1"),
        ("eth1",),
        ("Vlanif10", "vlanif10"),
    ],
)
def test_spellings_of_one_port_are_one(names: tuple[str, ...]) -> None:
    assert len({plain_port(name) for name in names}) == 1


PREFIXES = st.builds(
    lambda number, length: IPv4Network((0xC6120000 + number, length), strict=False),
    st.integers(0, 0xFFFF),
    st.sampled_from((28, 29, 30, 32)),
)
HOPS = st.one_of(st.none(), st.integers(1, 200).map(lambda number: IPv4Address(0xC6120400 + number)))
TABLES = st.lists(st.tuples(PREFIXES, HOPS), unique_by=lambda pair: pair[0], max_size=12)


@pytest.mark.parametrize("vendor", VENDORS)
@settings(max_examples=60, deadline=None)
@given(table=TABLES)
def test_what_a_virtual_device_prints_of_its_routes_is_read_back(vendor: str, table: list[tuple[IPv4Network, IPv4Address | None]]) -> None:
    ordered = sorted(table, key=lambda pair: pair[0])
    routes = [Route(prefix, "ospf" if hop else "direct", hop, "GigabitEthernet0/1") for prefix, hop in ordered]
    found = read_routes(route_table(vendor, routes, None))
    assert [route.prefix for route in found] == [route.prefix for route in routes]
    for seen, route in zip(found, routes, strict=True):
        assert route.next_hop is None or route.next_hop in seen.next_hops


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("name", ["d01", "county-of-the-far-north-01"])
def test_what_a_virtual_device_prints_of_its_neighbours_is_read_back(vendor: str, name: str) -> None:
    port, address = ("eth4", IPv4Address("198.18.4.2")) if vendor == "frr" else ("GigabitEthernet0/4", IPv4Address("198.18.4.2"))
    seen = Neighbour(port, name, "GigabitEthernet0/1", "00e0fc123456", (address,), f"{port}.101", None, is_heard=True)
    assert [host.address for host in read_hosts(arp_table(vendor, [seen], None))] == [address]
    if vendor != "frr":
        (one,) = read_neighbours(lldp_table(vendor, [seen]))
        assert plain_port(one.port) == "ge0/4"
        assert one.name == name or (len(one.name) >= 20 and name.startswith(one.name))


@pytest.mark.parametrize("vendor", ["cisco", "frr"])
def test_a_vpn_s_hosts_stand_in_its_own_table(vendor: str) -> None:
    seen = Neighbour("eth1", "x", "eth1", "00e0fc123456", (IPv4Address("10.9.0.2"),), "eth1", "CZ")
    assert read_hosts(arp_table(vendor, [seen], None)) == ()
    assert len(read_hosts(arp_table(vendor, [seen], "CZ"))) == 1
