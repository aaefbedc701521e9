"""Commands that exchange files with offices, carriers and NetBox."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Form, Root, leave, now, open_context
from app.cli.output import Format, Table, show
from app.core.heads import HEADS
from app.workflows.exchange import ImportReport, format_import, import_tables

TABLES = (*HEADS, "all")


def import_(
    sources: Annotated[list[str], typer.Argument(metavar="TABLE FILE …", help="units, devices or lines and its XLSX or CSV; or all BOOK")],
    root: Root = None,
    form: Form = Format.text,
    commit: Commit = False,
    skip_rejected: Annotated[bool, typer.Option("--skip-rejected", help="leave rejected rows out instead of refusing all")] = False,
) -> None:
    """Take units, devices and lines from XLSX or CSV; several tables are judged together."""
    pairs = _pairs(sources)
    context = open_context(root)
    today = now().astimezone().date()
    report = import_tables(context.settings.root, pairs, commit=commit, today=today, skip_rejected=skip_rejected)
    _show_import(report, form)
    leave(report.exit_code)


def _pairs(words: list[str]) -> list[tuple[str, Path]]:
    if len(words) % 2:
        raise typer.BadParameter("give a table and a file for each", param_hint="TABLE FILE …")
    pairs = [(table, Path(file)) for table, file in zip(words[::2], words[1::2], strict=True)]
    for table, _ in pairs:
        if table not in TABLES:
            raise typer.BadParameter(f"`{table}` is none of {', '.join(TABLES)}", param_hint="TABLE")
    return pairs


def _show_import(report: ImportReport, form: Format) -> None:
    if form is Format.text:
        sys.stdout.write(format_import(report))
        return
    rows: list[tuple[object, ...]] = [
        ("new" if change.before is None else "changed", name, change.key, change.before, change.after)
        for name, changes in report.changes.items()
        for change in changes
    ]
    rows += [("rejected", finding.where, None, None, str(finding)) for finding in report.rejected]
    show(Table("import", ("change", "where", "key", "before", "after"), rows, {"read": report.read, "changes": len(rows)}), form)
