"""The phases of a renumbering: what leads, what stands beside it, and when an old prefix is let go."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.allocation import demands, plan_allocations
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ipplan import PHASES, Pool, Provenance, address_book
from app.core.renumber import advance, burn_down, contacts_by, ends, find_moves, finish, plan_renumbering, unplanned
from app.core.workspace import Workspace
from app.edge.files import read_workspace

DAY = date(2008, 5, 1)
LATER = date(2008, 6, 1)
SOURCE = Provenance("city centre", "test", None)
NEW = IPv4Network("198.19.0.0/16")


def pools(plan_pools: tuple[Pool, ...], retired: frozenset[str]) -> tuple[Pool, ...]:
    fresh = [replace(pool, name=f"{pool.name}-2", prefix=moved(pool.prefix)) for pool in plan_pools if pool.name in retired]
    return (*(replace(pool, retired=pool.name in retired) for pool in plan_pools), *fresh)


def moved(prefix: IPv4Network) -> IPv4Network:
    return IPv4Network((int(prefix.network_address) + (1 << 16), prefix.prefixlen))


def retiring(*names: str) -> Workspace:
    """The lab's workspace with these pools retired and others like them in 198.19.0.0/16."""
    workspace, _ = read_workspace(Path(__file__).parents[2] / "lab/workspace")
    return replace(workspace, plan=replace(workspace.plan, pools=pools(workspace.plan.pools, frozenset(names))))


@pytest.fixture(scope="module")
def planned() -> Workspace:
    workspace = retiring("loopback", "interconnect", "unit-lan")
    return replace(workspace, ledger=plan_renumbering(workspace, DAY).ledger)


def in_phase(workspace: Workspace, phase: str) -> Workspace:
    """Carry every move up to a phase."""
    holders = {move.holder for move in find_moves(workspace)}
    ledger = workspace.ledger
    for number in range(1, PHASES.index(phase) + 1):
        ledger = finish(ledger, holders, LATER) if PHASES[number] == "finished" else advance(ledger, holders, PHASES[number])
    return replace(workspace, ledger=ledger)


def carried(intent: DeviceIntent) -> set[str]:
    return {str(address) for port in intent.interfaces for address in port.addresses}


def test_planning_gives_a_second_prefix_beside_the_old_and_changes_no_device() -> None:
    workspace = retiring("unit-lan")
    change = plan_renumbering(workspace, DAY)
    after = replace(workspace, ledger=change.ledger)
    assert len(change.added) == len(unplanned(workspace)) == 18
    assert unplanned(after) == []
    assert {move.phase for move in find_moves(after)} == {"planned"}
    assert build_intents(after) == build_intents(workspace)
    assert plan_renumbering(after, DAY).added == ()
    assert plan_allocations(after.plan, after.ledger, demands(after.inventory), DAY).findings == ()


@pytest.mark.parametrize(
    ("phase", "leads", "beside"),
    [("planned", "old", ""), ("dual", "old", "new"), ("cut_over", "new", "old"), ("clearing", "new", ""), ("finished", "new", "")],
)
def test_each_phase_says_which_address_leads_and_which_stands_beside(planned: Workspace, phase: str, leads: str, beside: str) -> None:
    workspace = in_phase(planned, phase)
    book = address_book(workspace.ledger)
    for move in find_moves(workspace):
        prefix = {"old": move.old, "new": move.new, "": None}
        assert book.prefixes[move.holder] == prefix[leads]
        assert book.beside.get(move.holder) == prefix[beside]


def test_both_addresses_stand_on_every_interface_while_the_move_is_dual_and_the_contacts_keep_their_order(planned: Workspace) -> None:
    before, dual, led = (build_intents(in_phase(planned, phase))["county01-u01"] for phase in ("planned", "dual", "cut_over"))
    after = build_intents(in_phase(planned, "clearing"))["county01-u01"]
    assert carried(dual) == carried(led) == carried(before) | carried(after)
    assert not carried(before) & carried(after)
    assert dual.contacts == before.contacts + after.contacts
    assert led.contacts == after.contacts + before.contacts
    assert (dual.ospf, dual.static_routes) == (before.ospf, before.static_routes)
    assert led.static_routes == after.static_routes != before.static_routes
    assert led.ospf is not None
    assert led.ospf.router_id == after.contacts[0]


def test_a_management_service_in_the_move_is_reached_over_both_prefixes_and_served_from_both() -> None:
    workspace = retiring("service")
    workspace = in_phase(replace(workspace, ledger=plan_renumbering(workspace, DAY).ledger), "dual")
    unit = build_intents(workspace)["county01-u01"]
    assert [str(source) for source in unit.management.sources] == ["198.18.2.8/29", "198.19.2.8/29"]
    assert {route.prefix for route in unit.static_routes} == set(unit.management.sources)


def test_an_old_prefix_is_released_when_the_move_is_finished_and_not_before(planned: Workspace) -> None:
    for phase in PHASES[:-1]:
        assert all(row.released_on is None for row in in_phase(planned, phase).ledger)
    done = in_phase(planned, "finished")
    released = {row.prefix for row in done.ledger if row.released_on == LATER}
    assert released == {move.old for move in find_moves(done)}
    again = plan_allocations(done.plan, done.ledger, demands(done.inventory), LATER)
    assert (again.findings, again.changes) == ((), False)


