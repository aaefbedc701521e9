"""A line's life, confirmation, evidence and availability over a real database and the real command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.cli.main import main
from app.core.confirmation import Confirmation
from app.core.duties import AvailabilityDuty
from app.core.evidence import verify
from app.core.life import LifeEvent
from app.core.line_event import LineEvent
from app.core.scope import Scope
from app.core.source import Source
from app.edge.database.store import Store
from app.edge.provenance import clock_state, software, workspace_digests
from app.edge.signing import check_signature, read_key, read_public_key, write_key
from app.errors import ExitCode, InputError
from app.workflows.availability import agreed_policy, measure_availability
from app.workflows.confirm import add_confirmation, read_standings
from app.workflows.evidence import Occasion, export_evidence
from app.workflows.life import add_step, read_lives
from tests.samples.accepted_line import ACCEPTED_AT, INTERVAL, LINE, POLL_INTERVAL_S, ROOT, accept_line, measure, root_workspace, watch

DAY = timedelta(days=1)
OTHER_LINE = "BZWW-TJ-A-0001"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'waiwang.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `waiwang WORDS` on the root workspace; return exit code, stdout, stderr."""
    monkeypatch.setenv("WAIWANG_ROOT", str(ROOT))
    monkeypatch.setenv("WAIWANG_DATABASE_URL", url)
    monkeypatch.setenv("WAIWANG_POLL_INTERVAL_S", str(int(POLL_INTERVAL_S)))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["waiwang", *words])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        code = left.value.code
        return (code if isinstance(code, int) else 0), told.out, told.err

    return call


def word(party: str, at: datetime) -> Confirmation:
    return Confirmation(LINE, party, "confirmed", at, at, "公文交换员", "确认单")


def step(state: str, at: datetime) -> LifeEvent:
    return LifeEvent(LINE, state, at, at, "经办", "单据")


def occasion(now: datetime) -> Occasion:
    return Occasion("中心值班员", now, {"known": False}, POLL_INTERVAL_S)


def exported(store: Store, tmp_path: Path, now: datetime = ACCEPTED_AT + DAY) -> bytes:
    key = tmp_path / "key"
    signing = read_key(key) if key.exists() else write_key(key)
    return export_evidence(root_workspace(), store, ROOT, LINE, signing, occasion(now))


# Life


def test_decisions_and_confirmations_move_a_line_into_service(store: Store) -> None:
    start = ACCEPTED_AT - 60 * DAY
    for number, state in enumerate(["applied", "approved", "building", "opened", "self_tested"]):
        add_step(store, step(state, start + number * DAY), commit=True, now=ACCEPTED_AT)
    decision = accept_line(store)
    assert decision.verdict == "pass"
    assert [life.state for life in read_lives(store, [LINE])] == ["accepted"]
    for party in ("unit", "carrier", "centre"):
        add_confirmation(root_workspace(), store, word(party, ACCEPTED_AT + DAY), commit=True, now=ACCEPTED_AT + DAY)
    [life] = read_lives(store, [LINE])
    assert [(each.after, each.standing) for each in life.steps[-3:]] == [("trial", "moved"), ("accepted", "moved"), ("in_service", "moved")]
    assert [each.state for each in read_lives(store, [LINE], as_of=ACCEPTED_AT)] == ["accepted"]
    add_step(store, step("closed", ACCEPTED_AT + 9 * DAY), commit=True, now=ACCEPTED_AT + 9 * DAY)
    assert read_lives(store, [LINE, OTHER_LINE])[0].state == "closed"


def test_a_carriers_worksheet_opens_a_line_and_as_of_keeps_the_one_before(store: Store) -> None:
    first = LineEvent(LINE, "opened", ACCEPTED_AT - 9 * DAY, ACCEPTED_AT - 8 * DAY, "carrier:telecom", "回单1", "2008-06-17")
    store.write_line_events([first, replace(first, observed_at=ACCEPTED_AT - 10 * DAY, recorded_at=ACCEPTED_AT, document="回单2")])
    [then], [now] = (read_lives(store, [LINE], as_of=moment) for moment in (ACCEPTED_AT - DAY, None))
    assert [(life.state, life.since, life.steps[0].event.evidence) for life in (then, now)] == [
        ("opened", ACCEPTED_AT - 9 * DAY, "回单1"),
        ("opened", ACCEPTED_AT - 10 * DAY, "回单2"),
    ]
    assert now.steps[0].unrecorded == ("applied", "approved", "building")


