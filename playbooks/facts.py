"""Show what the chosen devices say they are, by NAPALM: name, model, release, serial number; and whether the name is the inventory's.

Only families with a driver in NAPALM's core (IOS). Nothing is written.

python playbooks/facts.py [NAME ...] [-F family=cisco_ios ...]      in a workspace, where nornir_config.yaml lies
"""

from __future__ import annotations

import argparse
import sys

from nornir import InitNornir
from nornir.core import Nornir
from nornir.core.task import Result, Task
from nornir_napalm.plugins.tasks import napalm_get

from app.edge.nornir_inventory import NAPALM_DRIVERS
from app.errors import ExitCode, WaiwangError, worst
from app.workflows.select import select


def facts(task: Task) -> Result:
    """Return NAPALM's facts of a device."""
    if task.host["family"] not in NAPALM_DRIVERS:
        known = ", ".join(NAPALM_DRIVERS)
        fault = ValueError(f"expected a family with a driver in NAPALM's core ({known}); found {task.host['family']}")
        return Result(task.host, failed=True, exception=fault)
    return Result(task.host, result=task.run(napalm_get, getters=["facts"]).result["facts"])


def show(nornir: Nornir) -> ExitCode:
    """Print a line per device; DEVICE where one was not read, NOT_ACCEPTED where one goes by another name."""
    codes = []
    for name, results in nornir.run(task=facts, on_failed=True).items():
        fault = next((result.exception for result in reversed(results) if result.exception), None)
        if fault is not None:
            codes.append(ExitCode.DEVICE)
            sys.stdout.write(f"{name:32} not read: {' '.join(str(fault).split())[:160]}\n")
            continue
        held = results[0].result
        is_named = held["hostname"] == name
        codes.append(ExitCode.OK if is_named else ExitCode.NOT_ACCEPTED)
        named = "" if is_named else f"  CALLS ITSELF {held['hostname']}"
        sys.stdout.write(f"{name:32} {held['model']:20} {held['os_version'].split(',')[0]:32} {held['serial_number']}{named}\n")
    return worst(codes) if codes else ExitCode.NOTHING_MEASURED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="names or globs; none means all")
    parser.add_argument("-F", "--filter", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    try:
        with InitNornir(config_file="nornir_config.yaml") as everything:
            return int(show(select(everything, options.names, options.filter)))
    except WaiwangError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)


if __name__ == "__main__":
    sys.exit(main())
