"""Bring hundreds of virtual Huawei routers to a new order, and do the same the way nornir_netmiko's README does it; in one run.

    python -m bench.deploy [--devices 500] [--others 60] [--workers 20]

The devices run in a process of their own, on 127.0.0.0/8; each holds the text of an older order (rate, description, route, probe). Ours is
`waiwang deploy --commit`: read, patch, back up, push line by line, read back and compare, save. Theirs reads the configuration, sends the
same patch with netmiko_send_config and saves, with netmiko's own driver for Huawei; it compares nothing. It is so much slower that it gets
fewer devices. Where the two give devices of other texts, the run ends with a fault.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from nornir.core import Nornir
from nornir.core.configuration import Config, LoggingConfig
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.core.state import GlobalState
from nornir.core.task import Result, Task
from nornir.plugins.runners import ThreadedRunner
from nornir_netmiko.connections import CONNECTION_NAME, Netmiko
from nornir_netmiko.tasks import netmiko_send_command, netmiko_send_config

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.render import build_environment, render_device
from app.core.workspace import Workspace
from app.edge.patch import patch
from app.edge.ssh.access import Limits
from app.edge.templates import read_templates
from app.settings import read_settings
from app.workflows.deploy import DeployReport, deploy
from app.workflows.hosts import open_gateway, open_nornir
from bench.poll import build_city
from bench.virtual import PASSWORD, Devices
from lab.virtual.device import DeviceSpec

ROOT = Path(__file__).parents[1]
ENVIRON = {"WAIWANG_SECRET_SSH_PASSWORD": PASSWORD, "WAIWANG_SECRET_SNMP_AUTH": "benchmark-4", "WAIWANG_SECRET_SNMP_PRIV": "benchmark-5"}
FAMILY = "huawei_ar"
#: What a first save asks for; netmiko_save_config answers none of it on this family.
SAVING = (("save", r"\[Y/N\]"), ("y", "file name"), ("", ">"))
#: Ours has to bring so many times more devices a second to where they should be.
AIM_RATIO = 6.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Devices done in `wall_s` seconds for `cpu_s` of this process; the devices' own process is not counted."""

    way: str
    devices: int
    wall_s: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.devices / self.wall_s

    def __str__(self) -> str:
        cost = 1000 * self.cpu_s / self.devices
        return f"{self.way:<44}{self.devices:>9}{self.wall_s:>9.1f}{self.rate:>12.1f}{cost:>16.1f}"


@dataclass(frozen=True, slots=True)
class Rollout:
    """Routers of a city, what each is to hold, and the text of the older order that it boots with."""

    city: Workspace
    intents: Mapping[str, DeviceIntent]
    intended: Mapping[str, str]
    older: Mapping[str, str]


