"""The command line as a user meets it: exit codes, shapes, streams, words."""

from __future__ import annotations

import csv
import io
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import httpx
import pytest

from app.cli import paper
from app.cli.commands import build_command, load
from app.cli.verbs import VERBS
from app.errors import ExitCode
from tests.samples.command_line import REPOSITORY, CommandLine, copy_small
from tests.samples.server import wait_until

Golden = Callable[[str, str], None]
ESCAPE = "\x1b"
#: Packages that take long to load, for devices, pages and office files.
HEAVY = {"alembic", "annet", "asyncssh", "fastapi", "gufo", "netmiko", "nicegui", "nornir", "openpyxl", "pysnmp", "typst", "uvicorn"}
LEDGER = "ipplan/allocations.csv"


@pytest.fixture
def small(tmp_path: Path) -> CommandLine:
    """A workspace whose plan is an illustration and whose ledger lacks nine rows."""
    return CommandLine(copy_small(tmp_path / "workspace"))


@pytest.fixture
def planned(small: CommandLine) -> CommandLine:
    assert small("plan", "--commit").code == 0
    return small


@pytest.fixture
def assigned(planned: CommandLine) -> CommandLine:
    """A workspace whose plan claims to be assigned; whatever contacts a device is stopped by a missing secret."""
    change(planned, "ipplan/plan.yaml", "illustration: true", "illustration: false")
    return planned


def change(shell: CommandLine, file: str, old: str, new: str) -> None:
    path = shell.place / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Exit codes on paper


def test_check_answers_2_with_its_findings_on_stdout_and_0_without(small: CommandLine) -> None:
    good = small("check")
    assert (good.code, good.err) == (0, "")
    assert good.out.splitlines()[-1].startswith("0 findings · ")
    change(small, "inventory/lines.csv", "L-0002,A-U001,fibre_2m", "L-0002,A-U001,fibre_4m")
    bad = small("check")
    assert (bad.code, bad.err) == (2, "")
    assert bad.out.startswith("error inventory/lines.csv:3: line L-0002: `service_class` points nowhere")
    assert bad.out.splitlines()[-1].startswith("1 finding · 0 notes · ")


def test_plan_answers_5_until_it_is_committed_and_0_after(small: CommandLine) -> None:
    before = files_of(small.place)
    shown = small("plan")
    assert shown.code == 5
    assert "Nothing was written" in shown.out
    assert files_of(small.place) == before
    written = small("plan", "--commit")
    assert written.code == 0
    changed = {name for name, text in files_of(small.place).items() if before.get(name) != text}
    assert LEDGER in changed
    assert {name for name in changed if not name.startswith(LEDGER)} <= {"ipplan/.allocations.csv.lock"}
    again = small("plan", "--commit")
    assert again.code == 0
    assert "0 added" in again.out


def test_a_pool_that_runs_out_answers_2_and_leaves_the_ledger(small: CommandLine) -> None:
    change(small, "ipplan/plan.yaml", "prefix: 59.225.1.0/24, length: 30", "prefix: 59.225.1.0/31, length: 31")
    change(small, "ipplan/plan.yaml", "prefix: 59.225.2.0/24", "prefix: 59.225.2.0/29")
    before = (small.place / LEDGER).read_bytes()
    refused = small("plan", "--commit")
    assert refused.code == 2
    assert refused.out == ""
    assert "nothing was done" in refused.err
    assert (small.place / LEDGER).read_bytes() == before


def test_render_writes_the_bytes_that_it_prints_for_names_and_globs(planned: CommandLine) -> None:
    out = planned.place / "out"
    told = planned("render", "-o", str(out), "A-U00*", "CORE")
    assert (told.code, told.out) == (0, "")
    assert told.err.count("\n") == 1, "a message is one line, however long"
    names = sorted(path.name for path in out.iterdir())
    assert names == ["A-U001-AR.cfg", "A-U001-SW.cfg", "A-U002-AR.cfg", "CORE.activate.cfg", "CORE.cfg"]
    printed = planned("render", "A-U00*", "CORE")
    assert printed.out == "".join((out / f"{name}.cfg").read_text() for name in ("CORE", "A-U001-AR", "A-U001-SW", "A-U002-AR"))
    assert planned("render").out == planned("render", "*").out


