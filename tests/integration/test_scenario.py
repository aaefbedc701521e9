"""Played rollouts: repeatable to the row, judged by the product's own functions, shown as simulations; bad files refused whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa

from app.cli.demo_scenario import entitled
from app.core.faults import project_faults
from app.core.progress import Summary
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.database.tables import METADATA
from app.errors import ExitCode, InputError
from app.workflows.summary import StoreReader
from lab.scenario.player import Player
from lab.scenario.reading import read_scenario
from lab.scenario.timeline import FIRST_HOUR, LAST_HOUR, opening_moments
from lab.scenario.values import Scenario
from lab.virtual.station import LAB
from tests.samples.server import free_port, wait_until

ROOT = LAB.parent
SCENARIOS = LAB / "scenarios"
ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


@dataclass
class Play:
    """A scenario that was played to its present moment, with its database open."""

    scenario: Scenario
    workspace: Workspace
    player: Player
    store: Store
    url: str

    def summary(self, moment: datetime | None = None) -> Summary:
        return StoreReader(self.workspace, self.store, lambda: moment or self.scenario.present_at).summary()

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Return every row of every table."""
        engine = sa.create_engine(self.url)
        with engine.connect() as connection:
            rows = {table.name: [tuple(row) for row in connection.execute(sa.select(table))] for table in METADATA.sorted_tables}
        engine.dispose()
        return rows


def play(folder: Path, scenario: Scenario, workspace: Workspace, step: timedelta = timedelta(days=999)) -> Play:
    url = f"sqlite:///{folder / 'played.db'}"
    store = Store.open(url)
    player = Player(scenario, workspace, store)
    moment = scenario.begins_at
    while moment < scenario.present_at:
        moment = min(moment + step, scenario.present_at)
        player.play_until(moment)
    return Play(scenario, workspace, player, store, url)


@pytest.fixture(scope="module", params=["ends_well", "in_trouble"])
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    scenario, workspace = read_scenario(SCENARIOS / f"{request.param}.yaml")
    polling = replace(scenario.polling, every=timedelta(hours=8), final_span=timedelta(minutes=30))
    played = play(tmp_path_factory.mktemp(request.param), replace(scenario, polling=polling), workspace)
    yield played
    played.store.close()


# What a shipped scenario comes to


def test_a_shipped_scenario_ends_as_its_file_expects(shipped: Play) -> None:
    states = {view.milestone_id: view.state for view in shipped.summary().milestones}
    assert shipped.scenario.expected
    assert {name: states[name] for name in shipped.scenario.expected} == shipped.scenario.expected


def test_lines_come_from_both_carriers_are_rejected_and_go_down(shipped: Play) -> None:
    lines = shipped.workspace.inventory.lines
    accepted = shipped.store.acceptances()
    assert {lines[line_id].carrier for line_id, each in accepted.items() if each.verdict == "pass"} == {"telecom", "unicom"}
    verdicts = Counter(each.verdict for line_id in accepted for each in shipped.store.acceptance_history(line_id))
    assert min(verdicts["pass"], verdicts["fail"], verdicts["not_proven"]) > 0
    assert {change.after for change in shipped.store.transitions()} >= {"up", "down", "unreachable"}


def test_carriers_report_every_line_that_they_opened_and_no_other(shipped: Play) -> None:
    opened = opening_moments(shipped.scenario, shipped.workspace.inventory, ZONE)
    reported = {event.line_id: event for event in shipped.store.line_events()}
    last_round = shipped.scenario.present_at.replace(hour=18, minute=0) - timedelta(days=1)
    assert set(reported) == {line_id for line_id, moment in opened.items() if moment <= last_round}
    assert all(event.value == opened[line_id].date().isoformat() for line_id, event in reported.items())
    assert all(event.document.startswith("SIMULATION") for event in reported.values())


def test_every_measurement_says_that_it_is_simulated(shipped: Play) -> None:
    methods = {each.method for kinds in shipped.store.measurements().values() for each in kinds.values()}
    assert len(methods) >= 3
    assert all(method.startswith("SIMULATION") for method in methods)


