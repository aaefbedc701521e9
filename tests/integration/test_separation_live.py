"""Separation asked of devices over SSH: configuration, ARP, LLDP and routes of every family, as their virtual devices show them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.core.separation import KINDS, Proof
from app.core.shown_tables import read_routes
from app.errors import ExitCode
from app.workflows.audit import SeparationAudit, audit_configs, audit_separation, fetch_running
from lab.virtual.network import DeviceSpec, Link
from tests.samples.small_city import SmallCity, on_the_air, small, with_port

SPARE = "GigabitEthernet0/0/20"


def audited(city: SmallCity, *names: str) -> SeparationAudit:
    running = fetch_running(city.nornir(*names), city.intents, city.gateway, kinds=KINDS)
    return audit_separation(city.workspace, running, city.intents)


def proofs(audit: SeparationAudit) -> dict[str, Proof]:
    return {proof.proof_id: proof for proof in audit.proofs}


#: A dialled line gets its address from a far end that nobody plays.
UNPLAYED = {"t01"}
EVERY_PROOF = {"inner-network", "one-exit", "assigned-only", "wireless", "own-lines"}


@pytest.mark.parametrize("router", ["huawei_ar", "h3c_msr", "cisco_ios"])
def test_a_city_as_planned_is_proven_from_what_its_devices_show(router: str) -> None:
    workspace = small(router)
    with on_the_air(workspace) as city:
        audit = audited(city)
    assert {name: (proof.verdict, proof.unseen) for name, proof in proofs(audit).items()} == dict.fromkeys(EVERY_PROOF, ("pass", ()))
    assert all(proof.exhibits for proof in audit.proofs)
    assert audit.exit_code is ExitCode.OK


@pytest.mark.parametrize("router", ["huawei_ar", "huawei_ne", "h3c_msr", "cisco_ios"])
def test_vpns_and_everything_a_plan_may_ask_for_break_no_proof(router: str) -> None:
    """Nothing fails, every VPN's table is read, and what was not asked stays open."""
    workspace = small(router, full=True)
    with on_the_air(workspace) as city:
        running = fetch_running(city.nornir(*(set(city.intents) - UNPLAYED)), city.intents, city.gateway, kinds=KINDS)
        audit = audit_separation(city.workspace, running, city.intents)
    baseline = audit_configs(running, city.intents)
    assert [(result.device, result.check.check_id, result.breaches) for result in baseline.results if result.breaches] == []
    assert {proof.verdict for proof in audit.proofs} == {"not_proven"}
    assert {proof.unseen for proof in audit.proofs} == {tuple(f"{name}: configuration" for name in city.intents if name in UNPLAYED)}
    bound = {port.address.network for port in city.intents["core"].interfaces if port.vrf and port.address}
    shown = {route.prefix for route in read_routes(running.tables["core"]["routes"])}
    assert bound
    assert bound <= shown


def test_frr_shows_no_lldp_and_leaves_those_proofs_open_by_name() -> None:
    with on_the_air(small("frr")) as city:
        found = proofs(audited(city))
    assert {name: proof.verdict for name, proof in found.items()} == {
        "inner-network": "pass", "one-exit": "pass", "assigned-only": "pass", "wireless": "not_proven", "own-lines": "not_proven",
    }  # fmt: skip
    assert "core: lldp (family frr shows none)" in found["own-lines"].unseen


@pytest.fixture(scope="module")
def city() -> Iterator[SmallCity]:
    """A city with a stranger's router on the air at a port of u01 that no inventory knows. Tests put back what they change."""
    workspace = small("huawei_ar")
    stranger = DeviceSpec("home", "huawei_ar", ("GigabitEthernet0/0/1",), boot="sysname TP-LINK-5G\nlldp enable\n")
    line = Link("u01", SPARE, "home", "GigabitEthernet0/0/1", "self-laid")
    with on_the_air(workspace, strangers=[(stranger, line)], specs=with_port("u01", SPARE)) as city:
        city.carrier.call(lambda: city.carrier.network.cut(line))
        yield city


@contextmanager
def changed(city: SmallCity, name: str, text: str, back: str) -> Iterator[None]:
    city.load(name, text)
    try:
        yield
    finally:
        city.load(name, back)


