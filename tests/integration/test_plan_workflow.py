"""`plan` on a workspace of real files: what it shows, what it writes, and what happens when two runs meet."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.core.ipplan import Allocation
from app.edge.files import read_workspace
from app.edge.files.ledger import locked, write_ledger
from app.errors import ExitCode, InputError, PoolExhausted
from app.workflows.plan import PlanReport, format_plan, plan
from tests.samples.server import opened, wait_until

DAY = date(2008, 4, 1)
LEDGER, LEDGER6 = "ipplan/allocations.csv", Path("ipplan/allocations6.csv")
FILES = {
    "inventory/order.yaml": """\
order: {number: 1号, title: 通知, title_en: Notice, issuer: 办公室, issued_on: 2008-04-01, timezone: Asia/Shanghai}
carriers: {telecom: 电信}
service_classes:
  fibre_2m:
    words: 2兆光纤
    words_en: 2M fibre
    medium: fibre
    clause: 二
    nominal: {down_kbps: 2000, up_kbps: 2000, clause: 二}
    configured: {down_kbps: 2048, up_kbps: 2048, default: true}
    permitted: {levels: [city, county, township], clause: 二}
    access_methods: {any_of: [ethernet], default: true}
    criteria:
      ports_up: {required: true, default: true}
milestones:
  lines:
    {title: 线路, title_en: Lines, due_on: 2008-06-30, evidence: accepted_line, clause: 一}
""",
    "inventory/regions.csv": """\
code,name,name_en,level,parent,ospf_area
511900,市,City,city,,0.0.0.0
511902,县,County,county,511900,0.0.0.2
""",
    "inventory/units.csv": """\
unit_id,name,name_en,region,level,kind,urban,access_class,contact_role
G1,县政府,County,511902,county,county_government,yes,A,网络管理员
U1,甲局,Bureau 1,511902,county,department,yes,B,网络管理员
U2,乙局,Bureau 2,511902,county,department,yes,B,网络管理员
""",
    "inventory/devices.csv": """\
name,platform,family,role,region,unit_id,vendor,model,lan_interface
CORE,huawei,huawei_ar,city_core,511900,,Huawei,AR,
AGG,huawei,huawei_ar,county_agg,511902,G1,Huawei,AR,
R1,huawei,huawei_ar,urban_unit,511902,U1,Huawei,AR,GE2
S1,huawei,huawei_s,unit_switch,511902,U1,Huawei,S,
R2,huawei,huawei_ar,urban_unit,511902,U2,Huawei,AR,GE2
""",
    "inventory/lines.csv": """\
line_id,unit_id,service_class,medium,access_method,carrier,a_device,a_interface,z_device,z_interface
L0,G1,fibre_2m,fibre,ethernet,telecom,CORE,GE1,AGG,GE0
L1,U1,fibre_2m,fibre,ethernet,telecom,AGG,GE1,R1,GE0
L2,U2,fibre_2m,fibre,ethernet,telecom,AGG,GE2,R2,GE0
""",
    "inventory/services.csv": """\
service_id,name,name_en,kind,device,interface,port,qos_class,must_reach
noc,网管,NOC,monitoring,CORE,GE9,162,management,
""",
    "inventory/groups.yaml": "huawei: {platform: huawei}\n",
    "inventory/defaults.yaml": "{}\n",
    "ipplan/plan.yaml": """\
national_block: 59.192.0.0/10
illustration: true
quarantine_days: 90
provenance: {issued_by: 市中心, document: 示例}
vrfs: {GGW: 公用网络区}
pools:
  - {name: loops, role: loopback, address_class: local_public, vrf: GGW, prefix: 10.0.0.0/28, length: 32}
  - {name: links, role: interconnect, address_class: local_public, vrf: GGW, prefix: 10.0.1.0/27, length: 30}
  - {name: lans, role: unit_lan, address_class: local_public, vrf: GGW, prefix: 10.0.2.0/26, length: 28}
  - {name: mgmt, role: management, address_class: local_public, vrf: GGW, prefix: 10.0.3.0/28, length: 30}
  - {name: svc, role: service, address_class: local_public, vrf: GGW, prefix: 10.0.4.0/28, length: 29}
