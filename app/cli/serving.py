"""One process that polls and serves: the poller and the web application on one event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import uvicorn

from app.cli.context import Context, now
from app.cli.output import tell
from app.errors import Finding, InputError
from app.web.app import create_app
from app.workflows.accept import GAP_INTERVALS
from app.workflows.poll import CycleReport, Poller, poll_forever
from app.workflows.summary import StoreReader

#: First descriptor that systemd, or the lab's runner, hands over (sd_listen_fds(3)).
FIRST_PASSED = 3
#: How long open pages may keep a server that was told to stop, seconds.
GRACE_S = 5


@contextmanager
def listening_socket(environ: Mapping[str, str], host: str, port: int) -> Iterator[socket.socket]:
    """Yield the socket that was handed over (LISTEN_FDS), else a new one on host:port.

    Raises:
        InputError: the address is taken or not ours.
    """
    if environ.get("LISTEN_FDS", "0") != "0":
        with socket.socket(fileno=FIRST_PASSED) as passed:
            yield passed
        return
    try:
        server = socket.create_server((host, port), backlog=256)
    except OSError as error:
        step = "Choose another with --host and --port, or end what listens there."
        found = (error.strerror or str(error)).partition(" (while")[0]  # create_server repeats the address
        raise InputError([Finding(f"{host}:{port}", "listen", "a free address of this machine", found, step)]) from None
    with server:
        yield server


def run_server(context: Context, poller: Poller | None, sock: socket.socket) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM); the poll cycle under way is finished."""
    interval = context.settings.poll_interval_s
    reader = StoreReader(context.workspace, context.store, now)
    app = create_app(reader, context.workspace.order.timezone, timedelta(seconds=interval * GAP_INTERVALS))
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws_ping_interval=20, timeout_graceful_shutdown=GRACE_S)
    host, port = sock.getsockname()[:2]
    tell(f"dashboard http://{host}:{port}/ · API /api/v1/openapi.json · metrics /metrics")
    asyncio.run(_serve(_Server(config), poller, interval, sock))


class _Server(uvicorn.Server):
    """A server that leaves signals to us: uvicorn's own handling ends the process before the poll cycle under way is written."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(server: uvicorn.Server, poller: Poller | None, interval_s: float, sock: socket.socket) -> None:
    """Run both until one ends: a poller that broke down takes the server with it, so that nobody looks at old states."""
    stop = asyncio.Event()

    def end() -> None:
        stop.set()
        server.force_exit = server.should_exit  # told twice: wait for no open page
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    polling = asyncio.create_task(poll_forever(poller, interval_s, now, stop, _tell, _tell_failure)) if poller else None
    await asyncio.wait([task for task in (serving, polling) if task is not None], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    server.should_exit = True
    await serving
    if polling is not None and poller is not None:
        await polling
        poller.close()


def _tell(report: CycleReport) -> None:
    for change in report.transitions:
        tell(f"{change.observed_at:%H:%M:%S} {change.line_id}: {change.before} → {change.after} ({change.reason})")


def _tell_failure(error: Exception) -> None:
    tell(f"poll: {error}")
