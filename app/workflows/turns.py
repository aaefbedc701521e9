"""Turns: one asker at a time for each device."""

from __future__ import annotations

import asyncio


class Turn:
    """The right to ask one device. As asyncio.Lock, but what is free can be had on the spot, by who must not wait."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[asyncio.Future[None]] = []

    def take_if_free(self) -> bool:
        """Take the turn if nobody has it; tell whether it was had."""
        if self._taken:
            return False
        self._taken = True
        return True

    async def take(self) -> None:
        """Take the turn, as soon as nobody has it."""
        while not self.take_if_free():
            given_back = asyncio.get_running_loop().create_future()
            self._waiting.append(given_back)
            await given_back

    def give_back(self) -> None:
        self._taken = False
        waiting, self._waiting = self._waiting, []
        for given_back in waiting:
            if not given_back.done():
                given_back.set_result(None)