management: {monitoring_service: noc, ssh_user: netops, snmp_user: poller}
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def rows(root: Path) -> dict[str, Allocation]:
    return {row.holder: row for row in read_workspace(root)[0].ledger}


def remove_second_unit(root: Path) -> None:
    for name, starts in {"units": "U2,", "devices": "R2,", "lines": "L2,"}.items():
        path = root / f"inventory/{name}.csv"
        kept = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if not line.startswith(starts)]
        path.write_text("".join(kept), encoding="utf-8")


def test_planning_shows_what_is_pending_and_writes_nothing(root: Path, golden: Callable[[str, str], None]) -> None:
    report = plan(root, commit=False, today=DAY)
    assert (report.exit_code, report.committed) == (ExitCode.PENDING, False)
    assert not (root / LEDGER).exists()
    golden("plan/pending.txt", format_plan(report))


def test_a_commit_writes_what_was_shown_and_a_second_one_changes_nothing(root: Path, golden: Callable[[str, str], None]) -> None:
    shown = plan(root, commit=False, today=DAY)
    report = plan(root, commit=True, today=DAY)
    assert (report.exit_code, report.committed) == (ExitCode.OK, True)
    assert report.change == shown.change
    golden("plan/allocations.csv", (root / LEDGER).read_text(encoding="utf-8"))

    before = (root / LEDGER).stat()
    again = plan(root, commit=True, today=DAY + timedelta(days=1))
    assert (again.exit_code, again.change.changes) == (ExitCode.OK, False)
    assert (root / LEDGER).stat().st_mtime_ns == before.st_mtime_ns
    assert format_plan(again).endswith("11 kept, 0 added, 0 returned, 0 released, 0 dropped. ipplan/allocations.csv is as it should be.\n")


