"""Answers of a real FRR 8.4, read."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from app.core.device_tables import Adjacency, HeldAddress, SeenNeighbour
from app.core.table_parsers import parse_tables

SAMPLES = Path(__file__).parents[1] / "golden/frr"
REACHED = IPv4Address("198.18.0.6")
FILES = {
    "addresses": "addresses.json",
    "routes": "routes.json",
    "neighbours": "neighbours.txt",
    "adjacencies": "adjacencies.json",
    "router_id": "router_id.json",
}


def answers(device: str, *questions: str) -> dict[str, str]:
    return {question: (SAMPLES / f"{device}.{FILES[question]}").read_text(encoding="utf-8") for question in questions}


def test_a_unit_s_answers_make_its_tables() -> None:
    tables = parse_tables("frr", "county01-u01", REACHED, answers("county01-u01", *FILES), "hostname x")
    assert tables.addresses == (
        HeldAddress("eth1", IPv4Interface("198.18.4.62/30"), True),
        HeldAddress("lan0", IPv4Interface("198.18.16.33/28"), True),
        HeldAddress("lo", IPv4Interface("198.18.0.6/32"), True),
    )
    assert tables.neighbours == (SeenNeighbour("eth1", IPv4Address("198.18.4.61"), tables.neighbours[0].mac),)
    assert tables.adjacencies == (Adjacency("eth1", IPv4Address("198.18.4.61"), True),)
    assert (tables.router_id, tables.reached_at, tables.running) == (REACHED, REACHED, "hostname x")


def test_only_routes_in_use_are_read_each_with_its_next_hops() -> None:
    tables = parse_tables("frr", "county01-u01", REACHED, answers("county01-u01", "routes"))
    routes = {route.prefix: route for route in tables.routes}
    assert len(routes) == len(tables.routes)
    default, own = routes[IPv4Network("0.0.0.0/0")], routes[IPv4Network("198.18.16.32/28")]
    assert (default.protocol, default.via) == ("ospf", ("198.18.4.61 eth1",))
    assert (own.protocol, own.via) == ("connected", ("lan0",))


def test_a_port_that_is_down_and_one_without_addresses_are_read_too() -> None:
    held = [{"address": word, "secondary": False, "unnumbered": False} for word in ("198.18.4.2/30", "2001:db8::1/64")]
    text = json.dumps(
        {
            "eth1": {"operationalStatus": "down", "vrfName": "default", "ipAddresses": held},
            "eth2": {"operationalStatus": "up", "vrfName": "default", "ipAddresses": []},
        }
    )
    tables = parse_tables("frr", "x", REACHED, {"addresses": text})
    assert tables.addresses == (HeldAddress("eth1", IPv4Interface("198.18.4.2/30"), False),)


def test_a_county_has_a_neighbour_for_every_line() -> None:
    tables = parse_tables("frr", "county01", REACHED, answers("county01", "addresses", "neighbours", "adjacencies"))
    assert {one.interface for one in tables.adjacencies if one.full} == {"eth1", "eth3", "eth4", "eth5", "eth6"}
    assert len(tables.neighbours) == 5


def test_an_empty_arp_table_and_a_device_without_ospf_are_no_fault() -> None:
    heading = "Interface            Neighbor                       MAC                #Rules\n"
    tables = parse_tables("frr", "x", REACHED, {"neighbours": heading, "adjacencies": "{}", "router_id": "{}"})
    assert (tables.neighbours, tables.adjacencies, tables.router_id) == ((), (), None)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("addresses", "% Unknown command"),
        ("addresses", '{"eth1": {"operationalStatus": "up"}}'),
        ("addresses", '["eth1"]'),
        ("routes", '{"x/y": [{"selected": true, "protocol": "ospf"}]}'),
        ("neighbours", "Protocol  Address  Age\n"),
        ("neighbours", "Interface Neighbor MAC #Rules\neth1 nobody aa:bb 0\n"),
        ("router_id", '{"routerId": "none"}'),
    ],
)
def test_an_answer_of_another_shape_is_refused_and_the_question_named(question: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{question}: "):
        parse_tables("frr", "x", REACHED, {question: text})
