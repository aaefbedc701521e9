"""One process that polls and serves: the poller and the web application on one event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from app.cli.context import Context, now
from app.cli.output import tell
from app.core.acceptance import Transition
from app.core.faults import FaultEvent
from app.core.intents import notification_target
from app.core.ipplan import address_book
from app.core.trail import START
from app.edge.database.connection import file_open_to_others
from app.edge.secrets import read_secrets
from app.edge.signing import SigningKey
from app.edge.traps.receiver import Receiver
from app.errors import Finding, InputError
from app.web.api.alerts import PATH, TOKEN
from app.web.app import create_app
from app.web.context import AlertDoor
from app.web.doors import Doors
from app.workflows.accept import GAP_INTERVALS
from app.workflows.collector import settle_collector
from app.workflows.faults import FaultDesk
from app.workflows.identify import agent_opener, identify_forever
from app.workflows.notifications import Desk, build_desk, look_forever, open_receiver
from app.workflows.poll import Poller
from app.workflows.poll_report import CycleReport, LookReport
from app.workflows.prune import prune, prune_daily
from app.workflows.registry import Registry
from app.workflows.schedule import poll_forever
from app.workflows.summary import StoreReader

#: First descriptor that systemd, or the lab's runner, hands over (sd_listen_fds(3)).
FIRST_PASSED = 3
#: How long open pages may keep a server that was told to stop, seconds.
GRACE_S = 5
#: Secrets of the doors, by name.
SESSION_KEY, METRICS_TOKEN = "session_key", "metrics_token"
SESSION_KEY_LENGTH = 32
#: Of the token that Alertmanager shows, characters.
SHORTEST_TOKEN = 16
#: How long one summary may serve all who ask while nothing is written: whole hours and days in it come late by no more.
KEEP_SUMMARY = timedelta(minutes=1)


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


def open_doors(context: Context, host: str) -> Doors:
    """Return who may come in at this address.

    Raises:
        InputError: nobody could: reading is closed and there is no account, or the key of sessions is too short.
    """
    reading = context.settings.open_reading
    is_open = reading == "yes" or (reading == "auto" and ip_address(host).is_loopback)
    if not is_open and not context.store.accounts():
        step = "Run waiwang account add first, listen on 127.0.0.1, or set WAIWANG_OPEN_READING=yes to let everybody read."
        raise InputError([Finding(host, "serve", "an account that may sign in", "no account, and reading without sign-in is off", step)])
    secrets = read_secrets(context.settings.secrets_file, context.environ)
    key = secrets.value(SESSION_KEY) if secrets.has(SESSION_KEY) else None
    if key is not None and len(key.get_secret_value()) < SESSION_KEY_LENGTH:
        expected, step = f"{SESSION_KEY_LENGTH} characters or more", "Take 32 random bytes: openssl rand -base64 32."
        raise InputError([Finding(f"secret {SESSION_KEY}", "key of sessions", expected, "fewer", step)])
    token = secrets.value(METRICS_TOKEN) if secrets.has(METRICS_TOKEN) else None
    return Doors(
        context.store,
        open_reading=is_open,
        only_near=reading == "auto",
        hosts=context.settings.hosts,
        session_key=key,
        metrics_token=token,
        clock=now,
        idle=context.settings.idle,
        password_life=context.settings.password_life,
    )


def run_server(
    context: Context, poller: Poller | None, sock: socket.socket, key: SigningKey | None = None, tls: ssl.SSLContext | None = None
) -> None:
    """Serve until the process is told to stop (SIGINT, SIGTERM); the poll cycle under way is finished. `key` signs packs."""
    interval = context.settings.poll_interval_s
    reader = StoreReader(context.workspace, context.store, now, keep_for=min(timedelta(seconds=interval), KEEP_SUMMARY))
    counts = Counter[str]()
    host, port = sock.getsockname()[:2]
    registry = Registry(context.workspace, context.store, now, context.settings.root, interval, key)
    stale_after, doors = timedelta(seconds=interval * GAP_INTERVALS), open_doors(context, host)
    zone, alerts = context.workspace.order.timezone, _alert_door(context)
    app = create_app(reader, zone, stale_after, notifications=counts, alerts=alerts, doors=doors, registry=registry)
    tell(f"dashboard {'https' if tls else 'http'}://{host}:{port}/ · API /api/v1/openapi.json · metrics /metrics")
    tell(f"alerts {'are taken' if alerts else 'are not taken (WAIWANG_SECRET_ALERT_TOKEN is not set)'} at POST {PATH}")

    if (head := context.store.audit_head()) != START:
        tell(f"audit: head {head}")  # stands in the machine's log too, where the database's owner does not write
    if tls is None and not ip_address(host).is_loopback:
        tell(f"http on {host}: passwords can be read on the way. Give --tls-cert and --tls-key, or let a proxy with TLS alone reach it")

    if (file := file_open_to_others(context.settings.database_url)) is not None:
        tell(f"{file}: other accounts of this machine can read it. It holds digests of passwords: chmod 600 {file}*")

    async def watch(stop: asyncio.Event) -> list[asyncio.Task[None]]:
        settle_collector()
        return await _watch(context, poller, stop, counts, reader) if poller is not None else []

    async def serve() -> None:
        try:
            await serve_beside(app, sock, watch, tls, context.settings.proxies)
        finally:
            if poller is not None:
                poller.close()

    asyncio.run(serve())


#: Starts what runs beside a server until the event is set.
Beside = Callable[[asyncio.Event], Awaitable[list[asyncio.Task[None]]]]


class _Server(uvicorn.Server):
    """A server that leaves signals to us: uvicorn's own handling ends the process before the poll cycle under way is written."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_beside(
    app: FastAPI, sock: socket.socket, start: Beside, tls: ssl.SSLContext | None = None, proxies: Sequence[str] = ()
) -> None:
    """Serve an application until SIGINT or SIGTERM, beside tasks that are told to stop by their event and then waited for.

    `proxies`: whose X-Forwarded-For and X-Forwarded-Proto are believed.
    Either takes the other with it: a poller that broke down ends the server, so that nobody looks at old states.
    """
    server = _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws_ping_interval=20,
            timeout_graceful_shutdown=GRACE_S,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            ssl_context_factory=(lambda _config, _default: tls) if tls is not None else None,
        )
    )
    stop = asyncio.Event()

    def end() -> None:
        stop.set()
        server.force_exit = server.should_exit  # told twice: wait for no open page
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    beside = await start(stop)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    await asyncio.wait([serving, *beside], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    server.should_exit = True
    await serving
    await asyncio.gather(*beside)


async def _watch(
    context: Context, poller: Poller, stop: asyncio.Event, counts: Counter[str], reader: StoreReader
) -> list[asyncio.Task[None]]:
    """Poll on schedule, and when a device notifies."""
    hurry, desk = asyncio.Event(), build_desk(context.intents, poller)
    interval_s = context.settings.poll_interval_s
    receiver = await _listen(context, desk, counts)
    faults = FaultDesk(context.workspace, context.store)

    async def report(cycle: CycleReport) -> None:
        _tell(cycle)
        _tell_faults(await asyncio.to_thread(faults.look, now()))
        await asyncio.to_thread(reader.renew)

    polling = asyncio.create_task(poll_forever(poller, interval_s, now, stop, report, _tell_failure, hurry))
    beside = [polling, asyncio.create_task(_identify(context, stop))]
    if context.settings.keep_samples_days:
        beside.append(asyncio.create_task(prune_daily(partial(_prune, context), stop, _tell_failure)))
    if receiver is None:
        return beside
    polling.add_done_callback(lambda _: receiver.close())
    return [*beside, asyncio.create_task(look_forever(poller, desk, now, stop, hurry, _tell_look, _tell_failure))]


def _prune(context: Context) -> int:
    settings = context.settings
    keep, interval = timedelta(days=settings.keep_samples_days), timedelta(seconds=settings.poll_interval_s)
    return prune(context.workspace, context.store, now(), keep, interval)


async def _identify(context: Context, stop: asyncio.Event) -> None:
    """Ask devices every day what they are, beside everything else."""
    devices = [name for name, intent in context.intents.items() if intent.contacts]
    open_agent = agent_opener(context.workspace, context.intents, context.settings, context.environ)
    await identify_forever(context.store, devices, open_agent, now, stop, _tell_failure)


async def _listen(context: Context, desk: Desk, counts: Counter[str]) -> Receiver | None:
    """Receive SNMP notifications. Where the plan sends them to another machine, say so and live by the schedule."""
    target = notification_target(context.workspace, address_book(context.workspace.ledger))
    receiver = open_receiver(context.workspace, target, context.settings, context.environ, desk, _tell_drop, counts)
    if receiver is None:
        return None
    try:
        await receiver.start()
    except InputError as error:
        if context.settings.trap_listen != "auto":
            raise
        counts.clear()
        tell(f"notifications are not received: {error}")
        return None
    host, port = receiver.place
    tell(f"SNMP notifications {host}:{port}")
    return receiver


def _alert_door(context: Context) -> AlertDoor | None:
    """Return where alerts go, None while no token guards it."""
    secrets = read_secrets(context.settings.secrets_file, context.environ)
    if not secrets.has(TOKEN):
        return None
    token = secrets.value(TOKEN)
    if (found := len(token.get_secret_value())) < SHORTEST_TOKEN:
        step = "Make one with: openssl rand -hex 32"
        raise InputError([Finding(f"secret {TOKEN}", "token", f"{SHORTEST_TOKEN} characters or more", f"{found}", step)])
    return AlertDoor(FaultDesk(context.workspace, context.store), token, now)


def _tell_faults(events: Iterable[FaultEvent]) -> None:
    for event in events:
        tell(f"{event.observed_at:%H:%M:%S} {event.fault_id} {event.kind}: {event.line_id} ({event.document})")


def _tell(report: CycleReport) -> None:
    _tell_changes(report.transitions, "")


def _tell_look(report: LookReport, delay_s: float) -> None:
    _tell_changes(report.transitions, f", recorded {delay_s:.2f} s after the notification")


def _tell_changes(changes: Iterable[Transition], how: str) -> None:
    for change in changes:
        tell(f"{change.observed_at:%H:%M:%S} {change.line_id}: {change.before} → {change.after} ({change.reason}{how})")


def _tell_drop(text: str) -> None:
    tell(f"{now():%H:%M:%S} {text}")


def _tell_failure(error: Exception) -> None:
    tell(f"poll: {error}")