def build_rollout(devices: int) -> Rollout:
    city = build_city(devices + devices // 40 + 10)
    chosen = {name: intent for name, intent in build_intents(city).items() if name.startswith("u")}
    intents = dict(list(chosen.items())[:devices])
    environment = build_environment(read_templates(ROOT))
    intended = {name: render_device(intent, environment) for name, intent in intents.items()}
    return Rollout(city, intents, intended, {name: older(text) for name, text in intended.items()})


def older(text: str) -> str:
    return text.replace("cir 2048", "cir 1024").replace("BW:2000", "BW:1000").replace("preference 250", "preference 200")


def resolved(text: str) -> str:
    """Put secrets in the place of their references, as a deployment does."""
    for name, value in ENVIRON.items():
        text = text.replace(f"<secret:{name.removeprefix('WAIWANG_SECRET_').lower()}>", value)
    return text


def build_specs(rollout: Rollout) -> list[DeviceSpec]:
    return [
        DeviceSpec(name, FAMILY, ("GigabitEthernet0/0/0", "GigabitEthernet0/0/7"), boot=resolved(rollout.older[name]))
        for name in rollout.intents
    ]


@contextmanager
def measured() -> Iterator[list[float]]:
    """Fill the list with wall and CPU seconds of the block."""
    spent: list[float] = []
    wall, cpu = time.perf_counter(), time.process_time()
    yield spent
    spent += [time.perf_counter() - wall, time.process_time() - cpu]


def drive(rollout: Rollout, devices: Devices, names: Sequence[str], workers: int, *, commit: bool) -> DeployReport:
    places = place(rollout, devices)
    settings = read_settings({"WAIWANG_DATABASE_URL": "sqlite:///never-opened.db"}, ROOT)

    def endpoint(contact: IPv4Address) -> tuple[IPv4Address, int]:
        return IPv4Address(places[contact]), devices.ssh_port

    gateway = open_gateway(rollout.city.plan, settings, ENVIRON, endpoint=endpoint, limits=Limits(connect_s=20.0, read_s=60.0))
    intents = {name: rollout.intents[name] for name in names}
    nornir = open_nornir(rollout.city, intents, settings, ENVIRON, workers=workers)
    return deploy(nornir, intents, rollout.intended, gateway, commit=commit, record_backup=lambda name, text: None)


def run_ours(rollout: Rollout, devices: Devices, names: Sequence[str], workers: int) -> Figure:
    with measured() as spent:
        report = drive(rollout, devices, names, workers, commit=True)
    if report.totals() != {"deployed": len(names)}:
        reasons = Counter(row.reason for row in report.rows if row.result != "deployed").most_common(3)
        raise SystemExit(f"ours: {report.totals()}: {reasons}")
    return Figure(f"waiwang deploy, {workers} workers", len(names), *spent)


def place(rollout: Rollout, devices: Devices) -> dict[IPv4Address, str]:
    """Return where the device of each contact address stands."""
    found = zip(rollout.intents.values(), devices.addresses, strict=True)
    return {contact: address for intent, address in found for contact in intent.contacts}


def run_theirs(rollout: Rollout, devices: Devices, names: Sequence[str], workers: int) -> Figure:
    """Push the same patches with nornir_netmiko's tasks and netmiko's own driver; patches are made beforehand."""
    places = place(rollout, devices)
    ConnectionPluginRegister.available[CONNECTION_NAME] = Netmiko
    patches = {
        name: [resolved(command.text) for command in patch(FAMILY, rollout.older[name], rollout.intended[name])] for name in names
    }
    hosts = {
        name: Host(name, places[rollout.intents[name].contacts[0]], devices.ssh_port, "netops", PASSWORD, "huawei") for name in names
    }

    def push(task: Task) -> Result:
        task.run(netmiko_send_command, command_string="display current-configuration")
        task.run(netmiko_send_config, config_commands=patches[task.host.name])
        for said, awaited in SAVING:
            task.run(netmiko_send_command, command_string=said, expect_string=awaited)
        return Result(task.host)

    config = Config(logging=LoggingConfig(enabled=False))
    inventory = Inventory(Hosts(hosts), Groups(), Defaults())
    nornir = Nornir(inventory=inventory, runner=ThreadedRunner(workers), config=config, data=GlobalState())
    with measured() as spent:
        failed = nornir.run(push, on_failed=True).failed_hosts
        nornir.close_connections()
    if failed:
        raise SystemExit(f"theirs: {len(failed)} devices failed: {next(iter(failed.values()))[-1].exception!r}")
    return Figure(f"nornir_netmiko, {workers} workers", len(names), *spent)


def require_same(rollout: Rollout, devices: Devices) -> None:
    """Read every device once more: it must hold its intended text, whoever pushed."""
    report = drive(rollout, devices, tuple(rollout.intents), 20, commit=False)
    if report.totals() != {"unchanged": len(rollout.intents)}:
        raise SystemExit(f"not every device holds its text afterwards: {report.totals()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=500, help="at most 1,000")
    parser.add_argument("--others", type=int, default=60, help="of these, for nornir_netmiko")
    parser.add_argument("--workers", type=int, default=20, help="devices at the same time, both ways")
    options = parser.parse_args()
    if not (1 <= options.others < options.devices <= 1_000 and 1 <= options.workers <= 100):
        parser.error("the numbers are bounded; see --help")
    rollout = build_rollout(options.devices)
    names = tuple(rollout.intents)
    with Devices(build_specs(rollout), shells=True) as devices:
        sys.stdout.write(f"{'':<44}{'devices':>9}{'wall s':>9}{'devices/s':>12}{'CPU ms each':>16}\n")
        ours = run_ours(rollout, devices, names[options.others :], options.workers)
        sys.stdout.write(f"{ours}\n")
        theirs = run_theirs(rollout, devices, names[: options.others], options.workers)
        sys.stdout.write(f"{theirs}\n")
        require_same(rollout, devices)
    ratio = ours.rate / theirs.rate
    verdict = "reached" if ratio >= AIM_RATIO else "MISSED"
    sys.stdout.write(f"{ratio:.1f} times the devices a second; aim {AIM_RATIO:.0f}: {verdict}\n")
    return 0 if ratio >= AIM_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
