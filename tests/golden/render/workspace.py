"""A small city as values: one county with a reserved port and a backup line, a city, an urban and a township unit, a switch."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from types import MappingProxyType
from zoneinfo import ZoneInfo

from app.core.inventory import Device, Inventory, Line, Region, Service, Unit, VpnLine
from app.core.ipplan import (
    AaaProfile,
    Allocation,
    BgpProfile,
    Features,
    Ipv6Block,
    IsisProfile,
    Management,
    OspfProfile,
    Plan,
    Pool,
    ProbeProfile,
    Provenance,
    ProvincePeer,
    QosShare,
    VpnProfile,
)
from app.core.ipv6 import plan_ipv6
from app.core.order import Order
from app.core.service_class import ServiceClass
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
        "h3c_msr": (
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
NE_PORTS = tuple(name.replace("0/0/", "0/1/") for name in PORTS["huawei_ar"])
IOS_PORTS = PORTS["h3c_msr"]
PLATFORMS = {
    "frr": "cisco_ios",
    "huawei_ar": "huawei",
    "huawei_ne": "huawei_vrpv8",
    "h3c_msr": "hp_comware",
    "cisco_ios": "cisco_ios",
}
#: Families of the routers below a core and counties of this one: NE has no templates for units.
BELOW = {"huawei_ne": "huawei_ar"}
LAN_PORTS = {"frr": "lan0", "huawei_ar": "GigabitEthernet0/0/7", "huawei_ne": "GigabitEthernet0/1/7"}
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


def full_workspace(family: str, *, switch: bool = False) -> Workspace:
    """Return the small city with everything that a plan may ask for beside OSPF: VPNs, BGP, filters, QoS, probe, keys, traps, IPv6,
    a dialled line, TACACS+."""
    workspace = small_workspace(family, switch=switch)
    lines = dict(workspace.inventory.lines)
    lines["C-1"] = replace(lines["C-1"], access_method="vpdn_l2tp")
    carried: tuple[VpnLine, ...] = ()
    if family != "frr":
        lines["B-2"] = replace(lines["B-2"], z_interface=f"{lines['B-2'].z_interface}.102")
        carried = (_carried(lines["B-2"]),)
    within = _vpn_services(family)
    inventory = replace(
        workspace.inventory, lines=lines, services={**workspace.inventory.services, **within}, vpn_lines=carried
    )
    held = [
        Allocation(IPv4Network(f"10.9.{index}.0/29"), "vpn", str(one.vpn), "service", f"service:{name}", date(2008, 4, 1))
        for index, (name, one) in enumerate(within.items())
    ]
    held += [Allocation(IPv4Network("10.9.16.0/30"), "vpn-lines", "CZ", "interconnect", "vpn:B-2/CZ", date(2008, 4, 1))][: len(carried)]
    plan = _full_plan(workspace.plan, family)
    assert plan.ipv6 is not None
    ledger6 = plan_ipv6(plan.ipv6, (), inventory, date(2008, 4, 1), 90, plan.features.vpns).ledger
    return replace(workspace, inventory=inventory, plan=plan, ledger=(*workspace.ledger, *held), ledger6=ledger6)


def _carried(line: Line) -> VpnLine:
    """Return a department's VPN on the urban unit's line, in a VLAN of its own at both ends, held to a quarter of the line."""
    a, z = line.a_interface.partition(".")[0], line.z_interface.partition(".")[0]
    return VpnLine(line.line_id, "CZ", f"{a}.2102", f"{z}.2102", 512, "inventory/vpn_lines.csv:2")


def isis_workspace(family: str, *, switch: bool = False) -> Workspace:
    """Return the full city with IS-IS in place of OSPF, and RADIUS in place of TACACS+."""
    workspace = full_workspace(family, switch=switch)
    management = replace(workspace.plan.management, aaa=AaaProfile("radius", ("noc", "exchange")))
    plan = replace(workspace.plan, isis=IsisProfile(authentication=True), management=management)
    return replace(workspace, plan=plan)


def _vpn_services(family: str) -> dict[str, Service]:
    """Return two departments' systems, one of them at a county and at a unit's own router, and what all departments share."""
    port, unit = _ports(family)[5][:-1], _ports(BELOW.get(family, family))[5][:-1]
    rows = (
        Service("finance", "财政", "finance", "application", "core", f"{port}9", 80, "CZ", "business", ()),
        Service("finance02", "财政接入", "finance access", "access", "county02", f"{port}6", 80, "CZ", "business", ()),
        Service("archive", "档案", "archive", "application", "core", f"{port}0", 80, "DA", "business", ()),
        Service("finance-u01", "财政接入", "finance access", "access", "u01", f"{unit}6", 80, "CZ", "business", ()),
        Service("shared", "共享", "shared", "application", "core", f"{port}7", 80, "GX", "business", ()),
    )
    rows = tuple(row for row in rows if family != "frr" or row.device != "u01")
    return {service.service_id: replace(service, where=f"inventory/services.csv:{row}") for row, service in enumerate(rows, 4)}


def _full_plan(plan: Plan, family: str) -> Plan:
    pools = (
        Pool("loopback", "loopback", "national_public", "GGW", IPv4Network("198.18.0.0/24"), 32, PROVENANCE),
        Pool("lan", "unit_lan", "national_public", "GGW", IPv4Network("198.18.8.0/24"), 28, PROVENANCE),
        Pool("lan-local", "unit_lan", "local_public", "GGW", IPv4Network("10.8.0.0/24"), 28, PROVENANCE),
        Pool("vpn", "service", "department", "CZ", IPv4Network("10.9.0.0/20"), 29, PROVENANCE),
        Pool("vpn-lines", "interconnect", "department", "CZ", IPv4Network("10.9.16.0/24"), 30, PROVENANCE),
    )
    to_province = _ports(family)[5][:-1] + "8"
    ours, theirs = IPv4Interface("198.18.200.2/30"), IPv4Address("198.18.200.1")
    ours6, theirs6 = IPv6Interface("2001:db8:ffff::1/127"), IPv6Address("2001:db8:ffff::")
    peer = ProvincePeer("core", to_province, ours, theirs, 64600, ours6, theirs6)
    features = Features(
        vpns=(
            VpnProfile("CZ", "department", "64512:11", ("64512:11", "64512:1"), ("64512:11",), IPv6Network("2001:db8:9000::/48")),
            VpnProfile("DA", "department", "64512:12", ("64512:12", "64512:1"), ("64512:12",)),
            VpnProfile("GX", "department", "64512:1", ("64512:1", "64512:11", "64512:12"), ("64512:1",)),
            VpnProfile("HLW", "internet", "64512:2", ("64512:2",), ("64512:2",)),
        ),
        bgp=BgpProfile(64512, (peer,)),
        only_assigned=True,
        qos=(QosShare("voice", "ef", 10, True), QosShare("video", "af41", 30, False), QosShare("business", "af21", 30, False)),
        probe=ProbeProfile(60, 5),
        hardware={"S2700": ("GigabitEthernet0/0/23", "GigabitEthernet0/0/24"), "S5130": ("GigabitEthernet1/0/23",)},
    )
    vrfs = {"GGW": "public", "CZ": "department", "DA": "department", "GX": "department", "HLW": "internet"}
    management = replace(plan.management, ntp_key_id=1, trap_services=("noc",), aaa=AaaProfile("tacacs", ("noc",)))
    ipv6 = Ipv6Block(IPv6Network("2001:db8:100::/40"), "GGW", PROVENANCE)
    return replace(plan, pools=pools, features=features, vrfs=vrfs, management=management, ipv6=ipv6)


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
    below = BELOW.get(family, family)
    rows = [
        ("core", "city_core", "511900", None, None),
        ("county02", "county_agg", "511902", "GOV02", LAN_PORTS.get(family, "GigabitEthernet0/7")),
        ("d01", "city_unit", "511900", "D01", LAN_PORTS.get(below, "GigabitEthernet0/7")),
        ("u01", "urban_unit", "511902", "U01", LAN_PORTS.get(below, "GigabitEthernet0/7")),
        ("t01", "township_unit", "511902", "T01", LAN_PORTS.get(below, "GigabitEthernet0/7")),
    ]
    devices = {
        name: Device(name, PLATFORMS[one], one, role, region, unit, "vendor", "model", port, f"inventory/devices.csv:{line}")
        for line, (name, role, region, unit, port) in enumerate(rows, 2)
        for one in (below if role.endswith("_unit") else family,)
    }
    if switch:
        is_h3c = family == "h3c_msr"
        devices["u01-sw"] = Device(
            "u01-sw",
            "hp_comware" if is_h3c else "huawei",
            "h3c_s" if is_h3c else "huawei_s",
            "unit_switch",
            "511902",
            "U01",
            "H3C" if is_h3c else "Huawei",
            "S5130" if is_h3c else "S2700",
            "GigabitEthernet1/0/24" if is_h3c else "GigabitEthernet0/0/24",
            "inventory/devices.csv:7",
        )
    return devices


def _lines(family: str) -> dict[str, Line]:
    p, u = _ports(family), _ports(BELOW.get(family, family))
    rows = [
        Line("A-1", "GOV02", "agg_10m", "fibre", "ethernet", "telecom", "CD1", "core", p[0], "county02", p[0], p[1], p[1]),
        Line("K-1", "GOV02", "backup_10m", "fibre", "ethernet", "mobile", None, "core", p[2], "county02", p[2], role="backup"),
        Line("B-1", "D01", "fibre_2m", "fibre", "ethernet", "telecom", None, "core", p[3], "d01", u[0]),
        Line("B-2", "U01", "fibre_2m", "fibre", "ethernet", "mobile", None, "county02", p[6], "u01", u[0]),
        Line("C-1", "T01", "adsl_1m", "adsl", "bridged_pvc", "telecom", None, "county02", p[7], "t01", u[0]),
    ]
    return {line.line_id: replace(line, where=f"inventory/lines.csv:{row}") for row, line in enumerate(rows, 2)}


def _ports(family: str) -> tuple[str, ...]:
    return {"huawei_ne": NE_PORTS, "cisco_ios": IOS_PORTS}.get(family) or PORTS[family]


def _services(family: str) -> dict[str, Service]:
    p = _ports(family)
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
