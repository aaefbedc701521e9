"""What the page is drawn from: causes before what they hide, the worst first, words in both languages, evidence in Chinese."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.core.acceptance import LineSample, Measurement
from app.core.duties import HOLDERS, Gate
from app.core.judging import Observations, judge
from app.core.line_deadline import LINE_DUES
from app.core.line_view import SHOWN_STATES
from app.core.linestate import REASONS
from app.core.milestone_view import MILESTONE_STATES
from app.core.readiness import READINESS, GateState, judge_gates
from app.core.scope import Scope
from app.core.service_class import CRITERIA, Criterion, ServiceClass
from app.core.source import Source
from app.core.standings import primary_lines, whole
from app.web.dashboard import view
from app.web.dashboard.phrases import in_chinese
from app.web.dashboard.words import TABLE, Words
from tests.samples.rollout import NOW, UPLINK_OF_NANJIANG, ZONE, build_summary, with_line

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def say(moment: datetime) -> str:
    return Words("zh").moment(moment.astimezone(ZONE))


def test_key_figures_count_late_acceptances_as_accepted() -> None:
    counts = view.figures(build_summary())
    assert (counts.total, counts.accepted, counts.accepted_late, counts.late, counts.at_risk) == (29, 19, 1, 7, 2)
    assert sum(counts.states.values()) == counts.total + counts.backups == 30


def test_lines_behind_a_dead_line_stand_under_it_and_not_beside_it() -> None:
    found = view.outages(build_summary().lines)
    assert [(outage.line.line_id, len(outage.hidden)) for outage in found] == [
        (UPLINK_OF_NANJIANG, 5),
        ("BZWW-511900-B-0004", 0),
        ("BZWW-511900-B-0006", 0),
    ]


def test_a_chain_of_unreachable_lines_is_hidden_by_its_outermost() -> None:
    inner, leaf = "BZWW-511922-B-0019", "BZWW-511922-B-0020"
    summary = with_line(build_summary(), leaf, behind=inner)
    cause = next(outage for outage in view.outages(summary.lines) if outage.line.line_id == UPLINK_OF_NANJIANG)
    assert {inner, leaf} <= {line.line_id for line in cause.hidden}


def test_lines_that_claim_to_be_behind_each_other_are_still_shown() -> None:
    one, other = "BZWW-511922-B-0019", "BZWW-511922-B-0020"
    summary = with_line(with_line(build_summary(), one, behind=other), other, behind=one)
    shown = {line.line_id for outage in view.outages(summary.lines) for line in (outage.line, *outage.hidden)}
    assert {one, other} <= shown


def test_the_longest_overdue_line_comes_first_and_at_risk_after_late() -> None:
    summary = with_line(build_summary(), "BZWW-511922-C-0023", days_left=-9)
    urgent = view.attention(summary.lines)
    assert urgent[0].line_id == "BZWW-511922-C-0023"
    assert [line.due for line in urgent] == ["late"] * 7 + ["at_risk"] * 2


def test_every_code_of_the_core_has_words() -> None:
    for prefix, codes in (("state", SHOWN_STATES), ("due", LINE_DUES), ("milestone", MILESTONE_STATES), ("holder", HOLDERS)):
        for code in codes:
            assert f"{prefix}_{code}" in TABLE
    for criterion in (*CRITERIA, READINESS):
        assert f"criterion_{criterion}" in TABLE


def test_readiness_is_told_in_chinese() -> None:
    switch = Gate("switch", "BL-1", "交换机", "Switch", Scope(), "unit", "unit", "connection", True, "switch_in_place", Source(clause="二"))
    for met_at, words in ((None, "1 项中 0 项已就绪"), (NOW, "1 项中 1 项已就绪")):
        [result] = judge_gates([GateState(switch, met_at, True)])
        assert (in_chinese(result.expected, say), in_chinese(result.found, say)) == ("各项前置条件均已就绪", words)


@pytest.mark.parametrize(("days", "words"), [(-2, "逾期 2 天"), (0, "今天到期"), (1, "还有 1 天"), (None, "—")])
def test_days_are_counted_to_the_last_day_in_time(days: int | None, words: str) -> None:
    assert Words("zh").days_left(days) == words


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0 秒"), (59, "59 秒"), (60, "1 分钟"), (3599, "59 分钟"), (86400, "1 天")])
def test_an_age_is_told_in_its_largest_unit(seconds: int, words: str) -> None:
    assert Words("zh").age(timedelta(seconds=seconds)) == words


def test_a_share_is_whole_only_when_all_is_done() -> None:
    assert [Words("zh").share(done, 420) for done in (0, 419, 420)] == ["0%", "99%", "100%"]
    assert Words("zh").share(0, 0) == "—"


def test_dates_are_written_as_the_language_writes_them() -> None:
    day = datetime(2008, 6, 30, 9, 5, 0, tzinfo=ZONE)
    assert Words("zh").moment(day) == "2008年6月30日 09:05:00"
    assert Words("en").day(day) == "30 June 2008"


def service_class() -> ServiceClass:
    limits = {"reachable_from_centre": 0.01, "reaches_services": 0.0, "input_errors": 0.0, "trial": 0.999, "rate_down": 0.9, "rate_up": 0.9}
    criteria = tuple(Criterion(kind, required=True, limit=limits.get(kind), window=timedelta(days=3, minutes=10)) for kind in CRITERIA)
    return ServiceClass("agg", "10兆", "10M", "fibre", 10000, 10000, 10240, 10240, ("county",), reserved_port_mbps=100, criteria=criteria)


def measured(value: float | None, at: datetime) -> dict[str, Measurement]:
    return {kind: Measurement("L1", kind, at, value, "kbps", "iperf3 TCP", {"reason": "neither A nor B answers"}) for kind in CRITERIA}


@pytest.mark.parametrize(
    "measurements",
    [{}, measured(0.0, NOW), measured(9500.0, NOW), measured(None, NOW), measured(1.0, NOW - timedelta(days=90))],
    ids=["nothing", "zero", "much", "unmeasured", "outdated"],
)
def test_every_text_of_a_verdict_has_its_chinese(measurements: dict[str, Measurement]) -> None:
    sample = LineSample("L1", NOW, "up", "both ports are up", None, None, None)
    for result in judge(service_class(), Observations((sample,), measurements, timedelta(minutes=3), timedelta(days=30)), NOW):
        for text in (result.expected, result.found):
            shown = in_chinese(text, say)
            assert not re.search("[a-z]{3,}", re.sub("[kM]bit/s|iperf3", "", shown)), shown


def test_moments_and_spans_in_a_verdict_are_told_on_the_orders_clock() -> None:
    assert in_chinese("the trial ends at 2008-06-30T16:00:00+00:00", say) == "试运行至 2008年7月1日 00:00:00 结束"
    assert in_chinese("up 99.90% of 3 days, 0:10:00 with 95% of it measured", say) == "3 天 10 分钟内 99.90% 的时间为通，且至少测到其中 95%"
    assert in_chinese("unreachable: neither A nor B answers", say) == "不可达：A 与 B 均无应答"


def test_a_text_that_nobody_knows_stands_as_it_is() -> None:
    assert in_chinese("a new finding", lambda at: at.astimezone(UTC).isoformat()) == "a new finding"


def test_a_reason_of_a_state_has_its_chinese() -> None:
    for english, _ in REASONS.values():
        assert CHINESE.search(Words("zh").reason(english.format("A", "B")))
        assert Words("en").reason(english) == english


def test_a_loss_ratio_is_told_in_percent_and_a_window_in_words() -> None:
    assert in_chinese("loss ratio at most 0.001", say) == "丢包率不超过 0.1%"
    assert in_chinese("loss ratio 0.02 at 100% down, 100% up", say) == "100% 下行, 100% 上行 时丢包率 2%"
    assert in_chinese("loss ratio 1 (exchange: 0 of 20 came back)", say) == "丢包率 100%（exchange：20 个中收回 0 个）"
    assert in_chinese("loss ratio 5e-05", say) == "丢包率 0.005%"
    assert in_chinese("up 99.90% of 1 day 12 hours with 95% of it measured", say) == "1 天 12 小时内 99.90% 的时间为通，且至少测到其中 95%"


def test_the_page_tells_the_share_that_milestones_and_reports_tell() -> None:
    summary = build_summary()
    counts, told = view.figures(summary), whole(primary_lines(summary), ZONE)
    assert told is not None
    assert (counts.total, counts.accepted, counts.accepted_late) == (told.total, told.done, told.done_late)
    assert counts.backups == len(summary.lines) - told.total
    assert counts.backups, "the sample has backups, else this proves nothing"
