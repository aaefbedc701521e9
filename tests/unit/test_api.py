"""The API answers with views of one summary, refuses what it does not understand, and keeps its pinned description."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta

import httpx
import pytest

from app.core.acceptance import Acceptance, CriterionResult, Transition
from app.core.line_view import LineView
from app.core.milestone_view import CohortView, MilestoneView
from app.core.progress import Summary
from app.errors import StoreError
from app.web.api.models import Cohort, CriterionRow, Decision, LineRow, MilestoneRow, TransitionRow, View
from app.web.app import create_app
from app.web.context import Contexts, WebContext
from app.web.gate import Gate
from app.web.recent import RecentSummary
from tests.samples.rollout import NOW, UPLINK_OF_NANJIANG, ZONE, FixedReader, build_summary, with_line


def connect(reader: FixedReader) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_app(reader), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


@pytest.fixture
def reader() -> FixedReader:
    return FixedReader()


@pytest.fixture
async def client(reader: FixedReader) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(reader) as opened:
        yield opened


async def line_ids(client: httpx.AsyncClient, query: str) -> list[str]:
    answer = await client.get(f"/api/v1/lines?{query}")
    assert answer.status_code == 200, answer.text
    return [row["line_id"] for row in answer.json()["rows"]]


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (LineRow, LineView),
        (MilestoneRow, MilestoneView),
        (Cohort, CohortView),
        (Decision, Acceptance),
        (CriterionRow, CriterionResult),
        (TransitionRow, Transition),
    ],
)
def test_a_row_shows_every_field_of_its_value(model: type[View], value: type) -> None:
    assert set(model.model_fields) == {one.name for one in fields(value)}


async def test_the_summary_counts_every_line_once_by_standing_and_once_by_state(client: httpx.AsyncClient) -> None:
    summary = build_summary()
    body = (await client.get("/api/v1/summary")).json()
    assert body["schema_version"] == 1
    assert body["order_number"] == summary.order_number
    assert body["lines"]["total"] == len(summary.lines)
    assert sum(body["lines"]["due"].values()) == len(summary.lines)
    assert sum(body["lines"]["state"].values()) == len(summary.lines)
    assert body["lines"]["state"]["unreachable"] == 6
    primary = [line for line in summary.lines if line.role == "primary"]
    assert body["primary_lines"]["total"] == len(primary) < len(summary.lines)
    assert body["primary_lines"]["due"]["no_deadline"] == 0
    assert body["timezone"] == "Asia/Shanghai"
    assert [one["milestone_id"] for one in body["milestones"]] == [one.milestone_id for one in summary.milestones]


async def test_polling_is_stale_beyond_the_limit_and_when_nothing_was_measured(reader: FixedReader, client: httpx.AsyncClient) -> None:
    limit = timedelta(minutes=5)
    for polled_at, stale in ((NOW - limit, False), (NOW - limit - timedelta(seconds=1), True), (None, True)):
        reader.now = replace(reader.now, polled_at=polled_at)
        assert (await client.get("/api/v1/summary")).json()["poll_is_stale"] is stale


async def test_lines_come_in_pages_that_meet_without_gap_or_overlap(client: httpx.AsyncClient) -> None:
    pages = [await line_ids(client, f"start={start}&end={start + 7}") for start in range(0, 35, 7)]
    together = [line_id for page in pages for line_id in page]
    assert together == sorted(line.line_id for line in build_summary().lines)
    assert [len(page) for page in pages] == [7, 7, 7, 7, 2]


async def test_filters_join_and_repeat(client: httpx.AsyncClient) -> None:
    def expect(holds: Callable[[LineView], bool]) -> list[str]:
        return sorted(line.line_id for line in build_summary().lines if holds(line))

    assert await line_ids(client, "region=511922") == expect(lambda line: line.region == "511922")
    assert await line_ids(client, "class=agg10&class=adsl1") == expect(lambda line: line.class_id in ("agg10", "adsl1"))
    assert await line_ids(client, "due=late&due=at_risk") == expect(lambda line: line.due in ("late", "at_risk"))
    assert await line_ids(client, "state=unreachable&region=511922") == expect(
        lambda line: line.state == "unreachable" and line.region == "511922"
    )
    assert await line_ids(client, "carrier=mobile") == expect(lambda line: line.carrier == "mobile")


async def test_words_are_looked_for_in_names_ids_and_circuits(client: httpx.AsyncClient) -> None:
    assert await line_ids(client, "q=南江县林业局") == ["BZWW-511922-B-0021"]
    assert await line_ids(client, "q=forestry nanjiang") == ["BZWW-511922-B-0021"]
    assert await line_ids(client, "q=sc511922n00021") == ["BZWW-511922-B-0021"]
    assert await line_ids(client, "q=nowhere") == []


async def test_sorting_puts_what_is_not_known_last_either_way(client: httpx.AsyncClient) -> None:
    lines = {line.line_id: line for line in build_summary().lines}
    for desc in (False, True):
        rates = [lines[line_id].down_bps for line_id in await line_ids(client, f"sort=down_bps&desc={desc}")]
        known = [rate for rate in rates if rate is not None]
        assert known == sorted(known, reverse=desc)
        assert rates == known + [None] * (len(rates) - len(known))


@pytest.mark.parametrize("query", ["start=-1", "start=9&end=3", "start=0&end=1001", "sort=open_criteria", "state=broken", "due=soon"])
async def test_a_query_that_makes_no_sense_is_refused_with_a_problem(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/v1/lines?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == 422
    assert query.partition("=")[0] in body["detail"] or "query.end" in body["detail"]


async def test_a_line_is_answered_with_its_evidence_and_its_history(client: httpx.AsyncClient) -> None:
    body = (await client.get(f"/api/v1/lines/{UPLINK_OF_NANJIANG}")).json()
    assert body["line"]["state"] == "down"
    assert [one["verdict"] for one in body["acceptance"]["results"]] == ["pass", "pass", "not_proven"]
    assert body["acceptance"]["results"][0]["evidence"] == {"sent": 50, "lost": 0}
    assert [(one["before"], one["after"]) for one in body["transitions"]] == [("up", "down")]


async def test_a_line_that_nobody_judged_has_no_decision(client: httpx.AsyncClient) -> None:
    unjudged = next(line for line in build_summary().lines if line.verdict is None)
    assert (await client.get(f"/api/v1/lines/{unjudged.line_id}")).json()["acceptance"] is None


@pytest.mark.parametrize("path", ["/api/v1/lines/NONE", "/api/v1/nothing", "/api/v2/summary"])
async def test_what_does_not_exist_is_a_problem_and_no_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == path


async def test_the_api_cannot_be_written_to(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/summary", "/api/v1/lines"):
        answer = await client.post(path, json={})
        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"


async def test_transitions_are_limited_newest_first(client: httpx.AsyncClient) -> None:
    moments = [one["observed_at"] for one in (await client.get("/api/v1/transitions?limit=3")).json()["transitions"]]
    assert len(moments) == 3
    assert moments == sorted(moments, reverse=True)


@dataclass
class BrokenReader(FixedReader):
    error: Exception = field(default_factory=lambda: StoreError("waiwang.db: expected our tables; found none. Run `waiwang check`."))

    def summary(self) -> Summary:
        raise self.error


async def test_a_store_that_fails_is_told_in_its_own_words() -> None:
    async with connect(BrokenReader()) as client:
        answer = await client.get("/api/v1/summary")
        assert answer.status_code == 503
        assert "Run `waiwang check`" in answer.json()["detail"]
        assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_a_fault_of_ours_shows_no_inside() -> None:
    async with connect(BrokenReader(error=KeyError("secret-row"))) as client:
        answer = await client.get("/api/v1/summary")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret-row" not in answer.text


async def test_every_answer_closes_the_browsers_doors(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/summary", "/metrics", "/static/dashboard.css", "/api/v1/none"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert policy.endswith("connect-src 'self' ws://127.0.0.1 wss://127.0.0.1")
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_host_name_cannot_add_to_the_policy(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/healthz", headers={"host": "a; script-src *"})).headers
    assert headers["content-security-policy"].endswith("connect-src 'self'")


@pytest.mark.parametrize(("origin", "reached"), [(None, True), ("http://127.0.0.1:8080", True), ("http://elsewhere.example", False)])
async def test_a_websocket_of_another_origin_is_refused(origin: str | None, reached: bool) -> None:
    calls: list[str] = []

    async def inner(scope: object, receive: object, send: object) -> None:
        calls.append("reached")

    async def send(message: object) -> None:
        calls.append(str(message))

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    headers = [(b"host", b"127.0.0.1:8080")] + ([(b"origin", origin.encode())] if origin else [])
    context = WebContext(FixedReader(), ZONE, timedelta(minutes=5), RecentSummary(build_summary, 1.0))
    await Gate(inner, Contexts(context, 1.0))({"type": "websocket", "path": "/_nicegui_ws/", "headers": headers}, receive, send)
    assert (calls == ["reached"]) is reached


async def test_the_description_of_the_api_is_the_pinned_one(client: httpx.AsyncClient, golden: Callable[[str, str], None]) -> None:
    description = (await client.get("/api/v1/openapi.json")).json()
    golden("api/openapi.json", json.dumps(description, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


async def test_views_agree_on_a_line_that_goes_down(reader: FixedReader, client: httpx.AsyncClient) -> None:
    line_id = "BZWW-511902-A-0008"
    reader.now = with_line(reader.now, line_id, state="down")
    row = (await client.get(f"/api/v1/lines/{line_id}")).json()["line"]
    counts = (await client.get("/api/v1/summary")).json()["lines"]["state"]
    metrics = (await client.get("/metrics")).text
    assert row["state"] == "down"
    assert counts["down"] == 3
    assert f'waiwang_line_state{{line_id="{line_id}",state="down"}} 1.0' in metrics
