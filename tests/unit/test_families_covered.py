"""Every family and role that has templates is looked at by the tests that hold all of them to something."""

from __future__ import annotations

from app.core.families import FAMILIES
from tests.golden.render.workspace import full_workspace
from tests.integration import test_families_accepted as accepted
from tests.integration import test_other_parsers as parsers
from tests.integration import test_patch_round_trip as round_trip
from tests.samples.small_city import ROUTERS, SWITCHES

#: FRR's texts are held to its own parser (`vtysh -C`).
EVERY = {(family.name, role) for family in FAMILIES.values() for role in family.roles if family.name != "frr"}


def rendered(routers: tuple[str, ...]) -> set[tuple[str, str]]:
    """Return the family and role of every device in the small cities of these routers."""
    cities = [full_workspace(router, switch=router in SWITCHES).inventory.devices.values() for router in routers]
    return {(device.family, device.role) for city in cities for device in city}


def test_every_family_and_role_is_given_to_a_virtual_device_line_by_line() -> None:
    assert rendered(tuple({router for router, _, _ in accepted._cases()})) == EVERY
    named = {name for _, _, name in accepted._cases()}
    assert {"core", "county02", "d01", "u01", "t01", "u01-sw"} <= named


def test_every_family_and_role_is_read_by_a_parser_that_is_not_ours() -> None:
    assert set(parsers.PLATFORMS) == {family for family, _ in EVERY}
    assert rendered(accepted.FAMILIES) == EVERY


def test_every_family_is_patched_there_and_back_and_deployed_over_ssh() -> None:
    assert {family for _, family, _ in round_trip.CASES} == set(FAMILIES)
    assert {*ROUTERS, *SWITCHES.values()} == set(FAMILIES)
