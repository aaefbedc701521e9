"""What a port tells of its medium: negotiated speed, duplex, received light, ADSL sync. Tables by OID in, values with units out. Pure.

Sources: IF-MIB (RFC 2863), EtherLike-MIB (RFC 3635), ADSL-LINE-MIB (RFC 2662), ADSL2-LINE-MIB (RFC 4706), ENTITY-MIB (RFC 6933),
ENTITY-SENSOR-MIB (RFC 3433), and the makers' MIBs, whose units were read in their published texts and on no device: `UNVERIFIED`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: What an agent answered: OID → value.
Table = Mapping[str, object]

IF_HIGH_SPEED = "1.3.6.1.2.1.31.1.1.1.15"
DUPLEX = "1.3.6.1.2.1.10.7.2.1.19"
#: hh3cTransceiverCurRXPower by ifIndex, 0.01 dBm.
H3C_RX_POWER = "1.3.6.1.4.1.25506.2.70.1.1.1.12"
#: hwEntityOpticalRxPower by entPhysicalIndex: 0.01 dBm where it is below zero, microwatts above.
HUAWEI_RX_POWER = "1.3.6.1.4.1.2011.5.25.31.1.1.3.1.8"
ENTITY_NAME, ENTITY_PARENT = "1.3.6.1.2.1.47.1.1.1.1.7", "1.3.6.1.2.1.47.1.1.1.1.4"
#: entAliasMappingIdentifier: which ifIndex a physical entity is.
ENTITY_PORT = "1.3.6.1.2.1.47.1.3.2.1.2"
#: Columns of a sensor: type, scale, precision, value, status. The two tables differ in their root and in their kinds of sensor.
SENSOR, CISCO_SENSOR = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.4.1.9.9.91.1.1.1.1"
WATTS, DBM, UNITS, SENSOR_OK = 6, 14, 9, 1
ADSL, ADSL2 = "1.3.6.1.2.1.10.94.1.1", "1.3.6.1.2.1.10.238.1"
#: adslAturCurrSnrMgn, adslAtucCurrSnrMgn, adslAturCurrAtn, adslAtucCurrAtn (0.1 dB); adslAtucChanCurrTxRate, adslAturChanCurrTxRate, bit/s.
ADSL_COLUMNS = (f"{ADSL}.3.1.4", f"{ADSL}.2.1.4", f"{ADSL}.3.1.5", f"{ADSL}.2.1.5", f"{ADSL}.4.1.2", f"{ADSL}.5.1.2")
#: adsl2LineStatusSnrMarginDs, …Us, adsl2LineStatusLnAttenDs, …Us (0.1 dB); adsl2ChStatusActDataRate (bit/s) by ifIndex and end.
ADSL2_COLUMNS = tuple(f"{ADSL2}.1.1.1.{column}" for column in (18, 19, 14, 15))
ADSL2_RATE = f"{ADSL2}.2.1.1.3"
#: ADSL2-LINE-MIB's words for "not available" and "out of range".
NOT_KNOWN = (2147483646, 2147483647)
#: No transceiver sees more light, none tells of less: anything else is a mark for "no module".
LIGHT_DBM = (-45.0, 10.0)
UNVERIFIED = "unit by the maker's published MIB, not seen on a device"

_RX_NAME = re.compile(r"(?:receive|\brx)\b.*power|power.*\b(?:receive|rx)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AdslReading:
    """An ADSL line as its modem sees it: kbit/s and dB, down = towards the unit; None where it does not tell. `source` names the MIB."""

    source: str
    down_kbps: float | None
    up_kbps: float | None
    margin_down_db: float | None
    margin_up_db: float | None
    attenuation_down_db: float | None
    attenuation_up_db: float | None


@dataclass(frozen=True, slots=True)
class PortMedium:
    """One port; None for what its device does not tell. `rx_source` says which MIB the light was read from."""

    device: str
    interface: str
    speed_mbps: int | None = None
    full_duplex: bool | None = None
    rx_dbm: float | None = None
    rx_source: str = ""
    adsl: AdslReading | None = None


def number(value: object) -> int | None:
    """Return an SNMP integer, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_duplex(seen: Table, index: int) -> bool | None:
    """Read dot3StatsDuplexStatus: halfDuplex(2), fullDuplex(3); unknown(1) and nothing are not known."""
    return {2: False, 3: True}.get(number(seen.get(f"{DUPLEX}.{index}")) or 0)


def read_speed(seen: Table, index: int) -> int | None:
    """Read ifHighSpeed, Mbit/s; zero says nothing."""
    return number(seen.get(f"{IF_HIGH_SPEED}.{index}")) or None


# Light


def light(dbm: float | None) -> float | None:
    """Return a level that a transceiver can see, None for any other."""
    return round(dbm, 2) if dbm is not None and LIGHT_DBM[0] <= dbm <= LIGHT_DBM[1] else None


def microwatts_to_dbm(microwatts: float) -> float | None:
    """Return the level against one milliwatt; no light has none."""
    return 10 * math.log10(microwatts / 1000) if microwatts > 0 else None


