"""Patches on a real FRR: what is computed is what it takes, and taking it back leaves what was there."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.core.commands import Command, strip_noise
from app.core.intent import DeviceIntent, ManagementIntent
from app.edge.patch import patch, unified_diff
from app.edge.ssh.access import Access, Limits, Target
from app.edge.ssh.login import open_session
from app.errors import CommitRefused
from app.workflows.hosts import Gateway
from app.workflows.way_back import Change, take_back

BOOTSTRAP = """
hostname frr-test
interface eth1
 ip address 198.18.1.2/30
exit
ip route 198.18.9.0/29 198.18.1.1 250
"""
INTENDED = """
hostname frr-test
log syslog informational
no ipv6 forwarding
service integrated-vtysh-config
!
ip route 198.18.9.0/29 198.18.1.1 250
!
interface eth1
 bandwidth 10
 description TO:city:eth1 L:A-1 C:telecom BW:10000
 ip address 198.18.1.2/30
 ip ospf area 0.0.0.0
 ip ospf dead-interval 4
 ip ospf hello-interval 1
 ip ospf network point-to-point
 ip ospf retransmit-interval 1
exit
!
interface eth2
 description RESERVED 100M L:A-1
 shutdown
exit
!
interface eth3
 ip address 198.18.2.1/28
 ip ospf area 0.0.0.1
 ip ospf passive
exit
!
interface lo
 ip address 198.18.0.5/32
 ip ospf area 0.0.0.0
exit
!
router ospf
 ospf router-id 198.18.0.5
 auto-cost reference-bandwidth 1000
 timers throttle spf 20 50 500
 timers throttle lsa all 100
 timers lsa min-arrival 50
 area 0.0.0.1 stub no-summary
exit
!
end
"""
CHANGED = (
    INTENDED.replace("hello-interval 1", "hello-interval 2")
    .replace("dead-interval 4", "dead-interval 8")
    .replace("area 0.0.0.1 stub no-summary", "area 0.0.0.1 stub")
    .replace("RESERVED 100M L:A-1\n shutdown", "TO:u01:eth1 L:A-2\n ip address 198.18.1.9/30\n ip ospf area 0.0.0.1")
    .replace(" ip ospf area 0.0.0.1\n ip ospf passive", " ip ospf area 0.0.0.2")
    .replace("198.18.2.1/28", "198.18.2.17/28")
    .replace("198.18.1.1 250", "198.18.1.1 240")
    .replace("log syslog informational\n", "")
    .replace(" ip ospf network point-to-point\n", "")
    .replace(" bandwidth 10\n", " bandwidth 20\n")
)
STATES = {"bootstrap": BOOTSTRAP, "intended": INTENDED, "changed": CHANGED}


def give(frr, commands: tuple[Command, ...]) -> str:
    return frr.vtysh("configure terminal", *(command.text for command in commands)) if commands else ""


def bring_to(frr, text: str) -> None:
    give(frr, patch("frr", frr.running(), text))


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(STATES, 2)))
def test_a_patch_makes_the_intended_configuration_and_its_reverse_restores_the_one_before(real_frr, before: str, after: str) -> None:
    bring_to(real_frr, STATES[before])
    stood = real_frr.running()

    there = give(real_frr, patch("frr", stood, STATES[after]))
    left = patch("frr", real_frr.running(), STATES[after])
    reached = unified_diff("frr", real_frr.running(), STATES[after], "frr-test")
    back = give(real_frr, patch("frr", real_frr.running(), stood))

    assert (there.strip(), back.strip()) == ("", ""), "FRR refused a line"
    assert (left, reached) == ((), "")
    assert sorted(strip_noise("frr", real_frr.running()).splitlines()) == sorted(strip_noise("frr", stood).splitlines())


def access(fleet, **changes) -> Access:
    given = {"guard": lambda address: None, "endpoint": fleet.endpoint, "password": SecretStr(fleet.device.password), "resolve": str}
    return Access(**{**given, "known_hosts": None, "limits": Limits(login_s=60, read_s=60), **changes})


MANAGEMENT = ManagementIntent("netops", "poller", "sha", "aes128", (IPv4Network("198.18.9.0/29"),), (), (), "", "")
INTENT = DeviceIntent(
    hostname="frr-test",
    family="frr",
    platform="cisco_ios",
    role="county_agg",
    region="1",
    depth=1,
    loopback=None,
    contacts=(IPv4Address("198.18.0.1"),),
    interfaces=(),
    static_routes=(),
    ospf=None,
    management=MANAGEMENT,
    uplink="eth1",
)
#: One login is enough here: nobody is asked for another.
NOBODY = Gateway(False, connect=lambda intent, wait_s: pytest.fail("asked for another login"), require_secrets=list, is_practice=bool)
TARGET = Target("frr-test", "frr", "cisco_ios", (IPv4Address("198.18.0.1"),), "netops")


def test_a_session_with_a_real_vtysh_reads_pushes_and_saves(real_frr, frr_over_ssh) -> None:
    bring_to(real_frr, BOOTSTRAP)
    with open_session(TARGET, access(frr_over_ssh)) as session:
        session.push(patch("frr", session.running(), INTENDED))
        left = patch("frr", session.running(), INTENDED)
        session.save()

    saved = Path(f"/proc/{real_frr.pid}/root/etc/frr/frr.conf").read_text(encoding="utf-8")
    assert left == ()
    assert patch("frr", saved, INTENDED) == ()


def test_a_line_that_a_real_frr_refuses_ends_the_push_with_its_words(real_frr, frr_over_ssh) -> None:
    bring_to(real_frr, INTENDED)
    lines = (Command("interface eth1"), Command("ip ospf area 0.0.0.9", level=1), Command("description never", level=1))
    with open_session(TARGET, access(frr_over_ssh)) as session, pytest.raises(CommitRefused) as refusal:
        session.push(lines)
    assert "line 2 of 3, 'ip ospf area 0.0.0.9'" in str(refusal.value)
    assert "Must remove previous area" in str(refusal.value)
    assert "description never" not in real_frr.running()


@pytest.mark.parametrize("place", [1, 4, 9])
def test_a_real_frr_that_refuses_a_line_midway_runs_what_it_ran_before(real_frr, frr_over_ssh, place: int) -> None:
    """The line that it refuses stands in the middle of a real patch; the way back is read from the device itself."""
    bring_to(real_frr, INTENDED)
    stood = real_frr.running()
    commands = patch("frr", stood, CHANGED)
    assert place < len(commands)
    refused = (*commands[:place], Command("ip ospf no-such-word"), *commands[place:])
    with open_session(TARGET, access(frr_over_ssh)) as session:
        before = session.running()
        with pytest.raises(CommitRefused, match=f"line {place + 1} of {len(refused)}"):
            session.push(refused)
        assert patch("frr", session.running(), before) != () or place == 1, "something is in force"
        standing = take_back(Change(NOBODY, INTENT, before, len(refused), lambda: None), session)
    assert (standing.stands, standing.in_force) == ("as_before", ()), standing.told
    assert sorted(strip_noise("frr", real_frr.running()).splitlines()) == sorted(strip_noise("frr", stood).splitlines())
