"""Show the OSPF neighbours of the chosen routers, and whether each is in state Full.

python playbooks/ospf_neighbours.py [NAME ...] [-F role=county_agg ...]      in a workspace, where nornir_config.yaml lies
"""

from __future__ import annotations

import argparse
import re
import sys

from nornir import InitNornir
from nornir.core.task import Result, Task
from nornir_netmiko.tasks import netmiko_send_command

from app.errors import ExitCode, WaiwangError
from app.workflows.select import select

#: Router id, priority, state, ..., and the interface as FRR shows it (eth1:198.18.1.2).
FRR_ROW = re.compile(r"^(?P<router_id>\d+(?:\.\d+){3})\s+\d+\s+(?P<state>\w+)/\S+.*?\s(?P<interface>\S+):\d+(?:\.\d+){3}", re.MULTILINE)


def neighbours(task: Task) -> Result:
    """Return (interface, router id, state) of every neighbour; fail where one is not Full, or where there is none."""
    if task.host["family"] != "frr":
        return Result(task.host, result=[], failed=True, exception=ValueError(f"no table known for family {task.host['family']}"))
    shown = str(task.run(netmiko_send_command, command_string="show ip ospf neighbor").result)
    found = [(row["interface"], row["router_id"], row["state"]) for row in FRR_ROW.finditer(shown)]
    return Result(task.host, result=found, failed=not found or any(state != "Full" for _, _, state in found))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names or globs; none means all")
    parser.add_argument("-F", "--filter", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    try:
        with InitNornir(config_file="nornir_config.yaml") as everything:
            outcome = select(everything, options.names, options.filter).run(task=neighbours, on_failed=True)
    except WaiwangError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    for name, results in outcome.items():
        fault = results[-1].exception or results[0].exception
        rows = [] if fault else results[0].result
        for interface, router_id, state in rows:
            sys.stdout.write(f"{name:32} {interface:16} {router_id:16} {state}\n")
        if not rows:
            sys.stdout.write(f"{name:32} {fault or 'no neighbour'}\n")
    return int(ExitCode.DEVICE if outcome.failed else ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
