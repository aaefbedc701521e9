"""Give out accounts and API tokens, change and end them. Every deed stands in the audit, no secret does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.core.access import Account, Token, find_account_faults, find_password_faults, parse_role
from app.core.references import nearest
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.passwords import build_token, digest_token, hash_password
from app.errors import Finding, InputError

#: Who does it: whoever has the database.
ACTOR = "command line"


def add_account(workspace: Workspace, store: Store, name: str, role: str, password: str | None, now: datetime) -> Account:
    """Make an account; without a password it has tokens only.

    Raises:
        InputError: name, role or password are refused, or there is one of this name.
    """
    faults = find_account_faults(workspace, name, role)
    if password is not None:
        faults += find_password_faults(password, name)
    if store.find_account(name) is not None:
        step = f"Choose another name, or run waiwang account remove {name} first."
        faults.append(Finding("account", "name", "a name that is free", f"`{name}`, which is taken", step))
    found = parse_role(role)
    if faults or found is None:
        raise InputError(faults)
    made = Account(name, found, hash_password(password) if password is not None else None, now, now)
    store.write_account(made)
    store.write_audit(now, ACTOR, "account add", name, {"role": role, "password": password is not None})
    return made


def change_password(store: Store, name: str, password: str, now: datetime) -> None:
    """Give an account another password; its sessions end.

    Raises:
        InputError: there is no such account, or the password is refused.
    """
    held = find(store, name)
    if faults := find_password_faults(password, name):
        raise InputError(faults)
    store.write_account(replace(held, password_hash=hash_password(password), changed_at=now))
    store.write_audit(now, ACTOR, "account password", name)


def end_sessions(store: Store, name: str, now: datetime) -> None:
    """End every session of an account; its password and its tokens stay. Raises InputError where there is no such account."""
    store.write_account(replace(find(store, name), changed_at=now))
    store.write_audit(now, ACTOR, "account sign-out", name)


def remove_account(store: Store, name: str, now: datetime) -> None:
    """End an account, its sessions and its tokens. Raises InputError where there is none."""
    find(store, name)
    store.remove_account(name, now)
    store.write_audit(now, ACTOR, "account remove", name)


def add_token(store: Store, name: str, days: int, now: datetime) -> tuple[str, datetime]:
    """Make an API token; return it, for once, and when it ends. Raises InputError where there is no such account."""
    find(store, name)
    token, ends = build_token(), now + timedelta(days=days)
    store.write_token(Token(name, digest_token(token), now, ends))
    store.write_audit(now, ACTOR, "account token", name, {"expires_at": ends.isoformat()})
    return token, ends


def revoke_tokens(store: Store, name: str, now: datetime) -> int:
    """End every token of an account; return how many. Raises InputError where there is no such account."""
    find(store, name)
    ended = store.revoke_tokens(name, now)
    store.write_audit(now, ACTOR, "account token revoke", name, {"ended": ended})
    return ended


def find(store: Store, name: str) -> Account:
    """Return an account. Raises InputError where there is none."""
    found = store.find_account(name)
    if found is None:
        known = [account.name for account in store.accounts()]
        step = nearest(name, known, "waiwang account list shows them.")
        raise InputError([Finding("account", "name", "an account", f"`{name}`, which there is none of", step)])
    return found
