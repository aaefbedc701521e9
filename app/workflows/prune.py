"""Let go of old samples, so that the database of a city does not grow for ever. What a decision rests on stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import WaiwangError
from app.workflows.accept import GAP_INTERVALS, history_needed

EVERY = timedelta(days=1)


def prune(workspace: Workspace, store: Store, now: datetime, keep: timedelta, poll_interval: timedelta) -> int:
    """Delete samples older than `keep`, or than what a trial needs where that is longer; return how many went.

    Every sample that a decision looked at stays: an evidence pack can be made of it years later.
    """
    gone = 0
    for line in workspace.inventory.lines.values():
        needed = history_needed(workspace.order.classes[line.service_class]) + GAP_INTERVALS * poll_interval
        decided = [decision.decided_at for decision in store.acceptance_history(line.line_id)]
        gone += store.prune(line.line_id, now - max(keep, needed), [(at - needed, at) for at in decided])
    return gone


async def prune_daily(prune_once: Callable[[], int], stop: asyncio.Event, report_failure: Callable[[Exception], None]) -> None:
    """Prune now and every day until told to stop; a failure is told, and the next day comes all the same."""
    ending = asyncio.create_task(stop.wait())
    while not stop.is_set():
        try:
            await asyncio.to_thread(prune_once)
        except WaiwangError as error:
            report_failure(error)
        await asyncio.wait([ending], timeout=EVERY.total_seconds())
    await ending
