"""What every device shall be configured to do, in no vendor's words.

Secrets never enter an intent: templates write references (`<secret:NAME>`) that the edge resolves at the moment of the push.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network


@dataclass(frozen=True, slots=True)
class InterfaceIntent:
    """One interface. `kind`: loopback, line, backup, reserved, lan, management, service, access (switch port) or trunk.

    Rates are what devices are given (kbit/s), seen from this device: `in_kbps` is policed inward, `out_kbps` shaped outward.
    `vlan` is the VLAN that a sub-interface or Vlanif ends, or that a trunk carries. `access_method` is the line's.
    `secondary` are further addresses beside `address`, while the holder is being renumbered.
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
class NotificationTarget:
    """Where SNMP notifications go: the monitoring service's address and UDP port, and its engine id (hexadecimal)."""

    address: IPv4Address
    port: int
    engine_id: str


@dataclass(frozen=True, slots=True)
class ManagementIntent:
    """Who may manage the device and where it reports to. `sources` are the prefixes that SSH and SNMP answer."""

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


@dataclass(frozen=True, slots=True)
class DeviceIntent:
    """Everything that is wanted of one device; `app.core.intents` builds it.

    `contacts` are the addresses to reach it at, best first (loopback, uplink; at the root the port towards the monitoring
    service; then those beside them).
    `uplink` is the name of the interface towards the parent, None at the root. `gateway` is a switch's only way out.
    `depth` counts lines to the root; a switch stands one below its router.
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
