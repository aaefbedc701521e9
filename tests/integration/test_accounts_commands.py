"""`waiwang account`, and a server that refuses to start where nobody could come in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.cli.context import Context
from app.cli.serving import METRICS_TOKEN, SESSION_KEY, open_doors
from app.core.access import parse_role
from app.edge.database.store import Store
from app.edge.passwords import TOKEN_PREFIX, check_password, digest_token, hash_password
from app.errors import InputError
from app.settings import read_settings
from tests.samples.command_line import CommandLine, Ended, copy_small

PASSWORD = "seven grey herons at dawn"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return copy_small(tmp_path / "city")


@pytest.fixture
def waiwang(place: Path) -> CommandLine:
    return CommandLine(place)


@pytest.fixture
def store(waiwang: CommandLine, place: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{place / 'waiwang.db'}")
    yield opened
    opened.close()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What stands on standard input; the attribute `text` is read line by line."""
    found = SimpleNamespace(text=PASSWORD + "\n", terminal=False)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(readline=lambda limit: found.text[:limit], isatty=lambda: found.terminal))
    return found


def add(waiwang: CommandLine, name: str = "office", role: str = "centre") -> Ended:
    return waiwang("account", "add", name, "--role", role, "--password-stdin")


def test_an_account_is_made_shown_and_ended(waiwang: CommandLine, store: Store, typed: SimpleNamespace) -> None:
    assert add(waiwang).code == 0
    assert waiwang("account", "add", "screen-1", "--role", "viewer", "--no-password").code == 0
    listed = waiwang("account", "list", "--format", "json").json["rows"]
    assert [(row["account"], row["role"], row["password"], row["tokens"]) for row in listed] == [
        ("office", "centre", True, 0),
        ("screen-1", "viewer", False, 0),
    ]
    held = store.find_account("office")
    assert held is not None
    assert check_password(PASSWORD, held.password_hash)
    assert waiwang("account", "remove", "office").code == 0
    assert [each.name for each in store.accounts()] == ["screen-1"]
    assert [(entry.verb, entry.subject) for entry in store.audit()] == [
        ("account add", "office"),
        ("account add", "screen-1"),
        ("account remove", "office"),
    ]


def test_a_name_that_was_given_back_may_be_given_out_again_without_what_was_left(
    waiwang: CommandLine, store: Store, typed: SimpleNamespace
) -> None:
    add(waiwang)
    token = waiwang("account", "token", "office").out.strip()
    waiwang("account", "remove", "office")
    assert add(waiwang, role="viewer").code == 0
    assert store.find_token(digest_token(token), store.audit()[0].at) is None
    assert [str(each.role) for each in store.accounts()] == ["viewer"]


def test_a_token_is_printed_once_and_kept_as_a_digest(waiwang: CommandLine, store: Store, typed: SimpleNamespace, place: Path) -> None:
    add(waiwang)
    made = waiwang("account", "token", "office", "--days", "30")
    token = made.out.strip()
    assert (made.code, token.startswith(TOKEN_PREFIX), len(token) > 40) == (0, True, True)
    assert token not in made.err
    held = store.find_token(digest_token(token), store.audit()[-1].at)
    assert held is not None
    assert (held.expires_at - held.created_at).days == 30
    store.close()
    assert not any(token.encode() in file.read_bytes() for file in place.glob("waiwang.db*"))
    assert "1 tokens of office have ended" in waiwang("account", "token", "office", "--revoke").err
    assert store.find_token(digest_token(token), held.created_at) is None


def test_another_password_replaces_the_first(waiwang: CommandLine, store: Store, typed: SimpleNamespace) -> None:
    add(waiwang)
    typed.text = "nine small owls at noon\n"
    assert waiwang("account", "password", "office", "--password-stdin").code == 0
    held = store.find_account("office")
    assert held is not None
    assert check_password("nine small owls at noon", held.password_hash)
    assert not check_password(PASSWORD, held.password_hash)
    assert held.changed_at > held.created_at


