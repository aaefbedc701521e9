"""Patch logic that the rule files name: how a changed line or block becomes commands.

Each function is annet's `%logic`: it takes the rule, its key and the differences, and yields (direct, row, children).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from annet.rulebook import common
from annet.types import Op

from app.core.schedules import SCHEDULED

Step = tuple[bool, str, Any]

_PORT = re.compile(r"[A-Za-z-]*Ethernet[\d/]+$")


def remove_with_value(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Overwrite in place, but remove by the whole line: `no ip ospf network` and `undo snmp-agent sys-info version` alone are refused."""
    if diff[Op.REMOVED] and not diff[Op.ADDED]:
        yield False, f"{rule['reverse'].split()[0]} {diff[Op.REMOVED][0]['row']}", None
        return
    yield from common.default(rule, key, diff, **rest)


def leading_address(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Overwrite the leading address in place, and give and take the others by their whole line: none leads and stands beside at once."""
    for line in diff[Op.REMOVED]:
        if _is_beside(line["row"]):
            yield False, f"{rule['reverse'].split()[0]} {line['row']}", None
    yield from common.default(rule, key, {op: [one for one in lines if not _is_beside(one["row"])] for op, lines in diff.items()}, **rest)
    for line in diff[Op.ADDED]:
        if _is_beside(line["row"]):
            yield True, line["row"], None


def _is_beside(row: str) -> bool:
    return row.endswith((" sub", " secondary"))


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


def ports_stay(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Take the lines of a port back one by one, as no port can be deleted; remove any other interface as a whole."""
    logic = common.permanent if _PORT.match(key[0]) else common.default
    yield from logic(rule, key, diff, **rest)


def undo_without_value(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Take a line with one value back by its words alone."""
    if diff[Op.REMOVED] and not diff[Op.ADDED]:
        yield False, rule["reverse"].removesuffix(" {}"), None
        return
    yield from common.default(rule, key, diff, **rest)


def undo_filter(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Remove the filter of an OSPF area by its direction alone, as Comware takes it."""
    if diff[Op.REMOVED] and not diff[Op.ADDED]:
        yield False, f"undo filter {diff[Op.REMOVED][0]['row'].rsplit(' ', 1)[-1]}", None
        return
    yield from common.default(rule, key, diff, **rest)


def row_by_row(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Change a prefix list by its numbered rows: a row that stays in number is overwritten, one that is gone is removed by its number.

    annet's own rule holds the list open by a row whose number no AR and no MSR takes.
    """
    kept = {_numbered(line["row"]) for line in (*diff[Op.ADDED], *diff[Op.UNCHANGED])}
    for line in diff[Op.REMOVED]:
        if _numbered(line["row"]) not in kept:
            yield False, f"undo {_numbered(line['row'])}", None
    for line in diff[Op.ADDED]:
        yield True, line["row"], None


def _numbered(row: str) -> str:
    """Return a row of a prefix list up to its number."""
    return row.partition(" permit ")[0].partition(" deny ")[0]


def rewrite_scheduled(rule: dict[str, Any], key: tuple[str, ...], diff: dict[str, list[dict[str, Any]]], **rest: Any) -> Iterator[Step]:
    """Stop a probe, remove it, write it whole and start it again; any of these steps alone where only it is wanted."""
    words = "ip sla schedule" if rule["reverse"].startswith("no ") else "nqa schedule"
    undo = "no" if rule["reverse"].startswith("no ") else "undo"
    name = " ".join(key)
    for changes in (diff[Op.REMOVED], diff[Op.AFFECTED]):
        for block in changes:
            if _takes_schedule(block["children"], (Op.REMOVED, Op.UNCHANGED)):
                yield False, f"{undo} {words} {name}", None
            yield False, rule["reverse"].format(*key), None
    for changes in (diff[Op.AFFECTED], diff[Op.ADDED]):
        for block in changes:
            schedule = _takes_schedule(block["children"], (Op.ADDED, Op.UNCHANGED), take=True)
            yield True, block["row"], _as_added(block["children"])
            if schedule:
                yield True, f"{words} {name} {schedule}", None


def _takes_schedule(children: dict[str, Any], ops: tuple[Any, ...], *, take: bool = False) -> str:
    """Return the schedule that stands in a block by these operations; `take` removes every schedule from it."""
    found = ""
    for rule in children.values():
        for changes in rule["items"].values():
            for op in list(changes):
                for line in list(changes[op]):
                    if not line["row"].startswith(SCHEDULED):
                        continue
                    if op in ops:
                        found = line["row"].removeprefix(SCHEDULED)
                    if take:
                        changes[op].remove(line)
    return found


def _as_added(children: dict[str, Any]) -> dict[str, Any]:
    """Return the block with every intended line as an addition, at every depth, and nothing to take away."""
    for rule in children.values():
        for changes in rule["items"].values():
            changes[Op.ADDED] = [*changes[Op.UNCHANGED], *changes[Op.ADDED], *changes[Op.AFFECTED]]
            changes[Op.REMOVED], changes[Op.UNCHANGED], changes[Op.AFFECTED] = [], [], []
            for line in changes[Op.ADDED]:
                _as_added(line["children"])
    return children
