"""The database: what goes in comes out, transitions are written once, and failures are told in words."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.acceptance import NOT_PROVEN, PASS, Acceptance, CriterionResult, LineSample, LineStatus, Measurement, PortSample, Transition
from app.core.confirmation import Confirmation
from app.core.events import UnitEvent
from app.core.life import LifeEvent
from app.core.line_event import LineEvent
from app.core.linestate import DeviceState, PollCycle
from app.edge.database.store import Store
from app.edge.database.tables import METADATA
from app.errors import StoreError

#: Tables of present states, and of what is pruned when it is old.
REWRITTEN = {"cycle", "device_state", "line_sample", "port_sample", "line_state", "account", "token", "session_seen"}
NOW = datetime(2008, 6, 30, 15, 59, 59, 999999, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a new database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'waiwang.db'}"
    return str(request.getfixturevalue("postgresql").create_database())


@pytest.fixture
def store(url: str) -> Any:
    opened = Store.open(url)
    yield opened
    opened.close()


@contextmanager
def by_hand(url: str) -> Iterator[sa.Connection]:
    """Connect as somebody who does not use this program."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def port(at: datetime, device: str = "city", **changed: Any) -> PortSample:
    values: dict[str, Any] = {
        "device": device,
        "interface": "eth1",
        "at": at,
        "oper_up": True,
        "admin_up": True,
        "speed_mbps": 10,
        "alias": "L:BZWW-A-0001",
        "in_octets": 123,
        "out_octets": 456,
        "counter_bits": 64,
        "in_errors": 0,
        "out_errors": None,
        "in_bps": 0.1 + 0.2,
        "out_bps": None,
        "uptime_ticks": 4294967295,
        "discontinuity": 0,
    }
    return PortSample(**(values | changed))


def sample(at: datetime, state: str = "up", line_id: str = "BZWW-A-0001", **ports: PortSample) -> LineSample:
    return LineSample(line_id, at, state, f"because {state}", None, ports.get("a"), ports.get("z"), ports.get("ra"), ports.get("rz"))


def write(store: Store, *samples: LineSample) -> tuple[Transition, ...]:
    return store.write_cycle(samples[0].at - MINUTE / 2, samples[0].at, [], samples)


def test_a_sample_with_all_its_ports_comes_back_as_it_was(store: Store) -> None:
    full = sample(
        NOW, "down", a=port(NOW), z=port(NOW, "county", oper_up=False, alias=None), ra=port(NOW, in_octets=None, speed_mbps=None)
    )
    write(store, full)
    assert store.latest() == {"BZWW-A-0001": LineStatus(full, NOW)}
    assert store.samples("BZWW-A-0001", NOW, NOW) == [full]


