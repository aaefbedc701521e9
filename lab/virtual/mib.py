"""What an agent of a virtual device tells: system group, IF-MIB (RFC 2863), snmpEngine group (RFC 3411).

Names and static values are encoded once; counters are worked out at the moment of the request.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache

from lab.virtual import ber, media
from lab.virtual.device import VirtualDevice
from lab.virtual.facts import Port, location_of
from lab.virtual.media import Slot
from lab.virtual.network import VirtualNetwork

SYSTEM, INTERFACES, IF_ENTRY, IFX_ENTRY, ENGINE = (
    ber.dotted(text) for text in ("1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1", "1.3.6.1.6.3.10.2.1")
)
UP, DOWN = ber.integer(1), ber.integer(2)
ETHERNET, LOOPBACK, VLAN = 6, 24, 136
MEAN_PACKET_OCTETS = 500


class Shape:
    """The names that agents with the same interfaces share, in order. A slot is (table, column, ifIndex)."""

    __slots__ = ("keys", "names", "place", "slots")

    def __init__(self, indexes: tuple[int, ...], *, wide: bool, more: tuple[Slot, ...] = ()) -> None:
        slots = [("system", column, 0) for column in range(1, 8)]
        slots += [("interfaces", 1, 0)]
        slots += [("if", column, index) for column in _IF for index in indexes]
        slots += [("ifx", column, index) for column in _IFX if wide or column not in _WIDE for index in indexes]
        slots += [("engine", column, 0) for column in (1, 2, 3)]
        self.slots = tuple(sorted((*slots, *more), key=_name))
        self.keys = tuple(_name(slot) for slot in self.slots)
        self.names = tuple(ber.name(key) for key in self.keys)
        self.place = {key: number for number, key in enumerate(self.keys)}

    def after(self, name: ber.Name) -> int | None:
        """Return the slot that follows a name, None at the end of the view."""
        number = bisect_right(self.keys, name)
        return number if number < len(self.keys) else None


def _name(slot: tuple[str, int, int]) -> ber.Name:
    table, column, index = slot
    if table in media.ROOTS:
        return media.slot_name(slot)
    base = {"system": SYSTEM, "interfaces": INTERFACES, "if": IF_ENTRY, "ifx": IFX_ENTRY, "engine": ENGINE}[table]
    return (*base, column, index)


@lru_cache(maxsize=4096)
def shape_of(indexes: tuple[int, ...], *, wide: bool, more: tuple[Slot, ...] = ()) -> Shape:
    """Return the shape of these interfaces, made once; `more` are slots of what their media show."""
    return Shape(indexes, wide=wide, more=more)


class View:
    """One device's values by slot. What cannot change between two configurations is encoded once and kept."""

    __slots__ = ("_device", "_interfaces", "_kept", "_network", "_version", "engine_id", "shape")

    def __init__(self, network: VirtualNetwork, device: VirtualDevice, engine_id: bytes) -> None:
        self._network, self._device, self.engine_id = network, device, engine_id
        self._version = -1
        self._kept: dict[int, bytes] = {}
        self._interfaces: dict[int, str] = {}
        self.shape = shape_of((), wide=True)

    def refresh(self) -> None:
        """Follow the configuration: interfaces may have come and gone."""
        device = self._device
        if self._version == device.version:
            return
        self._version = device.version
        self._kept.clear()
        self._interfaces = {device.index[name]: name for name in device.ports}
        shown = {index: device.media[name] for index, name in self._interfaces.items() if name in device.media}
        more = tuple(media.slots(device.grammar.vendor, shown))
        self.shape = shape_of(tuple(sorted(self._interfaces)), wide=device.spec.wide_counters, more=more)

    def varbind(self, number: int, now_s: float) -> bytes:
        """Return the name and value of a slot as an element."""
        kept = self._kept.get(number)
        if kept is not None:
            return kept
        table, column, index = slot = self.shape.slots[number]
        if table in media.ROOTS:
            told = media.value(slot, self._device.media[self._interfaces[index]])
            return ber.tlv(ber.SEQUENCE, self.shape.names[number] + told)
        lasting, reader = _TABLES[table][column]
        value = reader(self, self._interfaces.get(index, ""), now_s)
        element = ber.tlv(ber.SEQUENCE, self.shape.names[number] + value)
        if lasting:
            self._kept[number] = element
        return element

    def ticks(self, now_s: float) -> int:
        """Return sysUpTime in hundredths of a second."""
        return int((now_s - self._device.state.booted_at_s) * 100)

    def boots(self) -> int:
        return self._device.boots

    def text(self, what: str) -> bytes:
        device = self._device
        if what == "descr":
            return device.grammar.description.encode()
        if what == "name":
            return self._network.hostname(device.spec.name).encode()
        return location_of(device.grammar, device.state.running).encode()

    def object_id(self) -> ber.Name:
        return ber.dotted(self._device.grammar.sys_object_id)

    def count(self) -> int:
        return len(self._interfaces)

    def port(self, interface: str) -> Port:
        return self._device.ports[interface]

    def index(self, interface: str) -> int:
        return self._device.index[interface]

    def speed_bps(self, interface: str) -> int:
        """Return the speed: what a `bandwidth` command says, else that of the port."""
        port = self._device.ports[interface]
        if port.bandwidth_kbps is not None:
            return port.bandwidth_kbps * 1000
        return self._device.spec.speeds_mbps.get(port.parent or interface, 1000) * 1000000

    def is_admin_up(self, interface: str) -> bool:
        return self._device.is_admin_up(interface)

    def is_up(self, interface: str) -> bool:
        return self._network.is_up(self._device.spec.name, interface)

    def last_change(self, interface: str) -> int:
        return max(0, int((self._device.changed_s.get(interface, 0.0) - self._device.state.booted_at_s) * 100))

    def counted(self, interface: str, now_s: float) -> tuple[int, int, int]:
        meter = self._device.meters.get(interface)
        return meter.read(now_s) if meter is not None else (0, 0, 0)


