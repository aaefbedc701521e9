"""The receiver against net-snmp's own clients: who is heard, who is told off, and what a storm costs."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.core.notifications import receiver_engine_id
from app.edge.traps.limits import Limits
from app.edge.traps.receiver import Notification, Receiver, TrapUser
from app.errors import InputError
from tests.integration.played_snmp import OCTETS, number, split, tlv

AUTH, PRIV = "auth-of-the-test", "priv-of-the-test"
USER = TrapUser("poller", "sha", SecretStr(AUTH), "aes128", SecretStr(PRIV))
ENGINE = receiver_engine_id(IPv4Address("127.0.0.1"))
KNOWN, STRANGE = "80001f880401020304", "80001f880409090909"
LINK_DOWN, LINK_UP = ".1.3.6.1.6.3.1.1.5.3", ".1.3.6.1.6.3.1.1.5.4"
V2C = ("-v2c", "-c", "public")


def v3(user: str = "poller", auth: str = AUTH, priv: str = PRIV, level: str = "authPriv", protocol: str = "SHA") -> tuple[str, ...]:
    return ("-v3", "-l", level, "-u", user, "-a", protocol, "-A", auth, "-x", "AES", "-X", priv)


@dataclass
class Ear:
    """A receiver on loopback with what it heard and said."""

    receiver: Receiver
    heard: list[Notification] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    folder: Path = Path()

    def counts(self) -> dict[str, int]:
        return {result: number for result, number in self.receiver.counts.items() if number}

    async def heard_of(self, number: int) -> None:
        """Wait until so many datagrams were counted."""
        async with asyncio.timeout(60):
            while self.receiver.counts.total() < number:  # noqa: ASYNC110  # a plain Counter tells nobody
                await asyncio.sleep(0.001)

    async def sent(self, program: str, *how: str, kind: str = LINK_DOWN, wait_s: int = 30) -> int:
        """Send one notification by a program of net-snmp; return its exit code. `wait_s`: for the answer, briefly where none may come."""
        place = ":".join(map(str, self.receiver.place))
        # sent once: a busy machine's answer is late, not missing
        extra = ("-t", str(wait_s), "-r", "0") if program == "snmpinform" else ()
        environ = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(self.folder), "SNMPCONFPATH": str(self.folder)}
        words = [program, *extra, *how, place, "0", kind, ".1.3.6.1.2.1.2.2.1.1.3", "i", "3"]
        process = await asyncio.create_subprocess_exec(*words, env=environ, stdout=-3, stderr=-3)
        code = await asyncio.wait_for(process.wait(), 60)
        await asyncio.sleep(0.05)
        return code


@pytest.fixture
def listening(tmp_path: Path, require_program: Callable[..., None]) -> Callable[..., object]:
    require_program("snmpinform", "snmptrap")

    @asynccontextmanager
    async def listen(
        community: str | None = None,
        limits: Limits = Limits(),
        user: TrapUser = USER,
        folder: Path = tmp_path,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> AsyncIterator[Ear]:
        heard, said = list[Notification](), list[str]()

        def accept(notification: Notification) -> str:
            heard.append(notification)
            return "accepted"

        secret = None if community is None else SecretStr(community)
        knows = bytes.fromhex(KNOWN).__eq__
        receiver = Receiver(("127.0.0.1", 0), ENGINE, user, secret, knows, accept, said.append, limits=limits, clock_s=clock_s)
        await receiver.start()
        try:
            yield Ear(receiver, heard, said, folder)
        finally:
            receiver.close()
            await asyncio.sleep(0)

    return listen


# --- who is heard


async def test_an_inform_of_an_engine_never_seen_is_taken_and_answered(listening: Callable) -> None:
    async with listening() as ear:
        assert await ear.sent("snmpinform", *v3()) == 0
    assert ear.heard == [Notification(IPv4Address("127.0.0.1"), LINK_DOWN[1:], None)]
    assert (ear.counts(), ear.said) == ({"accepted": 1}, [])


async def test_an_inform_with_sha256_is_taken(listening: Callable) -> None:
    async with listening(user=TrapUser("poller", "sha256", SecretStr(AUTH), "aes128", SecretStr(PRIV))) as ear:
        assert await ear.sent("snmpinform", *v3(protocol="SHA-256")) == 0
    assert ear.counts() == {"accepted": 1}


async def test_a_sender_that_names_our_engine_beforehand_needs_no_question(listening: Callable) -> None:
    async with listening() as ear:
        assert await ear.sent("snmpinform", "-e", f"0x{ENGINE}", *v3(), kind=LINK_UP) == 0
    assert [one.kind for one in ear.heard] == [LINK_UP[1:]]


async def test_a_trap_of_an_engine_that_was_polled_is_taken_and_names_its_sender(listening: Callable) -> None:
    async with listening() as ear:
        await ear.sent("snmptrap", "-e", f"0x{KNOWN}", *v3())
        await ear.sent("snmptrap", "-e", f"0x{KNOWN}", *v3(), kind=LINK_UP)
    assert [(one.kind, one.engine_id) for one in ear.heard] == [
        (LINK_DOWN[1:], bytes.fromhex(KNOWN)),
        (LINK_UP[1:], bytes.fromhex(KNOWN)),
    ]


async def test_under_the_same_engine_each_start_counts_more_boots_or_old_senders_would_never_believe_it(listening: Callable) -> None:
    """A sender holds an engine's boots and time, and takes no older ones (RFC 3414 §2.3)."""
    header = tlv(0x30, number(1) + number(65507) + tlv(OCTETS, b"\x04") + number(3))
    nobody = tlv(0x30, tlv(OCTETS, b"") + number(0) + number(0) + tlv(OCTETS, b"") * 3)
    asked = tlv(0xA0, number(1) + number(0) + number(0) + tlv(0x30, b""))
    discovery = tlv(0x30, number(3) + header + tlv(OCTETS, nobody) + tlv(0x30, tlv(OCTETS, b"") * 2 + asked))
    boots = []
    for _ in range(2):
        async with listening() as ear:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(discovery, ear.receiver.place)
                report = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sender, 4096), 60)
        parameters = split(split(split(split(report)[0][1])[2][1])[0][1])
        assert parameters[0][1].hex() == ENGINE
        boots.append(int.from_bytes(parameters[1][1], "big"))
        await asyncio.sleep(1.05)
    assert boots[0] < boots[1] < 2**31 - 1


