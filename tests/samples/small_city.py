"""The small city of the golden files as virtual devices of one vendor, on the air, with what a workflow needs to reach them."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nornir.core import Nornir

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.ssh.access import Limits
from app.edge.templates import read_templates
from app.settings import Settings, read_settings
from app.workflows.hosts import Gateway, open_gateway, open_nornir
from app.workflows.render import render
from lab.virtual.deeds import config_text
from lab.virtual.network import DeviceSpec, Link, VirtualNetwork, links_of, specs_of
from lab.virtual.simulation import Carrier, Service, free_port, served
from tests.golden.render.workspace import full_workspace, small_workspace

ROOT = Path(__file__).parents[2]
NAMES = ("ssh_password", "snmp_auth", "snmp_priv", "ntp_key", "ppp_password", "isis_key", "aaa_key")
SECRETS = {name: f"Not-a-secret-{number}" for number, name in enumerate(NAMES, 1)}
ENVIRON = {f"WAIWANG_SECRET_{name.upper()}": value for name, value in SECRETS.items()}
#: The router families; the switches of Huawei and H3C come along behind theirs.
ROUTERS = ("huawei_ar", "huawei_ne", "h3c_msr", "cisco_ios", "frr")
SWITCHES = {"huawei_ar": "huawei_s", "h3c_msr": "h3c_s"}


@dataclass(frozen=True, slots=True)
class SmallCity:
    """A city on the air. `texts` are its intended configurations, with references to secrets."""

    carrier: Carrier
    workspace: Workspace
    intents: Mapping[str, DeviceIntent]
    texts: Mapping[str, str]
    gateway: Gateway
    settings: Settings

    def nornir(self, *names: str) -> Nornir:
        """Return Nornir over these devices, over all without names."""
        nornir = open_nornir(self.workspace, self.intents, self.settings, ENVIRON, workers=4)
        return nornir.filter(filter_func=lambda host: host.name in names) if names else nornir

    def load(self, name: str, text: str) -> None:
        """Let somebody else configure a device; a line that it refuses fails."""
        refused = self.carrier.call(lambda: self.carrier.network.load(name, text))
        assert refused == ""

    def running(self, name: str) -> str:
        device = self.carrier.network.devices[name]
        return self.carrier.call(lambda: config_text(device.grammar, device.state.running))


def small(router: str, *, full: bool = False) -> Workspace:
    return (full_workspace if full else small_workspace)(router, switch=router in SWITCHES)


def resolved(text: str) -> str:
    return re.sub(r"<secret:(\w+)>", lambda found: SECRETS[found[1]], text)


@contextmanager
def on_the_air(
    workspace: Workspace,
    *,
    bootstrap: bool = False,
    more: Mapping[str, str] | None = None,
    strangers: Sequence[tuple[DeviceSpec, Link]] = (),
    specs: Callable[[DeviceSpec], DeviceSpec] = lambda spec: spec,
) -> Iterator[SmallCity]:
    """Serve every device of a workspace with its intended text, or with that of its first boot; `more` lines by device.

    `strangers` are devices and lines that no inventory knows; `specs` may change what a device is made of.
    """
    intents = build_intents(workspace)
    templates = read_templates(ROOT)
    texts = render(workspace, templates)
    boot = render(workspace, templates, bootstrap=True) if bootstrap else texts
    spoken = {name: resolved(text) + (more or {}).get(name, "") for name, text in boot.items()}
    devices = [specs(spec) for spec in specs_of(intents.values(), spoken)]
    network = VirtualNetwork([*devices, *(spec for spec, _ in strangers)], [*links_of(intents.values()), *(link for _, link in strangers)])
    user = workspace.plan.management.ssh_user
    service = Service({user: SECRETS["ssh_password"]}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM))
    settings = read_settings({"WAIWANG_DATABASE_URL": "sqlite://"}, ROOT)
    with served(network, service) as carrier:
        limits = Limits(connect_s=10.0, login_s=60.0, read_s=60.0)
        gateway = open_gateway(workspace.plan, settings, ENVIRON, endpoint=carrier.simulation.ssh_endpoint, limits=limits)
        yield SmallCity(carrier, workspace, intents, texts, gateway, settings)


def with_ports_of(workspace: Workspace) -> Callable[[DeviceSpec], DeviceSpec]:
    """Return what gives every device the ports that it needs in another workspace too."""
    wanted = {spec.name: spec.ports for spec in specs_of(build_intents(workspace).values(), {})}
    return lambda spec: replace(spec, ports=tuple(dict.fromkeys((*spec.ports, *wanted[spec.name]))))


def with_port(device: str, port: str) -> Callable[[DeviceSpec], DeviceSpec]:
    """Return what gives a device one port more than its intent asks for."""
    return lambda spec: replace(spec, ports=(*spec.ports, port)) if spec.name == device else spec