def test_a_poller_that_was_stopped_or_cut_off_rejects_no_line(shipped: Play) -> None:
    (outage,) = [fault for fault in shipped.scenario.faults if fault.kind.startswith("poller")]
    assert outage.ends_at is not None
    inside = [cycle for cycle in shipped.store.cycles(outage.begins_at) if outage.begins_at < cycle.finished_at < outage.ends_at]
    if outage.kind == "poller_stopped":
        assert inside == []
    else:
        assert inside
        assert all(cycle.answered == 0 for cycle in inside)
    fell = shipped.store.transitions(since=outage.begins_at, until=outage.ends_at)
    assert "down" not in {change.after for change in fell if change.observed_at < outage.ends_at}


@pytest.mark.requirement("SX-1")
def test_every_line_in_service_that_polling_saw_down_long_enough_had_a_fault_and_no_other_had(shipped: Play) -> None:
    """Recomputed from raw transitions and decisions, cycle by cycle, without the code that decides on faults."""
    store, workspace = shipped.store, shipped.workspace
    parent = {line.z_device: line for line in workspace.inventory.lines.values() if line.role == "primary"}
    held: dict[str, list[tuple[datetime, datetime]]] = {}
    for fault in project_faults(store.fault_events()).values():
        ends_at = fault.restored_at or datetime.max.replace(tzinfo=UTC)
        for line_id in (fault.line_id, *fault.children):
            held.setdefault(line_id, []).append((fault.began_at, ends_at))
    passed, faults, wanted = {}, 0, 0
    for decision in (each for line_id in workspace.inventory.lines for each in store.acceptance_history(line_id)):
        if decision.verdict == "pass":
            passed.setdefault(decision.line_id, decision.decided_at)
    for line_id, accepted_at in passed.items():
        changes = store.transitions(line_id)
        for number, change in enumerate(changes):
            until = changes[number + 1].observed_at if number + 1 < len(changes) else shipped.scenario.present_at
            seen = [cycle for cycle in store.cycles(change.observed_at + timedelta(minutes=5)) if accepted_at < cycle.finished_at < until]
            if change.after != "down" or not seen:
                continue
            wanted += 1
            covers = [began <= seen[0].finished_at < ends for began, ends in held.get(line_id, [])]
            assert any(covers), f"{line_id} was down from {change.observed_at} and had no fault"
    for fault in project_faults(store.fault_events()).values():
        faults += 1
        assert fault.line_id in passed, f"{fault.line_id} had a fault and was never accepted"
        states = {change.after for change in store.transitions(fault.line_id, until=fault.began_at)[-1:]}
        assert states == {"down"}, f"{fault.fault_id} began when its line was not down"
        above, device = [], workspace.inventory.lines[fault.line_id].a_device
        while device in parent:
            above.append(parent[device].line_id)
            device = parent[device].a_device
        overlapping = [each for line_id in above for each in held.get(line_id, []) if each[0] <= fault.began_at < each[1]]
        assert overlapping == [], f"{fault.fault_id} is of a line behind a broken one"
    assert min(faults, wanted) > 0


def test_a_defect_is_found_by_the_test_that_serves_its_criterion(shipped: Play) -> None:
    found = {"slow": "rate_down", "lossy": "reachable_from_centre", "errors": "input_errors", "reserved_unwired": "reserved_port"}
    for defect in shipped.scenario.defects:
        for line_id in defect.lines:
            failed = {
                result.kind
                for decision in shipped.store.acceptance_history(line_id)
                for result in decision.results
                if result.verdict == "fail"
            }
            assert found[defect.kind] in failed, (line_id, defect.kind)


def test_time_goes_on_after_the_moment_that_is_shown(shipped: Play) -> None:
    before = shipped.summary()
    later = shipped.scenario.present_at + timedelta(hours=1)
    shipped.player.play_until(later)
    after = shipped.summary(later)
    assert before.polled_at is not None
    assert after.polled_at is not None
    assert later - after.polled_at < shipped.scenario.polling.final_every
    assert after.polled_at > before.polled_at


