"""The address plan and its ledger as values, and who is at which address by them; `app.core.allocation` hands out prefixes.

A prefix is unique within its VRF. The ledger is a lock file: what it holds stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Literal, get_args

PLAN_FILE = "ipplan/plan.yaml"
#: What an address class can be reached from: the whole nation's extranet, the city's own public zone, one VPN, the Internet.
REACH = {"national_public": "nation", "local_public": "locality", "department": "vpn", "isp": "internet"}
#: loopback: one per device; interconnect: one per line; unit_lan: one per unit in scope with a line;
#: management: one per unit that has a switch; service: one per service.
PoolRole = Literal["loopback", "interconnect", "unit_lan", "management", "service"]
#: Phases of a prefix that replaces another, in order. planned: held, on no device; dual: beside the old one, which leads;
#: cut_over: it leads, the old one stands beside it; clearing: the old one is to go; finished: proven gone and released.
Phase = Literal["planned", "dual", "cut_over", "clearing", "finished"]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True, slots=True)
class Provenance:
    issued_by: str
    document: str
    issued_on: date | None


@dataclass(frozen=True, slots=True)
class Pool:
    """A prefix that allocations of one role are cut from; `regions` empty means any region may draw from it.

    `reserve_length`: each holder is given the first part of a free block of this length, and the rest of the block is kept
    for its growth up to and including `reserve_until`. A `retired` pool hands out nothing: its holders are to be renumbered.
    """

    name: str
    role: str
    address_class: str
    vrf: str
    prefix: IPv4Network
    length: int
    provenance: Provenance
    regions: tuple[str, ...] = ()
    where: str = ""
    reserve_length: int | None = None
    reserve_until: date | None = None
    retired: bool = False

    def block_length(self, today: date) -> int:
        """Return the length that one holder takes from the pool on this day: with its growth reserve while that lasts."""
        if self.reserve_length is None or self.reserve_until is None or today > self.reserve_until:
            return self.length
        return min(self.length, self.reserve_length)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A range of a VRF that nobody is handed, by hand and for a reason."""

    prefix: IPv4Network
    vrf: str
    reason: str
    provenance: Provenance
    where: str = ""


@dataclass(frozen=True, slots=True)
class Ipv6Block:
    """The city's own part of the province's IPv6 prefix, of which everything else is derived."""

    prefix: IPv6Network
    vrf: str
    provenance: Provenance
    where: str = ""


@dataclass(frozen=True, slots=True)
class OspfProfile:
    """Timers and metrics of the one OSPF process; times in seconds or milliseconds as named, None leaves the vendor's default."""

    process: int = 1
    reference_bandwidth_mbps: int = 100
    hello_interval_s: int | None = None
    dead_interval_s: int | None = None
    retransmit_interval_s: int | None = None
    spf_throttle_ms: tuple[int, int, int] | None = None
    lsa_throttle_ms: int | None = None
    lsa_min_arrival_ms: int | None = None


@dataclass(frozen=True, slots=True)
class IsisProfile:
    """IS-IS in place of OSPF, with wide metrics: a line costs `reference_bandwidth_mbps` over its rate. `area_prefix` begins every area.

    `authentication`: every packet carries a keyed digest of the secret `isis_key`.
    """

    process: int = 1
    area_prefix: str = "49"
    reference_bandwidth_mbps: int = 100
    authentication: bool = False