def test_a_second_renumbering_starts_from_where_the_first_one_ended(planned: Workspace) -> None:
    done = in_phase(planned, "finished")
    names = {"loopback-2": "10.7.0.0/24", "interconnect-2": "10.7.4.0/22", "unit-lan-2": "10.7.16.0/20"}
    third = [
        replace(pool, name=f"{pool.name[:-1]}3", prefix=IPv4Network(names[pool.name]), address_class="local_public")
        for pool in done.plan.pools
        if pool.name in names
    ]
    again = replace(done.plan, pools=(*(replace(pool, retired=pool.retired or pool.name in names) for pool in done.plan.pools), *third))
    workspace = replace(done, plan=again)
    change = plan_renumbering(workspace, LATER)
    after = replace(workspace, ledger=change.ledger)
    assert len(change.added) == 64
    assert {move.phase for move in find_moves(after)} == {"planned"}
    assert all(move.old.subnet_of(NEW) for move in find_moves(after))
    assert plan_allocations(after.plan, after.ledger, demands(after.inventory), LATER).findings == ()


def test_only_the_chosen_units_advance_and_the_burn_down_counts_each_unit_by_its_slowest_move(planned: Workspace) -> None:
    chosen = {move.holder for move in find_moves(planned, ["C01U01", "D01"])}
    assert chosen == {"unit:C01U01", "line:BZWW-F-0003", "device:county01-u01", "unit:D01", "line:BZWW-F-0001", "device:city-d01"}
    ledger = advance(advance(planned.ledger, chosen, "dual"), chosen - {"unit:D01"}, "cut_over")
    standing = {unit.unit: (unit.phase, dict(unit.moves)) for unit in burn_down(replace(planned, ledger=ledger))}
    assert standing["C01U01"] == ("cut_over", {"cut_over": 3})
    assert standing["D01"] == ("dual", {"dual": 1, "cut_over": 2})
    assert standing["city"] == ("planned", {"planned": 1})
    assert len(standing) == 23
    assert {unit.phase for unit in burn_down(retiring("unit-lan"))} == {"unplanned"}


def test_the_released_row_of_a_holder_that_goes_away_in_the_middle_loses_its_phase(planned: Workspace) -> None:
    dual = in_phase(planned, "dual")
    wanted = [demand for demand in demands(dual.inventory) if demand.holder != "unit:D01"]
    change = plan_allocations(dual.plan, dual.ledger, wanted, LATER)
    assert [(row.holder, row.phase, row.replaces) for row in change.released] == [("unit:D01", None, None)] * 2
    assert not change.refused
    again = plan_allocations(dual.plan, change.ledger, demands(dual.inventory), LATER)
    assert [(row.holder, row.prefix.subnet_of(NEW)) for row in again.returned] == [("unit:D01", True)]


def test_a_smaller_new_prefix_is_a_note() -> None:
    workspace = retiring("unit-lan")
    shrunk = tuple(replace(pool, length=29) if pool.name == "unit-lan-2" else pool for pool in workspace.plan.pools)
    change = plan_renumbering(replace(workspace, plan=replace(workspace.plan, pools=shrunk)), DAY)
    assert len(change.notes) == 18
    assert all(note.note and "smaller" in note.what for note in change.notes)


def test_ends_are_both_ends_of_a_line_and_contacts_are_tried_at_the_new_addresses_first(planned: Workspace) -> None:
    intents = build_intents(in_phase(planned, "dual"))
    line = next(move for move in find_moves(planned) if move.holder == "line:BZWW-F-0003")
    assert [(device, port, str(address)) for device, port, address in ends(intents, line.new)] == [
        ("county01", "eth3", f"{line.new[1]}/30"),
        ("county01-u01", "eth1", f"{line.new[2]}/30"),
    ]
    contacts = contacts_by(intents["county01-u01"], [line.new])
    assert contacts[0] == line.new[2]
    assert set(contacts) == set(intents["county01-u01"].contacts)


HOLDERS = [f"unit:{unit}" for unit in ("C01U01", "C01U02", "D01", "D02", "C02T01", "C04U02")]
STEPS = st.lists(st.tuples(st.sampled_from(PHASES[1:]), st.frozensets(st.sampled_from(HOLDERS), min_size=1)), max_size=14)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_whatever_steps_are_taken_every_holder_has_one_leading_prefix_and_the_ledger_stays_sound(
    planned: Workspace, steps: list[tuple[str, frozenset[str]]]
) -> None:
    moves = {move.holder: move for move in find_moves(planned)}
    ledger = planned.ledger
    for phase, holders in steps:
        ledger = finish(ledger, holders, LATER) if phase == "finished" else advance(ledger, holders, phase)
        change = plan_allocations(planned.plan, ledger, demands(planned.inventory), LATER)
        assert (change.findings, change.changes) == ((), False)
        book = address_book(ledger)
        for holder, move in moves.items():
            assert book.prefixes[holder] in (move.old, move.new)
            released = any(row.holder == holder and row.released_on is not None for row in ledger)
            assert not (released and move.old in book.all_of(holder)), "an address in use is never released"
