"""From a workspace to the folders that the nodes boot from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ipplan import address_book
from app.core.workspace import Workspace
from app.edge.templates import read_templates
from app.workflows.render import render
from lab.prepare import Host, HostKey, host_files, known_hosts, make_host_key, make_secrets, router_files, write_files
from lab.state import LabState
from lab.topology import Topology

IMAGE = Path(__file__).parent / "image"


def prepare(workspace: Workspace, root: Path, topology: Topology) -> tuple[dict[str, dict[str, str]], dict[str, str], str]:
    """Return each node's files by path below `/etc`, the secrets in them, and known_hosts text for all contact addresses."""
    intents = build_intents(workspace)
    texts = render(workspace, read_templates(root), bootstrap=True)
    secret = make_secrets()
    keys = {name: make_host_key() for name in intents}
    files = {node: _files_of(workspace, intents, texts, topology, node, secret, keys) for node in topology.tiers}
    return files, secret, known_hosts(intents, keys)


def _files_of(
    workspace: Workspace,
    intents: Mapping[str, DeviceIntent],
    texts: Mapping[str, str],
    topology: Topology,
    node: str,
    secret: Mapping[str, str],
    keys: Mapping[str, HostKey],
) -> dict[str, str]:
    links = topology.interfaces(node)
    if node in intents:
        return router_files(intents[node], texts[node], links, secret, keys[node])
    book, holder, service = address_book(workspace.ledger), f"service:{node}", workspace.inventory.services[node]
    port = service.port if service.kind == "exchange" else None
    return host_files(node, links, Host(book.host(holder), book.gateway(holder).ip, port))


def write_nodes(state: LabState, files: Mapping[str, Mapping[str, str]], secret: Mapping[str, str], hosts: str) -> dict[str, Path]:
    """Write everything that the nodes read at boot; return each node's folder."""
    write_secrets(state.folder, secret, hosts)
    folders = {}
    for node, texts in files.items():
        place = folders[node] = state.node_folder(node)
        for part in ("upper/etc", "upper/usr/local/sbin", "work", "root"):
            (place / part).mkdir(parents=True, exist_ok=True)
        write_files(place / "upper" / "etc", texts)
        for program in ("node-init", "lab-answer"):
            shutil.copy(IMAGE / program, place / "upper/usr/local/sbin" / program)
        os.mkfifo(place / "go")
    return folders


def write_secrets(folder: Path, secret: Mapping[str, str], hosts: str) -> None:
    """Write `secrets.yaml` and `known_hosts` into the folder, for root alone."""
    for name, text in (("secrets.yaml", yaml.safe_dump(dict(secret))), ("known_hosts", hosts)):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")
