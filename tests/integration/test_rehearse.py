"""A workspace moved in time: today lies inside the rollout, everything else stays, and the copy says of itself that it was moved."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.workflows.rehearse import DAYS_AHEAD, move_days, rehearse
from tests.samples.command_line import REPOSITORY

LAB = REPOSITORY / "lab" / "workspace"
WORKSPACE = read_workspace(LAB)[0]
TODAY = date(2031, 2, 27)


@pytest.fixture
def moved(tmp_path: Path) -> Workspace:
    assert rehearse(WORKSPACE, LAB, tmp_path / "copy", TODAY) == (TODAY - date(2008, 6, 30)).days + DAYS_AHEAD
    return read_workspace(tmp_path / "copy")[0]


def test_every_date_moves_by_the_same_number_of_days(moved: Workspace) -> None:
    days = timedelta(days=move_days(WORKSPACE.order, TODAY))
    before = {milestone.milestone_id: milestone.due_on + days for milestone in WORKSPACE.order.milestones}
    assert {milestone.milestone_id: milestone.due_on for milestone in moved.order.milestones} == before
    assert next(m.due_on for m in moved.order.milestones if m.milestone_id == "lines") == TODAY + timedelta(days=DAYS_AHEAD)


def test_nothing_but_the_dates_and_the_banner_differs(moved: Workspace) -> None:
    order, copy = WORKSPACE.order, moved.order
    assert (copy.number, copy.issued_on, copy.timezone, copy.classes, copy.carriers) == (
        order.number,
        order.issued_on,
        order.timezone,
        order.classes,
        order.carriers,
    )
    assert {ruling.ruling_id for ruling in copy.rulings.values()} == {ruling.ruling_id for ruling in order.rulings.values()}
    assert moved.inventory.lines.keys() == WORKSPACE.inventory.lines.keys()
    assert [(row.holder, row.prefix) for row in moved.ledger] == [(row.holder, row.prefix) for row in WORKSPACE.ledger]
    assert moved.plan.national_block == WORKSPACE.plan.national_block


def test_the_copy_says_in_both_languages_that_its_dates_were_moved_and_keeps_what_was_said_before(moved: Workspace) -> None:
    days = move_days(WORKSPACE.order, TODAY)
    said, before = moved.order.simulation, WORKSPACE.order.simulation
    assert said is not None
    assert before is not None
    assert said.note == f"{before.note}；演示：文件中的各项日期均顺延 {days} 天，使今天处于建设期内"
    assert said.note_en == f"{before.note_en}. Demo: every date of the order is moved by {days} days, so that today lies inside the rollout"


def test_the_original_is_left_as_it_was(tmp_path: Path) -> None:
    files = {path: path.read_bytes() for path in LAB.rglob("*") if path.is_file()}
    rehearse(WORKSPACE, LAB, tmp_path / "copy", TODAY)
    assert {path: path.read_bytes() for path in LAB.rglob("*") if path.is_file()} == files


def test_a_copy_can_be_made_over_an_older_copy(tmp_path: Path) -> None:
    rehearse(WORKSPACE, LAB, tmp_path / "copy", TODAY)
    rehearse(WORKSPACE, LAB, tmp_path / "copy", TODAY + timedelta(days=1))
    again = read_workspace(tmp_path / "copy")[0]
    assert next(m.due_on for m in again.order.milestones if m.milestone_id == "lines") == TODAY + timedelta(days=DAYS_AHEAD + 1)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_from_any_day_the_deadline_lies_ahead_by_the_same_time(today: date) -> None:
    assert date(2008, 6, 30) + timedelta(days=move_days(WORKSPACE.order, today)) == today + timedelta(days=DAYS_AHEAD)
