"""What was known then: nothing that is recorded later changes it, and what is learnt later stands apart."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.acceptance import PASS, Acceptance, LineSample, Measurement
from app.core.confirmation import Confirmation
from app.core.events import UnitEvent
from app.core.life import BUILDING, LifeEvent
from app.core.line_event import opened_event
from app.edge.database.store import Store
from app.workflows.accept import accept
from app.workflows.known import Known, read_known
from app.workflows.life import read_lives
from app.workflows.summary import read_summary
from tests.samples.accepted_line import ACCEPTED_AT, LINE, POLL_INTERVAL_S, accept_line, root_workspace
from tests.samples.command_line import REPOSITORY, CommandLine

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: The end of 30 June 2008 in Beijing.
T = datetime(2008, 6, 30, 16, tzinfo=UTC) - timedelta(microseconds=1)
ZONE = root_workspace().order.timezone
LINES = [line.line_id for line in root_workspace().inventory.lines.values()][:6]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


def known(store: Store, at: datetime = T) -> Known:
    return read_known(root_workspace(), store, at)


def see(store: Store, line_id: str, state: str, observed_at: datetime, recorded_at: datetime) -> None:
    store.write_cycle(recorded_at - HOUR, recorded_at, [], [LineSample(line_id, observed_at, state, "both ports are up", None, None, None)])


def decide(store: Store, line_id: str, at: datetime, verdict: str = PASS) -> None:
    store.write_acceptance(Acceptance(line_id, at, verdict, (), "lines", T + timedelta(microseconds=1), verdict == PASS))


def brought(line_id: str, at: datetime, recorded_at: datetime) -> Measurement:
    """Return an instrument's result that came in later than it was taken."""
    return Measurement(line_id, "rate_down", at, 1900.0, "kbps", "tester", {"recorded_at": recorded_at.isoformat()})


def pay(store: Store, observed_at: datetime, recorded_at: datetime, *, holds: bool = True) -> None:
    store.write_events([UnitEvent("SZ-CZ", "fee_and_seal_received", observed_at, recorded_at, "信息科", "收据", None, holds)])


def test_the_present_summary_and_the_one_as_of_now_agree(store: Store) -> None:
    accept_line(store)
    at = ACCEPTED_AT + HOUR
    seen, told = read_summary(root_workspace(), store, at), known(store, at).summary
    fields = attrgetter("line_id", "state", "due", "verdict", "clock_holder", "days_left")
    assert [fields(line) for line in seen.lines] == [fields(line) for line in told.lines]
    assert seen.milestones == told.milestones
    assert [line.state for line in told.lines if line.line_id == LINE] == ["up"]


def test_a_report_as_of_the_last_day_knows_what_was_recorded_that_day_and_nothing_more(store: Store) -> None:
    decide(store, LINES[0], T)
    decide(store, LINES[1], T + timedelta(microseconds=1))
    dues = {line.line_id: line.due for line in known(store).summary.lines}
    assert (dues[LINES[0]], dues[LINES[1]]) == ("accepted", "at_risk")


def test_what_had_happened_and_was_recorded_later_stands_apart(store: Store) -> None:
    pay(store, T - 3 * DAY, T + DAY)
    pay(store, T + DAY, T + 2 * DAY)
    see(store, LINE, "up", T - HOUR, T + HOUR)
    store.write_line_events([opened_event(LINE, (T - 2 * DAY).date(), ZONE, T + DAY, "carrier:telecom", "报竣单")])
    store.write_life_events([LifeEvent(LINE, BUILDING, T - 9 * DAY, T + 4 * DAY, "网络科", "施工日志")])
    store.write_confirmation(Confirmation(LINE, "unit", "confirmed", T, T + DAY, "公文交换员", "函"))
    store.write_measurement(brought(LINE, T - 4 * DAY, T + DAY))
    then = known(store)
    assert [(each.kind, each.subject, each.word) for each in then.later] == [
        ("life", LINE, "building"),
        ("measurement", LINE, "rate_down"),
        ("unit_event", "SZ-CZ", "fee_and_seal_received"),
        ("line_event", LINE, "opened"),
        ("transition", LINE, "up"),
        ("confirmation", LINE, "unit confirmed"),
    ]
    assert then.book.in_force == ()
    assert [line.state for line in then.summary.lines if line.line_id == LINE] == ["unknown"]


def test_a_report_that_is_taken_back_later_held_then(store: Store) -> None:
    pay(store, T - 3 * DAY, T - 2 * DAY)
    pay(store, T - 3 * DAY, T + DAY, holds=False)
    then, now = known(store), known(store, T + 2 * DAY)
    assert (len(then.book.in_force), len(now.book.in_force)) == (1, 0)
    assert [each.word for each in then.later] == ["not fee_and_seal_received"]


def test_the_start_of_a_trial_that_a_later_decision_speaks_of_is_learnt_later(store: Store) -> None:
    decision = accept_line(store)
    began = next(result.evidence["began_at"] for result in decision.results if result.kind == "trial")
    [trial] = [each for each in known(store, ACCEPTED_AT - HOUR).later if each.kind == "trial"]
    assert (trial.observed_at, trial.recorded_at) == (datetime.fromisoformat(str(began)), ACCEPTED_AT)


