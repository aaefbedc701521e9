"""Keep everybody else from changing the devices that a command changes."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.cli.context import Context, now
from app.cli.lines import written
from app.edge.database.holds import Holder, holding, machine_name


@contextmanager
def holding_devices(context: Context, verb: str, devices: Sequence[str]) -> Iterator[None]:
    """Hold devices while the block runs. Raises InputError where another run holds some of them; it says which and whose."""
    _ = context.store  # makes the database where there is none: the locks stand beside it
    since = str(written(now(), context.workspace.order.timezone))
    with holding(context.settings.database_url, devices, Holder(verb, getpass.getuser(), since, os.getpid(), machine_name())):
        yield
