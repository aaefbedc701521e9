"""The shipped Prometheus files and our metrics, judged by Prometheus's own tool."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from app.web.exposition import write_families
from app.web.metrics import families
from tests.samples.rollout import build_summary

MONITORING = Path(__file__).parents[2] / "monitoring" / "prometheus"


@pytest.fixture(autouse=True)
def promtool(require_program: Callable[..., None]) -> None:
    require_program("promtool")


def run(*arguments: str, text: str | None = None) -> str:
    """Run promtool; fail with what it said unless it exits 0."""
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, timeout=60, check=False, cwd=MONITORING)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_the_rules_are_well_formed() -> None:
    assert "2 rules found" in run("check", "rules", "rules/waiwang.yml")


def test_the_example_configuration_finds_its_rules() -> None:
    assert "1 rule files found" in run("check", "config", "prometheus.example.yml")


def test_the_rules_fire_and_keep_silent_as_told() -> None:
    assert "SUCCESS" in run("test", "rules", "tests/waiwang_test.yml")


def test_a_rule_that_also_counts_unreachable_lines_is_caught(tmp_path: Path) -> None:
    """The rule tests can fail: with the state left out of the expression they do."""
    for name in ("rules", "tests"):
        (tmp_path / name).mkdir()
    rules = (MONITORING / "rules/waiwang.yml").read_text(encoding="utf-8")
    broken = rules.replace('waiwang_line_state{state="down"} == 1', 'waiwang_line_state{state=~"down|unreachable"} == 1')
    assert broken != rules
    (tmp_path / "rules/waiwang.yml").write_text(broken, encoding="utf-8")
    (tmp_path / "tests/waiwang_test.yml").write_text((MONITORING / "tests/waiwang_test.yml").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", "tests/waiwang_test.yml"], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert done.returncode != 0
    assert "a line behind a dead parent" in done.stdout + done.stderr


def test_our_metrics_pass_its_lint() -> None:
    text = write_families(families(build_summary()), generate_latest).decode()
    assert "waiwang_line_state{" in text
    assert run("check", "metrics", text=text) == ""


def test_the_alertmanager_configuration_is_well_formed(require_program: Callable[..., None]) -> None:
    require_program("amtool")
    file = MONITORING.parent / "alertmanager" / "alertmanager.yml"
    done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 receivers" in done.stdout
