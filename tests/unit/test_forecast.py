"""Completion foretold from the demonstrated rate: exact where it can be checked by hand, honest where it is simulated."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from math import exp, lgamma, log
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.chances import chance_of_at_least, regularised_beta
from app.core.forecast import HORIZON, Forecast, Outlook, build_foreteller, count_by_day, dispersion
from app.core.order import ForecastRule
from app.core.source import Source
from app.core.workdays import WorkCalendar, build_notice

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Monday 2 June 2008, nine in the morning in Beijing.
NOW = datetime(2008, 6, 2, 1, 0, tzinfo=UTC)
DUE_AT = datetime(2008, 7, 1, tzinfo=SHANGHAI)


def foretell(
    done_on: list[date], wanted: int, *, now: datetime = NOW, due_at: datetime = DUE_AT, calendar: WorkCalendar = WorkCalendar()
) -> Forecast:
    return build_foreteller(Outlook(now, SHANGHAI, calendar, ForecastRule(), date(2008, 3, 26))).foretell(done_on, wanted, due_at)


def steady(per_day: int) -> list[date]:
    """Return so many acceptances on each working day of May 2008."""
    days = [date(2008, 5, 1) + timedelta(days=number) for number in range(31)]
    return [day for day in days if day.weekday() < 5 for _ in range(per_day)]


# The chances


def naive_chance(wanted: int, seen: float, exposure: float, ahead: float) -> float:
    """Sum the negative binomial term by term."""
    shape, share = seen + 0.5, exposure / (exposure + ahead)
    terms = (lgamma(k + shape) - lgamma(k + 1) - lgamma(shape) + shape * log(share) + k * log(1 - share) for k in range(wanted))
    return 1 - sum(map(exp, terms))


@given(
    wanted=st.integers(1, 300),
    seen=st.floats(0, 400, allow_nan=False),
    exposure=st.integers(1, 60),
    ahead=st.integers(1, 200),
)
def test_the_chance_is_that_of_the_negative_binomial_summed_term_by_term(wanted: int, seen: float, exposure: int, ahead: int) -> None:
    found = chance_of_at_least(wanted, seen=seen, exposure=exposure, ahead=ahead)
    assert found == pytest.approx(naive_chance(wanted, seen, exposure, ahead), abs=1e-8)


@given(a=st.floats(0.5, 500), b=st.floats(0.5, 500), x=st.floats(0, 1))
def test_the_incomplete_beta_function_is_symmetric_and_a_probability(a: float, b: float, x: float) -> None:
    found = regularised_beta(a, b, x)
    assert 0 <= found <= 1
    assert found == pytest.approx(1 - regularised_beta(b, a, 1 - x), abs=1e-7)


def test_known_values_of_the_incomplete_beta_function() -> None:
    assert regularised_beta(1, 1, 0.3) == pytest.approx(0.3)
    assert regularised_beta(2, 3, 0.5) == pytest.approx(0.6875)
    assert regularised_beta(0.5, 0.5, 0.5) == pytest.approx(0.5)
    assert (regularised_beta(3, 4, 0.0), regularised_beta(3, 4, 1.0)) == (0.0, 1.0)


@given(seen=st.integers(0, 200), ahead=st.integers(1, 100), wanted=st.integers(1, 200))
def test_more_days_more_seen_and_fewer_wanted_never_lower_the_chance(seen: int, ahead: int, wanted: int) -> None:
    base = chance_of_at_least(wanted, seen=seen, exposure=20, ahead=ahead)
    for better in (
        chance_of_at_least(wanted, seen=seen, exposure=20, ahead=ahead + 1),
        chance_of_at_least(wanted, seen=seen + 1, exposure=20, ahead=ahead),
        chance_of_at_least(wanted - 1, seen=seen, exposure=20, ahead=ahead),
    ):
        assert better >= base - 1e-9


# What is said


def test_a_steady_rate_foretells_the_day_and_says_what_is_needed() -> None:
    found = foretell(steady(4), wanted=60)
    # 2 to 30 June 2008 by weekends alone: 21 working days
    assert (found.days_left, found.seen, found.seen_days, found.per_day) == (21, 80, 20, 4.0)
    assert found.needed_per_day == pytest.approx(60 / 21)
    assert found.expected_on == date(2008, 6, 20)  # the fifteenth working day
    assert found.earliest_on is not None
    assert found.latest_on is not None
    assert found.earliest_on < found.expected_on < found.latest_on <= date(2008, 6, 30)
    assert (found.outlook, found.chance) == ("holds", pytest.approx(0.98, abs=0.02))


@pytest.mark.parametrize(("wanted", "outlook"), [(0, "done"), (50, "holds"), (84, "in_doubt"), (150, "breaks")])
def test_the_outlook_follows_from_the_interval(wanted: int, outlook: str) -> None:
    found = foretell(steady(4), wanted)
    assert found.outlook == outlook
    if found.latest_on is not None and found.earliest_on is not None:
        assert (found.latest_on <= date(2008, 6, 30)) == (outlook == "holds")
        assert (found.earliest_on > date(2008, 6, 30)) == (outlook == "breaks")


@pytest.mark.parametrize(("seen", "outlook"), [(4, "not_enough_seen"), (5, "in_doubt")])
def test_too_few_acceptances_foretell_nothing(seen: int, outlook: str) -> None:
    days = [date(2008, 5, 30) - timedelta(days=number) for number in range(0, 20, 4)][:seen]
    found = foretell(days, wanted=6)
    assert found.outlook == outlook
    assert (found.chance is None) == (found.earliest_on is None) == (outlook == "not_enough_seen")
    assert found.needed_per_day == pytest.approx(6 / 21)


def test_today_is_ahead_and_does_not_count_as_seen() -> None:
    assert foretell([*steady(1), *[date(2008, 6, 2)] * 50], wanted=10) == foretell(steady(1), wanted=10)


def test_a_deadline_that_is_over_has_no_chance_and_still_a_foretold_day() -> None:
    found = foretell(steady(4), wanted=60, now=DUE_AT, due_at=DUE_AT)
    assert (found.outlook, found.days_left, found.needed_per_day, found.chance) == ("over", 0, None, 0.0)
    late = foretell(steady(4), wanted=60, now=NOW, due_at=datetime(2008, 6, 1, tzinfo=SHANGHAI))
    assert late.expected_on == date(2008, 6, 20)


@pytest.mark.parametrize(
    ("now", "left"),
    [(DUE_AT - timedelta(seconds=1), 1), (DUE_AT, 0), (datetime(2008, 6, 29, 4, tzinfo=UTC), 1), (datetime(2008, 6, 27, 4, tzinfo=UTC), 2)],
)
def test_working_days_left_count_today_and_end_with_the_last_day(now: datetime, left: int) -> None:
    assert foretell([], wanted=5, now=now).days_left == left


def test_holidays_neither_dilute_the_rate_nor_count_as_days_left() -> None:
    days_off = [("端午节", date(2008, 6, 9), date(2008, 6, 9)), ("五一", date(2008, 5, 1), date(2008, 5, 2))]
    notice = build_notice(2008, days_off, [], Source())
    found = foretell(steady(2), wanted=10, calendar=WorkCalendar({2008: notice}))
    assert (found.days_left, found.seen_days, found.per_day) == (20, 20, pytest.approx(2.0, abs=0.3))


def test_what_was_accepted_on_a_day_off_counts_for_the_working_day_before() -> None:
    window = [date(2008, 5, 29), date(2008, 5, 30)]
    days = [date(2008, 5, 28), date(2008, 5, 29), date(2008, 5, 31), date(2008, 6, 1), date(2008, 6, 2)]
    assert count_by_day(days, window, date(2008, 6, 2)) == [1, 2]
    assert count_by_day(days, [], date(2008, 6, 2)) == []


def test_the_window_never_reaches_before_the_work_began() -> None:
    outlook = Outlook(NOW, SHANGHAI, WorkCalendar(), ForecastRule(), date(2008, 5, 29))
    assert outlook.window() == [date(2008, 5, 29), date(2008, 5, 30)]


def test_batches_widen_the_interval() -> None:
    single = foretell(steady(4), wanted=60)
    batches = foretell([day for day in (date(2008, 5, 9), date(2008, 5, 16), date(2008, 5, 23), date(2008, 5, 30)) for _ in range(20)], 60)
    assert single.per_day == batches.per_day
    assert single.latest_on is not None
    assert batches.latest_on is None or batches.latest_on > single.latest_on + timedelta(days=14)


def test_the_index_of_dispersion_is_variance_over_mean_and_never_below_one() -> None:
    assert dispersion([4] * 20) == dispersion([0] * 20) == dispersion([3]) == 1.0
    # 4 days of 20 and 16 of none: mean 4, squared deviations 4 * 256 + 16 * 16
    assert dispersion([20, 0, 0, 0, 0] * 4) == pytest.approx((4 * 256 + 16 * 16) / 19 / 4)


def test_beyond_the_horizon_no_day_is_named() -> None:
    found = foretell([date(2008, 5, 28) - timedelta(days=number) for number in (0, 1, 5, 6, 7)], wanted=100_000)
    assert (found.outlook, found.earliest_on, found.latest_on) == ("breaks", None, None)
    assert HORIZON == 1000


# Whether the interval is honest


@pytest.mark.parametrize(("batch", "least"), [(1, 0.86), (5, 0.80)])
def test_nine_intervals_in_ten_hold_the_day_on_which_a_simulated_rollout_is_done(batch: int, least: float) -> None:
    """Rates and numbers are drawn anew for each rollout; lines are accepted in Poisson batches. The test is seeded."""
    chance = Random(20080630 + batch)
    held = told = 0
    window = [date(2008, 4, 1) + timedelta(days=number) for number in range(62)]
    for _ in range(400):
        rate = chance.uniform(0.8, 6) / batch
        done = [day for day in window if day.weekday() < 5 for _ in range(batch * poisson(chance, rate))]
        wanted = chance.randrange(10, 120)
        found = foretell(done, wanted)
        if found.earliest_on is None:
            continue
        told += 1
        left, finished = wanted, None
        for number in count():
            day = date(2008, 6, 2) + timedelta(days=number)
            if day.weekday() < 5:
                left -= batch * poisson(chance, rate)
            if left <= 0:
                finished = day
                break
        held += finished is not None and found.earliest_on <= finished and (found.latest_on is None or finished <= found.latest_on)
    assert told > 300
    assert least <= held / told <= 0.985


def poisson(chance: Random, mean: float) -> int:
    limit, product, number = exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number
