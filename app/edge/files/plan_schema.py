"""What ipplan/plan.yaml, groups.yaml and defaults.yaml may say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, IPv6Network
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.core.ipplan import (
    AaaProfile,
    BgpProfile,
    Features,
    Ipv6Block,
    IsisProfile,
    Management,
    OspfProfile,
    Plan,
    Pool,
    PoolRole,
    ProbeProfile,
    Provenance,
    ProvincePeer,
    QosShare,
    Reservation,
    VpnProfile,
)
from app.core.naming import expand_ports
from app.edge.files.explain import wanted
from app.edge.files.order_schema import Block, Day, Flag, Prefix, Text

Times = Annotated[int, Field(strict=True, gt=0)]
AsNumber = Annotated[int, Field(strict=True, ge=1, le=4294967294)]
Community = Annotated[str, Field(pattern=r"^\d{1,10}:\d{1,10}$")]
ClassName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,14}$")]
VrfName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,31}$")]


def _prefix6(value: object) -> IPv6Network:
    try:
        if isinstance(value, str) and "/" in value:
            return IPv6Network(value)
    except ValueError:
        pass
    raise wanted("an IPv6 prefix without host bits, such as 2001:db8:100::/40")


Prefix6 = Annotated[IPv6Network, BeforeValidator(_prefix6)]


class ProvenanceBlock(Block):
    issued_by: Text
    document: Text
    issued_on: Day | None = None

    def value(self) -> Provenance:
        return Provenance(self.issued_by, self.document, self.issued_on)


class PoolBlock(Block):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    role: PoolRole
    address_class: Literal["national_public", "local_public", "department", "isp"]
    vrf: Text
    prefix: Prefix
    length: Annotated[int, Field(strict=True, ge=1, le=32)]
    provenance: ProvenanceBlock | None = None
    regions: tuple[Text, ...] = ()
    reserve_length: Annotated[int, Field(strict=True, ge=1, le=32)] | None = None
    reserve_until: Day | None = None
    retired: Flag = False

    def value(self, provenance: Provenance, where: str) -> Pool:
        own = self.provenance.value() if self.provenance else provenance
        return Pool(**{**dict(self), "provenance": own}, where=where)


class ReservationBlock(Block):
    """A range that nobody is handed, by hand: with its reason and who says so."""

    prefix: Prefix
    vrf: Text
    reason: Text
    provenance: ProvenanceBlock | None = None

    def value(self, provenance: Provenance, where: str) -> Reservation:
        return Reservation(self.prefix, self.vrf, self.reason, self.provenance.value() if self.provenance else provenance, where)


class Ipv6PlanBlock(Block):
    prefix: Prefix6
    vrf: Text
    provenance: ProvenanceBlock | None = None

    def value(self, provenance: Provenance, where: str) -> Ipv6Block:
        return Ipv6Block(self.prefix, self.vrf, self.provenance.value() if self.provenance else provenance, where)


class OspfBlock(Block):
    process: Times = 1
    reference_bandwidth_mbps: Times = 100
    hello_interval_s: Times | None = None
    dead_interval_s: Times | None = None
    retransmit_interval_s: Times | None = None
    spf_throttle_ms: tuple[Times, Times, Times] | None = None
    lsa_throttle_ms: Times | None = None
    lsa_min_arrival_ms: Times | None = None

    def value(self) -> OspfProfile:
        return OspfProfile(**dict(self))


class IsisBlock(Block):
    process: Times = 1
    area_prefix: Annotated[str, Field(pattern=r"^[0-9a-f]{2}(\.[0-9a-f]{4}){0,4}$")] = "49"
    reference_bandwidth_mbps: Times = 100
    authentication: Flag = False

    def value(self) -> IsisProfile:
        return IsisProfile(**dict(self))


class ProvincePeerBlock(Block):
    device: Text
    interface: Text
    address: IPv4Interface
    neighbour: IPv4Address
    as_number: AsNumber
    address6: IPv6Interface | None = None
    neighbour6: IPv6Address | None = None

    def value(self) -> ProvincePeer:
        return ProvincePeer(**dict(self))


class BgpBlock(Block):
    as_number: AsNumber
    province: tuple[ProvincePeerBlock, ...] = ()

    def value(self) -> BgpProfile:
        return BgpProfile(self.as_number, tuple(peer.value() for peer in self.province))


class RoutingBlock(Block):
    igp: Literal["ospf", "isis"] = "ospf"
    ospf: OspfBlock = OspfBlock()
    isis: IsisBlock = IsisBlock()
    bgp: BgpBlock | None = None
    only_assigned: Flag = False


class VrfBlock(Block):
    """A VPN instance that devices are told of. Without `imports` and `exports` it takes and gives its own RD's number."""

    zone: Literal["public", "department", "internet"]
    rd: Community
    imports: tuple[Community, ...] = ()
    exports: tuple[Community, ...] = ()
    ipv6: Prefix6 | None = None

    def value(self, name: str) -> VpnProfile:
        return VpnProfile(name, self.zone, self.rd, self.imports or (self.rd,), self.exports or (self.rd,), self.ipv6)


