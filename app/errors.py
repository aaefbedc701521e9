"""The exception tree. Branches name who must act; every message says what, where, expected against found, next step.

    WaiwangError
    ├── InputError        whoever wrote inventory/ or ipplan/   (carries every finding)
    │   └── PoolExhausted whoever sized the pools in ipplan/plan.yaml
    ├── RenderError       whoever wrote the template
    ├── DeviceError       the operator on duty
    │   ├── ConnectFailed     retry
    │   ├── LoginRefused      never retry: it locks accounts
    │   ├── CommitRefused     never retry
    │   └── UnsafeRoute       never retry: packets would leave the lab
    ├── AccessRefused     whoever gives out accounts
    ├── StoreError        whoever runs the database
    ├── AlertmanagerError whoever runs the Alertmanager
    └── LabError          whoever runs the lab
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

#: So many names are given in a message; the rest is counted.
NAMED_AT_MOST = 3


class ExitCode(IntEnum):
    """What a `waiwang` process answers to its caller; see docs/operations.md."""

    OK = 0
    INTERNAL = 1
    INPUT = 2
    DEVICE = 3
    NOT_ACCEPTED = 4
    PENDING = 5
    DEADLINE = 6
    NOTHING_MEASURED = 7


#: Where several codes hold, the first of these is answered.
EXIT_PRECEDENCE = (
    ExitCode.INTERNAL,
    ExitCode.INPUT,
    ExitCode.DEVICE,
    ExitCode.NOTHING_MEASURED,
    ExitCode.NOT_ACCEPTED,
    ExitCode.DEADLINE,
    ExitCode.PENDING,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code that goes first in `EXIT_PRECEDENCE`, OK when none holds."""
    held = set(codes)
    return next((code for code in EXIT_PRECEDENCE if code in held), ExitCode.OK)


#: What a device runs whose change was given up: what it ran before, a part of the change, or nobody knows.
AS_BEFORE, HALF_CHANGED, NOT_KNOWN = "as_before", "half_changed", "not_known"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing wrong in the input, in the four parts that every message has.

    `where` is `file:line` relative to the workspace, or `file` where no line can be named.
    A `note` is shown and does not fail the check (what a family cannot carry, an unmet wish).
    """

    where: str
    what: str
    expected: str
    found: str
    next_step: str
    note: bool = False

    def __str__(self) -> str:
        return in_four_parts(self.where, self.what, self.expected, self.found, self.next_step)


def in_four_parts(where: str, what: str, expected: str, found: str, next_step: str) -> str:
    """Return the sentence of every message. What was found may be a sentence of somebody else's, which ends itself."""
    stop = "" if found.endswith((".", "!", "?", "。", "！", "？")) else "."
    return f"{where}: {what}: expected {expected}; found {found}{stop} {next_step}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: 1 finding, 2 findings, 2 prefixes."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def named(names: Iterable[str]) -> str:
    """Name the first few and count the rest."""
    every = list(names)
    rest = len(every) - NAMED_AT_MOST
    return ", ".join(every[:NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")


class WaiwangError(Exception):
    """Any failure that this product foresees."""

    exit_code = ExitCode.INTERNAL


class InputError(WaiwangError):
    """The workspace cannot be used as it stands; `findings` holds every reason, in file order."""

    exit_code = ExitCode.INPUT

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class PoolExhausted(InputError):
    """A pool has fewer free prefixes than are asked of it."""


class RenderError(WaiwangError):
    """A template and its intent do not fit together."""

    exit_code = ExitCode.INPUT


class DeviceError(WaiwangError):
    """A device, or the way to it, refused.

    `stands` says what a change that was given up has left: AS_BEFORE, HALF_CHANGED, NOT_KNOWN; empty where none was begun.
    `in_force` holds the lines that separate a half-changed device from what it ran before.
    """

    exit_code = ExitCode.DEVICE

    def __init__(
        self, device: str, what: str, *, expected: str, found: str, next_step: str, stands: str = "", in_force: tuple[str, ...] = ()
    ) -> None:
        self.device, self.what, self.expected, self.found, self.next_step = device, what, expected, found, next_step
        self.stands, self.in_force = stands, in_force
        super().__init__(in_four_parts(device, what, expected, found, next_step))


class ConnectFailed(DeviceError):
    """No session could be opened; trying again may help."""


class LoginRefused(DeviceError):
    """The device refused the credentials; trying again locks accounts."""


class CommitRefused(DeviceError):
    """The device, or our own guard, refused a change."""


class UnsafeRoute(DeviceError):
    """The route to the address leaves the lab, or the address belongs to an illustration."""


class AccessRefused(WaiwangError):
    """The account's role does not allow this."""

    exit_code = ExitCode.INPUT


class StoreError(WaiwangError):
    """The database cannot be used."""

    exit_code = ExitCode.INPUT


class AlertmanagerError(WaiwangError):
    """Alertmanager cannot be reached, or refused a silence."""

    exit_code = ExitCode.DEVICE


class LabError(WaiwangError):
    """The lab cannot be started, found or ended."""

    exit_code = ExitCode.INPUT
