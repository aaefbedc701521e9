"""What ipplan/plan.yaml, groups.yaml and defaults.yaml may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.core.ipplan import Management, OspfProfile, Plan, Pool, Provenance
from app.edge.files.order_schema import Block, Day, Flag, Prefix, Text

Times = Annotated[int, Field(strict=True, gt=0)]
VrfName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,31}$")]


class ProvenanceBlock(Block):
    issued_by: Text
    document: Text
    issued_on: Day | None = None

    def value(self) -> Provenance:
        return Provenance(self.issued_by, self.document, self.issued_on)


class PoolBlock(Block):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    role: Literal["loopback", "interconnect", "unit_lan", "management", "service"]
    address_class: Literal["national_public", "local_public", "department", "isp"]
    vrf: Text
    prefix: Prefix
    length: Annotated[int, Field(strict=True, ge=1, le=32)]
    provenance: ProvenanceBlock | None = None
    regions: tuple[Text, ...] = ()

    def value(self, provenance: Provenance, where: str) -> Pool:
        own = self.provenance.value() if self.provenance else provenance
        return Pool(self.name, self.role, self.address_class, self.vrf, self.prefix, self.length, own, self.regions, where)


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


class RoutingBlock(Block):
    ospf: OspfBlock = OspfBlock()


class ManagementBlock(Block):
    monitoring_service: Text
    ntp_services: tuple[Text, ...] = ()
    syslog_services: tuple[Text, ...] = ()
    ssh_user: Text
    snmp_user: Text
    snmp_auth: Literal["sha", "sha256"] = "sha"
    snmp_priv: Literal["aes128"] = "aes128"
    banner: str = ""

    def value(self, where: str) -> Management:
        return Management(**dict(self), where=where)


class PlanBlock(Block):
    national_block: Prefix
    illustration: Flag
    provenance: ProvenanceBlock
    quarantine_days: Annotated[int, Field(strict=True, ge=0)] = 90
    vrfs: Annotated[dict[VrfName, Text], Field(min_length=1)]
    pools: Annotated[tuple[PoolBlock, ...], Field(min_length=1)]
    routing: RoutingBlock = RoutingBlock()
    management: ManagementBlock

    def value(self, wheres: tuple[str, ...], management_where: str) -> Plan:
        provenance = self.provenance.value()
        return Plan(
            national_block=self.national_block,
            pools=tuple(pool.value(provenance, where) for pool, where in zip(self.pools, wheres, strict=True)),
            provenance=provenance,
            illustration=self.illustration,
            ospf=self.routing.ospf.value(),
            management=self.management.value(management_where),
            quarantine_days=self.quarantine_days,
            vrfs=self.vrfs,
        )


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