@dataclass(frozen=True, slots=True)
class AaaProfile:
    """Who is asked before a login is let in: `tacacs` or `radius`, and the services that answer; local accounts come last."""

    protocol: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Management:
    """How devices are managed: names of services (services.csv) that play a part, and account names; never secrets."""

    monitoring_service: str
    ntp_services: tuple[str, ...]
    syslog_services: tuple[str, ...]
    ssh_user: str
    snmp_user: str
    snmp_auth: str = "sha"
    snmp_priv: str = "aes128"
    banner: str = ""
    ntp_key_id: int | None = None
    trap_services: tuple[str, ...] = ()
    where: str = ""
    aaa: AaaProfile | None = None

    @property
    def named_services(self) -> tuple[str, ...]:
        """Every service that devices are told of, each once."""
        servers = self.aaa.services if self.aaa else ()
        named = (self.monitoring_service, *self.ntp_services, *self.syslog_services, *self.trap_services, *servers)
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class VpnProfile:
    """A VPN instance with its route distinguisher and route targets (`AS:number`); `zone` is public, department or internet.

    `prefix6` is its own IPv6 block, None where it carries IPv4 alone.
    """

    name: str
    zone: str
    rd: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    prefix6: IPv6Network | None = None


@dataclass(frozen=True, slots=True)
class ProvincePeer:
    """A session with the province: the port and address that it assigned to us, its own address and AS number.

    `address6` and `neighbour6` are the same for IPv6, on the same port; None where the province gave none.
    """

    device: str
    interface: str
    address: IPv4Interface
    neighbour: IPv4Address
    as_number: int
    address6: IPv6Interface | None = None
    neighbour6: IPv6Address | None = None


@dataclass(frozen=True, slots=True)
class BgpProfile:
    """Our AS number and who we speak to outside. Both are given by the province: no default."""

    as_number: int
    peers: tuple[ProvincePeer, ...]


@dataclass(frozen=True, slots=True)
class QosShare:
    """A class of traffic: its DSCP word, and its share of a line in percent; `priority` is served first and held to its share."""

    name: str
    dscp: str
    percent: int
    priority: bool


@dataclass(frozen=True, slots=True)
class ProbeProfile:
    """How often every router asks the centre whether it is there: seconds between rounds, echoes in a round."""

    frequency_s: int
    count: int


@dataclass(frozen=True, slots=True)
class Features:
    """What a plan may ask for beyond addresses and OSPF. Absent means that devices are told nothing of it.

    `hardware` maps a model to the physical ports that it has: those that nothing stands on are shut.
    """

    vpns: tuple[VpnProfile, ...] = ()
    bgp: BgpProfile | None = None
    only_assigned: bool = False
    qos: tuple[QosShare, ...] = ()
    probe: ProbeProfile | None = None
    hardware: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    national_block: IPv4Network
    pools: tuple[Pool, ...]
    provenance: Provenance
    illustration: bool
    ospf: OspfProfile
    management: Management
    quarantine_days: int = 90
    vrfs: Mapping[str, str] = field(default_factory=lambda: {"GGW": "public"})
    features: Features = field(default_factory=Features)
    reservations: tuple[Reservation, ...] = ()
    ipv6: Ipv6Block | None = None
    isis: IsisProfile | None = None

    @property
    def vpn_names(self) -> frozenset[str]:
        """The VRFs that devices are told of; every other one is the global table."""
        return frozenset(vpn.name for vpn in self.features.vpns)


