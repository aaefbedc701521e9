"""Names in the order that people and devices count in."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts eth2 before eth10 and numbers before letters, as FRR lists interfaces."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name) if part)


def vlan_of(interface: str) -> int | None:
    """Return the VLAN that a sub-interface ends: its own number (design default)."""
    _, dot, number = interface.rpartition(".")
    return int(number) if dot and number.isdecimal() else None


_SPAN = re.compile(r"\{(\d+)-(\d+)\}")


def expand_ports(text: str) -> tuple[str, ...]:
    """Return the port names of a pattern such as `GigabitEthernet0/0/{0-23}`; one without braces is its own only name."""
    found = _SPAN.search(text)
    if found is None:
        return (text,)
    numbers = range(int(found[1]), int(found[2]) + 1)
    return tuple(name for number in numbers for name in expand_ports(f"{text[: found.start()]}{number}{text[found.end() :]}"))


#: OpenSSH and paramiko name a host with its port in known_hosts unless it is this one.
SSH_PORT = 22


def known_name(host: str, port: int) -> str:
    """Return what a known_hosts file calls a host that is reached at a port."""
    return host if port == SSH_PORT else f"[{host}]:{port}"
