"""Who is at the door: sessions in signed cookies, API tokens, and whether the page may be read without either."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Protocol

from itsdangerous import BadData, URLSafeSerializer
from pydantic import SecretStr

from app.core.access import Account, Token, Viewer, find_password_faults
from app.edge.passwords import TOKEN_PREFIX, check_password, digest_token, hash_password
from app.web.activity import Activity
from app.web.throttle import Throttle

SIGN_IN, SIGN_OUT, OWN_PASSWORD, OFFICE_PAGE = "/sign-in", "/sign-out", "/password", "/administration"
SESSION_COOKIE = "waiwang_session"
#: A session ends so long after its sign-in, whatever happens in it.
SESSION_LIFE = timedelta(hours=12)
#: How long a session may go unused, and a password stand, unless the settings say otherwise.
IDLE, PASSWORD_LIFE = timedelta(minutes=30), timedelta(days=90)
SALT = "waiwang-session-1"
LOCALHOST = "localhost"
#: Who writes of refusals into the audit, and of whom where no account has the name that was typed: it may be a password.
DOOR, NOBODY = "sign-in", "(no account)"


def read_cookie(headers: Mapping[str, str]) -> str | None:
    """Return the session's cookie of a request, None where there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(SESSION_COOKIE)
    except CookieError:
        return None
    return found.value if found is not None else None


class Ledger(Protocol):
    """Where accounts are kept; the store, or nobody."""

    def find_account(self, name: str) -> Account | None: ...

    def write_account(self, account: Account) -> None: ...

    def find_token(self, digest: str, at: datetime) -> Token | None: ...

    def end_session(self, number: str, account: str, at: datetime) -> None: ...

    def is_session_over(self, number: str) -> bool: ...

    def write_session_seen(self, number: str, at: datetime, forget_before: datetime) -> None: ...

    def session_seen(self, number: str) -> datetime | None: ...

    def write_audit(self, at: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, object] | None = None) -> None: ...


