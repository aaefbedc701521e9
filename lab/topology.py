"""The lab's one topology, in containerlab's format: built from a workspace, read by the namespace runner.

`lab/containerlab.yml` is generated (`make golden`) and committed; a test holds it to what is built here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import yaml

from app.core.inventory import Line
from app.core.workspace import Workspace
from app.edge.guard import LAB_BRIDGE
from lab.failure import lab_error

NAME = "govwan"
IMAGE = "waiwang/lab-node:local"
BOOT_NETWORK = IPv4Network("172.20.20.0/24")
FIRST_BOOT_HOST = 10
#: containerlab keeps eth0 for its boot network; lines begin at eth1.
SERVICE_INTERFACE = "eth1"
TIERS = {
    "city_core": "city",
    "county_agg": "county",
    "city_unit": "city-unit",
    "urban_unit": "urban",
    "township_unit": "township",
}
SERVICE_TIER = "service"
HEADER = """\
# The lab: simulated routers of a simulated city, numbered from 198.18.0.0/15 (RFC 2544).
# Generated from lab/workspace by lab/topology.py; `make golden` writes it anew. Do not edit.
# Started by `waiwang lab up` (network namespaces), or by `waiwang lab files` and containerlab deploy -t lab/containerlab.yml.
# vars.rate is what devices are given towards the z end (down), vars.rate-up towards the a end.
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    node: str
    interface: str

    def __str__(self) -> str:
        return f"{self.node}:{self.interface}"


@dataclass(frozen=True, slots=True)
class Link:
    """A wire between two nodes; `a` is nearer the centre. `role`: primary, backup, reserved or service."""

    a: Endpoint
    z: Endpoint
    role: str
    line_id: str | None


@dataclass(frozen=True, slots=True)
class Topology:
    """Nodes by name with their tier (a value of `TIERS`, or `service` for a host), and the links between them."""

    tiers: Mapping[str, str]
    links: tuple[Link, ...]

    def interfaces(self, node: str) -> tuple[str, ...]:
        """Return the wired interfaces of a node, in the order of the links."""
        return tuple(end.interface for link in self.links for end in (link.a, link.z) if end.node == node)


def build_topology(workspace: Workspace) -> dict[str, object]:
    """Return the workspace's network as a containerlab topology: one node per router and per service."""
    names = [*workspace.inventory.devices, *workspace.inventory.services]
    return {
        "name": NAME,
        "prefix": "",
        "mgmt": {"network": f"{NAME}-mgmt", "bridge": LAB_BRIDGE, "ipv4-subnet": str(BOOT_NETWORK)},
        "topology": {
            "defaults": _defaults(),
            "groups": {tier: {"labels": {"wan-tier": tier}} for tier in (*TIERS.values(), SERVICE_TIER)},
            "nodes": {name: _node(workspace, name, place) for place, name in enumerate(names)},
            "links": list(_links(workspace)),
        },
    }


def format_topology(workspace: Workspace) -> str:
    """Return the text of `lab/containerlab.yml`; the same workspace gives the same bytes."""
    return HEADER + yaml.safe_dump(build_topology(workspace), sort_keys=False, default_flow_style=None, width=140, allow_unicode=True)


def read_topology(path: Path) -> Topology:
    """Read a topology file of ours.

    Raises:
        LabError: the file is missing, is no YAML, or lacks what the lab needs of it.
    """
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        nodes, links = tree["topology"]["nodes"], tree["topology"]["links"]
        return Topology(tiers={name: node["group"] for name, node in nodes.items()}, links=tuple(_parse_link(link) for link in links))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise lab_error(
            str(path),
            "the lab's topology cannot be read",
            expected="the file that make golden writes",
            found=f"{type(error).__name__}: {' '.join(str(error).split())}",
            next_step="Write it anew with: make golden",
        ) from error


def _parse_link(link: Mapping[str, object]) -> Link:
    endpoints, given = link["endpoints"], link["vars"]
    if not isinstance(endpoints, list) or not isinstance(given, dict):
        raise TypeError("a link has a list of endpoints and a mapping of vars")
    a, z = (Endpoint(*str(text).split(":")) for text in endpoints)
    return Link(a, z, role=str(given["role"]), line_id=given.get("line"))


def _defaults() -> dict[str, object]:
    """Return what every node has; not privileged, and never restarted (a restarted container has lost its links)."""
    return {
        "kind": "linux",
        "image": IMAGE,
        "image-pull-policy": "never",
        "privileged": False,
        "cap-add": ["NET_ADMIN", "NET_RAW", "SYS_ADMIN"],
        "sysctls": {
            "net.ipv4.ip_forward": 1,
            "net.ipv4.conf.all.rp_filter": 0,
            "net.ipv4.conf.default.rp_filter": 0,
            "net.ipv6.conf.all.disable_ipv6": 1,
        },
        "restart-policy": "no",
        "binds": [f"nodes/__clabNodeName__/{folder}:/etc/{folder}" for folder in ("frr", "snmp", "waiwang")],
        "healthcheck": {"test": ["CMD", "test", "-e", "/run/node-ready"], "interval": 2, "timeout": 2, "retries": 30, "start-period": 2},
    }


def _node(workspace: Workspace, name: str, place: int) -> dict[str, object]:
    boot = str(BOOT_NETWORK[FIRST_BOOT_HOST + place])
    device = workspace.inventory.devices.get(name)
    if device is None:
        kind = workspace.inventory.services[name].kind
        return {"group": SERVICE_TIER, "mgmt-ipv4": boot, "labels": {"service-kind": kind}}
    return {"group": TIERS[device.role], "mgmt-ipv4": boot, "labels": {"family": device.family, "region": device.region}}


def _links(workspace: Workspace) -> Iterator[dict[str, object]]:
    for line in workspace.inventory.lines.values():
        yield from _line_links(workspace, line)
    for service in workspace.inventory.services.values():
        ends = [f"{service.device}:{service.interface}", f"{service.service_id}:{SERVICE_INTERFACE}"]
        yield {"endpoints": ends, "vars": {"role": "service"}}


def _line_links(workspace: Workspace, line: Line) -> Iterator[dict[str, object]]:
    given = workspace.order.classes[line.service_class]
    down, up = f"{given.configured_down_kbps}kbit", f"{given.configured_up_kbps}kbit"
    ends = [f"{line.a_device}:{line.a_interface}", f"{line.z_device}:{line.z_interface}"]
    yield {"endpoints": ends, "vars": {"role": line.role, "line": line.line_id, "rate": down, "rate-up": up}}
    if line.a_reserved_interface and line.z_reserved_interface and given.reserved_port_mbps:
        reserve = f"{given.reserved_port_mbps}mbit"
        ends = [f"{line.a_device}:{line.a_reserved_interface}", f"{line.z_device}:{line.z_reserved_interface}"]
        yield {"endpoints": ends, "vars": {"role": "reserved", "line": line.line_id, "rate": reserve, "rate-up": reserve}}