@pytest.mark.parametrize("octets", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_64_bit_counter_keeps_its_whole_range(store: Store, octets: int) -> None:
    write(store, sample(NOW, a=port(NOW, in_octets=octets)))
    [kept] = store.samples("BZWW-A-0001", NOW, NOW)
    assert kept.a is not None
    assert kept.a.in_octets == octets


def test_a_line_keeps_its_since_until_its_state_changes(store: Store) -> None:
    for minute, state in enumerate(["up", "up", "down", "down"]):
        write(store, sample(NOW + minute * MINUTE, state))
    status = store.latest()["BZWW-A-0001"]
    assert (status.sample.at, status.sample.state, status.since) == (NOW + 3 * MINUTE, "down", NOW + 2 * MINUTE)


def test_only_a_change_of_state_is_a_transition_and_the_first_comes_from_unknown(store: Store) -> None:
    for minute, state in enumerate(["up", "up", "down", "up"]):
        write(store, sample(NOW + minute * MINUTE, state))
    seen = [(change.before, change.after, change.observed_at) for change in store.transitions("BZWW-A-0001")]
    assert seen == [("unknown", "up", NOW), ("up", "down", NOW + 2 * MINUTE), ("down", "up", NOW + 3 * MINUTE)]


def test_a_line_never_looked_at_has_no_transition(store: Store) -> None:
    assert write(store, sample(NOW, "unknown")) == ()
    assert store.transitions() == []
    assert store.latest()["BZWW-A-0001"].sample.state == "unknown"


def test_transitions_are_chosen_by_line_and_time_and_newest_come_first_where_asked(store: Store) -> None:
    write(store, sample(NOW, "up"), sample(NOW, "up", "BZWW-A-0002"))
    write(store, sample(NOW + MINUTE, "down"), sample(NOW + MINUTE, "up", "BZWW-A-0002"))
    assert len(store.transitions()) == 3
    assert [change.after for change in store.transitions("BZWW-A-0001", NOW + MINUTE, NOW + MINUTE)] == ["down"]
    assert [change.after for change in store.transitions(None, None, NOW)] == ["up", "up"]
    assert [change.after for change in store.newest_transitions("BZWW-A-0001", 1)] == ["down"]
    assert len(store.newest_transitions(None, 2)) == 2


def test_a_late_sample_is_kept_and_changes_no_state(store: Store) -> None:
    write(store, sample(NOW, "up"))
    assert write(store, sample(NOW - MINUTE, "down")) == ()
    assert store.latest()["BZWW-A-0001"].sample.state == "up"
    assert [kept.state for kept in store.samples("BZWW-A-0001", NOW - MINUTE, NOW)] == ["down", "up"]


def test_a_clock_that_jumped_ahead_and_came_back_hides_nothing_that_is_seen_after_it(store: Store) -> None:
    hour = 60 * MINUTE
    write(store, sample(NOW, "down"))
    write(store, sample(NOW + 48 * hour, "up"))  # an hour later in truth: the clock was two days ahead
    [seen] = write(store, sample(NOW + 2 * hour, "up"))
    assert (seen.before, seen.after) == ("unknown", "up")
    [broken] = write(store, sample(NOW + 3 * hour, "down"))
    assert store.latest()["BZWW-A-0001"].since == broken.observed_at == NOW + 3 * hour
    changes = [(change.after, change.observed_at) for change in store.transitions("BZWW-A-0001")]
    assert changes == [("down", NOW), ("up", NOW + 2 * hour), ("up", NOW + 2 * hour), ("down", NOW + 3 * hour)]
    known = [(fact.kind, fact.at) for fact in store.line_facts(NOW + 100 * hour)["BZWW-A-0001"]]
    assert known == changes
    assert [fact.kind for fact in store.line_facts(NOW + 2 * hour)["BZWW-A-0001"]] == ["down", "up"]


def test_samples_are_bounded_on_both_sides_inclusive(store: Store) -> None:
    for minute in range(4):
        write(store, sample(NOW + minute * MINUTE))
    times = [kept.at for kept in store.samples("BZWW-A-0001", NOW + MINUTE, NOW + 2 * MINUTE)]
    assert times == [NOW + MINUTE, NOW + 2 * MINUTE]


def test_a_cycle_that_cannot_be_written_whole_is_not_written_at_all(store: Store) -> None:
    write(store, sample(NOW, "up"))
    twice = [sample(NOW + MINUTE, "down"), sample(NOW + MINUTE, "down")]
    with pytest.raises(StoreError, match="poll cycle was not written"):
        store.write_cycle(NOW, NOW + MINUTE, [], twice)
    assert store.transitions("BZWW-A-0001")[-1].after == "up"
    last = store.last_cycle()
    assert last is not None
    assert last.finished_at == NOW


def test_cycles_count_who_answered(store: Store) -> None:
    assert store.last_cycle() is None
    rows = [DeviceState("city", NOW, "answered", "", "city", 17), DeviceState("county01", NOW, "silent", "no answer")]
    store.write_cycle(NOW, NOW + MINUTE, rows, [])
    assert store.last_cycle() == PollCycle(NOW, NOW + MINUTE, 2, 1)
    assert store.cycles(NOW + MINUTE) == [PollCycle(NOW, NOW + MINUTE, 2, 1)]
    assert store.cycles(NOW + 2 * MINUTE) == []
    assert store.device_states() == {"city": rows[0], "county01": rows[1]}


def test_a_devices_state_is_its_newest(store: Store) -> None:
    store.write_cycle(NOW, NOW, [DeviceState("city", NOW, "silent", "no answer")], [])
    back = DeviceState("city", NOW + MINUTE, "answered", "", "city", 1)
    store.write_cycle(NOW + MINUTE, NOW + MINUTE, [back], [])
    assert store.device_states() == {"city": back}


def test_pruning_a_line_keeps_its_newest_sample_and_every_transition(store: Store) -> None:
    write(store, sample(NOW, "up", a=port(NOW)), sample(NOW, "up", "BZWW-A-0002", a=port(NOW)))
    write(store, sample(NOW + MINUTE, "down", a=port(NOW)))
    tomorrow = NOW + timedelta(days=1)
    assert [store.prune(line_id, tomorrow) for line_id in ("BZWW-A-0001", "BZWW-A-0002", "never seen")] == [1, 0, 0]
    latest = store.latest()
    assert latest["BZWW-A-0001"].sample.at == NOW + MINUTE
    assert latest["BZWW-A-0002"].sample.a == port(NOW)
    assert store.samples("BZWW-A-0001", NOW, NOW) == []
    assert len(store.transitions()) == 3
    assert len(store.cycles(NOW - MINUTE)) == 2, "what was measured, and what was not, stays known"


def test_pruning_keeps_what_a_decision_looked_at(store: Store) -> None:
    moments = [NOW + step * MINUTE for step in range(8)]
    for at in moments:
        write(store, sample(at, "up", a=port(at)))
    assert store.prune("BZWW-A-0001", NOW + 6 * MINUTE, [(NOW + MINUTE, NOW + 2 * MINUTE), (NOW + 4 * MINUTE, NOW + 4 * MINUTE)]) == 3
    kept = store.samples("BZWW-A-0001", NOW, NOW + 8 * MINUTE)
    assert [each.at for each in kept] == [moments[number] for number in (1, 2, 4, 6, 7)]
    assert all(each.a is not None for each in kept)


def test_moments_of_any_zone_come_back_as_the_same_moment_in_utc(store: Store) -> None:
    beijing = NOW.astimezone(timezone(timedelta(hours=8)))
    write(store, sample(beijing))
    at = store.latest()["BZWW-A-0001"].sample.at
    assert at == NOW
    assert at.tzinfo is UTC


def test_a_moment_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="a moment without time zone"):
        write(store, sample(NOW.replace(tzinfo=None)))


