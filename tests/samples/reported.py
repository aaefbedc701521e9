"""A rollout of the root workspace in the first days of July 2008, in a real database: accepted early and late, failed, late, silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.core.acceptance import FAIL, PASS, Acceptance, CriterionResult, Transition
from app.core.events import UnitEvent
from app.edge.database.store import Store
from app.edge.database.tables import TRANSITION
from tests.samples.accepted_line import root_workspace

#: 2 July 2008, 10:40 in Beijing.
NOW = datetime(2008, 7, 2, 2, 40, tzinfo=UTC)
DUE_AT = datetime(2008, 6, 30, 16, tzinfo=UTC)
DAY = timedelta(days=1)


def roll_out(store: Store) -> None:
    """Write what happened: of every ten lines six accepted in time, one late, one failed, one up and not judged, one never seen."""
    changes, paid = [], []
    for number, line in enumerate(root_workspace().inventory.lines.values()):
        if line.role != "primary" or number % 10 == 9:
            continue
        opened_at = DUE_AT - DAY * (10 + number % 60)
        changes.append(Transition(line.line_id, opened_at, opened_at + timedelta(seconds=2), "unknown", "up", "both ports are up"))
        if number % 10 != 8:
            store.write_acceptance(decision(line.line_id, number, opened_at + 4 * DAY))
        if number % 4:
            paid.append(UnitEvent(line.unit_id, "fee_and_seal_received", opened_at, opened_at + DAY, "信息科", f"收据{number:03d}"))
    with store.writing("transitions") as connection:
        rows = [{name: getattr(change, name) for name in Transition.__dataclass_fields__} for change in changes]
        store.insert(connection, TRANSITION, rows)
    store.write_events(paid)


def decision(line_id: str, number: int, at: datetime) -> Acceptance:
    """Return the decision on a line: the seventh of ten accepted a day late, the eighth failed for its rate."""
    if number % 10 == 7:
        result = CriterionResult("rate_down", True, FAIL, "at least 1800 kbit/s (90% of 2000)", "1012 kbit/s by iperf3")
        return Acceptance(line_id, at, FAIL, (result,), "lines", DUE_AT, None)
    late = number % 10 == 6
    return Acceptance(line_id, DUE_AT + DAY if late else at, PASS, (), "lines", DUE_AT, not late)
