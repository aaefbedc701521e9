"""SNMP against a real snmpd, and against an agent that misbehaves in each way that the wrapper covers."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.edge.snmp.agent import Agent
from app.edge.snmp.ports import IF_NAME, PORT_COLUMNS, SYS_UPTIME, DeviceReading
from app.edge.snmp.session import Community, Target, UsmUser
from app.errors import InputError
from lab.virtual.simulation import free_port
from tests.integration.played_snmp import (
    COUNTER32,
    GET,
    GET_BULK,
    NO_SUCH_INSTANCE,
    NULL,
    OCTETS,
    RESPONSE,
    TICKS,
    PlayedAgent,
    Reply,
    message,
    number,
    played,
    port_rows,
    system_rows,
    tlv,
)

AUTH, PRIV = SecretStr("auth-of-the-test"), SecretStr("priv-of-the-test")
USER = UsmUser("poller", "sha", AUTH, "aes128", PRIV)
READERS = Community(SecretStr("readers"))
#: Seconds for each try: with whom answers; where a first question is lost on purpose; with whom does not answer.
PATIENT, LOSSY, BRIEF = (30.0, 30.0), (0.3, 30.0, 30.0), (0.2, 0.2, 0.3)


def clock() -> datetime:
    return datetime.now(UTC)


def descriptors() -> set[int]:
    """Return the sockets that this process has open."""
    return {int(each.name) for each in Path("/proc/self/fd").iterdir() if each.is_socket()}


def unread_octets(descriptor: int) -> int:
    """Return how much of the datagram that is next waits to be read."""
    return struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))[0]  # type: ignore[no-any-return]


async def read(
    agent: PlayedAgent, *interfaces: str, index: dict[str, int] | None = None, patience: tuple[float, ...] = PATIENT
) -> DeviceReading:
    async with played(agent) as target:
        return await Agent(target, READERS).read_ports(interfaces, index or {}, clock, patience)


# --- what is read


async def test_every_variable_of_a_port_is_read() -> None:
    reading = await read(PlayedAgent(system_rows() | port_rows(7, "eth1")), "eth1")
    assert (reading.answer, reading.sys_name, reading.uptime_ticks, reading.index) == ("answered", "county01", 4200, {"eth1": 7})
    [port] = reading.ports
    assert (port.device, port.interface, port.oper_up, port.admin_up, port.speed_mbps) == ("county01", "eth1", True, True, 10)
    assert (port.alias, port.in_octets, port.out_octets, port.counter_bits) == ("L:BZWW-A-0001", 2**40, 2**41, 64)
    assert (port.in_errors, port.out_errors, port.uptime_ticks, port.discontinuity) == (3, 4, 4200, 0)


async def test_nul_characters_never_leave_the_reader() -> None:
    """PostgreSQL refuses them, and one such device would cost everybody the cycle."""
    agent = PlayedAgent(system_rows() | port_rows(7, "eth1", alias=tlv(OCTETS, b"L:BZ\0WW\0\0")))
    [port] = (await read(agent, "eth1")).ports
    assert port.alias == "L:BZ\ufffdWW"


@pytest.mark.parametrize(("status", "up"), [(1, True), (2, False), (3, False), (4, None), (5, False), (6, False), (7, False)])
async def test_only_ifoperstatus_up_is_up_and_unknown_stays_unknown(status: int, up: bool | None) -> None:
    reading = await read(PlayedAgent(system_rows() | port_rows(1, "eth1", oper=number(status))), "eth1")
    assert reading.ports[0].oper_up is up


async def test_an_agent_without_64_bit_counters_is_read_by_its_32_bit_ones() -> None:
    rows = system_rows() | port_rows(1, "eth1", **{"in": NO_SUCH_INSTANCE, "out": NO_SUCH_INSTANCE})
    rows |= {"1.3.6.1.2.1.2.2.1.10.1": number(2**32 - 1, COUNTER32), "1.3.6.1.2.1.2.2.1.16.1": number(5, COUNTER32)}
    [port] = (await read(PlayedAgent(rows), "eth1")).ports
    assert (port.in_octets, port.out_octets, port.counter_bits) == (2**32 - 1, 5, 32)


async def test_variables_that_the_agent_lacks_are_none_and_the_others_stand() -> None:
    rows = system_rows() | port_rows(1, "eth1", alias=NO_SUCH_INSTANCE, speed=NO_SUCH_INSTANCE, in_errors=NO_SUCH_INSTANCE)
    [port] = (await read(PlayedAgent(rows), "eth1")).ports
    assert (port.alias, port.speed_mbps, port.in_errors) == (None, None, None)
    assert (port.oper_up, port.out_errors) == (True, 4)


async def test_an_interface_that_the_device_lacks_is_named_as_missing() -> None:
    reading = await read(PlayedAgent(system_rows() | port_rows(1, "eth1")), "eth1", "eth9")
    assert (reading.answer, reading.missing) == ("answered", ("eth9",))
    assert [port.interface for port in reading.ports] == ["eth1"]


async def test_a_known_index_is_used_without_a_walk() -> None:
    agent = PlayedAgent(system_rows() | port_rows(7, "eth1"))
    assert (await read(agent, "eth1", index={"eth1": 7})).ports[0].interface == "eth1"
    assert [kind for kind, _ in agent.questions] == [GET]


async def test_an_index_that_moved_is_found_again_and_no_other_ports_counters_are_taken() -> None:
    rows = system_rows() | port_rows(7, "eth2", oper=number(2)) | port_rows(9, "eth1")
    reading = await read(PlayedAgent(rows), "eth1", index={"eth1": 7})
    assert reading.index == {"eth1": 9}
    assert reading.ports[0].oper_up is True


# --- mischief


def only_first(replies_to_it: Callable[[bytes, Reply], Reply]) -> Callable[[int, int, bytes, list[str], Reply], Reply]:
    def mischief(count: int, kind: int, request: bytes, oids: list[str], replies: Reply) -> Reply:
        return replies_to_it(request, replies) if count == 1 else replies

    return mischief


async def test_a_lost_question_is_asked_again() -> None:
    agent = PlayedAgent(system_rows() | port_rows(1, "eth1"), only_first(lambda _request, _replies: []))
    assert (await read(agent, "eth1", index={"eth1": 1}, patience=LOSSY)).answer == "answered"
    assert len(agent.questions) == 2


async def test_an_undecodable_datagram_is_read_over_and_the_answer_behind_it_taken() -> None:
    noise = b"\x30\x82\x01noise"
    agent = PlayedAgent(system_rows() | port_rows(1, "eth1"), lambda _n, _kind, _request, _oids, replies: [noise, *replies])
    assert (await read(agent, "eth1")).answer == "answered"
    assert len(agent.questions) == 2, "one walk and one GET, none of them twice"


async def test_answers_to_other_questions_do_not_prolong_the_wait() -> None:
    stray = message(RESPONSE, b"\x01", [(SYS_UPTIME, number(1, TICKS))])

    chatting: list[asyncio.Task[None]] = []

    async def chat(peer: object) -> None:
        while True:
            agent.transport.sendto(stray, peer)
            await asyncio.sleep(min(BRIEF) / 4)

    class Chatterer(PlayedAgent):
        """Sends what nobody asked for, several times while one question is waited for, and never ends."""

        def datagram_received(self, data: bytes, peer: Any) -> None:
            chatting.append(asyncio.create_task(chat(peer)))

    agent = Chatterer(system_rows())
    reading = await asyncio.wait_for(read(agent, "eth1", index={"eth1": 1}, patience=BRIEF), 60)
    assert reading.answer == "silent"
    assert len(chatting) == len(BRIEF)
    for task in chatting:
        task.cancel()


async def test_replies_that_come_twice_or_late_are_dropped_before_the_next_question() -> None:
    """A session listens between its questions too: what nobody waits for must neither be taken for an answer nor keep the loop busy."""
    agent = PlayedAgent(system_rows() | port_rows(1, "eth1"), lambda _n, _kind, _request, _oids, replies: [*replies, *replies, b"noise"])
    async with played(agent) as target:
        asker, before = Agent(target, READERS), descriptors()
        for asked in (1, 2, 3):
            assert (await asker.read_ports(("eth1",), {"eth1": 1}, clock, PATIENT)).answer == "answered"
            assert len(agent.questions) == asked
            [session] = descriptors() - before
            async with asyncio.timeout(60):
                while unread_octets(session):  # noqa: ASYNC110  # a socket tells nobody that it was read
                    await asyncio.sleep(0.01)
        asker.close()


async def test_a_session_that_was_closed_leaves_the_loop_and_its_descriptor() -> None:
    """The next session may be given the same descriptor; whoever listened there before must be gone."""
    agent = PlayedAgent(system_rows() | port_rows(1, "eth1"))
    async with played(agent) as target:
        gc.collect()  # what tests before this one forgot is not looked for here
        before = descriptors()
        askers = [Agent(target, READERS) for _ in range(3)]
        for _ in range(3):
            for asker in askers:
                assert (await asker.read_ports(("eth1",), {"eth1": 1}, clock, PATIENT)).answer == "answered"
                asker.close()
        assert descriptors() == before


async def test_an_agent_that_sends_only_noise_is_faulty_and_not_silent() -> None:
    agent = PlayedAgent(system_rows(), lambda _n, _kind, _request, _oids, _replies: [b"\x30\x05noise"])
    reading = await read(agent, "eth1", index={"eth1": 1}, patience=BRIEF)
    assert reading.answer == "faulty"
    assert "cannot be decoded" in reading.reason


async def test_an_error_status_on_one_variable_costs_only_that_variable() -> None:
    broken = f"{PORT_COLUMNS[7]}.1"

    def refuse(_count: int, kind: int, request: bytes, oids: list[str], replies: Reply) -> Reply:
        if kind == GET and broken in oids:
            return [message(RESPONSE, request, [(oid, tlv(NULL, b"")) for oid in oids], status=5, at=oids.index(broken) + 1)]
        return replies

    [port] = (await read(PlayedAgent(system_rows() | port_rows(1, "eth1"), refuse), "eth1")).ports
    assert (port.in_errors, port.out_errors, port.oper_up, port.in_octets) == (None, 4, True, 2**40)


@pytest.mark.parametrize(
    ("status", "answer", "words"), [(5, "faulty", "not even sysUpTime"), (16, "wrong_key", "refuses the community")]
)
async def test_an_agent_that_answers_everything_with_an_error_is_given_up_after_two_questions(status: int, answer: str, words: str) -> None:
    def refuse(_count: int, _kind: int, request: bytes, _oids: list[str], _replies: Reply) -> Reply:
        return [message(RESPONSE, request, [], status=status)]

    agent = PlayedAgent({}, refuse)
    reading = await read(agent, "eth1", index={"eth1": 1})
    assert reading.answer == answer
    assert words in reading.reason
    assert len(agent.questions) == 2


@pytest.mark.parametrize("bearable", [1, 5, 12])
async def test_a_reply_that_is_too_big_for_the_agent_is_asked_for_in_smaller_pieces(bearable: int) -> None:
    def too_big(_count: int, kind: int, request: bytes, oids: list[str], replies: Reply) -> Reply:
        return [message(RESPONSE, request, [], status=1)] if kind == GET and len(oids) > bearable + 1 else replies

    agent = PlayedAgent(system_rows() | port_rows(1, "eth1") | port_rows(2, "eth2"), too_big)
    async with played(agent) as target:
        asker = Agent(target, READERS)
        first = await asker.read_ports(("eth1", "eth2"), {}, clock, PATIENT)
        before = len(agent.questions)
        second = await asker.read_ports(("eth1", "eth2"), first.index, clock, PATIENT)
    assert [port.out_errors for port in first.ports] == [port.out_errors for port in second.ports] == [4, 4]
    refused = [oids for kind, oids in agent.questions[before:] if kind == GET and len(oids) > bearable + 1]
    assert refused == [], "what it can bear is remembered"


async def test_a_reply_above_four_kilobytes_is_asked_for_in_smaller_pieces() -> None:
    long = tlv(OCTETS, b"L:BZWW-A-0001 " + b"x" * 1900)
    rows = system_rows()
    for index in range(1, 4):
        rows |= port_rows(index, f"eth{index}", alias=long)
    reading = await read(PlayedAgent(rows), "eth1", "eth2", "eth3", patience=LOSSY)
    assert [len(port.alias or "") for port in reading.ports] == [1914] * 3


async def test_a_walk_over_a_looping_agent_ends() -> None:
    def loop(_count: int, kind: int, request: bytes, _oids: list[str], replies: Reply) -> Reply:
        if kind != GET_BULK:
            return replies
        return [message(RESPONSE, request, [(f"{IF_NAME}.{index}", tlv(OCTETS, b"eth1")) for index in (1, 2, 1)])]

    agent = PlayedAgent(system_rows() | port_rows(1, "eth1"), loop)
    reading = await read(agent, "eth9")
    assert (reading.answer, reading.missing) == ("answered", ("eth9",))
    assert len(agent.questions) == 2, "one step of the walk and one GET"


async def test_a_long_table_is_walked_to_its_end() -> None:
    rows = system_rows()
    for index in range(1, 61):
        rows[f"{IF_NAME}.{index}"] = tlv(OCTETS, f"Vlanif{index}".encode())
    rows |= port_rows(400, "GigabitEthernet0/0/1")
    assert (await read(PlayedAgent(rows), "GigabitEthernet0/0/1")).index == {"GigabitEthernet0/0/1": 400}


async def test_a_lost_reply_in_a_walk_loses_no_row() -> None:
    rows = system_rows()
    for index in range(1, 61):
        rows |= {f"{IF_NAME}.{index}": tlv(OCTETS, f"Vlanif{index}".encode())}

    def lose_second(count: int, _kind: int, _request: bytes, _oids: list[str], replies: Reply) -> Reply:
        return [] if count == 2 else replies

    assert (await read(PlayedAgent(rows, lose_second), "Vlanif30", "Vlanif60", patience=LOSSY)).index == {"Vlanif30": 30, "Vlanif60": 60}


async def test_nobody_at_the_address_is_silent_with_address_and_tries_in_the_reason() -> None:
    nobody = Target("county01", "127.0.0.1", free_port(socket.SOCK_DGRAM))
    reading = await Agent(nobody, READERS).read_ports(("eth1",), {}, clock, (0.1, 0.1))
    assert (reading.answer, reading.ports) == ("silent", ())
    assert "127.0.0.1 in 2 tries" in reading.reason


# --- a real agent


@dataclass
class Snmpd:
    """A net-snmp agent of our own on loopback, with its own configuration and state."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> Target:
        return Target("core-1", "127.0.0.1", self.port)

    def start(self) -> None:
        conf, auth, priv = self.folder / "snmpd.conf", AUTH.get_secret_value(), PRIV.get_secret_value()
        conf.write_text(
            f"agentAddress udp:127.0.0.1:{self.port}\nsysName core-1\nrocommunity readers 127.0.0.1\n"
            f'createUser poller SHA "{auth}" AES "{priv}"\nrouser poller authpriv\n'
            f'createUser poller256 SHA-256 "{auth}" AES "{priv}"\nrouser poller256 authpriv\n'
        )
        self.process = subprocess.Popen(
            ["snmpd", "-f", "-C", "-c", str(conf), "-Ln"],
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(self.folder / "state"), "MIBS": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def _wait(self) -> None:
        question = message(GET, b"\x01", [(SYS_UPTIME, tlv(NULL, b""))])
        deadline = time.monotonic() + 60
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            while time.monotonic() < deadline:
                probe.sendto(question, ("127.0.0.1", self.port))
                try:
                    probe.recv(2000)
                except (TimeoutError, ConnectionRefusedError):
                    continue
                return
        raise AssertionError("snmpd did not answer in 60 s")


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory, require_program: Callable[..., None]) -> Iterator[Snmpd]:
    require_program("snmpd")
    agent = Snmpd(tmp_path_factory.mktemp("snmpd"), free_port(socket.SOCK_DGRAM))
    agent.start()
    yield agent
    agent.stop()


