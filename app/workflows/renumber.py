"""Renumber: carry units from old prefixes to new ones. Reading shows what a step would do; on commit the ledger is written
first, the devices follow, and what a step needs is proven from their own tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path

from nornir.core import Nornir
from nornir.core.task import Result, Task

from app.core.commands import secret_names
from app.core.device_tables import DeviceTables
from app.core.intent import DeviceIntent
from app.core.intents import build_intents
from app.core.ipplan import Allocation
from app.core.plan_faults import LEDGER_FILE
from app.core.renumber import (
    Move,
    RenumberPlan,
    advance,
    contacts_by,
    ends,
    find_moves,
    no_programme,
    plan_renumbering,
)
from app.core.renumber import finish as finish_rows
from app.core.renumber_proof import doubts_of_gone, doubts_of_name, doubts_of_new, hosts_in, pings_of_new
from app.core.workspace import Workspace
from app.edge.files import read_workspace
from app.edge.files.ledger import locked, write_ledger
from app.edge.known_hosts import add_addresses
from app.edge.templates import read_templates
from app.errors import ExitCode, InputError, PoolExhausted, WaiwangError, worst
from app.settings import Settings
from app.workflows.commit import RecordBackup
from app.workflows.deploy import deploy
from app.workflows.diff import DeviceRow, Progress, refuse_illustration, silent
from app.workflows.hosts import Gateway, open_nornir
from app.workflows.ospf_restart import restart_ospf
from app.workflows.render import render
from app.workflows.tables import Readings, read_tables

#: Roles whose prefixes hold hosts that we do not configure: their people must have moved them.
HOST_ROLES = ("unit_lan", "service", "management")
#: So many hosts of one old prefix are asked whether they are still there.
ASKED_HOSTS = 32
RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Where and how a step runs. `wait_s`: how long a proof or a device is waited for. `unsafe` and `is_stopped` as for deploy."""

    root: Path
    settings: Settings
    environ: Mapping[str, str]
    gateway: Gateway
    record_backup: RecordBackup
    workers: int = 20
    wait_s: float = 30.0
    unsafe: tuple[str, ...] = ()
    progress: Progress = silent
    is_stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One holder's part in a step. `result`: moved, pending (with --commit it would be), unchanged (it was there already),
    not_proven (it stays in its phase, for `reasons`)."""

    move: Move
    result: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenumberReport:
    """What a step did: to holders, and to devices. Without `committed` nothing was written."""

    step: str
    moves: tuple[MoveRow, ...]
    devices: tuple[DeviceRow, ...]
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        codes = [row.exit_code for row in self.devices]
        results = {row.result for row in self.moves}
        if "not_proven" in results:
            codes.append(ExitCode.NOT_ACCEPTED)
        if "pending" in results:
            codes.append(ExitCode.PENDING)
        return worst(codes)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A workspace with a ledger, and what follows from it."""

    workspace: Workspace
    intents: Mapping[str, DeviceIntent]
    texts: Mapping[str, str] = field(default_factory=dict)


def plan(root: Path, *, commit: bool, today: date) -> RenumberPlan:
    """Give holders in retired pools new prefixes beside their old ones; write the ledger only on `commit`, under its lock.

    Raises: InputError with every finding; PoolExhausted where room is lacking.
    """
    planned = _judged(plan_renumbering(read_workspace(root)[0], today))
    if not (commit and planned.added):
        return planned
    with locked(root / LEDGER_FILE):
        planned = _judged(plan_renumbering(read_workspace(root)[0], today))
        write_ledger(root / LEDGER_FILE, planned.ledger)
    return planned


def start(ground: Ground, units: Collection[str], *, commit: bool) -> RenumberReport:
    """Put the new addresses beside the old ones, root first. Nothing is taken away.

    Raises: InputError where nothing is planned for these units, or the workspace or a secret is amiss.
    """
    workspace = read_workspace(ground.root)[0]
    moves = _require(find_moves(workspace, units), "planned", "dual")
    holders = _holders(moves, "planned")
    stage = _step(ground, workspace, lambda ledger: advance(ledger, holders, "dual"), commit=commit)
    devices = _deploy(ground, stage, moves, commit=commit, leaf_first=False)
    return RenumberReport("start", _rows(moves, "planned", {}, commit=commit), devices, commit)


