"""Whether this machine can run the lab."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.failure import lab_error

#: Programs that the lab runs, and the Debian packages that bring them.
PROGRAMS = {
    "/usr/lib/frr/zebra": "frr",
    "/usr/lib/frr/ospfd": "frr",
    "/usr/lib/frr/watchfrr": "frr",
    "/usr/bin/vtysh": "frr",
    "/usr/sbin/snmpd": "snmpd",
    "/usr/sbin/sshd": "openssh-server",
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "iperf3": "iperf3",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "sysctl": "procps",
    "python3": "python3",
}
#: frr-snmp brings no program but modules, below a folder that names the machine's architecture.
SNMP_MODULE = "usr/lib/*/frr/modules/zebra_snmp.so"


def require_possible() -> None:
    """Say everything at once that keeps this machine from running the lab.

    Raises:
        LabError: not root, or packages are missing.
    """
    require_root()
    missing = dict.fromkeys(package for program, package in PROGRAMS.items() if shutil.which(program) is None)
    if not any(Path("/").glob(SNMP_MODULE)):
        missing["frr-snmp"] = None
    if missing:
        raise lab_error(
            "this machine",
            "the lab's programs are not installed",
            expected=", ".join(dict.fromkeys([*PROGRAMS.values(), "frr-snmp"])),
            found=f"without {', '.join(missing)}",
            next_step=f"On Debian 12, as root: apt-get install --no-install-recommends {' '.join(missing)}",
        )


def require_root() -> None:
    if os.geteuid() != 0:
        raise lab_error(
            "this account",
            "the lab makes network namespaces",
            expected="root",
            found=f"user id {os.geteuid()}",
            next_step="Run the command as root, for example with sudo.",
        )