def test_the_newest_measurement_of_each_kind_is_returned_and_the_history_kept(store: Store) -> None:
    first = Measurement("L1", "rate_down", NOW, 9490.0, "kbps", "iperf3 TCP", {"streams": 1})
    second = Measurement("L1", "rate_down", NOW + MINUTE, None, "kbps", "iperf3 TCP", {"error": "refused"})
    other = Measurement("L2", "reserved_port", NOW, 1.0, "proven", "supervised activation")
    for measurement in (first, second, other):
        store.write_measurement(measurement)
    assert store.measurements() == {"L1": {"rate_down": second}, "L2": {"reserved_port": other}}
    assert store.measurements(["L1"]) == {"L1": {"rate_down": second}}
    assert store.measurements(["L1", "L2", "L3"]) == {"L1": {"rate_down": second}, "L2": {"reserved_port": other}}
    assert store.measurements([]) == {}
    assert store.measurement_history("L1") == [first, second]
    assert store.measurement_history("L1", "trial") == []


def test_a_decision_comes_back_with_its_evidence_and_earlier_ones_stay(store: Store) -> None:
    evidence = MappingProxyType({"samples": 3, "share": 0.1})
    trial = CriterionResult("trial", True, NOT_PROVEN, "20 s up", "12 s up", evidence)
    results = (trial, CriterionResult("ports_up", True, PASS, "up", "up"))
    first = Acceptance("L1", NOW, NOT_PROVEN, results, "BZ-5", NOW + MINUTE, None)
    second = Acceptance("L1", NOW + MINUTE, PASS, (), None, None, True)
    store.write_acceptance(first)
    store.write_acceptance(second)
    assert store.acceptances() == {"L1": second}
    assert store.acceptance_history("L1") == [first, second]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_json_columns_give_back_exactly_what_was_written(store: Store, detail: dict[str, Any]) -> None:
    store.write_measurement(Measurement("L1", "trial", NOW, 1.0, "ratio", "samples", detail))
    kept = store.measurements(["L1"])["L1"]["trial"].detail
    assert repr(kept) == repr(detail)


