"""What a command prints: one table as text, JSON or CSV on stdout; messages on stderr."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from app.errors import ExitCode, Finding, InputError, WaiwangError, counted

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
    the row: where a table with them is wider than the screen, they stand below their row, each on lines of its own. Where it is
    wider still, further columns from the right follow them there, named, without the empty ones. At least the first two stay.
    `beside` are further keys of the JSON.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    totals: Mapping[str, int | str]
    below: tuple[str, ...] = ()
    beside: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if odd := [name for name in self.columns if not re.fullmatch("[a-z0-9_]+", name)]:
            raise ValueError(f"column {odd[0]!r} is no key: lower case and underscores")


def stdout() -> Console:
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    return Console(stderr=True, highlight=False)


def tell(text: str, style: str = "") -> None:
    """Print a message on stderr; broken between words on a screen, never where nobody looks at one."""
    say(stderr(), Text(text, style=style))


def say(console: Console, text: Text) -> None:
    """Print one message: a screen would break it within a word, a file or a pipe keeps it on one line."""
    console.print(text, soft_wrap=not console.is_terminal)


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
    """Return the table as JSON; its totals by their words with underscores, which stand with blanks where people read them."""
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    totals = {words.replace(" ", "_"): value for words, value in table.totals.items()}
    document = {"schema_version": SCHEMA_VERSION, "title": table.title, "rows": rows, "totals": totals, **table.beside}
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
    text = "; ".join(map(str, cell)) if isinstance(cell, tuple) else f"{cell:.10g}" if isinstance(cell, float) else str(cell)
    return text if text.isprintable() else text.translate(_UNSEEN)


def _show_text(table: Table) -> None:
    """Print columns two spaces apart, numbers to the right. Cells are never broken: a name that is cut in two cannot be searched for."""
    console = stdout()
    console.print(Text(table.title, style="bold"), soft_wrap=True)
    columns = [name.replace("_", " ") for name in table.columns]
    right = [_is_of_numbers(cells) for cells in zip(*table.rows, strict=True)] or [False] * len(columns)
    by_column = [_words(cells, right=right[at]) for at, cells in enumerate(zip(*table.rows, strict=True))]
    words = list(zip(*by_column, strict=True))
    widths = [max(map(cell_len, column)) for column in zip(columns, *words, strict=True)]
    beside, kept = _columns_that_fit(table, widths, console.width)
    console.print(_line(columns[:kept], widths, right, "dim"), soft_wrap=True)
    for row, cells in zip(words, table.rows, strict=True):
        console.print(_line(row[:kept], widths, right), soft_wrap=True)
        _show_named(console, [f"{columns[at]}: {row[at]}" for at in range(kept, beside) if cells[at] not in (None, (), "")])
        for name, cell in list(zip(columns, cells, strict=True))[beside:]:
            _show_below(console, f"{name}: " if len(table.below) > 1 else "", cell)
    totals = table.totals or {"rows": len(table.rows)}
    console.print(Text(" · ".join(f"{name} {number}" for name, number in totals.items()), style="bold"), soft_wrap=True)


def _words(cells: Sequence[Cell], *, right: bool) -> list[str]:
    """Return a column's cells as text, numbers with as many decimals as the longest of them has."""
    words = [_word(cell) for cell in cells]
    decimals = max((len(word.partition(".")[2]) for word in words), default=0) if right else 0
    if not decimals:
        return words
    return [f"{cell:.{decimals}f}" if isinstance(cell, int | float) else word for cell, word in zip(cells, words, strict=True)]


def _columns_that_fit(table: Table, widths: Sequence[int], room: int) -> tuple[int, int]:
    """Return how many columns are no long texts below, and how many of those stand beside each other in a row."""

    def fits(count: int) -> bool:
        return sum(widths[:count]) + 2 * (count - 1) <= room

    if fits(len(widths)):
        return len(widths), len(widths)
    beside = len(widths) - len(table.below)
    return beside, next((count for count in range(beside, 2, -1) if fits(count)), min(2, beside))


def _is_of_numbers(cells: Sequence[Cell]) -> bool:
    """Tell whether a column holds numbers and nothing else but gaps."""
    held = [cell for cell in cells if cell is not None]
    return bool(held) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in held)


def _line(words: Sequence[str], widths: Sequence[int], right: Sequence[bool], style: str | None = None) -> Text:
    line = Text()
    for word, width, to_the_right in zip(words, widths, right, strict=False):
        space = " " * (width - cell_len(word))
        line.append(space if to_the_right else "")
        line.append(word, style=STYLES.get(word, "") if style is None else style)
        line.append("  " if to_the_right else f"{space}  ")
    line.rstrip()
    return line


def _show_named(console: Console, parts: Sequence[str]) -> None:
    """Print columns that found no room in their row below it, as many on a line as fit."""
    line = ""
    for part in parts:
        if line and cell_len(f"    {line} · {part}") > console.width:
            console.print(Text(f"    {line}", style="dim"), soft_wrap=True)
            line = ""
        line = f"{line} · {part}" if line else part
    if line:
        console.print(Text(f"    {line}", style="dim"), soft_wrap=True)


def _show_below(console: Console, label: str, cell: Cell) -> None:
    """Print what a row has to say below it, indented: broken between words on a screen, one line a part elsewhere."""
    for part in cell if isinstance(cell, tuple) else (() if cell is None else (cell,)):
        text = Text(f"{label}{_word(part)}", style="dim")
        if console.is_terminal:
            console.print(Padding(text, (0, 0, 0, 4)))
        else:
            console.print(Text("    ") + text, soft_wrap=True)


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
        kind = ("note  ", "dim") if finding.note else ("error ", "bold red")
        say(console, Text.assemble(kind, str(finding)))


def show_error(error: WaiwangError) -> ExitCode:
    """Print an error on stderr, every finding of it, and return the code to leave with."""
    console = stderr()
    if isinstance(error, InputError):
        for finding in error.findings:
            say(console, Text.assemble(("error ", "bold red"), str(finding)))
        console.print(Text(f"{counted(len(error.findings), 'finding')}; nothing was done.", style="bold"))
    else:
        say(console, Text.assemble(("error ", "bold red"), str(error)))
    return error.exit_code
