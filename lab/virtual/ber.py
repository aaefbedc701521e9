"""Just enough BER (X.690) for SNMP: read by offsets, write by concatenation. Pure."""

from __future__ import annotations

from functools import lru_cache

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
COUNTER32, GAUGE32, TICKS, COUNTER64 = 0x41, 0x42, 0x43, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_VIEW = b"\x80\x00", b"\x81\x00", b"\x82\x00"
Name = tuple[int, ...]


class Malformed(ValueError):
    """A datagram is not what it should be; it is dropped, as agents do."""


def head(text: bytes, at: int) -> tuple[int, int, int]:
    """Return the tag at an offset, and where its content starts and ends. Raises Malformed."""
    try:
        tag, length, start = text[at], text[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, start = int.from_bytes(text[start : start + count]), start + count
    except IndexError:
        raise Malformed(f"offset {at}: expected a tag and a length; found the end") from None
    if start + length > len(text):
        raise Malformed(f"offset {at}: expected {length} octets; found {len(text) - start}")
    return tag, start, start + length


def expect(text: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return where the content of a wanted element starts and ends. Raises Malformed."""
    found, start, end = head(text, at)
    if found != tag:
        raise Malformed(f"offset {at}: expected tag 0x{tag:02x}; found 0x{found:02x}")
    return start, end


def read_int(text: bytes, at: int) -> tuple[int, int]:
    """Return the INTEGER at an offset and where it ends. Raises Malformed."""
    start, end = expect(text, at, INTEGER)
    return int.from_bytes(text[start:end], signed=True), end


def read_octets(text: bytes, at: int) -> tuple[bytes, int]:
    """Return the OCTET STRING at an offset and where it ends. Raises Malformed."""
    start, end = expect(text, at, OCTETS)
    return text[start:end], end


def tlv(tag: int, content: bytes) -> bytes:
    """Return an element."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Return a signed integer in as few octets as it needs."""
    return tlv(tag, value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, signed=True))


def unsigned(value: int, tag: int) -> bytes:
    """Return a counter, gauge or ticks: non-negative, wrapped to 32 bits, COUNTER64 to 64."""
    return integer(value & (0xFFFFFFFFFFFFFFFF if tag == COUNTER64 else 0xFFFFFFFF), tag)


def octets(value: bytes) -> bytes:
    return tlv(OCTETS, value)


@lru_cache(maxsize=65536)
def name(arcs: Name) -> bytes:
    """Return an OBJECT IDENTIFIER as an element."""
    out = bytearray((arcs[0] * 40 + arcs[1],))
    for arc in arcs[2:]:
        parts = [arc & 0x7F]
        while arc := arc >> 7:
            parts.append(arc & 0x7F | 0x80)
        out += bytes(reversed(parts))
    return tlv(OID, bytes(out))


@lru_cache(maxsize=65536)
def arcs_of(content: bytes) -> Name:
    """Return the arcs of an OBJECT IDENTIFIER's content. Raises Malformed."""
    if not content:
        raise Malformed("an object identifier is empty")
    arcs = [*divmod(min(content[0], 119), 40)]
    arc = 0
    for octet in content[1:]:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    return tuple(arcs)


def dotted(text: str) -> Name:
    return tuple(int(arc) for arc in text.split("."))
