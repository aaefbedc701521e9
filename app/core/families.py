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


def _has_rates(intent: DeviceIntent) -> bool:
    return any(port.in_kbps or port.out_kbps for port in intent.interfaces)


def _has_throttles(intent: DeviceIntent) -> bool:
    return intent.ospf is not None and any((intent.ospf.spf_throttle_ms, intent.ospf.lsa_throttle_ms, intent.ospf.lsa_min_arrival_ms))


def _has_vlans(intent: DeviceIntent) -> bool:
    return any(port.vlan for port in intent.interfaces)


def _has_tunnels(intent: DeviceIntent) -> bool:
    return any(port.access_method in ("vpdn_l2tp", "internet_ipsec") for port in intent.interfaces)


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
        _TUNNELS,
        Gap(
            "SSH on V300R019 and later",
            _always,
            "these images also want `ssh server permit interface`, which older ones refuse",
            "Type it once at first boot where the image wants it.",
        ),
    ),
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

#: H3C MSR with Comware 7.
H3C = Family(
    name="h3c",
    platform="hp_comware",
    roles=ROUTER_ROLES,
    loopback="LoopBack0",
    management="{lan}.{vlan}",
    unsaid={"reference_bandwidth_mbps": 100, "hello_interval_s": 10, "dead_interval_s": 40, "retransmit_interval_s": 5},
    host_key="public-key local create rsa",
    gaps=(
        Gap("SPF and LSA throttles", _has_throttles, "Comware's schedules take other values and are not rendered", _ASK_VENDOR),
        Gap(
            "the SSH host key",
            _always,
            "`public-key local create rsa` asks questions and leaves no line",
            "Type it once, as the bootstrap page says.",
        ),
        _TUNNELS,
        Gap(
            "SNMP notifications",
            lambda intent: intent.management.notify is not None,
            "informs want the receiver's engine and a second user under it, which is not rendered for Comware",
            "Nothing to do: changes on these devices are seen by the poll schedule.",
        ),
        Gap(
            "the account's first role",
            _always,
            "Comware gives a new account the role network-operator beside ours and shows it",
            "Remove it once by hand: `undo authorization-attribute user-role network-operator`.",
        ),
    ),
)

FAMILIES: Mapping[str, Family] = {family.name: family for family in (FRR, HUAWEI_AR, HUAWEI_S, H3C)}


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
