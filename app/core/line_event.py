"""What was reported of a line by others: the day it was opened, whom to call. Appended, never rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

OPENED, CARRIER_CONTACT = "opened", "carrier_contact"


@dataclass(frozen=True, slots=True)
class LineEvent:
    """One report on one line. `observed_at` is when it held in the world, `recorded_at` when we learnt it.

    `opened`: `observed_at` is the first moment of the civil day in the order's zone, `value` that day in ISO form.
    `carrier_contact`: `value` is a role, never a person. `actor` is a role or `carrier:ID`; `document` names the evidence.
    """

    line_id: str
    kind: str
    observed_at: datetime
    recorded_at: datetime
    actor: str
    document: str
    value: str = ""


def opened_event(line_id: str, opened_on: date, zone: ZoneInfo, recorded_at: datetime, actor: str, document: str) -> LineEvent:
    observed_at = datetime.combine(opened_on, time.min, tzinfo=zone)
    return LineEvent(line_id, OPENED, observed_at, recorded_at, actor, document, opened_on.isoformat())


def newest_events(events: Iterable[LineEvent]) -> dict[tuple[str, str], LineEvent]:
    """Return the last recorded event per line and kind; `events` in the order in which they were recorded."""
    return {(event.line_id, event.kind): event for event in events}
