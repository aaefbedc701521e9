"""The three offices: what each may do, that nobody holds two, and that no office is left without a holder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from app.core.access import APART, KNOWN_TO_ANOTHER, NONE, OFFICES, WIDE, Account, Role, find_password_faults, narrow_workspace
from app.core.offices import ADD, GRANT, LIST, LOG, PASSWORD, POWERS, REMOVE, SIGN_OUT, TOKEN, Deed, are_held, find_deed_faults
from tests.samples.accepted_line import root_workspace

NOW = datetime(2008, 6, 1, tzinfo=UTC)


def account(name: str, kind: str, subject: str = "") -> Account:
    return Account(name, Role(kind, subject), "hash", NOW, NOW, NOW)


SYSTEM, SECOND, SECURITY, OTHER_SECURITY, AUDITOR = (
    account(name, kind)
    for name, kind in (("sys", "system"), ("sys2", "system"), ("sec", "security"), ("sec2", "security"), ("aud", "auditor"))
)
OFFICE, DESK = account("office", "centre"), account("desk", "carrier", "telecom")
ALL = (SYSTEM, SECOND, SECURITY, OTHER_SECURITY, AUDITOR, OFFICE, DESK)
HOLDERS = {"system": SYSTEM, "security": SECURITY, "auditor": AUDITOR}


def permits(
    actor: Account, name: str, subject: Account | None = None, role: Role | None = None, accounts: tuple[Account, ...] = ALL
) -> bool:
    return find_deed_faults(Deed(name, subject, role), actor, accounts) == []


@pytest.mark.parametrize(("deed", "actor"), list(product(POWERS, [*HOLDERS.values(), OFFICE])))
def test_every_deed_is_of_its_office_and_of_no_other(deed: str, actor: Account) -> None:
    subject = DESK if deed not in (ADD, LIST, LOG) else None
    assert permits(actor, deed, subject, Role("viewer") if deed == GRANT else None) is (actor.role.kind in POWERS[deed])


def test_no_deed_is_without_an_office_and_making_granting_and_reading_never_meet() -> None:
    assert all(POWERS.values())
    assert not set(POWERS[ADD]) & set(POWERS[GRANT]) | set(POWERS[GRANT]) & set(POWERS[LOG]) | set(POWERS[ADD]) & set(POWERS[LOG])
    assert {kind for kinds in POWERS.values() for kind in kinds} == set(OFFICES)


def test_whoever_makes_an_account_grants_it_no_role() -> None:
    assert permits(SYSTEM, ADD, role=Role(NONE))
    [fault] = find_deed_faults(Deed(ADD, role=Role("centre")), SYSTEM, ALL)
    assert str(fault) == (
        "account: add: expected an account without a role; found the role centre. "
        "Leave --role away; then a security administrator grants it: waiwang account grant."
    )


@pytest.mark.parametrize("deed", [PASSWORD, TOKEN, REMOVE])
@pytest.mark.parametrize("subject", [SECOND, SECURITY, AUDITOR])
def test_a_system_administrator_cannot_pass_for_whoever_holds_an_office(deed: str, subject: Account) -> None:
    assert not permits(SYSTEM, deed, subject)
    assert permits(SYSTEM, deed, OFFICE)


@pytest.mark.parametrize("actor", ALL)
def test_everybody_may_change_ones_own_password_and_nobody_ones_own_role(actor: Account) -> None:
    assert permits(actor, PASSWORD, actor)
    assert permits(actor, TOKEN, actor)
    assert not permits(actor, GRANT, actor, Role("centre"))


def test_the_last_holder_of_an_office_keeps_it() -> None:
    assert not permits(SECURITY, GRANT, AUDITOR, Role(NONE))
    [fault] = find_deed_faults(Deed(GRANT, AUDITOR, Role(NONE)), SECURITY, ALL)
    assert (fault.expected, fault.found) == ("another auditor left to hold the office", "aud, the only one")
    assert permits(SECURITY, GRANT, SECOND, Role(NONE))
    assert permits(SECURITY, GRANT, OTHER_SECURITY, Role(NONE))
    assert permits(SECURITY, GRANT, AUDITOR, Role(NONE), accounts=(*ALL, account("aud2", "auditor")))
    assert permits(SECURITY, GRANT, AUDITOR, AUDITOR.role)


def test_the_offices_bind_once_all_three_are_held() -> None:
    assert are_held(ALL)
    for kind in OFFICES:
        assert not are_held(each for each in ALL if each.role.kind != kind)


def test_roles_apart_see_nothing_of_the_rollout() -> None:
    workspace = root_workspace()
    for kind in APART:
        role = Role(kind)
        assert not any(role.sees(line) for line in workspace.inventory.lines.values())
        narrow = narrow_workspace(workspace, role)
        assert (narrow.inventory.lines, narrow.inventory.units) == ({}, {})
    assert not set(APART) & set(WIDE)


@pytest.mark.parametrize(
    ("password_at", "after", "expected"),
    [
        (NOW, timedelta(days=90) - timedelta(microseconds=1), False),
        (NOW, timedelta(days=90), True),
        (KNOWN_TO_ANOTHER, timedelta(0), True),
        (None, timedelta(days=900), False),
    ],
)
def test_a_password_grows_old_at_its_moment(password_at: datetime | None, after: timedelta, expected: bool) -> None:
    held = Account("office", Role("centre"), "hash", NOW, NOW, password_at)
    assert held.must_change(NOW + after, timedelta(days=90)) is expected
    assert held.must_change(NOW + after, None) is (password_at == KNOWN_TO_ANOTHER)
    assert not Account("office", Role("centre"), None, NOW, NOW, password_at).must_change(NOW + after, timedelta(days=90))


@pytest.mark.parametrize("password", ["739182640517", "herons123456xy", "xqwertyuiop!!", "gfedcba-herons"])
def test_numbers_and_rows_of_keys_are_easily_guessed(password: str) -> None:
    assert find_password_faults(password, "office")
    assert find_password_faults("seven grey herons 12345 at", "office") == []


def test_signing_out_and_granting_are_of_one_office() -> None:
    assert POWERS[SIGN_OUT] == POWERS[GRANT]
