"""Judge the order against itself: rulings that exist, criteria that can be measured, milestones that count something."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.deadlines import find_change_faults
from app.core.duty_rules import duty_sources, find_duty_faults
from app.core.milestone import Milestone
from app.core.references import References
from app.core.score_table import ScoreTable
from app.core.service_class import NOT_ON, ONLY_ON, Criterion, ServiceClass
from app.core.source import Source
from app.core.workspace import Workspace
from app.errors import Finding

ORDER_FILE = "inventory/order.yaml"
#: Every vendor's grammar takes multiples of this (H3C takes nothing else).
RATE_STEP_KBPS = 64
#: Criteria whose limit is a share or a ratio 0..1, and those that have a limit of another kind or none.
_RATIO_LIMITS = (
    "reachable_from_centre",
    "reaches_services",
    "trial",
    "rate_down",
    "rate_up",
    "step_loss",
    "sync_rate_down",
    "sync_rate_up",
)
_NO_LIMITS = ("ports_up", "reserved_port", "duplex")
#: A level against one milliwatt: the only limit that may lie below zero, and one that never lies far above it.
_LEVELS = ("rx_power",)
_LEVEL_RANGE_DBM = (-50, 10)


def find_order_faults(workspace: Workspace, references: References) -> Iterator[Finding]:
    """Yield what the order contradicts in itself."""
    order = workspace.order
    for owner, source in _sources(workspace):
        yield from references.judge(source.where, owner, "ruling", source.ruling, "rulings", order.rulings, ORDER_FILE)
    for kind in order.classes.values():
        yield from _class_faults(kind)
        yield from _service_faults(kind, workspace, references)
    for milestone in order.milestones:
        yield from _milestone_faults(milestone, workspace, references)
    for table in order.scoring:
        yield from _score_faults(table)
    yield from find_duty_faults(workspace, references)


def _sources(workspace: Workspace) -> Iterator[tuple[str, Source]]:
    order = workspace.order
    yield "at_risk_days", order.at_risk_source
    yield "measurement_valid_days", order.measurement_valid_source
    yield "forecast", order.forecast.source
    for kind in order.classes.values():
        yield f"service class {kind.class_id}", kind.source
        for part, source in kind.sources.items():
            yield f"service class {kind.class_id}.{part}", source
        for criterion in kind.criteria:
            yield _called(kind, criterion), criterion.source
    for milestone in order.milestones:
        yield f"milestone {milestone.milestone_id}", milestone.source
        if milestone.earlier_only is not None:
            yield f"milestone {milestone.milestone_id}.moves", milestone.earlier_only
        for change in milestone.changes:
            source = Source(ruling=change.ruling, where=change.where)
            yield f"milestone {milestone.milestone_id}, change {change.change_id}", source
    for table in order.scoring:
        yield f"score table {table.table_id}", table.source
        yield f"score table {table.table_id}.formula", table.formula_source
        for row in table.items:
            yield f"score table {table.table_id}, row {row.item_id}", row.source
    for duty in order.duties:
        yield f"duty {duty.duty_id}", duty.source
    yield from duty_sources(order)


def _called(kind: ServiceClass, criterion: Criterion) -> str:
    return f"service class {kind.class_id}, criterion {criterion.kind}"


def _class_faults(kind: ServiceClass) -> Iterator[Finding]:
    where, owner = kind.source.where, f"service class {kind.class_id}"
    rates = (
        ("down", kind.configured_down_kbps, kind.nominal_down_kbps),
        ("up", kind.configured_up_kbps, kind.nominal_up_kbps),
    )
    for way, configured, nominal in rates:
        if configured % RATE_STEP_KBPS:
            low = configured // RATE_STEP_KBPS * RATE_STEP_KBPS
            expected = f"a multiple of {RATE_STEP_KBPS}, such as {low + RATE_STEP_KBPS}"
            yield Finding(
                where, f"{owner}: devices cannot be given this rate {way}", expected, str(configured), f"Correct `configured.{way}_kbps`."
            )
        if configured < nominal:
            step = f"Raise `configured.{way}_kbps`; a device would throttle the line below what the order promises."
            yield Finding(where, f"{owner}: configured rate {way} below the nominal one", f"{nominal} or more", str(configured), step)
    if not any(criterion.required for criterion in kind.criteria):
        yield Finding(
            where,
            f"{owner}: nothing is required of its lines",
            "one required criterion or more",
            "none",
            "Set `required: true` where it holds.",
        )
    has_criterion = any(criterion.kind == "reserved_port" for criterion in kind.criteria)
    if has_criterion != (kind.reserved_port_mbps is not None):
        found = "a criterion reserved_port and no `reserved_port`" if has_criterion else "`reserved_port` and no criterion reserved_port"
        yield Finding(where, f"{owner}: reserved port and its criterion do not go together", "both or none", found, "Add what is missing.")
    for criterion in kind.criteria:
        yield from _medium_faults(kind, criterion)
        yield from _criterion_faults(_called(kind, criterion), criterion)


def _medium_faults(kind: ServiceClass, criterion: Criterion) -> Iterator[Finding]:
    """Yield criteria that the medium of the class cannot be judged by: nobody could ever measure them."""
    only, never = ONLY_ON.get(criterion.kind), NOT_ON.get(criterion.kind)
    if only not in (None, kind.medium) or never == kind.medium:
        expected = "a medium with Ethernet ports" if only is None else f"medium {only}"
        what = f"{_called(kind, criterion)}: does not fit the medium"
        yield Finding(criterion.source.where, what, expected, f"medium {kind.medium}", "Remove the criterion, or correct `medium`.")


def _criterion_faults(owner: str, criterion: Criterion) -> Iterator[Finding]:
    where, limit = criterion.source.where, criterion.limit
    if criterion.kind in _NO_LIMITS:
        if limit is not None:
            yield Finding(where, f"{owner}: limit means nothing here", "no `limit`", str(limit), "Remove `limit`.")
    elif limit is None:
        yield Finding(where, f"{owner}: incomplete", "a `limit`", "none", "Write `limit:`.")
    elif criterion.kind in _RATIO_LIMITS and not 0 <= limit <= 1:
        yield Finding(where, f"{owner}: limit is no ratio", "a number from 0 to 1", str(limit), "Write 0.001 for 0.1 %.")
    elif criterion.kind in _LEVELS and not _LEVEL_RANGE_DBM[0] <= limit <= _LEVEL_RANGE_DBM[1]:
        low, high = _LEVEL_RANGE_DBM
        yield Finding(where, f"{owner}: limit is no level", f"dBm from {low} to {high}", str(limit), "Write -20 for -20 dBm.")
    elif criterion.kind not in _LEVELS and limit < 0:
        yield Finding(where, f"{owner}: limit is below zero", "a number from 0 up", str(limit), "Correct `limit`.")
    for key, value in (("window", criterion.window), ("restart_after", criterion.restart_after)):
        if criterion.kind == "trial" and value is None:
            yield Finding(where, f"{owner}: incomplete", f"a `{key}` such as 72h or 5min", "none", f"Write `{key}:`.")
        if criterion.kind != "trial" and value is not None:
            yield Finding(where, f"{owner}: `{key}` means nothing here", "only the trial has one", str(value), f"Remove `{key}`.")


def _service_faults(kind: ServiceClass, workspace: Workspace, references: References) -> Iterator[Finding]:
    """A class that must reach services needs services that its levels must reach (BZ-8)."""
    wanting = next((criterion for criterion in kind.criteria if criterion.kind == "reaches_services" and criterion.required), None)
    if wanting is None or "services" in references.incomplete:
        return
    reached = {level for service in workspace.inventory.services.values() for level in service.must_reach}
    missing = [level for level in kind.for_levels if level not in reached]
    if missing:
        expected = f"a service that units of level {', '.join(missing)} must reach"
        step = "Add the levels to `must_reach` in inventory/services.csv, or make the criterion advisory."
        yield Finding(wanting.source.where, f"{_called(kind, wanting)}: nothing to reach", expected, "none", step)


def _milestone_faults(milestone: Milestone, workspace: Workspace, references: References) -> Iterator[Finding]:
    order, where, owner = workspace.order, milestone.source.where, f"milestone {milestone.milestone_id}"
    for name in milestone.scope.classes:
        yield from references.judge(where, owner, "scope.classes", name, "service_classes", order.classes, ORDER_FILE)
    if milestone.evidence == "unit_event" and milestone.event is None:
        yield Finding(where, f"{owner}: incomplete", "the `event` that a unit reports", "none", "Write `event:`.")
    if milestone.evidence == "accepted_line" and milestone.event is not None:
        found, step = f"evidence {milestone.evidence}", "Remove `event`, or correct `evidence`."
        yield Finding(where, f"{owner}: `event` means nothing here", "evidence unit_event or document", found, step)
    if milestone.evidence == "unit_event" and milestone.scope.classes:
        found, step = ", ".join(milestone.scope.classes), "Name levels and kinds of units."
        yield Finding(where, f"{owner}: units have no class of line", "no `scope.classes`", found, step)
    if milestone.due_on < order.issued_on and "order" not in references.incomplete and order.simulation is None:
        expected, found = f"a day from {order.issued_on} on", str(milestone.due_on)
        yield Finding(where, f"{owner}: due before the order was issued", expected, found, "Correct `due_on`.")
    yield from find_change_faults(order, milestone)


def _score_faults(table: ScoreTable) -> Iterator[Finding]:
    points = sum(row.points for row in table.items)
    if abs(points - table.total) > 1e-9:
        found = f"{points:g}"
        yield Finding(
            table.source.where,
            f"score table {table.table_id}: points do not add up",
            f"{table.total:g}",
            found,
            "Correct `points` or `total`.",
        )
