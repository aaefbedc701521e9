"""What a poll cycle, and a look between two of them, saw and wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.core.acceptance import LineSample, Transition
from app.core.linestate import DeviceState
from app.errors import ExitCode, Finding


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one cycle saw and wrote. `findings` are oddities that decide nothing: a wrong description, a missing interface."""

    started_at: datetime
    finished_at: datetime
    devices: tuple[DeviceState, ...]
    lines: tuple[LineSample, ...]
    transitions: tuple[Transition, ...]
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> ExitCode:
        """NOTHING_MEASURED when nothing answered, DEVICE when some device did not, else OK."""
        answered = sum(device.answer == "answered" for device in self.devices)
        if not answered:
            return ExitCode.NOTHING_MEASURED
        return ExitCode.OK if answered == len(self.devices) else ExitCode.DEVICE

    def rows(self) -> tuple[PollRow, ...]:
        """Return the lines as a table, in the inventory's order."""
        return tuple(_row(sample) for sample in self.lines)


@dataclass(frozen=True, slots=True)
class LookReport:
    """What a look between cycles saw and wrote: the lines that it could decide.

    `unsettled`: some device answers now and did not in the last cycle, or the other way round. More than its own lines may
    have changed: a full cycle is due.
    """

    at: datetime
    lines: tuple[LineSample, ...]
    transitions: tuple[Transition, ...]
    unsettled: bool


@dataclass(frozen=True, slots=True)
class PollRow:
    """One line of the table of `waiwang poll`. Rates in bit/s seen from the centre, down = towards the unit; errors as counted."""

    line_id: str
    state: str
    reason: str
    behind: str | None
    down_bps: float | None
    up_bps: float | None
    in_errors: int | None
    out_errors: int | None


def _row(sample: LineSample) -> PollRow:
    a = sample.a
    rates = (a.out_bps, a.in_bps, a.in_errors, a.out_errors) if a is not None else (None, None, None, None)
    return PollRow(sample.line_id, sample.state, sample.reason, sample.behind, *rates)
