"""What evidence was taken with and by: the workspace's files, this software, the clock."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.core.canonical import sha256

PACKAGE = Path(__file__).parent.parent
FOLDERS = ("inventory", "ipplan")
#: A clock daemon that does not answer in this time is not asked again, seconds.
CLOCK_TIMEOUT_S = 5.0
#: Columns of `chronyc -c tracking` (chrony 4).
_TRACKING = (
    "reference_id",
    "reference",
    "stratum",
    "reference_time_s",
    "system_offset_s",
    "last_offset_s",
    "rms_offset_s",
    "frequency_ppm",
    "residual_frequency_ppm",
    "skew_ppm",
    "root_delay_s",
    "root_dispersion_s",
    "update_interval_s",
    "leap_status",
)


def workspace_digests(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of inventory/ and ipplan/ by its path in the workspace."""
    files = sorted(file for folder in FOLDERS for file in (root / folder).rglob("*") if file.is_file())
    return {file.relative_to(root).as_posix(): sha256(file.read_bytes()) for file in files}


def software() -> dict[str, str | None]:
    """Return the version of this package, and one SHA-256 over its files by name."""
    try:
        number: str | None = version("waiwang")
    except PackageNotFoundError:
        number = None
    files = sorted(file for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    lines = [f"{sha256(file.read_bytes())}  {file.relative_to(PACKAGE).as_posix()}\n" for file in files]
    return {"name": "waiwang", "version": number, "files_sha256": sha256("".join(lines).encode())}


def clock_state() -> dict[str, object]:
    """Return how this machine's clock is kept, as its own daemon tells it; `known` is false where nobody tells."""
    tracking = _answer(["chronyc", "-c", "-n", "tracking"])
    if tracking is not None and len(cells := tracking.strip().split(",")) == len(_TRACKING):
        return {"known": True, "source": "chronyc", **dict(zip(_TRACKING, cells, strict=True))}
    shown = _answer(["timedatectl", "show", "--property=NTPSynchronized", "--property=NTP"])
    words = dict(line.split("=", 1) for line in (shown or "").splitlines() if "=" in line)
    if "NTPSynchronized" in words:
        return {"known": True, "source": "timedatectl", **_flags(words)}
    return {"known": False, "reason": "neither chronyc nor timedatectl tells"}


def _flags(words: Mapping[str, str]) -> dict[str, object]:
    return {"synchronised": words["NTPSynchronized"] == "yes", "service": words.get("NTP") == "yes"}


def _answer(command: Sequence[str]) -> str | None:
    """Return what a program printed, None where it is missing, fails or takes too long."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CLOCK_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
