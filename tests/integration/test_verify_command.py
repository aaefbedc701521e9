"""What `waiwang verify` says of packs that are whole, altered, or signed by somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.evidence import Part, build_pack, fingerprint
from app.edge.signing import SigningKey, write_key
from tests.samples.command_line import CommandLine

PASSED = (Part("pack", {"line_id": "BZWW-A-0001"}), Part("decision", {"verdict": "pass", "decided_at": "2008-06-20T12:00:00+00:00"}))


@pytest.fixture
def signer(tmp_path: Path) -> SigningKey:
    return write_key(tmp_path / "signer")


def write(folder: Path, name: str, key: SigningKey) -> bytes:
    content = build_pack(PASSED, key.public, key.sign)
    (folder / name).write_bytes(content)
    return content


def test_a_whole_pack_says_whose_key_signed_it(tmp_path: Path, signer: SigningKey) -> None:
    write(tmp_path, "whole.pack", signer)
    ended = CommandLine(tmp_path)("verify", "whole.pack", "--key", "signer.pub")
    assert ended.code == 0
    assert f"signed with {fingerprint(signer.public.hex())} (the key that was given)" in ended.out
    assert "do not rely" not in ended.out


def test_a_pack_signed_by_somebody_else_is_never_said_to_be_signed_with_the_key_that_was_given(tmp_path: Path, signer: SigningKey) -> None:
    other = write_key(tmp_path / "other")
    write(tmp_path, "forged.pack", other)
    ended = CommandLine(tmp_path)("verify", "forged.pack", "--key", "signer.pub")
    assert ended.code == 4
    assert f"altered signature: expected the key {fingerprint(signer.public.hex())}" in ended.out
    assert f"carries the key {fingerprint(other.public.hex())} (not the key that was given)" in ended.out
    assert "signed with" not in ended.out


def test_an_altered_pack_is_not_to_be_relied_on_whatever_verdict_it_names(tmp_path: Path, signer: SigningKey) -> None:
    content = write(tmp_path, "altered.pack", signer)
    (tmp_path / "altered.pack").write_bytes(content.replace(b"2008-06-20", b"2008-06-21"))
    ended = CommandLine(tmp_path)("verify", "altered.pack", "--key", "signer.pub")
    assert ended.code == 4
    assert "altered part decision" in ended.out
    assert ended.out.index("do not rely on this pack") < ended.out.index("line BZWW-A-0001: pass")
