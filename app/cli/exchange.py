"""Commands that exchange files with offices, carriers and NetBox."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Commit, Form, Root, leave, now, open_context
from app.cli.output import Format, Table, show, stderr
from app.core.heads import HEADS
from app.core.worksheet import FILLED_IN, LANGUAGES
from app.core.worksheet import HEADS as WORKSHEET_HEADS
from app.edge.files.sheets import write_office_csv, write_plain_csv, write_sheet, write_workbook
from app.workflows.exchange import ImportReport, export_rows, format_import, import_tables
from app.workflows.init import init as run_init
from app.workflows.netbox import export_netbox, format_netbox, import_netbox
from app.workflows.worksheet import format_return, take_worksheet
from app.workflows.worksheet import worksheet as make_worksheet

netbox = typer.Typer(name="netbox", help="Tables for NetBox's CSV import, and NetBox's circuits and prefixes back.", no_args_is_help=True)
TABLES = (*HEADS, "all")
IMPORT_COLUMNS = ("change", "where", "key", "before", "after")
SkipRejected = Annotated[bool, typer.Option("--skip-rejected", help="leave rejected rows out instead of refusing all")]
worksheet = typer.Typer(name="worksheet", help="Orders out to a carrier, and its reports back.", no_args_is_help=True)


def import_(
    sources: Annotated[
        list[str], typer.Argument(metavar="TABLE FILE …", help="units, devices, lines or vpn_lines and its XLSX or CSV; or all BOOK")
    ],
    root: Root = None,
    form: Form = Format.text,
    commit: Commit = False,
    skip_rejected: SkipRejected = False,
) -> None:
    """Take units, devices, lines and VPNs on lines from XLSX or CSV, judged together."""
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
    rows = _import_rows(report)
    show(Table("import", IMPORT_COLUMNS, rows, {"read": report.read, "changes": len(rows)}), form)


def _import_rows(report: ImportReport) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [
        ("new" if change.before is None else "changed", name, change.key, change.before, change.after)
        for name, changes in report.changes.items()
        for change in changes
    ]
    return [*rows, *(("rejected", finding.where, None, None, str(finding)) for finding in report.rejected)]


def export(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="units, devices, lines or vpn_lines")],
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.xlsx or FILE.csv")],
    root: Root = None,
    office: Annotated[bool, typer.Option("--for-office", help="Chinese heads; a CSV for spreadsheet programs")] = False,
) -> None:
    """Hand out a table of the inventory; `import` takes it back."""
    if table not in HEADS:
        raise typer.BadParameter(f"`{table}` is none of {', '.join(HEADS)}", param_hint="TABLE")
    context = open_context(root)
    rows = export_rows(context.settings.root, table, office=office)
    _write(output, table, rows, office=office)


@worksheet.command(name="out")
def worksheet_out(
    carrier: Annotated[str, typer.Argument(metavar="CARRIER", help="id of a carrier in order.yaml")],
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.xlsx or FILE.csv")],
    root: Root = None,
    language: Annotated[str, typer.Option("--language", envvar="WAIWANG_LANGUAGE", help="zh or en")] = "zh",
    every: Annotated[bool, typer.Option("--all", help="also lines that are opened and have a circuit id")] = False,
) -> None:
    """Write the orders of a carrier: what is to be built, and cells for what it reports back."""
    if language not in LANGUAGES:
        raise typer.BadParameter("zh or en", param_hint="--language")
    context = open_context(root)
    rows = make_worksheet(context.workspace, context.store, carrier, language=language, only_open=not every)
    columns = list(WORKSHEET_HEADS)
    _write(output, carrier, rows, office=True, fill_in=[columns.index(column) for column in FILLED_IN])


@worksheet.command(name="in")
def worksheet_in(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the worksheet that came back, XLSX or CSV")],
    root: Root = None,
    form: Form = Format.text,
    commit: Commit = False,
    carrier: Annotated[str | None, typer.Option("--carrier", help="whose sheet it is; else what most rows say")] = None,
    actor: Annotated[str | None, typer.Option("--by", help="who reports, as a role; else the carrier")] = None,
    document: Annotated[str | None, typer.Option("--document", help="the document; else the file's name")] = None,
    skip_rejected: SkipRejected = False,
) -> None:
    """Take a worksheet back: circuit ids into lines.csv, opened days and contact roles into the database."""
    context = open_context(root)
    report = take_worksheet(
        context.settings.root,
        context.store,
        file,
        now=now(),
        commit=commit,
        carrier=carrier,
        actor=actor,
        document=document,
        skip_rejected=skip_rejected,
    )
    if form is Format.text:
        sys.stdout.write(format_return(report))
    else:
        rows = _import_rows(report.imported)
        rows += [("reported", event.document, event.line_id, event.kind, event.value) for event in report.events]
        show(Table("worksheet", IMPORT_COLUMNS, rows, {"read": report.imported.read, "changes": len(rows)}), form)
    leave(report.exit_code)


@netbox.command(name="export")
def netbox_export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder to write to")],
    root: Root = None,
    site_ids: Annotated[Path | None, typer.Option("--site-ids", help="NetBox's own CSV of its sites, for NetBox 4.2 and newer")] = None,
) -> None:
    """Write CSV tables that NetBox's import forms take, in the order in which it can take them."""
    context = open_context(root)
    files, notes = export_netbox(context.workspace, context.store, site_ids)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_sheet(folder / name, content)
    for note in notes:
        stderr().print(f"note  {note}", markup=False, highlight=False, soft_wrap=True)
    told = f"{len(files)} files in {folder}; import them in this order: {', '.join(files)}"
    stderr().print(told, markup=False, highlight=False, soft_wrap=True)


