"""What the web doors read. Everything shown is a view of one `Summary`; evidence and history are looked up by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.core.acceptance import Acceptance, Transition
from app.core.access import Role
from app.core.progress import Summary


class Reader(Protocol):
    """The store behind the pages. Called from several threads at once; may raise StoreError."""

    def summary(self) -> Summary:
        """Return the rollout as it is known now."""
        ...

    def acceptance(self, line_id: str) -> Acceptance | None:
        """Return the decision in force on a line, None while nobody has judged it."""
        ...

    def transitions(self, line_id: str | None, limit: int) -> Sequence[Transition]:
        """Return at most `limit` changes of state, newest first, of one line or of all (None)."""
        ...

    def narrowed(self, role: Role) -> Reader:
        """Return a reader that knows no more than this role may."""
        ...
