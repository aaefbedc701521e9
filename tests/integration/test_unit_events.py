"""Reports of units through the doors: a table or one entry in, every rejected row named, the database append-only, the summary moved."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from openpyxl import Workbook

from app.core.events import UnitEvent
from app.core.milestone_view import MilestoneView
from app.edge.database.migrate import MIGRATIONS
from app.edge.database.store import Store
from app.errors import ExitCode, InputError, StoreError
from app.workflows.accept import accept
from app.workflows.events import EventReport, add_event, import_events
from app.workflows.summary import read_summary
from tests.samples.orders import BARKOL, BAZHONG, civil, read

NOW = datetime(2008, 4, 25, tzinfo=UTC)
GOOD = "BZQ-GOV,fee_and_seal_received,2008-04-18,政府办公文交换员,收据001\n"
TABLE = f"""subject,event,observed_on,by_role,document
{GOOD}TJ-GOV,fee_and_seal_received,2008-04-21,政府办公文交换员,收据002
TJ-GOVV,fee_and_seal_received,2008-04-20,政府办公文交换员,收据003
NJ-GOV,fee_and_seal_received,2008-4-19,政府办公文交换员,收据004
PC-GOV,fees,2008-04-19,政府办公文交换员,收据005
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'waiwang.db'}")
    yield opened
    opened.close()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "fees.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def load(store: Store, path: Path, *, commit: bool = True, skip_rejected: bool = False) -> EventReport:
    return import_events(read(BAZHONG), store, path, commit=commit, skip_rejected=skip_rejected, now=NOW)


def fees(store: Store) -> MilestoneView:
    summary = read_summary(read(BAZHONG), store, NOW)
    return next(each for each in summary.milestones if each.milestone_id == "fees_county")


def event(**changes: object) -> UnitEvent:
    zone = read(BAZHONG).order.timezone
    at = datetime(2008, 4, 18, tzinfo=zone)
    base = UnitEvent("BZQ-GOV", "fee_and_seal_received", at, NOW, "政府办公文交换员", "收据001")
    return replace(base, **changes)  # type: ignore[arg-type]  # fields by name


def test_what_is_written_comes_back_in_the_order_of_recording(store: Store) -> None:
    rows = [event(), event(subject="TJ-GOV", amount=2.5), event(holds=False)]
    store.write_events(rows[:2])
    store.write_events(rows[2:])
    assert store.events() == rows
    assert store.events("TJ-GOV") == rows[1:2]


@pytest.mark.parametrize("statement", ["UPDATE unit_event SET document = 'x'", "DELETE FROM unit_event"])
def test_a_report_is_never_rewritten(store: Store, tmp_path: Path, statement: str) -> None:
    store.write_events([event()])
    connection = sqlite3.connect(tmp_path / "waiwang.db")
    with pytest.raises(sqlite3.IntegrityError, match="unit_event is append-only"):
        connection.execute(statement)
    connection.close()