def test_a_number_that_json_does_not_have_is_refused_rather_than_changed(store: Store) -> None:
    with pytest.raises(StoreError, match="measurement was not written"):
        store.write_measurement(Measurement("L1", "trial", NOW, 1.0, "ratio", "samples", {"loss": math.nan}))
    assert store.measurements() == {}


def test_what_people_reported_comes_back_in_the_order_of_writing(store: Store) -> None:
    lines = [LineEvent("L1", "opened", NOW, NOW + n * MINUTE, "carrier:telecom", "开通单", "2008-06-30") for n in (2, 1)]
    units = [UnitEvent("U1", "fees_paid", NOW, NOW, "clerk", "收据", amount, holds=holds) for amount, holds in ((0.1, True), (None, False))]
    steps = [LifeEvent("L1", state, NOW, NOW + MINUTE, "carrier:telecom", "施工单") for state in ("building", "opened")]
    words = [Confirmation("L1", party, "confirmed", NOW, NOW, "clerk", "确认单") for party in ("unit", "carrier")]
    store.write_line_events(lines)
    store.write_events(units)
    store.write_life_events(steps)
    for word in words:
        store.write_confirmation(word)
    assert (store.line_events(), store.line_events("L2")) == (lines, [])
    assert (store.events("U1"), store.events("U2")) == (units, [])
    assert (store.life_events("L1"), store.life_events("L2")) == (steps, [])
    assert (store.confirmations(), store.confirmations("L2")) == (words, [])


def test_a_text_that_no_database_keeps_is_refused_in_words(store: Store) -> None:
    with pytest.raises(StoreError, match="backup was not written"):
        store.write_backup("city", NOW, "half a character: \ud800", "d1")
    assert store.backups("city") == []


def test_backups_come_newest_first_and_audit_in_order(store: Store) -> None:
    store.write_backup("city", NOW, "hostname city\n", "d1")
    store.write_backup("city", NOW + MINUTE, "hostname core\n", "d2")
    assert [kept.digest for kept in store.backups("city")] == ["d2", "d1"]
    assert store.backups("county01") == []
    store.write_audit(NOW, "operator", "deploy", "city", {"lines": 3})
    store.write_audit(NOW + MINUTE, "operator", "deploy", "county01")
    assert [(entry.subject, entry.detail) for entry in store.audit()] == [("city", {"lines": 3}), ("county01", {})]
    assert [entry.subject for entry in store.audit(NOW + MINUTE)] == ["county01"]
    assert [entry.subject for entry in store.audit(subject="city")] == ["city"]


@pytest.mark.parametrize("statement", ["DELETE FROM transition", "UPDATE acceptance SET verdict='pass'", "DELETE FROM audit"])
def test_history_cannot_be_rewritten_even_by_hand(url: str, store: Store, statement: str) -> None:
    write(store, sample(NOW))
    store.write_acceptance(Acceptance("L1", NOW, NOT_PROVEN, (), None, None, None))
    store.write_audit(NOW, "operator", "deploy", "city")
    with by_hand(url) as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        connection.execute(sa.text(statement))


@pytest.mark.parametrize("table", sorted(METADATA.tables.keys() - REWRITTEN))
def test_every_table_but_those_that_hold_a_present_state_is_append_only(url: str, store: Store, table: str) -> None:
    with by_hand(url) as connection:
        kind = connection.dialect.name
        query = "SELECT count(*) FROM sqlite_master WHERE type='trigger' AND tbl_name=:table"
        if kind == "postgresql":
            query = "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(:table)"
        assert connection.execute(sa.text(query), {"table": table}).scalar() == (2 if kind == "sqlite" else 1)


