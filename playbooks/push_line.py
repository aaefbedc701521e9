"""Give one configuration line to the chosen devices; without --commit only say to which.

For what no template holds yet (a debugging aid, an emergency). It is not saved: the next `waiwang diff` shows it as a difference,
and `waiwang deploy --commit` takes it back.

python playbooks/push_line.py "log syslog errors" [NAME ...] [-F role=county_agg ...] [--commit]
"""

from __future__ import annotations

import argparse
import sys

from nornir import InitNornir
from nornir.core.task import Result, Task
from nornir_netmiko.tasks import netmiko_send_config

from app.errors import ExitCode, WaiwangError
from app.workflows.select import select

#: How each family says that it refused a line.
REFUSED = {"frr": r"% ", "huawei_ar": r"Error:", "huawei_s": r"Error:"}


def push(task: Task, line: str, *, commit: bool) -> Result:
    """Give the line, or only name the device. Only families that can be heard refusing are spoken to."""
    pattern = REFUSED[task.host["family"]]
    if commit:
        task.run(netmiko_send_config, config_commands=[line], error_pattern=pattern)
    return Result(task.host, result="given" if commit else "would be given", changed=commit)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("line")
    parser.add_argument("names", nargs="*", help="names or globs; none means all")
    parser.add_argument("-F", "--filter", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--commit", action="store_true")
    options = parser.parse_args()
    try:
        with InitNornir(config_file="nornir_config.yaml") as everything:
            chosen = select(everything, options.names, options.filter)
            outcome = chosen.run(task=push, on_failed=True, line=options.line, commit=options.commit)
    except WaiwangError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    for name, results in outcome.items():
        sys.stdout.write(f"{name:32} {results[-1].exception or results[0].result}\n")
    return int(ExitCode.DEVICE if outcome.failed else ExitCode.OK if options.commit else ExitCode.PENDING)


if __name__ == "__main__":
    sys.exit(main())
