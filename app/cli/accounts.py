"""Commands on accounts: who may sign in to the page and the API, and by which tokens."""

from __future__ import annotations

import getpass
import json
import sys
from datetime import timedelta
from typing import Annotated

import typer

from app.cli.context import Form, Root, now, open_context
from app.cli.lines import written
from app.cli.output import Format, Table, show, tell
from app.core.access import LONGEST_PASSWORD
from app.errors import Finding, InputError
from app.workflows import accounts as accounts_of

account = typer.Typer(help="Who may sign in to the page and the API.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="name of the account: a desk or a system, never a person")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input, one line")]


@account.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="viewer, engineer, centre, carrier:ID or unit:ID")],
    root: Root = None,
    password_stdin: Stdin = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="for a system that uses tokens only")] = False,
) -> None:
    """Make an account; the password is asked for."""
    context = open_context(root)
    password = None if no_password else _password(stdin=password_stdin)
    made = accounts_of.add_account(context.workspace, context.store, name, role, password, now())
    tell(f"account {made.name} ({made.role}) can sign in" if password is not None else f"account {made.name} ({made.role}) needs a token")


@account.command()
def password(name: Name, root: Root = None, password_stdin: Stdin = False) -> None:
    """Give an account another password; its sessions end."""
    context = open_context(root)
    accounts_of.find(context.store, name)
    accounts_of.change_password(context.store, name, _password(stdin=password_stdin), now())
    tell(f"account {name} has another password; its sessions have ended")


@account.command("list")
def list_(root: Root = None, form: Form = Format.text) -> None:
    """Show who may sign in."""
    context = open_context(root)
    zone = context.workspace.order.timezone
    tokens = context.store.count_tokens(now())
    rows = [
        (each.name, str(each.role), each.password_hash is not None, tokens.get(each.name, 0), written(each.changed_at, zone))
        for each in context.store.accounts()
    ]
    show(Table("accounts", ("account", "role", "password", "tokens", "changed"), rows, {"accounts": len(rows)}), form)


@account.command("sign-out")
def sign_out(name: Name, root: Root = None) -> None:
    """End every session of an account; its password and its tokens stay."""
    context = open_context(root)
    accounts_of.end_sessions(context.store, name, now())
    tell(f"the sessions of {name} have ended")


@account.command()
def log(
    name: Annotated[str | None, typer.Argument(help="of this account or subject; none means all")] = None,
    root: Root = None,
    form: Form = Format.text,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="how far back")] = 30,
) -> None:
    """Show the audit: who signed in, who was refused, who wrote what, newest first."""
    context = open_context(root)
    zone = context.workspace.order.timezone
    found = context.store.audit(now() - timedelta(days=days))
    rows = [
        (written(each.at, zone), each.actor, each.verb, each.subject, json.dumps(each.detail, ensure_ascii=False, sort_keys=True))
        for each in reversed(found)
        if name in (None, each.actor, each.subject)
    ]
    show(Table("audit", ("at", "actor", "verb", "subject", "detail"), rows, {"entries": len(rows)}), form)


@account.command()
def remove(name: Name, root: Root = None) -> None:
    """End an account, its sessions and its tokens."""
    context = open_context(root)
    accounts_of.remove_account(context.store, name, now())
    tell(f"account {name} has ended, with its sessions and tokens")


@account.command()
def token(
    name: Name,
    root: Root = None,
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="how long it opens the API")] = 90,
    revoke: Annotated[bool, typer.Option("--revoke", help="end every token of the account instead")] = False,
) -> None:
    """Make an API token and print it, this once; it is kept as a digest only."""
    context = open_context(root)
    if revoke:
        tell(f"{accounts_of.revoke_tokens(context.store, name, now())} tokens of {name} have ended")
        return
    text, ends = accounts_of.add_token(context.store, name, days, now())
    sys.stdout.write(f"{text}\n")
    tell(f"a token of {name} until {written(ends, context.workspace.order.timezone)}; it is not shown again")


def _password(*, stdin: bool) -> str:
    """Ask for a password twice on a terminal, or read one line. Raises InputError where neither gives one."""
    if stdin:
        return sys.stdin.readline(LONGEST_PASSWORD + 2).rstrip("\r\n")
    if not sys.stdin.isatty():
        step = "Run it on a terminal, or give --password-stdin."
        raise InputError([Finding("command line", "password", "a terminal to ask on", "none", step)])
    first = getpass.getpass("password: ")
    if first != getpass.getpass("once more: "):
        raise InputError([Finding("command line", "password", "the same twice", "two different ones", "Run it again.")])
    return first
