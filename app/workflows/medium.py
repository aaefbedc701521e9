"""Ask devices for what the medium of their lines shows, for lines whose class is judged by it. Results are measurements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from app.core import medium
from app.core.acceptance import Measurement
from app.core.intent import DeviceIntent
from app.core.inventory import Line
from app.core.medium import PortMedium
from app.errors import DeviceError
from app.workflows.measure import Ground, MeasureReport, unmeasured

FIBRE_KINDS = ("port_speed", "duplex", "rx_power")
ADSL_KINDS = ("sync_rate_down", "sync_rate_up", "snr_margin", "attenuation")
#: Kind → its unit.
UNITS: Mapping[str, str] = {
    "port_speed": "Mbit/s",
    "duplex": "full",
    "rx_power": "dBm",
    "sync_rate_down": "kbps",
    "sync_rate_up": "kbps",
    "snr_margin": "dB",
    "attenuation": "dB",
}
METHOD = "read from the devices by SNMP"
AT_ONCE = 100


class MediumAgent(Protocol):
    """What is asked of a device; `app.edge.snmp.agent.Agent` is the real one. Every method raises DeviceError."""

    async def find_index(self, interfaces: Sequence[str]) -> dict[str, int]: ...
    async def fetch(self, oids: Sequence[str]) -> Mapping[str, object]: ...
    async def walk(self, root: str) -> Mapping[str, object]: ...
    def close(self) -> None: ...


OpenAgent = Callable[[DeviceIntent], MediumAgent]


@dataclass(frozen=True, slots=True)
class DeviceMedium:
    """What one device told of its ports, by interface; `trouble` says why it told nothing."""

    ports: Mapping[str, PortMedium]
    trouble: str = ""


def medium_kinds(ground: Ground, line: Line) -> tuple[str, ...]:
    """Return the kinds that the line's class is judged by and that its medium shows."""
    wanted = {criterion.kind for criterion in ground.workspace.order.classes[line.service_class].criteria}
    return tuple(kind for kind in (*FIBRE_KINDS, *ADSL_KINDS) if kind in wanted)


async def measure_medium(ground: Ground, lines: Sequence[Line], open_agent: OpenAgent) -> MeasureReport:
    """Ask every device at the ends of these lines once; lines whose class asks for nothing of the kind are left out."""
    concerned = [line for line in lines if medium_kinds(ground, line)]
    wanted = wanted_ports(ground, concerned)
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(device: str) -> DeviceMedium:
        async with turn:
            return await read_device(ground.intents[device], wanted[device], open_agent)

    seen = dict(zip(wanted, await asyncio.gather(*map(ask, wanted)), strict=True))
    at = ground.clock()
    return MeasureReport(tuple(each for line in concerned for each in _of_line(ground, line, seen, at)))


def wanted_ports(ground: Ground, lines: Sequence[Line]) -> dict[str, dict[str, frozenset[str]]]:
    """Return device → interface → kinds; an ADSL line is asked for at the unit, where the modem is."""
    wanted: dict[str, dict[str, frozenset[str]]] = {}
    for line in lines:
        kinds = frozenset(medium_kinds(ground, line))
        for device, interface, part in (
            (line.a_device, line.a_interface, kinds & set(FIBRE_KINDS)),
            (line.z_device, line.z_interface, kinds),
        ):
            if part:
                wanted.setdefault(device, {})[interface] = part
    return wanted


async def read_device(intent: DeviceIntent, wanted: Mapping[str, frozenset[str]], open_agent: OpenAgent) -> DeviceMedium:
    """Ask one device for the ports named; whatever goes wrong is told, never raised."""
    agent = open_agent(intent)
    try:
        parents = {name: name.partition(".")[0] for name in wanted}
        index = await agent.find_index([*wanted, *(parent for name, parent in parents.items() if parent != name)])
        ports = {name: PortMedium(intent.hostname, name) for name in wanted if name in index}
        if any(kinds & set(FIBRE_KINDS) for kinds in wanted.values()):
            ports = await _read_ethernet(agent, intent, ports, index, wanted)
        if any(kinds & set(ADSL_KINDS) for kinds in wanted.values()):
            tables = await _walk_all(agent, (*medium.ADSL_COLUMNS, *medium.ADSL2_COLUMNS, medium.ADSL2_RATE))
            for name, port in ports.items():
                if wanted[name] & set(ADSL_KINDS):
                    places = [index[each] for each in (name, parents[name]) if each in index]
                    ports[name] = replace(port, adsl=medium.read_adsl(tables, places))
        return DeviceMedium(ports)
    except DeviceError as error:
        return DeviceMedium({}, str(error))
    finally:
        agent.close()


async def _read_ethernet(
    agent: MediumAgent,
    intent: DeviceIntent,
    ports: Mapping[str, PortMedium],
    index: Mapping[str, int],
    wanted: Mapping[str, frozenset[str]],
) -> dict[str, PortMedium]:
    places = {name: index.get(name.partition(".")[0], index[name]) for name in ports}  # a sub-interface has its port's medium
    columns = [medium.IF_HIGH_SPEED, medium.DUPLEX, *([medium.H3C_RX_POWER] if intent.family.startswith("h3c") else [])]
    seen = await agent.fetch([f"{column}.{place}" for place in places.values() for column in columns])
    optical = any("rx_power" in kinds for kinds in wanted.values())
    lit, source = await _read_light(agent, intent.family, seen, index) if optical else ({}, "")
    return {
        name: replace(
            port,
            speed_mbps=medium.read_speed(seen, places[name]),
            full_duplex=medium.read_duplex(seen, places[name]),
            rx_dbm=lit.get(places[name]),
            rx_source=source if places[name] in lit else "",
        )
        for name, port in ports.items()
    }


