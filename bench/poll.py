"""Poll a city of virtual agents, from the question to the database, beside pysnmp asking the same agents; in one run.

    python -m bench.poll [--lines 1000 10000] [--cycles 3]

The agents run in a process of their own, on 127.0.0.0/8 (SNMPv3, SHA-1 and AES-128). A unit has a router with one line; 48 lines end in
a county's router. A cycle is what `waiwang serve` does each minute: ask every device, rates, states of all lines, one transaction. The
first cycle (sessions, keys, ifIndex) is not counted. CPU is that of the polling process, seconds for 1,000 lines, both ends of each.
Parts are run once more alone, on what the last cycle saw; the rest is SNMP. Beside it gufo_snmp and pysnmp alone ask units' routers for
one port each (one end of a line), first contact not counted, and store nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from gufo.snmp import Aes128Key, Sha1Key, User
from gufo.snmp.aio import SnmpSession
from pydantic import SecretStr
from pysnmp.hlapi.v3arch.asyncio import (
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    get_cmd,
    usmAesCfb128Protocol,
    usmHMACSHAAuthProtocol,
)

from app.core.intents import build_intents
from app.core.linestate import line_ports
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.snmp.ports import PORT_COLUMNS, SYS_NAME, SYS_UPTIME
from app.edge.snmp.session import UsmUser
from app.workflows.collector import settle_collector
from app.workflows.poll import Pace, Poller
from app.workflows.poll_report import CycleReport
from app.workflows.readings import rate_ports, sample_lines
from bench.render import build_workspace
from bench.virtual import AUTH, PRIV, USER, Devices
from lab.virtual.device import DeviceSpec

LINES_OF_A_COUNTY = 48
#: CPU seconds of a whole cycle for 1,000 lines.
AIM_S = 0.1
#: pysnmp needs so many times more CPU to ask alone, or something is wrong here.
AIM_RATIO = 10.0
#: pysnmp is asked for so many devices.
FEW = 50
#: Devices asked at the same time.
AT_ONCE = 200
#: What is asked of one port.
VARIABLES = [SYS_UPTIME, SYS_NAME, *(f"{column}.1" for column in PORT_COLUMNS)]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: CPU and wall seconds for `lines` lines."""

    name: str
    lines: int
    cpu_s: float
    wall_s: float

    @property
    def cpu_of_thousand(self) -> float:
        return 1000 * self.cpu_s / self.lines

    def __str__(self) -> str:
        return f"{self.name:<34}{self.lines:>8}{self.wall_s:>10.2f}{self.cpu_s:>10.3f}{self.cpu_of_thousand:>14.3f}"


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of one city. `others` only ask, for one end of each line, and store nothing."""

    whole: Figure
    parts: tuple[Figure, ...]
    others: tuple[Figure, ...]

    @property
    def ratio(self) -> float:
        """How many times the CPU of our whole cycle the last of the others needs."""
        return self.others[-1].cpu_of_thousand / self.whole.cpu_of_thousand


class Clock:
    """A minute passes between two cycles, whatever they take."""

    def __init__(self) -> None:
        self.now = datetime(2008, 6, 30, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self) -> None:
        self.now += timedelta(minutes=1)


def build_city(lines: int) -> Workspace:
    """Return a city that may be polled, with so many lines in all."""
    city = build_workspace(lines - lines // (LINES_OF_A_COUNTY + 1) - 1, LINES_OF_A_COUNTY)
    return replace(city, plan=replace(city.plan, illustration=False))


def build_specs(city: Workspace) -> list[DeviceSpec]:
    """Return agents whose ports say in their descriptions which line they serve, as those of a real city do."""
    ports = line_ports(city.inventory.lines.values())
    return [
        DeviceSpec(name, "huawei_ar", tuple(ports[name]), boot=_descriptions(ports[name]), snmp_users=(USER,))
        for name in city.inventory.devices
    ]


def _descriptions(ports: Mapping[str, tuple[str, bool]]) -> str:
    return "".join(f"interface {port}\n description TO:bench L:{line_id}\n#\n" for port, (line_id, _) in ports.items())


@contextmanager
def polling(city: Workspace, devices: Devices, folder: Path) -> Iterator[tuple[Poller, Store]]:
    intents = build_intents(city)
    contacts = {intent.contacts[0]: address for intent, address in zip(intents.values(), devices.addresses, strict=True)}
    user = UsmUser(USER.name, "sha", SecretStr(AUTH), "aes128", SecretStr(PRIV))
    store = Store.open(f"sqlite:///{folder / 'bench.db'}")

    def endpoint(contact: IPv4Address) -> tuple[IPv4Address, int]:
        return IPv4Address(contacts[contact]), devices.snmp_port

    # One processor's agents answer some thousands at once late: patience is not what is measured here.
    poller = Poller(city, intents, store, lambda _management: user, endpoint, pace=Pace(patience_s=(5.0, 5.0), at_once=AT_ONCE))
    yield poller, store
    poller.close()
    store.close()


async def run_cycles(poller: Poller, clock: Clock, count: int) -> tuple[CycleReport, list[tuple[float, float]]]:
    """Return the last report, and CPU and wall seconds of every cycle but the first."""
    settle_collector()  # as serve does at its start
    report = await poller.cycle(clock)
    spent = []
    for _ in range(count):
        clock.tick()
        cpu, wall = time.process_time(), time.perf_counter()
        report = await poller.cycle(clock)
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
        if any(line.state != "up" for line in report.lines):
            raise SystemExit("not every line is up: the figures would mean nothing")
    return report, spent


def middle(name: str, lines: int, spent: Sequence[tuple[float, float]]) -> Figure:
    return Figure(name, lines, statistics.median(cpu for cpu, _ in spent), statistics.median(wall for _, wall in spent))


def timed(work: Callable[[], object], count: int) -> list[tuple[float, float]]:
    spent = []
    for _ in range(count):
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    return spent


def bench_city(lines: int, cycles: int) -> Result:
    city = build_city(lines)
    total = len(city.inventory.lines)
    with (
        tempfile.TemporaryDirectory() as folder,
        Devices(build_specs(city)) as devices,
        polling(city, devices, Path(folder)) as (poller, store),
    ):
        clock = Clock()
        report, spent = asyncio.run(run_cycles(poller, clock, cycles))
        whole, parts = middle("whole cycle", total, spent), bench_parts(city, store, report, clock, cycles)
        rest = Figure("  the rest: SNMP", total, whole.cpu_s - sum(part.cpu_s for part in parts), 0.0)
        poller.close()
        others = (asyncio.run(bench_gufo(city, devices)), asyncio.run(bench_pysnmp(city, devices)))
    return Result(whole, (*parts, rest), others)


def bench_parts(city: Workspace, store: Store, report: CycleReport, clock: Clock, count: int) -> tuple[Figure, ...]:
    total = len(report.lines)
    seen = [port for line in report.lines for port in (line.a, line.z) if port is not None]
    ports = {(port.device, port.interface): port for port in seen}

    def write() -> None:
        clock.tick()
        samples = [replace(line, at=clock.now) for line in report.lines]
        store.write_cycle(clock.now, clock.now, report.devices, samples)

    return (
        middle("  rates", total, timed(lambda: rate_ports(seen, ports), count)),
        middle("  states", total, timed(lambda: tuple(sample_lines(city, report.devices, ports, clock.now)), count)),
        middle("  database", total, timed(write, count)),
    )


def find_units(city: Workspace, devices: Devices) -> list[str]:
    """Return where the units' routers listen: one line each, on ifIndex 1."""
    ports = line_ports(city.inventory.lines.values())
    return [address for name, address in zip(city.inventory.devices, devices.addresses, strict=True) if len(ports[name]) == 1]


