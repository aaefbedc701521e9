"""A night's rollout by the commands that an engineer types, on 23 virtual devices, and what goes wrong in one."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.edge.database.holds import Holder, holding
from app.edge.database.store import Store
from app.workflows.rollback import find_unfinished
from lab.virtual.faults import SshFaults
from lab.virtual.state import Session, Turn
from tests.samples.loopback_city import City, city_in, results
from tests.samples.server import wait_until

UNITS = ("county01-u01", "county01-u02", "county02-u01", "county02-u02", "county03-u01", "county03-u02")
NOTHING_WRONG = SshFaults()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Every device is as intended. Tests leave it so."""
    yield from city_in(tmp_path_factory.mktemp("night"), bootstrap=False)


@pytest.fixture(autouse=True)
def _as_it_was(built: City) -> Iterator[None]:
    """Mend every device after a test."""
    yield
    for name in built.carrier.network.devices:
        built.faulty(name, NOTHING_WRONG)
    assert built.shell("deploy", "city", "county01", "county02", *UNITS, "--commit", "--quiet").code == 0


def drift(city: City, *names: str, text: str = "DRIFT") -> None:
    """Let somebody describe these devices' loopbacks otherwise: there is something to deploy then."""
    for name in names:
        city.enter(name, f"interface lo\n description {text}\n")


def moment_before(seconds: int = 0) -> str:
    """Return a moment of a little before on the order's clock, as one types it."""
    return (datetime.now(UTC) + timedelta(hours=8, seconds=-seconds)).replace(tzinfo=None).isoformat(timespec="seconds")


@contextmanager
def typed_on(city: City) -> Iterator[Callable[[str], set[str]]]:
    """Note what is typed on devices until the block ends; yield what tells on which of them a line was."""
    network, lines = city.carrier.network, list[tuple[str, str]]()
    run = network.run

    def run_and_note(name: str, session: Session, line: str) -> Turn:
        lines.append((name, line))
        return run(name, session, line)

    network.run = run_and_note  # type: ignore[method-assign]
    try:
        yield lambda wanted: {name for name, line in lines if line == wanted}
    finally:
        del network.run


def is_saved(city: City, name: str) -> bool:
    state = city.carrier.network.devices[name].state
    return state.saved == state.running


def test_what_was_shown_is_pushed_and_a_device_that_somebody_changed_since_is_not(built: City, tmp_path: Path) -> None:
    shell, record = built.shell, tmp_path / "shown.json"
    drift(built, *UNITS[:3])
    assert shell("deploy", *UNITS[:3], "--record", str(record), "--quiet").code == 5
    shown = json.loads(record.read_text(encoding="utf-8"))
    assert [(row["result"], row["patch"]) for row in shown["rows"]] == [
        ("pending", ["interface lo", f" description LOOPBACK {name}", " exit"]) for name in UNITS[:3]
    ]

    built.enter(UNITS[1], "interface lan0\n description SOMEBODY ELSE\n")
    drift(built, UNITS[3])
    done = shell("deploy", *UNITS[:4], "--commit", "--shown", str(record), "--format", "json")
    assert (done.code, results(done)) == (3, {UNITS[0]: "deployed", UNITS[1]: "refused", UNITS[2]: "deployed", UNITS[3]: "refused"})
    reasons = {row["device"]: row["reason"] for row in done.json["rows"]}
    changed = "expected the configuration that it ran when it was shown; found another one: somebody changed it since, or a run broke off"
    assert changed in reasons[UNITS[1]]
    assert "found a device that was not read when it was shown. Nothing was pushed." in reasons[UNITS[3]]
    assert "DRIFT" in str(built.carrier.network.devices[UNITS[1]].state.running), "nothing was pushed"


