"""Views beyond the lines: scores, circulars, an organisation's own list. Reads, never writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.core.appraisal import appraise, build_ground
from app.core.circulars import NamedUnit, next_due, units_to_name
from app.core.contests import project_contests
from app.core.organisations import OwnList, own_list
from app.core.references import nearest
from app.core.score_table import ScoreTable
from app.core.scoring import Score
from app.core.workspace import Workspace
from app.errors import Finding, InputError
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
    table = find_table(workspace, table_id)
    ground = build_ground(workspace, known.summary, known.book, project_contests(known.kept.contests))
    return table, appraise(table, ground)


def find_table(workspace: Workspace, table_id: str | None) -> ScoreTable:
    """Return one table of the order; its only or first one where none is named. Raises InputError where it has no such table."""
    tables = {table.table_id: table for table in workspace.order.scoring}
    table = tables.get(table_id) if table_id is not None else next(iter(tables.values()), None)
    if table is None:
        raise InputError([_unknown("score table", table_id, tables)])
    return table


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


def _unknown(what: str, name: str | None, known: Iterable[str]) -> Finding:
    names = list(known)
    if not names:
        step = "Nothing is to be done where the order asks for none; `waiwang report progress` and `circular` serve every order."
        return Finding("command line", f"the order has no {what}", f"an entry of {ORDER_FILE}", "none", step)
    expected = f"one of {', '.join(names)}"
    step = nearest(name or "", names, f"Name one that {ORDER_FILE} has.")
    return Finding("command line", f"the order has no such {what}", expected, f"`{name}`" if name else "none", step)
