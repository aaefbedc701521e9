"""Everything that a plan may ask for stands in the text of every family and role, or `waiwang check` says that it cannot."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from app.core.families import FAMILIES, ROUTER_ROLES, find_gaps
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.workspace import Workspace
from app.edge.templates import read_templates
from app.workflows.render import render
from tests.golden.render.workspace import full_workspace, isis_workspace

ROOT = Path(__file__).parents[2]
PES = ("city_core", "county_agg")
EVERYWHERE = (*ROUTER_ROLES, "unit_switch")
#: Routers of a city by the family of its core; its switches.
CITIES = {"frr": "frr", "huawei_ar": "huawei_ar", "huawei_ne": "huawei_ar", "h3c_msr": "h3c_msr", "cisco_ios": "cisco_ios"}
BUILDS: Mapping[str, Callable[..., Workspace]] = {"ospf": full_workspace, "isis": isis_workspace}


@dataclass(frozen=True, slots=True)
class Feature:
    """What a line shows, by vendor's language, and where it is wanted. `gap`: how the note of a family without it names it."""

    name: str
    roles: tuple[str, ...]
    lines: Mapping[str, str]
    gap: str = "-"
    igp: str = ""


LANGUAGES = {"huawei_ar": "vrp", "huawei_s": "vrp", "huawei_ne": "vrp", "h3c_msr": "comware", "h3c_s": "comware", "cisco_ios": "ios"}
LANGUAGES["frr"] = "frr"


def _row(name: str, roles: tuple[str, ...], gap: str = "-", igp: str = "", **lines: str) -> Feature:
    return Feature(name, roles, lines, gap, igp)


