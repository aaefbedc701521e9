"""What one row of each CSV table may say. Column names are the field names of the core values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.core.inventory import Device, Line, NatRecord, Region, Service, Unit, VpnLine
from app.core.ipplan import Allocation, Phase, PoolRole
from app.core.ipv6_rows import Allocation6
from app.core.scope import LevelName
from app.edge.files.explain import wanted
from app.edge.files.order_schema import AccessMethod, DeviceRole, Medium, Prefix
from app.edge.files.plan_schema import Prefix6


def _yes_no(value: object) -> bool:
    if value not in ("yes", "no", True, False):
        raise wanted("yes or no")
    return value in ("yes", True)


def _several(value: object) -> object:
    return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value


def _day(value: object) -> date:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise wanted("a date such as 2008-06-30")


def _address_or_prefix(value: object) -> object:
    """Take a bare address as the prefix of its full length."""
    return f"{value}/32" if isinstance(value, str) and "/" not in value else value


Day = Annotated[date, BeforeValidator(_day)]
AddressOrPrefix = Annotated[Prefix, BeforeValidator(_address_or_prefix)]
Port = Annotated[int, Field(ge=1, le=65535)]
Kbps = Annotated[int, Field(ge=1, le=100_000_000)]
YesNo = Annotated[bool, BeforeValidator(_yes_no)]
Word = Annotated[str, Field(pattern=r"^\S+$")]
#: An id that goes into names, file names and device descriptions.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
Interface = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9/._:-]{0,62}$")]
Levels = Annotated[tuple[LevelName, ...], BeforeValidator(_several)]
Several = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Cells(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegionCells(Cells):
    code: Annotated[str, Field(pattern=r"^\d{6}$")]
    name: str
    name_en: str
    level: Literal["city", "county"]
    parent: str | None = None
    ospf_area: Annotated[str, Field(pattern=r"^(\d{1,3}\.){3}\d{1,3}$")]

    def value(self, where: str) -> Region:
        return Region(**dict(self), where=where)


class UnitCells(Cells):
    unit_id: Id
    name: str
    name_en: str
    region: str
    level: LevelName
    kind: Word
    urban: YesNo
    access_class: Literal["A", "B", "C", "D", "E", "F"]
    contact_role: str
    in_scope: YesNo = True
    ruling: str | None = None
    sample: YesNo = False
    left_out: Several = ()

    def value(self, where: str) -> Unit:
        return Unit(**dict(self), where=where)


class DeviceCells(Cells):
    name: str
    platform: Word
    family: Word
    role: DeviceRole
    region: str
    unit_id: str | None = None
    vendor: str
    model: str
    lan_interface: Interface | None = None

    def value(self, where: str) -> Device:
        return Device(**dict(self), where=where)


class LineCells(Cells):
    line_id: Id
    unit_id: str
    service_class: str
    medium: Medium
    access_method: AccessMethod
    carrier: str
    circuit_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]+$")] | None = None
    a_device: str
    a_interface: Interface
    z_device: str
    z_interface: Interface
    a_reserved_interface: Interface | None = None
    z_reserved_interface: Interface | None = None
    role: Literal["primary", "backup"] = "primary"
    ordered_on: Day | None = None
    ruling: str | None = None

    def value(self, where: str) -> Line:
        return Line(**dict(self), where=where)


class ServiceCells(Cells):
    service_id: Id
    name: str
    name_en: str
    kind: Literal["exchange", "monitoring", "application", "access"]
    device: str
    interface: Interface
    port: Port
    vpn: str | None = None
    qos_class: str
    must_reach: Levels = ()
    reached_by: Several = ()
    standby_for: str | None = None

    def value(self, where: str) -> Service:
        return Service(**dict(self), where=where)


class NatCells(Cells):
    unit_id: str
    kind: Literal["napt", "server"]
    inside: AddressOrPrefix
    outside: AddressOrPrefix
    protocol: Literal["tcp", "udp"] | None = None
    inside_port: Port | None = None
    outside_port: Port | None = None

    def value(self, where: str) -> NatRecord:
        return NatRecord(**dict(self), where=where)


class VpnLineCells(Cells):
    line_id: Id
    vpn: str
    a_interface: Interface
    z_interface: Interface
    committed_kbps: Kbps | None = None

    def value(self, where: str) -> VpnLine:
        return VpnLine(**dict(self), where=where)


class Allocation6Cells(Cells):
    prefix: Prefix6
    vrf: str
    role: Literal["infrastructure", "region", "unit", "link", "loopback", "service"]
    holder: Annotated[str, Field(pattern=r"^(network|region|device|line|unit|service|vpn):\S+$")]
    since: Day
    released_on: Day | None = None

    def value(self, where: str) -> Allocation6:
        return Allocation6(**dict(self), where=where)


class AllocationCells(Cells):
    prefix: Prefix
    pool: str
    vrf: str
    role: PoolRole
    holder: Annotated[str, Field(pattern=r"^(device|line|unit|management|service|vpn):\S+$")]
    since: Day
    released_on: Day | None = None
    replaces: Prefix | None = None
    phase: Phase | None = None

    def value(self, where: str) -> Allocation:
        return Allocation(**dict(self), where=where)


#: The order of the columns in each file is that of the core value.
COLUMNS: Mapping[type[Cells], tuple[str, ...]] = {
    cells: tuple(column.name for column in fields(value) if column.name != "where")
    for cells, value in (
        (RegionCells, Region),
        (UnitCells, Unit),
        (DeviceCells, Device),
        (LineCells, Line),
        (ServiceCells, Service),
        (AllocationCells, Allocation),
        (NatCells, NatRecord),
        (VpnLineCells, VpnLine),
        (Allocation6Cells, Allocation6),
    )
}
