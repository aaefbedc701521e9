"""What a command prints: one table as text, JSON or CSV on stdout; messages on stderr."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from app.errors import ExitCode, Finding, InputError, WaiwangError

#: Version of the JSON that commands print; raised when a key changes its meaning or goes away.
SCHEMA_VERSION = 1

#: Colour by the word in a cell; the word itself says it all without colour.
STYLES = {
    "ok": "green",
    "up": "green",
    "pass": "green",
    "accepted": "green",
    "deployed": "green",
    "unchanged": "dim",
    "pending": "yellow",
    "not_proven": "yellow",
    "unreachable": "magenta",
    "unknown": "dim",
    "down": "bold red",
    "fail": "bold red",
    "failed": "bold red",
    "refused": "bold red",
    "login_refused": "bold red",
}


class Format(StrEnum):
    text = "text"
    json = "json"
    csv = "csv"


#: Control characters, and those that turn the direction of writing: from a device or a sheet they could make a terminal lie.
_UNSEEN = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), " ")
#: What a cell may hold; a tuple is a list in JSON, and joined by "; " elsewhere.
Cell = object


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns, with totals in words.

    Column names are the keys of the JSON; the text shows them with spaces. Columns named in `below` hold long texts, last in
    the row: where a table with them is wider than the screen, they stand below their row.
    `beside` are further keys of the JSON.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    totals: Mapping[str, int | str]
    below: tuple[str, ...] = ()
    beside: Mapping[str, object] = field(default_factory=dict)


def stdout() -> Console:
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    return Console(stderr=True, highlight=False)


def tell(text: str, style: str = "") -> None:
    """Print a message on stderr; never broken into lines where nobody looks at a screen."""
    stderr().print(Text(text, style=style), soft_wrap=True)


def show(table: Table, form: Format) -> None:
    """Print the table; JSON and CSV carry the same rows as the text."""
    match form:
        case Format.json:
            sys.stdout.write(as_json(table))
        case Format.csv:
            sys.stdout.write(as_csv(table))
        case Format.text:
            _show_text(table)


def as_json(table: Table) -> str:
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    document = {"schema_version": SCHEMA_VERSION, "title": table.title, "rows": rows, "totals": dict(table.totals), **table.beside}
    return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"


def as_csv(table: Table) -> str:
    """Return the table as CSV; a text that a spreadsheet program would take for a formula has an apostrophe before it."""
    from app.core.formulas import guarded  # here: `waiwang --help` loads nothing of the product

    def shown(cell: Cell) -> str:
        word = _word(cell, none="")
        return word if isinstance(cell, int | float) else guarded(word)

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([[shown(cell) for cell in row] for row in table.rows])
    return text.getvalue()


def _word(cell: Cell, *, none: str = "–") -> str:
    """Return a cell as one line of text."""
    if cell is None or cell == ():
        return none
    text = "; ".join(map(str, cell)) if isinstance(cell, tuple) else f"{cell:g}" if isinstance(cell, float) else str(cell)
    return text if text.isprintable() else text.translate(_UNSEEN)


def _show_text(table: Table) -> None:
    """Print columns two spaces apart. Cells are never broken: a name that is cut in two cannot be searched for."""
    console = stdout()
    console.print(Text(table.title, style="bold"), soft_wrap=True)
    columns = [name.replace("_", " ") for name in table.columns]
    words = [[_word(cell) for cell in row] for row in table.rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *words, strict=True)]
    kept = len(columns)
    if sum(widths) + 2 * (len(widths) - 1) > console.width:
        kept -= len(table.below)
    console.print(_line(columns[:kept], widths, "dim"), soft_wrap=True)
    for row, cells in zip(words, table.rows, strict=True):
        console.print(_line(row[:kept], widths), soft_wrap=True)
        for name, cell in list(zip(columns, cells, strict=True))[kept:]:
            _show_below(console, f"{name}: " if len(table.below) > 1 else "", cell)
    console.print(Text(" · ".join(f"{name} {number}" for name, number in table.totals.items()), style="bold"), soft_wrap=True)


def _line(words: Sequence[str], widths: Sequence[int], style: str | None = None) -> Text:
    line = Text()
    for word, width in zip(words, widths, strict=False):
        line.append(word, style=STYLES.get(word, "") if style is None else style)
        line.append(" " * (width - cell_len(word) + 2))
    line.rstrip()
    return line


def _show_below(console: Console, label: str, cell: Cell) -> None:
    """Print what a row has to say below it, indented: broken between words on a screen, one line a part elsewhere."""
    for part in cell if isinstance(cell, tuple) else (() if cell is None else (cell,)):
        text = Text(f"{label}{_word(part)}", style="dim")
        if console.is_terminal:
            console.print(Padding(text, (0, 0, 0, 4)))
        else:
            console.print(Text("    ") + text, soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 finding, 2 findings."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def show_findings(findings: Iterable[Finding], form: Format, *, title: str) -> None:
    """Print findings one a line with file:line first, or as JSON or CSV."""
    listed = list(findings)
    if form is not Format.text:
        columns = ("where", "what", "expected", "found", "next_step", "note")
        rows = [(f.where, f.what, f.expected, f.found, f.next_step, f.note) for f in listed]
        show(Table(title, columns, rows, {"findings": len(rows)}), form)
        return
    console = stdout()
    for finding in listed:
        kind = Text("note  " if finding.note else "error ", style="dim" if finding.note else "bold red")
        console.print(kind + Text(str(finding)), soft_wrap=True)


def show_error(error: WaiwangError) -> ExitCode:
    """Print an error on stderr, every finding of it, and return the code to leave with."""
    console = stderr()
    if isinstance(error, InputError):
        for finding in error.findings:
            console.print(Text("error ", style="bold red") + Text(str(finding)), soft_wrap=True)
        console.print(Text(f"{counted(len(error.findings), 'finding')}; nothing was done.", style="bold"))
    else:
        console.print(Text("error ", style="bold red") + Text(str(error)), soft_wrap=True)
    return error.exit_code
