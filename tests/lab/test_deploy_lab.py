"""Deployment to real routers, in band: from bootstrap text to the whole city, again, and with faults on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app.edge.patch import patch
from app.edge.templates import read_templates
from app.errors import ExitCode
from app.workflows.render import render
from lab.handle import Lab

pytestmark = pytest.mark.lab

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
#: Deploys from inside noc by the functions that the command line calls, and prints the rows.
DEPLOY = """
import json, os, sys
from dataclasses import replace
from app.core.intents import build_intents
from app.edge.ssh.access import Limits
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.settings import read_settings
from app.workflows.deploy import deploy
from app.workflows.hosts import open_gateway, open_nornir
from app.workflows.render import render
from app.workflows.select import select

asked = json.loads(sys.argv[1])
settings = read_settings(os.environ)
workspace, _ = read_workspace(settings.root)
intents = build_intents(workspace)
texts = render(workspace, read_templates(settings.root))
for name, (old, new) in asked.get("edits", {}).items():
    assert old in texts[name]
    texts[name] = texts[name].replace(old, new)
def within(limits):
    return open_gateway(workspace.plan, settings, os.environ, limits=limits)
gateway, brief = within(Limits(login_s=60.0, read_s=60.0)), within(Limits(login_s=3.0, read_s=5.0))
def connect(intent, wait_s):
    return (brief if intent.hostname in asked.get("given_up", ()) else patient).connect(intent, wait_s)
patient, gateway = gateway, replace(gateway, connect=connect)
nornir = select(open_nornir(workspace, intents, settings, os.environ), asked.get("names", ()), asked.get("terms", ()))
backups = {}
report = deploy(nornir, intents, texts, gateway, commit=asked["commit"], record_backup=backups.__setitem__, wait_s=120.0)
rows = [{key: getattr(row, key) for key in ("device", "result", "reason", "changed", "seconds")} for row in report.rows]
print(json.dumps({"exit": int(report.exit_code), "rows": rows, "backups": backups}))
"""


def deployed(lab: Lab, *, environ: dict[str, str] | None = None, **asked: object) -> dict:
    done = lab.in_noc(
        ["env", *(f"{key}={value}" for key, value in (environ or {}).items()), sys.executable, "-c", DEPLOY, json.dumps(asked)],
        timeout=600,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def totals(report: dict) -> Counter[str]:
    return Counter(row["result"] for row in report["rows"])


def row_of(report: dict, device: str) -> dict:
    return next(row for row in report["rows"] if row["device"] == device)


def playbook(lab: Lab, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script as an engineer would: in the workspace, with nothing but its words."""
    command = 'cd "$0" && exec "$@"'
    return lab.in_noc(["sh", "-c", command, str(lab.root), sys.executable, str(PLAYBOOKS / name), *words], timeout=600)


def test_one_command_deploys_every_router_from_its_bootstrap_text(lab: Lab) -> None:
    shown = deployed(lab, commit=False, names=["city"])
    report = deployed(lab, commit=True)

    assert (totals(shown), shown["exit"]) == ({"pending": 1}, ExitCode.PENDING)
    assert totals(report) == {"deployed": len(lab.intents)}, [row for row in report["rows"] if row["result"] != "deployed"]
    assert report["exit"] == ExitCode.OK
    assert set(report["backups"]) == set(lab.intents)
    wanted = render(lab.workspace, read_templates(lab.root))
    for name, text in wanted.items():
        saved = lab.exec_in(name, ["cat", "/etc/frr/frr.conf"]).stdout
        assert patch("frr", saved, text) == (), f"{name} would start with something else"


def test_a_second_deployment_changes_nothing(lab: Lab) -> None:
    report = deployed(lab, commit=True)
    assert (totals(report), report["exit"]) == ({"unchanged": len(lab.intents)}, ExitCode.OK)
    assert report["backups"] == {}


def test_a_drift_is_found_and_taken_back(lab: Lab) -> None:
    lab.exec_in("county02", ["vtysh", "-c", "configure terminal", "-c", "interface eth2", "-c", "description drifted"])
    shown = deployed(lab, commit=False)
    report = deployed(lab, commit=True)
    assert totals(shown) == {"pending": 1, "unchanged": len(lab.intents) - 1}
    assert (row_of(report, "county02")["result"], row_of(report, "county02")["changed"]) == ("deployed", 2)
    assert "drifted" in report["backups"]["county02"]


