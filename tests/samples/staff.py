"""Accounts of a workspace, a server over a real database, and clients that signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from app.core.access import Account, parse_role
from app.edge.database.store import Store
from app.edge.signing import SigningKey
from app.web.app import create_app
from app.web.doors import Doors
from app.workflows.accounts import Clerk, add_token
from app.workflows.registry import Registry
from app.workflows.summary import StoreReader
from tests.samples.accepted_line import ACCEPTED_AT, POLL_INTERVAL_S, ROOT, root_workspace

PASSWORD = "seven grey herons at dawn"
#: One cheap hash for every account: argon2 takes its time on purpose.
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
ROLES = {
    "watcher": "viewer",
    "duty": "engineer",
    "office": "centre",
    "telecom-desk": "carrier:telecom",
    "unicom-desk": "carrier:unicom",
    "bzq-gov": "unit:BZQ-GOV",
    "tj-gov": "unit:TJ-GOV",
}
#: Whoever holds the three offices, in a house that has them.
OFFICES = {"machine-room": "system", "security-desk": "security", "audit-desk": "auditor"}
ORIGIN = "http://127.0.0.1"


@dataclass
class Clock:
    """A clock that tests move."""

    now: datetime = ACCEPTED_AT + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class House:
    """A store with accounts, and the application over it."""

    store: Store
    clock: Clock = field(default_factory=Clock)
    key: SigningKey | None = None
    open_reading: bool = True
    metrics_token: str | None = None
    offices: bool = False
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, role in {**ROLES, **(OFFICES if self.offices else {})}.items():
            found, at = parse_role(role), self.clock.now - timedelta(days=1)
            assert found is not None
            self.store.write_account(account := Account(name, found, HASHED, at, at, at))
            self.tokens[name] = add_token(Clerk(self.store, at, account), name, 90)[0]

    def application(self, doors: Doors | None = None) -> FastAPI:
        workspace = root_workspace()
        registry = Registry(workspace, self.store, self.clock, ROOT, POLL_INTERVAL_S, self.key)
        reader = StoreReader(workspace, self.store, self.clock)
        found = doors or Doors(self.store, open_reading=self.open_reading, clock=self.clock)
        return create_app(reader, workspace.order.timezone, timedelta(hours=3), shared_for_s=0, doors=found, registry=registry)

    def client(self, account: str | None = None, app: FastAPI | None = None) -> httpx.AsyncClient:
        """Return a client with the API token of an account, or without any."""
        transport = httpx.ASGITransport(app=app or self.application(), raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {self.tokens[account]}"} if account else {}
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)


@contextmanager
def open_house(folder: Path, **options: object) -> Iterator[House]:
    store = Store.open(f"sqlite:///{folder / 'waiwang.db'}")
    try:
        yield House(store, **options)  # type: ignore[arg-type]  # fields by name
    finally:
        store.close()
