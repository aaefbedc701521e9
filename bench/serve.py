"""Ask `waiwang serve` of a whole city what people and Prometheus ask it: pages, scrapes, API, and what it does each minute and each day.

    python -m bench.serve [--lines 1000 5000] [--rounds 5]

The city is polled over virtual agents (127.0.0.0/8, SNMPv3), two cycles of it; the order is that of the root workspace, every line has
been decided on, and every tenth was down for a while each day of a month. The server is the real one on a real socket, in this process;
each figure is the middle of several rounds. As after every cycle, the summary that all answers are views of is ready, save where the row
says otherwise. Nothing is polled meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from app.cli.serving import KEEP_SUMMARY
from app.core.acceptance import NOT_PROVEN, PASS, Acceptance, CriterionResult, LineSample
from app.core.intents import build_intents
from app.core.order import Order
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files.workspace import read_workspace
from app.web.app import create_app
from app.workflows.collector import settle_collector
from app.workflows.faults import FaultDesk
from app.workflows.poll import Poller
from app.workflows.poll_report import CycleReport
from app.workflows.prune import prune
from app.workflows.registry import Registry
from app.workflows.summary import StoreReader
from bench.poll import LINES_OF_A_COUNTY, Clock, build_city, build_specs, polling, verdict
from bench.virtual import Devices

ROOT = Path(__file__).parents[1]
DAYS, INTERVAL = 30, timedelta(minutes=1)
#: What a user would expect, seconds: at the start, for a page and an answer of the API, for a scrape, and for what is done beside
#: polling each minute and each day.
START_S, PAGE_S, SCRAPE_S, MINUTE_S, DAY_S = 3.0, 1.0, 0.5, 1.0, 60.0
#: What is asked of the API beside one line.
PATHS = (
    "summary", "milestones", "deadlines", "gates", "lines", "lines?end=1000&sort=days_left", "transitions?limit=1000", "faults", "windows"
)  # fmt: skip
#: How long the server may take to start.
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: processor seconds against what is expected, wall seconds, and the size of the answer where there is one."""

    name: str
    cpu_s: float
    wall_s: float
    aim_s: float
    octets: int | None = None

    def __str__(self) -> str:
        size = "" if self.octets is None else f"{self.octets / 1000:,.0f} kB"
        return f"  {self.name:<44}{self.cpu_s:>9.3f}{self.wall_s:>9.3f}{size:>14}   {verdict(self.is_reached)} ({self.aim_s:g} s)"

    @property
    def is_reached(self) -> bool:
        """Judge by processor time, of this process with server and client: what one waits on a machine that does nothing else."""
        return self.cpu_s <= self.aim_s


def build_rollout(lines: int) -> Workspace:
    """Return a city with so many lines under the root workspace's order."""
    root, _ = read_workspace(ROOT)
    city = build_city(lines)
    class_id = _county_class(root.order)
    served = {line_id: replace(line, service_class=class_id) for line_id, line in city.inventory.lines.items()}
    inventory = replace(city.inventory, lines=served)
    return replace(city, order=root.order, inventory=inventory, calendar=root.calendar, service=root.service, faults=root.faults)


def _county_class(order: Order) -> str:
    return next(class_id for class_id in order.classes if order.line_milestone(class_id, "county", "department") is not None)


@contextmanager
def rollout(city: Workspace, folder: Path, clock: Clock) -> Iterator[Store]:
    """Yield the store of a city a month after its lines were first seen: outages, two poll cycles, a decision on every line."""
    with Devices(build_specs(city)) as devices, polling(city, devices, folder) as (poller, store):
        lines = list(city.inventory.lines)
        write_outages(store, lines[::10], clock.now - timedelta(days=DAYS), DAYS)
        report = asyncio.run(_poll_twice(poller, clock))
        if any(line.state != "up" for line in report.lines):
            raise SystemExit("not every line is up: the figures would mean nothing")
        for number, line_id in enumerate(lines):
            store.write_acceptance(decision(line_id, clock.now, PASS if number % 20 else NOT_PROVEN))
        yield store


async def _poll_twice(poller: Poller, clock: Clock) -> CycleReport:
    await poller.cycle(clock)
    clock.tick()
    return await poller.cycle(clock)