def test_a_record_that_is_none_is_refused_before_anything_is_sent(built: City, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    ended = built.shell("deploy", "city", "--commit", "--shown", str(other))
    assert (ended.code, ended.out) == (2, "")
    assert "record of a run: expected JSON that waiwang deploy --record wrote; found another text" in ended.err


def test_a_record_that_cannot_be_written_is_told_before_the_run_and_not_after_it(built: City, tmp_path: Path) -> None:
    drift(built, UNITS[0])
    ended = built.shell("deploy", UNITS[0], "--commit", "--record", str(tmp_path / "none" / "night.json"))
    assert (ended.code, ended.out) == (2, "")
    assert "record of the run: expected a folder that can be written; found none. Nothing was sent." in ended.err
    assert "DRIFT" in str(built.carrier.network.devices[UNITS[0]].state.running)


def test_first_ones_that_fail_keep_their_kind_back_and_no_other(built: City) -> None:
    drift(built, "county01", *UNITS)
    for name in UNITS:
        built.faulty(name, SshFaults(drop_at=8))
    done = built.shell("deploy", "county01", *UNITS, "--commit", "--canary", "1", "--format", "json")
    found = results(done)
    assert found["county01"] == "deployed", "another kind"
    assert Counter(found[name] for name in UNITS) == {"failed": 1, "not_begun": 5}
    reasons = {row["result"]: row["reason"] for row in done.json["rows"]}
    assert "found the session was lost" in reasons["failed"]
    assert "Asked again, it runs what it ran before: nothing of the change is in force" in reasons["failed"]
    assert "the first frr urban_unit of this run, is failed" in reasons["not_begun"]


def test_a_run_stops_after_so_many_went_wrong_and_changes_no_more_than_asked_for(built: City) -> None:
    drift(built, *UNITS)
    for name in UNITS[:2]:
        built.faulty(name, SshFaults(refuse_password=True))
    stopped = built.shell("deploy", *UNITS, "--commit", "--stop-after", "1", "--workers", "1", "--format", "json")
    assert Counter(results(stopped).values())["login_refused"] == 1
    assert "stopped, as county01-u0" in stopped.out
    for name in UNITS[:2]:
        built.faulty(name, NOTHING_WRONG)

    drift(built, *UNITS)
    few = built.shell("deploy", *UNITS, "--commit", "--changes", "2", "--format", "json")
    assert (few.code, Counter(results(few).values())) == (5, {"deployed": 2, "pending": 4})
    more = built.shell("deploy", *UNITS, "--commit", "--changes", "2", "--format", "json")
    assert Counter(results(more).values()) == {"unchanged": 2, "deployed": 2, "pending": 2}


def test_no_device_is_begun_when_the_time_is_over(built: City, monkeypatch: pytest.MonkeyPatch) -> None:
    over = built.shell("deploy", "--commit", "--until", "2026-01-01T05:30")
    assert (over.code, over.out) == (2, "")
    assert "`--until` is over: expected a moment after " in over.err
    drift(built, "city", *UNITS)
    hour = timedelta(hours=1)
    monkeypatch.setattr("app.cli.devices.now", lambda: datetime.now(UTC) + (2 * hour if is_saved(built, "city") else timedelta()))
    soon = built.shell("deploy", "city", *UNITS, "--commit", "--until", moment_before(-3600), "--format", "json")
    assert results(soon) == {"city": "deployed", **dict.fromkeys(UNITS, "not_begun")}
    assert "the time was over (" in soon.json["rows"][-1]["reason"]


def test_a_window_has_to_be_running_and_to_concern_every_device(built: City) -> None:
    shell = built.shell
    unknown = shell("deploy", "--commit", "--window", "W-20260101-01")
    assert (unknown.code, unknown.out) == (2, "")
    span = ("--from", moment_before(3600), "--to", moment_before(-3600))
    announced = ("--by", "值班长", "--document", "运维通知 1", "--commit", "--no-silence")
    assert shell("window", "add", *span, "--region", "999901", *announced).code == 0
    window = shell("window", "list", "--format", "json").json["rows"][0]["window"]
    drift(built, "county01", "county02")
    beside = shell("deploy", "county01", "county02", "--commit", "--window", window)
    assert (beside.code, beside.out) == (2, "")
    assert "expected devices that the window concerns; found 1 that it does not concern: county02" in beside.err
    within = shell("deploy", "county01", "--commit", "--window", window, "--format", "json")
    assert results(within) == {"county01": "deployed"}


def test_a_whole_night_is_taken_back_leaf_first_and_every_step_is_in_the_history(built: City, tmp_path: Path) -> None:
    shell, before_it = built.shell, moment_before()
    wait_until(lambda: moment_before() > before_it, 60, "a second in which nothing was kept yet")
    since = moment_before()
    names = ("county01", *UNITS[:2])
    before = {name: built.carrier.network.devices[name].state.running for name in names}
    drift(built, *names)
    drifted = {name: built.carrier.network.devices[name].state.running for name in names}
    paper = tmp_path / "night.txt"
    assert shell("deploy", *names, "--commit", "--quiet", "--record", str(paper)).code == 0
    text = paper.read_text(encoding="utf-8")
    assert "配置下发交接单" in text
    assert "waiwang rollback --since " in text
    english = tmp_path / "night.en.txt"
    shell("deploy", *names, "--quiet", "--record", str(english), "--language", "en")
    assert "Hand-over of a run: deploy" in english.read_text(encoding="utf-8")
    assert not re.search("[\u4e00-\u9fff]", english.read_text(encoding="utf-8"))
    assert [built.carrier.network.devices[name].state.running for name in names] == list(before.values())

    shown = shell("rollback", "--since", since, *names, "--format", "json")
    assert (shown.code, results(shown)) == (5, dict.fromkeys(names, "pending"))
    back = shell("rollback", "--since", since, *names, "--commit", "--format", "json")
    assert (back.code, results(back)) == (0, dict.fromkeys(names, "deployed"))
    assert [built.carrier.network.devices[name].state.running for name in names] == list(drifted.values())
    assert "the next waiwang deploy would bring its intended text again" in back.err

    steps = shell("history", "--since", since, "--format", "json").json["rows"]
    done = [(row["verb"], row["device"], row["result"]) for row in steps if row["device"] in names]
    assert {("deploy", name, "deployed") for name in names} <= set(done)
    leaf_first = [device for verb, device, _ in done if verb == "rollback"]
    assert leaf_first[-1] == "county01"


def test_nothing_changed_since_is_no_night_to_take_back(built: City) -> None:
    ended = built.shell("rollback", "--since", moment_before(-60))
    assert (ended.code, ended.out) == (2, "")
    assert "--since: backups of 23 devices: expected one or more; found none from" in ended.err
    assert built.shell("rollback").code == 2
    assert built.shell("rollback", "city", "--since", "2026-01-01", "--to", "1").code == 2


def test_two_engineers_change_no_device_at_once_and_may_change_others(built: City) -> None:
    drift(built, UNITS[0])
    built.faulty(UNITS[0], SshFaults(delay_s=1.0))
    first = built.shell.start("deploy", UNITS[0], UNITS[1], "--commit", "--quiet")
    locks = built.shell.place / "waiwang.db.runs"
    wait_until(lambda: any(locks.glob("*.run")), 60, "the run to begin")
    second = built.shell("deploy", "county01-*", "--commit")
    assert (second.code, second.out) == (2, "")
    assert "that nobody is changing; found county01-u01, county01-u02 held by waiwang deploy --commit of " in second.err
    assert built.shell("deploy", UNITS[2], "--commit", "--quiet").code == 0
    assert built.shell("deploy", UNITS[0], "--quiet").code in (0, 5), "looking is free"
    assert first.poll() is None
    built.faulty(UNITS[0], NOTHING_WRONG)
    assert first.wait(60) == 0
    first.communicate()


@pytest.mark.parametrize("words", [("renumber", "start"), ("measure", "reserved", "BZWW-A-0001")])
def test_who_renumbers_or_activates_a_reserved_port_changes_no_device_that_another_run_holds(built: City, words: tuple[str, ...]) -> None:
    url = f"sqlite:///{built.shell.place / 'waiwang.db'}"
    with holding(url, ["county01"], Holder("deploy --commit", "night", "02:00", 1, "noc2")):
        refused = built.shell(*words, "--commit")
    assert (refused.code, refused.out) == (2, "")
    assert "found county01 held by waiwang deploy --commit of night since 02:00 (process 1 on noc2)" in refused.err


def test_a_run_whose_machine_lost_power_is_told_of_and_holds_nothing(built: City) -> None:
    drift(built, UNITS[0])
    built.faulty(UNITS[0], SshFaults(hang_at=10))
    run = built.shell.start("deploy", UNITS[0], "--commit", "--quiet")
    store = Store.open(f"sqlite:///{built.shell.place / 'waiwang.db'}")
    try:
        wait_until(lambda: find_unfinished(store, [UNITS[0]]) != [], 60, "the run to begin")
    finally:
        store.close()
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    built.faulty(UNITS[0], NOTHING_WRONG)
    ahead = built.shell("deploy", UNITS[0], "--quiet")
    assert f"warning: {UNITS[0]}: a run began to change it at " in ahead.err
    assert "and never ended" in ahead.err
    assert built.shell("deploy", UNITS[0], "--commit", "--quiet").code == 0
    assert is_saved(built, UNITS[0])
    assert "never ended" not in built.shell("deploy", UNITS[0], "--quiet").err


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP], ids=["ended", "hung_up"])
def test_a_run_that_is_told_to_end_finishes_what_is_under_way_and_leaves_no_device_half_changed(
    built: City, tmp_path: Path, told: signal.Signals
) -> None:
    """SIGHUP is what a broken line to the operator's machine sends; the record is written all the same."""
    drift(built, *UNITS)
    for name in UNITS:
        built.faulty(name, SshFaults(delay_s=0.1))
    record = tmp_path / "night.json"
    run = built.shell.start("deploy", *UNITS, "--commit", "--quiet", "--workers", "1", "--record", str(record))
    store = Store.open(f"sqlite:///{built.shell.place / 'waiwang.db'}")
    try:
        wait_until(lambda: find_unfinished(store, UNITS) != [], 60, "the run to begin")
    finally:
        store.close()
    run.send_signal(told)
    _, err = run.communicate(timeout=120)
    assert (run.returncode, "Traceback" in err) == (3, False)
    rows = json.loads(record.read_text(encoding="utf-8"))["rows"]
    done = {row["device"]: row["result"] for row in rows}
    assert set(done.values()) == {"deployed", "not_begun"}
    assert all(is_saved(built, name) for name, result in done.items() if result == "deployed")


