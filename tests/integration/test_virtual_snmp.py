"""net-snmp reads the virtual devices and takes their notifications; what SSH changes, SNMP shows."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from app.edge.huawei import connect
from app.errors import LabError
from lab.virtual.agent import engine_of
from lab.virtual.device import DeviceSpec, Traffic
from lab.virtual.facts import SnmpUser
from lab.virtual.faults import SnmpFaults
from lab.virtual.network import Link, VirtualNetwork
from lab.virtual.simulation import Carrier, Service, free_port, served
from lab.virtual.snmp import Notify, allow_files
from tests.samples.server import wait_until

G = "GigabitEthernet0/0/"
AUTH, PRIV = "authpass-1", "privpass-1"
V2C = ("-v2c", "-c", "public")
USERS = (SnmpUser("poller", "sha", AUTH, "aes128", PRIV), SnmpUser("poller256", "sha256", AUTH, "aes128", PRIV))


def v3(user: str = "poller", protocol: str = "SHA", secret: str = AUTH) -> tuple[str, ...]:
    return ("-v3", "-l", "authPriv", "-u", user, "-a", protocol, "-A", secret, "-x", "AES", "-X", PRIV)


def spec(name: str, contact: str, boot: str, root: bool = False) -> DeviceSpec:
    contacts = (IPv4Address(contact),)
    return DeviceSpec(name, "huawei_ar", (f"{G}0", f"{G}1"), contacts, boot, root, snmp_users=USERS, communities=("public",))


def pair() -> VirtualNetwork:
    """Return a core and a unit with one line between them."""
    home = "interface LoopBack0\n ip address 10.9.0.1 32\n"
    core = spec("core", "10.9.0.1", f"{home}interface {G}0\n ip address 10.0.0.1 30\n", root=True)
    unit = spec("unit", "10.0.0.2", f"interface {G}0\n ip address 10.0.0.2 30\n description TO:core L:X-1\n")
    return VirtualNetwork((core, unit), (Link("core", f"{G}0", "unit", f"{G}0", "X-1"),))


@contextmanager
def on_air(network: VirtualNetwork, notify: Notify | None = None) -> Iterator[Carrier]:
    service = Service({"netops": "not-a-secret-1"}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM), notify=notify)
    with served(network, service) as carrier:
        yield carrier


@pytest.fixture
def carrier(require_program: Callable[..., None]) -> Iterator[Carrier]:
    require_program("snmpget", "snmpwalk", "snmpbulkwalk")
    with on_air(pair()) as carrier:
        yield carrier


def snmp(
    carrier: Carrier, program: str, name: str, *oids: str, how: tuple[str, ...] = V2C, wait_s: int = 30
) -> subprocess.CompletedProcess[str]:
    """Ask by a program of net-snmp, once, and wait so long: briefly where no answer may come."""
    target = f"{carrier.network.addresses_of(name)[0]}:{carrier.simulation.service.snmp_port}"
    return subprocess.run([program, "-t", str(wait_s), "-r", "0", "-On", *how, target, *oids], capture_output=True, text=True, timeout=90)


@pytest.mark.parametrize("how", [V2C, v3(), v3("poller256", "SHA-256")], ids=["v2c", "v3-sha", "v3-sha256"])
def test_snmpget_reads_names_and_counters(carrier: Carrier, how: tuple[str, ...]) -> None:
    began_s = time.time()
    carrier.call(lambda: setattr(carrier.network, "clock", lambda: began_s))
    carrier.call(lambda: carrier.network.set_traffic("unit", f"{G}0", Traffic(in_bps=80e6)))
    carrier.call(lambda: setattr(carrier.network, "clock", lambda: began_s + 5))
    found = snmp(carrier, "snmpget", "unit", ".1.3.6.1.2.1.31.1.1.1.18.1", ".1.3.6.1.2.1.31.1.1.1.6.1", how=how)
    assert 'STRING: "TO:core L:X-1"' in found.stdout
    counted = re.search(r"Counter64: (\d+)", found.stdout)
    assert counted is not None
    assert int(counted[1]) == 50_000_000


def test_all_three_walks_of_net_snmp_see_the_same_names(carrier: Carrier) -> None:
    def names(program: str, how: tuple[str, ...]) -> list[str]:
        found = snmp(carrier, program, "core", ".1.3.6", how=how)
        assert found.returncode == 0, found.stderr
        return [line.split(" = ")[0] for line in found.stdout.splitlines() if " = " in line and "No more variables" not in line]

    walked = names("snmpwalk", V2C)
    assert len(walked) == len(set(walked)) > 50
    assert names("snmpbulkwalk", V2C) == walked
    assert names("snmpbulkwalk", v3()) == walked


def test_wrong_secrets_are_told_and_a_wrong_community_is_not(carrier: Carrier) -> None:
    assert "Authentication failure" in snmp(carrier, "snmpget", "core", ".1.3.6.1.2.1.1.5.0", how=v3(secret="otherpass-1")).stderr
    assert "Unknown user name" in snmp(carrier, "snmpget", "core", ".1.3.6.1.2.1.1.5.0", how=v3("nobody")).stderr
    assert "Timeout" in snmp(carrier, "snmpget", "core", ".1.3.6.1.2.1.1.5.0", how=("-v2c", "-c", "private"), wait_s=1).stderr


def test_a_shutdown_typed_over_ssh_is_seen_over_snmp_at_both_ends(carrier: Carrier) -> None:
    admin, oper = ".1.3.6.1.2.1.2.2.1.7.1", ".1.3.6.1.2.1.2.2.1.8.1"
    assert snmp(carrier, "snmpget", "core", oper).stdout.endswith("INTEGER: 1\n")
    with connect(
        device_type="huawei",
        host=carrier.network.addresses_of("core")[0],
        port=carrier.simulation.service.ssh_port,
        username="netops",
        password="not-a-secret-1",
    ) as device:
        device.send_config_set([f"interface {G}0", "shutdown"], error_pattern="Error:")
        near = snmp(carrier, "snmpget", "core", admin, oper).stdout
        assert near.count("INTEGER: 2") == 2
        assert "Timeout" in snmp(carrier, "snmpget", "unit", oper, wait_s=1).stderr
        assert not carrier.call(lambda: carrier.network.is_up("unit", f"{G}0"))
        device.send_config_set([f"interface {G}0", "undo shutdown"], error_pattern="Error:")
    assert snmp(carrier, "snmpget", "unit", admin, oper).stdout.count("INTEGER: 1") == 2


@pytest.mark.parametrize(("kind", "sign"), [
    ("dead", "Timeout"),
    ("wrong_request_id", "Timeout"),
    ("truncated", "Timeout"),
    ("general_error", "genError"),
])  # fmt: skip
def test_net_snmp_notices_an_agents_faults(carrier: Carrier, kind: str, sign: str) -> None:
    carrier.call(lambda: carrier.network.set_faults("core", snmp=SnmpFaults(kind)))
    assert sign in snmp(carrier, "snmpget", "core", ".1.3.6.1.2.1.1.5.0", wait_s=1 if sign == "Timeout" else 30).stderr


def test_noise_before_the_answer_does_no_harm(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("core", snmp=SnmpFaults("noise")))
    assert '"core"' in snmp(carrier, "snmpget", "core", ".1.3.6.1.2.1.1.5.0").stdout


def test_net_snmp_stops_at_a_looping_agent(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("core", snmp=SnmpFaults("looping")))
    assert "OID not increasing" in snmp(carrier, "snmpwalk", "core", ".1.3.6.1.2.1").stderr


def test_a_stray_answer_comes_from_another_address(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("core", snmp=SnmpFaults("wrong_source")))
    address = carrier.network.addresses_of("core")[0]
    request = bytes.fromhex("302602010104067075626c6963a019020107020100020100300e300c06082b060102010105000500")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(60)
        asker.bind(("127.0.0.1", 0))
        asker.sendto(request, (address, carrier.simulation.service.snmp_port))
        payload, source = asker.recvfrom(65535)
    assert payload
    assert source != (address, carrier.simulation.service.snmp_port)


@contextmanager
def receiver(folder: Path, lines: list[str]) -> Iterator[tuple[int, Path]]:
    """Run net-snmp's snmptrapd on a loopback port; yield the port and the file it writes."""
    port, log = free_port(socket.SOCK_DGRAM), folder / "traps.txt"
    (folder / "snmptrapd.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["snmptrapd", "-f", "-n", "-C", "-c", str(folder / "snmptrapd.conf"), "-On", "-F", "%b %P %v\\n", "-Lf", str(log)]
    environment = {"SNMP_PERSISTENT_DIR": str(folder / "state"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MIBS": ""}
    process = subprocess.Popen([*command, f"udp:127.0.0.1:{port}"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: log.exists() and "NET-SNMP version" in log.read_text(encoding="utf-8"), 60, "snmptrapd")
        yield port, log
    finally:
        process.terminate()
        process.wait(60)


def wait_for(words: str, log: Path) -> None:
    wait_until(lambda: words in log.read_text(encoding="utf-8"), 60, f"{words} at the receiver")


@pytest.mark.parametrize("inform", [False, True], ids=["trap", "inform"])
@pytest.mark.parametrize("version", ["2c", "3"])
def test_snmptrapd_takes_link_notifications(
    tmp_path: Path, require_program: Callable[..., None], version: str, inform: bool
) -> None:
    require_program("snmptrapd")
    network = pair()
    engine = engine_of(network.devices["core"]).hex()
    user = f'poller SHA "{AUTH}" AES "{PRIV}"'
    lines = ["authCommunity log public", f"createUser {user}", f"createUser -e 0x{engine} {user}", "authUser log poller authPriv"]
    with receiver(tmp_path, lines) as (port, log):
        notify = Notify("127.0.0.1", port, version=version, inform=inform, community="public", timeout_s=20)
        with on_air(network, notify) as carrier:
            carrier.call(lambda: network.load("core", f"interface {G}0\n shutdown\n"))
            wait_for("1.3.6.1.6.3.1.1.5.3", log)
            carrier.call(lambda: network.load("core", f"interface {G}0\n undo shutdown\n"))
            wait_for("1.3.6.1.6.3.1.1.5.4", log)
            time.sleep(0.2)
            assert carrier.simulation.notifier is not None
            assert carrier.simulation.notifier.unanswered == 0
        text = log.read_text(encoding="utf-8")
        assert f".1.3.6.1.2.1.2.2.1.2.1 = STRING: \"{G}0\"" in text
        assert network.addresses_of("core")[0] in text


def test_a_device_behind_the_cut_sends_nothing_until_the_line_is_back(tmp_path: Path, require_program: Callable[..., None]) -> None:
    require_program("snmptrapd")
    network = pair()
    unit = network.addresses_of("unit")[0]
    with (
        receiver(tmp_path, ["authCommunity log public"]) as (port, log),
        on_air(network, Notify("127.0.0.1", port, version="2c", community="public")) as carrier,
    ):
        carrier.call(lambda: network.cut(network.links[0]))
        wait_for("1.3.6.1.6.3.1.1.5.3", log)
        time.sleep(0.2)
        assert unit not in log.read_text(encoding="utf-8")
        carrier.call(lambda: network.heal(network.links[0]))
        wait_for(unit, log)


def test_notifications_go_to_loopback_only() -> None:
    with pytest.raises(LabError, match=r"192\.0\.2\.1.*127\.0\.0\.0/8"), on_air(pair(), Notify("192.0.2.1", 162)):
        pass


def test_a_taken_port_is_named() -> None:
    network = pair()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind((network.addresses_of("core")[0], 0))
        taken = holder.getsockname()[1]
        service = Service({}, ssh_port=free_port(), snmp_port=taken)
        with pytest.raises(LabError, match=f"{taken}: virtual SNMP: expected a free port"), served(network, service):
            pass


def test_more_agents_than_files_may_be_open_are_refused_at_the_start() -> None:
    with pytest.raises(LabError, match="open files"):
        allow_files(10**9)
