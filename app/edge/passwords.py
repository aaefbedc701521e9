"""Passwords and API tokens: made, hashed, compared. What is kept tells nobody what was typed."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: argon2id as RFC 9106 §4 recommends where memory is scarce: 64 MiB, three passes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
#: Tells people and scanners what a leaked text is.
TOKEN_PREFIX = "waiwang_"
TOKEN_BYTES = 32


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, with its salt and cost."""
    return _HASHER.hash(password)


def check_password(password: str, password_hash: str | None) -> bool:
    """Tell whether the password is the one that was hashed. Without a hash it takes as long, and is not."""
    try:
        return _HASHER.verify(password_hash or _nobodys(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return hash_password(secrets.token_urlsafe(TOKEN_BYTES))


def build_token() -> str:
    """Return a new API token; 256 random bits, so that a plain digest of it is enough."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def digest_token(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