def failing(audit: SeparationAudit) -> dict[str, list[tuple[str, str, str]]]:
    failed = (proof for proof in audit.proofs if proof.verdict == "fail")
    return {proof.proof_id: [(one.device, one.source, one.text) for one in proof.exhibits] for proof in failed}


def test_a_route_to_the_inner_network_fails_by_the_line_and_by_the_row_that_show_it(city: SmallCity) -> None:
    route = "ip route-static 10.7.0.0 255.255.0.0 198.18.4.13"
    with changed(city, "u01", f"{route}\n", f"undo {route}\n"):
        audit = audited(city)
    shown = failing(audit)["inner-network"]
    assert audit.exit_code is ExitCode.NOT_ACCEPTED
    assert {(device, source) for device, source, _ in shown} == {("u01", "configuration"), ("u01", "routes")}
    assert all("10.7.0.0" in text for _, _, text in shown)


def test_a_stranger_s_router_is_a_wireless_router_and_a_self_laid_line(city: SmallCity) -> None:
    network = city.carrier.network
    line = network.link_at("u01", SPARE)
    city.carrier.call(lambda: network.heal(line))
    try:
        found = failing(audited(city))
    finally:
        city.carrier.call(lambda: network.cut(line))
    assert set(found) == {"wireless", "own-lines"}
    for proof in found.values():
        ((device, source, text),) = proof
        assert (device, source, text.split()[:2]) == ("u01", "lldp", ["GE0/0/20", "TP-LINK-5G"])


def test_a_subnet_that_nobody_holds_is_found_where_it_is_configured_and_where_it_was_learnt(city: SmallCity) -> None:
    port = f"interface {SPARE}\n ip address 198.18.99.1 255.255.255.0\n"
    announced = "ospf 1\n area 0.0.0.2\n  {}network 198.18.99.0 0.0.0.255\n"
    line = city.carrier.network.link_at("u01", SPARE)
    with changed(city, "u01", port + announced.format(""), f"interface {SPARE}\n undo ip address\n" + announced.format("undo ")):
        city.carrier.call(lambda: city.carrier.network.heal(line))
        try:
            found = failing(audited(city))["assigned-only"]
        finally:
            city.carrier.call(lambda: city.carrier.network.cut(line))
    sources = {(device, source) for device, source, _ in found}
    assert {("u01", "configuration"), ("u01", "routes"), ("core", "routes"), ("d01", "routes")} <= sources


def test_a_second_way_out_at_the_core_fails(city: SmallCity) -> None:
    ways = [f"ip route-static 0.0.0.0 0.0.0.0 198.18.12.{host}" for host in (2, 10)]
    with changed(city, "core", f"{ways[0]}\n", f"undo {ways[0]}\n"):
        assert "one-exit" not in failing(audited(city))
        with changed(city, "core", f"{ways[1]}\n", f"undo {ways[1]}\n"):
            found = failing(audited(city))["one-exit"]
    assert {(device, source) for device, source, _ in found} == {("core", "configuration"), ("core", "routes")}


def test_a_device_that_is_cut_off_leaves_every_proof_open_and_is_named(city: SmallCity) -> None:
    network = city.carrier.network
    line = network.link_at("d01", "GigabitEthernet0/0/1")
    city.carrier.call(lambda: network.cut(line))
    try:
        audit = audited(city)
    finally:
        city.carrier.call(lambda: network.heal(line))
        city.gateway.connect(city.intents["d01"], 5.0).close()
    assert {(proof.verdict, proof.unseen) for proof in audit.proofs} == {("not_proven", ("d01: configuration",))}
    assert list(audit.unread) == ["d01"]
    assert audit.exit_code is ExitCode.DEVICE


def test_a_device_whose_lldp_is_off_says_so_in_its_own_words(city: SmallCity) -> None:
    with changed(city, "d01", "undo lldp enable\n", "lldp enable\n"):
        found = proofs(audited(city))["own-lines"]
    assert (found.verdict, found.unseen) == ("not_proven", ("d01: lldp (Error: Global LLDP is not enabled.)",))
