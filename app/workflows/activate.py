"""The supervised activation of a reserved port: both ends brought up, seen by SNMP, proven to be wired to each other, shut again.

The line that carries traffic is not touched. Whatever happens, both ends are shut at the end, or the result says that they are not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from app.core.acceptance import Measurement, PortSample
from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.inventory import Line
from app.core.service_class import ServiceClass
from app.edge.patch import patch
from app.errors import CommitRefused, DeviceError, RenderError
from app.workflows.hosts import DeviceSession, Gateway
from app.workflows.measure import Ground

METHOD = "supervised activation: both ends up, seen by SNMP; one end shut, the other saw it; both shut again"

#: Reads one port by SNMP now: device, interface → sample, None when it cannot be read.
ReadPort = Callable[[str, str], PortSample | None]
#: Renders an intent.
Draw = Callable[[DeviceIntent], str]


@dataclass(frozen=True, slots=True)
class End:
    """One end of a reserved port, with the patches that bring it up and shut it again."""

    device: str
    interface: str
    up: tuple[Command, ...]
    shut: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a port may take to be seen in a new state, and how often to look, seconds."""

    limit_s: float = 20.0
    step_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Trace:
    """What was seen, in order, for the evidence."""

    steps: list[dict[str, object]]

    def add(self, step: str, **facts: object) -> None:
        self.steps.append({"step": step, **facts})


def reserved_ends(line: Line, intents: Mapping[str, DeviceIntent], draw: Draw) -> tuple[End, End]:
    """Return both ends of a line's reserved port, the far (`z`) end first. Pure but for the drawing.

    Raises:
        RenderError: an end of the line has no reserved interface in its intent.
    """
    return (
        _end(line.z_device, line.z_reserved_interface, intents, draw),
        _end(line.a_device, line.a_reserved_interface, intents, draw),
    )


def _end(device: str, interface: str | None, intents: Mapping[str, DeviceIntent], draw: Draw) -> End:
    intent = intents[device]
    if interface is None or all(port.name != interface for port in intent.interfaces):
        raise RenderError(f"{device}: reserved port: expected an interface in lines.csv; found {interface or 'none'}. Fill in both ends.")
    ports = tuple(replace(port, shutdown=False) if port.name == interface else port for port in intent.interfaces)
    resting, active = draw(intent), draw(replace(intent, interfaces=ports))
    return End(device, interface, patch(intent.family, resting, active), patch(intent.family, active, resting))


def activate(
    ground: Ground, line: Line, service_class: ServiceClass, ends: tuple[End, End], gateway: Gateway, read: ReadPort, *, patience: Patience
) -> Measurement:
    """Bring a reserved port up under supervision and shut it again; return 1.0 when it is proven, 0.0 when it failed.

    An activation that could not be carried out (a device does not answer) is not measured and proves nothing.
    """
    trace = Trace([])
    shutter = Shutter(ground, gateway, patience, trace)
    reason: str | None = None
    lost: DeviceError | None = None
    try:
        with ExitStack() as stack:
            sessions = {end.device: stack.enter_context(_session(ground, gateway, end)) for end in ends}
            try:
                reason = _supervise(ends, sessions, shutter, service_class.reserved_port_mbps or 0, read, patience, trace)
            finally:
                shutter.shut_all(sessions)
        reason = reason or _see_both_shut(ends, read, patience, trace)
    except DeviceError as error:
        lost = error
    shut_again = isinstance(lost, CommitRefused) and not shutter.left_open
    told = f"{lost} Both ports were shut again." if shut_again else str(lost)
    words = "; ".join([*([told] if lost else []), *([reason] if reason else []), *shutter.left_open])
    detail: dict[str, object] = {"steps": trace.steps, **({"reason": words} if words else {})}
    value = None if lost else 0.0 if words else 1.0
    return Measurement(line.line_id, "reserved_port", ground.clock(), value, "proven", ground.method(METHOD), detail)


