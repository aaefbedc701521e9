"""Confirmation of an accepted line: by its unit and its carrier, then by the centre, each within a window of working days. Pure.

Silence confirms nothing: a party whose window is over is overdue, and stays awaited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from app.core.acceptance import PASS, Acceptance
from app.core.workdays import Window, WorkCalendar, working_days_after
from app.errors import Finding

UNIT, CARRIER, CENTRE = "unit", "carrier", "centre"
PARTIES = (UNIT, CARRIER, CENTRE)
CONFIRMED: Final = "confirmed"
REFUSED: Final = "refused"
#: What a party stands at. `not_yet`: its turn has not come.
PartyState = Literal["confirmed", "confirmed_late", "refused", "awaited", "overdue", "not_yet"]
#: Of the whole: nothing is accepted yet, somebody is awaited, somebody refused, all have confirmed.
ConfirmationState = Literal["not_accepted", "awaited", "overdue", "refused", "confirmed"]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One party's word on one line. `by` is a role, never a person; `reason` is empty unless it refuses."""

    line_id: str
    party: str
    decision: str
    observed_at: datetime
    recorded_at: datetime
    by: str
    document: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PartyStanding:
    """Where one party stands. `window` is None while its turn has not come, `word` while it has said nothing."""

    party: str
    standing: PartyState
    window: Window | None
    word: Confirmation | None


@dataclass(frozen=True, slots=True)
class ConfirmationStanding:
    """Where the confirmation of a line stands; `requested_at` is the moment of its acceptance, None before."""

    line_id: str
    state: ConfirmationState
    requested_at: datetime | None
    parties: tuple[PartyStanding, ...]

    @property
    def awaited(self) -> tuple[str, ...]:
        return tuple(each.party for each in self.parties if each.standing in ("awaited", "overdue"))

    @property
    def overdue(self) -> tuple[str, ...]:
        return tuple(each.party for each in self.parties if each.standing == "overdue")

    def of(self, party: str) -> PartyStanding:
        return next(each for each in self.parties if each.party == party)


def stand(
    line_id: str, accepted: Acceptance | None, words: Iterable[Confirmation], calendar: WorkCalendar, zone: ZoneInfo, now: datetime
) -> ConfirmationStanding:
    """Return who has confirmed a line, who is awaited and until when, as known at `now`.

    A party's last word before or at `now` holds: whoever refused may confirm later. The centre's turn comes with the later of
    the other two confirmations.
    """
    if accepted is None or accepted.verdict != PASS:
        return ConfirmationStanding(line_id, "not_accepted", None, tuple(PartyStanding(party, "not_yet", None, None) for party in PARTIES))
    since = accepted.decided_at
    newest = _newest(line_id, words, since, now)
    window = working_days_after(calendar, since, calendar.windows.parties_days, zone)
    first = [_standing(party, newest.get(party), window, now) for party in (UNIT, CARRIER)]
    confirmed = [each.word for each in first if each.word is not None and each.word.decision == CONFIRMED]
    centre = PartyStanding(CENTRE, "not_yet", None, None)
    if len(confirmed) == len(first):
        turn = max(word.observed_at for word in confirmed)
        word = newest.get(CENTRE)
        in_turn = word if word is not None and word.observed_at >= turn else None
        centre = _standing(CENTRE, in_turn, working_days_after(calendar, turn, calendar.windows.centre_days, zone), now)
    parties = (*first, centre)
    return ConfirmationStanding(line_id, _overall(parties), since, parties)


def _newest(line_id: str, words: Iterable[Confirmation], since: datetime, now: datetime) -> dict[str, Confirmation]:
    known = [word for word in words if word.line_id == line_id and since <= word.observed_at and word.recorded_at <= now]
    return {word.party: word for word in sorted(known, key=lambda word: (word.observed_at, word.recorded_at))}


def _standing(party: str, word: Confirmation | None, window: Window, now: datetime) -> PartyStanding:
    """A window is met strictly before its first moment that is too late."""
    if word is None:
        return PartyStanding(party, "awaited" if now < window.due_at else "overdue", window, None)
    if word.decision == REFUSED:
        return PartyStanding(party, REFUSED, window, word)
    return PartyStanding(party, CONFIRMED if word.observed_at < window.due_at else "confirmed_late", window, word)


def _overall(parties: Sequence[PartyStanding]) -> ConfirmationState:
    standings = [each.standing for each in parties]
    if REFUSED in standings:
        return REFUSED
    if "overdue" in standings:
        return "overdue"
    return CONFIRMED if all(each in (CONFIRMED, "confirmed_late") for each in standings) else "awaited"


def _turn(before: ConfirmationStanding) -> datetime:
    """Return the later of the two confirmations that the centre waits for; both were given."""
    return max(word.observed_at for party in (UNIT, CARRIER) if (word := before.of(party).word) is not None)


def find_confirmation_faults(word: Confirmation, before: ConfirmationStanding, now: datetime) -> list[Finding]:
    """Return everything that keeps a word from being recorded; `before` is the standing without it."""
    where = f"line {word.line_id}"
    if before.requested_at is None:
        step = "Run waiwang accept --commit; only an accepted line is confirmed."
        return [Finding(where, f"{word.party} cannot confirm yet", "an accepted line", "a line that is not accepted", step)]
    faults = []
    if word.observed_at > now:
        step, expected = "Correct the moment; what will be is not yet observed.", f"up to {now.isoformat()}"
        faults.append(Finding(where, f"the word of {word.party} lies in the future", expected, word.observed_at.isoformat(), step))
    if word.observed_at < before.requested_at:
        step = "Correct the moment; a word given before the acceptance says nothing of it."
        expected = f"from {before.requested_at.isoformat()} on"
        faults.append(Finding(where, f"{word.party} spoke before the acceptance", expected, word.observed_at.isoformat(), step))
    if word.decision == REFUSED and not word.reason:
        faults.append(Finding(where, f"{word.party} refuses without a reason", "a reason", "none", "Say with --reason what is wrong."))
    if word.party == CENTRE:
        missing = [party for party in (UNIT, CARRIER) if before.of(party).standing not in (CONFIRMED, "confirmed_late")]
        if missing:
            found = ", ".join(f"{party} {before.of(party).standing}" for party in missing)
            step = f"Record the confirmation of {missing[0]} first."
            faults.append(Finding(where, "the centre confirms last", "unit and carrier confirmed", found, step))
        elif word.observed_at < (turn := _turn(before)):
            step = "Correct the moment; the centre confirms what both have confirmed."
            faults.append(Finding(where, "the centre confirms last", f"from {turn.isoformat()} on", word.observed_at.isoformat(), step))
    held = before.of(word.party).word
    if held is not None and held.decision == word.decision == CONFIRMED:
        found = f"confirmed at {held.observed_at.isoformat()} on {held.document}"
        faults.append(Finding(where, f"{word.party} has confirmed already", "one confirmation", found, "Nothing is to be recorded."))
    return faults
