"""Addresses of VPN instances against the plan: each instance is a table of its own, where others' addresses may stand again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from app.core.address_audit import AddressFinding, audit_addresses
from app.core.device_tables import DeviceTables, HeldAddress, SeenNeighbour, SeenRoute
from app.core.intents import build_intents
from app.core.workspace import Workspace
from tests.golden.render.workspace import full_workspace

FINANCE = "GigabitEthernet3/0/9"


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return full_workspace("huawei_ar")


@pytest.fixture
def tables(workspace: Workspace) -> dict[str, DeviceTables]:
    """Tables of a city as planned, of which dialled lines have the address and the length that their far end gives."""
    found = {}
    for name, intent in build_intents(workspace).items():
        held = [
            HeldAddress(port.name, IPv4Interface((address.ip, 32)) if port.dialer else address, True, port.vrf)
            for port in intent.interfaces
            for address in port.addresses
        ]
        routes = tuple(SeenRoute(one.address.network, "connected", (f"{one.address.ip} {one.interface}",), one.vrf) for one in held)
        found[name] = DeviceTables(name, intent.contacts[0], tuple(held), routes)
    return found


def finance(workspace: Workspace) -> tuple[str, IPv4Interface]:
    port = next(port for port in build_intents(workspace)["core"].interfaces if port.vrf == "CZ")
    assert port.address is not None
    return port.name, port.address


def audited(workspace: Workspace, tables: Mapping[str, DeviceTables]) -> tuple[AddressFinding, ...]:
    return audit_addresses(workspace, build_intents(workspace), tables)


def with_held(tables: dict[str, DeviceTables], name: str, one: HeldAddress) -> dict[str, DeviceTables]:
    return tables | {name: replace(tables[name], addresses=(*tables[name].addresses, one))}


def test_vpn_instances_the_province_s_link_and_dialled_lines_as_planned_are_no_findings(
    workspace: Workspace, tables: dict[str, DeviceTables]
) -> None:
    assert any(port.dialer and port.addresses for intent in build_intents(workspace).values() for port in intent.interfaces)
    assert any(port.kind == "province" for port in build_intents(workspace)["core"].interfaces)
    assert audited(workspace, tables) == ()


def test_the_planned_address_in_the_global_table_is_in_the_wrong_one(workspace: Workspace, tables: dict[str, DeviceTables]) -> None:
    port, address = finance(workspace)
    core = tables["core"]
    loose = tuple(replace(one, vrf=None) if one.interface == port else one for one in core.addresses)
    (found,) = audited(workspace, tables | {"core": replace(core, addresses=loose)})
    assert (found.kinds, found.interface, found.found) == (("wrong_vpn",), port, str(address))
    assert found.expected == f"{address} in VPN instance CZ"


def test_an_address_that_stands_in_two_vpn_instances_is_no_overlap_and_in_one_it_is(
    workspace: Workspace, tables: dict[str, DeviceTables]
) -> None:
    _, address = finance(workspace)
    again = HeldAddress("GigabitEthernet3/0/5.7", address, True, "DA")
    kinds = [one.kinds for one in audited(workspace, with_held(tables, "u01", again))]
    assert kinds == [("outside_slice", "unheld")], "nobody holds it in DA"
    twice = audited(workspace, with_held(tables, "u01", replace(again, vrf="CZ")))
    assert [one.kinds for one in twice] == [("outside_slice", "held_by_other"), ("overlap",)]
    assert twice[0].detail == f"{address.network} is held by service:finance"
    assert twice[0].found == f"{address} in VPN instance CZ"


def test_routes_and_neighbours_are_judged_in_their_own_table(workspace: Workspace, tables: dict[str, DeviceTables]) -> None:
    port, address = finance(workspace)
    core = tables["core"]
    foreign = SeenRoute(IPv4Network("10.77.0.0/16"), "static", ("10.9.0.2",), "CZ")
    globally = SeenRoute(address.network, "static", ("198.18.4.1",))
    known = SeenRoute(address.network, "bgp", ("198.18.0.1",), "CZ")
    host = SeenNeighbour(port, IPv4Address("10.99.0.5"), "aa", "CZ")
    changed = replace(core, routes=(*core.routes, foreign, globally, known), neighbours=(host,))
    found = {(one.kinds, one.found) for one in audited(workspace, tables | {"core": changed})}
    assert found == {
        (("unheld_route",), "10.77.0.0/16 in VPN instance CZ"),
        (("unheld_route",), str(address.network)),
        (("stray_neighbour",), "10.99.0.5 (aa)"),
    }


def test_what_every_table_holds_of_the_device_itself_is_no_route_to_nobody(workspace: Workspace, tables: dict[str, DeviceTables]) -> None:
    core = tables["core"]
    own = [("0.0.0.0/32", "connected"), ("127.0.0.0/8", "connected"), ("224.0.0.0/4", "connected"), ("255.255.255.255/32", "connected")]
    lan = [("198.18.200.2/32", "connected"), ("198.18.200.3/32", "connected"), ("203.0.113.1/32", "local")]
    more = tuple(SeenRoute(IPv4Network(prefix), protocol, ("127.0.0.1 InLoop0",)) for prefix, protocol in own + lan)
    assert audited(workspace, tables | {"core": replace(core, routes=(*core.routes, *more))}) == ()
    stray = SeenRoute(IPv4Network("203.0.113.9/32"), "connected", ("203.0.113.9 LoopBack9",))
    (found,) = audited(workspace, tables | {"core": replace(core, routes=(*core.routes, stray))})
    assert (found.kinds, found.device, found.interface) == (("unheld_route",), "core", "LoopBack9")


def test_a_foreign_network_is_told_once_though_the_device_routes_to_its_own_address_and_its_broadcast_too(
    workspace: Workspace, tables: dict[str, DeviceTables]
) -> None:
    foreign = with_held(tables, "core", HeldAddress("LoopBack9", IPv4Interface("203.0.113.1/24"), True))
    shown = tuple(
        SeenRoute(IPv4Network(f"203.0.113.{rest}"), "connected", ("203.0.113.1 LoopBack9",)) for rest in ("0/24", "1/32", "255/32")
    )
    core = replace(foreign["core"], routes=(*foreign["core"].routes, *shown))
    found = [(one.kinds, one.found) for one in audited(workspace, foreign | {"core": core})]
    assert found == [(("unheld_route",), "203.0.113.0/24"), (("outside_slice", "unheld"), "203.0.113.1/24")]
