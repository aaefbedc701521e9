"""What is observed, measured and decided of lines, as values; `app.core.judging` judges them. A verdict is pass, fail or not proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

PASS, FAIL, NOT_PROVEN = "pass", "fail", "not_proven"
#: States of a line as observed. `unreachable`: nobody could look (a dead parent, or nothing answers); `unknown`: never looked.
LineState = Literal["up", "down", "unreachable", "unknown"]
LINE_STATES: tuple[LineState, ...] = get_args(LineState)


@dataclass(frozen=True, slots=True)
class PortSample:
    """One port at one poll; None means: not known.

    Octets and errors are cumulative (IF-MIB, RFC 2863); `counter_bits` 64 or 32. `in_bps` and `out_bps` are bit/s
    since the sample before, None after a gap (restart, discontinuity, first sample).
    """

    device: str
    interface: str
    at: datetime
    oper_up: bool | None
    admin_up: bool | None
    speed_mbps: int | None
    alias: str | None
    in_octets: int | None
    out_octets: int | None
    counter_bits: int
    in_errors: int | None
    out_errors: int | None
    in_bps: float | None = None
    out_bps: float | None = None
    uptime_ticks: int | None = None
    discontinuity: int | None = None


@dataclass(frozen=True, slots=True)
class LineSample:
    """One line at one poll: its state, the reason in words, the dead parent line it is `behind`, and its ports where seen."""

    line_id: str
    at: datetime
    state: str
    reason: str
    behind: str | None
    a: PortSample | None
    z: PortSample | None
    reserved_a: PortSample | None = None
    reserved_z: PortSample | None = None


#: The ports of a line sample, by the names of their fields.
PORT_PLACES = ("a", "z", "reserved_a", "reserved_z")


@dataclass(frozen=True, slots=True)
class LineStatus:
    """The newest sample of a line and since when it has been in that state."""

    sample: LineSample
    since: datetime


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a line's state, as seen at `observed_at` and written down at `recorded_at`."""

    line_id: str
    observed_at: datetime
    recorded_at: datetime
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """One active test. `kind` is that of the criterion it serves; `value` in `unit`, None when it could not be measured.

    Units by kind: reachable_from_centre, reaches_services: loss ratio 0..1 ("ratio"); rate_down, rate_up: "kbps" with
    layer and overhead named in `method`; reserved_port: 1.0 or 0.0 ("proven"); delay, jitter, probe_delay, probe_jitter: "ms";
    step_loss, probe_loss: "ratio"; port_speed: "Mbit/s"; duplex: 1.0 full, 0.0 half ("full"); rx_power: "dBm";
    sync_rate_down, sync_rate_up: "kbps"; snr_margin, attenuation: "dB". `detail` is JSON-able raw evidence; its `recorded_at` says
    when a result that was taken with an instrument came in, any other is recorded as it is measured.
    """

    line_id: str
    kind: str
    at: datetime
    value: float | None
    unit: str
    method: str
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def recorded_at(self) -> datetime:
        stamp = self.detail.get("recorded_at")
        return datetime.fromisoformat(stamp) if isinstance(stamp, str) else self.at


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """The verdict on one criterion: what was wanted, what was found, from which evidence."""

    kind: str
    required: bool
    verdict: str
    expected: str
    found: str
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A decision on a line. `milestone` and `due_at` say against which deadline; `on_time` is None while not accepted."""

    line_id: str
    decided_at: datetime
    verdict: str
    results: tuple[CriterionResult, ...]
    milestone: str | None
    due_at: datetime | None
    on_time: bool | None
