"""Answers of each family to the questions for addresses, routes, neighbours and adjacencies, read: as vendors print them, and as
the virtual devices do."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.device_tables import VPNS, Adjacency, DeviceTables, HeldAddress, SeenNeighbour
from app.core.dialects import DIALECTS
from app.core.families import FAMILIES
from app.core.table_parsers import PARSERS, full_name, parse_tables, parse_vpns
from lab.virtual.answers import interfaces_text, ospf_peers_text, ospf_text, routes_json, vpns_text
from lab.virtual.facts import Port
from lab.virtual.surroundings import Neighbour, Peer, Route
from lab.virtual.tables import arp_table, in_use, route_table

SAMPLES = Path(__file__).parents[1] / "golden/shown"
REACHED = IPv4Address("198.18.0.2")
QUESTIONS = ("addresses", "routes", "neighbours", "adjacencies", VPNS)


def shown(family: str) -> DeviceTables:
    """Return the tables of a family's samples, VPN instance CZ included."""
    answers = {question: (SAMPLES / f"{family}.{question}.txt").read_text(encoding="utf-8") for question in QUESTIONS}
    heading = SAMPLES / f"{family}.router_id.txt"
    answers["router_id"] = heading.read_text(encoding="utf-8") if heading.exists() else answers["adjacencies"]
    apart = {(question, "CZ"): SAMPLES / f"{family}.{question}.CZ.txt" for question in DIALECTS[family].vpn_questions}
    texts = {key: path.read_text(encoding="utf-8") for key, path in apart.items()}
    return parse_tables(family, "x", REACHED, answers, apart=texts, ports=("GigabitEthernet0/2", "GigabitEthernet0/0/4"))


def held(tables: DeviceTables) -> dict[str, list[tuple[str, bool, str | None]]]:
    found: dict[str, list[tuple[str, bool, str | None]]] = {}
    for one in tables.addresses:
        found.setdefault(one.interface, []).append((str(one.address), one.up, one.vrf))
    return found


def routes(tables: DeviceTables, vrf: str | None = None) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {str(route.prefix): (route.protocol, route.via) for route in tables.routes if route.vrf == vrf}


def test_vrp_names_second_addresses_those_it_was_given_and_none_that_it_borrows() -> None:
    tables = shown("huawei_ar")
    assert held(tables) == {
        "GigabitEthernet0/0/1": [("198.18.4.2/30", True, None), ("198.19.4.2/30", True, None)],
        "GigabitEthernet0/0/3.100": [("10.9.0.1/29", True, "CZ")],
        "Dialer1": [("198.18.4.18/32", True, None)],
        "LoopBack0": [("198.18.0.2/32", True, None)],
    }


def test_vrp_s_routes_have_protocol_every_way_and_their_vpn_instance() -> None:
    tables = shown("huawei_ar")
    known = routes(tables)
    assert known["0.0.0.0/0"] == ("ospf", ("198.18.4.1 GigabitEthernet0/0/1", "198.18.4.5 GigabitEthernet0/0/4"))
    assert known["198.18.40.0/24"] == ("static", ("198.18.4.1 GigabitEthernet0/0/1",))
    assert known["198.18.4.0/30"] == ("connected", ("198.18.4.2 GigabitEthernet0/0/1",))
    assert len(known) == 7
    assert routes(tables, "CZ") == {
        "10.9.0.0/29": ("connected", ("10.9.0.1 GigabitEthernet0/0/3.100",)),
        "10.9.1.0/29": ("bgp", ("198.18.0.1 GigabitEthernet0/0/1",)),
    }


def test_vrp_s_arp_table_without_its_own_entries_names_ports_in_full() -> None:
    assert shown("huawei_ar").neighbours == (
        SeenNeighbour("GigabitEthernet0/0/1", IPv4Address("198.18.4.1"), "00e0-fc01-0002"),
        SeenNeighbour("GigabitEthernet0/0/3.100", IPv4Address("10.9.0.2"), "00e0-fc01-0003", "CZ"),
        SeenNeighbour("", IPv4Address("10.9.0.6"), "00e0-fc01-0004"),
    )


def test_vrp_s_neighbours_are_full_or_not_and_its_router_id_is_read() -> None:
    tables = shown("huawei_ar")
    assert tables.adjacencies == (
        Adjacency("GigabitEthernet0/0/1", IPv4Address("198.18.4.1"), True),
        Adjacency("GigabitEthernet0/0/4", IPv4Address("198.18.4.5"), False),
    )
    assert tables.router_id == IPv4Address("198.18.0.2")


