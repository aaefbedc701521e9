"""Addresses as read from devices against the plan: each thing that does not belong is named once, with its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.address_audit import AddressFinding, audit_addresses
from app.core.device_tables import DeviceTables, HeldAddress, SeenNeighbour, SeenRoute
from app.core.intents import build_intents
from app.core.ipplan import Reservation
from app.core.renumber import plan_renumbering
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from tests.unit.test_renumber import DAY, in_phase, retiring

LAB = Path(__file__).parents[2] / "lab/workspace"


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return read_workspace(LAB)[0]


def as_intended(workspace: Workspace) -> dict[str, DeviceTables]:
    """Tables of a city that holds exactly what is intended, with a route to every held prefix and a default route."""
    intents = build_intents(workspace)
    prefixes = [row.prefix for row in workspace.ledger if row.released_on is None]
    routes = tuple(SeenRoute(prefix, "ospf", ("198.18.4.1 eth1",)) for prefix in [*prefixes, IPv4Network("0.0.0.0/0")])
    return {
        name: DeviceTables(
            name,
            intent.contacts[0],
            tuple(HeldAddress(port.name, address, True) for port in intent.interfaces for address in port.addresses),
            routes,
            tuple(
                SeenNeighbour(port.name, host, "02:00:00:00:00:01")
                for port in intent.interfaces
                if port.kind in ("line", "lan")
                for address in port.addresses
                for host in [next(host for host in address.network.hosts() if host != address.ip)]
            ),
        )
        for name, intent in intents.items()
    }


def with_address(tables: dict[str, DeviceTables], device: str, interface: str, address: str) -> dict[str, DeviceTables]:
    table = tables[device]
    return tables | {device: replace(table, addresses=(*table.addresses, HeldAddress(interface, IPv4Interface(address), True)))}


def audited(workspace: Workspace, tables: dict[str, DeviceTables]) -> list[AddressFinding]:
    return list(audit_addresses(workspace, build_intents(workspace), tables))


def test_a_city_as_planned_has_no_findings(workspace: Workspace) -> None:
    assert audited(workspace, as_intended(workspace)) == []


@pytest.mark.parametrize("phase", ["planned", "dual", "cut_over", "finished"])
def test_a_city_that_is_being_renumbered_has_no_findings_in_any_phase(phase: str) -> None:
    moving = retiring("loopback", "interconnect", "unit-lan")
    moving = in_phase(replace(moving, ledger=plan_renumbering(moving, DAY).ledger), phase)
    assert audited(moving, as_intended(moving)) == []


def test_while_an_old_address_is_to_go_it_is_outside_its_slice_and_held_still() -> None:
    moving = retiring("unit-lan")
    moving = replace(moving, ledger=plan_renumbering(moving, DAY).ledger)
    found = audited(in_phase(moving, "clearing"), as_intended(in_phase(moving, "cut_over")))
    assert {one.kinds for one in found} == {("outside_slice", "held_by_other"), ("stray_neighbour",)}
    assert len(found) == 2 * 18


def test_an_address_of_nobody_is_named_with_unit_device_interface_and_what_the_plan_knows(workspace: Workspace) -> None:
    (found,) = audited(workspace, with_address(as_intended(workspace), "county01-u01", "lan0", "198.18.31.1/28"))
    assert found == AddressFinding(
        ("outside_slice", "unheld"),
        "county01-u01",
        "C01U01",
        "lan0",
        "198.18.31.1/28",
        "198.18.16.33/28",
        "in pool unit-lan, handed out to nobody",
    )


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("198.18.30.1/28", "198.18.30.0/28 was released by unit:GONE on 2008-05-01"),
        ("198.18.29.1/28", "198.18.29.0/24 is reserved by hand: city hall"),
        ("203.0.113.1/24", "in no pool of the plan"),
    ],
)
def test_what_is_known_of_an_address_that_nobody_holds_is_said(workspace: Workspace, address: str, detail: str) -> None:
    old = next(row for row in workspace.ledger if row.holder == "unit:D02")
    gone = replace(old, prefix=IPv4Network("198.18.30.0/28"), holder="unit:GONE", released_on=date(2008, 5, 1))
    kept = Reservation(IPv4Network("198.18.29.0/24"), "GGW", "city hall", workspace.plan.provenance)
    changed = replace(workspace, ledger=(*workspace.ledger, gone), plan=replace(workspace.plan, reservations=(kept,)))
    (found,) = audited(changed, with_address(as_intended(workspace), "city", "eth1", address))
    assert (found.kinds, found.detail) == (("outside_slice", "unheld"), detail)


def test_another_s_address_is_outside_the_slice_held_by_the_other_and_an_overlap(workspace: Workspace) -> None:
    found = audited(workspace, with_address(as_intended(workspace), "county02-u01", "lan0", "198.18.16.34/28"))
    assert [(one.kinds, one.device, one.detail) for one in found] == [
        (("outside_slice", "held_by_other"), "county02-u01", "198.18.16.32/28 is held by unit:C01U01"),
        (("overlap",), "county02-u01", "198.18.16.33/28 stands on county01-u01 lan0"),
    ]


def test_an_address_in_the_slice_that_is_not_the_planned_one_and_another_length_are_unplanned(workspace: Workspace) -> None:
    tables = as_intended(workspace)
    unit = tables["county01-u01"]
    longer = tuple(
        replace(one, address=IPv4Interface("198.18.16.33/29")) if one.interface == "lan0" else one for one in unit.addresses
    )
    found = audited(workspace, tables | {"county01-u01": replace(unit, addresses=longer)})
    assert {(one.kinds, one.found) for one in found} == {(("unplanned",), "198.18.16.33/29"), (("missing",), "none")}


def test_both_ends_of_a_line_with_one_address_and_a_line_s_prefix_on_a_third_port_are_overlaps(workspace: Workspace) -> None:
    tables = as_intended(workspace)
    third = audited(workspace, with_address(tables, "county02", "eth2", "198.18.4.61/30"))
    assert [one.kinds for one in third] == [("outside_slice", "held_by_other"), ("overlap",)]
    twice = audited(workspace, with_address(tables, "county01-u01", "eth1", "198.18.4.61/30"))
    assert [one.kinds for one in twice] == [("overlap",), ("unplanned",)]


def test_a_route_to_nobody_is_told_once_at_the_device_that_is_connected_to_it(workspace: Workspace) -> None:
    tables = as_intended(workspace)
    foreign = IPv4Network("198.18.200.0/24")
    for name, table in tables.items():
        protocol, via = ("connected", "lan0") if name == "county01-u01" else ("ospf", "198.18.4.1 eth1")
        tables[name] = replace(table, routes=(*table.routes, SeenRoute(foreign, protocol, (via,))))
    (found,) = audited(workspace, tables)
    assert (found.kinds, found.device, found.unit, found.interface) == (("unheld_route",), "county01-u01", "C01U01", "lan0")
    assert found.detail == "23 of 23 devices route to it; here connected, lan0; in no pool of the plan"


def test_an_aggregate_that_covers_held_prefixes_and_nobody_s_networks_are_no_findings(workspace: Workspace) -> None:
    tables = as_intended(workspace)
    city = tables["city"]
    wide = [SeenRoute(IPv4Network(word), "ospf", ()) for word in ("198.18.0.0/16", "198.18.16.0/24", "127.0.0.0/8", "172.20.20.0/24")]
    tables["city"] = replace(city, routes=(*city.routes, *wide))
    assert audited(workspace, with_address(tables, "city", "eth0", "172.20.20.2/24")) == []


def test_a_host_with_a_foreign_address_behind_a_unit_s_router_is_a_stray_neighbour(workspace: Workspace) -> None:
    tables = as_intended(workspace)
    unit = tables["county01-u01"]
    stray = SeenNeighbour("lan0", IPv4Address("192.168.1.7"), "02:00:00:00:00:07")
    (found,) = audited(workspace, tables | {"county01-u01": replace(unit, neighbours=(*unit.neighbours, stray))})
    assert (found.kinds, found.found, found.expected) == (("stray_neighbour",), "192.168.1.7 (02:00:00:00:00:07)", "198.18.16.32/28")


def test_what_a_device_lacks_is_missing_and_a_device_that_was_not_read_is_not_judged(workspace: Workspace) -> None:
    tables = as_intended(workspace)
    tables["county01-u01"] = replace(tables["county01-u01"], addresses=tables["county01-u01"].addresses[1:])
    del tables["county02-u01"]
    (found,) = audited(workspace, tables)
    assert (found.kinds, found.device, found.interface) == (("missing",), "county01-u01", "eth1")


@given(st.integers(int(IPv4Address("198.18.0.0")), int(IPv4Address("198.18.18.0"))), st.sampled_from(["lan0", "eth1", "lo", "eth9"]))
@settings(max_examples=150, deadline=None)
def test_any_foreign_address_is_named_exactly_where_it_stands(workspace: Workspace, number: int, interface: str) -> None:
    address = IPv4Interface((number, 32))
    tables = as_intended(workspace)
    if any(one.address.ip == address.ip and one.interface == interface for one in tables["county03-t02"].addresses):
        return
    found = audited(workspace, with_address(tables, "county03-t02", interface, str(address)))
    own = [one for one in found if one.found == str(address) and one.kinds != ("overlap",)]
    assert [(one.device, one.interface, one.unit) for one in own] == [("county03-t02", interface, "C03T02")]
    held = any(address.ip in row.prefix for row in workspace.ledger)
    assert ("unheld" in own[0].kinds) == (not held)
