"""Fill a database with a whole day of samples and a year of transitions, then prune that day and read the year.

    python -m bench.history [--lines 1000] [--cycles 1440]

Nobody is polled: the samples, two ports to a line, are written by the store as a poll cycle writes them, so many to a day. Every tenth
line was down for a while each day of a year, and every line was decided on just before the day: what a decision looked at would stay.
`serve` prunes once a day, line by line, while it goes on polling: what counts is the processor time. Needs 0.4 GB for 1,000 lines.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from app.core.acceptance import NOT_PROVEN, PASS, LineSample, PortSample
from app.core.inventory import Line
from app.core.linestate import DeviceState
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.workflows.collector import settle_collector
from app.workflows.faults import FaultDesk
from app.workflows.prune import prune
from app.workflows.summary import read_summary
from bench.poll import LINES_OF_A_COUNTY, Clock
from bench.serve import DAY_S, MINUTE_S, Figure, build_rollout, decision, middle, write_outages

DAY, YEAR_DAYS = timedelta(days=1), 365
#: What a poll cycle may spend on writing, seconds for 1,000 lines; what the page may wait for its newest transitions.
WRITE_S, ASK_S = 0.05, 0.1


def port(device: str, interface: str, cycle: int, at: datetime) -> PortSample:
    count = 10**9 + 997 * cycle
    alias = f"TO:bench L:{device}"
    return PortSample(device, interface, at, True, True, 100, alias, count, count, 64, 0, 0, 997.0, 997.0, 6000 * cycle, 0)


def sample(line: Line, cycle: int, at: datetime) -> LineSample:
    ends = port(line.a_device, line.a_interface, cycle, at), port(line.z_device, line.z_interface, cycle, at)
    return LineSample(line.line_id, at, "up", "both ports are up", None, *ends)


def write_day(city: Workspace, store: Store, begin: datetime, cycles: int) -> list[float]:
    """Write a day of cycles; return the CPU seconds of each."""
    spent = []
    for cycle in range(cycles):
        at = begin + cycle * DAY / cycles
        samples = [sample(line, cycle, at) for line in city.inventory.lines.values()]
        devices = [DeviceState(name, at, "answered", "", name, 6000 * cycle) for name in city.inventory.devices]
        started = time.process_time()
        store.write_cycle(at, at, devices, samples)
        spent.append(time.process_time() - started)
    return spent


def bench_history(lines: int, cycles: int) -> Iterator[Figure]:
    city, clock = build_rollout(lines), Clock()
    ids, interval = list(city.inventory.lines), DAY / cycles
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        store = Store.open(f"sqlite:///{file}")
        write_outages(store, ids[::10], clock.now - timedelta(days=YEAR_DAYS), YEAR_DAYS)
        for number, line_id in enumerate(ids):
            store.write_acceptance(decision(line_id, clock.now, PASS if number % 20 else NOT_PROVEN))
        settle_collector()
        before, started = file.stat().st_size, time.perf_counter()
        spent = write_day(city, store, clock.now, cycles)
        took = time.perf_counter() - started
        store.close()  # what the log holds goes into the file
        store = Store.open(f"sqlite:///{file}")
        grown = file.stat().st_size - before
        last = sorted(spent[len(spent) // 2 :])
        yield Figure("each minute: writing, at the day's end", last[len(last) // 2], took / cycles, WRITE_S * lines / 1000, grown // cycles)
        clock.now += DAY
        yield middle("summary after a year", MINUTE_S, lambda: read_summary(city, store, clock.now), 3)
        yield middle("faults after a year", MINUTE_S, lambda: FaultDesk(city, store).look(clock.now), 3)
        yield middle("the newest 1,000 transitions", ASK_S, lambda: store.newest_transitions(None, 1000), 3)
        yield middle("what tells whether the summary stands", ASK_S, store.stamp, 3)
        clock.now += timedelta(days=40)
        gone = 0

        def prune_once() -> None:
            nonlocal gone
            gone = prune(city, store, clock.now, timedelta(days=35), interval)

        yield middle(f"each day: pruning {lines * cycles:,} samples", DAY_S, prune_once, 1)
        if gone < lines * (cycles - 1) - lines:
            raise SystemExit(f"only {gone} samples went: the figures would mean nothing")
        store.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000], help="at most 10,000 at a time")
    parser.add_argument("--cycles", type=int, default=1_440, help="cycles to the day, at most 1,440")
    options = parser.parse_args()
    if not all(LINES_OF_A_COUNTY < lines <= 10_000 for lines in options.lines) or not 1 < options.cycles <= 1_440:
        parser.error("the numbers are bounded; see --help")
    reached = True
    for lines in options.lines:
        sys.stdout.write(f"{f'{lines} lines, {options.cycles} cycles':<46}{'CPU s':>9}{'wall s':>9}\n")
        for figure in bench_history(lines, options.cycles):
            sys.stdout.write(f"{figure}\n")
            sys.stdout.flush()
            reached = reached and figure.is_reached
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
