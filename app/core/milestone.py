"""A dated duty of the order, with the terms that it has had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.core.scope import Scope
from app.core.source import Source
from app.core.terms import DeadlineChange, Terms, term_history


@dataclass(frozen=True, slots=True)
class Milestone:
    """A dated duty. `target_share` 0..1 of the cohort; `per` is `whole` or `county`.

    `event` is what units report where evidence is `unit_event`, or the one report that shows a `document`. `changes` are all
    changes of the terms since the order, oldest first; `earlier_only` says where it stands that the day may only move earlier.
    """

    milestone_id: str
    title: str
    title_en: str
    due_on: date
    inclusive: bool
    soft: bool
    scope: Scope
    target_share: float
    per: str
    evidence: str
    event: str | None
    source: Source
    changes: tuple[DeadlineChange, ...] = ()
    earlier_only: Source | None = None

    @property
    def terms(self) -> Terms:
        return Terms(self.due_on, self.inclusive, self.soft, self.target_share)

    def due_at(self, zone: ZoneInfo) -> datetime:
        """Return the first moment that is too late: civil midnight after the due day, or before it when not inclusive."""
        return self.terms.due_at(zone)

    def term_history(self) -> tuple[Terms, ...]:
        """Return its terms from the baseline to the present."""
        return term_history(self.terms, self.changes)
