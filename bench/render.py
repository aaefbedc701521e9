"""Render many routers beside nornir_jinja2's `template_file`, which makes an environment for every host, in one run.

    python -m bench.render [--units 5000] [--rounds 3]

The work: the intended text of county routers and their units, from intents that are ready. Both ways read the same files
and must give the same bytes; `template_file` runs as Nornir runs it, one host after the other. The row "intents" is no comparison:
it builds them from the workspace.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2.defaults import DEFAULT_FILTERS, DEFAULT_TESTS
from nornir.core import Nornir
from nornir.core.configuration import Config, LoggingConfig
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.state import GlobalState
from nornir.core.task import Result, Task
from nornir.plugins.runners import SerialRunner
from nornir_jinja2.plugins.tasks import template_file

from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.inventory import Device, Line, Region, Service, Unit
from app.core.inventory import Inventory as CityInventory
from app.core.ipplan import Allocation, Management, OspfProfile, Plan, Provenance
from app.core.order import Order
from app.core.render import build_environment, centre_port, render_device
from app.core.service_class import ServiceClass
from app.core.workspace import Workspace
from app.edge.ssh.login import quiet_libraries
from app.edge.templates import FOLDER, read_templates

ROOT = Path(__file__).parents[1]
#: One environment should be this many times faster than one per host, or the cache has stopped working.
AIM_RATIO = 10.0
#: CPU seconds for 5,000 devices (on a machine of its own).
AIM_S = 1.0
PER_COUNTY = 1_000
PORT = "GigabitEthernet"


@dataclass(frozen=True, slots=True)
class Figure:
    way: str
    seconds: float
    devices: int


def build_workspace(units: int, per_county: int = PER_COUNTY) -> Workspace:
    """Return a city with so many units below counties of at most 1,000, planned in 10.0.0.0/8."""
    counties = range((units + per_county - 1) // per_county)
    routers = {"core": _device("core", "city_core", None)}
    routers |= {f"county{c}": _device(f"county{c}", "county_agg", f"GOV{c}") for c in counties}
    routers |= {f"u{n}": _device(f"u{n}", "urban_unit", f"U{n}") for n in range(units)}
    lines = {f"A{c}": _line(f"A{c}", f"GOV{c}", "core", f"{PORT}0/1/{c}", f"county{c}") for c in counties}
    lines |= {f"B{n}": _unit_line(n, per_county) for n in range(units)}
    names = (*(f"GOV{c}" for c in counties), *(f"U{n}" for n in range(units)))
    held = {name: Unit(name, name, name, "2", "county", "department", True, "A", "clerk") for name in names}
    service = Service("noc", "noc", "noc", "monitoring", "core", f"{PORT}0/0/9", 443, None, "management", ())
    regions = {"1": Region("1", "city", "city", "city", None, "0.0.0.0"), "2": Region("2", "county", "county", "county", "1", "0.0.0.2")}
    inventory = CityInventory(regions, held, routers, lines, {"noc": service})
    return Workspace(_order(), inventory, _plan(), _ledger(inventory), {})


def _unit_line(number: int, per_county: int) -> Line:
    upper, port = f"county{number // per_county}", f"{PORT}1/0/{number % per_county + 1}"
    return _line(f"B{number}", f"U{number}", upper, port, f"u{number}")


def _line(line_id: str, unit: str, upper: str, port: str, lower: str) -> Line:
    return Line(line_id, unit, "2m", "fibre", "ethernet", "telecom", None, upper, port, lower, f"{PORT}0/0/0")


def _device(name: str, role: str, unit: str | None) -> Device:
    region, lan = ("1" if role == "city_core" else "2"), (f"{PORT}0/0/7" if unit else None)
    return Device(name, "huawei", "huawei_ar", role, region, unit, "Huawei", "AR", lan)


def _order() -> Order:
    kind = ServiceClass("2m", "2兆", "2M", "fibre", 2000, 2000, 2048, 2048, ("county",))
    return Order("bench", "b", "b", "b", date(2008, 3, 26), ZoneInfo("Asia/Shanghai"), {"2m": kind}, (), (), {}, (), {})


def _plan() -> Plan:
    management = Management("noc", ("noc",), ("noc",), "netops", "poller")
    return Plan(IPv4Network("10.0.0.0/8"), (), Provenance("bench", "bench", None), True, OspfProfile(), management)


def _ledger(inventory: CityInventory) -> tuple[Allocation, ...]:
    holders = [f"device:{name}" for name in inventory.devices] + [f"line:{line}" for line in inventory.lines]
    holders += [f"unit:{unit}" for unit in inventory.units] + ["service:noc"]
    start = int(IPv4Network("10.0.0.0/8").network_address)
    prefixes = [IPv4Network((start + 4 * index, 32 if holder.startswith("device") else 30)) for index, holder in enumerate(holders)]
    return tuple(
        Allocation(prefix, "pool", "GGW", "role", holder, date(2008, 4, 1)) for holder, prefix in zip(holders, prefixes, strict=True)
    )


def render_cached(intents: Mapping[str, DeviceIntent]) -> list[str]:
    environment = build_environment(read_templates(ROOT))
    return [render_device(intent, environment) for intent in intents.values()]


def render_per_host(intents: Mapping[str, DeviceIntent]) -> list[str]:
    """Let nornir_jinja2 make an environment, find the template and compile it anew for every host."""
    ours = build_environment(read_templates(ROOT))
    DEFAULT_TESTS.update(ours.tests)  # it takes filters of ours, and no tests
    filters = {name: ours.filters[name] for name in ours.filters if name not in DEFAULT_FILTERS}
    hosts = Hosts({name: Host(name) for name in intents})
    config = Config(logging=LoggingConfig(enabled=False))
    nornir = Nornir(inventory=Inventory(hosts, Groups(), Defaults()), runner=SerialRunner(), config=config, data=GlobalState())

    def render_one(task: Task) -> Result:
        intent = intents[task.host.name]
        return template_file(
            task,
            template=f"{intent.family}/{intent.role}.j2",
            path=str(ROOT / FOLDER),
            jinja_filters=filters,
            intent=intent,
            centre_port=centre_port(intent),
        )

    outcome = nornir.run(task=render_one, on_failed=True)
    if fault := next((result.exception for results in outcome.values() for result in results if result.exception), None):
        raise SystemExit(f"nornir_jinja2 cannot render these templates: {fault}")
    rendered = (str(outcome[name][0].result) for name in intents)
    return ["".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip()) for text in rendered]


def best(work: Callable[[], object], rounds: int) -> float:
    """Return the CPU seconds of the quickest round."""
    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=5_000, help="units below the counties")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    options = parser.parse_args()
    quiet_libraries()
    workspace = build_workspace(options.units)
    intents = build_intents(workspace)
    few = dict(list(intents.items())[:200])  # the slow way is measured on these
    if render_cached(few) != render_per_host(few):
        raise SystemExit("the two ways give different bytes")
    figures = (
        Figure("intents", best(lambda: build_intents(workspace), options.rounds), len(intents)),
        Figure("waiwang", best(lambda: render_cached(intents), options.rounds), len(intents)),
        Figure("nornir_jinja2", best(lambda: render_per_host(few), options.rounds), len(few)),
    )
    sys.stdout.write(f"{'way':<14}{'devices':>9}{'CPU s':>9}{'µs each':>10}\n")
    for figure in figures:
        sys.stdout.write(f"{figure.way:<14}{figure.devices:>9}{figure.seconds:>9.3f}{1e6 * figure.seconds / figure.devices:>10.0f}\n")
    ours, theirs = (figure.seconds / figure.devices for figure in figures[1:])
    reached = theirs / ours >= AIM_RATIO
    verdict = "reached" if reached else "MISSED"
    sys.stdout.write(f"{theirs / ours:.0f} times faster than nornir_jinja2; aim {AIM_RATIO:.0f}: {verdict}\n")
    aim = AIM_S * options.units / 5_000
    met = figures[1].seconds <= aim
    sys.stdout.write(f"{figures[1].seconds:.2f} s of CPU for {len(intents)} devices; aim {aim:.1f}: {'reached' if met else 'MISSED'}\n")
    return 0 if reached and met else 1


if __name__ == "__main__":
    sys.exit(main())
