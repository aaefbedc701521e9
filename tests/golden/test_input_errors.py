"""Broken inputs, each a copy of a small valid workspace with one thing changed, and the exact words that a user reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.edge.files import judge_workspace, read_workspace
from app.errors import ExitCode, InputError

BASE = Path(__file__).parent / "inputs" / "base"
ORDER, UNITS, LINES, DEVICES = "inventory/order.yaml", "inventory/units.csv", "inventory/lines.csv", "inventory/devices.csv"
REGIONS, SERVICES, GROUPS = "inventory/regions.csv", "inventory/services.csv", "inventory/groups.yaml"
PLAN, LEDGER = "ipplan/plan.yaml", "ipplan/allocations.csv"


@dataclass(frozen=True, slots=True)
class Change:
    """In `file`, `old` (which stands there once) becomes `new`; without `old` the text is put at the end."""

    file: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if self.old:
            assert text.count(self.old) == 1, f"{self.old!r} stands {text.count(self.old)} times in {self.file}"
            text = text.replace(self.old, self.new)
        else:
            text += self.new
        path.write_text(text, encoding="utf-8")


FIBRE_TO_U001 = "L-0002,A-U001,fibre_2m,fibre,ethernet"
BROKEN: dict[str, list[Change]] = {
    "duplicate_unit": [Change(UNITS, "", "A-U001,乙局,Bureau B,999901,county,department,yes,A,公文交换员,yes,,yes\n")],
    "same_unit_under_two_ids": [
        Change(UNITS, "", "A-U003,甲县财政局,Finance again,999901,county,department,yes,A,公文交换员,no,R-1,yes\n")
    ],
    "unknown_class": [Change(LINES, FIBRE_TO_U001, "L-0002,A-U001,fiber_2m,fibre,ethernet")],
    "class_not_permitted": [Change(LINES, "L-0003,A-U002,adsl_1m,adsl,bridged_pvc", "L-0003,A-U002,agg_10m,fibre,ethernet")],
    "adsl_on_urban_unit": [Change(LINES, FIBRE_TO_U001, "L-0002,A-U001,adsl_1m,adsl,bridged_pvc")],
    "medium_against_class": [Change(LINES, FIBRE_TO_U001, "L-0002,A-U001,fibre_2m,adsl,ethernet")],
    "unknown_carrier_and_device": [
        Change(LINES, "L-0003,A-U002,adsl_1m,adsl,bridged_pvc,telecom,,A-AGG", "L-0003,A-U002,adsl_1m,adsl,bridged_pvc,mobile,,A-AG")
    ],
    "english_name_of_no_carrier": [Change(ORDER, "", "\ncarriers_en:\n  telcom: China Telecom\n  telecom: China Telecom\n")],
    "unknown_ruling": [
        Change(LINES, "2008-04-01,\nL-0002", "2008-04-01,R-9\nL-0002"),
        Change(ORDER, "reserved_port: {mbps: 100, ruling: R-1}", "reserved_port: {mbps: 100, ruling: R-2}"),
    ],
    "reserved_port_missing": [
        Change(
            LINES,
            "A-AGG,GigabitEthernet1/0/0,GigabitEthernet2/0/0,GigabitEthernet2/0/0",
            "A-AGG,GigabitEthernet1/0/0,GigabitEthernet2/0/0,",
        )
    ],
    "port_used_twice": [Change(LINES, "GigabitEthernet0/0/1.102", "GigabitEthernet0/0/1.101")],
    "sub_interface_without_vlan": [Change(LINES, "GigabitEthernet0/0/1.102", "GigabitEthernet0/0/1.5000")],
    "two_primary_lines_to_one_device": [Change(LINES, ",A-U002-AR,", ",A-U001-AR,")],
    "no_core": [Change(DEVICES, "city_core", "county_agg")],
    "unit_without_line": [Change(UNITS, "", "A-U003,乙局,Bureau B,999901,county,department,yes,A,公文交换员,yes,,yes\n")],
    "unit_ruled_out_without_ruling": [Change(UNITS, "", "A-U003,乙局,Bureau B,999901,county,department,yes,A,公文交换员,no,,yes\n")],
    "device_name": [Change(DEVICES, "", "甲县路由器,huawei,huawei_s,unit_switch,999901,A-U002,Huawei,S2700,\n")],
    "unknown_platform": [Change(DEVICES, "CORE,huawei,", "CORE,huawey,")],
    "prefix_outside_block": [
        Change(PLAN, "prefix: 59.225.16.0/20", "prefix: 60.225.16.0/20"),
        Change(LEDGER, "59.225.16.0/28,unit-lan,GGW,unit_lan,unit:A-GOV,2008-04-01,\n", ""),
    ],
    "overlapping_pools": [
        Change(PLAN, "prefix: 59.225.16.0/20", "prefix: 59.225.0.0/20"),
        Change(LEDGER, "59.225.16.0/28,unit-lan,GGW,unit_lan,unit:A-GOV,2008-04-01,\n", ""),
    ],
    "prefix_with_host_bits": [Change(PLAN, "prefix: 59.225.16.0/20", "prefix: 59.225.17.0/20")],
    "access_port_of_no_vpn": [Change(SERVICES, "", "door,接入,Door,access,CORE,GigabitEthernet9/0/0,443,,business,\n")],
    "routing_of_another_kind": [Change(PLAN, "", "routing: {igp: rip, isis: {area_prefix: '4'}, ospf: {process: 0}}\n")],
    "aaa_of_another_kind": [Change(PLAN, "  ssh_user: netops", "  ssh_user: netops\n  aaa: {protocol: diameter, services: []}")],
    "allocation_outside_its_pool": [Change(LEDGER, "59.225.4.0/30", "59.225.8.0/30")],
    "allocations_overlap": [Change(LEDGER, "59.225.0.1/32", "59.225.0.0/32")],
    "broken_yaml": [Change(ORDER, "carriers:\n  telecom: 中国电信", "carriers:\n  telecom: [中国电信")],
    "yaml_key_twice": [Change(ORDER, "  telecom: 中国电信", "  telecom: 中国电信\n  telecom: 中国联通")],
    "yaml_alias": [Change(ORDER, "  telecom: 中国电信", "  telecom: &name 中国电信\n  other: *name")],
    "unknown_key": [Change(ORDER, "    due_on: 2008-06-30", "    due: 2008-06-30")],
    "impossible_date": [Change(ORDER, "due_on: 2008-06-30", "due_on: 2008-06-31")],
    "value_without_source": [
        Change(ORDER, "nominal: {down_kbps: 2000, up_kbps: 2000, clause: 二2}", "nominal: {down_kbps: 2000, up_kbps: 2000}")
    ],
    "value_with_two_sources": [
        Change(ORDER, "reserved_port: {required: true, ruling: R-1}", "reserved_port: {required: true, ruling: R-1, default: true}")
    ],
    "trial_without_window": [Change(ORDER, "window: 72h, ", "")],
    "criterion_against_medium": [
        Change(
            ORDER,
            "      reachable_from_centre: {required: true, limit: 0.01, default: true}\n",
            "      reachable_from_centre: {required: true, limit: 0.01, default: true}\n"
            "      duplex: {required: false, default: true}\n"
            "      rx_power: {required: false, limit: -24, default: true}\n",
        ),
        Change(
            ORDER,
            "      trial: {required: true, limit: 0.999, window: 72h, restart_after: 5min, default: true}\n",
            "      trial: {required: true, limit: 0.999, window: 72h, restart_after: 5min, default: true}\n"
            "      snr_margin: {required: false, limit: 6, default: true}\n"
            "      rx_power: {required: false, limit: 24, default: true}\n"
            "      duplex: {required: false, limit: 1, default: true}\n"
            "      delay: {required: false, limit: -20, default: true}\n"
            "      step_loss: {required: false, limit: 10, default: true}\n"
            "      jitter: {required: false, default: true}\n",
        ),
    ],
    "rate_no_multiple_of_64": [Change(ORDER, "configured: {down_kbps: 2048, up_kbps: 2048", "configured: {down_kbps: 2050, up_kbps: 1024")],
    "milestone_of_unknown_class": [Change(ORDER, "classes: [agg_10m, fibre_2m, adsl_1m]", "classes: [agg_10m, fibre_2m, isdn]")],
    "points_do_not_add_up": [Change(ORDER, "points: 40", "points: 50")],
    "extended_file_missing": [Change(ORDER, "order:\n", "extends: ../nowhere/order.yaml\norder:\n")],
    "files_extend_in_a_circle": [Change(ORDER, "order:\n", "extends: order.yaml\norder:\n")],
    "unknown_column": [Change(UNITS, "contact_role,", "contact_person,")],
    "row_too_short": [Change(REGIONS, "999901,甲县,County A,county,999900,0.0.0.1", "999901,甲县,County A,county,0.0.0.1")],
    "broken_csv": [Change(REGIONS, "999901,甲县,", '999901,"甲"县,')],
    "bad_number": [Change(SERVICES, "8080", "eighty")],
    "bad_cells": [
        Change(
            UNITS, "甲县财政局,County A Finance Bureau,999901,county,department,yes,A", "甲县财政局,,999901,country,department,perhaps,G"
        )
    ],
    "secret_in_groups": [Change(GROUPS, "extras: {conn_timeout: 10}", "extras: {conn_timeout: 10}\n      password: hunter2")],
    "monitoring_service_unknown": [Change(PLAN, "monitoring_service: noc", "monitoring_service: nok")],
    "access_method_refused": [Change(ORDER, "", "\nrefused_access: {any_of: [bridged_pvc, vpdn_l2tp], clause: 二6}\n")],
    "gates_that_cannot_be": [
        Change(
            ORDER,
            "",
            "\ngates:\n"
            "  one: {requirement: 一, title: 甲, title_en: A, held_by: unit, before: use, required: true, event: one, clause: 一}\n"
            "  two: {requirement: 一, title: 乙, title_en: B, held_by: owner, before: use, required: false, event: two, clause: 一}\n"
            "  three: {requirement: 一, title: 丙, title_en: C, subject: service, scope: {levels: [city]}, held_by: centre, before: use,"
            " required: false, event: three, clause: 一}\n"
            "  four: {requirement: 一, title: 丁, title_en: D, scope: {kinds: [deparment]}, held_by: unit, before: connection,"
            " required: true, clause: 一}\n"
            "  five: {requirement: 一, title: 戊, title_en: E, scope: {kinds: [deparment], classes: [fibre]}, held_by: unit,"
            " before: connection, required: true, event: five, ruling: R-7}\n",
        )
    ],
    "units_without_the_switch_of_a_gate": [
        Change(
            ORDER,
            "",
            "\ngates:\n  switch: {requirement: 一, title: 交换机, title_en: Switch, held_by: unit, before: connection, required: true,"
            " event: switch_in_place, device_role: unit_switch, clause: 一}\n",
        )
    ],
    "circular_without_rhythm": [
        Change(ORDER, "", "\nrhythms:\n  news: {requirement: 一, kind: circular, title: 通报, title_en: Circular, clause: 一}\n")
    ],
    "organisation_points_nowhere": [
        Change(
            ORDER,
            "",
            '\norganisations:\n  office: {title: 办公室, title_en: Office, task: 协调, task_en: Coordinates, regions: ["999902"],'
            " milestones: [line], clause: 一}\n",
        )
    ],
    "availability_in_percent": [Change(ORDER, "", "\navailability: {share: 99, window: a month, default: true}\n")],
    "requirement_kept_nowhere": [Change(ORDER, "", "\nrequirements:\n  R-1: {clause: 二, kept: [milestones.line, lines, gates.x]}\n")],
    "prizes_for_nobody": [Change(ORDER, "    items:\n", "    prizes: {places: [], default: true}\n    items:\n")],
    "score_table_that_cannot_be": [
        Change(
            ORDER,
            "    items:\n",
            "    subjects: {units: {kinds: [school]}, default: true}\n"
            "    bonuses: {more: {title: 加分, title_en: More, event: more, each: 2, cap: 1, within: use, default: true}}\n"
            "    deductions: {less: {title: 扣分, title_en: Less, event: less, each: 1, cap: 1, within: used, default: true}}\n"
            "    items:\n",
        ),
        Change(ORDER, "used: {title: 使用, title_en: In use, points: 40", 'used: {title: 使用, title_en: In use, points: 40, marks: ["※"]'),
        Change(ORDER, "points: 60, milestone: lines", "points: 60, milestone: [lines, line], event: built"),
    ],
    "unknown_kind_of_unit": [
        Change(UNITS, "999901,township,township_government,no", "999901,township,township_goverment,no"),
        Change(ORDER, "scope: {classes: [agg_10m, fibre_2m, adsl_1m]}", "scope: {kinds: [school], classes: [agg_10m, fibre_2m, adsl_1m]}"),
    ],
    "standby_of_one_side": [
        Change(SERVICES, "qos_class,must_reach", "qos_class,must_reach,reached_by,standby_for"),
        Change(SERVICES, "business,city;county;township", "business,city;county;township,A-U009,noc"),
        Change(SERVICES, "162,,management,", "162,,management,,,"),
    ],
    "two_files_at_once": [
        Change(
            UNITS,
            "A-U002,清溪乡人民政府,Qingxi Township Government,999901,township",
            "A-U002,清溪乡人民政府,Qingxi Township Government,999901,village",
        ),
        Change(LINES, FIBRE_TO_U001, "L-0002,A-U001,fibre_4m,fibre,ethernet"),
        Change(PLAN, "illustration: true", "illustration: perhaps"),
    ],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "workspace"))


def test_the_base_of_every_broken_input_is_valid(workspace: Path) -> None:
    found, notes = read_workspace(workspace)
    assert len(found.inventory.lines) == 3
    assert [note.what for note in notes] == ["the plan is an illustration", "units are samples"]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_input_is_named_with_its_line_and_its_remedy(name: str, workspace: Path, golden: Callable[[str, str], None]) -> None:
    for change in BROKEN[name]:
        change.apply(workspace)
    with pytest.raises(InputError) as refusal:
        read_workspace(workspace)
    assert refusal.value.exit_code is ExitCode.INPUT
    golden(f"inputs/{name}.txt", f"{refusal.value}\n")


@pytest.mark.parametrize("file", [ORDER, UNITS, LINES, DEVICES, REGIONS, SERVICES, GROUPS, "inventory/defaults.yaml", PLAN])
def test_a_missing_file_is_named_and_nothing_that_points_into_it(file: str, workspace: Path, golden: Callable[[str, str], None]) -> None:
    (workspace / file).unlink()
    with pytest.raises(InputError) as refusal:
        read_workspace(workspace)
    golden(f"inputs/missing_{Path(file).stem}.txt", f"{refusal.value}\n")


def test_a_missing_ledger_is_an_empty_one(workspace: Path) -> None:
    (workspace / LEDGER).unlink()
    found, _ = read_workspace(workspace)
    assert found.ledger == ()


def test_an_empty_workspace_names_every_file_at_once(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    (tmp_path / "inventory").mkdir()
    judged = judge_workspace(tmp_path)
    golden("inputs/empty_directory.txt", "".join(f"{finding}\n" for finding in judged.findings))


@pytest.mark.parametrize(("name", "found"), [(".", "neither"), ("nowhere", "no such directory"), ("file", "a file")])
def test_what_is_no_workspace_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("", encoding="utf-8")
    (finding,) = judge_workspace(Path(name)).findings
    step = "Go to the workspace, or name it by --root or WAIWANG_ROOT."
    assert str(finding) == f"{name}: no workspace is here: expected a directory with inventory/ and ipplan/; found {found}. {step}"


def test_the_general_ruling_on_a_class_excepts_no_urban_unit(workspace: Path, golden: Callable[[str, str], None]) -> None:
    """The ruling that says who may use ADSL at all is not one that lets this urban unit use it."""
    Change(ORDER, "urban_needs_ruling: true, clause: 二3", "urban_needs_ruling: true, ruling: R-1").apply(workspace)
    Change(LINES, FIBRE_TO_U001, "L-0002,A-U001,adsl_1m,adsl,bridged_pvc").apply(workspace)
    row = next(line for line in (workspace / LINES).read_text(encoding="utf-8").splitlines() if line.startswith("L-0002"))
    Change(LINES, row, row + "R-1").apply(workspace)
    with pytest.raises(InputError) as refusal:
        read_workspace(workspace)
    golden("inputs/adsl_with_general_ruling.txt", f"{refusal.value}\n")


def test_text_that_is_no_utf8_is_named_with_its_line(workspace: Path, golden: Callable[[str, str], None]) -> None:
    path = workspace / UNITS
    path.write_bytes(path.read_text(encoding="utf-8").encode("gbk"))
    with pytest.raises(InputError) as refusal:
        read_workspace(workspace)
    golden("inputs/not_utf8.txt", f"{refusal.value}\n")


def test_a_byte_order_mark_of_excel_is_no_fault(workspace: Path) -> None:
    path = workspace / UNITS
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    found, _ = read_workspace(workspace)
    assert list(found.inventory.units) == ["A-GOV", "A-U001", "A-U002"]
    assert found.inventory.units["A-U002"].where == "inventory/units.csv:4"
