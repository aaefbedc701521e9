"""The first octets of an SNMP message, read without believing any of them."""

from __future__ import annotations

from dataclasses import dataclass

#: msgFlags of SNMPv3 (RFC 3412 §6.4): authenticated, and encrypted.
AUTH_PRIV = 0x03


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an SNMP message. `version`: 0 (v1), 1 (v2c), 3. `engine_id` is empty where the receiver's is asked for.

    `is_private`: it says of itself that it is authenticated and encrypted.
    """

    version: int
    community: bytes = b""
    engine_id: bytes = b""
    is_private: bool = False


def read_head(octets: bytes) -> Head | None:
    """Return the beginning of an SNMP message (RFC 1901 §3, RFC 3412 §6), None where it is none. Never raises."""
    try:
        message, _ = _read(octets, 0, 0x30)
        version, rest = _read(message, 0, 0x02)
        number = int.from_bytes(version, "big")
        if number != 3:
            return Head(number, community=_read(message, rest, 0x04)[0])
        header, rest = _read(message, rest, 0x30)
        _, place = _read(header, 0, 0x02)
        _, place = _read(header, place, 0x02)
        flags, _ = _read(header, place, 0x04)
        security, _ = _read(message, rest, 0x04)
        parameters, _ = _read(security, 0, 0x30)
        return Head(3, engine_id=_read(parameters, 0, 0x04)[0], is_private=flags[0] & AUTH_PRIV == AUTH_PRIV)
    except (IndexError, ValueError):
        return None


def _read(octets: bytes, start: int, tag: int) -> tuple[bytes, int]:
    """Return the content of the BER element at `start`, and where the next one begins."""
    if octets[start] != tag:
        raise ValueError("another element")
    size, body = octets[start + 1], start + 2
    if size & 0x80:
        body += size & 0x7F
        size = int.from_bytes(octets[start + 2 : body], "big")
    if body + size > len(octets):
        raise ValueError("cut off")
    return octets[body : body + size], body + size
