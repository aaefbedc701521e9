"""The three offices over a real database: verbs, API and page, one's own password, and the audit's proof."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import sqlalchemy as sa

from app.core.access import KNOWN_TO_ANOTHER, NONE, Account, Role, parse_role
from app.core.offices import are_held
from app.edge.database.store import Store
from app.edge.passwords import check_password
from app.errors import ExitCode
from app.web.doors import SESSION_COOKIE, Doors
from app.web.throttle import PAIR_LIMIT
from app.workflows.accounts import Clerk, change_password
from app.workflows.offices import prove_audit
from tests.samples.command_line import CommandLine, Ended, copy_small
from tests.samples.staff import HASHED, OFFICES, ORIGIN, PASSWORD, House, open_house

OTHER, THIRD = "nine small owls at noon", "two slow toads in rain"
NOW = datetime.now(UTC)


# The verbs


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return copy_small(tmp_path / "city")


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{place / 'waiwang.db'}")
    yield opened
    opened.close()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What is typed on the terminal: `text` where one line is read, `own` where an account's own password is asked for."""
    found = SimpleNamespace(text=PASSWORD + "\n", own=PASSWORD)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(readline=lambda limit: found.text[:limit], isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: found.own)
    return found


@pytest.fixture
def appointed(place: Path, store: Store, typed: SimpleNamespace) -> CommandLine:
    """A command line whose three offices are held."""
    for name, role in {**OFFICES, "office": "centre"}.items():
        write_account(store, name, role)
    assert are_held(store.accounts())
    return CommandLine(place)


def write_account(store: Store, name: str, role: str) -> None:
    found = parse_role(role)
    assert found is not None
    store.write_account(Account(name, found, HASHED, NOW, NOW, NOW))


def add(waiwang: CommandLine, name: str, *more: str) -> Ended:
    return waiwang("account", "add", name, "--by", "machine-room", "--password-stdin", *more)


def test_an_account_takes_two_offices_and_the_third_reads_of_it(appointed: CommandLine, store: Store) -> None:
    assert "sees nothing yet: waiwang account grant desk --role ROLE" in add(appointed, "desk").err
    granted = appointed("account", "grant", "desk", "--role", "viewer", "--by", "security-desk")
    assert (granted.code, granted.err) == (0, "account desk is now viewer; its sessions have ended\n")
    held = store.find_account("desk")
    assert held is not None
    assert (str(held.role), held.password_at) == ("viewer", KNOWN_TO_ANOTHER), "another gave the password, so it must be changed"
    log = appointed("account", "log", "desk", "--by", "audit-desk", "--format", "json")
    assert [(row["actor"], row["verb"]) for row in log.json["rows"]] == [
        ("security-desk", "account grant"),
        ("machine-room", "account add"),
    ]


@pytest.mark.parametrize(
    ("words", "by", "expected"),
    [
        (("add", "x1", "--no-password"), "security-desk", "expected a system administrator; found security-desk, a security"),
        (("add", "x1", "--no-password", "--role", "centre"), "machine-room", "expected an account without a role; found the role centre."),
        (("grant", "office", "--role", "viewer"), "machine-room", "expected a security administrator; found machine-room, a system"),
        (("grant", "security-desk", "--role", "auditor"), "security-desk", "expected somebody else's account"),
        (("grant", "audit-desk", "--role", "none"), "security-desk", "expected another auditor left to hold the office; found audit-desk"),
        (("remove", "audit-desk"), "machine-room", "waiwang account grant audit-desk --role none"),
        (("password", "security-desk", "--password-stdin"), "machine-room", "expected an account that holds no office"),
        (("token", "audit-desk"), "machine-room", "expected an account that holds no office"),
        (("log",), "machine-room", "expected an auditor; found machine-room, a system administrator."),
        (("log", "--verify"), "security-desk", "expected an auditor"),
        (("sign-out", "office"), "audit-desk", "expected a security administrator; found audit-desk, an auditor."),
        (("list",), "office", "expected a system administrator or a security administrator or an auditor; found office, a centre"),
        (("remove", "office"), None, "expected somebody who holds an office; found nobody named. Give --by NAME"),
    ],
)
def test_what_is_another_offices_is_refused_and_stands_in_the_audit(
    appointed: CommandLine, store: Store, words: tuple[str, ...], by: str | None, expected: str
) -> None:
    before, audited = store.accounts(), len(store.audit())
    refused = appointed("account", *words, *(("--by", by) if by else ()))
    assert (refused.code, expected in refused.err) == (ExitCode.INPUT, True), refused.err
    assert store.accounts() == before
    assert [(each.actor, each.verb.rpartition(" ")[2]) for each in store.audit()[audited:]] == ([(by, "refused")] if by else [])