def test_a_line_is_judged_as_of_then_by_what_had_been_measured_then(store: Store) -> None:
    accept_line(store)
    before = accept(root_workspace(), store, [LINE], commit=False, poll_interval_s=POLL_INTERVAL_S, now=T, as_of=ACCEPTED_AT - 3 * HOUR)
    [decision] = before.decided
    verdicts = {result.kind: result.verdict for result in decision.results}
    assert (decision.verdict, verdicts["rate_down"], verdicts["ports_up"]) == ("not_proven", "not_proven", "pass")
    after = accept(root_workspace(), store, [LINE], commit=False, poll_interval_s=POLL_INTERVAL_S, now=T, as_of=ACCEPTED_AT)
    assert [each.verdict for each in after.standing] == [PASS]


# Nothing recorded later changes what was known

moments = st.integers(-20 * 24, 20 * 24).map(lambda hours: T + timedelta(hours=hours))
delays = st.integers(0, 15 * 24).map(lambda hours: timedelta(hours=hours))


Writing = tuple[datetime, Callable[[Store], None], tuple[str, datetime]]


@st.composite
def writings(draw: st.DrawFn, *, prompt: bool) -> Writing:
    """Return a moment of recording, what is recorded then of a moment before, and line and moment, which are sampled once.

    `prompt`: samples are recorded as they are taken.
    """
    observed_at, line_id = draw(moments), draw(st.sampled_from(LINES))
    recorded_at = observed_at + draw(delays)
    state, verdict = draw(st.sampled_from(("up", "down", "unreachable"))), draw(st.sampled_from((PASS, "fail", "not_proven")))
    opened_on, holds = observed_at.astimezone(ZONE).date(), draw(st.booleans())
    choices: tuple[Callable[[Store], None], ...] = (
        lambda store: see(store, line_id, state, observed_at, observed_at if prompt else recorded_at),
        lambda store: decide(store, line_id, recorded_at, verdict),
        lambda store: pay(store, observed_at, recorded_at, holds=holds),
        lambda store: store.write_line_events([opened_event(line_id, opened_on, ZONE, recorded_at, "carrier:telecom", "报竣单")]),
        lambda store: store.write_life_events([LifeEvent(line_id, BUILDING, observed_at, recorded_at, "网络科", "施工日志")]),
        lambda store: store.write_confirmation(Confirmation(line_id, "unit", "confirmed", observed_at, recorded_at, "公文交换员", "函")),
        lambda store: store.write_measurement(brought(line_id, observed_at, recorded_at)),
    )
    chosen = draw(st.integers(0, len(choices) - 1))
    return observed_at if prompt and chosen == 0 else recorded_at, choices[chosen], (line_id, observed_at)


def judged(store: Store) -> object:
    return accept(root_workspace(), store, LINES, commit=False, poll_interval_s=POLL_INTERVAL_S, now=T + 90 * DAY, as_of=T)


def reported(store: Store) -> object:
    """Return everything that reports and lives say as of T, what was learnt later left out."""
    told = known(store)
    return told.summary, told.kept, read_lives(store, LINES, as_of=T)


def stays(rows: list[Writing], told: Callable[[Store], object]) -> None:
    """Write the rows in the order of their recording; hold that nothing after T changes what is told, and that the rest only grows."""
    rows = sorted(rows, key=lambda row: row[0])
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'waiwang.db'}")
        try:
            for recorded_at, write, _ in rows:
                if recorded_at <= T:
                    write(store)
            before, learnt = told(store), known(store).later
            assert learnt == ()
            for recorded_at, write, _ in rows:
                if recorded_at > T:
                    write(store)
                    grown = known(store).later
                    assert set(learnt) <= set(grown)
                    learnt = grown
            assert told(store) == before
        finally:
            store.close()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(writings(prompt=False), max_size=14, unique_by=lambda row: row[2]))
def test_writing_anything_recorded_later_never_changes_what_was_known(rows: list[Writing]) -> None:
    stays(rows, reported)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(writings(prompt=True), max_size=14, unique_by=lambda row: row[2]))
def test_writing_anything_recorded_later_never_changes_a_verdict_as_of_then(rows: list[Writing]) -> None:
    stays(rows, judged)


def test_a_day_means_its_end_and_a_day_to_come_is_refused(tmp_path: Path) -> None:
    waiwang = CommandLine(tmp_path, {"WAIWANG_ROOT": str(REPOSITORY), "WAIWANG_DATABASE_URL": f"sqlite:///{tmp_path / 'waiwang.db'}"})
    day = waiwang("report", "circular", "--as-of", "2008-06-30", "--format", "json")
    over = waiwang("report", "circular", "--as-of", "2008-07-01T00:00", "--format", "json")
    assert ([row["cause"] for row in day.json["rows"]], {row["cause"] for row in over.json["rows"]}) == ([], {"late"})
    assert (day.code, over.code) == (0, 6)
    to_come = waiwang("report", "circular", "--as-of", "2999-01-01")
    assert (to_come.code, "`--as-of` lies in the future" in to_come.err) == (2, True)
    refused = waiwang("accept", "--as-of", "2008-06-30", "--commit")
    assert (refused.code, "look back" in refused.err) == (2, True)
