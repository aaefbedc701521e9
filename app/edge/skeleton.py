"""The files of a new workspace, as they lie in the package, with a city's name put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from app.errors import Finding, InputError

#: Files whose place in the package differs from that in a workspace: a package carries no dot files.
RENAMED = {"gitignore": ".gitignore"}


def read_skeleton(words: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files of a new workspace by their path in it; `@WORD@` in texts of ours is replaced, templates stay as they are."""
    contents: dict[str, bytes] = {}
    for path, file in _files(files("app") / "skeleton", PurePosixPath()):
        content = file.read_bytes()
        if path.parts[0] != "templates":
            for word, value in words.items():
                content = content.replace(f"@{word}@".encode(), value.encode())
        contents[RENAMED.get(str(path), str(path))] = content
    return contents


#: So many files that stand in the way are named; a whole workspace has eighty.
NAMED = 5


def write_skeleton(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write the files below `folder`, making folders; return the paths. What is there already is never touched.

    Raises:
        InputError: files are there already (the first are named, the rest counted), or the folder cannot be written; what was written
            is removed.
    """
    targets = {folder / name: content for name, content in contents.items()}
    standing = [path for path in targets if path.exists() or path.is_symlink()]
    if standing:
        step = "Choose another folder, or move the file away; init never overwrites."
        named = [Finding(str(path), "file is there already", "nothing of this name", "a file", step) for path in standing[:NAMED]]
        rest = len(standing) - len(named)
        if rest:
            named.append(Finding(str(folder), "files are there already", "nothing of their names", f"{rest} more", step))
        raise InputError(named)
    written: list[Path] = []
    try:
        for path, content in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(content)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        step = "Choose a folder that this account may write in; no file was left."
        found = error.strerror or str(error)
        raise InputError([Finding(str(folder), "workspace cannot be written", "a folder to write in", found, step)]) from error
    return written


def _files(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, at / entry.name)
        elif entry.name != "__init__.py" and not entry.name.endswith(".pyc"):
            yield at / entry.name, entry