Reader = Callable[[View, str, float], bytes]


def _kind(view: View, interface: str, now_s: float) -> bytes:
    port = view.port(interface)
    return ber.integer(ETHERNET if port.physical else VLAN if port.parent or "lan" in interface.lower() else LOOPBACK)


def _hardware(view: View, interface: str, now_s: float) -> bytes:
    """Return a locally administered address of no maker."""
    return ber.octets(b"\x02" + view.engine_id[-4:] + bytes((view.index(interface) & 0xFF,)))


def _octets(place: int, tag: int) -> Reader:
    return lambda view, interface, now_s: ber.unsigned(view.counted(interface, now_s)[place], tag)


def _packets(place: int) -> Reader:
    return lambda view, interface, now_s: ber.unsigned(view.counted(interface, now_s)[place] // MEAN_PACKET_OCTETS, ber.COUNTER32)


def _zero(tag: int) -> Reader:
    return lambda view, interface, now_s: ber.unsigned(0, tag)


#: For each column: whether its value lasts between two configurations, and its reader.
_SYSTEM: dict[int, tuple[bool, Reader]] = {
    1: (True, lambda view, interface, now_s: ber.octets(view.text("descr"))),
    2: (True, lambda view, interface, now_s: ber.name(view.object_id())),
    3: (False, lambda view, interface, now_s: ber.unsigned(view.ticks(now_s), ber.TICKS)),
    4: (True, lambda view, interface, now_s: ber.octets(b"SIMULATION of waiwang")),
    5: (True, lambda view, interface, now_s: ber.octets(view.text("name"))),
    6: (True, lambda view, interface, now_s: ber.octets(view.text("location"))),
    7: (True, lambda view, interface, now_s: ber.integer(78)),
}
_IF: dict[int, tuple[bool, Reader]] = {
    1: (True, lambda view, interface, now_s: ber.integer(view.index(interface))),
    2: (True, lambda view, interface, now_s: ber.octets(interface.encode())),
    3: (True, _kind),
    4: (True, lambda view, interface, now_s: ber.integer(1500)),
    5: (True, lambda view, interface, now_s: ber.unsigned(min(view.speed_bps(interface), 0xFFFFFFFF), ber.GAUGE32)),
    6: (True, _hardware),
    7: (False, lambda view, interface, now_s: UP if view.is_admin_up(interface) else DOWN),
    8: (False, lambda view, interface, now_s: UP if view.is_up(interface) else DOWN),
    9: (False, lambda view, interface, now_s: ber.unsigned(view.last_change(interface), ber.TICKS)),
    10: (False, _octets(0, ber.COUNTER32)),
    11: (False, _packets(0)),
    13: (True, _zero(ber.COUNTER32)),
    14: (False, _octets(2, ber.COUNTER32)),
    16: (False, _octets(1, ber.COUNTER32)),
    17: (False, _packets(1)),
    19: (True, _zero(ber.COUNTER32)),
    20: (True, _zero(ber.COUNTER32)),
}
_IFX: dict[int, tuple[bool, Reader]] = {
    1: (True, lambda view, interface, now_s: ber.octets(interface.encode())),
    6: (False, _octets(0, ber.COUNTER64)),
    10: (False, _octets(1, ber.COUNTER64)),
    15: (True, lambda view, interface, now_s: ber.unsigned(round(view.speed_bps(interface) / 1000000), ber.GAUGE32)),
    18: (True, lambda view, interface, now_s: ber.octets(view.port(interface).description.encode())),
    19: (True, _zero(ber.TICKS)),
}
_WIDE = (6, 10)
_ENGINE: dict[int, tuple[bool, Reader]] = {
    1: (True, lambda view, interface, now_s: ber.octets(view.engine_id)),
    2: (False, lambda view, interface, now_s: ber.integer(view.boots())),
    3: (False, lambda view, interface, now_s: ber.integer(view.ticks(now_s) // 100)),
}
_TABLES: dict[str, dict[int, tuple[bool, Reader]]] = {
    "system": _SYSTEM,
    "interfaces": {1: (True, lambda view, interface, now_s: ber.integer(view.count()))},
    "if": _IF,
    "ifx": _IFX,
    "engine": _ENGINE,
}
