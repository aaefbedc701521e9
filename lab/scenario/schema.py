"""What a scenario file may say. Moments are civil time in the order's zone: `2008-06-11 14:30`."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated

from pydantic import BeforeValidator, Field

from app.core.milestone_view import MilestoneState
from app.edge.files.explain import wanted
from app.edge.files.order_schema import Block, Span, Text, Whole
from lab.scenario.values import DefectKind, FaultKind


def _moment(value: object) -> datetime:
    try:
        if isinstance(value, str) and len(value) == 16:
            return datetime.strptime(value, "%Y-%m-%d %H:%M")  # noqa: DTZ007  # the order's zone is added when it is known
    except ValueError:
        pass
    raise wanted("a moment such as 2008-06-11 14:30")


def _clock(value: object) -> time:
    try:
        if isinstance(value, str) and len(value) == 5:
            return time.fromisoformat(value)
    except ValueError:
        pass
    raise wanted('a time of day in quotes, such as "20:00"')


#: Naive: civil time of the order's zone.
Moment = Annotated[datetime, BeforeValidator(_moment)]
Clock = Annotated[time, BeforeValidator(_clock)]
Globs = Annotated[tuple[Text, ...], Field(min_length=1)]


class PollingBlock(Block):
    every: Span
    final_every: Span
    final_span: Span


class CarrierBlock(Block):
    opens_from: Moment
    opens_until: Moment


class OpeningBlock(Block):
    lines: Globs
    at: Moment | None = None


class DefectBlock(Block):
    lines: Globs
    kind: DefectKind
    amount: Annotated[float, Field(ge=0)] = 0.0
    mended_at: Moment | None = None


class FaultBlock(Block):
    kind: FaultKind
    begins_at: Moment
    ends_at: Moment | None = None
    line: Text | None = None
    device: Text | None = None
    every: Span | None = None
    down: Span | None = None
    per_hour: Annotated[float, Field(ge=0)] = 0.0


class ScenarioBlock(Block):
    title: Text
    title_en: Text
    workspace: Text
    seed: Whole
    begins_at: Moment
    present_at: Moment
    judged_at: Clock
    polling: PollingBlock
    carriers: Annotated[dict[Text, CarrierBlock], Field(min_length=1)]
    openings: tuple[OpeningBlock, ...] = ()
    defects: tuple[DefectBlock, ...] = ()
    faults: tuple[FaultBlock, ...] = ()
    expected: dict[Text, MilestoneState] = Field(default_factory=dict)