def test_whoever_acts_must_be_who_they_say(appointed: CommandLine, store: Store, typed: SimpleNamespace) -> None:
    typed.own = "a wrong password of some length"
    refused = add(appointed, "desk")
    assert (refused.code, "expected an account and its password; found one that does not fit" in refused.err) == (ExitCode.INPUT, True)
    assert typed.own not in refused.err
    assert store.find_account("desk") is None
    assert [(each.verb, each.subject) for each in store.audit()][-1] == ("sign in refused", "machine-room")
    sys.stdin.isatty = lambda: False  # type: ignore[method-assign]  # the fixture's stand-in
    assert "expected a terminal to ask on; found none" in add(appointed, "desk").err


def test_a_token_stands_for_whoever_acts_without_a_terminal(appointed: CommandLine, store: Store, place: Path) -> None:
    token = appointed("account", "token", "machine-room", "--by", "machine-room").out.strip()
    by_token = CommandLine(place, {"WAIWANG_SECRET_ACCOUNT_TOKEN": token})
    assert by_token("account", "add", "screen-1", "--no-password").code == 0
    assert (store.audit()[-1].actor, store.audit()[-1].subject) == ("machine-room", "screen-1")
    wrong = CommandLine(place, {"WAIWANG_SECRET_ACCOUNT_TOKEN": token[:-1]})("account", "list")
    assert (wrong.code, "expected a valid token of an account; found another" in wrong.err, token[:-1] in wrong.err) == (2, True, False)


def test_an_office_passes_on_by_two_hands(appointed: CommandLine, store: Store) -> None:
    assert appointed("account", "add", "audit-2", "--no-password", "--by", "machine-room").code == 0
    assert appointed("account", "grant", "audit-2", "--role", "auditor", "--by", "security-desk").code == 0
    assert appointed("account", "grant", "audit-desk", "--role", "none", "--by", "security-desk").code == 0
    assert appointed("account", "remove", "audit-desk", "--by", "machine-room").code == 0
    assert {each.name: str(each.role) for each in store.accounts()} == {
        "audit-2": "auditor",
        "machine-room": "system",
        "office": "centre",
        "security-desk": "security",
    }


def test_the_audit_is_followed_to_its_head_and_a_deed_by_hand_in_the_file_shows(
    appointed: CommandLine, store: Store, place: Path
) -> None:
    def verify(*more: str) -> Ended:
        return appointed("account", "log", "--verify", "--by", "audit-desk", "--format", "json", *more)

    for name in OFFICES:
        store.write_audit(NOW, "command line", "account add", name)
    whole = verify()
    assert (whole.code, whole.json["rows"], whole.json["totals"]["entries"]) == (0, [], 3)
    head = whole.json["totals"]["head"]
    assert verify("--head", head).code == 0, "entries that came later change nothing about it"
    assert verify("--head", "f" * 64).code == ExitCode.NOT_ACCEPTED
    assert "expected 64 hexadecimal digits; found `xyz`" in verify("--head", "xyz").err
    engine = sa.create_engine(f"sqlite:///{place / 'waiwang.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_update"))
        connection.execute(sa.text("UPDATE audit SET actor = 'somebody else' WHERE audit_id = 2"))
    engine.dispose()
    broken = verify()
    assert (broken.code, [row["entry"] for row in broken.json["rows"]]) == (ExitCode.NOT_ACCEPTED, [2])


def test_before_all_offices_are_held_whoever_has_the_database_does_all_three(place: Path, store: Store, typed: SimpleNamespace) -> None:
    waiwang = CommandLine(place)
    write_account(store, "machine-room", "system")
    assert waiwang("account", "add", "office", "--role", "centre", "--password-stdin").code == 0
    assert waiwang("account", "grant", "office", "--role", "viewer").code == 0
    held = store.find_account("office")
    assert held is not None
    assert (str(held.role), held.password_at == held.created_at) == ("viewer", True)
    assert waiwang("account", "log").code == 0


# The doors


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, open_reading=False, offices=True) as opened:
        yield opened


