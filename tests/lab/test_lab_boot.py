"""The lab itself: what boots, what can be reached before anything is deployed, what breaks and mends, what is left over."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from app.edge.guard import require_safe
from app.edge.templates import read_templates
from app.errors import LabError, UnsafeRoute
from app.workflows.render import render
from lab import runner
from lab.cli import app
from lab.handle import Lab
from lab.namespaces import LAST_METRIC
from lab.runner import LabOptions
from lab.state import find_state, is_alive
from tests.samples.server import free_port

pytestmark = pytest.mark.lab

GUARDED = """
import sys
from app.edge.guard import guard_all
guard_all(sys.argv[1:], illustration=False)
print("safe")
"""
LOGIN = """
import os, sys, yaml
from pathlib import Path
from netmiko import ConnectHandler
password = yaml.safe_load(Path(os.environ["WAIWANG_SECRETS_FILE"]).read_text())["ssh_password"]
with ConnectHandler(
    device_type="cisco_ios", host=sys.argv[1], username="netops", password=password,
    ssh_strict=True, alt_host_keys=True, alt_key_file=os.environ["WAIWANG_KNOWN_HOSTS"],
) as session:
    print(session.send_command("show running-config"))
    print(session.save_config("write memory", confirm=False))
"""
ANSWER_ONCE = """
import os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1"
client, _ = socket.socket(fileno=3).accept()
client.sendall(" ".join(name for _, name in socket.if_nameindex()).encode())
client.close()
"""


def until(true: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.1)
    return true()


def running_config(lab: Lab, node: str) -> str:
    said = lab.exec_in(node, ["vtysh", "-c", "show running-config"]).stdout
    return said[said.index("frr version") :].replace("\nagentx\n", "\n")  # the node's own line, of no configuration


def test_every_router_knows_its_bootstrap_text_and_no_more(lab: Lab) -> None:
    wanted = render(lab.workspace, read_templates(lab.root), bootstrap=True)
    assert {node: running_config(lab, node) for node in wanted} == wanted


def test_every_node_of_the_file_is_ready_and_every_wire_has_a_carrier(lab: Lab) -> None:
    rows = runner.status()
    assert len(rows) == len(lab.workspace.inventory.devices) + len(lab.workspace.inventory.services) == 25
    assert {row.state for row in rows} == {"ready"}
    assert all(all(row.ports.values()) for row in rows)


def test_every_wire_carries_frames_one_by_one(lab: Lab) -> None:
    for node in lab.state.nodes:
        ports = json.loads(lab.exec_in(node, ["ip", "-d", "-j", "link", "show", "type", "veth"]).stdout)
        assert ports
        assert {port["gso_max_segs"] for port in ports} == {1}, node


def test_before_anything_is_deployed_noc_reaches_the_city_alone(lab: Lab, require_program: Callable[..., None]) -> None:
    require_program("fping")
    contacts = {str(address): name for name, intent in lab.intents.items() for address in intent.contacts}
    alive = lab.in_noc(["fping", "-a", "-r", "2", "-t", "1000", *contacts]).stdout.split()
    assert {contacts[address] for address in alive} == {"city"}


def test_a_client_in_the_root_namespace_is_refused_and_has_no_route(lab: Lab) -> None:
    for address in ("198.18.2.9", "172.20.20.10"):
        with pytest.raises(UnsafeRoute, match="from outside the lab"):
            require_safe(address, illustration=False)
        asked = subprocess.run(["ip", "route", "get", address], capture_output=True, text=True)
        assert asked.returncode != 0, asked.stdout


def test_a_client_in_noc_is_let_through_by_the_guard(lab: Lab) -> None:
    contacts = [str(address) for intent in lab.intents.values() for address in intent.contacts]
    assert lab.python(GUARDED, *contacts).stdout == "safe\n"


def test_ssh_answers_with_the_key_and_the_password_that_were_made_at_boot(lab: Lab) -> None:
    city = str(lab.intents["city"].contacts[-1])
    said = lab.python(LOGIN, city)
    assert "hostname city" in said.stdout, said.stderr
    assert "[OK]" in said.stdout


def test_snmp_answers_the_intents_user_and_gives_the_speed_of_the_line(lab: Lab, require_program: Callable[..., None]) -> None:
    require_program("snmpget", "snmpwalk")
    secret = yaml.safe_load(lab.state.secrets_file.read_text())
    city = str(lab.intents["city"].contacts[-1])
    user = ["-v3", "-l", "authPriv", "-u", "poller", "-a", "SHA", "-A", secret["snmp_auth"], "-x", "AES", "-X", secret["snmp_priv"]]
    options = ["-m", "", "-Oqvt", "-Ln", *user, city]

    def high_speed(interface: str) -> str:
        names = lab.in_noc(["snmpwalk", *options, ".1.3.6.1.2.1.31.1.1.1.1"]).stdout.replace('"', "").split()
        index = names.index(interface) + 1
        return lab.in_noc(["snmpget", *options, f".1.3.6.1.2.1.31.1.1.1.15.{index}"]).stdout.strip()

    # The agent's first table is older than its own configuration; it is read again after 3 s.
    assert until(lambda: high_speed("eth1") == "10")
    assert high_speed("eth5") == "100", "the reserved port"
    assert high_speed("eth9") == "2"


def test_an_adsl_line_is_shaped_apart_in_each_direction(lab: Lab) -> None:
    line = lab.workspace.inventory.lines["BZWW-D-0001"]

    def rate_kbps(node: str, interface: str) -> int:
        said = lab.exec_in(node, ["tc", "-j", "qdisc", "show", "dev", interface]).stdout
        return int(json.loads(said)[0]["options"]["rate"]) * 8 // 1000

    assert rate_kbps(line.a_device, line.a_interface) == 1024
    assert rate_kbps(line.z_device, line.z_interface) == 512


def test_nobody_but_noc_may_ask_for_ssh(lab: Lab) -> None:
    """The city's service port for `exchange` is given by hand what a deployment would give it."""
    knock = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3]))"
    lab.exec_in("city", ["ip", "address", "add", "198.18.2.1/29", "dev", "eth11"])
    try:
        assert lab.exec_in("exchange", ["ping", "-c", "1", "-W", "2", "198.18.2.1"]).returncode == 0
        refused = lab.exec_in("exchange", ["python3", "-c", knock, "198.18.2.1", "22", "1"])
        assert "timed out" in refused.stderr, refused
    finally:
        lab.exec_in("city", ["ip", "address", "delete", "198.18.2.1/29", "dev", "eth11"])
    assert lab.python(knock, "198.18.2.9", "22", "60").returncode == 0


