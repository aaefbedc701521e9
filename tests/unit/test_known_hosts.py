"""Of a file of known host keys, the lines that concern one device: all of them, and few others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from paramiko.ed25519key import Ed25519Key  # type: ignore[import-untyped]  # paramiko ships no types
from paramiko.hostkeys import HostKeys  # type: ignore[import-untyped]  # paramiko ships no types

from app.edge.known_hosts import file_for, lines_for

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk5ZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVlZWVl"
TEXT = f"""# keys of the city
192.0.2.1 {KEY}
192.0.2.2,192.0.2.3 {KEY}
[192.0.2.1]:2222 {KEY}

192.0.2.1{"0"} {KEY}
*.example {KEY}
@revoked 192.0.2.9 {KEY}
"""
KEPT_ALWAYS = f"*.example {KEY}\n@revoked 192.0.2.9 {KEY}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "known_hosts"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["192.0.2.1"], f"192.0.2.1 {KEY}\n"),
        (["192.0.2.3"], f"192.0.2.2,192.0.2.3 {KEY}\n"),
        (["192.0.2.2", "192.0.2.3"], f"192.0.2.2,192.0.2.3 {KEY}\n"),
        (["[192.0.2.1]:2222"], f"[192.0.2.1]:2222 {KEY}\n"),
        (["192.0.2.77"], ""),
    ],
)
def test_the_lines_of_a_device_are_kept_and_those_that_may_concern_anybody(file: Path, names: list[str], lines: str) -> None:
    assert lines_for(file, names) == lines + KEPT_ALWAYS


def test_a_hashed_line_is_found_by_whoever_looks_it_up(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    hashed = HostKeys.hash_host("192.0.2.5")
    key = Ed25519Key(data=b"".join(len(part).to_bytes(4) + part for part in (b"ssh-ed25519", bytes(range(32)))))
    path.write_text(f"{hashed} {key.get_name()} {key.get_base64()}\n192.0.2.6 {KEY}\n", encoding="utf-8")
    with file_for(path, ["192.0.2.5"]) as few:
        known = HostKeys(str(few))
        assert known.lookup("192.0.2.5") is not None
        assert known.lookup("192.0.2.6") is None


def test_a_file_that_changed_is_read_again_and_one_that_is_gone_is_left_to_others(file: Path) -> None:
    assert lines_for(file, ["192.0.2.8"]) == KEPT_ALWAYS
    file.write_text(f"192.0.2.8 {KEY}\n", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    assert lines_for(file, ["192.0.2.8"]) == f"192.0.2.8 {KEY}\n"
    file.unlink()
    with file_for(file, ["192.0.2.8"]) as few:
        assert few == file