def h3c_light(seen: Table, index: int) -> float | None:
    raw = number(seen.get(f"{H3C_RX_POWER}.{index}"))
    return None if raw is None else light(raw / 100)


def huawei_light(powers: Table, ports: Table) -> dict[int, float]:
    """Return the light by ifIndex. 0 and -1 stand for "no light" and "no module" as well as for a level: they say nothing."""
    found = {}
    for entity, index in entity_ports(ports).items():
        raw = number(powers.get(f"{HUAWEI_RX_POWER}.{entity}"))
        if raw is None or raw == -1:
            continue
        level = light(raw / 100 if raw < 0 else microwatts_to_dbm(raw))
        if level is not None:
            found[index] = level
    return found


def entity_ports(ports: Table) -> dict[int, int]:
    """Return physical entity → ifIndex from entAliasMappingIdentifier, whose value is the OID of an ifIndex."""
    found = {}
    for oid, value in ports.items():
        entity = oid.removeprefix(f"{ENTITY_PORT}.").partition(".")[0]
        index = str(value).rpartition(".")[2]
        if entity.isdigit() and index.isdigit():
            found[int(entity)] = int(index)
    return found


def sensor_light(sensors: Table, entities: Table, index: Mapping[str, int], *, root: str) -> dict[int, float]:
    """Return the light by ifIndex from sensors in watts or dBm whose name tells of received power.

    `entities`: names, parents and port mappings together. A sensor is of the port that it stands in, else of the one that it is named for.
    """
    found = {}
    ports = entity_ports({oid: value for oid, value in entities.items() if oid.startswith(f"{ENTITY_PORT}.")})
    for oid in sensors:
        if not oid.startswith(f"{root}.4."):
            continue
        entity = int(oid.rpartition(".")[2])
        name = _text(entities.get(f"{ENTITY_NAME}.{entity}"))
        port = _port_of(entity, name, entities, ports, index)
        level = _sensor_level(sensors, root, entity)
        if port is not None and level is not None and _RX_NAME.search(name):
            found[port] = level
    return found


def _sensor_level(sensors: Table, root: str, entity: int) -> float | None:
    kind, scale, precision, raw, status = (number(sensors.get(f"{root}.{column}.{entity}")) for column in range(1, 6))
    if raw is None or scale is None or status not in (None, SENSOR_OK):
        return None
    value = raw * 10.0 ** (3 * (scale - UNITS) - (precision or 0))
    if kind == DBM and root == CISCO_SENSOR:
        return light(value)
    return light(microwatts_to_dbm(value * 1e6)) if kind == WATTS else None


def _port_of(entity: int, name: str, entities: Table, ports: Mapping[int, int], index: Mapping[str, int]) -> int | None:
    place, seen = entity, set[int]()
    while place and place not in seen:
        if place in ports:
            return ports[place]
        seen.add(place)
        place = number(entities.get(f"{ENTITY_PARENT}.{place}")) or 0
    return next((each for port, each in index.items() if re.match(rf"{re.escape(port)}(?![\w/.])", name)), None)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


# ADSL


def read_adsl(seen: Table, indexes: Sequence[int]) -> AdslReading | None:
    """Return the line of one of these interfaces from either MIB, else the only line that the device has; None without one.

    The modem's port may stand beneath the interface that carries the line's address, and a channel may have an ifIndex of its own.
    """
    tenths = [_row(seen, column, indexes) for column in ADSL_COLUMNS]
    if any(value is not None for value in tenths):
        decibels, rates = map(_tenth, tenths[:4]), map(_kbps, tenths[4:])
        return AdslReading("ADSL-LINE-MIB, RFC 2662", *rates, *decibels)
    levels = [_tenth(_row(seen, column, indexes)) for column in ADSL2_COLUMNS]
    # The texts do not agree which end's row is which direction; ADSL's downstream is the larger by design (ITU-T G.992).
    both = sorted(filter(None, (_kbps(_row(seen, ADSL2_RATE, indexes, end)) for end in (1, 2))), reverse=True)
    if not both and all(level is None for level in levels):
        return None
    rates_2 = both if len(both) == 2 else (None, None)
    return AdslReading("ADSL2-LINE-MIB, RFC 4706", *rates_2, *levels)


def _row(seen: Table, column: str, indexes: Sequence[int], *rest: int) -> int | None:
    """Return the value of the first of these rows that is there, else of the only one in the column."""
    tail = "".join(f".{part}" for part in rest)
    for index in indexes:
        if (value := number(seen.get(f"{column}.{index}{tail}"))) is not None:
            return value
    rows = [oid for oid in seen if oid.startswith(f"{column}.") and oid.endswith(tail)]
    return number(seen[rows[0]]) if len(rows) == 1 else None


def _tenth(value: int | None) -> float | None:
    return None if value is None or value in NOT_KNOWN else value / 10


def _kbps(value: int | None) -> float | None:
    return value / 1000 if value else None


def extreme(values: Iterable[float | None], *, least: bool) -> float | None:
    """Return the worse of the values that are known: the least where less is worse."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return min(known) if least else max(known)
