"""What a command prints: one table as text, JSON or CSV on stdout; messages on stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.table import Table as RichTable
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


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns, with totals in words; `extra` is added to the JSON."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    totals: Mapping[str, int | str]


def stdout() -> Console:
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    return Console(stderr=True, highlight=False)


def show(table: Table, form: Format) -> None:
    """Print the table; JSON and CSV carry the same rows as the text."""
    match form:
        case Format.json:
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            document = {"schema_version": SCHEMA_VERSION, "title": table.title, "rows": rows, "totals": dict(table.totals)}
            sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")
        case Format.csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(table.columns)
            writer.writerows([["" if cell is None else cell for cell in row] for row in table.rows])
        case Format.text:
            _show_text(table)


def _show_text(table: Table) -> None:
    console = stdout()
    grid = RichTable(title=table.title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in table.columns:
        grid.add_column(column, overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text("–" if cell is None else str(cell), style=STYLES.get(str(cell), "")) for cell in row))
    console.print(grid)
    console.print(Text(" · ".join(f"{name} {number}" for name, number in table.totals.items()), style="bold"))


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
        console.print(Text(f"{len(error.findings)} finding(s); nothing was done.", style="bold"))
    else:
        console.print(Text("error ", style="bold red") + Text(str(error)), soft_wrap=True)
    return error.exit_code