def test_comware_s_tables_are_read_with_ports_in_full() -> None:
    tables = shown("h3c_msr")
    assert held(tables) == {
        "GigabitEthernet0/0": [("198.18.4.6/30", True, None), ("198.19.4.6/30", True, None)],
        "Vlan-interface20": [("10.9.2.1/29", True, "CZ")],
        "Eth-channel2/0:0": [("198.18.4.22/32", True, None)],
        "LoopBack0": [("198.18.0.3/32", True, None)],
    }
    known = routes(tables)
    assert known["0.0.0.0/0"] == ("ospf", ("198.18.4.5 GigabitEthernet0/0", "198.18.4.9 GigabitEthernet0/2"))
    assert known["198.18.4.4/30"] == ("connected", ("198.18.4.6 GigabitEthernet0/0",))
    assert len(known) == 9
    assert routes(tables, "CZ") == {"10.9.2.0/29": ("connected", ("10.9.2.1 Vlan-interface20",))}
    assert [(one.interface, str(one.address), one.vrf) for one in tables.neighbours] == [
        ("GigabitEthernet0/0", "198.18.4.5", None),
        ("Vlan-interface20", "10.9.2.2", "CZ"),
    ]
    assert tables.adjacencies == (
        Adjacency("GigabitEthernet0/0", IPv4Address("198.18.4.5"), True),
        Adjacency("Vlan-interface20", IPv4Address("198.18.4.9"), False),
    )
    assert tables.router_id == IPv4Address("198.18.0.3")


def test_ios_s_tables_are_read_with_the_vrf_of_each_port() -> None:
    tables = shown("cisco_ios")
    assert held(tables) == {
        "GigabitEthernet0/0": [("198.18.4.10/30", True, None), ("198.19.4.10/30", True, None)],
        "GigabitEthernet0/2.100": [("10.9.3.1/29", True, "CZ")],
        "Dialer1": [("198.18.4.26/32", True, None)],
        "Loopback0": [("198.18.0.4/32", True, None)],
    }
    assert routes(tables) == {
        "0.0.0.0/0": ("ospf", ("198.18.4.9 GigabitEthernet0/0",)),
        "198.18.0.0/24": ("ospf", ("198.18.4.9 GigabitEthernet0/0", "198.18.4.13 GigabitEthernet0/3")),
        "198.18.0.4/32": ("connected", ("Loopback0",)),
        "198.18.4.8/30": ("connected", ("GigabitEthernet0/0",)),
        "198.18.4.10/32": ("local", ("GigabitEthernet0/0",)),
        "198.18.40.0/24": ("static", ("198.18.4.9",)),
        "203.0.113.16/28": ("isis", ("198.18.4.9 GigabitEthernet0/0",)),
    }
    assert routes(tables, "CZ") == {
        "10.9.3.0/29": ("connected", ("GigabitEthernet0/2.100",)),
        "10.9.3.1/32": ("local", ("GigabitEthernet0/2.100",)),
    }
    assert [(one.interface, str(one.address), one.vrf) for one in tables.neighbours] == [
        ("GigabitEthernet0/0", "198.18.4.9", None),
        ("GigabitEthernet0/2.100", "10.9.3.2", "CZ"),
    ]
    assert [(one.interface, one.full) for one in tables.adjacencies] == [("GigabitEthernet0/0", True), ("GigabitEthernet0/3", False)]
    assert tables.router_id == IPv4Address("198.18.0.4")


def test_vpn_instances_without_interfaces_are_named_too() -> None:
    for family in ("huawei_ar", "cisco_ios"):
        text = (SAMPLES / f"{family}.vpns.txt").read_text(encoding="utf-8")
        assert [vpn.name for vpn in parse_vpns(family, text)] == ["CZ", "DA"]
    assert [vpn.name for vpn in parse_vpns("frr", "vrf CZ id 5 table 10 (configured)\nvrf DA inactive\n")] == ["CZ", "DA"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_parser_for_every_question_that_it_is_asked(family: str) -> None:
    asked = set(DIALECTS[family].questions) | set(DIALECTS[family].vpn_questions)
    assert asked - {"probe"} <= PARSERS[family].keys()
    assert {"addresses", "routes", "neighbours", "adjacencies", "router_id", VPNS} <= set(DIALECTS[family].questions)


@pytest.mark.parametrize("family", ["huawei_ar", "h3c_msr", "cisco_ios"])
@pytest.mark.parametrize("question", ["addresses", "routes", "neighbours"])
def test_an_answer_of_another_shape_is_refused_and_the_question_named(family: str, question: str) -> None:
    with pytest.raises(ValueError, match=f"^{question}: "):
        parse_tables(family, "x", REACHED, {question: "Welcome to the management console of this device\n"})


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("GE0/0/1", "GigabitEthernet0/0/1"),
        ("GE0/0/1.4000", "GigabitEthernet0/0/1.4000"),
        ("XGE1/0/1", "Ten-GigabitEthernet1/0/1"),
        ("Vlan10", "Vlan-interface10"),
        ("Loop0", "LoopBack0"),
        ("Eth0/0/1", "Ethernet0/0/1"),
        ("GE0/0/9", "GE0/0/9"),
        ("NULL0", "NULL0"),
    ],
)
def test_a_shortened_name_is_that_of_the_port_that_it_shortens_or_stays(short: str, full: str) -> None:
    names = ("GigabitEthernet0/0/1", "GigabitEthernet0/0/1.4000", "GigabitEthernet0/0/11", "Ethernet0/0/1", "Eth-Trunk1")
    assert full_name(short, (*names, "Ten-GigabitEthernet1/0/1", "Vlan-interface10", "LoopBack0")) == full


