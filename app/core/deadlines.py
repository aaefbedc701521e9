"""A deadline cannot slide silently: every change stands in the order's log, and what was once worked by is never forgotten. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from app.core.milestone import Milestone
from app.core.order import Order
from app.core.terms import DeadlineChange, SeenTerms, Terms
from app.errors import Finding

ORDER_FILE = "inventory/order.yaml"


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change as everybody sees it. `later`: it gives more time. `other_terms`: what changed beside the day, as `soft: no → yes`."""

    change_id: str
    changed_on: date
    due_was: date
    due_becomes: date
    later: bool
    other_terms: tuple[str, ...]
    decided_by: str
    document: str
    reason: str
    reason_en: str
    ruling: str | None


def view_changes(milestone: Milestone) -> tuple[ChangeView, ...]:
    """Return the changes of a milestone's terms, oldest first."""
    steps = pairwise(milestone.term_history())
    return tuple(_view(change, before, after) for change, (before, after) in zip(milestone.changes, steps, strict=True))


def _view(change: DeadlineChange, before: Terms, after: Terms) -> ChangeView:
    return ChangeView(
        change_id=change.change_id,
        changed_on=change.changed_on,
        due_was=before.due_on,
        due_becomes=after.due_on,
        later=_first_too_late(after) > _first_too_late(before),
        other_terms=tuple(_differences(before, after)),
        decided_by=change.decided_by,
        document=change.document,
        reason=change.reason,
        reason_en=change.reason_en,
        ruling=change.ruling,
    )


def _first_too_late(terms: Terms) -> tuple[int, bool]:
    """Sort terms by their first moment that is too late, in any zone."""
    return terms.due_on.toordinal() + terms.inclusive, terms.soft


def _differences(before: Terms, after: Terms) -> Iterator[str]:
    pairs = (
        ("inclusive", _yes_no(before.inclusive), _yes_no(after.inclusive)),
        ("soft", _yes_no(before.soft), _yes_no(after.soft)),
        ("target_share", f"{before.target_share:.0%}", f"{after.target_share:.0%}"),
    )
    for name, was, becomes in pairs:
        if was != becomes:
            yield f"{name}: {was} → {becomes}"


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


# The log against itself


def find_change_faults(order: Order, milestone: Milestone) -> Iterator[Finding]:
    """Yield what the change log of a milestone contradicts: in itself, the order's own day, and the rule that a date moves earlier only."""
    owner = f"milestone {milestone.milestone_id}"
    after = milestone.terms
    for change in reversed(milestone.changes):
        called = f"{owner}, change {change.change_id}"
        was, becomes = change.was.given(), change.becomes.given()
        if was.keys() != becomes.keys() or not was:
            expected, found = "the same terms, one or more", f"was {_names(was)}, becomes {_names(becomes)}"
            yield Finding(change.where, f"{called}: `was` and `becomes` differ", expected, found, "Name each changed term in both.")
            continue
        if replace(after, **becomes) != after:
            what = f"{called}: does not lead to what comes after it"
            step = "Add the change that is missing, or correct `becomes`."
            yield Finding(change.where, what, f"terms that become: {after}", str(replace(after, **becomes)), step)
        before = replace(after, **was)
        if change.changed_on < order.issued_on and order.simulation is None:
            what = f"{called}: decided before the order was issued"
            yield Finding(change.where, what, f"a day from {order.issued_on} on", str(change.changed_on), "Correct `changed_on`.")
        source = milestone.earlier_only
        if source is not None and _first_too_late(after) > _first_too_late(before) and change.ruling is None:
            what = f"{called}: the order lets this date move earlier only"
            expected = f"an earlier day, or the ruling that overrides {source.clause or source.ruling or 'the default'}"
            step = "Name the `ruling:` that decided it, or take the change back."
            yield Finding(change.where, what, expected, f"{before} → {after}", step)
        after = before


def _names(terms: Iterable[str]) -> str:
    return ", ".join(terms) or "nothing"


# The log against what was worked by


@dataclass(frozen=True, slots=True)
class MovedDeadline:
    """A milestone that was worked by on `was` from `seen_at` on, which its log does not show; `due_on` None: it is gone."""

    milestone_id: str
    title: str
    title_en: str
    was: date
    seen_at: datetime
    due_on: date | None
    finding: Finding


def find_silent_changes(order: Order, seen: Sequence[SeenTerms]) -> tuple[MovedDeadline, ...]:
    """Return every milestone that was once worked by with other terms than its log shows, in the sequence in which it was seen.

    `seen` oldest first. A simulated order is compared without its shift of days.
    """
    by_milestone: dict[str, list[SeenTerms]] = {}
    for each in seen:
        by_milestone.setdefault(each.milestone_id, []).append(each)
    known = {milestone.milestone_id: milestone for milestone in order.milestones}
    moved = [_find_silent(order, known.get(name), rows) for name, rows in by_milestone.items()]
    return tuple(each for each in moved if each is not None)


def _find_silent(order: Order, milestone: Milestone | None, rows: Sequence[SeenTerms]) -> MovedDeadline | None:
    last = rows[-1]
    if milestone is None:
        what = f"milestone {last.milestone_id}: it is gone"
        expected = f"the milestone that was worked by since {_moment(order, last.seen_at)} ({last.terms})"
        step = "Put it back; a duty that fell away stays, with its change."
        finding = Finding(ORDER_FILE, what, expected, "no such milestone", step)
        name, due_on = last.milestone_id, last.terms.moved(_shift(order)).due_on
        return MovedDeadline(name, name, name, due_on, last.seen_at, None, finding)
    history = [terms.moved(-_shift(order)) for terms in milestone.term_history()]
    place = 0
    for row in rows:
        while place < len(history) and history[place] != row.terms:
            place += 1
        if place == len(history):
            was = row.terms.moved(_shift(order)).due_on
            finding = _silent(order, milestone, row, history)
            named = milestone.milestone_id, milestone.title, milestone.title_en
            return MovedDeadline(*named, was, row.seen_at, milestone.due_on, finding)
    return None


def _silent(order: Order, milestone: Milestone, row: SeenTerms, history: Sequence[Terms]) -> Finding:
    what = f"milestone {milestone.milestone_id}: its deadline moved without an entry in the log"
    expected = f"`{row.terms}`, worked by since {_moment(order, row.seen_at)}, or an entry under `changes` that leads from it"
    step = "Put the terms back, or add the change: changed_on, was, becomes, decided_by, document, reason."
    return Finding(milestone.source.where, what, expected, " → ".join(f"`{terms}`" for terms in history), step)


def terms_to_keep(order: Order, seen: Sequence[SeenTerms], now: datetime) -> tuple[SeenTerms, ...]:
    """Return the present terms of every milestone whose last seen ones differ, to be kept from now on."""
    last = {each.milestone_id: each.terms for each in seen}
    present = {milestone.milestone_id: milestone.terms.moved(-_shift(order)) for milestone in order.milestones}
    return tuple(SeenTerms(name, terms, now) for name, terms in present.items() if last.get(name) != terms)


def _shift(order: Order) -> int:
    return order.simulation.moved_days if order.simulation is not None else 0


def _moment(order: Order, moment: datetime) -> str:
    return moment.astimezone(order.timezone).isoformat(timespec="seconds")
