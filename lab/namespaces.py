"""Linux's part of the lab: namespaces, wires, routes and processes. Runs `ip`, `unshare`, `nsenter`, `mount`, `nft`."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

from app.edge.guard import LAB_PREFIXES
from lab.failure import lab_error
from lab.state import Process, is_alive, start_of
from lab.topology import Link, Topology

NOC = "noc"
PREFIX = "lab-"
ENTER = Path(__file__).parent / "image" / "enter-node"
NODE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Below every metric that the system gives, so that containerlab's own route to its boot network stands.
LAST_METRIC = "4278198272"
#: What a port takes from the kernel at a time, for `ip link add`.
SINGLE_FRAMES = "gso_max_segs 1"
NETNS_FOLDER = Path("/run/netns")
SPAWN_WAIT_S = 60.0
END_WAIT_S = 30.0
#: Starts every node in the background and prints its process; the nodes outlive this shell and are nobody's children here.
SPAWN = """
for folder; do
    unshare --net --mount --uts --ipc --pid --fork --kill-child "$ENTER" "$folder" </dev/null >"$folder/launch.log" 2>&1 &
    echo $!
done
"""
#: nftables takes no closing brace on the line of a rule.
CUT = """\
table netdev {table} {{
    chain everything {{
        type filter hook ingress device {interface} priority 0; policy drop;
    }}
}}
"""


def namespace_of(node: str) -> str:
    """Return the name in `ip netns`: `noc` is where product commands run, the others are the lab's own."""
    return node if node == NOC else PREFIX + node


def run(argv: Sequence[str], stdin: str | None = None) -> str:
    """Run a system command to its end and return its output.

    Raises:
        LabError: it failed, with its own words.
    """
    finished = subprocess.run(argv, input=stdin, capture_output=True, text=True)
    if finished.returncode:
        said = " ".join((finished.stderr or finished.stdout).split())[:400]
        raise lab_error(
            " ".join(argv)[:120],
            "a system command failed",
            expected="exit 0",
            found=f"exit {finished.returncode}: {said}",
            next_step="Run waiwang lab down, then waiwang lab up; if it stays, this kernel or container lacks what the lab needs.",
        )
    return finished.stdout


