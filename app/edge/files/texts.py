"""Read text files of a workspace; whatever is wrong with one is a finding."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.errors import Finding

#: A table of some hundred thousand lines; nothing of a workspace is larger.
LARGEST_BYTES = 64 << 20
#: Takes one finding; readers report through it and go on.
Report = Callable[[Finding], None]


@dataclass(slots=True)
class Counting:
    """Passes findings on and counts them."""

    report: Report
    count: int = 0

    def __call__(self, finding: Finding) -> None:
        self.count += 1
        self.report(finding)


def shown(path: Path, root: Path) -> str:
    """Return the path as findings name it: relative to the workspace, with forward slashes."""
    return Path(os.path.relpath(path, root)).as_posix()


def read_text(path: Path, root: Path, report: Report) -> str | None:
    """Return the file's text, a byte order mark removed; None where it cannot be read, which is reported."""
    name = shown(path, root)
    try:
        if (size := path.stat().st_size) > LARGEST_BYTES:
            step = "Remove what is no part of it, or check which file it is."
            report(Finding(name, "file is too large", f"at most {LARGEST_BYTES:,} bytes", f"{size:,} bytes", step))
            return None
        raw = path.read_bytes()
    except FileNotFoundError:
        report(Finding(name, "file is missing", "a readable file", "nothing there", f"Create {name}, or choose the workspace with --root."))
        return None
    except OSError as error:
        report(
            Finding(name, "file cannot be read", "a readable file", error.strerror or str(error), "Check what it is and its permissions.")
        )
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        report(
            Finding(
                f"{name}:{line}",
                "text is not UTF-8",
                "UTF-8",
                f"byte 0x{raw[error.start]:02x}",
                "Save the file as UTF-8 (in Excel: CSV UTF-8).",
            )
        )
        return None
