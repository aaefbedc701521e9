"""The demo's own checks: they look at a real server, and each of them can fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import demo
from app.cli.demo import Outcome, on_paper
from tests.samples.command_line import copy_small
from tests.samples.rollout import FixedReader, build_summary
from tests.samples.server import serve


@pytest.fixture
def reader() -> FixedReader:
    return FixedReader(build_summary())


@pytest.fixture
def url(reader: FixedReader) -> Iterator[str]:
    with serve(reader) as address:
        yield address


def test_an_outcome_without_checks_has_not_passed(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome()
    assert not outcome.passed
    outcome.add("one", True, "seen")
    assert outcome.passed
    outcome.add("two", False, "missing")
    outcome.add("three", True)
    assert not outcome.passed, "one check that fails is enough"
    assert capsys.readouterr().out == "  ok  one: seen\n  FAILED  two: missing\n  ok  three\n"


def test_a_stage_fails_by_another_exit_code_than_the_one_that_is_right_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The four commands on paper, as processes: a workspace in order, then one whose lines name an unknown class."""
    root = copy_small(tmp_path / "workspace")
    good = Outcome()
    on_paper(root, good)
    assert good.passed, good.checks
    assert [name for name, _, _ in good.checks] == [
        "waiwang check",
        "waiwang plan --commit",
        "waiwang render -o",
        "waiwang render --bootstrap -o",
        "configurations written",
    ]
    assert sorted(path.name for path in (tmp_path / "configurations").glob("*.cfg")) == [
        "A-AGG.activate.cfg",
        "A-AGG.cfg",
        "A-U001-AR.cfg",
        "A-U001-SW.cfg",
        "A-U002-AR.cfg",
        "CORE.activate.cfg",
        "CORE.cfg",
    ]

    lines = root / "inventory" / "lines.csv"
    lines.write_text(lines.read_text(encoding="utf-8").replace("fibre_2m", "fibre_3m"), encoding="utf-8")
    bad = Outcome()
    on_paper(root, bad)
    assert not bad.passed
    assert bad.checks[0] == ("waiwang check", False, "exit 2, 0 is right here")
    assert "`service_class` points nowhere" in capfd.readouterr().out


def test_the_page_and_the_metrics_are_looked_at_for_real(url: str) -> None:
    assert demo._page_is_there(url)
    up = sum(line.state == "up" for line in build_summary().lines)
    assert demo._metrics_agree(url) == (True, f"{up} lines up in both")


def test_metrics_that_disagree_with_the_api_are_told_with_both_numbers(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    up = sum(line.state == "up" for line in build_summary().lines)
    monkeypatch.setattr(demo, "_lines", lambda address: [{"state": "up"}] * (up + 1))
    assert demo._metrics_agree(url) == (False, f"{up} up in the metrics, {up + 1} by the API")


def test_waiting_ends_when_the_lines_are_as_wanted(url: str) -> None:
    name, holds, found = demo._wait_for(url, "lines", lambda lines: len(lines) == len(build_summary().lines))
    assert (name, holds) == ("lines", True)
    assert found.startswith("seen after ")


def test_waiting_in_vain_says_how_the_lines_stood(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SEEN_WITHIN_S", 0.1)
    name, holds, found = demo._wait_for(url, "never", lambda lines: False)
    assert (name, holds) == ("never", False)
    first = sorted(build_summary().lines, key=lambda line: line.line_id)[0]
    assert f"{first.line_id} {first.state} {first.due}" in found


def test_only_primary_lines_must_be_accepted() -> None:
    rows = [{"role": "primary", "due": "accepted"}, {"role": "backup", "due": "no_deadline"}]
    assert demo._all_accepted(rows)
    assert not demo._all_accepted([*rows, {"role": "primary", "due": "accepted_late"}])


def test_the_sample_has_lines_in_more_than_one_state() -> None:
    """Else the comparison of metrics and API above would prove nothing."""
    summary = build_summary()
    assert len({line.state for line in summary.lines}) == 4
