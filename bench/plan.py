"""Plan and conflict-check many lines beside `ipaddress` and netaddr doing the same work, in one run.

    python -m bench.plan [--lines 100000] [--rounds 3]

A line comes with four prefixes: its own, and those of the router, the switch and the LAN of its unit. The work: a ledger
already holds every second /30 of a pool; as many are added first-fit, then the whole ledger is checked for overlaps. Ours
does it through `plan_allocations`, which also keeps, orders and judges every row; the others keep bare prefixes. Every way
runs once more at a tenth of the size, which shows how work grows, and in a process of its own, which tells its peak memory.
The row "whole city" is no comparison: a first plan from an inventory, from the demands to the text of the ledger.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from ipaddress import IPv4Network
from itertools import pairwise
from multiprocessing.connection import Connection

from app.core.allocation import demands, plan_allocations
from app.core.inventory import Device, Inventory, Line, Unit
from app.core.ipplan import Allocation, Demand, Management, OspfProfile, Plan, Pool, Provenance
from app.edge.files.ledger import format_ledger
from app.workflows.collector import uncollected

POOL = IPv4Network("59.224.0.0/11")
#: Prefixes that come with a line.
EACH = 4
LENGTH = 30
TODAY = date(2008, 4, 1)
#: What is to be reached at 100,000 lines.
AIM_SECONDS, AIM_MEGABYTES = 3.0, 1000.0
#: Ten times the lines may take this many times as long: caches and garbage collection cost bare prefixes 15 to 17 times too,
#: work that grows with the square would take 100 times.
AIM_GROWTH = 25.0


def held_starts(lines: int) -> list[int]:
    """Return the first addresses of the prefixes that the ledger holds: every second one of the pool."""
    first = int(POOL.network_address)
    return [first + 8 * index for index in range(EACH * lines // 2)]


def ours(lines: int) -> Callable[[], int]:
    source = Provenance("bench", "bench", None)
    pool = Pool("links", "interconnect", "local_public", "GGW", POOL, LENGTH, source)
    plan = Plan(IPv4Network("59.192.0.0/10"), (pool,), source, True, OspfProfile(), Management("noc", (), (), "", ""))
    starts = held_starts(lines)
    ledger = [
        Allocation(IPv4Network((start, LENGTH)), "links", "GGW", "interconnect", f"line:{index:06d}", TODAY)
        for index, start in enumerate(starts)
    ]
    wanted = [Demand(f"line:{index:06d}", "interconnect", "511902") for index in range(EACH * lines)]

    def work() -> int:
        change = plan_allocations(plan, ledger, wanted, TODAY)
        if change.findings:
            raise SystemExit(str(change.findings[0]))
        return len(change.ledger)

    return work


def with_ipaddress(lines: int) -> Callable[[], int]:
    held = [IPv4Network((start, LENGTH)) for start in held_starts(lines)]

    def work() -> int:
        taken = set(held)
        free = (prefix for prefix in POOL.subnets(new_prefix=LENGTH) if prefix not in taken)
        every = sorted([*held, *(next(free) for _ in range(EACH * lines - len(held)))])
        if any(before.overlaps(after) for before, after in pairwise(every)):
            raise SystemExit("overlap")
        return len(every)

    return work


def with_netaddr(lines: int) -> Callable[[], int]:
    import netaddr  # optional: only this comparison wants it

    held = [netaddr.IPNetwork((start, LENGTH)) for start in held_starts(lines)]
    pool = netaddr.IPNetwork(str(POOL))

    def work() -> int:
        taken = set(held)
        free = (prefix for prefix in pool.subnet(LENGTH) if prefix not in taken)
        every = sorted([*held, *(next(free) for _ in range(EACH * lines - len(held)))])
        if any(after in before for before, after in pairwise(every)):
            raise SystemExit("overlap")
        return len(every)

    return work


def whole_city(lines: int) -> Callable[[], int]:
    """Plan an inventory in which each line has a unit with a router, a switch and a LAN."""
    inventory = city(lines)
    source = Provenance("bench", "bench", None)
    cut = {"loopback": ("59.192.0.0/14", 32), "interconnect": ("59.200.0.0/13", 30), "management": ("59.208.0.0/13", 30)}
    cut["unit_lan"] = ("59.224.0.0/11", 28)
    pools = tuple(Pool(role, role, "local_public", "GGW", IPv4Network(p), length, source) for role, (p, length) in cut.items())
    plan = Plan(IPv4Network("59.192.0.0/10"), pools, source, True, OspfProfile(), Management("noc", (), (), "", ""))

    def work() -> int:
        change = plan_allocations(plan, (), demands(inventory), TODAY)
        if change.findings:
            raise SystemExit(str(change.findings[0]))
        return format_ledger(change.ledger).count("\n") - 2  # less the header and the root's loopback

    return work


def city(lines: int) -> Inventory:
    units, devices, circuits = {}, {"CORE": Device("CORE", "huawei", "huawei_ar", "city_core", "511900", None, "", "")}, {}
    for index in range(lines):
        unit, router, switch, circuit = (f"{letter}{index:06d}" for letter in "URSL")
        units[unit] = Unit(unit, unit, unit, "511902", "county", "department", True, "B", "clerk")
        devices[router] = Device(router, "huawei", "huawei_ar", "urban_unit", "511902", unit, "", "", "GE1")
        devices[switch] = Device(switch, "huawei", "huawei_s", "unit_switch", "511902", unit, "", "")
        circuits[circuit] = Line(circuit, unit, "fibre_2m", "fibre", "ethernet", "t", None, "CORE", f"GE{index}", router, "GE0")
    return Inventory({}, units, devices, circuits, {})


WAYS = {"waiwang": ours, "whole city": whole_city, "ipaddress": with_ipaddress, "netaddr": with_netaddr}


def measure(way: str, lines: int, rounds: int, answer: Connection) -> None:
    """Send best CPU seconds of some rounds, peak megabytes of this process and the number of prefixes planned."""
    try:
        work = WAYS[way](lines)
    except ImportError:
        answer.send(None)
        return
    best, planned = float("inf"), 0
    for _ in range(rounds):
        with uncollected():  # as `waiwang plan` does; the other ways get the same
            start = time.process_time()
            planned = work()
            best = min(best, time.process_time() - start)
    answer.send((best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, planned))


def run(way: str, lines: int, rounds: int) -> tuple[float, float, int] | None:
    """Measure in a fresh process; None where the library is not installed."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(way, lines, rounds, sender))
    process.start()
    sender.close()
    try:
        result: tuple[float, float, int] | None = receiver.recv()
    except EOFError as error:
        raise SystemExit(f"{way} with {lines} lines gave no result") from error
    process.join()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000, help="lines; each has four prefixes (at most 131072)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    options = parser.parse_args()
    sys.stdout.write(f"{'way':<12}{'lines':>9}{'CPU s':>9}{'peak MB':>9}\n")
    figures: dict[tuple[str, int], tuple[float, float]] = {}
    for lines in (options.lines // 10, options.lines):
        for way in WAYS:
            result = run(way, lines, options.rounds)
            if result is None:
                sys.stdout.write(f"{way:<12}{lines:>9}{'not installed':>18}\n")
                continue
            seconds, megabytes, planned = result
            if planned != EACH * lines:
                raise SystemExit(f"{way} planned {planned} of {EACH * lines}")
            figures[way, lines] = seconds, megabytes
            sys.stdout.write(f"{way:<12}{lines:>9}{seconds:>9.3f}{megabytes:>9.0f}\n")
    ours_alone = [figures[way, options.lines] for way in ("waiwang", "whole city")]
    seconds, megabytes = (max(column) for column in zip(*ours_alone, strict=True))
    measured = [way for way, lines in figures if lines == options.lines]
    growths = {way: figures[way, options.lines][0] / figures[way, options.lines // 10][0] for way in measured}
    sys.stdout.write("growth at ten times the lines: " + ", ".join(f"{way} {growth:.1f}" for way, growth in growths.items()) + "\n")
    growth = max(growths["waiwang"], growths["whole city"])
    reached = seconds < AIM_SECONDS and megabytes < AIM_MEGABYTES and growth < AIM_GROWTH
    sys.stdout.write(f"aims: under {AIM_SECONDS} s, {AIM_MEGABYTES:.0f} MB, growth {growth:.1f} under {AIM_GROWTH:.0f}: ")
    sys.stdout.write("reached\n" if reached else "MISSED\n")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