def write_outages(store: Store, line_ids: Sequence[str], begin: datetime, days: int) -> None:
    """Write one outage of each line for each day."""
    for day in range(days):
        for hour, state in ((0, "up"), (9, "down"), (11, "up")):
            at = begin + timedelta(days=day, hours=hour)
            store.write_look(at, [], [LineSample(line_id, at, state, f"was {state}", None, None, None) for line_id in line_ids])


def decision(line_id: str, at: datetime, verdict: str) -> Acceptance:
    kinds = ("reachable_from_centre", "reaches_services", "ports_up", "input_errors", "trial", "rate_down", "rate_up")
    results = tuple(CriterionResult(kind, True, verdict, "as ordered", "as found", {"sampled_at": str(at)}) for kind in kinds)
    return Acceptance(line_id, at, verdict, results, None, None, None)


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve an application on a socket of 127.0.0.1 until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + PATIENCE_S
        while not server.started:
            if time.monotonic() > end:
                raise SystemExit(f"the server did not start in {PATIENCE_S:g} s")
            time.sleep(0.02)
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60, trust_env=False) as client:
            yield client
        server.should_exit = True
        thread.join(PATIENCE_S)


def middle(name: str, aim_s: float, work: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> Figure:
    """Time the work so many times, each after `before`, which is not counted. What it returns, where bytes, is told by its length."""
    spent, found = [], None
    for _ in range(rounds):
        before()
        cpu, wall = time.process_time(), time.perf_counter()
        found = work()
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu_s, wall_s = (statistics.median(column) for column in zip(*spent, strict=True))
    return Figure(name, cpu_s, wall_s, aim_s, len(found) if isinstance(found, bytes) else None)


def ask(client: httpx.Client, path: str) -> bytes:
    answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
    return answer.content


def bench_city(lines: int, rounds: int) -> Iterator[Figure]:
    city, clock = build_rollout(lines), Clock()
    settle_collector()  # as serve does at its start
    yield middle("start: what every device is to be", START_S, lambda: build_intents(city), 1)
    with tempfile.TemporaryDirectory() as folder, rollout(city, Path(folder), clock) as store:
        reader = StoreReader(city, store, clock, keep_for=KEEP_SUMMARY)

        def after_a_cycle() -> None:
            clock.tick()
            reader.summary()

        yield middle("each minute: faults", MINUTE_S, lambda: FaultDesk(city, store).look(clock.now), rounds)
        yield middle("each minute, while somebody looks: summary", MINUTE_S, reader.summary, rounds, clock.tick)
        registry = Registry(city, store, clock, Path(folder), INTERVAL.total_seconds())
        with served(create_app(reader, shared_for_s=0, registry=registry)) as client:
            get = partial(ask, client)
            yield middle("page, when nobody looked for long", PAGE_S, lambda: get("/"), rounds, clock.tick)
            yield middle("page", PAGE_S, lambda: get("/"), rounds, after_a_cycle)
            yield middle("scrape, first after a cycle", SCRAPE_S, lambda: get("/metrics"), rounds, after_a_cycle)
            yield middle("scrape", SCRAPE_S, lambda: get("/metrics"), rounds)
            for path in (*PATHS, f"lines/{next(iter(city.inventory.lines))}"):
                yield middle(f"/api/v1/{path}", PAGE_S, partial(get, f"/api/v1/{path}"), rounds, after_a_cycle)
        yield middle("each day: pruning", DAY_S, lambda: prune(city, store, clock.now, timedelta(days=7), INTERVAL), 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000, 5_000], help="at most 10,000 at a time")
    parser.add_argument("--rounds", type=int, default=5, help="the middle of so many")
    options = parser.parse_args()
    if not all(LINES_OF_A_COUNTY < lines <= 10_000 for lines in options.lines) or not 0 < options.rounds <= 20:
        parser.error("the numbers are bounded; see --help")
    reached = True
    for lines in options.lines:
        sys.stdout.write(f"{f'{lines} lines':<46}{'CPU s':>9}{'wall s':>9}\n")
        for figure in bench_city(lines, options.rounds):
            sys.stdout.write(f"{figure}\n")
            sys.stdout.flush()
            reached = reached and figure.is_reached
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