# --- who is not


async def test_a_trap_of_an_engine_that_nobody_polled_is_dropped_and_told(listening: Callable) -> None:
    async with listening() as ear:
        await ear.sent("snmptrap", "-e", f"0x{STRANGE}", *v3())
    assert (ear.heard, ear.counts()) == ([], {"unknown_engine": 1})
    assert ear.said == [
        "127.0.0.1: SNMP notification dropped: expected an SNMPv3 engine that has answered a poll; found engine "
        "0x80001f880409090909. Let the device send informs, which need no engine known beforehand, or see whether it is polled."
    ]


@pytest.mark.parametrize(
    ("how", "result"),
    [(v3(user="nobody"), "unknown_user"), (v3(auth="another-key-1"), "wrong_key"), (v3(priv="another-key-1"), "wrong_key")],
)
async def test_an_inform_of_another_user_or_with_other_keys_is_refused(listening: Callable, how: tuple[str, ...], result: str) -> None:
    async with listening() as ear:
        assert await ear.sent("snmpinform", *how, wait_s=2) != 0
    assert ear.heard == []
    assert set(ear.counts()) == {result}
    assert AUTH not in "".join(ear.said)


@pytest.mark.parametrize("level", ["noAuthNoPriv", "authNoPriv"])
@pytest.mark.parametrize("program", ["snmptrap", "snmpinform"])
async def test_what_is_not_encrypted_is_refused_even_of_a_known_engine(listening: Callable, program: str, level: str) -> None:
    named = ("-e", f"0x{KNOWN}") if program == "snmptrap" else ()
    async with listening() as ear:
        await ear.sent(program, *named, *v3(level=level), wait_s=2)
    assert ear.heard == []
    assert set(ear.counts()) == {"wrong_key"}


async def test_v2c_is_refused_where_no_community_is_set(listening: Callable) -> None:
    async with listening() as ear:
        await ear.sent("snmptrap", *V2C)
    assert (ear.heard, ear.counts()) == ([], {"refused_version": 1})
    assert "expected SNMPv3; found SNMPv2c" in ear.said[0]


async def test_v2c_is_taken_with_the_community_that_is_set_and_no_other(listening: Callable) -> None:
    async with listening(community="public") as ear:
        await ear.sent("snmptrap", *V2C)
        assert await ear.sent("snmpinform", *V2C, kind=LINK_UP) == 0
        await ear.sent("snmptrap", "-v2c", "-c", "private")
    assert [one.kind for one in ear.heard] == [LINK_DOWN[1:], LINK_UP[1:]]
    assert ear.counts() == {"accepted": 2, "wrong_community": 1}
    assert "private" not in ear.said[0]


# --- strangers' octets


