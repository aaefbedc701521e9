"""The baseline: what breaks it and where, what does not, and the reports that other tools read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.core.acceptance import FAIL, PASS
from app.core.audit_reports import to_junit, to_sarif
from app.core.baseline import CHECKS, LANGUAGES
from app.core.config_audit import NOT_APPLICABLE, CheckResult, audit_config
from app.core.config_lines import read_lines
from app.core.families import FAMILIES
from app.core.intents import build_intents
from app.edge.templates import read_templates
from app.workflows.render import render
from tests.golden.render.workspace import full_workspace

ROOT = Path(__file__).parents[2]
#: A line that breaks each check, by family; what follows `<` is put into the block of that head.
BREACHES: Mapping[str, Mapping[str, str]] = {
    "telnet-server": {
        "huawei_ar": "telnet server enable",
        "huawei_s": "telnet server enable",
        "huawei_ne": "telnet server enable",
        "h3c_msr": " telnet server enable",
        "h3c_s": " telnet server enable",
    },
    "http-server": {"huawei_ar": "http server enable", "h3c_msr": " ip http enable", "cisco_ios": "ip http server"},
    "https-server": {"huawei_ar": "http secure-server enable", "h3c_msr": " ip https enable", "cisco_ios": "ip http secure-server"},
    "ftp-server": {"huawei_ar": "ftp server enable", "h3c_msr": " ftp server enable", "cisco_ios": "tftp-server flash:x"},
    "open-line": {"huawei_ar": "user-interface con 0\n authentication-mode none", "h3c_msr": "line console 0\n authentication-mode none"},
    "account-services": {
        "huawei_ar": "aaa\n local-user x service-type telnet ssh",
        "h3c_msr": "local-user x class manage\n service-type telnet",
    },
    "reversible-password": {
        "huawei_ar": "aaa\n local-user x password cipher %^%#a%^%#",
        "h3c_msr": "local-user x class manage\n password cipher $c$3$a",
        "cisco_ios": "username x password 7 0822455D0A16",
        "frr": "password telnet",
    },
    "snmp-community": {
        "huawei_ar": "snmp-agent community read cipher %^%#a%^%#",
        "h3c_msr": " snmp-agent community read public",
        "cisco_ios": "snmp-server community public RO",
    },
    "snmp-version": {"huawei_ar": "snmp-agent sys-info version all", "cisco_ios": "snmp-server group old v2c"},
    "snmp-privacy": {"huawei_ar": "snmp-agent group v3 weak authentication", "cisco_ios": "snmp-server group weak v3 auth"},
    "snmp-weak-keys": {"huawei_ar": "snmp-agent usm-user v3 x g authentication-mode md5 cipher %^%#a%^%#"},
    "unused-port": {
        "huawei_ar": "interface GigabitEthernet0/0/20\n undo negotiation auto",
        "h3c_msr": "interface GigabitEthernet0/20\n port link-mode route",
        "cisco_ios": "interface GigabitEthernet0/20\n no ip address",
    },
    "line-description": {
        "huawei_ar": "interface GigabitEthernet0/0/20\n ip address 10.0.0.1 255.255.255.252",
        "huawei_s": "interface Vlanif20\n ip address 10.0.0.1 255.255.255.252",
        "frr": "interface eth20\n ip address 10.0.0.1/30",
    },
    "wireless": {
        "huawei_ar": "interface Wlan-Radio0/0/0",
        "h3c_msr": "interface WLAN-Radio0/1",
        "cisco_ios": "interface Dot11Radio0",
        "frr": "interface wlan0",
    },
    "vpn-leak": {
        "huawei_ar": "ip route-static vpn-instance CZ 0.0.0.0 0.0.0.0 vpn-instance HLW 10.0.0.1",
        "cisco_ios": "ip route vrf CZ 0.0.0.0 0.0.0.0 10.0.0.1 global",
        "frr": "ip route 0.0.0.0/0 10.0.0.1 nexthop-vrf HLW",
    },
    "vty-ssh-only": {"huawei_ar": "user-interface vty 16 20\n acl 2001 inbound\n authentication-mode aaa\n idle-timeout 10 0"},
}
#: What must be there: taking the lines that match away breaks the check.
NEEDED = {
    "ssh-server": ("stelnet server enable", "ssh server enable", "ip ssh version 2"),
    "vty-sources": ("acl 2001 inbound", "ssh server acl", "access-class"),
    "vty-aaa": ("authentication-mode aaa", "authentication-mode scheme", "aaa new-model"),
    "idle-timeout": ("idle-timeout", "idle-timeout", "exec-timeout"),
    "local-account": ("local-user netops password", "local-user netops class", "username"),
    "snmp-sources": ("snmp-agent acl", "snmp-agent group", "snmp-server group"),
    "ntp-server": ("unicast-server", "unicast-server", "ntp server"),
    "ntp-key": ("unicast-server", "unicast-server", "ntp server"),
    "syslog-host": ("info-center loghost 1", "info-center loghost 1", "logging host"),
    "syslog-source": ("loghost source", "loghost source", "logging source"),
    "login-banner": ("header login", "header login", "banner login"),
}
JUDGED = ("huawei_ar", "h3c_msr", "cisco_ios")
#: A device of every family, by the router family of its small city.
RENDERED = {
    "huawei_ar": ("huawei_ar", "u01"),
    "huawei_s": ("huawei_ar", "u01-sw"),
    "huawei_ne": ("huawei_ne", "core"),
    "h3c_msr": ("h3c_msr", "u01"),
    "h3c_s": ("h3c_msr", "u01-sw"),
    "cisco_ios": ("cisco_ios", "u01"),
    "frr": ("frr", "core"),
}


@pytest.fixture(scope="module")
def sound() -> dict[str, str]:
    """Texts that break nothing: rendered ones, with passwords in the form that devices show."""
    templates = read_templates(ROOT)
    texts = {
        family: render(full_workspace(router, switch=name == "u01-sw"), templates, [name])[name]
        for family, (router, name) in RENDERED.items()
    }
    return {family: text.replace("password simple <secret:ssh_password>", "password hash $h$6$abc") for family, text in texts.items()}


def failed(results: tuple[CheckResult, ...]) -> set[str]:
    return {result.check.check_id for result in results if result.verdict == FAIL}


def test_there_are_at_least_twenty_checks_each_with_a_name_of_its_own_in_two_languages() -> None:
    assert len(CHECKS) >= 20
    assert len({check.check_id for check in CHECKS}) == len({check.title for check in CHECKS}) == len({check.title_zh for check in CHECKS})
    assert {check.check_id for check in CHECKS} == {*BREACHES, *NEEDED}


@pytest.mark.parametrize("family", RENDERED)
def test_what_this_product_renders_breaks_no_check(sound: dict[str, str], family: str) -> None:
    results = audit_config("u01", family, sound[family])
    assert failed(results) == set()
    assert any(result.verdict == PASS for result in results)


@pytest.mark.parametrize(("check_id", "family"), [(check_id, family) for check_id, lines in BREACHES.items() for family in lines])
def test_a_line_that_breaks_a_check_is_named_with_its_number(sound: dict[str, str], check_id: str, family: str) -> None:
    wrong = BREACHES[check_id][family]
    text = f"{sound[family]}#\n{wrong}\n" if family not in ("cisco_ios", "frr") else f"{sound[family]}!\n{wrong}\n"
    (result,) = [result for result in audit_config("u01", family, text) if result.check.check_id == check_id]
    assert result.verdict == FAIL
    first = text.count("\n") - wrong.count("\n")
    assert first <= result.breaches[-1].line <= text.count("\n")


@pytest.mark.parametrize(("check_id", "family"), [(check_id, family) for check_id in NEEDED for family in JUDGED])
def test_a_line_that_is_missing_breaks_its_check(sound: dict[str, str], check_id: str, family: str) -> None:
    gone = NEEDED[check_id][JUDGED.index(family)]
    text = "".join(f"{line}\n" for line in sound[family].splitlines() if gone not in line)
    assert check_id in failed(audit_config("u01", family, text))


def test_a_port_that_stands_open_for_its_sub_interfaces_is_used() -> None:
    text = "interface GigabitEthernet0/0/4\n#\ninterface GigabitEthernet0/0/4.101\n description x\n#\n"
    assert "unused-port" not in failed(audit_config("x", "huawei_ar", text))
    assert "unused-port" in failed(audit_config("x", "huawei_ar", text.replace("4.101", "5.101")))


def test_secrets_of_a_line_that_breaks_a_check_are_masked() -> None:
    results = audit_config("x", "cisco_ios", "snmp-server community opensesame RO\nusername u password 7 opensesame\n")
    assert "opensesame" not in to_sarif(results, {}) + to_junit(results, {})
    assert {"snmp-community", "reversible-password"} <= failed(results)


def test_a_family_without_a_language_is_judged_by_nothing() -> None:
    assert {result.verdict for result in audit_config("x", "unheard_of", "hostname x\n")} == {NOT_APPLICABLE}


def test_every_family_is_judged_and_all_but_frr_by_twenty_checks() -> None:
    assert set(LANGUAGES) == set(FAMILIES)
    for family, language in LANGUAGES.items():
        asked = [check.check_id for check in CHECKS if language in check.rules]
        if family == "frr":
            assert asked == ["reversible-password", "line-description", "wireless", "vpn-leak"]
        else:
            assert len(asked) >= 20, family


def test_lines_keep_their_numbers_and_the_heads_of_their_blocks_in_every_indentation() -> None:
    comware = "#\n sysname x\n#\n ssh server enable\n#\nline vty 0 63\n idle-timeout 10 0\n#\n"
    lines = {line.text: (line.number, line.block) for line in read_lines("h3c_msr", comware)}
    assert lines["ssh server enable"] == (4, "")
    assert lines["idle-timeout 10 0"] == (7, "line vty 0 63")


def test_sarif_has_one_result_per_line_and_tells_what_could_not_be_read() -> None:
    results = audit_config("R1", "huawei_ar", "telnet server enable\nsysname R1\n")
    document = json.loads(to_sarif(results, {"R2": "no answer"}))
    run = document["runs"][0]
    telnet = [found for found in run["results"] if found["ruleId"] == "telnet-server"]
    assert telnet[0]["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "R1.cfg"}, "region": {"startLine": 1}}
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= {found["ruleId"] for found in run["results"]}
    assert run["invocations"][0]["executionSuccessful"] is False
    assert to_sarif(results, {}) == to_sarif(results, {})


def test_junit_counts_failures_and_unread_devices() -> None:
    results = audit_config("R1", "huawei_ar", "telnet server enable\nsysname R1 <&>\n")
    suites = ET.fromstring(to_junit(results, {"R2": 'no "answer" <x>'})).findall("testsuite")
    assert suites[0].get("failures") == str(len(failed(results)))
    assert (suites[1].get("name"), suites[1].get("errors")) == ("R2", "1")


def test_every_judged_family_has_intents_that_the_audit_can_read() -> None:
    assert {intent.family for intent in build_intents(full_workspace("huawei_ar", switch=True)).values()} <= set(LANGUAGES)