# Repeatable


@pytest.fixture(scope="module")
def short() -> tuple[Scenario, Workspace]:
    """Eight days with openings, a defect, a cut, a restart and an outage of the poller."""
    scenario, workspace = read_scenario(SCENARIOS / "ends_well.yaml")
    begin, end, later = at("2008-04-07 09:10"), at("2008-04-07 11:00"), timedelta(hours=5)
    faults = tuple(
        replace(fault, begins_at=begin + number * later, ends_at=end + number * later) for number, fault in enumerate(scenario.faults)
    )
    carriers = {name: (at("2008-04-01 08:00"), at("2008-04-05 18:00")) for name in scenario.carriers}
    polling = replace(scenario.polling, every=timedelta(hours=8), final_span=timedelta(hours=1))
    present_at = at("2008-04-08 21:00")
    return replace(scenario, faults=faults, carriers=carriers, openings=(), polling=polling, present_at=present_at), workspace


def test_the_same_seed_gives_the_same_rows_also_in_steps_and_another_seed_others(
    short: tuple[Scenario, Workspace], tmp_path: Path
) -> None:
    scenario, workspace = short
    folders = [tmp_path / name for name in ("whole", "steps", "other")]
    for folder in folders:
        folder.mkdir()
    plays = [
        play(folders[0], scenario, workspace),
        play(folders[1], scenario, workspace, step=timedelta(hours=31, minutes=7)),
        play(folders[2], replace(scenario, seed=scenario.seed + 1), workspace),
    ]
    whole, steps, other = (played.rows() for played in plays)
    for played in plays:
        played.store.close()
    assert all(whole[name] for name in ("cycle", "line_sample", "port_sample", "transition", "measurement", "acceptance", "line_event"))
    assert whole == steps
    assert whole["port_sample"] != other["port_sample"]
    assert whole["measurement"] != other["measurement"]


def test_lines_are_opened_in_working_hours_and_those_that_carry_others_first(short: tuple[Scenario, Workspace]) -> None:
    scenario, workspace = short
    opened = opening_moments(scenario, workspace.inventory, ZONE)
    assert set(opened) == set(workspace.inventory.lines)
    assert all(FIRST_HOUR <= moment.hour <= LAST_HOUR for moment in opened.values())
    for carrier in scenario.carriers:
        mine = sorted((moment, line_id) for line_id, moment in opened.items() if workspace.inventory.lines[line_id].carrier == carrier)
        assert [line_id[5] for _, line_id in mine][:2] == ["A", "A"]


# Files that cannot be played