def test_the_exchange_server_answers_on_its_port(lab: Lab) -> None:
    fetch = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8080/', timeout=60).read().decode())"
    assert "exchange: simulated service" in lab.exec_in("exchange", ["python3", "-c", fetch]).stdout


def test_a_cut_takes_the_carrier_at_the_centre_and_healing_brings_it_back(lab: Lab) -> None:
    lab.cut("BZWW-A-0001")
    assert until(lambda: lab.status("city").ports["eth1"] is False)
    assert lab.status("city").ports["eth2"] is True
    [port] = json.loads(lab.exec_in("city", ["ip", "-j", "link", "show", "eth1"]).stdout)
    assert "UP" in port["flags"], "nobody shut the port at the centre: it lost its carrier"
    lab.heal("city:county01")
    assert until(lambda: lab.status("city").ports["eth1"] is True)


def test_a_silent_cut_keeps_the_carrier_and_nothing_arrives(lab: Lab) -> None:
    ends = (("city", "eth2", "198.19.255.1/30"), ("county02", "eth1", "198.19.255.2/30"))
    for node, interface, address in ends:
        lab.exec_in(node, ["ip", "address", "add", address, "dev", interface])
    ping = ["ping", "-c", "1", "-W", "1", "198.19.255.2"]
    assert lab.exec_in("city", ping).returncode == 0
    lab.cut("BZWW-A-0002", silent=True)
    assert lab.exec_in("city", ping).returncode == 1
    assert lab.status("city").ports["eth2"] is True
    lab.heal("BZWW-A-0002")
    assert lab.exec_in("city", ping).returncode == 0
    for node, interface, address in ends:
        lab.exec_in(node, ["ip", "address", "delete", address, "dev", interface])


def test_a_server_in_noc_is_reached_from_outside_through_the_socket_it_was_handed(lab: Lab) -> None:
    port = free_port()
    with runner.start_in_noc([sys.executable, "-c", ANSWER_ONCE], lab.environment, listen=("127.0.0.1", port)) as server:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            assert client.recv(1000).decode() == "lo eth1", "the interfaces of noc, not of this machine"
        assert server.wait(60) == 0