def test_nothing_is_recorded_without_commit(store: Store) -> None:
    report = add_step(store, step("applied", ACCEPTED_AT), commit=False, now=ACCEPTED_AT)
    assert (report.life.state, report.exit_code) == ("applied", ExitCode.PENDING)
    assert store.life_events() == []


def test_a_refused_step_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(InputError, match="Record applied first"):
        add_step(store, step("opened", ACCEPTED_AT), commit=True, now=ACCEPTED_AT)
    with pytest.raises(InputError, match="no role"):
        add_step(store, replace(step("applied", ACCEPTED_AT), by="1" + "0" * 10), commit=True, now=ACCEPTED_AT)
    assert store.life_events() == []


@pytest.mark.parametrize("table", ["life_event", "confirmation"])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET by = 'x'", "DELETE FROM {table}"])
def test_the_database_lets_nobody_rewrite_what_was_recorded(store: Store, url: str, table: str, statement: str) -> None:
    store.write_life_events([step("applied", ACCEPTED_AT)])
    store.write_confirmation(word("unit", ACCEPTED_AT))
    engine = sa.create_engine(url)
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement.format(table=table)))
    engine.dispose()


def test_what_was_recorded_comes_back_as_it_was(store: Store) -> None:
    events, given = [step("applied", ACCEPTED_AT), step("approved", ACCEPTED_AT + DAY)], word("unit", ACCEPTED_AT)
    store.write_life_events(events)
    store.write_confirmation(given)
    assert (store.life_events(LINE), store.life_events(OTHER_LINE), store.confirmations(), store.confirmations(OTHER_LINE)) == (
        events,
        [],
        [given],
        [],
    )


# Confirmation


def test_overdue_confirmations_are_a_broken_deadline(store: Store) -> None:
    accept_line(store)
    before = read_standings(root_workspace(), store, [LINE], datetime(2008, 7, 1, 15, 59, 59, tzinfo=UTC))
    after = read_standings(root_workspace(), store, [LINE], datetime(2008, 7, 1, 16, 0, tzinfo=UTC))
    assert (before.standings[0].awaited, before.exit_code) == (("unit", "carrier"), ExitCode.OK)
    assert (after.standings[0].overdue, after.exit_code) == (("unit", "carrier"), ExitCode.DEADLINE)


# Evidence


def test_a_pack_holds_what_the_decision_rests_on(store: Store, tmp_path: Path) -> None:
    decision = accept_line(store)
    store.write_backup("BZ-CORE01", ACCEPTED_AT - DAY, "sysname BZ-CORE01", "hmac:abc")
    store.write_audit(ACCEPTED_AT, "waiwang accept", "clock", "poller", {"known": False})
    found = verify(exported(store, tmp_path), check_signature, read_public_key(tmp_path / "key.pub"))
    assert found.alterations == ()
    names = [part.name for part in found.parts]
    assert [name for name in names if name.startswith("verdict/")] == [f"verdict/{result.kind}" for result in decision.results]
    samples = [name for name in names if name.startswith("samples/")]
    assert (samples[0], samples[-1], len(samples)) == ("samples/2008-06-23T08Z", "samples/2008-06-26T09Z", 74)
    rows = [row for part in found.parts if part.name in samples for row in part.content]  # type: ignore[attr-defined]
    assert found.content("samples")["count"] == len(rows)  # type: ignore[index]
    assert found.content("configuration/BZ-CORE01") == {"digest": "hmac:abc", "at": (ACCEPTED_AT - DAY).isoformat()}
    assert found.content("configuration/BZ-BZQ-AGG01") is None
    assert found.content("order")["files"] == workspace_digests(ROOT)  # type: ignore[index]
    assert found.content("software") == software()
    assert found.content("clock")["recorded"] == [{"at": ACCEPTED_AT.isoformat(), "known": False}]  # type: ignore[index]
    assert sum(name.startswith("measurement/") for name in names) == 5


def test_a_pack_tells_nothing_of_what_came_after_the_decision(store: Store, tmp_path: Path) -> None:
    accept_line(store)
    before = exported(store, tmp_path)
    watch(store, LINE, ACCEPTED_AT + INTERVAL, ACCEPTED_AT + 4 * INTERVAL)
    measure(store, LINE, ACCEPTED_AT + INTERVAL)
    store.write_backup("BZ-CORE01", ACCEPTED_AT + INTERVAL, "sysname BZ-CORE01", "hmac:later")
    store.write_audit(ACCEPTED_AT + INTERVAL, "waiwang accept", "clock", "poller", {"known": False})
    assert exported(store, tmp_path) == before


