"""Who may see and do what: accounts, their roles, and the part of a rollout that a role is shown. Pure.

A carrier sees its own lines alone, a unit its own; viewer, engineer and centre see everything. Nobody speaks for another party:
a carrier reports its lines opened and confirms them, a unit confirms its own, the centre concludes. Administrators and auditor see
accounts or the audit, and nothing of the rollout (`app.core.offices`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from string import ascii_lowercase, digits

from app.core import confirmation
from app.core.events import SERVICE
from app.core.inventory import Line
from app.core.life import OPENED
from app.core.references import nearest
from app.core.workspace import Workspace
from app.errors import Finding

VIEWER, ENGINEER, CENTRE = "viewer", "engineer", "centre"
CARRIER, UNIT = "carrier", "unit"
#: Roles that see the whole rollout.
WIDE = (VIEWER, ENGINEER, CENTRE)
#: Roles that see a part, each written with whose: `carrier:telecom`, `unit:BZQ-GOV`.
NARROW = (CARRIER, UNIT)
SYSTEM, SECURITY, AUDITOR = "system", "security", "auditor"
#: The three offices of classified protection (三员): who makes accounts, who grants roles, who reads the audit.
OFFICES = (SYSTEM, SECURITY, AUDITOR)
#: An account that no role was granted to yet.
NONE = "none"
#: Roles that see nothing of the rollout.
APART = (*OFFICES, NONE)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
#: The moment that stands for a password which another than its holder chose.
KNOWN_TO_ANOTHER = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_ROLE = 80
#: Of characters that follow each other on a keyboard or in the alphabet: as many as a password may not hold.
LONGEST_RUN = 6
_ROWS = tuple(row[::way] for row in (ascii_lowercase, digits + "0", "qwertyuiop", "asdfghjkl", "zxcvbnm") for way in (1, -1))
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}\Z")
#: Reasons of states and transitions name the line that lies above.
_BEHIND = re.compile(r"(?<=behind line )\S+")
#: What stands in place of another party's line.
HIDDEN = "(another party's)"


@dataclass(frozen=True, slots=True)
class Role:
    """What an account may be. `subject`: the carrier or unit that a narrow role is of, empty for a wide one."""

    kind: str
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject}" if self.subject else self.kind

    @property
    def is_narrow(self) -> bool:
        """Tell whether the role sees less than the whole rollout; one that is apart sees nothing of it."""
        return self.kind not in WIDE

    @property
    def is_apart(self) -> bool:
        return self.kind in APART

    def sees(self, line: Line) -> bool:
        """Tell whether this role may know of a line."""
        return self.kind in WIDE or self.subject == {CARRIER: line.carrier, UNIT: line.unit_id}.get(self.kind)


@dataclass(frozen=True, slots=True)
class Account:
    """A local account. `password_hash` is argon2's, None where it signs in by tokens alone; `changed_at` ends older sessions.

    `password_at`: since when only its holder knows the password; `KNOWN_TO_ANOTHER` where another gave it, None where it is not known.
    """

    name: str
    role: Role
    password_hash: str | None
    created_at: datetime
    changed_at: datetime
    password_at: datetime | None = None

    def must_change(self, at: datetime, password_life: timedelta | None) -> bool:
        """Tell whether the holder must choose another password before anything else; `password_life` None: it never grows old."""
        if self.password_hash is None or self.password_at is None:
            return False
        return self.password_at == KNOWN_TO_ANOTHER or (password_life is not None and at - self.password_at >= password_life)


@dataclass(frozen=True, slots=True)
class Token:
    """An API token: `digest` is its SHA-256, the token itself is shown once and kept nowhere."""

    account: str
    digest: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever signed in. `must_change`: nothing is open before another password is chosen."""

    account: str
    role: Role
    must_change: bool = False


def parse_role(text: str) -> Role | None:
    """Return the role, None where the text is none."""
    kind, colon, subject = text.partition(":")
    if len(text) > LONGEST_ROLE or (kind not in NARROW and colon) or (kind in NARROW and not subject):
        return None
    return Role(kind, subject) if kind in (*WIDE, *NARROW, *APART) else None


def find_account_faults(workspace: Workspace, name: str, role: str) -> list[Finding]:
    """Return everything that keeps an account from being made."""
    faults = []
    if not _NAME.match(name):
        step = "Name the desk or the system, such as telecom-desk or screen-1, never a person."
        faults.append(Finding("account", "name", "2 to 32 of a-z 0-9 . _ -, a letter first", f"`{name}`", step))
    return faults + find_grant_faults(workspace, role)


