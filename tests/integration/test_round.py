"""Rounds over agents that answered before: what they ask, whom they give up, and that nothing is lost on the way to asking with care."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.edge.database.store import Store
from app.edge.snmp.agent import Agent
from app.edge.snmp.ports import PORT_COLUMNS, SYS_UPTIME
from app.edge.snmp.round import Faltered, Round
from app.workflows.poll import Pace
from lab.virtual.simulation import free_port
from tests.integration.played_snmp import (
    GET,
    GET_BULK,
    NO_SUCH_INSTANCE,
    RESPONSE,
    PlayedAgent,
    message,
    number,
    played,
    port_rows,
    system_rows,
)
from tests.integration.test_poll import Network, network, poller
from tests.integration.test_snmp import READERS, USER, Snmpd

NOW = datetime(2008, 6, 1, tzinfo=UTC)
PATIENCE_S = 60.0
PATIENT = Pace(patience_s=(PATIENCE_S,), look_patience_s=(PATIENCE_S,), at_once_s=0.01)


def clock() -> datetime:
    return NOW


@asynccontextmanager
async def askers(*played_agents: PlayedAgent) -> AsyncIterator[list[Agent]]:
    """Yield askers that have read `eth1` of these agents once, with care."""
    async with AsyncExitStack() as stack:
        found = []
        for place, agent in enumerate(played_agents):
            asker = Agent(await stack.enter_async_context(played(agent, f"unit{place:02}")), READERS)
            stack.callback(asker.close)
            assert (await asker.read_ports(("eth1",), {}, clock, (PATIENCE_S,))).answer == "answered"
            found.append(asker)
        yield found


async def asked(agents: Sequence[Agent], patience_s: float = PATIENCE_S, at_once: int = 400) -> dict[str, object]:
    """Return what one round over these agents said of each."""
    found: dict[str, object] = {}
    async with aclosing(Round([(agent, agent.known_questions()) for agent in agents], patience_s, at_once).answers()) as answers:
        async for agent, answer in answers:
            assert agent.target.device not in found, "each is told once"
            found[agent.target.device] = answer
    return found


def port_agent(**changed: bytes) -> PlayedAgent:
    return PlayedAgent(system_rows() | port_rows(1, "eth1", **changed))


async def test_a_round_asks_each_agent_what_it_answered_before_and_reads_the_same() -> None:
    agents = [port_agent() for _ in range(3)]
    async with askers(*agents) as found:
        careful = [await asker.read_ports(("eth1",), {"eth1": 1}, clock, (PATIENCE_S,)) for asker in found]
        before = [len(agent.questions) for agent in agents]
        said = await asked(found)
        again = [asker.read_again(said[asker.target.device], clock) for asker in found]  # type: ignore[arg-type]  # no Faltered is among them
    assert again == careful
    for agent, count in zip(agents, before, strict=True):
        assert agent.questions[count:] == [(GET, agent.questions[count - 1][1])]


@pytest.mark.parametrize("at_once", [1, 2, 400])
async def test_however_many_at_once_nobody_is_left_out_or_asked_twice(at_once: int) -> None:
    agents = [port_agent() for _ in range(7)]
    async with askers(*agents) as found:
        before = [len(agent.questions) for agent in agents]
        said = await asked(found, at_once=at_once)
    assert sorted(said) == [f"unit{place:02}" for place in range(7)]
    assert [len(agent.questions) - count for agent, count in zip(agents, before, strict=True)] == [1] * 7


async def test_never_are_more_asked_at_once_than_is_allowed() -> None:
    waiting, most = set[int](), [0]

    def note(place: int) -> Callable[[int, int, bytes, list[str], list[bytes]], list[bytes]]:
        def mischief(_count: int, _kind: int, _request: bytes, _oids: list[str], replies: list[bytes]) -> list[bytes]:
            waiting.add(place)
            most[0] = max(most[0], len(waiting))
            return replies

        return mischief

    agents = [port_agent() for _ in range(9)]
    async with askers(*agents) as found:
        for place, agent in enumerate(agents):
            agent.mischief = note(place)
        async with aclosing(Round([(asker, asker.known_questions()) for asker in found], PATIENCE_S, 2).answers()) as answers:
            async for asker, _ in answers:
                waiting.discard(int(asker.target.device.removeprefix("unit")))
    assert most == [2]


async def test_questions_in_pieces_are_put_one_after_the_other_and_answered_whole() -> None:
    agent = PlayedAgent(system_rows())
    names = tuple(f"eth{place}" for place in range(1, 13))
    for place, name in enumerate(names, 1):
        agent.rows |= port_rows(place, name)
    async with played(agent) as target:
        asker = Agent(target, READERS)
        careful = await asker.read_ports(names, {}, clock, (PATIENCE_S,))
        assert len(asker.known_questions()) == 4
        before = len(agent.questions)
        said = await asked([asker])
        assert len(agent.questions) - before == 4
        assert all(SYS_UPTIME in oids for _, oids in agent.questions[before:])
        answer = said["county01"]
        assert not isinstance(answer, Faltered)
        assert asker.read_again(answer, clock) == careful  # type: ignore[arg-type]  # as above
        asker.close()


async def test_who_is_silent_falters_by_time_and_the_others_do_not_wait_for_it() -> None:
    agents = [port_agent() for _ in range(3)]
    async with askers(*agents) as found:
        agents[1].mischief = lambda *_: []
        async with aclosing(Round([(asker, asker.known_questions()) for asker in found], PATIENCE_S, 400).answers()) as answers:
            first = {(await anext(answers))[0].target.device for _ in range(2)}
        silent = (await asked([found[1]], patience_s=0.2))["unit01"]
    assert first == {"unit00", "unit02"}
    assert isinstance(silent, Faltered)
    assert silent.timed_out


async def test_noise_before_the_answer_is_read_over() -> None:
    agent = port_agent()
    async with askers(agent) as found:
        agent.mischief = lambda _count, _kind, _request, _oids, replies: [b"\x30\x82\x01noise", *replies]
        said = await asked(found)
    assert isinstance(said["unit00"], dict)


async def test_an_error_status_falters_at_once_and_not_by_time() -> None:
    agent = port_agent()
    async with askers(agent) as found:
        agent.mischief = lambda _count, _kind, request, _oids, _replies: [message(RESPONSE, request, [], status=5)]
        said = await asked(found)
    refused = said["unit00"]
    assert isinstance(refused, Faltered)
    assert not refused.timed_out


async def test_a_round_that_is_broken_off_waits_for_nobody_and_its_agents_can_be_asked_again() -> None:
    agents = [port_agent() for _ in range(4)]
    async with askers(*agents) as found:
        agents[3].mischief = lambda *_: []
        answers = Round([(asker, asker.known_questions()) for asker in found], PATIENCE_S, 400).answers()
        await anext(answers)
        await answers.aclose()
        agents[3].mischief = lambda _count, _kind, _request, _oids, replies: replies
        for asker in found:
            assert (await asker.read_ports(("eth1",), {"eth1": 1}, clock, (PATIENCE_S,))).answer == "answered"


# --- what is asked again, and what only with care


async def test_an_agent_that_was_never_asked_or_was_closed_has_nothing_to_be_asked_again() -> None:
    agent = port_agent()
    async with askers(agent) as found:
        assert found[0].known_questions()
        found[0].close()
        assert found[0].known_questions() == ()
    assert Agent(found[0].target, READERS).known_questions() == ()


async def test_agents_that_need_care_each_time_are_not_asked_twice_for_it() -> None:
    """Without 64-bit counters, without an interface, with a variable that it answers with an error: care from the start."""
    narrow = port_agent(**{"in": NO_SUCH_INSTANCE, "out": NO_SUCH_INSTANCE})
    broken = f"{PORT_COLUMNS[7]}.1"

    def refuse(_count: int, kind: int, request: bytes, oids: list[str], replies: list[bytes]) -> list[bytes]:
        return [message(RESPONSE, request, [], status=5)] if kind == GET and broken in oids else replies

    async with askers(narrow, PlayedAgent(system_rows()), PlayedAgent(port_agent().rows, refuse)) as found:
        assert [asker.known_questions() for asker in found] == [(), (), ()]


async def test_an_answer_that_lost_its_name_or_its_wide_counters_is_no_reading() -> None:
    agent = port_agent()
    async with askers(agent) as found:
        said = (await asked(found))["unit00"]
        assert isinstance(said, dict)
        assert found[0].read_again(said, clock) is not None
        for column in (0, 5, 6):
            lost: Mapping[str, object] = {oid: value for oid, value in said.items() if oid != f"{PORT_COLUMNS[column]}.1"}
            assert found[0].read_again(lost, clock) is None, column  # type: ignore[arg-type]  # values as they came


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def questions(net: Network, device: str, kind: int) -> int:
    return [asked_kind for asked_kind, _ in net.agents[device].questions].count(kind)


async def test_a_cycle_after_the_first_asks_every_device_once(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf, PATIENT)
        await asker.cycle(net.clock)
        before = {name: net.questions(name) for name in net.agents}
        for octets in (61_000, 121_000):
            net.pass_time(60, octets=octets)
            report = await asker.cycle(net.clock)
            assert {line.state for line in report.lines} == {"up"}
            assert report.rows()[0].up_bps == 8000.0
        assert {name: net.questions(name) - count for name, count in before.items()} == dict.fromkeys(net.agents, 2)
        asker.close()


async def test_interfaces_that_moved_between_two_cycles_are_found_in_the_second(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf, PATIENT)
        await asker.cycle(net.clock)
        net.now += timedelta(seconds=60)
        net.agents["unit01"].rows = system_rows() | port_rows(1, "eth7", oper=number(2)) | port_rows(4, "eth1")
        report = await asker.cycle(net.clock)
        assert questions(net, "unit01", GET_BULK) == 2
        asker.close()
    assert {line.line_id: line.state for line in report.lines}["BZWW-U-0001"] == "up"


async def test_who_falls_silent_is_tried_as_often_as_its_patience_says_and_no_more(shelf: Store) -> None:
    async with network() as net:
        asker = poller(net, shelf, replace(PATIENT, patience_s=(3.0, 0.1, 0.1)))
        await asker.cycle(net.clock)
        net.now += timedelta(seconds=60)
        net.silent.add("unit01")
        before = net.questions("unit01")
        report = await asker.cycle(net.clock)
        assert net.questions("unit01") - before == 3
        asker.close()
    [silent] = [device for device in report.devices if device.device == "unit01"]
    assert silent.answer == "silent"
    assert "in 3 tries" in silent.reason


async def test_a_look_and_a_cycle_never_ask_one_device_at_the_same_time(shelf: Store) -> None:
    """The cycle's question to `city` waits for its answer; the look that comes meanwhile has to wait for its turn."""
    async with network() as net:

        def tick() -> datetime:
            net.now += timedelta(seconds=1)
            return net.now

        asker = poller(net, shelf, PATIENT)
        await asker.cycle(tick)
        held: list[tuple[bytes, object]] = []
        asked_first = asyncio.Event()
        agent, receive = net.agents["city"], net.agents["city"].datagram_received

        def hold(data: bytes, peer: object) -> None:
            held.append((data, peer))
            asked_first.set()

        agent.datagram_received = hold  # type: ignore[method-assign]  # the agent's own, put off
        cycle = asyncio.create_task(asker.cycle(tick))
        await asyncio.wait_for(asked_first.wait(), PATIENCE_S)
        looks = asyncio.create_task(anext(asker.look(["city"], tick)))
        for _ in range(60_000):
            if net.questions("county01") == 4:  # index, cycle, cycle, and now the look: it has begun
                break
            await asyncio.sleep(0.001)
        assert net.questions("county01") == 4
        assert len(held) == 1, "one question at a time"
        agent.datagram_received = receive  # type: ignore[method-assign]
        receive(*held[0])
        await asyncio.gather(cycle, looks)
        asker.close()


async def test_secure_agents_are_asked_in_rounds_too_and_a_restart_is_healed_with_care(
    tmp_path: Path, require_program: Callable[..., None]
) -> None:
    require_program("snmpd")
    real = Snmpd(tmp_path, free_port(socket.SOCK_DGRAM))
    real.start()
    try:
        asker = Agent(real.target, USER)
        first = await asker.read_ports(("lo",), {}, clock, (PATIENCE_S,))
        said = (await asked([asker]))["core-1"]
        assert isinstance(said, dict)
        again = asker.read_again(said, clock)
        assert again is not None
        assert [port.interface for port in again.ports] == ["lo"]
        real.stop()
        real.start()
        assert isinstance((await asked([asker], patience_s=0.5))["core-1"], Faltered)
        assert (await asker.read_ports(("lo",), first.index, clock, (1.0, PATIENCE_S))).answer == "answered"
        asker.close()
    finally:
        real.stop()
