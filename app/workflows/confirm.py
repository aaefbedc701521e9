"""Record who confirmed a line, and tell who is awaited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.acceptance import PASS, Acceptance
from app.core.confirmation import Confirmation, ConfirmationStanding, find_confirmation_faults, stand
from app.core.roles import find_role_faults
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.errors import ExitCode, InputError


@dataclass(frozen=True, slots=True)
class ConfirmReport:
    """Where the confirmations of some lines stand; `committed` is None where nothing was to be recorded."""

    standings: tuple[ConfirmationStanding, ...]
    committed: bool | None = None

    @property
    def exit_code(self) -> ExitCode:
        """DEADLINE where a window is over, PENDING where a word waits for --commit."""
        if any(standing.overdue for standing in self.standings):
            return ExitCode.DEADLINE
        return ExitCode.PENDING if self.committed is False else ExitCode.OK


def read_standings(workspace: Workspace, store: Store, line_ids: Iterable[str], now: datetime) -> ConfirmReport:
    """Return who has confirmed these lines and who is awaited, as known at `now`."""
    wanted = list(line_ids)
    accepted = first_passes(store.acceptance_history(wanted[0] if len(wanted) == 1 else None), now)
    words: dict[str, list[Confirmation]] = {}
    for word in store.confirmations(wanted[0] if len(wanted) == 1 else None):
        words.setdefault(word.line_id, []).append(word)
    zone = workspace.order.timezone
    return ConfirmReport(tuple(stand(each, accepted.get(each), words.get(each, ()), workspace.calendar, zone, now) for each in wanted))


def first_passes(decisions: Sequence[Acceptance], now: datetime) -> dict[str, Acceptance]:
    """Return the decision by which each line was accepted, up to `now`."""
    passed = [decision for decision in decisions if decision.verdict == PASS and decision.decided_at <= now]
    return {decision.line_id: decision for decision in reversed(passed)}


def add_confirmation(workspace: Workspace, store: Store, word: Confirmation, *, commit: bool, now: datetime) -> ConfirmReport:
    """Judge a party's word, and on `commit` append it.

    Raises:
        InputError: its turn has not come, or a part of it is wrong.
    """
    [before] = read_standings(workspace, store, [word.line_id], now).standings
    faults = [*find_role_faults(f"line {word.line_id}", word.by), *find_confirmation_faults(word, before, now)]
    if faults:
        raise InputError(faults)
    if commit:
        store.write_confirmation(word)
    accepted = first_passes(store.acceptance_history(word.line_id), now)
    words = [*store.confirmations(word.line_id), *([] if commit else [word])]
    after = stand(word.line_id, accepted.get(word.line_id), words, workspace.calendar, workspace.order.timezone, now)
    return ConfirmReport((after,), commit)
