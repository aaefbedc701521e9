"""A rollout of 500 lines over 90 days, drawn from a seed: what happens in the world, what a poller writes down, what testers find.

Every moment lies on a grid of half an hour, so that a recomputation may walk the grid and be exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Network
from random import Random
from zoneinfo import ZoneInfo

from app.core.acceptance import LineSample, Measurement, PortSample
from app.core.duties import Gate
from app.core.events import UnitEvent
from app.core.inventory import Inventory, Line, Region, Unit
from app.core.ipplan import Management, OspfProfile, Plan, Provenance
from app.core.life import LifeEvent
from app.core.milestone import Milestone
from app.core.order import Order
from app.core.scope import Scope
from app.core.service_class import Criterion, ServiceClass
from app.core.source import Source
from app.core.workspace import Workspace

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEFAULT, CLAUSE = Source(default=True), Source(clause="一(二)1")
BEGIN = datetime(2008, 3, 31, 16, 0, tzinfo=UTC)  # 1 April, midnight in Beijing
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
INTERVAL = 12 * HOUR
DAYS, LINES = 90, 500
END = BEGIN + DAYS * DAY
FIBRE_DUE, ADSL_DUE = date(2008, 6, 10), date(2008, 6, 20)
VALID_DAYS = 9
COUNTIES, CARRIERS = ("511902", "511921", "511922", "511923"), ("telecom", "unicom")
TRIAL = Criterion("trial", True, 0.8, window=72 * HOUR, restart_after=12 * HOUR, coverage=0.9)
COMMON = (Criterion("reachable_from_centre", True, 0.01), Criterion("ports_up", True), TRIAL, Criterion("rate_down", True, 0.9))
CLASSES = {
    "fibre_2m": ServiceClass(
        "fibre_2m", "2兆光纤", "2M", "fibre", 2000, 2000, 2048, 2048, ("county",), criteria=(*COMMON, Criterion("input_errors", True, 3))
    ),
    "adsl_1m": ServiceClass("adsl_1m", "1兆ADSL", "1M", "adsl", 1000, 512, 1024, 512, ("township",), criteria=COMMON),
}
SWITCH = Gate("switch", "BL-1", "交换机", "Switch", Scope(("county",)), "unit", "unit", "connection", True, "switch_ready", CLAUSE)
COMPUTER = Gate("computer", "BZ-7", "计算机", "Computer", Scope(), "unit", "unit", "acceptance", False, "computer_ready", DEFAULT)


def build_workspace() -> Workspace:
    milestones = (
        Milestone(
            "fibre", "光纤", "Fibre", FIBRE_DUE, True, False, Scope(classes=("fibre_2m",)), 1.0, "county", "accepted_line", None, CLAUSE
        ),
        Milestone("adsl", "ADSL", "ADSL", ADSL_DUE, True, False, Scope(classes=("adsl_1m",)), 1.0, "whole", "accepted_line", None, CLAUSE),
        Milestone("half", "过半", "Half", date(2008, 5, 20), True, False, Scope(), 0.5, "county", "accepted_line", None, CLAUSE),
        Milestone("aim", "力争", "Aim", date(2008, 5, 31), True, True, Scope(), 0.9, "whole", "accepted_line", None, CLAUSE),
    )
    carriers = {name: name for name in CARRIERS}
    order = Order("试发[2008]1号", "通知", "Notice", "市政府办", date(2008, 3, 26), SHANGHAI, CLASSES, milestones, (), {}, (), carriers)
    order = replace(order, gates=(SWITCH, COMPUTER), measurement_valid_days=VALID_DAYS)
    units, lines = {}, {}
    for number in range(LINES):
        fibre = number % 5 < 2
        unit_id, line_id = f"U{number:03d}", f"L{number:03d}"
        level, kind = ("county", "department") if fibre else ("township", "township_government")
        units[unit_id] = Unit(unit_id, unit_id, unit_id, COUNTIES[number % 4], level, kind, False, "A", "文书")
        class_id, medium, method = ("fibre_2m", "fibre", "ethernet") if fibre else ("adsl_1m", "adsl", "bridged_pvc")
        ends = ("agg", f"e{number}", f"r{number}", "eth0")
        lines[line_id] = Line(line_id, unit_id, class_id, medium, method, CARRIERS[number % 3 % 2], None, *ends)
        lines[line_id] = replace(lines[line_id], ordered_on=date(2008, 4, 1) if number % 7 else None)
    regions = {code: Region(code, code, code, "county", None, "0.0.0.1") for code in COUNTIES}
    management = Management("noc", (), (), "netops", "poller")
    plan = Plan(IPv4Network("198.18.0.0/15"), (), Provenance("", "", None), False, OspfProfile(), management)
    return Workspace(order, Inventory(regions, units, {}, lines, {}), plan, (), {})


@dataclass(slots=True)
class World:
    """What is true of one line. `outages`: start and end, the last may be open. `rates`: from when on which rate, kbit/s."""

    line_id: str
    unit_id: str
    fibre: bool
    opens_at: datetime | None
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    rates: list[tuple[datetime, float]] = field(default_factory=list)
    errors_per_day: int = 0
    lossy: bool = False

    def is_up(self, at: datetime) -> bool:
        return self.opens_at is not None and at >= self.opens_at and not any(start <= at < end for start, end in self.outages)

    def rate(self, at: datetime) -> float:
        return [rate for since, rate in self.rates if since <= at][-1]

    def errors(self, at: datetime) -> int:
        """Return the port's error counter, which restarts with the device at the end of every outage."""
        assert self.opens_at is not None
        since = max([self.opens_at, *(end for _, end in self.outages if end <= at)])
        return int((at - since) / DAY * self.errors_per_day)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one poll cycle wrote, by the poller's own clock, at the true moment `truly_at`."""

    truly_at: datetime
    at: datetime
    samples: tuple[LineSample, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """Everything raw: cycles, measurements, reports of units, reports of carriers; each in the order of its true moments."""

    worlds: dict[str, World]
    cycles: tuple[Cycle, ...]
    measurements: tuple[Measurement, ...]
    unit_events: tuple[UnitEvent, ...]
    life_events: tuple[LifeEvent, ...]


def draw(seed: int, workspace: Workspace) -> Raw:
    """Draw one rollout. Always in it: the poller stopped over the deadline of fibre, deaf once, its clock ahead once and behind once."""
    chance = Random(seed)
    worlds = {line.line_id: _draw_world(chance, line) for line in workspace.inventory.lines.values()}
    return Raw(
        worlds,
        tuple(_poll(worlds)),
        tuple(sorted(_tests(chance, worlds), key=lambda each: each.at)),
        tuple(sorted(_reports(chance, worlds), key=lambda each: each.recorded_at)),
        tuple(sorted(_steps(chance, worlds), key=lambda each: each.recorded_at)),
    )


def _draw_world(chance: Random, line: Line) -> World:
    fibre = line.service_class == "fibre_2m"
    nominal = 2000 if fibre else 1000
    world = World(line.line_id, line.unit_id, fibre, None)
    if chance.random() < 0.03:
        return world
    world.opens_at = _moment(chance, 6, 86) if chance.random() < 0.2 else _moment(chance, 6, 66)
    world.rates = [(BEGIN, nominal * 0.97)]
    kind = chance.random()
    if kind < 0.12:  # built badly and mended later
        world.rates = [(BEGIN, nominal * 0.5), (world.opens_at + chance.randrange(6, 16) * DAY, nominal * 0.96)]
    elif kind < 0.24:  # flapping: outages of 2 to 30 hours
        at = world.opens_at
        for _ in range(chance.randrange(1, 6)):
            at += chance.randrange(10, 200) * HALF_HOUR
            until = at + chance.randrange(4, 60) * HALF_HOUR
            world.outages.append((at, until))
            at = until
    elif kind < 0.28:
        world.errors_per_day = chance.choice((1, 4))
    elif kind < 0.31:
        world.lossy = True
    elif kind < 0.34:
        start = _moment(chance, 55, 85)
        world.outages.append((start, END + DAY))
    return world


def _moment(chance: Random, first_day: int, last_day: int) -> datetime:
    return BEGIN + chance.randrange(first_day * 48, last_day * 48) * HALF_HOUR


def _poll(worlds: dict[str, World]) -> Iterator[Cycle]:
    """Yield the cycles. Days count from 0: 30 stopped, 41 deaf, 50 ahead by two days, 60 behind by twenty hours, 68.5 to 72.5 stopped."""
    at = BEGIN
    while at <= END:
        day = (at - BEGIN) / DAY
        if not (30 <= day < 32.5 or 68.5 <= day < 72.5):
            ahead = 2 * DAY + HALF_HOUR if 50 <= day < 51 else -20 * HOUR - HALF_HOUR if 60 <= day < 60.75 else timedelta(0)
            stamp = at + ahead
            deaf = 41 <= day < 42.25
            yield Cycle(at, stamp, tuple(_look(world, at, stamp, deaf=deaf) for world in worlds.values()))
        at += INTERVAL


def _look(world: World, at: datetime, stamp: datetime, *, deaf: bool) -> LineSample:
    if deaf:
        return LineSample(world.line_id, stamp, "unreachable", "the poller may be cut off", None, None, None)
    if not world.is_up(at):
        return LineSample(world.line_id, stamp, "down", "port agg eth is down", None, None, None)
    ports = None, None
    if world.errors_per_day:
        count = world.errors(at)
        port = PortSample("agg", "e", stamp, True, True, 100, None, 0, 0, 64, count, 0)
        ports = port, replace(port, device="r", interface="eth0", in_errors=0)
    elif world.fibre:
        port = PortSample("agg", "e", stamp, True, True, 100, None, 0, 0, 64, 0, 0)
        ports = port, port
    return LineSample(world.line_id, stamp, "up", "both ports are up", None, *ports)


def _tests(chance: Random, worlds: dict[str, World]) -> Iterator[Measurement]:
    """Yield a test of loss and rate some days after the opening, and again from time to time; some cannot be measured."""
    for world in worlds.values():
        if world.opens_at is None or chance.random() < 0.04:  # nobody ever tests the second kind
            continue
        at = world.opens_at + chance.randrange(2, 8) * HALF_HOUR
        while at < END:
            up = world.is_up(at)
            loss = None if chance.random() < 0.05 else (0.2 if world.lossy else 0.0) if up else 1.0
            rate = None if chance.random() < 0.05 or not up else world.rate(at) * (0.99 + 0.02 * chance.random())
            yield Measurement(world.line_id, "reachable_from_centre", at, loss, "ratio", "seeded", {})
            yield Measurement(world.line_id, "rate_down", at, rate, "kbps", "seeded", {})
            at += chance.randrange(5 * 48, 12 * 48) * HALF_HOUR


def _reports(chance: Random, worlds: dict[str, World]) -> Iterator[UnitEvent]:
    for world in worlds.values():
        for event in ("switch_ready", "computer_ready") if world.fibre else ("computer_ready",):
            if chance.random() < 0.9:
                at = _moment(chance, 1, 40 if chance.random() < 0.9 else 80)
                yield UnitEvent(world.unit_id, event, at, at + HOUR, "文书", "登记表", None)


def _steps(chance: Random, worlds: dict[str, World]) -> Iterator[LifeEvent]:
    """Yield what some carriers report: building anew where they mend, and their own test of what they opened or mended."""
    for world in worlds.values():
        if world.opens_at is None:
            continue
        if chance.random() < 0.05:  # says so before it is true
            at = world.opens_at - 3 * DAY
            if not any(first <= (at - BEGIN) / DAY < last for first, last in ((49, 54), (58, 62))):
                yield LifeEvent(world.line_id, "self_tested", at, at + HOUR, "carrier:telecom", "自测记录")
        if chance.random() < 0.5:
            at = world.opens_at + HOUR
            yield LifeEvent(world.line_id, "self_tested", at, at + 2 * HOUR, "carrier:telecom", "自测记录")
        if len(world.rates) > 1 and chance.random() < 0.6:
            mended_at = world.rates[1][0]
            yield LifeEvent(world.line_id, "building", mended_at - DAY, mended_at - DAY, "carrier:telecom", "整改通知")
            yield LifeEvent(world.line_id, "self_tested", mended_at, mended_at + HOUR, "carrier:telecom", "复测记录")
