"""A pack is whole or every change of it is found, and named."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import evidence
from app.core.canonical import canonical
from app.core.evidence import Part, build_pack, fingerprint, verify
from app.edge.signing import check_signature

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = KEY.public_key().public_bytes_raw()
PARTS = (
    Part("pack", {"line_id": "BZWW-A-0001", "made_at": "2008-06-26T09:30:00+00:00"}),
    Part("samples/2008-06-26T09Z", [["2008-06-26T09:00:00+00:00", "up", 0.5, None, True], ["x", "down", 1e-7, 2**64 - 1, False]]),
    Part("verdict/rate_down", {"verdict": "pass", "found": "1932 kbit/s", "单位": "千比特每秒"}),
)
PACK = build_pack(PARTS, PUBLIC, KEY.sign)


def altered(pack: bytes, trusted: bytes | None = None) -> list[str]:
    return [each.where for each in verify(pack, check_signature, trusted).alterations]


def rewritten(change: Callable[[dict[str, object]], None]) -> list[str]:
    document = json.loads(PACK)
    change(document)
    return altered(canonical(document))


def test_a_whole_pack_has_nothing_altered() -> None:
    found = verify(PACK, check_signature, PUBLIC)
    assert (found.alterations, found.public_key, found.sm3_checked) == ((), PUBLIC.hex(), True)
    assert found.content("verdict/rate_down") == PARTS[2].content
    assert found.content("samples/2008-06-26T09Z") == [PARTS[1].content[0], ["x", "down", 1e-7, str(2**64 - 1), False]]  # type: ignore[index]


def test_the_same_evidence_gives_the_same_bytes() -> None:
    assert build_pack(PARTS, PUBLIC, KEY.sign) == PACK


def test_every_change_of_one_byte_is_found_at_every_place() -> None:
    for place, byte in enumerate(PACK):
        for other in {byte ^ 1, byte ^ 0x20, ord("0"), ord(" "), ord("a")} - {byte}:
            changed = PACK[:place] + bytes([other]) + PACK[place + 1 :]
            assert altered(changed), f"byte {place}: {byte} became {other} unseen"


@settings(max_examples=3000, deadline=None)
@given(st.integers(0, len(PACK) - 1), st.integers(1, 255))
def test_any_other_value_of_any_byte_is_found(place: int, difference: int) -> None:
    assert altered(PACK[:place] + bytes([PACK[place] ^ difference]) + PACK[place + 1 :])


def test_every_lost_and_every_added_byte_is_found() -> None:
    for place in range(len(PACK) + 1):
        assert altered(PACK[:place] + b" " + PACK[place:]), f"a blank before byte {place} is not seen"
        if place < len(PACK):
            assert altered(PACK[:place] + PACK[place + 1 :]), f"byte {place} is lost unseen"


def test_a_changed_part_is_named_and_no_other() -> None:
    def make_it_pass(document: dict[str, object]) -> None:
        document["parts"][2]["content"]["found"] = "2000 kbit/s"  # type: ignore[index]

    assert rewritten(make_it_pass) == ["part verdict/rate_down"]


def test_a_changed_digest_is_told_from_a_changed_part() -> None:
    def other_digest(document: dict[str, object]) -> None:
        document["chain"][1]["sha256"] = "0" * 64  # type: ignore[index]

    assert rewritten(other_digest)[0] == "chain[1]"


def test_parts_that_are_lost_added_or_change_places_are_found() -> None:
    def lose(document: dict[str, object]) -> None:
        del document["parts"][-1]  # type: ignore[attr-defined]

    def lose_with_its_entry(document: dict[str, object]) -> None:
        del document["parts"][-1]  # type: ignore[attr-defined]
        del document["chain"][-1]  # type: ignore[attr-defined]

    def swap(document: dict[str, object]) -> None:
        parts = document["parts"]
        parts[0], parts[1] = parts[1], parts[0]  # type: ignore[index]

    def add(document: dict[str, object]) -> None:
        document["parts"].append({"name": "more", "content": 1})  # type: ignore[attr-defined]

    assert rewritten(lose) == ["parts"]
    assert rewritten(lose_with_its_entry) == ["signature"]
    assert rewritten(swap) == ["part pack", "part samples/2008-06-26T09Z"]
    assert rewritten(add) == ["parts"]


def test_evidence_rewritten_and_signed_anew_is_found_only_with_the_signers_key() -> None:
    forged = build_pack([*PARTS[:2], Part("verdict/rate_down", {"verdict": "fail"})], OTHER.public_key().public_bytes_raw(), OTHER.sign)
    assert altered(forged) == []
    assert altered(forged, PUBLIC) == ["signature"]


def test_a_key_of_the_same_pack_changed_to_another_is_found() -> None:
    def other_key(document: dict[str, object]) -> None:
        document["signature"]["public_key"] = OTHER.public_key().public_bytes_raw().hex()  # type: ignore[index]

    assert rewritten(other_key) == ["signature"]


@pytest.mark.parametrize(
    "pack",
    [
        *(b"", b"{}", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", PACK + b"\n"),
        *(PACK.replace(b'"Ed25519"', b'"none"'), PACK.replace(b"/1", b"/2")),
    ],
)
def test_what_is_no_pack_is_told_and_never_a_traceback(pack: bytes) -> None:
    assert altered(pack)


def test_where_sm3_is_missing_the_rest_is_checked_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "sm3", lambda content: None)
    found = verify(PACK, check_signature)
    assert (found.alterations, found.sm3_checked) == ((), False)
    for place in range(0, len(PACK), 7):
        assert altered(PACK[:place] + bytes([PACK[place] ^ 1]) + PACK[place + 1 :])


def test_a_pack_made_where_sm3_is_missing_is_whole_where_it_is_known_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as poorer:
        poorer.setattr(evidence, "sm3", lambda content: None)
        plain = build_pack(PARTS, PUBLIC, KEY.sign)
    found = verify(plain, check_signature, PUBLIC)
    assert (found.alterations, found.sm3_checked, found.sm3_told) == ((), True, False)
    for place in range(0, len(plain), 5):
        assert altered(plain[:place] + bytes([plain[place] ^ 1]) + plain[place + 1 :])


@pytest.mark.parametrize("keys", [("sm3",), ("link_sm3",), ("sm3", "link_sm3")])
@pytest.mark.parametrize("entries", [(0,), (1,), (2,), (0, 1, 2)])
def test_sm3_digests_cannot_be_taken_out_of_a_pack_unseen(keys: tuple[str, ...], entries: tuple[int, ...]) -> None:
    def take_out(document: dict[str, object]) -> None:
        for number in entries:
            document["chain"][number].update(dict.fromkeys(keys))  # type: ignore[index]

    assert rewritten(take_out)


def test_the_signature_of_another_pack_by_the_same_key_does_not_fit() -> None:
    other = json.loads(build_pack([*PARTS[:2], Part("verdict/rate_down", {"verdict": "fail"})], PUBLIC, KEY.sign))
    assert rewritten(lambda document: document.update(signature=other["signature"])) == ["signature"]
    assert rewritten(lambda document: document.update(chain=other["chain"], signature=other["signature"])) == ["part verdict/rate_down"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"chain":', b'{"format":"waiwang-evidence/1","chain":'),
        (b'"verdict":"pass"', b'"verdict":"fail","verdict":"pass"'),
        (b'"format":', b'"more":1,"format":'),
        (b'{"content":', b'{"content":0,"content":'),
        (b",0.5,", b",5e-1,"),
        (b"true", b"1"),
        (b"pack", rb"\u0070ack"),
        (b'{"chain"', b'\xef\xbb\xbf{"chain"'),
        (b'{"chain"', b' {"chain"'),
    ],
)
def test_keys_that_stand_twice_extra_values_and_other_spellings_are_found(before: bytes, after: bytes) -> None:
    assert before in PACK
    assert altered(PACK.replace(before, after, 1))


def test_every_beginning_of_a_pack_is_found_to_be_no_pack() -> None:
    for length in range(0, len(PACK), 17):
        assert altered(PACK[:length])


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="share a name"):
        build_pack([PARTS[0], PARTS[0]], PUBLIC, KEY.sign)


def test_a_fingerprint_is_short_enough_to_read_aloud() -> None:
    assert fingerprint(PUBLIC.hex()) == "5647 5aa7 5463 474c 0285 df5d bf2b cab7"


def test_a_link_holds_the_one_before_it_by_each_digest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "sm3", lambda _: None)
    one, other = (evidence.build_chain([Part("first", content), PARTS[2]]) for content in (1, 2))
    assert one[1]["sha256"] == other[1]["sha256"]
    assert one[1]["link_sha256"] != other[1]["link_sha256"]


def test_the_signature_covers_format_number_of_parts_and_both_heads() -> None:
    chain = json.loads(PACK)["chain"]
    heads = {key: chain[-1][key] for key in ("link_sha256", "link_sm3")}
    assert json.loads(evidence.signed_message(chain)) == {"format": "waiwang-evidence/1", "parts": 3, **heads}