async def _read_light(
    agent: MediumAgent, family: str, seen: Mapping[str, object], index: Mapping[str, int]
) -> tuple[Mapping[int, float], str]:
    """Return the light by ifIndex from the MIB that the family has, and that MIB's name."""
    if family.startswith("h3c"):
        lit = {each: level for each in index.values() if (level := medium.h3c_light(seen, each)) is not None}
        return lit, f"HH3C-TRANSCEIVER-INFO-MIB ({medium.UNVERIFIED})"
    if family.startswith("huawei"):
        powers, ports = await agent.walk(medium.HUAWEI_RX_POWER), await agent.walk(medium.ENTITY_PORT)
        return medium.huawei_light(powers, ports), f"HUAWEI-ENTITY-EXTENT-MIB ({medium.UNVERIFIED})"
    for root, name in ((medium.SENSOR, "ENTITY-SENSOR-MIB, RFC 3433"), (medium.CISCO_SENSOR, "CISCO-ENTITY-SENSOR-MIB")):
        if sensors := await agent.walk(root):
            entities = await _walk_all(agent, (medium.ENTITY_NAME, medium.ENTITY_PARENT, medium.ENTITY_PORT))
            if lit := medium.sensor_light(sensors, entities, index, root=root):
                return lit, f"{name} ({medium.UNVERIFIED})"
    return {}, ""


async def _walk_all(agent: MediumAgent, roots: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for root in roots:
        found |= await agent.walk(root)
    return found


# One line


def _of_line(ground: Ground, line: Line, seen: Mapping[str, DeviceMedium], at: datetime) -> Iterator[Measurement]:
    places = {"a": (line.a_device, line.a_interface), "z": (line.z_device, line.z_interface)}
    ends = {end: seen[device].ports.get(interface) if device in seen else None for end, (device, interface) in places.items()}
    method = ground.method(METHOD)
    for kind in medium_kinds(ground, line):
        told = {end: port for end, port in ends.items() if port is not None and _value(kind, port) is not None}
        silent = [f"{places[end][0]}:{places[end][1]}" for end in _ends_needed(kind) if end not in told]
        if silent and (kind != "rx_power" or not told) and not (kind == "duplex" and _is_half(told.values())):
            trouble = next((seen[device].trouble for device, _ in places.values() if device in seen and seen[device].trouble), "")
            reason = trouble or f"not told by {', '.join(silent)}"
            yield unmeasured(line.line_id, kind, at, UNITS[kind], method, reason)
            continue
        values = [_value(kind, port) for port in told.values()]
        worst = medium.extreme(values, least=kind != "attenuation")
        detail = {end: _facts(kind, port) for end, port in told.items()}
        yield Measurement(line.line_id, kind, at, worst, UNITS[kind], method, detail)


def _ends_needed(kind: str) -> tuple[str, ...]:
    """Return the ends that have to tell: both, or the unit's where the modem is."""
    return ("z",) if kind in ADSL_KINDS else ("a", "z")


def _is_half(ports: Iterable[PortMedium]) -> bool:
    """Tell whether one end alone decides: half duplex at either is half duplex."""
    return any(port.full_duplex is False for port in ports)


def _value(kind: str, port: PortMedium) -> float | None:
    """Return what a port says of one kind; the worse direction of an ADSL line counts."""
    adsl = port.adsl
    match kind:
        case "port_speed":
            return port.speed_mbps
        case "duplex":
            return None if port.full_duplex is None else float(port.full_duplex)
        case "rx_power":
            return port.rx_dbm
        case "sync_rate_down":
            return adsl.down_kbps if adsl else None
        case "sync_rate_up":
            return adsl.up_kbps if adsl else None
        case "snr_margin":
            return medium.extreme((adsl.margin_down_db, adsl.margin_up_db), least=True) if adsl else None
    return medium.extreme((adsl.attenuation_down_db, adsl.attenuation_up_db), least=False) if adsl else None


def _facts(kind: str, port: PortMedium) -> dict[str, object]:
    facts: dict[str, object] = {"port": f"{port.device}:{port.interface}", "value": _value(kind, port)}
    match kind:
        case "snr_margin" if port.adsl:
            facts |= {"down_db": port.adsl.margin_down_db, "up_db": port.adsl.margin_up_db}
        case "attenuation" if port.adsl:
            facts |= {"down_db": port.adsl.attenuation_down_db, "up_db": port.adsl.attenuation_up_db}
        case "rx_power":
            facts["source"] = port.rx_source
        case "port_speed":
            facts["source"] = "ifHighSpeed: what the port runs at, unless a bandwidth command says otherwise; it proves no rate"
    return facts | ({"source": port.adsl.source} if port.adsl else {})