def test_an_activation_that_is_told_to_end_shuts_the_ports_that_it_opened(built: City) -> None:
    devices = built.carrier.network.devices
    before = {name: devices[name].state.running for name in ("city", "county01")}
    for name in before:
        built.faulty(name, SshFaults(delay_s=0.3))
    run = built.shell.start("measure", "reserved", "BZWW-A-0001", "--commit")
    wait_until(lambda: devices["county01"].state.running != before["county01"], 60, "the far port to be opened")
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=120)
    assert {name: devices[name].state.running for name in before} == before
    assert "Traceback" not in err
    assert run.returncode not in (0, -signal.SIGTERM)


def test_a_second_ctrl_c_breaks_off_at_once_and_says_where_each_device_is(built: City) -> None:
    drift(built, *UNITS[:2])
    for name in UNITS[:2]:
        built.faulty(name, SshFaults(hang_at=9))
    with typed_on(built) as typed:
        run = built.shell.start("deploy", *UNITS[:2], "--commit", "--format", "json")
        wait_until(lambda: typed("configure terminal") == set(UNITS[:2]), 60, "both devices to be in the middle of it")
    run.send_signal(signal.SIGINT)
    assert run.stderr is not None
    assert run.stderr.readline().startswith("stopping: devices under way are finished")
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    rows: Mapping[str, str] = {row["device"]: row["result"] for row in json.loads(out)["rows"]}
    assert (run.returncode, rows) == (130, {UNITS[0]: "failed", UNITS[1]: "failed"}), "devices that hang hold nobody up"
    assert "broken off by the operator while pushing: what was typed may be in force and is not saved" in out
    assert err.splitlines()[-1] == "stopped"
    assert "Traceback" not in err
