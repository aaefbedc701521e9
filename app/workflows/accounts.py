"""Give out accounts and API tokens, change and end them. Every deed stands in the audit, no secret does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.access import (
    KNOWN_TO_ANOTHER,
    Account,
    Token,
    find_account_faults,
    find_grant_faults,
    find_password_faults,
    parse_role,
)
from app.core.offices import ADD, GRANT, PASSWORD, REMOVE, SIGN_OUT, TOKEN, Deed, are_held, find_deed_faults
from app.core.references import nearest
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.passwords import build_token, check_password, digest_token, hash_password
from app.errors import Finding, InputError

#: Who does it while the offices do not bind: whoever has the database.
ACTOR = "command line"
#: Of whom where no account is named.
NOBODY = "(no account)"


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who does something to accounts, and whether the three offices bind; the deed is judged and stands in the audit either way."""

    store: Store
    now: datetime
    account: Account | None = None

    @property
    def name(self) -> str:
        return self.account.name if self.account is not None else ACTOR

    def permit(self, deed: Deed) -> None:
        """Let a deed pass.

        Raises:
            InputError: it belongs to another office; that it was tried stands in the audit.
        """
        accounts = self.store.accounts()
        if not are_held(accounts):
            return
        if self.account is None:
            step = "Give --by NAME, or the secret account_token."
            raise InputError([Finding("command line", deed.name, "somebody who holds an office", "nobody named", step)])
        if faults := find_deed_faults(deed, self.account, accounts):
            subject = deed.subject.name if deed.subject is not None else NOBODY
            self.store.write_audit(self.now, self.name, f"{deed.name} refused", subject, {"role": str(self.account.role)})
            raise InputError(faults)

    def write_audit(self, deed: str, subject: str, **detail: object) -> None:
        self.store.write_audit(self.now, self.name, deed, subject, detail)


def identify(store: Store, now: datetime, name: str | None, password: str | None, token: str | None) -> Clerk:
    """Return who asks: the holder of a token, or of an account's password; nobody in particular where neither is given.

    Raises:
        InputError: the token or the password is none of anybody's; which, stands in the audit.
    """
    if token is not None:
        held = store.find_token(digest_token(token), now)
        found = store.find_account(held.account) if held is not None else None
        if found is None:
            store.write_audit(now, ACTOR, "sign in refused", NOBODY, {"by": "token"})
            step = "Ask for another: waiwang account token."
            raise InputError([Finding("secret account_token", "token", "a valid token of an account", "another", step)])
        return Clerk(store, now, found)
    if name is None:
        return Clerk(store, now)
    found = store.find_account(name)
    if not check_password(password or "", found.password_hash if found is not None else None) or found is None:
        store.write_audit(now, ACTOR, "sign in refused", found.name if found is not None else NOBODY, {"by": "password"})
        raise InputError([Finding("command line", "--by", "an account and its password", "one that does not fit", "Try again.")])
    return Clerk(store, now, found)


def add_account(clerk: Clerk, workspace: Workspace, name: str, role: str, password: str | None) -> Account:
    """Make an account; without a password it has tokens only.

    Raises:
        InputError: name, role or password are refused, or there is one of this name.
    """
    store, now, found = clerk.store, clerk.now, parse_role(role)
    clerk.permit(Deed(ADD, role=found))
    faults = find_account_faults(workspace, name, role)
    if password is not None:
        faults += find_password_faults(password, name)
    if store.find_account(name) is not None:
        step = f"Choose another name, or run waiwang account remove {name} first."
        faults.append(Finding("account", "name", "a name that is free", f"`{name}`, which is taken", step))
    if faults or found is None:
        raise InputError(faults)
    password_hash = hash_password(password) if password is not None else None
    made = Account(name, found, password_hash, now, now, _password_at(clerk, name) if password is not None else None)
    store.write_account(made)
    clerk.write_audit(ADD, name, role=role, password=password is not None)
    return made


def change_password(clerk: Clerk, name: str, password: str) -> None:
    """Give an account another password; its sessions end.

    Raises:
        InputError: there is no such account, or the password is refused.
    """
    held = find(clerk.store, name)
    clerk.permit(Deed(PASSWORD, held))
    if faults := find_password_faults(password, name):
        raise InputError(faults)
    changed = replace(held, password_hash=hash_password(password), changed_at=clerk.now, password_at=_password_at(clerk, name))
    clerk.store.write_account(changed)
    clerk.write_audit(PASSWORD, name)


def grant_role(clerk: Clerk, workspace: Workspace, name: str, role: str) -> Account:
    """Give an account another role; its sessions end, its tokens go on in the new role.

    Raises:
        InputError: there is no such account or role, or it is another's to grant.
    """
    held, found = find(clerk.store, name), parse_role(role)
    clerk.permit(Deed(GRANT, held, found))
    if (faults := find_grant_faults(workspace, role)) or found is None:
        raise InputError(faults)
    granted = replace(held, role=found, changed_at=clerk.now)
    clerk.store.write_account(granted)
    clerk.write_audit(GRANT, name, before=str(held.role), role=role)
    return granted


def end_sessions(clerk: Clerk, name: str) -> None:
    """End every session of an account; its password and its tokens stay. Raises InputError where there is no such account."""
    held = find(clerk.store, name)
    clerk.permit(Deed(SIGN_OUT, held))
    clerk.store.write_account(replace(held, changed_at=clerk.now))
    clerk.write_audit(SIGN_OUT, name)


def remove_account(clerk: Clerk, name: str) -> None:
    """End an account, its sessions and its tokens. Raises InputError where there is none."""
    clerk.permit(Deed(REMOVE, find(clerk.store, name)))
    clerk.store.remove_account(name, clerk.now)
    clerk.write_audit(REMOVE, name)


def _password_at(clerk: Clerk, name: str) -> datetime:
    """Return since when only the holder knows a password that is set now: where the offices bind, one that another gave must be changed."""
    own = clerk.name == name or not are_held(clerk.store.accounts())
    return clerk.now if own else KNOWN_TO_ANOTHER


def add_token(clerk: Clerk, name: str, days: int) -> tuple[str, datetime]:
    """Make an API token; return it, for once, and when it ends. Raises InputError where there is no such account."""
    clerk.permit(Deed(TOKEN, find(clerk.store, name)))
    token, ends = build_token(), clerk.now + timedelta(days=days)
    clerk.store.write_token(Token(name, digest_token(token), clerk.now, ends))
    clerk.write_audit(TOKEN, name, expires_at=ends.isoformat())
    return token, ends


def revoke_tokens(clerk: Clerk, name: str) -> int:
    """End every token of an account; return how many. Raises InputError where there is no such account."""
    clerk.permit(Deed(TOKEN, find(clerk.store, name)))
    ended = clerk.store.revoke_tokens(name, clerk.now)
    clerk.write_audit("account token revoke", name, ended=ended)
    return ended


def find(store: Store, name: str) -> Account:
    """Return an account. Raises InputError where there is none."""
    found = store.find_account(name)
    if found is None:
        known = [account.name for account in store.accounts()]
        step = nearest(name, known, "waiwang account list shows them.")
        raise InputError([Finding("account", "name", "an account", f"none of the name `{name}`", step)])
    return found