async def bench_gufo(city: Workspace, devices: Devices) -> Figure:
    """Ask every unit's router for its line's port with gufo_snmp in a plain loop: what the poller cannot fall below."""
    user = User(USER.name, auth_key=Sha1Key(AUTH.encode()), priv_key=Aes128Key(PRIV.encode()))
    sessions = [SnmpSession(address, port=devices.snmp_port, user=user, timeout=5.0) for address in find_units(city, devices)]
    turns = asyncio.Semaphore(AT_ONCE)

    async def meet(session: SnmpSession) -> None:
        async with turns:
            await session.refresh()

    async def ask(session: SnmpSession) -> None:
        async with turns:
            await session.get_many(VARIABLES)

    await asyncio.gather(*map(meet, sessions))

    spent = []
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*map(ask, sessions))
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    return middle("gufo_snmp alone", len(sessions), spent[1:])


async def bench_pysnmp(city: Workspace, devices: Devices) -> Figure:
    """Ask a few of the same routers with pysnmp."""
    engine = SnmpEngine()
    user = UsmUserData(USER.name, AUTH, PRIV, authProtocol=usmHMACSHAAuthProtocol, privProtocol=usmAesCfb128Protocol)
    wanted = [ObjectType(ObjectIdentity(oid)) for oid in VARIABLES]
    addresses = find_units(city, devices)[:FEW]
    targets = [await UdpTransportTarget.create((address, devices.snmp_port), timeout=5, retries=0) for address in addresses]

    async def ask(target: UdpTransportTarget) -> None:
        error, status, _, rows = await get_cmd(engine, user, target, ContextData(), *wanted)
        if error or status or len(rows) != len(wanted):
            raise SystemExit(f"pysnmp: {error or status}")

    spent = []
    for _ in range(2):
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*map(ask, targets))
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    engine.close_dispatcher()
    return Figure("pysnmp alone", len(targets), *spent[-1])


def say(result: Result) -> bool:
    sys.stdout.writelines(f"{figure}\n" for figure in (result.whole, *result.parts, *result.others))
    cost, ratio = result.whole.cpu_of_thousand, result.ratio
    sys.stdout.write(f"{1000 * cost:.0f} ms of CPU for 1,000 lines; aim {1000 * AIM_S:.0f}: {verdict(cost <= AIM_S)}\n")
    sys.stdout.write(f"{ratio:.0f} times less than pysnmp's asking alone; aim {AIM_RATIO:.0f}: {verdict(ratio >= AIM_RATIO)}\n\n")
    return cost <= AIM_S and ratio >= AIM_RATIO


def verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000, 10_000], help="at most 10,000 at a time")
    parser.add_argument("--cycles", type=int, default=3, help="the middle of so many")
    options = parser.parse_args()
    if not all(LINES_OF_A_COUNTY < lines <= 10_000 for lines in options.lines) or not 0 < options.cycles <= 20:
        parser.error("the numbers are bounded; see --help")
    sys.stdout.write(f"{'':<34}{'lines':>8}{'wall s':>10}{'CPU s':>10}{'CPU s/1000':>14}\n")
    reached = [say(bench_city(lines, options.cycles)) for lines in options.lines]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    sys.stdout.write(f"{peak:.0f} MB at the most\n")
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
