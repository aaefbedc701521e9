"""Compute the patches of many routers, on one core and on all, and prove a sample by applying them to virtual devices.

    python -m bench.patch [--devices 1000] [--workers 2]

The work: running and intended texts of AR routers that differ in rate, description, a route's way and the probe; every device its own
text. The first patch also compiles the rules, in each process. Nothing is kept between devices but the rules.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from app.core.intents import build_intents
from app.core.render import build_environment, render_device
from app.edge.patch import patch
from app.edge.templates import read_templates
from bench.render import build_workspace
from lab.virtual import engine
from lab.virtual.deeds import config_text
from lab.virtual.grammar import read_grammar

ROOT = Path(__file__).parents[1]
FAMILY = "huawei_ar"
#: Wall seconds for 1,000 devices on two cores.
AIM_S = 15.0
#: So many patches are applied to virtual devices to see that they lead where they should.
PROVEN = 20
Pair = tuple[str, str]


def build_pairs(devices: int) -> list[Pair]:
    """Return (running, intended) of so many units' routers; the running text is the echo of a device with an older order."""
    intents = build_intents(build_workspace(devices))
    environment = build_environment(read_templates(ROOT))
    pairs = []
    for number in range(devices):
        intended = render_device(intents[f"u{number}"], environment)
        running = intended.replace("cir 2048", "cir 1024").replace("BW:2000", "BW:1000").replace("preference 250", "preference 200")
        pairs.append((running, intended))
    return pairs


def patch_all(pairs: Sequence[Pair]) -> int:
    """Return the number of commands that all the patches hold."""
    return sum(len(patch(FAMILY, running, intended)) for running, intended in pairs)


def timed(pairs: Sequence[Pair], workers: int) -> tuple[float, int]:
    """Return wall seconds and commands, the work split over so many processes, their start included."""
    begun = time.perf_counter()
    if workers == 1:
        commands = patch_all(pairs)
    else:
        shares = [pairs[first::workers] for first in range(workers)]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            commands = sum(pool.map(patch_all, shares))
    return time.perf_counter() - begun, commands


def prove(pairs: Sequence[Pair]) -> None:
    """Apply patches to virtual devices. Raises SystemExit where one is refused or leaves a difference."""
    grammar = read_grammar(FAMILY)
    ports = ("GigabitEthernet0/0/0", "GigabitEthernet0/0/7")
    for running, intended in pairs:
        device = engine.load(grammar, engine.new_device(grammar, "new", ports, 0.0), running.splitlines()).device
        lines = [str(one) for one in patch(FAMILY, config_text(grammar, device.running), intended) if one.text != "quit"]
        turn = engine.load(grammar, device, lines)
        left = patch(FAMILY, config_text(grammar, turn.device.running), intended)
        if turn.text or left:
            raise SystemExit(f"a patch does not lead to the intended text: {turn.text} {[str(one) for one in left]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1_000, help="at most 4094")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    options = parser.parse_args()
    pairs = build_pairs(options.devices)
    prove(pairs[:PROVEN])
    sys.stdout.write(f"{'processes':>9}{'devices':>9}{'commands':>10}{'s':>8}{'ms each':>9}\n")
    seconds = 0.0
    for workers in dict.fromkeys((1, options.workers)):
        seconds, commands = timed(pairs, workers)
        sys.stdout.write(f"{workers:>9}{len(pairs):>9}{commands:>10}{seconds:>8.2f}{1e3 * seconds / len(pairs):>9.1f}\n")
    aim = AIM_S * options.devices / 1_000
    reached = seconds <= aim
    sys.stdout.write(f"{PROVEN} patches proven on virtual devices; aim {aim:.0f} s on 2 cores: {'reached' if reached else 'MISSED'}\n")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
