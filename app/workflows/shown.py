"""What was shown before, device by device: a later run pushes that and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.errors import CommitRefused
from app.workflows.diff import DeviceRow


@dataclass(frozen=True, slots=True)
class Shown:
    """One device as it was shown: the digest of what it ran, and the lines of its patch in order, indented by their depth."""

    digest: str
    lines: tuple[str, ...]


def lines_of(row: DeviceRow) -> tuple[str, ...]:
    """Return the lines of a row's patch, indented by their depth."""
    return tuple(f"{' ' * command.level}{command.text}" for command in row.commands)


def require_as_shown(row: DeviceRow, shown: Mapping[str, Shown]) -> None:
    """Return only where a device runs what it ran when it was shown, and its patch is the one that was shown.

    A device that needs no change any more passes: nothing is pushed to it.

    Raises:
        CommitRefused: it was not shown, somebody changed it since, or its intended text is another one.
    """
    if not row.commands:
        return
    before = shown.get(row.device)
    if before is None:
        raise _refused(row, "a patch that was shown", "a device that was not read when it was shown")
    if before.digest != row.digest:
        raise _refused(row, "the configuration that it ran when it was shown", "another one: somebody changed it since, or a run broke off")
    if before.lines != lines_of(row):
        raise _refused(row, "the patch that was shown", "another one: inventory, plan or templates changed since")


def _refused(row: DeviceRow, expected: str, found: str) -> CommitRefused:
    step = "Nothing was pushed. Show it again (deploy --record FILE without --commit), read it, then commit that."
    return CommitRefused(row.device, "compare with what was shown", expected=expected, found=found, next_step=step)
