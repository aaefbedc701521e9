"""A real PostgreSQL server of Debian's package, for tests that need what only a server does: on a unix socket, nowhere else."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from app.edge.database.store import Store
from tests.samples.server import wait_until

#: Where Debian keeps the programs of each version; they are not on the search path.
DEBIAN = Path("/usr/lib/postgresql")
#: Who runs a server where the tests run as root, whom PostgreSQL refuses.
UNPRIVILEGED = "nobody"
#: A database that is lost with the machine need not be flushed.
OPTIONS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=", "timezone=Asia/Shanghai")
#: The database that new ones are copied from.
MIGRATED = "migrated"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. Every database that it gives is new, and migrated."""

    socket: Path
    user: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}@/{database}?host={self.socket}"

    def create_database(self, name: str = "", template: str = MIGRATED) -> str:
        """Return the URL of a new database, with the schema unless another template is named."""
        name = name or f"test{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url(name)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.socket), user=self.user, dbname="postgres", autocommit=True)

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def find_program(name: str) -> str | None:
    """Return the newest `initdb` or `postgres` of this machine."""
    versions = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parents[1].name))
    return str(versions[-1]) if versions else shutil.which(name)


@contextmanager
def cluster(initdb: str, postgres: str) -> Iterator[Cluster]:
    """Make a cluster in a temporary directory, run it as an unprivileged user, and stop it."""
    user = UNPRIVILEGED if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    directory = Path(tempfile.mkdtemp(prefix="waiwang-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, user, pwd.getpwnam(user).pw_gid)
        make = [initdb, "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale", "-U", user, "-D", str(directory / "data")]
        subprocess.run(make, check=True, capture_output=True, cwd=directory, **_identity(user))
        with _serving(user, postgres, directory) as running:
            running.create_database(MIGRATED, "template0")
            Store.open(running.url(MIGRATED)).close()
            yield running
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _serving(user: str, postgres: str, directory: Path) -> Iterator[Cluster]:
    settings = [part for option in OPTIONS for part in ("-c", option)]
    command = [postgres, "-D", str(directory / "data"), "-k", str(directory), *settings]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, **_identity(user))
        running = Cluster(directory, user)
        try:
            wait_until(running.answers, 60, f"PostgreSQL; it said: {(directory / 'log').read_text()}")
            yield running
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: sessions are cut off
            process.wait(60)


def _identity(user: str) -> dict[str, Any]:
    """Return what makes a child process another user's, where this one may."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