def test_a_database_of_the_first_version_gets_the_table_and_keeps_what_it_has(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO audit (at, actor, verb, subject, detail) VALUES (0, 'a', 'v', 's', '{}')")
    engine.dispose()
    store = Store.open(url)
    assert store.events() == []
    store.write_events([event()])
    assert len(store.audit()) == 1
    store.close()


def test_rows_that_fail_in_the_database_leave_nothing_behind(store: Store) -> None:
    broken = event(observed_at=datetime(2008, 4, 18))  # noqa: DTZ001  # a naive moment is what must be refused
    with pytest.raises(StoreError):
        store.write_events([event(), broken])
    assert store.events() == []


def test_every_rejected_row_is_named_and_nothing_is_written(store: Store, table: Path, golden: Callable[[str, str], None]) -> None:
    report = load(store, table, commit=False)
    golden("events/import.txt", "".join(f"{finding}\n" for finding in report.rejected))
    assert (len(report.new), report.rows, report.exit_code) == (2, 5, ExitCode.INPUT)
    with pytest.raises(InputError) as refusal:
        load(store, table)
    assert refusal.value.findings == report.rejected
    assert store.events() == []


def test_good_rows_are_written_beside_rejected_ones_only_when_told_so(store: Store, table: Path) -> None:
    assert fees(store).state == "not_measured"
    report = load(store, table, skip_rejected=True)
    assert (len(report.new), report.exit_code) == (2, ExitCode.INPUT)
    assert [row.subject for row in store.events()] == ["BZQ-GOV", "TJ-GOV"]
    found = fees(store)
    assert (found.state, found.done, found.total) == ("late", 2, 4)


def test_a_table_read_twice_adds_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("subject,event,observed_on,by_role,document\n" + GOOD, encoding="utf-8")
    assert load(store, path).exit_code is ExitCode.OK
    again = load(store, path)
    assert (again.new, again.known, again.exit_code) == ((), 1, ExitCode.OK)
    assert len(store.events()) == 1


def test_an_office_sheet_with_chinese_heads_and_real_dates_is_read(store: Store, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["对象", "事项", "发生日期", "登记角色", "依据文件", "撤回"])
    sheet.append(["BZQ-GOV", "fee_and_seal_received", datetime(2008, 4, 18), "政府办公文交换员", "收据,001", "否"])  # noqa: DTZ001  # as Excel keeps it
    sheet.append([None, None, None, None, None, None])
    sheet.append(["region:511902", "portal_content_points", "2008-04-20", "信息科", "评分表", None])
    book.save(tmp_path / "fees.xlsx")
    assert load(store, tmp_path / "fees.xlsx").exit_code is ExitCode.OK
    assert [(row.subject, row.document, row.observed_at) for row in store.events()] == [
        ("BZQ-GOV", "收据,001", datetime(2008, 4, 17, 16, tzinfo=UTC)),
        ("region:511902", "评分表", datetime(2008, 4, 19, 16, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("missing.csv", None, "missing.csv: file is missing"),
        ("gbk.csv", "对象,事项".encode("gbk"), "gbk.csv:1: text is not UTF-8"),
        ("head.csv", b"subject,event,day\n", "head.csv:1: unknown column `day`"),
        ("text.xlsx", b"subject,event", "text.xlsx: file is no workbook"),
        ("none.xlsx", None, "none.xlsx: file is missing"),
    ],
)
def test_a_table_that_cannot_be_read_is_said_in_words(store: Store, tmp_path: Path, name: str, text: bytes | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_bytes(text)
    with pytest.raises(InputError) as refusal:
        load(store, tmp_path / name)
    assert said in str(refusal.value)


def test_a_report_that_was_wrong_is_taken_back_and_the_milestone_moves_back(store: Store) -> None:
    bazhong = read(BAZHONG)
    add_event(bazhong, store, event(), commit=True, now=NOW)
    assert fees(store).done == 1
    later = NOW + timedelta(hours=1)
    add_event(bazhong, store, event(holds=False, recorded_at=later), commit=True, now=later)
    found = fees(store)
    assert (found.done, found.total, found.state) == (0, 4, "late")
    assert len(store.events()) == 2


@pytest.mark.requirement("BL-1")
def test_accepting_a_line_waits_for_its_switch(store: Store) -> None:
    barkol = read(BARKOL)
    now = civil(barkol, 2013, 6, 1)
    line = next(line.line_id for line in barkol.inventory.lines.values() if line.unit_id == "D03")
    for verdict in ("not_proven", "pass"):
        [decision] = accept(barkol, store, [line], commit=True, poll_interval_s=60, now=now).decided
        readiness = next(result for result in decision.results if result.kind == "readiness")
        assert (readiness.required, readiness.verdict) == (True, verdict)
        assert decision.verdict == "not_proven", "nothing was measured yet"
        switch = UnitEvent("D03", "switch_in_place", now, now, "信息员", "现场照片")
        add_event(barkol, store, switch, commit=True, now=now)


def waiwang(tmp_path: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "WAIWANG_DATABASE_URL": f"sqlite:///{tmp_path / 'cli.db'}", "PYTHONPATH": str(BAZHONG), "COLUMNS": "160"}
    command = [sys.executable, "-c", "from app.cli.main import main; main()", *argv, "--root", str(BAZHONG)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def test_the_command_line_records_lists_and_scores(tmp_path: Path) -> None:
    said = ("--on", "2008-04-18", "--by", "信息科", "--document", "采用统计表", "--amount", "35")
    add = ("event", "add", "region:511902", "quota_points", *said)
    shown = waiwang(tmp_path, *add)
    assert (shown.returncode, "pending" in shown.stdout) == (ExitCode.PENDING, True)
    assert waiwang(tmp_path, *add, "--commit").returncode == ExitCode.OK
    listed = waiwang(tmp_path, "event", "list", "--subject", "region:511902", "--format", "csv").stdout
    assert listed.splitlines()[1:] == ["region:511902,quota_points,2008-04-18,信息科,采用统计表,35,holds"]
    scores = waiwang(tmp_path, "report", "scores", "information_work", "--subject", "region:511902", "--language", "en")
    assert (scores.returncode, "35 by 采用统计表: 70 × 0.5 = 35" in scores.stdout) == (ExitCode.OK, True)
    wrong = waiwang(tmp_path, "event", "add", "BZQ-GOV", "fee", "--on", "18.4.2008", "--by", "x", "--document", "y")
    assert (wrong.returncode, wrong.stdout) == (ExitCode.INPUT, "")
    assert "`--on` is no day: expected a date such as 2008-04-18; found 18.4.2008" in wrong.stderr
    unknown = waiwang(tmp_path, "report", "scores", "e_goverment")
    assert (unknown.returncode, "Did you mean `e_government`?" in unknown.stderr) == (ExitCode.INPUT, True)
    circular = waiwang(tmp_path, "report", "circular", "--format", "json")
    assert (circular.returncode, '"late"' in circular.stdout) == (ExitCode.DEADLINE, True)
