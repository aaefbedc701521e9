"""Start, watch, break, mend and end the lab: real routers in network namespaces, no container engine.

Reads the same topology file and boots the same node init as containerlab does. Everything is in band: the product's
commands run in the namespace `noc`, which is wired to the city router alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from app.core.workspace import Workspace
from app.edge.files.workspace import read_workspace
from lab import namespaces
from lab.failure import lab_error
from lab.namespaces import NOC
from lab.nodes import prepare, write_nodes
from lab.possible import require_possible, require_root
from lab.state import DEFAULT_STATE_DIR, LabState, find_state, is_alive, locked, read_state, write_state
from lab.topology import Link, Topology, read_topology

LAB = Path(__file__).parent
BOOT_WAIT_S = 180.0
POLL_INTERVAL_S = 3


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
    deadline = time.monotonic() + options.wait_s
    while True:
        with locked(options.state_dir):
            if not _is_up(options.state_dir) or time.monotonic() >= deadline:
                return _up_alone(options)
        time.sleep(0.5)


def _up_alone(options: LabOptions) -> LabState:
    _require_none(options.state_dir)
    workspace, _notes = read_workspace(options.workspace)
    topology = read_topology(options.topology_file)
    _require_same_names(options, workspace, topology)
    prepared = prepare(workspace, options.workspace, topology)
    state = LabState(str(options.state_dir), str(options.workspace.resolve()), str(options.topology_file.resolve()))
    try:
        _mount(state)
        return _boot(state, topology, write_nodes(state, *prepared))
    except BaseException:
        _take_down(find_state(options.state_dir) or state, topology)
        raise


def down(state_dir: Path = DEFAULT_STATE_DIR, *, only: LabState | None = None) -> bool:
    """End the lab and leave nothing of it; return False where there was none.

    `only` is the lab that the caller booted: where somebody ended it meanwhile and booted another, that one is left alone.
    """
    require_root()
    with locked(state_dir):
        state = find_state(state_dir)
        if state is None or (only is not None and state.nodes != only.nodes):
            return False
        _take_down(state, None)
        return True


def status(state_dir: Path = DEFAULT_STATE_DIR) -> list[NodeStatus]:
    """Return every node in the order of the topology. Raises LabError when there is no lab."""
    state = _running(state_dir)
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
    state = _running(state_dir)
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
    state = _running(state_dir)
    link = find_link(state.topology(), wanted)
    (namespaces.drop_silently if silent else namespaces.lose_carrier)(state.nodes, link)
    return link


def heal(wanted: str, *, state_dir: Path = DEFAULT_STATE_DIR) -> Link:
    """Mend a line that was cut, in whatever way; a whole line stays as it is. Raises LabError as `cut`."""
    state = _running(state_dir)
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
    """Start a command in `noc`; all else as `start`. So a page served from inside the lab can be looked at from outside, and no
    packet of the lab leaves.
    """
    return start(enter_noc(argv), env, listen=listen, stdout=stdout)


def start(
    argv: Sequence[str], env: Mapping[str, str], *, listen: tuple[str, int] | None = None, stdout: int | IO[str] | None = None
) -> subprocess.Popen[str]:
    """Start a command with `env` added to the present environment. Standard error goes where standard output goes.

    With `listen` (address, port) it is handed a socket that listens in the root namespace, as systemd hands it over:
    descriptor 3, LISTEN_FDS, LISTEN_PID (sd_listen_fds(3)).

    Raises:
        OSError: the address to listen on is taken.
    """
    if listen is None:
        return _start(argv, env, stdout)
    with socket.create_server(listen) as server:  # closed here only: the command keeps its own copy
        handle = server.fileno()
        script = f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{handle}'
        return _start(["bash", "-c", script, "listen", *argv], env, stdout, handle)


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


def _mount(state: LabState) -> None:
    """Put a tmpfs under the lab's files: overlays need one, and secrets never reach a disk."""
    state.folder.mkdir(parents=True, exist_ok=True)
    namespaces.run(["mount", "-t", "tmpfs", "-o", "mode=755", "waiwang-lab", state.state_dir])
    write_state(state)


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
        namespaces.run(["umount", "--lazy", state.state_dir])
    with suppress(OSError):
        state.folder.rmdir()


def _running(state_dir: Path) -> LabState:
    require_root()
    return read_state(state_dir)


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
    if state_dir.exists() and (state_dir.is_mount() or any(state_dir.iterdir())):
        raise lab_error(
            str(state_dir),
            "the lab's folder is in use",
            expected="no such folder, or an empty one",
            found="a mount" if state_dir.is_mount() else "files that are not the lab's",
            next_step="Name another with --state-dir (WAIWANG_LAB_STATE_DIR), or clear this one by hand.",
        )


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
