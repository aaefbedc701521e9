"""Start, watch, break, mend and end the lab: real routers in network namespaces, no container engine.

Reads the same topology file and boots the same node init as containerlab does. Everything is in band: the product's
commands run in the namespace `noc`, which is wired to the city router alone.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import yaml

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ipplan import address_book
from app.core.workspace import Workspace
from app.edge.files.workspace import read_workspace
from app.edge.templates import read_templates
from app.workflows.render import render
from lab import namespaces
from lab.failure import lab_error
from lab.namespaces import NOC
from lab.prepare import Host, HostKey, host_files, known_hosts, make_host_key, make_secrets, router_files, write_files
from lab.state import DEFAULT_STATE_DIR, LabState, find_state, is_alive, locked, read_state, write_state
from lab.topology import Link, Topology, read_topology

LAB = Path(__file__).parent
BOOT_WAIT_S = 60.0
POLL_INTERVAL_S = 3
#: Programs that the lab runs, and the Debian packages that bring them.
PROGRAMS = {
    "/usr/lib/frr/zebra": "frr",
    "/usr/lib/frr/ospfd": "frr",
    "/usr/lib/frr/watchfrr": "frr",
    "/usr/bin/vtysh": "frr",
    "/usr/sbin/snmpd": "snmpd",
    "/usr/sbin/sshd": "openssh-server",
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "iperf3": "iperf3",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "sysctl": "procps",
}
#: frr-snmp brings no program but modules, below a folder that names the machine's architecture.
SNMP_MODULE = "usr/lib/*/frr/modules/zebra_snmp.so"


@dataclass(frozen=True, slots=True)
class LabOptions:
    """What to start. `wait_s`: how long to wait for another lab on this machine to end, seconds."""

    workspace: Path = LAB / "workspace"
    topology_file: Path = LAB / "containerlab.yml"
    state_dir: Path = DEFAULT_STATE_DIR
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node as it stands. `state`: ready, booting or dead; ports by name with True for a carrier, None when dead."""

    node: str
    tier: str
    state: str
    ports: Mapping[str, bool | None]


def up(options: LabOptions = LabOptions()) -> LabState:
    """Boot every node of the topology with its bootstrap text only; return when all of them answer.

    Raises:
        LabError: not root, a package is missing, a lab is already up, or a node did not boot (everything is taken down again).
        InputError: the workspace cannot be used.
    """
    require_possible()
    _wait_for_others(options)
    with locked(options.state_dir):
        _require_none(options.state_dir)
        workspace, _notes = read_workspace(options.workspace)
        topology = read_topology(options.topology_file)
        _require_same_names(options, workspace, topology)
        folders = _node_folders(options, workspace, topology)
        state = LabState(str(options.state_dir), str(options.workspace.resolve()), str(options.topology_file.resolve()))
        try:
            return _boot(state, topology, folders)
        except BaseException:
            _take_down(find_state(options.state_dir) or state, topology)
            raise


def down(state_dir: Path = DEFAULT_STATE_DIR) -> bool:
    """End the lab and leave nothing of it; return False where there was none."""
    require_root()
    with locked(state_dir):
        state = find_state(state_dir)
        if state is None:
            return False
        _take_down(state, None)
        return True


def status(state_dir: Path = DEFAULT_STATE_DIR) -> list[NodeStatus]:
    """Return every node in the order of the topology. Raises LabError when there is no lab."""
    state = read_state(state_dir)
    topology = state.topology()
    return [_node_status(state, topology, node) for node in topology.tiers]


def exec_in(
    node: str,
    argv: Sequence[str],
    *,
    timeout: float = 60,
    stdin: str | None = None,
    state_dir: Path = DEFAULT_STATE_DIR,
) -> subprocess.CompletedProcess[str]:
    """Run a command inside a node to its end, at most `timeout` seconds; its exit code is the caller's to judge.

    A command that takes longer is ended and exits 124, as timeout(1) says.

    Raises:
        LabError: no lab, no such node, or the node is dead.
    """
    command = ["timeout", "-k", "2", str(timeout), *argv]
    return subprocess.run(enter_node(node, command, state_dir), input=stdin, capture_output=True, text=True)


def enter_node(node: str, argv: Sequence[str], state_dir: Path = DEFAULT_STATE_DIR) -> list[str]:
    """Return the command that runs `argv` inside a node. Raises LabError as `exec_in`."""
    state = read_state(state_dir)
    process = state.nodes.get(node)
    if process is None or not is_alive(process):
        raise lab_error(
            node,
            "this node cannot be entered",
            expected=f"one of {', '.join(name for name, each in state.nodes.items() if is_alive(each))}",
            found="no such node" if process is None else "it is dead",
            next_step="Choose another, or boot the lab anew: waiwang lab down, waiwang lab up",
        )
    return namespaces.enter(process, argv)


