"""Units that are to reach a system in a VPN, and stand outside it."""

from __future__ import annotations

from dataclasses import replace

from app.core.vpn_members import find_outsiders
from app.core.workspace import Workspace
from tests.golden.render.workspace import full_workspace


def reached(workspace: Workspace, service_id: str, *units: str) -> Workspace:
    services = dict(workspace.inventory.services)
    services[service_id] = replace(services[service_id], reached_by=units)
    return replace(workspace, inventory=replace(workspace.inventory, services=services))


def test_units_whose_county_has_a_port_in_the_vpn_are_inside_and_others_are_named() -> None:
    workspace = full_workspace("huawei_ar")
    assert list(find_outsiders(reached(workspace, "finance", "U01", "T01", "GOV02"))) == []
    (note,) = find_outsiders(reached(workspace, "archive", "U01", "D01"))
    assert note.note
    assert str(note) == (
        "inventory/services.csv:6: service archive rides in VPN DA, and units that are to reach it stand outside: expected a port "
        "of kind access in DA at the core or county of each of 2 units; found none for D01, U01. Add these ports to "
        "inventory/services.csv; until then the system is alone in its VPN."
    )


def test_a_system_in_the_public_zone_is_reached_from_every_lan() -> None:
    workspace = full_workspace("huawei_ar")
    assert list(find_outsiders(reached(workspace, "exchange", "U01", "D01"))) == []