def test_every_fault_is_told_at_once_and_nothing_is_made(waiwang: CommandLine, store: Store, typed: SimpleNamespace) -> None:
    typed.text = "short\n"
    refused = waiwang("account", "add", "Boss", "--role", "king", "--password-stdin")
    assert refused.code == 2
    assert refused.err == (
        "error account: name: expected 2 to 32 of a-z 0-9 . _ -, a letter first; found `Boss`. "
        "Name the desk or the system, such as telecom-desk or screen-1, never a person.\n"
        "error account: role: expected viewer, engineer, centre, carrier:ID, unit:ID, system, security, auditor or none; found `king`. "
        "Write one of them; ID is the order's carrier or a unit.\n"
        "error account Boss: password: expected 12 to 200 characters; found 5 characters. Choose a sentence that nobody can guess.\n"
        "3 findings; nothing was done.\n"
    )
    assert store.accounts() == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("account", "remove", "offce"), "Did you mean `office`?"),
        (("account", "token", "nobody"), "waiwang account list shows them."),
        (("account", "add", "office", "--role", "viewer", "--no-password"), "which is taken"),
        (("account", "add", "desk", "--role", "viewer"), "Run it on a terminal, or give --password-stdin."),
    ],
)
def test_what_cannot_be_done_says_what_can(waiwang: CommandLine, typed: SimpleNamespace, words: tuple[str, ...], expected: str) -> None:
    add(waiwang)
    refused = waiwang(*words)
    assert (refused.code, expected in refused.err) == (2, True), refused.err


def test_a_password_is_asked_for_twice(waiwang: CommandLine, typed: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    typed.terminal = True
    answers = iter([PASSWORD, "another", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    refused = waiwang("account", "add", "office", "--role", "centre")
    assert (refused.code, "expected the same twice; found two different ones" in refused.err) == (2, True)
    assert PASSWORD not in refused.err
    assert waiwang("account", "add", "office", "--role", "centre").code == 0


# The server's doors


def context(place: Path, **environ: str) -> Context:
    return Context(read_settings(environ, place), environ)


def test_a_server_beyond_loopback_without_accounts_refuses_to_start(place: Path) -> None:
    for address in ("0.0.0.0", "192.0.2.1", "::"):
        with pytest.raises(InputError) as refused:
            open_doors(context(place), address)
        assert str(refused.value) == (
            f"{address}: serve: expected an account that may sign in; found no account, and reading without sign-in is off. "
            "Run waiwang account add first, listen on 127.0.0.1, or set WAIWANG_OPEN_READING=yes to let everybody read."
        )
    assert open_doors(context(place), "127.0.0.1").open_reading
    assert open_doors(context(place), "::1").open_reading
    assert open_doors(context(place, WAIWANG_OPEN_READING="yes"), "0.0.0.0").open_reading
    with pytest.raises(InputError, match="no account"):
        open_doors(context(place, WAIWANG_OPEN_READING="no"), "127.0.0.1")


def test_with_an_account_a_server_beyond_loopback_starts_closed(waiwang: CommandLine, place: Path, typed: SimpleNamespace) -> None:
    add(waiwang)
    assert not open_doors(context(place), "0.0.0.0").open_reading
    assert not open_doors(context(place, WAIWANG_OPEN_READING="no"), "127.0.0.1").open_reading


def test_a_key_of_sessions_that_can_be_guessed_is_refused(place: Path) -> None:
    with pytest.raises(InputError, match="expected 32 characters or more; found fewer") as refused:
        open_doors(context(place, WAIWANG_SECRET_SESSION_KEY="short-key"), "127.0.0.1")
    assert "short-key" not in str(refused.value)
    environ = {f"WAIWANG_SECRET_{name.upper()}": value for name, value in ((SESSION_KEY, "k" * 32), (METRICS_TOKEN, "m"))}
    found = open_doors(context(place, **environ), "127.0.0.1")
    assert found.session_key is not None
    assert found.opens_metrics("m")
    assert "kkkk" not in repr(found)


def test_an_unknown_word_for_open_reading_is_refused() -> None:
    with pytest.raises(InputError, match="expected auto or yes or no; found maybe"):
        read_settings({"WAIWANG_OPEN_READING": "maybe"})


def test_a_server_that_nobody_could_use_ends_with_a_clear_error(waiwang: CommandLine) -> None:
    refused = waiwang("serve", "--host", "0.0.0.0", "--port", "0", WAIWANG_TRAP_LISTEN="off")
    assert (refused.code, "expected an account that may sign in" in refused.err) == (2, True)


def test_a_password_hash_tells_nothing_and_takes_no_other_password() -> None:
    kept = hash_password(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert check_password(PASSWORD, kept)
    assert not check_password(PASSWORD + " ", kept)
    assert not check_password(PASSWORD, None)
    assert not check_password(PASSWORD, "no hash at all")
    assert parse_role("centre") is not None