@pytest.mark.parametrize("credentials", [READERS, USER, UsmUser("poller256", "sha256", AUTH, "aes128", PRIV)])
async def test_a_real_snmpd_is_read_in_each_version(snmpd: Snmpd, credentials: Community | UsmUser) -> None:
    reading = await Agent(snmpd.target, credentials).read_ports(("lo", "eth99"), {}, clock, PATIENT)
    assert (reading.answer, reading.sys_name, reading.missing) == ("answered", "core-1", ("eth99",))
    [port] = reading.ports
    assert (port.interface, port.oper_up, port.admin_up, port.counter_bits) == ("lo", True, True, 64)
    assert port.in_octets is not None
    assert port.uptime_ticks is not None


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (UsmUser("poller", "sha", SecretStr("another-auth"), "aes128", PRIV), "refuses the SNMPv3 user or its authentication key"),
        (UsmUser("nobody", "sha", AUTH, "aes128", PRIV), "refuses the SNMPv3 user"),
        (UsmUser("poller", "sha256", AUTH, "aes128", PRIV), "refuses the SNMPv3 user"),
        (UsmUser("poller", "sha", AUTH, "aes128", SecretStr("another-priv")), "wrong privacy key"),
    ],
)
async def test_a_wrong_key_is_told_apart_from_silence_and_never_shown(snmpd: Snmpd, credentials: UsmUser, words: str) -> None:
    # Another privacy key is told by silence after the engine's id: the first try only spends time, the last one has to see both.
    silent = credentials.priv_password is not PRIV
    reading = await Agent(snmpd.target, credentials).read_ports(("lo",), {}, clock, (0.2, 5.0) if silent else PATIENT)
    assert reading.answer == "wrong_key"
    assert words in reading.reason
    assert "another" not in reading.reason + repr(credentials)


