"""What an intent may want and a family's text cannot say: the test for each, and the gaps that families share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.core.intent import DeviceIntent

#: The greatest metric of IS-IS before it was widened (ISO 10589).
NARROW_METRIC = 63


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that an intent may want and the family's configuration text cannot say."""

    feature: str
    is_wanted: Callable[[DeviceIntent], bool]
    found: str
    next_step: str


def has_rates(intent: DeviceIntent) -> bool:
    return any(port.in_kbps or port.out_kbps for port in intent.interfaces)


def has_throttles(intent: DeviceIntent) -> bool:
    return intent.ospf is not None and any((intent.ospf.spf_throttle_ms, intent.ospf.lsa_throttle_ms, intent.ospf.lsa_min_arrival_ms))


def has_vlans(intent: DeviceIntent) -> bool:
    return any(port.vlan for port in intent.interfaces)


def has_tunnels(intent: DeviceIntent) -> bool:
    return any(port.access_method in ("vpdn_l2tp", "internet_ipsec") for port in intent.interfaces)


def has_ipsec(intent: DeviceIntent) -> bool:
    return any(port.access_method == "internet_ipsec" for port in intent.interfaces)


def ends_dialled_lines(intent: DeviceIntent) -> bool:
    return any(port.access_method == "vpdn_l2tp" and port.dialer is None for port in intent.interfaces)


def has_vpns(intent: DeviceIntent) -> bool:
    return bool(intent.vpns)


def has_vpn6(intent: DeviceIntent) -> bool:
    return intent.carries_vpn6


def has_queues(intent: DeviceIntent) -> bool:
    return bool(intent.policies)


def has_priority_queue(intent: DeviceIntent) -> bool:
    return any(one.priority for policy in intent.policies for one in policy.classes)


def has_probe(intent: DeviceIntent) -> bool:
    return intent.probe is not None


def has_traps(intent: DeviceIntent) -> bool:
    return bool(intent.management.trap_hosts)


def has_aaa(intent: DeviceIntent) -> bool:
    return intent.management.aaa is not None


def has_radius(intent: DeviceIntent) -> bool:
    return intent.management.aaa is not None and intent.management.aaa.protocol == "radius"


def originates_isis_default6(intent: DeviceIntent) -> bool:
    return intent.isis is not None and intent.isis.originates_default and intent.bgp is not None and bool(intent.bgp.external6)


def has_capped_metric(intent: DeviceIntent) -> bool:
    return any(port.metric == NARROW_METRIC for port in intent.interfaces)


def filters_isis(intent: DeviceIntent) -> bool:
    return intent.isis is not None and intent.isis.is_border and bool(intent.assigned)


def filters_ospfv3(intent: DeviceIntent) -> bool:
    return intent.ospf is not None and bool(intent.assigned6) and intent.role == "county_agg"


def has_slow_rates(intent: DeviceIntent) -> bool:
    return any(port.out_kbps for port in intent.interfaces)


def always(_: DeviceIntent) -> bool:
    return True


BY_NODE_INIT = "The lab's node init sets it from the same intent; on any other FRR host set it outside this product."
ASK_VENDOR = "Try it on one device of the family and correct the template before the first rollout."
HOST_KEY = Gap(
    "the RSA host key",
    always,
    "`rsa local-key-pair create` asks questions and leaves no line",
    "Type it once, as the bootstrap page says.",
)
TUNNELS = Gap(
    "dialled or tunnelled access (vpdn_l2tp, internet_ipsec)",
    has_tunnels,
    "the line is rendered as an interface with an address of its own",
    "Terminate the tunnel outside these devices, or order the line as bridged_pvc.",
)

#: Families with a dialler carry the unit's end of a dialled line; the other end is the carrier's or a server of its own.
DIALLED = (
    Gap(
        "Internet access by IPsec (internet_ipsec)",
        has_ipsec,
        "the line is rendered as an interface with an address of its own",
        "End the tunnel outside these devices, or order the line as bridged_pvc or vpdn_l2tp.",
    ),
    Gap(
        "the far end of dialled lines (vpdn_l2tp)",
        ends_dialled_lines,
        "the upper end is rendered as an interface with an address of its own, not as an L2TP server",
        "Let the carrier's L2TP server hand out the address that the ledger holds for the unit's end, and carry IPv6 where there is any.",
    ),
)

COMWARE_HOST_KEY = Gap(
    "the SSH host key",
    always,
    "`public-key local create rsa` asks questions and leaves no line",
    "Type it once, as the bootstrap page says.",
)
COMWARE_ROLE = Gap(
    "the account's first role",
    always,
    "Comware gives a new account the role network-operator beside ours and shows it",
    "Remove it once by hand: `undo authorization-attribute user-role network-operator`.",
)
