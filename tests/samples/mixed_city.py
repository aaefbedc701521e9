"""A city with a device of every family, as a workspace on disk and as virtual devices on the air."""

from __future__ import annotations

import csv
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.ssh.access import Limits
from app.edge.templates import read_templates
from app.settings import Settings, read_settings
from app.workflows.hosts import Gateway, open_gateway
from app.workflows.plan import plan
from app.workflows.render import render
from lab.virtual.city import VirtualCity
from lab.virtual.deeds import config_text
from lab.virtual.facts import SnmpUser
from lab.virtual.simulation import Carrier, Service, free_port, served
from lab.virtual.station import CITY
from tests.samples.small_city import ENVIRON, SECRETS, resolved

DAY = date(2008, 5, 1)
#: The devices that are kept of the virtual city, by their family here.
FAMILIES = {
    "city": "huawei_ne",
    "county01": "huawei_ar",
    "county01-u01": "huawei_ar",
    "county01-u01-sw": "huawei_s",
    "county02": "h3c_msr",
    "county02-u01": "h3c_msr",
    "county02-u01-sw": "h3c_s",
    "county03": "frr",
    "county03-u01": "frr",
    "county04": "cisco_ios",
    "county04-u02": "cisco_ios",
}
PLATFORMS = {
    "huawei_ne": "huawei_vrpv8",
    "huawei_ar": "huawei",
    "huawei_s": "huawei",
    "h3c_msr": "hp_comware",
    "h3c_s": "hp_comware",
    "frr": "cisco_ios",
    "cisco_ios": "cisco_ios",
}
VRP8 = """huawei_vrpv8:
  platform: huawei_vrpv8
  connection_options:
    netmiko: {platform: huawei_vrpv8}
"""
#: The pools that a renumbering leaves, and those that it goes to: role, prefix and length.
FRESH = {
    "loopback": ("loopback", "198.18.0.0/24", 32),
    "management": ("management", "198.18.1.0/24", 30),
    "interconnect": ("interconnect", "198.18.4.0/22", 30),
    "unit-lan": ("unit_lan", "198.18.16.0/20", 28),
}


def write_city(root: Path) -> Path:
    """Write a workspace with these devices, their lines and units, and a ledger of its own."""
    shutil.copytree(CITY, root)
    order = root / "inventory/order.yaml"
    order.write_text(order.read_text(encoding="utf-8").replace("extends: ../../..", f"extends: {CITY.parents[1]}"), encoding="utf-8")
    groups = root / "inventory/groups.yaml"
    groups.write_text(f"{groups.read_text(encoding='utf-8')}\n{VRP8}", encoding="utf-8")
    devices = _rows(root, "devices", lambda row: row["name"] in FAMILIES, _as_family)
    lines = _rows(root, "lines", lambda row: {row["a_device"], row["z_device"]} <= FAMILIES.keys())
    wanted = {row["unit_id"] for row in (*devices, *lines)}
    _rows(root, "units", lambda row: row["unit_id"] in wanted)
    (root / "ipplan/allocations.csv").unlink()
    plan(root, commit=True, today=DAY)
    return root


def _rows(
    root: Path,
    table: str,
    is_kept: Callable[[dict[str, str]], bool],
    change: Callable[[dict[str, str]], dict[str, str]] = lambda row: row,
) -> list[dict[str, str]]:
    path = root / f"inventory/{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        kept = [change(row) for row in csv.DictReader(file) if is_kept(row)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    return kept


def _as_family(row: dict[str, str]) -> dict[str, str]:
    family = FAMILIES[row["name"]]
    port = "GigabitEthernet1/0/24" if family == "h3c_s" else row["lan_interface"]
    return row | {"family": family, "platform": PLATFORMS[family], "lan_interface": port}


def retire_pools(root: Path) -> None:
    """Let loopbacks, management, lines and unit LANs go to other pools."""
    path = root / "ipplan/plan.yaml"
    text = path.read_text(encoding="utf-8")
    for name, (role, prefix, length) in FRESH.items():
        old = next(line for line in text.splitlines() if f"name: {name}," in line)
        new = f"  - {{name: {name}-2, role: {role}, address_class: national_public, vrf: GGW, prefix: {prefix}, length: {length}}}"
        text = text.replace(old, f"{old[:-1]}, retired: true}}\n{new}")
    path.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class MixedCity:
    """A workspace whose devices are on the air as they are intended. `settings` and `gateway` reach them."""

    root: Path
    carrier: Carrier
    gateway: Gateway
    settings: Settings

    @property
    def workspace(self) -> Workspace:
        return read_workspace(self.root)[0]

    @property
    def intents(self) -> Mapping[str, DeviceIntent]:
        return build_intents(self.workspace)

    def running(self, name: str) -> str:
        device = self.carrier.network.devices[name]
        return self.carrier.call(lambda: config_text(device.grammar, device.state.running))


@contextmanager
def on_the_air(root: Path) -> Iterator[MixedCity]:
    """Serve every device of a workspace with its intended text, at the addresses too that a planned renumbering will give it."""
    workspace, _ = read_workspace(root)
    boot = {name: resolved(text) for name, text in render(workspace, read_templates(root)).items()}
    network = VirtualCity(workspace, build_intents(workspace), boot, SnmpUser("poller"))
    service = Service(
        {workspace.plan.management.ssh_user: SECRETS["ssh_password"]}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM)
    )
    settings = read_settings({"WAIWANG_DATABASE_URL": "sqlite://"}, root)
    with served(network, service) as carrier:

        def endpoint(contact: IPv4Address) -> tuple[IPv4Address, int]:
            return carrier.simulation.ssh_endpoint(contact)

        limits = Limits(connect_s=10.0, login_s=60.0, read_s=60.0)
        gateway = open_gateway(workspace.plan, settings, ENVIRON, endpoint=endpoint, limits=limits)
        yield MixedCity(root, carrier, gateway, settings)
