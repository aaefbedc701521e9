"""Prometheus metrics as a view of one summary: a line that leaves the inventory leaves the metrics with it.

Rates are bytes per second, moments Unix seconds, shares 0..1. What is not known has no series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder

from app.core.acceptance import FAIL, NOT_PROVEN, PASS
from app.core.duties import HOLDERS
from app.core.fault_report import FaultSummary
from app.core.faults import BROKEN_STATES, CLOSED, RESTORED
from app.core.forecast import Forecast
from app.core.jeopardy import LINES, UNITS
from app.core.line_deadline import LINE_DUES
from app.core.line_view import SHOWN_STATES, LineView
from app.core.milestone_view import MilestoneView
from app.core.progress import Summary
from app.core.windows import WINDOW_STATES
from app.web.context import WebContext, read_context
from app.web.exposition import write_families

router = APIRouter(include_in_schema=False)
#: Name, documentation, value of each family that is had per milestone and group of lines.
#: Name, documentation, what it counts (both where nothing is named), and its value.
FORECASTS: tuple[tuple[str, str, tuple[str, ...], Callable[[Forecast], float | None]], ...] = (
    ("waiwang_forecast_lines_wanted", "Primary lines still to be accepted for the milestone.", (LINES,), lambda each: each.wanted),
    ("waiwang_forecast_needed_lines_per_working_day", "Lines to accept per working day left.", (LINES,), lambda each: each.needed_per_day),
    ("waiwang_forecast_accepted_lines_per_working_day", "Lines accepted per working day lately.", (LINES,), lambda each: each.per_day),
    ("waiwang_forecast_units_wanted", "Units that have still to report for the milestone.", (UNITS,), lambda each: each.wanted),
    ("waiwang_forecast_needed_units_per_working_day", "Units to report per working day left.", (UNITS,), lambda each: each.needed_per_day),
    ("waiwang_forecast_reported_units_per_working_day", "Units that reported per working day lately.", (UNITS,), lambda each: each.per_day),
    (
        "waiwang_forecast_deadline_holds_ratio",
        "Probability that the deadline holds at that rate, 0 to 1.",
        (LINES, UNITS),
        lambda each: each.chance,
    ),
)


@router.get("/metrics")
def metrics(request: Request, context: WebContext = Depends(read_context)) -> Response:
    """Answer a scrape in the format that it accepts."""
    summary, counts = context.reader.summary(), dict(context.notifications)
    encoder, content_type = choose_encoder(request.headers.get("accept", ""))

    def write() -> bytes:
        return write_families(chain(families(summary), notification_families(counts)), encoder)

    return Response(context.scraped(summary, (content_type, counts), write), media_type=content_type)


def families(summary: Summary) -> Iterator[Metric]:
    """Yield every metric family of a summary."""
    yield from order_families(summary)
    yield from milestone_families(summary.milestones)
    yield from deadline_families(summary)
    yield lines_by_due(summary.lines)
    yield line_info(summary.lines)
    yield line_state(summary.lines)
    yield line_verdict(summary.lines)
    yield line_rate(summary.lines)
    yield from line_gauges(summary.lines)
    yield input_errors(summary.lines)
    yield from fault_families(summary.faults)


def notification_families(counts: Mapping[str, int]) -> Iterator[Metric]:
    """Yield the receiver's counts, as they stand at the scrape; nothing where none are received."""
    if counts:
        family = CounterMetricFamily(
            "waiwang_notifications",
            "SNMP notifications by what became of them. accepted: the device was looked at; coalesced: a look was due anyway.",
            labels=("result",),
        )
        for result, number in counts.items():
            family.add_metric((result,), number)
        yield family


def fault_families(faults: FaultSummary) -> Iterator[Metric]:
    """Yield faults by carrier and state, planned ones apart; what carriers needed; change windows by what they are now."""
    numbers = GaugeMetricFamily(
        "waiwang_faults", "Faults of the last 30 days, and all that are broken.", labels=("carrier", "state", "planned")
    )
    median = GaugeMetricFamily("waiwang_fault_restore_median_seconds", "Median time to restore, planned faults apart.", labels=("carrier",))
    worst = GaugeMetricFamily("waiwang_fault_restore_worst_seconds", "Longest time to restore, planned faults apart.", labels=("carrier",))
    over = GaugeMetricFamily("waiwang_faults_over_agreed", "Faults that the carrier had longer than agreed.", labels=("carrier",))
    counts = Counter((each.line_carrier, each.state, each.planned is not None) for each in faults.faults)
    for carrier in faults.carriers:
        key = (carrier.carrier,)
        for state in (*BROKEN_STATES, RESTORED, CLOSED):
            for planned in (False, True):
                numbers.add_metric((carrier.carrier, state, str(planned).lower()), counts[carrier.carrier, state, planned])
        if carrier.median is not None and carrier.worst is not None:
            median.add_metric(key, carrier.median.total_seconds())
            worst.add_metric(key, carrier.worst.total_seconds())
        over.add_metric(key, carrier.over)
    windows = GaugeMetricFamily("waiwang_change_windows", "Change windows by what they are now.", labels=("state",))
    for state in WINDOW_STATES:
        windows.add_metric((state,), sum(each.state == state for each in faults.windows))
    yield from (numbers, median, worst, over, windows)


