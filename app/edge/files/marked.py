"""YAML in which every key still knows its file and line, and files that extend others.

Anchors, aliases and merge keys are refused: one way to share values (`extends`) is enough, and none can expand without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from app.edge.files.texts import Report, read_text, shown
from app.errors import Finding

#: Keys from the top of the document down to a value; list positions are integers.
KeyPath = tuple[str | int, ...]
#: Stands where a value could not be read, which was reported; nobody reports it again.
UNREADABLE = object()
#: A file may extend a file that extends a file …; more than this is a loop in all but name.
EXTENDS_DEPTH = 8
#: Levels of mappings and lists in each other; no file of a workspace has ten.
DEPTH = 50


@dataclass(frozen=True, slots=True)
class Marked:
    """A parsed document beside the `file:line` of each of its keys."""

    values: dict[str, object]
    marks: Mapping[KeyPath, str]
    file: str

    def where(self, path: KeyPath) -> str:
        """Return `file:line` of the key at `path`, or of the nearest key above it that exists; the file when there is none."""
        for length in range(len(path), 0, -1):
            if (mark := self.marks.get(path[:length])) is not None:
                return mark
        return self.file

    def section(self, *path: str) -> Marked | None:
        """Return the mapping at `path` with paths counted from there; None where there is no mapping."""
        values: object = self.values
        for key in path:
            values = values.get(key) if isinstance(values, dict) else None
        if not isinstance(values, dict):
            return None
        marks = {found[len(path) :]: mark for found, mark in self.marks.items() if found[: len(path)] == path and len(found) > len(path)}
        return Marked(values, marks, self.where(path))


class _PlainLoader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves the parser untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.composer.ComposerError(None, None, "an anchor or alias", event.start_mark)
        if self.depth >= DEPTH:
            raise yaml.composer.ComposerError(None, None, f"more than {DEPTH} levels in each other", event.start_mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


@dataclass(slots=True)
class _Walk:
    """One pass over a document: builds its values, notes the lines, reports what cannot be a value."""

    loader: _PlainLoader
    file: str
    report: Report
    marks: dict[KeyPath, str] = field(default_factory=dict)

    def mark(self, found: yaml.Node) -> str:
        return f"{self.file}:{found.start_mark.line + 1}"

    def value(self, found: yaml.Node, path: KeyPath) -> object:
        if isinstance(found, yaml.MappingNode):
            return self.mapping(found, path)
        if isinstance(found, yaml.SequenceNode):
            return [self.placed(child, (*path, index)) for index, child in enumerate(found.value)]
        try:
            return self.loader.construct_object(found)
        except (ValueError, yaml.YAMLError) as error:
            problem = getattr(error, "problem", None) or str(error)
            expected, step = "a date that exists, or text in quotes", "Correct or quote the value."
            self.report(
                Finding(self.mark(found), f"value of `{_dotted(path)}` cannot be read", expected, f"{found.value} ({problem})", step)
            )
            return UNREADABLE

    def placed(self, found: yaml.Node, path: KeyPath) -> object:
        self.marks[path] = self.mark(found)
        return self.value(found, path)

    def mapping(self, found: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, child in found.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                self.report(Finding(self.mark(key), "key is not a word", "a plain key", "a list, a mapping or `<<`", "Write the keys out."))
                continue
            name = key.value
            if name in values:
                first = self.marks[(*path, name)]
                self.report(
                    Finding(
                        self.mark(key),
                        f"key `{name}` stands twice",
                        "one",
                        f"another at {first}",
                        "Keep one of them; YAML would drop the first.",
                    )
                )
                continue
            self.marks[(*path, name)] = self.mark(key)
            values[name] = self.value(child, (*path, name))
        return values


def read_marked(path: Path, root: Path, report: Report) -> Marked | None:
    """Read a YAML mapping and whatever it extends; None where nothing usable is there, which is reported.

    `extends: PATH` (from the file's own directory) takes the other file as the base: mappings merge key by key,
    anything else replaces, and an empty value removes the key.
    """
    return _read(path, root, report, ())


def _read(path: Path, root: Path, report: Report, chain: tuple[Path, ...]) -> Marked | None:
    document = _parse(path, root, report)
    if document is None or "extends" not in document.values:
        return document
    named, where = document.values["extends"], document.where(("extends",))
    if not isinstance(named, str) or not named:
        report(
            Finding(where, "`extends` names no file", "a path from this file's directory", repr(named), "Name the file, or remove the key.")
        )
        return None
    base_path = path.parent / named
    if base_path.resolve() in {link.resolve() for link in (*chain, path)} or len(chain) >= EXTENDS_DEPTH:
        report(Finding(where, "files extend each other in a circle", "a chain that ends", named, "Remove one `extends`."))
        return None
    if not base_path.exists():
        expected, found = "an existing file", shown(base_path, root)
        report(
            Finding(
                where, "extended file is missing", expected, f"nothing at {found}", "Mend the path; it counts from this file's directory."
            )
        )
        return None
    base = _read(base_path, root, report, (*chain, path))
    return None if base is None else _merge(base, document)


def _parse(path: Path, root: Path, report: Report) -> Marked | None:
    text = read_text(path, root, report)
    if text is None:
        return None
    name = shown(path, root)
    try:
        loader = _PlainLoader(text)
        top = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problem = " ".join(part for part in (error.context, error.problem) if part)
        report(
            Finding(f"{name}:{line}", "broken YAML", "well-formed YAML", problem, "Mend the line; look at indentation, colons and quotes.")
        )
        return None
    except yaml.YAMLError as error:
        report(Finding(name, "broken YAML", "well-formed YAML", str(error).splitlines()[0], "Remove the character."))
        return None
    if top is None:
        return Marked({}, {}, name)
    if not isinstance(top, yaml.MappingNode):
        report(Finding(f"{name}:1", "no mapping at the top", "key: value lines", "a list or a single value", "Begin the file with keys."))
        return None
    walk = _Walk(loader, name, report)
    return Marked(walk.mapping(top, ()), walk.marks, name)


def _merge(base: Marked, over: Marked) -> Marked:
    values, marks = dict(base.values), dict(base.marks)
    _lay(values, over.values, marks, over.marks, ())
    values.pop("extends", None)
    return Marked(values, marks, over.file)


def _lay(
    under: dict[str, object], over: Mapping[str, object], marks: dict[KeyPath, str], over_marks: Mapping[KeyPath, str], path: KeyPath
) -> None:
    for key, value in over.items():
        here = (*path, key)
        below = under.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged = dict(below)
            marks[here] = over_marks[here]
            _lay(merged, value, marks, over_marks, here)
            under[key] = merged
            continue
        for stale in [found for found in marks if found[: len(here)] == here]:
            del marks[stale]
        if value is None:
            under.pop(key, None)
            continue
        under[key] = value
        marks.update({found: mark for found, mark in over_marks.items() if found[: len(here)] == here})


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path))
