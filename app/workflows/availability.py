"""Availability of accepted lines between two moments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from app.core.acceptance import FAIL, NOT_PROVEN, Transition
from app.core.service_level import FOUR_DECIMALS, ServiceLevel, ServicePolicy, observe_service, spans_looked_at
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import ExitCode
from app.workflows.accept import GAP_INTERVALS
from app.workflows.confirm import first_passes


@dataclass(frozen=True, slots=True)
class AvailabilityReport:
    """Service levels of accepted lines, and the lines that were not accepted when the stretch ended."""

    levels: tuple[ServiceLevel, ...]
    not_accepted: tuple[str, ...]

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
    """Judge each line from its acceptance, or from `since` where that is later, up to `until`.

    With `known_at`, from what had been recorded by then.
    """
    accepted = first_passes(store.acceptance_history(), until)
    wanted = list(line_ids)
    counted = [line_id for line_id in wanted if line_id in accepted and accepted[line_id].decided_at < until]
    starts = {line_id: max(accepted[line_id].decided_at, since or accepted[line_id].decided_at) for line_id in counted}
    gap = timedelta(seconds=poll_interval_s * GAP_INTERVALS)
    ended = (cycle.finished_at for cycle in store.cycles(min(starts.values(), default=until) - gap))
    changes: dict[str, list[Transition]] = {}
    for change in store.transitions(None, None, until):
        if known_at is None or change.recorded_at <= known_at:
            changes.setdefault(change.line_id, []).append(change)
    looked = spans_looked_at((at for at in ended if known_at is None or at <= known_at), gap)
    zone, policy = workspace.order.timezone, agreed_policy(workspace)
    levels = [
        observe_service(
            line_id, policy, workspace.calendar, changes.get(line_id, []), looked, starts[line_id], until, zone
        )
        for line_id in counted
    ]
    return AvailabilityReport(tuple(levels), tuple(line_id for line_id in wanted if line_id not in starts))


def agreed_policy(workspace: Workspace) -> ServicePolicy:
    """Return what is agreed: the order's own objective where it has a duty of availability, else the calendar's."""
    duty = workspace.order.availability
    if duty is None:
        return workspace.service
    return replace(workspace.service, slo_percent=(Decimal(str(duty.share)) * 100).quantize(FOUR_DECIMALS), source=duty.source)
