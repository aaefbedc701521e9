"""IS-IS drawn from the tree: areas, levels, system ids and metrics, and what it cannot carry."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.families import find_gaps
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ipplan import IsisProfile
from app.core.isis import DIALLED_LSP_MTU, system_id
from app.core.workspace import Workspace
from app.errors import InputError
from tests.golden.render.workspace import full_workspace, isis_workspace, small_workspace


def with_isis(workspace: Workspace, **fields: object) -> Workspace:
    return replace(workspace, plan=replace(workspace.plan, isis=replace(IsisProfile(), **fields)))  # type: ignore[arg-type]


def levels(intent: DeviceIntent) -> tuple[int, ...]:
    assert intent.isis is not None
    return intent.isis.levels


def test_the_backbone_is_level_2_units_below_a_county_are_level_1_and_the_county_is_both() -> None:
    intents = build_intents(with_isis(small_workspace("huawei_ar", switch=True)))
    routers = {name: levels(intent) for name, intent in intents.items() if intent.loopback}
    assert routers == {"core": (2,), "county02": (1, 2), "d01": (2,), "u01": (1,), "t01": (1,)}
    assert all(intent.ospf is None for intent in intents.values())
    assert intents["u01-sw"].isis is None


def test_both_ends_of_a_line_have_one_level_and_one_metric_and_no_ospf_area() -> None:
    ends: dict[str, set[tuple[int | None, int | None]]] = {}
    for intent in build_intents(isis_workspace("huawei_ar")).values():
        for port in intent.interfaces:
            assert port.ospf_area is None
            if port.kind in ("line", "backup") and port.line_id:
                ends.setdefault(port.line_id, set()).add((port.isis_level, port.metric))
    assert ends == {"A-1": {(2, None)}, "K-1": {(2, None)}, "B-1": {(2, 50)}, "B-2": {(1, 50)}, "C-1": {(1, 100)}}


def test_an_area_follows_the_region_and_a_units_area_is_its_countys() -> None:
    nets = {name: intent.isis.net for name, intent in build_intents(with_isis(small_workspace("frr"))).items() if intent.isis}
    assert nets == {
        "core": "49.0051.1900.1980.1800.0001.00",
        "county02": "49.0051.1902.1980.1800.0002.00",
        "d01": "49.0051.1900.1980.1800.0003.00",
        "u01": "49.0051.1902.1980.1800.0004.00",
        "t01": "49.0051.1902.1980.1800.0005.00",
    }


@given(st.lists(st.integers(0, 2**32 - 1).map(IPv4Address), min_size=2, max_size=20, unique=True))
def test_no_two_loopbacks_give_one_system_id(loopbacks: list[IPv4Address]) -> None:
    found = {system_id(loopback) for loopback in loopbacks}
    assert len(found) == len(loopbacks)
    assert all(len(one) == 14 and one.replace(".", "").isdecimal() for one in found)


def test_packets_are_held_below_a_dialled_line_everywhere_or_nowhere() -> None:
    dialled = {intent.isis.lsp_mtu for intent in build_intents(isis_workspace("huawei_ar")).values() if intent.isis}
    plain = {intent.isis.lsp_mtu for intent in build_intents(with_isis(small_workspace("huawei_ar"))).values() if intent.isis}
    assert (dialled, plain) == ({DIALLED_LSP_MTU}, {None})


def test_only_the_core_that_speaks_to_the_province_originates_the_default_route() -> None:
    intents = build_intents(isis_workspace("huawei_ar"))
    assert [name for name, intent in intents.items() if intent.isis and intent.isis.originates_default] == ["core"]


def test_a_backup_line_from_another_area_is_refused() -> None:
    workspace = with_isis(small_workspace("frr"))
    lines = dict(workspace.inventory.lines)
    lines["K-1"] = replace(lines["K-1"], z_device="u01", z_interface="eth7")
    with pytest.raises(InputError) as caught:
        build_intents(replace(workspace, inventory=replace(workspace.inventory, lines=lines)))
    assert str(caught.value) == (
        "inventory/lines.csv:3: line K-1 joins two IS-IS areas at level 1: expected both ends in 49.0051.1902; "
        "found core in 49.0051.1900. Let the line end at the unit's own county, or set routing.igp: ospf in ipplan/plan.yaml."
    )


def test_a_region_without_a_number_is_refused() -> None:
    workspace = with_isis(small_workspace("frr"))
    regions = {code: replace(region, code="BZQ") if code == "511902" else region for code, region in workspace.inventory.regions.items()}
    with pytest.raises(InputError, match="region BZQ gives no IS-IS area: expected a code of at most eight digits; found BZQ"):
        build_intents(replace(workspace, inventory=replace(workspace.inventory, regions=regions)))


def test_frr_is_given_no_metric_that_it_would_refuse_at_its_own_start_and_the_note_says_so() -> None:
    intents = build_intents(isis_workspace("frr"))
    assert {port.metric for port in intents["t01"].interfaces} == {None, 63}
    assert "family frr cannot carry IS-IS metrics above 63" in {note.what for note in find_gaps(intents)}
    faster = build_intents(with_isis(full_workspace("frr"), reference_bandwidth_mbps=50))
    assert {port.metric for port in faster["t01"].interfaces} == {None, 50}
    assert "family frr cannot carry IS-IS metrics above 63" not in {note.what for note in find_gaps(faster)}
