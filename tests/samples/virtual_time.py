"""An event loop whose clock jumps: waiting takes no time, so that a schedule can be held to the exact moment on a busy machine."""

from __future__ import annotations

import asyncio
import selectors


class JumpingSelector(selectors.DefaultSelector):
    """Where a loop would sleep until its next timer, move `now` (seconds) on to it instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if ready := super().select(0):
            return ready
        assert timeout is not None, "everything waits for something that no timer brings"
        self.now += timeout
        return []


def virtual_time() -> asyncio.AbstractEventLoop:
    """Return a loop for `asyncio.Runner(loop_factory=virtual_time)`; nothing real may be waited for in it."""
    selector = JumpingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]  # the one clock that asyncio asks
    return loop
