"""Play a scenario: a virtual city on a virtual clock, watched and judged by the product's own poller, tests and acceptance.

What is simulated are readings of ports and results of tests. States, transitions and verdicts are worked out from them by the
same functions that work on a real network, and written by the same store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from app.core.acceptance import PASS, Acceptance, Measurement, PortSample
from app.core.commands import Command
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.inventory import Line
from app.core.line_event import opened_event
from app.core.linestate import DeviceState, line_ports
from app.core.ping import PingCount
from app.core.throughput import RateOutcome, RateRequest
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.ssh.session import AS_WRITTEN
from app.edge.templates import read_templates
from app.errors import CommitRefused, ConnectFailed
from app.workflows.accept import accept
from app.workflows.faults import FaultDesk
from app.workflows.hosts import DeviceSession, Gateway
from app.workflows.measure import Ground, measure_rate, measure_reach
from app.workflows.readings import rate_ports, sample_lines
from app.workflows.render import render
from lab.scenario.timeline import Event, bad_reserved_ports, chance, events
from lab.scenario.values import Scenario
from lab.virtual.city import Quality, VirtualCity, usual_load
from lab.virtual.facts import SnmpUser
from lab.virtual.tester import RATE_METHOD

#: From a change in the network to the poll that sees it; a poller that is told by traps looks at once.
LOOK_AFTER = timedelta(seconds=20)
#: How long a poll cycle takes; it ends at the moment that it is played.
CYCLE = timedelta(seconds=2)
#: Tests run so long before the evening's judging.
TESTED_BEFORE = timedelta(hours=2)
#: A line that was tested and not accepted is tested again after so long.
TESTED_AGAIN = timedelta(days=2)
PROBES = 1000
REPORT = "SIMULATION: the carrier's daily report"
RESERVED_METHOD = "SIMULATION: supervised activation as the simulated ports would show it"
#: Share of the usual load by hour of the civil day.
HOURS = (0.1,) * 7 + (0.3, 0.8, 1.0, 1.0, 0.9, 0.5, 0.5, 0.9, 1.0, 1.0, 0.7, 0.4, 0.3, 0.3, 0.2, 0.1, 0.1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a play has come."""

    at: datetime
    cycles: int
    decisions: int