def test_a_county_that_is_cut_off_is_a_row_and_so_are_its_units(lab: Lab) -> None:
    lab.cut("BZWW-A-0001")
    try:
        report = deployed(lab, commit=True)
    finally:
        lab.heal("BZWW-A-0001")
    lost = {row["device"]: row["reason"] for row in report["rows"] if row["result"] == "unreachable"}
    assert set(lost) == {name for name in lab.intents if name.startswith("county01")}
    assert lost["county01-u01"].startswith("behind county01, which is unreachable. ")
    assert totals(report)["unchanged"] == len(lab.intents) - len(lost)
    assert report["exit"] == ExitCode.DEVICE


def test_a_wrong_password_is_offered_to_a_device_once(lab: Lab) -> None:
    refusals = "grep -c 'Failed password' /var/log/sshd.log || true"
    before = int(lab.exec_in("city", ["sh", "-c", refusals]).stdout)
    report = deployed(lab, commit=True, names=["city", "county02"], environ={"WAIWANG_SECRET_SSH_PASSWORD": "not-the-password"})
    after = int(lab.exec_in("city", ["sh", "-c", refusals]).stdout)
    assert (totals(report), report["exit"]) == ({"login_refused": 2}, ExitCode.DEVICE)
    assert after - before == 1
    assert "not-the-password" not in json.dumps(report)


def test_a_device_that_hangs_is_given_up_and_hides_no_other(lab: Lab) -> None:
    signalled = 'kill -"$0" "$(cat /run/sshd.pid)"'
    lab.exec_in("county02", ["sh", "-c", signalled, str(signal.SIGSTOP.value)])
    try:
        report = deployed(lab, commit=True, names=["city", "county0?"], given_up=["county02"])
    finally:
        lab.exec_in("county02", ["sh", "-c", signalled, str(signal.SIGCONT.value)])
    assert totals(report) == {"unchanged": 4, "unreachable": 1}
    assert "expected a prompt within 8 s" in row_of(report, "county02")["reason"]
    assert report["exit"] == ExitCode.DEVICE


def test_a_patch_that_would_cut_a_county_off_is_refused_and_it_stays_reachable(lab: Lab) -> None:
    uplink = next(port for port in lab.intents["county02"].interfaces if port.name == lab.intents["county02"].uplink)
    cut = (f" ip address {uplink.address}\n", f" ip address {uplink.address}\n shutdown\n")
    report = deployed(lab, commit=True, names=["county02"], edits={"county02": cut})
    assert (totals(report), report["exit"]) == ({"refused": 1}, ExitCode.DEVICE)
    assert "shuts the interface that the centre reaches this device by" in row_of(report, "county02")["reason"]
    assert totals(deployed(lab, commit=True, names=["county02"])) == {"unchanged": 1}


def test_a_line_that_frr_refuses_ends_that_device_alone_and_nothing_of_it_is_saved(lab: Lab) -> None:
    edits = {"county03": ("router ospf\n", "router ospf\n area 0.0.0.9 no-such-word\n")}
    report = deployed(lab, commit=True, names=["county0?"], edits=edits)
    assert totals(report) == {"unchanged": 3, "refused": 1}
    assert "% " in row_of(report, "county03")["reason"]
    assert totals(deployed(lab, commit=True, names=["county03"])) == {"unchanged": 1}


def test_an_engineer_s_script_sees_the_neighbours_of_every_line(lab: Lab) -> None:
    done = playbook(lab, "ospf_neighbours.py")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    assert {state for _, _, _, state in rows} == {"Full"}
    assert len(rows) == 2 * len(lab.workspace.inventory.lines)


def test_an_engineer_s_script_saves_and_pushes_only_with_commit(lab: Lab) -> None:
    saved = playbook(lab, "save_all.py", "-F", "role=county_agg")
    shown = playbook(lab, "push_line.py", "log syslog errors", "county04")
    unpushed = deployed(lab, commit=False, names=["county04"])
    given = playbook(lab, "push_line.py", "log syslog errors", "county04", "--commit")
    undone = deployed(lab, commit=True, names=["county04"])

    assert saved.stdout.split() == ["county01", "saved", "county02", "saved", "county03", "saved", "county04", "saved"], saved.stderr
    assert (shown.returncode, totals(unpushed)) == (ExitCode.PENDING, {"unchanged": 1})
    assert (given.returncode, totals(undone)) == (ExitCode.OK, {"deployed": 1}), given.stdout + given.stderr


def test_outside_noc_nothing_is_sent_and_every_device_is_refused(lab: Lab) -> None:
    environment = {**lab.environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    argv = [sys.executable, "-c", DEPLOY, json.dumps({"commit": True, "names": ["city", "county01"]})]
    done = subprocess.run(argv, env=environment, cwd=PLAYBOOKS.parent, capture_output=True, text=True, timeout=60)
    report = json.loads(done.stdout)
    assert (totals(report), report["exit"]) == ({"refused": 2}, ExitCode.DEVICE)
    assert "from outside the lab" in row_of(report, "city")["reason"]
