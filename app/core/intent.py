"""What every device shall be configured to do, in no vendor's words.

Secrets never enter an intent: templates write references (`<secret:NAME>`) that the edge resolves at the moment of the push.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network


@dataclass(frozen=True, slots=True)
class InterfaceIntent:
    """One interface. `kind`: loopback, line, backup, reserved, lan, management, service, access (switch port), trunk, province
    (towards the province's router), vpn_line (a VPN's end of a line), modem (the port that a dialler's session leaves by), divided
    (open for its sub-interfaces alone) or unused.

    Rates are what devices are given (kbit/s), seen from this device: `in_kbps` is policed inward, `out_kbps` shaped outward.
    `vlan` is the VLAN that a sub-interface or Vlanif ends, or that a trunk carries. `access_method` is the line's.
    `secondary` are further addresses beside `address`, while the holder is being renumbered.
    `vrf` is the VPN instance that the port is bound to (before its address). `dialer` is the dialler's number: on the dialler
    itself (kind line, its address is given by the far end) and on its modem port. `policy` names the QoS policy outward.
    `isis_level` (1 or 2) stands in place of `ospf_area` where the plan chooses IS-IS; `metric` is IS-IS's, None where it is 10.
    """

    name: str
    kind: str
    description: str
    address: IPv4Interface | None = None
    shutdown: bool = False
    line_id: str | None = None
    far_device: str | None = None
    far_interface: str | None = None
    in_kbps: int | None = None
    out_kbps: int | None = None
    nominal_kbps: int | None = None
    port_mbps: int | None = None
    ospf_area: str | None = None
    passive: bool = False
    vlan: int | None = None
    access_method: str | None = None
    secondary: tuple[IPv4Interface, ...] = ()
    vrf: str | None = None
    dialer: int | None = None
    policy: str | None = None
    mpls: bool = False
    isis_level: int | None = None
    metric: int | None = None
    address6: IPv6Interface | None = None

    @property
    def addresses(self) -> tuple[IPv4Interface, ...]:
        """Every address, the leading one first."""
        return () if self.address is None else (self.address, *self.secondary)


@dataclass(frozen=True, slots=True)
class StaticRoute:
    prefix: IPv4Network
    next_hop: IPv4Address
    distance: int
    purpose: str
    interface: str | None = None

    @property
    def way(self) -> str:
        """Where the route leads: a dialler by its name, anything else by the next hop."""
        return self.interface or str(self.next_hop)


@dataclass(frozen=True, slots=True)
class VpnRoute:
    """A static route of a VPN instance, on a line between a unit's router and the one above it."""

    vrf: str
    prefix: IPv4Network
    next_hop: IPv4Address


@dataclass(frozen=True, slots=True)
class VpnRoute6:
    """The same for IPv6."""

    vrf: str
    prefix: IPv6Network
    next_hop: IPv6Address


@dataclass(frozen=True, slots=True)
class OspfArea:
    """An area this device is in; `stub` areas get only a default route from the county."""

    area: str
    stub: bool
    no_summary: bool


@dataclass(frozen=True, slots=True)
class OspfIntent:
    process: int
    router_id: IPv4Address
    reference_bandwidth_mbps: int
    areas: tuple[OspfArea, ...]
    hello_interval_s: int | None
    dead_interval_s: int | None
    retransmit_interval_s: int | None
    spf_throttle_ms: tuple[int, int, int] | None
    lsa_throttle_ms: int | None
    lsa_min_arrival_ms: int | None


@dataclass(frozen=True, slots=True)
class IsisIntent:
    """IS-IS of one router. `levels`: (1,), (2,) or (1, 2); `net`: area, system id and selector; `lsp_mtu` in bytes, None: the default.

    `originates_default`: the router knows the way out of the city.
    """

    process: int
    net: str
    levels: tuple[int, ...]
    authentication: bool
    lsp_mtu: int | None
    originates_default: bool = False

    @property
    def is_border(self) -> bool:
        """Whether the router stands between its area and the backbone."""
        return self.levels == (1, 2)


@dataclass(frozen=True, slots=True)
class AaaIntent:
    """The servers that logins are put to: `protocol` tacacs or radius. Local accounts are asked where none answers."""

    protocol: str
    servers: tuple[IPv4Address, ...]


@dataclass(frozen=True, slots=True)
class NotificationTarget:
    """Where SNMP notifications go: the monitoring service's address and UDP port, and its engine id (hexadecimal)."""

    address: IPv4Address
    port: int
    engine_id: str


@dataclass(frozen=True, slots=True)
class ManagementIntent:
    """Who may manage the device and where it reports to. `sources` are the prefixes that SSH and SNMP answer.

    `snmp_auth` is the digest of SNMPv3, `snmp_digest` the family's own word for it.
    """

    ssh_user: str
    snmp_user: str
    snmp_auth: str
    snmp_priv: str
    sources: tuple[IPv4Network, ...]
    ntp_servers: tuple[IPv4Address, ...]
    syslog_hosts: tuple[IPv4Address, ...]
    banner: str
    location: str
    notify: NotificationTarget | None = None
    ntp_key_id: int | None = None
    trap_hosts: tuple[IPv4Address, ...] = ()
    aaa: AaaIntent | None = None
    snmp_digest: str = "sha"


@dataclass(frozen=True, slots=True)
class PrefixRange:
    """An assigned prefix and the longest part of it that may be announced."""

    prefix: IPv4Network | IPv6Network
    longest: int


@dataclass(frozen=True, slots=True)
class VpnIntent:
    """A VPN instance; `imports` and `exports` are route targets. `ipv6`: it carries IPv6 beside IPv4."""

    name: str
    rd: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    ipv6: bool = False


@dataclass(frozen=True, slots=True)
class BgpPeer:
    address: IPv4Address | IPv6Address
    as_number: int


@dataclass(frozen=True, slots=True)
class BgpIntent:
    """BGP of one device: `external` towards the province, `internal` (by loopback) for the VPN instances' routes.

    `external6` are the province's peers for IPv6, each with its own session.
    `reflects`: internal routes are handed from one internal peer to the others (at the city core).
    """

    as_number: int
    router_id: IPv4Address
    external: tuple[BgpPeer, ...]
    internal: tuple[BgpPeer, ...]
    reflects: bool
    external6: tuple[BgpPeer, ...] = ()


@dataclass(frozen=True, slots=True)
class QosClass:
    """A class of traffic on a line of one rate; `kbps` is its share of it."""

    name: str
    dscp: str
    percent: int
    kbps: int
    priority: bool


@dataclass(frozen=True, slots=True)
class QosPolicy:
    """The classes of a line of `kbps`; `name` says the rate."""

    name: str
    kbps: int
    classes: tuple[QosClass, ...]


@dataclass(frozen=True, slots=True)
class ProbeIntent:
    """The device's own echo test to the centre."""

    target: IPv4Address
    source: IPv4Address
    frequency_s: int
    count: int


@dataclass(frozen=True, slots=True)
class DeviceIntent:
    """Everything that is wanted of one device; `app.core.intents` builds it.

    `contacts` are the addresses to reach it at, best first (loopback, uplink; at the root the port towards the monitoring
    service; then those beside them).
    `uplink` is the name of the interface towards the parent, None at the root. `gateway` is a switch's only way out.
    `depth` counts lines to the root; a switch stands one below its router.
    A router has `ospf` or `isis`. `assigned` may leave an area, `announced` the city; `assigned6` and `announced6` are IPv6's.
    """

    hostname: str
    family: str
    platform: str
    role: str
    region: str
    depth: int
    loopback: IPv4Address | None
    contacts: tuple[IPv4Address, ...]
    interfaces: tuple[InterfaceIntent, ...]
    static_routes: tuple[StaticRoute, ...]
    ospf: OspfIntent | None
    management: ManagementIntent
    uplink: str | None
    gateway: IPv4Address | None = None
    vpns: tuple[VpnIntent, ...] = ()
    bgp: BgpIntent | None = None
    assigned: tuple[PrefixRange, ...] = ()
    announced: tuple[PrefixRange, ...] = ()
    policies: tuple[QosPolicy, ...] = ()
    probe: ProbeIntent | None = None
    isis: IsisIntent | None = None
    assigned6: tuple[PrefixRange, ...] = ()
    announced6: tuple[PrefixRange, ...] = ()
    vpn_routes: tuple[VpnRoute, ...] = ()
    vpn_routes6: tuple[VpnRoute6, ...] = ()

    @property
    def has_ipv6(self) -> bool:
        """Whether any port outside VPN instances has an IPv6 address."""
        return any(port.address6 for port in self.interfaces if port.vrf is None)

    @property
    def routed_vpns(self) -> frozenset[str]:
        """The VPN instances with static routes of their own, which the routers beside this one are to hear of."""
        return frozenset(route.vrf for route in self.vpn_routes)

    @property
    def carries_vpn6(self) -> bool:
        """Whether any VPN instance carries IPv6."""
        return any(vpn.ipv6 for vpn in self.vpns)

    @property
    def has_mpls(self) -> bool:
        """Whether any port carries labels, which VPN instances need between routers."""
        return any(port.mpls for port in self.interfaces)

    @property
    def rates(self) -> tuple[int, ...]:
        """Every committed rate of its ports, in kbit/s, each once: families that name their policies write one per rate."""
        return tuple(sorted({rate for port in self.interfaces for rate in (port.in_kbps, port.out_kbps) if rate}))