@dataclass(slots=True)
class Shutter:
    """Shuts what was brought up, each end whatever became of the other one; `left_open` says which could not be shut.

    An end whose session is lost is logged in to once more, for as long as the patience lasts.
    """

    ground: Ground
    gateway: Gateway
    patience: Patience
    trace: Trace
    begun: list[End] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)

    def shut_all(self, sessions: Mapping[str, DeviceSession]) -> None:
        while self.begun:
            end = self.begun.pop()
            try:
                self._shut(end, sessions[end.device])
            except DeviceError as error:
                self.left_open.append(f"{end.device}:{end.interface} may still be open: shut it by hand ({error})")

    def _shut(self, end: End, session: DeviceSession) -> None:
        try:
            session.push(end.shut)
        except DeviceError as error:
            self.trace.add("session lost, logged in once more", port=f"{end.device}:{end.interface}", found=str(error))
            again = self.gateway.connect(self.ground.intents[end.device], self.patience.limit_s)
            try:
                again.push(end.shut)
            finally:
                again.close()


@contextmanager
def _session(ground: Ground, gateway: Gateway, end: End) -> Iterator[DeviceSession]:
    session = gateway.connect(ground.intents[end.device], 0.0)
    try:
        yield session
    finally:
        session.close()


def _supervise(
    ends: tuple[End, End],
    sessions: Mapping[str, DeviceSession],
    shutter: Shutter,
    wanted_mbps: int,
    read: ReadPort,
    patience: Patience,
    trace: Trace,
) -> str | None:
    """Return why the port is not proven, None when it is. Every end that was touched is in `shutter.begun` from then on."""
    far, near = ends
    for end in ends:
        shutter.begun.append(end)
        sessions[end.device].push(end.up)
    reason = _see_both_up(ends, wanted_mbps, read, patience, trace)
    if reason:
        return reason
    sessions[near.device].push(near.shut)
    shutter.begun.remove(near)
    seen = _wait(far, read, patience, lambda port: port.oper_up is False)
    trace.add("near end shut, far end looked at", **_facts(far, seen))
    if seen is None or seen.oper_up is not False:
        return f"{far.device}:{far.interface} stayed up when {near.device}:{near.interface} was shut: they are not wired together"
    return None


def _see_both_up(ends: Sequence[End], wanted_mbps: int, read: ReadPort, patience: Patience, trace: Trace) -> str | None:
    for end in ends:
        seen = _wait(end, read, patience, lambda port: port.oper_up is True)
        trace.add("both ends brought up", **_facts(end, seen))
        if seen is None or not seen.oper_up:
            return f"{end.device}:{end.interface} did not come up within {patience.limit_s:g} s"
        if (seen.speed_mbps or 0) < wanted_mbps:
            return f"{end.device}:{end.interface} runs at {seen.speed_mbps} Mbit/s; {wanted_mbps} are reserved"
    return None


def _see_both_shut(ends: Sequence[End], read: ReadPort, patience: Patience, trace: Trace) -> str | None:
    for end in ends:
        seen = _wait(end, read, patience, lambda port: port.admin_up is False)
        trace.add("both ends shut", **_facts(end, seen))
        if seen is None or seen.admin_up is not False:
            return f"{end.device}:{end.interface} is not seen shut again: shut it by hand"
    return None


def _wait(end: End, read: ReadPort, patience: Patience, wanted: Callable[[PortSample], bool]) -> PortSample | None:
    """Look until the port is as wanted or the patience is over; return the last look."""
    give_up_at = time.monotonic() + patience.limit_s
    while True:
        seen = read(end.device, end.interface)
        if (seen is not None and wanted(seen)) or time.monotonic() >= give_up_at:
            return seen
        time.sleep(patience.step_s)


def _facts(end: End, seen: PortSample | None) -> dict[str, object]:
    if seen is None:
        return {"port": f"{end.device}:{end.interface}", "seen": None}
    return {
        "port": f"{end.device}:{end.interface}",
        "at": seen.at.isoformat(),
        "admin_up": seen.admin_up,
        "oper_up": seen.oper_up,
        "speed_mbps": seen.speed_mbps,
    }
