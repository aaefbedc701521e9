"""Rendered texts against golden files, error texts, and what must hold of every text."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.families import FAMILIES
from app.core.intents import build_intents
from app.core.ipplan import AaaProfile, OspfProfile
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.patch import patch
from app.edge.secrets import read_secrets
from app.edge.templates import read_templates
from app.errors import InputError, RenderError
from app.workflows.render import render, render_activations, render_pages, write_configs
from tests.golden.render.workspace import CLASSES, full_workspace, isis_workspace, small_workspace
from tests.samples.required import skip_or_fail

ROOT = Path(__file__).parents[2]
Golden = Callable[[str, str], None]
ROUTERS = ("frr", "huawei_ar", "huawei_ne", "h3c_msr", "cisco_ios")
DEVICES = {"huawei_ne": ("core", "county02")}
CASES = [(family, device) for family in ROUTERS for device in DEVICES.get(family, ("core", "county02", "d01", "u01", "t01"))]
DAEMONS = Path("/usr/lib/frr")


@pytest.fixture(scope="session")
def templates() -> Mapping[str, str]:
    return read_templates(ROOT)


@pytest.fixture(scope="session")
def frr_texts(templates: Mapping[str, str]) -> dict[str, str]:
    return render(small_workspace("frr"), templates)


# Golden texts


@pytest.mark.parametrize(("family", "device"), CASES)
def test_a_router_is_rendered_as_before(golden: Golden, templates: Mapping[str, str], family: str, device: str) -> None:
    workspace = small_workspace(family)
    role = workspace.inventory.devices[device].role
    golden(f"render/{family}/{role}.cfg", render(workspace, templates, [device])[device])
    golden(f"render/{family}/{role}.bootstrap.cfg", render(workspace, templates, [device], bootstrap=True)[device])


@pytest.mark.parametrize(("family", "device"), CASES)
def test_a_router_that_is_asked_for_everything_is_rendered_as_before(
    golden: Golden, templates: Mapping[str, str], family: str, device: str
) -> None:
    workspace = full_workspace(family)
    role = workspace.inventory.devices[device].role
    golden(f"render/{family}/{role}.full.cfg", render(workspace, templates, [device])[device])
    golden(f"render/{family}/{role}.full.bootstrap.cfg", render(workspace, templates, [device], bootstrap=True)[device])
    for text in render_activations(workspace, templates, [device]).values():
        golden(f"render/{family}/{role}.activate.cfg", text)


@pytest.mark.parametrize(("family", "device"), CASES)
def test_a_router_of_a_city_with_isis_is_rendered_as_before(golden: Golden, templates: Mapping[str, str], family: str, device: str) -> None:
    workspace = isis_workspace(family)
    role = workspace.inventory.devices[device].role
    golden(f"render/{family}/{role}.isis.cfg", render(workspace, templates, [device])[device])


@pytest.mark.requirement("SR-5")
@pytest.mark.parametrize("device", ["SR-CORE01", "SR-XZ-AGG01"])
def test_the_routers_that_hold_the_six_systems_are_rendered_as_before(golden: Golden, device: str) -> None:
    root = ROOT / "examples" / "shangrao-2012"
    golden(f"render/shangrao/{device}.cfg", render(read_workspace(root)[0], read_templates(root), [device])[device])


@pytest.mark.parametrize(("router", "switch"), [("huawei_ar", "huawei_s"), ("h3c_msr", "h3c_s")])
def test_a_switch_is_rendered_as_before(golden: Golden, templates: Mapping[str, str], router: str, switch: str) -> None:
    for name, build in (("", small_workspace), ("full.", full_workspace), ("isis.", isis_workspace)):
        workspace = build(router, switch=True)
        golden(f"render/{switch}/unit_switch.{name}cfg", render(workspace, templates, ["u01-sw"])["u01-sw"])
        golden(f"render/{switch}/unit_switch.{name}bootstrap.cfg", render(workspace, templates, ["u01-sw"], bootstrap=True)["u01-sw"])


def test_a_switch_and_its_router_are_rendered_as_before(golden: Golden, templates: Mapping[str, str]) -> None:
    workspace = small_workspace("huawei_ar", switch=True)
    texts = render(workspace, templates, ["u01", "u01-sw"])
    golden("render/huawei_ar/urban_unit.with_switch.cfg", texts["u01"])
    golden("render/huawei_s/unit_switch.cfg", texts["u01-sw"])
    golden("render/huawei_s/unit_switch.bootstrap.cfg", render(workspace, templates, ["u01-sw"], bootstrap=True)["u01-sw"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_sites_page_is_rendered_as_before(golden: Golden, templates: Mapping[str, str], language: str) -> None:
    workspace = small_workspace("huawei_ar", switch=True)
    illustration = replace(workspace, plan=replace(workspace.plan, illustration=True))
    pages = render_pages(illustration, templates, ["u01", "u01-sw", "core"], language=language)
    assert list(pages) == ["core", "U01"]
    golden(f"render/page.{language}.txt", pages["U01"])
    golden(f"render/page.root.{language}.txt", pages["core"])


# Error texts


def test_a_wrong_template_variable_is_named_with_template_line_and_device(golden: Golden, templates: Mapping[str, str]) -> None:
    text = templates["frr/_base.j2"].replace("{{ intent.hostname }}", "{{ intent.hostnam }}")
    golden("render/errors/wrong_variable.txt", _render_error({**templates, "frr/_base.j2": text}))


def test_a_wrong_variable_in_a_shared_block_is_named_where_it_stands(golden: Golden, templates: Mapping[str, str]) -> None:
    text = templates["frr/_ports.j2"].replace("port.description", "port.describtion")
    golden("render/errors/wrong_variable_in_block.txt", _render_error({**templates, "frr/_ports.j2": text}))


def test_a_value_that_is_not_known_is_never_printed_as_none(golden: Golden, templates: Mapping[str, str]) -> None:
    text = templates["frr/_base.j2"].replace("{{ intent.hostname }}", "{{ intent.gateway }}")
    golden("render/errors/unknown_value.txt", _render_error({**templates, "frr/_base.j2": text}))


def test_a_broken_template_is_named_with_its_line(golden: Golden, templates: Mapping[str, str]) -> None:
    text = templates["frr/_base.j2"].replace("{% endfor %}", "{% endfur %}", 1)
    golden("render/errors/broken_template.txt", _render_error({**templates, "frr/_base.j2": text}))


def test_a_missing_template_is_named_with_the_one_that_asks_for_it(golden: Golden, templates: Mapping[str, str]) -> None:
    rest = {name: text for name, text in templates.items() if name != "frr/_base.j2"}
    golden("render/errors/missing_template.txt", _render_error(rest))


def test_unknown_families_and_roles_are_all_named_at_once(golden: Golden) -> None:
    workspace = small_workspace("frr")
    devices = dict(workspace.inventory.devices)
    devices["d01"] = replace(devices["d01"], family="zxros")
    devices["t01"] = replace(devices["t01"], family="huawei_s")
    golden("render/errors/unknown_family.txt", _input_error(replace(workspace, inventory=replace(workspace.inventory, devices=devices))))


def test_missing_allocations_are_all_named_at_once(golden: Golden) -> None:
    workspace = small_workspace("frr")
    gone = ("device:t01", "line:B-1", "service:noc")
    ledger = tuple(row for row in workspace.ledger if row.holder not in gone)
    golden("render/errors/missing_allocation.txt", _input_error(replace(workspace, ledger=ledger)))


def test_what_of_the_plan_cannot_be_configured_is_named_at_once(golden: Golden) -> None:
    workspace = full_workspace("h3c_msr")
    features, management = workspace.plan.features, workspace.plan.management
    assert features.bgp is not None
    lost = replace(features.vpns[2], imports=(*features.vpns[2].imports, "64512:99", "64512:2"))
    plan = replace(
        workspace.plan,
        pools=tuple(pool for pool in workspace.plan.pools if pool.address_class != "national_public"),
        features=replace(features, vpns=(*features.vpns[:2], lost, features.vpns[3])),
        management=replace(management, snmp_auth="sha256", aaa=AaaProfile("radius", ("noc", "radius01")), where="ipplan/plan.yaml:40"),
    )
    golden("render/errors/unfit_features.txt", _input_error(replace(workspace, plan=plan)))


def test_a_missing_secret_is_named_with_the_way_to_set_it(golden: Golden, templates: Mapping[str, str]) -> None:
    text = render(isis_workspace("huawei_ar"), templates, ["t01"])["t01"]
    held = {"WAIWANG_SECRET_SSH_PASSWORD": "x", "WAIWANG_SECRET_SNMP_AUTH": "x", "WAIWANG_SECRET_SNMP_PRIV": "x"}
    with pytest.raises(InputError) as caught:
        read_secrets(None, held).resolve(text)
    golden("render/errors/missing_secret.txt", f"{caught.value}\n")


def test_an_empty_ledger_is_one_finding(golden: Golden) -> None:
    golden("render/errors/empty_ledger.txt", _input_error(replace(small_workspace("frr"), ledger=())))


def test_an_unknown_device_is_answered_with_near_names(golden: Golden, templates: Mapping[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        render(small_workspace("frr"), templates, ["county2", "zzz"])
    golden("render/errors/unknown_device.txt", f"{caught.value}\n")


def _render_error(templates: Mapping[str, str]) -> str:
    with pytest.raises(RenderError) as caught:
        render(small_workspace("frr"), templates, ["county02"])
    return f"{caught.value}\n"


def _input_error(workspace: Workspace) -> str:
    with pytest.raises(InputError) as caught:
        build_intents(workspace)
    return f"{caught.value}\n"


# What must hold of every text


@pytest.fixture(scope="session", params=ROUTERS)
def whole(request: pytest.FixtureRequest) -> Workspace:
    return small_workspace(request.param, switch=request.param in ("huawei_ar", "h3c_msr"))


def test_the_same_intent_gives_the_same_bytes(whole: Workspace, templates: Mapping[str, str]) -> None:
    assert render(whole, templates) == render(whole, dict(reversed(templates.items())))


def test_a_text_is_ascii_without_empty_lines_and_ends_in_one_newline(whole: Workspace, templates: Mapping[str, str]) -> None:
    for text in (*render(whole, templates).values(), *render(whole, templates, bootstrap=True).values()):
        assert text.isascii()
        assert all(line.strip() and line == line.rstrip() for line in text.splitlines())
        assert text.endswith("\n")


def test_every_line_of_a_bootstrap_stands_in_the_intended_text(whole: Workspace, templates: Mapping[str, str]) -> None:
    full, first = render(whole, templates), render(whole, templates, bootstrap=True)
    for name in full:
        assert set(_rows(first[name])) <= set(_rows(full[name]))


@pytest.mark.requirement("BZ-9")
def test_every_address_in_a_text_is_held_in_the_ledger(whole: Workspace) -> None:
    held = [row.prefix for row in whole.ledger]
    for intent in build_intents(whole).values():
        for port in intent.interfaces:
            assert port.address is None or port.address.network in held
        assert all(any(address in prefix for prefix in held) for address in intent.contacts)


def test_every_line_is_given_the_rates_of_its_class(whole: Workspace) -> None:
    for name, intent in build_intents(whole).items():
        for port in intent.interfaces:
            if port.kind not in ("line", "backup"):
                continue
            line = whole.inventory.lines[port.line_id or ""]
            kind = CLASSES[line.service_class]
            down, up = (port.out_kbps, port.in_kbps) if name == line.a_device else (port.in_kbps, port.out_kbps)
            assert (down, up) == (kind.configured_down_kbps, kind.configured_up_kbps)


def test_every_line_id_stands_in_the_text_of_both_its_ends(whole: Workspace, templates: Mapping[str, str]) -> None:
    texts = render(whole, templates)
    for line in whole.inventory.lines.values():
        assert f" L:{line.line_id} " in texts[line.a_device]
        assert f" L:{line.line_id} " in texts[line.z_device]


def test_every_role_of_every_family_has_a_template(templates: Mapping[str, str]) -> None:
    wanted = {f"{family.name}/{role}.j2" for family in FAMILIES.values() for role in (*family.roles, "bootstrap")}
    assert wanted <= set(templates)


def test_configurations_are_written_under_the_names_of_their_devices(tmp_path: Path, frr_texts: dict[str, str]) -> None:
    files = write_configs(tmp_path / "out", frr_texts)
    assert [file.name for file in files] == [f"{name}.cfg" for name in frr_texts]
    assert (tmp_path / "out" / "t01.cfg").read_text(encoding="utf-8") == frr_texts["t01"]


def test_a_workspace_without_templates_says_where_they_belong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="templates/device_configs: no template is there"):
        read_templates(tmp_path)


def _rows(text: str) -> list[tuple[str, str]]:
    """Return every line with the block that it stands in."""
    rows, block = [], ""
    for line in text.splitlines():
        block = line if not line.startswith(" ") else block
        rows.append((block, line))
    return rows


# Real FRR


@pytest.mark.parametrize("bootstrap", [False, True])
def test_vtysh_accepts_every_frr_text(
    require_program: Callable[..., None], templates: Mapping[str, str], tmp_path: Path, *, bootstrap: bool
) -> None:
    require_program("vtysh")
    texts = render(small_workspace("frr"), templates, bootstrap=bootstrap)
    texts |= {f"{name}-full": text for name, text in render(full_workspace("frr"), templates, bootstrap=bootstrap).items()}
    texts |= {f"{name}-isis": text for name, text in render(isis_workspace("frr"), templates, bootstrap=bootstrap).items()}
    for name, file in _written(tmp_path, texts).items():
        answer = subprocess.run(["vtysh", "-C", "-f", str(file)], capture_output=True, text=True, check=False)
        assert (name, answer.returncode, answer.stdout + answer.stderr) == (name, 0, "")


def test_vtysh_refuses_a_line_that_frr_does_not_know(
    require_program: Callable[..., None], frr_texts: dict[str, str], tmp_path: Path
) -> None:
    require_program("vtysh")
    (file,) = _written(tmp_path, {"t01": frr_texts["t01"].replace(" area ", " aera ")}).values()
    assert subprocess.run(["vtysh", "-C", "-f", str(file)], capture_output=True, check=False).returncode != 0


@pytest.mark.lab
@pytest.mark.parametrize("build", [small_workspace, full_workspace, isis_workspace])
@pytest.mark.parametrize("device", ["core", "county02", "t01"])
def test_frr_echoes_the_rendered_text_unchanged(
    require_program: Callable[..., None], templates: Mapping[str, str], tmp_path: Path, device: str, build: Callable[[str], Workspace]
) -> None:
    """Start the routing daemons in namespaces of their own, load the text, read it back."""
    require_program("vtysh", "unshare", "ip")
    _require_root()
    text = render(build("frr"), templates, [device])[device].replace("<secret:isis_key>", "sample")
    (file,) = _written(tmp_path, {device: text}).values()
    echo = _echo(file, device, [line.split()[1] for line in text.splitlines() if line.startswith("interface ")])
    assert echo.partition("Current configuration:\n!\n")[2] == text


@pytest.mark.lab
def test_frr_echoes_nothing_for_timers_that_are_its_defaults(
    require_program: Callable[..., None], templates: Mapping[str, str], tmp_path: Path
) -> None:
    require_program("vtysh", "unshare", "ip")
    _require_root()
    defaults = OspfProfile(1, 100, 10, 40, 5, (0, 50, 5000), 5000, 1000)
    workspace = small_workspace("frr")
    text = render(replace(workspace, plan=replace(workspace.plan, ospf=defaults)), templates, ["d01"])["d01"]
    (file,) = _written(tmp_path, {"d01": text}).values()
    assert _echo(file, "d01", ["eth1", "lan0"]).partition("Current configuration:\n!\n")[2] == text


@pytest.mark.lab
@pytest.mark.parametrize("device", ["core", "county02", "t01"])
def test_frr_takes_the_patches_from_ospf_to_isis_and_back(
    require_program: Callable[..., None], templates: Mapping[str, str], tmp_path: Path, device: str
) -> None:
    """Let real daemons take both patches, one after the other: what they show then is what was intended."""
    require_program("vtysh", "unshare", "ip")
    _require_root()
    old, new = (render(build("frr"), templates, [device])[device] for build in (full_workspace, isis_workspace))
    files = _written(tmp_path, {"old": _spoken(old), "forth": _patch_text(old, new), "both": _patch_text(old, new) + _patch_text(new, old)})
    ports = [line.split()[1] for line in old.splitlines() if line.startswith("interface ")]
    assert [str(command) for command in patch("frr", _echo(files["old"], device, ports, files["forth"]), new)] == []
    assert [str(command) for command in patch("frr", _echo(files["old"], device, ports, files["both"]), old)] == []


@pytest.mark.lab
def test_frr_takes_the_ipv6_session_with_the_province_away_and_back(
    require_program: Callable[..., None], templates: Mapping[str, str], tmp_path: Path
) -> None:
    """Real FRR knows no `no address-family`, and ends every line of a peer with the peer."""
    require_program("vtysh", "unshare", "ip")
    _require_root()
    workspace = full_workspace("frr")
    bgp = workspace.plan.features.bgp
    assert bgp is not None
    alone = replace(bgp, peers=(replace(bgp.peers[0], address6=None, neighbour6=None),))
    plan = replace(workspace.plan, features=replace(workspace.plan.features, bgp=alone))
    old, new = (render(one, templates, ["core"])["core"] for one in (workspace, replace(workspace, plan=plan)))
    files = _written(tmp_path, {"old": old, "forth": _patch_text(old, new), "both": _patch_text(old, new) + _patch_text(new, old)})
    ports = [line.split()[1] for line in old.splitlines() if line.startswith("interface ")]
    assert [str(command) for command in patch("frr", _echo(files["old"], "core", ports, files["forth"]), new)] == []
    assert [str(command) for command in patch("frr", _echo(files["old"], "core", ports, files["both"]), old)] == []


def _spoken(text: str) -> str:
    return text.replace("<secret:isis_key>", "sample")


def _patch_text(old: str, new: str) -> str:
    return "".join(f"{_spoken(str(command))}\n" for command in patch("frr", old, new))


def _written(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    return dict(zip(texts, write_configs(folder, texts), strict=True))


def _require_root() -> None:
    if os.geteuid() == 0 and (DAEMONS / "ospfd").exists() and shutil.which("unshare"):
        return
    skip_or_fail("starting routers needs root and /usr/lib/frr")


SCRIPT = """
set -e
mount -t tmpfs tmpfs /run && install -d -o frr -g frr /run/frr
mount -t tmpfs tmpfs /etc/frr && install -o frr -g frr -m 640 "$TEXT" /etc/frr/frr.conf
echo 'service integrated-vtysh-config' > /etc/frr/vtysh.conf && chown frr:frr /etc/frr /etc/frr/vtysh.conf
hostname "$DEVICE"
echo 1 > /proc/sys/net/ipv4/ip_forward
if ! grep -q 'no ipv6 forwarding' "$TEXT"; then echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; fi
ip link set lo up
for port in $PORTS; do ip link add "$port" type veth peer name "p$port"; ip link set "$port" up; ip link set "p$port" up; done
WANTED="zebra staticd ospfd"
if grep -q '^router ospf6' "$TEXT" $COMMANDS; then WANTED="$WANTED ospf6d"; fi
if grep -q '^router isis' "$TEXT" $COMMANDS; then WANTED="$WANTED isisd"; fi
if grep -q '^router bgp' "$TEXT" $COMMANDS; then WANTED="$WANTED bgpd"; fi
for daemon in $WANTED; do $DAEMONS/$daemon -d -A 127.0.0.1 >/dev/null 2>&1; done
for daemon in $WANTED; do for attempt in $(seq 50); do [ -S /run/frr/$daemon.vty ] && break; sleep 0.1; done; done
vtysh -b >/dev/null 2>&1 || true
if [ -n "$COMMANDS" ]; then vtysh -f "$COMMANDS" >&2; fi
vtysh -c 'show running-config'
"""


def _echo(file: Path, device: str, ports: list[str], commands: Path | None = None) -> str:
    """Return FRR's running configuration after it has read the file, and the commands typed after it, where there are some.

    Its process namespace ends, and with it every daemon.
    """
    environ = {
        **os.environ,
        "TEXT": str(file),
        "DEVICE": device,
        "PORTS": " ".join(port for port in ports if port != "lo"),
        "DAEMONS": str(DAEMONS),
        "COMMANDS": str(commands or ""),
    }
    command = ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", SCRIPT]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60).stdout
