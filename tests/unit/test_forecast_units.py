"""Duties that units report are foretold as lines are: whole and counties, from what was reported and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from app.core.events import UnitEvent, build_book
from app.core.jeopardy import COUNTY, LINES, UNITS, WHOLE, Jeopardy, view_jeopardy
from app.core.progress import Summary, summarise
from app.core.workspace import Workspace
from app.web.metrics import families
from tests.samples.accepted_line import root_workspace

#: Monday 2 June 2008, nine in the morning in Beijing; 20 working days were in May, since nobody entered the holidays of that year.
NOW = datetime(2008, 6, 2, 1, 0, tzinfo=UTC)
SOFTWARE = "software_installed"


def workspace() -> Workspace:
    """Return the root workspace without its calendar, so that working days can be counted by hand."""
    whole = root_workspace()
    return replace(whole, calendar=replace(whole.calendar, years={}))


def workers() -> list[str]:
    """Return the units of which software is asked, in the order of the inventory."""
    milestone = next(each for each in workspace().order.milestones if each.milestone_id == SOFTWARE)
    units = workspace().inventory.units.values()
    return [unit.unit_id for unit in units if unit.kind in milestone.scope.kinds and unit.in_scope]


def working_days() -> list[date]:
    days = [date(2008, 5, 5) + timedelta(days=number) for number in range(28)]
    return [day for day in days if day.weekday() < 5]


def reports(per_day: int, *, delay: timedelta = timedelta(0)) -> list[UnitEvent]:
    """Return so many reports on each of the 20 working days before NOW."""
    days = [day for day in working_days() for _ in range(per_day)]
    moments = [datetime(day.year, day.month, day.day, 2, 0, tzinfo=UTC) for day in days]
    return [UnitEvent(unit, SOFTWARE, at, at + delay, "信息科", "登记表") for unit, at in zip(workers(), moments, strict=False)]


def told(events: Sequence[UnitEvent]) -> Summary:
    return summarise(workspace(), {}, {}, NOW, NOW, events)


def of_units(events: Sequence[UnitEvent]) -> list[Jeopardy]:
    return [each for each in view_jeopardy(workspace(), (), NOW, build_book(events)) if each.counted == UNITS]


def test_a_duty_that_units_report_is_foretold_at_the_rate_of_their_reports() -> None:
    whole = next(each for each in of_units(reports(5)) if each.grouping == WHOLE)
    assert (whole.milestone_id, whole.done, whole.total, whole.forecast.wanted) == (SOFTWARE, 100, len(workers()), len(workers()) - 100)
    assert (whole.forecast.seen, whole.forecast.seen_days, whole.forecast.per_day) == (100, 20, 5.0)
    # 2 June to 31 July 2008 are 44 days from Monday to Friday
    assert (whole.forecast.days_left, whole.forecast.needed_per_day) == (44, (len(workers()) - 100) / 44)
    assert whole.forecast.outlook == "breaks"
    earliest, latest = whole.forecast.earliest_on, whole.forecast.latest_on
    assert earliest is not None
    assert latest is not None
    assert date(2008, 7, 31) < earliest < latest


def test_twice_the_rate_holds_the_deadline() -> None:
    whole = next(each for each in of_units(reports(12)) if each.grouping == WHOLE)
    assert whole.forecast.outlook == "holds"


def test_counties_add_up_to_the_whole_and_units_have_neither_carrier_nor_class() -> None:
    groups = of_units(reports(5))
    counties = [each for each in groups if each.grouping == COUNTY]
    [whole] = [each for each in groups if each.grouping == WHOLE]
    assert {each.grouping for each in groups} == {WHOLE, COUNTY}
    assert (sum(each.done for each in counties), sum(each.total for each in counties)) == (whole.done, whole.total)
    assert sum(each.forecast.wanted for each in counties) == whole.forecast.wanted
    assert sum(each.forecast.seen for each in counties) == whole.forecast.seen


def test_what_nobody_ever_reported_is_not_foretold_and_lines_are_as_before() -> None:
    assert of_units([]) == []
    lines = told([]).jeopardy
    assert {each.counted for each in lines} == {LINES}
    assert tuple(each for each in told(reports(5)).jeopardy if each.counted == LINES) == lines


def test_a_report_that_was_taken_back_counts_neither_as_done_nor_for_the_rate() -> None:
    events = reports(5)
    back = [replace(each, holds=False, recorded_at=NOW) for each in events[:40]]
    whole = next(each for each in of_units([*events, *back]) if each.grouping == WHOLE)
    assert (whole.done, whole.forecast.seen) == (60, 60)


def test_all_units_in_one_training_are_one_batch_and_foretell_no_narrow_day() -> None:
    one_day = datetime(2008, 5, 21, 2, 0, tzinfo=UTC)
    at_once = [replace(each, observed_at=one_day, recorded_at=one_day) for each in reports(5)]
    steady, batched = (next(each for each in of_units(events) if each.grouping == WHOLE) for events in (reports(5), at_once))
    assert batched.forecast.seen == steady.forecast.seen == 100
    assert (steady.forecast.outlook, batched.forecast.outlook) == ("breaks", "in_doubt")
    assert batched.forecast.latest_on is None or batched.forecast.latest_on > (steady.forecast.latest_on or date.max)


def test_metrics_count_units_under_names_of_their_own() -> None:
    found = {
        (sample.name, sample.labels["milestone"]): sample.value
        for family in families(told(reports(5)))
        if family.name.startswith("waiwang_forecast")
        for sample in family.samples
        if sample.labels["grouping"] == WHOLE
    }
    assert found["waiwang_forecast_units_wanted", SOFTWARE] == len(workers()) - 100
    assert found["waiwang_forecast_reported_units_per_working_day", SOFTWARE] == 5.0
    assert ("waiwang_forecast_lines_wanted", SOFTWARE) not in found
    assert ("waiwang_forecast_units_wanted", "lines") not in found
    assert found["waiwang_forecast_lines_wanted", "lines"] == 420
    assert 0 <= found["waiwang_forecast_deadline_holds_ratio", SOFTWARE] < 0.05