# What a virtual device prints of any state is read back as that state.

VENDORS = {"huawei": "huawei_ar", "h3c": "h3c_msr", "cisco": "cisco_ios", "frr": "frr"}
NAMES = {"frr": ["eth1", "eth2", "lan0"]}
OTHERS = ["GigabitEthernet0/1", "GigabitEthernet0/2.100", "Vlan-interface4000"]
addresses = st.integers(int(IPv4Address("198.18.0.1")), int(IPv4Address("198.19.255.254"))).map(IPv4Address)
interfaces = st.builds(lambda ip, length: IPv4Interface((ip, length)), addresses, st.integers(8, 32))


@given(st.sampled_from(sorted(VENDORS)), st.data())
@settings(max_examples=150, deadline=None)
def test_addresses_of_any_ports_are_read_as_they_stand(vendor: str, data: st.DataObject) -> None:
    ports, up = [], {}
    for name in NAMES.get(vendor, OTHERS):
        held = tuple(data.draw(st.lists(interfaces, max_size=3, unique=True)))
        shutdown, vpn = data.draw(st.booleans()), data.draw(st.sampled_from([None, "CZ", "DA"]))
        ports.append(Port(name, True, None, "", shutdown, held, None, vpn))
        up[name] = not shutdown and data.draw(st.booleans())
    vpns = {"CZ": "64512:11", "DA": "64512:12"}
    answers = {"addresses": interfaces_text(vendor, ports, up.__getitem__), VPNS: vpns_text(vendor, vpns, ports, None)}
    apart = {("ports", vpn): vpns_text(vendor, vpns, ports, vpn) for vpn in vpns} if vendor == "h3c" else {}
    tables = parse_tables(VENDORS[vendor], "x", REACHED, answers, apart=apart)
    wanted = [HeldAddress(port.name, address, up[port.name], port.vpn) for port in ports for address in port.addresses]
    assert sorted(map(str, tables.addresses)) == sorted(map(str, wanted))


@given(
    st.sampled_from(sorted(VENDORS)),
    st.lists(
        st.tuples(
            st.builds(lambda ip, length: IPv4Network((ip, length), strict=False), addresses, st.integers(0, 32)),
            st.sampled_from(["direct", "static", "ospf"]),
            addresses,
        ),
        max_size=8,
        unique_by=lambda row: row[0],
    ),
)
@settings(max_examples=150, deadline=None)
def test_routes_of_any_kind_are_read_as_they_stand(vendor: str, rows: list[tuple[IPv4Network, str, IPv4Address]]) -> None:
    port = NAMES.get(vendor, OTHERS)[0]
    held = sorted((Route(prefix, protocol, hop, port) for prefix, protocol, hop in rows), key=lambda route: route.prefix)
    text = routes_json(in_use(vendor, held)) if vendor == "frr" else route_table(vendor, held, None)
    tables = parse_tables(VENDORS[vendor], "x", REACHED, {"routes": text}, ports=(port,))
    wanted = [(one.prefix, one.protocol.replace("direct", "connected")) for one in held]
    assert [(route.prefix, route.protocol) for route in tables.routes] == wanted
    assert all(port in way for route in tables.routes for way in route.via)


@given(st.sampled_from(sorted(VENDORS)), st.lists(addresses, max_size=5, unique=True))
@settings(max_examples=100, deadline=None)
def test_neighbours_and_adjacencies_are_read_as_they_stand(vendor: str, met: list[IPv4Address]) -> None:
    port = NAMES.get(vendor, OTHERS)[1]
    near = [Neighbour(port, "far", "far0", f"00e0fc{number:06x}", (address,), port) for number, address in enumerate(met)]
    peers = [Peer(port, IPv4Address("198.18.4.1"), address, IPv4Address("198.18.0.9")) for address in met]
    heading = ospf_text(vendor, REACHED) if vendor in ("cisco", "frr") else ospf_peers_text(vendor, REACHED, peers)
    answers = {
        "neighbours": arp_table(vendor, near, None),
        "adjacencies": ospf_peers_text(vendor, REACHED, peers),
        "router_id": heading,
    }
    tables = parse_tables(VENDORS[vendor], "x", REACHED, answers, ports=(port,))
    assert [(one.interface, one.address) for one in tables.neighbours] == [(port, address) for address in met]
    assert sorted((one.interface, one.address, one.full) for one in tables.adjacencies) == sorted((port, address, True) for address in met)
    assert tables.router_id == REACHED
