"""waiwang audit: what devices really hold, against plan, baseline and isolation. Reads only."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Context, Form, Limit, Names, Root, Terms, leave, open_context
from app.cli.devices import Workers, chosen_devices, progress_bar
from app.cli.output import Format, Table, show, stderr, stdout, tell
from app.core.acceptance import FAIL
from app.core.address_audit import KINDS
from app.core.audit_reports import proofs_to_junit, proofs_to_sarif, to_junit, to_sarif
from app.core.config_audit import CheckResult, count_verdicts
from app.core.separation import KINDS as KINDS_OF_TABLES
from app.core.separation import Proof
from app.workflows.address_audit import addresses as run_addresses
from app.workflows.audit import RunningTexts, audit_configs, fetch_running, read_running
from app.workflows.audit import audit_separation as run_separation
from app.workflows.diff import refuse_illustration
from app.workflows.hosts import open_gateway

HELP = "What devices really hold, against plan, baseline and isolation. Nothing is written."
app = typer.Typer(name="audit", help=HELP, no_args_is_help=True)
SHOWN_EXHIBITS = 20

From = Annotated[Path | None, typer.Option("--from", help="folder of saved configurations NAME.cfg; without it, devices are asked")]


class AuditFormat(StrEnum):
    text = "text"
    json = "json"
    csv = "csv"
    sarif = "sarif"
    junit = "junit"


Reported = Annotated[AuditFormat, typer.Option("--format", envvar="WAIWANG_FORMAT", help="how to print")]


@app.command()
def addresses(
    names: Names = None, root: Root = None, terms: Terms = None, limit: Limit = None, form: Form = Format.text, workers: Workers = 20
) -> None:
    """Name every address outside its slice, every overlap, every address and route that nobody holds. Exits 4 with findings."""
    context = open_context(root)
    refuse_illustration("audit", illustration=context.workspace.plan.illustration)
    chosen = chosen_devices(context, names, terms, limit, workers)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    with progress_bar("audit", len(chosen.inventory.hosts)) as step:
        report = run_addresses(chosen, context.workspace, context.intents, gateway, progress=step)
    rows = [
        (", ".join(one.kinds), one.unit or None, one.device, one.interface or None, one.found, one.expected, one.detail)
        for one in report.findings
    ]
    counted = Counter(kind for one in report.findings for kind in one.kinds)
    totals: dict[str, int | str] = {"devices read": report.read, "not read": len(report.failures), "findings": len(rows)}
    totals |= {kind: counted[kind] for kind in KINDS if counted[kind]}
    show(Table("audit addresses", ("kind", "unit", "device", "interface", "found", "expected", "detail"), rows, totals), form)
    for row in report.failures:
        tell(f"{row.device} {row.result}: {row.reason}")
    leave(report.exit_code)


@app.command()
def config(
    names: Names = None,
    root: Root = None,
    terms: Terms = None,
    limit: Limit = None,
    folder: From = None,
    form: Reported = AuditFormat.text,
    workers: Workers = 20,
) -> None:
    """Hold running configurations against the baseline, line by line. Exit 4 with findings."""
    context = open_context(root)
    running = _running(context, names, terms, limit, folder, workers)
    audit = audit_configs(running, context.intents)
    match form:
        case AuditFormat.sarif:
            sys.stdout.write(to_sarif(audit.results, audit.unread))
        case AuditFormat.junit:
            sys.stdout.write(to_junit(audit.results, audit.unread))
        case _:
            _show_breaches(audit.results, len(running.texts), Format(form.value))
    _show_unread(running)
    leave(audit.exit_code)


@app.command()
def separation(
    names: Names = None,
    root: Root = None,
    terms: Terms = None,
    limit: Limit = None,
    folder: From = None,
    form: Reported = AuditFormat.text,
    workers: Workers = 20,
) -> None:
    """Prove that the network is apart from the inner network, with one exit and nothing of anybody's own. Exit 4 unless all pass."""
    context = open_context(root)
    running = _running(context, names, terms, limit, folder, workers, KINDS_OF_TABLES)
    audit = run_separation(context.workspace, running, context.intents)
    match form:
        case AuditFormat.sarif:
            sys.stdout.write(proofs_to_sarif(audit.proofs, audit.unread))
        case AuditFormat.junit:
            sys.stdout.write(proofs_to_junit(audit.proofs, audit.unread))
        case _:
            _show_proofs(audit.proofs, Format(form.value))
    _show_unread(running)
    leave(audit.exit_code)


