"""Poll: ask every device once, judge every line, write the cycle.

A poller keeps what makes the next cycle cheap: sessions, ifIndex maps, who was silent. Cycles never overlap; a look at
single devices, after a notification, may come in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address
from typing import Protocol

from app.core.acceptance import LineSample, PortSample
from app.core.intent import DeviceIntent, ManagementIntent
from app.core.inventory import Line
from app.core.linestate import line_ports
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.guard import guard_all
from app.edge.secrets import Secrets, read_secrets
from app.edge.snmp.agent import Agent
from app.edge.snmp.ports import DeviceReading
from app.edge.snmp.round import Faltered, Round
from app.edge.snmp.session import Community, Target, UsmUser, raise_descriptor_limit
from app.errors import Finding, InputError
from app.settings import Settings
from app.workflows.endpoints import Endpoint, snmp_endpoint
from app.workflows.poll_report import CycleReport, LookReport
from app.workflows.readings import device_state, find_oddities, rate_ports, sample_lines
from app.workflows.turns import Turn

Clock = Callable[[], datetime]
#: Secrets that SNMPv3 needs, by name.
SNMP_SECRETS = ("snmp_auth", "snmp_priv")
#: Descriptors that everything but SNMP sessions may need.
SPARE_DESCRIPTORS = 512


class Guard(Protocol):
    """`app.edge.guard.guard_all`: raises UnsafeRoute for the first address that may not be contacted."""

    def __call__(self, addresses: Iterable[IPv4Address | str], *, illustration: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How patiently a cycle asks.

    `patience_s`: seconds for each try. `silent_patience_s`: the same for a device that was silent in the cycle before;
    every `second_look` cycles it is asked with full patience again, or a slow one would stay lost. `at_once`: devices
    asked at the same time, the living and the silent apart, so that the dead delay nobody. `look_patience_s`: for a look
    between cycles; who does not answer in it is left to a full cycle. `at_once_s`: what was heard in it is written at once.
    """

    patience_s: tuple[float, ...] = (1.0, 1.0, 2.0)
    silent_patience_s: tuple[float, ...] = (0.5,)
    second_look: int = 5
    at_once: int = 400
    look_patience_s: tuple[float, ...] = (0.4,)
    at_once_s: float = 0.1


