"""Configurations as devices show them from the factory on: read whole, and left what no device lets go of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.core.config_audit import audit_config
from app.core.config_lines import read_lines
from app.core.factory import without_factory
from app.core.intents import build_intents
from app.core.separation import Evidence, prove_separation
from app.edge.patch import patch, unified_diff
from app.edge.templates import read_templates
from app.workflows.render import render
from tests.golden.render.workspace import full_workspace, small_workspace

ROOT = Path(__file__).parents[2]
AR = """[V200R003C00]
#
 sysname Huawei
#
 board add 0/4 2FE
#
 snmp-agent local-engineid 800007DB03000000000000
 snmp-agent
#
 clock timezone China-Standard-Time minus 08:00:00
#
portal local-server load flash:/portalpage.zip
#
 drop illegal-mac alarm
#
 wlan ac-global carrier id other ac id 0
#
 set cpu-usage threshold 80 restore 75
#
aaa
 authentication-scheme default
 authorization-scheme default
 accounting-scheme default
 domain default
 domain default_admin
 local-user admin password cipher %$%$K8m.Nt84DZ}e#<0`8bmE3Uw}%$%$
 local-user admin service-type http
#
firewall zone Local
 priority 15
#
interface GigabitEthernet0/0/0
 ip address 192.168.1.1 255.255.255.0
#
interface GigabitEthernet0/0/5
 shutdown
#
interface NULL0
#
user-interface con 0
 authentication-mode password
user-interface vty 0 4
user-interface vty 16 20
#
wlan ac
#
return
"""
SWITCH = """#
sysname HUAWEI
#
vlan batch 10
#
cluster enable
ntdp enable
ndp enable
#
drop illegal-mac alarm
#
diffserv domain default
#
drop-profile default
#
aaa
 authentication-scheme default
 authorization-scheme default
 accounting-scheme default
 domain default
 domain default_admin
#
interface Vlanif1
#
interface NULL0
#
user-interface con 0
user-interface vty 0 4
#
return
"""
COMWARE = """#
 version 7.1.064, Release 0427P22
#
 sysname H3C
#
 system-working-mode standard
 xbar load-single
 password-recovery enable
 lpu-type f-series
#
vlan 1
#
interface NULL0
#
interface GigabitEthernet0/5
 port link-mode route
 combo enable copper
#
 scheduler logfile size 16
#
line class vty
 user-role network-operator
#
line con 0
 user-role network-admin
#
line vty 0 63
 user-role network-operator
#
domain system
#
 domain default enable system
#
role name level-0
 description Predefined level-0 role
#
user-group system
#
return
"""
IOS = """Building configuration...

Current configuration : 1234 bytes
!
version 15.4
service timestamps debug datetime msec
service timestamps log datetime msec
!
hostname Router
!
boot-start-marker
boot-end-marker
!
no aaa new-model
!
ip cef
no ipv6 cef
multilink bundle-name authenticated
!
license udi pid CISCO1941/K9 sn FTX1234ABCD
!
redundancy
!
interface Embedded-Service-Engine0/0
 no ip address
 shutdown
!
interface GigabitEthernet0/5
 no ip address
 shutdown
 duplex auto
 speed auto
!
ip forward-protocol nd
!
no ip http server
no ip http secure-server
!
control-plane
!
line con 0
line aux 0
line 2
 no exec
 stopbits 1
line vty 0 4
 login
