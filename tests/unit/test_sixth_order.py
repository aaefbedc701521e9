"""An order that nobody has seen before is data: other classes, media, kinds, dates, limits, gates and tables, and not a line of code."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, LineSample, Measurement
from app.core.appraisal import appraise, build_ground
from app.core.events import build_book
from app.core.judging import Observations, decide, judge
from app.core.progress import summarise
from app.core.readiness import judge_gates, line_gates
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.templates import read_templates
from app.errors import ExitCode
from app.workflows.check import check
from app.workflows.plan import plan
from app.workflows.render import render
from tests.samples.orders import BARKOL, BAZHONG, DAZHOU, ROOT, SHANGRAO, SHAOXING, accepted, civil, read, report, up

ORDER = ROOT / "tests" / "samples" / "sixth_order"
TODAY = date(2016, 2, 2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Copy the workspace, which is text files only, beside the templates that everybody shares."""
    shutil.copytree(ORDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    return tmp_path


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return read_workspace(root)[0]


def test_a_new_order_is_checked_planned_and_rendered_as_it_stands(root: Path) -> None:
    assert check(root, today=TODAY).findings == ()
    assert plan(root, commit=True, today=TODAY).exit_code is ExitCode.OK
    assert plan(root, commit=True, today=TODAY).change.added == ()
    texts = render(read_workspace(root)[0], read_templates(root))
    assert set(texts) == {"CORE", "AGG", "R-STREET", "R-S1", "R-S2", "R-S3"}
    assert "5120" in texts["R-S1"]
    assert "204800" in texts["AGG"]


def test_its_own_dates_shares_and_zone_decide_what_is_late(workspace: Workspace) -> None:
    now = civil(workspace, 2016, 5, 5)
    done = accepted(["L2", "L3"], civil(workspace, 2016, 5, 4, 23))
    summary = summarise(workspace, {}, done, None, now)
    states = {each.milestone_id: each.state for each in summary.milestones}
    assert states == {"two_thirds": "met", "everybody": "open", "lessons": "not_measured"}
    one = summarise(workspace, {}, accepted(["L2"], now), None, now)
    assert one.milestones[0].state == "late"
    assert summary.milestones[0].due_at == datetime(2016, 5, 4, 18, tzinfo=UTC), "midnight of Asia/Urumqi"
    line = next(each for each in summary.lines if each.line_id == "L4")
    assert (line.due, line.due_on, line.days_left) == ("open", date(2016, 9, 1), 118)


def test_its_own_gates_say_who_holds_the_clock_and_keep_lines_from_being_accepted(workspace: Workspace) -> None:
    now = civil(workspace, 2016, 9, 2)
    mast, power = report("S1", "mast_up", now), report("S1", "power_on", now)
    for events, built, holder in (
        ([], False, "carrier"),
        ([mast], False, "carrier"),
        ([mast], True, "unit"),
        ([mast, power], True, "centre"),
    ):
        statuses = {"L2": up("L2", now)} if built else {}
        shown = next(each for each in summarise(workspace, statuses, {}, None, now, events).lines if each.line_id == "L2")
        assert (shown.due, shown.clock_holder) == ("late", holder)
        [result] = judge_gates(line_gates(workspace, build_book(events), workspace.inventory.lines["L2"]))
        assert result.verdict == (PASS if len(events) == 2 else NOT_PROVEN)


def test_its_own_limits_judge_a_line(workspace: Workspace) -> None:
    kind = workspace.order.classes["epon_200m"]
    now = civil(workspace, 2016, 6, 1)
    samples = [LineSample("L1", now - timedelta(hours=hours), "up", "", None, None, None) for hours in range(25, -1, -1)]

    def verdict(loss: float, kbps: float) -> str:
        measured = {
            "reachable_from_centre": Measurement("L1", "reachable_from_centre", now, loss, "ratio", "ICMP"),
            "rate_down": Measurement("L1", "rate_down", now, kbps, "kbps", "TCP"),
        }
        seen = Observations(samples, measured, timedelta(hours=1), timedelta(days=30))
        return decide("L1", judge(kind, seen, now), None, None, now).verdict

    assert verdict(0.02, 150_000) == PASS
    assert verdict(0.021, 150_000) == FAIL
    assert verdict(0.02, 149_999) == FAIL


def test_its_own_table_ranks_its_own_units(workspace: Workspace) -> None:
    now = civil(workspace, 2016, 12, 1)
    events = [report("S1", "lesson_held", now)]
    summary = summarise(workspace, {}, accepted(["L2", "L3"], now), None, now, events)
    [table] = workspace.order.scoring
    ranked = appraise(table, build_ground(workspace, summary, build_book(events)))
    found = {each.subject: (each.total, each.rank, each.prize) for each in ranked}
    assert found == {"S1": (20, 1, 1), "S2": (20, 1, 1), "S3": (0, 3, None)}


@pytest.mark.parametrize("shipped", [BAZHONG, BARKOL, SHANGRAO, SHAOXING, DAZHOU], ids=lambda root: str(root.name))
def test_no_code_names_a_value_of_an_order(shipped: Path) -> None:
    """The ids of classes, milestones, gates and rulings stand in their files and nowhere in the engine."""
    order = read(shipped).order
    ids = {*order.classes, *order.rulings, *(each.milestone_id for each in order.milestones), *(gate.gate_id for gate in order.gates)}
    common = {"lines", "connected"}  # a table of the inventory, and a routing protocol's word, too
    engine = [path for folder in ("core", "edge", "workflows") for path in (ROOT / "app" / folder).rglob("*.py")]
    for path in engine:
        text = path.read_text(encoding="utf-8")
        assert not [name for name in ids - common if f'"{name}"' in text], path
