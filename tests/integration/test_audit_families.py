"""waiwang audit addresses over a device of every family: what was put there by hand is named, with device, interface, expected, found."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface

import pytest

from app.core.address_audit import AddressFinding
from app.errors import ExitCode
from app.workflows.address_audit import AddressReport, addresses
from app.workflows.hosts import open_driver, open_nornir
from tests.samples.mixed_city import FAMILIES, PLATFORMS, MixedCity, on_the_air, write_city
from tests.samples.small_city import ENVIRON, SECRETS

#: What an engineer types to give a port an address beside the planned one, and to take it back.
BESIDE = {
    "huawei_ne": "ip address {ip} {mask} sub",
    "huawei_ar": "ip address {ip} {mask} sub",
    "huawei_s": "ip address {ip} {mask} sub",
    "h3c_msr": "ip address {ip} {mask} sub",
    "h3c_s": "ip address {ip} {mask} sub",
    "cisco_ios": "ip address {ip} {mask} secondary",
    "frr": "ip address {prefix}",
}
#: One device of each family, and a port of it.
PLACES = {
    "city": "GigabitEthernet0/0/4",
    "county01-u01": "GigabitEthernet0/0/0",
    "county01-u01-sw": "Vlanif4000",
    "county02-u01": "GigabitEthernet0/0",
    "county02-u01-sw": "Vlan-interface4000",
    "county04-u02": "GigabitEthernet0/0",
    "county03-u01": "eth2",
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MixedCity]:
    with on_the_air(write_city(tmp_path_factory.mktemp("audit") / "city")) as city:
        yield city


def audit(city: MixedCity, *names: str) -> AddressReport:
    nornir = open_nornir(city.workspace, city.intents, city.settings, ENVIRON, workers=4)
    chosen = nornir.filter(filter_func=lambda host: host.name in names) if names else nornir
    return addresses(chosen, city.workspace, city.intents, city.gateway)


def by_hand(city: MixedCity, name: str, *lines: str) -> None:
    """Type configuration on a device over netmiko, as somebody else would."""
    intent = city.intents[name]
    host, port = city.carrier.simulation.ssh_endpoint(intent.contacts[0])
    account = {"username": intent.management.ssh_user, "password": SECRETS["ssh_password"]}
    driver = open_driver(device_type=PLATFORMS[intent.family], host=str(host), port=port, **account)
    try:
        answer = driver.send_config_set(list(lines))
        if intent.family == "huawei_ne":
            answer += driver.commit()
        assert "Error" not in answer, answer
        assert "%" not in answer, answer
    finally:
        driver.disconnect()


def typed(family: str, address: IPv4Interface) -> str:
    return BESIDE[family].format(ip=address.ip, mask=address.network.netmask, prefix=address)


def test_every_family_is_read_and_a_city_as_planned_has_no_findings(city: MixedCity) -> None:
    report = audit(city)
    assert (report.read, report.failures, report.findings, report.exit_code) == (len(FAMILIES), (), (), ExitCode.OK)
    assert {FAMILIES[name] for name in PLACES} == set(FAMILIES.values())


@pytest.mark.parametrize("name", PLACES)
def test_a_foreign_address_typed_by_hand_is_named_where_it_stands(city: MixedCity, name: str) -> None:
    port, family = PLACES[name], FAMILIES[name]
    foreign = IPv4Interface("198.19.200.1/24")
    planned = next(one for one in city.intents[name].interfaces if one.name == port).address
    line = typed(family, foreign)
    by_hand(city, name, f"interface {port}", line)
    try:
        report = audit(city, name)
    finally:
        by_hand(city, name, f"interface {port}", f"{'no' if family in ('frr', 'cisco_ios') else 'undo'} {line}")
    unit = city.workspace.inventory.devices[name].unit_id or ""
    route, address = report.findings
    assert address == AddressFinding(
        ("outside_slice", "unheld"), name, unit, port, str(foreign), str(planned), "in no pool of the plan"
    )
    assert (route.kinds, route.device, route.interface, route.found) == (("unheld_route",), name, port, "198.19.200.0/24")
    assert route.detail.startswith("1 of 1 devices route to it; here connected, ")
    assert report.exit_code is ExitCode.NOT_ACCEPTED


def test_another_s_address_is_named_as_held_by_the_other_and_as_an_overlap(city: MixedCity) -> None:
    theirs = next(port.address for port in city.intents["county01-u01"].interfaces if port.kind == "lan")
    assert theirs is not None
    by_hand(city, "county04-u02", "interface GigabitEthernet0/0", typed("cisco_ios", theirs))
    try:
        report = audit(city)
    finally:
        by_hand(city, "county04-u02", "interface GigabitEthernet0/0", f"no {typed('cisco_ios', theirs)}")
    found = {(one.kinds, one.device, one.interface, one.found): one.detail for one in report.findings}
    assert found == {
        (("outside_slice", "held_by_other"), "county04-u02", "GigabitEthernet0/0", str(theirs)): f"{theirs.network} is held by unit:C01U01",
        (("overlap",), "county04-u02", "GigabitEthernet0/0", str(theirs)): f"{theirs} stands on county01-u01 GigabitEthernet0/0/0",
    }


def test_an_address_that_was_taken_away_is_missing(city: MixedCity) -> None:
    lan = next(port for port in city.intents["county02-u01"].interfaces if port.kind == "lan")
    assert lan.address is not None
    by_hand(city, "county02-u01", f"interface {lan.name}", "undo ip address")
    try:
        (found,) = audit(city, "county02-u01").findings
    finally:
        by_hand(city, "county02-u01", f"interface {lan.name}", f"ip address {lan.address.ip} {lan.address.network.netmask}")
    assert (found.kinds, found.interface, found.found, found.expected) == (("missing",), lan.name, "none", str(lan.address))


def test_devices_behind_a_line_that_is_down_are_rows_and_the_others_are_judged(city: MixedCity) -> None:
    network = city.carrier.network
    line = network.link_at("county02", "GigabitEthernet0/1")
    city.carrier.call(lambda: network.cut(line))
    try:
        report, none = audit(city), audit(city, "county02")
    finally:
        city.carrier.call(lambda: network.heal(line))
    assert [(row.device, row.result) for row in report.failures] == [
        ("county02", "unreachable"),
        ("county02-u01", "unreachable"),
        ("county02-u01-sw", "unreachable"),
    ]
    assert (report.read, report.findings, report.exit_code) == (len(FAMILIES) - 3, (), ExitCode.DEVICE)
    assert (none.read, none.exit_code) == (0, ExitCode.DEVICE)
    for name in ("county02", "county02-u01", "county02-u01-sw"):
        city.gateway.connect(city.intents[name], 5.0).close()
