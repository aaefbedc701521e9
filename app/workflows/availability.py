"""Availability of accepted lines between two moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.acceptance import FAIL, NOT_PROVEN, Transition
from app.core.availability import ServiceLevel, ServicePolicy, judged_from, observe_service, spans_looked_at
from app.core.duties import AvailabilityDuty
from app.core.scope import covers
from app.core.source import Source
from app.core.windows import maintenance_of
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import ExitCode, Finding, InputError
from app.workflows.accept import GAP_INTERVALS
from app.workflows.confirm import first_passes
from app.workflows.windows import planned_stretches

ORDER_FILE = "inventory/order.yaml"


@dataclass(frozen=True, slots=True)
class AvailabilityReport:
    """Service levels of accepted lines, the lines that were not accepted when the stretch ended, and where objectives come from."""

    levels: tuple[ServiceLevel, ...]
    not_accepted: tuple[str, ...]
    sources: Mapping[str, Source]

    @property
    def exit_code(self) -> ExitCode:
        if not any(level.up or level.down for level in self.levels):
            return ExitCode.NOTHING_MEASURED
        open_levels = any(level.verdict in (FAIL, NOT_PROVEN) for level in self.levels)
        return ExitCode.NOT_ACCEPTED if open_levels else ExitCode.OK


def measure_availability(
    workspace: Workspace,
    store: Store,
    line_ids: Iterable[str],
    since: datetime | None,
    until: datetime,
    poll_interval_s: float,
    known_at: datetime | None = None,
) -> AvailabilityReport:
    """Judge each line up to `until`: from `since`, never before its acceptance; else over its duty's window or from its acceptance.

    With `known_at`, from what had been recorded by then.
    """
    accepted = first_passes(store.acceptance_history(), until)
    wanted = list(line_ids)
    counted = [line_id for line_id in wanted if line_id in accepted and accepted[line_id].decided_at < until]
    planned = planned_stretches(workspace, store.windows(), known_at or until)
    policies = {line_id: replace(agreed_policy(workspace, line_id), maintenance=maintenance_of(line_id, planned)) for line_id in counted}
    starts = {
        line_id: max(accepted[line_id].decided_at, since) if since else judged_from(policy, accepted[line_id].decided_at, until)
        for line_id, policy in policies.items()
    }
    gap = timedelta(seconds=poll_interval_s * GAP_INTERVALS)
    ended = (cycle.finished_at for cycle in store.cycles(min(starts.values(), default=until) - gap))
    changes: dict[str, list[Transition]] = {}
    for change in store.transitions(None, None, until):
        if known_at is None or change.recorded_at <= known_at:
            changes.setdefault(change.line_id, []).append(change)
    looked = spans_looked_at((at for at in ended if known_at is None or at <= known_at), gap)
    zone, calendar = workspace.order.timezone, workspace.calendar
    levels = [
        observe_service(line_id, policy, calendar, changes.get(line_id, []), looked, starts[line_id], until, zone)
        for line_id, policy in policies.items()
    ]
    sources = {line_id: policy.source for line_id, policy in policies.items()}
    return AvailabilityReport(tuple(levels), tuple(line_id for line_id in wanted if line_id not in starts), sources)


def agreed_policy(workspace: Workspace, line_id: str) -> ServicePolicy:
    """Return what is agreed for a line: the order's own duty where it covers the line, else the calendar's objective."""
    duty = workspace.order.availability
    return workspace.service.under(duty) if duty is not None and _is_under(workspace, duty, line_id) else workspace.service


def duty_lines(workspace: Workspace) -> list[str]:
    """Return the lines that the order's duty of availability covers.

    Raises: InputError where the order has no such duty.
    """
    duty = workspace.order.availability
    if duty is None:
        step = "Add `availability:` with its clause, ruling or default."
        raise InputError([Finding(ORDER_FILE, "the order has no duty of availability", "a section `availability`", "none", step)])
    return [line_id for line_id in workspace.inventory.lines if _is_under(workspace, duty, line_id)]


def _is_under(workspace: Workspace, duty: AvailabilityDuty, line_id: str) -> bool:
    line = workspace.inventory.lines[line_id]
    unit = workspace.inventory.units[line.unit_id]
    return covers(duty.scope, line.service_class, unit.level, unit.kind)