FEATURES = (
    _row("hostname", EVERYWHERE, vrp=r"^sysname \S", comware=r"^sysname \S", ios=r"^hostname \S", frr=r"^hostname \S"),
    _row("line id", ROUTER_ROLES, vrp=r" L:\S+ ", comware=r" L:\S+ ", ios=r" L:\S+ ", frr=r" L:\S+ "),
    _row(
        "rate in", ROUTER_ROLES, "committed rates",
        vrp=r"^ qos car (?:inbound cir \d+|cir \d+ inbound)$", comware=r"^ qos car inbound any cir \d+$",
        ios=r"service-policy input POLICE",
    ),
    _row(
        "rate out", ROUTER_ROLES, "committed rates",
        vrp=r"^ qos (?:gts cir \d+|car cir \d+ outbound)$", comware=r"^ qos lr outbound cir \d+$", ios=r"service-policy output SHAPE",
    ),
    _row(
        "reserved port", PES,
        vrp=r"RESERVED.*\n shutdown", comware=r"RESERVED.*\n shutdown", ios=r"RESERVED.*\n shutdown", frr=r"RESERVED.*\n shutdown",
    ),
    _row(
        "OSPF", ROUTER_ROLES, igp="ospf",
        vrp=r"^ospf 1 router-id", comware=r"^ospf 1 router-id", ios=r"^router ospf 1$", frr=r"^router ospf$",
    ),
    _row("OSPFv3", ROUTER_ROLES, igp="ospf", vrp=r"^ospfv3 1$", comware=r"^ospfv3 1$", ios=r"^ipv6 router ospf 1$", frr=r"^router ospf6$"),
    _row("IS-IS", ROUTER_ROLES, igp="isis", vrp=r"^ network-entity 49", comware=r"^ network-entity 49", ios=r"^ net 49", frr=r"^ net 49"),
    _row(
        "IS-IS keys", ROUTER_ROLES, igp="isis", vrp=r"^ isis authentication-mode md5 cipher <secret:isis_key>",
        comware=r"^ isis authentication-mode md5 plain <secret:isis_key>",
        ios=r"^  key-string <secret:isis_key>", frr=r"^ isis password md5",
    ),
    _row(
        "IPv6", ROUTER_ROLES,
        vrp=r"^ ipv6 address 2001", comware=r"^ ipv6 address 2001", ios=r"^ ipv6 address 2001", frr=r"^ ipv6 address 2001",
    ),
    _row(
        "BGP to the province", ("city_core",),
        vrp=r"^ peer 198.18.200.1 as-", comware=r"^ peer 198.18.200.1 as-", ios=r"^ neighbor 198.18.200.1 rem",
        frr=r"^ neighbor 198.18.200.1 rem",
    ),
    _row(
        "national filter", ("city_core",),
        vrp=r"route-policy NATIONAL export", comware=r"route-policy NATIONAL export", ios=r"route-map NATIONAL out",
        frr=r"route-map NATIONAL out",
    ),
    _row(
        "area filter", ("county_agg",), igp="ospf",
        vrp=r"filter ip-prefix ASSIGNED", comware=r"filter prefix-list ASSIGNED", ios=r"filter-list prefix ASSIGNED",
        frr=r"filter-list prefix ASSIGNED",
    ),
    _row(
        "level filter", ("county_agg",), "the filter between IS-IS levels", "isis",
        vrp=r"level-1 into level-2 filter", comware=r"level-1 into level-2 filter", ios=r"level-1 into level-2 route-map",
    ),
    _row(
        "IPv6 to the province", ("city_core",),
        vrp=r"^  peer 2001:DB8:FFFF:: enable$", comware=r"^  peer 2001:DB8:FFFF:: enable$",
        ios=r"^  neighbor 2001:DB8:FFFF:: activate$", frr=r"^  neighbor 2001:db8:ffff:: activate$",
    ),
    _row(
        "national IPv6 filter", ("city_core",),
        vrp=r"route-policy NATIONAL6 export", comware=r"route-policy NATIONAL6 export", ios=r"route-map NATIONAL6 out",
        frr=r"route-map NATIONAL6 out",
    ),
    _row(
        "IPv6 default route", ("city_core",), igp="ospf",
        vrp=r"^ospfv3 1\n router-id \S+\n default-route-advertise", comware=r"^ospfv3 1\n router-id \S+\n default-route-advertise",
        ios=r"^ipv6 router ospf 1\n(?: .*\n)* default-information originate",
        frr=r"^router ospf6\n(?: .*\n)* default-information originate",
    ),
    _row(
        "IPv6 default route by IS-IS", ("city_core",), "the IPv6 default route of IS-IS", "isis",
        vrp=r"ipv6 default-route-advertise match default", comware=r"default-route-advertise route-policy DEFAULT6",
        ios=r"default-information originate route-map DEFAULT6",
    ),
    _row(
        "IPv6 area filter", ("county_agg",), "filters of IPv6 prefixes between OSPF areas", "ospf",
        vrp=r"filter ipv6-prefix ASSIGNED6", comware=r"  filter prefix-list ASSIGNED6", frr=r"filter-list prefix ASSIGNED6",
    ),
    _row(
        "IPv6 level filter", ("county_agg",), "the filter between IS-IS levels", "isis",
        vrp=r"ipv6 import-route isis level-1 into level-2 filter", comware=r"isisv6 level-1 into level-2 filter",
        ios=r"level-1 into level-2 distribute-list ASSIGNED6",
    ),
    _row("VPN instances", PES, "VPN instances", vrp=r"^ip vpn-instance CZ", comware=r"^ip vpn-instance CZ", ios=r"^ip vrf CZ"),
    _row(
        "VPN port", PES, "VPN instances",
        vrp=r"vpn-instance CZ\n ip address", comware=r"vpn-instance CZ\n ip address", ios=r"vrf forwarding CZ\n ip address",
    ),
    _row(
        "VPN on a unit's line", ("urban_unit",), "VPN instances",
        vrp=r"vpn-instance CZ\n ip address 10\.9\.16\.2 ", comware=r"vpn-instance CZ\n ip address 10\.9\.16\.2 ",
        ios=r"vrf forwarding CZ\n ip address 10\.9\.16\.2 ",
    ),
    _row(
        "VPN route", ("county_agg",), "VPN instances",
        vrp=r"^ip route-static vpn-instance CZ 10\.9\.", comware=r"^ip route-static vpn-instance CZ 10\.9\.",
        ios=r"^ip route vrf CZ 10\.9\.",
    ),
    _row("labels", PES, "VPN instances", vrp=r"^ mpls ldp$", comware=r"^ mpls ldp enable$", ios=r"^ mpls ip$"),
    _row(
        "QoS", ROUTER_ROLES, "QoS classes",
        vrp=r"traffic-policy LINE|port-queue af4", comware=r"qos apply policy LINE", ios=r"^  service-policy LINE",
    ),
    _row(
        "probe", tuple(role for role in ROUTER_ROLES if role != "city_core"), "the probe of the centre",
        vrp=r"^nqa test-instance", comware=r"^nqa entry", ios=r"^ip sla 1$",
    ),
    _row("SNMPv3", EVERYWHERE, "SNMP users", vrp=r"usm-user v3 poller", comware=r"usm-user v3 poller", ios=r"snmp-server user poller"),
    _row("SNMP ACL", EVERYWHERE, "SNMP users", vrp=r"^snmp-agent acl 2001", comware=r"privacy acl 2001", ios=r"access MANAGERS"),
    _row(
        "informs", EVERYWHERE, "SNMP notifications",
        vrp=r"target-host inform", comware=r"target-host inform", ios=r"snmp-server host \S+ informs",
    ),
    _row(
        "traps", EVERYWHERE, "SNMP notifications",
        vrp=r"target-host trap", comware=r"target-host trap", ios=r"snmp-server host \S+ version 3",
    ),
    _row(
        "NTP", EVERYWHERE, "NTP servers",
        vrp=r"unicast-server \S+ authentication-keyid 1", comware=r"unicast-server \S+ authentication-keyid 1",
        ios=r"^ntp server \S+ key 1",
    ),
    _row("syslog", EVERYWHERE, "syslog hosts", vrp=r"^info-center loghost \d", comware=r"^info-center loghost \d", ios=r"^logging host"),
    _row(
        "AAA", EVERYWHERE, "AAA",
        vrp=r"authentication-mode (?:hwtacacs|radius) local", comware=r"login \S+-scheme waiwang local",
        ios=r"default group WAIWANG local",
    ),
    _row(
        "SSH only", EVERYWHERE, "the SSH account",
        vrp=r"protocol inbound ssh", comware=r"protocol inbound ssh", ios=r"transport input ssh",
    ),
    _row("banner", EVERYWHERE, "the login banner", vrp=r"^header login", comware=r"^header login", ios=r"^banner login"),
    _row("unused ports", ("unit_switch",), vrp=r"UNUSED\n shutdown", comware=r"UNUSED\n shutdown"),
)


