"""The command line in front of devices: the lab's plan on virtual FRR routers of this machine's loopback."""

from __future__ import annotations

import csv
import io
import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.edge.ssh.access import Limits
from lab.virtual.faults import SnmpFaults, SshFaults
from tests.samples.loopback_city import SECRETS, City, city_in, results
from tests.samples.server import wait_until


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[City]:
    """Every device knows its bootstrap text only."""
    yield from city_in(tmp_path, bootstrap=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Every device is as intended. Tests leave it so."""
    yield from city_in(tmp_path_factory.mktemp("built"), bootstrap=False)


def test_a_rollout_by_the_commands_that_a_user_types(bare: City) -> None:
    shell = bare.shell
    ahead = shell("diff", "--format", "json")
    assert ahead.code == 3, "an unreachable device goes before pending changes"
    assert Counter(results(ahead).values()) == {"pending": 1, "unreachable": 22}
    assert shell("diff", "city", "--format", "json").code == 5

    shown = shell("deploy", "city")
    assert shown.code == 5
    assert "+ description TO:county01:eth1 L:BZWW-A-0001" in shown.out
    assert bare.audit() == []

    deployed = shell("deploy", "--commit", "--format", "json", "--wait", "10")
    assert (deployed.code, deployed.err) == (0, "")
    assert set(results(deployed).values()) == {"deployed"}
    assert Counter(result for _, result in bare.audit()) == {"deployed": 23}

    again = shell("deploy", "--commit", "--format", "json")
    assert again.code == 0
    assert set(results(again).values()) == {"unchanged"}
    assert shell("diff").code == 0

    shown_everywhere = ahead.out + shown.out + deployed.out + again.out + (shell.place / "waiwang.db").read_bytes().decode("latin-1")
    assert not any(secret in shown_everywhere for secret in SECRETS.values())


def test_a_change_is_taken_back_to_the_configuration_that_was_kept_before_it(built: City) -> None:
    shell, name = built.shell, "county02-u02"
    built.enter(name, "interface lan0\n description before the change\n")
    assert shell("deploy", name, "--commit", "--quiet").code == 0

    (kept,) = shell("history", name, "--format", "json").json["rows"]
    assert kept["lines_from_intended"] == 2
    assert " description before the change" in shell("history", name, "--text", str(kept["backup"])).out
    assert "- description before the change" in shell("history", name, "--diff", str(kept["backup"])).out

    shown = shell("rollback", name)
    assert (shown.code, shell("diff", name).code) == (5, 0), "without --commit the device stays as it is"
    assert "+ description before the change" in shown.out
    taken_at = str(kept["taken_at"])
    assert shown.out.splitlines()[:2] == [f"--- {name} running", f"+++ {name} backup {kept['backup']} of {taken_at}"]
    assert taken_at.endswith("+08:00")
    back = shell("rollback", name, "--to", str(kept["backup"]), "--commit", "--format", "json")
    assert (back.code, results(back)) == (0, {name: "deployed"})
    assert back.err == f"{name} runs backup {kept['backup']}; the next waiwang deploy would bring its intended text again.\n"
    assert shell("diff", name).code == 5
    assert len(shell("history", name, "--format", "json").json["rows"]) == 2, "what a rollback replaces is kept as well"

    wrong = shell("rollback", name, "--to", "9999")
    numbers = ", ".join(str(row["backup"]) for row in shell("history", name, "--format", "json").json["rows"])
    assert f"no such backup of {name}: expected one of {numbers}; found 9999. See waiwang history {name}." in wrong.err

    assert shell("deploy", name, "--commit", "--quiet").code == 0
    assert [subject for subject, result in built.audit()] == [name] * 3


def test_a_rollback_to_what_was_never_kept_says_what_there_is(built: City) -> None:
    never = built.shell("rollback", "county03-u01")
    assert (never.code, never.out) == (2, "")
    assert "backup of county03-u01: expected one or more; found none" in never.err
    assert built.shell("history", "county03-u01", "--format", "json").json["rows"] == []
    assert "county99" in built.shell("history", "county99").err


def test_ctrl_c_stops_a_deployment_between_devices_and_the_audit_knows(bare: City) -> None:
    devices = bare.carrier.network.devices
    for name in devices:
        bare.faulty(name, SshFaults(delay_s=0.01))
    process = bare.shell.start("deploy", "--commit", "--format", "json", "--workers", "1", "--wait", "60")
    wait_until(lambda: devices["city"].state.saved is not None, 60, "the first device to be saved")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert err == "stopping: devices under way are finished, no other is begun; Ctrl-C once more breaks off\n"
    rows = {row["device"]: row["result"] for row in json.loads(out)["rows"]}
    assert set(rows.values()) == {"deployed", "not_begun"}
    assert rows["city"] == "deployed"
    assert dict(bare.audit()) == {name: result for name, result in rows.items() if result == "deployed"}
    for name, result in rows.items():
        assert (devices[name].state.saved is not None) is (result == "deployed"), f"{name} is {result}"


def test_a_wrong_password_is_a_row_that_is_tried_once_and_hides_no_other(built: City) -> None:
    built.faulty("county02-u01", SshFaults(refuse_password=True))
    try:
        ended = built.shell("diff", "county02*", "--format", "json")
    finally:
        built.faulty("county02-u01", SshFaults())
    assert ended.code == 3
    assert results(ended)["county02-u01"] == "login_refused"
    assert Counter(results(ended).values())["unchanged"] == 4
    everywhere = built.shell("diff", "county02*", "--format", "json", WAIWANG_SECRET_SSH_PASSWORD="wrong")
    assert everywhere.code == 3
    assert set(results(everywhere).values()) == {"login_refused"}
    assert "wrong" not in everywhere.out.replace("wrong password", "")


@pytest.mark.parametrize(("at", "found"), [(1, "silence after the login"), (5, "no answer in time")])
def test_a_device_that_hangs_is_a_row_with_its_next_step(built: City, monkeypatch: pytest.MonkeyPatch, at: int, found: str) -> None:
    monkeypatch.setattr("app.workflows.hosts.Limits", lambda: Limits(login_s=60, read_s=8))
    built.faulty("county03-t01", SshFaults(hang_at=at))
    try:
        ended = built.shell("diff", "county03-*", "--format", "json")
    finally:
        built.faulty("county03-t01", SshFaults())
    assert ended.code == 3, "a device that never answers again is given up"
    reasons = {row["device"]: row["reason"] for row in ended.json["rows"] if row["result"] != "unchanged"}
    assert list(reasons) == ["county03-t01"]
    assert f"found {found}. Look at the device" in reasons["county03-t01"]


def test_rows_without_an_answer_are_the_same_in_text_and_csv(built: City) -> None:
    built.carrier.call(lambda: built.carrier.network.cut(built.carrier.network.link_at("county04-u01", "eth1")))
    try:
        text = built.shell("diff", "county04-u0*", COLUMNS="80")
        table = built.shell("diff", "county04-u0*", "--format", "csv")
    finally:
        built.carrier.call(lambda: built.carrier.network.heal(built.carrier.network.link_at("county04-u01", "eth1")))
    assert (text.code, table.code) == (3, 3)
    lost, fine = csv.DictReader(io.StringIO(table.out))
    assert (lost["device"], lost["result"], fine["result"], fine["reason"]) == ("county04-u01", "unreachable", "unchanged", "")
    assert f"    {lost['reason']}" in text.out.splitlines(), "a long reason stands whole, below its row"
    assert text.out.splitlines()[-1] == "unchanged 1 · unreachable 1"


def test_poll_answers_0_when_all_answer_3_when_one_does_not_and_7_when_none_does(built: City) -> None:
    good = built.shell("poll", "--once", "--format", "json")
    assert good.code == 0
    assert {row["state"] for row in good.json["rows"]} == {"up"}
    assert good.json["totals"] == {"up": 23, "devices": 23, "without_answer": 0}

    silent = built.carrier.network.devices["county01-u01"]
    built.carrier.call(lambda: setattr(silent, "snmp_faults", SnmpFaults("dead")))
    try:
        one = built.shell("poll", "--once", "--format", "json")
    finally:
        built.carrier.call(lambda: setattr(silent, "snmp_faults", SnmpFaults()))
    assert one.code == 3
    assert one.json["totals"]["without_answer"] == 1

    none = built.shell("poll", "--once", "--format", "json", WAIWANG_SECRET_SNMP_AUTH="another-wrong-key")
    assert none.code == 7
    assert {row["state"] for row in none.json["rows"]} == {"unreachable"}
    assert "another-wrong-key" not in none.out + none.err


def test_a_reserved_port_is_proven_by_command_and_left_shut(built: City) -> None:
    proven = built.shell("measure", "reserved", "BZWW-A-0001", "--commit", "--format", "json")
    assert proven.code == 0, proven.out
    assert [(row["line"], row["value"]) for row in proven.json["rows"]] == [("BZWW-A-0001", 1.0)]
    assert built.shell("diff", "city", "county01").code == 0


def test_measure_without_any_value_answers_7_and_is_kept_as_not_measured(built: City) -> None:
    built.faulty("county01", SshFaults(refuse_password=True))
    try:
        ended = built.shell("measure", "reserved", "BZWW-A-0001", "--commit", "--format", "json")
    finally:
        built.faulty("county01", SshFaults())
    assert ended.code == 7
    assert ended.json["rows"][0]["value"] is None
    assert "county01" in ended.json["rows"][0]["reason"]


def test_an_audit_of_separation_asks_the_devices_and_prints_for_other_tools(built: City) -> None:
    shell = built.shell
    told = shell("audit", "separation", "city", "county01", "--format", "json")
    assert (told.code, told.err) == (4, "")
    verdicts = {row["proof"].split()[0]: row["verdict"] for row in told.json["rows"]}
    assert set(verdicts.values()) == {"not_proven"}, "the other devices were not asked"
    assert "city: lldp" in {row["where"].partition(" (")[0] for row in told.json["rows"]}
    sarif = shell("audit", "separation", "city", "--format", "sarif")
    assert {result["kind"] for result in sarif.json["runs"][0]["results"]} == {"open"}
    junit = shell("audit", "separation", "city", "--format", "junit")
    assert '<testsuite name="separation" tests="5" failures="0" errors="0" skipped="5">' in junit.out
    assert (sarif.code, junit.code) == (4, 4)
