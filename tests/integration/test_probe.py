"""Echoes by a real fping on loopback, and its output read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from app.edge.guard import guard_all
from app.edge.probe import PingResult, parse_fping, ping
from app.errors import DeviceError, UnsafeRoute

HERE, THERE = IPv4Address("127.0.0.1"), IPv4Address("127.9.8.7")


def guard(addresses: Sequence[IPv4Address]) -> None:
    guard_all(addresses, illustration=False)


def test_each_lost_echo_is_a_gap_at_its_place() -> None:
    text = "127.0.0.1 : 0.05 - 0.07\n127.0.0.2 : - - -\n"
    assert parse_fping(text) == {
        IPv4Address("127.0.0.1"): PingResult(3, 2, (0.05, None, 0.07)),
        IPv4Address("127.0.0.2"): PingResult(3, 0, (None, None, None)),
    }


def test_loss_and_mean_are_those_of_the_echoes() -> None:
    result = PingResult(4, 3, (1.0, None, 2.0, 3.0))
    assert (result.loss_ratio, result.rtt_mean_ms) == (0.25, 2.0)
    assert PingResult(2, 0, (None, None)).rtt_mean_ms is None


def test_padded_addresses_and_messages_of_routers_are_told_apart() -> None:
    text = (
        "ICMP Host Unreachable from 198.18.0.1 for ICMP Echo sent to 198.18.0.9\n"
        "127.0.0.1   : 0.05\n\n127.0.0.1 : [0], timed out\nname : 0.1\n127.0.0.3 :\n"
    )
    assert parse_fping(text) == {IPv4Address("127.0.0.1"): PingResult(1, 1, (0.05,))}


async def test_every_address_is_pinged_once_by_one_process(require_program: Callable[..., None]) -> None:
    require_program("fping")
    results = await ping([HERE, THERE, HERE], 3, 20, guard=guard)
    assert list(results) == [HERE, THERE]
    assert [(result.sent, result.received, result.loss_ratio) for result in results.values()] == [(3, 3, 0.0)] * 2


async def test_no_addresses_are_no_work() -> None:
    assert await ping([], 3, 20, guard=guard, program="not-there") == {}


async def test_an_unsafe_address_stops_everything_before_the_first_echo(tmp_path: Path) -> None:
    trace = tmp_path / "started"
    program = tmp_path / "fping"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)

    def refuse(addresses: Sequence[IPv4Address]) -> None:
        raise UnsafeRoute(str(addresses[-1]), "contact", expected="a safe route", found="none", next_step="Stay.")

    with pytest.raises(UnsafeRoute):
        await ping([HERE, THERE], 1, 20, guard=refuse, program=str(program))
    assert not trace.exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "No such file or directory. Install Debian's package fping."),
        ("echo 'fping: cannot create raw socket' >&2; exit 4", "cannot create raw socket. Run it as root"),
        ("echo '127.0.0.1 : 0.05' >&2", "no result for 127.9.8.7"),
    ],
)
async def test_an_fping_that_cannot_work_is_told_in_words(tmp_path: Path, script: str | None, words: str) -> None:
    program = tmp_path / "fping"
    if script is not None:
        program.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
        program.chmod(0o755)
    with pytest.raises(DeviceError, match=words):
        await ping([HERE, THERE], 1, 20, guard=guard, program=str(program))
