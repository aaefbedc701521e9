"""A small city as values: one county with a reserved port and a backup line, a city, an urban and a township unit, a switch."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from types import MappingProxyType
from zoneinfo import ZoneInfo

from app.core.inventory import Device, Inventory, Line, Region, Service, Unit
from app.core.ipplan import Allocation, Management, OspfProfile, Plan, Provenance
from app.core.order import Order, ServiceClass
from app.core.workspace import Workspace

#: Port names by family: core (to county, backup, city unit, service ports), county, unit.
PORTS = MappingProxyType(
    {
        "frr": ("eth1", "eth2", "eth3", "eth4", "eth5", "eth6", "eth10", "eth11", "lan0"),
        "huawei_ar": (
            "GigabitEthernet0/0/1",
            "GigabitEthernet0/0/2",
            "GigabitEthernet0/0/3",
            "GigabitEthernet0/0/4.101",
            "GigabitEthernet0/0/5",
            "GigabitEthernet0/0/6",
            "GigabitEthernet0/0/4.102",
            "GigabitEthernet0/0/4.1002",
            "GigabitEthernet0/0/0",
        ),
        "h3c": (
            "GigabitEthernet0/1",
            "GigabitEthernet0/2",
            "GigabitEthernet0/3",
            "GigabitEthernet0/4.101",
            "GigabitEthernet0/5",
            "GigabitEthernet0/6",
            "GigabitEthernet0/4.102",
            "GigabitEthernet0/4.1002",
            "GigabitEthernet0/0",
        ),
    }
)
LAB_OSPF = OspfProfile(1, 100, 1, 4, 1, (20, 50, 500), 100, 50)
PROVENANCE = Provenance("test", "test", None)
CLASSES = {
    "agg_10m": ServiceClass("agg_10m", "10兆", "10M", "fibre", 10000, 10000, 10240, 10240, ("county",), reserved_port_mbps=100),
    "backup_10m": ServiceClass("backup_10m", "10兆备份", "10M backup", "fibre", 10000, 10000, 10240, 10240, ("county",)),
    "fibre_2m": ServiceClass("fibre_2m", "2兆", "2M", "fibre", 2000, 2000, 2048, 2048, ("city", "county")),
    "adsl_1m": ServiceClass("adsl_1m", "1兆", "1M", "adsl", 1000, 512, 1024, 512, ("township",)),
}


def small_workspace(family: str, *, switch: bool = False) -> Workspace:
    """Return the small city with every router of one family; `switch` adds a huawei_s behind the urban unit's router."""
    inventory = Inventory(_regions(), _units(), _devices(family, switch=switch), _lines(family), _services(family))
    return Workspace(_order(), inventory, _plan(), _ledger(inventory), {})


def _regions() -> dict[str, Region]:
    return {
        "511900": Region("511900", "巴中市", "Bazhong", "city", None, "0.0.0.0"),
        "511902": Region("511902", "巴州区", "Bazhou", "county", "511900", "0.0.0.2"),
    }


def _units() -> dict[str, Unit]:
    rows = (
        ("GOV02", "511902", "county", "county_government", True),
        ("D01", "511900", "city", "department", True),
        ("U01", "511902", "county", "department", True),
        ("T01", "511902", "township", "township_government", False),
    )
    return {
        unit_id: Unit(
            unit_id, f"单位{unit_id}", f"Unit {unit_id}", region, level, kind, urban, "A", "clerk", where=f"inventory/units.csv:{row}"
        )
        for row, (unit_id, region, level, kind, urban) in enumerate(rows, 2)
    }


def _devices(family: str, *, switch: bool) -> dict[str, Device]:
    lan = PORTS[family][8]
    platform = {"frr": "cisco_ios", "huawei_ar": "huawei", "h3c": "hp_comware"}[family]
    lan_port = {"frr": lan, "huawei_ar": "GigabitEthernet0/0/7", "h3c": "GigabitEthernet0/7"}[family]
    rows = [
        ("core", "city_core", "511900", None, None),
        ("county02", "county_agg", "511902", "GOV02", lan_port),
        ("d01", "city_unit", "511900", "D01", lan_port),
        ("u01", "urban_unit", "511902", "U01", lan_port),
        ("t01", "township_unit", "511902", "T01", lan_port),
    ]
    devices = {
        name: Device(name, platform, family, role, region, unit, "vendor", "model", port, f"inventory/devices.csv:{line}")
        for line, (name, role, region, unit, port) in enumerate(rows, 2)
    }
    if switch:
        devices["u01-sw"] = Device(
            "u01-sw",
            "huawei",
            "huawei_s",
            "unit_switch",
            "511902",
            "U01",
            "Huawei",
            "S2700",
            "GigabitEthernet0/0/24",
            "inventory/devices.csv:7",
        )
    return devices


def _lines(family: str) -> dict[str, Line]:
    p = PORTS[family]
    rows = [
        Line("A-1", "GOV02", "agg_10m", "fibre", "ethernet", "telecom", "CD1", "core", p[0], "county02", p[0], p[1], p[1]),
        Line("K-1", "GOV02", "backup_10m", "fibre", "ethernet", "mobile", None, "core", p[2], "county02", p[2], role="backup"),
        Line("B-1", "D01", "fibre_2m", "fibre", "ethernet", "telecom", None, "core", p[3], "d01", p[0]),
        Line("B-2", "U01", "fibre_2m", "fibre", "ethernet", "mobile", None, "county02", p[6], "u01", p[0]),
        Line("C-1", "T01", "adsl_1m", "adsl", "bridged_pvc", "telecom", None, "county02", p[7], "t01", p[0]),
    ]
    return {line.line_id: replace(line, where=f"inventory/lines.csv:{row}") for row, line in enumerate(rows, 2)}


def _services(family: str) -> dict[str, Service]:
    p = PORTS[family]
    rows = (
        Service("noc", "监控", "monitoring", "monitoring", "core", p[4], 443, None, "management", ()),
        Service("exchange", "公文", "exchange", "exchange", "core", p[5], 8080, None, "application", ("city",)),
    )
    return {service.service_id: replace(service, where=f"inventory/services.csv:{row}") for row, service in enumerate(rows, 2)}


def _order() -> Order:
    return Order(
        "巴府办发[2008]13号",
        "t",
        "t",
        "i",
        date(2008, 3, 26),
        ZoneInfo("Asia/Shanghai"),
        CLASSES,
        (),
        (),
        {},
        (),
        {"telecom": "电信", "mobile": "移动"},
    )


def _plan() -> Plan:
    management = Management("noc", ("noc",), ("noc",), "netops", "poller", banner="Authorised access only")
    return Plan(IPv4Network("198.18.0.0/15"), (), PROVENANCE, False, LAB_OSPF, management)


def _ledger(inventory: Inventory) -> tuple[Allocation, ...]:
    held = {f"device:{name}": f"198.18.0.{index}/32" for index, name in enumerate(inventory.devices, 1)}
    held |= {f"line:{line_id}": f"198.18.4.{4 * index}/30" for index, line_id in enumerate(inventory.lines)}
    held |= {f"unit:{unit_id}": f"198.18.8.{16 * index}/28" for index, unit_id in enumerate(inventory.units)}
    held |= {f"service:{service_id}": f"198.18.12.{8 * index}/29" for index, service_id in enumerate(inventory.services)}
    held["management:U01"] = "198.18.14.0/30"
    return tuple(Allocation(IPv4Network(prefix), "pool", "GGW", "role", holder, date(2008, 4, 1)) for holder, prefix in held.items())