def test_render_refuses_a_name_that_matches_nothing_and_a_folder_that_is_a_file(planned: CommandLine) -> None:
    refused = planned("render", "CORE", "A-X*")
    assert (refused.code, refused.out) == (2, "")
    assert "device A-X* is asked for" in refused.err
    (planned.place / "out").write_text("a file", encoding="utf-8")
    refused = planned("render", "-o", "out", "CORE")
    assert refused.code == 2
    assert "error out: texts cannot be written: expected a folder to write in; found File exists." in refused.err
    assert (planned.place / "out").read_text(encoding="utf-8") == "a file"


def test_accept_answers_4_while_lines_are_not_proven(planned: CommandLine) -> None:
    judged = planned("accept", "L-0002", "--format", "json")
    assert judged.code == 4
    assert judged.json["rows"] == [
        {
            "line": "L-0002",
            "verdict": "not_proven",
            "on_time": None,
            "due_on": "2008-06-30",
            "open": ["reachable_from_centre not_proven: not measured", "trial not_proven: nothing was measured"],
        }
    ]


def test_measure_reserved_shows_what_it_would_type_and_answers_5(planned: CommandLine) -> None:
    shown = planned("measure", "reserved", "--format", "json")
    assert shown.code == 5
    assert [(row["device"], row["port"]) for row in shown.json["rows"]] == [
        ("A-AGG", "GigabitEthernet2/0/0"),
        ("CORE", "GigabitEthernet2/0/0"),
    ]
    assert shown.json["rows"][0]["up"] == "interface GigabitEthernet2/0/0 / undo shutdown / quit"


# What is refused, and how it is said


CONTACTS = [
    ("diff",),
    ("deploy",),
    ("deploy", "--commit"),
    ("poll", "--once"),
    ("measure", "reach"),
    ("measure", "rate"),
    ("measure", "reserved", "--commit"),
]


@pytest.mark.parametrize("words", CONTACTS, ids=" ".join)
def test_nothing_of_an_illustration_is_contacted(planned: CommandLine, words: Sequence[str]) -> None:
    refused = planned(*words)
    assert (refused.code, refused.out) == (2, "")
    assert "ipplan/plan.yaml: " in refused.err
    assert "found illustration: true" in refused.err
    assert "Nothing was sent." in refused.err


@pytest.mark.parametrize("words", [words for words in CONTACTS if words != ("measure", "rate")], ids=" ".join)
def test_missing_secrets_are_named_before_anything_is_contacted(assigned: CommandLine, words: Sequence[str]) -> None:
    refused = assigned(*words)
    assert (refused.code, refused.out) == (2, "")
    assert re.search(r"Set WAIWANG_SECRET_(SSH_PASSWORD|SNMP_AUTH), or add", refused.err)


@pytest.mark.parametrize("words", [*CONTACTS, ("check",), ("plan", "--commit"), ("render",), ("accept",), ("serve",)], ids=" ".join)
def test_without_a_workspace_one_sentence_says_so_and_nothing_is_made(tmp_path: Path, words: Sequence[str]) -> None:
    refused = CommandLine(tmp_path)(*words)
    assert refused.code == 2
    assert (refused.out + refused.err).count("error ") == 1
    assert "error .: no workspace is here: expected a directory with inventory/ and ipplan/; found neither." in refused.out + refused.err
    assert list(tmp_path.iterdir()) == []


WRONG_ENVIRONMENT = {
    "WAIWANG_POLL_INTERVAL_S": "often",
    "WAIWANG_SNMP_PORT": "99999",
    "WAIWANG_SSH_PORT": "ssh",
}


def test_every_wrong_variable_is_told_at_once(small: CommandLine, golden: Golden) -> None:
    refused = small("check", **WRONG_ENVIRONMENT)
    assert (refused.code, refused.out) == (2, "")
    golden("command_line/errors/environment.txt", refused.err)


@pytest.mark.parametrize("seconds", ["0", "-5", "nan", "inf", "0.99"])
def test_a_poll_interval_that_is_no_interval_is_refused(small: CommandLine, seconds: str) -> None:
    assert small("check", WAIWANG_POLL_INTERVAL_S=seconds).code == 2
    assert small("check", WAIWANG_POLL_INTERVAL_S="1").code == 0


def test_an_empty_variable_is_one_that_is_not_set(small: CommandLine) -> None:
    assert small("check", WAIWANG_ROOT="", WAIWANG_POLL_INTERVAL_S="", WAIWANG_DATABASE_URL="").code == 0