@cache
def _city(router: str, igp: str) -> tuple[dict[str, DeviceIntent], dict[str, str], list[str]]:
    workspace = BUILDS[igp](router, switch=router in ("huawei_ar", "h3c_msr"))
    intents = build_intents(workspace)
    return intents, render(workspace, read_templates(ROOT)), [note.what for note in find_gaps(intents)]


def _cases() -> list[tuple[str, str, str]]:
    return [(router, igp, name) for router in CITIES for igp in BUILDS for name in _city(router, igp)[0]]


def missing(family: str, role: str, igp: str, text: str, notes: list[str]) -> list[str]:
    """Return the features that neither the text shows nor a note of the family names."""
    found = []
    for feature in FEATURES:
        if role not in feature.roles or feature.igp not in ("", igp):
            continue
        pattern = feature.lines.get(LANGUAGES[family])
        is_said = pattern is not None and re.search(pattern, text, re.MULTILINE)
        is_noted = any(note.startswith(f"family {family} cannot carry {feature.gap}") for note in notes)
        if not is_said and not is_noted:
            found.append(feature.name)
    return found


@pytest.mark.parametrize(("router", "igp", "device"), _cases())
def test_every_feature_is_said_or_noted(router: str, igp: str, device: str) -> None:
    intents, texts, notes = _city(router, igp)
    intent = intents[device]
    assert missing(intent.family, intent.role, igp, texts[device], notes) == []


def test_every_family_and_role_that_has_a_template_is_looked_at() -> None:
    seen = {(intent.family, intent.role) for router in CITIES for intent in _city(router, "ospf")[0].values()}
    assert seen == {(family.name, role) for family in FAMILIES.values() for role in family.roles}


def test_a_feature_that_falls_out_of_a_text_is_missed() -> None:
    intents, texts, notes = _city("huawei_ar", "ospf")
    text = texts["t01"].replace("header login", "header logon").replace("qos gts", "qos gtx")
    assert missing("huawei_ar", intents["t01"].role, "ospf", text, notes) == ["rate out", "banner"]