def cut_over(ground: Ground, units: Collection[str], *, commit: bool) -> RenumberReport:
    """Let the new addresses lead, for every holder whose new prefix is proven to work; the old ones stay beside, leaf first.

    Raises: InputError as `start`.
    """
    workspace = read_workspace(ground.root)[0]
    moves = _require(find_moves(workspace, units), "dual", "cut_over")
    stage = _Stage(workspace, build_intents(workspace))
    doubts, failures = _prove_new(ground, stage, [move for move in moves if move.phase == "dual"])
    holders = _holders(moves, "dual") - doubts.keys()
    stage = _step(ground, workspace, lambda ledger: advance(ledger, holders, "cut_over"), commit=commit)
    going = [move for move in moves if move.holder not in doubts]
    if commit and (known_hosts := ground.settings.known_hosts) is not None:
        for name in _touched(stage.intents, going):
            add_addresses(known_hosts, stage.intents[name].contacts, ground.settings.ssh_port)
    devices = _deploy(ground, stage, going, commit=commit, leaf_first=True)
    return RenumberReport("cutover", _rows(moves, "dual", doubts, commit=commit), (*failures, *devices), commit)


def finish(
    ground: Ground, units: Collection[str], *, commit: bool, today: date, despite_hosts: bool = False, restarting: bool = False
) -> RenumberReport:
    """Take the old addresses away, leaf first; release an old prefix once no device that was read shows a trace of it.

    `despite_hosts`: also where hosts still answer in an old prefix. `restarting`: let OSPF begin anew where it goes by an old
    address, and IS-IS take its new NET, which stops traffic through each device for a moment.

    Raises: InputError as `start`.
    """
    workspace = read_workspace(ground.root)[0]
    moves = _require(find_moves(workspace, units), "cut_over", "clearing")
    stage = _Stage(workspace, build_intents(workspace))
    leaving = [move for move in moves if move.phase == "cut_over"]
    doubts, failures = _prove_new(ground, stage, leaving)
    if not despite_hosts:
        doubts |= _hosts_left(ground, stage, [move for move in leaving if move.role in HOST_ROLES and move.holder not in doubts])
    if not restarting:
        named = {move.holder: found for move in leaving if (found := doubts_of_name(move, stage.intents))}
        doubts |= {holder: found for holder, found in named.items() if holder not in doubts}
    holders = _holders(moves, "cut_over") - doubts.keys()
    stage = _step(ground, workspace, lambda ledger: advance(ledger, holders, "clearing"), commit=commit)
    going = [move for move in moves if move.holder not in doubts]
    devices = _deploy(ground, stage, going, commit=commit, leaf_first=True)
    if commit:
        if restarting:
            names = {device for move in going if move.role == "loopback" for device, _, _ in ends(stage.intents, move.new)}
            part = _nornir(ground, stage, names)
            devices = (*devices, *restart_ospf(part, stage.intents, ground.gateway, ground.wait_s, ground.progress))
        doubts |= _prove_gone(ground, stage, going)
        gone = {move.holder for move in going} - doubts.keys()
        _step(ground, workspace, lambda ledger: finish_rows(ledger, gone, today), commit=True)
    return RenumberReport("finish", _rows(moves, "cut_over", doubts, commit=commit), (*failures, *devices), commit)


# Ledger and devices


def _judged(planned: RenumberPlan) -> RenumberPlan:
    if planned.findings:
        raise PoolExhausted(planned.findings)
    return planned


def _require(moves: Iterable[Move], *phases: str) -> tuple[Move, ...]:
    known = tuple(moves)
    found = tuple(move for move in known if move.phase in phases)
    if not found:
        raise InputError([no_programme(known)])
    return found


def _holders(moves: Iterable[Move], phase: str) -> set[str]:
    return {move.holder for move in moves if move.phase == phase}