def test_both_ledgers_are_written_or_neither(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (root / "ipplan/plan.yaml").open("a", encoding="utf-8") as file:
        file.write("ipv6: {prefix: '2001:db8:100::/40', vrf: GGW}\n")
    before, replace = sorted((root / "ipplan").iterdir()), Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == LEDGER6.name:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(InputError, match=r"allocations6\.csv: file cannot be written: .* No space left"):
        plan(root, commit=True, today=DAY)
    monkeypatch.undo()
    assert sorted((root / "ipplan").iterdir()) == before

    assert plan(root, commit=True, today=DAY).change6.changes
    assert sorted(path.name for path in (root / "ipplan").iterdir()) == ["allocations.csv", "allocations6.csv", "plan.yaml"]
    assert plan(root, commit=False, today=DAY).exit_code is ExitCode.OK


def test_a_unit_that_goes_and_returns_gets_its_prefixes_back(root: Path, golden: Callable[[str, str], None]) -> None:
    plan(root, commit=True, today=DAY)
    first = rows(root)
    units = {name: (root / f"inventory/{name}.csv").read_text(encoding="utf-8") for name in ("units", "devices", "lines")}
    remove_second_unit(root)
    gone = plan(root, commit=True, today=DAY + timedelta(days=10))
    golden("plan/released.txt", format_plan(gone))
    assert {holder for holder, row in rows(root).items() if row.released_on} == {"device:R2", "line:L2", "unit:U2"}
    for name, text in units.items():
        (root / f"inventory/{name}.csv").write_text(text, encoding="utf-8")
    back = plan(root, commit=True, today=DAY + timedelta(days=20))
    assert len(back.change.returned) == 3
    assert {holder: row.prefix for holder, row in rows(root).items()} == {holder: row.prefix for holder, row in first.items()}


def test_a_pool_that_runs_out_refuses_the_commit_and_leaves_the_ledger(root: Path) -> None:
    plan(root, commit=True, today=DAY)
    before = (root / LEDGER).read_bytes()
    units = (root / "inventory/units.csv").open("a", encoding="utf-8")
    devices = (root / "inventory/devices.csv").open("a", encoding="utf-8")
    lines = (root / "inventory/lines.csv").open("a", encoding="utf-8")
    with units, devices, lines:
        for n in range(3, 6):
            units.write(f"U{n},局{n},Bureau {n},511902,county,department,yes,B,网络管理员\n")
            devices.write(f"R{n},huawei,huawei_ar,urban_unit,511902,U{n},Huawei,AR,GE2\n")
            lines.write(f"L{n},U{n},fibre_2m,fibre,ethernet,telecom,AGG,GE{n},R{n},GE0\n")
    with pytest.raises(PoolExhausted) as refused:
        plan(root, commit=True, today=DAY)
    assert str(refused.value) == (
        "ipplan/plan.yaml:9: pool lans (10.0.2.0/26, unit_lan) runs out: expected room for 5 /28 (2 taken; 3 new asked for); "
        "found 4 /28; nothing is left for unit:U5. In ipplan/plan.yaml, widen its prefix to 10.0.2.0/25, "
        "or add a second unit_lan pool of at least a /28."
    )
    assert refused.value.exit_code is ExitCode.INPUT
    assert (root / LEDGER).read_bytes() == before


def test_a_ledger_that_contradicts_itself_is_refused_with_its_lines(root: Path) -> None:
    plan(root, commit=True, today=DAY)
    text = (root / LEDGER).read_text(encoding="utf-8")
    broken = text.replace("10.0.2.16/28,", "10.0.2.0/28,").replace("10.0.4.0/29,svc,", "10.0.9.0/29,svc,")
    (root / LEDGER).write_text(broken, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        plan(root, commit=True, today=DAY)
    assert [finding.where for finding in refused.value.findings] == ["ipplan/allocations.csv:10", "ipplan/allocations.csv:12"]
    assert (root / LEDGER).read_text(encoding="utf-8") == broken


def test_a_missing_workspace_is_said_in_words_also_on_commit(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        plan(tmp_path, commit=True, today=DAY)
    assert "no workspace is here" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def commit_in_a_process(root: Path) -> None:
    plan(root, commit=True, today=DAY)


def test_a_run_that_waited_for_another_reads_the_ledger_again_before_it_writes(root: Path) -> None:
    plan(root, commit=True, today=DAY)
    ledger = read_workspace(root)[0].ledger
    write_ledger(root / LEDGER, [row for row in ledger if row.holder != "unit:U2"])
    run = multiprocessing.get_context("spawn").Process(target=commit_in_a_process, args=(root,))
    with locked(root / LEDGER):
        run.start()
        wait_until(lambda: opened((root / LEDGER).parent, run.pid) or not run.is_alive(), 60, "the run to want the lock")
        assert run.is_alive(), "a commit must wait for the lock"
        other = next(row for row in ledger if row.holder == "unit:U2")
        taken = Allocation(other.prefix, other.pool, other.vrf, other.role, "unit:OTHER", DAY)
        write_ledger(root / LEDGER, [*(row for row in ledger if row.holder != "unit:U2"), taken])
    run.join(60)
    assert run.exitcode == 0
    after = rows(root)
    assert (str(after["unit:OTHER"].prefix), after["unit:OTHER"].released_on) == ("10.0.2.16/28", DAY)
    assert str(after["unit:U2"].prefix) == "10.0.2.32/28"


@pytest.mark.parametrize("place", [".", "lab/workspace"])
def test_the_ledgers_that_are_kept_in_git_hold_all_that_their_inventories_need(place: str) -> None:
    report = plan(Path(__file__).parents[2] / place, commit=False, today=DAY)
    assert format_plan(report).endswith("is as it should be.\n"), format_plan(report)
    assert report.change.kept


def test_a_report_is_a_value(root: Path) -> None:
    report: PlanReport = plan(root, commit=False, today=DAY)
    assert report == plan(root, commit=False, today=DAY)
    assert [entry.pool.name for entry in report.usage] == ["loops", "links", "lans", "mgmt", "svc"]
