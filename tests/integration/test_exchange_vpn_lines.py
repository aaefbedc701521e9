"""VPNs on lines through office sheets and NetBox: in and out, told row by row, written whole or not at all."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from openpyxl import Workbook

from app.core.inventory import VpnLine
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.edge.files.sheets import write_office_csv, write_workbook
from app.errors import ExitCode, InputError
from app.workflows.exchange import export_rows, format_import, import_tables
from app.workflows.netbox import export_netbox, format_netbox, import_netbox
from app.workflows.plan import plan
from tests.samples.carried_vpn import TODAY, carrying

HEADS = "线路编号,VPN实例,本端子接口,对端子接口\n"


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose one row of vpn_lines.csv is in force."""
    root = tmp_path_factory.mktemp("vpn") / "city"
    carrying(root)
    plan(root, commit=True, today=TODAY)
    return root


@pytest.fixture
def root(carried: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(carried, tmp_path / "city"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'waiwang.db'}")
    yield opened
    opened.close()


def table_of(root: Path) -> Path:
    return root / "inventory" / "vpn_lines.csv"


def held(root: Path) -> VpnLine:
    (row,) = read_workspace(root)[0].inventory.vpn_lines
    return row


def sheet(root: Path, *rows: str, heads: str = HEADS) -> list[tuple[str, Path]]:
    path = root.parent / "vpn.csv"
    path.write_text(heads + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return [("vpn_lines", path)]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_handed_out_comes_back_unchanged(root: Path, ending: str) -> None:
    rows = export_rows(root, "vpn_lines", office=True)
    assert rows[0][:4] == HEADS.strip().split(",")
    path = root.parent / f"vpn.{ending}"
    path.write_bytes(write_office_csv(rows) if ending == "csv" else write_workbook("线路VPN", rows))
    report = import_tables(root, [("vpn_lines", path)], commit=True, today=TODAY)
    assert (report.changes, report.read, report.exit_code) == ({}, 1, ExitCode.OK)


def test_the_first_row_makes_the_file_and_a_city_without_one_hands_out_the_heads(root: Path, golden: Callable[[str, str], None]) -> None:
    row, before = held(root), read_workspace(root)[0].inventory
    services = root / "inventory/services.csv"
    stands = services.read_text(encoding="utf-8")
    services.write_text("".join(line for line in stands.splitlines(keepends=True) if "jinbao_at_sb" not in line), encoding="utf-8")
    table_of(root).unlink()
    assert export_rows(root, "vpn_lines", office=False) == [["line_id", "vpn", "a_interface", "z_interface", "committed_kbps"]]
    services.write_text(stands, encoding="utf-8")
    sources = sheet(root, f"{row.line_id},{row.vpn},{row.a_interface},{row.z_interface}")
    shown = import_tables(root, sources, commit=False, today=TODAY)
    assert (shown.exit_code, table_of(root).exists()) == (ExitCode.PENDING, False)
    golden("exchange/import/vpn_line_new.txt", format_import(shown))
    assert import_tables(root, sources, commit=True, today=TODAY).exit_code is ExitCode.OK
    assert table_of(root).read_text(encoding="utf-8").count("\n") == 2
    assert read_workspace(root)[0].inventory == before


def test_a_row_goes_by_line_and_vpn_together(root: Path) -> None:
    row = held(root)
    other = row.a_interface.partition(".")[0] + ".2999"
    report = import_tables(root, sheet(root, f"{row.line_id},{row.vpn},{other},{row.z_interface}"), commit=True, today=TODAY)
    assert (report.added, report.changed, held(root).a_interface) == (0, 1, other)
    changes = report.changes["inventory/vpn_lines.csv"]
    assert [change.key for change in changes] == [f"{row.line_id}/{row.vpn}"]


def test_a_rate_comes_in_by_a_column_of_its_own_and_netbox_is_told_it(root: Path, store: Store) -> None:
    row = held(root)
    heads, cells = HEADS.replace("\n", ",承诺速率\n"), f"{row.line_id},{row.vpn},{row.a_interface},{row.z_interface}"
    for kbps, told in ((100, "a multiple of 64"), (99968, "its rate exceeds the line's"), ("fast", "`committed_kbps`")):
        with pytest.raises(InputError, match=rf"vpn\.csv:2: .*{told}"):
            import_tables(root, sheet(root, f"{cells},{kbps}", heads=heads), commit=True, today=TODAY)
    import_tables(root, sheet(root, f"{cells},512", heads=heads), commit=True, today=TODAY)
    assert held(root).committed_kbps == 512
    speeds = {port["name"]: port["speed"] for port in table(hand_out(root, store), "interfaces") if port["speed"]}
    assert speeds == {row.a_interface: "512", row.z_interface: "512"}


def test_every_broken_row_is_told_with_its_place_and_nothing_is_written(root: Path, golden: Callable[[str, str], None]) -> None:
    row, before = held(root), table_of(root).read_bytes()
    a, z = row.a_interface.partition(".")[0], row.z_interface.partition(".")[0]
    rows = (
        f"{row.line_id},,{a}.2201,{z}.2201",
        f",{row.vpn},{a}.2202,{z}.2202",
        f"{row.line_id},JINBAU,{a}.2203,{z}.2203",
        f"{row.line_id}9,{row.vpn},{a}.2204,{z}.2204",
        f"{row.line_id},GUOKU,{a}.2205,{z}",
        f"{row.line_id},{row.vpn},{a}.9999,{z}.2206",
        f"{row.line_id},{row.vpn},{a}.2207,{z}.2207",
    )
    with pytest.raises(InputError) as refused:
        import_tables(root, sheet(root, *rows), commit=True, today=TODAY)
    golden("exchange/import/vpn_lines_broken.txt", f"{refused.value}\n")
    assert table_of(root).read_bytes() == before
    left = import_tables(root, sheet(root, *rows), commit=True, today=TODAY, skip_rejected=True)
    assert (left.exit_code, {finding.where for finding in left.rejected}) == (ExitCode.INPUT, {f"vpn.csv:{line}" for line in range(2, 9)})


def test_a_sheet_without_one_of_its_two_keys_is_refused_row_by_row(root: Path) -> None:
    row = held(root)
    with pytest.raises(InputError, match=r"vpn\.csv:2: VPN on a line without `vpn`: expected a value under VPN实例; found nothing\."):
        import_tables(root, sheet(root, f"{row.line_id},{row.a_interface}", heads="线路编号,本端子接口\n"), commit=True, today=TODAY)


def test_a_workbook_of_all_tables_brings_its_vpns_with_its_lines(root: Path) -> None:
    row = held(root)
    book = Workbook()
    book.remove(book.worksheets[0])
    lines, vpns = book.create_sheet("线路"), book.create_sheet("线路VPN")
    for cells in (["线路编号", "电路编号"], [row.line_id, "C-0815"]):
        lines.append(cells)
    moved = row.z_interface.partition(".")[0] + ".2998"
    for cells in (["线路编号", "VPN", "对端端口"], [row.line_id, row.vpn, moved]):
        vpns.append(cells)
    book.save(root.parent / "台账.xlsx")
    report = import_tables(root, [("all", root.parent / "台账.xlsx")], commit=True, today=TODAY)
    assert (report.read, report.changed) == (2, 2)
    inventory = read_workspace(root)[0].inventory
    assert (inventory.lines[row.line_id].circuit_id, inventory.vpn_lines[0].z_interface) == ("C-0815", moved)


# --- NetBox


def hand_out(root: Path, store: Store) -> Path:
    folder = root.parent / "netbox"
    folder.mkdir(exist_ok=True)
    for name, content in export_netbox(read_workspace(root)[0], store)[0].items():
        (folder / name).write_bytes(content)
    return folder


def table(folder: Path, name: str) -> list[Mapping[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text(encoding="utf-8"), newline="")))


def test_netbox_is_told_both_ends_in_their_vrf_and_says_the_same_back(root: Path, store: Store) -> None:
    row, folder = held(root), hand_out(root, store)
    workspace = read_workspace(root)[0]
    line = workspace.inventory.lines[row.line_id]
    ends = {(line.a_device, row.a_interface), (line.z_device, row.z_interface)}
    ports = {(port["device"], port["name"]): port for port in table(folder, "interfaces")}
    distinguishers = {vrf["name"]: vrf["rd"] for vrf in table(folder, "vrfs")}
    (vpn,) = [one for one in workspace.plan.features.vpns if one.name == row.vpn]
    assert distinguishers[row.vpn] == vpn.rd
    assert {(ports[end]["parent"], ports[end]["vrf"]) for end in ends} == {
        (row.a_interface.partition(".")[0], vpn.rd),
        (row.z_interface.partition(".")[0], vpn.rd),
    }
    assert {port["vrf"] for port in ports.values()} - {""} <= set(distinguishers.values())
    addresses = {(one["device"], one["interface"]): one["vrf"] for one in table(folder, "ip_addresses")}
    assert {addresses[end] for end in ends} == {row.vpn}
    assert addresses[line.a_device, line.a_interface] not in workspace.plan.vpn_names
    assert format_netbox(import_netbox(root, folder, commit=False, today=TODAY)) == "NetBox and the workspace agree.\n"


def test_a_vpns_prefix_that_netbox_moved_is_taken_over(root: Path, store: Store) -> None:
    row, folder = held(root), hand_out(root, store)
    holder = f"vpn:{row.line_id}/{row.vpn}"
    (old,) = [one["prefix"] for one in table(folder, "prefixes") if one["description"] == holder]
    path = folder / "prefixes.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(f"{old},{row.vpn}", f"10.251.31.128/30,{row.vpn}"), encoding="utf-8")
    import_netbox(root, folder, commit=True, today=TODAY)
    ledger = {str(one.prefix): one.released_on for one in read_workspace(root)[0].ledger if one.holder == holder}
    assert ledger == {"10.251.31.128/30": None, old: TODAY}