def test_secrets_are_for_root_alone_and_stand_in_no_other_file_of_the_lab(lab: Lab) -> None:
    secret = yaml.safe_load(lab.state.secrets_file.read_text())
    assert lab.state.secrets_file.stat().st_mode & 0o077 == 0
    assert sorted(secret) == ["snmp_auth", "snmp_priv", "ssh_password"]
    holding = {
        file.relative_to(lab.state.folder).as_posix()
        for file in lab.state.folder.rglob("*")
        if file.is_file() and any(value.encode() in file.read_bytes() for value in secret.values())
    }
    routers = [name for name in lab.intents]
    assert holding == {"secrets.yaml", *(f"nodes/{name}/upper/etc/snmp/snmpd.conf" for name in routers)}
    assert all((lab.state.folder / name).stat().st_mode & 0o077 == 0 for name in holding)


def test_a_second_lab_is_refused_while_one_is_up(lab: Lab) -> None:
    with pytest.raises(LabError, match="a lab is already up"):
        runner.up()
    assert all(map(is_alive, lab.state.nodes.values())), "and the one that is up stays"


def test_a_lab_with_another_folder_is_refused_as_well(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"namespaces with the lab's names exist already: .*noc"):
        runner.up(LabOptions(state_dir=tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_a_folder_that_holds_other_files_is_never_used_for_a_lab(lab: Lab, tmp_path: Path) -> None:
    kept = tmp_path / "mine" / "letter.txt"
    kept.parent.mkdir()
    kept.write_text("dear")
    with pytest.raises(LabError, match="files that are not the lab's"):
        runner.up(LabOptions(state_dir=kept.parent))
    assert kept.read_text() == "dear"


def test_an_unknown_node_or_line_is_named_with_what_there_is(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"county09: .* one of city, county01"):
        lab.exec_in("county09", ["true"])
    with pytest.raises(LabError, match=r"BZWW-X-1: no such line: expected a line id such as BZWW-A-0001"):
        lab.cut("BZWW-X-1")


def test_the_command_line_shows_the_lab_and_exits_as_the_command_inside_does(lab: Lab) -> None:
    command = CliRunner()
    shown = command.invoke(app, ["status", "--format", "json"])
    assert (shown.exit_code, len(json.loads(shown.stdout))) == (0, 25)
    assert command.invoke(app, ["exec", "city", "--", "sh", "-c", "exit 9"]).exit_code == 9
    assert command.invoke(app, ["exec", "noc", "--", "sh", "-c", 'test "$WAIWANG_ROOT" = "$0"', str(lab.root)]).exit_code == 0
    assert command.invoke(app, ["cut", "BZWW-B-0001"]).exit_code == 0
    assert until(lambda: lab.status("county03").ports["eth7"] is False)
    assert command.invoke(app, ["heal", "BZWW-B-0001"]).exit_code == 0
    assert isinstance(command.invoke(app, ["cut", "BZWW-X-1"]).exception, LabError)


def test_a_command_that_does_not_end_is_ended(lab: Lab) -> None:
    endless = ["sleep", "98765"]
    assert lab.exec_in("city", endless, timeout=0.5).returncode == 124
    assert until(lambda: lab.exec_in("city", ["pgrep", "-f", "-x", " ".join(endless)]).returncode == 1), "and nothing of it goes on"


def test_a_lab_that_somebody_else_booted_is_left_alone(lab: Lab) -> None:
    other = replace(lab.state, nodes={name: replace(process, started=process.started - 1) for name, process in lab.state.nodes.items()})
    assert runner.down(only=other) is False
    assert all(map(is_alive, lab.state.nodes.values()))
    assert find_state() == lab.state


def test_a_node_that_died_is_shown_dead_and_down_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    """The last test of this module: it ends the lab, and never one that somebody boots right after it."""
    os.kill(lab.state.nodes["county04-t02"].pid, signal.SIGKILL)
    assert until(lambda: lab.status("county04-t02").state == "dead")
    with pytest.raises(LabError, match="it is dead"):
        lab.exec_in("county04-t02", ["true"])
    assert runner.down(only=lab.state) is True
    assert not any(map(is_alive, lab.state.nodes.values()))
    assert find_state() is None
    assert not lab.state.folder.exists()
    assert CliRunner().invoke(app, ["down", "--state-dir", str(tmp_path / "none")]).exit_code == 0
    assert not [name.name for name in Path("/run/netns").iterdir() if name.name == "noc" or name.name.startswith("lab-")]
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert LAST_METRIC not in routes
    assert runner.down(only=lab.state) is False
    with pytest.raises(LabError, match="there is no lab"):
        runner.status(tmp_path / "none")
