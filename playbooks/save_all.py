"""Save the running configuration of the chosen devices, and say which of them confirmed it.

python playbooks/save_all.py [NAME ...] [-F key=value ...]      in a workspace, where nornir_config.yaml lies
"""

from __future__ import annotations

import argparse
import sys

from nornir import InitNornir
from nornir.core.task import Result, Task
from nornir_netmiko.tasks import netmiko_save_config

from app.errors import ExitCode, WaiwangError
from app.workflows.select import select

CONFIRMED = ("[OK]", "successfully")


def save(task: Task) -> Result:
    """Save, and fail where the device does not confirm: some write nothing and say so in words only."""
    answer = str(task.run(netmiko_save_config, cmd="write memory" if task.host["family"] == "frr" else "save", confirm=True).result)
    confirmed = any(word in answer for word in CONFIRMED)
    return Result(task.host, result="saved" if confirmed else " ".join(answer.split())[-80:], failed=not confirmed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names or globs; none means all")
    parser.add_argument("-F", "--filter", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    try:
        with InitNornir(config_file="nornir_config.yaml") as everything:
            outcome = select(everything, options.names, options.filter).run(task=save, on_failed=True)
    except WaiwangError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    for name, results in outcome.items():
        sys.stdout.write(f"{name:32} {results[-1].exception or results[0].result}\n")
    return int(ExitCode.DEVICE if outcome.failed else ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
