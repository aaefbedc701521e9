"""JSON with one way to write each value, and digests over it."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.canonical import as_json, canonical, parse_strict, sha256, sm3, write_number

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        # RFC 8785, appendix B
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1.0000000000000001e23, "1.0000000000000001e+23"),
        (999999999999999700000.0, "999999999999999700000"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
        (0.1, "0.1"),
        (123456.75, "123456.75"),
        (100.0, "100"),
    ],
)
def test_numbers_are_written_as_ecmascript_writes_them(value: float, written: str) -> None:
    assert write_number(value) == written
    assert float(written) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_is_written_comes_back(value: float) -> None:
    assert float(write_number(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, -(2**53), "\ud800", {1: 2}, object(), [{"a": math.inf}]])
def test_what_i_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical(value)


def test_keys_stand_in_the_order_of_utf_16() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]  # RFC 8785, section 3.2.3
    written = canonical(dict.fromkeys(keys, 0)).decode()
    assert list(json.loads(written)) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_texts_escape_only_what_they_must() -> None:
    assert canonical('€$\x0f\nA\'B"\\\\"/外网\x7f').decode() == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/外网\x7f"'


@given(JSON)
def test_canonical_json_is_json_and_its_own_spelling(value: object) -> None:
    written = canonical(value)
    again = parse_strict(written)
    assert canonical(again) == written
    assert again == json.loads(json.dumps(value))


@pytest.mark.parametrize("text", [b'{"a":1,"a":2}', b"NaN", b"[1,]", b"\xff", b"", b"-Infinity", b'"\xed\xa0\x80"'])
def test_what_is_no_strict_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_strict(text)


def test_counters_beyond_i_json_become_text() -> None:
    assert as_json({"octets": 2**64 - 1, "small": 2**53 - 1, "rows": ((True, 2**53),)}) == {
        "octets": "18446744073709551615",
        "small": 9007199254740991,
        "rows": [[True, "9007199254740992"]],
    }


def test_the_digests_are_the_standards_own() -> None:
    # FIPS 180-2 and GB/T 32905-2016, both over "abc"
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sm3(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
