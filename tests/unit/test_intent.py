"""Intents drawn from a small city: addresses, rates, areas, ways to the centre, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest

from app.core.families import find_gaps
from app.core.features import find_unfit_features, find_without_peer6
from app.core.intent import DeviceIntent, InterfaceIntent, OspfArea
from app.core.intent_faults import DESCRIPTION_LIMIT
from app.core.intents import FLOATING_DISTANCE, build_intents
from app.core.ipplan import AaaProfile, BgpProfile, ProbeProfile, QosShare
from app.core.naming import natural_key
from app.core.workspace import Workspace
from app.errors import InputError
from tests.golden.render.workspace import CLASSES, full_workspace, small_workspace


@pytest.fixture
def intents() -> dict[str, DeviceIntent]:
    return build_intents(small_workspace("huawei_ar", switch=True))


def port(intents: dict[str, DeviceIntent], device: str, name: str) -> InterfaceIntent:
    return next(held for held in intents[device].interfaces if held.name == name)


def of_line(intents: dict[str, DeviceIntent], device: str, line_id: str, kind: str) -> InterfaceIntent:
    return next(held for held in intents[device].interfaces if held.line_id == line_id and held.kind == kind)


def changed(workspace: Workspace, table: str, key: str, **fields: object) -> Workspace:
    rows = dict(getattr(workspace.inventory, table))
    rows[key] = replace(rows[key], **fields)
    return replace(workspace, inventory=replace(workspace.inventory, **{table: rows}))


def refusal(workspace: Workspace) -> str:
    with pytest.raises(InputError) as caught:
        build_intents(workspace)
    return str(caught.value)


def test_every_device_has_an_intent_in_file_order(intents: dict[str, DeviceIntent]) -> None:
    assert list(intents) == ["core", "county02", "d01", "u01", "t01", "u01-sw"]


def test_the_same_workspace_gives_equal_intents() -> None:
    assert build_intents(small_workspace("frr")) == build_intents(small_workspace("frr"))


def test_both_ends_of_a_line_share_one_prefix_a_first_z_second(intents: dict[str, DeviceIntent]) -> None:
    near, far = of_line(intents, "core", "A-1", "line"), of_line(intents, "county02", "A-1", "line")
    assert near.address is not None
    assert far.address is not None
    assert near.address.network == far.address.network
    assert far.address.ip == near.address.ip + 1
    assert (near.far_device, near.far_interface) == ("county02", far.name)
    assert (far.far_device, far.far_interface) == ("core", near.name)


def test_towards_the_unit_is_the_down_rate_and_from_it_the_up_rate(intents: dict[str, DeviceIntent]) -> None:
    upper, lower = of_line(intents, "county02", "C-1", "line"), of_line(intents, "t01", "C-1", "line")
    assert (upper.out_kbps, upper.in_kbps) == (CLASSES["adsl_1m"].configured_down_kbps, CLASSES["adsl_1m"].configured_up_kbps)
    assert (lower.in_kbps, lower.out_kbps) == (upper.out_kbps, upper.in_kbps)
    assert upper.nominal_kbps == 1000


def test_a_description_names_far_end_line_carrier_nominal_rate_and_circuit(intents: dict[str, DeviceIntent]) -> None:
    assert of_line(intents, "county02", "A-1", "line").description == "TO:core:GigabitEthernet0/0/1 L:A-1 C:telecom BW:10000 CID:CD1"
    assert "CID" not in of_line(intents, "county02", "K-1", "backup").description


@pytest.mark.parametrize("device", ["core", "county02"])
def test_a_reserved_port_is_shut_named_and_without_address_at_both_ends(intents: dict[str, DeviceIntent], device: str) -> None:
    reserved = of_line(intents, device, "A-1", "reserved")
    assert reserved.shutdown
    assert reserved.description.startswith("RESERVED 100M L:A-1 ")
    assert (reserved.port_mbps, reserved.address, reserved.ospf_area) == (100, None, None)


def test_no_port_but_the_reserved_one_is_shut(intents: dict[str, DeviceIntent]) -> None:
    assert {held.kind for intent in intents.values() for held in intent.interfaces if held.shutdown} == {"reserved"}


def test_lines_between_root_and_county_lie_in_the_backbone_and_lines_below_in_the_countys_area(intents: dict[str, DeviceIntent]) -> None:
    areas = {held.line_id: held.ospf_area for intent in intents.values() for held in intent.interfaces if held.kind in ("line", "backup")}
    assert areas == {"A-1": "0.0.0.0", "K-1": "0.0.0.0", "B-1": "0.0.0.0", "B-2": "0.0.0.2", "C-1": "0.0.0.2"}


def test_a_backup_line_to_a_units_router_stays_in_that_routers_area() -> None:
    workspace = changed(small_workspace("frr"), "lines", "K-1", z_device="u01", z_interface="eth7")
    assert of_line(build_intents(workspace), "core", "K-1", "backup").ospf_area == "0.0.0.2"


def test_only_the_border_router_of_a_stub_area_says_no_summary(intents: dict[str, DeviceIntent]) -> None:
    assert [intents[name].ospf.areas for name in ("core", "county02", "t01")] == [  # type: ignore[union-attr]
        (OspfArea("0.0.0.0", stub=False, no_summary=False),),
        (OspfArea("0.0.0.0", stub=False, no_summary=False), OspfArea("0.0.0.2", stub=True, no_summary=True)),
        (OspfArea("0.0.0.2", stub=True, no_summary=False),),
    ]


def test_a_loopback_lies_in_the_area_of_its_uplink(intents: dict[str, DeviceIntent]) -> None:
    held = {name: port(intents, name, "LoopBack0") for name in ("core", "county02", "d01", "t01")}
    assert {name: loopback.ospf_area for name, loopback in held.items()} == {
        "core": "0.0.0.0",
        "county02": "0.0.0.0",
        "d01": "0.0.0.0",
        "t01": "0.0.0.2",
    }
    assert all(str(loopback.address).endswith("/32") for loopback in held.values())


def test_every_router_but_the_root_has_a_floating_route_to_the_centre_over_its_uplink(intents: dict[str, DeviceIntent]) -> None:
    assert intents["core"].static_routes == ()
    for name in ("county02", "d01", "u01", "t01"):
        (route,) = intents[name].static_routes
        uplink = port(intents, name, intents[name].uplink or "")
        assert uplink.address is not None
        assert route.next_hop == uplink.address.ip - 1
        assert (str(route.prefix), route.distance, route.purpose) == ("198.18.12.0/29", FLOATING_DISTANCE, "centre")


def test_contacts_are_loopback_then_uplink_and_at_the_root_the_monitoring_port(intents: dict[str, DeviceIntent]) -> None:
    assert [str(address) for address in intents["t01"].contacts] == ["198.18.0.5", "198.18.4.18"]
    assert [str(address) for address in intents["core"].contacts] == ["198.18.0.1", "198.18.12.1"]


def test_a_switch_is_reached_at_its_management_address_behind_its_router(intents: dict[str, DeviceIntent]) -> None:
    switch, gateway = intents["u01-sw"], port(intents, "u01", "GigabitEthernet0/0/7.4000")
    assert gateway.address is not None
    assert switch.gateway == gateway.address.ip
    assert [str(address) for address in switch.contacts] == ["198.18.14.2"]
    assert str(port(intents, "u01-sw", "Vlanif4000").address) == "198.18.14.2/30"
    assert (gateway.passive, gateway.ospf_area) == (True, "0.0.0.2")
    assert switch.depth == intents["u01"].depth + 1 == 3
    assert switch.ospf is None


def test_unit_lans_and_service_ports_are_passive(intents: dict[str, DeviceIntent]) -> None:
    held = [port for intent in intents.values() for port in intent.interfaces if port.kind in ("lan", "service")]
    assert len(held) == 6
    assert all(port.passive and port.address is not None and port.ospf_area for port in held)


def test_a_sub_interface_ends_the_vlan_of_its_number(intents: dict[str, DeviceIntent]) -> None:
    assert port(intents, "county02", "GigabitEthernet0/0/4.1002").vlan == 1002
    assert port(intents, "county02", "GigabitEthernet0/0/1").vlan is None


def test_management_answers_the_monitoring_services_prefix_only(intents: dict[str, DeviceIntent]) -> None:
    management = intents["t01"].management
    assert [str(source) for source in management.sources] == ["198.18.12.0/29"]
    assert [str(host) for host in (*management.ntp_servers, *management.syslog_hosts)] == ["198.18.12.2", "198.18.12.2"]
    assert management.location == "511902 township_unit"


def test_interfaces_stand_in_the_order_that_people_count_in(intents: dict[str, DeviceIntent]) -> None:
    names = [held.name for held in build_intents(small_workspace("frr"))["county02"].interfaces]
    assert names == ["eth1", "eth2", "eth3", "eth10", "eth11", "lan0", "lo"]
    assert sorted(["0.0.0.10", "0.0.0.9"], key=natural_key) == ["0.0.0.9", "0.0.0.10"]


def test_a_unit_out_of_scope_has_no_lan() -> None:
    workspace = changed(small_workspace("frr"), "units", "T01", in_scope=False)
    assert "lan" not in {held.kind for held in build_intents(workspace)["t01"].interfaces}


def test_adding_a_circuit_id_changes_the_two_ends_of_that_line_only() -> None:
    before = build_intents(small_workspace("frr"))
    after = build_intents(changed(small_workspace("frr"), "lines", "B-2", circuit_id="CD77"))
    assert {name for name in before if before[name] != after[name]} == {"county02", "u01"}


def test_a_description_of_the_limit_passes_and_one_longer_is_refused() -> None:
    plain = "TO:core:eth4 L:B-1 C:telecom BW:2000 CID:"
    room = DESCRIPTION_LIMIT - len(plain)
    fits = changed(small_workspace("frr"), "lines", "B-1", circuit_id="x" * room, z_interface="eth1")
    assert len(of_line(build_intents(fits), "d01", "B-1", "line").description) == DESCRIPTION_LIMIT
    assert f"{DESCRIPTION_LIMIT + 1}: " in refusal(changed(small_workspace("frr"), "lines", "B-1", circuit_id="x" * (room + 1)))


@pytest.mark.parametrize("circuit_id", ["电路1", "CD1\nshutdown"])
def test_a_circuit_id_that_a_device_cannot_be_given_is_refused(circuit_id: str) -> None:
    assert "printable ASCII" in refusal(changed(small_workspace("frr"), "lines", "B-1", circuit_id=circuit_id))


def test_a_monitoring_service_away_from_the_root_is_refused() -> None:
    assert "does not stand at the root" in refusal(changed(small_workspace("frr"), "services", "noc", device="county02"))


def test_a_switch_without_a_port_towards_its_router_is_refused() -> None:
    workspace = changed(small_workspace("huawei_ar", switch=True), "devices", "u01-sw", lan_interface=None)
    assert "switch u01-sw has no port towards its router" in refusal(workspace)


def test_a_banner_that_would_end_its_own_quotes_is_refused() -> None:
    workspace = small_workspace("frr")
    plan = replace(workspace.plan, management=replace(workspace.plan.management, banner='say "hi"'))
    assert "management.banner" in refusal(replace(workspace, plan=plan))


def test_what_frr_cannot_carry_is_noted_once_per_feature() -> None:
    notes = find_gaps(build_intents(small_workspace("frr")))
    assert all(note.note for note in notes)
    assert [note.what.removeprefix("family frr cannot carry ") for note in notes] == [
        "SNMP users",
        "the SSH account and its permitted sources",
        "NTP servers",
        "syslog hosts",
        "the login banner",
        "committed rates",
    ]


def test_the_far_end_of_a_dialled_line_is_noted_where_the_family_has_a_dialler_and_both_ends_where_it_has_none() -> None:
    for family, count in (("huawei_ar", "on 1 device"), ("h3c_msr", "on 1 device"), ("cisco_ios", "on 1 device"), ("frr", "on 2 devices")):
        workspace = changed(small_workspace(family), "lines", "C-1", access_method="vpdn_l2tp")
        (note,) = [note for note in find_gaps(build_intents(workspace)) if "vpdn_l2tp" in note.what]
        assert note.expected.endswith(count)


def test_a_dialled_line_ends_on_a_dialler_whose_address_the_far_end_gives() -> None:
    workspace = changed(small_workspace("huawei_ar"), "lines", "C-1", access_method="vpdn_l2tp")
    unit = build_intents(workspace)["t01"]
    modem = next(port for port in unit.interfaces if port.kind == "modem")
    dialler = next(port for port in unit.interfaces if port.name == "Dialer1")
    assert (modem.address, modem.in_kbps, modem.out_kbps, modem.dialer) == (None, 1024, 512, 1)
    assert (dialler.kind, dialler.line_id, str(dialler.address), dialler.in_kbps) == ("line", "C-1", "198.18.4.18/30", None)
    assert (unit.uplink, unit.static_routes[0].way) == ("Dialer1", "Dialer1")


def test_a_dialled_line_that_is_renumbered_has_both_addresses_on_its_dialler_and_none_at_the_modem() -> None:
    workspace = changed(small_workspace("huawei_ar"), "lines", "C-1", access_method="vpdn_l2tp")
    (old,) = [row for row in workspace.ledger if row.holder == "line:C-1"]
    (centre,) = [row for row in workspace.ledger if row.holder == "service:noc"]
    rows = (
        replace(old, prefix=IPv4Network("198.19.4.16/30"), replaces=old.prefix, phase="cut_over"),
        replace(centre, prefix=IPv4Network("198.19.12.0/29"), replaces=centre.prefix, phase="cut_over"),
    )
    unit = build_intents(replace(workspace, ledger=(*workspace.ledger, *rows)))["t01"]
    modem = next(port for port in unit.interfaces if port.kind == "modem")
    dialler = next(port for port in unit.interfaces if port.name == "Dialer1")
    assert modem.addresses == modem.secondary == ()
    assert [str(address) for address in dialler.addresses] == ["198.19.4.18/30", "198.18.4.18/30"]
    ways = [(str(route.prefix), route.way) for route in unit.static_routes]
    assert ways == [("198.19.12.0/29", "Dialer1"), ("198.18.12.0/29", "Dialer1")]


@pytest.mark.parametrize("method", ["ethernet", "bridged_pvc", "internet_ipsec"])
def test_a_line_that_is_not_dialled_ends_on_its_port(method: str) -> None:
    unit = build_intents(changed(small_workspace("huawei_ar"), "lines", "C-1", access_method=method))["t01"]
    assert (unit.uplink, {port.kind for port in unit.interfaces}) == ("GigabitEthernet0/0/1", {"line", "lan", "loopback"})


# What a plan may ask for


def test_classes_of_traffic_are_sized_to_each_line_and_never_to_more_than_it_carries() -> None:
    for intent in build_intents(full_workspace("huawei_ar")).values():
        for policy in intent.policies:
            assert sum(one.kbps for one in policy.classes) <= policy.kbps
            assert {port.out_kbps for port in intent.interfaces if port.policy == policy.name} == {policy.kbps}
    slow = build_intents(full_workspace("huawei_ar"))["d01"].policies[0]
    assert [(one.name, one.kbps) for one in slow.classes] == [("voice", 204), ("video", 614), ("business", 614)]


def test_video_is_held_to_768_on_a_line_of_two_megabit() -> None:
    workspace = full_workspace("huawei_ar")
    shares = (QosShare("video", "af41", 60, False),)
    plan = replace(workspace.plan, features=replace(workspace.plan.features, qos=shares))
    intents = build_intents(replace(workspace, plan=plan))
    assert intents["d01"].policies[0].classes[0].kbps == 768
    assert intents["core"].policies[1].classes[0].kbps == 6144


def test_a_port_in_a_vpn_takes_no_part_in_ospf_and_routers_without_such_a_port_below_the_counties_hold_no_vpn() -> None:
    intents = build_intents(full_workspace("huawei_ar"))
    bound = [(name, port.name, port.ospf_area) for name, intent in intents.items() for port in intent.interfaces if port.vrf]
    assert bound == [
        ("core", "GigabitEthernet0/0/0", None),
        ("core", "GigabitEthernet0/0/7", None),
        ("core", "GigabitEthernet0/0/9", None),
        ("county02", "GigabitEthernet0/0/4.2102", None),
        ("county02", "GigabitEthernet0/0/6", None),
        ("u01", "GigabitEthernet0/0/1.2102", None),
        ("u01", "GigabitEthernet0/0/6", None),
    ]
    assert {name for name, intent in intents.items() if intent.vpns} == {"core", "county02", "u01"}
    assert {name for name, intent in intents.items() if intent.bgp} == {"core", "county02"}


def test_public_pools_outside_the_vpns_leave_an_area_and_national_ones_alone_leave_the_city() -> None:
    intents = build_intents(full_workspace("huawei_ar"))
    within = [(str(one.prefix), one.longest) for one in intents["core"].assigned]
    assert within == [("10.8.0.0/24", 28), ("198.18.0.0/24", 32), ("198.18.8.0/24", 28)]
    assert [str(one.prefix) for one in intents["core"].announced] == ["198.18.0.0/24", "198.18.8.0/24"]
    assert (intents["county02"].assigned, intents["county02"].announced) == (intents["core"].assigned, ())


def test_regions_and_routers_own_ipv6_prefixes_alone_leave_an_area_or_the_city() -> None:
    workspace = full_workspace("huawei_ar")
    intents = build_intents(workspace)
    within = [(str(one.prefix), one.longest) for one in intents["county02"].assigned6]
    assert within == [("2001:db8:100::/48", 128), ("2001:db8:101::/48", 64), ("2001:db8:102::/48", 64)]
    assert (intents["core"].assigned6, intents["core"].announced6) == (intents["county02"].assigned6,) * 2
    assert (intents["county02"].announced6, intents["u01"].assigned6) == ((), ())
    public = [row for row in workspace.ledger6 if row.vrf == "GGW"]
    held = [(row.prefix, row.prefix.prefixlen) for row in public if row.role in ("loopback", "link")]
    held += [(row.prefix, 64) for row in public if row.role == "unit"]
    for prefix, length in held:
        assert any(prefix.subnet_of(one.prefix) and length <= one.longest for one in intents["core"].announced6)  # type: ignore[arg-type]
    within = [row.prefix for row in workspace.ledger6 if row.vrf == "CZ"]
    assert within
    assert not any(prefix.overlaps(one.prefix) for prefix in within for one in intents["core"].announced6), "what is in a VPN stays in it"


def test_only_the_port_towards_the_province_and_a_session_of_its_own_carry_ipv6_out_of_the_city() -> None:
    core = build_intents(full_workspace("huawei_ar"))["core"]
    assert core.bgp is not None
    assert [(str(peer.address), peer.as_number) for peer in core.bgp.external6] == [("2001:db8:ffff::", 64600)]
    (port,) = [port for port in core.interfaces if port.kind == "province"]
    assert (str(port.address6), port.ospf_area) == ("2001:db8:ffff::1/127", None)


def province6(workspace: Workspace, **changed: object) -> Workspace:
    """Return the workspace with another IPv6 session to the province."""
    bgp = workspace.plan.features.bgp
    assert bgp is not None
    peer = replace(bgp.peers[0], **changed)  # type: ignore[arg-type]
    features = replace(workspace.plan.features, bgp=replace(bgp, peers=(peer,)))
    return replace(workspace, plan=replace(workspace.plan, features=features))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"address6": None}, "expected address6 and neighbour6 together; found neighbour6 alone. Add the other"),
        ({"neighbour6": None}, "expected address6 and neighbour6 together; found address6 alone. Add the other"),
        ({"neighbour6": IPv6Address("2001:db8::9")}, "expected another address of 2001:db8:ffff::/127; found neighbour6 2001:db8::9"),
        ({"neighbour6": IPv6Address("2001:db8:ffff::1")}, "expected another address of 2001:db8:ffff::/127; found neighbour6"),
    ],
)
def test_an_ipv6_session_with_the_province_that_cannot_be_is_told(changed: dict[str, object], told: str) -> None:
    assert told in refusal(province6(full_workspace("huawei_ar"), **changed))


@pytest.mark.parametrize(
    ("interface", "purpose"),
    [
        ("GigabitEthernet0/0/1", "line A-1"),
        ("GigabitEthernet0/0/2", "port reserved by line A-1"),
        ("GigabitEthernet0/0/5", "service noc"),
    ],
)
def test_the_province_s_port_is_one_that_nothing_else_stands_on(interface: str, purpose: str) -> None:
    workspace = full_workspace("huawei_ar")
    assert workspace.plan.features.bgp is not None
    (peer,) = workspace.plan.features.bgp.peers
    features = replace(workspace.plan.features, bgp=BgpProfile(64512, (replace(peer, interface=interface),)))
    told = refusal(replace(workspace, plan=replace(workspace.plan, features=features)))
    assert f"core {interface}: expected a free port; found {purpose} stands on it. Name another port." in told


def test_an_ipv6_session_of_a_city_without_ipv6_is_told() -> None:
    workspace = full_workspace("huawei_ar")
    found = refusal(replace(workspace, plan=replace(workspace.plan, ipv6=None), ledger6=()))
    assert "core GigabitEthernet0/0/8: expected an IPv6 prefix of the city to announce; found none" in found


def test_a_session_with_the_province_that_carries_no_ipv6_is_noted() -> None:
    workspace = full_workspace("huawei_ar")
    assert list(find_without_peer6(workspace.plan)) == []
    (note,) = find_without_peer6(province6(workspace, address6=None, neighbour6=None).plan)
    assert (note.note, note.what) == (True, "routing.bgp.province: core GigabitEthernet0/0/8 carries no IPv6")


def test_ports_that_nothing_stands_on_are_shut_where_the_model_is_known() -> None:
    switch = build_intents(full_workspace("huawei_ar", switch=True))["u01-sw"]
    assert [port.name for port in switch.interfaces if port.kind == "unused"] == ["GigabitEthernet0/0/23"]
    assert all(port.shutdown for port in switch.interfaces if port.kind == "unused")


@pytest.mark.parametrize("service", ["noc", "exchange"])
def test_a_service_that_devices_are_managed_by_stands_in_no_vpn(service: str) -> None:
    workspace = changed(full_workspace("huawei_ar"), "services", service, vpn="CZ")
    aaa = AaaProfile("tacacs", ("exchange",))
    plan = replace(workspace.plan, management=replace(workspace.plan.management, aaa=aaa))
    assert f"management service {service}: expected no VPN; found CZ" in refusal(replace(workspace, plan=plan))


def test_vpns_between_our_own_routers_need_no_province() -> None:
    workspace = full_workspace("huawei_ar")
    features = replace(workspace.plan.features, bgp=BgpProfile(64512, ()), only_assigned=False)
    intents = build_intents(replace(workspace, plan=replace(workspace.plan, features=features)))
    assert [(peer.as_number, str(peer.address)) for peer in intents["core"].bgp.internal] == [(64512, "198.18.0.2")]  # type: ignore[union-attr]
    assert intents["core"].bgp.external == ()  # type: ignore[union-attr]


def test_what_of_the_features_cannot_be_configured_is_told_at_once() -> None:
    workspace = full_workspace("huawei_ar")
    features = workspace.plan.features
    assert features.bgp is not None
    wrong = replace(features.bgp.peers[0], device="d01", neighbour=IPv4Address("203.0.113.1"))
    plan = replace(
        workspace.plan,
        features=replace(
            features,
            bgp=replace(features.bgp, peers=(wrong,)),
            only_assigned=False,
            qos=(QosShare("voice", "ef", 90, True), QosShare("video", "af41", 10, False)),
            vpns=(
                features.vpns[0],
                replace(features.vpns[1], rd=features.vpns[0].rd, imports=("64512:12", "64512:2"), zone="public"),
                features.vpns[3],
            ),
        ),
    )
    told = refusal(replace(workspace, plan=plan))
    for part in (
        "d01 GigabitEthernet0/0/8: expected a device of role city_core; found city_unit",
        "expected another address of 198.18.200.0/30; found neighbour 203.0.113.1",
        "expected at most 95 percent together; found 100 percent",
        "vrfs: DA: rd: expected one of its own; found 64512:11, which CZ has",
        "vrfs: DA: zone: expected department or internet for a VPN instance; found public",
        "vrfs: CZ: imports 64512:1: expected a target that some instance exports; found none exports it",
        "vrfs: DA: imports 64512:2: expected routes of zone public alone; found HLW of zone internet",
        "routing.bgp: expected only_assigned: true",
    ):
        assert part in told


@pytest.mark.parametrize(("frequency_s", "is_told"), [(20, True), (21, False)])
def test_a_round_of_echoes_ends_before_the_next_begins(frequency_s: int, *, is_told: bool) -> None:
    workspace = full_workspace("huawei_ar")
    features = replace(workspace.plan.features, probe=ProbeProfile(frequency_s, 5))
    plan = replace(workspace.plan, features=features)
    told = [f"{finding.what}: {finding.expected}; {finding.found}" for finding in find_unfit_features(plan, workspace.inventory)]
    assert told == (["probe: frequency_s above 20, as 5 echoes take 20 s; frequency_s: 20"] if is_told else [])


@pytest.mark.parametrize(("family", "word"), [("huawei_ar", "sha2-256"), ("huawei_ne", "sha2-256"), ("frr", "sha256")])
def test_the_digest_of_snmp_is_told_in_the_familys_own_word(family: str, word: str) -> None:
    workspace = small_workspace(family)
    plan = replace(workspace.plan, management=replace(workspace.plan.management, snmp_auth="sha256"))
    assert build_intents(replace(workspace, plan=plan))["core"].management.snmp_digest == word


@pytest.mark.parametrize(
    ("family", "opened"), [("huawei_ne", ["GigabitEthernet0/1/4"]), ("cisco_ios", ["GigabitEthernet0/4"]), ("huawei_ar", []), ("frr", [])]
)
def test_a_port_that_starts_shut_is_opened_for_the_lines_on_its_sub_interfaces(family: str, opened: list[str]) -> None:
    core = build_intents(small_workspace(family))["core"]
    assert [held.name for held in core.interfaces if held.kind == "divided"] == opened
    assert all(f"{name}." in " ".join(held.name for held in core.interfaces) for name in opened)
    assert not any(held.shutdown or held.addresses for held in core.interfaces if held.name in opened)
