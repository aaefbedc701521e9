"""Broken plans, ledgers and NAT records, each the small valid workspace with one thing changed, and the words that a user reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from app.edge.files import read_workspace
from app.errors import ExitCode, InputError, PoolExhausted
from app.workflows.check import check
from app.workflows.plan import plan
from app.workflows.renumber import plan as plan_renumbering
from tests.golden.test_input_errors import BASE, LEDGER, PLAN, Change

NAT, LEDGER6 = "inventory/nat.csv", "ipplan/allocations6.csv"
NAT_HEADER = "unit_id,kind,inside,outside,protocol,inside_port,outside_port\n"
LEDGER6_HEADER = "prefix,vrf,role,holder,since,released_on\n"
LAST_POOL = "prefix: 59.225.16.0/20, length: 28}\n"
LAN = "59.225.16.0/28,unit-lan,GGW,unit_lan,unit:A-GOV,2008-04-01,"
HEADER = "since,released_on"
V6 = "\nipv6: {prefix: 2001:db8:100::/40, vrf: GGW}"
INFRA = "2001:db8:100::/48,GGW,infrastructure,network:infrastructure,2008-04-01,\n"
REGION = "2001:db8:101::/48,GGW,region,region:999901,2008-04-01,\n"


def pool(text: str) -> Change:
    return Change(PLAN, LAST_POOL, f"{LAST_POOL}  - {{name: extra, role: service, length: 29, {text}}}\n")


def below_pools(text: str) -> Change:
    return Change(PLAN, "\nmanagement:\n", f"\n{text}\nmanagement:\n")


def unit_lan(text: str) -> Change:
    return Change(PLAN, LAST_POOL, f"prefix: 59.225.16.0/20, length: 28, {text}}}\n")


def renumbering(*rows: str) -> list[Change]:
    """Give the ledger the columns of a renumbering and these cells in the row of the unit LAN, then more rows."""
    return [
        Change(LEDGER, HEADER, f"{HEADER},replaces,phase"),
        *(Change(LEDGER, f"device:{name},2008-04-01,", f"device:{name},2008-04-01,,,") for name in ("CORE", "A-AGG")),
        Change(LEDGER, "line:L-0001,2008-04-01,", "line:L-0001,2008-04-01,,,"),
        Change(LEDGER, LAN, "".join(rows).rstrip("\n")),
    ]


def new_file(path: str, text: str) -> Change:
    return Change(path, "", text)


BROKEN: dict[str, list[Change]] = {
    "isp_pool_is_private": [
        Change(PLAN, "  GGW: public", "  GGW: public\n  NET: Internet"),
        pool("address_class: isp, vrf: NET, prefix: 192.168.0.0/24"),
    ],
    "department_pool_in_the_national_block": [
        Change(PLAN, "  GGW: public", "  GGW: public\n  JB2: 金保"),
        pool("address_class: department, vrf: JB2, prefix: 59.226.0.0/24"),
    ],
    "department_pool_in_the_public_vrf": [pool("address_class: department, vrf: GGW, prefix: 10.1.0.0/24")],
    "growth_reserve_without_an_end": [unit_lan("reserve_length: 27")],
    "growth_reserve_without_a_length": [unit_lan("reserve_until: 2009-12-31")],
    "growth_reserve_as_long_as_the_prefix": [unit_lan("reserve_length: 28, reserve_until: 2009-12-31")],
    "growth_reserve_until_no_day": [unit_lan("reserve_length: 27, reserve_until: 2009-13-31")],
    "reservation_in_no_vrf_in_no_pool_and_twice": [
        below_pools(
            "reservations:\n"
            "  - {prefix: 59.225.17.0/24, vrf: GGX, reason: city hall}\n"
            "  - {prefix: 59.230.0.0/24, vrf: GGW, reason: exhibition}\n"
            "  - {prefix: 59.225.18.0/24, vrf: GGW, reason: data centre}\n"
            "  - {prefix: 59.225.18.128/25, vrf: GGW, reason: its back-up}"
        )
    ],
    "reservation_without_a_reason": [below_pools("reservations:\n  - {prefix: 59.225.17.0/24, vrf: GGW}")],
    "holder_in_a_reservation": [below_pools("reservations:\n  - {prefix: 59.225.16.0/24, vrf: GGW, reason: city hall}")],
    "replaced_without_a_phase": renumbering(f"{LAN},59.225.16.16/28,\n"),
    "phase_that_is_none": renumbering(f"{LAN},59.225.16.16/28,done\n"),
    "predecessor_gone_too_soon": renumbering(f"{LAN},59.225.16.16/28,dual\n"),
    "two_rows_though_finished": renumbering(f"{LAN},,\n", f"{LAN.replace('.0/28', '.16/28')},59.225.16.0/28,finished\n"),
    "ipv6_of_another_length": [below_pools("ipv6: {prefix: 2001:db8::/32, vrf: GGW}")],
    "ipv6_with_host_bits": [below_pools("ipv6: {prefix: 2001:db8:100::1/40, vrf: GGW}")],
    "ipv6_in_no_vrf": [below_pools("ipv6: {prefix: 2001:db8:100::/40, vrf: GGX}")],
    "ipv6_ledger_without_a_block": [new_file(LEDGER6, LEDGER6_HEADER + INFRA)],
    "ipv6_rows": [
        below_pools(V6),
        new_file(
            LEDGER6,
            LEDGER6_HEADER
            + INFRA
            + REGION
            + "2001:db8:101::/56,GGW,unit,unit:A-U001,2008-04-01,\n"
            + "2001:db8:101::/56,GGW,unit,unit:A-U002,2008-04-01,\n"
            + "2001:db8:102::/56,GGW,unit,unit:A-GOV,2008-04-01,\n"
            + "2001:db8:101:ff00::/64,GGW,unit,unit:A-U001,2008-04-01,\n"
            + "2001:db8:101:aa00::/127,GGW,link,line:L-0001,2008-04-01,\n"
            + "2001:db9::/128,GGW,loopback,device:CORE,2008-04-01,\n",
        ),
    ],
    "nat_of_an_unknown_unit": [new_file(NAT, NAT_HEADER + "A-U009,napt,192.168.1.0/24,59.225.16.4/30,,,\n")],
    "nat_hides_assigned_addresses": [new_file(NAT, NAT_HEADER + "A-GOV,napt,59.225.16.16/28,59.225.16.4/30,,,\n")],
    "nat_outside_of_another_unit": [new_file(NAT, NAT_HEADER + "A-GOV,napt,192.168.1.0/24,59.225.16.32/30,,,\n")],
    "nat_takes_the_router_s_address": [new_file(NAT, NAT_HEADER + "A-GOV,napt,192.168.1.0/24,59.225.16.0/30,,,\n")],
    "nat_prefixes_overlap": [
        new_file(NAT, f"{NAT_HEADER}A-GOV,napt,192.168.0.0/16,59.225.16.4/30,,,\nA-GOV,napt,192.168.1.0/24,59.225.16.8/30,tcp,,\n")
    ],
    "nat_servers": [
        new_file(
            NAT,
            NAT_HEADER
            + "A-GOV,napt,192.168.1.0/24,59.225.16.4/30,,,\n"
            + "A-GOV,server,192.168.1.10,59.225.16.4,tcp,80,80\n"
            + "A-GOV,server,192.168.1.11,59.225.16.4,tcp,8080,80\n"
            + "A-GOV,server,192.168.2.10,59.225.16.5,tcp,80,\n"
            + "A-GOV,server,192.168.1.0/28,59.225.16.6,udp,53,53\n",
        )
    ],
    "nat_cells": [new_file(NAT, NAT_HEADER + "A-GOV,static,192.168.1.300,59.225.16.4/30,icmp,0,70000\n")],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "workspace"))


def put(change: Change, root: Path) -> None:
    if not (root / change.file).exists():
        (root / change.file).write_text("", encoding="utf-8")
    change.apply(root)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plan_is_named_with_its_line_and_its_remedy(name: str, workspace: Path, golden: Callable[[str, str], None]) -> None:
    for change in BROKEN[name]:
        put(change, workspace)
    with pytest.raises(InputError) as refusal:
        read_workspace(workspace)
    assert refusal.value.exit_code is ExitCode.INPUT
    golden(f"inputs/plan/{name}.txt", f"{refusal.value}\n")


def test_a_plan_with_every_class_reserve_and_reservation_is_no_fault(workspace: Path) -> None:
    changes = [
        Change(PLAN, "  GGW: public", "  GGW: public\n  JB2: 金保\n  NET: Internet"),
        Change(
            PLAN,
            LAST_POOL,
            "prefix: 59.225.16.0/20, length: 28, reserve_length: 27, reserve_until: 2009-12-31}\n"
            "  - {name: jb-1, role: service, address_class: department, vrf: JB2, prefix: 192.168.0.0/24, length: 29}\n"
            "  - {name: net, role: service, address_class: isp, vrf: NET, prefix: 203.0.113.0/24, length: 29}\n"
            "  - {name: old, role: unit_lan, address_class: national_public, vrf: GGW, prefix: 10.0.0.0/16, length: 28, retired: true}\n",
        ),
        below_pools("reservations:\n  - {prefix: 59.225.17.0/24, vrf: GGW, reason: city hall}" + V6),
        new_file(NAT, f"{NAT_HEADER}A-GOV,napt,192.168.1.0/24,59.225.16.4/30,,,\nA-GOV,server,192.168.1.9,59.225.16.8,tcp,80,80\n"),
    ]
    for change in changes:
        put(change, workspace)
    found, _ = read_workspace(workspace)
    assert [one.kind for one in found.inventory.nat] == ["napt", "server"]
    assert found.plan.reservations[0].reason == "city hall"
    assert found.plan.pools[-1].retired


def test_what_a_retired_pool_still_holds_and_a_pool_that_is_nearly_full_are_notes(
    workspace: Path, golden: Callable[[str, str], None]
) -> None:
    Change(PLAN, LAST_POOL, "prefix: 59.225.16.0/20, length: 28, retired: true}\n").apply(workspace)
    Change(PLAN, "prefix: 59.225.0.0/24, length: 32}", "prefix: 59.225.0.0/30, length: 32}").apply(workspace)
    new = "{name: new-lan, role: unit_lan, address_class: national_public, vrf: GGW, prefix: 59.225.32.0/20, length: 28}"
    below_pools(f"  - {new}").apply(workspace)
    report = check(workspace, today=date(2008, 5, 1))
    notes = [note for note in report.notes if note.what.startswith("pool ")]
    golden("inputs/plan/notes_on_pools.txt", "".join(f"{finding}\n" for finding in (*report.findings, *notes)))


def test_room_that_is_lacking_is_told_in_blocks_where_growth_is_reserved(workspace: Path, golden: Callable[[str, str], None]) -> None:
    text = "prefix: 59.225.16.0/27, length: 28, reserve_length: 27, reserve_until: 2009-12-31}\n"
    Change(PLAN, LAST_POOL, text).apply(workspace)
    with pytest.raises(PoolExhausted) as refusal:
        plan(workspace, commit=True, today=date(2008, 5, 1))
    golden("inputs/plan/no_room_with_reserve.txt", f"{refusal.value}\n")


def test_renumbering_into_no_pool_is_refused(workspace: Path, golden: Callable[[str, str], None]) -> None:
    Change(PLAN, LAST_POOL, "prefix: 59.225.16.0/20, length: 28, retired: true}\n").apply(workspace)
    before = (workspace / LEDGER).read_bytes()
    with pytest.raises(PoolExhausted) as refusal:
        plan_renumbering(workspace, commit=True, today=date(2008, 5, 1))
    assert (workspace / LEDGER).read_bytes() == before
    golden("inputs/plan/nowhere_to_renumber_to.txt", f"{refusal.value}\n")


def test_an_ipv6_block_without_room_for_a_region_is_refused(workspace: Path, golden: Callable[[str, str], None]) -> None:
    below_pools(V6).apply(workspace)
    rows = "".join(f"2001:db8:1{n:02x}::/48,GGW,region,region:{n:06d},2008-04-30,\n" for n in range(1, 256))
    put(new_file(LEDGER6, LEDGER6_HEADER + INFRA + rows), workspace)
    with pytest.raises(PoolExhausted) as refusal:
        plan(workspace, commit=True, today=date(2008, 5, 1))
    golden("inputs/plan/no_room_in_the_ipv6_block.txt", f"{refusal.value}\n")
