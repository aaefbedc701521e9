"""Rules over a whole workspace, each broken alone: one fault, one finding; a table that was not read whole accuses nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from ipaddress import IPv4Network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.consistency import find_inconsistencies, find_notes
from app.core.inventory import Device, Group, Inventory, Line, Region, Service, Unit
from app.core.ipplan import AaaProfile, Allocation, Management, OspfProfile, Plan, Pool, Provenance
from app.core.milestone import Milestone
from app.core.order import Order, Ruling
from app.core.scope import Scope
from app.core.score_table import ScoreItem, ScoreTable
from app.core.service_class import Criterion, ServiceClass
from app.core.source import Source
from app.core.workspace import Workspace

OURS = Provenance("tests", "nobody's plan", None)


def service_class(class_id: str, medium: str, kbps: int, levels: tuple[str, ...], **more: object) -> ServiceClass:
    base = ServiceClass(class_id, class_id, class_id, medium, kbps, kbps, kbps, kbps, levels, criteria=(Criterion("ports_up", True),))
    return replace(base, **more)


def line(number: int, unit: str, kind: str, a: tuple[str, str], z: str, **more: object) -> Line:
    base = Line(f"L-{number}", unit, kind, "fibre", "ethernet", "telecom", None, a[0], a[1], z, "eth0", where=f"lines.csv:{number}")
    return replace(base, **more)


def workspace() -> Workspace:
    """A city, a county with its government, a department and a township; valid as it stands."""
    order = Order(
        number="1",
        title="通知",
        title_en="Notice",
        issuer="市政府",
        issued_on=date(2008, 3, 26),
        timezone=ZoneInfo("Asia/Shanghai"),
        classes={
            "agg": service_class(
                "agg",
                "fibre",
                10240,
                ("county",),
                for_kinds=("county_government",),
                reserved_port_mbps=100,
                criteria=(Criterion("ports_up", True), Criterion("reserved_port", True)),
            ),
            "fibre": service_class("fibre", "fibre", 2048, ("city", "county", "township"), access_methods=("ethernet",)),
            "adsl": service_class("adsl", "adsl", 1024, ("county", "township"), urban_needs_ruling=True),
        },
        milestones=(
            Milestone(
                "lines", "线路", "Lines", date(2008, 6, 30), True, False, Scope(), 1.0, "county", "accepted_line", None, Source(clause="一")
            ),
        ),
        scoring=(
            ScoreTable(
                "t", "表", "Table", 10, "in_proportion", (ScoreItem("i", "项", "Item", 10, ("lines",), Source(clause="一")),), Source()
            ),
        ),
        rulings={"R-1": Ruling("R-1", "BZ-4", "?", "!", "…", date(2008, 4, 1), True)},
        duties=(),
        carriers={"telecom": "中国电信"},
    )
    units = [
        Unit("GOV", "县政府", "County", "02", "county", "county_government", True, "A", "clerk", where="units.csv:2"),
        Unit("U1", "财政局", "Finance", "02", "county", "department", True, "A", "clerk", where="units.csv:3"),
        Unit("U2", "清溪乡", "Qingxi", "02", "township", "township_government", False, "A", "clerk", where="units.csv:4"),
    ]
    devices = [
        Device("CORE", "huawei", "huawei_ar", "city_core", "01", None, "v", "m", where="devices.csv:2"),
        Device("AGG", "huawei", "huawei_ar", "county_agg", "02", "GOV", "v", "m", "lan0", where="devices.csv:3"),
        Device("R1", "huawei", "huawei_ar", "urban_unit", "02", "U1", "v", "m", "lan0", where="devices.csv:4"),
        Device("R2", "huawei", "huawei_ar", "township_unit", "02", "U2", "v", "m", "lan0", where="devices.csv:5"),
        Device("SW1", "huawei", "huawei_s", "unit_switch", "02", "U1", "v", "m", "eth0", where="devices.csv:6"),
    ]
    lines = [
        line(1, "GOV", "agg", ("CORE", "eth1"), "AGG", a_reserved_interface="eth9", z_reserved_interface="eth9"),
        line(2, "U1", "fibre", ("AGG", "eth1.101"), "R1"),
        line(3, "U2", "adsl", ("AGG", "eth1.102"), "R2", medium="adsl", access_method="bridged_pvc"),
    ]
    services = [
        Service(
            "exchange",
            "公文",
            "Exchange",
            "exchange",
            "CORE",
            "eth7",
            80,
            None,
            "business",
            ("city", "county", "township"),
            where="services.csv:2",
        ),
        Service("noc", "网管", "NOC", "monitoring", "CORE", "eth8", 162, None, "management", (), where="services.csv:3"),
    ]
    inventory = Inventory(
        regions={
            "01": Region("01", "市", "City", "city", None, "0.0.0.0", "regions.csv:2"),
            "02": Region("02", "县", "County", "county", "01", "0.0.0.2", "regions.csv:3"),
        },
        units={unit.unit_id: unit for unit in units},
        devices={device.name: device for device in devices},
        lines={one.line_id: one for one in lines},
        services={service.service_id: service for service in services},
    )
    plan = Plan(
        national_block=IPv4Network("59.192.0.0/10"),
        pools=(
            Pool("links", "interconnect", "national_public", "GGW", IPv4Network("59.225.0.0/24"), 30, OURS, where="plan.yaml:5"),
            Pool("lans", "unit_lan", "national_public", "GGW", IPv4Network("59.225.1.0/24"), 28, OURS, ("02",), "plan.yaml:6"),
        ),
        provenance=OURS,
        illustration=False,
        ospf=OspfProfile(),
        management=Management("noc", ("noc",), (), "netops", "poller", where="plan.yaml:9"),
    )
    ledger = (
        Allocation(IPv4Network("59.225.0.0/30"), "links", "GGW", "interconnect", "line:L-1", date(2008, 4, 1), where="allocations.csv:2"),
    )
    return Workspace(order, inventory, plan, ledger, {"huawei": Group("huawei")})


def with_rows(table: str, **rows: object) -> Workspace:
    """Return the workspace with some rows of a table of the inventory put in place, by key."""
    base = workspace()
    return replace(base, inventory=replace(base.inventory, **{table: {**getattr(base.inventory, table), **rows}}))


def with_line(number: int, **changes: object) -> Workspace:
    return with_rows("lines", **{f"L-{number}": replace(workspace().inventory.lines[f"L-{number}"], **changes)})


def with_unit(unit_id: str, **changes: object) -> Workspace:
    return with_rows("units", **{unit_id: replace(workspace().inventory.units[unit_id], **changes)})


def with_device(known: str, **changes: object) -> Workspace:
    return with_rows("devices", **{known: replace(workspace().inventory.devices[known], **changes)})


def with_region(code: str, **changes: object) -> Workspace:
    return with_rows("regions", **{code: replace(workspace().inventory.regions[code], **changes)})


def with_service(service_id: str, **changes: object) -> Workspace:
    return with_rows("services", **{service_id: replace(workspace().inventory.services[service_id], **changes)})


def with_order(**changes: object) -> Workspace:
    return replace(workspace(), order=replace(workspace().order, **changes))


def with_class(class_id: str, **changes: object) -> Workspace:
    classes = workspace().order.classes
    return with_order(classes={**classes, class_id: replace(classes[class_id], **changes)})


def with_plan(**changes: object) -> Workspace:
    return replace(workspace(), plan=replace(workspace().plan, **changes))


def with_pool(**changes: object) -> Workspace:
    links, lans = workspace().plan.pools
    return with_plan(pools=(links, replace(lans, **changes)))


def with_milestone(**changes: object) -> Workspace:
    return with_order(milestones=(replace(workspace().order.milestones[0], **changes),))


TRIAL = Criterion("trial", True, 0.99, timedelta(hours=72), timedelta(minutes=5))
BACKUP = line(4, "U2", "fibre", ("R1", "eth5"), "R2", z_interface="eth5", role="backup")
ONE_FAULT: dict[str, tuple[Workspace, str]] = {
    "region parent unknown": (with_region("02", parent="99"), "region 02: `parent` points nowhere"),
    "county without parent": (with_region("02", parent=None), "region 02: a county without a parent"),
    "county in the backbone": (with_region("02", ospf_area="0.0.0.0"), "region 02: a county in the backbone area"),
    "city off the backbone": (with_region("01", ospf_area="0.0.0.9"), "region 01: the city is not in the backbone area"),
    "city with a parent": (with_region("01", parent="02"), "region 01: the city has a parent"),
    "unit without line": (
        with_rows("units", U3=Unit("U3", "乙局", "B", "02", "county", "department", True, "A", "clerk")),
        "unit U3 (乙局) is in scope and has no line",
    ),
    "unit of unknown region": (with_unit("U2", region="03"), "unit U2 (清溪乡): `region` points nowhere"),
    "unit of unknown ruling": (with_unit("U2", ruling="R-2"), "unit U2 (清溪乡): `ruling` points nowhere"),
    "unit at the wrong level": (with_unit("U1", level="city"), "unit U1 (财政局): level and region do not fit"),
    "same name twice in a region": (with_unit("U2", name="财政局"), "unit U2 shares its region and name"),
    "line to a unit ruled out": (with_unit("U2", in_scope=False, ruling="R-1"), "line L-3: leads to a unit out of scope"),
    "device name too long": (with_device("SW1", name="x" * 33), f"device {'x' * 33}: the name cannot be used"),
    "device name with a space": (with_device("SW1", name="a b"), "device a b: the name cannot be used"),
    "device names differ in case only": (
        with_rows("devices", sw1=replace(workspace().inventory.devices["SW1"], name="sw1", unit_id="U2")),
        "device sw1 shares its name in all but case",
    ),
    "device at unknown unit": (with_device("SW1", unit_id="U9"), "device SW1: `unit_id` points nowhere"),
    "switch at no unit": (with_device("SW1", unit_id=None), "device SW1: a unit_switch stands at no unit"),
    "device away from its unit": (with_device("SW1", region="01"), "device SW1 stands in another region than its unit"),
    "two switches at a unit": (
        with_rows("devices", SW2=replace(workspace().inventory.devices["SW1"], name="SW2")),
        "switch SW2 shares its unit",
    ),
    "unknown platform": (with_device("SW1", platform="h3c"), "device SW1: `platform` points nowhere"),
    "router without a line": (
        with_rows("devices", R3=replace(workspace().inventory.devices["R1"], name="R3")),
        "device R3 has no primary line",
    ),
    "service on unknown device": (with_service("noc", device="CORE9"), "service noc: `device` points nowhere"),
    "service on a switch": (with_service("noc", device="SW1"), "service noc stands on a switch"),
    "service in unknown vpn": (with_service("noc", vpn="HLW"), "service noc: `vpn` points nowhere"),
    "unknown class": (with_line(2, service_class="isdn"), "line L-2: `service_class` points nowhere"),
    "unknown carrier": (with_line(2, carrier="mobile"), "line L-2: `carrier` points nowhere"),
    "unknown ruling on a line": (with_line(2, ruling="R-2"), "line L-2: `ruling` points nowhere"),
    "class not for this level": (with_class("fibre", for_levels=("township",)), "line L-2: class fibre is not permitted for its unit"),
    "class not for this kind": (with_class("fibre", for_kinds=("enterprise",)), "line L-2: class fibre is not permitted for its unit"),
    "adsl on an urban unit": (
        with_line(2, service_class="adsl", medium="adsl", access_method="bridged_pvc"),
        "line L-2: class adsl on an urban unit",
    ),
    "medium against class": (with_line(2, medium="adsl"), "line L-2: medium does not fit class fibre"),
    "access method against class": (with_line(2, access_method="vpdn_l2tp"), "line L-2: access_method does not fit class fibre"),
    "reserved port missing at a": (with_line(1, a_reserved_interface=None), "line L-1: no `a_reserved_interface`"),
    "reserved port missing at z": (with_line(1, z_reserved_interface=None), "line L-1: no `z_reserved_interface`"),
    "reserved port where none is reserved": (with_line(2, z_reserved_interface="eth9"), "line L-2: `z_reserved_interface` is filled in"),
    "one port for two lines": (with_line(3, a_interface="eth1.101"), "port AGG eth1.101 is used twice"),
    "one port in other letters": (with_line(3, a_interface="ETH1.101"), "port AGG ETH1.101 is used twice"),
    "line on the lan port": (with_line(2, z_interface="lan0"), "port R1 lan0 is used twice"),
    "line on a reserved port": (with_line(2, a_interface="eth9"), "port AGG eth9 is used twice"),
    "line on a service's port": (with_line(1, a_interface="eth7"), "port CORE eth7 is used twice"),
    "line on a port that is divided": (with_line(2, a_interface="eth1"), "port AGG eth1 is used twice"),
    "vlan 0": (with_line(2, a_interface="eth1.0"), "line L-2: AGG eth1.0 is no sub-interface"),
    "vlan 4095": (with_line(2, a_interface="eth1.4095"), "line L-2: AGG eth1.4095 is no sub-interface"),
    "line ends at another unit": (with_device("R2", unit_id="U1"), "line L-3: its z end stands at another unit"),
    "one circuit id twice": (
        with_rows(
            "lines",
            **{f"L-{n}": replace(workspace().inventory.lines[f"L-{n}"], circuit_id="C-7") for n in (2, 3)},
        ),
        "line L-3 shares its circuit id",
    ),
    "description too long": (with_line(2, circuit_id="C" * 150), "line L-2: its port description grows too long"),
    "circuit id in Chinese": (with_line(2, circuit_id="电路7"), "line L-2: `circuit_id` cannot stand in a port description"),
    "pool outside the block": (with_pool(prefix=IPv4Network("10.0.0.0/24")), "pool lans lies outside the national block"),
    "pools overlap": (with_pool(prefix=IPv4Network("59.225.0.128/25")), "pools links and lans overlap in VRF GGW"),
    "pool in unknown vrf": (with_pool(vrf="HLW"), "pool lans: `vrf` points nowhere"),
    "pool of unknown region": (with_pool(regions=("09",)), "pool lans: `regions` points nowhere"),
    "allocation outside its pool": (
        replace(workspace(), ledger=(replace(workspace().ledger[0], prefix=IPv4Network("59.225.9.0/30")),)),
        "59.225.9.0/30 of line:L-1: it lies outside its pool",
    ),
    "allocations overlap": (
        replace(workspace(), ledger=(workspace().ledger[0], replace(workspace().ledger[0], holder="line:L-2"))),
        "59.225.0.0/30 of line:L-2 overlaps another prefix of VRF GGW",
    ),
    "ntp service unknown": (
        with_plan(management=replace(workspace().plan.management, ntp_services=("clock",))),
        "management: `ntp_services` points nowhere",
    ),
    "sign of no table left out": (with_unit("U2", left_out=("▲",)), "unit U2 (清溪乡): `left_out` points nowhere"),
    "trap service unknown": (
        with_plan(management=replace(workspace().plan.management, trap_services=("noc2",))),
        "management: `trap_services` points nowhere",
    ),
    "login service unknown": (
        with_plan(management=replace(workspace().plan.management, aaa=AaaProfile("tacacs", ("tacacs01",)))),
        "management: `aaa.services` points nowhere",
    ),
    "monitoring service is none": (
        with_plan(management=replace(workspace().plan.management, monitoring_service="exchange")),
        "monitoring_service exchange is no monitoring service",
    ),
    "rate no multiple of 64": (
        with_class("fibre", configured_down_kbps=2050),
        "service class fibre: devices cannot be given this rate down",
    ),
    "rate below nominal": (with_class("fibre", configured_up_kbps=1984), "service class fibre: configured rate up below the nominal one"),
    "nothing required": (
        with_class("fibre", criteria=(Criterion("ports_up", False),)),
        "service class fibre: nothing is required of its lines",
    ),
    "reserved port unjudged": (
        with_class("agg", criteria=(Criterion("ports_up", True),)),
        "service class agg: reserved port and its criterion do not go together",
    ),
    "trial without window": (
        with_class("fibre", criteria=(replace(TRIAL, window=None),)),
        "service class fibre, criterion trial: incomplete",
    ),
    "trial without restart": (
        with_class("fibre", criteria=(replace(TRIAL, restart_after=None),)),
        "service class fibre, criterion trial: incomplete",
    ),
    "rate without limit": (
        with_class("fibre", criteria=(Criterion("rate_up", True),)),
        "service class fibre, criterion rate_up: incomplete",
    ),
    "limit in percent": (
        with_class("fibre", criteria=(replace(TRIAL, limit=99.0),)),
        "service class fibre, criterion trial: limit is no ratio",
    ),
    "ruling of a class": (with_class("fibre", source=Source(ruling="R-9")), "service class fibre: `ruling` points nowhere"),
    "ruling of a part": (
        with_class("fibre", sources={"permitted": Source(ruling="R-9")}),
        "service class fibre.permitted: `ruling` points nowhere",
    ),
    "milestone of unknown class": (with_milestone(scope=Scope(classes=("isdn",))), "milestone lines: `scope.classes` points nowhere"),
    "event missing": (with_milestone(evidence="unit_event"), "milestone lines: incomplete"),
    "event too many": (with_milestone(event="fee_paid"), "milestone lines: `event` means nothing here"),
    "due before the order": (with_milestone(due_on=date(2008, 3, 25)), "milestone lines: due before the order was issued"),
    "points do not add up": (
        with_order(scoring=(replace(workspace().order.scoring[0], total=100),)),
        "score table t: points do not add up",
    ),
}


def test_a_valid_workspace_has_no_finding() -> None:
    assert find_inconsistencies(workspace()) == []


@pytest.mark.parametrize("name", ONE_FAULT)
def test_one_fault_is_one_finding(name: str) -> None:
    broken, what = ONE_FAULT[name]
    found = [finding.what for finding in find_inconsistencies(broken)]
    assert found == [what]


@pytest.mark.requirement("BZ-3", "BZ-4")
def test_adsl_on_an_urban_unit_is_permitted_by_a_ruling() -> None:
    ruled = with_line(2, service_class="adsl", medium="adsl", access_method="bridged_pvc", ruling="R-1")
    assert find_inconsistencies(ruled) == []


@pytest.mark.requirement("BZ-8")
def test_a_class_that_must_reach_services_needs_one_for_each_of_its_levels() -> None:
    reaching = with_class("fibre", criteria=(Criterion("reaches_services", True, 0.01),))
    assert find_inconsistencies(reaching) == []
    deaf = replace(reaching, inventory=with_service("exchange", must_reach=("city", "county")).inventory)
    found = find_inconsistencies(deaf)
    assert [finding.expected for finding in found] == ["a service that units of level township must reach"]
    advisory = replace(
        deaf, order=with_class("fibre", criteria=(Criterion("reaches_services", False, 0.01), Criterion("ports_up", True))).order
    )
    assert find_inconsistencies(advisory) == []


def test_a_backup_line_is_no_part_of_the_tree() -> None:
    assert find_inconsistencies(with_rows("lines", **{"L-4": BACKUP})) == []


def test_a_backup_line_alone_connects_neither_a_unit_nor_its_router() -> None:
    found = [finding.what for finding in find_inconsistencies(with_line(3, role="backup"))]
    assert found == ["unit U2 (清溪乡) is in scope and has no line", "device R2 has no primary line"]


def test_a_second_primary_line_to_a_device_is_refused() -> None:
    found = [finding.what for finding in find_inconsistencies(with_rows("lines", **{"L-4": replace(BACKUP, role="primary")}))]
    assert found == ["line L-4 shares its z device"]


def test_lines_in_a_circle_are_named_at_every_device_on_it() -> None:
    lines = workspace().inventory.lines
    circle = with_rows(
        "lines",
        **{
            "L-2": replace(lines["L-2"], a_device="R2", a_interface="eth2"),
            "L-3": replace(lines["L-3"], a_device="R1", a_interface="eth2"),
        },
    )
    found = {finding.what: finding.found for finding in find_inconsistencies(circle)}
    assert found == {
        "primary lines run in a circle at R1": "R1 → R2 → R1",
        "primary lines run in a circle at R2": "R2 → R1 → R2",
    }


def test_a_network_has_exactly_one_root() -> None:
    assert "the network has no root" in [finding.what for finding in find_inconsistencies(with_device("CORE", role="county_agg"))]
    assert "the network has two roots" in [finding.what for finding in find_inconsistencies(with_device("AGG", role="city_core"))]


def test_nothing_leads_down_to_the_root() -> None:
    upside_down = with_line(1, a_device="AGG", z_device="CORE", a_interface="eth2", z_interface="eth2")
    assert "line L-1 leads down to the city core" in [finding.what for finding in find_inconsistencies(upside_down)]


def test_a_unit_is_ruled_out_by_a_ruling_only() -> None:
    out = Unit("U3", "办事处", "Office", "01", "city", "liaison_office", True, "A", "clerk", in_scope=False)
    found = [finding.what for finding in find_inconsistencies(with_rows("units", U3=out))]
    assert found == ["unit U3 (办事处) is ruled out without a ruling"]
    assert find_inconsistencies(with_rows("units", U3=replace(out, ruling="R-1"))) == []


def test_the_centre_needs_no_line() -> None:
    centre = Unit("C", "中心", "Centre", "01", "city", "centre", True, "A", "clerk")
    assert find_inconsistencies(with_rows("units", C=centre)) == []


@pytest.mark.parametrize(
    ("table", "broken"),
    [
        ("service_classes", with_line(2, service_class="isdn")),
        ("carriers", with_line(2, carrier="mobile")),
        ("rulings", with_line(2, ruling="R-2")),
        ("scoring", with_unit("U2", left_out=("▲",))),
        ("regions", with_unit("U2", region="03")),
        ("groups", with_device("SW1", platform="h3c")),
        ("units", with_device("SW1", unit_id="U9")),
        ("lines", with_line(3, role="backup")),
        ("vrfs", with_service("noc", vpn="HLW")),
        ("plan", with_pool(vrf="HLW")),
    ],
)
def test_nothing_is_accused_of_pointing_into_a_table_that_was_not_read_whole(table: str, broken: Workspace) -> None:
    assert find_inconsistencies(broken)
    assert find_inconsistencies(broken, incomplete=frozenset({table, "devices"} if table == "lines" else {table})) == []


def test_a_name_that_points_nowhere_proposes_the_nearest() -> None:
    found = find_inconsistencies(with_line(2, service_class="fiber"))
    assert [finding.next_step for finding in found] == ["Did you mean `fibre`?"]


def test_notes_tell_of_illustration_samples_and_units_ruled_out_and_fail_nothing() -> None:
    assert find_notes(workspace()) == []
    noted = replace(with_plan(illustration=True), inventory=with_unit("U2", sample=True, in_scope=False, ruling="R-1").inventory)
    notes = find_notes(noted)
    assert [note.what for note in notes] == ["the plan is an illustration", "units are samples", "units are ruled out of the count"]
    assert all(note.note for note in notes)


@given(st.integers(min_value=1, max_value=10**6))
def test_a_rate_is_taken_exactly_when_it_is_a_multiple_of_64(kbps: int) -> None:
    kind = replace(service_class("x", "fibre", kbps, ("county",)), nominal_down_kbps=1, nominal_up_kbps=1)
    found = find_inconsistencies(with_order(classes={**workspace().order.classes, "x": kind}))
    assert bool(found) == (kbps % 64 != 0)