def spawn(folders: Sequence[Path]) -> list[Process]:
    """Start a node in each folder, waiting at its FIFO; return the first process inside each."""
    environment = {"PATH": NODE_PATH, "ENTER": str(ENTER)}
    started = subprocess.run(
        ["setsid", "sh", "-c", SPAWN, "spawn", *map(str, folders)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    parents = [int(pid) for pid in started.stdout.split()]
    deadline = time.monotonic() + SPAWN_WAIT_S
    try:
        return [_first_child(parent, folder, deadline) for parent, folder in zip(parents, folders, strict=True)]
    except BaseException:
        for parent in parents:
            _kill(parent)
        raise


def _first_child(parent: int, folder: Path, deadline: float) -> Process:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    while time.monotonic() < deadline and start_of(parent) is not None:
        pids = children.read_text().split()
        started = start_of(int(pids[0])) if pids else None
        if started is not None:
            return Process(int(pids[0]), started)
        time.sleep(0.005)
    raise lab_error(
        folder.name,
        "the node did not start",
        expected="namespaces of its own",
        found=(folder / "launch.log").read_text().strip() or "nothing said",
        next_step="The lab needs root with CAP_SYS_ADMIN, overlayfs and network, mount and process namespaces.",
    )


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def attach(nodes: Mapping[str, Process]) -> None:
    """Give every node's network namespace its name for `ip netns`."""
    for node, process in nodes.items():
        run(["ip", "netns", "attach", namespace_of(node), str(process.pid)])


def wire(topology: Topology) -> None:
    """Make every link as a veth pair between two namespaces; nothing of it ever appears in the root namespace.

    Each end hands over frame by frame, as a wire does. Linux would pass TCP's segments of up to 64 KB through a veth in one
    piece: a shaper then drops what is larger than its queue, and a line's rate is measured too low by a tenth and more.
    """
    starts: dict[str, list[str]] = {}
    for link in topology.links:
        ends = f"{link.a.interface} {SINGLE_FRAMES} type veth peer name {link.z.interface} {SINGLE_FRAMES}"
        command = f"link add {ends} netns {namespace_of(link.z.node)}"
        starts.setdefault(link.a.node, []).append(command)
    for node, commands in starts.items():
        run(["ip", "-n", namespace_of(node), "-batch", "-"], "\n".join(commands) + "\n")


def release(folder: Path, process: Process) -> None:
    """Let a node go on from its FIFO; one that died meanwhile is left to the wait for its boot."""
    while is_alive(process):
        try:
            handle = os.open(folder / "go", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody reads yet
                raise
            time.sleep(0.005)
            continue
        os.write(handle, b"go\n")
        os.close(handle)
        return


def is_ready(process: Process) -> bool:
    return Path(f"/proc/{process.pid}/root/run/node-ready").exists()


def existing_namespaces(nodes: Iterable[str]) -> list[str]:
    return [name for name in map(namespace_of, nodes) if (NETNS_FOLDER / name).exists()]


def remove_namespaces(nodes: Iterable[str]) -> None:
    for name in existing_namespaces(nodes):
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def end(nodes: Mapping[str, Process]) -> None:
    """Kill the first process of each node, and with it all of the node; wait until they are gone. No other process is touched."""
    alive = [process for process in nodes.values() if is_alive(process)]
    for process in alive:
        _kill(process.pid)
    deadline = time.monotonic() + END_WAIT_S
    while any(map(is_alive, alive)) and time.monotonic() < deadline:
        time.sleep(0.01)


def forbid_outside() -> tuple[str, ...]:
    """Make the lab's prefixes unreachable in the root namespace; return those routes that were not there before."""
    return tuple(str(prefix) for prefix in LAB_PREFIXES if _set_unreachable(prefix))


def _set_unreachable(prefix: IPv4Network) -> bool:
    argv = ["ip", "route", "add", "unreachable", str(prefix), "metric", LAST_METRIC]
    finished = subprocess.run(argv, capture_output=True, text=True)
    if finished.returncode and "File exists" not in finished.stderr:
        run(argv)
    return finished.returncode == 0


def allow_outside(prefixes: Iterable[str]) -> None:
    """Take back the routes of `forbid_outside`."""
    for prefix in prefixes:
        subprocess.run(["ip", "route", "delete", "unreachable", prefix, "metric", LAST_METRIC], capture_output=True)


def enter(process: Process, argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` inside a node, with the node's own root and a clean environment."""
    inside = ["env", "-i", f"PATH={NODE_PATH}", "HOME=/tmp", "TERM=dumb", *argv]
    return ["nsenter", "-t", str(process.pid), "-n", "-m", "-u", "-i", "-p", "-r", "-w", *inside]


def lose_carrier(nodes: Mapping[str, Process], link: Link) -> None:
    """Take down the end away from the centre: the end at the centre loses its carrier, as with a fibre that was cut."""
    run(enter(nodes[link.z.node], ["ip", "link", "set", link.z.interface, "down"]))


def drop_silently(nodes: Mapping[str, Process], link: Link) -> None:
    """Drop whatever arrives at either end; both keep their carrier."""
    for end_point in (link.a, link.z):
        text = CUT.format(table=_table(end_point.interface), interface=end_point.interface)
        run(enter(nodes[end_point.node], ["nft", "-f", "-"]), text)


def mend(nodes: Mapping[str, Process], link: Link) -> None:
    """Undo `lose_carrier` and `drop_silently`, whichever was done."""
    run(enter(nodes[link.z.node], ["ip", "link", "set", link.z.interface, "up"]))
    for end_point in (link.a, link.z):
        table = _table(end_point.interface)
        present = run(enter(nodes[end_point.node], ["nft", "list", "tables", "netdev"]))
        if f"table netdev {table}" in present:
            run(enter(nodes[end_point.node], ["nft", "delete", "table", "netdev", table]))


def _table(interface: str) -> str:
    return f"waiwang_cut_{interface}"
