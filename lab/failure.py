"""One way to write what went wrong with the lab."""

from __future__ import annotations

from app.errors import LabError


def lab_error(where: str, what: str, *, expected: str, found: str, next_step: str) -> LabError:
    """Return a LabError in the four parts that every message has."""
    return LabError(f"{where}: {what}: expected {expected}; found {found}. {next_step}")
