"""IPv6 within VPN instances: blocks, prefixes of lines and systems, addresses, routes, and what families cannot carry."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from ipaddress import IPv6Network
from pathlib import Path

import pytest

from app.core.families import find_gaps
from app.core.intents import build_intents
from app.core.ipplan import Plan
from app.core.ipv6 import find_ipv6_faults, plan_ipv6, plan_ledger6
from app.core.ipv6_rows import Allocation6
from app.core.ipv6_vpns import find_vpn6_faults
from app.core.workspace import Workspace
from app.edge.templates import read_templates
from app.errors import InputError
from app.workflows.render import render
from tests.golden.render.workspace import full_workspace

ROOT = Path(__file__).parents[2]
DAY = date(2008, 4, 1)
BLOCK = IPv6Network("2001:db8:9000::/48")
HOLDERS = ("vpn:B-2/CZ", "service:finance", "service:finance-u01", "service:finance02")


def with_block(plan: Plan, name: str, block: str | None) -> Plan:
    """Return the plan with another IPv6 block of one VPN instance."""
    prefix6 = IPv6Network(block) if block else None
    vpns = tuple(replace(vpn, prefix6=prefix6) if vpn.name == name else vpn for vpn in plan.features.vpns)
    return replace(plan, features=replace(plan.features, vpns=vpns))


def within(ledger: tuple[Allocation6, ...]) -> dict[str, str]:
    return {row.holder: str(row.prefix) for row in ledger if row.vrf == "CZ" and row.released_on is None}


@pytest.fixture
def workspace() -> Workspace:
    return full_workspace("huawei_ar")


def test_lines_share_the_first_64_of_the_vpns_block_and_every_system_has_one_of_its_own(workspace: Workspace) -> None:
    change = plan_ledger6(replace(workspace, ledger6=()), workspace.plan.ipv6, DAY)  # type: ignore[arg-type]
    assert within(change.ledger) == {
        "vpn:B-2/CZ": "2001:db8:9000::/127",
        "service:finance": "2001:db8:9000:1::/64",
        "service:finance-u01": "2001:db8:9000:2::/64",
        "service:finance02": "2001:db8:9000:3::/64",
    }
    assert list(find_ipv6_faults(replace(workspace, ledger6=change.ledger))) == []


def test_another_system_moves_nobody_and_one_that_is_gone_rests(workspace: Workspace) -> None:
    plan, inventory, later = workspace.plan, workspace.inventory, DAY + timedelta(days=1)
    assert plan.ipv6 is not None
    before = within(workspace.ledger6)
    services = {**inventory.services, "audit": replace(inventory.services["finance"], service_id="audit", interface="GigabitEthernet0/0/9")}
    del services["finance02"]
    change = plan_ipv6(
        plan.ipv6, workspace.ledger6, replace(inventory, services=services), later, plan.quarantine_days, plan.features.vpns
    )
    assert within(change.ledger) == {**{holder: before[holder] for holder in HOLDERS[:3]}, "service:audit": "2001:db8:9000:4::/64"}
    assert [(row.holder, row.released_on) for row in change.released] == [("service:finance02", later)]


def test_a_block_without_room_is_named(workspace: Workspace) -> None:
    small = with_block(workspace.plan, "CZ", "2001:db8:9000::/63")
    change = plan_ledger6(replace(workspace, plan=small, ledger6=()), small.ipv6, DAY)  # type: ignore[arg-type]
    assert [str(finding) for finding in change.shortages] == [
        "ipplan/plan.yaml: VPN CZ: its IPv6 block 2001:db8:9000::/63 has no room for role service: expected room for 2 more /64; "
        "found none for service:finance-u01, service:finance02. Release what nobody uses any more."
    ]
    assert change.ledger == ()


def test_both_ends_of_a_line_and_the_systems_are_addressed_and_routed_within_the_vpn(workspace: Workspace) -> None:
    intents = build_intents(workspace)
    ends = {name: port.address6 for name, one in intents.items() for port in one.interfaces if port.kind == "vpn_line"}
    assert {name: str(address) for name, address in ends.items()} == {"county02": "2001:db8:9000::/127", "u01": "2001:db8:9000::1/127"}
    routes = {name: [(one.vrf, str(one.prefix), str(one.next_hop)) for one in intents[name].vpn_routes6] for name in intents}
    assert {name: found for name, found in routes.items() if found} == {
        "county02": [("CZ", "2001:db8:9000:2::/64", "2001:db8:9000::1")],
        "u01": [("CZ", "::/0", "2001:db8:9000::")],
    }
    assert [vpn.name for vpn in intents["core"].vpns if vpn.ipv6] == ["CZ"]
    assert not any(port.isis_level or port.ospf_area for one in intents.values() for port in one.interfaces if port.vrf)


def test_ipv6_within_a_vpn_alone_brings_no_ipv6_into_the_public_zone() -> None:
    intent = build_intents(full_workspace("huawei_ar"))["u01"]
    bare = tuple(port if port.vrf else replace(port, address6=None) for port in intent.interfaces)
    assert any(port.address6 for port in bare)
    assert not replace(intent, interfaces=bare).has_ipv6


@pytest.mark.parametrize("family", ["huawei_ar", "huawei_ne", "h3c_msr"])
def test_routes_of_the_vpn_are_exchanged_as_vpnv6_between_the_routers_that_hold_it(family: str) -> None:
    texts = render(full_workspace(family), read_templates(ROOT), ["core", "county02", "u01"])
    for name in ("core", "county02"):
        assert texts[name].count(" vpnv6\n") == 1
        own = [line for line in texts[name].splitlines() if line in (" ipv6-family vpn-instance CZ", "  address-family ipv6 unicast")]
        assert len(own) == 1, "a VPN without a block stays with IPv4"
        assert "ipv6-family vpn-instance DA" not in texts[name]
    assert "vpnv6" not in texts["u01"]
    silent = full_workspace(family)
    silent = replace(silent, plan=with_block(silent.plan, "CZ", None), ledger6=tuple(row for row in silent.ledger6 if row.vrf != "CZ"))
    for text in render(silent, read_templates(ROOT), ["core", "county02", "u01"]).values():
        assert "vpnv6" not in text
        assert "9000:" not in text


@pytest.mark.parametrize("family", ["cisco_ios", "frr"])
def test_a_family_that_cannot_carry_it_gives_its_ports_no_address_in_the_global_table_and_the_check_says_so(family: str) -> None:
    workspace = full_workspace(family)
    assert not any("2001:DB8:9000" in text.upper() for text in render(workspace, read_templates(ROOT)).values())
    assert f"family {family} cannot carry IPv6 within VPN instances" in [note.what for note in find_gaps(build_intents(workspace))]


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("2001:db8:9000::/56", "vrfs: CZ: ipv6: expected a /48; found 2001:db8:9000::/56"),
        ("2001:db8:100::/48", "found 2001:db8:100::/48, which overlaps the city's 2001:db8:100::/40. Give the VPN another block."),
    ],
)
def test_a_block_of_another_length_or_of_somebody_else_is_refused(workspace: Workspace, block: str, told: str) -> None:
    assert any(told in str(finding) for finding in find_vpn6_faults(with_block(workspace.plan, "CZ", block)))


def test_blocks_of_two_vpns_may_not_overlap_and_none_stands_without_the_citys(workspace: Workspace) -> None:
    both = with_block(workspace.plan, "DA", str(BLOCK))
    assert [finding.found for finding in find_vpn6_faults(both)] == [f"{BLOCK}, which overlaps CZ's {BLOCK}"]
    (alone,) = find_ipv6_faults(replace(workspace, plan=replace(workspace.plan, ipv6=None), ledger6=()))
    assert alone.what == "vrfs: CZ: ipv6"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"prefix": IPv6Network("2001:db8:9001:1::/64")}, "expected a part of 2001:db8:9000::/48; found 2001:db8:9001:1::/64 in CZ"),
        ({"prefix": IPv6Network("2001:db8:9000:10::/60")}, "has another length than its role: expected /64 for role service; found /60"),
        ({"prefix": IPv6Network("2001:db8:9000:2::/64")}, "overlaps another"),
        ({"vrf": "DA"}, "lies outside the VPN's block: expected `ipv6` of VRF DA in ipplan/plan.yaml; found"),
        ({"holder": "service:finance02"}, "service:finance02 holds two IPv6 prefixes"),
    ],
)
def test_a_row_that_does_not_fit_its_vpn_is_told(workspace: Workspace, changed: dict[str, object], told: str) -> None:
    (row,) = [one for one in workspace.ledger6 if one.holder == "service:finance"]
    ledger = tuple(replace(one, **changed) if one is row else one for one in workspace.ledger6)  # type: ignore[arg-type]
    assert any(told in str(finding) for finding in find_ipv6_faults(replace(workspace, ledger6=ledger)))


def test_a_holder_that_the_ledger_lacks_is_named(workspace: Workspace) -> None:
    ledger = tuple(row for row in workspace.ledger6 if row.holder != "vpn:B-2/CZ")
    with pytest.raises(InputError, match="vpn:B-2/CZ holds no IPv6 prefix"):
        build_intents(replace(workspace, ledger6=ledger))
