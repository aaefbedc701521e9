"""When poll cycles run: on schedule, and at once where something happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.errors import WaiwangError
from app.workflows.poll import Clock, Poller
from app.workflows.poll_report import CycleReport

#: A cycle that was brought forward starts so many seconds after the one before at the earliest.
HURRY_PAUSE_S = 2.0


async def poll_forever(
    poller: Poller,
    interval_s: float,
    clock: Clock,
    stop: asyncio.Event,
    report: Callable[[CycleReport], Awaitable[None] | None] = lambda _report: None,
    report_failure: Callable[[WaiwangError], None] = lambda _error: None,
    hurry: asyncio.Event | None = None,
) -> None:
    """Run a cycle every `interval_s` seconds until `stop` is set, and one at once whenever `hurry` is set.

    The schedule does not drift: a cycle starts at a multiple of the interval after the first, and one that takes longer
    makes the next starts fall away. A cycle brought forward leaves the schedule as it is, and comes `HURRY_PAUSE_S` after
    the start of the one before at the earliest. A cycle that fails is reported and the schedule goes on.
    """
    loop = asyncio.get_running_loop()
    first = loop.time()
    hurry = hurry or asyncio.Event()
    while not stop.is_set():
        started = loop.time()
        hurry.clear()
        try:
            said = report(await poller.cycle(clock))
            if said is not None:
                await said
        except WaiwangError as error:
            report_failure(error)
        due = next_start(first, interval_s, loop.time())
        if await _is_set(hurry, stop, due - loop.time()):
            await _is_set(stop, stop, min(due, started + HURRY_PAUSE_S) - loop.time())


async def _is_set(event: asyncio.Event, stop: asyncio.Event, seconds: float) -> bool:
    """Wait at most so long for either event; tell whether the first is set."""
    waiting = [asyncio.create_task(each.wait()) for each in {event, stop}]
    await asyncio.wait(waiting, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    return event.is_set()


def next_start(first: float, interval: float, now: float) -> float:
    """Return the next multiple of the interval after `first` that is still to come."""
    return first + (int((now - first) // interval) + 1) * interval
