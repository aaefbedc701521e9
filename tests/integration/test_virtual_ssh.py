"""Drivers that are not ours push to the virtual devices, read back and save."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from netmiko import ConnectHandler, NetmikoAuthenticationException
from netmiko.exceptions import ConfigInvalidException, NetmikoTimeoutException, ReadTimeout

from app.edge.huawei import connect
from lab.virtual.deeds import config_text
from lab.virtual.device import DeviceSpec
from lab.virtual.faults import SshFaults
from lab.virtual.network import Link, VirtualNetwork
from lab.virtual.simulation import Carrier, Service, free_port, served
from tests.samples.server import wait_until

PASSWORD = "not-a-secret-1"
G = "GigabitEthernet0/0/"
FLEET = (
    DeviceSpec("V5-AR", "huawei_ar", (f"{G}0", f"{G}1")),
    DeviceSpec("V5-S", "huawei_s", (f"{G}1",)),
    DeviceSpec("V8-NE", "huawei_ne", (f"{G}0", f"{G}1")),
    DeviceSpec("H3C-1", "h3c_msr", ("GigabitEthernet0/0", "GigabitEthernet0/1")),
    DeviceSpec("IOS-1", "cisco_ios", ("GigabitEthernet0/0",)),
    DeviceSpec("FRR-1", "frr", ("eth1",)),
)


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with served(VirtualNetwork(FLEET), service()) as carrier:
        yield carrier


def service() -> Service:
    return Service({"netops": PASSWORD}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM))


def login(carrier: Carrier, name: str, device_type: str, driver: Callable[..., Any] = ConnectHandler, **more: Any) -> Any:
    """Log in by netmiko's own driver, or by ours where the test is about the device and need not sleep with netmiko's."""
    patience = {"conn_timeout": 60, "banner_timeout": 60, "auth_timeout": 60, "read_timeout_override": 60}
    options: dict[str, Any] = {"password": PASSWORD, **patience, **more}
    return driver(
        host=carrier.network.addresses_of(name)[0],
        port=carrier.simulation.service.ssh_port,
        username="netops",
        device_type=device_type,
        **options,
    )


def running_text(carrier: Carrier, name: str) -> str:
    device = carrier.network.devices[name]
    return carrier.call(lambda: config_text(device.grammar, device.state.running))


def test_netmiko_huawei_pushes_reads_back_and_saves_on_vrp5(carrier: Carrier) -> None:
    with login(carrier, "V5-AR", "huawei") as device:
        lines = [f"interface {G}1", "description TO:core L:X-1", "ip address 10.1.0.2 30", "qos car inbound cir 10240"]
        device.send_config_set(lines, error_pattern="Error:")
        text = device.send_command("display current-configuration")
        assert " ip address 10.1.0.2 255.255.255.252" in text
        assert "qos car inbound cir 10240 cbs 1925120 pbs 3205120" in text


def test_netmiko_huawei_saves_once_a_file_name_was_given(carrier: Carrier) -> None:
    state = carrier.network.devices["V5-AR"].state
    assert state.saved is None
    with login(carrier, "V5-AR", "huawei") as device:
        device.send_command("save", expect_string=r"\[Y/N\]")
        device.send_command("Y", expect_string="file name")
        device.send_command("vrpcfg.zip", expect_string=">")
        device.send_config_set(["stelnet server enable"], error_pattern="Error:")
        assert "successfully" in device.save_config()
    state = carrier.network.devices["V5-AR"].state
    assert state.saved == state.running


def test_netmiko_huawei_vrpv8_commits_and_saves(carrier: Carrier) -> None:
    lines = [f"interface {G}1", "undo portswitch", "ip address 10.1.0.2 30", "undo shutdown", "qos car cir 10240 inbound"]
    with login(carrier, "V8-NE", "huawei_vrpv8") as device:
        device.send_config_set(lines, error_pattern="Error:")
        assert "10.1.0.2" not in running_text(carrier, "V8-NE")
        device.commit()
        assert "qos car cir 10240 cbs 1914880 pbs 3205120 green pass yellow pass red discard inbound" in running_text(carrier, "V8-NE")
        device.save_config()
    assert carrier.network.devices["V8-NE"].is_admin_up(f"{G}1")


def test_netmiko_hp_comware_pushes_reads_back_and_saves(carrier: Carrier) -> None:
    with login(carrier, "H3C-1", "hp_comware") as device:
        lines = ["interface GigabitEthernet0/1", "ip address 10.1.0.2 30", "qos lr outbound cir 10240"]
        device.send_config_set(lines, error_pattern="%")
        assert "qos lr outbound cir 10240" in device.send_command("display current-configuration")
        assert "successfully" in device.save_config()
    state = carrier.network.devices["H3C-1"].state
    assert state.saved == state.running


@pytest.mark.parametrize(("name", "port", "address"), [
    ("IOS-1", "GigabitEthernet0/0", "10.1.0.2 255.255.255.252"),
    ("FRR-1", "eth1", "10.1.0.2/30"),
])
def test_netmiko_cisco_ios_pushes_reads_back_and_saves(carrier: Carrier, name: str, port: str, address: str) -> None:
    with login(carrier, name, "cisco_ios") as device:
        device.send_config_set([f"interface {port}", f"ip address {address}", "description TO:core"], error_pattern="% ")
        assert f" ip address {address}" in device.send_command("show running-config")
        assert "[OK]" in device.save_config()
    state = carrier.network.devices[name].state
    assert state.saved == state.running


def test_a_line_that_the_family_refuses_stops_the_push(carrier: Carrier) -> None:
    with login(carrier, "V5-AR", "huawei", connect) as device, pytest.raises(ConfigInvalidException, match="qos lr"):
        device.send_config_set([f"interface {G}1", "qos lr outbound cir 2048"], error_pattern="Error:")


def test_a_wrong_password_is_refused(carrier: Carrier) -> None:
    with pytest.raises(NetmikoAuthenticationException):
        login(carrier, "V5-AR", "huawei", password="wrong")


def test_a_device_told_to_refuse_passwords_refuses_the_right_one(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("V5-AR", ssh=SshFaults(refuse_password=True)))
    with pytest.raises(NetmikoAuthenticationException):
        login(carrier, "V5-AR", "huawei")


def test_a_hanging_device_answers_nothing_more(carrier: Carrier) -> None:
    device = login(carrier, "IOS-1", "cisco_ios")
    carrier.call(lambda: carrier.network.set_faults("IOS-1", ssh=SshFaults(hang_at=1)))
    device.read_timeout_override = 1.0
    with pytest.raises(ReadTimeout):
        device.send_command("show version", expect_string="#")
    device.remote_conn.get_transport().close()


def test_a_session_dropped_in_a_push_leaves_the_lines_before_it(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("IOS-1", ssh=SshFaults(drop_at=9)))
    device = login(carrier, "IOS-1", "cisco_ios")
    device.read_timeout_override = 10  # netmiko's own driver waits it out though the session is gone
    with pytest.raises(Exception, match=r"closed|EOF|Socket|timed|Pattern"):
        device.send_config_set(["interface Loopback0", *(f"description {number}" for number in range(9))])
    assert "interface Loopback0" in running_text(carrier, "IOS-1")
    device.disconnect()


def test_a_full_disk_saves_nothing(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("H3C-1", ssh=SshFaults(disk_full=True)))
    with login(carrier, "H3C-1", "hp_comware") as device:
        assert "not enough space" in device.save_config()
    assert carrier.network.devices["H3C-1"].state.saved is None


def test_an_unknown_question_waits_for_an_answer(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("V5-AR", ssh=SshFaults(ask_at=3)))
    with login(carrier, "V5-AR", "huawei", connect) as device:
        shown = ""
        for _ in range(4):
            shown = device.send_command("display version", expect_string=r"re-seated|>\s*$")
            if "re-seated" in shown:
                break
        assert "re-seated" in shown
        device.write_channel("n\ndisplay version\n")
        assert "uptime" in device.read_until_pattern("uptime")


def test_a_reboot_ends_sessions_and_loses_what_was_not_saved(carrier: Carrier) -> None:
    with login(carrier, "IOS-1", "cisco_ios") as device:
        device.send_config_set(["interface Loopback6", "description kept"])
        device.save_config()
        device.send_config_set(["interface Loopback7", "description lost"])
        carrier.call(lambda: carrier.network.reboot("IOS-1"))
        wait_until(lambda: not device.remote_conn.get_transport().is_active(), 60, "the end of the session")
    text = running_text(carrier, "IOS-1")
    assert "description kept" in text
    assert "Loopback7" not in text


def test_long_output_is_paged_until_paging_is_off(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.load("V5-AR", "\n".join(f"interface LoopBack{number}\n description x" for number in range(30))))
    with login(carrier, "V5-AR", "huawei", connect) as device:
        assert "More" not in device.send_command("display current-configuration")
        device.send_command("screen-length 24 temporary")
        assert "---- More ----" in device.send_command("display current-configuration", expect_string="---- More ----")
        device.write_channel("q")


def test_what_nobody_can_reach_does_not_listen(carrier: Carrier) -> None:
    place = (carrier.network.addresses_of("IOS-1")[0], carrier.simulation.service.ssh_port)
    carrier.call(lambda: carrier.network.power("IOS-1", on=False))
    wait_until(lambda: not listens(place), 60, "its listener to close")
    with pytest.raises(NetmikoTimeoutException):
        login(carrier, "IOS-1", "cisco_ios")
    carrier.call(lambda: carrier.network.power("IOS-1", on=True))
    wait_until(lambda: listens(place), 60, "its listener to open")
    login(carrier, "IOS-1", "cisco_ios").disconnect()


def listens(place: tuple[str, int]) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(place) == 0


def test_a_greeting_says_that_it_is_a_simulation(carrier: Carrier) -> None:
    with login(carrier, "IOS-1", "cisco_ios") as device:
        assert "SIMULATION" in device.send_command("show version")
        assert "simulation" in device.remote_conn.get_transport().remote_version


def test_a_device_that_cuts_its_own_way_falls_silent_and_speaks_again_when_the_way_is_back() -> None:
    home = f"interface LoopBack0\n ip address 10.9.0.1 32\ninterface {G}0\n ip address 10.0.0.1 30\n"
    away = f"interface {G}0\n ip address 10.0.0.2 30\n"
    network = VirtualNetwork(
        (
            DeviceSpec("core", "huawei_ar", (f"{G}0",), (IPv4Address("10.9.0.1"),), home, root=True),
            DeviceSpec("unit", "huawei_ar", (f"{G}0",), (IPv4Address("10.0.0.2"),), away),
        ),
        (Link("core", f"{G}0", "unit", f"{G}0"),),
    )
    with served(network, Service({"netops": PASSWORD}, ssh_port=free_port(), snmp_port=free_port())) as carrier:
        device = login(carrier, "unit", "huawei", connect)
        device.config_mode()
        device.write_channel(f"interface {G}0\nshutdown\n")
        device.read_timeout_override = 1.5
        with pytest.raises(ReadTimeout):
            device.read_until_pattern(r"shutdown\r?\n")
        wait_until(lambda: not listens((network.addresses_of("unit")[0], carrier.simulation.service.ssh_port)), 60, "its listener to close")
        with pytest.raises(NetmikoTimeoutException):
            login(carrier, "unit", "huawei", connect)
        carrier.call(lambda: network.load("unit", f"interface {G}0\n undo shutdown\n"))
        device.read_timeout_override = 60
        assert "shutdown" in device.read_until_pattern(r"shutdown\r?\n")
        device.remote_conn.get_transport().close()
