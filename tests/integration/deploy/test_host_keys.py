"""Host keys: taken at first contact where that is asked for, never replaced, and asked for before a password leaves for a real device."""

from __future__ import annotations

import logging
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from paramiko.hostkeys import HostKeys
from pydantic import SecretStr

from app.core.intents import build_intents
from app.edge.known_hosts import keep_key
from app.edge.ssh.access import Access, Limits, Target
from app.edge.ssh.login import open_session
from app.errors import InputError, LoginRefused
from app.settings import read_settings
from app.workflows.hosts import open_gateway
from tests.golden.render.workspace import small_workspace

TARGET = Target("r1", "frr", "cisco_ios", (IPv4Address("198.18.0.1"),), "netops")
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINpl9xrr3Mn1wVLYpBuPNKuHZJIgpm0yJXSpGIxzM4YZ"


def access(fleet, password: str, known_hosts: Path, *, takes_first: bool) -> Access:
    keep = partial(keep_key, known_hosts) if takes_first else None
    return Access(lambda address: None, fleet.endpoint, SecretStr(password), str, known_hosts, Limits(login_s=60, read_s=60), keep_key=keep)


def test_a_key_is_taken_at_first_contact_and_holds_from_then_on(fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    password = fleet.add("r1", "first", "198.18.0.1", "hostname r1\n").password
    known = tmp_path / "known_hosts"
    with pytest.raises(LoginRefused, match="host key"):
        open_session(TARGET, access(fleet, password, known, takes_first=False))
    assert not known.exists()
    with caplog.at_level(logging.WARNING, logger="app.edge.known_hosts"):
        open_session(TARGET, access(fleet, password, known, takes_first=True)).close()
    [line] = known.read_text(encoding="ascii").splitlines()
    assert line.endswith(" waiwang: first contact with r1")
    host, port = fleet.endpoint(IPv4Address("198.18.0.1"))
    assert HostKeys(str(known)).lookup(f"[{host}]:{port}")
    assert "r1: first contact at" in caplog.text
    assert "SHA256:" in caplog.text
    for takes_first in (False, True):
        open_session(TARGET, access(fleet, password, known, takes_first=takes_first)).close()
    assert known.read_text(encoding="ascii").splitlines() == [line]


def test_a_key_that_changed_is_refused_even_where_first_ones_are_taken(fleet, tmp_path: Path) -> None:
    password = fleet.add("r1", "first", "198.18.0.1", "hostname r1\n").password
    known = tmp_path / "known_hosts"
    host, port = fleet.endpoint(IPv4Address("198.18.0.1"))
    known.write_text(f"[{host}]:{port} {OTHER_KEY}\n", encoding="ascii")
    with pytest.raises(LoginRefused, match="host key"):
        open_session(TARGET, access(fleet, password, known, takes_first=True))
    assert known.read_text(encoding="ascii") == f"[{host}]:{port} {OTHER_KEY}\n"


def test_a_key_that_cannot_be_kept_ends_the_session(fleet, tmp_path: Path) -> None:
    password = fleet.add("r1", "first", "198.18.0.1", "hostname r1\n").password
    with pytest.raises(InputError, match="known_hosts: expected a file that can be read and written"):
        open_session(TARGET, access(fleet, password, tmp_path / "none" / "known_hosts", takes_first=True))


def test_without_known_hosts_no_password_leaves_for_a_real_device(tmp_path: Path) -> None:
    environ = {"WAIWANG_SECRET_SSH_PASSWORD": "hush", "WAIWANG_DATABASE_URL": f"sqlite:///{tmp_path / 'w.db'}"}
    workspace = small_workspace("frr")
    intent = build_intents(workspace)["core"]
    real = lambda contact: (IPv4Address("192.0.2.1"), 22)  # noqa: E731  # documentation's own address: nothing is sent to it
    gateway = open_gateway(workspace.plan, read_settings(environ, tmp_path), environ, endpoint=real, limits=Limits(connect_s=0.1))
    with pytest.raises(LoginRefused) as refused:
        gateway.connect(intent, 0)
    assert str(refused.value) == (
        "core: log in: expected known_hosts to recognise it by; found none, so the password would go to whoever answers. "
        "Set WAIWANG_KNOWN_HOSTS; with WAIWANG_HOST_KEYS=first it is filled at first contact."
    )


def test_first_contact_wants_a_file_to_be_kept_in() -> None:
    with pytest.raises(InputError, match=r"WAIWANG_HOST_KEYS: .*expected WAIWANG_KNOWN_HOSTS beside it"):
        read_settings({"WAIWANG_HOST_KEYS": "first"})
    with pytest.raises(InputError, match="expected known or first; found any"):
        read_settings({"WAIWANG_HOST_KEYS": "any"})
    assert read_settings({"WAIWANG_HOST_KEYS": "first", "WAIWANG_KNOWN_HOSTS": "k"}).host_keys == "first"
