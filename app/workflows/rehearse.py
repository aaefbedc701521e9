"""A copy of a workspace whose dates are moved so that today lies inside the rollout. It says of itself that they were."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import yaml

from app.core.milestone import Milestone
from app.core.order import Order
from app.core.workspace import Workspace

#: How many days the lines' deadline lies ahead in a rehearsal.
DAYS_AHEAD = 20
COPIED = ("inventory", "ipplan", "templates", "nornir_config.yaml")


def move_days(order: Order, today: date) -> int:
    """Return by how many days to move every date, so that the first deadline for lines is `DAYS_AHEAD` days from today."""
    due = min((m.due_on for m in order.milestones if m.evidence == "accepted_line"), default=order.issued_on)
    return (today + timedelta(days=DAYS_AHEAD) - due).days


def rehearse(workspace: Workspace, root: Path, folder: Path, today: date, order_file: str = "order.yaml") -> int:
    """Write a copy of the workspace at `root` into `folder`, its milestones moved; return by how many days.

    `order_file`: the one of its inventory that the copy extends.
    """
    order = workspace.order
    days = move_days(order, today)
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, dirs_exist_ok=True)
        else:
            shutil.copy(source, folder / name)
    note, note_en = (order.simulation.note, order.simulation.note_en) if order.simulation else ("", "")
    told = f"演示：文件中的各项日期均顺延 {days} 天，使今天处于建设期内"
    told_en = f"Demo: every date of the order is moved by {days} days, so that today lies inside the rollout"
    moved = {
        "extends": str((root / "inventory" / order_file).resolve()),
        "simulation": {
            "note": "；".join(part for part in (note, told) if part),
            "note_en": ". ".join(part for part in (note_en, told_en) if part),
            "moved_days": days,
        },
        "milestones": {m.milestone_id: _moved(m, timedelta(days=days)) for m in order.milestones},
    }
    text = yaml.safe_dump(moved, allow_unicode=True, sort_keys=False)
    (folder / "inventory" / "order.yaml").write_text(text, encoding="utf-8")
    return days


def _moved(milestone: Milestone, by: timedelta) -> dict[str, object]:
    """Return the keys of a milestone that hold its days, and those of its changes, moved."""
    found: dict[str, object] = {"due_on": milestone.due_on + by}
    parts = {
        change.change_id: {
            side: {"due_on": part.due_on + by}
            for side, part in (("was", change.was), ("becomes", change.becomes))
            if part.due_on is not None
        }
        for change in milestone.changes
    }
    return found | {"changes": parts} if parts else found