def _step(
    ground: Ground, workspace: Workspace, change: Callable[[Iterable[Allocation]], tuple[Allocation, ...]], *, commit: bool
) -> _Stage:
    """Return the workspace with a changed ledger; on `commit` it was written, from the ledger as it stood under the lock.

    Raises InputError before anything is written where the devices could not follow: an illustration, a secret that is not set.
    """
    refuse_illustration("renumber", illustration=ground.gateway.illustration)
    ahead = _stage(replace(workspace, ledger=change(workspace.ledger)), ground.root)
    ground.gateway.require_secrets(name for text in ahead.texts.values() for name in secret_names(text))
    if commit:
        path = ground.root / LEDGER_FILE
        with locked(path):
            held = read_workspace(ground.root)[0]
            after = change(held.ledger)
            if after != held.ledger:
                write_ledger(path, after)
        return _stage(read_workspace(ground.root)[0], ground.root)
    return ahead


def _stage(workspace: Workspace, root: Path) -> _Stage:
    return _Stage(workspace, build_intents(workspace), render(workspace, read_templates(root)))


def _deploy(ground: Ground, stage: _Stage, moves: Iterable[Move], *, commit: bool, leaf_first: bool) -> tuple[DeviceRow, ...]:
    """Bring every device that the moves touch to its text."""
    names = _touched(stage.intents, moves)
    if not names:
        return ()
    report = deploy(
        _nornir(ground, stage, names),
        stage.intents,
        stage.texts,
        ground.gateway,
        commit=commit,
        record_backup=ground.record_backup,
        wait_s=ground.wait_s,
        unsafe=ground.unsafe,
        progress=ground.progress,
        is_stopped=ground.is_stopped,
        leaf_first=leaf_first,
    )
    return report.rows


def _touched(intents: Mapping[str, DeviceIntent], moves: Iterable[Move]) -> set[str]:
    """Return the devices that hold an address of a move, and those whose routes lead over it."""
    found: set[str] = set()
    for move in moves:
        found |= {device for prefix in (move.new, move.old) for device, _, _ in ends(intents, prefix)}
        found |= {
            name
            for name, intent in intents.items()
            if any(route.next_hop in move.new or route.prefix in (move.new, move.old) for route in intent.static_routes)
        }
    return found


def _nornir(ground: Ground, stage: _Stage, names: Collection[str]) -> Nornir:
    nornir = open_nornir(stage.workspace, stage.intents, ground.settings, ground.environ, workers=ground.workers)
    return nornir.filter(filter_func=lambda host: host.name in names)


def _rows(moves: Iterable[Move], before: str, doubts: Mapping[str, tuple[str, ...]], *, commit: bool) -> tuple[MoveRow, ...]:
    def result(move: Move) -> str:
        if move.holder in doubts:
            return "not_proven"
        if not commit:
            return "pending"
        return "moved" if move.phase == before else "unchanged"

    return tuple(MoveRow(move, result(move), doubts.get(move.holder, ())) for move in moves)


# Proofs


def _prove_new(
    ground: Ground, stage: _Stage, moves: Collection[Move]
) -> tuple[dict[str, tuple[str, ...]], tuple[DeviceRow, ...]]:
    """Return why moves are not proven, by holder, after waiting for lines to become neighbours; and devices that did not answer.

    Every device is tried at its new addresses first, where it has any: where it was reached is a part of the proof.
    """
    if not moves:
        return {}, ()
    prefixes = {move.new for move in moves}
    intents = {name: replace(intent, contacts=contacts_by(intent, prefixes)) for name, intent in stage.intents.items()}
    reached = _Stage(stage.workspace, intents)
    deadline = time.monotonic() + ground.wait_s
    tables: dict[str, DeviceTables] = {}
    wanted = _touched(intents, moves)
    while True:
        readings = _read(ground, reached, wanted, ("addresses", "adjacencies"), pings=_pings(moves, intents))
        tables |= readings.tables
        doubts = {move.holder: found for move in moves if (found := doubts_of_new(move, intents, tables))}
        if not doubts or time.monotonic() >= deadline:
            lost = [row for row in readings.failures if row.device not in tables]
            return doubts, tuple(lost)
        wanted = _touched(intents, [move for move in moves if move.holder in doubts])
        time.sleep(RETRY_S)


