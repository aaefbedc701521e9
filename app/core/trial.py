"""The trial window: how long a line has to be up before it can be accepted, and what starts the window anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.acceptance import LineSample
from app.core.service_class import Criterion


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in one state; `unmeasured` where nobody looked or nobody could."""

    start: datetime
    end: datetime
    state: str

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Trial:
    """What the window shows. `began_at`: first measurement, or the end of the last outage that restarts the window."""

    began_at: datetime | None
    up: timedelta
    down: timedelta
    unmeasured: timedelta
    outages: tuple[Span, ...]

    @property
    def up_share(self) -> float | None:
        measured = self.up + self.down
        return self.up / measured if measured else None

    @property
    def coverage(self) -> float:
        whole = self.up + self.down + self.unmeasured
        return (self.up + self.down) / whole if whole else 0.0


def spans(samples: Sequence[LineSample], until: datetime, longest_gap: timedelta) -> Iterator[Span]:
    """Yield what is known between samples, in order: a sample speaks for at most `longest_gap` after it.

    A line nobody could look at (`unreachable`, `unknown`) is unmeasured: it is no proof of an outage of this line.
    """
    ends = [*(sample.at for sample in samples[1:]), until][: len(samples)]
    for sample, end in zip(samples, ends, strict=True):
        known_until = min(end, sample.at + longest_gap)
        if sample.at < known_until:
            yield Span(sample.at, known_until, sample.state if sample.state in ("up", "down") else "unmeasured")
        if known_until < end:
            yield Span(known_until, end, "unmeasured")


def joined(parts: Iterable[Span]) -> list[Span]:
    """Return the spans with neighbours of one state made one."""
    result: list[Span] = []
    for part in parts:
        if result and result[-1].state == part.state and result[-1].end == part.start:
            result[-1] = Span(result[-1].start, part.end, part.state)
        else:
            result.append(part)
    return result


def observe_trial(samples: Sequence[LineSample], criterion: Criterion, now: datetime, longest_gap: timedelta) -> Trial:
    """Return what the trial window up to `now` shows; `samples` in ascending order, from before the window if there are any.

    An outage longer than `restart_after` starts the window anew at its end.
    """
    whole = joined(spans([sample for sample in samples if sample.at <= now], now, longest_gap))
    outages = tuple(span for span in whole if span.state == "down")
    restart_after = criterion.restart_after or timedelta.max
    restarts = [span.end for span in outages if span.length > restart_after]
    measured = [span.start for span in whole if span.state != "unmeasured"]
    began = max(restarts[-1:] + measured[:1], default=None)
    window_start = max(began or now, now - (criterion.window or timedelta(0)))
    inside = [Span(max(span.start, window_start), span.end, span.state) for span in whole if span.end > window_start]
    total = {state: sum((span.length for span in inside if span.state == state), timedelta(0)) for state in ("up", "down", "unmeasured")}
    return Trial(began, total["up"], total["down"], total["unmeasured"], outages)
