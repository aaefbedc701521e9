"""Commands that watch and judge: poll, accept, serve."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Context, Form, Root, leave, now, open_context
from app.cli.lines import AsOf, Lines, chosen_lines, parse_as_of
from app.cli.output import Format, Table, show, show_findings, tell
from app.core.acceptance import PASS, Acceptance
from app.core.moments import on_the_clock
from app.edge.provenance import clock_state
from app.edge.signing import read_key
from app.edge.tls import open_tls
from app.workflows.accept import accept as run_accept
from app.workflows.deadlines import keep_deadlines
from app.workflows.evidence import CLOCK_VERB, POLLER
from app.workflows.faults import FaultDesk
from app.workflows.poll import Poller, open_poller
from app.workflows.poll_report import CycleReport, PollRow


def poll(
    root: Root = None,
    form: Form = Format.text,
    once: Annotated[bool, typer.Option("--once", help="one cycle; the schedule is part of waiwang serve")] = False,
) -> None:
    """Ask every device once and show every line."""
    if not once:
        raise typer.BadParameter("give --once; to poll on schedule run waiwang serve", param_hint="--once")
    context = open_context(root)
    show_moved_deadlines(context)
    poller = _open_poller(context)
    report = asyncio.run(poller.cycle(now))
    poller.close()
    for event in FaultDesk(context.workspace, context.store).look(now()):
        tell(f"{event.fault_id} {event.kind}: {event.line_id} ({event.document})")
    _show_cycle(report, form)
    leave(report.exit_code)


def show_moved_deadlines(context: Context) -> None:
    """Keep the deadlines that are worked by; tell those that moved without an entry in the log, and go on looking at lines."""
    for finding in keep_deadlines(context.workspace, context.store, now()):
        tell(f"error {finding}", "bold red")


def _open_poller(context: Context) -> Poller:
    return open_poller(context.workspace, context.intents, context.store, context.settings, context.environ)


def _show_cycle(report: CycleReport, form: Format) -> None:
    if form is Format.text and report.findings:
        show_findings(report.findings, form, title="poll")
    rows = [
        (row.line_id, row.state, row.behind, _rate(row.down_bps), _rate(row.up_bps), row.in_errors, row.out_errors, _reason(row, form))
        for row in report.rows()
    ]
    totals = {state: number for state in ("up", "down", "unreachable", "unknown") if (number := sum(r[1] == state for r in rows))}
    silent = [device.device for device in report.devices if device.answer != "answered"]
    columns = ("line", "state", "behind", "down_kbps", "up_kbps", "in_errors", "out_errors", "reason")
    show(Table("poll", columns, rows, {**totals, "devices": len(report.devices), "without answer": len(silent)}, ("reason",)), form)


def _reason(row: PollRow, form: Format) -> str | None:
    """Return why a line is in its state; a reader is spared the reason of the many that are up."""
    return None if form is Format.text and row.state == "up" else row.reason


def _rate(bps: float | None) -> float | None:
    return None if bps is None else round(bps / 1000, 1)


def accept(lines: Lines = None, root: Root = None, form: Form = Format.text, commit: Commit = False, as_of: AsOf = None) -> None:
    """Judge lines against the order; --commit records the decisions with their evidence."""
    if commit and as_of is not None:
        raise typer.BadParameter("a decision is made now; look back without --commit", param_hint="--as-of")
    context, moment = open_context(root), now()
    chosen = [line.line_id for line in chosen_lines(context, lines)]
    at = parse_as_of(as_of, context.workspace.order.timezone, moment)
    every_s = context.settings.poll_interval_s
    report = run_accept(context.workspace, context.store, chosen, commit=commit, poll_interval_s=every_s, now=moment, as_of=at)
    if commit and report.decided:
        # evidence packs tell how the clock was kept when a decision was recorded
        context.store.write_audit(moment, "waiwang accept", CLOCK_VERB, POLLER, clock_state())
    due = {milestone.milestone_id: milestone.due_on for milestone in context.workspace.order.milestones}
    zone = context.workspace.order.timezone
    rows = [_decision_row(decision, due, _open_words(decision)) for decision in report.decided]
    rows += [_decision_row(decision, due, (f"accepted {on_the_clock(decision.decided_at, zone)}",)) for decision in report.standing]
    totals = {verdict: number for verdict in ("pass", "fail", "not_proven") if (number := sum(row[1] == verdict for row in rows))}
    title = "accept --commit" if commit else "accept (nothing recorded; --commit records)"
    show(Table(title, ("line", "verdict", "on_time", "due_on", "open"), rows, totals, ("open",)), form)
    leave(report.exit_code)


def _decision_row(
    decision: Acceptance, due: Mapping[str, date], words: tuple[str, ...]
) -> tuple[str, str, str | None, date | None, tuple[str, ...]]:
    on_time = {True: "yes", False: "no", None: None}[decision.on_time]
    return decision.line_id, decision.verdict, on_time, due.get(decision.milestone or ""), words


def _open_words(decision: Acceptance) -> tuple[str, ...]:
    """Return what is missing for a pass, criteria of which the same was found together."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for result in decision.results:
        if result.required and result.verdict != PASS:
            kinds.setdefault((result.verdict, result.found), []).append(result.kind)
    return tuple(f"{', '.join(names)} {verdict}: {found}" for (verdict, found), names in kinds.items())


def serve(
    root: Root = None,
    host: Annotated[str, typer.Option("--host", envvar="WAIWANG_HOST", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", envvar="WAIWANG_PORT", min=0, max=65535, help="port to listen on")] = 8080,
    key: Annotated[Path | None, typer.Option("--key", envvar="WAIWANG_EVIDENCE_KEY", help="private key that signs evidence packs")] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", envvar="WAIWANG_TLS_CERT", help="certificate chain, PEM")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", envvar="WAIWANG_TLS_KEY", help="its private key, PEM, mode 600")] = None,
) -> None:
    """Poll on schedule and show: dashboard at /, API at /api/v1, metrics at /metrics."""
    from app.cli.serving import listening_socket, run_server  # here: no other command needs the web, half of all loading time

    context = open_context(root)
    show_moved_deadlines(context)
    poller = None if context.workspace.plan.illustration else _open_poller(context)
    if poller is None:
        tell("the plan is an illustration: shown, not polled")
    signing_key = read_key(key) if key is not None else None
    tls = open_tls(tls_cert, tls_key)
    with listening_socket(os.environ, host, port) as sock:
        run_server(context, poller, sock, signing_key, tls)
