"""The collector of reference cycles, in programs that make many values at once which all stay for a while."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New values between two looks at the youngest, and how many looks go by before the older and the oldest are looked through. A poll
#: cycle of 5,000 lines makes half a million values that stay until the next one: Python's own 700, 10, 10 looks through them 60 times.
LOOKS = (50_000, 10, 20)


def settle_collector() -> None:
    """Leave alone what is there at the start of a process that stays, for it stays as well, and look less often at what comes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*LOOKS)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector away while many values are made that all stay: it would look through them again and again and find
    nothing (half of the time at 400,000 prefixes)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