class Poller:
    """Everything that one poll cycle hands to the next."""

    def __init__(
        self,
        workspace: Workspace,
        intents: Mapping[str, DeviceIntent],
        store: Store,
        credentials: Callable[[ManagementIntent], Community | UsmUser],
        endpoint: Endpoint,
        *,
        pace: Pace = Pace(),
        guard: Guard = guard_all,
    ) -> None:
        """Prepare to poll these devices; nothing is sent yet.

        Raises:
            InputError: the plan is an illustration, or a secret is missing.
        """
        _refuse_illustration(workspace)
        self._workspace, self._store, self._pace, self._guard = workspace, store, pace, guard
        self._ports = line_ports(workspace.inventory.lines.values())
        self._addresses = {name: endpoint(intent.contacts[0]) for name, intent in intents.items() if intent.contacts}
        self._agents = {
            name: Agent(Target(name, str(address), port), credentials(intents[name].management))
            for name, (address, port) in self._addresses.items()
        }
        self._far_ends = _far_ends(workspace.inventory.lines.values())
        self._silent: dict[str, int] = {}
        self._index: dict[str, Mapping[str, int]] = {}
        self._engines: dict[bytes, str] = {}
        self._previous: dict[tuple[str, str], PortSample] | None = None
        self._answered: frozenset[str] | None = None
        self._looked: dict[str, DeviceReading] = {}
        self._turn = asyncio.Lock()
        self._interfaces = {name: tuple(self._ports.get(name, ())) for name in self._agents}
        self._turns = {name: Turn() for name in self._agents}
        self._narrow = raise_descriptor_limit(len(self._agents) + SPARE_DESCRIPTORS)

    async def cycle(self, clock: Clock) -> CycleReport:
        """Ask every device, judge every line, write it all in one transaction. A second call waits for the first to end.

        Raises:
            UnsafeRoute: an address may not be contacted from here; nothing was sent.
            StoreError: the cycle could not be written.
        """
        async with self._turn:
            self._require_safe(self._addresses)
            if self._previous is None:
                self._previous = await asyncio.to_thread(_newest_ports, self._store)
            self._looked.clear()
            started_at = clock()
            readings = await self._read_all(clock)
            finished_at = clock()
            for reading in readings:
                self._remember(reading)
            readings = [self._newer(reading) for reading in readings]
            ports = rate_ports((port for reading in readings for port in reading.ports), self._previous)
            self._previous |= ports
            devices = tuple(device_state(reading) for reading in readings)
            self._answered = frozenset(device.device for device in devices if device.answer == "answered")
            lines = tuple(sample_lines(self._workspace, devices, ports, finished_at))
            transitions = await asyncio.to_thread(self._store.write_cycle, started_at, finished_at, devices, lines)
            narrow = () if self._narrow is None else (self._narrow,)
            findings = (*narrow, *find_oddities(readings, self._ports))
            return CycleReport(started_at, finished_at, devices, lines, transitions, findings)

    async def look(self, devices: Iterable[str], clock: Clock) -> AsyncIterator[LookReport]:
        """Ask these devices and the far ends of their lines; write the lines that this decides, without a full cycle.

        A line is decided where both its ends answered, or where one of them shows its port down. Everything else, above
        all who is behind a device that no longer answers, is for a full cycle. Before the first one nothing is decided.
        Yields what was written as soon as those are heard who answer at once, and once more when the others had their time.

        Raises:
            UnsafeRoute: an address may not be contacted from here; nothing was sent.
            StoreError: what was seen could not be written.
        """
        if self._answered is None or self._previous is None:
            yield LookReport(clock(), (), (), unsettled=True)
            return
        notified = [name for name in devices if name in self._agents]
        asked = dict.fromkeys((*notified, *(far for name in notified for far in self._far_ends.get(name, ()) if far in self._agents)))
        self._require_safe(asked)
        waiting = {asyncio.create_task(self._glance(name, clock)) for name in asked}
        heard: dict[str, DeviceReading] = {}
        written: frozenset[str] = frozenset()
        for timeout in (self._pace.at_once_s, None):
            if waiting:
                done, waiting = await asyncio.wait(waiting, timeout=timeout)
                heard |= {reading.device: reading for reading in (task.result() for task in done) if reading is not None}
                unsettled = not waiting and any((name in heard) != (name in self._answered) for name in asked)
                report = await self._write_look(heard, self._previous, written, clock(), unsettled=unsettled)
                written |= {sample.line_id for sample in report.lines}
                yield report

    async def _write_look(
        self,
        heard: Mapping[str, DeviceReading],
        previous: Mapping[tuple[str, str], PortSample],
        written: Collection[str],
        at: datetime,
        *,
        unsettled: bool,
    ) -> LookReport:
        """Write the lines that these readings decide, but for those that are written already."""
        self._looked |= heard
        ports = rate_ports((port for reading in heard.values() for port in reading.ports), previous)
        seen = [device_state(reading) for reading in heard.values()]
        lines = tuple(
            sample
            for sample in sample_lines(self._workspace, seen, ports, at)
            if sample.line_id not in written and self._is_decided(sample, heard)
        )
        return LookReport(at, lines, await asyncio.to_thread(self._store.write_look, at, seen, lines), unsettled)

    def find_device(self, engine_id: bytes) -> str | None:
        """Return the device whose SNMPv3 engine this is, as it told when it was polled."""
        return self._engines.get(engine_id)

    def close(self) -> None:
        """Drop every SNMP session."""
        for agent in self._agents.values():
            agent.close()

    def _require_safe(self, names: Iterable[str]) -> None:
        self._guard((self._addresses[name][0] for name in names), illustration=self._workspace.plan.illustration)

    def _is_decided(self, sample: LineSample, fresh: Collection[str]) -> bool:
        line = self._workspace.inventory.lines[sample.line_id]
        return sample.state == "down" or (line.a_device in fresh and line.z_device in fresh)

    async def _read_all(self, clock: Clock) -> list[DeviceReading]:
        """Ask every device, the living and the silent apart; return the readings in the order of the agents."""
        readings: dict[str, DeviceReading] = {}
        living = [name for name in self._agents if name not in self._silent]
        silent = [name for name in self._agents if name in self._silent]
        await asyncio.gather(self._read_living(living, readings, clock), self._read_with_care(dict.fromkeys(silent, 0), readings, clock))
        return [readings[name] for name in self._agents]

    async def _read_living(self, names: Sequence[str], readings: dict[str, DeviceReading], clock: Clock) -> None:
        """Ask as before whoever answered before, all at once, and with care whoever then does not."""
        tried = dict.fromkeys(names, 0)
        had = dict[str, Turn]()

        def ready() -> Iterator[tuple[Agent, Sequence[list[str]]]]:
            for name in names:
                agent, turn = self._agents[name], self._turns[name]
                if (questions := agent.known_questions()) and turn.take_if_free():
                    had[name] = turn
                    yield agent, questions

        try:
            async with aclosing(Round(ready(), self._pace.patience_s[0], self._pace.at_once).answers()) as answers:
                async for agent, answer in answers:
                    name = agent.target.device
                    if isinstance(answer, Faltered):
                        tried[name] = int(answer.timed_out)
                    elif (reading := agent.read_again(answer, clock)) is not None:
                        readings[name] = reading
                        del tried[name]
                    had.pop(name).give_back()
        finally:
            for turn in had.values():
                turn.give_back()
        await self._read_with_care(tried, readings, clock)

    async def _read_with_care(self, tried: Mapping[str, int], readings: dict[str, DeviceReading], clock: Clock) -> None:
        """Ask devices by workers, so many tries having been made already."""
        left = iter(tried.items())

        async def work() -> None:
            for name, tries in left:
                readings[name] = await self._read(name, clock, self._patience_s(name), tries)

        await asyncio.gather(*(work() for _ in range(min(len(tried), self._pace.at_once))))

    async def _read(self, name: str, clock: Clock, patience_s: tuple[float, ...], tried: int) -> DeviceReading:
        """Ask one device; a look and a cycle that want the same one come one after the other."""
        await self._turns[name].take()
        try:
            return await self._ask(name, clock, patience_s, tried)
        finally:
            self._turns[name].give_back()

    async def _glance(self, name: str, clock: Clock) -> DeviceReading | None:
        """Ask one device shortly; None where it does not answer, or a cycle is just waiting for it to break its silence."""
        patience_s = self._pace.look_patience_s
        try:
            await asyncio.wait_for(self._turns[name].take(), sum(patience_s))
        except TimeoutError:
            return None
        try:
            reading = await self._ask(name, clock, patience_s)
        finally:
            self._turns[name].give_back()
        return reading if reading.answer == "answered" else None

    async def _ask(self, name: str, clock: Clock, patience_s: tuple[float, ...], tried: int = 0) -> DeviceReading:
        agent = self._agents[name]
        reading = await agent.read_ports(self._interfaces[name], self._index.get(name, {}), clock, patience_s, tried=tried)
        if engine_id := agent.engine_id:
            self._engines[engine_id] = name
        if self._narrow is not None:
            agent.close()
        self._index[name] = reading.index
        return reading

    def _newer(self, reading: DeviceReading) -> DeviceReading:
        """Return what a look saw of the device while the cycle was under way, where that is later."""
        looked = self._looked.get(reading.device)
        return reading if looked is None or looked.at <= reading.at else looked

    def _patience_s(self, device: str) -> tuple[float, ...]:
        cycles = self._silent.get(device, 0)
        return self._pace.patience_s if cycles % self._pace.second_look == 0 else self._pace.silent_patience_s

    def _remember(self, reading: DeviceReading) -> None:
        if reading.answer == "silent":
            self._silent[reading.device] = self._silent.get(reading.device, 0) + 1
        else:
            self._silent.pop(reading.device, None)


