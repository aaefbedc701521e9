"""Column heads and cell words of office sheets → the columns and words of the inventory. docs/exchange.md lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.core.inventory import Inventory
from app.core.order import Order

#: Table → the columns that name a row; the first of them tells a sheet's head row.
KEYS: Mapping[str, tuple[str, ...]] = {
    "units": ("unit_id",),
    "devices": ("name",),
    "lines": ("line_id",),
    "vpn_lines": ("line_id", "vpn"),
}
#: What one row of a table is called in findings.
CALLED = {"units": "unit", "devices": "device", "lines": "line", "vpn_lines": "VPN on a line"}
#: Table → column → Chinese heads; the first is the one that we write. The column's own name is always understood.
HEADS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "units": {
        "unit_id": ("单位编号", "单位代码"),
        "name": ("单位名称", "名称"),
        "name_en": ("英文名称",),
        "region": ("行政区划", "所属区县", "行政区划代码"),
        "level": ("层级", "级别"),
        "kind": ("单位类别", "单位性质"),
        "urban": ("是否城区", "城区"),
        "access_class": ("接入类别",),
        "contact_role": ("联系岗位", "联系人岗位"),
        "in_scope": ("是否纳入", "纳入建设"),
        "ruling": ("裁定编号", "裁定"),
        "sample": ("是否示例", "示例"),
        "left_out": ("不考核项", "不考核标记"),
    },
    "devices": {
        "name": ("设备名称", "设备名"),
        "platform": ("平台",),
        "family": ("设备系列", "系列"),
        "role": ("设备角色", "角色"),
        "region": ("行政区划", "所属区县", "行政区划代码"),
        "unit_id": ("单位编号", "所在单位"),
        "vendor": ("厂商", "厂家"),
        "model": ("型号", "设备型号"),
        "lan_interface": ("局域网端口", "LAN端口"),
    },
    "lines": {
        "line_id": ("线路编号", "线路代码"),
        "unit_id": ("单位编号", "接入单位"),
        "service_class": ("线路类别", "业务类别"),
        "medium": ("介质", "线路介质"),
        "access_method": ("接入方式",),
        "carrier": ("网络服务提供商", "运营商", "承建运营商"),
        "circuit_id": ("电路代号", "电路编号"),
        "a_device": ("本端设备", "局端设备"),
        "a_interface": ("本端端口", "局端端口"),
        "z_device": ("对端设备", "用户端设备"),
        "z_interface": ("对端端口", "用户端端口"),
        "a_reserved_interface": ("本端预留端口",),
        "z_reserved_interface": ("对端预留端口",),
        "role": ("主备",),
        "ordered_on": ("下单日期", "订单日期"),
        "ruling": ("裁定编号", "裁定"),
    },
    "vpn_lines": {
        "line_id": ("线路编号", "线路代码"),
        "vpn": ("VPN实例", "VPN名称"),
        "a_interface": ("本端子接口", "本端端口", "局端端口"),
        "z_interface": ("对端子接口", "对端端口", "用户端端口"),
        "committed_kbps": ("承诺速率（kbit/s）", "承诺速率", "速率（kbit/s）"),
    },
}
#: Heads that office sheets carry for their readers; their cells are read over.
READ_OVER = ("序号", "备注", "no.", "remarks")
YES_NO = {"是": "yes", "否": "no", "y": "yes", "n": "no"}
DEVICE_ROLES = {
    "市级核心": "city_core",
    "县级汇聚": "county_agg",
    "市级单位": "city_unit",
    "城区单位": "urban_unit",
    "乡镇单位": "township_unit",
    "单位交换机": "unit_switch",
}
#: (table, column) → the word of a sheet → the word of the inventory. What is no word here is taken as it stands.
WORDS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("units", "level"): {"市级": "city", "市": "city", "县级": "county", "县": "county", "乡级": "township", "乡镇": "township"},
    ("units", "kind"): {
        "县区政府": "county_government",
        "县（区）政府": "county_government",
        "部门": "department",
        "乡镇政府": "township_government",
        "乡政府": "township_government",
        "镇政府": "town_government",
        "企业": "enterprise",
        "驻外办事处": "liaison_office",
        "中心": "centre",
    },
    ("units", "urban"): YES_NO,
    ("units", "in_scope"): YES_NO,
    ("units", "sample"): YES_NO,
    ("devices", "role"): DEVICE_ROLES,
    ("lines", "medium"): {"光纤": "fibre", "adsl": "adsl"},
    ("lines", "access_method"): {"以太网": "ethernet", "桥接": "bridged_pvc", "桥接pvc": "bridged_pvc"},
    ("lines", "role"): {"主用": "primary", "主": "primary", "备用": "backup", "备": "backup"},
}
DATES = frozenset({("lines", "ordered_on")})

_DATE = re.compile(r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?(?: 0{1,2}:00(?::00)?)?")
_SQUEEZED = re.compile(r"[\s_*]+")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words that this workspace adds: names of regions, carriers and classes. (table, column) → word → id."""

    words: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def cell(self, table: str, column: str, text: str) -> str:
        """Return a cell in the inventory's words."""
        if (table, column) in DATES:
            return iso_day(text)
        for words in (WORDS.get((table, column), {}), self.words.get((table, column), {})):
            if (found := words.get(text) or words.get(text.lower())) is not None:
                return found
        return text


def vocabulary(order: Order, inventory: Inventory) -> Vocabulary:
    """Return what an office may write instead of our ids; a name that two of them share means neither."""
    regions = only_once((region.name, region.code) for region in inventory.regions.values())
    classes = only_once((kind.words, kind.class_id) for kind in order.classes.values())
    units = only_once((unit.name, unit.unit_id) for unit in inventory.units.values())
    return Vocabulary(
        {
            ("units", "region"): regions,
            ("devices", "region"): regions,
            ("devices", "unit_id"): units,
            ("lines", "unit_id"): units,
            ("lines", "carrier"): only_once((name, carrier) for carrier, name in order.carriers.items()),
            ("lines", "service_class"): classes,
        }
    )


def with_units(vocabulary: Vocabulary, names: Iterable[tuple[str, str]]) -> Vocabulary:
    """Return a vocabulary that also knows units that are only just coming in, given as (name, unit_id)."""
    arriving = list(names)
    columns = (("devices", "unit_id"), ("lines", "unit_id"))
    known = {column: only_once([*vocabulary.words.get(column, {}).items(), *arriving]) for column in columns}
    return Vocabulary({**vocabulary.words, **known})


def only_once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the names that stand for one id."""
    found: dict[str, str | None] = {}
    for name, meant in pairs:
        found[name] = None if name in found and found[name] != meant else meant
    return {name: meant for name, meant in found.items() if meant is not None}


def named(table: str, cells: Mapping[str, str]) -> str:
    """Return the name of a row: the cells of its key, joined by a slash; empty where one of them is."""
    parts = [cells.get(column, "").strip() for column in KEYS[table]]
    return "/".join(parts) if all(parts) else ""


def folded(text: str) -> str:
    """Return a cell as it is read from a sheet: no blanks round it, line ends of one kind."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def squeezed(head: str) -> str:
    """Return a head as it is compared: no blanks, underscores or asterisks, small letters, half-width brackets."""
    return _SQUEEZED.sub("", head).replace("（", "(").replace("）", ")").lower()


def columns_by_head(heads: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the columns by every head that means them, squeezed."""
    return {squeezed(head): column for column, known in heads.items() for head in (column, *known)}


def iso_day(text: str) -> str:
    """Return a day as 2008-06-30 where it is written 2008/6/30, 2008.6.30 or 2008年6月30日; anything else as it stands."""
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        return text