def order_families(summary: Summary) -> Iterator[Metric]:
    """Yield what the order is, and when polling last ended."""
    info = InfoMetricFamily("waiwang_order", "The order being rolled out; simulation marks moved dates or a lab.", labels=())
    info.add_metric(
        (), {"number": summary.order_number, "title": summary.order_title, "simulation": str(summary.simulation_note is not None).lower()}
    )
    yield info
    polled = GaugeMetricFamily("waiwang_poll_cycle_timestamp_seconds", "When the newest poll cycle ended.")
    if summary.polled_at is not None:
        polled.add_metric((), summary.polled_at.timestamp())
    yield polled


def milestone_families(milestones: Iterable[MilestoneView]) -> Iterator[Metric]:
    """Yield share done, share wanted and deadline per milestone; a cohort of nothing has no share."""
    cohort = "Share of the milestone's cohort (primary lines, or units) that is done, 0 to 1."
    ratio = GaugeMetricFamily("waiwang_milestone_ratio", cohort, labels=("milestone",))
    target = GaugeMetricFamily("waiwang_milestone_target_ratio", "Share that the order wants done, 0 to 1.", labels=("milestone",))
    deadline = GaugeMetricFamily(
        "waiwang_milestone_deadline_timestamp_seconds", "First moment that is too late for the milestone.", labels=("milestone",)
    )
    for milestone in milestones:
        key = (milestone.milestone_id,)
        if milestone.total:
            ratio.add_metric(key, milestone.done / milestone.total)
        target.add_metric(key, milestone.target_share)
        deadline.add_metric(key, milestone.due_at.timestamp())
    yield from (ratio, target, deadline)


def deadline_families(summary: Summary) -> Iterator[Metric]:
    """Yield first deadlines beside the present ones, silent changes, and what the demonstrated rate says of each group of lines."""
    baseline = GaugeMetricFamily(
        "waiwang_milestone_baseline_timestamp_seconds", "First moment that was too late as first ordered.", labels=("milestone",)
    )
    changes = GaugeMetricFamily("waiwang_milestone_changes", "Changes of the milestone's terms in the order's log.", labels=("milestone",))
    for milestone in summary.milestones:
        if milestone.baseline_at is not None:
            baseline.add_metric((milestone.milestone_id,), milestone.baseline_at.timestamp())
        changes.add_metric((milestone.milestone_id,), len(milestone.changes))
    yield from (baseline, changes)
    yield GaugeMetricFamily(
        "waiwang_deadline_faults", "Deadlines that moved without an entry in the order's log.", value=len(summary.moved_deadlines)
    )
    for name, documentation, counted, value in FORECASTS:
        family = GaugeMetricFamily(name, documentation, labels=("milestone", "grouping", "key"))
        for each in summary.jeopardy:
            if each.counted in counted and (number := value(each.forecast)) is not None:
                family.add_metric((each.milestone_id, each.grouping, each.key), number)
        yield family


def lines_by_due(lines: Iterable[LineView]) -> Metric:
    """Return the number of lines per region, class and standing against the deadline, zeros included."""
    counts = Counter((line.region, line.class_id, line.due) for line in lines)
    cohorts = dict.fromkeys((region, class_id) for region, class_id, _ in counts)
    family = GaugeMetricFamily(
        "waiwang_lines",
        "All lines, backups too, by region, class and standing against their deadline; milestones count primary lines only.",
        labels=("region", "class", "due"),
    )
    for region, class_id in cohorts:
        for due in LINE_DUES:
            family.add_metric((region, class_id, due), counts[region, class_id, due])
    return family


