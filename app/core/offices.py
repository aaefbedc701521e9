"""The three offices of classified protection (三员分立, GB/T 22239 level 3): who may do what to accounts, and to nothing else. Pure.

A system administrator makes and ends accounts, a security administrator grants roles, an auditor reads what both did. An account has
one role, so nobody holds two offices. They bind once each is held: until then whoever has the database does all three.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.core.access import AUDITOR, NONE, OFFICES, SECURITY, SYSTEM, Account, Role
from app.errors import Finding

ADD, PASSWORD, TOKEN, REMOVE = "account add", "account password", "account token", "account remove"
GRANT, SIGN_OUT, LOG, LIST = "account grant", "account sign-out", "account log", "account list"
#: Deed → the offices that it belongs to.
POWERS: dict[str, tuple[str, ...]] = {
    ADD: (SYSTEM,),
    PASSWORD: (SYSTEM,),
    TOKEN: (SYSTEM,),
    REMOVE: (SYSTEM,),
    GRANT: (SECURITY,),
    SIGN_OUT: (SECURITY,),
    LOG: (AUDITOR,),
    LIST: OFFICES,
}
#: What a system administrator does to no account that holds an office: it could pass for its holder, or rid itself of it.
NEVER_TO_OFFICES = (PASSWORD, TOKEN, REMOVE)
#: What everybody may do to one's own account.
OWN = (PASSWORD, TOKEN)
TITLES = {SYSTEM: "a system administrator", SECURITY: "a security administrator", AUDITOR: "an auditor"}


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody would do: to which account (None: to none in particular), with which role as its result."""

    name: str
    subject: Account | None = None
    role: Role | None = None


def are_held(accounts: Iterable[Account]) -> bool:
    """Tell whether every office is held, and so whether they bind."""
    return {account.role.kind for account in accounts} >= set(OFFICES)


def find_deed_faults(deed: Deed, actor: Account, accounts: Collection[Account]) -> list[Finding]:
    """Return everything that keeps an actor from a deed where the offices bind."""
    subject = deed.subject
    if deed.name in OWN and subject is not None and subject.name == actor.name:
        return []
    faults = [*_power_faults(deed, actor), *_office_faults(deed, actor)]
    leaves = deed.name == REMOVE or (deed.name == GRANT and deed.role != (subject.role if subject else None))
    if subject is not None and leaves and subject.role.kind in OFFICES:
        others = {each.role.kind for each in accounts if each.name != subject.name}
        if subject.role.kind not in others:
            step = "Make another account, grant it this role, and try again."
            faults.append(_fault(deed, f"another {subject.role} left to hold the office", f"{subject.name}, the only one", step))
    return faults


def _power_faults(deed: Deed, actor: Account) -> Iterable[Finding]:
    offices = POWERS[deed.name]
    if actor.role.kind not in offices:
        expected = " or ".join(TITLES[office] for office in offices)
        yield _fault(deed, expected, f"{actor.name}, {shown(actor.role)}", f"Ask {expected}.")
    if deed.name == ADD and deed.role is not None and deed.role.kind != NONE:
        step = f"Leave --role away; then {TITLES[SECURITY]} grants it: waiwang account grant."
        yield _fault(deed, "an account without a role", f"the role {deed.role}", step)


def _office_faults(deed: Deed, actor: Account) -> Iterable[Finding]:
    subject = deed.subject
    if subject is None:
        return
    if deed.name in NEVER_TO_OFFICES and subject.role.kind in OFFICES:
        step = f"Let {TITLES[SECURITY]} take the office away first: waiwang account grant {subject.name} --role none."
        yield _fault(deed, "an account that holds no office", f"{subject.name}, {shown(subject.role)}", step)
    if deed.name == GRANT and subject.name == actor.name:
        step = "Another security administrator may change it."
        yield _fault(deed, "somebody else's account", f"{subject.name}, one's own", step)


def _fault(deed: Deed, expected: str, found: str, step: str) -> Finding:
    where = f"account {deed.subject.name}" if deed.subject is not None else "account"
    return Finding(where, deed.name.removeprefix("account "), expected, found, step)


def shown(role: Role) -> str:
    """Write a role with its article."""
    return TITLES.get(role.kind, "without a role" if role.kind == NONE else f"a {role}")