def together(*works: Callable[[], object]) -> None:
    """Run these at once, and raise what any of them raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for work in [pool.submit(work) for work in works]:
            work.result()


def test_two_threads_write_without_losing_a_cycle(store: Store) -> None:
    def work(name: str) -> None:
        for minute in range(15):
            write(store, sample(NOW + minute * MINUTE, "up" if minute % 2 else "down", name))

    together(lambda: work("L1"), lambda: work("L2"))
    assert len(store.cycles(NOW - MINUTE)) == 30
    assert len(store.transitions("L1")) == len(store.transitions("L2")) == 15


def test_two_programs_that_see_the_same_change_record_it_once(url: str, store: Store) -> None:
    other = Store.open(url)
    samples = [[sample(NOW + minute * MINUTE + n * MINUTE / 2, "up" if minute % 2 else "down") for minute in range(15)] for n in (0, 1)]

    def work(writer: Store, seen: list[LineSample]) -> None:
        for each in seen:
            write(writer, each)

    together(lambda: work(store, samples[0]), lambda: work(other, samples[1]))
    other.close()
    changes = store.transitions("BZWW-A-0001")
    assert len(store.samples("BZWW-A-0001", NOW, NOW + timedelta(hours=1))) == 30
    assert all(later.before == earlier.after != later.after for earlier, later in pairwise(sorted(changes, key=lambda c: c.recorded_at)))


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    """The newest samples are read by two statements; a cycle written between them must not show in one of them only."""
    write(store, sample(NOW, a=port(NOW)))
    stop = threading.Event()

    def keep_writing() -> None:
        for second in range(1, 2000):
            if stop.is_set():
                return
            at = NOW + timedelta(seconds=second)
            write(store, sample(at, a=port(at)))

    def keep_reading() -> None:
        try:
            for _ in range(150):
                newest = store.latest()["BZWW-A-0001"].sample
                assert newest.a is not None
                assert newest.a.at == newest.at
        finally:
            stop.set()

    together(keep_writing, keep_reading)


def test_two_programs_can_open_a_new_database_at_once(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    empty = request.getfixturevalue("postgresql").create_database(template="template0")
    for url in (f"sqlite:///{tmp_path / 'new.db'}", empty):
        together(*(lambda url=url: Store.open(url).close() for _ in range(3)))  # type: ignore[misc]
        store = Store.open(url)
        assert store.last_cycle() is None
        store.close()


def test_opening_again_keeps_everything(url: str) -> None:
    first = Store.open(url)
    write(first, sample(NOW))
    first.close()
    second = Store.open(url)
    assert list(second.latest()) == ["BZWW-A-0001"]
    second.close()


def test_the_migrations_build_the_tables_that_the_code_expects(url: str, store: Store) -> None:
    with by_hand(url) as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), METADATA) == []


def test_a_schema_from_a_newer_program_is_refused_with_the_way_out(url: str) -> None:
    Store.open(url).close()
    with by_hand(url) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num='9999'"))
    with pytest.raises(StoreError, match=r"found a newer one .*9999.*Run the newer waiwang"):
        Store.open(url)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("sqlite:////proc/none/waiwang.db", r"unable to open database file.*Check that the directory exists"),
        ("sqlite://", r"expected a file; found sqlite://, which forgets"),
        ("no url", r"expected sqlite:///FILE, postgresql://.* found a text that is no URL"),
        ("postgresql://user:hush@/db?host=/nowhere", r"//user:\*\*\*@/db.*Check that the server runs and lets this user in"),
        ("oracle+nothing://user:hush@host/db", r"found oracle\+nothing://user:\*\*\*@host/db"),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_in_words(wrong: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        Store.open(wrong)
    assert "hush" not in str(caught.value)


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but somebody's notes " * 40)
    with pytest.raises(StoreError, match="file is not a database"):
        Store.open(f"sqlite:///{file}")
    assert file.read_text().startswith("not a database")


def test_a_line_that_goes_on_being_down_after_its_carriers_own_test_is_told_so(store: Store) -> None:
    """Staying down is no transition; without the look after it the carrier's word would stand against what was seen."""
    hour, line_id = 60 * MINUTE, "BZWW-A-0001"
    write(store, sample(NOW, "down"))
    store.write_life_events([LifeEvent(line_id, "self_tested", NOW + hour, NOW + hour, "carrier:telecom", "自测记录")])
    assert [fact.kind for fact in store.line_facts(NOW + hour)[line_id]] == ["down", "self_tested"]
    write(store, sample(NOW + 2 * hour, "unreachable"))
    write(store, sample(NOW + 3 * hour, "down"))
    told = [(fact.kind, fact.at) for fact in store.line_facts(NOW + 9 * hour)[line_id]]
    assert told == [("down", NOW), ("self_tested", NOW + hour), ("down", NOW + 3 * hour), ("down", NOW + 3 * hour)]