def line_info(lines: Iterable[LineView]) -> Metric:
    """Return what a line is, to join on `line_id`."""
    family = InfoMetricFamily("waiwang_line", "What a line is and where it runs.", labels=("line_id",))
    for line in lines:
        family.add_metric(
            (line.line_id,),
            {
                "unit": line.unit_id,
                "unit_name": line.unit_name,
                "unit_name_en": line.unit_name_en,
                "region": line.region,
                "region_name": line.region_name,
                "region_name_en": line.region_name_en,
                "level": line.level,
                "class": line.class_id,
                "role": line.role,
                "carrier": line.carrier,
                "carrier_name": line.carrier_name,
                "circuit_id": line.circuit_id or "",
                "a_device": line.a_device,
                "a_interface": line.a_interface,
                "z_device": line.z_device,
                "z_interface": line.z_interface,
            },
        )
    return family


def line_state(lines: Iterable[LineView]) -> Metric:
    """Return 1 for the state that a line is in and 0 for the others."""
    family = GaugeMetricFamily(
        "waiwang_line_state",
        "1 for the state a line is in. unreachable: nobody could look, as behind a dead parent; unknown: never looked; "
        "not_opened: its carrier has not opened it yet.",
        labels=("line_id", "state"),
    )
    for line in lines:
        for state in SHOWN_STATES:
            family.add_metric((line.line_id, state), float(line.state == state))
    return family


def line_verdict(lines: Iterable[LineView]) -> Metric:
    """Return 1 for the verdict in force; a line that nobody judged has no series."""
    family = GaugeMetricFamily("waiwang_line_verdict", "1 for the acceptance verdict in force.", labels=("line_id", "verdict"))
    for line in lines:
        if line.verdict is not None:
            for verdict in (PASS, FAIL, NOT_PROVEN):
                family.add_metric((line.line_id, verdict), float(line.verdict == verdict))
    return family


def line_rate(lines: Iterable[LineView]) -> Metric:
    """Return the measured rates, down being towards the unit."""
    family = GaugeMetricFamily(
        "waiwang_line_rate_bytes_per_second",
        "Traffic of a line since the poll before, seen from the centre: down is towards the unit.",
        labels=("line_id", "direction"),
    )
    for line in lines:
        for direction, bits in (("down", line.down_bps), ("up", line.up_bps)):
            if bits is not None:
                family.add_metric((line.line_id, direction), bits / 8)
    return family


def line_gauges(lines: Iterable[LineView]) -> Iterator[Metric]:
    """Yield the single numbers of a line: its moments, and whether its reserved port carries."""
    lines = tuple(lines)
    yield _gauge(
        "waiwang_line_deadline_timestamp_seconds", "First moment that is too late for the line.", lines, lambda line: _seconds(line.due_at)
    )
    yield _gauge(
        "waiwang_line_accepted_timestamp_seconds",
        "When the line was accepted.",
        lines,
        lambda line: _seconds(line.decided_at) if line.verdict == PASS else None,
    )
    yield line_held(lines)
    yield _gauge("waiwang_line_sampled_timestamp_seconds", "When the line was last polled.", lines, lambda line: _seconds(line.sampled_at))
    yield _gauge("waiwang_line_state_since_timestamp_seconds", "When its present state began.", lines, lambda line: _seconds(line.since))
    yield _gauge(
        "waiwang_reserved_port_up",
        "1 while a reserved port carries. It is shut on purpose: 0 is as intended and no alert.",
        lines,
        lambda line: None if line.reserved_up is None else float(line.reserved_up),
    )


def line_held(lines: Iterable[LineView]) -> Metric:
    """Return for how long each party held the clock of a line, in whole hours."""
    family = GaugeMetricFamily(
        "waiwang_line_clock_held_seconds",
        "How long each held the clock of a line up to its acceptance, whole hours in seconds.",
        labels=("line_id", "holder"),
    )
    for line in lines:
        for holder, hours in zip(HOLDERS, (line.carrier_held_hours, line.unit_held_hours, line.centre_held_hours), strict=True):
            if hours is not None:
                family.add_metric((line.line_id, holder), hours * 3600)
    return family


def input_errors(lines: Iterable[LineView]) -> Metric:
    """Return the port's own count of input errors (IF-MIB, RFC 2863), which restarts with the device."""
    family = CounterMetricFamily("waiwang_line_input_errors", "Input errors of the line's port nearer the centre.", labels=("line_id",))
    for line in lines:
        if line.in_errors is not None:
            family.add_metric((line.line_id,), line.in_errors)
    return family


def _gauge(name: str, documentation: str, lines: Iterable[LineView], value: Callable[[LineView], float | None]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=("line_id",))
    for line in lines:
        if (number := value(line)) is not None:
            family.add_metric((line.line_id,), number)
    return family


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
