"""The safety rule, asked of the real kernel; no test here sends a packet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.edge.guard import LAB_ALIAS, LAB_BRIDGE, guard_all, require_safe
from app.errors import ExitCode, UnsafeRoute
from tests.samples.required import skip_or_fail

ROOT = Path(__file__).parents[2]
LAB_ADDRESS = "198.18.0.1"
QUESTION = """
import sys
from app.edge.guard import require_safe
from app.errors import UnsafeRoute
try:
    require_safe(sys.argv[1], illustration=False)
    print("safe")
except UnsafeRoute as refusal:
    print(refusal)
"""


def in_namespace(*links: str, ask: str = LAB_ADDRESS, question: str = QUESTION) -> subprocess.CompletedProcess[str]:
    """Put the question in a fresh network namespace after these `ip` commands; it prints `safe` or the refusal."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        skip_or_fail("needs root, unshare and ip to make a network namespace")
    script = "\n".join(["set -e", *(f"ip {link}" for link in links), 'exec "$0" -c "$1" "$2"'])
    command = ["unshare", "-n", "sh", "-c", script, sys.executable, question, ask]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


def veth(name: str, *extra: str) -> tuple[str, ...]:
    made = (f"link add {name} type veth peer name far0", f"link set {name} up", "link set far0 up")
    return (*made, *extra, f"route add 198.18.0.0/15 dev {name}")


def test_loopback_is_always_safe() -> None:
    require_safe("127.4.5.6", illustration=False)
    require_safe("127.4.5.6", illustration=True)


def test_no_address_of_an_illustration_is_contacted() -> None:
    with pytest.raises(UnsafeRoute, match=r"10\.1\.2\.3: contact with a device of an illustration"):
        require_safe("10.1.2.3", illustration=True)


def test_an_address_outside_the_lab_is_left_to_a_plan_that_is_no_illustration() -> None:
    require_safe("10.1.2.3", illustration=False)


def test_a_client_in_the_root_namespace_is_refused() -> None:
    with pytest.raises(UnsafeRoute, match="from outside the lab") as refusal:
        require_safe(LAB_ADDRESS, illustration=False)
    assert "waiwang lab exec noc -- waiwang" in str(refusal.value)
    assert refusal.value.exit_code is ExitCode.DEVICE


def test_one_unsafe_address_among_many_refuses_them_all() -> None:
    with pytest.raises(UnsafeRoute, match=r"^172\.20\.20\.9:"):
        guard_all(["127.0.0.1", "10.9.9.9", "172.20.20.9"], illustration=False)


def test_without_any_route_the_lab_is_refused() -> None:
    assert "no route at all" in in_namespace("link set lo up").stdout


def test_an_unreachable_route_is_refused() -> None:
    assert "no route at all" in in_namespace("link set lo up", "route add unreachable 198.18.0.0/15").stdout


def test_a_route_by_a_marked_interface_is_safe() -> None:
    assert in_namespace(*veth("eth1", f"link set eth1 alias {LAB_ALIAS}")).stdout == "safe\n"


def test_a_route_by_an_unmarked_interface_is_refused() -> None:
    assert "through eth1, which is none of the lab's" in in_namespace(*veth("eth1")).stdout


def test_an_alias_that_only_begins_like_the_labs_is_refused() -> None:
    assert "through eth1" in in_namespace(*veth("eth1", f"link set eth1 alias {LAB_ALIAS}-uplink")).stdout


def test_containerlabs_bridge_is_known_by_its_name() -> None:
    links = (f"link add {LAB_BRIDGE} type bridge", f"link set {LAB_BRIDGE} up", f"addr add 172.20.20.1/24 dev {LAB_BRIDGE}")
    assert in_namespace(*links, ask="172.20.20.9").stdout == "safe\n"


def test_the_labs_own_address_on_this_machine_is_safe() -> None:
    assert in_namespace("link set lo up", f"addr add {LAB_ADDRESS}/32 dev lo").stdout == "safe\n"


def test_many_devices_behind_one_interface_cost_one_question_each_and_one_more() -> None:
    """A cycle of thousands passes here each minute: one connection to the kernel, a route each, the interface once."""
    question = """
import socket

class Counted(socket.socket):
    opened = asked = 0
    def __init__(self, *arguments):
        Counted.opened += 1
        super().__init__(*arguments)
    def send(self, question):
        Counted.asked += 1
        return super().send(question)

socket.socket = Counted
from app.edge.guard import guard_all
guard_all([f"198.18.{index >> 8}.{index & 255}" for index in range(2000)], illustration=False)
print(Counted.opened, Counted.asked)
"""
    answer = in_namespace(*veth("eth1", f"link set eth1 alias {LAB_ALIAS}"), question=question)
    assert answer.stdout.split() == ["1", "2001"]
