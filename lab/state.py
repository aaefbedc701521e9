"""What a running lab remembers of itself: which processes are its own, and where its files lie."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.failure import lab_error
from lab.topology import Topology, read_topology

DEFAULT_STATE_DIR = Path("/run/waiwang-lab")
STATE_FILE = "state.json"
LOCK_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process by number and start (clock ticks since boot, proc(5)); the number alone may have been given anew."""

    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class LabState:
    """A lab that was started. `nodes`: the first process of each; `unreachable`: routes set in the root namespace."""

    state_dir: str
    workspace: str
    topology_file: str
    nodes: Mapping[str, Process] = field(default_factory=dict)
    unreachable: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return Path(self.state_dir)

    @property
    def secrets_file(self) -> Path:
        return self.folder / "secrets.yaml"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'waiwang.db'}"

    def node_folder(self, node: str) -> Path:
        return self.folder / "nodes" / node

    def topology(self) -> Topology:
        return read_topology(Path(self.topology_file))


def start_of(pid: int) -> int | None:
    """Return when a process started (clock ticks since boot), None when there is none or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def is_alive(process: Process) -> bool:
    return start_of(process.pid) == process.started


def write_state(state: LabState) -> None:
    """Replace the state file in one step."""
    passing = state.folder / f".{STATE_FILE}"
    passing.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
    passing.replace(state.folder / STATE_FILE)


def find_state(state_dir: Path = DEFAULT_STATE_DIR) -> LabState | None:
    """Return the state of the lab in this folder, None when none was started."""
    try:
        tree = json.loads((state_dir / STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    nodes = {name: Process(**process) for name, process in tree.pop("nodes").items()}
    return LabState(**{**tree, "nodes": nodes, "unreachable": tuple(tree["unreachable"])})


def read_state(state_dir: Path = DEFAULT_STATE_DIR) -> LabState:
    """Return the state of the lab that is up.

    Raises:
        LabError: none is up.
    """
    state = find_state(state_dir)
    if state is None or not any(is_alive(process) for process in state.nodes.values()):
        raise lab_error(
            str(state_dir), "there is no lab", expected="a lab that is up", found="none", next_step="Start it, as root: waiwang lab up"
        )
    return state


@contextmanager
def locked(state_dir: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Let one `up` or `down` work at a time on this machine.

    Raises:
        LabError: another still works after `wait_s` seconds.
    """
    path = state_dir.with_name(state_dir.name + ".lock")
    deadline = time.monotonic() + wait_s
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise lab_error(
                        str(path),
                        "another lab is being started or ended",
                        expected=f"its end within {wait_s:g} s",
                        found="still at work",
                        next_step="Wait for it, then run the command again.",
                    ) from None
                time.sleep(0.1)
        os.utime(path)
        yield