class Player:
    """One play of a scenario into a store; `play_until` may be called again with a later moment."""

    def __init__(self, scenario: Scenario, workspace: Workspace, store: Store) -> None:
        self._scenario, self._workspace, self._store = scenario, workspace, store
        self._zone = workspace.order.timezone
        self._now = scenario.begins_at
        self._intents = build_intents(workspace)
        self._ports = line_ports(workspace.inventory.lines.values())
        self._city = self._build_city()
        self._events = events(scenario, workspace.inventory, self._zone)
        self._next_event = 0
        self._next_poll = scenario.begins_at
        self._next_evening = self._evening_after(scenario.begins_at)
        self._look_at: list[datetime] = []
        self._broken: dict[str, set[str]] = {line_id: {"not opened"} for line_id in workspace.inventory.lines}
        self._stopped = self._deaf = False
        self._previous: dict[tuple[str, str], PortSample] = {}
        self._opened: dict[str, datetime] = {}
        self._reported: set[str] = set()
        self._tested: dict[str, datetime] = {}
        self._cycles = self._decisions = 0
        self._faults = FaultDesk(workspace, store)
        for line_id in workspace.inventory.lines:
            self._city.cut(self._city.find_line(line_id)[1])

    def _build_city(self) -> VirtualCity:
        """Return the city with every device installed and configured; what is missing are the carriers' lines."""
        texts = render(self._workspace, read_templates(self._scenario.workspace))
        return VirtualCity(self._workspace, self._intents, texts, SnmpUser("unused"), clock=lambda: self._now.timestamp())

    # --- the clock

    def play_until(self, moment: datetime) -> Progress:
        """Play everything up to and including this moment."""
        while (at := self._next_moment()) <= moment:
            self._now = at
            self._play_events()
            if self._is_due(at):
                self._poll()
            if at == self._next_evening - TESTED_BEFORE:
                self._report_opened()
                self._test()
            if at == self._next_evening:
                self._judge()
                self._next_evening = self._evening_after(at)
        return Progress(self._now, self._cycles, self._decisions)

    def _next_moment(self) -> datetime:
        pending = [self._next_poll, *self._look_at[:1], self._next_evening]
        if self._now < self._next_evening - TESTED_BEFORE:
            pending.append(self._next_evening - TESTED_BEFORE)
        if self._next_event < len(self._events):
            pending.append(self._events[self._next_event].at)
        return min(pending)

    def _is_due(self, at: datetime) -> bool:
        """Tell whether to poll at this moment, and set when to poll next."""
        due = False
        while self._look_at and self._look_at[0] <= at:
            self._look_at.pop(0)
            due = True
        if at >= self._next_poll:
            polling = self._scenario.polling
            final_from = self._scenario.present_at - polling.final_span
            self._next_poll = at + polling.final_every if at >= final_from else min(at + polling.every, final_from)
            due = True
        return due

    def _evening_after(self, at: datetime) -> datetime:
        evening = datetime.combine(at.astimezone(self._zone).date(), self._scenario.judged_at, tzinfo=self._zone)
        return evening if evening > at else evening + timedelta(days=1)

    # --- what happens to the network

    def _play_events(self) -> None:
        while self._next_event < len(self._events) and self._events[self._next_event].at <= self._now:
            event = self._events[self._next_event]
            self._next_event += 1
            self._play(event)
            self._look_at = sorted({*self._look_at, event.at + LOOK_AFTER})

    def _play(self, event: Event) -> None:
        match event.kind:
            case "open":
                self._opened[event.subject] = event.at
                quality = self._city.quality(event.subject)
                if quality == Quality():
                    self._city.set_quality(event.subject, Quality(rate_share=self._usual_rate(event.subject)))
                self._mend(event.subject, "not opened")
            case "cut":
                self._broken[event.subject].add("cut")
                self._city.cut(self._city.find_line(event.subject)[1])
            case "heal":
                self._mend(event.subject, "cut")
            case "spoil":
                self._city.set_quality(event.subject, self._spoilt(event))
            case "mend":
                self._city.set_quality(event.subject, Quality(rate_share=self._usual_rate(event.subject)))
            case "power_off" | "power_on":
                self._city.power(event.subject, on=event.kind == "power_on")
            case "deaf" | "hearing":
                self._deaf = event.kind == "deaf"
            case "stop" | "start":
                self._stopped = event.kind == "stop"

    def _mend(self, line_id: str, reason: str) -> None:
        self._broken[line_id].discard(reason)
        if not self._broken[line_id]:
            self._city.heal(self._city.find_line(line_id)[1])

    def _spoilt(self, event: Event) -> Quality:
        share = self._usual_rate(event.subject)
        match event.detail:
            case "slow":
                return Quality(rate_share=share * event.amount)
            case "lossy":
                return Quality(rate_share=share, loss_ratio=event.amount)
            case _:
                return Quality(rate_share=share, errors_per_s=event.amount / 3600)

    def _usual_rate(self, line_id: str) -> float:
        """Return how much of its rate a sound line delivers: a little less than all of it, another little for each."""
        return 1 - 0.03 * chance(self._scenario.seed, "rate", line_id)

    # --- polling

    def _poll(self) -> None:
        self._set_load()
        if self._stopped:
            return
        at = self._now.astimezone(UTC)
        begun = at - CYCLE
        devices = [self._device_state(name, at) for name in self._intents]
        seen = [port for device in devices if device.answer == "answered" for port in self._read_ports(device)]
        ports = rate_ports(seen, self._previous)
        self._previous |= ports
        lines = tuple(sample_lines(self._workspace, devices, ports, at))
        self._store.write_cycle(begun, at, devices, lines)
        self._faults.look(at)
        self._cycles += 1

    def _device_state(self, name: str, at: datetime) -> DeviceState:
        if self._deaf or not self._city.is_reachable(name):
            return DeviceState(name, at, "silent", "SIMULATION: no answer")
        return DeviceState(name, at, "answered", "", name, self._uptime_ticks(name))

    def _uptime_ticks(self, name: str) -> int:
        """Return sysUpTime in 1/100 s since the device was last switched on."""
        return round((self._now.timestamp() - self._city.devices[name].state.booted_at_s) * 100) % (1 << 32)

    def _read_ports(self, state: DeviceState) -> Iterator[PortSample]:
        device = self._city.devices[state.device]
        for interface in self._ports.get(state.device, ()):
            in_octets, out_octets, in_errors = device.meters[interface].read(self._now.timestamp())
            yield PortSample(
                state.device,
                interface,
                state.at,
                oper_up=self._city.is_up(state.device, interface),
                admin_up=device.is_admin_up(interface),
                speed_mbps=device.spec.speeds_mbps.get(interface, 1000),
                alias=device.ports[interface].description,
                in_octets=in_octets,
                out_octets=out_octets,
                counter_bits=64,
                in_errors=in_errors,
                out_errors=0,
                uptime_ticks=state.uptime_ticks,
                discontinuity=0,
            )

    def _set_load(self) -> None:
        """Let lines carry what the hour asks for: offices by day, little at night and at weekends."""
        civil = self._now.astimezone(self._zone)
        level = HOURS[civil.hour] * (0.25 if civil.weekday() >= 5 else 1.0)
        stamp = civil.strftime("%Y%m%d%H%M")
        self._city.set_load(lambda line_id: usual_load(line_id) * level * (0.6 + 0.8 * chance(self._scenario.seed, "load", line_id, stamp)))

    # --- what carriers report, tests and verdicts

    def _report_opened(self) -> None:
        """Let every carrier report the lines that it opened since the evening before."""
        recorded_at, lines = self._now.astimezone(UTC), self._workspace.inventory.lines
        new = {line_id: at.astimezone(self._zone).date() for line_id, at in self._opened.items() if line_id not in self._reported}
        self._reported.update(new)
        self._store.write_line_events(
            [
                opened_event(line_id, opened_on, self._zone, recorded_at, f"carrier:{lines[line_id].carrier}", REPORT)
                for line_id, opened_on in new.items()
            ]
        )

    def _test(self) -> None:
        """Test every open line that is not accepted and was not tested lately."""
        due = [line for line in self._open_lines() if self._tested.get(line.line_id, self._scenario.begins_at) <= self._now - TESTED_AGAIN]
        fresh = [line for line in self._open_lines() if line.line_id not in self._tested]
        chosen = list({line.line_id: line for line in (*due, *fresh)}.values())
        if not chosen or self._stopped or self._deaf:
            return
        ground = Ground(self._workspace, self._intents, self._store.latest(), lambda: self._now.astimezone(UTC), simulated=True)
        reach = measure_reach(ground, chosen, self._ping, self._gateway(), count=PROBES)
        rates = measure_rate(ground, chosen, _CityRates(self._city))
        for measurement in (*reach.measurements, *rates.measurements, *self._reserved(chosen)):
            self._store.write_measurement(measurement)
        self._tested |= {line.line_id: self._now for line in chosen}

    def _open_lines(self) -> list[Line]:
        accepted = self._store.acceptances()
        lines = self._workspace.inventory.lines
        return [lines[line_id] for line_id in lines if line_id in self._opened and not _is_accepted(accepted.get(line_id))]

    def _ping(self, addresses: Sequence[IPv4Address], count: int) -> Mapping[IPv4Address, PingCount | None]:
        found = {address: self._city.probe(address, count) for address in addresses}
        return {address: PingCount(each.sent, each.received, each.mean_ms, each.jitter_ms) for address, each in found.items()}

    def _gateway(self) -> Gateway:
        def connect(intent: DeviceIntent, wait_s: float) -> DeviceSession:
            if not self._city.is_reachable(intent.hostname):
                raise ConnectFailed(
                    intent.hostname,
                    "log in",
                    expected="an answer",
                    found="SIMULATION: none",
                    next_step="Look at the line to it.",
                )
            return _PlayedSession(self._city, intent)

        return Gateway(illustration=False, connect=connect, require_secrets=lambda names: None, is_practice=lambda intent: True)

    def _reserved(self, lines: Sequence[Line]) -> Iterator[Measurement]:
        """Yield the activation of every reserved port whose line carries; unwired ones fail with the reason that would be seen."""
        unwired = bad_reserved_ports(self._scenario, self._workspace.inventory, self._now)
        for line in lines:
            if line.a_reserved_interface is None or not self._city.lines_up()[line.line_id]:
                continue
            proven = line.line_id not in unwired
            reason = f"{line.z_device}:{line.z_reserved_interface} did not come up"
            detail: dict[str, object] = {"simulated": True} if proven else {"simulated": True, "reason": reason}
            at = self._now.astimezone(UTC)
            yield Measurement(line.line_id, "reserved_port", at, 1.0 if proven else 0.0, "proven", RESERVED_METHOD, detail)

    def _judge(self) -> None:
        lines = [line.line_id for line in self._open_lines()]
        every_s = self._scenario.polling.every.total_seconds()
        report = accept(self._workspace, self._store, lines, commit=True, poll_interval_s=every_s, now=self._now.astimezone(UTC))
        self._decisions += len(report.decided)


