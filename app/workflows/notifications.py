"""On a notification, poll: what it says of a port is not believed, what the device then shows is (RFC 2863 §3.1.9)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from app.core.intent import DeviceIntent, NotificationTarget
from app.core.notifications import concerns_lines
from app.core.workspace import Workspace
from app.edge.secrets import Secrets, read_secrets
from app.edge.traps.receiver import Notification, Receiver, TrapUser
from app.errors import Finding, InputError, WaiwangError
from app.settings import Settings
from app.workflows.poll import SNMP_SECRETS, Clock, Poller
from app.workflows.poll_report import LookReport

#: The secret that, where it is set, lets SNMPv1 and v2c notifications in.
TRAP_COMMUNITY = "trap_community"


class PendingLooks:
    """Which devices are to be looked at, and when. Time in seconds is handed in.

    One device is looked at once in `pause_s` at most, however many notifications it sends. Each look after a notification
    is followed by others, `again_s` later: agents answer from tables that are some seconds old, and routes to what is
    behind a line take a moment to come back.
    """

    def __init__(self, pause_s: float = 0.5, again_s: tuple[float, ...] = (1.5, 4.0)) -> None:
        self._pause_s, self._again_s = pause_s, again_s
        self._due: dict[str, float] = {}
        self._again: dict[str, tuple[float, ...]] = {}
        self._looked: dict[str, float] = {}
        self._heard: dict[str, float] = {}

    def add(self, device: str, now: float) -> bool:
        """Ask for a look; False where one is waiting that will do."""
        if device in self._due:
            return False
        self._due[device] = max(now, self._looked.get(device, now - self._pause_s) + self._pause_s)
        self._heard[device] = now
        return True

    def take(self, now: float) -> dict[str, float]:
        """Return the devices whose look is due, and when each was heard of; they count as looked at from now on."""
        first = [device for device, due in self._due.items() if due <= now]
        second = [device for device, dues in self._again.items() if dues[0] <= now]
        for device in second:
            if left := tuple(due for due in self._again.pop(device) if due > now):
                self._again[device] = left
        for device in first:
            del self._due[device]
            self._again |= {device: tuple(now + later for later in self._again_s)} if self._again_s else {}
        self._looked |= dict.fromkeys((*first, *second), now)
        return {device: self._heard[device] for device in (*first, *second)}

    def next_due(self) -> float | None:
        """Return when the next look is due, None where none is waiting."""
        return min((*self._due.values(), *(dues[0] for dues in self._again.values())), default=None)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where notifications arrive: which device sent them, and the looks that follow. `arrived` wakes `look_forever`."""

    devices: Mapping[IPv4Address, str]
    find_device: Callable[[bytes], str | None]
    pending: PendingLooks
    arrived: asyncio.Event
    clock_s: Callable[[], float]

    def knows_engine(self, engine_id: bytes) -> bool:
        """Tell whether this SNMPv3 engine answered a poll."""
        return self.find_device(engine_id) is not None

    def accept(self, notification: Notification) -> str:
        """Note a look where one is called for; return what became of the notification (`NOTIFICATION_RESULTS`)."""
        by_engine = self.find_device(notification.engine_id) if notification.engine_id else None
        device = by_engine or self.devices.get(notification.sender)
        if device is None:
            return "unknown_sender"
        if not concerns_lines(notification.kind):
            return "ignored"
        if not self.pending.add(device, self.clock_s()):
            return "coalesced"
        self.arrived.set()
        return "accepted"


async def look_forever(
    poller: Poller,
    desk: Desk,
    clock: Clock,
    stop: asyncio.Event,
    hurry: asyncio.Event,
    report: Callable[[LookReport, float], Awaitable[None] | None] = lambda _report, _delay_s: None,
    report_failure: Callable[[WaiwangError], None] = lambda _error: None,
) -> None:
    """Look at the devices that notified until `stop` is set; ask for a full cycle (`hurry`) where more may have changed.

    `report` is given each look and the seconds from the first notification that led to it until it was recorded.
    """
    while not stop.is_set():
        desk.arrived.clear()
        if devices := desk.pending.take(desk.clock_s()):
            try:
                async for seen in poller.look(devices, clock):
                    if seen.unsettled:
                        hurry.set()
                    said = report(seen, desk.clock_s() - min(devices.values()))
                    if said is not None:
                        await said
            except WaiwangError as error:
                report_failure(error)
            continue
        due = desk.pending.next_due()
        await _either(desk.arrived, stop, None if due is None else max(due - desk.clock_s(), 0.0))


async def _either(first: asyncio.Event, second: asyncio.Event, seconds: float | None) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in (first, second)]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def build_desk(intents: Mapping[str, DeviceIntent], poller: Poller) -> Desk:
    """Return the desk of a running loop. A device is known by its engine, else by any address of its own."""
    return Desk(own_addresses(intents.values()), poller.find_device, PendingLooks(), asyncio.Event(), asyncio.get_running_loop().time)


def own_addresses(intents: Iterable[DeviceIntent]) -> dict[IPv4Address, str]:
    """Return the device of every address that stands on one: a notification leaves by whichever interface leads here."""
    own: dict[IPv4Address, str] = {}
    for intent in intents:
        ports = (port.address.ip for port in intent.interfaces if port.address is not None)
        own |= dict.fromkeys((*ports, *intent.contacts), intent.hostname)
    return own


def listening_place(settings: Settings, target: NotificationTarget) -> tuple[str, int] | None:
    """Return where to listen, None for nowhere: by the settings, else where the plan tells devices to send to.

    Raises:
        InputError: WAIWANG_TRAP_LISTEN cannot be read.
    """
    text = settings.trap_listen
    if text in ("", "auto"):
        return str(target.address), target.port
    if text == "off":
        return None
    host, colon, port = text.rpartition(":")
    try:
        place = str(IPv4Address(host)), int(port)
    except ValueError:
        place = "", -1
    if not colon or not 0 <= place[1] <= 65535:
        step = "Set it to an IPv4 address and a UDP port, to auto, or to off."
        raise InputError([Finding("WAIWANG_TRAP_LISTEN", "where to listen", "for example 127.0.0.1:1162", f"`{text}`", step)])
    return place


def open_receiver(
    workspace: Workspace,
    target: NotificationTarget,
    settings: Settings,
    environ: Mapping[str, str],
    desk: Desk,
    report: Callable[[str], None],
    counts: Counter[str],
) -> Receiver | None:
    """Build the receiver of a workspace, None where the settings want none. Nothing listens yet.

    Raises:
        InputError: the settings, the secrets or the plan cannot be used.
    """
    place = listening_place(settings, target)
    if place is None:
        return None
    secrets = read_secrets(settings.secrets_file, environ)
    user = _trap_user(workspace, secrets)
    community = secrets.value(TRAP_COMMUNITY) if secrets.has(TRAP_COMMUNITY) else None
    return Receiver(place, target.engine_id, user, community, desk.knows_engine, desk.accept, report, counts=counts)


def _trap_user(workspace: Workspace, secrets: Secrets) -> TrapUser:
    secrets.require(SNMP_SECRETS)
    auth, priv = (secrets.value(name) for name in SNMP_SECRETS)
    management = workspace.plan.management
    return TrapUser(management.snmp_user, management.snmp_auth, auth, management.snmp_priv, priv)
