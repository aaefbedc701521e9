"""A scenario as values: when carriers open lines, what goes wrong, which moment is shown. Read from lab/scenarios/*.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal

#: What a carrier may deliver badly; the amount is a share lost (lossy), of the rate that is left (slow), or errors an hour.
DefectKind = Literal["slow", "lossy", "errors", "reserved_unwired"]
#: What may happen to a line (cut, flap, errors), a device (power) or the poller (stops asking, or hears nobody).
FaultKind = Literal["cut", "flap", "errors", "power", "poller_stopped", "poller_cut_off"]


@dataclass(frozen=True, slots=True)
class Polling:
    """How often devices are asked: `every`, and `final_every` during the last `final_span` before the moment that is shown."""

    every: timedelta
    final_every: timedelta
    final_span: timedelta


@dataclass(frozen=True, slots=True)
class Opening:
    """Lines that do not follow their carrier's pace: opened at a moment of their own, or not at all (None)."""

    lines: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Defect:
    """Lines that are delivered badly, and when the carrier mends them (None: not yet)."""

    lines: tuple[str, ...]
    kind: DefectKind
    amount: float
    mended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens from `begins_at` to `ends_at` (None: it lasts). `every` and `down` belong to flap."""

    kind: FaultKind
    begins_at: datetime
    ends_at: datetime | None
    line: str | None = None
    device: str | None = None
    every: timedelta | None = None
    down: timedelta | None = None
    per_hour: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole rollout. `carriers`: from when to when each opens its lines. `expected`: milestone → its state at the end."""

    title: str
    title_en: str
    workspace: Path
    seed: int
    begins_at: datetime
    present_at: datetime
    judged_at: time
    polling: Polling
    carriers: Mapping[str, tuple[datetime, datetime]]
    openings: tuple[Opening, ...]
    defects: tuple[Defect, ...]
    faults: tuple[Fault, ...]
    expected: Mapping[str, str]
