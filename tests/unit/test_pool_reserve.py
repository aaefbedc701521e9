"""Growth reserves, ranges reserved by hand, retired pools and pools of VPNs: what is handed out, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from ipaddress import IPv4Network
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.allocation import plan_allocations, usage
from app.core.ipplan import Allocation, Demand, Management, OspfProfile, Plan, Pool, Provenance, Reservation

DAY = date(2008, 4, 1)
UNTIL = date(2009, 12, 31)
SOURCE = Provenance("city centre", "test", None)
LAN = Pool("lan", "unit_lan", "local_public", "GGW", IPv4Network("10.0.0.0/24"), 28, SOURCE, reserve_length=27, reserve_until=UNTIL)


def plan_of(*pools: Pool, reservations: tuple[Reservation, ...] = ()) -> Plan:
    management = Management("noc", (), (), "netops", "poller")
    vrfs = {"GGW": "public", "JB2": "department"}
    block = IPv4Network("59.192.0.0/10")
    return Plan(block, pools, SOURCE, True, OspfProfile(), management, 90, vrfs, reservations=reservations)


def units(*numbers: int) -> tuple[Demand, ...]:
    return tuple(Demand(f"unit:U{number:02d}", "unit_lan", "511902") for number in numbers)


def held(ledger: tuple[Allocation, ...]) -> dict[str, str]:
    return {row.holder: str(row.prefix) for row in ledger if row.released_on is None}


def test_each_unit_is_given_the_first_half_of_a_block_of_its_own() -> None:
    change = plan_allocations(plan_of(LAN), (), units(1, 2), DAY)
    assert held(change.ledger) == {"unit:U01": "10.0.0.0/28", "unit:U02": "10.0.0.32/28"}


def test_the_reserve_is_kept_through_its_last_day_and_free_for_others_on_the_next() -> None:
    before = plan_allocations(plan_of(LAN), (), units(1, 2), DAY).ledger
    last = plan_allocations(plan_of(LAN), before, units(1, 2, 3), UNTIL)
    after = plan_allocations(plan_of(LAN), before, units(1, 2, 3), UNTIL + timedelta(days=1))
    assert held(last.added) == {"unit:U03": "10.0.0.64/28"}
    assert held(after.added) == {"unit:U03": "10.0.0.16/28"}


def test_a_unit_may_grow_into_its_reserve_and_renumbers_nobody() -> None:
    before = plan_allocations(plan_of(LAN), (), units(1, 2), DAY).ledger
    grown = tuple(replace(row, prefix=IPv4Network("10.0.0.0/27")) if row.holder == "unit:U01" else row for row in before)
    change = plan_allocations(plan_of(LAN), grown, units(1, 2, 3), DAY)
    assert change.conflicts == ()
    assert held(change.ledger) == {"unit:U01": "10.0.0.0/27", "unit:U02": "10.0.0.32/28", "unit:U03": "10.0.0.64/28"}


def test_usage_tells_what_is_reserved_and_how_many_holders_there_is_room_for() -> None:
    reservation = Reservation(IPv4Network("10.0.0.192/26"), "GGW", "city hall", SOURCE)
    plan = plan_of(LAN, reservations=(reservation,))
    ledger = plan_allocations(plan, (), units(1, 2), DAY).ledger
    (now,), (later,) = usage(plan, ledger, UNTIL), usage(plan, ledger, UNTIL + timedelta(days=1))
    assert (now.capacity, now.held, now.reserved, now.free) == (16, 2, 6, 4)
    assert (later.capacity, later.held, later.reserved, later.free) == (16, 2, 4, 10)


def test_a_reservation_by_hand_is_handed_to_nobody_in_its_vrf_and_does_not_bind_another() -> None:
    reservation = Reservation(IPv4Network("10.0.0.0/26"), "GGW", "city hall", SOURCE)
    plain = replace(LAN, reserve_length=None, reserve_until=None)
    here = plan_allocations(plan_of(plain, reservations=(reservation,)), (), units(1), DAY)
    there = plan_allocations(plan_of(plain, reservations=(replace(reservation, vrf="JB2"),)), (), units(1), DAY)
    assert held(here.ledger) == {"unit:U01": "10.0.0.64/28"}
    assert held(there.ledger) == {"unit:U01": "10.0.0.0/28"}


def test_a_retired_pool_hands_out_nothing_keeps_who_stands_and_takes_nobody_back() -> None:
    old = replace(LAN, retired=True)
    new = Pool("new", "unit_lan", "local_public", "GGW", IPv4Network("10.1.0.0/24"), 28, SOURCE)
    before = plan_allocations(plan_of(LAN), (), units(1, 2), DAY).ledger
    gone = plan_allocations(plan_of(LAN), before, units(1), DAY).ledger
    change = plan_allocations(plan_of(old, new), gone, units(1, 2, 3), DAY)
    assert change.conflicts == ()
    assert held(change.ledger) == {"unit:U01": "10.0.0.0/28", "unit:U02": "10.1.0.0/28", "unit:U03": "10.1.0.16/28"}
    assert [entry.free for entry in usage(plan_of(old, new), change.ledger, DAY)] == [0, 14]


def test_a_vpn_draws_from_its_own_vrf_where_prefixes_may_be_the_same_as_in_the_public_zone() -> None:
    public = Pool("svc", "service", "local_public", "GGW", IPv4Network("10.0.0.0/28"), 29, SOURCE)
    vpn = Pool("jb-svc", "service", "department", "JB2", IPv4Network("10.0.0.0/28"), 29, SOURCE)
    wanted = [Demand("service:exchange", "service", "511900"), Demand("service:jinbao", "service", "511900", "JB2")]
    change = plan_allocations(plan_of(public, vpn), (), wanted, DAY)
    assert change.findings == ()
    assert {(row.holder, row.vrf, str(row.prefix)) for row in change.ledger} == {
        ("service:exchange", "GGW", "10.0.0.0/29"),
        ("service:jinbao", "JB2", "10.0.0.0/29"),
    }
    turned = plan_allocations(plan_of(vpn, public), (), wanted, DAY)
    assert turned.ledger == change.ledger, "the public zone never draws from a department's pool"
    unknown = plan_allocations(plan_of(public, vpn), (), [Demand("service:x", "service", "511900", "TAX")], DAY)
    assert [row.vrf for row in unknown.added] == ["GGW"], "a VPN that the plan does not know lies in the public zone"


def test_a_vpn_without_a_pool_is_named() -> None:
    public = Pool("svc", "service", "local_public", "GGW", IPv4Network("10.0.0.0/28"), 29, SOURCE)
    change = plan_allocations(plan_of(public), (), [Demand("service:jinbao", "service", "511900", "JB2")], DAY)
    assert [finding.what for finding in change.shortages] == ["no pool of role service in VRF JB2 serves region 511900"]


HISTORIES = st.lists(st.tuples(st.frozensets(st.integers(0, 11), max_size=7), st.integers(0, 60)), min_size=1, max_size=8)
ROOMY = replace(LAN, prefix=IPv4Network("10.0.0.0/22"), reserve_until=DAY + timedelta(days=200))


@given(HISTORIES)
@settings(max_examples=80, deadline=None)
def test_while_the_reserve_lasts_no_two_holders_ever_share_a_block(history: list[tuple[frozenset[int], int]]) -> None:
    plan, ledger, today = plan_of(ROOMY), tuple[Allocation, ...](), DAY
    for wanted, days in history:
        today += timedelta(days=days)
        change = plan_allocations(plan, ledger, units(*sorted(wanted)), today)
        assert not change.refused
        ledger = change.ledger
        assert all(row.prefix.subnet_of(ROOMY.prefix) for row in ledger)
        for one, other in combinations(ledger, 2):
            assert not one.prefix.overlaps(other.prefix)
            if today <= DAY + timedelta(days=200):
                assert one.prefix.supernet(new_prefix=27) != other.prefix.supernet(new_prefix=27)
        again = plan_allocations(plan, ledger, units(*sorted(wanted)), today)
        assert not again.changes


RANGES = st.lists(st.tuples(st.integers(0, 15), st.sampled_from([26, 27, 28, 29])), max_size=4)


@given(RANGES, st.integers(1, 12), st.booleans())
@settings(max_examples=80, deadline=None)
def test_nothing_is_handed_out_in_a_reserved_range_and_free_is_exactly_what_can_be_handed_out(
    ranges: list[tuple[int, int]], asked: int, reserve: bool
) -> None:
    kept = tuple(
        Reservation(IPv4Network((int(LAN.prefix[0]) + 16 * place, length), strict=False), "GGW", "x", SOURCE) for place, length in ranges
    )
    pool = LAN if reserve else replace(LAN, reserve_length=None, reserve_until=None)
    plan = plan_of(pool, reservations=kept)
    (room,) = usage(plan, (), DAY)
    change = plan_allocations(plan, (), units(*range(asked)), DAY)
    assert change.refused == (asked > room.free)
    for row in change.added:
        assert not any(row.prefix.overlaps(one.prefix) for one in kept)
    assert all(one.prefix < other.prefix for one, other in pairwise(change.added)), "what is added comes in order"
