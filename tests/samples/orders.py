"""The five workspaces, read once, and what tests need to play a rollout on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from app.core.acceptance import PASS, Acceptance, LineSample, LineStatus
from app.core.events import UnitEvent
from app.core.inventory import Line
from app.core.workspace import Workspace
from app.edge.files import read_workspace

ROOT = Path(__file__).parents[2]
BAZHONG, BARKOL, SHANGRAO, SHAOXING, DAZHOU = (
    ROOT,
    *(ROOT / "examples" / name for name in ("barkol-2013", "shangrao-2012", "shaoxing-2012", "dazhou-2008")),
)


@cache
def read(root: Path) -> Workspace:
    return read_workspace(root)[0]


def civil(workspace: Workspace, year: int, month: int, day: int, hour: int = 0) -> datetime:
    """Return a moment on the order's clock."""
    return datetime(year, month, day, hour, tzinfo=workspace.order.timezone)


def accepted(line_ids: Iterable[str], at: datetime) -> dict[str, Acceptance]:
    return {line_id: Acceptance(line_id, at, PASS, (), None, None, True) for line_id in line_ids}


def up(line_id: str, at: datetime) -> LineStatus:
    return LineStatus(LineSample(line_id, at, "up", "both ports are up", None, None, None), at)


def report(subject: str, event: str, at: datetime, *, amount: float | None = None, document: str = "登记表") -> UnitEvent:
    return UnitEvent(subject, event, at, at + timedelta(hours=1), "公文交换员", document, amount)


def with_line(workspace: Workspace, line_id: str, **changes: object) -> Workspace:
    """Return the workspace with one line changed."""
    lines: Mapping[str, Line] = workspace.inventory.lines
    changed = dict(lines) | {line_id: replace(lines[line_id], **changes)}  # type: ignore[arg-type]  # fields by name
    return replace(workspace, inventory=replace(workspace.inventory, lines=changed))


def lines_to(workspace: Workspace, *, level: str, kind: str = "") -> list[str]:
    """Return the primary lines to units of a level, and of a kind where one is named."""
    units = workspace.inventory.units
    return [
        line.line_id
        for line in workspace.inventory.lines.values()
        if line.role == "primary" and units[line.unit_id].level == level and kind in ("", units[line.unit_id].kind)
    ]