async def test_an_unknown_algorithm_is_an_input_error_that_lists_the_known_ones(snmpd: Snmpd) -> None:
    with pytest.raises(InputError, match=r"management.snmp_auth: expected one of md5, sha, sha1, sha256; found sm3"):
        await Agent(snmpd.target, UsmUser("poller", "sm3", AUTH, "aes128", PRIV)).read_ports(("lo",), {}, clock)


async def test_a_session_outlives_a_restart_of_the_agent(tmp_path: Path, require_program: Callable[..., None]) -> None:
    require_program("snmpd")
    real = Snmpd(tmp_path, free_port(socket.SOCK_DGRAM))
    real.start()
    try:
        asker = Agent(real.target, USER)
        before = await asker.read_ports(("lo",), {}, clock, PATIENT)
        real.stop()
        assert (await asker.read_ports(("lo",), before.index, clock, (0.2,))).answer == "silent"
        real.start()
        away = await asker.read_ports(("lo",), before.index, clock, (0.5, 30.0))
        real.stop()
        real.start()
        unnoticed = await asker.read_ports(("lo",), before.index, clock, (0.5, 30.0))
    finally:
        real.stop()
    assert [reading.answer for reading in (before, away, unnoticed)] == ["answered"] * 3


# --- descriptors

LIMIT = """
import resource
from app.edge.snmp.session import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
print(raise_descriptor_limit({wanted}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def run_with_limit(hard: int, wanted: int) -> str:
    script = LIMIT.format(hard=hard, wanted=wanted)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_descriptor_limit_is_raised_to_what_the_fleet_needs() -> None:
    assert run_with_limit(4096, 3000).split() == ["None", "3000"]


def test_a_descriptor_limit_that_cannot_be_raised_is_said_with_both_numbers() -> None:
    said = run_with_limit(4096, 2**40)
    assert "expected a limit of 1099511627776; found 4096" in said
