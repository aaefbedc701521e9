"""The product on virtual devices, no root: a plan's devices boot bare, are deployed, polled, cut and healed."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lab
from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.ssh.access import Limits
from app.edge.templates import read_templates
from app.settings import Settings, read_settings
from app.workflows.deploy import DeployReport, deploy
from app.workflows.hosts import open_gateway, open_nornir
from app.workflows.poll import Poller, open_poller
from app.workflows.poll_report import CycleReport
from app.workflows.render import render
from lab.virtual.facts import SnmpUser
from lab.virtual.network import VirtualNetwork, links_of, specs_of
from lab.virtual.simulation import Carrier, Service, free_port, served

ROOT = Path(lab.__file__).parent.parent
SECRETS = {"ssh_password": "not-a-secret-1", "snmp_auth": "not-a-secret-2", "snmp_priv": "not-a-secret-3"}
ENVIRON = {f"WAIWANG_SECRET_{name.upper()}": value for name, value in SECRETS.items()}


def resolved(text: str) -> str:
    for name, value in SECRETS.items():
        text = text.replace(f"<secret:{name}>", value)
    return text


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return read_workspace(ROOT / "lab" / "workspace")[0]


@pytest.fixture(scope="module")
def templates() -> Mapping[str, str]:
    return read_templates(ROOT)


@contextmanager
def booted(workspace: Workspace, templates: Mapping[str, str], *names: str) -> Iterator[Carrier]:
    """Serve the named devices of a workspace (all without names) as they are after their first boot."""
    intents = {name: intent for name, intent in build_intents(workspace).items() if not names or name in names}
    boot = {name: resolved(text) for name, text in render(workspace, templates, intents, bootstrap=True).items()}
    plan = workspace.plan.management
    user = SnmpUser(plan.snmp_user, plan.snmp_auth, SECRETS["snmp_auth"], plan.snmp_priv, SECRETS["snmp_priv"])
    links = [link for link in links_of(intents.values()) if {link.a_device, link.z_device} <= set(intents)]
    network = VirtualNetwork(specs_of(intents.values(), boot, {"frr": (user,)}), links)
    service = Service({plan.ssh_user: SECRETS["ssh_password"]}, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM))
    with served(network, service) as carrier:
        yield carrier


def settings(tmp_path: Path) -> Settings:
    return read_settings({"WAIWANG_DATABASE_URL": f"sqlite:///{tmp_path / 'waiwang.db'}"}, ROOT / "lab" / "workspace")


def deployed(workspace: Workspace, templates: Mapping[str, str], carrier: Carrier, tmp_path: Path) -> DeployReport:
    intents, now = build_intents(workspace), settings(tmp_path)
    limits = Limits(connect_s=10.0, login_s=60.0, read_s=60.0)
    gateway = open_gateway(workspace.plan, now, ENVIRON, endpoint=carrier.simulation.ssh_endpoint, limits=limits)
    nornir = open_nornir(workspace, intents, now, ENVIRON, workers=8)
    texts = render(workspace, templates)
    return deploy(nornir, intents, texts, gateway, commit=True, record_backup=lambda name, text: None, wait_s=60.0)


def cycles(workspace: Workspace, carrier: Carrier, tmp_path: Path, *deeds: Callable[[], None]) -> list[CycleReport]:
    """Poll once before and once after every deed."""
    store = Store.open(settings(tmp_path).database_url)

    async def run() -> list[CycleReport]:
        intents = build_intents(workspace)
        poller: Poller = open_poller(workspace, intents, store, settings(tmp_path), ENVIRON, endpoint=carrier.simulation.snmp_endpoint)
        reports = [await poller.cycle(lambda: datetime.now(UTC))]
        for deed in deeds:
            carrier.call(deed)
            reports.append(await poller.cycle(lambda: datetime.now(UTC)))
        poller.close()
        return reports

    try:
        return asyncio.run(run())
    finally:
        store.close()


def test_a_rollout_from_first_boot_to_every_line_up_and_a_county_cut_off(
    workspace: Workspace, templates: Mapping[str, str], tmp_path: Path
) -> None:
    with booted(workspace, templates) as carrier:
        network = carrier.network
        assert [name for name in network.devices if carrier.call(lambda name=name: network.is_reachable(name))] == ["city"]

        first = deployed(workspace, templates, carrier, tmp_path)
        assert Counter(row.result for row in first.rows) == {"deployed": len(network.devices)}, [row for row in first.rows if row.reason]
        assert all(device.state.saved == device.state.running for device in network.devices.values())
        again = deployed(workspace, templates, carrier, tmp_path)
        assert Counter(row.result for row in again.rows) == {"unchanged": len(network.devices)}

        lonely = network.link_at("county01", "eth1")
        up, cut, healed = cycles(workspace, carrier, tmp_path, lambda: network.cut(lonely), lambda: network.heal(lonely))
        everything = set(workspace.inventory.lines)
        assert {sample.line_id for sample in up.lines if sample.state == "up"} == everything
        states = {sample.line_id: sample.state for sample in cut.lines}
        behind = {line.line_id for line in workspace.inventory.lines.values() if line.a_device == "county01" and line.role == "primary"}
        assert states["BZWW-A-0001"] == "down"
        assert {states[line_id] for line_id in behind} == {"unreachable"}
        assert {sample.line_id for sample in healed.lines if sample.state == "up"} == everything


def test_every_boot_and_configuration_text_of_a_county_is_taken_by_virtual_huawei_devices(templates: Mapping[str, str]) -> None:
    workspace, _ = read_workspace(ROOT)
    inventory = workspace.inventory
    uplink = next(line for line in inventory.lines.values() if inventory.devices[line.z_device].role == "county_agg")
    below = [line.z_device for line in inventory.lines.values() if line.a_device == uplink.z_device and line.role == "primary"][:6]
    units = {inventory.devices[router].unit_id for router in below}
    switches = [device.name for device in inventory.devices.values() if device.role == "unit_switch" and device.unit_id in units]
    names = [uplink.a_device, uplink.z_device, *below, *switches]
    assert len(below) == 6
    assert switches
    texts = {name: resolved(text) for name, text in render(workspace, templates, names).items()}
    with booted(workspace, templates, *names) as carrier:
        network = carrier.network
        assert {device.spec.family for device in network.devices.values()} == {"huawei_ar", "huawei_s"}
        for name in names:
            reached = carrier.call(lambda name=name: network.is_reachable(name))
            assert reached, f"{name} is not reached although everything above it is deployed"
            assert carrier.call(lambda name=name: network.load(name, texts[name])) == ""
        assert all(carrier.call(lambda place=place: network.answers(place)) for place in network.places())
        assert all(len(agent.device.state.vault) >= 3 for agent in carrier.simulation.snmp.agents.values())
