"""Our netmiko drivers for Huawei against virtual VRP5 and VRP8, alone and through nornir."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from netmiko.exceptions import ConfigInvalidException, ReadTimeout
from netmiko.huawei.huawei import HuaweiSSH
from nornir import InitNornir
from nornir.core import Nornir
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir_netmiko import netmiko_save_config, netmiko_send_command, netmiko_send_config
from nornir_netmiko.connections import Netmiko

from app.edge.huawei import FastNetmiko, WaiwangHuawei, WaiwangHuaweiV8, connect, register_drivers
from app.workflows.hosts import WaiwangInventory
from lab.virtual.deeds import config_text
from lab.virtual.device import DeviceSpec
from lab.virtual.faults import SshFaults
from lab.virtual.network import VirtualNetwork
from lab.virtual.simulation import Carrier, Service, free_port, served

PASSWORD = "not-a-secret-1"
CITY = Path(__file__).parents[2] / "lab/virtual_city"
G1 = "GigabitEthernet0/0/1"
FAMILIES = {
    "V5": ("huawei_ar", "huawei"),
    "V5S": ("huawei_s", "huawei"),
    "V8": ("huawei_ne", "huawei_vrpv8"),
    "H3C": ("h3c_msr", "hp_comware"),
}


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    specs = [DeviceSpec(name, family, (G1,)) for name, (family, _) in FAMILIES.items()]
    service = Service({"netops": PASSWORD}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM))
    with served(VirtualNetwork(specs), service) as carrier:
        yield carrier


@pytest.fixture
def stock_again() -> Iterator[None]:
    """Leave nornir's plugins as they were."""
    yield
    ConnectionPluginRegister.available["netmiko"] = Netmiko


def login(carrier: Carrier, name: str, **more: Any) -> Any:
    return connect(
        device_type=FAMILIES[name][1],
        host=carrier.network.addresses_of(name)[0],
        port=carrier.simulation.service.ssh_port,
        username="netops",
        password=PASSWORD,
        **{"conn_timeout": 60, "banner_timeout": 60, "auth_timeout": 60, "read_timeout_override": 60, **more},
    )


def running_text(carrier: Carrier, name: str) -> str:
    device = carrier.network.devices[name]
    return carrier.call(lambda: config_text(device.grammar, device.state.running))


def test_vrp5_is_pushed_and_saved_for_the_first_time_without_a_wait_that_goes_by_the_clock(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """netmiko's own driver listens for silence, two seconds at a time, where this one reads prompts."""
    slept: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (slept.append(seconds), sleep(seconds))[1])
    monkeypatch.setattr(HuaweiSSH, "read_channel_timing", lambda *_, **__: pytest.fail("listened for silence"))
    with login(carrier, "V5") as device:
        assert isinstance(device, WaiwangHuawei)
        device.send_config_set([f"interface {G1}", "qos car inbound cir 2048", "description TO:core"], error_pattern="Error:")
        assert "saved successfully" in device.save_config()
    assert "qos car inbound cir 2048" in running_text(carrier, "V5")
    state = carrier.network.devices["V5"].state
    assert state.saved == state.running
    assert max(slept) <= 0.3


@pytest.mark.parametrize("name", ["V5", "V5S", "V8"])
def test_a_second_save_is_answered_too_whatever_the_caller_says_of_confirming(carrier: Carrier, name: str) -> None:
    with login(carrier, name) as device:
        device.save_config()
        device.send_config_set(["stelnet server enable"], error_pattern="Error:")
        if name == "V8":
            device.commit()
        device.save_config(confirm=False, confirm_response="")
    state = carrier.network.devices[name].state
    assert state.saved == state.running


def test_vrp8_commits_and_a_trial_returns_by_itself_unless_confirmed(carrier: Carrier) -> None:
    with login(carrier, "V8") as device:
        assert isinstance(device, WaiwangHuaweiV8)
        device.send_config_set([f"interface {G1}", "undo shutdown"], error_pattern="Error:")
        assert "undo shutdown" not in running_text(carrier, "V8")
        device.commit()
        assert "undo shutdown" in running_text(carrier, "V8")
        device.send_config_set([f"interface {G1}", "description on trial", "commit trial 60"], error_pattern="Error:")
        assert "description on trial" in running_text(carrier, "V8")
        clock = carrier.network.clock
        carrier.network.clock = lambda: clock() + 61
        carrier.call(carrier.network.tick)
        assert "description on trial" not in running_text(carrier, "V8")


