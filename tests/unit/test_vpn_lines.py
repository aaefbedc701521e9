"""VPNs that a line carries down to a unit's own router: ports, routes, prefixes, and what cannot be carried."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.core.allocation import demands, plan_allocations
from app.core.consistency import find_inconsistencies
from app.core.families import find_gaps
from app.core.intents import build_intents
from app.core.inventory import VpnLine
from app.core.separation import Evidence, prove_separation
from app.core.vpn_lines import find_overbooked_lines
from app.core.vpn_members import find_outsiders
from app.core.workspace import Workspace
from app.edge.templates import read_templates
from app.errors import InputError
from app.workflows.render import render
from tests.golden.render.workspace import full_workspace

ROOT = Path(__file__).parents[2]
PORTS = {"county02": "GigabitEthernet0/0/4.2102", "u01": "GigabitEthernet0/0/1.2102"}


def with_rows(workspace: Workspace, *rows: VpnLine) -> Workspace:
    return replace(workspace, inventory=replace(workspace.inventory, vpn_lines=rows))


def row(**changed: Any) -> VpnLine:
    (held,) = full_workspace("huawei_ar").inventory.vpn_lines
    return replace(held, **changed)


def test_both_ends_are_bound_to_the_vpn_and_lie_in_one_prefix_of_its_own() -> None:
    intents = build_intents(full_workspace("huawei_ar"))
    ends = [port for name, at in PORTS.items() for port in intents[name].interfaces if port.name == at]
    assert [(port.vrf, port.vlan, port.ospf_area, str(port.address)) for port in ends] == [
        ("CZ", 2102, None, "10.9.16.1/30"),
        ("CZ", 2102, None, "10.9.16.2/30"),
    ]


def test_the_unit_is_routed_to_what_stands_above_it_and_is_routed_to() -> None:
    workspace = full_workspace("huawei_ar")
    intents = build_intents(workspace)
    (access,) = [one.prefix for one in workspace.ledger if one.holder == "service:finance-u01"]
    routes = {name: [(one.vrf, str(one.prefix), str(one.next_hop)) for one in intents[name].vpn_routes] for name in intents}
    assert {name: found for name, found in routes.items() if found} == {
        "county02": [("CZ", str(access), "10.9.16.2")],
        "u01": [("CZ", "0.0.0.0/0", "10.9.16.1")],
    }
    assert [(vpn.name, vpn.imports, vpn.exports) for vpn in intents["u01"].vpns] == [("CZ", (), ())]
    assert intents["u01"].bgp is None


@pytest.mark.parametrize("family", ["huawei_ar", "h3c_msr", "cisco_ios", "huawei_ne"])
def test_the_county_hands_on_by_bgp_what_it_routes_to_the_unit_and_in_no_other_vpn(family: str) -> None:
    text = render(full_workspace(family), read_templates(ROOT), ["county02"])["county02"]
    families = 1 if family == "cisco_ios" else 2  # IPv4, and IPv6 where it is carried within VPN instances
    assert text.count("import-route static") + text.count("redistribute static") == families
    assert (text.count("vpn-instance CZ 10.9.") or text.count("vrf CZ 10.9.")) == 1


@pytest.mark.parametrize(
    ("family", "word"),
    [("huawei_ar", "ip binding vpn-instance"), ("h3c_msr", "ip binding vpn-instance"), ("cisco_ios", "ip vrf forwarding")],
)
def test_a_port_is_bound_before_it_is_addressed_at_the_unit_too(family: str, word: str) -> None:
    lines = render(full_workspace(family), read_templates(ROOT), ["u01"])["u01"].splitlines()
    places = [place for place, line in enumerate(lines) if line == f" {word} CZ"]
    assert len(places) == 2
    assert all(lines[place + 1].startswith(" ip address 10.9.") for place in places)


def test_the_prefix_between_both_ends_is_planned_from_the_vpns_own_pool() -> None:
    workspace = full_workspace("huawei_ar")
    wanted = [one for one in demands(workspace.inventory) if one.holder == "vpn:B-2/CZ"]
    (given,) = plan_allocations(workspace.plan, (), wanted, date(2026, 1, 1)).added
    assert (str(given.prefix), given.vrf, given.pool) == ("10.9.16.0/30", "CZ", "vpn-lines")


def test_a_prefix_that_the_ledger_does_not_hold_is_named() -> None:
    workspace = full_workspace("huawei_ar")
    ledger = tuple(one for one in workspace.ledger if one.holder != "vpn:B-2/CZ")
    with pytest.raises(InputError) as caught:
        build_intents(replace(workspace, ledger=ledger))
    assert str(caught.value).startswith("inventory/vpn_lines.csv:2: vpn:B-2/CZ holds no prefix")


def test_a_unit_with_a_port_of_its_own_in_the_vpn_is_inside() -> None:
    workspace = full_workspace("huawei_ar")
    services = {name: one for name, one in workspace.inventory.services.items() if name != "finance02"}
    services["finance"] = replace(services["finance"], reached_by=("U01", "T01"))
    (note,) = find_outsiders(replace(workspace, inventory=replace(workspace.inventory, services=services)))
    assert note.found == "none for T01"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"line_id": "B-9"}, "`line_id` points nowhere"),
        ({"vpn": "XX"}, "`vpn` points nowhere"),
        ({"vpn": "GGW"}, "VPN GGW on line B-2: expected a VPN instance with a zone and an rd; found GGW: public"),
        ({"z_interface": "GigabitEthernet0/0/2.2102"}, "z_interface: expected another sub-interface of GigabitEthernet0/0/1; found"),
        ({"a_interface": "GigabitEthernet0/0/4"}, "a_interface: expected another sub-interface of GigabitEthernet0/0/4; found"),
        ({"a_interface": "GigabitEthernet0/0/4.102"}, "port county02 GigabitEthernet0/0/4.102 is used twice"),
        ({"line_id": "B-1"}, "z_interface: expected a line whose own port is a sub-interface; found GigabitEthernet0/0/1."),
        ({"line_id": "C-1"}, "expected a line of ethernet, which passes VLANs; found vpdn_l2tp"),
        ({"line_id": "K-1"}, "expected a primary line; found role backup"),
        ({"line_id": "A-1"}, "expected a unit's router at the lower end; found county02 (county_agg)"),
    ],
)
def test_what_cannot_be_carried_down_a_line_is_told(changed: dict[str, str], told: str) -> None:
    findings = find_inconsistencies(with_rows(full_workspace("huawei_ar"), row(**changed)))
    assert any(told in str(finding) for finding in findings), [str(finding) for finding in findings]


def test_a_vpn_that_stands_twice_on_a_line_is_told() -> None:
    second = row(a_interface="GigabitEthernet0/0/4.2103", z_interface="GigabitEthernet0/0/1.2103", where="inventory/vpn_lines.csv:3")
    found = find_inconsistencies(with_rows(full_workspace("huawei_ar"), row(), second))
    assert "VPN CZ on line B-2 stands twice: expected one row; found another at inventory/vpn_lines.csv:2." in " ".join(map(str, found))


def test_a_service_in_a_vpn_at_a_unit_that_no_line_carries_it_to_is_refused() -> None:
    told = "service finance-u01 in VPN CZ: expected a device of role city_core or county_agg; found urban_unit"
    with pytest.raises(InputError, match=told):
        build_intents(with_rows(full_workspace("huawei_ar")))


RATES = {
    "huawei_ar": [" qos car inbound cir 640", " qos gts cir 640"],
    "h3c_msr": [" qos car inbound any cir 640", " qos lr outbound cir 640"],
    "cisco_ios": [" service-policy input POLICE-640", " service-policy output SHAPE-640"],
    "huawei_ne": [" qos car cir 640 inbound", " qos car cir 640 outbound"],
}


@pytest.mark.parametrize("family", RATES)
def test_a_vpn_with_a_rate_is_held_to_it_at_its_own_sub_interfaces_alone(family: str) -> None:
    workspace = full_workspace(family)
    held = row_of(workspace, committed_kbps=640)
    texts = render(with_rows(workspace, held), read_templates(ROOT), ["county02", "u01"])
    for name, port in {"county02": held.a_interface, "u01": held.z_interface}.items():
        wanted = RATES[workspace.inventory.devices[name].family]
        found = {part[0]: rates for part in blocks(texts[name]) if (rates := [line for line in part if line in wanted])}
        assert found == {f"interface {port}": wanted}
    shared = render(with_rows(workspace, row_of(workspace, committed_kbps=None)), read_templates(ROOT), ["county02", "u01"])
    assert not any("640" in text for text in shared.values())


def row_of(workspace: Workspace, **changed: Any) -> VpnLine:
    return replace(workspace.inventory.vpn_lines[0], **changed)


def blocks(text: str) -> list[list[str]]:
    """Return the lines of a text by block: a line at the margin and what is indented below it."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith(" ") and found:
            found[-1].append(line)
        else:
            found.append([line])
    return found


