"""The devices of a workspace as Nornir hosts, and the one gateway that every contact with them passes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Protocol

from netmiko.base_connection import BaseConnection
from nornir.core import Nornir
from nornir.core.configuration import Config, LoggingConfig
from nornir.core.inventory import Inventory
from nornir.core.state import GlobalState
from nornir.plugins.runners import ThreadedRunner

from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ipplan import Plan
from app.core.ping import PingCount
from app.core.workspace import Workspace
from app.edge import huawei
from app.edge.files import read_workspace
from app.edge.guard import LAB_PREFIXES, LOOPBACK, require_safe
from app.edge.known_hosts import file_for, keep_key
from app.edge.nornir_inventory import FindWay, Way, build_inventory
from app.edge.secrets import Secrets, read_secrets
from app.edge.ssh.access import Access, Endpoint, Limits, Target
from app.edge.ssh.channel import watch
from app.edge.ssh.login import open_session, quiet_libraries, reach
from app.edge.ssh.session import AS_WRITTEN
from app.errors import ConnectFailed, Finding, InputError, LoginRefused
from app.settings import Settings, read_settings
from app.workflows.endpoints import ssh_endpoint

#: Name of the secret that every device is logged in to with.
PASSWORD = "ssh_password"
#: Seconds that a device is given to take a TCP connection where nobody means to log in.
ANSWER_S = 1.0


class DeviceSession(Protocol):
    """What a workflow does with an open login; `app.edge.ssh.session.Session` is the real one."""

    @property
    def address(self) -> IPv4Address: ...
    def running(self) -> str: ...
    def show(self, question: str, vpn: str | None = None) -> str: ...
    def table(self, kind: str, vpns: Sequence[str] = ()) -> str: ...
    def restart_ospf(self) -> None: ...
    def push(self, commands: Iterable[Command], spoken: Mapping[str, str] = AS_WRITTEN) -> None: ...
    def push_on_trial(self, commands: Iterable[Command], seconds: int) -> bool: ...
    def confirm(self) -> None: ...
    def abandon(self) -> None: ...
    def save(self) -> None: ...
    def ping(self, address: IPv4Address, count: int) -> PingCount | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Gateway:
    """Every contact with a device.

    `connect` takes an intent and the seconds to wait for a first answer. `answers` tells whether a device takes a TCP connection within
    so many seconds; nobody logs in. `require_secrets` raises InputError for names that
    are not set. `is_practice` tells whether every address of a device is the lab's or on loopback.
    """

    illustration: bool
    connect: Callable[[DeviceIntent, float], DeviceSession]
    require_secrets: Callable[[Iterable[str]], None]
    is_practice: Callable[[DeviceIntent], bool]
    answers: Callable[[DeviceIntent, float], bool] = lambda intent, wait_s: False


def open_gateway(
    plan: Plan, settings: Settings, environ: Mapping[str, str], *, endpoint: Endpoint | None = None, limits: Limits | None = None
) -> Gateway:
    """Build the gateway of a workspace. Nothing is sent yet.

    `endpoint` says where the device of a contact address really listens (virtual devices); without it, the settings do.
    Raises InputError where the secrets file cannot be read or holds no `ssh_password`, or the file of endpoints is unusable.
    """
    quiet_libraries()
    where = endpoint or ssh_endpoint(settings)
    secrets = read_secrets(settings.secrets_file, environ)
    access = _access(plan, settings, secrets, where, limits or Limits())
    briefly = replace(access, limits=replace(access.limits, connect_s=min(ANSWER_S, access.limits.connect_s)))

    def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
        _require_host_keys(intent.hostname, [where(contact)[0] for contact in intent.contacts], access)
        return open_session(_target(intent), access, wait_s=wait_s)

    def is_practice(intent: DeviceIntent) -> bool:
        return all(_is_practice(where(contact)[0]) for contact in intent.contacts)

    def answers(intent: DeviceIntent, wait_s: float) -> bool:
        try:
            reach(intent.hostname, intent.contacts, briefly, wait_s=wait_s)[1].close()
        except ConnectFailed:
            return False
        return True

    return Gateway(plan.illustration, connect, secrets.require, is_practice, answers)


def open_nornir(
    workspace: Workspace, intents: Mapping[str, DeviceIntent], settings: Settings, environ: Mapping[str, str], *, workers: int = 20
) -> Nornir:
    """Return Nornir over the devices of a workspace, as `InitNornir` does over nornir_config.yaml."""
    inventory = build_inventory(workspace, intents, _find_way(workspace.plan, intents, settings, environ))
    config = Config(logging=LoggingConfig(enabled=False))
    return Nornir(inventory=inventory, runner=ThreadedRunner(num_workers=workers), config=config, data=GlobalState())


class WaiwangInventory:
    """Nornir inventory plugin: `InitNornir(config_file="nornir_config.yaml")` gives a script the hosts of the workspace.

    `root` is the workspace, relative to the current directory; WAIWANG_ROOT goes before it. A door: it reads the environment.
    """

    def __init__(self, root: str = ".") -> None:
        self._root = Path(os.environ.get("WAIWANG_ROOT") or root)

    def load(self) -> Inventory:
        """Read the workspace, and put our drivers for Huawei behind Nornir's `netmiko`.

        Raises: InputError with every finding, or where there is no workspace.
        """
        root = self._root.parent if (self._root / "devices.csv").is_file() else self._root
        if not (root / "inventory").is_dir():
            step = "Run the script in a workspace, or set WAIWANG_ROOT to one."
            raise InputError([Finding(str(root.resolve()), "workspace", "a directory with inventory/ and ipplan/", "none", step)])
        quiet_libraries()
        huawei.register_drivers()
        workspace, _ = read_workspace(root)
        intents = build_intents(workspace)
        return build_inventory(workspace, intents, _find_way(workspace.plan, intents, read_settings(os.environ, root), os.environ))


def _find_way(plan: Plan, intents: Mapping[str, DeviceIntent], settings: Settings, environ: Mapping[str, str]) -> FindWay:
    def find(name: str) -> Way:
        intent, where = intents[name], ssh_endpoint(settings)
        for contact in intent.contacts:
            require_safe(where(contact)[0], illustration=plan.illustration)
        secrets = read_secrets(settings.secrets_file, environ)
        access = _access(plan, settings, secrets, where, Limits())
        _require_host_keys(name, [where(contact)[0] for contact in intent.contacts], access)
        contact, link = reach(name, intent.contacts, access)
        link.close()
        address, port = where(contact)
        return Way(str(address), port, access.password, settings.known_hosts)

    return find


def _require_host_keys(device: str, addresses: Sequence[IPv4Address], access: Access) -> None:
    """Return where a device is recognised before the password is sent, or is one for practice.

    Raises:
        UnsafeRoute: a packet to it must not be sent at all.
        LoginRefused: it would be sent to whoever answers.
    """
    for address in addresses:
        access.guard(address)
    if access.known_hosts is None and not all(map(_is_practice, addresses)):
        step = "Set WAIWANG_KNOWN_HOSTS; with WAIWANG_HOST_KEYS=first it is filled at first contact."
        found = "none, so the password would go to whoever answers"
        raise LoginRefused(device, "log in", expected="known_hosts to recognise it by", found=found, next_step=step)


def _access(plan: Plan, settings: Settings, secrets: Secrets, endpoint: Endpoint, limits: Limits) -> Access:
    return Access(
        guard=partial(require_safe, illustration=plan.illustration),
        endpoint=endpoint,
        password=secrets.value(PASSWORD),
        resolve=secrets.resolve,
        known_hosts=settings.known_hosts,
        limits=limits,
        connect=open_driver,
        keep_key=partial(keep_key, settings.known_hosts) if settings.known_hosts and settings.host_keys == "first" else None,
        host_keys=file_for,
    )


def open_driver(**parameters: Any) -> BaseConnection:
    """Open a netmiko connection with the drivers that wait for prompts, not for time: ours for Huawei; Comware's reads echoes."""
    if parameters.get("device_type") == "hp_comware":
        parameters.setdefault("global_cmd_verify", True)
    connection: BaseConnection = huawei.connect(**parameters)
    watch(connection)
    return connection


def _target(intent: DeviceIntent) -> Target:
    return Target(intent.hostname, intent.family, intent.platform, intent.contacts, intent.management.ssh_user)


def _is_practice(address: IPv4Address) -> bool:
    return address in LOOPBACK or any(address in prefix for prefix in LAB_PREFIXES)
