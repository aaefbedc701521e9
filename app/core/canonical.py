"""JSON with one way to write each value (RFC 8785), and the digests over it: SHA-256 and SM3 (GB/T 32905). Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

#: I-JSON: larger whole numbers lose digits in other programs; write them as text (`as_json`).
LARGEST_WHOLE = 2**53 - 1


def canonical(value: object) -> bytes:
    """Return the one spelling of a JSON value in UTF-8: keys by their UTF-16 code units, no blanks, numbers as ECMAScript writes them.

    Raises:
        ValueError: the value is no I-JSON: not finite, beyond 2^53 - 1, a lone surrogate, a key that is no text.
    """
    return _write(value).encode("utf-8")


def _write(value: object) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return str(_whole(value))
        case float():
            return write_number(value)
        case list() | tuple():
            return "[" + ",".join(map(_write, value)) + "]"
        case Mapping():
            keys = sorted(map(_key, value), key=lambda key: key.encode("utf-16-be", "surrogatepass"))
            return "{" + ",".join(f"{_write(key)}:{_write(value[key])}" for key in keys) + "}"
    raise ValueError(f"no JSON: {type(value).__name__}")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"no JSON: a key that is {type(key).__name__}")
    return key


def _whole(value: int) -> int:
    if abs(value) > LARGEST_WHOLE:
        raise ValueError(f"no I-JSON: {value} lies beyond 2^53 - 1")
    return value


def write_number(value: float) -> str:
    """Return a number as ECMAScript's Number::toString does: shortest digits, exponents from 1e21 up and below 1e-6."""
    if not math.isfinite(value):
        raise ValueError(f"no JSON: {value}")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return sign + _place_point(digits, point)


def _place_point(digits: str, point: int) -> str:
    """Write digits whose decimal point stands after the `point`th of them (which may lie outside)."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    power = f"e{point - 1:+d}"
    return digits + power if count == 1 else f"{digits[0]}.{digits[1:]}{power}"


def as_json(value: object) -> object:
    """Return a value with whole numbers beyond I-JSON (64-bit counters) as text, tuples as lists."""
    match value:
        case Mapping():
            return {str(key): as_json(inner) for key, inner in value.items()}
        case list() | tuple():
            return [as_json(inner) for inner in value]
        case int() if not isinstance(value, bool) and abs(value) > LARGEST_WHOLE:
            return str(value)
    return value


def parse_strict(text: bytes) -> object:
    """Parse JSON that repeats no key.

    Raises:
        ValueError: it is no UTF-8, no JSON, repeats a key, or holds a number that JSON does not have.
    """
    return json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_parse_whole)


def _parse_whole(digits: str) -> int | float:
    """Read whole numbers as I-JSON does: beyond 2^53 - 1 they are doubles."""
    value = int(digits)
    return value if abs(value) <= LARGEST_WHOLE else float(value)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def sha256(content: bytes) -> str:
    """Return the digest in lower-case hexadecimal digits."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize().hex()


def sm3(content: bytes) -> str | None:
    """Return the digest in lower-case hexadecimal digits, None where this machine's OpenSSL has no SM3."""
    try:
        digest = hashes.Hash(hashes.SM3())
    except UnsupportedAlgorithm:
        return None
    digest.update(content)
    return digest.finalize().hex()
