"""A new workspace: passes the check at once, overwrites nothing, and comes out of an installed package too."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.evidence import Part, build_pack
from app.core.intents import build_intents
from app.core.source import Source
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.errors import ExitCode, InputError
from app.settings import read_settings
from app.workflows.check import check
from app.workflows.deploy import deploy
from app.workflows.exchange import import_tables
from app.workflows.hosts import open_gateway, open_nornir
from app.workflows.init import init
from app.workflows.plan import plan
from app.workflows.render import render
from lab.virtual.simulation import Service, free_port, served
from lab.virtual.station import Station, build_city, serve
from tests.samples.small_city import ENVIRON, SECRETS

REPOSITORY = Path(__file__).parents[2]
DAY = date(2026, 3, 1)


def make(folder: Path, **changed: str) -> list[Path]:
    return init(folder, **({"city": "巴中市", "city_en": "Bazhong City", "code": "511900"} | changed), today=DAY)


def test_a_new_workspace_passes_the_check_at_once(tmp_path: Path) -> None:
    written = make(tmp_path / "city")
    report = check(tmp_path / "city", today=DAY)
    assert (report.exit_code, report.findings) == (ExitCode.OK, ())
    assert all(path.is_file() for path in written)
    for path in written:
        if "templates" not in path.parts:
            assert not re.search(r"@[A-Z_]+@", path.read_text(encoding="utf-8")), path


def test_a_new_workspace_is_planned_and_rendered(tmp_path: Path) -> None:
    make(tmp_path)
    assert plan(tmp_path, commit=True, today=DAY).exit_code is ExitCode.OK
    workspace = read_workspace(tmp_path)[0]
    assert "sysname CORE01" in render(workspace, read_templates(tmp_path))["CORE01"]
    assert workspace.inventory.regions["511900"].name == "巴中市"


def test_every_value_of_the_new_order_is_marked_as_a_default_and_the_plan_as_an_illustration(tmp_path: Path) -> None:
    make(tmp_path)
    workspace = read_workspace(tmp_path)[0]
    order = workspace.order
    sources = [source for kind in order.classes.values() for source in (kind.source, *kind.sources.values())]
    sources += [criterion.source for kind in order.classes.values() for criterion in kind.criteria]
    sources += [milestone.source for milestone in order.milestones] + [duty.source for duty in order.duties]
    sources += [entry.source for table in order.scoring for entry in (table, *table.items)] + [order.at_risk_source]
    assert {Source(source.clause, source.ruling, source.default) for source in sources} == {Source(default=True)}
    assert all(ruling.default for ruling in order.rulings.values())
    assert workspace.plan.illustration


def test_the_skeleton_has_every_section_that_an_order_can_have(tmp_path: Path) -> None:
    from app.edge.files.order import _SECTIONS

    make(tmp_path)
    text = (tmp_path / "inventory/order.yaml").read_text(encoding="utf-8")
    present = re.findall(r"^(\w+):", text, re.MULTILINE)
    assert set(_SECTIONS) - set(present) <= {"simulation", "requirements"}
    lines = text.splitlines()
    for section in present:
        above = lines[lines.index(next(line for line in lines if line.startswith(f"{section}:"))) - 1]
        assert above.startswith("#"), f"section {section} is not explained"


def put_in_examples(root: Path) -> None:
    """Add the rows that the README of a new workspace shows."""
    text = (root / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^`inventory/(\w+)\.csv`.*?```\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in examples] == ["regions", "units", "devices", "lines", "services"]
    for name, row in examples:
        with (root / f"inventory/{name}.csv").open("a", encoding="utf-8") as file:
            file.write(row + "\n")


def test_the_example_rows_of_the_readme_can_be_put_in_as_they_stand(tmp_path: Path) -> None:
    make(tmp_path)
    put_in_examples(tmp_path)
    report = check(tmp_path, today=DAY)
    assert report.findings == ()
    assert report.counts["lines"] == 1


def test_a_new_workspace_is_practised_on_virtual_devices_as_its_readme_says(tmp_path: Path) -> None:
    make(tmp_path / "city")
    put_in_examples(tmp_path / "city")
    station = Station(tmp_path / "city", tmp_path / "state")
    with pytest.raises(InputError, match=r"plan to play: expected illustration: false; found illustration: true\. Practise on a copy"):
        asyncio.run(serve(station, asyncio.Event()))
    assert not station.folder.exists()
    steps = (tmp_path / "city/README.md").read_text(encoding="utf-8").rpartition("```\ncp ")[2].partition("\n\n")[0]
    copying, marking, *_ = f"cp {steps}".splitlines()
    for line in (copying, marking):
        subprocess.run(line, shell=True, cwd=tmp_path / "city", check=True)
    root = tmp_path / "practice"
    assert plan(root, commit=True, today=DAY).committed
    workspace, _ = read_workspace(root)
    intents, texts = build_intents(workspace), render(workspace, read_templates(root))
    account = {workspace.plan.management.ssh_user: SECRETS["ssh_password"]}
    service = Service(account, ssh_port=free_port(), snmp_port=free_port(socket.SOCK_DGRAM))
    settings = read_settings({"WAIWANG_DATABASE_URL": "sqlite://"}, root)
    with served(build_city(workspace, root, SECRETS), service) as carrier:
        gateway = open_gateway(workspace.plan, settings, ENVIRON, endpoint=carrier.simulation.ssh_endpoint)
        nornir = open_nornir(workspace, intents, settings, ENVIRON)
        for expected in ("deployed", "unchanged"):
            report = deploy(nornir, intents, texts, gateway, commit=True, record_backup=lambda device, text: None)
            assert {row.device: row.result for row in report.rows} == {"CORE01": expected, "SX-AGG01": expected}


def test_a_new_workspace_takes_its_units_from_office_sheets(tmp_path: Path) -> None:
    make(tmp_path / "city")
    texts = {
        "units": "单位编号,单位名称,英文名称,所属区县,层级,单位类别,城区,接入类别,联系岗位\n"
        "U1,市财政局,Finance,巴中市,市级,部门,是,A,公文交换员\n",
        "devices": "设备名称,平台,系列,角色,所属区县,所在单位,厂商,型号,LAN端口\n"
        "U1-AR,huawei,huawei_ar,市级单位,巴中市,市财政局,Huawei,AR1220,GigabitEthernet0/0/1\n",
        "lines": "线路编号,接入单位,线路类别,介质,接入方式,运营商,本端设备,本端端口,对端设备,对端端口\n"
        "L1,市财政局,2兆光纤线路,光纤,以太网,中国移动,CORE01,GigabitEthernet0/0/1.101,U1-AR,GigabitEthernet0/0/0\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_bytes(text.encode("gb18030"))
    report = import_tables(tmp_path / "city", [(name, tmp_path / f"{name}.csv") for name in texts], commit=True, today=DAY)
    assert (report.added, report.rejected) == (3, ())
    assert read_workspace(tmp_path / "city")[0].inventory.lines["L1"].carrier == "mobile"


def test_init_never_overwrites(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/lines.csv").write_text("mine", encoding="utf-8")
    (tmp_path / "README.md").symlink_to("nowhere")
    (tmp_path / "notes.txt").write_text("mine too", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        make(tmp_path)
    golden("exchange/init/standing.txt", f"{refused.value}\n".replace(f"{tmp_path}/", ""))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["README.md", "inventory", "lines.csv", "notes.txt"]
    assert (tmp_path / "inventory/lines.csv").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("name", "changed"),
    [("code", {"code": "511902"}), ("city", {"city": '巴中"市'}), ("all", {"city": "", "city_en": "巴中", "code": "51"})],
)
def test_words_that_would_break_a_file_are_refused(
    tmp_path: Path, name: str, changed: dict[str, str], golden: Callable[[str, str], None]
) -> None:
    with pytest.raises(InputError) as refused:
        make(tmp_path / "city", **changed)
    golden(f"exchange/init/{name}.txt", f"{refused.value}\n")
    assert not (tmp_path / "city").exists()


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = Path.open, []

    def failing(self: Path, mode: str = "r", *args: object, **options: object) -> object:
        if mode == "xb":
            written.append(self)
            if len(written) == 5:
                raise OSError(28, "No space left on device")
        return real(self, mode, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(InputError, match="No space left on device"):
        make(tmp_path / "city")
    monkeypatch.undo()
    assert len(written) == 5
    assert [path for path in (tmp_path / "city").rglob("*") if path.is_file()] == []


def test_init_works_from_an_installed_package(tmp_path: Path) -> None:
    """Build the wheel from the tracked files, unpack it elsewhere and run it from there."""
    source, unpacked = tmp_path / "source", tmp_path / "unpacked"
    source.mkdir()
    listing = ["git", "ls-files", "-z", "app", "lab", "templates", "pyproject.toml", "README.md"]
    tracked = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, check=True)
    for name in tracked.stdout.decode().split("\0")[:-1]:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / name).is_symlink():
            target.symlink_to((REPOSITORY / name).readlink())
        elif (REPOSITORY / name).is_file():
            target.write_bytes((REPOSITORY / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "."]
    built = subprocess.run([*build, "-w", str(tmp_path)], cwd=source, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(unpacked)
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    run = [sys.executable, "-c", "import app, sys; from app.cli.main import main; sys.stderr.write(app.__path__[0]); main()"]
    made = subprocess.run([*run, "init", "city"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (made.returncode, str(unpacked) in made.stderr) == (0, True), made.stderr
    checked = subprocess.run([*run, "check", "--root", "city"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (tmp_path / "city/templates/device_configs/huawei_ar/city_core.j2").is_file()
    form = Path("templates") / "reports" / "confirmation.docx"
    assert (tmp_path / "city" / form).read_bytes() == (REPOSITORY / form).read_bytes()
    _verify_from(unpacked, tmp_path)


def _verify_from(unpacked: Path, folder: Path) -> None:
    """Check an evidence pack with the unpacked wheel alone: no workspace, no network."""
    key = Ed25519PrivateKey.generate()
    pack = build_pack([Part("verdict/rate_down", {"found": "9496 kbit/s"})], key.public_key().public_bytes_raw(), key.sign)
    (folder / "whole.pack").write_bytes(pack)
    (folder / "altered.pack").write_bytes(pack.replace(b"9496", b"9999"))
    offline = "import socket; socket.socket.connect = socket.getaddrinfo = None; from app.cli.main import main; main()"
    environment = {"PYTHONPATH": str(unpacked), "PATH": os.environ["PATH"], "COLUMNS": "200"}
    for name, code, said in (("whole", 0, "0 places altered"), ("altered", 4, "altered part verdict/rate_down")):
        run = [sys.executable, "-c", offline, "verify", f"{name}.pack"]
        checked = subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True)
        assert (checked.returncode, said in checked.stdout) == (code, True), checked.stdout + checked.stderr


def test_a_workspace_that_is_there_already_is_told_in_a_few_lines(tmp_path: Path) -> None:
    made = make(tmp_path)
    with pytest.raises(InputError) as refused:
        make(tmp_path)
    assert len(refused.value.findings) == 6
    assert refused.value.findings[-1].found == f"{len(made) - 5} more"
    assert refused.value.findings[-1].where == str(tmp_path)
