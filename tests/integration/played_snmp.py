"""An SNMPv2c agent that tests play on loopback: a table of variables, and any mischief with the replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.edge.snmp.ports import PORT_COLUMNS, SYS_NAME, SYS_UPTIME
from app.edge.snmp.session import Target

# --- BER, as much as an SNMPv2c agent needs

INTEGER, OCTETS, NULL, COUNTER32, GAUGE, TICKS, COUNTER64 = 0x02, 0x04, 0x05, 0x41, 0x42, 0x43, 0x46
NO_SUCH_INSTANCE, END_OF_VIEW = bytes((0x81, 0)), bytes((0x82, 0))
GET, GET_BULK, RESPONSE = 0xA0, 0xA5, 0xA2


def tlv(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 128:
        return bytes((tag, size)) + body
    return bytes((tag, 0x82, size >> 8, size & 255)) + body


def number(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid_bytes(oid: str) -> bytes:
    first, second, *rest = map(int, oid.split("."))
    out = bytearray((first * 40 + second,))
    for part in rest:
        digits = [part & 127]
        while part := part >> 7:
            digits.append(part & 127 | 128)
        out += bytes(reversed(digits))
    return tlv(0x06, bytes(out))


def oid_text(body: bytes) -> str:
    parts, value = [body[0] // 40, body[0] % 40], 0
    for octet in body[1:]:
        value = value << 7 | octet & 127
        if not octet & 128:
            parts.append(value)
            value = 0
    return ".".join(map(str, parts))


def split(body: bytes) -> list[tuple[int, bytes]]:
    found, place = [], 0
    while place < len(body):
        tag, size, start = body[place], body[place + 1], place + 2
        if size & 128:
            start += size & 127
            size = int.from_bytes(body[place + 2 : start], "big")
        found.append((tag, body[start : start + size]))
        place = start + size
    return found


def message(kind: int, request: bytes, rows: list[tuple[str, bytes]], status: int = 0, at: int = 0) -> bytes:
    bindings = tlv(0x30, b"".join(tlv(0x30, oid_bytes(oid) + value) for oid, value in rows))
    pdu = tlv(kind, tlv(INTEGER, request) + number(status) + number(at) + bindings)
    return tlv(0x30, number(1) + tlv(OCTETS, b"readers") + pdu)


def key_of(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))


def port_rows(index: int, name: str, **changed: bytes) -> dict[str, bytes]:
    """Return the variables of one port; a column is named by its place in PORT_COLUMNS' order."""
    values = {
        "name": tlv(OCTETS, name.encode()),
        "oper": number(1),
        "admin": number(1),
        "speed": number(10, GAUGE),
        "alias": tlv(OCTETS, b"L:BZWW-A-0001"),
        "in": number(2**40, COUNTER64),
        "out": number(2**41, COUNTER64),
        "in_errors": number(3, COUNTER32),
        "out_errors": number(4, COUNTER32),
        "discontinuity": number(0, TICKS),
    } | changed
    return {f"{column}.{index}": value for column, value in zip(PORT_COLUMNS, values.values(), strict=True)}


def system_rows(uptime: int = 4200) -> dict[str, bytes]:
    return {SYS_UPTIME: number(uptime, TICKS), SYS_NAME: tlv(OCTETS, b"county01")}


Reply = list[bytes]


@dataclass
class PlayedAgent(asyncio.DatagramProtocol):
    """An SNMPv2c agent over a table of variables; `mischief` may replace its replies to the n-th question."""

    rows: dict[str, bytes]
    mischief: Callable[[int, int, bytes, list[str], Reply], Reply] = lambda _n, _kind, _request, _oids, replies: replies
    questions: list[tuple[int, list[str]]] = field(default_factory=list)
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        kind, pdu = split(split(data)[0][1])[2]
        request, _, repetitions, bindings = (body for _, body in split(pdu))
        oids = [oid_text(split(row)[0][1]) for _, row in split(bindings)]
        self.questions.append((kind, oids))
        rows = self._next_rows(oids[0], int.from_bytes(repetitions, "big")) if kind == GET_BULK else self._these(oids)
        for reply in self.mischief(len(self.questions), kind, request, oids, [message(RESPONSE, request, rows)]):
            self.transport.sendto(reply, peer)

    def _these(self, oids: list[str]) -> list[tuple[str, bytes]]:
        return [(oid, self.rows.get(oid, NO_SUCH_INSTANCE)) for oid in oids]

    def _next_rows(self, oid: str, repetitions: int) -> list[tuple[str, bytes]]:
        after = sorted((known for known in self.rows if key_of(known) > key_of(oid)), key=key_of)[:repetitions]
        return [(known, self.rows[known]) for known in after] or [(oid, END_OF_VIEW)]


@asynccontextmanager
async def played(agent: PlayedAgent, device: str = "county01") -> AsyncIterator[Target]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=("127.0.0.1", 0))
    try:
        yield Target(device, "127.0.0.1", transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
