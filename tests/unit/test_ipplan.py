"""Allocation: what stands is never moved, nothing is handed out twice, and every refusal says what to change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.allocation import demands, newest_by_holder, plan_allocations, usage
from app.core.inventory import Device, Inventory, Line, Region, Service, Unit
from app.core.ipplan import Allocation, Demand, Management, OspfProfile, Plan, Pool, Provenance, address_book

DAY = date(2008, 4, 1)
SOURCE = Provenance("city centre", "test", None)


def pool(name: str, prefix: str, length: int, role: str = "unit_lan", regions: Iterable[str] = (), vrf: str = "GGW") -> Pool:
    return Pool(name, role, "local_public", vrf, IPv4Network(prefix), length, SOURCE, tuple(regions), f"ipplan/plan.yaml:{len(name)}")


def plan_of(*pools: Pool, quarantine_days: int = 90) -> Plan:
    management = Management("noc", ("noc",), ("noc",), "netops", "poller")
    return Plan(IPv4Network("59.192.0.0/10"), pools, SOURCE, True, OspfProfile(), management, quarantine_days)


def units(*names: str, region: str = "511902") -> tuple[Demand, ...]:
    return tuple(Demand(f"unit:{name}", "unit_lan", region) for name in names)


def row(
    prefix: str, holder: str, pool: str = "lan", role: str = "unit_lan", vrf: str = "GGW", released_on: date | None = None
) -> Allocation:
    return Allocation(IPv4Network(prefix), pool, vrf, role, holder, DAY, released_on, "ipplan/allocations.csv:2")


def held(ledger: Iterable[Allocation]) -> dict[str, str]:
    return {entry.holder: str(entry.prefix) for entry in ledger if entry.released_on is None}


SMALL = plan_of(pool("lan", "10.0.0.0/24", 28))


# --- handing out ---------------------------------------------------------------------------------------------------------


def test_new_holders_take_the_first_free_prefixes_in_order_of_their_names() -> None:
    change = plan_allocations(SMALL, (), units("U3", "U1", "U2"), DAY)
    assert held(change.ledger) == {"unit:U1": "10.0.0.0/28", "unit:U2": "10.0.0.16/28", "unit:U3": "10.0.0.32/28"}
    assert all(entry.since == DAY and entry.pool == "lan" and entry.vrf == "GGW" and entry.role == "unit_lan" for entry in change.added)


def test_a_second_plan_adds_nothing() -> None:
    first = plan_allocations(SMALL, (), units("U1", "U2"), DAY)
    second = plan_allocations(SMALL, first.ledger, units("U1", "U2"), DAY + timedelta(days=400))
    assert not second.changes
    assert second.ledger == first.ledger
    assert second.kept == first.added


def test_a_gap_is_filled_before_the_rest_of_the_pool() -> None:
    ledger = (row("10.0.0.0/28", "unit:U1"), row("10.0.0.32/28", "unit:U3"))
    change = plan_allocations(SMALL, ledger, units("U1", "U2", "U3"), DAY)
    assert held(change.added) == {"unit:U2": "10.0.0.16/28"}


def test_a_row_of_another_length_stands_and_new_ones_keep_their_alignment() -> None:
    ledger = (row("10.0.0.4/30", "unit:U1"), row("10.0.0.32/27", "unit:U2"))
    change = plan_allocations(SMALL, ledger, units("U1", "U2", "U3", "U4"), DAY)
    assert held(change.added) == {"unit:U3": "10.0.0.16/28", "unit:U4": "10.0.0.64/28"}


def test_a_region_draws_from_its_own_pool_first_and_then_from_the_general_one() -> None:
    plan = plan_of(pool("any", "10.0.0.0/26", 28), pool("own", "10.1.0.0/27", 28, regions=["511902"]))
    change = plan_allocations(plan, (), (*units("U1", "U2", "U3"), *units("U0", region="511921")), DAY)
    assert held(change.ledger) == {
        "unit:U0": "10.0.0.0/28",
        "unit:U1": "10.1.0.0/28",
        "unit:U2": "10.1.0.16/28",
        "unit:U3": "10.0.0.16/28",
    }


@pytest.mark.requirement("BZ-12")
def test_the_same_prefix_may_be_held_once_in_each_vrf() -> None:
    plan = plan_of(pool("lan", "10.0.0.0/28", 28), pool("links", "10.0.0.0/28", 30, "interconnect", vrf="JR2"))
    change = plan_allocations(plan, (), (*units("U1"), Demand("line:L1", "interconnect", "511902")), DAY)
    assert held(change.ledger) == {"unit:U1": "10.0.0.0/28", "line:L1": "10.0.0.0/30"}
    again = plan_allocations(plan, change.ledger, (*units("U1"), Demand("line:L1", "interconnect", "511902")), DAY)
    assert (change.findings, again.findings, again.changes) == ((), (), False)


def test_slash_31_links_and_slash_32_loopbacks_use_every_address() -> None:
    plan = plan_of(pool("links", "10.0.0.0/30", 31, "interconnect"), pool("loops", "10.0.1.0/31", 32, "loopback"))
    wanted = [Demand(f"line:L{n}", "interconnect", "x") for n in (1, 2)] + [Demand(f"device:R{n}", "loopback", "x") for n in (1, 2)]
    change = plan_allocations(plan, (), wanted, DAY)
    assert change.findings == ()
    assert sorted(held(change.ledger).values()) == ["10.0.0.0/31", "10.0.0.2/31", "10.0.1.0/32", "10.0.1.1/32"]
    assert str(address_book(change.ledger).line_ends("L2")[1]) == "10.0.0.3/31"


# --- quarantine ----------------------------------------------------------------------------------------------------------


def test_a_gone_holder_leaves_its_prefix_in_quarantine_and_nobody_gets_it() -> None:
    before = plan_allocations(SMALL, (), units("U1", "U2"), DAY).ledger
    change = plan_allocations(SMALL, before, units("U2", "U3"), DAY + timedelta(days=1))
    assert [(entry.holder, entry.released_on) for entry in change.released] == [("unit:U1", DAY + timedelta(days=1))]
    assert held(change.ledger) == {"unit:U2": "10.0.0.16/28", "unit:U3": "10.0.0.32/28"}
    assert len(change.ledger) == 3


def test_a_holder_that_returns_in_quarantine_gets_its_prefix_back() -> None:
    before = plan_allocations(SMALL, (), units("U1", "U2"), DAY).ledger
    gone = plan_allocations(SMALL, before, units("U2"), DAY).ledger
    change = plan_allocations(SMALL, gone, units("U1", "U2", "U3"), DAY + timedelta(days=89))
    assert held(change.returned) == {"unit:U1": "10.0.0.0/28"}
    assert held(change.added) == {"unit:U3": "10.0.0.32/28"}
    assert [entry.released_on for entry in change.ledger] == [None, None, None]


def test_quarantine_ends_on_its_last_day_and_not_before() -> None:
    gone = (row("10.0.0.0/28", "unit:U1", released_on=DAY),)
    last = plan_allocations(SMALL, gone, units("U2"), DAY + timedelta(days=89))
    over = plan_allocations(SMALL, gone, units("U2"), DAY + timedelta(days=90))
    assert (held(last.added), last.dropped) == ({"unit:U2": "10.0.0.16/28"}, ())
    assert (held(over.added), over.dropped) == ({"unit:U2": "10.0.0.0/28"}, gone)
    assert [entry.holder for entry in over.ledger] == ["unit:U2"]


def test_without_quarantine_a_released_row_leaves_at_once_and_the_plan_comes_to_rest() -> None:
    plan = replace(SMALL, quarantine_days=0)
    before = plan_allocations(plan, (), units("U1"), DAY).ledger
    change = plan_allocations(plan, before, (), DAY)
    assert (len(change.released), change.ledger) == (1, ())
    assert not plan_allocations(plan, change.ledger, (), DAY).changes


# --- refusals ------------------------------------------------------------------------------------------------------------


def test_a_pool_is_filled_to_its_last_prefix_and_one_more_is_refused() -> None:
    sixteen = units(*(f"U{n:02d}" for n in range(16)))
    full = plan_allocations(SMALL, (), sixteen, DAY)
    assert (full.findings, len(full.ledger)) == ((), 16)
    beyond = plan_allocations(SMALL, full.ledger, (*sixteen, *units("U99")), DAY)
    assert beyond.refused
    assert beyond.ledger == full.ledger
    assert "unit:U99" in str(beyond.shortages[0])


def test_every_pool_that_runs_out_is_named_at_once(golden: Callable[[str, str], None]) -> None:
    plan = plan_of(
        pool("lan", "10.0.0.0/27", 28),
        pool("own", "10.1.0.16/28", 28, regions=["511902"]),
        pool("loops", "59.192.0.0/31", 32, "loopback"),
        pool("links", "10.0.0.32/30", 30, "interconnect", regions=["511902"]),
        pool("beside", "10.0.0.36/30", 30, "service"),
    )
    plan = replace(plan, pools=tuple(replace(p, address_class="national_public") if p.name == "loops" else p for p in plan.pools))
    wanted = [
        *units("U1", "U2"),
        *units("U3", "U4", "U5", "U6", "U7", region="511921"),
        *(Demand(f"device:R{n}", "loopback", "511900") for n in range(3)),
        *(Demand(f"line:L{n}", "interconnect", "511902") for n in range(3)),
        Demand("line:L9", "interconnect", "511923"),
        Demand("management:U1", "management", "511902"),
    ]
    ledger = (row("10.0.0.0/28", "unit:GONE", released_on=DAY),)
    change = plan_allocations(plan, ledger, wanted, DAY + timedelta(days=1))
    assert change.ledger == ledger
    assert change.conflicts == ()
    golden("plan/pools_run_out.txt", "".join(f"{finding}\n" for finding in change.shortages))


def test_widening_as_proposed_is_enough_and_no_wider_than_needed() -> None:
    nineteen = units(*(f"U{n:02d}" for n in range(19)))
    refused = plan_allocations(SMALL, (), nineteen, DAY)
    assert "widen its prefix to 10.0.0.0/23" in str(refused.shortages[0])
    assert not plan_allocations(plan_of(pool("lan", "10.0.0.0/23", 28)), (), nineteen, DAY).refused


def test_a_public_pool_is_never_told_to_grow_out_of_the_national_block() -> None:
    public = replace(pool("lan", "59.192.0.0/28", 28), address_class="national_public")
    plan = replace(plan_of(public), national_block=IPv4Network("59.192.0.0/28"))
    refused = plan_allocations(plan, (), units("U1", "U2"), DAY)
    assert "widening this one to 59.192.0.0/27 would leave 59.192.0.0/28" in str(refused.shortages[0])


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ((row("10.0.0.0/28", "unit:U1", pool="lost"),), "its pool does not exist"),
        ((row("10.0.1.0/28", "unit:U1"),), "it lies outside its pool"),
        ((row("10.0.0.0/23", "unit:U1"),), "it lies outside its pool"),
        ((row("10.0.0.0/28", "unit:U1", vrf="JR2"),), "its VRF differs"),
        ((row("10.0.0.0/28", "unit:U1", role="service"),), "its role differs from that of pool lan"),
        ((row("10.0.0.0/31", "unit:U1"),), "it is too small for unit_lan"),
        ((row("10.0.0.0/28", "unit:U1"), row("10.0.0.0/28", "unit:U2")), "unit:U2 overlaps"),
        ((row("10.0.0.0/27", "unit:U1"), row("10.0.0.16/28", "unit:U2", released_on=DAY)), "unit:U2 overlaps"),
        ((row("10.0.0.0/26", "unit:U1"), row("10.0.0.0/28", "unit:U0"), row("10.0.0.48/28", "unit:U2")), "unit:U2 overlaps"),
        ((row("10.0.0.0/28", "unit:U1"), row("10.0.0.32/28", "unit:U1")), "unit:U1 holds two prefixes"),
    ],
)
def test_a_ledger_that_contradicts_the_plan_is_refused(ledger: tuple[Allocation, ...], said: str) -> None:
    change = plan_allocations(SMALL, ledger, units("U0", "U1", "U2"), DAY)
    assert any(said in str(finding) for finding in change.conflicts), [str(finding) for finding in change.conflicts]
    assert change.ledger == ledger


def test_a_row_whose_holder_needs_another_role_is_refused() -> None:
    plan = plan_of(pool("lan", "10.0.0.0/24", 28), pool("links", "10.0.1.0/24", 30, "interconnect"))
    change = plan_allocations(plan, (row("10.0.1.0/30", "unit:U1", "links", "interconnect"),), units("U1"), DAY)
    assert ["its role differs from what the holder needs" in str(finding) for finding in change.conflicts] == [True]


@pytest.mark.parametrize(
    ("pools", "said"),
    [
        ((pool("lan", "10.0.0.0/24", 28), pool("wide", "10.0.0.0/16", 28)), "pools wide and lan overlap in VRF GGW"),
        ((pool("a", "10.0.0.0/8", 28), pool("b", "10.0.0.0/24", 28), pool("c", "10.9.0.0/24", 28)), "pools a and c overlap"),
        ((pool("lan", "10.0.0.0/28", 24),), "expected a length from 28 to 30; found 24"),
        ((pool("lan", "10.0.0.0/24", 31),), "expected a length from 24 to 30; found 31"),
        ((pool("lan", "10.0.0.0/24", 28), pool("lan", "10.0.1.0/24", 28)), "shares its name"),
    ],
)
def test_pools_that_cannot_serve_are_refused(pools: tuple[Pool, ...], said: str) -> None:
    change = plan_allocations(plan_of(*pools), (), units("U1"), DAY)
    assert any(said in str(finding) for finding in change.conflicts), [str(finding) for finding in change.conflicts]


def test_pools_that_touch_or_lie_in_other_vrfs_are_no_conflict() -> None:
    plan = plan_of(pool("a", "10.0.0.0/24", 28), pool("b", "10.0.1.0/24", 28), pool("c", "10.0.0.0/16", 28, vrf="JR2"))
    assert plan_allocations(plan, (), units("U1"), DAY).findings == ()


def test_a_holder_that_moved_to_another_region_keeps_its_prefix_with_a_note() -> None:
    plan = plan_of(pool("own", "10.0.0.0/24", 28, regions=["511902"]), pool("other", "10.1.0.0/24", 28, regions=["511921"]))
    before = plan_allocations(plan, (), units("U1"), DAY).ledger
    change = plan_allocations(plan, before, units("U1", region="511921"), DAY)
    assert change.ledger == before
    assert [finding.note for finding in change.findings] == [True]
    assert not change.refused


# --- usage ---------------------------------------------------------------------------------------------------------------


def test_usage_counts_what_is_held_resting_and_free() -> None:
    ledger = (row("10.0.0.0/28", "unit:U1"), row("10.0.0.32/28", "unit:U2", released_on=DAY), row("10.0.0.64/30", "unit:U3"))
    (entry,) = usage(SMALL, ledger, DAY)
    assert (entry.capacity, entry.held, entry.quarantined, entry.free) == (16, 2, 1, 13)


def test_usage_counts_a_prefix_inside_another_once() -> None:
    (entry,) = usage(SMALL, (row("10.0.0.0/26", "unit:U1"), row("10.0.0.16/28", "unit:U2")), DAY)
    assert (entry.held, entry.free) == (2, 12)


# --- demands -------------------------------------------------------------------------------------------------------------


def unit(unit_id: str, region: str, *, in_scope: bool = True) -> Unit:
    return Unit(unit_id, unit_id, unit_id, region, "county", "department", True, "B", "clerk", in_scope)


def device(name: str, role: str, region: str, unit_id: str | None = None, lan: str | None = None) -> Device:
    return Device(name, "huawei", "huawei_ar", role, region, unit_id, "Huawei", "AR", lan)


def line(line_id: str, unit_id: str, a: str, z: str, role: str = "primary") -> Line:
    return Line(line_id, unit_id, "fibre_2m", "fibre", "ethernet", "ct", None, a, f"ge{line_id}", z, f"up{line_id}", role=role)


INVENTORY = Inventory(
    regions={code: Region(code, code, code, "county", None, "0.0.0.1") for code in ("511900", "511902")},
    units={
        entry.unit_id: entry
        for entry in (
            unit("COUNTY", "511902"),
            unit("U1", "511902"),
            unit("NOLAN", "511902"),
            unit("NOLINE", "511902"),
            unit("OUT", "511902", in_scope=False),
        )
    },
    devices={
        entry.name: entry
        for entry in (
            device("CORE", "city_core", "511900"),
            device("AGG", "county_agg", "511902", "COUNTY"),
            device("R1", "urban_unit", "511902", "U1", "ge1"),
            device("S1", "unit_switch", "511902", "U1"),
            device("R2", "urban_unit", "511902", "NOLAN"),
            device("R3", "urban_unit", "511902", "OUT", "ge1"),
            device("R4", "urban_unit", "511902", "NOLINE", "ge1"),
        )
    },
    lines={
        entry.line_id: entry
        for entry in (
            line("L0", "COUNTY", "CORE", "AGG"),
            line("L1", "U1", "AGG", "R1"),
            line("L2", "NOLAN", "AGG", "R2"),
            line("L3", "OUT", "AGG", "R3"),
            line("B0", "COUNTY", "CORE", "R1", "backup"),
        )
    },
    services={"noc": Service("noc", "noc", "noc", "monitoring", "CORE", "ge9", 161, None, "nm", ())},
)


def test_demands_are_those_of_routers_lines_lans_switches_and_services() -> None:
    found = {demand.holder: (demand.role, demand.region) for demand in demands(INVENTORY)}
    county = "511902"
    assert found == {
        **{f"device:{name}": ("loopback", county) for name in ("AGG", "R1", "R2", "R3", "R4")},
        "device:CORE": ("loopback", "511900"),
        **{f"line:{name}": ("interconnect", county) for name in ("L0", "L1", "L2", "L3", "B0")},
        "unit:U1": ("unit_lan", county),
        "management:U1": ("management", county),
        "service:noc": ("service", "511900"),
    }


def test_demands_come_sorted_by_holder_whatever_the_order_of_the_files() -> None:
    turned = replace(INVENTORY, devices=dict(reversed(INVENTORY.devices.items())), lines=dict(reversed(INVENTORY.lines.items())))
    assert demands(turned) == demands(INVENTORY)
    holders = [demand.holder for demand in demands(INVENTORY)]
    assert holders == sorted(holders)


# --- properties ----------------------------------------------------------------------------------------------------------

ROOMY = plan_of(
    pool("lan", "10.0.0.0/25", 28),
    pool("own", "10.0.1.0/26", 28, regions=["511902"]),
    pool("links", "10.0.2.0/26", 30, "interconnect"),
    pool("loops", "10.0.0.0/26", 32, "loopback", vrf="JR2"),
)
HOLDERS = st.sampled_from(
    [
        *units(*(f"A{n}" for n in range(8))),
        *units(*(f"B{n}" for n in range(4)), region="511921"),
        *(Demand(f"line:L{n}", "interconnect", "511902") for n in range(10)),
        *(Demand(f"device:R{n}", "loopback", "511921") for n in range(6)),
    ]
)
#: The demands at each planning, and the days that pass before it.
HISTORIES = st.lists(st.tuples(st.frozensets(HOLDERS, max_size=10), st.integers(0, 50)), min_size=1, max_size=8)


def run_through(
    plan: Plan, history: list[tuple[frozenset[Demand], int]]
) -> Iterable[tuple[tuple[Allocation, ...], frozenset[Demand], date]]:
    """Plan again and again; yield each ledger with what was wanted and when."""
    ledger: tuple[Allocation, ...] = ()
    today = DAY
    for wanted, days in history:
        today += timedelta(days=days)
        change = plan_allocations(plan, ledger, wanted, today)
        if not change.refused:
            ledger = change.ledger
            yield ledger, wanted, today


@given(HISTORIES)
@settings(max_examples=80, deadline=None)
def test_no_two_prefixes_of_a_vrf_ever_overlap_and_each_lies_in_its_pool(history: list[tuple[frozenset[Demand], int]]) -> None:
    pools = {entry.name: entry for entry in ROOMY.pools}
    for ledger, wanted, _ in run_through(ROOMY, history):
        for one, other in combinations(ledger, 2):
            assert one.vrf != other.vrf or not one.prefix.overlaps(other.prefix)
        assert all(entry.prefix.subnet_of(pools[entry.pool].prefix) and entry.vrf == pools[entry.pool].vrf for entry in ledger)
        assert set(held(ledger)) == {demand.holder for demand in wanted}


@given(HISTORIES)
@settings(max_examples=80, deadline=None)
def test_planning_again_on_the_same_day_changes_nothing(history: list[tuple[frozenset[Demand], int]]) -> None:
    for ledger, wanted, today in run_through(ROOMY, history):
        again = plan_allocations(ROOMY, ledger, wanted, today)
        assert not again.changes
        assert again.ledger == ledger


@given(HISTORIES, st.frozensets(HOLDERS, max_size=6))
@settings(max_examples=80, deadline=None)
def test_adding_a_unit_renumbers_no_other(history: list[tuple[frozenset[Demand], int]], more: frozenset[Demand]) -> None:
    for ledger, wanted, today in run_through(ROOMY, history):
        change = plan_allocations(ROOMY, ledger, wanted | more, today)
        if not change.refused:
            assert held(ledger).items() <= held(change.ledger).items()


@given(HISTORIES)
@settings(max_examples=80, deadline=None)
def test_whoever_stays_keeps_its_prefix_and_whoever_returns_in_quarantine_gets_it_back(
    history: list[tuple[frozenset[Demand], int]],
) -> None:
    last: dict[str, tuple[str, date]] = {}
    for ledger, _, today in run_through(ROOMY, history):
        for holder, prefix in held(ledger).items():
            if holder in last and today < last[holder][1] + timedelta(days=ROOMY.quarantine_days):
                assert prefix == last[holder][0]
        last |= {holder: (prefix, today) for holder, prefix in held(ledger).items()}


@given(HISTORIES)
@settings(max_examples=80, deadline=None)
def test_nobody_gets_the_prefix_of_another_before_its_quarantine_is_over(history: list[tuple[frozenset[Demand], int]]) -> None:
    last: dict[tuple[str, str], tuple[str, date]] = {}
    for ledger, _, today in run_through(ROOMY, history):
        for entry in ledger:
            if entry.released_on is not None:
                continue
            holder, seen = last.get((entry.vrf, str(entry.prefix)), (entry.holder, today))
            assert holder == entry.holder or today >= seen + timedelta(days=ROOMY.quarantine_days)
            last[entry.vrf, str(entry.prefix)] = entry.holder, today


@given(st.permutations(sorted({*units("U1", "U2", "U3"), *units("U4", region="511921")}, key=lambda demand: demand.holder)), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_demands_and_of_ledger_rows_changes_nothing(wanted: list[Demand], shuffle: object) -> None:
    ledger = [row("10.0.0.16/28", "unit:U2"), row("10.0.0.48/28", "unit:GONE"), row("10.0.0.80/28", "unit:PAST", released_on=DAY)]
    expected = plan_allocations(ROOMY, ledger, sorted(wanted, key=lambda demand: demand.holder), DAY)
    shuffle.shuffle(ledger)  # type: ignore[attr-defined]  # hypothesis hands out random.Random under no public name
    assert plan_allocations(ROOMY, ledger, wanted, DAY) == expected


def test_who_comes_back_gets_the_prefix_that_it_gave_up_last() -> None:
    first = row("59.225.64.64/28", "unit:a", released_on=DAY)
    last = row("59.225.64.0/28", "unit:a", released_on=DAY + timedelta(days=1))
    assert newest_by_holder([first, last]) == newest_by_holder([last, first]) == {"unit:a": last}
