"""Audit: what devices really hold, against the baseline and against isolation. Nothing is written to a device."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nornir.core import Nornir
from nornir.core.task import Result, Task

from app.core.config_audit import FAIL, CheckResult, audit_config
from app.core.intent import DeviceIntent
from app.core.separation import Evidence, Proof, prove_separation
from app.core.workspace import Workspace
from app.edge.evidence_files import read_evidence
from app.errors import ExitCode, WaiwangError, worst
from app.workflows.diff import Progress, refuse_illustration, silent
from app.workflows.hosts import Gateway


@dataclass(frozen=True, slots=True)
class RunningTexts:
    """Running configurations by device, and why a device's could not be read, with the code of its error."""

    texts: Mapping[str, str]
    unread: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[ExitCode, ...] = ()


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


def fetch_running(nornir: Nornir, intents: Mapping[str, DeviceIntent], gateway: Gateway, *, progress: Progress = silent) -> RunningTexts:
    """Read every selected device's running configuration; one that does not answer is a reason among the others.

    Raises:
        InputError: the plan is an illustration; no device was contacted.
    """
    refuse_illustration("audit", illustration=gateway.illustration)
    texts: dict[str, str] = {}
    unread: dict[str, tuple[str, ExitCode]] = {}
    lock = threading.Lock()

    def read_one(task: Task) -> Result:
        name = task.host.name
        try:
            progress(name, "reading")
            session = gateway.connect(intents[name], 0.0)
            try:
                text = session.running()
            finally:
                session.close()
            with lock:
                texts[name] = text
            progress(name, "unchanged")
        except WaiwangError as error:
            with lock:
                unread[name] = (str(error), error.exit_code)
            progress(name, "failed")
        return Result(task.host)

    outcome = nornir.run(task=read_one, on_failed=True)
    for name, run in outcome.items():
        if run[0].exception is not None:
            unread[name] = (f"internal fault: {type(run[0].exception).__name__}", ExitCode.INTERNAL)
    order = [name for name in intents if name in texts]
    reasons = {name: unread[name][0] for name in intents if name in unread}
    return RunningTexts({name: texts[name] for name in order}, reasons, tuple(code for _, code in unread.values()))


def read_running(folder: Path, names: Iterable[str]) -> RunningTexts:
    """Read `NAME.cfg` of each device from a folder of saved configurations."""
    texts: dict[str, str] = {}
    unread: dict[str, str] = {}
    for name in names:
        file = folder / f"{name}.cfg"
        try:
            texts[name] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            found = error.strerror if isinstance(error, OSError) else "not UTF-8"
            unread[name] = f"{file}: expected its running configuration; found {found}. Save it there under this name."
    return RunningTexts(texts, unread, (ExitCode.DEVICE,) * bool(unread))


def audit_configs(running: RunningTexts, intents: Mapping[str, DeviceIntent]) -> ConfigAudit:
    """Hold every configuration that was read against the baseline."""
    results = tuple(result for name, text in running.texts.items() for result in audit_config(name, intents[name].family, text))
    codes = list(running.codes)
    if not running.texts:
        codes.append(ExitCode.NOTHING_MEASURED)
    if any(result.verdict == FAIL for result in results):
        codes.append(ExitCode.NOT_ACCEPTED)
    return ConfigAudit(results, running.unread, worst(codes))


def audit_separation(
    workspace: Workspace, running: RunningTexts, intents: Mapping[str, DeviceIntent], folder: Path | None
) -> SeparationAudit:
    """Judge the isolation of the network from configurations and, where a folder holds them, ARP, LLDP and route tables."""
    tables = read_evidence(folder, intents) if folder else {}
    evidence = {
        name: Evidence(intents[name], running.texts.get(name), tables.get(name, {}))
        for name in intents
        if name in running.texts or name in running.unread
    }
    proofs = prove_separation(workspace, evidence)
    codes = list(running.codes)
    if not running.texts:
        codes.append(ExitCode.NOTHING_MEASURED)
    if any(proof.verdict != "pass" for proof in proofs):
        codes.append(ExitCode.NOT_ACCEPTED)
    return SeparationAudit(proofs, running.unread, worst(codes))
