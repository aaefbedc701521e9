"""SNMPv3 user-based security (RFC 3414, RFC 7860 for SHA-256, RFC 3826 for AES-128). Pure but for random salts."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from lab.virtual import ber

AUTH, PRIV, REPORTABLE = 1, 2, 4
WINDOW_S = 150
#: Hash and digest length (octets) of each authentication protocol.
PROTOCOLS = {"md5": ("md5", 12), "sha": ("sha1", 12), "sha256": ("sha256", 24)}


@dataclass(frozen=True, slots=True)
class Keys:
    """A user's keys at one engine; empty where the user has none."""

    protocol: str = ""
    auth: bytes = b""
    priv: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """A v3 message taken apart; `digest_at` is where the digest lies in the datagram, `body` is still encrypted where flagged."""

    number: int
    flags: int
    engine: bytes
    boots: int
    time_s: int
    user: bytes
    digest: bytes
    digest_at: int
    salt: bytes
    body: bytes


@lru_cache(maxsize=256)
def _master(protocol: str, secret: str) -> bytes:
    """Stretch a password over a megabyte (RFC 3414 A.2). Slow by design, so it is kept."""
    text = secret.encode()
    digest = hashlib.new(PROTOCOLS[protocol][0])
    digest.update((text * (1048576 // len(text) + 1))[:1048576])
    return digest.digest()


@lru_cache(maxsize=65536)
def localize(protocol: str, secret: str, engine: bytes) -> bytes:
    """Return the key of a password at one engine."""
    key = _master(protocol, secret)
    return hashlib.new(PROTOCOLS[protocol][0], key + engine + key).digest()


def keys_of(auth: str | None, auth_secret: str, priv: str | None, priv_secret: str, engine: bytes) -> Keys:
    """Return a user's keys at an engine; secrets shorter than eight characters give none (RFC 3414 §11.2)."""
    if auth is None or len(auth_secret) < 8:
        return Keys()
    privacy = localize(auth, priv_secret, engine)[:16] if priv and len(priv_secret) >= 8 else b""
    return Keys(auth, localize(auth, auth_secret, engine), privacy)


def parse(datagram: bytes) -> Message:
    """Take a v3 message apart. Raises Malformed."""
    start, _ = ber.expect(datagram, 0, ber.SEQUENCE)
    version, at = ber.read_int(datagram, start)
    if version != 3:
        raise ber.Malformed(f"expected version 3; found {version}")
    inner, at_security = ber.expect(datagram, at, ber.SEQUENCE)
    number, inner = ber.read_int(datagram, inner)
    _, inner = ber.read_int(datagram, inner)
    flags, _ = ber.read_octets(datagram, inner)
    wrapped, at_body = ber.expect(datagram, at_security, ber.OCTETS)
    at, _ = ber.expect(datagram, wrapped, ber.SEQUENCE)
    engine, at = ber.read_octets(datagram, at)
    boots, at = ber.read_int(datagram, at)
    time_s, at = ber.read_int(datagram, at)
    user, at = ber.read_octets(datagram, at)
    digest, after = ber.read_octets(datagram, at)
    salt, _ = ber.read_octets(datagram, after)
    if not flags:
        raise ber.Malformed("expected message flags; found none")
    body = datagram[at_body:]
    if flags[0] & PRIV:
        body, _ = ber.read_octets(datagram, at_body)
    return Message(number, flags[0], engine, boots, time_s, user, digest, after - len(digest), salt, body)


def is_authentic(datagram: bytes, message: Message, keys: Keys) -> bool:
    """Tell whether the digest is that of the message under these keys."""
    length = PROTOCOLS[keys.protocol][1]
    if len(message.digest) != length:
        return False
    blank = datagram[: message.digest_at] + bytes(length) + datagram[message.digest_at + length :]
    return hmac.compare_digest(_digest(blank, keys), message.digest)


def _digest(datagram: bytes, keys: Keys) -> bytes:
    name, length = PROTOCOLS[keys.protocol]
    return hmac.digest(keys.auth, datagram, name)[:length]


def decrypt(message: Message, keys: Keys) -> bytes:
    """Return the scoped PDU of an encrypted message."""
    if len(message.salt) != 8:
        raise ber.Malformed(f"expected a salt of 8 octets; found {len(message.salt)}")
    step = Cipher(AES(keys.priv), CFB(_vector(message.boots, message.time_s, message.salt))).decryptor()
    return step.update(message.body) + step.finalize()


def _vector(boots: int, time_s: int, salt: bytes) -> bytes:
    return boots.to_bytes(4) + time_s.to_bytes(4) + salt


def build(scoped: bytes, *, number: int, flags: int, engine: bytes, boots: int, time_s: int, user: bytes, keys: Keys) -> bytes:
    """Return a v3 message around a scoped PDU, encrypted and signed as its flags say."""
    salt, body, length = b"", scoped, 0
    if flags & PRIV:
        salt = os.urandom(8)
        step = Cipher(AES(keys.priv), CFB(_vector(boots, time_s, salt))).encryptor()
        body = ber.octets(step.update(scoped) + step.finalize())
    if flags & AUTH:
        length = PROTOCOLS[keys.protocol][1]
    before = ber.octets(engine) + ber.integer(boots) + ber.integer(time_s) + ber.octets(user)
    security = ber.octets(ber.tlv(ber.SEQUENCE, before + ber.octets(bytes(length)) + ber.octets(salt)))
    header = ber.tlv(ber.SEQUENCE, ber.integer(number) + ber.integer(65507) + ber.octets(bytes((flags,))) + ber.integer(3))
    datagram = ber.tlv(ber.SEQUENCE, ber.integer(3) + header + security + body)
    if not flags & AUTH:
        return datagram
    end = len(datagram) - len(body) - len(ber.octets(salt))
    return datagram[: end - length] + _digest(datagram, keys) + datagram[end:]


def scoped_pdu(engine: bytes, pdu: bytes) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.octets(engine) + ber.octets(b"") + pdu)


def read_scoped(scoped: bytes) -> bytes:
    """Return the PDU within a scoped PDU; padding after it is ignored. Raises Malformed."""
    at, _ = ber.expect(scoped, 0, ber.SEQUENCE)
    _, at = ber.read_octets(scoped, at)
    _, at = ber.read_octets(scoped, at)
    _, _, end = ber.head(scoped, at)
    return scoped[at:end]
