"""Faults that a virtual device shows on request. Data only: the shells and agents play them."""

from __future__ import annotations

from dataclasses import dataclass

SNMP_FAULTS = (
    "dead",
    "wrong_request_id",
    "truncated",
    "huge",
    "late",
    "wrong_source",
    "duplicate",
    "noise",
    "looping",
    "out_of_order",
    "missing_variable",
    "general_error",
)


@dataclass(frozen=True, slots=True)
class SshFaults:
    """What goes wrong in a session; lines are counted from 1 in each session, None means never.

    `hang_at`: from this line on the device is silent · `drop_at`: the connection ends instead of this line's answer ·
    `reboot_at`: the device restarts instead · `ask_at`: it first asks something no driver knows · `delay_s`: before every answer ·
    `refuse_password`: no password is right · `disk_full`: nothing can be saved · `refuse`: every configuration line that holds this text
    is refused · `refuse_at`, `drop_after`: so is this configuration line, or the connection ends once it was taken, unanswered; only
    lines typed in configuration mode are counted, from 1 in each session.
    """

    hang_at: int | None = None
    drop_at: int | None = None
    reboot_at: int | None = None
    ask_at: int | None = None
    delay_s: float = 0.0
    refuse_password: bool = False
    disk_full: bool = False
    refuse: str = ""
    refuse_at: int | None = None
    drop_after: int | None = None


NO_SSH_FAULTS = SshFaults()


@dataclass(frozen=True, slots=True)
class SnmpFaults:
    """What an agent does wrong; `kind` is one of SNMP_FAULTS or empty, `delay_s` belongs to `late`."""

    kind: str = ""
    delay_s: float = 3.0

    def __post_init__(self) -> None:
        if self.kind and self.kind not in SNMP_FAULTS:
            raise ValueError(f"SNMP fault: expected one of {', '.join(SNMP_FAULTS)}; found {self.kind!r}")


NO_SNMP_FAULTS = SnmpFaults()
