"""Templates of a workspace, read from disk; rendered texts, written to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.errors import Finding, InputError

FOLDER = Path("templates") / "device_configs"


def read_templates(root: Path) -> Mapping[str, str]:
    """Return every `*.j2` below the workspace's templates/device_configs by its path there, in order.

    Raises InputError where the folder holds none or a file is not UTF-8.
    """
    folder = root / FOLDER
    texts: dict[str, str] = {}
    findings = []
    for file in sorted(folder.rglob("*.j2")):
        name = file.relative_to(folder).as_posix()
        try:
            texts[name] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            where = (FOLDER / name).as_posix()
            findings.append(Finding(where, "template cannot be read", "UTF-8", str(error.reason), "Save it as UTF-8."))
    if not texts and not findings:
        next_step = "Copy templates/ of the product into the workspace."
        findings.append(Finding(FOLDER.as_posix(), "no template is there", "<family>/<role>.j2", "none", next_step))
    if findings:
        raise InputError(findings)
    return texts


def write_texts(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write each text to `folder/NAME`, making the folder, and return the paths in order.

    Raises:
        InputError: the system refused; texts before the one that is named stand already.
    """
    files = [folder / name for name in texts]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in zip(files, texts.values(), strict=True):
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        step = "Choose another folder, or make room or give this account write access; then run the command again."
        found = error.strerror or str(error)
        raise InputError([Finding(str(error.filename or folder), "texts cannot be written", "a folder to write in", found, step)]) from None
    return files
