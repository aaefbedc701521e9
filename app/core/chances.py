"""The negative binomial, which foretells a Poisson count from another one: the rate's own uncertainty is in it. Pure, no libraries."""

from __future__ import annotations

from math import exp, lgamma, log, log1p

#: The continued fraction below converges in far fewer steps for every count of lines that a city can have.
STEPS = 2000
TINY = 1e-300
PRECISE = 1e-14
#: Jeffreys' prior of a Poisson rate: half a count in no time.
PRIOR_COUNT = 0.5


def chance_of_at_least(wanted: int, *, seen: float, exposure: float, ahead: float) -> float:
    """Return the probability of `wanted` or more events in `ahead` units of time, after `seen` events in `exposure` units.

    The rate is not known: Jeffreys' prior and the seen events give Gamma(seen + 1/2, exposure), and the count ahead is negative
    binomial. `seen` may be fractional (events that come in batches, counted in batches). `exposure` is above 0.
    """
    if wanted <= 0:
        return 1.0
    if ahead <= 0:
        return 0.0
    return regularised_beta(wanted, seen + PRIOR_COUNT, ahead / (exposure + ahead))


def regularised_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1 (Lentz's continued fraction)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return min(1.0, max(0.0, 1.0 - front * _fraction(b, a, 1 - x) / b))
    return min(1.0, max(0.0, front * _fraction(a, b, x) / a))


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, _away_from_zero(1 - (a + b) * x / (a + 1))
    d = 1 / d
    found = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < PRECISE:
            break
    return found


def _away_from_zero(value: float) -> float:
    return TINY if abs(value) < TINY else value