def test_changed_bytes_of_a_real_pack_are_found_from_its_first_to_its_last(store: Store, tmp_path: Path) -> None:
    accept_line(store)
    pack = exported(store, tmp_path)
    for place in (*range(0, len(pack), len(pack) // 60), len(pack) - 1):
        changed = pack[:place] + bytes([pack[place] ^ 1]) + pack[place + 1 :]
        assert verify(changed, check_signature).alterations, f"byte {place} of {len(pack)}"


def test_no_person_and_no_configuration_text_stands_in_a_pack(store: Store, tmp_path: Path) -> None:
    accept_line(store)
    store.write_backup("BZ-CORE01", ACCEPTED_AT - DAY, "snmp-agent usm-user SECRETWORD", "hmac:abc")
    pack = exported(store, tmp_path)
    assert b"SECRETWORD" not in pack
    assert "政府办公文交换员".encode() not in pack


def test_a_line_without_a_decision_has_no_pack(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="accept BZWW-BZQ-A-0001 --commit first"):
        exported(store, tmp_path)


def test_a_changed_sample_is_named_to_the_hour(store: Store, tmp_path: Path) -> None:
    accept_line(store)
    document = json.loads(exported(store, tmp_path))
    part = next(each for each in document["parts"] if each["name"] == "samples/2008-06-25T03Z")
    part["content"][0][1] = "down"
    pack = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    assert "part samples/2008-06-25T03Z" in [each.where for each in verify(pack, check_signature).alterations]


def test_keys_are_private_and_never_made_twice(tmp_path: Path) -> None:
    key = write_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert read_key(tmp_path / "key").public == key.public == read_public_key(tmp_path / "key.pub")
    assert "PRIVATE" not in repr(key)
    with pytest.raises(InputError, match="a name that is free"):
        write_key(tmp_path / "key")


def test_keys_are_refused_with_their_reason(tmp_path: Path) -> None:
    write_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(InputError, match="mode 640, which others can read"):
        read_key(tmp_path / "key")
    (tmp_path / "no").write_text("no key")
    (tmp_path / "no").chmod(0o600)
    for read in (read_key, read_public_key):
        with pytest.raises(InputError, match="something else"):
            read(tmp_path / "no")
        with pytest.raises(InputError, match="No such file"):
            read(tmp_path / "missing")
    with pytest.raises(InputError, match="keygen"):
        read_key(None)
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    with pytest.raises(InputError, match="outside every repository"):
        write_key(tmp_path / "repository" / "key")


def test_the_clock_is_not_known_where_no_daemon_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clock_state() == {"known": False, "reason": "neither chronyc nor timedatectl tells"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("NTP=yes\\nNTPSynchronized=no\\n", {"known": True, "source": "timedatectl", "synchronised": False, "service": True}),
        ("nonsense", {"known": False, "reason": "neither chronyc nor timedatectl tells"}),
    ],
)
def test_a_clock_daemon_is_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, expected: dict[str, object]) -> None:
    file = tmp_path / "timedatectl"
    file.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clock_state() == expected


