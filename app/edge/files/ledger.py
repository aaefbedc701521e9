"""The ledgers as CSV, written so that no reader ever sees half of one and no two runs hand out the same prefix."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from io import StringIO
from ipaddress import IPv4Network
from operator import attrgetter
from pathlib import Path

from app.core.ipplan import Allocation
from app.core.ipv6_rows import Allocation6
from app.core.spans import ledger_order
from app.edge.files.replace import LOCK_WAIT_S, locked_folders, replaced

HEADER = ("prefix", "pool", "vrf", "role", "holder", "since", "released_on")
#: The cells of a row under HEADER, but for the prefix.
_cells = attrgetter(*HEADER[1:])
#: Further columns of a ledger in which some holder is being renumbered, or was.
RENUMBERING = ("replaces", "phase")
HEADER6 = ("prefix", "vrf", "role", "holder", "since", "released_on")


def format_ledger(rows: Iterable[Allocation]) -> str:
    """Return the ledger as CSV: sorted rows, ISO dates, LF; the same rows give the same bytes."""
    ordered = sorted(rows, key=ledger_order)
    renumbering = any(row.replaces is not None for row in ordered)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*HEADER, *RENUMBERING) if renumbering else HEADER)
    # date prints itself as ISO 8601, None and a missing phase as nothing
    if renumbering:
        writer.writerows((_dotted(row.prefix), *_cells(row), row.replaces, row.phase) for row in ordered)
    else:
        writer.writerows((_dotted(row.prefix), *_cells(row)) for row in ordered)
    return text.getvalue()


def _dotted(prefix: IPv4Network) -> str:
    """Return what `str` returns, three times as fast; of 400,000 rows it is half the work."""
    number = int(prefix.network_address)
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/{prefix.prefixlen}"


def format_ledger6(rows: Iterable[Allocation6]) -> str:
    """Return the IPv6 ledger as CSV in the order given, ISO dates, LF."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER6)
    for row in rows:
        released = row.released_on.isoformat() if row.released_on else ""
        writer.writerow((row.prefix, row.vrf, row.role, row.holder, row.since.isoformat(), released))
    return text.getvalue()


def write_ledger(path: Path, rows: Iterable[Allocation]) -> None:
    """Replace the ledger in one step; on any failure the old file stands. A symbolic link keeps pointing at it.

    Raises: InputError where the file or its folder cannot be written.
    """
    with replaced(path.parent.parent, {f"{path.parent.name}/{path.name}": format_ledger(rows).encode("utf-8")}):
        pass


def write_ledgers(root: Path, texts: Mapping[str, str]) -> None:
    """Replace the ledgers of a workspace, by their names in it, all of them or none. Raises as `write_ledger`."""
    with replaced(root, {name: text.encode("utf-8") for name, text in texts.items()}):
        pass


def locked(path: Path, wait_s: float = LOCK_WAIT_S) -> AbstractContextManager[None]:
    """Hold the ledger alone. The lock is on its folder: a rename does not lose it and no extra file is left.

    Raises: InputError where the folder is missing, or another run still holds the lock after `wait_s` seconds.
    """
    return locked_folders(path.parent, wait_s=wait_s)