class QosShareBlock(Block):
    dscp: Annotated[str, Field(pattern=r"^(ef|af[1-4][1-3]|cs[1-7])$")]
    percent: Annotated[int, Field(strict=True, ge=1, le=90)]
    priority: Flag = False


class ProbeBlock(Block):
    frequency_s: Annotated[int, Field(strict=True, ge=10, le=3600)] = 60
    count: Annotated[int, Field(strict=True, ge=1, le=15)] = 5

    def value(self) -> ProbeProfile:
        return ProbeProfile(self.frequency_s, self.count)


class AaaBlock(Block):
    protocol: Literal["tacacs", "radius"]
    services: Annotated[tuple[Text, ...], Field(min_length=1)]

    def value(self) -> AaaProfile:
        return AaaProfile(self.protocol, self.services)


class ManagementBlock(Block):
    monitoring_service: Text
    ntp_services: tuple[Text, ...] = ()
    syslog_services: tuple[Text, ...] = ()
    ssh_user: Text
    snmp_user: Text
    snmp_auth: Literal["sha", "sha256"] = "sha"
    snmp_priv: Literal["aes128"] = "aes128"
    banner: str = ""
    ntp_key_id: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = None
    trap_services: tuple[Text, ...] = ()
    aaa: AaaBlock | None = None

    def value(self, where: str) -> Management:
        return Management(**{**dict(self), "aaa": self.aaa.value() if self.aaa else None}, where=where)


class PlanBlock(Block):
    national_block: Prefix
    illustration: Flag
    provenance: ProvenanceBlock
    quarantine_days: Annotated[int, Field(strict=True, ge=0)] = 90
    vrfs: Annotated[dict[VrfName, Text | VrfBlock], Field(min_length=1)]
    pools: Annotated[tuple[PoolBlock, ...], Field(min_length=1)]
    reservations: tuple[ReservationBlock, ...] = ()
    ipv6: Ipv6PlanBlock | None = None
    routing: RoutingBlock = RoutingBlock()
    management: ManagementBlock
    qos: Annotated[dict[ClassName, QosShareBlock], Field(default_factory=dict)]
    probe: ProbeBlock | None = None
    hardware: Annotated[dict[Text, tuple[Text, ...]], Field(default_factory=dict)]

    def value(self, where: Callable[[tuple[str | int, ...]], str]) -> Plan:
        """Return the plan; `where` tells `file:line` of a key."""
        provenance = self.provenance.value()
        return Plan(
            national_block=self.national_block,
            pools=tuple(pool.value(provenance, where(("pools", index))) for index, pool in enumerate(self.pools)),
            provenance=provenance,
            illustration=self.illustration,
            ospf=self.routing.ospf.value(),
            management=self.management.value(where(("management",))),
            quarantine_days=self.quarantine_days,
            vrfs={name: entry.zone if isinstance(entry, VrfBlock) else entry for name, entry in self.vrfs.items()},
            features=self.features(),
            reservations=tuple(
                kept.value(provenance, where(("reservations", index))) for index, kept in enumerate(self.reservations)
            ),
            ipv6=self.ipv6.value(provenance, where(("ipv6",))) if self.ipv6 else None,
            isis=self.routing.isis.value() if self.routing.igp == "isis" else None,
        )

    def features(self) -> Features:
        return Features(
            vpns=tuple(entry.value(name) for name, entry in self.vrfs.items() if isinstance(entry, VrfBlock)),
            bgp=self.routing.bgp.value() if self.routing.bgp else None,
            only_assigned=self.routing.only_assigned,
            qos=tuple(QosShare(name, share.dscp, share.percent, share.priority) for name, share in self.qos.items()),
            probe=self.probe.value() if self.probe else None,
            hardware=_expanded(self.hardware),
        )


def _expanded(hardware: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {model: tuple(port for text in texts for port in expand_ports(text)) for model, texts in hardware.items()}


class ConnectionBlock(Block):
    hostname: Text | None = None
    port: Times | None = None
    username: Text | None = None
    platform: Text | None = None
    extras: dict[str, object] | None = None


class GroupBlock(Block):
    """A Nornir group or the defaults, without secrets."""

    platform: Text | None = None
    port: Times | None = None
    username: Text | None = None
    data: dict[str, object] | None = None
    connection_options: dict[Text, ConnectionBlock] | None = None
