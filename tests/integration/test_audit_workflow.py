"""Audits over saved configurations: what is read, what is not, and the code that a process answers."""

from __future__ import annotations

from pathlib import Path

from app.core.intents import build_intents
from app.edge.templates import read_templates
from app.errors import ExitCode
from app.workflows.audit import audit_configs, audit_separation, read_running
from app.workflows.render import render, write_configs
from tests.golden.render.workspace import full_workspace

ROOT = Path(__file__).parents[2]
WORKSPACE = full_workspace("huawei_ar", switch=True)
INTENTS = build_intents(WORKSPACE)


def saved(folder: Path) -> Path:
    write_configs(folder, render(WORKSPACE, read_templates(ROOT)))
    return folder


def test_configurations_that_break_nothing_answer_zero(tmp_path: Path) -> None:
    audit = audit_configs(read_running(saved(tmp_path), INTENTS), INTENTS)
    assert (audit.exit_code, [breach for result in audit.results for breach in result.breaches]) == (ExitCode.OK, [])


def test_one_breach_answers_four_and_names_its_line(tmp_path: Path) -> None:
    file = saved(tmp_path) / "d01.cfg"
    file.write_text(f"telnet server enable\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    audit = audit_configs(read_running(tmp_path, INTENTS), INTENTS)
    (result,) = [result for result in audit.results if result.breaches]
    assert (audit.exit_code, result.device, result.check.check_id, result.breaches[0].line) == (
        ExitCode.NOT_ACCEPTED,
        "d01",
        "telnet-server",
        1,
    )


def test_a_configuration_that_is_not_there_is_a_reason_and_answers_three(tmp_path: Path) -> None:
    (saved(tmp_path) / "t01.cfg").unlink()
    running = read_running(tmp_path, INTENTS)
    assert list(running.unread) == ["t01"]
    assert "t01.cfg: expected its running configuration; found No such file" in running.unread["t01"]
    assert audit_configs(running, INTENTS).exit_code is ExitCode.DEVICE


def test_nothing_read_never_answers_zero(tmp_path: Path) -> None:
    assert audit_configs(read_running(tmp_path, {}), INTENTS).exit_code is ExitCode.NOTHING_MEASURED
    assert audit_separation(WORKSPACE, read_running(tmp_path, {}), INTENTS).exit_code is ExitCode.NOTHING_MEASURED


def test_separation_without_tables_is_not_proven_and_answers_four(tmp_path: Path) -> None:
    audit = audit_separation(WORKSPACE, read_running(saved(tmp_path), INTENTS), INTENTS)
    assert {proof.verdict for proof in audit.proofs} == {"not_proven"}
    assert audit.exit_code is ExitCode.NOT_ACCEPTED