def test_chrony_is_asked_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cells = "C0A80001,192.168.0.1,3,1214472600.1,0.000012,0.000003,0.00001,1.5,0.0,0.1,0.002,0.001,64.2,Normal"
    file = tmp_path / "chronyc"
    file.write_text(f"#!/bin/sh\nprintf '{cells}\\n'\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    state = clock_state()
    assert (state["source"], state["stratum"], state["leap_status"]) == ("chronyc", "3", "Normal")


# Availability


def test_availability_counts_from_the_acceptance_and_names_lines_not_accepted(store: Store) -> None:
    accept_line(store)
    watch(store, LINE, ACCEPTED_AT + INTERVAL, ACCEPTED_AT + 10 * INTERVAL)
    until = ACCEPTED_AT + 10 * INTERVAL
    report = measure_availability(root_workspace(), store, [LINE, OTHER_LINE], None, until, POLL_INTERVAL_S)
    [level] = report.levels
    assert (level.since, level.up, level.verdict) == (ACCEPTED_AT, 10 * INTERVAL, "pass")
    assert (level.down, level.unmeasured) == (timedelta(0), timedelta(0))
    assert (report.not_accepted, report.exit_code) == ((OTHER_LINE,), ExitCode.OK)


def test_a_poller_outage_after_acceptance_is_not_proven_and_not_a_failure(store: Store) -> None:
    accept_line(store)
    until = ACCEPTED_AT + 2 * DAY
    watch(store, LINE, until, until)
    report = measure_availability(root_workspace(), store, [LINE], None, until, POLL_INTERVAL_S)
    assert (report.levels[0].verdict, report.levels[0].down, report.exit_code) == ("not_proven", timedelta(0), ExitCode.NOT_ACCEPTED)


def test_the_orders_own_duty_goes_before_the_default_objective(store: Store) -> None:
    accept_line(store)
    watch(store, LINE, ACCEPTED_AT + INTERVAL, ACCEPTED_AT + INTERVAL)
    duty = AvailabilityDuty(0.99, 30 * DAY, 0.95, Scope(), Source(clause="二(三)"))
    workspace = replace(root_workspace(), order=replace(root_workspace().order, availability=duty))
    [level] = measure_availability(workspace, store, [LINE], None, ACCEPTED_AT + INTERVAL, POLL_INTERVAL_S).levels
    assert (str(level.slo_percent), agreed_policy(workspace, LINE).source.clause) == ("99.0000", "二(三)")
    assert agreed_policy(replace(workspace, order=replace(workspace.order, availability=None)), LINE) == workspace.service


def test_availability_before_any_acceptance_measured_nothing(store: Store) -> None:
    report = measure_availability(root_workspace(), store, [LINE], None, ACCEPTED_AT, POLL_INTERVAL_S)
    assert report.exit_code == ExitCode.NOTHING_MEASURED


# The command line


def test_a_clerk_records_and_reads_a_life(run: Callable[..., tuple[int, str, str]]) -> None:
    add = ("life", "add", LINE, "applied", "--by", "经办", "--document", "申请单", "--at", "2008-04-03")
    assert run(*add)[0] == ExitCode.PENDING
    assert run(*add, "--commit")[0] == ExitCode.OK
    code, out, _ = run("life", LINE, "--format", "json")
    row = json.loads(out)["rows"][0]
    assert (code, row["state"], row["observed"], row["standing"]) == (0, "applied", "2008-04-03 00:00:00", "moved")
    code, out, _ = run("life", "BZWW-*-A-0001", "--format", "json")
    assert (code, json.loads(out)["totals"]) == (0, {"planned": 3, "applied": 1})
    code, _, err = run("life", "add", LINE, "opened", "--by", "经办", "--document", "单", "--at", "yesterday")
    assert (code, "`--at` is no moment" in err) == (ExitCode.INPUT, True)
    code, _, err = run("life", "add", "BZWW-NO", "applied", "--by", "经办", "--document", "单")
    assert (code, "an id or glob of inventory/lines.csv" in err) == (ExitCode.INPUT, True)


def test_a_recorded_decision_keeps_how_the_clock_was_kept(
    run: Callable[..., tuple[int, str, str]], store: Store, tmp_path: Path
) -> None:
    assert run("accept", LINE)[0] == ExitCode.NOT_ACCEPTED
    assert store.audit(None, "poller") == []
    assert run("accept", LINE, "--commit")[0] == ExitCode.NOT_ACCEPTED
    key = write_key(tmp_path / "key")
    now = store.acceptances()[LINE].decided_at
    found = verify(export_evidence(root_workspace(), store, ROOT, LINE, key, occasion(now)), check_signature)
    [entry] = found.content("clock")["recorded"]  # type: ignore[index]
    assert (entry["at"], entry["known"] in (True, False)) == (now.isoformat(), True)


def test_packs_are_made_and_checked_from_the_command_line(
    run: Callable[..., tuple[int, str, str]], store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_line(store)
    key, pack = tmp_path / "signing", tmp_path / "line.pack"
    assert run("evidence", "keygen", str(key))[0] == ExitCode.OK
    assert run("evidence", "export", LINE, "-o", str(pack), "--by", "中心值班员", "--key", str(key))[0] == ExitCode.OK
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.delenv("WAIWANG_ROOT")
    code, out, _ = run("verify", str(pack), "--key", f"{key}.pub")
    assert (code, "0 places altered" in out, f"line {LINE}: pass" in out) == (ExitCode.OK, True, True)
    pack.write_bytes(pack.read_bytes().replace(b'"found":"9496 kbit/s"', b'"found":"9999 kbit/s"'))
    code, out, _ = run("verify", str(pack))
    assert (code, "altered part verdict/rate_down" in out) == (ExitCode.NOT_ACCEPTED, True)
    code, _, err = run("verify", str(tmp_path / "missing"))
    assert (code, "a readable file" in err) == (ExitCode.INPUT, True)
    assert list(elsewhere.iterdir()) == []
