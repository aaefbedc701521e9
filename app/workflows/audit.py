"""Audit: what devices really hold, against the baseline and against isolation. Nothing is written to a device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nornir.core import Nornir
from nornir.core.task import Result, Task

from app.core.acceptance import FAIL, PASS
from app.core.config_audit import NOT_APPLICABLE, CheckResult, audit_config
from app.core.intent import DeviceIntent
from app.core.separation import Evidence, Proof, prove_separation
from app.core.workspace import Workspace
from app.edge.evidence_files import read_evidence
from app.errors import CommitRefused, DeviceError, ExitCode, Finding, InputError, WaiwangError, worst
from app.workflows.diff import Progress, refuse_illustration, silent
from app.workflows.hosts import Gateway


@dataclass(frozen=True, slots=True)
class RunningTexts:
    """Running configurations by device, and why a device's could not be read, with the code of its error.

    `tables` are what it showed beside (device → kind → text), `missing` why it did not (device → kind → reason).
    """

    texts: Mapping[str, str]
    unread: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[ExitCode, ...] = ()
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigAudit:
    results: tuple[CheckResult, ...]
    unread: Mapping[str, str]
    exit_code: ExitCode


@dataclass(frozen=True, slots=True)
class SeparationAudit:
    proofs: tuple[Proof, ...]
    unread: Mapping[str, str]
    exit_code: ExitCode


def fetch_running(
    nornir: Nornir,
    intents: Mapping[str, DeviceIntent],
    gateway: Gateway,
    *,
    kinds: tuple[str, ...] = (),
    progress: Progress = silent,
) -> RunningTexts:
    """Read every selected device's running configuration, and its tables of these kinds; one that does not answer is a reason.

    Raises:
        InputError: the plan is an illustration; no device was contacted.
    """
    refuse_illustration("audit", illustration=gateway.illustration)

    def read_one(task: Task) -> Result:
        name = task.host.name
        try:
            progress(name, "reading")
            found: _Read | WaiwangError = _read_device(intents[name], gateway, kinds)
            progress(name, "unchanged")
        except WaiwangError as error:
            found = error
            progress(name, "failed")
        return Result(task.host, result=found)

    outcome = nornir.run(task=read_one, on_failed=True)
    read: dict[str, _Read] = {}
    unread: dict[str, tuple[str, ExitCode]] = {}
    for name in (name for name in intents if name in outcome):
        found = outcome[name][0].result
        if isinstance(found, _Read):
            read[name] = found
        elif isinstance(found, WaiwangError):
            unread[name] = (str(found), found.exit_code)
        else:
            unread[name] = (f"internal fault: {type(outcome[name][0].exception).__name__}", ExitCode.INTERNAL)
    return RunningTexts(
        {name: held.text for name, held in read.items()},
        {name: reason for name, (reason, _) in unread.items()},
        tuple(code for _, code in unread.values()),
        tables={name: held.tables for name, held in read.items()},
        missing={name: held.missing for name, held in read.items()},
    )


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    tables: Mapping[str, str]
    missing: Mapping[str, str]


def _read_device(intent: DeviceIntent, gateway: Gateway, kinds: tuple[str, ...]) -> _Read:
    """Read one device. A table that it does not show is a reason beside the others."""
    session = gateway.connect(intent, 0.0)
    try:
        text = session.running()
        tables: dict[str, str] = {}
        missing: dict[str, str] = {}
        for kind in kinds:
            try:
                tables[kind] = session.table(kind, [vpn.name for vpn in intent.vpns])
            except CommitRefused:
                missing[kind] = f"family {intent.family} shows none"
            except DeviceError as error:
                missing[kind] = error.found
        return _Read(text, tables, missing)
    finally:
        session.close()


def read_running(folder: Path, names: Iterable[str]) -> RunningTexts:
    """Read `NAME.cfg` of each device from a folder of saved configurations, and its tables where they lie beside it.

    Raises: InputError where there is no such folder.
    """
    if not folder.is_dir():
        there = "something else" if folder.exists() else "nothing there"
        step = "Name the folder of the NAME.cfg files."
        raise InputError([Finding(str(folder), "saved configurations", "a folder", there, step)])
    names = list(names)
    texts: dict[str, str] = {}
    unread: dict[str, str] = {}
    for name in names:
        file = folder / f"{name}.cfg"
        try:
            texts[name] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            found = error.strerror if isinstance(error, OSError) else "not UTF-8"
            unread[name] = f"{file}: expected its running configuration; found {found}. Save it there under this name."
    return RunningTexts(texts, unread, (ExitCode.DEVICE,) * bool(unread), tables=read_evidence(folder, names))


def audit_configs(running: RunningTexts, intents: Mapping[str, DeviceIntent]) -> ConfigAudit:
    """Hold every configuration that was read against the baseline."""
    results = tuple(result for name, text in running.texts.items() for result in audit_config(name, intents[name].family, text))
    codes = list(running.codes)
    if all(result.verdict == NOT_APPLICABLE for result in results):
        codes.append(ExitCode.NOTHING_MEASURED)
    if any(result.verdict == FAIL for result in results):
        codes.append(ExitCode.NOT_ACCEPTED)
    return ConfigAudit(results, running.unread, worst(codes))


def audit_separation(workspace: Workspace, running: RunningTexts, intents: Mapping[str, DeviceIntent]) -> SeparationAudit:
    """Judge the isolation of the network from configurations and from what ARP, LLDP and route tables were read."""
    evidence = {
        name: Evidence(intents[name], running.texts.get(name), running.tables.get(name, {}), running.missing.get(name, {}))
        for name in intents
        if name in running.texts or name in running.unread
    }
    proofs = prove_separation(workspace, evidence)
    codes = list(running.codes)
    if not running.texts:
        codes.append(ExitCode.NOTHING_MEASURED)
    if any(proof.verdict != PASS for proof in proofs):
        codes.append(ExitCode.NOT_ACCEPTED)
    return SeparationAudit(proofs, running.unread, worst(codes))