UNUSABLE = {
    "no_folder": "sqlite:////nonexistent/x.db",
    "no_url": "bogus",
    "no_place_to_write": "sqlite:////proc/x.db",
    "no_driver": "mysql://clerk:geheim@127.0.0.1/x",
}


@pytest.mark.parametrize("url", UNUSABLE.values(), ids=UNUSABLE)
def test_a_database_that_cannot_be_used_is_an_input_error_without_its_password(planned: CommandLine, url: str) -> None:
    refused = planned("accept", WAIWANG_DATABASE_URL=url)
    assert (refused.code, refused.out) == (2, "")
    assert "WAIWANG_DATABASE_URL" in refused.err
    assert "geheim" not in refused.err


def test_a_file_that_is_no_database_is_left_as_it_is(planned: CommandLine) -> None:
    file = planned.place / "notes.txt"
    file.write_text("not a database\n" * 100, encoding="utf-8")
    refused = planned("accept", WAIWANG_DATABASE_URL=f"sqlite:///{file}")
    assert refused.code == 2
    assert "file is not a database" in refused.err
    assert file.read_text(encoding="utf-8") == "not a database\n" * 100


ERRORS: dict[str, tuple[str, ...]] = {
    "unknown_verb": ("depoly",),
    "unknown_option": ("check", "--all"),
    "unknown_format": ("check", "--format", "xml"),
    "unknown_family": ("deploy", "--unsafe", "cisco"),
    "unknown_language": ("render", "--language", "fr"),
    "unknown_line": ("accept", "L-0009", "L-*"),
    "unknown_key": ("deploy", "-F", "colour=red", "-F", "rol=agg"),
    "unknown_device": ("deploy", "A-AG", "CORE"),
    "nothing_selected": ("deploy", "-F", "role=city_core", "A-*"),
    "limit_of_nothing": ("deploy", "--limit", "0"),
    "poll_without_once": ("poll",),
    "too_many_probes": ("measure", "reach", "--count", "100000"),
    "port_out_of_range": ("serve", "--port", "99999"),
    "no_lab_to_test_in": ("measure", "rate"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_wrong_command_is_refused_in_these_words(
    assigned: CommandLine, golden: Golden, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.measure_ground.find_state", lambda: None)
    monkeypatch.setattr("app.cli.measure_ground.guard_all", lambda addresses, *, illustration: None)
    refused = assigned(*ERRORS[name], WAIWANG_SECRET_SSH_PASSWORD="x", WAIWANG_SECRET_SNMP_AUTH="x" * 8, WAIWANG_SECRET_SNMP_PRIV="x" * 8)
    assert (refused.code, refused.out) == (2, "")
    assert "Traceback" not in refused.err
    golden(f"command_line/errors/{name}.txt", refused.err)


def test_a_port_that_is_taken_is_said_once(planned: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = planned("serve", "--port", port)
    assert refused.code == 2
    assert f"error 127.0.0.1:{port}: listen: expected a free address of this machine; found Address already in use. Choose" in refused.err


def test_a_fault_of_this_software_answers_1_in_one_line(small: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault that nobody foresaw")

    monkeypatch.setattr(paper, "run_check", fail)
    ended = small("check")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "internal fault: RuntimeError: a fault that nobody foresaw. WAIWANG_DEBUG=1 shows where; please report it.\n"
    )
    with pytest.raises(RuntimeError, match="nobody foresaw"):
        small("check", WAIWANG_DEBUG="1")


# Shapes and streams


SHAPES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "check": (("check",), ["where", "what", "expected", "found", "next_step", "note"]),
    "plan": (("plan",), ["change", "prefix", "holder", "pool", "vrf"]),
    "accept": (("accept",), ["line", "verdict", "on_time", "due_on", "open"]),
    "measure reserved": (("measure", "reserved"), ["line", "device", "port", "up", "shut"]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_json_and_csv_carry_the_same_rows_under_the_same_keys(planned: CommandLine, name: str) -> None:
    words, keys = SHAPES[name]
    document = planned(*words, "--format", "json").json
    assert set(document) == {"schema_version", "title", "rows", "totals"}
    assert document["schema_version"] == 1
    assert all(list(row) == keys for row in document["rows"])
    assert all(re.fullmatch("[a-z_]+", key) for key in keys)
    heads, *rows = csv.reader(io.StringIO(planned(*words, "--format", "csv").out))
    assert heads == keys
    assert len(rows) == len(document["rows"])


def test_totals_have_blanks_for_people_and_underscores_in_json(planned: CommandLine) -> None:
    words = ("availability", "--format")
    assert planned(*words, "json").json["totals"]["not_accepted"] > 0
    assert "not accepted " in planned(*words, "text").out


def test_the_format_comes_from_the_environment_unless_it_is_given(planned: CommandLine) -> None:
    assert planned("accept", WAIWANG_FORMAT="csv").out.startswith("line,verdict,")
    assert planned("accept", "--format", "json", WAIWANG_FORMAT="csv").out.startswith("{")


def test_the_workspace_comes_from_an_option_before_the_environment(small: CommandLine, tmp_path: Path) -> None:
    elsewhere = CommandLine(tmp_path)
    assert elsewhere("check", "--root", "workspace").code == 0
    assert elsewhere("check", WAIWANG_ROOT="workspace").code == 0
    assert elsewhere("check", "--root", "nowhere", WAIWANG_ROOT="workspace").code == 2


@pytest.mark.parametrize("columns", ["80", "120"])
def test_no_name_is_broken_in_two_by_a_narrow_screen(planned: CommandLine, columns: str) -> None:
    for words in (("accept",), ("measure", "reserved"), ("plan",)):
        text = planned(*words, COLUMNS=columns).out
        assert all(name in text for name in ("L-0001", "not_proven") if words == ("accept",))
        if words == ("measure", "reserved"):
            assert text.count("interface GigabitEthernet2/0/0 / undo shutdown / quit") == 2


def test_the_text_of_a_wide_table_stands_below_its_rows(planned: CommandLine, golden: Golden) -> None:
    golden("command_line/accept.80.txt", planned("accept").out)
    golden("command_line/accept.200.txt", planned("accept", COLUMNS="200").out)
    golden("command_line/reserved.80.txt", planned("measure", "reserved").out)


@pytest.mark.parametrize("words", [("check",), ("plan",), ("accept",), ("bogus",), ("--help",)], ids=" ".join)
def test_what_is_piped_has_no_colour_even_on_a_colourful_terminal_type(planned: CommandLine, words: Sequence[str]) -> None:
    ended = planned(*words, TERM="xterm-256color", COLORTERM="truecolor")
    assert ESCAPE not in ended.out + ended.err


# Help


def commands_of(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands_of(inner, (*path, name))


def every_command() -> dict[str, click.Command]:
    found = {"waiwang": build_command()}
    for verb in VERBS:
        found |= {" ".join(("waiwang", verb.name, *path)): command for path, command in commands_of(load(verb))}
    return found


def test_the_list_of_verbs_says_of_each_what_its_own_help_says() -> None:
    said = {verb.name: " ".join(load(verb).help.split("\n\n")[0].split()) for verb in VERBS}
    assert said == {verb.name: verb.summary for verb in VERBS}


@pytest.mark.parametrize(("words", "unneeded"), [("--help", {"app.core", "app.edge", "pydantic", "yaml"}), ("check", HEAVY)])
def test_a_command_loads_nothing_that_it_does_not_need(small: CommandLine, words: str, unneeded: set[str]) -> None:
    script = (
        "import sys; from app.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
    )
    argv = [sys.executable, "-c", script, words]
    done = subprocess.run(argv, env=small.environment(), cwd=small.place, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout
    assert unneeded & set(done.stderr.split()) == set()


def test_the_help_of_every_verb_reads_like_this_at_80_columns(golden: Golden, tmp_path: Path) -> None:
    """One process prints them all; Typer decides about colour when it is imported."""
    script = (
        "import sys; from app.cli.main import main\n"
        "for words in sys.argv[1:]:\n"
        "    sys.stdout.write(f'$ {words} --help\\n'); sys.stdout.flush(); sys.argv = [*words.split(), '--help']\n"
        "    try: main()\n"
        "    except SystemExit: pass\n"
    )
    names = list(every_command())
    argv, environment = [sys.executable, "-c", script, *names], CommandLine(tmp_path).environment()
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert str(REPOSITORY) not in done.stdout, "help names no path of the machine"
    assert "<bool>" not in done.stdout, "a flag takes no value"
    golden("command_line/help.txt", "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n")


#: Options that are an act or belong to one call; a variable left in the environment must not trigger them.
def test_every_option_with_a_value_can_come_from_the_environment_and_no_flag_can() -> None:
    documented = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    lacking = []
    for name, command in every_command().items():
        for option in command.params:
            long = next((text for text in option.opts if text.startswith("--")), "")
            if not long or getattr(option, "is_flag", False) or long == "--help":
                assert option.envvar is None, f"{name} {long} would be set by {option.envvar}"
                continue
            by_rule = "_".join((*name.split(), long[2:])).replace("-", "_").upper()
            if option.envvar != by_rule and f"`{option.envvar}`" not in documented:
                lacking.append(f"{name} {long}: {option.envvar}")
    assert lacking == []


def test_no_writing_is_ever_asked_for_by_a_variable(small: CommandLine) -> None:
    before = (small.place / LEDGER).read_bytes()
    assert small("plan", WAIWANG_COMMIT="1", WAIWANG_PLAN_COMMIT="true").code == 5
    assert (small.place / LEDGER).read_bytes() == before


# Processes: interruption, full disks


def ended(process: subprocess.Popen[str], seconds: float = 60) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, out, err


def test_ctrl_c_while_everything_is_loaded_leaves_no_traceback(planned: CommandLine, tmp_path: Path) -> None:
    """A part that never ends being loaded stands for all of them."""
    begun = tmp_path / "begun"
    (tmp_path / "typer.py").write_text(f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(600)\n", encoding="utf-8")
    process = planned.start("check", PYTHONPATH=f"{tmp_path}:{REPOSITORY}")
    wait_until(lambda: begun.exists() or process.poll() is not None, 60, "the first part to be loaded")
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert (code, err) == (130, "stopped\n")
    assert out == ""


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}healthz", timeout=60).is_success
    except httpx.TransportError:
        return False


def test_a_server_takes_alerts_with_its_token_and_refuses_one_that_is_too_short(planned: CommandLine) -> None:
    short = planned("serve", "--port", "0", WAIWANG_SECRET_ALERT_TOKEN="short")
    assert short.code == 2
    assert "secret alert_token: token: expected 16 characters or more; found 5. Make one with: openssl rand -hex 32" in short.err
    environ = {**planned.environ, "WAIWANG_SECRET_ALERT_TOKEN": "a-token-of-this-test"}
    process = CommandLine(planned.place, environ).start("serve", "--port", "0")
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(3)]
    assert lines[2] == "alerts are taken at POST /api/v1/alerts\n"
    place = f"{lines[1].split()[1]}api/v1/alerts"
    wait_until(lambda: answers(lines[1].split()[1]), 60, "the server")
    times = {"startsAt": "2008-07-03T10:00:00+08:00", "endsAt": "0001-01-01T00:00:00Z"}
    alert = {"status": "firing", "labels": {"line_id": "none"}, "fingerprint": "ab", **times}
    try:
        with httpx.Client(timeout=60) as client:
            told = {"version": "4", "alerts": [alert]}
            answer = client.post(place, json=told, headers={"authorization": "Bearer a-token-of-this-test"})
            assert answer.json()["outcomes"]["unknown_line"] == 1
            assert client.post(place, json=told).status_code == 401
    finally:
        process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_told_to_stop_stops_with_0(planned: CommandLine, number: signal.Signals) -> None:
    process = planned.start("serve", "--port", "0")
    assert process.stderr is not None
    assert process.stderr.readline() == "the plan is an illustration: shown, not polled\n"
    dashboard, address = process.stderr.readline().split()[:2]
    assert (dashboard, address.partition("127.0.0.1:")[0]) == ("dashboard", "http://")
    assert process.stderr.readline() == "alerts are not taken (WAIWANG_SECRET_ALERT_TOKEN is not set) at POST /api/v1/alerts\n"
    wait_until(lambda: answers(address), 60, "the server")
    process.send_signal(number)
    assert ended(process) == (0, "", "")


def test_a_full_disk_is_said_in_one_line(planned: CommandLine) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from app.cli.main import main; main()", "check", "--format", "json"],
            cwd=planned.place, env=planned.environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == ExitCode.INPUT
    assert done.stderr.startswith("error output: expected what the system lets be read or written; found No space left on device.")
    assert done.stderr.count("\n") == 1
