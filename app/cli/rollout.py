"""What a night's rollout asks of `deploy` beside its devices: a pace, a window, what was shown, a paper for the next shift."""

from __future__ import annotations

import getpass
import json
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from nornir.core import Nornir
from nornir.core.inventory import Host

from app.cli.context import Context, now
from app.cli.lines import parse_moment, write_file, written
from app.cli.output import SCHEMA_VERSION, Table, as_csv, tell
from app.cli.plain import plain
from app.core.pacing import Pace
from app.core.shift import Shift, Visited, shift_paper
from app.core.windows import ChangeWindow, concerned_lines
from app.core.workspace import Workspace
from app.edge.database.holds import find_held
from app.errors import Finding, InputError
from app.workflows.deploy import DeployReport
from app.workflows.diff import DeviceRow
from app.workflows.rollback import find_unfinished
from app.workflows.shown import Shown, lines_of
from app.workflows.windows import read_windows

Canary = Annotated[
    int,
    typer.Option("--canary", min=0, help="change so many of each role and family first; go on if they went well"),
]
StopAfter = Annotated[
    int, typer.Option("--stop-after", min=0, help="begin no other once so many went wrong; 0: never")
]
Changes = Annotated[
    int, typer.Option("--changes", min=0, help="change at most so many devices in this run", show_default="all")
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="T", help="begin no device from then on: 05:30, or a moment"),
]
InWindow = Annotated[
    str | None, typer.Option("--window", help="change window that runs for every device; the run ends with it")
]
AtMost = Annotated[list[str] | None, typer.Option("--at-most", metavar="FACT=N", help="so many at once of one parent, carrier, region")]
ShownIn = Annotated[
    Path | None,
    typer.Option("--shown", help="record of an earlier run: push that only, where nothing changed since"),
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record", help="write it to a file, by its name: json, csv, xlsx, docx, pdf, else text"
    ),
]

#: So many devices are named at length.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options above as typed."""

    canary: int = 0
    stop_after: int = 0
    changes: int = 0
    until: str | None = None
    window: str | None = None
    at_most: tuple[str, ...] = ()
    record: Path | None = None
    language: str = "zh"
    quiet: bool = False
    wait_s: float = 0.0


NO_WISHES = Wishes()


def read_pace(wishes: Wishes, context: Context, chosen: Nornir) -> Pace:
    """Return the pace that was asked for; a window ends the run as `--until` does.

    Raises:
        InputError: a moment, a window or the record's folder cannot be used: nobody wants to learn that after the run.
    """
    if wishes.record is not None and not os.access(wishes.record.parent, os.W_OK):
        step = "Nothing was sent. Make the folder, or choose another file."
        raise InputError([Finding(str(wishes.record), "record of the run", "a folder that can be written", "none", step)])
    zone, moment = context.workspace.order.timezone, now()
    ends = [parse_until(wishes.until, zone, moment)] if wishes.until else []
    if wishes.window:
        ends.append(_running_window(context, wishes.window, chosen, moment).declared.ends_at.astimezone(zone))
    at_most = dict(_limit(term, chosen) for term in wishes.at_most)
    return Pace(wishes.canary, wishes.stop_after, wishes.changes, min(ends, default=None), at_most)


