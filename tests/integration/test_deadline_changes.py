"""A deadline cannot slide silently: the change log, what was worked by before, and everybody who is told."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.core.deadlines import find_silent_changes, terms_to_keep
from app.core.milestone import Milestone
from app.core.order import Simulation
from app.core.terms import PartTerms, SeenTerms, Terms, term_history
from app.edge.database.store import Store
from app.edge.files import judge_workspace, read_workspace
from app.errors import ExitCode
from app.web.app import create_app
from app.workflows.deadlines import keep_deadlines
from app.workflows.rehearse import rehearse
from app.workflows.summary import StoreReader
from tests.samples.command_line import SMALL, CommandLine

NOW = datetime(2008, 6, 2, 4, 0, tzinfo=UTC)
DUE = "    due_on: 2008-06-30\n"
CHANGE = """    changes:
      C-1:
        changed_on: 2008-05-10
        was: {due_on: 2008-06-30}
        becomes: {due_on: 2008-06-25}
        decided_by: 试点市政府办公室
        document: 试办函[2008]9号
        reason: 公文交换试运行提前。
        reason_en: The exchange goes on trial earlier.
"""
SECOND = """      C-2:
        changed_on: 2008-05-20
        was: {due_on: 2008-06-25, target_share: 1.0}
        becomes: {due_on: 2008-07-15, target_share: 0.9}
        decided_by: 试点市政府办公室
        document: 试办函[2008]12号
        reason: 汛期延后。
        ruling: R-1
