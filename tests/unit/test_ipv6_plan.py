"""The IPv6 plan: derived from the city's /40, first-fit in each parent, and never moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from ipaddress import IPv6Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.inventory import Inventory
from app.core.ipplan import Ipv6Block, Provenance
from app.core.ipv6 import Ipv6Change, demands6, find_ipv6_faults, plan_ipv6
from app.core.ipv6_rows import LENGTHS, Allocation6
from app.core.workspace import Workspace
from app.edge.files import read_workspace

DAY = date(2008, 4, 1)
BLOCK = Ipv6Block(IPv6Network("2001:db8:100::/40"), "GGW", Provenance("province", "test", None))


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return read_workspace(Path(__file__).parents[2] / "lab/workspace")[0]


def planned(inventory: Inventory, ledger: tuple[Allocation6, ...] = (), today: date = DAY) -> Ipv6Change:
    return plan_ipv6(BLOCK, ledger, inventory, today, 90)


def held(ledger: tuple[Allocation6, ...]) -> Mapping[str, str]:
    return {row.holder: str(row.prefix) for row in ledger if row.released_on is None}


def without(inventory: Inventory, *units: str) -> Inventory:
    """The inventory without these units, their routers and lines."""
    devices = {name: device for name, device in inventory.devices.items() if device.unit_id not in units}
    lines = {name: line for name, line in inventory.lines.items() if line.unit_id not in units}
    left = {name: unit for name, unit in inventory.units.items() if name not in units}
    return replace(inventory, devices=devices, lines=lines, units=left)


def test_every_holder_gets_a_prefix_of_its_role_s_length_in_its_parent(workspace: Workspace) -> None:
    change = planned(workspace.inventory)
    found = held(change.ledger)
    assert found["network:infrastructure"] == "2001:db8:100::/48"
    assert found["region:999900"] == "2001:db8:101::/48"
    assert found["region:999901"] == "2001:db8:102::/48"
    assert found["unit:D01"] == "2001:db8:101::/56"
    assert found["unit:C01T01"] == "2001:db8:102::/56"
    assert found["unit:C01T02"] == "2001:db8:102:100::/56"
    assert found["device:city"] == "2001:db8:100::/128"
    assert found["line:BZWW-A-0001"] == "2001:db8:100:1::/127"
    assert found["line:BZWW-A-0002"] == "2001:db8:100:1::2/127"
    assert found.keys() == demands6(workspace.inventory).keys()
    assert all(row.prefix.prefixlen == LENGTHS[row.role] for row in change.ledger)
    assert list(find_ipv6_faults(replace(workspace, plan=replace(workspace.plan, ipv6=BLOCK), ledger6=change.ledger))) == []


def test_a_second_plan_adds_nothing_and_a_unit_that_returns_in_quarantine_gets_its_prefix_back(workspace: Workspace) -> None:
    first = planned(workspace.inventory)
    assert not planned(workspace.inventory, first.ledger).changes
    gone = planned(without(workspace.inventory, "C01T01"), first.ledger)
    assert {row.holder for row in gone.released} == {"unit:C01T01", "device:county01-t01", "line:BZWW-D-0001"}
    back = planned(workspace.inventory, gone.ledger, DAY + timedelta(days=89))
    assert held(back.ledger) == held(first.ledger)
    late = planned(without(workspace.inventory, "C01T01"), gone.ledger, DAY + timedelta(days=90))
    assert {row.holder for row in late.dropped} == {row.holder for row in gone.released}


def test_a_region_that_is_full_is_named(workspace: Workspace) -> None:
    rows = tuple(
        Allocation6(IPv6Network((int(IPv6Network("2001:db8:102::/48")[0]) + (n << 72), 56)), "GGW", "unit", f"unit:X{n}", DAY, DAY)
        for n in range(256)
    )
    change = planned(workspace.inventory, rows)
    (shortage,) = change.shortages
    assert shortage.what == "the IPv6 block 2001:db8:100::/40 has no room for role unit"
    assert shortage.expected == "room for 4 more /56"
    assert change.ledger == rows


UNITS = ("C01U01", "C01T01", "C02U02", "C03T02", "D01")


@given(st.lists(st.tuples(st.frozensets(st.sampled_from(UNITS)), st.integers(0, 60)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_whatever_comes_and_goes_nothing_overlaps_nothing_moves_and_planning_again_changes_nothing(
    workspace: Workspace, history: list[tuple[frozenset[str], int]]
) -> None:
    ledger, today = tuple[Allocation6, ...](), DAY
    last: dict[str, tuple[str, date]] = {}
    for gone, days in history:
        today += timedelta(days=days)
        inventory = without(workspace.inventory, *gone)
        change = planned(inventory, ledger, today)
        ledger = change.ledger
        assert not planned(inventory, ledger, today).changes
        for role in ("region", "unit", "link", "loopback"):
            rows = [row for row in ledger if row.role == role]
            assert not any(one.prefix.overlaps(other.prefix) for one, other in combinations(rows, 2))
        for holder, prefix in held(ledger).items():
            if holder in last and today < last[holder][1] + timedelta(days=90):
                assert prefix == last[holder][0]
            last[holder] = prefix, today