BROKEN = {
    "unknown_names": (
        ("telecom: {opens", "telecon: {opens"),
        ("lines: [BZWW-A-0004]", "lines: [BZWW-A-0004, BZWW-X-*]"),
        ("line: BZWW-A-0001", "line: BZWW-A-9999"),
        ("device: county03", "device: county33"),
        ("  lines: met", "  line: met"),
    ),
    "wrong_values": (
        ("present_at: 2008-06-26 16:05", "present_at: 2008-06-26"),
        ("every: 2h", "every: 2 hours"),
        ('judged_at: "20:00"', "judged_at: 20:00"),
        ("kind: lossy", "kind: noisy"),
        ("  lines: met", "  lines: done"),
        ("seed: 20080630", "seed: one"),
        ("title_en: Built in time", "title_en: Built in time\nspeed: 3"),
    ),
    "contradictions": (
        ("present_at: 2008-06-26 16:05", "present_at: 2008-03-26 16:05"),
        ("opens_until: 2008-05-16 18:00", "opens_until: 2008-04-01 18:00"),
        ("kind: slow, amount: 0.55", "kind: slow, amount: 55"),
        ("kind: errors, amount: 40", "kind: errors"),
        ("every: 40min, down: 90s", "every: 40min, down: 50min"),
        ("kind: cut, line: BZWW-A-0001", "kind: cut"),
        ("ends_at: 2008-06-19 08:40", "ends_at: 2008-06-18 08:40"),
    ),
    "no_workspace": (("workspace: ../virtual_city", "workspace: ../nowhere"),),
    "broken_yaml": (("  unicom: {", "  unicom: [{"),),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_played_names_every_reason_with_its_line(
    case: str, golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    text = (SCENARIOS / "ends_well.yaml").read_text(encoding="utf-8")
    for old, new in BROKEN[case]:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "virtual_city").symlink_to(LAB / "virtual_city")
    (tmp_path / "scenarios" / "broken.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenario(tmp_path / "scenarios" / "broken.yaml")
    golden(f"scenario/{case}.txt", f"{caught.value}\n".replace(str(tmp_path), "…"))


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: file is missing"):
        read_scenario(tmp_path / "none.yaml")


# The page


QUICK = """title: 三天
title_en: Three days
workspace: {city}
seed: 7
begins_at: 2008-06-28 08:00
present_at: 2008-07-01 10:40
judged_at: "20:00"
polling: {{every: 8h, final_every: 1h, final_span: 3h}}
carriers:
  telecom: {{opens_from: 2008-06-28 08:00, opens_until: 2008-06-29 18:00}}
  unicom: {{opens_from: 2008-06-28 08:00, opens_until: 2008-06-29 18:00}}
expected: {{lines: {state}}}
"""


@contextmanager
def command(tmp_path: Path, *words: str, state: str = "late") -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run `waiwang demo --scenario` over three days; yield the process and what it prints."""
    (tmp_path / "quick.yaml").write_text(QUICK.format(city=LAB / "virtual_city", state=state), encoding="utf-8")
    argv = [str(Path(sys.executable).with_name("waiwang")), "demo", "--scenario", str(tmp_path / "quick.yaml"), *words]
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            argv, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True
        )
        try:
            yield process, log
        finally:
            process.terminate()
            process.wait(60)


def test_the_page_names_the_scenario_and_shows_its_moment(tmp_path: Path) -> None:
    port = free_port()
    with command(tmp_path, "--port", str(port)) as (process, log):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, follow_redirects=True) as client:
            wait_until(lambda: "until Ctrl-C" in log.read_text() or process.poll() is not None, 60, "the page")
            wait_until(lambda: _answers(client), 60, f"an answer; it said: {log.read_text()}")
            assert "剧本“三天”，种子 7" in client.get("/language/zh").text
            assert "Three days" in client.get("/language/en").text
            summary = client.get("/api/v1/summary").json()
            assert datetime.fromisoformat(summary["as_of"]) == at("2008-07-01 10:40")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == ExitCode.OK
    assert "Traceback" not in log.read_text()
    assert "SIMULATION" in log.read_text()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def test_a_scenario_that_runs_on_polls_on(tmp_path: Path) -> None:
    port = free_port()
    with command(tmp_path, "--port", str(port), "--pace", "3600") as (process, log):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_until(lambda: "until Ctrl-C" in log.read_text() or process.poll() is not None, 60, "the page")
            wait_until(lambda: _answers(client), 60, f"an answer; it said: {log.read_text()}")
            first = client.get("/api/v1/summary").json()["polled_at"]
            wait_until(lambda: client.get("/api/v1/summary").json()["polled_at"] > first, 60, "a later poll cycle")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == ExitCode.OK
    assert "Traceback" not in log.read_text()


def test_a_scenario_that_does_not_end_as_its_file_expects_leaves_with_four(tmp_path: Path) -> None:
    with command(tmp_path, "--exit", state="met") as (process, log):
        assert process.wait(90) == ExitCode.NOT_ACCEPTED, log.read_text()


def test_entitling_keeps_what_the_workspace_says_of_itself() -> None:
    scenario, workspace = read_scenario(SCENARIOS / "ends_well.yaml")
    told = entitled(workspace, scenario).order.simulation
    assert told is not None
    assert workspace.order.simulation is not None
    assert told.note.startswith(workspace.order.simulation.note)
    assert scenario.title in told.note
    assert scenario.title_en in told.note_en