def enter_noc(argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` where the product stands: this machine's files, the network of `noc`."""
    return ["ip", "netns", "exec", NOC, *argv]


def cut(wanted: str, *, silent: bool = False, state_dir: Path = DEFAULT_STATE_DIR) -> Link:
    """Break a line: the end at the centre loses its carrier, or with `silent` both keep it and nothing arrives.

    `wanted`: a line id, or `A:B` for the line between two nodes.

    Raises:
        LabError: no lab, or no such line.
    """
    state = read_state(state_dir)
    link = find_link(state.topology(), wanted)
    (namespaces.drop_silently if silent else namespaces.lose_carrier)(state.nodes, link)
    return link


def heal(wanted: str, *, state_dir: Path = DEFAULT_STATE_DIR) -> Link:
    """Mend a line that was cut, in whatever way; a whole line stays as it is. Raises LabError as `cut`."""
    state = read_state(state_dir)
    link = find_link(state.topology(), wanted)
    namespaces.mend(state.nodes, link)
    return link


def environment(state: LabState) -> dict[str, str]:
    """Return the variables that product commands in `noc` need."""
    return {
        "WAIWANG_ROOT": state.workspace,
        "WAIWANG_SECRETS_FILE": str(state.secrets_file),
        "WAIWANG_KNOWN_HOSTS": str(state.known_hosts),
        "WAIWANG_DATABASE_URL": state.database_url,
        "WAIWANG_POLL_INTERVAL_S": str(POLL_INTERVAL_S),
    }


def start_in_noc(
    argv: Sequence[str], env: Mapping[str, str], *, listen: tuple[str, int] | None = None, stdout: int | IO[str] | None = None
) -> subprocess.Popen[str]:
    """Start a command in `noc`, with `env` added to the present environment. Standard error goes where standard output goes.

    With `listen` (address, port) it is handed a socket that listens in the root namespace, as systemd hands it over:
    descriptor 3, LISTEN_FDS, LISTEN_PID (sd_listen_fds(3)). So a page served from inside the lab can be looked at from
    outside, and no packet of the lab leaves.

    Raises:
        OSError: the address to listen on is taken.
    """
    if listen is None:
        return _start(enter_noc(argv), env, stdout)
    with socket.create_server(listen) as server:  # closed here only: the command keeps its own copy
        handle = server.fileno()
        script = f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{handle}'
        return _start(["bash", "-c", script, "listen", *enter_noc(argv)], env, stdout, handle)


def _start(argv: Sequence[str], env: Mapping[str, str], stdout: int | IO[str] | None, *handles: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        argv,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=handles,
    )


def find_link(topology: Topology, wanted: str) -> Link:
    """Return the line with this id, or the first one between two nodes `A:B`. Raises LabError where there is none."""
    lines = [link for link in topology.links if link.role in ("primary", "backup")]
    pair = set(wanted.split(":"))
    found = next((link for link in lines if link.line_id == wanted or {link.a.node, link.z.node} == pair), None)
    if found is None:
        raise lab_error(
            wanted,
            "no such line",
            expected=f"a line id such as {lines[0].line_id}, or two nodes such as {lines[0].a.node}:{lines[0].z.node}",
            found="none of the lab's lines",
            next_step="Choose one of inventory/lines.csv of the lab's workspace.",
        )
    return found


def require_possible() -> None:
    """Say everything at once that keeps this machine from running the lab.

    Raises:
        LabError: not root, or packages are missing.
    """
    require_root()
    missing = dict.fromkeys(package for program, package in PROGRAMS.items() if shutil.which(program) is None)
    if not any(Path("/").glob(SNMP_MODULE)):
        missing["frr-snmp"] = None
    if missing:
        raise lab_error(
            "this machine",
            "the lab's programs are not installed",
            expected=", ".join(dict.fromkeys([*PROGRAMS.values(), "frr-snmp"])),
            found=f"without {', '.join(missing)}",
            next_step=f"On Debian 12, as root: apt-get install --no-install-recommends {' '.join(missing)}",
        )


def require_root() -> None:
    if os.geteuid() != 0:
        raise lab_error(
            "this account",
            "the lab makes network namespaces",
            expected="root",
            found=f"user id {os.geteuid()}",
            next_step="Run the command as root, for example with sudo.",
        )


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


def _node_folders(options: LabOptions, workspace: Workspace, topology: Topology) -> dict[str, Path]:
    """Write everything that the nodes read at boot, on a tmpfs of the lab's own; return each node's folder."""
    folder = options.state_dir
    files, secret, hosts = prepare(workspace, options.workspace, topology)
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_mount():
        namespaces.run(["mount", "-t", "tmpfs", "-o", "mode=755", "waiwang-lab", str(folder)])
    write_secrets(folder, secret, hosts)
    folders = {}
    for node, texts in files.items():
        place = folders[node] = folder / "nodes" / node
        for part in ("upper/etc", "upper/usr/local/sbin", "work", "root"):
            (place / part).mkdir(parents=True, exist_ok=True)
        write_files(place / "upper" / "etc", texts)
        for program in ("node-init", "lab-answer"):
            shutil.copy(LAB / "image" / program, place / "upper/usr/local/sbin" / program)
        os.mkfifo(place / "go")
    return folders


def write_secrets(folder: Path, secret: Mapping[str, str], hosts: str) -> None:
    """Write `secrets.yaml` and `known_hosts` into the folder, for root alone."""
    for name, text in (("secrets.yaml", yaml.safe_dump(dict(secret))), ("known_hosts", hosts)):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")


def _boot(state: LabState, topology: Topology, folders: Mapping[str, Path]) -> LabState:
    state = replace(state, unreachable=namespaces.forbid_outside())
    write_state(state)
    processes = namespaces.spawn(list(folders.values()))
    state = replace(state, nodes=dict(zip(folders, processes, strict=True)))
    write_state(state)
    namespaces.attach(state.nodes)
    namespaces.wire(topology)
    for node, process in state.nodes.items():
        namespaces.release(folders[node], process)
    _wait_until_ready(state)
    return state


def _wait_until_ready(state: LabState) -> None:
    deadline = time.monotonic() + BOOT_WAIT_S
    waiting = dict(state.nodes)
    while waiting:
        for node, process in list(waiting.items()):
            if namespaces.is_ready(process):
                del waiting[node]
            elif not is_alive(process) or time.monotonic() > deadline:
                raise _boot_failed(state, node, "it ended" if not is_alive(process) else f"not ready after {BOOT_WAIT_S:g} s")
        time.sleep(0.02)


def _boot_failed(state: LabState, node: str, found: str) -> Exception:
    folder = state.node_folder(node)
    logs = [folder / "upper/var/log/node-init.log", folder / "launch.log"]
    said = next((text for log in logs if log.exists() and (text := log.read_text(errors="replace").strip())), "nothing said")
    return lab_error(
        node,
        "the node did not boot",
        expected="every daemon answering",
        found=f"{found}; last words: {' / '.join(said.splitlines()[-3:])}",
        next_step="Mend what it says, then waiwang lab up; all nodes have been taken down.",
    )


def _take_down(state: LabState, topology: Topology | None) -> None:
    """Undo everything that `up` did, whether it came to its end or not."""
    namespaces.end(state.nodes)
    namespaces.remove_namespaces(topology.tiers if topology else state.nodes)
    namespaces.allow_outside(state.unreachable)
    if state.folder.is_mount():
        namespaces.run(["umount", "--lazy", str(state.folder)])
    shutil.rmtree(state.folder, ignore_errors=True)


def _wait_for_others(options: LabOptions) -> None:
    """Wait until the lab of somebody else on this machine is gone, at most `options.wait_s` seconds."""
    deadline = time.monotonic() + options.wait_s
    while time.monotonic() < deadline and _is_up(options.state_dir):
        time.sleep(0.5)


def _is_up(state_dir: Path) -> bool:
    state = find_state(state_dir)
    return state is not None and any(is_alive(process) for process in state.nodes.values())


def _require_none(state_dir: Path) -> None:
    """Refuse a second lab; take away what a lab left that died."""
    if _is_up(state_dir):
        raise lab_error(
            str(state_dir),
            "a lab is already up",
            expected="none; one machine holds one lab",
            found="a running one",
            next_step="Use it (waiwang lab status), or end it first: waiwang lab down",
        )
    left = find_state(state_dir)
    if left is not None:
        _take_down(left, None)


def _require_same_names(options: LabOptions, workspace: Workspace, topology: Topology) -> None:
    wanted = {*workspace.inventory.devices, *workspace.inventory.services}
    differing = sorted(wanted ^ set(topology.tiers))
    if differing:
        raise lab_error(
            str(options.topology_file),
            "the topology is not that of the workspace",
            expected=f"the nodes of {options.workspace}",
            found=f"a difference in {', '.join(differing)}",
            next_step="Write it anew with: make golden",
        )
    foreign = namespaces.existing_namespaces(topology.tiers)
    if foreign:
        raise lab_error(
            "/run/netns",
            "network namespaces with the lab's names exist already",
            expected="none",
            found=", ".join(foreign),
            next_step=f"End what uses them, or remove them: ip netns delete {foreign[0]}",
        )


def _node_status(state: LabState, topology: Topology, node: str) -> NodeStatus:
    process = state.nodes[node]
    names = topology.interfaces(node)
    if not is_alive(process):
        return NodeStatus(node, topology.tiers[node], "dead", dict.fromkeys(names))
    ready = "ready" if namespaces.is_ready(process) else "booting"
    return NodeStatus(node, topology.tiers[node], ready, {name: _has_carrier(process.pid, name) for name in names})


def _has_carrier(pid: int, interface: str) -> bool:
    """Tell whether a port is up with a carrier, read from the node's own /sys."""
    try:
        return Path(f"/proc/{pid}/root/sys/class/net/{interface}/operstate").read_text().strip() == "up"
    except OSError:
        return False
