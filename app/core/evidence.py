"""An evidence pack: named parts, a hash chain over them, one signature. What was altered can be named, part by part. Pure.

    {"chain": [{"link_sha256", "link_sm3", "name", "sha256", "sm3"} …],      one entry per part, in order
     "format": "waiwang-evidence/1",
     "parts": [{"content", "name"} …],
     "signature": {"algorithm": "Ed25519", "public_key", "value"}}           over format, number of parts and both chain heads

The file is the canonical JSON of this, so that every byte of it is either signed, or recomputed, or has one possible value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.core.canonical import as_json, canonical, parse_strict, sha256, sm3

FORMAT = "waiwang-evidence/1"
ALGORITHM = "Ed25519"
#: The link before the first one.
START = "0" * 64
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_SIGNATURE = re.compile(r"[0-9a-f]{128}\Z")
_ENTRY_KEYS = {"link_sha256", "link_sm3", "name", "sha256", "sm3"}

#: Signs a message with the key at hand.
Sign = Callable[[bytes], bytes]
#: Tells whether (public key, signature, message) belong together.
CheckSignature = Callable[[bytes, bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of evidence: JSON content under a name such as `verdict/rate_down`."""

    name: str
    content: object


@dataclass(frozen=True, slots=True)
class Alteration:
    """One place where a pack is not what was signed."""

    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}; found {self.found}."


@dataclass(frozen=True, slots=True)
class Verification:
    """What a pack was found to be. `public_key`: hexadecimal, None where none can be read; `sm3_checked`: this machine has SM3.

    `sm3_told` false: the pack was signed without SM3 digests, on a machine that had none.
    """

    alterations: tuple[Alteration, ...]
    parts: tuple[Part, ...]
    public_key: str | None
    sm3_checked: bool
    sm3_told: bool = True

    def content(self, name: str) -> object:
        """Return a part's content, None where the pack has no such part."""
        return next((part.content for part in self.parts if part.name == name), None)


def build_pack(parts: Sequence[Part], public_key: bytes, sign: Sign) -> bytes:
    """Return the bytes of a pack over these parts.

    Raises:
        ValueError: two parts share a name, or a content is no JSON.
    """
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise ValueError("two parts share a name")
    plain = [Part(part.name, as_json(part.content)) for part in parts]
    chain = build_chain(plain)
    message = signed_message(chain)
    signature = {"algorithm": ALGORITHM, "public_key": public_key.hex(), "value": sign(message).hex()}
    written = [{"name": part.name, "content": part.content} for part in plain]
    return canonical({"format": FORMAT, "parts": written, "chain": chain, "signature": signature})


def build_chain(parts: Sequence[Part]) -> list[dict[str, str | None]]:
    """Return the chain: each link holds the one before it, the part's name and its digests."""
    chain: list[dict[str, str | None]] = []
    before: dict[str, str | None] = {"link_sha256": START, "link_sm3": START}
    for part in parts:
        before = _entry(part.name, *_digests(part.content), before)
        chain.append(before)
    return chain


def _digests(content: object) -> tuple[str, str | None]:
    written = canonical(content)
    return sha256(written), sm3(written)


def _entry(name: str, by_sha256: str, by_sm3: str | None, before: Mapping[str, str | None]) -> dict[str, str | None]:
    body: dict[str, str | None] = {"name": name, "sha256": by_sha256, "sm3": by_sm3}
    linked = canonical({**body, "before_sha256": before["link_sha256"], "before_sm3": before["link_sm3"]})
    return {**body, "link_sha256": sha256(linked), "link_sm3": sm3(linked)}


def signed_message(chain: Sequence[Mapping[str, object]]) -> bytes:
    """Return the bytes that the signature covers."""
    head: Mapping[str, object] = chain[-1] if chain else {"link_sha256": START, "link_sm3": START}
    return canonical({"format": FORMAT, "parts": len(chain), "link_sha256": head["link_sha256"], "link_sm3": head["link_sm3"]})


# Checking


@dataclass(frozen=True, slots=True)
class _Pack:
    """A pack whose shape is right; its values are not yet believed."""

    parts: tuple[Part, ...]
    chain: tuple[Mapping[str, str | None], ...]
    public_key: str
    value: str

    @property
    def tells_sm3(self) -> bool:
        """Tell whether any SM3 digest stands in the chain. SHA-256 links cover their absence, so none can be taken out unseen."""
        return not self.chain or any(entry[key] is not None for entry in self.chain for key in ("sm3", "link_sm3"))


def verify(pack: bytes, check_signature: CheckSignature, trusted_key: bytes | None = None) -> Verification:
    """Return everything in which the pack differs from what was signed; none where it is whole.

    `trusted_key` is the signer's public key, known from elsewhere: without it the pack is only checked against the key that it
    carries, and whoever rewrites all of it can sign it anew.
    """
    try:
        document = parse_strict(pack)
    except (ValueError, RecursionError) as error:
        return _unreadable("file", "JSON in UTF-8, no key twice", str(error).splitlines()[0])
    try:
        spelling = canonical(document)
    except (ValueError, RecursionError) as error:
        return _unreadable("file", "values that a pack can hold", str(error))
    read = _read(document)
    if isinstance(read, Alteration):
        return Verification((read,), (), None, _has_sm3())
    found = [*_spelling_faults(pack, spelling), *_part_faults(read), *_chain_faults(read), *_signature_faults(read, check_signature)]
    if trusted_key is not None and trusted_key.hex() != read.public_key:
        found.append(Alteration("signature", f"the key {fingerprint(trusted_key.hex())}", f"the key {fingerprint(read.public_key)}"))
    return Verification(tuple(found), read.parts, read.public_key, _has_sm3(), read.tells_sm3)


