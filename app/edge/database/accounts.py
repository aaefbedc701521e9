"""Local accounts and API tokens. Passwords and tokens are kept as digests only; who changed what stands in the audit."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.core.access import Account, Role, Token, parse_role
from app.edge.database.connection import Database
from app.edge.database.rows import slots
from app.edge.database.tables import ACCOUNT, SESSION_END, SESSION_SEEN, TOKEN


class Accounts(Database):
    """The part of a store that keeps who may sign in."""

    def write_account(self, account: Account) -> None:
        """Add an account, or replace what is kept of it; its tokens stay."""
        row = slots(account) | {"role": str(account.role), "removed_at": None}
        with self.writing("account") as connection:
            self.upsert_rows(connection, ACCOUNT, [[row[column.name] for column in ACCOUNT.columns]])

    def remove_account(self, name: str, at: datetime) -> None:
        """End an account and its tokens; its name stays in the audit."""
        with self.writing("account") as connection:
            connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.name == name).values(removed_at=at, changed_at=at, password_hash=None))
            connection.execute(sa.update(TOKEN).where(TOKEN.c.account == name, TOKEN.c.revoked_at.is_(None)).values(revoked_at=at))

    def accounts(self) -> list[Account]:
        """Return everybody who may sign in, by name."""
        with self.reading("accounts") as connection:
            return [_account(row) for row in connection.execute(_standing().order_by(ACCOUNT.c.name))]

    def find_account(self, name: str) -> Account | None:
        """Return one account, None where there is none."""
        with self.reading("accounts") as connection:
            row = connection.execute(_standing().where(ACCOUNT.c.name == name)).first()
            return None if row is None else _account(row)

    def write_token(self, token: Token) -> None:
        """Append a token."""
        with self.writing("token") as connection:
            connection.execute(sa.insert(TOKEN), slots(token) | {"revoked_at": None})

    def revoke_tokens(self, account: str, at: datetime) -> int:
        """End every token of an account; return how many."""
        with self.writing("token") as connection:
            standing = sa.update(TOKEN).where(TOKEN.c.account == account, TOKEN.c.revoked_at.is_(None), TOKEN.c.expires_at > at)
            return connection.execute(standing.values(revoked_at=at)).rowcount

    def count_tokens(self, at: datetime) -> dict[str, int]:
        """Return how many tokens of each account are valid."""
        valid = sa.and_(TOKEN.c.revoked_at.is_(None), TOKEN.c.expires_at > at)
        query = sa.select(TOKEN.c.account, sa.func.count()).where(valid).group_by(TOKEN.c.account)
        with self.reading("tokens") as connection:
            return {str(account): int(number) for account, number in connection.execute(query)}

    def find_token(self, digest: str, at: datetime) -> Token | None:
        """Return the token with this digest, None where there is none or it has ended."""
        valid = sa.and_(TOKEN.c.digest == digest, TOKEN.c.revoked_at.is_(None), TOKEN.c.expires_at > at)
        with self.reading("tokens") as connection:
            row = connection.execute(sa.select(TOKEN).where(valid)).first()
            return None if row is None else Token(row.account, row.digest, row.created_at, row.expires_at)

    def end_session(self, number: str, account: str, at: datetime) -> None:
        """Append that a session is over; one that is over already stays as it is."""
        with self.writing("end of a session") as connection:
            if connection.execute(sa.select(SESSION_END.c.at).where(SESSION_END.c.number == number)).first() is None:
                connection.execute(sa.insert(SESSION_END), {"number": number, "account": account, "at": at})

    def is_session_over(self, number: str) -> bool:
        """Tell whether a session was ended before its time."""
        with self.reading("ends of sessions") as connection:
            return connection.execute(sa.select(SESSION_END.c.at).where(SESSION_END.c.number == number)).first() is not None

    def write_session_seen(self, number: str, at: datetime, forget_before: datetime) -> None:
        """Keep that a session was in use at this moment, and nothing of those that were not since `forget_before`."""
        with self.writing("use of a session") as connection:
            connection.execute(sa.delete(SESSION_SEEN).where(SESSION_SEEN.c.at < forget_before))
            self.upsert_rows(connection, SESSION_SEEN, [[number, at]])

    def session_seen(self, number: str) -> datetime | None:
        """Return when a session was last in use, None where it is not kept."""
        with self.reading("use of sessions") as connection:
            row = connection.execute(sa.select(SESSION_SEEN.c.at).where(SESSION_SEEN.c.number == number)).first()
            return None if row is None else row.at


def _standing() -> sa.Select[tuple[object, ...]]:
    return sa.select(ACCOUNT).where(ACCOUNT.c.removed_at.is_(None))


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    """A role that this version does not know sees nothing: it is of a unit that is not there."""
    role = parse_role(row.role) or Role("unit", "")
    return Account(row.name, role, row.password_hash, row.created_at, row.changed_at, row.password_at)