def test_the_driver_knows_every_prompt_of_vrp(carrier: Carrier) -> None:
    with login(carrier, "V8") as device:
        assert not device.check_config_mode()
        device.config_mode()
        assert device.check_config_mode()
        device.write_channel("sysname changed\n")
        device.read_until_pattern(r"sysname changed[\s\S]*\]", read_timeout=60)
        assert device.check_config_mode()
        device.write_channel("clear configuration candidate\nreturn\n")
        device.read_until_pattern(r"return[\s\S]*>", read_timeout=60)
        assert not device.check_config_mode()


def test_a_refused_line_raises_and_the_lines_before_it_stand_on_vrp5(carrier: Carrier) -> None:
    with login(carrier, "V5") as device, pytest.raises(ConfigInvalidException, match="nonsense"):
        device.send_config_set(["stelnet server enable", "nonsense"], error_pattern="Error:")
    assert "stelnet server enable" in running_text(carrier, "V5")


def test_a_full_disk_is_told_by_the_output_of_the_save(carrier: Carrier) -> None:
    carrier.call(lambda: carrier.network.set_faults("V5", ssh=SshFaults(disk_full=True)))
    with login(carrier, "V5") as device:
        assert "Error: Failed to save" in device.save_config()
    assert carrier.network.devices["V5"].state.saved is None


def test_a_silent_device_does_not_look_like_one_in_the_system_view(carrier: Carrier) -> None:
    device = login(carrier, "V5")
    device.read_timeout_override = 1.0
    carrier.call(lambda: carrier.network.set_faults("V5", ssh=SshFaults(hang_at=1)))
    with pytest.raises(ReadTimeout):
        device.check_config_mode()
    device.remote_conn.get_transport().close()


def nornir_of(carrier: Carrier, folder: Path) -> Nornir:
    hosts = "".join(
        f"{name}: {{hostname: {carrier.network.addresses_of(name)[0]}, port: {carrier.simulation.service.ssh_port}, "
        f"platform: {platform}, username: netops, password: {PASSWORD}}}\n"
        for name, (_, platform) in FAMILIES.items()
    )
    (folder / "hosts.yaml").write_text(hosts, encoding="utf-8")
    options = {"host_file": str(folder / "hosts.yaml")}
    return InitNornir(
        inventory={"plugin": "SimpleInventory", "options": options},
        runner={"plugin": "threaded", "options": {"num_workers": 4}},
        logging={"enabled": False},
    )


def test_nornir_scripts_gain_the_drivers_with_the_platform_of_the_inventory(
    carrier: Carrier, tmp_path: Path, stock_again: None
) -> None:
    register_drivers()
    nornir = nornir_of(carrier, tmp_path)
    for name, driver in (("V5", WaiwangHuawei), ("V8", WaiwangHuaweiV8)):
        assert type(nornir.inventory.hosts[name].get_connection("netmiko", nornir.config)) is driver
    other = nornir.inventory.hosts["H3C"].get_connection("netmiko", nornir.config)
    assert not isinstance(other, HuaweiSSH)
    fives = nornir.filter(filter_func=lambda host: host.name in ("V5", "V5S"))
    pushed = fives.run(netmiko_send_config, config_commands=["stelnet server enable"], error_pattern="Error:")
    saved = fives.run(netmiko_save_config)
    shown = fives.run(netmiko_send_command, command_string="display current-configuration")
    assert not any(result.failed for result in (pushed, saved, shown))
    assert all("stelnet server enable" in result[0].result for result in shown.values())
    assert all(carrier.network.devices[name].state.saved for name in ("V5", "V5S"))
    nornir.close_connections()


def test_scripts_over_a_workspace_have_the_drivers_without_asking_for_them(carrier: Carrier, tmp_path: Path, stock_again: None) -> None:
    assert WaiwangInventory(str(CITY)).load().hosts
    nornir = nornir_of(carrier, tmp_path)
    assert type(nornir.inventory.hosts["V5"].get_connection("netmiko", nornir.config)) is WaiwangHuawei
    nornir.close_connections()


def test_the_drivers_survive_a_second_init_of_nornir(carrier: Carrier, tmp_path: Path, stock_again: None) -> None:
    nornir_of(carrier, tmp_path)
    register_drivers()
    nornir_of(carrier, tmp_path)
    assert ConnectionPluginRegister.available["netmiko"] is FastNetmiko
