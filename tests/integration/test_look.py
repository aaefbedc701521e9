"""Looks between poll cycles: what they decide, what they leave to a full cycle, and that no older reading undoes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from app.edge.database.store import Store
from app.edge.traps.receiver import Notification
from app.errors import StoreError, UnsafeRoute
from app.workflows.notifications import Desk, PendingLooks, look_forever
from app.workflows.poll import Poller
from app.workflows.poll_report import CycleReport, LookReport
from app.workflows.schedule import HURRY_PAUSE_S, poll_forever
from tests.integration.played_snmp import number, port_rows
from tests.integration.test_poll import ADDRESSES, BRISK, Network, community, intents, network, poller, until, workspace
from tests.samples.virtual_time import virtual_time

AGG, UNIT = "BZWW-A-0001", "BZWW-U-0001"
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def shut(net: Network, device: str, index: int, name: str, line: str) -> None:
    """Let a port of a played device go down, its counters as they were."""
    key = f"1.3.6.1.2.1.2.2.1.8.{index}"
    assert key in net.agents[device].rows
    net.agents[device].rows[key] = port_rows(index, name, oper=number(2))[key]


async def looked(asker: Poller, net: Network, *devices: str) -> list[LookReport]:
    net.now += timedelta(seconds=1)
    return [report async for report in asker.look(devices, net.clock)]


def states(store: Store) -> dict[str, str]:
    return {line_id: status.sample.state for line_id, status in store.latest().items()}


async def test_a_port_that_is_down_is_recorded_by_a_look_and_counts_as_no_cycle(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf)
        await asker.cycle(net.clock)
        cycle = shelf.last_cycle()
        shut(net, "city", 1, "eth1", AGG)
        [report] = await looked(asker, net, "city")
    assert [(change.line_id, change.before, change.after) for change in report.transitions] == [(AGG, "up", "down")]
    assert states(shelf) == {AGG: "down", UNIT: "up"}
    assert shelf.last_cycle() == cycle
    assert not report.unsettled


async def test_a_look_asks_the_devices_and_their_far_ends_and_nobody_else(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf)
        await asker.cycle(net.clock)
        before = {name: net.questions(name) for name in ADDRESSES}
        [report] = await looked(asker, net, "city")
        assert {name for name in ADDRESSES if net.questions(name) > before[name]} == {"city", "county01"}
    assert [sample.line_id for sample in report.lines] == [AGG]
    assert report.transitions == ()


async def test_a_port_seen_down_is_written_before_the_silent_far_end_had_its_time(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf, replace(BRISK, look_patience_s=(8.0,), at_once_s=0.1))
        await asker.cycle(net.clock)
        shut(net, "city", 1, "eth1", AGG)
        net.silent |= {"county01", "unit01"}
        net.now += timedelta(seconds=1)
        reports, written = list[LookReport](), list[str]()
        async for report in asker.look(["city"], net.clock):
            reports.append(report)
            written.append(states(shelf)[AGG])
    assert [[change.after for change in report.transitions] for report in reports] == [["down"], []], "apart, one before the other"
    assert written == ["down", "down"]
    assert [report.unsettled for report in reports] == [False, True], "who fell silent is left to a full cycle"


async def test_who_does_not_answer_a_look_makes_no_line_unreachable(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf)
        await asker.cycle(net.clock)
        net.silent |= {"county01", "unit01"}
        reports = await looked(asker, net, "city")
    assert [report.lines for report in reports] == [(), ()]
    assert states(shelf) == {AGG: "up", UNIT: "up"}
    assert shelf.device_states()["county01"].answer == "answered"
    assert reports[-1].unsettled


async def test_who_was_silent_and_answers_again_calls_for_a_full_cycle(shelf: Store) -> None:
    async with network() as net:
        net.silent |= {"county01", "unit01"}
        asker = poller(net, shelf)
        await asker.cycle(net.clock)
        still = await looked(asker, net, "city")
        net.silent.clear()
        [back] = await looked(asker, net, "city")
    assert not any(report.unsettled for report in still), "it is known already"
    assert back.unsettled
    assert states(shelf) == {AGG: "up", UNIT: "unreachable"}


async def test_before_the_first_cycle_a_look_asks_nobody_and_calls_for_one(shelf: Store) -> None:
    async with network() as net:
        [report] = await looked(poller(net, shelf), net, "city")
        assert net.questions("city") == 0
    assert report.unsettled
    assert states(shelf) == {}


async def test_a_device_that_nobody_knows_is_not_looked_at(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf)
        await asker.cycle(net.clock)
        assert await looked(asker, net, "stranger") == []


async def test_an_address_that_may_not_be_contacted_stops_a_look_too(shelf: Store) -> None:
    async with network() as net:
        allowed = [True]

        def guard(addresses: object, *, illustration: bool) -> None:
            if not allowed[0]:
                raise UnsafeRoute("198.18.0.1", "contact", expected="e", found="f", next_step="n")

        asker = Poller(workspace(), intents(), shelf, community, net.endpoint, pace=BRISK, guard=guard)
        await asker.cycle(net.clock)
        before, allowed[0] = net.questions("city"), False
        with pytest.raises(UnsafeRoute):
            await looked(asker, net, "city")
        assert net.questions("city") == before


async def test_a_cycle_under_way_does_not_undo_what_a_look_saw_after_it_had_asked(shelf: Store) -> None:
    """The cycle asks the city, then waits for a silent unit; meanwhile the line falls and a look records it."""
    async with network() as net:
        asker = poller(net, shelf, replace(BRISK, patience_s=(8.0, 60.0)))

        def clock() -> datetime:
            net.now += timedelta(seconds=1)  # no two answers come at one moment
            return net.now

        await asker.cycle(clock)
        net.silent.add("unit01")
        before = {name: net.questions(name) for name in ADDRESSES}
        cycle = asyncio.create_task(asker.cycle(clock))
        await until(lambda: all(net.questions(name) > asked for name, asked in before.items()))
        shut(net, "city", 1, "eth1", AGG)
        [report] = [report async for report in asker.look(["city"], clock)]
        assert [change.after for change in report.transitions] == ["down"]
        assert not cycle.done()
        net.silent.clear()  # it answers when it is asked again
        seen = await cycle
    assert {sample.line_id: sample.state for sample in seen.lines}[AGG] == "down"
    assert [(change.before, change.after) for change in shelf.transitions(AGG)] == [("unknown", "up"), ("up", "down")]


async def test_a_look_does_not_wait_for_a_cycle_that_waits_for_the_silent(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf, replace(BRISK, patience_s=(3600.0,), look_patience_s=(0.2,)))
        await asker.cycle(net.clock)
        net.silent.add("county01")
        before = net.questions("county01")
        cycle = asyncio.create_task(asker.cycle(net.clock))
        await until(lambda: net.questions("county01") > before)
        await asyncio.wait_for(looked(asker, net, "city"), 60)
        assert not cycle.done()
        cycle.cancel()
        with suppress(asyncio.CancelledError):
            await cycle


async def test_rates_of_a_look_reach_back_to_the_last_cycle(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf)
        await asker.cycle(net.clock)
        net.pass_time(60, octets=61_000)
        [first] = [report async for report in asker.look(["city"], net.clock)]
        net.pass_time(60, octets=121_000)
        cycle = await asker.cycle(net.clock)
    assert first.lines[0].a is not None
    assert first.lines[0].a.in_bps == 8000.0
    assert cycle.rows()[0].up_bps == 8000.0


# --- the loop


class Doubled:
    """A poller whose looks are scripted: reports, or an error to raise."""

    def __init__(self, *looks: LookReport | StoreError) -> None:
        self.looks, self.asked = list(looks), list[set[str]]()
        self.told = asyncio.Event()

    async def look(self, devices: Sequence[str], clock: Callable[[], datetime]) -> object:
        self.asked.append(set(devices))
        self.told.set()
        step = self.looks.pop(0) if self.looks else LookReport(clock(), (), (), False)
        if isinstance(step, StoreError):
            raise step
        yield step


def desk(pending: PendingLooks, clock_s: Callable[[], float] | None = None) -> Desk:
    clock_s = clock_s or asyncio.get_running_loop().time
    return Desk({IPv4Address("198.18.0.1"): "city"}, lambda _: None, pending, asyncio.Event(), clock_s)


async def test_a_notification_wakes_the_loop_and_what_is_unsettled_brings_a_cycle_forward() -> None:
    now = datetime(2008, 6, 1, tzinfo=UTC)
    double, begun_at = Doubled(LookReport(now, (), (), True)), 100.0
    at = desk(PendingLooks(again_s=()), lambda: begun_at + 3 * len(double.asked))
    stop, hurry, delays = asyncio.Event(), asyncio.Event(), list[float]()
    loop = asyncio.create_task(look_forever(double, at, lambda: now, stop, hurry, lambda _, delay: delays.append(delay)))  # type: ignore[arg-type]  # only look() is used
    await asyncio.sleep(0.05)
    assert double.asked == []
    assert at.accept(Notification(IPv4Address("198.18.0.1"), LINK_DOWN, None)) == "accepted"
    await asyncio.wait_for(double.told.wait(), 60)
    await asyncio.wait_for(hurry.wait(), 60)
    stop.set()
    await asyncio.wait_for(loop, 60)
    assert double.asked == [{"city"}]
    assert delays == [3.0], "from the notification until it was recorded"


async def test_a_look_that_fails_is_told_and_the_next_notification_is_served() -> None:
    now = datetime(2008, 6, 1, tzinfo=UTC)
    double, at, told = Doubled(StoreError("disk full")), desk(PendingLooks(pause_s=0.0, again_s=())), list[Exception]()
    stop = asyncio.Event()
    loop = asyncio.create_task(look_forever(double, at, lambda: now, stop, asyncio.Event(), report_failure=told.append))  # type: ignore[arg-type]  # as above
    for _ in range(2):
        double.told.clear()
        at.accept(Notification(IPv4Address("198.18.0.1"), LINK_DOWN, None))
        await asyncio.wait_for(double.told.wait(), 60)
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(loop, 60)
    assert (len(double.asked), [str(error) for error in told]) == (2, ["disk full"])


def test_a_cycle_is_brought_forward_and_never_two_within_the_pause() -> None:
    async def starts() -> list[float]:
        stop, hurry, found = asyncio.Event(), asyncio.Event(), list[float]()

        class Quick:
            async def cycle(self, clock: Callable[[], datetime]) -> CycleReport:
                found.append(asyncio.get_running_loop().time())
                if len(found) == 3:
                    stop.set()
                return CycleReport(clock(), clock(), (), (), (), ())

        quick: Any = Quick()  # only cycle() is used
        polling = asyncio.create_task(poll_forever(quick, 3600.0, lambda: datetime(2008, 6, 1, tzinfo=UTC), stop, hurry=hurry))
        while not polling.done():
            hurry.set()
            await asyncio.sleep(0.02)
        await polling
        return found

    with asyncio.Runner(loop_factory=virtual_time) as runner:
        assert runner.run(starts()) == pytest.approx([0.0, HURRY_PAUSE_S, 2 * HURRY_PAUSE_S])
