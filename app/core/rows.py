"""Change single rows of a CSV text and leave every other byte as it is. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a CSV text: its bytes as they stand, its cells, and the line on which it begins."""

    raw: str
    cells: tuple[str, ...]
    line: int

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that a merge adds or rewrites. `before` is None for a new row; texts are without line end."""

    key: str
    before: str | None
    after: str
    line_before: int
    line_after: int


@dataclass(frozen=True, slots=True)
class Merged:
    """A table's new text, what changed in it (file order), and the line of each key."""

    text: str
    changes: tuple[RowChange, ...]
    lines: Mapping[str, int]


def records(text: str) -> Iterator[Record]:
    """Yield the records of a CSV text; their `raw` joined is the text. Raises csv.Error for broken quotes."""
    lines = list(io.StringIO(text, newline=""))
    reader, begin = csv.reader(lines, strict=True), 0
    for cells in reader:
        yield Record("".join(lines[begin : reader.line_num]), tuple(cells), begin + 1)
        begin = reader.line_num


def merge_rows(text: str, keys: tuple[str, ...], changes: Mapping[str, Mapping[str, str]]) -> Merged:
    """Lay cells over the rows that the columns `keys` name, and append rows that are not there yet.

    Rows go by the cells of their keys, joined by a slash.

    A column that a row of `changes` does not give keeps its cell; an empty cell empties it. A row whose cells stay the same
    keeps its bytes. A column that the header lacks is added when a cell needs it, and then every row is written anew.

    Raises:
        csv.Error: the text is broken. ValueError: it has no header, or its header lacks one of `keys`.
    """
    rows = list(records(text))
    head = next((number for number, row in enumerate(rows) if not row.is_blank), None)
    if head is None:
        raise ValueError("no header")
    header = [cell.strip() for cell in rows[head].cells]
    at = [header.index(key) for key in keys]
    end = _line_end(rows[head].raw)
    wider = header + _missing(header, changes)
    out: list[str] = []
    done: list[RowChange] = []
    places: dict[str, int] = {}
    line = 1
    for number, row in enumerate(rows):
        named = _name(row, at) if number > head and len(row.cells) == len(header) else ""
        after = row.raw
        if number == head and len(wider) > len(header):
            after = _written(wider, end)
        elif named:
            cells = dict(zip(header, row.cells, strict=True))
            laid = cells | {column: cell for column, cell in changes.get(named, {}).items() if column in wider}
            if len(wider) > len(header) or any(cells.get(c, "").strip() != laid[c] for c in changes.get(named, {}) if c in wider):
                after = _written([laid.get(column, "") for column in wider], end)
            if named not in places:
                places[named] = line
        if after != row.raw:
            done.append(RowChange(named, _bare(row.raw), _bare(after), row.line, line))
        out.append(after)
        line += _line_count(after)
    if out and not out[-1].endswith(("\n", "\r")):
        out[-1] += end
    for name, given in changes.items():
        if name not in places:
            after = _written([given.get(column, "") for column in wider], end)
            done.append(RowChange(name, None, _bare(after), line, line))
            places[name] = line
            out.append(after)
            line += _line_count(after)
    return Merged("".join(out), tuple(done), places)


def format_diff(name: str, changes: Sequence[RowChange]) -> str:
    """Return the changes as a unified diff without context lines; empty where nothing changed."""
    if not changes:
        return ""
    parts = [f"--- a/{name}", f"+++ b/{name}"]
    for change in changes:
        old, new = ([] if change.before is None else change.before.split("\n")), change.after.split("\n")
        parts.append(f"@@ -{change.line_before}{_counted(len(old))} +{change.line_after}{_counted(len(new))} @@")
        parts += [f"-{row}" for row in old] + [f"+{row}" for row in new]
    return "\n".join(parts) + "\n"


def _name(row: Record, at: Sequence[int]) -> str:
    parts = [row.cells[place].strip() for place in at]
    return "/".join(parts) if all(parts) else ""


def _missing(header: Sequence[str], changes: Mapping[str, Mapping[str, str]]) -> list[str]:
    wanted = {column: None for cells in changes.values() for column, cell in cells.items() if cell and column not in header}
    return list(wanted)


def _written(cells: Sequence[str], end: str) -> str:
    text = io.StringIO()
    # The writer of Python 3.11 leaves a lone carriage return bare, which no reader takes.
    bare_return = any("\r" in cell for cell in cells)
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL if bare_return else csv.QUOTE_MINIMAL).writerow(cells)
    return text.getvalue()


def _line_end(raw: str) -> str:
    return "\r\n" if raw.endswith("\r\n") else "\n"


def _bare(raw: str) -> str:
    return raw.removesuffix("\n").removesuffix("\r")


def _line_count(raw: str) -> int:
    return len(list(io.StringIO(raw, newline="")))


def _counted(lines: int) -> str:
    return "" if lines == 1 else f",{lines}"
