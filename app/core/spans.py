"""Prefixes as half-open spans of integers: what is taken in a VRF, what is free in a pool. Pure and near-linear.

A prefix list is sorted once; what is free in a pool is then found by one bisection and a walk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network
from itertools import accumulate

from app.core.ipplan import Allocation, Plan, Pool


@dataclass(frozen=True, slots=True)
class TakenSpans:
    """The taken part of one VRF: spans [start, end) by ascending start; `ends` never falls (running maximum)."""

    starts: Sequence[int] = ()
    ends: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """How full a pool is, counted in prefixes of its own length; `held` and `quarantined` count ledger rows of any length.

    `free` is how many more holders it has room for; `reserved` what is kept for the growth of others or by hand.
    """

    pool: Pool
    capacity: int
    held: int
    quarantined: int
    free: int
    reserved: int = 0

    @property
    def nearly_full(self) -> bool:
        """Tell whether less than a tenth is left to hand out."""
        return not self.pool.retired and 10 * self.free < self.free + self.held + self.quarantined


def span(prefix: IPv4Network) -> tuple[int, int]:
    """Return the prefix as a half-open interval of integers."""
    start = int(prefix.network_address)
    return start, start + (1 << (32 - prefix.prefixlen))


def ledger_order(row: Allocation) -> tuple[str, int, int, str, date]:
    """Sort key of the ledger: by VRF, then by address, then what tells rows of one prefix apart."""
    return row.vrf, int(row.prefix.network_address), row.prefix.prefixlen, row.holder, row.released_on or date.max


def in_order(rows: Iterable[Allocation]) -> tuple[Allocation, ...]:
    return tuple(sorted(rows, key=ledger_order))


def capacity(pool: Pool) -> int:
    """Return how many prefixes of its length the pool has room for when empty."""
    return 1 << max(0, pool.length - pool.prefix.prefixlen)


def taken_spans(pairs: Iterable[tuple[int, int]]) -> TakenSpans:
    """Return spans in any order, overlapping or not, as what is taken."""
    ordered = sorted(pairs)
    return TakenSpans([start for start, _ in ordered], list(accumulate((end for _, end in ordered), max)))


def taken_by_vrf(rows: Iterable[Allocation]) -> dict[str, TakenSpans]:
    """Return what rows of the ledger take in each VRF."""
    by_vrf: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        by_vrf[row.vrf].append(span(row.prefix))
    return {vrf: taken_spans(pairs) for vrf, pairs in by_vrf.items()}


def taken_by_pool(plan: Plan, rows: Iterable[Allocation], *, reservations: bool = True) -> dict[str, TakenSpans]:
    """Return for each pool what is taken in its VRF: rows, and with `reservations` what is reserved by hand.

    A growth reserve needs no span of its own: while it lasts, whole blocks are cut, and none that is taken in part is free.
    """
    kept = plan.reservations if reservations else ()
    by_vrf: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        by_vrf[row.vrf].append(span(row.prefix))
    for one in kept:
        by_vrf[one.vrf].append(span(one.prefix))
    taken = {vrf: taken_spans(pairs) for vrf, pairs in by_vrf.items()}
    return {pool.name: taken.get(pool.vrf, TakenSpans()) for pool in plan.pools}


def free_gaps(prefix: IPv4Network, taken: TakenSpans) -> Iterator[tuple[int, int]]:
    """Yield the free spans [start, end) of a prefix, ascending."""
    cursor, limit = span(prefix)
    for index in range(bisect_right(taken.ends, cursor), len(taken.starts)):
        start = taken.starts[index]
        if start >= limit:
            break
        if start > cursor:
            yield cursor, start
        cursor = taken.ends[index]
    if cursor < limit:
        yield cursor, limit


def free_ranges(prefix: IPv4Network, length: int, taken: TakenSpans) -> Iterator[range]:
    """Yield the starts of the free, aligned prefixes of this length, ascending."""
    size = 1 << (32 - length)
    for low, high in free_gaps(prefix, taken):
        yield range(-(-low // size) * size, high - size + 1, size)


def free_starts(prefix: IPv4Network, length: int, taken: TakenSpans) -> Iterator[int]:
    for starts in free_ranges(prefix, length, taken):
        yield from starts


def free_count(prefix: IPv4Network, length: int, taken: TakenSpans) -> int:
    return sum(len(starts) for starts in free_ranges(prefix, length, taken))
