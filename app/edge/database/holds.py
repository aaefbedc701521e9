"""Who is changing which devices now. Held by a living process alone: it ends with it, however it ends.

Beside SQLite each run has a file that it keeps locked (flock), naming its devices; PostgreSQL keeps an advisory lock a device on a
connection of the run's own.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.edge.database.engine import build_engine
from app.errors import Finding, InputError, StoreError, named

#: First half of the advisory locks of devices ("hold" in ASCII); the second is the device's name, hashed by the server.
HOLD_CLASS = int.from_bytes(b"hold")
#: A lock of pg_locks belongs to the device `name`; object numbers there are unsigned.
_OF_DEVICE = (
    "locktype = 'advisory' AND classid::bigint = %s AND objid::bigint = hashtext(name)::bigint & 4294967295"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who changes devices: what is run, by whom, since when (text, on the order's clock), in which process of which machine."""

    verb: str
    by: str
    since: str
    process: int
    machine: str

    def __str__(self) -> str:
        return f"waiwang {self.verb} of {self.by} since {self.since} (process {self.process} on {self.machine})"


@contextmanager
def holding(url: str, devices: Sequence[str], holder: Holder) -> Iterator[None]:
    """Hold devices while the block runs, all of them or none.

    Raises:
        InputError: another run holds some of them; it says which and whose.
        StoreError: the database, or the folder of the locks, cannot be used.
    """
    parsed = sa.make_url(url)
    held = _holding_by_files(Path(f"{parsed.database}.runs"), devices, holder) if parsed.get_backend_name() == "sqlite" else None
    with held if held is not None else _holding_by_server(url, devices, holder):
        yield


def find_held(url: str, devices: Sequence[str]) -> frozenset[str]:
    """Return which of the devices a living run holds now. Raises StoreError where the database cannot be asked."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        folder = Path(f"{parsed.database}.runs")
        theirs = [held for _, held in _living(folder)] if folder.is_dir() else []
        return frozenset(devices).intersection(frozenset().union(*theirs))
    with _server_session(url) as session:
        asked = f"SELECT name FROM unnest(%s::text[]) AS name JOIN pg_locks ON {_OF_DEVICE} WHERE granted AND pid <> pg_backend_pid()"
        return frozenset(name for (name,) in session.execute(asked, (list(devices), HOLD_CLASS)).fetchall())


@contextmanager
def _holding_by_files(folder: Path, devices: Sequence[str], holder: Holder) -> Iterator[None]:
    own = folder / f"{holder.process}-{secrets.token_hex(4)}.run"
    try:
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as all_runs:
            fcntl.flock(all_runs, fcntl.LOCK_EX)
            for other, theirs in _living(folder):
                if shared := [name for name in devices if name in theirs]:
                    raise _held(shared, len(devices), str(other))
            file = own.open("w", encoding="utf-8")
            fcntl.flock(file, fcntl.LOCK_EX)
            json.dump({"holder": asdict(holder), "devices": list(devices)}, file)
            file.flush()
    except OSError as error:
        raise _no_lock(str(folder), error.strerror or str(error)) from error
    try:
        yield
    finally:
        with suppress(OSError):
            own.unlink()
        file.close()


def _living(folder: Path) -> Iterator[tuple[Holder, frozenset[str]]]:
    """Yield every run that still lives with its devices; files of runs that are gone are taken away."""
    for path in folder.glob("*.run"):
        with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                told = json.load(file)
                yield Holder(**told["holder"]), frozenset(told["devices"])
            else:
                path.unlink()


@contextmanager
def _holding_by_server(url: str, devices: Sequence[str], holder: Holder) -> Iterator[None]:
    with _server_session(url) as session:
        session.execute("SELECT set_config('application_name', %s, false)", (str(holder)[:63],))
        taken = "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT pg_try_advisory_lock(%s, hashtext(name))"
        if shared := [name for (name,) in session.execute(taken, (list(devices), HOLD_CLASS)).fetchall()]:
            raise _held(shared, len(devices), _whose(session, shared[0]))
        yield


@contextmanager
def _server_session(url: str) -> Iterator[Any]:
    """Open a session of the driver's own; its locks end with it."""
    engine = build_engine(url)
    try:
        connection: Any = engine.raw_connection()
    except sa.exc.SQLAlchemyError as error:
        raise _no_lock("database", str(error).splitlines()[0]) from error
    try:
        connection.driver_connection.autocommit = True
        yield connection.driver_connection
    finally:
        connection.invalidate()
        engine.dispose()


def _whose(session: Any, device: str) -> str:
    """Return how the run that holds a device calls itself."""
    asked = (
        "SELECT application_name FROM unnest(%s::text[]) AS name JOIN pg_locks ON "
        f"{_OF_DEVICE} JOIN pg_stat_activity USING (pid) WHERE granted AND pid <> pg_backend_pid()"
    )
    found = session.execute(asked, ([device], HOLD_CLASS)).fetchone()
    return str(found[0]) if found else "another run"


def _held(shared: Sequence[str], wanted: int, whose: str) -> InputError:
    some = named(shared)
    step = "Nothing was sent. Wait until it has ended, or choose other devices."
    return InputError([Finding("selection", "devices to change", f"{wanted} that nobody is changing", f"{some} held by {whose}", step)])


def _no_lock(where: str, found: str) -> StoreError:
    return StoreError(f"{where}: locks of runs: expected a place that can be written; found {found}. Look at its rights and its disk.")


def machine_name() -> str:
    return os.uname().nodename
