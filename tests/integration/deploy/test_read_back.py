"""Tables asked of a real FRR over SSH, OSPF begun anew on it, and host keys of devices that answer at new addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.core.device_tables import QUESTIONS, HeldAddress
from app.core.dialects import DIALECTS, Dialect
from app.core.table_parsers import parse_tables
from app.edge.patch import patch
from app.edge.ssh.access import Access, Limits, Target
from app.edge.ssh.login import open_session
from app.errors import CommitRefused, DeviceError, LoginRefused
from tests.samples.server import wait_until

CONFIGURED = """
hostname frr-test
log syslog informational
!
ip route 198.18.9.0/29 Null0
!
interface eth1
 ip address 198.18.1.2/30
 ip address 198.19.1.2/30
 ip ospf area 0.0.0.0
exit
!
interface lo
 ip address 198.18.0.5/32
exit
!
router ospf
 ospf router-id 198.18.0.5
exit
!
end
"""
TARGET = Target("frr-test", "frr", "cisco_ios", (IPv4Address("198.18.0.1"),), "netops")


def access(fleet, password: str, known_hosts: Path | None = None) -> Access:
    return Access(lambda address: None, fleet.endpoint, SecretStr(password), str, known_hosts, Limits(login_s=60, read_s=60))


def bring_to(frr, text: str) -> None:
    if commands := patch("frr", frr.running(), text):
        frr.vtysh("configure terminal", *(command.text for command in commands))
    assert patch("frr", frr.running(), text) == ()


def test_every_question_is_answered_by_a_real_frr_and_its_answers_can_be_read(real_frr, frr_over_ssh) -> None:
    bring_to(real_frr, CONFIGURED)
    wait_until(lambda: "198.18.9.0/29" in real_frr.vtysh("show ip route static"), 60, "the static route to be installed")
    with open_session(TARGET, access(frr_over_ssh, frr_over_ssh.device.password)) as session:
        answers = {question: session.show(question) for question in QUESTIONS}
    tables = parse_tables("frr", "frr-test", session.address, answers)
    held = {(one.interface, one.address) for one in tables.addresses}
    assert {("eth1", IPv4Interface("198.18.1.2/30")), ("eth1", IPv4Interface("198.19.1.2/30"))} <= held
    assert HeldAddress("lo", IPv4Interface("198.18.0.5/32"), True) in tables.addresses
    assert {route.prefix: route.protocol for route in tables.routes}[IPv4Network("198.18.9.0/29")] == "static"
    assert (tables.router_id, tables.adjacencies) == (IPv4Address("198.18.0.5"), ())


def test_a_changed_router_id_takes_effect_when_ospf_is_restarted(real_frr, frr_over_ssh) -> None:
    bring_to(real_frr, CONFIGURED)
    real_frr.vtysh("configure terminal", "router ospf", "ospf router-id 198.19.0.5")
    with open_session(TARGET, access(frr_over_ssh, frr_over_ssh.device.password)) as session:
        session.restart_ospf()
        after = parse_tables("frr", "frr-test", session.address, {"router_id": session.show("router_id")})
    assert after.router_id == IPv4Address("198.19.0.5")


def test_a_question_that_a_device_refuses_or_its_family_does_not_know_is_an_error(real_frr, frr_over_ssh, monkeypatch) -> None:
    dialect = DIALECTS["frr"]
    other = Dialect(dialect.running, dialect.save, dialect.saved, dialect.refusal, dialect.ping, questions={"routes": "show nonsense"})
    monkeypatch.setitem(DIALECTS, "frr", other)
    with open_session(TARGET, access(frr_over_ssh, frr_over_ssh.device.password)) as session:
        with pytest.raises(DeviceError, match=r"read its routes \(show nonsense\).*Unknown command"):
            session.show("routes")
        with pytest.raises(CommitRefused, match="read its neighbours: expected a family that this version can ask; found frr"):
            session.show("neighbours")
        with pytest.raises(CommitRefused, match="restart OSPF"):
            session.restart_ospf()


def test_a_device_is_known_at_a_new_address_by_the_key_of_its_old_one_and_by_no_other(fleet, tmp_path: Path) -> None:
    old = fleet.add("r1", "first", "198.18.0.1", "hostname r1\n")
    known = fleet.known_hosts(tmp_path / "known_hosts")
    fleet.add("r1", old.password, "198.19.0.1", "hostname r1\n")
    new_first = Target("r1", "frr", "cisco_ios", (IPv4Address("198.19.0.1"), IPv4Address("198.18.0.1")), "netops")
    with open_session(new_first, access(fleet, old.password, known)) as session:
        assert session.address == IPv4Address("198.19.0.1")
    stranger = Target("r1", "frr", "cisco_ios", (IPv4Address("198.19.0.1"),), "netops")
    with pytest.raises(LoginRefused, match="host key"):
        open_session(stranger, access(fleet, old.password, known))
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINpl9xrr3Mn1wVLYpBuPNKuHZJIgpm0yJXSpGIxzM4YZ"
    host, port = fleet.endpoint(IPv4Address("198.18.0.1"))
    known.write_text(f"[{host}]:{port} {key}\n", encoding="ascii")
    with pytest.raises(LoginRefused, match="host key"):
        open_session(new_first, access(fleet, old.password, known))
