"""What an engineer reads in a terminal: tables that fit, moments with their offset, terms, next steps, completion."""

from __future__ import annotations

import json
import os
import pty
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from app.cli.output import Format, Table, show
from app.cli.plain import plain
from app.core.document import Document, Grid
from app.edge.database.store import Store
from app.workflows.faults import FaultDesk, outage_by_hand
from tests.samples.accepted_line import LINE, root_workspace
from tests.samples.command_line import REPOSITORY, CommandLine, copy_small

Golden = Callable[[str, str], None]
NOW = datetime(2008, 6, 20, 4, 30, 15, 999_999, tzinfo=UTC)


@pytest.fixture
def planned(tmp_path: Path) -> CommandLine:
    shell = CommandLine(copy_small(tmp_path / "workspace"))
    assert shell("plan", "--commit").code == 0
    return shell


@pytest.fixture
def root(tmp_path: Path) -> Iterator[tuple[CommandLine, Store]]:
    """The root workspace with a database of its own."""
    url = f"sqlite:///{tmp_path / 'waiwang.db'}"
    store = Store.open(url)
    yield CommandLine(REPOSITORY, {"WAIWANG_DATABASE_URL": url}), store
    store.close()


# Tables


WIDE = Table(
    "wide",
    ("line", "state", "share", "handed", "unit", "reason"),
    [("BZWW-1", "up", 1.25, None, "巴中市人民政府办公室", "both ports are up"), ("BZWW-10", "down", 10, "2008-07-03", "平昌县", None)],
    {"lines": 2},
    ("reason",),
)


@pytest.mark.parametrize("columns", [24, 46, 64, 120])
def test_columns_that_find_no_room_stand_below_their_row_and_none_is_lost(
    columns: int, golden: Golden, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    show(WIDE, Format.text)
    text = capsys.readouterr().out
    assert all(str(cell) in text for row in WIDE.rows for cell in row if isinstance(cell, str))
    golden(f"command_line/wide.{columns}.txt", text)


def test_a_column_of_a_table_is_a_key_of_its_json() -> None:
    with pytest.raises(ValueError, match="'of whom' is no key"):
        Table("events", ("of whom",), [], {})


def test_a_table_of_a_report_fits_the_screen_and_keeps_every_cell() -> None:
    rows = (("1", "巴州区人民政府", "6720", "提供商"), ("2", "县", "1", "—"))
    grid = Grid("表", ("序号", "单位", "逾期（天）", "责任方"), rows, (1, 3, 1, 1), "llrl")
    document = Document("zh", "report", "逾期线路清单", "", "", "", (grid,))
    wide, narrow = plain(document), plain(document, 30)
    assert plain(document, 80) == wide
    assert "    逾期（天）：6720；责任方：提供商\n" in narrow
    assert narrow.endswith("2     县\n    逾期（天）：1\n"), "an empty cell is left out"
    assert max(map(cell_len, narrow.splitlines())) <= max(30, cell_len("    逾期（天）：6720；责任方：提供商"))


def test_faults_read_well_at_80_and_120_columns(root: tuple[CommandLine, Store], golden: Golden) -> None:
    shell, store = root
    desk, began = FaultDesk(root_workspace(), store), datetime.now(UTC) - timedelta(minutes=90)
    desk.open_by_hand(outage_by_hand(LINE, began, "值班员", "电话报障"), commit=True, now=began)
    for columns in ("80", "120"):
        text = shell("fault", "list", COLUMNS=columns).out
        assert max(map(cell_len, text.splitlines())) <= int(columns)
        masked = re.sub(r"\d{8}", "YYYYMMDD", re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "YYYY-MM-DD HH:MM:SS", text))
        # minutes since, to one decimal and to the right: 90, 90.1 … however long the commands take
        golden(f"command_line/faults.{columns}.txt", re.sub(r" +9\d(\.\d)?\b", lambda found: "90".rjust(len(found[0])), masked))


@pytest.mark.parametrize("words", [("plan",), ("report", "deadlines")], ids=" ".join)
def test_a_plan_and_a_report_fit_80_columns(words: tuple[str, ...], root: tuple[CommandLine, Store]) -> None:
    tables = [line for line in root[0](*words).out.splitlines() if "  " in line]
    assert tables
    assert max(map(cell_len, tables)) <= 80


def test_a_screen_breaks_messages_between_words_and_a_pipe_not_at_all(planned: CommandLine) -> None:
    command = ["-c", "from app.cli.main import main; main()", "accept", "L-0009"]
    lead, end = pty.openpty()
    python = [str(REPOSITORY / ".venv" / "bin" / "python"), *command]
    environment = planned.environment(TERM="dumb")
    with subprocess.Popen(python, cwd=planned.place, env=environment, stdout=end, stderr=end, stdin=end) as process:
        os.close(end)
        shown = b""
        while chunk := _read(lead):
            shown += chunk
    os.close(lead)
    assert process.returncode == 2
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown.decode()).replace("\r", "").splitlines()
    assert max(map(len, lines)) <= 80
    piped = planned("accept", "L-0009").err
    assert piped.count("\n") == 2
    assert " ".join(" ".join(lines).split()) == " ".join(piped.split())


