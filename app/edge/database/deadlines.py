"""The terms that were worked by, and the facts from which clocks are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app.core.acceptance import NOT_PROVEN
from app.core.clock import BUILDING, SEEN_DOWN, SEEN_UP, TESTED, LineFact
from app.core.known import settled_moments
from app.core.terms import SeenTerms, Terms
from app.edge.database.connection import Database
from app.edge.database.tables import ACCEPTANCE, LIFE_EVENT, LINE_SAMPLE, SEEN_TERMS, TRANSITION


class Deadlines(Database):
    """The part of a store that remembers deadlines and whose clock ran."""

    def write_seen_terms(self, order_number: str, terms: Sequence[SeenTerms]) -> None:
        """Append terms by which is worked from now on."""
        rows = [
            {
                "order_number": order_number,
                "milestone_id": each.milestone_id,
                "due_on": each.terms.due_on,
                "inclusive": each.terms.inclusive,
                "soft": each.terms.soft,
                "target_share": each.terms.target_share,
                "seen_at": each.seen_at,
            }
            for each in terms
        ]
        with self.writing("terms of milestones") as connection:
            self.insert(connection, SEEN_TERMS, rows)

    def seen_terms(self, order_number: str) -> list[SeenTerms]:
        """Return the terms of one order's milestones as they were worked by, oldest first."""
        query = sa.select(SEEN_TERMS).where(SEEN_TERMS.c.order_number == order_number).order_by(SEEN_TERMS.c.seen_terms_id)
        with self.reading("terms of milestones") as connection:
            return [
                SeenTerms(row.milestone_id, Terms(row.due_on, row.inclusive, row.soft, row.target_share), row.seen_at)
                for row in connection.execute(query)
            ]

    def line_facts(self, known_at: datetime) -> dict[str, list[LineFact]]:
        """Return per line, in the order of their moments, what clocks are told from, as far as it was recorded up to `known_at`.

        A judgement of not proven that repeats the one before says nothing new and is left out, as are looks that saw nothing.
        """
        found: dict[str, list[LineFact]] = defaultdict(list)
        with self.reading("facts on lines") as connection:
            looks = connection.execute(_looks(known_at)).all()
            for (line_id, _, kind), at in zip(looks, settled_moments([(look[0], look[1]) for look in looks]), strict=True):
                if kind in (SEEN_UP, SEEN_DOWN):
                    found[line_id].append(LineFact(at, kind))
            still_down = [
                (line_id, LineFact(at, kind))
                for line_id, at, kind in connection.execute(_looks_after_tests(known_at))
                if _state_at(found[line_id], at) == kind == SEEN_DOWN  # any other was stamped by a clock that had jumped
            ]
            for line_id, at, kind in connection.execute(_reports(known_at)):
                found[line_id].append(LineFact(at, kind))
            for line_id, fact in still_down:
                found[line_id].append(fact)
            for line_id, at, kind in connection.execute(_verdicts(known_at)):
                found[line_id].append(LineFact(at, kind))
        for facts in found.values():
            facts.sort(key=lambda fact: fact.at)  # stable: what was reported stands before what was judged at the same moment
        return dict(found)


def _state_at(looks: Sequence[LineFact], at: datetime) -> str | None:
    return next((fact.kind for fact in reversed(looks) if fact.at <= at), None)


def _looks(known_at: datetime) -> sa.Select[str, datetime, str]:
    row = TRANSITION.c
    return sa.select(row.line_id, row.observed_at, row.after).where(row.recorded_at <= known_at).order_by(row.transition_id)


def _reports(known_at: datetime) -> sa.Select[str, datetime, str]:
    row = LIFE_EVENT.c
    wanted = row.state.in_((TESTED, BUILDING)), row.recorded_at <= known_at
    return sa.select(row.line_id, row.observed_at, row.state).where(*wanted).order_by(row.life_event_id)


def _looks_after_tests(known_at: datetime) -> sa.Select[str, datetime, str]:
    """The first look after a carrier's own test that saw the line: one that goes on being down is no transition."""
    report, later = LIFE_EVENT.c, LINE_SAMPLE.alias().c
    saw = later.line_id == report.line_id, later.at > report.observed_at, later.state.in_((SEEN_UP, SEEN_DOWN))
    first = sa.select(sa.func.min(later.at)).where(*saw).scalar_subquery()
    row = LINE_SAMPLE.c
    wanted = report.state == TESTED, report.recorded_at <= known_at, row.at <= known_at
    return sa.select(row.line_id, row.at, row.state).join_from(
        LIFE_EVENT, LINE_SAMPLE, sa.and_(row.line_id == report.line_id, row.at == first)
    ).where(*wanted)


def _verdicts(known_at: datetime) -> sa.Select[str, datetime, str]:
    row = ACCEPTANCE.c
    before = sa.func.lag(row.verdict).over(partition_by=row.line_id, order_by=row.acceptance_id).label("before")
    each = sa.select(row.line_id, row.decided_at, row.verdict, row.acceptance_id, before).where(row.decided_at <= known_at).subquery().c
    repeated = sa.and_(each.verdict == NOT_PROVEN, each.before == NOT_PROVEN, each.before.is_not(None))
    return sa.select(each.line_id, each.decided_at, each.verdict).where(~repeated).order_by(each.acceptance_id)
