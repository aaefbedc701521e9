"""The lab's plan on virtual FRR routers of this machine's loopback, and the shell of somebody who works on it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core.intents import build_intents
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.workflows.render import render
from lab.virtual.facts import SnmpUser
from lab.virtual.faults import SshFaults
from lab.virtual.network import VirtualNetwork, links_of, specs_of
from lab.virtual.simulation import Carrier, Service, free_port, served
from tests.samples.command_line import CommandLine, Ended, copy_lab_on_loopback

SECRETS = {"ssh_password": "not-a-secret-1", "snmp_auth": "not-a-secret-2", "snmp_priv": "not-a-secret-3"}


@dataclass(frozen=True, slots=True)
class City:
    """A virtual city on the air, and the shell of somebody who works on it."""

    carrier: Carrier
    shell: CommandLine

    def faulty(self, device: str, ssh: SshFaults) -> None:
        virtual = self.carrier.network.devices[device]
        self.carrier.call(lambda: setattr(virtual, "ssh_faults", ssh))

    def enter(self, device: str, text: str) -> None:
        """Enter configuration text on a device, as somebody at its console would."""
        assert not self.carrier.call(lambda: self.carrier.network.load(device, text))

    def audit(self) -> list[tuple[str, str]]:
        store = Store.open(f"sqlite:///{self.shell.place / 'waiwang.db'}")
        try:
            return [(entry.subject, str(entry.detail["result"])) for entry in store.audit()]
        finally:
            store.close()


def resolved(text: str) -> str:
    for name, value in SECRETS.items():
        text = text.replace(f"<secret:{name}>", value)
    return text


def city_in(folder: Path, *, bootstrap: bool) -> Iterator[City]:
    root = copy_lab_on_loopback(folder / "workspace")
    workspace, _ = read_workspace(root)
    intents = build_intents(workspace)
    texts = render(workspace, read_templates(root), bootstrap=bootstrap)
    management = workspace.plan.management
    user = SnmpUser(management.snmp_user, management.snmp_auth, SECRETS["snmp_auth"], management.snmp_priv, SECRETS["snmp_priv"])
    specs = specs_of(intents.values(), {name: resolved(text) for name, text in texts.items()}, {"frr": (user,)})
    service = Service({management.ssh_user: SECRETS["ssh_password"]}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM))
    secrets = root.parent / "secrets.yaml"
    secrets.touch(mode=0o600)
    secrets.write_text(json.dumps(SECRETS), encoding="utf-8")
    environ = {"WAIWANG_SECRETS_FILE": str(secrets), "WAIWANG_SSH_PORT": str(service.ssh_port), "WAIWANG_SNMP_PORT": str(service.snmp_port)}
    with served(VirtualNetwork(specs, links_of(intents.values())), service) as carrier:
        yield City(carrier, CommandLine(root, environ))


def results(ended: Ended) -> Mapping[str, str]:
    return {row["device"]: row["result"] for row in ended.json["rows"]}
