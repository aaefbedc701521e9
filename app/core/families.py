"""Families of devices (vendor and OS generation): how they name interfaces, which roles have templates, what they cannot carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.core.intent import DeviceIntent
from app.errors import Finding

ROUTER_ROLES = ("city_core", "county_agg", "city_unit", "urban_unit", "township_unit")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that an intent may want and the family's configuration text cannot say."""

    feature: str
    is_wanted: Callable[[DeviceIntent], bool]
    found: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Family:
    """One vendor and OS generation.

    `loopback`: name of the loopback interface, None where a device has none. `management`: pattern of the interface that
    holds a management VLAN's address, with `{lan}` and `{vlan}` to fill in. `unsaid`: OSPF values that the device leaves
    out of its own echo because they are its defaults; templates must leave them out too, or no diff is ever empty.
    `dialer`: name of a dialler without its number, None where a family has none of ours.
    `host_key`: what makes the SSH host key at first boot, None where the key is there already.
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


def _has_rates(intent: DeviceIntent) -> bool:
    return any(port.in_kbps or port.out_kbps for port in intent.interfaces)


def _has_throttles(intent: DeviceIntent) -> bool:
    return intent.ospf is not None and any((intent.ospf.spf_throttle_ms, intent.ospf.lsa_throttle_ms, intent.ospf.lsa_min_arrival_ms))


def _has_vlans(intent: DeviceIntent) -> bool:
    return any(port.vlan for port in intent.interfaces)


def _has_tunnels(intent: DeviceIntent) -> bool:
    return any(port.access_method in ("vpdn_l2tp", "internet_ipsec") for port in intent.interfaces)


def _has_ipsec(intent: DeviceIntent) -> bool:
    return any(port.access_method == "internet_ipsec" for port in intent.interfaces)


def _ends_dialled_lines(intent: DeviceIntent) -> bool:
    return any(port.access_method == "vpdn_l2tp" and port.dialer is None for port in intent.interfaces)


def _has_vpns(intent: DeviceIntent) -> bool:
    return bool(intent.vpns)


def _has_queues(intent: DeviceIntent) -> bool:
    return bool(intent.policies)


def _has_priority_queue(intent: DeviceIntent) -> bool:
    return any(one.priority for policy in intent.policies for one in policy.classes)


def _has_probe(intent: DeviceIntent) -> bool:
    return intent.probe is not None


def _has_traps(intent: DeviceIntent) -> bool:
    return bool(intent.management.trap_hosts)


def _has_slow_rates(intent: DeviceIntent) -> bool:
    return any(port.out_kbps for port in intent.interfaces)


def _always(_: DeviceIntent) -> bool:
    return True


_BY_NODE_INIT = "The lab's node init sets it from the same intent; on any other FRR host set it outside this product."
_ASK_VENDOR = "Try it on one device of the family and correct the template before the first rollout."
_HOST_KEY = Gap(
    "the RSA host key",
    _always,
    "`rsa local-key-pair create` asks questions and leaves no line",
    "Type it once, as the bootstrap page says.",
)
_TUNNELS = Gap(
    "dialled or tunnelled access (vpdn_l2tp, internet_ipsec)",
    _has_tunnels,
    "the line is rendered as an interface with an address of its own",
    "Terminate the tunnel outside these devices, or order the line as bridged_pvc.",
)

#: Families with a dialler carry the unit's end of a dialled line; the other end is the carrier's or a server of its own.
_DIALLED = (
    Gap(
        "Internet access by IPsec (internet_ipsec)",
        _has_ipsec,
        "the line is rendered as an interface with an address of its own",
        "End the tunnel outside these devices, or order the line as bridged_pvc or vpdn_l2tp.",
    ),
    Gap(
        "the far end of dialled lines (vpdn_l2tp)",
        _ends_dialled_lines,
        "the upper end is rendered as an interface with an address of its own, not as an L2TP server",
        "Let the carrier's L2TP server hand out the address that the ledger holds for the unit's end.",
    ),
)

#: FRR 8.4 (its limits: tried on 8.4.4).
FRR = Family(
    name="frr",
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
        Gap("SNMP users", _always, "no SNMP command in vtysh (net-snmp answers)", _BY_NODE_INIT),
        Gap("the SSH account and its permitted sources", _always, "no SSH command in vtysh (sshd answers)", _BY_NODE_INIT),
        Gap("NTP servers", lambda intent: bool(intent.management.ntp_servers), "no NTP command in vtysh", _BY_NODE_INIT),
        Gap(
            "syslog hosts",
            lambda intent: bool(intent.management.syslog_hosts),
            "`log syslog` reaches the local daemon only",
            _BY_NODE_INIT,
        ),
        Gap("the login banner", lambda intent: bool(intent.management.banner), "a message of vtysh, after the login", _BY_NODE_INIT),
        Gap("committed rates", _has_rates, "no policer and no shaper in vtysh", _BY_NODE_INIT),
        Gap("VPN instances", _has_vpns, "labels and VRFs need the host's kernel and are not rendered", _BY_NODE_INIT),
        Gap("QoS classes", _has_queues, "no queues in vtysh", _BY_NODE_INIT),
        Gap("the probe of the centre", _has_probe, "no echo test in vtysh", "Let the poller's own probe stand for it."),
        Gap("SNMP notifications", _has_traps, "net-snmp sends them", _BY_NODE_INIT),
        Gap("VLAN sub-interfaces", _has_vlans, "sub-interfaces are made by the host's kernel", _BY_NODE_INIT),
        _TUNNELS,
    ),
)

#: Huawei AR with VRP5 (V200R0xx; images from V300R019 on want one more SSH command, see its gaps).
HUAWEI_AR = Family(
    name="huawei_ar",
    platform="huawei",
    roles=ROUTER_ROLES,
    loopback="LoopBack0",
    management="{lan}.{vlan}",
    unsaid={"reference_bandwidth_mbps": 100, "hello_interval_s": 10, "dead_interval_s": 40, "retransmit_interval_s": 5},
    host_key="rsa local-key-pair create",
    gaps=(
        Gap("SPF and LSA throttles", _has_throttles, "VRP's intelligent timers take other values and are not rendered", _ASK_VENDOR),
        _HOST_KEY,
        *_DIALLED,
        Gap(
            "SSH on V300R019 and later",
            _always,
            "these images also want `ssh server permit interface`, which older ones refuse",
            "Type it once at first boot where the image wants it.",
        ),
    ),
    dialer="Dialer",
)

#: Huawei S series with VRP5 (V200R0xx).
HUAWEI_S = Family(
    name="huawei_s",
    platform="huawei",
    roles=("unit_switch",),
    loopback=None,
    management="Vlanif{vlan}",
    unsaid={},
    host_key="rsa local-key-pair create",
    gaps=(
        _HOST_KEY,
    ),
)

_INFORMS = Gap(
    "SNMP informs",
    lambda intent: intent.management.notify is not None,
    "informs want the receiver's engine and a second user under it, which is not rendered for this family",
    "Nothing to do: changes on these devices are seen by the poll schedule.",
)
_COMWARE_HOST_KEY = Gap(
    "the SSH host key",
    _always,
    "`public-key local create rsa` asks questions and leaves no line",
    "Type it once, as the bootstrap page says.",
)
_COMWARE_ROLE = Gap(
    "the account's first role",
    _always,
    "Comware gives a new account the role network-operator beside ours and shows it",
    "Remove it once by hand: `undo authorization-attribute user-role network-operator`.",
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
        Gap("SPF and LSA throttles", _has_throttles, "Comware's schedules take other values and are not rendered", _ASK_VENDOR),
        _COMWARE_HOST_KEY,
        _INFORMS,
        *_DIALLED,
        _COMWARE_ROLE,
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
    gaps=(_COMWARE_HOST_KEY, _INFORMS, _COMWARE_ROLE),
)

#: Huawei NE with VRP8 (NE40E V800R0xx).
HUAWEI_NE = Family(
    name="huawei_ne",
    platform="huawei_vrpv8",
    roles=("city_core", "county_agg"),
    loopback="LoopBack0",
    management="{lan}.{vlan}",
    unsaid={"reference_bandwidth_mbps": 100, "hello_interval_s": 10, "dead_interval_s": 40, "retransmit_interval_s": 5},
    host_key="rsa local-key-pair create",
    gaps=(
        Gap("SPF and LSA throttles", _has_throttles, "VRP's intelligent timers take other values and are not rendered", _ASK_VENDOR),
        _HOST_KEY,
        _TUNNELS,
        Gap(
            "shaping below a megabit",
            _has_slow_rates,
            "`port shaping` counts whole Mbit/s, so outward rates are policed instead",
            "Shape at the line's other end, or let the carrier do it.",
        ),
        _INFORMS,
        Gap(
            "the limit of a priority class",
            _has_priority_queue,
            "`port-queue` shares by weight; a class that goes first is left to the default queues",
            _ASK_VENDOR,
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
            _always,
            "`crypto key generate rsa` leaves no line",
            "Type it once, as the bootstrap page says.",
        ),
        Gap(
            "a changed key of the SNMPv3 user",
            _always,
            "the running configuration does not show `snmp-server user`, so no comparison sees it",
            "Type the line again by hand after changing the secret.",
        ),
        Gap(
            "the LSA throttle",
            lambda intent: intent.ospf is not None and intent.ospf.lsa_throttle_ms is not None,
            "IOS wants three times, the plan gives one",
            _ASK_VENDOR,
        ),
        _INFORMS,
        *_DIALLED,
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
