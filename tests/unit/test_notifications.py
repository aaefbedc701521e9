"""Which notifications call for a look, how many looks follow, and what is refused before anybody judges it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.intent import DeviceIntent, InterfaceIntent, ManagementIntent, NotificationTarget
from app.core.notifications import NOTIFICATION_RESULTS, concerns_lines, receiver_engine_id
from app.edge.traps.drops import DROPS, Drops
from app.edge.traps.head import Head, read_head
from app.edge.traps.limits import Allowance
from app.edge.traps.receiver import Notification
from app.errors import InputError
from app.settings import read_settings
from app.workflows.notifications import Desk, PendingLooks, listening_place, own_addresses
from tests.integration.played_snmp import OCTETS, number, tlv

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
TARGET = NotificationTarget(IPv4Address("198.18.2.10"), 162, "80004fb801c612020a")


# --- what is said


def test_the_receiver_s_engine_follows_from_its_address() -> None:
    assert receiver_engine_id(IPv4Address("198.18.2.10")) == TARGET.engine_id
    assert 5 <= len(bytes.fromhex(TARGET.engine_id)) <= 32  # RFC 3411 §5


@pytest.mark.parametrize(
    ("kind", "concerns"),
    [
        (LINK_DOWN, True),
        ("1.3.6.1.6.3.1.1.5.4", True),
        ("1.3.6.1.6.3.1.1.5.1", True),
        ("1.3.6.1.6.3.1.1.5.5", False),  # authenticationFailure
        ("1.3.6.1.2.1.14.16.2.2", True),  # ospfNbrStateChange
        ("1.3.6.1.6.3.1.1.5.30", False),
        ("1.3.6.1.4.1.2011.5.25.1", False),
        ("", False),
    ],
)
def test_only_ports_restarts_and_neighbours_call_for_a_look(kind: str, concerns: bool) -> None:
    assert concerns_lines(kind) is concerns


def test_every_result_that_drops_a_datagram_has_its_words() -> None:
    assert set(NOTIFICATION_RESULTS) - set(DROPS) == {"accepted", "coalesced", "ignored"}


# --- looks


def test_a_notification_is_followed_by_a_look_at_once_and_by_two_later_ones() -> None:
    looks = PendingLooks(pause_s=1.0, again_s=(1.5, 4.0))
    assert looks.add("city", 10.0)
    assert looks.next_due() == 10.0
    assert looks.take(10.0) == {"city": 10.0}
    assert looks.take(11.4) == {}
    assert looks.next_due() == 11.5
    assert looks.take(11.5) == {"city": 10.0}
    assert looks.take(14.0) == {"city": 10.0}
    assert looks.next_due() is None


def test_what_comes_while_a_look_is_waiting_is_coalesced_and_what_comes_after_it_is_not() -> None:
    looks = PendingLooks(pause_s=1.0)
    assert [looks.add("city", 10.0 + step) for step in (0, 0.1, 0.2)] == [True, False, False]
    looks.take(10.2)
    assert looks.add("city", 10.3)
    assert looks.take(11.1) == {}, "once in a second at most"
    assert looks.take(11.2) == {"city": 10.3}


def test_one_device_does_not_wait_for_another() -> None:
    looks = PendingLooks()
    looks.add("city", 10.0)
    looks.take(10.0)
    looks.add("county01", 10.1)
    assert looks.take(10.1) == {"county01": 10.1}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.floats(0, 0.5)), max_size=200))
def test_however_many_come_no_device_is_looked_at_oftener_than_its_notifications_and_the_pause_allow(
    arrivals: list[tuple[str, float]],
) -> None:
    looks, now, taken, accepted = PendingLooks(pause_s=1.0, again_s=()), 0.0, dict[str, list[float]](), 0
    for device, gap in arrivals:
        now += gap
        accepted += looks.add(device, now)
        for each in looks.take(now):
            taken.setdefault(each, []).append(now)
    while (due := looks.next_due()) is not None:
        for each in looks.take(due):
            taken.setdefault(each, []).append(due)
    assert all(later - earlier >= 1.0 - 1e-9 for moments in taken.values() for earlier, later in pairwise(moments))
    assert sum(map(len, taken.values())) == accepted
    assert {device for device, _ in arrivals} == set(taken)


# --- the desk


def desk(*, pending: PendingLooks | None = None) -> Desk:
    devices = {IPv4Address("198.18.0.1"): "city"}
    engines = {b"\x80\x00engine": "county01"}
    return Desk(devices, engines.get, pending or PendingLooks(), asyncio.Event(), lambda: 10.0)


def test_a_device_is_known_by_its_engine_else_by_its_address() -> None:
    at = desk()
    assert at.accept(Notification(IPv4Address("198.18.0.1"), LINK_DOWN, None)) == "accepted"
    assert at.accept(Notification(IPv4Address("192.0.2.1"), LINK_DOWN, b"\x80\x00engine")) == "accepted"
    assert set(at.pending.take(10.0)) == {"city", "county01"}
    assert at.arrived.is_set()


def test_what_calls_for_no_look_wakes_nobody() -> None:
    at = desk()
    assert at.accept(Notification(IPv4Address("192.0.2.1"), LINK_DOWN, None)) == "unknown_sender"
    assert at.accept(Notification(IPv4Address("198.18.0.1"), "1.3.6.1.6.3.1.1.5.5", None)) == "ignored"
    assert not at.arrived.is_set()
    assert at.pending.next_due() is None


def test_every_address_of_a_device_is_its_own() -> None:
    management = ManagementIntent("netops", "poller", "sha", "aes128", (), (), (), "", "")
    port = InterfaceIntent("eth1", "line", "", address=IPv4Interface("198.18.4.2/30"))
    contacts = (IPv4Address("198.18.0.2"),)
    made = DeviceIntent("county01", "frr", "cisco_ios", "county_agg", "1", 1, None, contacts, (port,), (), None, management, None)
    other = replace(made, hostname="bare", contacts=(), interfaces=(replace(port, address=None),))
    assert own_addresses([made, other]) == {IPv4Address("198.18.4.2"): "county01", IPv4Address("198.18.0.2"): "county01"}


# --- where to listen


@pytest.mark.parametrize(
    ("text", "place"),
    [(None, ("198.18.2.10", 162)), ("auto", ("198.18.2.10", 162)), ("off", None), ("127.0.0.1:1162", ("127.0.0.1", 1162))],
)
def test_the_plan_says_where_to_listen_unless_the_settings_do(text: str | None, place: tuple[str, int] | None) -> None:
    settings = read_settings({} if text is None else {"WAIWANG_TRAP_LISTEN": text}, Path())
    assert listening_place(settings, TARGET) == place


@pytest.mark.parametrize("text", ["162", "localhost:162", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:-1", ":162"])
def test_a_place_that_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as refused:
        listening_place(read_settings({"WAIWANG_TRAP_LISTEN": text}, Path()), TARGET)
    assert str(refused.value) == (
        f"WAIWANG_TRAP_LISTEN: where to listen: expected for example 127.0.0.1:1162; found `{text}`. "
        "Set it to an IPv4 address and a UDP port, to auto, or to off."
    )


# --- how much, and what of it is told


def test_an_allowance_is_spent_and_comes_back_with_time() -> None:
    allowance = Allowance(rate=2.0, burst=3.0)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(0.5), allowance.take(0.5)] == [True, False]
    assert [allowance.take(100.0) for _ in range(4)] == [True, True, True, False], "no more than the burst is saved up"


def test_a_drop_is_told_once_and_again_with_how_many_came_in_between() -> None:
    drops = Drops(again_s=60.0)
    assert [drops.note("192.0.2.1", "malformed", at) for at in (0.0, 1.0, 59.9)] == [0, None, None]
    assert drops.note("192.0.2.1", "wrong_key", 1.0) == 0
    assert drops.note("192.0.2.2", "malformed", 1.0) == 0
    assert drops.note("192.0.2.1", "malformed", 60.0) == 2


# --- the first octets


def v3(engine_id: bytes, flags: int = 7) -> bytes:
    header = tlv(0x30, number(5) + number(65507) + tlv(OCTETS, bytes([flags])) + number(3))
    security = tlv(0x30, tlv(OCTETS, engine_id) + number(1) + number(2) + tlv(OCTETS, b"poller") + tlv(OCTETS, b"") + tlv(OCTETS, b""))
    return tlv(0x30, number(3) + header + tlv(OCTETS, security) + tlv(OCTETS, b"sealed"))


def test_the_head_of_a_message_is_read_without_judging_the_rest() -> None:
    assert read_head(v3(b"engine-1")) == Head(3, engine_id=b"engine-1", is_private=True)
    assert read_head(v3(b"", flags=4)) == Head(3)
    assert read_head(v3(b"engine-1", flags=1)) == Head(3, engine_id=b"engine-1")
    assert read_head(tlv(0x30, number(1) + tlv(OCTETS, b"public") + tlv(0xA7, b""))) == Head(1, community=b"public")


@pytest.mark.parametrize(
    "octets",
    [b"", b"0", b"garbage\n", v3(b"engine-1")[:-1], v3(b"")[:20], tlv(0x30, number(3)), b"\x30\x84\xff\xff\xff\xff\x02", b"\x30\xff"],
)
def test_what_is_no_message_has_no_head(octets: bytes) -> None:
    assert read_head(octets) is None


@given(st.binary(max_size=80))
def test_no_octets_whatever_make_the_reading_of_a_head_fail(octets: bytes) -> None:
    head = read_head(octets)
    assert head is None or isinstance(head, Head)


@given(st.binary(min_size=1, max_size=12), st.integers(0, 120))
def test_a_damaged_message_makes_it_fail_neither(damage: bytes, place: int) -> None:
    whole = bytearray(v3(b"engine-1"))
    whole[place : place + len(damage)] = damage
    head = read_head(bytes(whole))
    assert head is None or isinstance(head, Head)