def _show_proofs(proofs: Sequence[Proof], form: Format) -> None:
    rows = [row for proof in proofs for row in _proof_rows(proof, limited=form is Format.text)]
    totals = {verdict: sum(proof.verdict == verdict for proof in proofs) for verdict in ("pass", "fail", "not_proven")}
    if form is not Format.text:
        show(Table("audit separation", ("proof", "clause", "verdict", "where", "line"), rows, totals), form)
        return
    for proof, clause, verdict, where, line in rows:
        stdout().print(f"{verdict:10} {proof} ({clause}): {where} {line}".rstrip(), markup=False, soft_wrap=True)
    stdout().print(" · ".join(f"{name} {number}" for name, number in totals.items()), soft_wrap=True)


def _running(
    context: Context,
    names: Sequence[str] | None,
    terms: Sequence[str] | None,
    limit: int | None,
    folder: Path | None,
    workers: int,
    kinds: tuple[str, ...] = (),
) -> RunningTexts:
    chosen = chosen_devices(context, names, terms, limit, workers)
    if folder is not None:
        return read_running(folder, chosen.inventory.hosts)
    refuse_illustration("audit", illustration=context.workspace.plan.illustration)
    gateway = open_gateway(context.workspace.plan, context.settings, context.environ)
    with progress_bar("audit", len(chosen.inventory.hosts)) as step:
        return fetch_running(chosen, context.intents, gateway, kinds=kinds, progress=step)


def _show_breaches(results: Sequence[CheckResult], devices: int, form: Format) -> None:
    rows = [
        (result.device, breach.line or None, check.level, check.check_id, check.title_zh, breach.found, check.next_step)
        for result in results
        for check in (result.check,)
        if result.verdict == FAIL
        for breach in result.breaches
    ]
    totals = {"devices": devices, **count_verdicts(results), "findings": len(rows)}
    if form is Format.text:
        for device, line, level, check, title, found, step in rows:
            place = f"{device}.cfg:{line}" if line else f"{device}.cfg"
            stdout().print(f"{level:7} {place}: {check} {title}: {found}. {step}", markup=False, soft_wrap=True)
        stdout().print(" · ".join(f"{name} {number}" for name, number in totals.items()), soft_wrap=True)
        return
    show(Table("audit config", ("device", "line", "level", "check", "title", "found", "next_step"), rows, totals), form)


def _proof_rows(proof: Proof, *, limited: bool) -> list[tuple[str, str, str, str, str]]:
    """Return the proof's exhibits, and what was not seen; at most twenty of each for a reader."""
    shown = [(f"{one.device} {one.source}:{one.line}", one.text) for one in proof.exhibits]
    unseen = [(one, "not read") for one in proof.unseen]
    if limited:
        shown, unseen = _limited(shown), _limited(unseen)
    rows = [*shown, *unseen] or [("", "")]
    return [(f"{proof.proof_id} {proof.title_zh}", proof.clause, proof.verdict, where, line) for where, line in rows]


def _limited(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    hidden = len(rows) - SHOWN_EXHIBITS
    return [*rows[:SHOWN_EXHIBITS], ("…", f"{hidden} more: --format json")] if hidden > 0 else rows


def _show_unread(running: RunningTexts) -> None:
    for device, reason in running.unread.items():
        stderr().print(f"{device}: {reason}", markup=False, soft_wrap=True)