async def sign_in(client: httpx.AsyncClient, account: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/sign-in", data={"account": account, "password": password}, headers={"origin": ORIGIN})


async def change(client: httpx.AsyncClient, present: str, chosen: str, again: str | None = None) -> httpx.Response:
    form = {"present": present, "chosen": chosen, "again": again or chosen}
    return await client.post("/password", data=form, headers={"origin": ORIGIN})


@pytest.mark.parametrize(
    ("account", "shown", "hidden"),
    [
        ("machine-room", "系统管理员建立、停用账号", "导出 CSV"),
        ("security-desk", "安全管理员授予角色", "导出 CSV"),
        ("audit-desk", "导出 CSV", "口令启用"),
    ],
)
async def test_each_office_is_led_to_its_page_and_shown_its_own(house: House, account: str, shown: str, hidden: str) -> None:
    async with house.client() as client:
        await sign_in(client, account)
        led = await client.get("/")
        assert (led.status_code, led.headers["location"]) == (303, "/administration")
        page = (await client.get("/administration")).text
        assert (shown in page, hidden in page) == (True, False)
        client.cookies.set("waiwang_language", "en")
        assert "Accounts and audit" in (await client.get("/administration")).text


async def test_an_account_without_a_role_is_told_so_and_shown_nothing_else(house: House) -> None:
    at = house.clock.now - timedelta(hours=1)
    house.store.write_account(Account("newcomer", Role(NONE), HASHED, at, at, at))
    async with house.client() as client:
        await sign_in(client, "newcomer")
        assert (await client.get("/")).headers["location"] == "/administration"
        page = (await client.get("/administration")).text
        assert ("该账号尚未授予角色" in page, "<table" in page) == (True, False)
        for path in ("/api/v1/lines", "/api/v1/accounts", "/api/v1/audit", "/metrics"):
            assert (await client.get(path)).status_code == 403, path


async def test_what_is_an_offices_stays_closed_where_reading_is_open(house: House) -> None:
    house.open_reading = True
    async with house.client() as client:
        assert (await client.get("/api/v1/lines")).status_code == 200
        for path in ("/api/v1/audit", "/api/v1/audit/proof", "/api/v1/accounts"):
            assert (await client.get(path)).status_code == 401, path
        assert (await client.get("/administration")).headers["location"].startswith("/sign-in?")


async def test_the_auditor_alone_reads_filters_and_takes_the_audit(house: House) -> None:
    house.store.write_audit(house.clock.now, "duty", "life", "=1+1", {"document": "<b>回执</b>"})
    async with house.client("audit-desk") as client:
        answer = (await client.get("/api/v1/audit", params={"of": "duty"})).json()
        assert [(row["verb"], row["subject"]) for row in answer["entries"]] == [("life", "=1+1"), ("account token", "duty")]
        assert answer["head"] == house.store.audit_head()
        page = (await client.get("/administration", params={"of": "duty"})).text
        assert ("&lt;b&gt;回执" in page, "<b>回执" in page) == (True, False)
        taken = await client.get("/api/v1/audit", params={"format": "csv", "of": "duty"})
        rows = list(csv.reader(io.StringIO(taken.text.removeprefix("\ufeff"))))
        assert (rows[0], rows[1][1:4]) == (["at", "actor", "verb", "subject", "detail"], ["duty", "life", "'=1+1"])
        assert (house.store.audit()[-1].actor, house.store.audit()[-1].verb) == ("audit-desk", "audit export")
        proof = (await client.get("/api/v1/audit/proof", params={"head": answer["head"]})).json()
        assert (proof["whole"], proof["breaks"], proof["entries"]) == (True, [], len(house.store.audit()) - 1)
        gone = (await client.get("/api/v1/audit/proof", params={"head": "e" * 64})).json()
        assert (gone["whole"], [each["number"] for each in gone["breaks"]]) == (False, [None])
        assert "核验通过" in (await client.get("/administration", params={"check": "true", "head": answer["head"]})).text
        assert "此前记下的链头不在链中" in (await client.get("/administration", params={"check": "true", "head": "e" * 64})).text
        assert (await client.get("/api/v1/audit/proof", params={"head": "nonsense"})).status_code == 422


async def test_accounts_are_shown_without_anything_to_guess_by(house: House) -> None:
    async with house.client("security-desk") as client:
        answer = await client.get("/api/v1/accounts")
        rows = {row["account"]: row for row in answer.json()["accounts"]}
    assert answer.json()["offices_bind"] is True
    assert (rows["office"]["role"], rows["office"]["must_change"]) == ("centre", False)
    assert "argon2" not in answer.text


# One's own password


async def test_a_password_that_another_gave_opens_nothing_until_its_holder_chose_one(house: House) -> None:
    machine_room = house.store.find_account("machine-room")
    change_password(Clerk(house.store, house.clock.now, machine_room), "office", OTHER)
    house.clock.now += timedelta(minutes=1)
    async with house.client() as client:
        await sign_in(client, "office", OTHER)
        assert (await client.get("/")).headers["location"] == "/password"
        refused = await client.get("/api/v1/summary")
        assert (refused.status_code, "Choose one there: /password" in refused.json()["detail"]) == (403, True)
        assert "口令由他人设定" in (await client.get("/password")).text
        done = await change(client, OTHER, THIRD)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert (await client.get("/api/v1/summary")).status_code == 200
    held = house.store.find_account("office")
    assert held is not None
    assert check_password(THIRD, held.password_hash)
    assert held.password_at == house.clock.now
    newest = house.store.audit()[-1]
    assert (newest.actor, newest.verb, newest.subject, newest.detail) == ("office", "account password", "office", {"address": "127.0.0.1"})


async def test_a_password_grows_old_and_a_session_that_began_before_goes_on(house: House) -> None:
    start, life = house.clock.now, timedelta(days=30)
    app = house.application(Doors(house.store, open_reading=False, clock=house.clock, password_life=life))
    async with house.client(app=app) as early, house.client(app=app) as late:
        house.clock.now = start - timedelta(days=1) + life - timedelta(seconds=1)
        await sign_in(early, "office")
        house.clock.now += timedelta(seconds=1)
        await sign_in(late, "office")
        assert (await early.get("/api/v1/summary")).status_code == 200
        assert (await late.get("/api/v1/summary")).status_code == 403
        assert "超过使用期限" in (await late.get("/password")).text
    async with house.client("office", app) as by_token:
        assert (await by_token.get("/api/v1/summary")).status_code == 200, "a token has an end of its own"


@pytest.mark.parametrize(
    ("present", "chosen", "again", "words"),
    [
        (PASSWORD, OTHER, THIRD, "两次输入的新口令不一致"),
        (PASSWORD, "short", None, "新口令不符合要求"),
        (PASSWORD, PASSWORD, None, "新口令不符合要求"),
        ("not the password at all", OTHER, None, "现口令不正确"),
    ],
)
async def test_a_password_that_cannot_be_taken_says_why(house: House, present: str, chosen: str, again: str | None, words: str) -> None:
    before = house.store.find_account("office")
    async with house.client() as client:
        await sign_in(client, "office")
        answer = await change(client, present, chosen, again)
        assert (answer.status_code, words in answer.text) == (422, True)
        assert not any(secret in answer.text for secret in (PASSWORD, OTHER, THIRD))
    assert house.store.find_account("office") == before


async def test_guesses_at_the_present_password_are_bounded_as_those_at_the_door(house: House) -> None:
    app = house.application()
    async with house.client(app=app) as client:
        await sign_in(client, "office")
        for _ in range(PAIR_LIMIT):
            assert (await change(client, "wrong and wrong again", OTHER)).status_code == 422
        answer = await change(client, PASSWORD, OTHER)
        assert (answer.status_code, "15 分钟后再试" in answer.text) == (429, True)
    async with house.client(app=app) as client:
        assert (await sign_in(client, "office")).status_code == 429


async def test_another_password_ends_every_other_session(house: House) -> None:
    app = house.application()
    async with house.client(app=app) as one, house.client(app=app) as other:
        await sign_in(one, "office")
        await sign_in(other, "office")
        stolen = other.cookies[SESSION_COOKIE]
        house.clock.now += timedelta(seconds=1)
        assert (await change(one, PASSWORD, OTHER)).status_code == 303
        assert (await one.get("/api/v1/session")).json()["account"] == "office"
        assert (await other.get("/api/v1/session")).status_code == 401
        assert stolen != one.cookies[SESSION_COOKIE]


def test_the_chain_holds_where_several_write_at_once(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(house.store.write_audit, house.clock.now, f"desk-{n}", "life", "x", {"n": n}) for n in range(60)]:
            each.result()
    assert prove_audit(house.store).breaks == ()


async def test_no_script_runs_on_the_plain_pages(house: House) -> None:
    async with house.client("audit-desk") as client:
        for path in ("/sign-in", "/password", "/administration"):
            answer = await client.get(path)
            policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
            assert (policy["default-src"], "script-src" in policy, policy["frame-ancestors"]) == ("'none'", False, "'none'"), path
            assert not any(word in answer.text for word in ("<script", "style=", "javascript:", " on")), path
