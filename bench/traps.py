"""Cut lines of the lab and time how long it takes until the state is recorded; as root, the lab must be free.

    python -m bench.traps [--rounds 3]

The schedule is out of the way (one cycle at the start), so every figure is that of notifications. Agents look every second at a table
that is up to 3 s old, which is most of the time from a cut; from a notification on the time is ours.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.edge.database.store import Store
from lab.handle import Lab, running_lab
from lab.possible import require_possible
from lab.runner import LabOptions
from lab.served import serving

POLL_INTERVAL_S = 86_400
CUT, HIDDEN = "BZWW-A-0001", "BZWW-A-0002"
RECORDED = re.compile(rf"{CUT}: up → down .*recorded (\d+\.\d+) s after the notification")
#: What a figure is given up after.
LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds of every round; each must stay below the aim, None where there is none."""

    name: str
    seconds: tuple[float, ...]
    aim_s: float | None

    @property
    def is_reached(self) -> bool:
        return self.aim_s is None or (bool(self.seconds) and max(self.seconds) < self.aim_s)

    def __str__(self) -> str:
        verdict = "" if self.aim_s is None else f"aim {self.aim_s:g}: {'reached' if self.is_reached else 'MISSED'}"
        middle = statistics.median(self.seconds) if self.seconds else float("nan")
        return f"{self.name:<52}{len(self.seconds):>7}{middle:>9.2f}{max(self.seconds, default=float('nan')):>9.2f}  {verdict}"


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds from a cut to what is recorded: the line down, its units unreachable, all up again; a cut that no port shows."""

    down: float
    behind: float
    healed: float
    silent: float


def until(holds: Callable[[], bool]) -> float:
    """Return the seconds until this holds."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > LIMIT_S:
            raise SystemExit(f"waited {LIMIT_S:g} s for nothing")
        time.sleep(0.02)
    return time.monotonic() - begun


def settle(log: Path) -> None:
    """Wait until nothing is recorded for five seconds."""
    size = -1
    while size != (size := log.stat().st_size):
        time.sleep(5)


def run_rounds(lab: Lab, log: Path, count: int) -> Iterator[Round]:
    store = Store.open(lab.state.database_url)
    below = {line.line_id for line in lab.workspace.inventory.lines.values() if line.a_device == "county01"}

    def states() -> dict[str, str]:
        return {line_id: status.sample.state for line_id, status in store.latest().items()}

    def all_up() -> bool:
        return states() == dict.fromkeys(lab.workspace.inventory.lines, "up")

    until(all_up)
    for _ in range(count):
        settle(log)
        lab.cut(CUT)
        down = until(lambda: states()[CUT] == "down")
        behind = down + until(lambda: {states()[each] for each in below} == {"unreachable"})
        lab.heal(CUT)
        healed = until(all_up)
        settle(log)
        lab.cut(HIDDEN, silent=True)
        silent = until(lambda: states()[HIDDEN] == "unreachable")
        lab.heal(HIDDEN)
        until(all_up)
        yield Round(down, behind, healed, silent)
    store.close()


def figures(rounds: Sequence[Round], notified: Sequence[float]) -> tuple[Figure, ...]:
    return (
        Figure("notified → recorded", tuple(notified), 1.0),
        Figure("cut → recorded (the agent's table is up to 3 s old)", tuple(each.down for each in rounds), 4.0),
        Figure("cut → its units unreachable (a full cycle)", tuple(each.behind for each in rounds), None),
        Figure("mended → every line up", tuple(each.healed for each in rounds), None),
        Figure("cut that no port shows → recorded (OSPF waits 4 s)", tuple(each.silent for each in rounds), 15.0),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="cuts of each kind")
    count = parser.parse_args().rounds
    require_possible()
    environ = {"WAIWANG_POLL_INTERVAL_S": str(POLL_INTERVAL_S), "COLUMNS": "400"}
    with tempfile.TemporaryDirectory() as folder, running_lab(LabOptions(wait_s=600)) as lab:
        if lab.waiwang("deploy", "--commit", timeout=240).returncode:
            raise SystemExit("the lab could not be deployed to")
        log = Path(folder) / "serve.log"
        with serving(lab, log, environ):
            rounds = tuple(run_rounds(lab, log, count))
        notified = [float(seconds) for seconds in RECORDED.findall(log.read_text())]
    seen = figures(rounds, notified)
    sys.stdout.write(f"{'':<52}{'rounds':>7}{'median':>9}{'longest':>9}  seconds\n")
    sys.stdout.writelines(f"{figure}\n" for figure in seen)
    return 0 if len(notified) >= count and all(figure.is_reached for figure in seen) else 1


if __name__ == "__main__":
    sys.exit(main())
