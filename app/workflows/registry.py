"""What the web's doors write down, each by the role of whoever signed in: steps of lines, confirmations, reports of units, packs.

The rules are those of the command line; the audit names the account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app.core.acceptance import Acceptance
from app.core.access import Role, Viewer, may_prove, may_report, may_step, narrow_workspace, party_of
from app.core.confirmation import Confirmation, ConfirmationStanding
from app.core.entered import find_entry_faults
from app.core.events import UnitEvent
from app.core.inventory import Line
from app.core.life import Life, LifeEvent
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.provenance import clock_state
from app.edge.signing import SigningKey, read_key
from app.errors import AccessRefused, InputError
from app.workflows.confirm import add_confirmation, first_passes, read_standings
from app.workflows.events import EventReport, add_event
from app.workflows.evidence import Occasion, export_evidence
from app.workflows.life import add_step, read_lives


class UnknownLine(LookupError):
    """There is no such line, or it is not for this role to know."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody enters: when it happened (None: now), on which document, by which role (None: the account's own)."""

    document: str
    observed_at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """`workspace`: as far as the role may know it. `whole`: all of it, for packs. `key` signs packs, None where there is none."""

    workspace: Workspace
    store: Store
    clock: Callable[[], datetime]
    root: Path
    poll_interval_s: float
    key: SigningKey | None = None
    whole: Workspace | None = None

    def narrowed(self, role: Role) -> Registry:
        """Return the registry that a role may use."""
        return replace(self, workspace=narrow_workspace(self.workspace, role), whole=self.whole or self.workspace)

    def line(self, line_id: str) -> Line:
        """Return a line. Raises UnknownLine."""
        try:
            return self.workspace.inventory.lines[line_id]
        except KeyError:
            raise UnknownLine(line_id) from None

    def life(self, line_id: str) -> Life:
        """Return the life of a line. Raises UnknownLine."""
        [life] = read_lives(self.store, [self.line(line_id).line_id])
        return life

    def standing(self, line_id: str) -> ConfirmationStanding:
        """Return where the confirmation of a line stands. Raises UnknownLine."""
        [standing] = read_standings(self.workspace, self.store, [self.line(line_id).line_id], self.clock()).standings
        return standing

    def passed(self, line_id: str) -> Acceptance | None:
        """Return the decision by which a line was accepted. Raises UnknownLine."""
        return first_passes(self.store.acceptance_history(self.line(line_id).line_id), self.clock()).get(line_id)

    def is_judged(self, line_id: str) -> bool:
        """Tell whether a decision on a line is recorded: without one there is no evidence. Raises UnknownLine."""
        return bool(self.store.acceptance_history(self.line(line_id).line_id))

    def add_step(self, viewer: Viewer, line_id: str, state: str, entry: Entry) -> Life:
        """Record a step of a line's life.

        Raises:
            UnknownLine, AccessRefused, InputError, StoreError
        """
        line = self.line(line_id)
        if not may_step(viewer.role, line, state):
            raise _refused(viewer, f"line {line_id}: record {state}", "the centre, an engineer, or for opened the line's carrier")
        _check(f"line {line_id}", entry)
        now = self.clock()
        event = LifeEvent(line_id, state, entry.observed_at or now, now, self._by(viewer, entry), entry.document)
        report = add_step(self.store, event, commit=True, now=now)
        self._audit(viewer, now, "life", line_id, {"state": state, "document": entry.document})
        return report.life

    def add_word(self, viewer: Viewer, line_id: str, decision: str, entry: Entry, reason: str = "") -> ConfirmationStanding:
        """Record the word of the party that the viewer is.

        Raises:
            UnknownLine, AccessRefused, InputError, StoreError
        """
        party = party_of(viewer.role, self.line(line_id))
        if party is None:
            raise _refused(viewer, f"line {line_id}: confirm", "its unit, its carrier or the centre")
        _check(f"line {line_id}", entry, reason)
        now = self.clock()
        word = Confirmation(line_id, party, decision, entry.observed_at or now, now, self._by(viewer, entry), entry.document, reason)
        [standing] = add_confirmation(self.workspace, self.store, word, commit=True, now=now).standings
        self._audit(viewer, now, "confirm", line_id, {"party": party, "decision": decision, "document": entry.document})
        return standing

    def add_report(self, viewer: Viewer, subject: str, event: str, entry: Entry, amount: float | None, *, holds: bool) -> EventReport:
        """Record what a unit, service or region reports; a row that is known already adds nothing.

        Raises:
            AccessRefused, InputError, StoreError
        """
        if not may_report(viewer.role, subject):
            raise _refused(viewer, f"{subject}: report {event}", "the centre, an engineer, or the unit itself")
        _check("request", entry)
        now = self.clock()
        by = self._by(viewer, entry)
        row = UnitEvent(subject, event, entry.observed_at or now, now, by, entry.document, amount, holds=holds, where="request")
        report = add_event(self.workspace, self.store, row, commit=True, now=now)
        if report.new:
            self._audit(viewer, now, "event", subject, {"event": event, "document": entry.document, "holds": holds})
        return report

    def pack(self, viewer: Viewer, line_id: str) -> bytes:
        """Return the evidence pack over a line's newest decision.

        Raises:
            UnknownLine, AccessRefused, InputError
        """
        if not may_prove(viewer.role, self.line(line_id)):
            raise _refused(viewer, f"line {line_id}: take the evidence", "the centre, an engineer, its unit or its carrier")
        key, now = self.key or read_key(None), self.clock()
        occasion = Occasion(self._by(viewer, Entry("")), now, clock_state(), self.poll_interval_s)
        pack = export_evidence(self.whole or self.workspace, self.store, self.root, line_id, key, occasion)
        self._audit(viewer, now, "evidence", line_id, {"octets": len(pack)})
        return pack

    def _by(self, viewer: Viewer, entry: Entry) -> str:
        """Return the role that is written down: as it was entered, else the unit's own contact role or the account's role."""
        unit = self.workspace.inventory.units.get(viewer.role.subject) if viewer.role.kind == "unit" else None
        return entry.by or (unit.contact_role if unit is not None else str(viewer.role))

    def _audit(self, viewer: Viewer, now: datetime, verb: str, subject: str, detail: Mapping[str, object]) -> None:
        self.store.write_audit(now, viewer.account, verb, subject, {"role": str(viewer.role), **detail})


def _check(where: str, entry: Entry, reason: str = "") -> None:
    """Raise InputError for what cannot be kept."""
    texts = {"document": entry.document, "by": entry.by, "reason": reason}
    if faults := list(find_entry_faults(where, entry.observed_at, texts)):
        raise InputError(faults)


def _refused(viewer: Viewer, what: str, expected: str) -> AccessRefused:
    return AccessRefused(f"{what}: expected {expected}; found {viewer.account}, a {viewer.role}. Sign in with an account of that role.")