def fingerprint(public_key: str) -> str:
    """Return what people compare: the first 32 hexadecimal digits of the SHA-256 of the key, in fours."""
    digits = sha256(bytes.fromhex(public_key))[:32]
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _has_sm3() -> bool:
    return sm3(b"") is not None


def _unreadable(where: str, expected: str, found: str) -> Verification:
    return Verification((Alteration(where, expected, found),), (), None, _has_sm3())


def _read(document: object) -> _Pack | Alteration:
    """Return the pack, or the first thing that keeps it from being one."""
    if not isinstance(document, dict) or set(document) != {"chain", "format", "parts", "signature"}:
        return Alteration("file", "an object with chain, format, parts, signature", _keys(document))
    if document["format"] != FORMAT:
        return Alteration("format", FORMAT, str(document["format"]))
    parts, chain, signature = document["parts"], document["chain"], document["signature"]
    fault = _list_fault("parts", parts, {"content", "name"}) or _list_fault("chain", chain, _ENTRY_KEYS)
    fault = fault or _digest_fault(chain) or _signature_fault(signature)
    if fault is not None:
        return fault
    return _Pack(tuple(Part(part["name"], part["content"]) for part in parts), tuple(chain), signature["public_key"], signature["value"])


def _list_fault(where: str, entries: object, keys: set[str]) -> Alteration | None:
    if not isinstance(entries, list):
        return Alteration(where, "a list", type(entries).__name__)
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or set(entry) != keys or not isinstance(entry["name"], str):
            return Alteration(f"{where}[{number}]", f"an object with {', '.join(sorted(keys))}", _keys(entry))
    return None


def _digest_fault(chain: Sequence[Mapping[str, object]]) -> Alteration | None:
    for number, entry in enumerate(chain):
        for key in sorted(_ENTRY_KEYS - {"name"}):
            if not _is_digest(entry[key], optional="sm3" in key):
                return Alteration(f"chain[{number}].{key}", "64 lower-case hexadecimal digits", str(entry[key]))
    return None


def _signature_fault(signature: object) -> Alteration | None:
    if not isinstance(signature, dict) or set(signature) != {"algorithm", "public_key", "value"}:
        return Alteration("signature", "an object with algorithm, public_key, value", _keys(signature))
    if signature["algorithm"] != ALGORITHM:
        return Alteration("signature.algorithm", ALGORITHM, str(signature["algorithm"]))
    for key, form in (("public_key", _DIGEST), ("value", _SIGNATURE)):
        if not isinstance(signature[key], str) or not form.match(signature[key]):
            return Alteration(f"signature.{key}", "lower-case hexadecimal digits", str(signature[key]))
    return None


def _keys(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__


def _is_digest(value: object, *, optional: bool) -> bool:
    return (value is None and optional) or (isinstance(value, str) and _DIGEST.match(value) is not None)


def _spelling_faults(pack: bytes, spelling: bytes) -> list[Alteration]:
    if pack == spelling:
        return []
    differing = (place for place, (one, other) in enumerate(zip(pack, spelling, strict=False)) if one != other)
    at = next(differing, min(len(pack), len(spelling)))
    return [Alteration(f"file, byte {at}", "the canonical spelling of its values", "another spelling")]


def _part_faults(pack: _Pack) -> list[Alteration]:
    """Compare every part with its entry of the chain; where they differ, the chain's own link tells which of the two was altered."""
    found = []
    if len(pack.parts) != len(pack.chain):
        found.append(Alteration("parts", f"{len(pack.chain)} parts", f"{len(pack.parts)}"))
    before: Mapping[str, str | None] = {"link_sha256": START, "link_sm3": START}
    for number, (part, entry) in enumerate(zip(pack.parts, pack.chain, strict=False)):
        by_sha256, by_sm3 = _digests(part.content)
        by_sm3 = by_sm3 if pack.tells_sm3 else None
        if part.name != entry["name"] or not _agree(by_sha256, by_sm3, entry):
            meant = _entry(part.name, by_sha256, by_sm3, before)
            if meant["link_sha256"] == entry["link_sha256"]:
                found.append(Alteration(f"chain[{number}]", f"the digests of part {part.name}", "other digests"))
            else:
                expected = f"{entry['name']} with SHA-256 {entry['sha256']}"
                found.append(Alteration(f"part {entry['name']}", expected, f"{part.name} with {by_sha256}"))
        before = entry
    return found


def _agree(by_sha256: str, by_sm3: str | None, entry: Mapping[str, str | None]) -> bool:
    return by_sha256 == entry["sha256"] and (by_sm3 is None or by_sm3 == entry["sm3"])


def _chain_faults(pack: _Pack) -> list[Alteration]:
    """Recompute every link from the entry and the link before it."""
    found = []
    before: Mapping[str, str | None] = {"link_sha256": START, "link_sm3": START}
    for number, entry in enumerate(pack.chain):
        meant = _entry(str(entry["name"]), str(entry["sha256"]), entry["sm3"], before)
        for key in ("link_sha256", "link_sm3") if pack.tells_sm3 else ("link_sha256",):
            if meant[key] is not None and meant[key] != entry[key]:
                found.append(Alteration(f"chain[{number}].{key} ({entry['name']})", str(meant[key]), str(entry[key])))
        before = entry
    return found


def _signature_faults(pack: _Pack, check: CheckSignature) -> list[Alteration]:
    if check(bytes.fromhex(pack.public_key), bytes.fromhex(pack.value), signed_message(pack.chain)):
        return []
    return [Alteration("signature", "a signature of the chain's head by the key in the pack", "one that does not fit")]