@pytest.mark.parametrize(
    ("kbps", "told"),
    [
        (2048, None),
        (2112, "its rate exceeds the line's: expected at most 2048 kbit/s; found 2112 kbit/s. Lower `committed_kbps`"),
        (500, "devices cannot be given this rate: expected a multiple of 64, such as 512; found 500. Correct `committed_kbps`."),
    ],
)
def test_a_rate_is_held_against_the_line_and_against_what_devices_can_be_given(kbps: int, told: str | None) -> None:
    findings = find_inconsistencies(with_rows(full_workspace("huawei_ar"), row(committed_kbps=kbps)))
    ours = [str(finding) for finding in findings if finding.where == "inventory/vpn_lines.csv:2"]
    assert ours == [] if told is None else [told in text for text in ours] == [True]


def test_vpns_that_are_promised_more_together_than_their_line_carries_are_a_note() -> None:
    workspace = full_workspace("huawei_ar")
    other = row(vpn="DA", a_interface="GigabitEthernet0/0/4.2103", z_interface="GigabitEthernet0/0/1.2103", committed_kbps=1536)
    assert list(find_overbooked_lines(with_rows(workspace, row(), other))) == []
    (note,) = find_overbooked_lines(with_rows(workspace, row(), replace(other, committed_kbps=1600)))
    assert (note.note, note.expected, note.found) == (True, "at most 2048 kbit/s together", "2112 (CZ 512, DA 1600)")


