"""Families of devices (vendor and OS generation): how they name interfaces, which roles have templates, what they cannot carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.core.gaps import (
    ASK_VENDOR,
    BY_NODE_INIT,
    COMWARE_HOST_KEY,
    COMWARE_ROLE,
    DIALLED,
    HOST_KEY,
    NARROW_METRIC,
    TUNNELS,
    Gap,
    always,
    filters_isis,
    filters_ospfv3,
    has_aaa,
    has_capped_metric,
    has_priority_queue,
    has_probe,
    has_queues,
    has_radius,
    has_rates,
    has_slow_rates,
    has_throttles,
    has_traps,
    has_vlans,
    has_vpn6,
    has_vpns,
    originates_isis_default6,
)
from app.core.intent import DeviceIntent
from app.errors import Finding

ROUTER_ROLES = ("city_core", "county_agg", "city_unit", "urban_unit", "township_unit")


@dataclass(frozen=True, slots=True)
class Family:
    """One vendor and OS generation.

    `loopback`: name of the loopback interface, None where a device has none. `management`: pattern of the interface that
    holds a management VLAN's address, with `{lan}` and `{vlan}` to fill in. `unsaid`: OSPF values that the device leaves
    out of its own echo because they are its defaults; templates must leave them out too, or no diff is ever empty.
    `dialer`: name of a dialler without its number, None where a family has none of ours.
    `host_key`: what makes the SSH host key at first boot, None where the key is there already.
    `speaks_beside`: OSPF makes neighbours from second addresses of a port too; elsewhere it speaks from the leading one alone.
    `digests`: the plan's words for SNMPv3's digest, and the family's own. `widest_metric`: the greatest metric of IS-IS.
    """

    name: str
    platform: str
    roles: tuple[str, ...]
    loopback: str | None
    management: str
    unsaid: Mapping[str, object]
    host_key: str | None
    gaps: tuple[Gap, ...]
    dialer: str | None = None
    digests: Mapping[str, str] = field(default_factory=lambda: {"sha": "sha"})
    widest_metric: int = 16_777_214
    speaks_beside: bool = False


VRP_DIGESTS = {"sha": "sha", "sha256": "sha2-256"}

#: FRR 8.4 (its limits: tried on 8.4.4).
FRR = Family(
    name="frr",
    digests={"sha": "sha", "sha256": "sha256"},
    widest_metric=NARROW_METRIC,
    speaks_beside=True,
    platform="cisco_ios",
    roles=ROUTER_ROLES,
    loopback="lo",
    management="{lan}.{vlan}",
    unsaid={
        "hello_interval_s": 10,
        "retransmit_interval_s": 5,
        "spf_throttle_ms": (0, 50, 5000),
        "lsa_throttle_ms": 5000,
        "lsa_min_arrival_ms": 1000,
    },
    host_key=None,
    gaps=(
        Gap("SNMP users", always, "no SNMP command in vtysh (net-snmp answers)", BY_NODE_INIT),
        Gap("the SSH account and its permitted sources", always, "no SSH command in vtysh (sshd answers)", BY_NODE_INIT),
        Gap("NTP servers", lambda intent: bool(intent.management.ntp_servers), "no NTP command in vtysh", BY_NODE_INIT),
        Gap(
            "syslog hosts",
            lambda intent: bool(intent.management.syslog_hosts),
            "`log syslog` reaches the local daemon only",
            BY_NODE_INIT,
        ),
        Gap("the login banner", lambda intent: bool(intent.management.banner), "a message of vtysh, after the login", BY_NODE_INIT),
        Gap("committed rates", has_rates, "no policer and no shaper in vtysh", BY_NODE_INIT),
        Gap("VPN instances", has_vpns, "labels and VRFs are the host's kernel's; ports of VPN instances stay shut", BY_NODE_INIT),
        Gap("IPv6 within VPN instances", has_vpn6, "labels and VRFs are the host's kernel's", BY_NODE_INIT),
        Gap("the filter between IS-IS levels", filters_isis, "no word for it: level 1 passes whole", "Put another family at the counties."),
        Gap(
            "IS-IS metrics above 63",
            has_capped_metric,
            "FRR 8.4 names ports before the process in the text it saves, and refuses them then at its own start",
            "Lower routing.isis.reference_bandwidth_mbps where slow lines must differ.",
        ),
        Gap("AAA servers", has_aaa, "no command in vtysh (the host's PAM asks them)", BY_NODE_INIT),
        Gap("QoS classes", has_queues, "no queues in vtysh", BY_NODE_INIT),
        Gap("the probe of the centre", has_probe, "no echo test in vtysh", "Let the poller's own probe stand for it."),
        Gap("SNMP notifications", has_traps, "net-snmp sends them", BY_NODE_INIT),
        Gap("VLAN sub-interfaces", has_vlans, "sub-interfaces are made by the host's kernel", BY_NODE_INIT),
        Gap(
            "the IPv6 default route of IS-IS",
            originates_isis_default6,
            "FRR 8.4 sends it always or never, whether or not the province gives one",
            "Choose OSPF, or put another family at the core.",
        ),
        TUNNELS,
    ),
)

#: Huawei AR with VRP5 (V200R0xx; images from V300R019 on want one more SSH command, see its gaps).
HUAWEI_AR = Family(
    name="huawei_ar",
    digests=VRP_DIGESTS,
    platform="huawei",
    roles=ROUTER_ROLES,
    loopback="LoopBack0",
    management="{lan}.{vlan}",
    unsaid={"reference_bandwidth_mbps": 100, "hello_interval_s": 10, "dead_interval_s": 40, "retransmit_interval_s": 5},
    host_key="rsa local-key-pair create",
    gaps=(
        Gap("SPF and LSA throttles", has_throttles, "VRP's intelligent timers take other values and are not rendered", ASK_VENDOR),
        HOST_KEY,
        *DIALLED,
        Gap(
            "SSH on V300R019 and later",
            always,
            "these images also want `ssh server permit interface`, which older ones refuse",
            "Type it once at first boot where the image wants it.",
        ),
    ),
    dialer="Dialer",
)

#: Huawei S series with VRP5 (V200R0xx).
HUAWEI_S = Family(
    name="huawei_s",
    digests=VRP_DIGESTS,
    platform="huawei",
    roles=("unit_switch",),
    loopback=None,
    management="Vlanif{vlan}",
    unsaid={},
    host_key="rsa local-key-pair create",
    gaps=(
        HOST_KEY,
    ),
)

#: H3C MSR with Comware 7.
H3C_MSR = Family(
    name="h3c_msr",
    platform="hp_comware",
    roles=ROUTER_ROLES,
    loopback="LoopBack0",
    management="{lan}.{vlan}",
    unsaid={"reference_bandwidth_mbps": 100, "hello_interval_s": 10, "dead_interval_s": 40, "retransmit_interval_s": 5},
    host_key="public-key local create rsa",
    gaps=(
        Gap("SPF and LSA throttles", has_throttles, "Comware's schedules take other values and are not rendered", ASK_VENDOR),
        COMWARE_HOST_KEY,
        *DIALLED,
        COMWARE_ROLE,
    ),
    dialer="Dialer",
)

#: H3C switches with Comware 7.
H3C_S = Family(
    name="h3c_s",
    platform="hp_comware",
    roles=("unit_switch",),
    loopback=None,
    management="Vlan-interface{vlan}",
    unsaid={},
    host_key="public-key local create rsa",
    gaps=(COMWARE_HOST_KEY, COMWARE_ROLE),
)

#: Huawei NE with VRP8 (NE40E V800R0xx).
HUAWEI_NE = Family(
    name="huawei_ne",
    digests=VRP_DIGESTS,
    platform="huawei_vrpv8",
    roles=("city_core", "county_agg"),
    loopback="LoopBack0",
    management="{lan}.{vlan}",
    unsaid={"reference_bandwidth_mbps": 100, "hello_interval_s": 10, "dead_interval_s": 40, "retransmit_interval_s": 5},
    host_key="rsa local-key-pair create",
    gaps=(
        Gap("SPF and LSA throttles", has_throttles, "VRP's intelligent timers take other values and are not rendered", ASK_VENDOR),
        HOST_KEY,
        TUNNELS,
        Gap(
            "shaping below a megabit",
            has_slow_rates,
            "`port shaping` counts whole Mbit/s, so outward rates are policed instead",
            "Shape at the line's other end, or let the carrier do it.",
        ),
        Gap(
            "AAA by RADIUS",
            has_radius,
            "VRP8 names RADIUS servers in groups of another grammar; logins stay local",
            "Choose tacacs in management.aaa, or configure the group by hand.",
        ),
        Gap(
            "the limit of a priority class",
            has_priority_queue,
            "`port-queue` shares by weight; a class that goes first is left to the default queues",
            ASK_VENDOR,
        ),
    ),
)

#: Cisco IOS 15 on routers.
CISCO_IOS = Family(
    name="cisco_ios",
    platform="cisco_ios",
    roles=ROUTER_ROLES,
    loopback="Loopback0",
    management="{lan}.{vlan}",
    unsaid={"reference_bandwidth_mbps": 100, "hello_interval_s": 10, "dead_interval_s": 40, "retransmit_interval_s": 5},
    host_key="crypto key generate rsa modulus 2048",
    gaps=(
        Gap(
            "the RSA host key",
            always,
            "`crypto key generate rsa` leaves no line",
            "Type it once, as the bootstrap page says.",
        ),
        Gap(
            "a changed key of the SNMPv3 user",
            always,
            "the running configuration does not show `snmp-server user`, so no comparison sees it",
            "Type the line again by hand after changing the secret.",
        ),
        Gap(
            "the LSA throttle",
            lambda intent: intent.ospf is not None and intent.ospf.lsa_throttle_ms is not None,
            "IOS wants three times, the plan gives one",
            ASK_VENDOR,
        ),
        Gap(
            "IPv6 within VPN instances",
            has_vpn6,
            "`ip vrf` knows IPv4 alone; `vrf definition`, which knows both, would take every port's addresses away while it is changed",
            "Put another family where the VPN needs IPv6; its IPv4 is carried.",
        ),
        Gap(
            "filters of IPv6 prefixes between OSPF areas",
            filters_ospfv3,
            "`ipv6 router ospf` of IOS 15 has no `area filter-list`; the filter towards the province stands",
            "Choose IS-IS, or put another family at the counties, where units' IPv6 must be held within their areas.",
        ),
        *DIALLED,
    ),
    dialer="Dialer",
)

FAMILIES: Mapping[str, Family] = {
    family.name: family for family in (FRR, HUAWEI_AR, HUAWEI_S, HUAWEI_NE, H3C_MSR, H3C_S, CISCO_IOS)
}


def find_gaps(intents: Mapping[str, DeviceIntent]) -> list[Finding]:
    """Return a note for every feature that the intents want of a family and its text cannot carry, one per family and feature."""
    return [
        Finding(
            where="inventory/devices.csv",
            what=f"family {family.name} cannot carry {gap.feature}",
            expected=f"configured by the rendered text on {count} device{'' if count == 1 else 's'}",
            found=gap.found,
            next_step=gap.next_step,
            note=True,
        )
        for family in FAMILIES.values()
        for gap in family.gaps
        if (count := _wanted(family.name, gap, intents.values()))
    ]


def _wanted(family: str, gap: Gap, intents: Iterable[DeviceIntent]) -> int:
    return sum(1 for intent in intents if intent.family == family and gap.is_wanted(intent))