async def test_no_octets_disturb_the_receiver(listening: Callable) -> None:
    """Messages are recorded, damaged at random places, and sent by the thousand; then an honest inform is still taken."""
    recorded: list[bytes] = []
    async with listening(limits=Limits(sender_rate=1e9, sender_burst=1e9, rate=1e9, burst=1e9)) as ear:
        taken = ear.receiver.datagram_received
        ear.receiver.datagram_received = lambda data, addr: (recorded.append(data), taken(data, addr))[1]
        await ear.sent("snmpinform", *v3())
        await ear.sent("snmptrap", "-e", f"0x{KNOWN}", *v3())
        ear.receiver.datagram_received = taken
        dice = random.Random(20080401)
        for _ in range(1500):
            octets = bytearray(dice.choice(recorded))
            for _ in range(dice.randint(1, 3)):
                octets[dice.randrange(len(octets))] = dice.randrange(256)
            taken(bytes(octets[: dice.randint(1, len(octets))] if dice.random() < 0.2 else octets), ("127.0.0.1", 9))
        before = len(ear.heard)
        assert await ear.sent("snmpinform", *v3()) == 0
    assert len(recorded) == 3
    assert len(ear.heard) == before + 1
    assert ear.counts()["malformed"] > 100


async def test_a_datagram_that_is_too_large_is_not_even_read(listening: Callable) -> None:
    async with listening() as ear:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"\x30" * 9000, ear.receiver.place)
            await ear.heard_of(1)
    assert ear.counts() == {"too_large": 1}


async def test_of_a_storm_of_2000_a_burst_and_five_a_second_are_judged_and_the_loop_is_left_to_others(listening: Callable) -> None:
    """Authentic traps as fast as they come: a burst is judged, the rest counted; what else runs on the loop goes on."""
    recorded: list[bytes] = []
    turns: list[int] = []
    now_s = [1000.0]

    async def other_work() -> None:
        while True:
            turns.append(ear.receiver.counts.total())
            await asyncio.sleep(0)

    limits = Limits(sender_rate=5, sender_burst=20, rate=100, burst=200)
    async with listening(limits=limits, clock_s=lambda: now_s[0]) as ear:
        taken = ear.receiver.datagram_received
        ear.receiver.datagram_received = lambda data, addr: (recorded.append(data), taken(data, addr))[1]
        await ear.sent("snmptrap", "-e", f"0x{KNOWN}", *v3())
        ear.receiver.datagram_received = taken
        judged: list[bytes] = []
        hand_over = ear.receiver._hand_over
        ear.receiver._hand_over = lambda data, addr, head: (judged.append(data), hand_over(data, addr, head))[1]
        working = asyncio.create_task(other_work())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(2000):
                sender.sendto(recorded[0], ear.receiver.place)
                if number == 999:
                    await ear.heard_of(1001)
                    now_s[0] += 3
                if number % 50 == 49:  # more would not fit what the system keeps for a reader
                    await ear.heard_of(number + 2)
        working.cancel()
    assert ear.counts() == {"accepted": 20 + 3 * 5, "flooded": 2001 - 35}, "every datagram is counted"
    assert len(judged) == 34, "what is flooded costs no cryptography"
    assert max(later - earlier for earlier, later in pairwise(turns)) <= 5, "others on the loop get their turns between datagrams"
    assert len([line for line in ear.said if "no more datagrams" in line]) == 1


# --- what it leaves behind


async def test_nothing_is_kept_in_a_folder_that_others_can_foretell(
    listening: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    async with listening(folder=tmp_path) as ear:
        await ear.sent("snmpinform", *v3())
    assert ear.counts() == {"accepted": 1}
    assert list((tmp_path / "temporary").iterdir()) == []


async def test_an_address_that_is_taken_is_refused_with_the_next_step() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        place = holder.getsockname()
        receiver = Receiver(place, ENGINE, USER, None, lambda _: False, lambda _: "accepted")
        with pytest.raises(InputError) as refused:
            await receiver.start()
    assert str(refused.value) == (
        f"127.0.0.1:{place[1]}: listen for SNMP notifications: expected a free address of this machine; found Address already in use. "
        "Set WAIWANG_TRAP_LISTEN to an address and port of this machine (ports below 1024 want root), or to off."
    )


def test_an_algorithm_that_is_not_known_is_named() -> None:
    odd = TrapUser("poller", "sm3", SecretStr(AUTH), "aes128", SecretStr(PRIV))
    with pytest.raises(InputError, match="snmp_auth: expected one of md5, sha, sha256; found sm3"):
        Receiver(("127.0.0.1", 0), ENGINE, odd, None, lambda _: False, lambda _: "accepted")
