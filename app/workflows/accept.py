"""Judge lines from what was observed; record the decisions when told to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, Acceptance, LineSample, Measurement
from app.core.events import EventBook, build_book
from app.core.inventory import Line
from app.core.judging import Observations, decide, judge
from app.core.readiness import judge_gates, line_gates
from app.core.service_class import ServiceClass
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import ExitCode, InputError, worst
from app.workflows.deadlines import find_moved, keep_deadlines

#: A sample speaks for its line for so many poll intervals.
GAP_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class AcceptReport:
    """Decisions of this run, and lines that were accepted before and stay so."""

    decided: tuple[Acceptance, ...]
    standing: tuple[Acceptance, ...]
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        codes = []
        verdicts = {decision.verdict for decision in self.decided}
        if not self.decided and not self.standing:
            codes.append(ExitCode.NOTHING_MEASURED)
        if verdicts & {FAIL, NOT_PROVEN}:
            codes.append(ExitCode.NOT_ACCEPTED)
        if any(decision.on_time is False for decision in (*self.decided, *self.standing)):
            codes.append(ExitCode.DEADLINE)
        return worst(codes)


def accept(
    workspace: Workspace,
    store: Store,
    line_ids: Iterable[str],
    *,
    commit: bool,
    poll_interval_s: float,
    now: datetime,
    as_of: datetime | None = None,
) -> AcceptReport:
    """Judge the named lines at `now`. A line that was accepted stays accepted; decisions are written only with `commit`.

    With `as_of` the lines are judged at that moment, from what had been recorded by then. Samples keep one moment only and
    count as recorded when they were taken; a cycle lasts seconds.

    Raises:
        InputError: a deadline moved without an entry in the order's log; nothing is judged against a date that slid.
    """
    if moved := keep_deadlines(workspace, store, now) if commit else find_moved(workspace, store):
        raise InputError(moved)
    at = now if as_of is None else as_of
    before = store.acceptances(as_of)
    gap = timedelta(seconds=poll_interval_s * GAP_INTERVALS)
    book = build_book(store.events(), as_of=as_of)
    decided, standing = [], []
    for line_id in line_ids:
        accepted = before.get(line_id)
        if accepted is not None and accepted.verdict == PASS:
            standing.append(accepted)
            continue
        decided.append(judge_line(workspace, store, workspace.inventory.lines[line_id], gap, at, book, as_of))
    if commit:
        for decision in decided:
            store.write_acceptance(decision)
    return AcceptReport(tuple(decided), tuple(standing), commit)


def judge_line(
    workspace: Workspace, store: Store, line: Line, gap: timedelta, now: datetime, book: EventBook, as_of: datetime | None = None
) -> Acceptance:
    """Judge one line by its class, from the samples that its trial window can need, and by the gates that the order requires."""
    order = workspace.order
    service_class = order.classes[line.service_class]
    unit = workspace.inventory.units[line.unit_id]
    samples: Sequence[LineSample] = store.samples(line.line_id, now - history_needed(service_class) - gap, now)
    measured: dict[str, Measurement] = store.measurements([line.line_id], as_of).get(line.line_id, {})
    seen = Observations(samples, measured, gap, timedelta(days=order.measurement_valid_days))
    milestone = order.line_milestone(line.service_class, unit.level, unit.kind) if line.role == "primary" else None
    due_at = milestone.due_at(order.timezone) if milestone else None
    results = (*judge_gates(line_gates(workspace, book, line)), *judge(service_class, seen, now))
    return decide(line.line_id, results, milestone, due_at, now)


def history_needed(service_class: ServiceClass) -> timedelta:
    """Return how far back samples matter: twice the trial window, so that an outage just before it is seen to restart it."""
    windows = [criterion.window for criterion in service_class.criteria if criterion.window]
    return 2 * max(windows, default=timedelta(0))