def find_grant_faults(workspace: Workspace, role: str) -> list[Finding]:
    """Return everything that keeps a role from being granted."""
    faults = []
    found = parse_role(role)
    if found is None:
        expected = "viewer, engineer, centre, carrier:ID, unit:ID, system, security, auditor or none"
        faults.append(Finding("account", "role", expected, f"`{role}`", "Write one of them; ID is the order's carrier or a unit."))
    elif found.kind in NARROW:
        known: Mapping[str, object] = workspace.order.carriers if found.kind == CARRIER else workspace.inventory.units
        if found.subject not in known:
            home = "inventory/order.yaml" if found.kind == CARRIER else "inventory/units.csv"
            step = nearest(found.subject, known, f"Name one that {home} has.")
            faults.append(Finding("account", f"role of a {found.kind}", f"a {found.kind} of {home}", f"`{found.subject}`", step))
    return faults


def find_password_faults(password: str, account: str) -> list[Finding]:
    """Return what is wrong with a new password; it is not repeated."""
    expected, step = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", "Choose a sentence that nobody can guess."
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return [Finding(f"account {account}", "password", expected, f"{len(password)} characters", step)]
    if len(set(password)) < SHORTEST_PASSWORD // 2 or account in password.casefold():
        return [Finding(f"account {account}", "password", f"{expected}, various, without the name", "one that is easily guessed", step)]
    if password.isdigit() or _longest_run(password) >= LONGEST_RUN:
        return [Finding(f"account {account}", "password", f"{expected}, no number and no row of keys", "one that is easily guessed", step)]
    return []


def _longest_run(password: str) -> int:
    """Return how many characters at most follow each other as on a keyboard or in the alphabet, in either direction."""
    text, longest, run = password.casefold(), 1, 1
    for pair in map("".join, pairwise(text)):
        run = run + 1 if any(pair in row for row in _ROWS) else 1
        longest = max(longest, run)
    return longest


# What a role is shown


def narrow_workspace(workspace: Workspace, role: Role) -> Workspace:
    """Return the rollout as one carrier or unit has it: its lines, the units that they serve, the milestones that it can meet.

    Whatever is computed from the result knows nothing of other parties' lines.
    """
    if not role.is_narrow:
        return workspace
    inventory, order = workspace.inventory, workspace.order
    lines = {line_id: line for line_id, line in inventory.lines.items() if role.sees(line)}
    served = {line.unit_id for line in lines.values()} if role.kind == CARRIER else {role.subject}
    units = {unit_id: unit for unit_id, unit in inventory.units.items() if unit_id in served}
    milestones = tuple(each for each in order.milestones if role.kind == UNIT or each.evidence == "accepted_line")
    return replace(
        workspace, inventory=replace(inventory, lines=lines, units=units, services={}), order=replace(order, milestones=milestones)
    )


def mask_reason(reason: str, own: Iterable[str]) -> str:
    """Return the reason of a state without the id of a line that is not one's own."""
    known = set(own)
    return _BEHIND.sub(lambda found: found[0] if found[0] in known else HIDDEN, reason)


# What a role may do


def may_step(role: Role, line: Line, state: str) -> bool:
    """Tell whether the role may record this step of the line's life."""
    if role.kind in (ENGINEER, CENTRE):
        return True
    return role.kind == CARRIER and role.sees(line) and state == OPENED


def party_of(role: Role, line: Line) -> str | None:
    """Return as which party the role may confirm the line, None where it may not."""
    parties = {CARRIER: confirmation.CARRIER, UNIT: confirmation.UNIT, CENTRE: confirmation.CENTRE}
    return parties.get(role.kind) if role.sees(line) else None


def may_report(role: Role, subject: str) -> bool:
    """Tell whether the role may report an event of a unit, service:ID or region:CODE."""
    if role.kind in (ENGINEER, CENTRE):
        return True
    return role.kind == UNIT and subject == role.subject and not subject.startswith(SERVICE)


def may_prove(role: Role, line: Line) -> bool:
    """Tell whether the role may take away the evidence on a line."""
    return role.kind in (ENGINEER, CENTRE) or (role.is_narrow and role.sees(line))
