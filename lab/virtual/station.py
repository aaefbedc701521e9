"""A virtual city on the air, with the files that the product's commands need to reach it, in one folder of its owner's."""

from __future__ import annotations

import asyncio
import os
import shlex
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import yaml

from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.endpoints import Endpoint, format_endpoints
from app.edge.files import read_workspace
from app.edge.secrets import read_secrets
from app.edge.templates import read_templates
from app.errors import Finding, InputError, LabError
from app.workflows.render import render
from lab.prepare import make_secrets
from lab.virtual.city import VirtualCity
from lab.virtual.control import Control
from lab.virtual.facts import SnmpUser
from lab.virtual.simulation import Service, Simulation

LAB = Path(__file__).parents[1]
CITY = LAB / "virtual_city"
POLL_INTERVAL_S = 3


@dataclass(frozen=True, slots=True)
class Station:
    """One simulation: its workspace, its folder, its ports. Ports are the same on every loopback address."""

    workspace: Path = CITY
    folder: Path = Path(tempfile.gettempdir()) / f"waiwang-virtual-{os.getuid()}"
    ssh_port: int = 2222
    snmp_port: int = 1161

    @property
    def control(self) -> Path:
        return self.folder / "control.sock"

    @property
    def secrets_file(self) -> Path:
        return self.folder / "secrets.yaml"

    @property
    def endpoints_file(self) -> Path:
        return self.folder / "endpoints.csv"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def environment(self) -> dict[str, str]:
        """Return the variables that product commands need."""
        return {
            "WAIWANG_ROOT": str(self.workspace),
            "WAIWANG_SECRETS_FILE": str(self.secrets_file),
            "WAIWANG_KNOWN_HOSTS": str(self.known_hosts),
            "WAIWANG_ENDPOINTS": str(self.endpoints_file),
            "WAIWANG_SIMULATION": str(self.control),
            "WAIWANG_VIRTUAL_STATE_DIR": str(self.folder),
            "WAIWANG_DATABASE_URL": f"sqlite:///{self.folder / 'waiwang.db'}",
            "WAIWANG_POLL_INTERVAL_S": str(POLL_INTERVAL_S),
            "WAIWANG_TRAP_LISTEN": "off",  # the plan's receiver is an address that no machine has
        }

    def exports(self) -> str:
        """Return the variables as lines for a shell."""
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in self.environment().items())


def make_folder(folder: Path) -> None:
    """Make the folder for its owner alone. Raises LabError where it is somebody else's or open to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LabError(
            f"{folder}: folder of a simulation: expected a folder of your own with mode 700; found mode {stat.S_IMODE(found.st_mode):o}, "
            f"owner {found.st_uid}. Choose another: --state-dir."
        )


def build_city(workspace: Workspace, root: Path, secrets: Mapping[str, str]) -> VirtualCity:
    """Return the city after first boot: every device holds its bootstrap text and nothing else."""
    environ = {f"WAIWANG_SECRET_{name.upper()}": value for name, value in secrets.items()}
    resolve = read_secrets(None, environ).resolve
    boot = {name: resolve(text) for name, text in render(workspace, read_templates(root), bootstrap=True).items()}
    plan = workspace.plan.management
    user = SnmpUser(plan.snmp_user, plan.snmp_auth, secrets["snmp_auth"], plan.snmp_priv, secrets["snmp_priv"])
    return VirtualCity(workspace, build_intents(workspace), boot, user)


async def serve(station: Station, stop: asyncio.Event) -> None:
    """Boot the city and serve it until `stop` is set; the folder's `ready` file says that every device listens.

    Raises:
        InputError: the workspace cannot be used, or its plan is an illustration: no command would speak to its devices.
        LabError: a port is taken, or the folder is not ours.
    """
    workspace, _ = read_workspace(station.workspace)
    if workspace.plan.illustration:
        step = "Practise on a copy of the workspace that says illustration: false; nothing of a simulation leaves this machine."
        raise InputError([Finding("ipplan/plan.yaml", "plan to play", "illustration: false", "illustration: true", step)])
    make_folder(station.folder)
    secrets = make_secrets()
    city = build_city(workspace, station.workspace, secrets)
    service = Service({workspace.plan.management.ssh_user: secrets["ssh_password"]}, station.ssh_port, station.snmp_port)
    simulation, control = Simulation(city, service), Control(city, station.control)
    ready = station.folder / "ready"
    ready.unlink(missing_ok=True)
    try:
        await simulation.start()
        await control.start()
        _write_files(station, simulation, secrets)
        ready.touch()
        await stop.wait()
    finally:
        for file in (ready, station.secrets_file, station.endpoints_file, station.known_hosts):
            with suppress(FileNotFoundError):
                file.unlink()
        await control.stop()
        await simulation.stop()


def _write_files(station: Station, simulation: Simulation, secrets: Mapping[str, str]) -> None:
    station.secrets_file.unlink(missing_ok=True)
    station.secrets_file.touch(mode=0o600)
    station.secrets_file.write_text(yaml.safe_dump(dict(secrets)), encoding="utf-8")
    station.known_hosts.write_text(simulation.ssh.known_hosts(), encoding="utf-8")
    endpoints = [
        Endpoint(contact, IPv4Address(address), station.ssh_port, station.snmp_port)
        for address, (_, contact) in simulation.network.places().items()
        if contact is not None
    ]
    station.endpoints_file.write_text(format_endpoints(endpoints), encoding="utf-8")
    (station.folder / "environment").write_text(station.exports(), encoding="utf-8")
