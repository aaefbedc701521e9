"""What the API writes down: by whom, under the rules of the command line, and what it refuses; the documents that it gives away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from app.core.evidence import verify
from app.edge.signing import check_signature, write_key
from tests.samples.accepted_line import ACCEPTED_AT, LINE, accept_line
from tests.samples.staff import House, open_house

SHANGHAI = ZoneInfo("Asia/Shanghai")
LIFE, WORD = f"/api/v1/lines/{LINE}/life", f"/api/v1/lines/{LINE}/confirmation"
#: As long as a telephone number, and nobody's.
NUMBER = "1" + "0" * 10
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture
def accepted(house: House) -> House:
    accept_line(house.store)
    house.clock.now = ACCEPTED_AT + timedelta(hours=2)
    return house


@pytest.fixture
def app(house: House) -> FastAPI:
    return house.application()


async def post(house: House, app: FastAPI, account: str | None, path: str, **entry: object) -> httpx.Response:
    async with house.client(account, app) as client:
        return await client.post(path, json=entry)


async def step(house: House, app: FastAPI, account: str | None, state: str, **more: object) -> httpx.Response:
    return await post(house, app, account, LIFE, **{"state": state, "document": "登记表", **more})


async def test_whoever_has_not_signed_in_writes_nothing(house: House, app: FastAPI) -> None:
    for path, entry in (
        (LIFE, {"state": "applied", "document": "x"}),
        (WORD, {"decision": "confirmed", "document": "x"}),
        ("/api/v1/events", {"subject": "BZQ-GOV", "event": "fee_and_seal_received", "document": "x"}),
    ):
        answer = await post(house, app, None, path, **entry)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert house.store.audit()[-1].verb == "account token"


async def test_a_line_goes_its_way_step_by_step_and_says_who_said_so(house: House, app: FastAPI) -> None:
    for account, state in (("duty", "applied"), ("office", "approved"), ("duty", "building")):
        assert (await step(house, app, account, state)).status_code == 201
        house.clock.now += DAY
    opened = datetime(2008, 6, 29, 9, 30, tzinfo=SHANGHAI)
    answer = await step(house, app, "telecom-desk", "opened", observed_at=opened.isoformat(), document="开通单 17")
    assert answer.status_code == 201, answer.text
    async with house.client() as client:
        body = (await client.get(LIFE)).json()
        shown = (await client.get(f"/api/v1/lines/{LINE}")).json()["line"]
    assert (body["state"], body["next_states"]) == ("opened", ["self_tested", "building", "closed"])
    assert [(each["state"], each["by"], each["standing"]) for each in body["steps"]] == [
        ("applied", "engineer", "moved"),
        ("approved", "centre", "moved"),
        ("building", "engineer", "moved"),
        ("opened", "carrier:telecom", "moved"),
    ]
    last = body["steps"][-1]
    assert datetime.fromisoformat(last["observed_at"]) == opened
    assert datetime.fromisoformat(last["recorded_at"]) == house.clock.now
    assert (last["evidence"], last["source"]) == ("开通单 17", "hand")
    assert shown["opened"] is True
    written = [(entry.actor, entry.verb, entry.detail["state"]) for entry in house.store.audit(None, LINE)]
    assert written[-1] == ("telecom-desk", "life", "opened")


async def test_a_line_that_is_being_built_is_not_down(house: House, app: FastAPI) -> None:
    async with house.client() as client:
        assert (await client.get(f"/api/v1/lines/{LINE}")).json()["line"]["state"] == "unknown"
        await step(house, app, "duty", "applied")
        row = (await client.get(f"/api/v1/lines/{LINE}")).json()["line"]
        assert (row["state"], row["opened"]) == ("not_opened", False)
        assert (await client.get("/api/v1/lines?state=not_opened")).json()["total"] == 1
        assert (await client.get("/api/v1/summary")).json()["lines"]["state"]["not_opened"] == 1
        assert f'waiwang_line_state{{line_id="{LINE}",state="not_opened"}} 1.0' in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("account", "state", "status"),
    [
        ("telecom-desk", "applied", 403),
        ("telecom-desk", "closed", 403),
        ("unicom-desk", "opened", 404),
        ("tj-gov", "opened", 404),
        ("bzq-gov", "applied", 403),
        ("watcher", "applied", 403),
        ("duty", "opened", 422),
        ("duty", "accepted", 422),
        ("telecom-desk", "opened", 422),
        ("duty", "finished", 422),
    ],
)
async def test_a_step_that_is_not_for_the_role_or_cannot_follow_is_refused(
    house: House, app: FastAPI, account: str, state: str, status: int
) -> None:
    answer = await step(house, app, account, state)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert house.store.life_events() == []


async def test_a_refusal_names_what_is_missing_in_four_parts(house: House, app: FastAPI) -> None:
    answer = await step(house, app, "duty", "opened")
    body = answer.json()
    assert "opened cannot follow planned: expected applied or closed; found opened" in body["detail"]
    assert "Record applied first." in body["detail"]
    assert [fault["expected"] for fault in body["errors"]] == ["applied or closed"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"document": ""},
        {"document": "x" * 201},
        {"observed_at": "2008-06-01T10:00:00"},
        {"observed_at": "soon"},
        {"by": f"值班员 {NUMBER}"},
        {"by": ""},
        {"recorded_at": "2008-06-01T10:00:00Z"},
        {"observed_at": "2030-01-01T00:00:00Z"},
    ],
)
async def test_an_entry_that_is_wrong_in_itself_is_refused(house: House, app: FastAPI, wrong: dict[str, object]) -> None:
    answer = await step(house, app, "duty", "applied", **wrong)
    assert answer.status_code == 422, answer.text
    assert NUMBER not in answer.json()["detail"]
    assert house.store.life_events() == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_that_has_no_day_in_utc_is_refused_and_spoils_no_later_reading(house: House, app: FastAPI, moment: str) -> None:
    answer = await step(house, app, "office", "applied", observed_at=moment)
    assert (answer.status_code, answer.json()["errors"][0]["expected"]) == (422, "a day of the calendar in UTC")
    assert house.store.life_events() == []


@pytest.mark.parametrize("document", ["a\x00b", "a\x1b[2J", "a\u0085b"])
async def test_a_document_that_no_form_can_hold_is_refused(accepted: House, app: FastAPI, document: str) -> None:
    for path, entry in ((LIFE, {"state": "closed"}), (WORD, {"decision": "confirmed"})):
        answer = await post(accepted, app, "office", path, document=document, **entry)
        assert (answer.status_code, answer.json()["errors"][0]["expected"]) == (422, "one line of readable text"), path
    assert accepted.store.confirmations(LINE) == []


@pytest.mark.parametrize("text", ['"\\ud800"', f'"{"x" * 100_000}"'])
async def test_what_is_wrong_is_shown_briefly_and_never_fails_the_answer(house: House, app: FastAPI, text: str) -> None:
    body = f'{{"state": {text}, "document": {text}, {text}: {text}}}'
    async with house.client("office", app) as client:
        answer = await client.post(LIFE, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert len(answer.content) < 3000


async def test_unit_and_carrier_confirm_then_the_centre_concludes(accepted: House, app: FastAPI) -> None:
    early = await post(accepted, app, "office", WORD, decision="confirmed", document="确认单")
    assert (early.status_code, "the centre confirms last" in early.text) == (422, True)
    for account, party in (("bzq-gov", "unit"), ("telecom-desk", "carrier")):
        answer = await post(accepted, app, account, WORD, decision="confirmed", document="确认单")
        assert answer.status_code == 201, answer.text
        assert next(each for each in answer.json()["parties"] if each["party"] == party)["standing"] == "confirmed"
        accepted.clock.now += timedelta(hours=1)
    body = (await post(accepted, app, "office", WORD, decision="confirmed", document="确认单")).json()
    assert (body["state"], [each["by"] for each in body["parties"]]) == ("confirmed", ["政府办公文交换员", "carrier:telecom", "centre"])
    assert body["parties"][0]["last_day"] == "2008-07-01"
    async with accepted.client() as client:
        assert (await client.get(LIFE)).json()["state"] == "in_service"


async def test_a_word_after_its_window_is_late_and_a_refusal_needs_its_reason(accepted: House, app: FastAPI) -> None:
    accepted.clock.now = datetime(2008, 7, 1, 16, 0, tzinfo=UTC)
    late = (await post(accepted, app, "telecom-desk", WORD, decision="confirmed", document="确认单")).json()
    assert {each["party"]: each["standing"] for each in late["parties"]} == {
        "unit": "overdue",
        "carrier": "confirmed_late",
        "centre": "not_yet",
    }
    assert (await post(accepted, app, "bzq-gov", WORD, decision="refused", document="函")).status_code == 422
    refused = await post(accepted, app, "bzq-gov", WORD, decision="refused", document="函", reason="公文交换不通")
    assert (refused.status_code, refused.json()["state"]) == (201, "refused")


@pytest.mark.parametrize(("account", "status"), [("duty", 403), ("watcher", 403), ("unicom-desk", 404), ("tj-gov", 404)])
async def test_only_the_parties_of_a_line_confirm_it(accepted: House, app: FastAPI, account: str, status: int) -> None:
    answer = await post(accepted, app, account, WORD, decision="confirmed", document="确认单")
    assert answer.status_code == status
    assert accepted.store.confirmations() == []


async def test_a_unit_reports_of_itself_and_twice_is_once(house: House, app: FastAPI) -> None:
    entry = {"subject": "BZQ-GOV", "event": "fee_and_seal_received", "document": "收据 3"}
    for account, recorded in (("bzq-gov", True), ("office", False)):
        answer = await post(house, app, account, "/api/v1/events", **entry, observed_at=ACCEPTED_AT.isoformat(), by_role="公文交换员")
        assert answer.status_code == 201, answer.text
        assert answer.json()["recorded"] is recorded
    assert [(row.subject, row.event, row.by_role) for row in house.store.events()] == [("BZQ-GOV", "fee_and_seal_received", "公文交换员")]
    taken_back = {**entry, "withdraw": True}
    assert (await post(house, app, "bzq-gov", "/api/v1/events", **taken_back)).json()["recorded"] is True
    for account, status in (("tj-gov", 403), ("telecom-desk", 403), ("watcher", 403)):
        assert (await post(house, app, account, "/api/v1/events", **entry)).status_code == status


async def test_an_event_that_the_order_does_not_ask_for_is_refused(house: House, app: FastAPI) -> None:
    answer = await post(house, app, "office", "/api/v1/events", subject="BZQ-GOV", event="tea_party", document="x")
    assert (answer.status_code, "the order asks for no such event" in answer.text) == (422, True)


async def test_the_form_is_given_out_in_both_kinds_once_the_line_is_accepted(accepted: House, app: FastAPI) -> None:
    async with accepted.client("telecom-desk", app) as client:
        pdf = await client.get(f"/api/v1/lines/{LINE}/confirmation-form")
        docx = await client.get(f"/api/v1/lines/{LINE}/confirmation-form?format=docx&language=en")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert pdf.headers["content-disposition"] == f'attachment; filename="{LINE}-confirmation.pdf"'
    assert docx.content[:4] == b"PK\x03\x04"


async def test_there_is_no_form_of_a_line_that_is_not_accepted(house: House, app: FastAPI) -> None:
    async with house.client(app=app) as client:
        answer = await client.get(f"/api/v1/lines/{LINE}/confirmation-form")
    assert (answer.status_code, "waiwang accept" in answer.text) == (422, True)


async def test_the_evidence_pack_is_signed_and_for_the_parties(tmp_path: Path, accepted: House) -> None:
    accepted.key = write_key(tmp_path / "key")
    app = accepted.application()
    for account, status in (("telecom-desk", 200), ("office", 200), ("bzq-gov", 200), ("unicom-desk", 404), ("watcher", 403), (None, 401)):
        async with accepted.client(account, app) as client:
            answer = await client.get(f"/api/v1/lines/{LINE}/evidence")
        assert answer.status_code == status, account
        if status == 200:
            found = verify(answer.content, check_signature, accepted.key.public)
            assert found.alterations == ()
            part = found.content("pack")
            assert isinstance(part, dict)
            assert part["line_id"] == LINE


async def test_a_server_without_a_key_gives_out_no_pack(accepted: House, app: FastAPI) -> None:
    async with accepted.client("office", app) as client:
        answer = await client.get(f"/api/v1/lines/{LINE}/evidence")
    assert (answer.status_code, "WAIWANG_EVIDENCE_KEY" in answer.text) == (503, True)