def _is_accepted(acceptance: Acceptance | None) -> bool:
    return acceptance is not None and acceptance.verdict == PASS


@dataclass(frozen=True, slots=True)
class _CityRates:
    """A rate tester that asks the city."""

    city: VirtualCity

    def measure(self, requests: Sequence[RateRequest]) -> Mapping[str, RateOutcome]:
        return {request.line_id: self._one(request.line_id) for request in requests}

    def _one(self, line_id: str) -> RateOutcome:
        found = self.city.rates(line_id)
        detail: dict[str, object] = {"simulated": True, "reason": found.reason} if found.reason else {"simulated": True}
        return RateOutcome(found.down_kbps, found.up_kbps, RATE_METHOD, detail)


@dataclass(frozen=True, slots=True)
class _PlayedSession:
    """A login on a device of the city that can send probes."""

    city: VirtualCity
    intent: DeviceIntent

    @property
    def address(self) -> IPv4Address:
        return self.intent.contacts[0]

    def running(self) -> str:
        raise self._refused("read the running configuration")

    def show(self, question: str, vpn: str | None = None) -> str:
        raise self._refused(f"read back its {question}")

    def restart_ospf(self) -> None:
        raise self._refused("restart OSPF")

    def table(self, kind: str, vpns: Sequence[str] = ()) -> str:
        raise self._refused(f"read its {kind} table")

    def push(self, commands: Iterable[Command], spoken: Mapping[str, str] = AS_WRITTEN) -> None:
        raise self._refused("push a patch")

    def push_on_trial(self, commands: Iterable[Command], seconds: int) -> bool:
        raise self._refused("push a patch")

    def confirm(self) -> None:
        raise self._refused("confirm a change")

    def abandon(self) -> None:
        raise self._refused("take a change back")

    def save(self) -> None:
        raise self._refused("save the configuration")

    def _refused(self, what: str) -> CommitRefused:
        name, step = self.intent.hostname, "To deploy to simulated devices, run waiwang virtual up."
        return CommitRefused(name, what, expected="a device that takes it", found="a scenario, which plays tests only", next_step=step)

    def ping(self, address: IPv4Address, count: int) -> PingCount:
        found = self.city.probe(address, count, self.intent.hostname)
        return PingCount(found.sent, found.received, found.mean_ms)

    def close(self) -> None:
        """Nothing was opened."""
