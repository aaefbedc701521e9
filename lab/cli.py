"""`waiwang lab …`: the door to the lab."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.edge.files.workspace import read_workspace
from app.errors import ExitCode
from lab import runner
from lab.namespaces import NOC
from lab.nodes import prepare, write_secrets
from lab.prepare import write_files
from lab.runner import LabOptions, NodeStatus
from lab.state import DEFAULT_STATE_DIR, read_state
from lab.topology import Link, format_topology, read_topology

app = typer.Typer(help="The lab: real routers in network namespaces, numbered from 198.18.0.0/15. Needs root.", no_args_is_help=True)

DEFAULTS = LabOptions()


class Format(StrEnum):
    text = "text"
    json = "json"


State = Annotated[Path, typer.Option("--state-dir", envvar="WAIWANG_LAB_STATE_DIR", help="Where the lab keeps its files.")]
Root = Annotated[
    Path,
    typer.Option(
        "--root", envvar="WAIWANG_LAB_ROOT", help="The workspace that the lab is built from.", show_default="the lab's own"
    ),
]
Wanted = Annotated[str, typer.Argument(metavar="LINE|A:B", help="A line id, or two nodes: BZWW-A-0001 or city:county01.")]
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command()
def up(
    root: Root = DEFAULTS.workspace,
    state_dir: State = DEFAULT_STATE_DIR,
    wait_s: Annotated[
        float, typer.Option("--wait", envvar="WAIWANG_LAB_WAIT", min=0, help="Seconds to wait for another lab on this machine to end.")
    ] = 0,
) -> None:
    """Boot every node with its bootstrap text only."""
    begun = time.monotonic()
    state = runner.up(LabOptions(workspace=root, state_dir=state_dir, wait_s=wait_s))
    typer.echo(f"{len(state.nodes)} nodes up in {time.monotonic() - begun:.1f} s, each with its bootstrap text only", err=True)
    typer.echo("product commands run inside: waiwang lab exec noc -- waiwang deploy --commit", err=True)


@app.command()
def status(
    state_dir: State = DEFAULT_STATE_DIR,
    form: Annotated[Format, typer.Option("--format", help="text or json")] = Format.text,
) -> None:
    """Show every node and which of its ports lack a carrier; exit 3 when a node is not ready."""
    rows = runner.status(state_dir)
    if form is Format.json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        typer.echo(_table([("node", "tier", "state", "ports", "without carrier"), *map(_cells, rows)]))
    if any(row.state != "ready" for row in rows):
        raise typer.Exit(ExitCode.DEVICE)


@app.command(name="exec", context_settings=PASSED_ON)
def exec_(
    context: typer.Context,
    node: Annotated[str, typer.Argument(help="A node; in noc the command sees this machine's files and the lab's environment.")],
    state_dir: State = DEFAULT_STATE_DIR,
) -> None:
    """Run a command inside a node: waiwang lab exec city -- vtysh -c "show ip route". Exits as the command does."""
    argv = context.args or ["bash"]
    if node == NOC:
        command, added = runner.enter_noc(argv), runner.environment(read_state(state_dir))
    else:
        command, added = runner.enter_node(node, argv, state_dir), {}
    raise typer.Exit(subprocess.run(command, env={**os.environ, **added}).returncode)


@app.command()
def cut(
    line: Wanted,
    silent: Annotated[bool, typer.Option("--silent", metavar="", help="Both ends keep their carrier; nothing arrives.")] = False,
    state_dir: State = DEFAULT_STATE_DIR,
) -> None:
    """Break a line."""
    _say("cut" if not silent else "cut silently", runner.cut(line, silent=silent, state_dir=state_dir))


@app.command()
def heal(line: Wanted, state_dir: State = DEFAULT_STATE_DIR) -> None:
    """Mend a line that was cut."""
    _say("whole", runner.heal(line, state_dir=state_dir))


@app.command()
def down(state_dir: State = DEFAULT_STATE_DIR) -> None:
    """End the lab and leave nothing of it."""
    typer.echo("the lab is down" if runner.down(state_dir) else "there was no lab", err=True)


@app.command()
def files(
    root: Root = DEFAULTS.workspace,
    folder: Annotated[
        Path, typer.Option("-o", "--output", help="Where the files go.", show_default="where containerlab.yml expects them")
    ] = runner.LAB / "nodes",
) -> None:
    """Write the nodes' files for containerlab, with fresh secrets; then: containerlab deploy -t lab/containerlab.yml."""
    workspace, _notes = read_workspace(root)
    texts, secret, hosts = prepare(workspace, root, read_topology(DEFAULTS.topology_file))
    for node, own in texts.items():
        write_files(folder / node, own)
    write_secrets(folder, secret, hosts)
    typer.echo(f"{len(texts)} nodes below {folder}; the secrets are in {folder / 'secrets.yaml'}", err=True)


@app.command()
def topology(root: Root = DEFAULTS.workspace) -> None:
    """Print the topology of a workspace in containerlab's format."""
    workspace, _notes = read_workspace(root)
    typer.echo(format_topology(workspace), nl=False)


def _say(what: str, link: Link) -> None:
    typer.echo(f"{link.line_id} {what}: {link.a} to {link.z}", err=True)


def _cells(row: NodeStatus) -> tuple[str, ...]:
    lacking = [name for name, carrier in row.ports.items() if carrier is False]
    return row.node, row.tier, row.state, str(len(row.ports)), " ".join(lacking)


def _table(rows: Iterable[Sequence[str]]) -> str:
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
