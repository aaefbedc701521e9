"""Commands on accounts: who may sign in to the page and the API, and by which tokens."""

from __future__ import annotations

import getpass
import json
import re
import sys
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from app.cli.context import Context, Form, Root, leave, now, open_context
from app.cli.lines import written
from app.cli.output import Format, Table, show, tell
from app.core.access import LONGEST_PASSWORD, NONE, Account
from app.core.offices import LIST, LOG, Deed
from app.edge.secrets import read_secrets
from app.errors import ExitCode, Finding, InputError
from app.workflows import accounts as accounts_of
from app.workflows.accounts import Clerk
from app.workflows.offices import prove_audit

account = typer.Typer(help="Who may sign in to the page and the API.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="name of the account: a desk or a system, never a person")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input, one line")]


By = Annotated[str | None, typer.Option("--by", envvar="WAIWANG_BY", help="your own account, where the three offices bind")]
RoleText = Annotated[str, typer.Option("--role", help="viewer, engineer, centre, carrier:ID, unit:ID, system, security, auditor or none")]
#: The secret that names whoever acts, in place of --by and a password.
ACCOUNT_TOKEN = "account_token"


@account.command()
def add(
    name: Name,
    role: RoleText = NONE,
    root: Root = None,
    by: By = None,
    password_stdin: Stdin = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="for a system that uses tokens only")] = False,
) -> None:
    """Make an account; the password is asked for."""
    context = open_context(root)
    clerk = _clerk(context, by)
    password = None if no_password else _password(stdin=password_stdin)
    made = accounts_of.add_account(clerk, context.workspace, name, role, password)
    if made.role.kind == NONE:
        tell(f"account {made.name} sees nothing yet: waiwang account grant {made.name} --role ROLE")
        return
    tell(f"account {made.name} ({made.role}) can sign in" if password is not None else f"account {made.name} ({made.role}) needs a token")


@account.command()
def grant(name: Name, role: RoleText, root: Root = None, by: By = None) -> None:
    """Give an account another role; its sessions end."""
    context = open_context(root)
    granted = accounts_of.grant_role(_clerk(context, by), context.workspace, name, role)
    tell(f"account {granted.name} is now {granted.role}; its sessions have ended")


@account.command()
def password(name: Name, root: Root = None, by: By = None, password_stdin: Stdin = False) -> None:
    """Give an account another password; its sessions end."""
    context = open_context(root)
    accounts_of.find(context.store, name)
    accounts_of.change_password(_clerk(context, by), name, _password(stdin=password_stdin))
    tell(f"account {name} has another password; its sessions have ended")


@account.command("list")
def list_(root: Root = None, by: By = None, form: Form = Format.text) -> None:
    """Show who may sign in, and since when each password stands."""
    context = open_context(root)
    _clerk(context, by).permit(Deed(LIST))
    zone = context.workspace.order.timezone
    tokens, life = context.store.count_tokens(now()), context.settings.password_life
    rows = [
        (
            each.name,
            str(each.role),
            each.password_hash is not None,
            _password_since(each, zone, now(), life),
            tokens.get(each.name, 0),
            written(each.changed_at, zone),
        )
        for each in context.store.accounts()
    ]
    columns = ("account", "role", "password", "password_since", "tokens", "changed")
    show(Table("accounts", columns, rows, {"accounts": len(rows)}), form)


@account.command("sign-out")
def sign_out(name: Name, root: Root = None, by: By = None) -> None:
    """End every session of an account; its password and its tokens stay."""
    context = open_context(root)
    accounts_of.end_sessions(_clerk(context, by), name)
    tell(f"the sessions of {name} have ended")


