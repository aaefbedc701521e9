"""The inventory plugin: the same hosts for every script, and no way round the guard."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from nornir import InitNornir
from nornir.core.configuration import Config
from nornir_netmiko.tasks import netmiko_send_command

from app.core.intents import build_intents
from app.edge.files import read_workspace
from app.edge.ssh.access import Limits
from app.errors import InputError, UnsafeRoute
from app.settings import read_settings
from app.workflows.hosts import WaiwangInventory, open_gateway, open_nornir
from app.workflows.select import select

ROOT = Path(__file__).parents[3]
LAB = ROOT / "lab" / "workspace"
ENVIRON = {"WAIWANG_SECRET_SSH_PASSWORD": "never-printed"}


def lab_nornir(environ=ENVIRON):
    workspace, _ = read_workspace(LAB)
    return open_nornir(workspace, build_intents(workspace), read_settings(environ, LAB), environ, workers=2)


def test_the_entry_point_is_the_plugin() -> None:
    assert entry_points(group="nornir.plugins.inventory")["WaiwangInventory"].load() is WaiwangInventory


def test_a_script_gets_the_devices_of_the_directory_it_is_run_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(LAB)
    monkeypatch.delenv("WAIWANG_ROOT", raising=False)
    with InitNornir(config_file="nornir_config.yaml") as nornir:
        names = list(nornir.inventory.hosts)
    with InitNornir(config_file="nornir_config.yaml") as again:
        assert list(again.inventory.hosts) == names
    assert names[0] == "city"
    assert set(names) == set(read_workspace(LAB)[0].inventory.devices)


def test_the_environment_s_workspace_goes_before_the_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAIWANG_ROOT", str(LAB))
    assert "county01" in WaiwangInventory().load().hosts
    monkeypatch.delenv("WAIWANG_ROOT")
    assert "county01" in WaiwangInventory(root=str(LAB)).load().hosts
    assert "county01" in WaiwangInventory(root=str(LAB / "inventory")).load().hosts
    with pytest.raises(InputError, match="WAIWANG_ROOT"):
        WaiwangInventory().load()


def test_a_host_carries_the_facts_that_selections_use() -> None:
    host = lab_nornir().inventory.hosts["county01-u01"]
    line = read_workspace(LAB)[0].inventory.lines[host["line"]]
    assert (host["role"], host["depth"], host["family"], host["level"]) == ("urban_unit", "2", "frr", "county")
    assert (line.z_device, host["carrier"], host["service_class"]) == ("county01-u01", line.carrier, line.service_class)
    assert all(isinstance(value, str) for value in host.data.values())
    assert (host.platform, host.username, host.has_parent_group("cisco_ios")) == ("cisco_ios", "netops", True)


def test_a_selection_over_the_real_facts() -> None:
    chosen = select(lab_nornir(), terms=["role=county_agg"]).inventory.hosts
    assert list(chosen) == ["county01", "county02", "county03", "county04"]
    assert list(select(lab_nornir(), terms=["depth=0"]).inventory.hosts) == ["city"]


def test_a_host_holds_no_password() -> None:
    nornir = lab_nornir()
    shown = str(nornir.inventory.dict()) + repr(nornir.inventory.hosts)
    assert "never-printed" not in shown
    assert nornir.inventory.hosts["city"].password is None


def test_a_script_outside_the_lab_is_refused_before_anything_is_sent() -> None:
    host = lab_nornir().inventory.hosts["city"]
    for connection in ("netmiko", "napalm"):
        with pytest.raises(UnsafeRoute, match="Nothing was sent"):
            host.get_connection(connection, Config())
        with pytest.raises(UnsafeRoute, match="Nothing was sent"):
            host.open_connection(connection, Config(), hostname="127.0.0.1", port=9)


def test_an_illustration_is_not_contacted_by_any_script() -> None:
    workspace, _ = read_workspace(ROOT)
    intents = build_intents(workspace)
    assert workspace.plan.illustration
    nornir = open_nornir(workspace, intents, read_settings(ENVIRON, ROOT), ENVIRON, workers=2)
    first = next(iter(nornir.inventory.hosts))
    outcome = select(nornir, [first]).run(task=netmiko_send_command, command_string="display version", on_failed=True)
    assert isinstance(outcome[first][0].exception, UnsafeRoute)
    gateway = open_gateway(workspace.plan, read_settings(ENVIRON, ROOT), ENVIRON, limits=Limits(connect_s=0.1))
    router = next(intent for intent in intents.values() if intent.contacts)
    assert not gateway.is_practice(router)


@pytest.mark.parametrize("script", ["save_all.py", "ospf_neighbours.py", "push_line.py", "facts.py"])
def test_a_script_without_a_workspace_says_so_without_a_traceback(script: str, tmp_path: Path) -> None:
    (tmp_path / "nornir_config.yaml").write_bytes((LAB / "nornir_config.yaml").read_bytes())
    words = ["log syslog errors"] if script == "push_line.py" else []
    argv = [sys.executable, str(ROOT / "playbooks" / script), *words]
    done = subprocess.run(argv, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "expected a directory with inventory/" in done.stderr
    assert "Traceback" not in done.stderr
