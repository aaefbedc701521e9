"""Availability after acceptance, against a recomputation minute by minute that shares nothing with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.acceptance import Transition
from app.core.availability import Maintenance, ServiceLevel, ServicePolicy, judged_from, observe_service, spans_looked_at
from app.core.source import Source
from app.core.stretches import Spans, both, length, merged, without
from app.core.workdays import WorkCalendar, build_notice

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Thursday 1 May 2008, midnight in Beijing: a holiday; Sunday 4 May is made up.
START = datetime(2008, 4, 30, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAYS = 5
END = START + timedelta(days=DAYS)
NOTICE = build_notice(2008, [("劳动节", date(2008, 5, 1), date(2008, 5, 3))], [date(2008, 5, 4)], Source(clause="通知"))
CALENDAR = WorkCalendar({2008: NOTICE})
ALWAYS: Spans = [(START, END)]


def change(minute: int, state: str) -> Transition:
    at = START + minute * MINUTE
    return Transition("L-1", at, at, "unknown", state, "")


def level(policy: ServicePolicy, changes: list[Transition], looked: Spans = ALWAYS, until: datetime = END) -> ServiceLevel:
    return observe_service("L-1", policy, CALENDAR, changes, looked, START, until, SHANGHAI)


def naive(policy: ServicePolicy, changes: list[tuple[int, str]], blind: list[tuple[int, int]], minutes: int) -> dict[str, int]:
    """Count minutes one by one: which day, which hour, which state, who looked."""
    counted = {"up": 0, "down": 0, "unmeasured": 0, "excluded": 0}
    for minute in range(minutes):
        local = (START + minute * MINUTE).astimezone(SHANGHAI)
        of_day = local.hour * 60 + local.minute
        working = local.day == 4 or (local.weekday() < 5 and local.day > 3)
        if not any(first <= of_day < last for first, last in policy.hours) or (policy.days == "working" and not working):
            continue
        if any(each.starts_at <= local < each.ends_at for each in policy.maintenance if "L-1" in each.lines):
            counted["excluded"] += 1
            continue
        state = next((state for at, state in sorted(changes, reverse=True) if at <= minute), "unknown")
        seen = state in ("up", "down") and not any(first <= minute < last for first, last in blind)
        counted[state if seen else "unmeasured"] += 1
    return counted


MINUTES = st.integers(0, DAYS * 1440)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(-500, DAYS * 1440), st.sampled_from(["up", "down", "unreachable", "unknown"]), max_size=12),
    st.lists(st.tuples(MINUTES, st.integers(1, 900)), max_size=4),
    st.lists(st.tuples(MINUTES, st.integers(1, 900)), max_size=3),
    st.sampled_from([((0, 1440),), ((510, 720), (840, 1050))]),
    st.sampled_from(["every", "working"]),
)
def test_it_agrees_with_a_count_minute_by_minute(
    changes: dict[int, str],
    blind: list[tuple[int, int]],
    planned: list[tuple[int, int]],
    hours: tuple[tuple[int, int], ...],
    days: str,
) -> None:
    maintenance = tuple(Maintenance(START + at * MINUTE, START + (at + long) * MINUTE, ("L-1",), "检修通知") for at, long in planned)
    policy = ServicePolicy(Decimal("99.5"), hours, days, maintenance)
    looked = without(ALWAYS, merged((START + at * MINUTE, START + (at + long) * MINUTE) for at, long in blind))
    found = level(policy, [change(at, state) for at, state in changes.items()], looked)
    counted = naive(policy, list(changes.items()), [(at, at + long) for at, long in blind], DAYS * 1440)
    assert {name: getattr(found, name) // MINUTE for name in counted} == counted


def whole(slo: str, *, up_s: int, down_s: int, unmeasured_s: int = 0) -> ServiceLevel:
    spans = (timedelta(seconds=seconds) for seconds in (up_s, down_s, unmeasured_s))
    return ServiceLevel("L-1", START, END, Decimal(slo), *spans, timedelta(0))


@pytest.mark.parametrize(
    ("slo", "up_s", "down_s", "unmeasured_s", "verdict", "sli"),
    [
        ("99.9000", 999_000, 1_000, 0, "pass", "99.9000"),
        ("99.9000", 998_999, 1_001, 0, "fail", "99.8999"),
        ("99.9000", 9_989_999, 10_001, 0, "fail", "99.8999"),  # 99.89999 is cut, never rounded up to the objective
        ("99.9001", 999_000, 1_000, 0, "fail", "99.9000"),
        ("99.9000", 999_000, 500, 500, "pass", "99.9499"),
        ("99.9000", 998_500, 500, 1_000, "not_proven", "99.9499"),  # the unmeasured time decides
        ("99.9000", 998_000, 1_001, 999, "fail", "99.8997"),
        ("100", 1, 0, 0, "pass", "100.0000"),
        ("100", 1, 0, 1, "not_proven", "100.0000"),
        ("99.9000", 0, 0, 1_000, "not_proven", None),
        ("99.9000", 0, 0, 0, "not_proven", None),
    ],
)
def test_a_verdict_holds_whatever_the_unmeasured_time_was(
    slo: str, up_s: int, down_s: int, unmeasured_s: int, verdict: str, sli: str | None
) -> None:
    found = whole(slo, up_s=up_s, down_s=down_s, unmeasured_s=unmeasured_s)
    assert found.verdict == verdict
    assert found.sli_percent == (None if sli is None else Decimal(sli))


def test_the_budget_is_what_the_objective_still_allows() -> None:
    assert whole("99.9000", up_s=999_600, down_s=400).budget_left == timedelta(seconds=600)
    assert whole("99.9000", up_s=998_000, down_s=2_000).budget_left == timedelta(seconds=-1000)


def test_a_poller_that_was_blind_proves_nothing_for_that_time() -> None:
    gap = timedelta(minutes=3)
    looked = spans_looked_at([START, START + MINUTE, START + 10 * MINUTE], gap)
    assert looked == [(START, START + 4 * MINUTE), (START + 10 * MINUTE, START + 13 * MINUTE)]
    found = level(ServicePolicy(), [change(0, "up")], looked, START + 13 * MINUTE)
    assert (found.up, found.unmeasured, found.verdict) == (7 * MINUTE, 6 * MINUTE, "not_proven")


def test_maintenance_of_other_lines_excludes_nothing() -> None:
    other = Maintenance(START, END, ("L-2*",), "检修通知")
    mine = Maintenance(START, END, ("L-*",), "检修通知")
    assert level(ServicePolicy(maintenance=(other,)), [change(0, "up")]).excluded == timedelta(0)
    assert level(ServicePolicy(maintenance=(mine,)), [change(0, "up")]).excluded == END - START


@given(st.lists(st.tuples(MINUTES, MINUTES), max_size=8), st.lists(st.tuples(MINUTES, MINUTES), max_size=8))
def test_what_lies_in_both_and_what_lies_in_one_make_up_the_one(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    one, other = (merged((START + a * MINUTE, START + b * MINUTE) for a, b in rows) for rows in (left, right))
    assert length(both(one, other)) + length(without(one, other)) == length(one)
    assert both(one, other) == both(other, one)


@pytest.mark.parametrize(("unmeasured", "expected"), [(5, "pass"), (6, "not_proven")])
def test_as_much_measured_as_the_duty_asks_is_enough(unmeasured: int, expected: str) -> None:
    up, unseen = (timedelta(hours=hours) for hours in (100 - unmeasured, unmeasured))
    found = ServiceLevel("L-1", START, END, Decimal("90"), up, timedelta(0), unseen, timedelta(0), least_coverage=Decimal("0.95"))
    assert found.verdict == expected


def test_a_line_is_judged_over_the_window_and_never_from_before_its_acceptance() -> None:
    policy = ServicePolicy(window=timedelta(days=2))
    assert judged_from(policy, START, END) == END - timedelta(days=2)
    assert judged_from(policy, END - timedelta(days=1), END) == END - timedelta(days=1)
    assert judged_from(ServicePolicy(), START, END) == START


def test_planned_work_counts_for_nothing() -> None:
    work = Maintenance(START + MINUTE, START + 3 * MINUTE, ("L-*",), "函1")
    found = level(ServicePolicy(maintenance=(work,)), [change(0, "up"), change(1, "down"), change(3, "up")])
    assert (found.down, found.excluded) == (timedelta(0), 2 * MINUTE)


def test_stretches_that_touch_are_one() -> None:
    ends = [START + n * MINUTE for n in range(4)]
    assert merged([(ends[1], ends[2]), (ends[0], ends[1]), (ends[2], ends[2])]) == [(ends[0], ends[2])]
