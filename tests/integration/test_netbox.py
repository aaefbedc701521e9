"""NetBox's CSV both ways: heads that its forms take, round trips that change nothing, differences and conflicts."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.line_event import opened_event
from app.core.netbox import TABLES, TERMINATIONS_BY_ID, slug
from app.core.typed_texts import NOT_TYPED
from app.edge.database.store import Store
from app.edge.files import read_workspace
from app.errors import ExitCode, InputError
from app.workflows.netbox import NetboxReport, export_netbox, format_netbox, import_netbox
from app.workflows.plan import plan

BASE = Path(__file__).parents[1] / "golden" / "inputs" / "base"
DAY = date(2008, 5, 1)
NOW = datetime(2008, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(BASE, tmp_path_factory.mktemp("netbox") / "city"))
    order = root / "inventory/order.yaml"
    order.write_text(order.read_text(encoding="utf-8").replace("telecom: 中国电信\n", "telecom: 中国电信\n  unicom: 中国联通\n"), "utf-8")
    plan(root, commit=True, today=DAY)
    return root


@pytest.fixture
def root(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planned, tmp_path / "city"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'waiwang.db'}")
    zone = read_workspace(BASE)[0].order.timezone
    opened.write_line_events([opened_event("L-0001", date(2008, 4, 20), zone, NOW, "carrier:telecom", "d")])
    yield opened
    opened.close()


def hand_out(root: Path, store: Store, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in export_netbox(read_workspace(root)[0], store)[0].items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def folder(root: Path, store: Store) -> Path:
    return hand_out(root, store, root.parent / "netbox")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def take(root: Path, folder: Path, *, commit: bool = False) -> NetboxReport:
    return import_netbox(root, folder, commit=commit, today=DAY)


def table(folder: Path, name: str) -> list[Mapping[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text(encoding="utf-8"), newline="")))


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_table_is_as_netbox_takes_it(folder: Path, golden: Callable[[str, str], None]) -> None:
    assert sorted(path.stem for path in folder.iterdir()) == sorted(TABLES)
    for name in TABLES:
        golden(f"exchange/netbox/{name}.csv", (folder / f"{name}.csv").read_text(encoding="utf-8"))


def test_whatever_a_table_names_stands_in_a_table_before_it(folder: Path) -> None:
    names = {name: {row.get("name", "") for row in table(folder, name)} for name in TABLES}
    references = {
        "sites": {"region": "regions"},
        "device_types": {"manufacturer": "manufacturers"},
        "devices": {"role": "device_roles", "manufacturer": "manufacturers", "platform": "platforms", "site": "sites"},
        "interfaces": {"device": "devices"},
        "prefixes": {"vrf": "vrfs", "role": "ipam_roles"},
        "ip_addresses": {"vrf": "vrfs", "device": "devices"},
        "circuits": {"provider": "providers", "type": "circuit_types"},
        "circuit_terminations": {"site": "sites"},
    }
    order = list(TABLES)
    for name, columns in references.items():
        for column, target in columns.items():
            assert order.index(target) < order.index(name)
            assert {row[column] for row in table(folder, name)} <= names[target], (name, column)
    ports = [(row["device"], row["name"], row["parent"]) for row in table(folder, "interfaces")]
    assert {(row["device"], row["interface"]) for row in table(folder, "ip_addresses")} <= {port[:2] for port in ports}
    for number, (device, _, parent) in enumerate(ports):
        assert not parent or (device, parent) in {port[:2] for port in ports[:number]}
    cids = {row["cid"] for row in table(folder, "circuits")}
    assert {row["circuit"] for row in table(folder, "circuit_terminations")} == cids


def test_each_device_has_one_primary_address_and_it_comes_last(folder: Path) -> None:
    rows = table(folder, "ip_addresses")
    flags = [row["is_primary"] for row in rows]
    assert flags == sorted(flags)
    primary = [row["device"] for row in rows if row["is_primary"] == "true"]
    assert sorted(primary) == sorted(row["name"] for row in table(folder, "devices"))


def test_speeds_are_kilobits_and_the_one_upward_stands_only_where_it_differs(folder: Path) -> None:
    speeds = {row["circuit"]: (row["port_speed"], row["upstream_speed"]) for row in table(folder, "circuit_terminations")}
    assert speeds == {"L-0001": ("10000", ""), "C-77": ("2000", ""), "L-0003": ("1000", "512")}


def test_newer_netbox_is_given_the_numbers_of_sites(root: Path, store: Store, tmp_path: Path) -> None:
    sites, workspace = tmp_path / "sites.csv", read_workspace(root)[0]
    names = [row["name"] for row in csv.DictReader(io.StringIO(export_netbox(workspace, store)[0]["sites.csv"].decode()))]
    sites.write_text("ID,Name,Status\n" + "".join(f"{number},{name},Active\n" for number, name in enumerate(names, 40)), encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(export_netbox(workspace, store, sites)[0]["circuit_terminations.csv"].decode())))
    assert tuple(rows[0]) == TERMINATIONS_BY_ID
    assert {row["termination_type"] for row in rows} == {"dcim.site"}
    assert all(names[int(row["termination_id"]) - 40] for row in rows)
    sites.write_text(f"ID,Name\n7,{names[0]}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"sites\.csv: site `A-U001 甲县财政局` has no number") as refused:
        export_netbox(workspace, store, sites)
    assert len({finding.what for finding in refused.value.findings}) == len(refused.value.findings)


def test_slugs_are_what_netbox_allows() -> None:
    assert (slug("A.B c/D"), slug("中文"), slug("x" * 200)) == ("a-b-c-d", "none", "x" * 100)


CIRCUIT_IDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=NOT_TYPED), min_size=1, max_size=12)


# Not shrunk: an example takes a tenth of a second, and three lines are small enough to read.
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    circuits=st.lists(st.one_of(st.none(), CIRCUIT_IDS, st.sampled_from(["=1", "'=x", "a,b", "q'", "007"])), min_size=3, max_size=3),
    carriers=st.lists(st.sampled_from(["telecom", "unicom"]), min_size=3, max_size=3),
    released=st.integers(0, 3),
)
def test_export_and_import_in_a_row_change_nothing(
    planned: Path, store: Store, tmp_path: Path, circuits: list[str | None], carriers: list[str], released: int
) -> None:
    root = Path(shutil.copytree(planned, tmp_path / "round", dirs_exist_ok=True))
    lines = root / "inventory/lines.csv"
    rows = list(csv.DictReader(io.StringIO((planned / "inventory/lines.csv").read_text(encoding="utf-8"), newline="")))
    taken: set[tuple[str, str]] = set()
    for row, circuit, carrier in zip(rows, circuits, carriers, strict=True):
        fits = circuit and circuit.rstrip("'") and (carrier, circuit) not in taken
        row |= {"circuit_id": circuit or "" if fits else "", "carrier": carrier}
        taken.add((carrier, circuit or ""))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    lines.write_text(out.getvalue(), encoding="utf-8")
    ledger = (planned / "ipplan/allocations.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    # Rows that rest in quarantine: somebody's who is gone.
    gone = [f"59.225.0.{250 + number}/32,loopback,GGW,loopback,device:GONE-{number},2008-01-01,2008-04-01\n" for number in range(released)]
    (root / "ipplan/allocations.csv").write_text("".join([*ledger, *gone]), encoding="utf-8")
    before = contents(root)
    folder = hand_out(root, store, tmp_path / "round-netbox")
    report = take(root, folder, commit=True)
    assert format_netbox(report) == "NetBox and the workspace agree.\n"
    assert contents(root) == before


def test_what_netbox_says_otherwise_is_shown_and_taken_over(root: Path, folder: Path, golden: Callable[[str, str], None]) -> None:
    change(folder / "circuits.csv", "L-0001,中国电信,", "T-0815,中国联通,")
    change(folder / "circuits.csv", "L-0003,中国电信", "00042,中国电信")
    old = next(row["prefix"] for row in table(folder, "prefixes") if row["description"] == "unit:A-U001")
    change(folder / "prefixes.csv", f"{old},", "59.225.16.240/28,")
    before = contents(root)
    shown = take(root, folder)
    assert (shown.exit_code, contents(root)) == (ExitCode.PENDING, before)
    golden("exchange/netbox/shown.txt", format_netbox(shown))
    assert take(root, folder, commit=True).exit_code is ExitCode.OK
    workspace = read_workspace(root)[0]
    lines = workspace.inventory.lines
    assert (lines["L-0001"].carrier, lines["L-0001"].circuit_id, lines["L-0003"].circuit_id) == ("unicom", "T-0815", "00042")
    held = {str(row.prefix): row.released_on for row in workspace.ledger if row.holder == "unit:A-U001"}
    assert held == {"59.225.16.240/28": None, old: DAY}
    again = take(root, folder)
    assert (again.exit_code, again.changes, again.ledger_diff) == (ExitCode.OK, (), "")


def test_netboxs_own_export_is_read_too(root: Path, folder: Path) -> None:
    heads = "Circuit ID,Provider,Type,Status,Tenant,Commit Rate (Kbps),"
    change(folder / "circuits.csv", "cid,provider,type,status,install_date,commit_rate,", heads)
    change(folder / "prefixes.csv", "prefix,vrf,status,role,", "Prefix,VRF,Status,Role,")
    change(folder / "prefixes.csv", ",GGW,active,", ",GGW (65000:1),Active,")
    path = folder / "prefixes.csv"
    path.write_text("\n".join(f"• • {row}" if row[0].isdigit() else row for row in path.read_text(encoding="utf-8").splitlines()), "utf-8")
    (folder / "circuit_terminations.csv").unlink()
    assert format_netbox(take(root, folder)) == "NetBox and the workspace agree.\n"


def test_what_is_no_concern_of_ours_is_counted_and_what_netbox_lacks_is_a_note(
    root: Path, folder: Path, golden: Callable[[str, str], None]
) -> None:
    with (folder / "circuits.csv").open("a", encoding="utf-8") as file:
        file.write("X-1,Another Carrier,Internet,active,,50000,\n")
    with (folder / "prefixes.csv").open("a", encoding="utf-8") as file:
        file.write("192.0.2.0/24,GGW,active,,a test net\n59.225.64.0/28,OTHER,active,,\n2001:db8::/32,GGW,active,,\n")
    change(folder / "circuits.csv", "L-0001,中国电信,10兆光纤,active,2008-04-20,10000,L-0001\n", "")
    report = take(root, folder)
    assert (report.exit_code, report.foreign) == (ExitCode.OK, 4)
    golden("exchange/netbox/notes.txt", format_netbox(report))


BROKEN: dict[str, Callable[[Path], None]] = {
    "unknown_circuit": lambda folder: change(folder / "circuits.csv", "2000,L-0002", "2000,L-0022")
    or change(folder / "circuits.csv", "C-77,", "C-78,"),
    "two_circuits_of_a_line": lambda folder: change(folder / "circuits.csv", "1000,L-0003", "1000,L-0001"),
    "unknown_provider": lambda folder: change(folder / "circuits.csv", "L-0001,中国电信", "L-0001,中国铁通"),
    "unknown_type": lambda folder: change(folder / "circuits.csv", "2兆光纤,", "2兆电缆,"),
    "rate": lambda folder: change(folder / "circuits.csv", ",2000,", ",4000,"),
    "class_not_permitted": lambda folder: change(folder / "circuits.csv", "2兆光纤,provisioning,,2000", "10兆光纤,provisioning,,10000"),
    "circuit_id_taken": lambda folder: change(folder / "circuits.csv", "L-0001,中国电信", "C-77,中国电信"),
    "port_speed": lambda folder: change(folder / "circuit_terminations.csv", ",1000,512,", ",1000,1000,"),
    "prefix_of_nobody": lambda folder: change(folder / "prefixes.csv", "unit:A-U001", "printer room"),
    "unknown_holder": lambda folder: _append(folder / "prefixes.csv", "59.225.16.224/28,GGW,active,unit_lan,unit:A-U009\n"),
    "other_holder": lambda folder: change(folder / "prefixes.csv", "unit:A-U001", "unit:A-U002"),
    "taken_by_somebody": lambda folder: _append(folder / "prefixes.csv", "59.225.16.224/28,GGW,active,,printers\n"),
    "other_role": lambda folder: _append(folder / "prefixes.csv", "59.225.16.224/28,GGW,active,,line:L-0001\n"),
    "two_new_prefixes": lambda folder: _append(
        folder / "prefixes.csv", "59.225.16.224/28,GGW,active,,unit:A-U001\n59.225.16.240/28,GGW,active,,unit:A-U001\n"
    ),
    "overlapping": lambda folder: _append(folder / "prefixes.csv", "59.225.16.0/27,GGW,active,,unit:A-U001\n"),
    "no_prefix": lambda folder: change(folder / "prefixes.csv", "59.225.16.16/28", "59.225.16.17/28"),
    "no_heads": lambda folder: change(folder / "prefixes.csv", "prefix,vrf,", "net,vrf,"),
    "nothing_here": lambda folder: [(folder / name).unlink() for name in ("circuits.csv", "prefixes.csv")] and None,
}


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("name", BROKEN)
def test_every_conflict_is_told_with_its_row_and_nothing_is_written(
    root: Path, folder: Path, name: str, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(root)
    BROKEN[name](folder)
    monkeypatch.chdir(folder.parent)
    if name == "prefix_of_nobody":
        # A free text on a prefix that we know takes nothing from its holder: it is refused only where the holder is another.
        assert take(root, Path("netbox")).exit_code is ExitCode.OK
        return
    with pytest.raises(InputError) as refused:
        take(root, Path("netbox"), commit=True)
    golden(f"exchange/netbox/errors/{name}.txt", f"{refused.value}\n")
    assert contents(root) == before


def test_a_vpn_on_a_line_is_named_as_the_holder_of_its_prefix(root: Path, folder: Path) -> None:
    pool = "  - {name: vpn-lines, role: interconnect, address_class: department, vrf: CZ, prefix: 10.9.16.0/24, length: 30}\n"
    change(root / "ipplan/plan.yaml", "  GGW: public\npools:\n", f"  GGW: public\n  CZ: department\npools:\n{pool}")
    prefixes = folder / "prefixes.csv"
    prefixes.write_text(prefixes.read_text(encoding="utf-8") + "10.9.16.0/30,CZ,active,interconnect,vpn:L-0001/CZ\n", "utf-8")
    with pytest.raises(InputError, match="held by nobody of ours: expected a known holder; found vpn:L-0001/CZ"):
        take(root, folder)


def test_a_workspace_without_addresses_cannot_be_handed_out(store: Store) -> None:
    with pytest.raises(InputError, match="waiwang plan"):
        export_netbox(read_workspace(BASE)[0], store)


def test_a_circuit_id_that_two_carriers_use_is_a_note(root: Path, store: Store) -> None:
    change(root / "inventory/lines.csv", "telecom,,CORE", "unicom,C-77,CORE")
    notes = export_netbox(read_workspace(root)[0], store)[1]
    assert [note.what for note in notes] == ["line L-0001: circuit id is used twice", "line L-0002: circuit id is used twice"]


def test_speeds_of_a_circuit_id_that_two_carriers_use_are_told_apart_by_their_ports(root: Path, store: Store) -> None:
    change(root / "inventory/lines.csv", "telecom,,CORE", "unicom,C-77,CORE")
    folder = hand_out(root, store, root.parent / "shared")
    assert take(root, folder).changes == ()
    change(folder / "circuit_terminations.csv", ",2000,,A-AGG:", ",4000,,A-AGG:")
    with pytest.raises(InputError, match="line L-0002, side A: `port_speed` differs: expected 2000 kbit/s; found 4000 kbit/s"):
        take(root, folder)


def test_a_prefix_that_is_new_in_netbox_gives_a_holder_its_first_address(root: Path, folder: Path) -> None:
    rows = (root / "ipplan/allocations.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (root / "ipplan/allocations.csv").write_text("".join(row for row in rows if ",unit:A-U002," not in row), encoding="utf-8")
    report = import_netbox(root, folder, commit=True, today=DAY + timedelta(days=1))
    assert report.ledger_diff
    found = next(row for row in read_workspace(root)[0].ledger if row.holder == "unit:A-U002")
    assert (found.since, found.released_on) == (DAY + timedelta(days=1), None)