def test_frr_keeps_the_ports_of_a_vpn_on_a_line_shut_and_the_check_says_so() -> None:
    workspace = full_workspace("huawei_ar")
    devices = {**workspace.inventory.devices, "u01": replace(workspace.inventory.devices["u01"], family="frr", platform="cisco_ios")}
    mixed = replace(workspace, inventory=replace(workspace.inventory, devices=devices))
    text = render(mixed, read_templates(ROOT), ["u01"])["u01"]
    description = "description VPN CZ TO:county02:GigabitEthernet0/0/4.2102 ON:B-2 BW:512"
    assert f"interface GigabitEthernet0/0/1.2102\n {description}\n shutdown\nexit" in text
    gaps = [note.what for note in find_gaps(build_intents(mixed))]
    assert {"family frr cannot carry VPN instances", "family frr cannot carry committed rates"} <= set(gaps)


def test_the_default_route_of_a_vpn_at_the_unit_is_no_exit_and_its_ports_are_no_lines_of_somebody() -> None:
    workspace = full_workspace("huawei_ar")
    intents, texts = build_intents(workspace), render(workspace, read_templates(ROOT))
    evidence = {name: Evidence(intents[name], texts[name], {}) for name in intents}
    against = {proof.proof_id: [one.text for one in proof.exhibits] for proof in prove_separation(workspace, evidence)}
    assert not any("10.9." in text or "2102" in text for texts in against.values() for text in texts)
    stray = {**evidence, "u01": replace(evidence["u01"], running=texts["u01"].replace("0.0.0.0 10.9.16.1", "0.0.0.0 10.9.16.9"))}
    (exit_,) = [proof for proof in prove_separation(workspace, stray) if proof.proof_id == "one-exit"]
    assert [one.text for one in exit_.exhibits] == ["ip route-static vpn-instance CZ 0.0.0.0 0.0.0.0 10.9.16.9"]