!
scheduler allocate 20000 1000
!
end
"""
BRIDGED = COMWARE.replace("link-mode route", "link-mode bridge")
FRESH: Mapping[str, str] = {"huawei_ar": AR, "huawei_s": SWITCH, "h3c_msr": COMWARE, "h3c_s": BRIDGED, "cisco_ios": IOS}
#: What a plan takes away from such a device: what somebody set, and nothing that it has from the factory on.
TAKEN = {
    "huawei_ar": ["undo clock timezone", "undo local-user admin", "undo ip address 192.168.1.1 255.255.255.0"],
    "huawei_s": ["undo vlan batch 10"],
    "h3c_msr": [],
    "h3c_s": [],
    "cisco_ios": ["no login"],
}


def wanted(family: str) -> str:
    router = {"huawei_s": "huawei_ar", "h3c_s": "h3c_msr"}.get(family, family)
    device = "u01-sw" if family.endswith("_s") else "t01"
    return render(small_workspace(router, switch=family.endswith("_s")), read_templates(ROOT), [device])[device]


@pytest.mark.parametrize("family", FRESH)
def test_a_fresh_device_is_read_and_loses_nothing_that_it_would_refuse_to_lose(family: str) -> None:
    commands = [command.text for command in patch(family, FRESH[family], wanted(family))]
    assert [text for text in commands if text.startswith(("undo ", "no "))] == TAKEN[family]


#: Sections of the texts above that are the factory's alone.
IDLE: Mapping[str, tuple[str, str]] = {
    "huawei_ar": ("portal local-server", "aaa\n"),
    "huawei_s": ("cluster enable", "interface Vlanif1"),
    "h3c_msr": (" system-working-mode", "interface GigabitEthernet0/5"),
    "h3c_s": ("domain system", "return"),
    "cisco_ios": ("ip forward-protocol", "line vty"),
}


@pytest.mark.parametrize("family", FRESH)
def test_what_a_device_has_from_the_factory_is_no_difference(family: str) -> None:
    text, fresh, (first, last) = wanted(family), FRESH[family], IDLE[family]
    mark = "!" if family == "cisco_ios" else "#"
    shown = f"{text}{mark}\n{fresh[fresh.index(first) : fresh.index(last)]}"
    assert len(shown.splitlines()) > len(text.splitlines()) + 3
    assert patch(family, shown, text) == ()
    assert unified_diff(family, shown, text, "r1") == ""
    assert patch(family, text, shown) == ()


def test_a_switched_port_of_comware_is_read() -> None:
    port = "interface GigabitEthernet0/1\n port link-mode bridge\n"
    assert patch("h3c_s", f"sysname r\n{port}", "sysname r\n") == ()
    routed = [command.text for command in patch("h3c_msr", f"sysname r\n{port}", f"sysname r\n{port}".replace("bridge", "route"))]
    assert routed == ["interface GigabitEthernet0/1", "undo port link-mode", "quit"]


def test_a_port_that_the_plan_says_nothing_of_stays_shut() -> None:
    for family in ("huawei_ar", "cisco_ios"):
        assert not [command for command in patch(family, FRESH[family], wanted(family)) if command.text in ("undo shutdown", "no shutdown")]


def test_a_section_that_the_plan_fills_is_compared_and_emptied_when_it_no_longer_does() -> None:
    for router, section in (("huawei_ar", "domain default_admin"), ("h3c_msr", "domain system")):
        with_aaa = render(full_workspace(router), read_templates(ROOT), ["t01"])["t01"]
        there = [command.text for command in patch(router, FRESH[router], with_aaa)]
        back = [command.text for command in patch(router, with_aaa, wanted(router))]
        assert section in there
        assert section in back
        assert f"undo {section}" not in back


def test_rows_of_the_factory_that_both_sides_have_are_kept() -> None:
    tree = {"wlan ac": {}, "sysname r": {}, "aaa": {"domain default": {}, "domain default_admin": {"authentication-scheme x": {}}}}
    assert without_factory("huawei_ar", tree, {}) == {"sysname r": {}, "aaa": {"domain default_admin": {"authentication-scheme x": {}}}}
    assert without_factory("huawei_ar", tree, tree) == tree
    assert without_factory("frr", tree, {}) == tree


def test_commands_of_the_system_view_behind_a_margin_stand_in_no_block() -> None:
    lines = read_lines("huawei_ar", AR)
    assert {line.blocks for line in lines if line.text.startswith(("sysname", "snmp-agent", "drop", "set cpu"))} == {()}
    assert [line.blocks for line in lines if line.text == "priority 15"] == [("firewall zone Local",)]


@pytest.mark.parametrize(("family", "word"), [("huawei_ar", "ipv4-family unicast"), ("h3c_msr", "address-family ipv4 unicast")])
def test_a_mark_behind_a_blank_parts_families_and_ends_no_section(family: str, word: str) -> None:
    text = f"#\nbgp 64512\n peer 10.0.0.1 as-number 64600\n #\n {word}\n  peer 10.0.0.1 enable\n #\n {word} x\n  peer 10.0.0.1 enable\n#\n"
    assert {line.blocks[0] for line in read_lines(family, text) if line.text != "bgp 64512"} == {"bgp 64512"}
    assert patch(family, text, text.replace(" #\n", "")) == ()


def test_a_process_is_taken_away_once() -> None:
    running = "#\nsysname r\n#\nbgp 64512\n router-id 10.0.0.1\n peer 10.0.0.2 as-number 64600\n#\n"
    for family in ("huawei_ar", "huawei_ne"):
        assert [command.text for command in patch(family, running, "sysname r\n")].count("undo bgp") == 1


def test_a_new_name_of_ios_takes_the_place_of_the_old_one() -> None:
    assert [command.text for command in patch("cisco_ios", "hostname Router\n", "hostname r1\n")] == ["hostname r1"]


def test_the_idle_controller_of_an_ar_is_no_wireless_network_and_a_busy_one_is() -> None:
    verdicts = {result.check.check_id: result.verdict for result in audit_config("r", "huawei_ar", AR)}
    assert verdicts["wireless"] == "pass"
    busy = AR.replace("wlan ac\n#", "wlan ac\n service-set name guests id 1\n#\nwlan global country-code cn\n#")
    assert {result.check.check_id: result.verdict for result in audit_config("r", "huawei_ar", busy)}["wireless"] == "fail"
    workspace = small_workspace("huawei_ar")
    intent = build_intents(workspace)["t01"]
    for text, expected in ((AR, "not_proven"), (busy, "fail")):
        (proof,) = [one for one in prove_separation(workspace, {"t01": Evidence(intent, text, {})}) if one.proof_id == "wireless"]
        assert proof.verdict == expected