"""
EARLIER_ONLY = "    moves: {only: earlier, clause: 二4}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SMALL, tmp_path / "city"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'kept.db'}")
    yield opened
    opened.close()


def edit(place: Path, old: str, new: str) -> None:
    path = place / "inventory" / "order.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def lines_milestone(place: Path) -> Milestone:
    return read_workspace(place)[0].order.milestones[0]


# The log


def test_the_log_leads_from_the_baseline_to_the_present_whatever_the_sequence_in_the_file(place: Path) -> None:
    changes = CHANGE.splitlines(keepends=True)
    edit(place, DUE, "    due_on: 2008-07-15\n    target_share: 0.9\n" + "".join([changes[0], SECOND, *changes[1:]]))
    found = lines_milestone(place)
    assert [change.change_id for change in found.changes] == ["C-1", "C-2"]
    days = [Terms(date(2008, 6, 30)), Terms(date(2008, 6, 25)), Terms(date(2008, 7, 15), target_share=0.9)]
    assert list(found.term_history()) == days
    assert term_history(found.terms, ()) == (found.terms,)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("change_leads_elsewhere", DUE + CHANGE),
        ("change_without_its_other_side", "    due_on: 2008-06-25\n" + CHANGE.replace("was: {due_on: 2008-06-30}", "was: {soft: false}")),
        ("change_before_the_order", "    due_on: 2008-06-25\n" + CHANGE.replace("2008-05-10", "2008-01-10")),
        (
            "change_to_a_later_day",
            "    due_on: 2008-07-15\n    target_share: 0.9\n" + EARLIER_ONLY + CHANGE + SECOND.replace("        ruling: R-1\n", ""),
        ),
        ("change_incomplete", "    due_on: 2008-06-25\n" + CHANGE.replace("        document: 试办函[2008]9号\n", "")),
        ("change_by_unknown_ruling", "    due_on: 2008-07-15\n    target_share: 0.9\n" + CHANGE + SECOND.replace("R-1", "R-7")),
    ],
)
def test_a_log_that_contradicts_itself_is_named_with_its_line(
    place: Path, name: str, written: str, golden: Callable[[str, str], None]
) -> None:
    edit(place, DUE, written)
    findings = judge_workspace(place).findings
    assert findings
    golden(f"deadlines/{name}.txt", "".join(f"{finding}\n" for finding in findings))


def test_a_date_that_may_move_earlier_only_moves_later_by_a_ruling_alone(place: Path) -> None:
    edit(place, DUE, "    due_on: 2008-07-15\n    target_share: 0.9\n" + EARLIER_ONLY + CHANGE + SECOND)
    assert [(change.ruling, change.was.due_on) for change in lines_milestone(place).changes][1] == ("R-1", date(2008, 6, 25))


# What was worked by


def seen(*terms: Terms) -> list[SeenTerms]:
    return [SeenTerms("lines", each, NOW + number * timedelta(days=1)) for number, each in enumerate(terms)]


FIRST, EARLIER, LATER = Terms(date(2008, 6, 30)), Terms(date(2008, 6, 25)), Terms(date(2008, 7, 15))


@pytest.mark.parametrize(
    ("due_on", "logged", "before", "silent"),
    [
        (date(2008, 6, 30), False, [FIRST], False),
        (date(2008, 6, 25), True, [FIRST], False),
        (date(2008, 6, 25), True, [FIRST, EARLIER], False),
        (date(2008, 6, 25), True, [EARLIER], False),  # a baseline from before the product was used
        (date(2008, 6, 25), False, [FIRST], True),
        (date(2008, 7, 15), False, [FIRST], True),
        (date(2008, 6, 25), False, [FIRST, EARLIER], True),  # the entry was taken out of the log
        (date(2008, 6, 30), False, [FIRST, EARLIER], True),  # and the day put back as if nothing had been
        (date(2008, 6, 25), True, [FIRST, EARLIER, FIRST], True),
        (date(2008, 6, 30), False, [replace(FIRST, inclusive=False)], True),
        (date(2008, 6, 30), False, [replace(FIRST, target_share=0.5)], True),
        (date(2008, 6, 30), False, [replace(FIRST, soft=True)], True),
    ],
)
def test_a_deadline_that_was_worked_by_is_found_in_the_log_or_named(
    place: Path, due_on: date, logged: bool, before: list[Terms], silent: bool
) -> None:
    edit(place, DUE, f"    due_on: {due_on}\n" + (CHANGE if logged else ""))
    order = read_workspace(place)[0].order
    assert bool(find_silent_changes(order, seen(*before))) is silent


def test_a_milestone_that_is_gone_is_named(place: Path) -> None:
    order = read_workspace(place)[0].order
    [moved] = find_silent_changes(order, [SeenTerms("fees", FIRST, NOW)])
    assert "milestone fees: it is gone" in moved.finding.what
    assert (moved.was, moved.due_on) == (FIRST.due_on, None)


def test_terms_are_kept_once_and_again_when_they_change(place: Path, store: Store) -> None:
    workspace = read_workspace(place)[0]
    assert keep_deadlines(workspace, store, NOW) == ()
    assert keep_deadlines(workspace, store, NOW + timedelta(hours=1)) == ()
    assert store.seen_terms(workspace.order.number) == seen(FIRST)
    edit(place, DUE, "    due_on: 2008-06-25\n" + CHANGE)
    assert keep_deadlines(read_workspace(place)[0], store, NOW + timedelta(days=1)) == ()
    assert store.seen_terms(workspace.order.number) == seen(FIRST, EARLIER)
    assert store.seen_terms("another order") == []


def test_nothing_is_kept_while_a_deadline_slid(place: Path, store: Store) -> None:
    keep_deadlines(read_workspace(place)[0], store, NOW)
    edit(place, DUE, "    due_on: 2008-07-15\n")
    assert len(keep_deadlines(read_workspace(place)[0], store, NOW)) == 1
    assert [each.terms for each in store.seen_terms("试发[2008]1号")] == [FIRST]


def test_a_simulation_that_moves_every_day_is_no_slide(place: Path) -> None:
    order = read_workspace(place)[0].order
    moved = replace(
        order,
        milestones=tuple(replace(each, due_on=each.due_on + timedelta(days=40)) for each in order.milestones),
        simulation=Simulation("演示", "Demo", moved_days=40),
    )
    assert find_silent_changes(moved, seen(FIRST)) == ()
    assert terms_to_keep(moved, seen(FIRST), NOW) == ()
    assert find_silent_changes(replace(moved, simulation=None), seen(FIRST))


def test_a_rehearsal_moves_the_log_with_the_days(place: Path, tmp_path: Path) -> None:
    for name in ("templates", "nornir_config.yaml"):
        source = Path(__file__).parents[2] / name
        shutil.copytree(source, place / name) if source.is_dir() else shutil.copy(source, place / name)
    edit(place, DUE, "    due_on: 2008-06-25\n" + CHANGE)
    workspace = read_workspace(place)[0]
    days = rehearse(workspace, place, tmp_path / "moved", date(2026, 1, 5))
    found = lines_milestone(tmp_path / "moved")
    assert found.term_history() == tuple(terms.moved(days) for terms in workspace.order.milestones[0].term_history())


# Everybody is told


def test_check_and_accept_refuse_a_deadline_that_slid_until_the_log_says_so(place: Path, golden: Callable[[str, str], None]) -> None:
    waiwang = CommandLine(place)
    assert waiwang("check").code == ExitCode.OK
    assert not (place / "waiwang.db").exists()
    assert waiwang("accept", "--commit").code == ExitCode.NOT_ACCEPTED
    edit(place, DUE, "    due_on: 2008-07-15\n")
    told = [waiwang(*words) for words in (("check",), ("accept",), ("accept", "--commit"), ("report", "deadlines"))]
    assert [each.code for each in told] == [ExitCode.INPUT] * 4
    sentence = re.sub(r"since [^,]+,", "since MOMENT,", next(row for row in told[0].out.splitlines() if "slid" in row or "moved" in row))
    golden("deadlines/slid.txt", sentence + "\n")
    assert all("its deadline moved without an entry in the log" in each.err for each in told[1:])
    edit(place, "    due_on: 2008-07-15\n", "    due_on: 2008-06-25\n" + CHANGE)
    assert waiwang("check").code == ExitCode.OK
    assert waiwang("accept", "--commit").code == ExitCode.NOT_ACCEPTED
    shown = waiwang("report", "deadlines", "--format", "json").json
    assert {(row["first_due_on"], row["due_on"]) for row in shown["rows"]} == {("2008-06-30", "2008-06-25")}
    assert shown["totals"]["changes"] == 1


async def test_the_summary_shows_both_days_every_change_and_what_slid(place: Path, store: Store) -> None:
    keep_deadlines(read_workspace(place)[0], store, NOW)
    edit(place, DUE, "    due_on: 2008-06-25\n" + CHANGE)
    logged = StoreReader(read_workspace(place)[0], store, lambda: NOW)
    answer = await ask(logged, "/api/v1/deadlines")
    [milestone] = answer["milestones"]
    assert (milestone["baseline_on"], milestone["due_on"]) == ("2008-06-30", "2008-06-25")
    [change] = milestone["changes"]
    assert (change["due_was"], change["due_becomes"], change["later"]) == ("2008-06-30", "2008-06-25", False)
    assert (change["decided_by"], change["document"]) == ("试点市政府办公室", "试办函[2008]9号")
    assert answer["faults"] == []
    assert {line.baseline_on for line in logged.summary().lines if line.due_on} == {date(2008, 6, 30)}
    edit(place, CHANGE, "")
    slid = StoreReader(read_workspace(place)[0], store, lambda: NOW)
    [fault] = (await ask(slid, "/api/v1/summary"))["deadline_faults"]
    assert "milestone lines: its deadline moved without an entry in the log" in fault
    assert "waiwang_deadline_faults 1.0" in await scrape(slid)
    assert "waiwang_deadline_faults 0.0" in await scrape(logged)
    assert 'waiwang_milestone_changes{milestone="lines"} 1.0' in await scrape(logged)


async def ask(reader: StoreReader, path: str) -> dict[str, list[dict[str, object]]]:
    return dict((await read(reader, path)).json())


async def scrape(reader: StoreReader) -> str:
    return (await read(reader, "/metrics")).text


async def read(reader: StoreReader, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(reader)), base_url="http://127.0.0.1") as client:
        return await client.get(path)


def test_a_part_of_the_terms_names_only_what_it_touches() -> None:
    assert PartTerms(due_on=date(2008, 6, 30), soft=False).given() == {"due_on": date(2008, 6, 30), "soft": False}
