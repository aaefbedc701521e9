"""Views beyond the lines: scores, circulars, an organisation's own list, availability. Reads, never writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.core.acceptance import PASS
from app.core.appraisal import appraise, build_ground
from app.core.availability import Availability, observe_availability
from app.core.circulars import NamedUnit, next_due, units_to_name
from app.core.order import ScoreTable, covers
from app.core.organisations import OwnList, own_list
from app.core.references import nearest
from app.core.scoring import Score
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import Finding, InputError
from app.workflows.accept import GAP_INTERVALS
from app.workflows.known import Known

ORDER_FILE = "inventory/order.yaml"


@dataclass(frozen=True, slots=True)
class CircularReport:
    """Whom the next circular names, and when each of the order's circulars and inspections is due."""

    named: tuple[NamedUnit, ...]
    due: tuple[tuple[str, date | None], ...]


def score_table(workspace: Workspace, known: Known, table_id: str | None) -> tuple[ScoreTable, tuple[Score, ...]]:
    """Return one table with the scores of everybody in it; the order's only or first one where none is named.

    Raises: InputError where the order has no such table.
    """
    tables = {table.table_id: table for table in workspace.order.scoring}
    table = tables.get(table_id) if table_id is not None else next(iter(tables.values()), None)
    if table is None:
        raise InputError([_unknown("score table", table_id, tables)])
    return table, appraise(table, build_ground(workspace, known.summary, known.book))


def circular(workspace: Workspace, known: Known) -> CircularReport:
    """Return whom a circular of that moment names, and the order's rhythms with their next days."""
    order = workspace.order
    today = known.at.astimezone(order.timezone).date()
    due = tuple((rhythm.rhythm_id, next_due(rhythm, order.issued_on, today)) for rhythm in order.rhythms)
    return CircularReport(units_to_name(known.summary), due)


def list_of(workspace: Workspace, known: Known, organisation_id: str) -> OwnList:
    """Return what one organisation answers for.

    Raises: InputError where the order names no such organisation.
    """
    organisations = {each.organisation_id: each for each in workspace.order.organisations}
    if organisation_id not in organisations:
        raise InputError([_unknown("organisation", organisation_id, organisations)])
    return own_list(organisations[organisation_id], known.summary)


def availability(workspace: Workspace, store: Store, *, poll_interval_s: float, now: datetime) -> tuple[Availability, ...]:
    """Return the availability at `now` of every line that was accepted by then and that the order's duty covers.

    Raises: InputError where the order has no such duty.
    """
    duty, gap = workspace.order.availability, timedelta(seconds=poll_interval_s * GAP_INTERVALS)
    if duty is None:
        step = "Add `availability:` with its clause, ruling or default."
        raise InputError([Finding(ORDER_FILE, "the order has no duty of availability", "a section `availability`", "none", step)])
    lines, units, found = workspace.inventory.lines, workspace.inventory.units, []
    for line_id, decision in store.acceptances(now).items():
        line = lines.get(line_id)
        if line is None or decision.verdict != PASS:
            continue
        unit = units[line.unit_id]
        if covers(duty.scope, line.service_class, unit.level, unit.kind):
            samples = store.samples(line_id, max(decision.decided_at, now - duty.window) - gap, now)
            found.append(observe_availability(line_id, decision.decided_at, samples, duty, now, gap))
    return tuple(found)


def _unknown(what: str, name: str | None, known: Iterable[str]) -> Finding:
    names = list(known)
    expected = f"one of {', '.join(names)}" if names else f"an entry of {ORDER_FILE}"
    step = nearest(name or "", names, f"Name one that {ORDER_FILE} has.")
    return Finding("command line", f"the order has no such {what}", expected, f"`{name}`" if name else "none", step)
