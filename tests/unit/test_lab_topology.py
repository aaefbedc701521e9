"""The lab's topology and the files of its nodes, made from the lab's own workspace."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest
import yaml

from app.core.allocation import demands, plan_allocations
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.files.workspace import read_workspace
from app.edge.guard import LAB_BRIDGE, LAB_PREFIXES
from app.errors import LabError
from lab.nodes import prepare
from lab.prepare import Host, HostKey, host_files, known_hosts, make_host_key, make_secrets, password_hash, router_files, write_files
from lab.runner import find_link
from lab.topology import Topology, build_topology, format_topology, read_topology

ROOT = Path(__file__).parents[2]
WORKSPACE = ROOT / "lab" / "workspace"
FILE = ROOT / "lab" / "containerlab.yml"
SECRET = {"snmp_auth": "auth-word-1", "snmp_priv": "priv-word-1", "ssh_password": "login-word-1"}
KEY = HostKey("PRIVATE\n", "ssh-ed25519 PUBLIC")


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return read_workspace(WORKSPACE)[0]


@pytest.fixture(scope="module")
def topology() -> Topology:
    return read_topology(FILE)


@pytest.fixture(scope="module")
def intents(workspace: Workspace) -> dict[str, DeviceIntent]:
    return build_intents(workspace)


def files_of(intent: DeviceIntent, topology: Topology) -> dict[str, str]:
    return router_files(intent, "hostname x\n", topology.interfaces(intent.hostname), SECRET, KEY)


def test_the_committed_file_is_what_the_workspace_builds(workspace: Workspace, golden: Callable[[str, str], None]) -> None:
    golden("../../lab/containerlab.yml", format_topology(workspace))


def test_the_ledger_holds_what_planning_would_hand_out(workspace: Workspace) -> None:
    day = workspace.ledger[0].since
    change = plan_allocations(workspace.plan, workspace.ledger, demands(workspace.inventory), day)
    assert not change.changes
    assert not change.refused


def test_the_lab_numbers_itself_from_its_own_prefix_alone(workspace: Workspace) -> None:
    assert workspace.plan.national_block in LAB_PREFIXES
    assert not workspace.plan.illustration
    assert all(row.prefix.subnet_of(LAB_PREFIXES[0]) for row in workspace.ledger)


def test_the_lab_says_that_it_is_one(workspace: Workspace) -> None:
    assert workspace.order.simulation is not None
    assert "模拟" in workspace.order.simulation.note


def test_every_class_in_the_lab_has_a_short_trial_window_marked_as_a_default(workspace: Workspace) -> None:
    for service_class in workspace.order.classes.values():
        [trial] = [criterion for criterion in service_class.criteria if criterion.kind == "trial"]
        assert trial.window is not None
        assert trial.window.total_seconds() <= 20
        assert trial.source.default


def test_two_counties_have_a_backup_and_two_have_none(workspace: Workspace) -> None:
    lines = workspace.inventory.lines.values()
    counties = {device.name for device in workspace.inventory.devices.values() if device.role == "county_agg"}
    backed_up = {end for line in lines if line.role == "backup" for end in (line.a_device, line.z_device)}
    assert len(counties) == 4
    assert backed_up == {"county03", "county04"}


def test_every_aggregation_line_has_a_reserved_port_wired_at_both_ends(workspace: Workspace, topology: Topology) -> None:
    reserved = {link.line_id: link for link in topology.links if link.role == "reserved"}
    aggregation = [line for line in workspace.inventory.lines.values() if line.service_class == "agg_10m"]
    assert len(aggregation) == 4
    for line in aggregation:
        link = reserved[line.line_id]
        assert (link.a.interface, link.z.interface) == (line.a_reserved_interface, line.z_reserved_interface)


def test_no_port_is_wired_twice(topology: Topology) -> None:
    ends = [str(end) for link in topology.links for end in (link.a, link.z)]
    assert len(ends) == len(set(ends))


def test_an_adsl_link_has_two_rates_and_a_reserved_one_a_hundred_megabit() -> None:
    links = yaml.safe_load(FILE.read_text())["topology"]["links"]
    by_line = {(link["vars"].get("line"), link["vars"]["role"]): link["vars"] for link in links}
    assert (by_line["BZWW-D-0001", "primary"]["rate"], by_line["BZWW-D-0001", "primary"]["rate-up"]) == ("1024kbit", "512kbit")
    assert by_line["BZWW-A-0001", "reserved"]["rate"] == "100mbit"
    assert by_line["BZWW-A-0001", "primary"]["rate"] == "10240kbit"


def test_containerlab_gets_unprivileged_nodes_on_a_bridge_that_the_guard_knows() -> None:
    tree = yaml.safe_load(FILE.read_text())
    assert tree["mgmt"]["bridge"] == LAB_BRIDGE
    assert IPv4Network(tree["mgmt"]["ipv4-subnet"]) in LAB_PREFIXES
    assert tree["topology"]["defaults"]["privileged"] is False
    assert all("privileged" not in node for node in tree["topology"]["nodes"].values())
    boot = [IPv4Address(node["mgmt-ipv4"]) for node in tree["topology"]["nodes"].values()]
    assert len(set(boot)) == len(boot) == 25


def test_a_changed_rate_changes_the_topology(workspace: Workspace) -> None:
    faster = replace(workspace.order.classes["agg_10m"], configured_down_kbps=20480)
    order = replace(workspace.order, classes={**workspace.order.classes, "agg_10m": faster})
    assert build_topology(replace(workspace, order=order)) != build_topology(workspace)


@pytest.mark.parametrize(
    ("text", "found"),
    [(None, "No such file"), ("topology: [", "ParserError|ScannerError"), ("topology: {}", "KeyError"), ("[]", "TypeError")],
)
def test_a_broken_topology_file_is_named_with_the_next_step(tmp_path: Path, text: str | None, found: str) -> None:
    file = tmp_path / "containerlab.yml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(LabError, match=f"containerlab.yml: the lab's topology cannot be read: .*({found}).*make golden"):
        read_topology(file)


def test_a_line_is_found_by_its_id_and_by_its_two_ends(topology: Topology) -> None:
    link = find_link(topology, "BZWW-A-0002")
    assert (str(link.a), str(link.z)) == ("city:eth2", "county02:eth1")
    assert find_link(topology, "city:county02") == find_link(topology, "county02:city") == link
    assert find_link(topology, "county03:county04").role == "backup"


def test_a_reserved_link_is_never_cut_in_place_of_its_line(topology: Topology) -> None:
    turned = replace(topology, links=tuple(reversed(topology.links)))
    assert find_link(turned, "BZWW-A-0001").role == "primary"


def test_a_router_boots_with_its_bootstrap_text_and_nothing_of_the_rest(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    files = files_of(intents["county01"], topology)
    assert files["frr/frr.conf"] == "hostname x\n"
    told = {"waiwang/filter.nft", "snmp/snmpd.conf"}  # who may ask, and whom to notify: what a router cannot be deployed to say
    assert "198.18." not in "".join(text for name, text in files.items() if name not in told)
    assert set(re.findall(r"198\.18\.[\d.]+", files["snmp/snmpd.conf"])) == {"198.18.2.10"}


def test_a_port_sends_what_the_intent_commits_to(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    assert files_of(intents["county01-t01"], topology)["waiwang/rates"] == "eth1 512\n"
    rates = dict(line.split() for line in files_of(intents["county01"], topology)["waiwang/rates"].splitlines())
    assert rates == {"eth1": "10240", "eth2": "100000", "eth3": "2048", "eth4": "2048", "eth5": "1024", "eth6": "1024"}


def test_snmp_reports_the_nominal_speed_of_each_port(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    speeds = [line for line in files_of(intents["county01"], topology)["snmp/snmpd.conf"].splitlines() if line.startswith("interface ")]
    assert speeds[:3] == ["interface eth1 6 10000000", "interface eth2 6 100000000", "interface eth3 6 2000000"]


def test_snmp_takes_the_user_of_the_intent_with_authentication_and_privacy(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    text = files_of(intents["city"], topology)["snmp/snmpd.conf"]
    assert 'createUser poller SHA "auth-word-1" AES "priv-word-1"\nrouser poller authpriv\n' in text
    assert "community" not in text


def test_snmp_informs_the_monitoring_service_by_the_receiver_s_engine(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    text = files_of(intents["county01-t01"], topology)["snmp/snmpd.conf"]
    [session] = [line for line in text.splitlines() if line.startswith("trapsess")]
    assert "-Ci -v 3 -l authPriv -u poller " in session
    assert " -e 0x80004fb801c612020a " in session
    assert session.endswith(" 198.18.2.10:162")


def test_the_agent_asks_itself_by_a_user_of_its_own_with_a_key_of_its_own(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    keys = [re.findall(r'createUser agent_itself SHA "(.+)"', files_of(intents["city"], topology)["snmp/snmpd.conf"]) for _ in range(2)]
    assert keys[0] != keys[1]
    assert all(len(key) >= 24 for [key] in keys)


def test_each_router_has_an_engine_of_its_own(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    texts = [files_of(intent, topology)["snmp/snmpd.conf"] for intent in intents.values()]
    engines = {line for text in texts for line in text.splitlines() if line.startswith("exactEngineID")}
    assert len(engines) == len(intents) == 23


def test_ssh_and_snmp_are_let_in_from_the_intents_sources_alone(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    [source] = intents["city"].management.sources
    text = files_of(intents["city"], topology)["waiwang/filter.nft"]
    assert text.index(f"ip saddr {{ {source} }} accept") < text.index("tcp dport 22 drop") < text.index("udp dport 161 drop")


def test_the_login_password_is_kept_as_a_hash_alone(topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    files = files_of(intents["city"], topology)
    assert files["waiwang/login_hash"].startswith("$6$")
    assert "login-word-1" not in "".join(files.values())
    assert password_hash("one") != password_hash("one"), "salted"


def test_secrets_are_new_at_every_boot() -> None:
    first, second = make_secrets(), make_secrets()
    assert set(first) == {"snmp_auth", "snmp_priv", "ssh_password"}
    assert not set(first.values()) & set(second.values())
    assert all(len(value) >= 24 for value in first.values())


def test_known_hosts_names_every_contact_of_every_device(intents: dict[str, DeviceIntent]) -> None:
    keys = {name: make_host_key() for name in intents}
    rows = [row.split(" ", 1) for row in known_hosts(intents, keys).splitlines()]
    assert {address: key for address, key in rows} == {
        str(address): keys[name].public for name, intent in intents.items() for address in intent.contacts
    }
    assert all(key.startswith("ssh-ed25519 ") for _, key in rows)


def test_a_server_has_its_address_its_gateway_and_no_routing_daemon() -> None:
    files = host_files("exchange", ["eth1"], Host(IPv4Interface("198.18.2.2/29"), IPv4Address("198.18.2.1"), 8080))
    assert list(files) == ["waiwang/setup"]
    assert "ADDRESS='198.18.2.2/29'\nGATEWAY='198.18.2.1'\nPORT='8080'\n" in files["waiwang/setup"]


def test_files_with_secrets_are_written_for_root_alone(tmp_path: Path, topology: Topology, intents: dict[str, DeviceIntent]) -> None:
    write_files(tmp_path, files_of(intents["city"], topology))
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    loose = {file.relative_to(tmp_path).as_posix() for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077}
    assert loose == {"frr/frr.conf", "frr/vtysh.conf", "frr/daemons", "snmp/frr.conf"}


def test_every_node_of_the_topology_gets_files(workspace: Workspace, topology: Topology) -> None:
    files, secret, _hosts = prepare(workspace, WORKSPACE, topology)
    assert list(files) == list(topology.tiers)
    assert all(f"NAME='{node}'" in own["waiwang/setup"] for node, own in files.items())
    assert secret["snmp_auth"] in files["city"]["snmp/snmpd.conf"]
