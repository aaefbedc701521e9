"""Probes that cannot be edited while they run: their schedule is a line of its own at the top, and belongs to their block. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: How a family schedules a probe, and the block that the probe stands in: a probe that runs cannot be edited.
SCHEDULES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "h3c_msr": (re.compile(r"^nqa schedule (\S+ \S+) (.*)$"), "nqa entry {0}"),
    "cisco_ios": (re.compile(r"^ip sla schedule (\S+) (.*)$"), "ip sla {0}"),
}
SCHEDULED = "@schedule "


def folded(family: str, tree: dict[str, Any]) -> dict[str, Any]:
    """Return the tree with each probe's schedule put into its block, so that both change together."""
    if family not in SCHEDULES:
        return tree
    pattern, block = SCHEDULES[family]
    kept = {row: dict(children) for row, children in tree.items() if not pattern.match(row)}
    for row in tree:
        if found := pattern.match(row):
            kept.setdefault(block.format(found[1]), {})[SCHEDULED + found[2]] = {}
    return kept