@netbox.command(name="import")
def netbox_import(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder with circuits.csv, prefixes.csv from NetBox")],
    root: Root = None,
    form: Form = Format.text,
    commit: Commit = False,
) -> None:
    """Show what NetBox says otherwise of circuits and prefixes; --commit takes it over into lines.csv and the ledger."""
    context = open_context(root)
    report = import_netbox(context.settings.root, folder, commit=commit, today=now().astimezone().date())
    if form is Format.text:
        sys.stdout.write(format_netbox(report))
    else:
        rows: list[tuple[object, ...]] = [("changed", "inventory/lines.csv", c.key, c.before, c.after) for c in report.changes]
        rows += [("ledger", "ipplan/allocations.csv", None, None, row) for row in report.ledger_diff.splitlines()[2:]]
        rows += [("note", note.where, None, None, str(note)) for note in report.notes]
        show(Table("netbox", IMPORT_COLUMNS, rows, {"foreign": report.foreign, "changes": len(report.changes)}), form)
    leave(report.exit_code)


def _write(output: Path, title: str, rows: list[list[str]], *, office: bool, fill_in: Sequence[int] = ()) -> None:
    """Write a sheet in the form that the file's ending names."""
    if output.suffix.lower() not in (".xlsx", ".csv"):
        raise typer.BadParameter("a name that ends in .xlsx or .csv", param_hint="--output")
    if output.suffix.lower() == ".xlsx":
        content = write_workbook(title, rows, fill_in=fill_in)
    else:
        content = write_office_csv(rows) if office else write_plain_csv(rows)
    write_sheet(output, content)
    stderr().print(f"{len(rows) - 1} rows in {output}", highlight=False, markup=False, soft_wrap=True)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder of the new workspace")],
    city: Annotated[str, typer.Option("--city", help="the city's name")] = "示例市",
    city_en: Annotated[str, typer.Option("--city-en", help="its name in Latin letters")] = "Sample City",
    code: Annotated[str, typer.Option("--code", help="its code of GB/T 2260")] = "999900",
) -> None:
    """Write a new workspace with commented files and marked defaults; it passes the check as it stands."""
    written = run_init(folder, city=city, city_en=city_en, code=code, today=now().astimezone().date())
    stderr().print(f"{len(written)} files in {folder}. Next: waiwang check --root {folder}", markup=False, highlight=False, soft_wrap=True)