def open_poller(
    workspace: Workspace,
    intents: Mapping[str, DeviceIntent],
    store: Store,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    endpoint: Endpoint | None = None,
    pace: Pace = Pace(),
) -> Poller:
    """Build the poller of a workspace, SNMPv3 by the plan's user. Nothing is sent yet.

    `endpoint` says where the agent of a contact address really listens (virtual devices); without it, the settings do.

    Raises:
        InputError: the plan is an illustration, the secrets file cannot be read or lacks one of `SNMP_SECRETS`, or the
            plan names an SNMPv3 algorithm that is not known here.
    """
    _refuse_illustration(workspace)
    credentials = usm_credentials(read_secrets(settings.secrets_file, environ))
    return Poller(workspace, intents, store, credentials, endpoint or snmp_endpoint(settings), pace=pace)


def usm_credentials(secrets: Secrets) -> Callable[[ManagementIntent], UsmUser]:
    """Return what gives each device its SNMPv3 user.

    Raises:
        InputError: one of `SNMP_SECRETS` is not set.
    """
    secrets.require(SNMP_SECRETS)
    auth_password, priv_password = (secrets.value(name) for name in SNMP_SECRETS)
    return lambda management: UsmUser(
        management.snmp_user, management.snmp_auth, auth_password, management.snmp_priv, priv_password
    )


def _refuse_illustration(workspace: Workspace) -> None:
    if workspace.plan.illustration:
        step = "Enter the assigned ranges in ipplan/plan.yaml, or choose the lab's workspace with --root. Nothing was sent."
        found = "illustration: true, whose numbers belong to nobody here"
        raise InputError([Finding("ipplan/plan.yaml", "poll", "a plan whose numbers were assigned to this network", found, step)])


def _newest_ports(store: Store) -> dict[tuple[str, str], PortSample]:
    """Return the ports of every line's newest sample, so that the first cycle of a process has rates too."""
    samples = (status.sample for status in store.latest().values())
    seen = (port for sample in samples for port in (sample.a, sample.z, sample.reserved_a, sample.reserved_z))
    return {(port.device, port.interface): port for port in seen if port is not None}


def _far_ends(lines: Iterable[Line]) -> dict[str, tuple[str, ...]]:
    """Return for every device the devices at the other ends of its lines."""
    far: dict[str, dict[str, None]] = {}
    for line in lines:
        far.setdefault(line.a_device, {})[line.z_device] = None
        far.setdefault(line.z_device, {})[line.a_device] = None
    return {device: tuple(others) for device, others in far.items()}
