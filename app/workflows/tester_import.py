"""Take a tester's result in: judged first, shown, written only on commit, never twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app.core.acceptance import Measurement
from app.core.tester_result import build_measurements, find_row_faults
from app.core.workspace import Workspace
from app.edge.database.store import Store
from app.edge.files.tester import read_tester_result
from app.errors import ExitCode, Finding, InputError


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file holds: measurements that are new, and how many were taken from this very file before."""

    new: tuple[Measurement, ...]
    known: int
    committed: bool

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.PENDING if self.new and not self.committed else ExitCode.OK


def import_result(workspace: Workspace, store: Store, path: Path, *, commit: bool, now: datetime) -> ImportReport:
    """Read a tester's result, judge every row, and on `commit` record what it means.

    Raises:
        InputError: with every finding; nothing is written then.
    """
    findings: list[Finding] = []
    reading = read_tester_result(path, workspace.order.timezone, findings.append)
    findings += find_row_faults(reading.rows, workspace.inventory.lines, now)
    if not findings and not reading.rows:
        step = "Export the result again."
        findings = [Finding(path.name, "file holds no result", "one row or more", "none", step)]
    if findings:
        raise InputError(findings)
    found = build_measurements(reading.rows, path.name, reading.digest)
    new = tuple(each for each in found if not _is_known(store, each, reading.digest))
    if commit:
        for each in new:
            store.write_measurement(replace(each, detail={**each.detail, "recorded_at": now.isoformat()}))
    return ImportReport(new, len(found) - len(new), commit)


def _is_known(store: Store, measured: Measurement, digest: str) -> bool:
    return any(each.detail.get("sha256") == digest for each in store.measurement_history(measured.line_id, measured.kind))