@account.command()
def log(
    name: Annotated[str | None, typer.Argument(help="of this account or subject; none means all")] = None,
    root: Root = None,
    by: By = None,
    form: Form = Format.text,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="how far back")] = 30,
    verify: Annotated[bool, typer.Option("--verify", help="check that no entry was altered, taken out or put in")] = False,
    head: Annotated[str | None, typer.Option("--head", help="with --verify: a head that was written down earlier")] = None,
) -> None:
    """Show the audit: who signed in, who was refused, who wrote what, newest first."""
    context = open_context(root)
    clerk = _clerk(context, by)
    clerk.permit(Deed(LOG))
    if verify or head is not None:
        _verify(context, clerk, head, form)
        return
    zone = context.workspace.order.timezone
    found = context.store.audit(now() - timedelta(days=days))
    rows = [
        (written(each.at, zone), each.actor, each.verb, each.subject, json.dumps(each.detail, ensure_ascii=False, sort_keys=True))
        for each in reversed(found)
        if name in (None, each.actor, each.subject)
    ]
    totals: dict[str, int | str] = {"entries": len(rows), "head": context.store.audit_head()}
    if clerk.account is not None and form is not Format.text:
        clerk.write_audit("audit export", LOG, entries=len(rows))
    show(Table("audit", ("at", "actor", "verb", "subject", "detail"), rows, totals), form)


@account.command()
def remove(name: Name, root: Root = None, by: By = None) -> None:
    """End an account, its sessions and its tokens."""
    context = open_context(root)
    accounts_of.remove_account(_clerk(context, by), name)
    tell(f"account {name} has ended, with its sessions and tokens")


@account.command()
def token(
    name: Name,
    root: Root = None,
    by: By = None,
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="how long it opens the API")] = 90,
    revoke: Annotated[bool, typer.Option("--revoke", help="end every token of the account instead")] = False,
) -> None:
    """Make an API token and print it, this once; it is kept as a digest only."""
    context = open_context(root)
    clerk = _clerk(context, by)
    if revoke:
        tell(f"{accounts_of.revoke_tokens(clerk, name)} tokens of {name} have ended")
        return
    text, ends = accounts_of.add_token(clerk, name, days)
    sys.stdout.write(f"{text}\n")
    tell(f"a token of {name} until {written(ends, context.workspace.order.timezone)}; it is not shown again")


def _clerk(context: Context, by: str | None) -> Clerk:
    """Return who acts: by the secret account_token, or by --by and a password that is asked for."""
    secrets = read_secrets(context.settings.secrets_file, context.environ)
    if by is None and secrets.has(ACCOUNT_TOKEN):
        return accounts_of.identify(context.store, now(), None, None, secrets.value(ACCOUNT_TOKEN).get_secret_value())
    if by is None:
        return accounts_of.identify(context.store, now(), None, None, None)
    if not sys.stdin.isatty():
        step = f"Run it on a terminal, or set WAIWANG_SECRET_{ACCOUNT_TOKEN.upper()} and leave --by away."
        raise InputError([Finding("command line", "password", "a terminal to ask on", "none", step)])
    return accounts_of.identify(context.store, now(), by, getpass.getpass(f"password of {by}: "), None)


def _verify(context: Context, clerk: Clerk, head: str | None, form: Format) -> None:
    """Show where the chain of the audit does not hold."""
    if head is not None and not re.fullmatch("[0-9a-f]{64}", head):
        step = "Copy it from waiwang account log, whole."
        raise InputError([Finding("command line", "--head", "64 hexadecimal digits", f"`{head[:80]}`", step)])
    proof = prove_audit(context.store, head)
    clerk.write_audit("audit check", LOG, breaks=len(proof.breaks), head=proof.head)
    rows = [(each.number if each.number is not None else "end", each.expected, each.found) for each in proof.breaks]
    totals: dict[str, int | str] = {"entries": proof.entries, "breaks": len(rows), "head": proof.head}
    show(Table("chain of the audit", ("entry", "expected", "found"), rows, totals, below=("expected", "found")), form)
    if rows:
        leave(ExitCode.NOT_ACCEPTED)


def _password_since(held: Account, zone: ZoneInfo, at: datetime, life: timedelta | None) -> str:
    if held.must_change(at, life):
        return "must be changed"
    return (written(held.password_at, zone) or "") if held.password_hash is not None else ""


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
