"""The SNMP agents, datagram by datagram."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from lab.virtual import ber, usm
from lab.virtual.agent import GET, GETBULK, GETNEXT, REPORT, RESPONSE, SET, STATS, Agent, Pdu, build_pdu, parse_pdu
from lab.virtual.device import DeviceSpec, Traffic
from lab.virtual.facts import SnmpUser
from lab.virtual.faults import SnmpFaults
from lab.virtual.network import VirtualNetwork

PORTS = tuple(f"GigabitEthernet0/0/{number}" for number in range(8))
SYS_NAME, UPTIME = ber.dotted("1.3.6.1.2.1.1.5.0"), ber.dotted("1.3.6.1.2.1.1.3.0")
IN_OCTETS, HC_IN = ber.dotted("1.3.6.1.2.1.2.2.1.10.2"), ber.dotted("1.3.6.1.2.1.31.1.1.1.6.2")
USER = SnmpUser("poller", "sha256", "authpass-1", "aes128", "privpass-1")


def agent(*, wide: bool = True) -> tuple[Agent, VirtualNetwork]:
    spec = DeviceSpec("R1", "huawei_ar", PORTS, communities=("public",), snmp_users=(USER,), wide_counters=wide)
    network = VirtualNetwork((spec,), clock=lambda: 100.0)
    return Agent(network, network.devices["R1"]), network


def v2c(kind: int, names: Iterable[ber.Name], number: int = 7, first: int = 0, second: int = 0, community: bytes = b"public") -> bytes:
    varbinds = b"".join(ber.tlv(ber.SEQUENCE, ber.name(name) + b"\x05\x00") for name in names)
    return ber.tlv(ber.SEQUENCE, ber.integer(1) + ber.octets(community) + build_pdu(kind, number, varbinds, first, second))


def opened(payload: bytes) -> Pdu:
    at, _ = ber.expect(payload, 0, ber.SEQUENCE)
    _, at = ber.read_int(payload, at)
    _, at = ber.read_octets(payload, at)
    return parse_pdu(payload[at:])


def values(pdu: Pdu) -> list[bytes]:
    """Return the value element of each varbind."""
    found, at = [], 0
    while at < len(pdu.varbinds):
        inner, end = ber.expect(pdu.varbinds, at, ber.SEQUENCE)
        _, _, stop = ber.head(pdu.varbinds, inner)
        found.append(pdu.varbinds[stop:end])
        at = end
    return found


def ask(one: Agent, datagram: bytes, now_s: float = 100.0) -> Pdu:
    replies = one.answer(datagram, now_s)
    assert len(replies) == 1
    return opened(replies[0].payload)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**31 - 1, -(2**31)])
def test_integers_come_back_as_they_went(value: int) -> None:
    assert ber.read_int(ber.integer(value), 0)[0] == value


def test_counters_have_no_sign_and_wrap_at_their_width() -> None:
    assert ber.unsigned(2**32 - 1, ber.COUNTER32) == b"\x41\x05\x00\xff\xff\xff\xff"
    assert ber.unsigned(2**32, ber.COUNTER32) == b"\x41\x01\x00"
    assert ber.unsigned(2**64 - 1, ber.COUNTER64) == b"\x46\x09\x00" + b"\xff" * 8


def test_names_come_back_as_they_went() -> None:
    name = ber.dotted("1.3.6.1.4.1.2011.5.25.16384.4294967295")
    start, end = ber.expect(ber.name(name), 0, ber.OID)
    assert ber.arcs_of(ber.name(name)[start:end]) == name


def test_keys_are_those_of_the_standard() -> None:
    # RFC 3414 A.3: password "maplesyrup", engine 00 … 02.
    engine = bytes(11) + b"\x02"
    assert usm.localize("md5", "maplesyrup", engine).hex() == "526f5eed9fcce26f8964c2930787d82b"
    assert usm.localize("sha", "maplesyrup", engine).hex() == "6695febc9288e36282235fc7151f128497b38f3f"


def test_a_get_answers_in_the_order_asked_and_says_what_is_missing() -> None:
    one, _ = agent()
    pdu = ask(one, v2c(GET, [SYS_NAME, ber.dotted("1.3.6.1.2.1.2.2.1.10.99"), ber.dotted("1.3.6.1.9.9")]))
    assert (pdu.kind, pdu.number, pdu.first) == (RESPONSE, 7, 0)
    assert values(pdu) == [ber.octets(b"R1"), ber.NO_SUCH_INSTANCE, ber.NO_SUCH_OBJECT]


def test_a_wrong_community_gets_silence() -> None:
    one, _ = agent()
    assert one.answer(v2c(GET, [SYS_NAME], community=b"private"), 100.0) == ()


@pytest.mark.parametrize("datagram", [b"", b"\x30", b"\x30\x05\x02\x01\x01", b"\x00" * 40, bytes(range(64))])
def test_garbage_gets_silence(datagram: bytes) -> None:
    one, _ = agent()
    assert one.answer(datagram, 100.0) == ()


def test_nothing_can_be_written() -> None:
    one, _ = agent()
    assert ask(one, v2c(SET, [SYS_NAME])).first == 17


def test_a_walk_sees_every_name_once_in_order_and_ends() -> None:
    one, _ = agent()
    name, seen = ber.dotted("1.3"), []
    for _ in range(400):
        pdu = ask(one, v2c(GETNEXT, [name]))
        if values(pdu) == [ber.END_OF_VIEW]:
            break
        name = pdu.names[0]
        seen.append(name)
    assert seen == sorted(set(seen))
    assert len(seen) == len(one.view.shape.keys)


def test_a_bulk_walk_gives_the_same_names_and_keeps_to_a_frame() -> None:
    one, _ = agent()
    name, seen = ber.dotted("1.3"), []
    for _ in range(50):
        replies = one.answer(v2c(GETBULK, [name], second=200), 100.0)
        assert len(replies[0].payload) <= 1472
        pdu = opened(replies[0].payload)
        kept = [one for one, value in zip(pdu.names, values(pdu), strict=True) if value != ber.END_OF_VIEW]
        seen += kept
        if len(kept) < len(pdu.names):
            break
        name = seen[-1]
    assert tuple(seen) == one.view.shape.keys


def test_counters_move_with_the_rate_and_the_narrow_one_wraps() -> None:
    one, network = agent()
    network.set_traffic("R1", PORTS[1], Traffic(in_bps=8.0 * 2**31))
    wide, narrow = values(ask(one, v2c(GET, [HC_IN, IN_OCTETS]), now_s=103.0))
    assert wide == ber.unsigned(3 * 2**31, ber.COUNTER64)
    assert narrow == ber.unsigned(2**31, ber.COUNTER32)


def test_an_agent_without_wide_counters_says_so() -> None:
    one, _ = agent(wide=False)
    assert values(ask(one, v2c(GET, [HC_IN])))[0] in (ber.NO_SUCH_INSTANCE, ber.NO_SUCH_OBJECT)


def test_the_clock_of_the_device_is_the_time_since_it_started() -> None:
    one, _ = agent()
    assert values(ask(one, v2c(GET, [UPTIME]), now_s=102.5)) == [ber.unsigned(250, ber.TICKS)]


def test_a_shut_port_is_down_in_the_table() -> None:
    one, network = agent()
    states = [ber.dotted("1.3.6.1.2.1.2.2.1.7.2"), ber.dotted("1.3.6.1.2.1.2.2.1.8.2")]
    assert values(ask(one, v2c(GET, states))) == [ber.integer(1), ber.integer(1)]
    network.load("R1", f"interface {PORTS[1]}\n shutdown\n")
    assert values(ask(one, v2c(GET, states))) == [ber.integer(2), ber.integer(2)]


def sealed(one: Agent, *, boots: int, time_s: int, secret: str = "authpass-1", flags: int = 7) -> bytes:
    keys = usm.keys_of("sha256", secret, "aes128", "privpass-1", one.engine_id)
    pdu = build_pdu(GET, 9, ber.tlv(ber.SEQUENCE, ber.name(SYS_NAME) + b"\x05\x00"))
    scoped = usm.scoped_pdu(one.engine_id, pdu)
    return usm.build(scoped, number=5, flags=flags, engine=one.engine_id, boots=boots, time_s=time_s, user=b"poller", keys=keys)


def counter_of(pdu: Pdu) -> int:
    """Return which usmStats counter a report names."""
    assert pdu.kind == REPORT
    assert pdu.names[0][:-2] == STATS
    return pdu.names[0][-2]


def unsealed(one: Agent, payload: bytes) -> Pdu:
    message = usm.parse(payload)
    keys = one.keys(USER)
    if message.flags & usm.AUTH:
        assert usm.is_authentic(payload, message, keys)
    return parse_pdu(usm.read_scoped(usm.decrypt(message, keys) if message.flags & usm.PRIV else message.body))


@pytest.mark.parametrize(("late_s", "kind"), [(0, RESPONSE), (150, RESPONSE), (151, REPORT), (-150, RESPONSE), (-151, REPORT)])
def test_a_v3_request_counts_within_150_seconds_of_the_agents_clock(late_s: int, kind: int) -> None:
    one, _ = agent()
    (reply,) = one.answer(sealed(one, boots=1, time_s=500 + late_s), 600.0)
    assert unsealed(one, reply.payload).kind == kind


def test_after_a_restart_the_old_boots_are_out_of_time() -> None:
    one, network = agent()
    network.reboot("R1")
    (reply,) = one.answer(sealed(one, boots=1, time_s=0), 100.0)
    assert counter_of(unsealed(one, reply.payload)) == 2
    (reply,) = one.answer(sealed(one, boots=2, time_s=0), 100.0)
    assert unsealed(one, reply.payload).kind == RESPONSE


def test_a_wrong_v3_key_is_reported_as_a_wrong_digest() -> None:
    one, _ = agent()
    (reply,) = one.answer(sealed(one, boots=1, time_s=0, secret="otherpass-1"), 100.0)
    assert counter_of(unsealed(one, reply.payload)) == 5


def test_an_authentic_request_in_clear_is_not_authorised_for_a_user_with_privacy() -> None:
    one, _ = agent()
    (reply,) = one.answer(sealed(one, boots=1, time_s=0, flags=5), 100.0)
    assert unsealed(one, reply.payload).first == 16


def test_the_users_are_those_of_the_configuration() -> None:
    spec = DeviceSpec("R1", "huawei_ar", PORTS)
    network = VirtualNetwork((spec,), clock=lambda: 100.0)
    one = Agent(network, network.devices["R1"])
    assert one.user("poller") is None
    network.load("R1", "snmp-agent usm-user v3 poller G authentication-mode sha2-256 authpass-1 privacy-mode aes128 privpass-1\n")
    assert one.user("poller") == USER


@pytest.mark.parametrize("kind", ["wrong_request_id", "missing_variable", "out_of_order", "general_error"])
def test_faults_of_content_change_the_answer(kind: str) -> None:
    one, network = agent()
    asked = [SYS_NAME, UPTIME]
    right = ask(one, v2c(GET, asked))
    network.set_faults("R1", snmp=SnmpFaults(kind))
    wrong = ask(one, v2c(GET, asked))
    expected = {
        "wrong_request_id": (right.number + 1, right.names, 0),
        "missing_variable": (right.number, right.names[:1], 0),
        "out_of_order": (right.number, right.names[::-1], 0),
        "general_error": (right.number, right.names, 5),
    }
    assert (wrong.number, wrong.names, wrong.first) == expected[kind]


def test_faults_of_transport_change_how_it_arrives() -> None:
    one, network = agent()
    request = v2c(GET, [SYS_NAME])
    whole = one.answer(request, 100.0)[0].payload

    def told(kind: str) -> list[tuple[bytes, float, bool]]:
        network.set_faults("R1", snmp=SnmpFaults(kind, delay_s=2.0))
        return [(reply.payload, reply.delay_s, reply.stray) for reply in one.answer(request, 100.0)]

    assert told("dead") == []
    assert told("truncated") == [(whole[: len(whole) // 2], 0.0, False)]
    assert told("late") == [(whole, 2.0, False)]
    assert told("wrong_source") == [(whole, 0.0, True)]
    assert told("duplicate") == [(whole, 0.0, False)] * 2
    assert [entry[0] == whole for entry in told("noise")] == [False, True]
    assert len(told("huge")[0][0]) > 60000


def test_a_looping_agent_never_ends_a_walk() -> None:
    one, network = agent()
    network.set_faults("R1", snmp=SnmpFaults("looping"))
    name, seen = ber.dotted("1.3"), set()
    for _ in range(400):
        name = ask(one, v2c(GETNEXT, [name])).names[0]
        seen.add(name)
    assert len(seen) < len(one.view.shape.keys)


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="found 'tired'"):
        SnmpFaults("tired")
