"""Ports of a device as variables of IF-MIB (RFC 2863): what is asked for, and what the answers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from gufo.snmp import ValueType

from app.core.acceptance import PortSample

SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
SYS_NAME = "1.3.6.1.2.1.1.5.0"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
#: Columns of one port (IF-MIB, RFC 2863) in the order of `_build_port`.
PORT_COLUMNS = (
    IF_NAME,
    "1.3.6.1.2.1.2.2.1.8",  # ifOperStatus
    "1.3.6.1.2.1.2.2.1.7",  # ifAdminStatus
    "1.3.6.1.2.1.31.1.1.1.15",  # ifHighSpeed, Mbit/s
    "1.3.6.1.2.1.31.1.1.1.18",  # ifAlias
    "1.3.6.1.2.1.31.1.1.1.6",  # ifHCInOctets
    "1.3.6.1.2.1.31.1.1.1.10",  # ifHCOutOctets
    "1.3.6.1.2.1.2.2.1.14",  # ifInErrors
    "1.3.6.1.2.1.2.2.1.20",  # ifOutErrors
    "1.3.6.1.2.1.31.1.1.1.19",  # ifCounterDiscontinuityTime
)
#: ifHCInOctets, ifHCOutOctets.
WIDE_COLUMNS = slice(5, 7)
#: ifInOctets, ifOutOctets: what an agent without 64-bit counters has (RFC 2863 §3.1.6 allows that below 20 Mbit/s).
NARROW_COLUMNS = ("1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.2.2.1.16")


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """What one device said. `answer` is one of `linestate.ANSWERS`; `missing` are interfaces that it does not have.

    `index` maps interface names to ifIndex and goes into the next reading. Ports carry no rates yet.
    """

    device: str
    at: datetime
    answer: str
    reason: str
    sys_name: str | None = None
    uptime_ticks: int | None = None
    ports: tuple[PortSample, ...] = ()
    missing: tuple[str, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)


def port_oids(interfaces: Sequence[str], index: Mapping[str, int]) -> list[str]:
    return [SYS_UPTIME, SYS_NAME, *(oid for name in interfaces if name in index for oid in row_of(index[name]))]


@lru_cache(maxsize=4096)
def row_of(number: int) -> tuple[str, ...]:
    """Return the variables of one ifIndex in the order of `PORT_COLUMNS`: the same few numbers on every device of a city."""
    return tuple(f"{column}.{number}" for column in PORT_COLUMNS)


def build_port(device: str, name: str, number: int, seen: Mapping[str, ValueType], at: datetime, uptime_ticks: int | None) -> PortSample:
    """Return one port as the agent told it; None stands for each variable that it left out."""
    _, oper, admin, speed, alias, wide_in, wide_out, in_errors, out_errors, discontinuity = map(seen.get, row_of(number))
    wide = wide_in is not None and wide_out is not None
    in_octets, out_octets = (wide_in, wide_out) if wide else (seen.get(f"{column}.{number}") for column in NARROW_COLUMNS)
    return PortSample(
        device=device,
        interface=name,
        at=at,
        oper_up=_is_up(integer_of(oper)),
        admin_up=None if admin is None else admin == 1,
        speed_mbps=integer_of(speed) or None,
        alias=text_of(alias),
        in_octets=integer_of(in_octets),
        out_octets=integer_of(out_octets),
        counter_bits=64 if wide else 32,
        in_errors=integer_of(in_errors),
        out_errors=integer_of(out_errors),
        uptime_ticks=uptime_ticks,
        discontinuity=integer_of(discontinuity),
    )


def _is_up(oper_status: int | None) -> bool | None:
    """Read ifOperStatus: up(1) is up; unknown(4) and nothing are not known; down, testing, dormant and the rest are not up."""
    return None if oper_status in (None, 4) else oper_status == 1


def integer_of(value: ValueType) -> int | None:
    return value if isinstance(value, int) else None


def text_of(value: ValueType) -> str | None:
    """Read a DisplayString; some agents send the NUL that ends it in C, and no database takes one."""
    return value.decode("utf-8", "replace").rstrip("\0").replace("\0", "\ufffd") if isinstance(value, bytes) else None