@dataclass(frozen=True, slots=True)
class Demand:
    """One prefix that the inventory needs. `holder` is `device:NAME`, `line:ID`, `unit:ID`, `management:UNIT`, `service:ID` or
    `vpn:LINE/VPN` (a VPN on a line).

    `vrf` is the VPN that it belongs to, None for the public zone.
    """

    holder: str
    role: str
    region: str
    vrf: str | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """A row of the ledger: who holds which prefix since when; `released_on` starts its quarantine.

    While a holder is renumbered it holds two rows: the new one `replaces` the old one's prefix and says in which of `PHASES`.
    """

    prefix: IPv4Network
    pool: str
    vrf: str
    role: str
    holder: str
    since: date
    released_on: date | None = None
    where: str = ""
    replaces: IPv4Network | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Addresses by holder, read from the live rows of a ledger. Raises KeyError with the holder's name where none is held.

    `beside` are the second prefixes of holders that are being renumbered: on the devices as well, but not leading. `leaving` are the
    old ones among all prefixes of such holders, as long as devices carry them.
    """

    prefixes: Mapping[str, IPv4Network]
    beside: Mapping[str, IPv4Network] = field(default_factory=dict)
    leaving: Mapping[str, IPv4Network] = field(default_factory=dict)

    def loopback(self, device: str) -> IPv4Address:
        return self.prefixes[f"device:{device}"].network_address

    def identity(self, device: str) -> IPv4Address:
        """Return the loopback that a routing process is named after: the old one as long as the device carries it."""
        holder = f"device:{device}"
        return self.leaving.get(holder, self.prefixes[holder]).network_address

    def line_ends(self, line_id: str) -> tuple[IPv4Interface, IPv4Interface]:
        """Return the addresses of the `a` and the `z` end: first and second host of the interconnect (both of a /31)."""
        return link_ends(self.prefixes[f"line:{line_id}"])

    def gateway(self, holder: str) -> IPv4Interface:
        """Return the router's own address in a unit LAN, management or service prefix: its first host."""
        return first_host(self.prefixes[holder])

    def host(self, holder: str) -> IPv4Interface:
        """Return the address of the one host that the plan knows there (service endpoint, managed switch): the second."""
        return second_host(self.prefixes[holder])

    def all_of(self, holder: str) -> tuple[IPv4Network, ...]:
        """Return every prefix of a holder that devices carry, the leading one first."""
        return (self.prefixes[holder], *self.second(holder))

    def second(self, holder: str) -> tuple[IPv4Network, ...]:
        """Return the prefix beside the leading one, where the holder is being renumbered."""
        return (self.beside[holder],) if holder in self.beside else ()


def link_ends(prefix: IPv4Network) -> tuple[IPv4Interface, IPv4Interface]:
    """Return the addresses of the `a` and the `z` end of an interconnect."""
    first, second = (prefix[0], prefix[1]) if prefix.prefixlen == 31 else (prefix[1], prefix[2])
    return IPv4Interface((first, prefix.prefixlen)), IPv4Interface((second, prefix.prefixlen))


def first_host(prefix: IPv4Network) -> IPv4Interface:
    """Return the first host of a prefix with its length; of a /32 the address itself."""
    return IPv4Interface((prefix[0] if prefix.prefixlen == 32 else prefix[1], prefix.prefixlen))


def second_host(prefix: IPv4Network) -> IPv4Interface:
    return IPv4Interface((prefix[2], prefix.prefixlen))


def address_book(ledger: tuple[Allocation, ...]) -> AddressBook:
    """Return the addresses in force: rows that were not released. Of two rows of a holder the phase says which one leads."""
    live = [row for row in ledger if row.released_on is None]
    prefixes = {row.holder: row.prefix for row in live if row.replaces is None}
    beside: dict[str, IPv4Network] = {}
    leaving: dict[str, IPv4Network] = {}
    for row in live:
        if row.replaces is None:
            continue
        if row.phase in ("dual", "cut_over"):
            leaving[row.holder] = row.replaces
        if row.phase == "dual":
            beside[row.holder] = row.prefix
        elif row.phase == "cut_over":
            beside[row.holder] = row.replaces
        if row.phase in ("cut_over", "clearing", "finished"):
            prefixes[row.holder] = row.prefix
    return AddressBook(prefixes, beside, leaving)


def pools_for(plan: Plan, role: str, region: str, vrf: str | None = None) -> tuple[Pool, ...]:
    """Return the pools that a demand may draw from: those of its region first, then those of any region.

    A VPN that the plan knows draws from pools of its own VRF; everything else from pools of the public zone.
    """
    own = vrf if vrf in plan.vrfs else None
    fitting = [
        pool
        for pool in plan.pools
        if pool.role == role
        and not pool.retired
        and (not pool.regions or region in pool.regions)
        and (pool.vrf == own if own else pool.address_class not in ("department", "isp"))
    ]
    return tuple(sorted(fitting, key=lambda pool: not pool.regions))
