"""Audit: read back what devices hold and hold it against the plan. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nornir.core import Nornir

from app.core.address_audit import AddressFinding, audit_addresses
from app.core.intent import DeviceIntent
from app.core.workspace import Workspace
from app.errors import ExitCode, worst
from app.workflows.diff import DeviceRow, Progress, refuse_illustration, silent
from app.workflows.hosts import Gateway
from app.workflows.tables import read_tables

ASKED = ("addresses", "routes", "neighbours")


@dataclass(frozen=True, slots=True)
class AddressReport:
    """Findings, and rows of devices that could not be read. `read` counts those that were."""

    findings: tuple[AddressFinding, ...]
    failures: tuple[DeviceRow, ...]
    read: int

    @property
    def exit_code(self) -> ExitCode:
        """NOTHING_MEASURED where no device was read; DEVICE where some were not; NOT_ACCEPTED with findings."""
        codes = [row.exit_code for row in self.failures]
        if not self.read:
            codes.append(ExitCode.NOTHING_MEASURED)
        if self.findings:
            codes.append(ExitCode.NOT_ACCEPTED)
        return worst(codes)


def addresses(
    nornir: Nornir, workspace: Workspace, intents: Mapping[str, DeviceIntent], gateway: Gateway, *, progress: Progress = silent
) -> AddressReport:
    """Read addresses, ARP tables and routes of the selected devices and judge them.

    Raises:
        InputError: the plan is an illustration; no device was contacted.
    """
    refuse_illustration("audit", illustration=gateway.illustration)
    readings = read_tables(nornir, intents, gateway, questions=ASKED, progress=progress)
    return AddressReport(audit_addresses(workspace, intents, readings.tables), readings.failures, len(readings.tables))
