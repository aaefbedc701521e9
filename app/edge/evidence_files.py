"""What devices showed of their neighbours and routes, saved as text beside their configurations: NAME.arp, NAME.lldp, NAME.routes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.core.separation import KINDS


def read_evidence(folder: Path, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return by device the tables that the folder holds; what is missing, empty or no UTF-8 is left out: it proves nothing."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        for kind in KINDS:
            try:
                text = (folder / f"{name}.{kind}").read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            if text.strip():
                found.setdefault(name, {})[kind] = text
    return found