class NoAccounts:
    """A ledger of nobody."""

    def find_account(self, name: str) -> Account | None:
        return None

    def write_account(self, account: Account) -> None:
        return None

    def find_token(self, digest: str, at: datetime) -> Token | None:
        return None

    def end_session(self, number: str, account: str, at: datetime) -> None:
        return None

    def is_session_over(self, number: str) -> bool:
        return False

    def write_session_seen(self, number: str, at: datetime, forget_before: datetime) -> None:
        return None

    def session_seen(self, number: str) -> datetime | None:
        return None

    def write_audit(self, at: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        return None


class Change(StrEnum):
    """What came of another password."""

    DONE = "done"
    WRONG = "wrong"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie says, signed: whose it is, since when, and a number by which it can be ended."""

    account: str
    began_at: datetime
    number: str


@dataclass
class Doors:
    """Tells who asks. `open_reading`: whoever has not signed in may read everything; `only_near`: from this machine alone.

    `hosts`: the names, beside addresses, that this server is called by; a page that another name leads here is not ours.
    `session_key` signs cookies; without one a random key does, and sessions end with the process. `metrics_token` alone opens
    /metrics where it is set. `idle`: a session that nobody used for so long is over, None: never. `password_life`: an older
    password opens nothing but the page on which another is chosen, None: it stays. Called from several threads. `turn`: passwords
    are tried one at a time.
    """

    ledger: Ledger = field(default_factory=NoAccounts)
    open_reading: bool = True
    only_near: bool = False
    hosts: frozenset[str] = frozenset()
    session_key: SecretStr | None = None
    metrics_token: SecretStr | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    idle: timedelta | None = IDLE
    password_life: timedelta | None = PASSWORD_LIFE
    throttle: Throttle = field(default_factory=Throttle)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        key = self.session_key.get_secret_value() if self.session_key is not None else secrets.token_urlsafe(32)
        self.activity = Activity(self.ledger, self.clock, self.idle, SESSION_LIFE)
        self._signer = URLSafeSerializer(key, salt=SALT, signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"})

    def is_called(self, host: str) -> bool:
        """Tell whether a request's Host header names this server: by an address, which no name can be bound to, or by a name of ours."""
        name = host.rpartition(":")[0] if re.search(r":\d*\Z", host) else host
        return name.lower().rstrip(".") in (LOCALHOST, *self.hosts) or _is_address(name.removeprefix("[").removesuffix("]"))

    def reads_openly(self, address: str) -> bool:
        """Tell whether somebody at this address may read without having signed in."""
        return self.open_reading and (not self.only_near or (_is_address(address) and ip_address(address).is_loopback))

    def sign_in(self, account: str, password: str, address: str = "") -> str | None:
        """Return the cookie of a new session, None where account and password do not fit. Takes as long either way.

        Either stands in the audit, with the address; what was typed for a name that is no account's does not.
        """
        found, now = self.ledger.find_account(account), self.clock()
        if not check_password(password, found.password_hash if found is not None else None) or found is None:
            self.throttle.note_failure(account, address)
            detail = {"address": address, "locked": self.throttle.wait_s(account, address) > 0}
            self.ledger.write_audit(now, DOOR, "sign in refused", found.name if found is not None else NOBODY, detail)
            return None
        self.throttle.note_success(account, address)
        self.ledger.write_audit(now, found.name, "sign in", found.name, {"address": address, "role": str(found.role)})
        return self.begin_session(found.name)

    def begin_session(self, account: str) -> str:
        """Return the cookie of a new session of somebody who has shown that they are it."""
        return str(self._signer.dumps({"account": account, "began": self.clock().timestamp(), "number": secrets.token_urlsafe(12)}))

    def change_password(self, account: str, present: str, chosen: str, address: str = "") -> Change:
        """Give an account the password that its holder chose; every session of it ends. Takes as long whatever comes of it."""
        found, now = self.ledger.find_account(account), self.clock()
        if not check_password(present, found.password_hash if found is not None else None) or found is None:
            self.throttle.note_failure(account, address)
            self.ledger.write_audit(now, DOOR, "password refused", account, {"address": address})
            return Change.WRONG
        if chosen == present or find_password_faults(chosen, account):
            return Change.WEAK
        self.throttle.note_success(account, address)
        self.ledger.write_account(replace(found, password_hash=hash_password(chosen), changed_at=now, password_at=now))
        self.ledger.write_audit(now, account, "account password", account, {"address": address})
        return Change.DONE

    def sign_out(self, cookie: str, address: str = "") -> None:
        """End a session: its cookie opens nothing any more, wherever it was copied to and whichever process is asked."""
        session, now = self._read(cookie), self.clock()
        if session is not None and self.find_session(cookie) is not None:
            self.ledger.end_session(session.number, session.account, now)
            self.ledger.write_audit(now, session.account, "sign out", session.account, {"address": address})

    def find_session(self, cookie: str) -> Viewer | None:
        """Return whose session this is, None where it is over, forged, idle too long, or older than the account's last change."""
        session = self._read(cookie)
        found = self._find_holder(session)
        if session is None or found is None or self.ledger.is_session_over(session.number):
            return None
        left = self.activity.left(session.number, session.began_at)
        if left is not None and left <= timedelta(0):
            self.ledger.end_session(session.number, session.account, self.clock())  # whatever the settings say tomorrow
            self.ledger.write_audit(self.clock(), session.account, "session idle", session.account)
            return None
        return Viewer(found.name, found.role, found.must_change(session.began_at, self.password_life))

    def note_use(self, cookie: str) -> None:
        """Note that a person, not a page by itself, uses this session now. One that is over stays so."""
        session = self._read(cookie)
        if session is not None and self.find_session(cookie) is not None:
            self.activity.note(session.number)

    def idle_left(self, cookie: str) -> timedelta | None:
        """Return for how long this session may yet go unused; None where it may for ever, or is none."""
        session = self._read(cookie)
        return self.activity.left(session.number, session.began_at) if session is not None else None

    def was_idle(self, cookie: str) -> bool:
        """Tell whether a session that is over ended because nobody used it."""
        session, left = self._read(cookie), self.idle_left(cookie)
        return self._find_holder(session) is not None and left is not None and left <= timedelta(0)

    def find_bearer(self, token: str) -> Viewer | None:
        """Return whose API token this is, None where it is nobody's or has ended."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        held = self.ledger.find_token(digest_token(token), self.clock())
        found = self.ledger.find_account(held.account) if held is not None else None
        return Viewer(found.name, found.role) if found is not None else None

    def opens_metrics(self, token: str) -> bool:
        """Tell whether this is the token that Prometheus was given."""
        return self.metrics_token is not None and secrets.compare_digest(token.encode(), self.metrics_token.get_secret_value().encode())

    def _find_holder(self, session: Session | None) -> Account | None:
        """Return whose session this may still be, by its time and the account's last change."""
        if session is None or not timedelta(0) <= self.clock() - session.began_at < SESSION_LIFE:
            return None
        found = self.ledger.find_account(session.account)
        return found if found is not None and session.began_at >= found.changed_at else None

    def _read(self, cookie: str) -> Session | None:
        try:
            said = self._signer.loads(cookie)
            return Session(str(said["account"]), datetime.fromtimestamp(float(said["began"]), UTC), str(said["number"]))
        except (BadData, KeyError, TypeError, ValueError):
            return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