def parse_until(text: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """Return the next moment at which the order's clock shows this time of day, or the civil moment that is named.

    Raises InputError for what is neither, and for a moment that is over.
    """
    if len(text) == len("05:30") and text[2] == ":":
        today = moment.astimezone(zone).date()
        found = parse_moment("--until", f"{today.isoformat()}T{text}", zone)
        if found <= moment:
            found = parse_moment("--until", f"{(today + timedelta(days=1)).isoformat()}T{text}", zone)
        return found
    found = parse_moment("--until", text, zone)
    if found <= moment:
        step, expected = "Nothing was sent. Name a moment that is still to come.", f"a moment after {written(moment, zone)}"
        raise InputError([Finding("command line", "`--until` is over", expected, str(written(found, zone)), step)])
    return found


def _limit(term: str, chosen: Nornir) -> tuple[str, int]:
    key, _, number = term.partition("=")
    facts = {key for host in chosen.inventory.hosts.values() for key in host.keys()}  # noqa: SIM118  # a Host is no dict
    known = sorted({"parent", *facts})
    if key not in known or not number.isdecimal() or int(number) < 1:
        raise typer.BadParameter(f"expected FACT=NUMBER with one of {', '.join(known)}; found {term}", param_hint="--at-most")
    return key, int(number)


def _running_window(context: Context, window_id: str, chosen: Nornir, moment: datetime) -> ChangeWindow:
    """Return the window where it is running and concerns every chosen device."""
    zone = context.workspace.order.timezone
    windows = read_windows(context.store)
    window = next((each for each in windows if each.window_id == window_id), None)
    if window is None:
        raise _no_window("--window", "the id of a window that was announced", window_id, "See waiwang window list.")
    state = window.state(moment)
    if state != "running":
        span = f"{written(window.declared.starts_at, zone)} to {written(window.declared.ends_at, zone)}"
        raise _no_window(f"--window {window_id}", "a window that is running", f"{state} ({span})", "Wait for it, or announce another.")
    left = uncovered(context, [window], chosen)
    if left:
        found = f"{len(left)} that it does not concern: {', '.join(left[:3])}"
        step = "Choose others, or announce a window for them."
        raise _no_window(f"--window {window_id}", "devices that the window concerns", found, step)
    return window


def _no_window(where: str, expected: str, found: str, step: str) -> InputError:
    return InputError([Finding(where, "change window", expected, found, f"Nothing was sent. {step}")])


def uncovered(context: Context, windows: Iterable[ChangeWindow], chosen: Nornir) -> list[str]:
    """Return the chosen devices that none of the windows concerns: by their line, by their own name, or by their region."""
    inventory = context.workspace.inventory
    concerns = [each.declared.concern for each in windows]
    lines = {line for concern in concerns for line in concerned_lines(inventory, concern)}
    devices = {name for concern in concerns for name in concern.devices}
    regions = {code for concern in concerns for code in concern.regions}

    def is_covered(host: Host) -> bool:
        return host.get("line") in lines or host.name in devices or host.get("region") in regions

    return [name for name, host in chosen.inventory.hosts.items() if not is_covered(host)]


def warn_outside_windows(context: Context, chosen: Nornir) -> None:
    """Say on stderr where lines in service would be changed and no window was announced for it: an outage counts then."""
    store = context.store_if_any
    if store is None:
        return
    moment = now()
    accepted = {line for line, decision in store.acceptances().items() if decision.verdict == "pass"}
    running = [each for each in read_windows(store) if each.state(moment) == "running"]
    bare = [name for name in uncovered(context, running, chosen) if chosen.inventory.hosts[name].get("line") in accepted]
    if bare:
        tell(
            f"warning: {len(bare)} of these devices carry accepted lines ({', '.join(bare[:3])}) and no change window is running for them: "
            "an outage counts as one. Announce one (waiwang window add), then add --window.",
            "yellow",
        )


def tell_unfinished(context: Context, devices: Sequence[str]) -> None:
    """Say on stderr which devices an earlier run began to change and never finished: it was killed, or its machine lost power."""
    store, zone = context.store_if_any, context.workspace.order.timezone
    begun = [] if store is None else find_unfinished(store, devices)
    held = find_held(context.settings.database_url, devices) if begun else frozenset()
    unfinished = [(device, at) for device, at in begun if device not in held]
    for device, at in unfinished[:SHOWN]:
        tell(
            f"warning: {device}: a run began to change it at {written(at, zone)} and never ended: it was broken off. The difference below "
            f"is what is still missing; what is there may not be saved. waiwang rollback {device} takes it back.",
            "yellow",
        )
    if len(unfinished) > SHOWN:
        tell(f"warning: so it is with {len(unfinished) - SHOWN} more: {', '.join(name for name, _ in unfinished[SHOWN:])}", "yellow")
    if held:
        tell(f"warning: another run is changing {len(held)} of these devices now: what is shown of them is on its way", "yellow")


def read_shown(path: Path) -> dict[str, Shown]:
    """Return what a record of an earlier run shows. Raises InputError where it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        rows = document["rows"]
        return {row["device"]: Shown(row["digest"], tuple(row["patch"])) for row in rows if row["digest"]}
    except OSError as error:
        found = error.strerror or str(error)
    except (ValueError, KeyError, TypeError):
        found = "another text"
    step = "Make one: waiwang deploy --record FILE.json, without --commit."
    raise InputError([Finding(str(path), "record of a run", "JSON that waiwang deploy --record wrote", found, step)])


def write_record(
    context: Context, wishes: Wishes, words: Sequence[str], report: DeployReport, chosen: Nornir, began: datetime, pace: Pace
) -> None:
    """Write the record of a run to its file, if one was asked for."""
    if wishes.record is None:
        return
    from app.edge.office import write_report_docx, write_report_pdf, write_report_xlsx  # heavy, and rarely asked for

    shift = _shift(context, wishes, words, report, chosen, began, pace)
    paper = shift_paper(shift, wishes.language)
    columns = ("device", "region", "unit", "line", "carrier", "result", "lines", "reason")
    ids = {each.device: str(chosen.inventory.hosts[each.device].get("carrier") or "") for each in shift.devices}
    cells = [tuple(getattr(replace(each, carrier=ids[each.device]), name) for name in columns) for each in shift.devices]
    totals: Mapping[str, int | str] = dict(report.totals())
    write: dict[str, Callable[[], bytes]] = {
        ".json": lambda: _as_json(shift, report, chosen, began).encode(),
        ".csv": lambda: as_csv(Table(shift.title, columns, cells, totals)).encode(),
        ".xlsx": partial(write_report_xlsx, paper),
        ".docx": partial(write_report_docx, paper),
        ".pdf": partial(write_report_pdf, context.settings.root, paper),
    }
    content = write.get(wishes.record.suffix.lower(), lambda: plain(paper).encode())()
    write_file(wishes.record, content)
    tell(f"{wishes.record}: {len(content)} bytes")


def _shift(
    context: Context, wishes: Wishes, words: Sequence[str], report: DeployReport, chosen: Nornir, began: datetime, pace: Pace
) -> Shift:
    zone, simulation = context.workspace.order.timezone, context.workspace.order.simulation
    zh = wishes.language == "zh"
    began_at, ended_at = written(began, zone) or "", written(now(), zone) or ""
    verb = words[0] if words else "deploy"
    title = {"deploy": "配置下发交接单", "rollback": "配置退回交接单"}.get(verb, verb) if zh else f"Hand-over of a run: {verb}"
    hosts = chosen.inventory.hosts
    note = "" if simulation is None else simulation.note if zh else simulation.note_en
    return Shift(
        title,
        getpass.getuser(),
        began_at,
        ended_at,
        f"waiwang {shlex.join(words)}",
        f"waiwang rollback --since {began.astimezone(zone).replace(tzinfo=None).isoformat(timespec='seconds')}",
        report.committed,
        tuple(_conditions(pace, zh=zh)),
        note,
        tuple(_visited(context.workspace, row, hosts[row.device], zh=zh) for row in report.rows),
    )


def _conditions(pace: Pace, *, zh: bool) -> Iterable[str]:
    if pace.canary:
        yield f"每类先试 {pace.canary} 台" if zh else f"{pace.canary} of every kind first"
    if pace.stop_after:
        yield f"出错 {pace.stop_after} 台即停" if zh else f"stop after {pace.stop_after} went wrong"
    if pace.changes:
        yield f"最多改 {pace.changes} 台" if zh else f"at most {pace.changes} changed"
    if pace.until is not None:
        yield f"{pace.until:%Y-%m-%d %H:%M} 后不再开始新设备" if zh else f"no device begun from {pace.until:%Y-%m-%d %H:%M} on"
    for key, number in pace.at_most.items():
        yield f"同一 {key} 同时最多 {number} 台" if zh else f"at most {number} at once of one {key}"


def _visited(workspace: Workspace, row: DeviceRow, host: Host, *, zh: bool) -> Visited:
    """Return what became of a device, with the names of its region, unit and carrier in the language of the record."""
    inventory, line = workspace.inventory, str(host.get("line") or "")
    region, unit = inventory.regions[str(host["region"])], inventory.units.get(str(host.get("unit") or ""))
    carrier = workspace.order.carrier_names(str(host["carrier"]))[0 if zh else 1] if host.get("carrier") else ""
    of_region, of_unit = ("" if found is None else found.name if zh else found.name_en for found in (region, unit))
    return Visited(row.device, of_region, of_unit, line, carrier, row.result, row.changed, row.reason, row.stands)


def _as_json(shift: Shift, report: DeployReport, chosen: Nornir, began: datetime) -> str:
    hosts = chosen.inventory.hosts
    rows = [
        {
            "device": row.device,
            "depth": row.depth,
            **{key: str(hosts[row.device].get(key) or "") for key in ("region", "unit", "line", "carrier", "role", "family")},
            "result": row.result,
            "lines": row.changed,
            "seconds": row.seconds,
            "address": None if row.address is None else str(row.address),
            "reason": row.reason,
            "stands": row.stands,
            "in_force": row.in_force,
            "digest": row.digest,
            "patch": lines_of(row),
            "diff": row.diff,
        }
        for row in report.rows
    ]
    head = {
        "schema_version": SCHEMA_VERSION,
        "title": shift.title,
        "command": shift.command,
        "committed": shift.committed,
        "by": shift.by,
        "began_at": began.astimezone(UTC).isoformat(timespec="seconds"),
        "ended_at": now().isoformat(timespec="seconds"),
        "limits": shift.conditions,
        "note": shift.note,
        "back": shift.back,
        "totals": report.totals(),
    }
    return json.dumps({**head, "rows": rows}, ensure_ascii=False, indent=2) + "\n"