def _read(lead: int) -> bytes:
    """Return what a terminal shows next; nothing once its process has ended."""
    try:
        return os.read(lead, 4096)
    except OSError:
        return b""


# Words


def test_nobody_calls_a_carrier_by_another_name_than_the_orders_do() -> None:
    places = [*(REPOSITORY / "app").rglob("*.py"), *(REPOSITORY / "templates").rglob("*.j2"), REPOSITORY / "README.md"]
    former = {"app/core/heads.py", "app/core/worksheet.py"}  # heads of sheets that come in
    said = {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8") for path in places}
    assert [name for name, text in said.items() if "承建企业" in text or ("运营商" in text and name not in former)] == []


def test_moments_of_messages_and_tables_carry_the_offset_of_the_orders_clock(planned: CommandLine) -> None:
    refused = planned("life", "add", "L-0001", "applied", "--by", "经办", "--document", "申请", "--at", "2999-01-01")
    assert refused.code == 2
    assert re.search(r"expected up to \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+08:00; found 2999-01-01 00:00:00\+08:00\.", refused.err)
    told = ("--by", "经办", "--document", "申请", "--at", "2008-04-03T09:00", "--format", "json")
    taken = planned("life", "add", "L-0001", "applied", *told)
    assert taken.json["rows"][0]["observed"] == "2008-04-03 09:00:00+08:00"


def test_a_step_that_came_before_is_asked_for_its_moment(planned: CommandLine) -> None:
    entered = ("--by", "经办", "--document", "x", "--commit")
    assert planned("life", "add", "L-0001", "applied", "--at", "2008-04-03", *entered).code == 0
    assert planned("life", "add", "L-0001", "approved", "--at", "2008-04-05", *entered).code == 0
    late = planned("life", "add", "L-0001", "applied", "--at", "2008-04-06", *entered)
    assert "applied cannot follow approved" in late.err
    assert "Say with --at when it happened, if it was before the line came to be approved." in late.err


def test_an_id_that_is_none_is_answered_with_those_that_there_are(planned: CommandLine) -> None:
    known = CommandLine(REPOSITORY / "examples" / "barkol-2013", {"WAIWANG_DATABASE_URL": f"sqlite:///{planned.place / 'b.db'}"})
    assert "expected one of telecom, county_centre; found `nobody`" in known("report", "organisation", "nobody").err
    none = planned("report", "organisation", "nobody").err
    assert "the order has no organisation: expected an entry of inventory/order.yaml; found none." in none


def test_a_pack_that_is_none_is_one_place_altered(planned: CommandLine) -> None:
    (planned.place / "x.pack").write_text("no pack", encoding="utf-8")
    looked = planned("verify", "x.pack")
    assert (looked.code, "1 place altered · 0 parts" in looked.out) == (4, True)


# Files and databases


def test_a_database_of_somebody_else_is_left_as_it_is(planned: CommandLine) -> None:
    file = planned.place / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE ledger (amount INTEGER)")
    before = file.read_bytes()
    refused = planned("accept", WAIWANG_DATABASE_URL=f"sqlite:///{file}")
    assert (refused.code, refused.out) == (2, "")
    assert "expected an empty database, or one of waiwang; found tables of something else (ledger). Nothing was changed." in refused.err
    with sqlite3.connect(file) as other:
        assert [name for (name,) in other.execute("SELECT name FROM sqlite_master")] == ["ledger"]
    assert len(before) == file.stat().st_size


def test_a_file_that_the_command_line_names_is_told_by_the_path_that_was_given(planned: CommandLine) -> None:
    for words in (("measure", "import"), ("event", "import")):
        refused = planned(*words, "/nowhere/run.csv")
        assert refused.code == 2
        told = refused.out + refused.err
        assert "error /nowhere/run.csv: file is missing: expected a readable file; found nothing there. Check its name and place." in told


def test_an_audit_of_a_folder_that_is_none_says_so_once(planned: CommandLine) -> None:
    refused = planned("audit", "config", "--from", "nowhere")
    assert (refused.code, refused.out) == (2, "")
    assert "error nowhere: saved configurations: expected a folder; found nothing there." in refused.err


def test_an_audit_of_an_illustration_is_refused_before_secrets_are_asked_for(planned: CommandLine) -> None:
    for kind in ("addresses", "config", "separation"):
        assert "found illustration: true" in planned("audit", kind).err


# Completion


@pytest.mark.parametrize(
    ("typed", "words"),
    [("waiwang pl", ["plan"]), ("waiwang fault l", ["list"]), ("waiwang report progress --la", ["--language"])],
)
def test_a_shell_completes_verbs_and_options(typed: str, words: list[str], planned: CommandLine) -> None:
    assert "complete -o default -F _waiwang_completion waiwang" in planned("completion", "bash").out
    asked = {"_WAIWANG_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    assert planned(**asked).out.split() == words


def test_json_of_every_listing_has_keys_in_lower_case(planned: CommandLine) -> None:
    for words in (("event", "kinds"), ("report", "circular"), ("fault", "list"), ("window", "list"), ("life",), ("confirm",)):
        text = planned(*words, "--format", "json").out
        rows = json.loads(text)["rows"]
        assert all(re.fullmatch("[a-z_]+", key) for row in rows for key in row), words
