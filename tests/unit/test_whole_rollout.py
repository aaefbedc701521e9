"""What must hold over every workspace that ships, whole: both ends, rates, addresses, the same bytes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from app.core.intent import DeviceIntent, InterfaceIntent
from app.core.intents import build_intents
from app.core.vpn_members import find_outsiders
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.workflows.render import render
from tests.samples.orders import BARKOL, BAZHONG, DAZHOU, SHANGRAO, SHAOXING

ROOTS = (BAZHONG, BARKOL, SHANGRAO, SHAOXING, DAZHOU)
over_every_rollout = pytest.mark.parametrize("root", ROOTS, ids=lambda root: str(root.name))


@cache
def _read(root: Path) -> tuple[Workspace, dict[str, DeviceIntent]]:
    workspace = read_workspace(root)[0]
    return workspace, build_intents(workspace)


def ends_of_lines(intents: dict[str, DeviceIntent]) -> dict[str, dict[str, InterfaceIntent]]:
    ends: dict[str, dict[str, InterfaceIntent]] = {}
    for name, intent in intents.items():
        for port in intent.interfaces:
            if port.kind in ("line", "backup") and port.line_id:
                ends.setdefault(port.line_id, {})[name] = port
    return ends


@over_every_rollout
def test_both_ends_of_every_line_lie_in_the_one_prefix_that_it_holds(root: Path) -> None:
    workspace, intents = _read(root)
    ends = ends_of_lines(intents)
    assert set(ends) == set(workspace.inventory.lines)
    held = {row.holder: row.prefix for row in workspace.ledger if row.released_on is None}
    for line_id, ports in ends.items():
        networks = {port.address.network for port in ports.values() if port.address}
        assert networks == {held[f"line:{line_id}"]}
        assert len({port.address.ip for port in ports.values() if port.address}) == 2


@over_every_rollout
def test_every_line_is_given_the_rate_of_its_class_at_both_ends(root: Path) -> None:
    workspace, intents = _read(root)
    rated = {
        (name, port.line_id): port
        for name, intent in intents.items()
        for port in intent.interfaces
        if port.kind in ("line", "backup", "modem") and port.in_kbps
    }
    for line in workspace.inventory.lines.values():
        kind = workspace.order.classes[line.service_class]
        upper, lower = rated[line.a_device, line.line_id], rated[line.z_device, line.line_id]
        assert (upper.out_kbps, upper.in_kbps) == (kind.configured_down_kbps, kind.configured_up_kbps)
        assert (lower.in_kbps, lower.out_kbps) == (kind.configured_down_kbps, kind.configured_up_kbps)


@over_every_rollout
def test_every_address_of_every_device_is_held_in_its_vrf(root: Path) -> None:
    workspace, intents = _read(root)
    vpns = workspace.plan.vpn_names
    held = {(row.prefix, row.vrf if row.vrf in vpns else None) for row in workspace.ledger if row.released_on is None}
    given = {
        (address.network, port.vrf)
        for intent in intents.values()
        for port in intent.interfaces
        if port.kind != "province"
        for address in port.addresses
    }
    assert given
    assert given <= held


@over_every_rollout
def test_no_address_stands_on_two_ports_of_one_vrf(root: Path) -> None:
    _, intents = _read(root)
    given = [(address.ip, port.vrf) for intent in intents.values() for port in intent.interfaces for address in port.addresses]
    assert len(given) == len(set(given))


@over_every_rollout
def test_every_router_with_a_way_up_asks_the_centre_from_its_loopback(root: Path) -> None:
    workspace, intents = _read(root)
    texts = render(workspace, read_templates(root))
    prefixes = {row.holder: row.prefix for row in workspace.ledger if row.released_on is None}
    centre = prefixes[f"service:{workspace.plan.management.monitoring_service}"]
    asking = [intent for intent in intents.values() if intent.loopback is not None and intent.uplink is not None]
    assert asking
    for intent in asking:
        assert intent.probe is not None
        assert (intent.probe.source, intent.probe.target in centre) == (intent.loopback, True)
        assert f"\n destination-address ipv4 {intent.probe.target}\n source-address ipv4 {intent.loopback}\n" in texts[intent.hostname]


@over_every_rollout
def test_the_same_workspace_read_twice_gives_the_same_bytes(root: Path) -> None:
    templates = read_templates(root)
    assert render(read_workspace(root)[0], templates) == render(_read(root)[0], templates)


# The six systems of Shangrao (SR-5)


@pytest.mark.requirement("SR-5")
def test_each_of_the_six_systems_has_an_instance_of_its_own_that_no_other_department_reaches() -> None:
    workspace, intents = _read(SHANGRAO)
    vpns = {vpn.name: vpn for vpn in intents["SR-CORE01"].vpns}
    six = {service.vpn for service in workspace.inventory.services.values() if service.vpn not in (None, "GONGXIANG")}
    assert len(six) == 6
    shared = vpns["GONGXIANG"]
    for name in six:
        assert name is not None
        reached = {other.name for other in vpns.values() if set(vpns[name].imports) & set(other.exports)}
        assert reached == {name, "GONGXIANG"}
        assert set(vpns[name].exports) <= set(shared.imports)
    assert not {other for other in vpns.values() if other.name != "HLW" and set(other.imports) & set(vpns["HLW"].exports)}


@pytest.mark.requirement("SR-5")
def test_every_county_and_the_city_have_a_port_in_each_of_the_six_instances_and_nobody_stands_outside() -> None:
    workspace, intents = _read(SHANGRAO)
    held = {name: {port.vrf for port in intent.interfaces if port.vrf} for name, intent in intents.items() if intent.vpns}
    assert len(held) == 13
    assert all(len(vpns - {"GONGXIANG"}) == 6 for vpns in held.values())
    assert list(find_outsiders(workspace)) == []


@pytest.mark.requirement("SR-5")
def test_a_port_of_a_system_is_bound_to_its_instance_before_it_is_addressed() -> None:
    workspace, _ = _read(SHANGRAO)
    lines = render(workspace, read_templates(SHANGRAO), ["SR-CORE01"])["SR-CORE01"].splitlines()
    bound = [place for place, line in enumerate(lines) if line.startswith(" ip binding vpn-instance ")]
    assert len(bound) == 7 + 6
    for place in bound:
        assert lines[place - 1].startswith((" description SERVICE ", " description ACCESS "))
        assert lines[place + 1].startswith(" ip address 10.251.")
