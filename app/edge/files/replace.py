"""Replace several files of a workspace: all of them or none, and no reader ever sees half of one."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from app.errors import Finding, InputError

LOCK_WAIT_S = 30.0
LOCK_RETRY_S = 0.05


@contextmanager
def replaced(root: Path, files: Mapping[str, bytes]) -> Iterator[None]:
    """Put the files in place and yield; where that, or the body, fails, every file is again what it was.

    Every byte is on the disk before the first name changes. A symbolic link keeps pointing at its file.

    Raises:
        InputError: a file or its folder cannot be written; nothing was changed.
    """
    targets = {name: (root / name).resolve() for name in files}
    staged = {name: target.with_name(f".{target.name}.{os.getpid()}.new") for name, target in targets.items()}
    kept = {name: target.with_name(f".{target.name}.{os.getpid()}.old") for name, target in targets.items()}
    began: list[str] = []
    name = ""
    try:
        try:
            for name, content in files.items():
                _write(staged[name], content, targets[name])
            for name, target in targets.items():
                if target.exists():
                    os.link(target, kept[name])
            for name, target in targets.items():
                began.append(name)
                staged[name].replace(target)
            for folder in {target.parent for target in targets.values()}:
                sync_folder(folder)
        except OSError as error:
            raise InputError([unwritable(name, error)]) from error
        yield
    except BaseException:
        for name in began:
            _restore(targets[name], kept[name], staged[name])
        raise
    finally:
        for passing in (*staged.values(), *kept.values()):
            with suppress(OSError):
                passing.unlink(missing_ok=True)


@contextmanager
def locked_folders(*folders: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold folders alone, in the order given. Every writer of a workspace takes ipplan/ before inventory/.

    Raises:
        InputError: a folder is missing, or another run holds it after `wait_s` seconds.
    """
    with ExitStack() as stack:
        for folder in folders:
            try:
                handle = os.open(folder.resolve(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise InputError([unwritable(f"{folder.name}/", error)]) from error
            stack.callback(os.close, handle)
            _acquire(handle, folder, wait_s)
        yield


def unwritable(name: str, error: OSError) -> Finding:
    step = "Give the account write access, or free the disk, and run the command again; nothing was changed."
    return Finding(name, "file cannot be written", "a folder that this account may write in", error.strerror or str(error), step)


def sync_folder(folder: Path) -> None:
    """Make renames in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, content: bytes, target: Path) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if target.exists():
        path.chmod(target.stat().st_mode & 0o777)


def _restore(target: Path, kept: Path, staged: Path) -> None:
    if kept.exists():
        kept.replace(target)
    elif not staged.exists():
        target.unlink(missing_ok=True)


def _acquire(handle: int, folder: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                step = "Wait for the other command to end and run this one again; nothing was changed."
                finding = Finding(f"{folder.name}/", "another run is writing here", f"the lock within {wait_s:g} s", "still held", step)
                raise InputError([finding]) from None
            time.sleep(LOCK_RETRY_S)
        else:
            return
