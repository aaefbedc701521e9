"""What must be seen on devices before an address leads, and before an old one counts as gone."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from app.core.device_tables import Adjacency, DeviceTables, HeldAddress, SeenNeighbour, SeenRoute
from app.core.intents import build_intents
from app.core.ipplan import IsisProfile
from app.core.isis import system_id
from app.core.renumber import Move, find_moves, plan_renumbering
from app.core.renumber_proof import doubts_of_gone, doubts_of_new, hosts_in, pings_of_new
from app.core.workspace import Workspace
from tests.unit.test_renumber import DAY, in_phase, retiring


@pytest.fixture(scope="module")
def dual() -> Workspace:
    workspace = retiring("loopback", "interconnect", "unit-lan")
    return in_phase(replace(workspace, ledger=plan_renumbering(workspace, DAY).ledger), "dual")


def move(workspace: Workspace, holder: str) -> Move:
    return next(move for move in find_moves(workspace) if move.holder == holder)


def good(workspace: Workspace, device: str) -> DeviceTables:
    """The tables of a device that holds all that is intended, reached at its new loopback."""
    intent = build_intents(workspace)[device]
    held = tuple(HeldAddress(port.name, address, True) for port in intent.interfaces for address in port.addresses)
    full = tuple(
        Adjacency(port.name, next(host for host in address.network.hosts() if host != address.ip), True)
        for port in intent.interfaces
        if port.kind == "line"
        for address in port.addresses
    )
    return DeviceTables(device, intent.contacts[2], held, adjacencies=full)


def test_a_move_is_proven_where_every_end_holds_its_address_and_the_line_has_a_full_neighbour(dual: Workspace) -> None:
    intents = build_intents(dual)
    tables = {name: good(dual, name) for name in ("county01", "county01-u01")}
    for holder in ("line:BZWW-F-0003", "device:county01-u01", "unit:C01U01"):
        assert doubts_of_new(move(dual, holder), intents, tables) == ()


def of_family(workspace: Workspace, family: str, *names: str) -> Workspace:
    """Return the workspace with these devices of another family, whose ports keep their names."""
    devices = {name: replace(one, family=family) if name in names else one for name, one in workspace.inventory.devices.items()}
    return replace(workspace, inventory=replace(workspace.inventory, devices=devices))


def test_where_one_end_speaks_from_its_leading_address_alone_pings_prove_the_line_until_the_new_one_leads(dual: Workspace) -> None:
    mixed = of_family(dual, "cisco_ios", "county01-u01")
    intents, line = build_intents(mixed), move(mixed, "line:BZWW-F-0003")
    assert pings_of_new(line, intents) == (("county01", line.new[2]), ("county01-u01", line.new[1]))
    silent = {name: replace(good(mixed, name), adjacencies=()) for name in ("county01", "county01-u01")}
    assert doubts_of_new(line, intents, silent) == (
        f"county01 eth3 gets no answer from {line.new[2]}",
        f"county01-u01 eth1 gets no answer from {line.new[1]}",
    )
    answered = {name: replace(one, answered=frozenset(line.new.hosts())) for name, one in silent.items()}
    assert doubts_of_new(line, intents, answered) == ()
    leading = replace(line, phase="cut_over")
    assert pings_of_new(leading, intents) == ()
    assert len(doubts_of_new(leading, intents, answered)) == 2, "then the neighbours must be there"


def test_a_line_of_is_is_is_proven_by_pings_in_every_phase_and_a_line_of_frr_by_its_neighbours(dual: Workspace) -> None:
    line = move(dual, "line:BZWW-F-0003")
    assert pings_of_new(line, build_intents(dual)) == ()
    isis = replace(dual, plan=replace(dual.plan, isis=IsisProfile(authentication=False)))
    intents = build_intents(isis)
    for phase in ("dual", "cut_over"):
        assert len(pings_of_new(replace(line, phase=phase), intents)) == 2
    assert pings_of_new(move(dual, "unit:C01U01"), intents) == ()


def test_each_thing_that_lacks_is_a_doubt_with_its_place(dual: Workspace) -> None:
    intents = build_intents(dual)
    line, loopback, lan = (move(dual, holder) for holder in ("line:BZWW-F-0003", "device:county01-u01", "unit:C01U01"))
    unit, county = good(dual, "county01-u01"), good(dual, "county01")
    both = {"county01": county, "county01-u01": unit}

    assert doubts_of_new(line, intents, {"county01-u01": unit}) == ("county01 was not read",)
    lacking = replace(unit, addresses=tuple(one for one in unit.addresses if one.address.ip not in line.new))
    assert doubts_of_new(line, intents, both | {"county01-u01": lacking}) == (f"county01-u01 eth1 does not hold {line.new[2]}/30",)
    down = replace(unit, addresses=tuple(replace(one, up=one.interface != "lan0") for one in unit.addresses))
    assert doubts_of_new(lan, intents, both | {"county01-u01": down}) == (f"county01-u01 lan0 holds {lan.new[1]}/28 and is down",)
    alone = replace(county, adjacencies=tuple(replace(one, full=one.address not in line.new) for one in county.adjacencies))
    assert doubts_of_new(line, intents, both | {"county01": alone}) == (
        f"county01 eth3 has no OSPF neighbour in state Full in {line.new}",
    )
    elsewhere = replace(unit, reached_at=intents["county01-u01"].contacts[0])
    assert doubts_of_new(loopback, intents, both | {"county01-u01": elsewhere}) == (
        f"county01-u01 was reached at {loopback.old[0]}, not at {loopback.new[0]}",
    )
    nowhere = replace(lan, new=IPv4Network("198.19.99.0/28"))
    assert doubts_of_new(nowhere, intents, both) == ("no device is to hold an address of 198.19.99.0/28",)


def test_an_old_prefix_is_gone_only_where_no_table_and_no_line_shows_it(dual: Workspace) -> None:
    lan = move(dual, "unit:C01U01")
    new = IPv4Address("198.19.0.5")
    clean = DeviceTables("r", new, router_id=new, running="interface lan0\n ip address 198.19.16.33/28")
    assert doubts_of_gone(lan, [clean]) == ()
    shows = {
        "r lan0 holds 198.18.16.33/28": replace(clean, addresses=(HeldAddress("lan0", IPv4Interface("198.18.16.33/28"), False),)),
        "r has a route to 198.18.16.32/28 (ospf, 198.18.4.1 eth1)": replace(
            clean, routes=(SeenRoute(IPv4Network("198.18.16.32/28"), "ospf", ("198.18.4.1 eth1",)),)
        ),
        "r: OSPF goes by 198.18.16.34 until it is restarted": replace(clean, router_id=IPv4Address("198.18.16.34")),
        "r is configured with `ip address 198.18.16.33/28`": replace(clean, running="interface lan0\n ip address 198.18.16.33/28\n"),
    }
    for said, tables in shows.items():
        assert doubts_of_gone(lan, [clean, tables]) == (said,)


def test_an_old_loopback_is_not_gone_while_isis_is_named_after_it(dual: Workspace) -> None:
    loopback = move(dual, "device:county01-u01")
    named = f"isis 1\n network-entity 49.0051.1902.{system_id(loopback.old[0])}.00\n"
    (doubt,) = doubts_of_gone(loopback, [DeviceTables("r", loopback.new[0], running=named)])
    assert doubt == f"r is configured with `{named.splitlines()[1].strip()}`"
    renamed = named.replace(system_id(loopback.old[0]), system_id(loopback.new[0]))
    assert doubts_of_gone(loopback, [DeviceTables("r", loopback.new[0], running=renamed)]) == ()


@pytest.mark.parametrize(("phase", "leads"), [("planned", "old"), ("dual", "old"), ("cut_over", "old"), ("clearing", "new")])
def test_isis_goes_by_the_old_loopback_until_devices_no_longer_carry_it(dual: Workspace, phase: str, leads: str) -> None:
    there = in_phase(replace(dual, plan=replace(dual.plan, isis=IsisProfile(authentication=False))), phase)
    isis = build_intents(there)["county01-u01"].isis
    assert isis is not None
    loopback = move(there, "device:county01-u01")
    assert system_id({"old": loopback.old, "new": loopback.new}[leads][0]) in isis.net


def test_a_default_route_a_neighbouring_prefix_and_a_longer_number_are_no_trace(dual: Workspace) -> None:
    lan = move(dual, "unit:C01U01")
    running = "frr version 8.4.4\nip route 0.0.0.0/0 198.19.4.1\n description 198.18.16.330 1198.18.16.33\n ip address 198.18.16.49/28\n"
    routes = (SeenRoute(IPv4Network("0.0.0.0/0"), "ospf", ()), SeenRoute(IPv4Network("198.18.16.48/28"), "ospf", ()))
    assert doubts_of_gone(lan, [DeviceTables("r", IPv4Address(0), routes=routes, running=running)]) == ()


def test_hosts_are_the_neighbours_in_the_old_prefix_without_our_own_addresses() -> None:
    old = IPv4Network("198.18.16.32/28")
    seen = tuple(SeenNeighbour("lan0", IPv4Address(f"198.18.16.{n}"), "aa") for n in (35, 33, 34, 34, 60))
    tables = DeviceTables("r", IPv4Address(0), neighbours=seen)
    assert [str(host) for host in hosts_in(old, tables, [IPv4Address("198.18.16.33")])] == ["198.18.16.34", "198.18.16.35"]
