"""Keep the deadlines that are worked by, and name those that moved without an entry in the order's log."""

from __future__ import annotations

from datetime import datetime

from app.core.deadlines import find_silent_changes, terms_to_keep
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import Finding


def find_moved(workspace: Workspace, store: Store) -> tuple[Finding, ...]:
    """Return every deadline that was worked by before and moved since without an entry in the log."""
    moved = find_silent_changes(workspace.order, store.seen_terms(workspace.order.number))
    return tuple(each.finding for each in moved)


def keep_deadlines(workspace: Workspace, store: Store, now: datetime) -> tuple[Finding, ...]:
    """Append the present terms of every milestone that differ from those seen last; nothing is appended while one moved silently.

    Return the findings: what is refused because of them, the caller decides. Looking at lines never is.
    """
    order = workspace.order
    seen = store.seen_terms(order.number)
    silent = find_silent_changes(order, seen)
    if not silent and (new := terms_to_keep(order, seen, now)):
        store.write_seen_terms(order.number, new)
    return tuple(each.finding for each in silent)