def test_a_judgement_that_is_not_proven_once_more_tells_nothing_new_of_clocks(store: Store) -> None:
    for day, verdict in enumerate(["not_proven", "not_proven", "fail", "fail", "not_proven", "pass"]):
        store.write_acceptance(Acceptance("BZWW-A-0001", NOW + day * 1440 * MINUTE, verdict, (), None, None, None))
    kinds = [fact.kind for fact in store.line_facts(NOW + 9 * 1440 * MINUTE)["BZWW-A-0001"]]
    assert kinds == ["not_proven", "fail", "fail", "not_proven", "pass"]
    assert store.line_facts(NOW + MINUTE)["BZWW-A-0001"][-1].kind == "not_proven"


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=timezone(14 * 60 * MINUTE)), datetime.max.replace(tzinfo=timezone(-MINUTE))])
def test_a_moment_that_could_not_be_read_again_is_not_written(store: Store, at: datetime) -> None:
    with pytest.raises(StoreError, match="a moment beyond the calendar in UTC"):
        store.write_life_events([LifeEvent("BZWW-A-0001", "applied", at, NOW, "centre", "申请表")])
    first = datetime.min.replace(tzinfo=UTC)
    store.write_life_events([LifeEvent("BZWW-A-0001", "applied", first, NOW, "centre", "申请表")])
    assert [event.observed_at for event in store.life_events()] == [first]


def test_changes_since_a_moment_are_those_of_all_that_were_observed_then(store: Store) -> None:
    """Only rows that can matter are read; a clock that jumped ahead and came back must not change which they are."""
    hours = (0, 1, 30, 2, 3, 40, 41, 4, 5)
    for written, hour in enumerate(hours):
        for line_id in ("L1", "L2")[: 1 + written % 2]:
            at, state = NOW + timedelta(hours=hour), "up" if written % 2 else "down"
            store.write_look(at, [], [LineSample(line_id, at, state, f"{written}", None, None, None)])
    everything = store.transitions()
    assert len(everything) > len(hours) / 2
    for hour in range(-1, 45):
        since = NOW + timedelta(hours=hour)
        assert store.transitions(None, since) == [each for each in everything if each.observed_at >= since]


def test_everything_that_a_summary_shows_changes_the_stamp(store: Store, url: str) -> None:
    elsewhere, moments = Store.open(url), iter(NOW + timedelta(minutes=number) for number in range(9))
    deeds: list[Callable[[Store, datetime], object]] = [
        lambda there, at: there.write_cycle(at, at, [], []),
        lambda there, at: there.write_look(at, [], [LineSample("L1", at, "up", "", None, None, None)]),
        lambda there, at: there.write_look(at, [], [LineSample("L1", at, "up", "", None, None, None)]),
        lambda there, at: there.write_acceptance(Acceptance("L1", at, "pass", (), None, None, None)),
        lambda there, at: there.write_life_events([LifeEvent("L1", "opened", at, at, "clerk", "none", "hand")]),
        lambda there, at: there.write_line_events([LineEvent("L1", "opened", at, at, "clerk", "none", "")]),
    ]
    for deed in deeds:
        before = store.stamp()
        assert store.stamp() == before
        deed(elsewhere, next(moments))
        assert store.stamp() != before
    elsewhere.close()


def test_the_newest_decision_on_a_line_is_the_one_written_last(store: Store) -> None:
    for line_id, verdict in (("L1", "fail"), ("L2", "fail"), ("L1", "pass")):
        store.write_acceptance(Acceptance(line_id, NOW, verdict, (), None, None, None))
    assert store.newest_acceptance("L1") == store.acceptances()["L1"]
    assert store.newest_acceptance("L3") is None