def _pings(moves: Iterable[Move], intents: Mapping[str, DeviceIntent]) -> dict[str, list[IPv4Address]]:
    wanted: dict[str, list[IPv4Address]] = {}
    for move in moves:
        for device, address in pings_of_new(move, intents):
            wanted.setdefault(device, []).append(address)
    return wanted


def _prove_gone(ground: Ground, stage: _Stage, moves: Collection[Move]) -> dict[str, tuple[str, ...]]:
    """Return where old prefixes still show, by holder. The devices of the moves are read, and the root, which sees every route."""
    roots = {name for name, intent in stage.intents.items() if intent.uplink is None and intent.depth == 0}
    wanted = _touched(stage.intents, moves) | roots
    deadline = time.monotonic() + ground.wait_s
    while True:
        readings = _read(ground, stage, wanted, ("addresses", "routes", "router_id"), running=True)
        doubts: dict[str, tuple[str, ...]] = {}
        for move in moves:
            unread = [row for row in readings.failures if row.device in _touched(stage.intents, [move]) | roots]
            found = (*doubts_of_gone(move, readings.tables.values()), *(f"{row.device} was not read: {row.reason}" for row in unread))
            if found:
                doubts[move.holder] = found
        settling = any("has a route" in reason or "was not read" in reason for reasons in doubts.values() for reason in reasons)
        if not settling or time.monotonic() >= deadline:
            return doubts
        time.sleep(RETRY_S)


def _read(
    ground: Ground,
    stage: _Stage,
    names: Collection[str],
    questions: Iterable[str],
    *,
    running: bool = False,
    pings: Mapping[str, Sequence[IPv4Address]] | None = None,
) -> Readings:
    refuse_illustration("renumber", illustration=ground.gateway.illustration)
    nornir = _nornir(ground, stage, names)
    return read_tables(nornir, stage.intents, ground.gateway, questions=questions, running=running, pings=pings, progress=ground.progress)


def _hosts_left(ground: Ground, stage: _Stage, moves: Collection[Move]) -> dict[str, tuple[str, ...]]:
    """Return the holders in whose old prefixes hosts still answer the router's ping."""
    if not moves:
        return {}
    tables = _read(ground, stage, _touched(stage.intents, moves), ("neighbours",)).tables
    suspects: dict[str, dict[str, tuple[IPv4Address, ...]]] = {}
    for move in moves:
        own = {address.ip for _, _, address in ends(stage.intents, move.old)}
        for name in {device for device, _, _ in ends(stage.intents, move.old)} & tables.keys():
            if hosts := hosts_in(move.old, tables[name], own):
                suspects.setdefault(name, {})[move.holder] = hosts[:ASKED_HOSTS]
    answering = _ping(ground, stage, {name: [host for hosts in by.values() for host in hosts] for name, by in suspects.items()})
    doubts: dict[str, tuple[str, ...]] = {}
    for name, by_holder in suspects.items():
        for holder, hosts in by_holder.items():
            if left := [host for host in hosts if host in answering.get(name, ())]:
                doubts[holder] = (*doubts.get(holder, ()), f"{', '.join(map(str, left))} behind {name} still answers")
    return doubts


def _ping(ground: Ground, stage: _Stage, hosts: Mapping[str, Collection[IPv4Address]]) -> dict[str, set[IPv4Address]]:
    """Return the hosts that answered, by the device that asked them; a device that cannot ask counts them as answering."""
    if not hosts:
        return {}

    def ask(task: Task) -> Result:
        name = task.host.name
        try:
            session = ground.gateway.connect(stage.intents[name], 0.0)
        except WaiwangError:
            return Result(task.host, result=set(hosts[name]))
        try:
            counts = {host: session.ping(host, 1) for host in hosts[name]}
        except WaiwangError:
            return Result(task.host, result=set(hosts[name]))
        finally:
            session.close()
        return Result(task.host, result={host for host, count in counts.items() if count is None or count.received})

    results = _nornir(ground, stage, hosts).run(task=ask, on_failed=True)
    return {name: result[0].result if isinstance(result[0].result, set) else set(hosts[name]) for name, result in results.items()}
