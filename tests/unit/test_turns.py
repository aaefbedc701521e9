"""Turns: one asker at a time, and nobody is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from app.workflows.turns import Turn


def test_a_turn_is_had_by_one_at_a_time() -> None:
    turn = Turn()
    assert turn.take_if_free()
    assert not turn.take_if_free()
    turn.give_back()
    assert turn.take_if_free()


async def test_who_waits_has_the_turn_once_it_is_given_back_one_after_the_other() -> None:
    turn, having, most, done = Turn(), 0, 0, []

    async def ask(number: int) -> None:
        nonlocal having, most
        await turn.take()
        having += 1
        most = max(most, having)
        await asyncio.sleep(0)
        having -= 1
        done.append(number)
        turn.give_back()

    await asyncio.gather(*map(ask, range(20)))
    assert sorted(done) == list(range(20))
    assert most == 1


async def test_who_gave_up_waiting_does_not_keep_the_turn_from_the_others() -> None:
    turn = Turn()
    assert turn.take_if_free()
    impatient = asyncio.create_task(turn.take())
    patient = asyncio.create_task(turn.take())
    await asyncio.sleep(0)
    impatient.cancel()
    turn.give_back()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await patient
    assert not turn.take_if_free()
