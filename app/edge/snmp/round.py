"""One round over many agents: what they answered before is put to them again, without a task, a future and a timer for each.

Asking with care (`agent`) spends most of its time on those. Here a question is sent, a callback notes what comes back, and one
loop works off what has come. Who does not answer as before is named with what went wrong: asking with care finds out why.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gufo.snmp import SnmpError, ValueType

from app.edge.snmp.agent import Agent

#: How long what has come waits for more to come, seconds: waking the loop for each alone costs a tenth of a cycle.
GATHER_S = 0.002


class Faltered(Exception):
    """An agent did not answer as before. `timed_out`: nothing came in time."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("no answer in time" if timed_out else "another answer than before")
        self.timed_out = timed_out


@dataclass(slots=True, eq=False)
class _Asked:
    """An agent that is being asked: the questions that are still to be put, what it said so far, when its patience ends."""

    agent: Agent
    questions: Iterator[list[str]]
    seen: dict[str, ValueType] = field(default_factory=dict)
    ends_at: float = 0.0


class Round:
    """Asks agents their known questions, `at_once` agents at a time, each question for `patience_s` seconds."""

    def __init__(self, agents: Iterable[tuple[Agent, Sequence[list[str]]]], patience_s: float, at_once: int) -> None:
        """Prepare to ask these agents these questions, one or more; each is taken when it is about to be asked, nothing is sent yet."""
        self._agents, self._patience_s, self._at_once = iter(agents), patience_s, at_once
        self._waiting: dict[_Asked, None] = {}  # by the end of their patience, as that is the same for all
        self._arrived: list[tuple[_Asked, object]] = []
        self._woken: asyncio.Future[None] | None = None

    async def answers(self) -> AsyncGenerator[tuple[Agent, Mapping[str, ValueType] | Faltered], None]:
        """Yield every agent with all that it said, or with how it faltered, as they come. Close it, or they are waited for."""
        try:
            self._ask_more()
            while self._waiting:
                for asked, outcome in await self._next_arrived():
                    if (result := self._go_on(asked, outcome)) is not None:
                        yield asked.agent, result
                        self._ask_more()
        finally:
            for asked in self._waiting:
                asked.agent.forget()

    def _ask_more(self) -> None:
        while len(self._waiting) < self._at_once and (chosen := next(self._agents, None)) is not None:
            agent, questions = chosen
            self._put(_Asked(agent, iter(questions)))

    def _go_on(self, asked: _Asked, outcome: object) -> Mapping[str, ValueType] | Faltered | None:
        """Take one answer; return what the agent said in all, None while there is more to ask."""
        del self._waiting[asked]
        if not isinstance(outcome, dict) or not outcome:
            return Faltered(timed_out=isinstance(outcome, TimeoutError))
        asked.seen = asked.seen | outcome if asked.seen else outcome
        return None if self._put(asked) else asked.seen

    def _put(self, asked: _Asked) -> bool:
        """Put the next question; tell whether there was one."""
        if (question := next(asked.questions, None)) is None:
            return False
        asked.ends_at = asyncio.get_running_loop().time() + self._patience_s
        self._waiting[asked] = None
        try:
            asked.agent.put(question, partial(self._arrive, asked))
        except (OSError, SnmpError) as error:
            self._arrive(asked, error)
        return True

    def _arrive(self, asked: _Asked, outcome: object) -> None:
        """Note what has come, and let it be worked off together with what comes just behind it."""
        if not self._arrived:
            asyncio.get_running_loop().call_later(GATHER_S, self._wake)
        self._arrived.append((asked, outcome))

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _next_arrived(self) -> list[tuple[_Asked, object]]:
        """Wait until something has come, or a patience has ended; return what there is, which may be nothing."""
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        expiry = loop.call_at(next(iter(self._waiting)).ends_at, self._expire)
        try:
            await self._woken
        finally:
            expiry.cancel()
        arrived, self._arrived = self._arrived, []
        return arrived

    def _expire(self) -> None:
        """End the patience with all whose time has come."""
        now = asyncio.get_running_loop().time()
        late = [asked for asked in self._waiting if asked.ends_at <= now]
        for asked in late:
            asked.agent.expire()
        self._wake()
