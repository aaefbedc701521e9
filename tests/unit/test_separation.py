"""Separation: five proofs over configurations and tables; a breach fails, what was not seen proves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.separation import Evidence, Proof, prove_separation
from app.core.workspace import Workspace
from app.edge.evidence_files import read_evidence
from app.edge.templates import read_templates
from app.workflows.render import render
from tests.golden.render.workspace import small_workspace

ROOT = Path(__file__).parents[2]
ARP = "IP ADDRESS      MAC ADDRESS     EXPIRE(M) TYPE   INTERFACE\n198.18.4.1      00e0-fc12-3456  18        D-0    GE0/0/1\n"
ROUTES = "Destination/Mask    Proto   Pre  Cost  NextHop     Interface\n198.18.12.0/29  OSPF  10  2  198.18.4.1  GE0/0/1\n"
HEADING = "Local Intf  Neighbor Dev  Neighbor Intf  Exptime\n"


def lldp(intent: DeviceIntent) -> str:
    """Return what a device sees first of its lines."""
    port = next(port for port in intent.interfaces if port.far_device)
    return f"{HEADING}{port.name.replace('GigabitEthernet', 'GE').partition('.')[0]}  {port.far_device}  GE0/0/1  97\n"


@cache
def ground() -> tuple[Workspace, Mapping[str, Evidence]]:
    workspace = small_workspace("huawei_ar", switch=True)
    intents, texts = build_intents(workspace), render(workspace, read_templates(ROOT))
    tables = {"arp": ARP, "routes": ROUTES}
    return workspace, {name: Evidence(intent, texts[name], {**tables, "lldp": lldp(intent)}) for name, intent in intents.items()}


def proofs(**changed: Evidence) -> dict[str, Proof]:
    workspace, evidence = ground()
    return {proof.proof_id: proof for proof in prove_separation(workspace, {**evidence, **changed})}


def with_line(device: str, line: str) -> Evidence:
    held = ground()[1][device]
    return replace(held, running=f"{held.running}{line}\n#\n")


def with_row(device: str, kind: str, row: str) -> Evidence:
    held = ground()[1][device]
    return replace(held, tables={**held.tables, kind: held.tables[kind] + row + "\n"})


def test_a_network_as_planned_passes_every_proof_and_names_the_lines_that_it_rests_on() -> None:
    for proof in proofs().values():
        assert (proof.proof_id, proof.verdict, proof.unseen) == (proof.proof_id, "pass", ())
        assert proof.exhibits


@pytest.mark.parametrize(
    ("proof_id", "device", "line"),
    [
        ("inner-network", "u01", "ip route-static 10.7.0.0 255.255.0.0 198.18.4.13"),
        ("inner-network", "core", "interface GigabitEthernet0/0/30\n ip address 172.31.0.1 255.255.255.0"),
        ("one-exit", "u01", "interface GigabitEthernet0/0/7\n nat outbound 2000"),
        ("one-exit", "d01", "ip route-static 0.0.0.0 0.0.0.0 198.18.8.30"),
        ("assigned-only", "t01", "interface GigabitEthernet0/0/31\n ip address 198.18.99.1 255.255.255.0"),
        ("wireless", "u01", "interface Wlan-Radio0/0/0"),
        ("own-lines", "t01", "interface GigabitEthernet0/0/31\n ip address 198.18.99.1 255.255.255.0"),
    ],
)
def test_a_line_of_a_configuration_that_breaks_a_proof_is_shown(proof_id: str, device: str, line: str) -> None:
    proof = proofs(**{device: with_line(device, line)})[proof_id]
    assert proof.verdict == "fail"
    (shown,) = [one for one in proof.exhibits if one.device == device]
    assert (shown.source, shown.text in [part.strip() for part in line.splitlines()]) == ("configuration", True)


@pytest.mark.parametrize(
    ("proof_id", "kind", "row"),
    [
        ("inner-network", "routes", "10.20.0.0/16  OSPF  10  3  198.18.4.14  GE0/0/2"),
        ("inner-network", "arp", "192.168.1.1  00e0-fc00-0001  20  D-0  GE0/0/7"),
        ("assigned-only", "routes", "198.18.77.0/24  OSPF  10  3  198.18.4.14  GE0/0/2"),
        ("wireless", "lldp", "GE0/0/7  TP-LINK_5G  eth0  100"),
        ("own-lines", "lldp", "GE0/0/8  strangers-router  GE0/0/1  100"),
        ("own-lines", "lldp", "GE0/0/8  d01  GE0/0/7  100"),
        ("one-exit", "routes", "0.0.0.0/0  Static  60  0  RD  202.96.0.1  GE0/0/9"),
        ("one-exit", "routes", "0.0.0.0/0  OSPF  10  2  D  198.18.4.14  GE0/0/4.102"),
    ],
)
def test_a_row_of_a_table_that_breaks_a_proof_is_shown_with_its_number(proof_id: str, kind: str, row: str) -> None:
    proof = proofs(county02=with_row("county02", kind, row))[proof_id]
    assert proof.verdict == "fail"
    assert [(one.device, one.source, one.line, one.text) for one in proof.exhibits] == [("county02", kind, 3, row)]


def test_two_default_routes_at_the_core_are_two_exits_and_one_is_one() -> None:
    one = "ip route-static 0.0.0.0 0.0.0.0 198.18.200.1"
    assert proofs(core=with_line("core", one))["one-exit"].verdict == "pass"
    two = proofs(core=with_line("core", f"{one}\nip route-static 0.0.0.0 0.0.0.0 198.18.201.1"))["one-exit"]
    assert (two.verdict, len(two.exhibits)) == ("fail", 2)


def test_a_default_route_up_the_tree_is_no_exit_and_two_ways_at_the_core_are() -> None:
    up = "0.0.0.0/0  OSPF  10  2  D  198.18.4.1  GE0/0/1"
    assert proofs(county02=with_row("county02", "routes", up))["one-exit"].verdict == "pass"
    one = "0.0.0.0/0  Static  60  0  RD  202.96.0.1  GE0/0/9"
    assert proofs(core=with_row("core", "routes", one))["one-exit"].verdict == "pass"
    two = with_row("core", "routes", f"{one}\n           Static  60  0  RD  202.96.0.5  GE0/0/9")
    assert proofs(core=two)["one-exit"].verdict == "fail"


def test_a_table_that_was_refused_is_unseen_with_the_reason() -> None:
    held = ground()[1]["d01"]
    refused = replace(held, tables={"arp": ARP, "routes": ROUTES}, missing={"lldp": "Error: off"})
    assert proofs(d01=refused)["own-lines"].unseen == ("d01: lldp (Error: off)",)


def test_without_a_table_a_proof_that_needs_it_is_not_proven_and_says_which() -> None:
    held = ground()[1]["d01"]
    found = proofs(d01=replace(held, tables={"arp": ARP, "routes": ROUTES}))
    assert found["own-lines"].verdict == found["wireless"].verdict == "not_proven"
    assert found["own-lines"].unseen == ("d01: lldp",)
    assert found["assigned-only"].verdict == "pass"


def test_a_device_that_was_not_read_leaves_every_proof_open_but_a_breach_still_fails() -> None:
    held = ground()[1]["d01"]
    found = proofs(d01=replace(held, running=None))
    assert {proof.verdict for proof in found.values()} == {"not_proven"}
    broken = proofs(d01=replace(held, running=None), u01=with_line("u01", "interface Wlan-Radio0/0/0"))
    assert broken["wireless"].verdict == "fail"


def test_without_any_device_nothing_is_proven() -> None:
    assert {proof.verdict for proof in prove_separation(ground()[0], {})} == {"not_proven"}


def test_an_empty_table_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "core.arp").write_text("\n \n", encoding="utf-8")
    (tmp_path / "core.lldp").write_text(HEADING, encoding="utf-8")
    (tmp_path / "core.routes").write_bytes(b"\xff\xfe")
    assert read_evidence(tmp_path, ["core", "d01"]) == {"core": {"lldp": HEADING}}
