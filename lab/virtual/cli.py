"""`waiwang virtual …`: a city of virtual devices on this machine's loopback. No root."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app.errors import ExitCode, LabError
from lab.virtual.control import ask
from lab.virtual.station import Station, serve

app = typer.Typer(help="A simulated city: virtual devices on 127.0.0.0/8, no root.", no_args_is_help=True)

DEFAULT = Station()

State = Annotated[
    Path,
    typer.Option(
        "--state-dir",
        envvar="WAIWANG_VIRTUAL_STATE_DIR",
        help="where the simulation keeps its files",
        show_default="waiwang-virtual-UID in the temporary folder",
    ),
]
Wanted = Annotated[str, typer.Argument(metavar="LINE|A:B", help="a line id, or two devices: BZWW-A-0001 or city:county01")]

Device = Annotated[str, typer.Argument(metavar="DEVICE", help="a name of the workspace's devices")]
Line = Annotated[int | None, typer.Option(min=1, metavar="LINE", help="a line of the session")]

Configured = Annotated[int | None, typer.Option(min=1, metavar="LINE", help="a configuration line of the session")]


@app.command()
def up(
    root: Annotated[
        Path,
        typer.Option("--root", envvar="WAIWANG_VIRTUAL_ROOT", help="the workspace to play", show_default="the virtual city"),
    ] = DEFAULT.workspace,
    state_dir: State = DEFAULT.folder,
    ssh_port: Annotated[int, typer.Option("--ssh-port", help="on every device's loopback address")] = DEFAULT.ssh_port,
    snmp_port: Annotated[int, typer.Option("--snmp-port", help="on every device's loopback address")] = DEFAULT.snmp_port,
) -> None:
    """Boot every device of a workspace with its first-boot text and play the network until Ctrl-C."""
    station = Station(root.resolve(), state_dir.resolve(), ssh_port, snmp_port)
    if (station.folder / "ready").exists() and _is_running(station):
        raise LabError(f"{station.folder}: simulation: expected none here; found a running one. Use it, or choose another --state-dir.")
    typer.echo(f"SIMULATION of {station.workspace}; in another terminal: . {station.folder / 'environment'}", err=True)
    asyncio.run(_serve_until_told(station))


async def _serve_until_told(station: Station) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(station, stop)


@app.command()
def cut(line: Wanted, state_dir: State = DEFAULT.folder) -> None:
    """Break a line: both its ends lose the signal."""
    typer.echo(f"{_tell(state_dir, {'ask': 'cut', 'line': line})} cut", err=True)


@app.command()
def heal(line: Wanted, state_dir: State = DEFAULT.folder) -> None:
    """Mend a line that was cut or spoilt."""
    typer.echo(f"{_tell(state_dir, {'ask': 'heal', 'line': line})} whole", err=True)


@app.command()
def spoil(
    line: Wanted,
    state_dir: State = DEFAULT.folder,
    rate_share: Annotated[float | None, typer.Option("--rate", min=0, max=1, help="share of its rate that the line carries")] = None,
    loss_ratio: Annotated[float | None, typer.Option("--loss", min=0, max=1, help="share of probes that are lost")] = None,
    errors_per_s: Annotated[float | None, typer.Option("--errors", min=0, help="errored frames a second at both ends")] = None,
) -> None:
    """Let a line be bad without breaking it."""
    question: dict[str, object] = {"ask": "spoil", "line": line}
    wanted = {"rate_share": rate_share, "loss_ratio": loss_ratio, "errors_per_s": errors_per_s}
    typer.echo(f"{_tell(state_dir, {**question, **wanted})} spoilt", err=True)


@app.command()
def trouble(
    device: Device,
    state_dir: State = DEFAULT.folder,
    hang_at: Line = None,
    drop_at: Line = None,
    reboot_at: Line = None,
    ask_at: Line = None,
    delay_s: Annotated[float, typer.Option("--delay", min=0, help="seconds before every answer")] = 0.0,
    refuse_password: Annotated[bool, typer.Option("--refuse-password", metavar="", help="no password is right")] = False,
    disk_full: Annotated[bool, typer.Option("--disk-full", metavar="", help="nothing can be saved")] = False,
    refuse: Annotated[str, typer.Option("--refuse", metavar="TEXT", help="configuration lines with this text are refused")] = "",
    refuse_at: Configured = None,
    drop_after: Configured = None,
) -> None:
    """Let a device misbehave in every SSH session from now on; without an option it is well again.

    Lines are counted from 1 in each session: from --hang-at on it is silent, at --drop-at the connection ends, at --reboot-at it
    restarts, at --ask-at it asks what nobody knows. --refuse-at and --drop-after count configuration lines alone: that one is refused, or
    the connection ends once it was taken.
    """
    wanted = {"hang_at": hang_at, "drop_at": drop_at, "reboot_at": reboot_at, "ask_at": ask_at}
    more = {"delay_s": delay_s, "refuse_password": refuse_password, "disk_full": disk_full}
    changes = {"refuse": refuse or None, "refuse_at": refuse_at, "drop_after": drop_after}
    found = ask(replace(DEFAULT, folder=state_dir).control, {"ask": "trouble", "device": device, **wanted, **more, **changes})
    typer.echo(f"{device} {found['faults'] or 'is well'}", err=True)


@app.command()
def enter(device: Device, state_dir: State = DEFAULT.folder) -> None:
    """Configure a device by hand, as somebody else at its console would: lines from standard input, not saved."""
    ask(replace(DEFAULT, folder=state_dir).control, {"ask": "enter", "device": device, "text": typer.get_text_stream("stdin").read()})
    typer.echo(f"{device} changed by hand", err=True)


@app.command()
def restart(device: Device, state_dir: State = DEFAULT.folder) -> None:
    """Take a device's power away for a moment: it begins again with what was saved."""
    ask(replace(DEFAULT, folder=state_dir).control, {"ask": "restart", "device": device})
    typer.echo(f"{device} restarted", err=True)


@app.command()
def status(state_dir: State = DEFAULT.folder) -> None:
    """Print which devices can be reached and which lines are up, as JSON; exit 3 when any is not."""
    found = ask(replace(DEFAULT, folder=state_dir).control, {"ask": "status"})
    typer.echo(json.dumps(found, indent=2))
    if not all(state for part in found.values() if isinstance(part, dict) for state in part.values()):
        raise typer.Exit(ExitCode.DEVICE)


def _tell(state_dir: Path, question: dict[str, object]) -> str:
    return str(ask(replace(DEFAULT, folder=state_dir).control, question)["line"])


def _is_running(station: Station) -> bool:
    try:
        ask(station.control, {"ask": "status"})
    except LabError:
        return False
    return True
