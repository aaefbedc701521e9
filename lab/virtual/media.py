"""What the ports of virtual devices show of their medium, and the tables in which an agent of each maker tells it. Values are played."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.virtual import ber

#: Physical entities are numbered from here by ifIndex.
FIRST_ENTITY = 1000
IF_INDEX = ber.dotted("1.3.6.1.2.1.2.2.1.1")
#: Table → its root.
ROOTS: Mapping[str, ber.Name] = {
    "duplex": ber.dotted("1.3.6.1.2.1.10.7.2.1"),
    "adsl": ber.dotted("1.3.6.1.2.1.10.94.1.1"),
    "alias": ber.dotted("1.3.6.1.2.1.47.1.3.2.1"),
    "huawei_light": ber.dotted("1.3.6.1.4.1.2011.5.25.31.1.1.3.1"),
    "h3c_light": ber.dotted("1.3.6.1.4.1.25506.2.70.1.1.1"),
}
#: Columns of ADSL-LINE-MIB as table and column: margins, attenuations, rates of both ends.
ADSL_COLUMNS = ((2, 4), (2, 5), (3, 4), (3, 5), (4, 2), (5, 2))


@dataclass(frozen=True, slots=True)
class AdslSync:
    """A synchronised ADSL line: kbit/s and dB, down = towards the modem."""

    down_kbps: int
    up_kbps: int
    margin_down_db: float = 12.0
    margin_up_db: float = 11.0
    attenuation_down_db: float = 32.0
    attenuation_up_db: float = 18.0


@dataclass(frozen=True, slots=True)
class PortMedium:
    """What one port shows. `rx_dbm` None: no optics; `adsl` None: no modem; `full_duplex` None: its agent does not say."""

    full_duplex: bool | None = None
    rx_dbm: float | None = None
    adsl: AdslSync | None = None


def usual_light(name: str) -> float:
    """Return the light that an end usually receives, -8 to -16 dBm, always the same for one name."""
    return round(-8 - 8 * int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 0xFFFFFFFF, 2)


#: A slot of an agent's view: table, column, ifIndex.
Slot = tuple[str, int, int]


def slots(vendor: str, media: Mapping[int, PortMedium]) -> list[Slot]:
    """Return the slots that an agent of this vendor has beside IF-MIB, by ifIndex of its ports."""
    found: list[Slot] = [("duplex", 19, index) for index, medium in media.items() if medium.full_duplex is not None]
    found += [("adsl", table * 100 + column, index) for index, medium in media.items() if medium.adsl for table, column in ADSL_COLUMNS]
    lit = [index for index, medium in media.items() if medium.rx_dbm is not None]
    if vendor == "huawei":
        found += [(table, column, index) for table, column in (("alias", 2), ("huawei_light", 8)) for index in lit]
    if vendor == "h3c":
        found += [("h3c_light", 12, index) for index in lit]
    return found


def slot_name(slot: Slot) -> ber.Name:
    """Return the OID of a slot of one of these tables."""
    table, column, index = slot
    if table == "adsl":
        return (*ROOTS[table], column // 100, 1, column % 100, index)
    if table == "alias":
        return (*ROOTS[table], column, FIRST_ENTITY + index, 0)
    entity = FIRST_ENTITY + index if table == "huawei_light" else index
    return (*ROOTS[table], column, entity)


def value(slot: Slot, medium: PortMedium) -> bytes:
    """Return the value of a slot as an element, in the unit of its MIB."""
    table, column, index = slot
    if table == "duplex":
        return ber.integer(3 if medium.full_duplex else 2)
    if table == "alias":
        return ber.name((*IF_INDEX, index))
    if table == "adsl":
        return _ADSL_VALUES[column](medium.adsl or AdslSync(0, 0))
    return ber.integer(round((medium.rx_dbm or 0.0) * 100))


def _tenths(name: str) -> Callable[[AdslSync], bytes]:
    return lambda sync: ber.integer(round(getattr(sync, name) * 10))


def _bits(name: str) -> Callable[[AdslSync], bytes]:
    return lambda sync: ber.unsigned(getattr(sync, name) * 1000, ber.GAUGE32)


_ADSL_VALUES: Mapping[int, Callable[[AdslSync], bytes]] = {
    204: _tenths("margin_up_db"),
    205: _tenths("attenuation_up_db"),
    304: _tenths("margin_down_db"),
    305: _tenths("attenuation_down_db"),
    402: _bits("down_kbps"),
    502: _bits("up_kbps"),
}
