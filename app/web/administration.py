"""The page of the three offices: accounts, or the audit. Plain, without script; every text reaches it escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from string import Template
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from app.core.access import AUDITOR, KNOWN_TO_ANOTHER, NONE, Account, Viewer
from app.web.api.entries import Context, Who
from app.web.api.offices import HEAD, Days, Desk, Subject, write_detail
from app.web.context import WebContext
from app.web.dashboard.words import UNKNOWN, Words
from app.web.doors import OFFICE_PAGE
from app.web.plain_page import other_language, plain_page, words_of
from app.workflows.offices import OfficeDesk, Proof

router = APIRouter(include_in_schema=False)
REFUSED = " refused"
#: Entries on one page; the export has all.
SHOWN = 200
BODY = Template("""\
<header class="head"><div class="head-inner"><div class="head-title"><h1>$administration</h1><p class="order">$page_title</p></div>
<span class="muted nowrap">$who</span><a class="language" href="/password">$own_password</a>
<a class="language" href="/language/$other" lang="$other">$other_language</a>
<form method="post" action="/sign-out"><button type="submit" class="language">$sign_out</button></form></div></header>
<main class="page">
<p class="banner is-notice">$note</p>
$body
</main>
""")
FORMS = Template("""\
<form method="get" action="$path" class="filters"><label>$of <input name="of" maxlength="100" value="$name"></label>
<label>$days <input name="days" type="number" min="1" max="3650" value="$count"></label>
<button type="submit" class="more">$show</button></form>
<form method="get" action="$path" class="filters"><input type="hidden" name="check" value="true">
<label>$head_known <input name="head" maxlength="64" size="66" pattern="[0-9a-f]{64}"></label>
<button type="submit" class="more">$check</button></form>
<p class="muted">$head <code>$newest</code></p>
""")
TEXTS = ("administration", "page_title", "own_password", "sign_out", "other_language")


@router.get(OFFICE_PAGE)
def show_administration(
    request: Request,
    context: Context,
    desk: Desk,
    who: Who,
    days: Days = 30,
    of: Subject = None,
    check: bool = False,
    head: Annotated[str, Query(pattern=f"{HEAD}|^$")] = "",
) -> HTMLResponse:
    """Answer with what the viewer's office is shown."""
    words = words_of(request)
    if who.role.kind == AUDITOR:
        proof = desk.prove(who, head or None) if check else None
        body = _audit(words, context, desk, days, of or None, proof)
    else:
        body = "" if who.role.kind == NONE else _accounts(words, context, desk)
    texts = {name: escape(words(name)) for name in TEXTS}
    note = escape(words(f"office_note_{who.role.kind}"))
    shown = BODY.substitute(texts, other=other_language(words), who=escape(_shown(words, who)), note=note, body=body)
    return plain_page(words, "administration", "office-body", shown)


def _accounts(words: Words, context: WebContext, desk: OfficeDesk) -> str:
    accounts, now = desk.accounts(), desk.clock()
    rows = [
        (
            each.name,
            _role(words, each),
            words("must_change") if each.must_change(now, context.doors.password_life) else _since(words, context, each),
            _moment(context, each.changed_at),
        )
        for each in accounts
    ]
    free = "" if desk.are_held() else f'<p class="banner is-simulation">{escape(words("offices_free"))}</p>'
    return free + _card(words("accounts"), "", _table([words(name) for name in ("account", "role", "password_since", "changed")], rows))


def _audit(words: Words, context: WebContext, desk: OfficeDesk, days: int, of: str | None, proof: Proof | None) -> str:
    entries = desk.entries(days, of)
    rows = [
        (_moment(context, each.at), each.actor, _verb(words, each.verb), each.subject, write_detail(each.detail))
        for each in entries[:SHOWN]
    ]
    note = words("audit_note", days=days, count=len(rows), total=len(entries))
    table = _table([words(f"audit_{name}") for name in ("at", "actor", "verb", "subject", "detail")], rows)
    export = "/api/v1/audit?" + urlencode({"format": "csv", "days": days} | ({"of": of} if of else {}))
    ways = f'<p><a href="{escape(export, quote=True)}">{escape(words("audit_export"))}</a></p>'
    return _proof(words, proof) + _card(words("audit"), note, _forms(words, desk.head(), days, of) + ways + table)


def _forms(words: Words, head: str, days: int, of: str | None) -> str:
    """Return what chooses entries, and what checks the chain."""
    texts = {name: escape(words(f"audit_{name}")) for name in ("of", "days", "head_known", "check", "head")}
    return FORMS.substitute(texts, path=OFFICE_PAGE, name=escape(of or "", quote=True), count=days, newest=head, show=escape(words("show")))


def _proof(words: Words, proof: Proof | None) -> str:
    if proof is None:
        return ""
    places = [words("audit_head_gone") if each.number is None else words("audit_break", number=each.number) for each in proof.breaks]
    told = words("audit_broken", places="；".join(places[:5])) if places else words("audit_whole", entries=proof.entries)
    return f'<p class="banner is-{"alarm" if places else "notice"}" role="alert">{escape(told)}</p>'


def _verb(words: Words, verb: str) -> str:
    """Write what was done in words; what the table lacks stands as it is kept."""
    done = verb.removesuffix(REFUSED)
    return words.known("verb", verb) if done == verb else words("verb_refused", verb=words.known("verb", done))


def _card(title: str, note: str, body: str) -> str:
    head = f'<div class="card-head"><h2>{escape(title)}</h2><span class="muted">{escape(note)}</span></div>'
    return f'<section class="card">{head}<div class="scroll">{body}</div></section>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(words: Words, who: Viewer) -> str:
    return words("signed_in_as", account=who.account, role=words.known("access", who.role.kind))


def _role(words: Words, account: Account) -> str:
    name = words.known("access", account.role.kind)
    return f"{name} {account.role.subject}" if account.role.subject else name


def _since(words: Words, context: WebContext, account: Account) -> str:
    if account.password_hash is None:
        return words("no_password")
    known = account.password_at is not None and account.password_at != KNOWN_TO_ANOTHER
    return _moment(context, account.password_at) if known and account.password_at is not None else UNKNOWN


def _moment(context: WebContext, moment: datetime) -> str:
    return f"{context.local(moment):%Y-%m-%d %H:%M:%S}"
