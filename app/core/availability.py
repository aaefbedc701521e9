"""How much of the time an accepted line was up (DZ-2). Pure: samples in, a verdict out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.acceptance import FAIL, NOT_PROVEN, PASS, LineSample
from app.core.order import AvailabilityDuty, Criterion
from app.core.trial import observe_trial


@dataclass(frozen=True, slots=True)
class Availability:
    """`share` of the measured time that the line was up, 0..1, None where nothing was measured; `coverage` of `since` … `until`."""

    line_id: str
    since: datetime
    until: datetime
    share: float | None
    coverage: float
    down: timedelta
    verdict: str


def observe_availability(
    line_id: str, accepted_at: datetime, samples: Sequence[LineSample], duty: AvailabilityDuty, now: datetime, longest_gap: timedelta
) -> Availability:
    """Judge the window up to `now`, or the time since acceptance where that is shorter.

    Time that nobody measured counts for neither side; with less than the duty's coverage nothing is proven, save that a
    line which was down for longer than the whole window allows has failed whatever the rest was.
    """
    since = max(accepted_at, now - duty.window)
    length = now - since
    seen = observe_trial(samples, Criterion("availability", True, window=length), now, longest_gap) if length else None
    measured = seen.up + seen.down if seen else timedelta(0)
    down = seen.down if seen else timedelta(0)
    coverage = measured / length if length else 0.0
    share = seen.up_share if seen else None
    return Availability(line_id, since, now, share, coverage, down, _verdict(duty, share, coverage, down))


def _verdict(duty: AvailabilityDuty, share: float | None, coverage: float, down: timedelta) -> str:
    if down > duty.window * (1 - duty.share):
        return FAIL
    if share is None or coverage < duty.coverage:
        return NOT_PROVEN
    return PASS if share >= duty.share else FAIL
