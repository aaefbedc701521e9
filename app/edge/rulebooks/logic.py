"""Patch logic that the rule files name: how a changed line or block becomes commands.

Each function is annet's `%logic`: it takes the rule, its key and the differences, and yields (direct, row, children).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from annet.rulebook import common
from annet.types import Op

Step = tuple[bool, str, Any]


def remove_with_value(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Overwrite in place, but remove by the whole line: `no ip ospf network` alone is refused."""
    if diff[Op.REMOVED] and not diff[Op.ADDED]:
        yield False, f"no {diff[Op.REMOVED][0]['row']}", None
        return
    yield from common.default(rule, key, diff, **rest)


def undo_and_rewrite(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Remove a block that cannot be edited while it runs (NQA), and write it whole."""
    if diff[Op.AFFECTED]:
        block = diff[Op.AFFECTED][0]
        yield False, rule["reverse"].format(*key), None
        yield True, block["row"], _as_added(block["children"])
        return
    yield from common.default(rule, key, diff, **rest)


def undo_qos_car(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Remove a policer of VRP8, whose direction stands last in the configuration and alone in the undo."""
    if diff[Op.REMOVED] and not diff[Op.ADDED]:
        yield False, f"undo qos car {diff[Op.REMOVED][0]['row'].rsplit(' ', 1)[-1]}", None
        return
    yield from common.default(rule, key, diff, **rest)


def _as_added(children: dict[str, Any]) -> dict[str, Any]:
    for rule in children.values():
        for changes in rule["items"].values():
            changes[Op.ADDED] = [*changes[Op.UNCHANGED], *changes[Op.ADDED], *changes[Op.AFFECTED]]
            changes[Op.REMOVED], changes[Op.UNCHANGED], changes[Op.AFFECTED] = [], [], []
    return children
