"""The terms of a milestone and every change of them: what it was first, what it is now, who moved it and on which paper. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo


class TermsGiven(TypedDict, total=False):
    """Some of the terms by their names."""

    due_on: date
    inclusive: bool
    soft: bool
    target_share: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What a milestone asks, as far as a change could make it easier. `target_share` 0..1 of its cohort."""

    due_on: date
    inclusive: bool = True
    soft: bool = False
    target_share: float = 1.0

    def due_at(self, zone: ZoneInfo) -> datetime:
        """Return the first moment that is too late: civil midnight after the due day, or before it when not inclusive."""
        last = self.due_on + timedelta(days=1) if self.inclusive else self.due_on
        return datetime.combine(last, time.min, tzinfo=zone)

    def moved(self, days: int) -> Terms:
        return replace(self, due_on=self.due_on + timedelta(days=days))

    def __str__(self) -> str:
        words = [f"due on {self.due_on}" if self.inclusive else f"due before {self.due_on}"]
        words += ["soft"] if self.soft else []
        words += [f"{self.target_share:.0%} of the cohort"] if self.target_share < 1 else []
        return ", ".join(words)


def last_day_in_time(due_at: datetime, zone: ZoneInfo) -> date:
    """Return the last civil day that is in time, of which `due_at`, the first moment that is too late, is the end."""
    return (due_at - timedelta(microseconds=1)).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class PartTerms:
    """The terms that a change names; None: not touched."""

    due_on: date | None = None
    inclusive: bool | None = None
    soft: bool | None = None
    target_share: float | None = None

    def given(self) -> TermsGiven:
        found = TermsGiven()
        if self.due_on is not None:
            found["due_on"] = self.due_on
        if self.inclusive is not None:
            found["inclusive"] = self.inclusive
        if self.soft is not None:
            found["soft"] = self.soft
        if self.target_share is not None:
            found["target_share"] = self.target_share
        return found


@dataclass(frozen=True, slots=True)
class DeadlineChange:
    """One change of a milestone's terms: when it was decided, by whom (an office), on which document, and why."""

    change_id: str
    changed_on: date
    was: PartTerms
    becomes: PartTerms
    decided_by: str
    document: str
    reason: str
    reason_en: str = ""
    ruling: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class SeenTerms:
    """The terms of a milestone as the product worked by them from `seen_at` on. Simulated orders are kept without their shift of days."""

    milestone_id: str
    terms: Terms
    seen_at: datetime


def term_history(present: Terms, changes: Sequence[DeadlineChange]) -> tuple[Terms, ...]:
    """Return the terms from the baseline to the present, one more than there are changes; `changes` oldest first."""
    found = [present]
    for change in reversed(changes):
        found.append(replace(found[-1], **change.was.given()))
    return tuple(reversed(found))


def in_order(changes: Iterable[DeadlineChange]) -> tuple[DeadlineChange, ...]:
    """Return changes by the day on which they were decided, those of one day as they stand in the file."""
    return tuple(sorted(changes, key=lambda change: change.changed_on))
