"""Read a scenario file and judge it whole: every finding at once, each with file:line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from zoneinfo import ZoneInfo

from app.core.references import nearest
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.files.explain import parse_block
from app.edge.files.marked import Marked, read_marked
from app.errors import Finding, InputError
from lab.scenario.schema import DefectBlock, FaultBlock, ScenarioBlock
from lab.scenario.values import Defect, Fault, Opening, Polling, Scenario

#: What each kind of fault needs beside its moments.
NEEDS = {"cut": ("line",), "flap": ("line", "every", "down"), "errors": ("line", "per_hour"), "power": ("device",)}


def read_scenario(path: Path) -> tuple[Scenario, Workspace]:
    """Return the scenario and the workspace that it plays.

    Raises:
        InputError: the file or its workspace cannot be used; it holds every finding.
    """
    findings: list[Finding] = []
    marked = read_marked(path, path.parent, findings.append)
    block = None if marked is None else parse_block(ScenarioBlock, marked, findings.append, called="scenario")
    if block is None or marked is None or findings:
        raise InputError(findings)
    root = path.parent / block.workspace
    if not (root / "inventory").is_dir():
        step = "Mend the path; it counts from this file's directory."
        raise InputError([Finding(marked.where(("workspace",)), "workspace", "a directory with inventory/", f"nothing at {root}", step)])
    workspace, _ = read_workspace(root)
    findings += _find_faults(block, workspace, marked)
    if findings:
        raise InputError(findings)
    return _value(block, workspace, root), workspace


def match_lines(globs: Sequence[str], known: Sequence[str] | Mapping[str, object]) -> list[str]:
    """Return the line ids that any of the globs matches, in the inventory's order."""
    return [line_id for line_id in known if any(fnmatchcase(line_id, glob) for glob in globs)]


def _find_faults(block: ScenarioBlock, workspace: Workspace, marked: Marked) -> Iterator[Finding]:
    """Yield what does not fit the workspace, or contradicts itself."""
    inventory, order = workspace.inventory, workspace.order
    yield from _find_order(marked, ("present_at",), "present_at", block.begins_at, block.present_at)
    used = {line.carrier for line in inventory.lines.values()}
    for name, pace in block.carriers.items():
        if name not in used:
            yield _unknown(marked.where(("carriers", name)), "carrier", name, sorted(used))
        yield from _find_order(marked, ("carriers", name, "opens_until"), "opens_until", pace.opens_from, pace.opens_until)
    for name in sorted(used - set(block.carriers)):
        step = "Say from when to when it opens its lines."
        yield Finding(marked.where(("carriers",)), f"carrier {name} has no pace", "opens_from and opens_until", "nothing", step)
    globs = [(("openings", number, "lines"), each.lines) for number, each in enumerate(block.openings)]
    globs += [(("defects", number, "lines"), each.lines) for number, each in enumerate(block.defects)]
    for place, wanted in globs:
        for glob in wanted:
            if not match_lines([glob], inventory.lines):
                yield _unknown(marked.where(place), "line id or glob", glob, list(inventory.lines))
    for number, defect in enumerate(block.defects):
        yield from _find_defect(defect, marked.where(("defects", number)))
    for number, fault in enumerate(block.faults):
        yield from _find_fault(fault, number, workspace, marked)
    milestones = [milestone.milestone_id for milestone in order.milestones]
    for name in block.expected:
        if name not in milestones:
            yield _unknown(marked.where(("expected", name)), "milestone", name, milestones)


def _find_defect(defect: DefectBlock, where: str) -> Iterator[Finding]:
    if defect.kind in ("slow", "lossy") and not 0 < defect.amount <= 1:
        words = "share of the rate that is left" if defect.kind == "slow" else "share of packets lost"
        expected = f"amount, the {words}, above 0 and up to 1"
        yield Finding(where, f"defect {defect.kind}", expected, f"{defect.amount:g}", "Correct `amount`.")
    if defect.kind == "errors" and defect.amount <= 0:
        yield Finding(where, "defect errors", "amount, errors an hour, above 0", f"{defect.amount:g}", "Correct `amount`.")


def _find_fault(fault: FaultBlock, number: int, workspace: Workspace, marked: Marked) -> Iterator[Finding]:
    where = marked.where(("faults", number))
    missing = [name for name in NEEDS.get(fault.kind, ()) if not getattr(fault, name)]
    for name in missing:
        yield Finding(where, f"fault {fault.kind}", f"`{name}`", "nothing", f"Give `{name}` a value.")
    inventory = workspace.inventory
    if fault.line is not None and fault.line not in inventory.lines:
        yield _unknown(marked.where(("faults", number, "line")), "line id", fault.line, list(inventory.lines))
    if fault.device is not None and fault.device not in inventory.devices:
        yield _unknown(marked.where(("faults", number, "device")), "device", fault.device, list(inventory.devices))
    if fault.ends_at is not None:
        yield from _find_order(marked, ("faults", number, "ends_at"), "ends_at", fault.begins_at, fault.ends_at)
    if fault.kind == "flap" and fault.every and fault.down and fault.down >= fault.every:
        found = f"{fault.down} of every {fault.every}"
        yield Finding(where, "fault flap", "`down` shorter than `every`", found, "A line that is never up in between is cut.")


def _find_order(marked: Marked, path: tuple[str | int, ...], name: str, earlier: datetime, later: datetime) -> Iterator[Finding]:
    if later <= earlier:
        expected = f"a moment after {earlier:%Y-%m-%d %H:%M}"
        yield Finding(marked.where(path), f"`{name}` comes too early", expected, f"{later:%Y-%m-%d %H:%M}", "Correct one of the two.")


def _unknown(where: str, what: str, found: str, known: Sequence[str]) -> Finding:
    return Finding(where, f"unknown {what}", "one of the workspace's", found, nearest(found, known, "Correct or remove it."))


def _value(block: ScenarioBlock, workspace: Workspace, root: Path) -> Scenario:
    zone = workspace.order.timezone
    return Scenario(
        title=block.title,
        title_en=block.title_en,
        workspace=root,
        seed=block.seed,
        begins_at=_aware(block.begins_at, zone),
        present_at=_aware(block.present_at, zone),
        judged_at=block.judged_at,
        polling=Polling(block.polling.every, block.polling.final_every, block.polling.final_span),
        carriers={name: (_aware(pace.opens_from, zone), _aware(pace.opens_until, zone)) for name, pace in block.carriers.items()},
        openings=tuple(Opening(each.lines, _aware_or_none(each.at, zone)) for each in block.openings),
        defects=tuple(Defect(each.lines, each.kind, each.amount, _aware_or_none(each.mended_at, zone)) for each in block.defects),
        faults=tuple(_fault(each, zone) for each in block.faults),
        expected=block.expected,
    )


def _fault(block: FaultBlock, zone: ZoneInfo) -> Fault:
    begins_at, ends_at = _aware(block.begins_at, zone), _aware_or_none(block.ends_at, zone)
    return Fault(block.kind, begins_at, ends_at, block.line, block.device, block.every, block.down, block.per_hour)


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone)


def _aware_or_none(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if moment is None else _aware(moment, zone)
