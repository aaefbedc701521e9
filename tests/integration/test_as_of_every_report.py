"""Every report as of T: whatever is recorded after T, of before or after it, changes nothing but what was learnt later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.core.acceptance import FAIL, PASS, Acceptance, CriterionResult, LineSample, Measurement
from app.core.confirmation import Confirmation
from app.core.contests import DECIDED, RAISED, UPHELD, ContestEvent
from app.core.events import UnitEvent, event_uses
from app.core.faults import FaultEvent
from app.core.life import BUILDING, LifeEvent
from app.core.line_event import opened_event
from app.core.terms import SeenTerms
from app.core.windows import DECLARED, Concern, WindowEvent
from app.core.workspace import Workspace
from app.edge.database.store import Store
from tests.samples.command_line import CommandLine, Ended
from tests.samples.orders import DAZHOU, ROOT, SHAOXING, read

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: 2 July 2008 (or four years later), 10:40 in Beijing; what the order of each workspace asks lies on both sides of it.
MOMENTS = {ROOT: datetime(2008, 7, 2, 2, 40, tzinfo=UTC), DAZHOU: datetime(2009, 1, 6, 2, 40, tzinfo=UTC)}
MOMENTS[SHAOXING] = datetime(2012, 7, 2, 2, 40, tzinfo=UTC)
WRITE = Callable[[Store, datetime], None]


class City:
    """One workspace with a database of its own, told of things at moments of our choice."""

    def __init__(self, place: Path, root: Path) -> None:
        self.at = MOMENTS[root]
        url = f"sqlite:///{place / 'waiwang.db'}"
        self.workspace: Workspace = read(root)
        self.lines = [line.line_id for line in self.workspace.inventory.lines.values() if line.role == "primary"][:24]
        self.store = Store.open(url)
        self.waiwang = CommandLine(place, {"WAIWANG_ROOT": str(root), "WAIWANG_DATABASE_URL": url})

    def __call__(self, *words: str) -> Ended:
        return self.waiwang(*words, "--as-of", f"{self.at.astimezone(self.workspace.order.timezone):%Y-%m-%dT%H:%M}")

    def happen(self, first: int, observed_at: datetime, recorded_at: datetime, verdict: str) -> None:
        """Write one of everything that a database keeps, of every third line from the `first`th on."""
        order, store = self.workspace.order, self.store
        for line_id in self.lines[first::3]:
            unit_id = self.workspace.inventory.lines[line_id].unit_id
            seen = LineSample(line_id, observed_at, "up" if verdict == PASS else "down", "both ports are up", None, None, None)
            store.write_cycle(recorded_at - HOUR, recorded_at, [], [seen])
            store.write_measurement(
                Measurement(line_id, "rate_down", observed_at, 1900.0, "kbps", "tester", {"recorded_at": recorded_at.isoformat()})
            )
            failed = () if verdict == PASS else (CriterionResult("rate_down", True, FAIL, "at least 1800 kbit/s", "900 kbit/s"),)
            store.write_acceptance(Acceptance(line_id, recorded_at, verdict, failed, None, None, None))
            store.write_life_events([LifeEvent(line_id, BUILDING, observed_at, recorded_at, "网络科", "施工日志")])
            opened_on = observed_at.astimezone(order.timezone).date()
            store.write_line_events([opened_event(line_id, opened_on, order.timezone, recorded_at, "carrier:telecom", "报竣单")])
            store.write_confirmation(Confirmation(line_id, "unit", "confirmed", observed_at, recorded_at, "公文交换员", "函"))
            store.write_events(
                [
                    UnitEvent(unit_id, use.event, observed_at, recorded_at, "信息科", f"登记表{first}", use.limit)
                    for use in event_uses(order)
                    if use.subject == "unit"
                ]
            )
            fault_id = f"F-{recorded_at:%Y%m%d}-{self.lines.index(line_id):03d}"
            fault = FaultEvent(fault_id, "opened", line_id, observed_at, recorded_at, "值班员", "hand", "报障单")
            store.change_faults(lambda _, fault=fault: [fault], observed_at - DAY)  # type: ignore[misc]
        store.write_window(
            WindowEvent(f"W-{recorded_at:%Y%m%d}-01", DECLARED, recorded_at, "通信处", "检修通知", *self._span(), Concern(("*",)))
        )
        self._contest(first, observed_at, recorded_at)

    def _span(self) -> tuple[datetime, datetime]:
        return self.at - 3 * DAY, self.at + DAY

    def _contest(self, number: int, observed_at: datetime, recorded_at: datetime) -> None:
        for table in self.workspace.order.scoring[:1]:
            subject, row = self.workspace.inventory.lines[self.lines[number]].unit_id, table.items[0].item_id
            told = (observed_at, recorded_at, "信息科", "复核申请", "漏计。")
            self.store.write_contest_event(ContestEvent(number + 1, RAISED, table.table_id, subject, row, *told))
            self.store.write_contest_event(ContestEvent(number + 1, DECIDED, table.table_id, subject, row, *told, UPHELD, 1.0))


@pytest.fixture(params=[ROOT, DAZHOU, SHAOXING], ids=["bazhong", "dazhou", "shaoxing"])
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[City]:
    found = City(tmp_path, request.param)
    found.happen(0, found.at - 20 * DAY, found.at - 19 * DAY, PASS)
    yield found
    found.store.close()


def questions(city: City) -> dict[str, list[str]]:
    """Return every command that takes `--as-of` and fits the order."""
    asked = {name: ["report", name] for name in ("progress", "deadlines", "overdue", "circular")}
    order = city.workspace.order
    asked |= {f"scores {table.table_id}": ["report", "scores", table.table_id] for table in order.scoring}
    asked |= {f"organisation {each.organisation_id}": ["report", "organisation", each.organisation_id] for each in order.organisations[:2]}
    if order.availability is not None:
        asked["availability"] = ["report", "availability"]
    return asked


#: The others hold the same words in JSON; writing them again takes long.
IN_TEXT = ("circular", "scores", "organisation", "availability")
OTHERS = (("availability",), ("life",), ("accept",), ("fault", "list", "--all"), ("fault", "report"))


def answers(city: City) -> tuple[dict[str, Any], dict[str, list[dict[str, str]]]]:
    """Return what every command says of what was known, and what each report says was learnt later."""
    said: dict[str, Any] = {}
    later: dict[str, list[dict[str, str]]] = {}
    for name, words in questions(city).items():
        if name.startswith(IN_TEXT):
            said[f"{name} in text"] = city(*words, "--known-only")
        said[name] = json.loads(city(*words, "--format", "json").out)
        later[name] = said[name].pop("learnt_later")
    return said | {" ".join(words): city(*words, "--format", "json") for words in OTHERS}, later


def differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_what_is_recorded_after_the_moment_changes_no_report_as_of_it_but_for_what_was_learnt_later(city: City) -> None:
    before, _ = answers(city)
    city.happen(1, city.at - 10 * DAY, city.at + timedelta(seconds=1), FAIL)
    city.happen(2, city.at + DAY, city.at + 2 * DAY, PASS)
    terms = [SeenTerms(each.milestone_id, each.terms, city.at + DAY) for each in city.workspace.order.milestones]
    city.store.write_seen_terms(city.workspace.order.number, terms)
    after, later = answers(city)
    assert differing(before, after) == set()
    for told in later.values():
        assert {each["kind"] for each in told} >= {"transition", "measurement", "life", "line_event", "confirmation"}
        assert all(datetime.fromisoformat(each["observed_at"]) <= city.at < datetime.fromisoformat(each["recorded_at"]) for each in told)


@pytest.mark.parametrize("city", [DAZHOU, SHAOXING], ids=["dazhou", "shaoxing"], indirect=True)
def test_the_same_facts_recorded_in_time_do_change_the_reports(city: City) -> None:
    """Without this the test above would pass where nothing that is written matters to any report."""
    before, _ = answers(city)
    city.happen(1, city.at - 10 * DAY, city.at - 9 * DAY, FAIL)
    city.happen(2, city.at - 3 * DAY, city.at - 2 * DAY, PASS)
    changed = differing(before, answers(city)[0])
    wanted = {"progress", "circular", "scores in text", "availability", "life", "accept", "fault list --all", "fault report"}
    assert changed >= wanted & set(before)
